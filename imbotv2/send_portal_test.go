package imbotv2_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/imbotv2"
)

// A third of the answers get lost, before or after the message was sent.
func TestNoMessageIsSentTwice(t *testing.T) {
	t.Parallel()
	const each = 3334 // 10,000 in all
	send := func(c *imbotv2.Client, dialog imbot.DialogID, i int) imbotv2.MessageSendRequest {
		return imbotv2.MessageSendRequest{BotID: c.BotID(), DialogID: dialog, Message: fmt.Sprint("message ", i)}
	}
	for name, row := range map[string]struct {
		opts []imbot.Option
		all  func(t *testing.T, c *imbotv2.Client, dialog imbot.DialogID) []error
	}{
		"singly": {nil, func(t *testing.T, c *imbotv2.Client, dialog imbot.DialogID) []error {
			errs := make([]error, each)
			for i := range errs {
				_, errs[i] = c.Message.Send(t.Context(), send(c, dialog, i))
			}
			return errs
		}},
		"in batches": {nil, func(t *testing.T, c *imbotv2.Client, dialog imbot.DialogID) (errs []error) {
			requests := func(yield func(imbotv2.MessageSendRequest) bool) {
				for i := range each {
					if !yield(send(c, dialog, i)) {
						return
					}
				}
			}
			for _, err := range imbot.DoAll[imbot.ID](t.Context(), c.Base(), requests) {
				errs = append(errs, err)
			}
			return errs
		}},
		"in automatic batches": {[]imbot.Option{imbot.WithAutoBatch()}, func(t *testing.T, c *imbotv2.Client, dialog imbot.DialogID) []error {
			errs := make([]error, each)
			var all sync.WaitGroup
			for i := range errs {
				all.Go(func() { _, errs[i] = c.Message.Send(t.Context(), send(c, dialog, i)) })
			}
			all.Wait()
			return errs
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				portal := imbottest.NewPortal(imbottest.WithSeed(14))
				defer portal.Close()
				bot := register(t, portal, 1)[0].BotID()
				anna := portal.AddUser("Anna", "Ivanova")
				for _, method := range []string{"batch", "imbot.v2.Chat.Message.send"} {
					portal.Fail(method, imbottest.Fault{Cut: imbottest.AfterRun, Chance: 0.2, Times: -1})
					portal.Fail(method, imbottest.Fault{Cut: imbottest.BeforeRun, Chance: 0.1, Times: -1})
					portal.Fail(method, imbottest.Fault{Late: 2 * time.Minute, Chance: 0.05, Times: -1})
				}
				opts := append(pollOptions(portal.HTTPClient().Transport), imbot.WithLimiter(nil))
				c, err := imbotv2.NewClient(portal.Webhook("a-long-random-bot-token"), append(opts, row.opts...)...)
				require.NoError(t, err)
				errs := row.all(t, c.WithBot(bot), imbot.UserDialog(anna))
				require.Len(t, errs, each)

				times := map[string]int{}
				for _, m := range portal.Messages(anna, imbot.UserDialog(bot)) {
					times[m.Plain()]++
				}
				unknown := 0
				for i, err := range errs {
					n := times[fmt.Sprint("message ", i)]
					require.LessOrEqual(t, n, 1, "message %d is there twice", i)
					switch {
					case err == nil:
						require.Equal(t, 1, n, "message %d is told to be there", i)
					case answered(err):
						require.Zero(t, n, "message %d is told not to be there: %v", i, err)
					default:
						unknown++
					}
				}
				t.Logf("%d of %d in doubt after all attempts", unknown, each)
				require.Less(t, unknown, each/10)
			})
		})
	}
}

// answered reports whether the portal has said what became of a call. No attempt of a call that may
// be repeated got an answer else.
func answered(err error) bool {
	var e *imbot.Error
	return errors.As(err, &e) && (e.Code != "" || errors.Is(err, imbot.ErrNotRun))
}
