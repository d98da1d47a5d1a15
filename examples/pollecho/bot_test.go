package main

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

func TestEcho(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal()
		defer portal.Close()
		go run(t.Context(), portal.Webhook("a-long-random-bot-token"), imbot.WithHTTPClient(portal.HTTPClient()))
		bot, err := portal.WaitBot(t.Context(), "echo")
		require.NoError(t, err)
		answer, err := portal.Ask(t.Context(), portal.AddUser("Anna", "Ivanova"), imbot.UserDialog(bot), "hello")
		require.NoError(t, err)
		require.Equal(t, "You said: hello", answer.Plain())
		require.NoError(t, portal.Err())
	})
}
