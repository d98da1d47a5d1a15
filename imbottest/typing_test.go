package imbottest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/stretchr/testify/require"
)

func TestTypingEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal := newTestPortal(t)
		typing := func() []imbot.ID { return portal.Dialogs(anna)[0].Typing }
		send := func() {
			require.Equal(t, "true", post(t, portal, "imbot.chat.sendTyping", `{"CLIENT_ID":"one","DIALOG_ID":"chat1001"}`))
		}
		send()
		require.Equal(t, []imbot.ID{alpha}, typing())
		require.Empty(t, portal.Dialogs(alpha)[0].Typing, "the bot knows it")
		time.Sleep(6 * time.Second)
		send()
		time.Sleep(6 * time.Second)
		synctest.Wait()
		require.Equal(t, []imbot.ID{alpha}, typing(), "it was told again")
		after := portal.Changed()
		time.Sleep(4 * time.Second)
		synctest.Wait()
		require.Empty(t, typing())
		require.Equal(t, []string{"typing chat1001 103 false"}, changesInWords(t, portal, anna, after))
		send()
		portal.Close() // does not wait until the typing ends
	})
}
