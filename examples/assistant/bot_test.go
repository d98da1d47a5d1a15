package main

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

func TestAButtonStopsTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal()
		defer portal.Close()
		endless := func(_ context.Context, _ string, answer io.Writer) (err error) {
			for ; err == nil; time.Sleep(time.Second) {
				_, err = io.WriteString(answer, "\n* and so on")
			}
			return err
		}
		const url = "https://bot.example.com/events"
		bot, err := newBot(t.Context(), endless, portal.Webhook("a-random-client-id"), url, imbot.WithHTTPClient(portal.HTTPClient()))
		require.NoError(t, err)
		portal.Serve(url, bot)
		id, err := portal.WaitBot(t.Context(), "assistant")
		require.NoError(t, err)

		anna, dialog := portal.AddUser("Anna", "Ivanova"), imbot.UserDialog(id)
		growing, err := portal.Ask(t.Context(), anna, dialog, "Tell me a story")
		require.NoError(t, err)
		time.Sleep(2 * time.Second)
		require.NoError(t, portal.Press(t.Context(), anna, growing, "Stop"))
		require.NoError(t, errors.Join(portal.Idle(t.Context()), bot.Shutdown(t.Context()), portal.Err()))
		answer := portal.Messages(anna, dialog)[1]
		require.Equal(t, "• and so on\n• and so on\n• and so on …", answer.Plain())
		require.Empty(t, answer.Keyboard.Rows)
	})
}
