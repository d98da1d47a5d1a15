package imbot_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// The clock of a bubble moves only while everything waits, so an answer that
// waited for the bot would show, and for ever if the bot is blocked.
func TestABlockedBotAnswersAThousandEventsAndLosesNone(t *testing.T) {
	dialogs := map[string]func(i int) string{
		"of one dialog":           func(int) string { return "27" },
		"of as many dialogs":      func(i int) string { return fmt.Sprint("chat", i) },
		"of some dialogs in turn": func(i int) string { return fmt.Sprint("chat", i%7) },
	}
	for name, dialog := range dialogs {
		for queue, least := range map[int]int{0: 1000, 100: 100} { // the default takes them all
			t.Run(fmt.Sprint(name, ", queue ", queue), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					release := make(chan struct{})
					handled := make(chan imbot.ID, 1000)
					h := &imbot.EventHandler{
						Verifier: trustAll{}, Queue: queue, Logger: slog.New(slog.DiscardHandler),
						OnMessage: func(_ context.Context, ev *imbot.MessageAddEvent) error {
							<-release
							handled <- ev.Params.MessageID
							return nil
						},
					}
					start := time.Now()
					accepted := map[imbot.ID]bool{}
					for i := range 1000 {
						body := fmt.Sprintf("event=ONIMBOTMESSAGEADD&ts=1&data[PARAMS][DIALOG_ID]=%s&data[PARAMS][MESSAGE_ID]=%d", dialog(i), i+1)
						switch status := deliver(h, body); status {
						case http.StatusOK:
							accepted[imbot.ID(i+1)] = true
						default:
							require.Equal(t, http.StatusServiceUnavailable, status)
						}
					}
					require.Zero(t, time.Since(start))
					require.GreaterOrEqual(t, len(accepted), least)
					require.Equal(t, int64(len(accepted)), h.Stats().Accepted)

					close(release)
					require.NoError(t, h.Shutdown(t.Context()))
					close(handled)
					for id := range handled {
						require.True(t, accepted[id], "%d was refused, or handled twice", id)
						delete(accepted, id)
					}
					require.Empty(t, accepted, "answered with 200, but not handled")
				})
			})
		}
	}
}
