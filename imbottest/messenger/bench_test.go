package messenger_test

import (
	"fmt"
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/stretchr/testify/require"
)

// newLargePage returns the page of a portal with a hundred dialogs of a thousand messages.
// The newest messages have keyboards.
func newLargePage(t testing.TB) *testPage {
	w := newTestPage(t)
	keyboard := &imbot.Keyboard{Rows: [][]imbot.Button{{
		{Text: "One", Action: imbot.ActionCommand{Command: "do", Params: "1"}}, {Text: "Two", Action: imbot.ActionCommand{Command: "do", Params: "2"}},
	}}}
	for range 100 {
		chat, err := imbot.Do(t.Context(), w.client, imbot.ChatAddRequest{Users: []imbot.ID{anna, boris}})
		require.NoError(t, err)
		for i := range 1000 {
			if i < 940 {
				_, err = w.portal.Say(t.Context(), boris, imbot.ChatDialog(chat), "hello, this is a message of some length")
				require.NoError(t, err)
				continue
			}
			w.ok(imbot.Do(t.Context(), w.client, imbot.MessageAddRequest{DialogID: imbot.ChatDialog(chat), Message: "choose", Keyboard: keyboard}))
		}
	}
	require.NoError(t, w.portal.Idle(t.Context()))
	return w
}

var requests = []string{
	"api/state?user=101", "api/messages?user=101&dialog=chat1050&limit=50", "api/messages?user=101&dialog=chat1001&limit=50&before=50500",
	"api/help?user=101&dialog=chat1001", "api/exchanges?limit=100", "api/exchange?id=5900",
}

func BenchmarkPage(b *testing.B) {
	w := newLargePage(b)
	for _, path := range requests {
		b.Run(path, func(b *testing.B) {
			for b.Loop() {
				if code := w.serve("GET", path, "").Code; code != 200 {
					b.Fatal(code)
				}
			}
		})
	}
}

// BenchmarkStream measures one message, without a page that is open and with one.
func BenchmarkStream(b *testing.B) {
	for _, pages := range []int{0, 1} {
		b.Run(fmt.Sprintf("pages=%d", pages), func(b *testing.B) {
			w := newTestPage(b)
			for range pages {
				s := openStream(w, anna, w.portal.Changed(), "")
				go func() {
					for s.block() != "" {
					}
				}()
			}
			b.ReportAllocs()
			for b.Loop() {
				_, _ = w.portal.Say(b.Context(), boris, "101", "hello")
			}
		})
	}
}
