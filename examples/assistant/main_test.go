package main

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDemoPrintsTheConversation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		require.NoError(t, demo(t.Context(), &out, 30*time.Second))
		require.Equal(t, `Anna: How do I make tea?
(notices of typing: 4, waited: 30s)
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
(notices of typing: 4, waited: 30s)
Assistant: Once upon a time there was a bot that ne … (17799 characters) … ere was a bot that never came to an end.
Assistant: Once upon a time there was a bot that ne … (12039 characters) … ere was a bot that never came to an end.
Anna: What is the weather like?
(notices of typing: 4, waited: 30s)
Assistant: I cannot think right now. Please ask again later.
`, out.String())
	})
}

func TestTheModelObeysItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := slowModel{think: time.Hour}.Answer(ctx, "How do I make tea?")
	require.ErrorIs(t, err, context.Canceled)
}
