package imbottest_test

import (
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

// BenchmarkPortal is a call of the SDK that a portal answers in memory.
func BenchmarkPortal(b *testing.B) {
	portal := imbottest.NewPortal()
	defer portal.Close()
	client, err := imbot.NewClient(portal.Webhook("a-long-random-client-id"), imbot.WithHTTPClient(portal.HTTPClient()), imbot.WithLimiter(nil))
	require.NoError(b, err)
	_, err = client.Bot.Register(b.Context(), imbot.BotRegisterRequest{Code: "x", EventHandler: "https://bot.example.com/", Properties: imbot.BotProperties{Name: "X"}})
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		if err := client.Chat.SendTyping(b.Context(), imbot.ChatSendTypingRequest{DialogID: "1"}); err != nil {
			b.Fatal(err)
		}
	}
}
