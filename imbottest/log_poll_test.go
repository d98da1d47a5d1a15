package imbottest_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

// pollingBot registers a bot that fetches its events, and returns how to poll.
func pollingBot(t *testing.T, portal *imbottest.Portal) (bot imbot.ID, poll func(params string)) {
	t.Helper()
	client, err := imbot.NewClient(portal.Webhook("a-long-random-bot-token"), imbot.WithHTTPClient(portal.HTTPClient()), imbot.WithLimiter(nil))
	require.NoError(t, err)
	var registered struct{ Bot struct{ ID imbot.ID } }
	require.NoError(t, client.Call(t.Context(), "imbot.v2.Bot.register", map[string]any{"fields": map[string]any{"code": "echo", "properties": map[string]string{"name": "Echo"}}}, &registered))
	return registered.Bot.ID, func(params string) {
		require.NoError(t, client.Call(t.Context(), "imbot.v2.Event.get", rawJSON(fmt.Sprintf(`{"botId":%d%s}`, registered.Bot.ID, params)), nil))
	}
}

type rawJSON string

func (r rawJSON) MarshalJSON() ([]byte, error) { return []byte(r), nil }

func TestPollsThatBringNothingAreOneLine(t *testing.T) {
	t.Parallel()
	portal := imbottest.NewPortal()
	defer portal.Close()
	bot, poll := pollingBot(t, portal)
	before := len(portal.Exchanges(0, 100))
	for range 5 {
		poll(`,"offset":1`)
	}
	lines := portal.Exchanges(0, 100)
	require.Len(t, lines, before+1)
	require.Equal(t, 5, lines[0].Polls)
	require.Len(t, portal.Calls("imbot.v2.Event.get"), 5)

	_, err := portal.Say(t.Context(), portal.AddUser("Anna", "I"), imbot.UserDialog(bot), "hello")
	require.NoError(t, err)
	poll(`,"offset":1`)
	lines = portal.Exchanges(0, 100)
	require.Equal(t, "imbot.v2.Event.get", lines[0].Name)
	require.Zero(t, lines[0].Polls, "it brought something")
	require.Equal(t, "ONIMBOTV2MESSAGEADD", lines[1].Name)
	require.True(t, lines[1].Fetched)
	require.False(t, lines[1].Done, "nobody has acknowledged it")
	poll(`,"offset":1000`)
	poll("")
	lines = portal.Exchanges(0, 100)
	require.Equal(t, 2, lines[0].Polls)
	message, ok := portal.Exchange(lines[2].ID)
	require.True(t, ok)
	require.True(t, message.Done)
	require.Contains(t, message.Sent, `"text": "hello"`)
	_, err = portal.Replay(t.Context(), message.ID)
	require.Error(t, err)
}
