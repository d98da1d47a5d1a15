package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

func TestDemoPrintsTheConversation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		require.NoError(t, demo(t.Context(), &out, 30*time.Second))
		require.Equal(t, `Anna: How do I make tea?
(first words after 0.6 s, all after 29.4 s)
Assistant: Tea

1. Boil water
2. Pour it over the leaves
3. Wait three minutes, see the kettle (https://example.com/kettle)

Tea | Minutes
green | 2
black | 4

Never use [user=1]a microwave[/user].

time.Sleep(3 * time.Minute)
Anna: Tell me a long story
(first words after 0.4 s, all after 30.0 s)
Assistant: Once upon a time there was a bot that ne … (17799 characters) … ere was a bot that never came to an end.
Assistant: Once upon a time there was a bot that ne … (12039 characters) … ere was a bot that never came to an end.
Anna: Tell me a long story
(first words after 0.4 s, all after 15.0 s)
Assistant: Once upon a time there was a bot that ne … (14926 characters) …  a bot that never came to an end. Once …
Anna: What is the weather like?
(first words after 0.0 s, all after 0.0 s)
Assistant: I cannot think right now. Please ask again later.
`, out.String())
	})
}

func TestTheBotThatPollsStopsToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal()
		defer portal.Close()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() {
			ended <- poll(ctx, slowModel(time.Minute), portal.Webhook("a-random-token"), imbot.WithHTTPClient(portal.HTTPClient()))
		}()
		defer func() { stop(); require.NoError(t, errors.Join(<-ended, portal.Err())) }()
		id, err := portal.WaitBot(ctx, "assistant")
		require.NoError(t, err)
		anna, dialog := portal.AddUser("Anna", "Ivanova"), imbot.UserDialog(id)
		start := time.Now()
		growing, err := portal.Ask(ctx, anna, dialog, "How do I make tea?")
		require.NoError(t, err)
		require.NoError(t, portal.Press(ctx, anna, growing, "Stop"))
		for before := portal.Changed(); len(portal.Messages(anna, dialog)[1].Keyboard.Rows) > 0; before = portal.Changed() {
			_, err := portal.Changes(ctx, anna, before)
			require.NoError(t, err)
		}
		require.Less(t, time.Since(start), 20*time.Second)
		require.Regexp(t, "^Tea.* …$", strings.ReplaceAll(portal.Messages(anna, dialog)[1].Plain(), "\n", " "))
	})
}

func TestRunSaysWhichSettingIsMissing(t *testing.T) {
	t.Setenv("BITRIX24_WEBHOOK_URL", "https://portal.bitrix24.com/rest/1/secret/")
	t.Setenv("BITRIX24_CLIENT_ID", "")
	t.Setenv("BITRIX24_BOT_TOKEN", "")
	require.ErrorContains(t, run(t.Context(), io.Discard, 0), "BITRIX24_BOT_TOKEN")
}

func TestTheModelObeysItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, slowModel(time.Hour)(ctx, "How do I make tea?", io.Discard), context.Canceled)
}

func TestAModelThatPanicsLeavesNoButton(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal()
		defer portal.Close()
		broken := func(_ context.Context, _ string, answer io.Writer) error {
			_, _ = io.WriteString(answer, "It is")
			time.Sleep(2 * time.Second)
			panic("out of words")
		}
		const url = "https://bot.example.com/events"
		bot, err := newBot(t.Context(), broken, portal.Webhook("a-random-client-id"), url, imbot.WithHTTPClient(portal.HTTPClient()))
		require.NoError(t, err)
		portal.Serve(url, bot)
		id, err := portal.WaitBot(t.Context(), "assistant")
		require.NoError(t, err)
		growing, err := portal.Ask(t.Context(), portal.AddUser("Anna", "Ivanova"), imbot.UserDialog(id), "What is it?")
		require.NoError(t, err)
		require.NotEmpty(t, growing.Keyboard.Rows)
		require.NoError(t, errors.Join(portal.Idle(t.Context()), bot.Shutdown(t.Context()), portal.Err()))
		answer := portal.Messages(growing.AuthorID, imbot.ChatDialog(growing.ChatID))
		require.Equal(t, "It is", answer[len(answer)-1].Plain())
		require.Empty(t, answer[len(answer)-1].Keyboard.Rows)
		require.EqualValues(t, 1, bot.Stats().Failed)
	})
}
