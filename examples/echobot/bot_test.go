package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

func TestEcho(t *testing.T) {
	portal := imbottest.NewPortal()
	defer portal.Close()

	hook := portal.Webhook("a-long-random-client-id")
	id, bot, err := newBot(t.Context(), hook, "https://bot.example.com/events", imbot.WithHTTPClient(portal.HTTPClient()))
	require.NoError(t, err)
	portal.Serve("https://bot.example.com/events", bot)

	anna := portal.AddUser("Anna", "Ivanova")
	answer, err := portal.Ask(t.Context(), anna, imbot.UserDialog(id), "hello")
	require.NoError(t, err)
	require.Equal(t, "You said: hello", answer.Plain())
	require.NoError(t, portal.Err())
}
