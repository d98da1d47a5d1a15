package imbot_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// refusing is a portal that refuses every batch, and nothing else.
func refusing(t *testing.T, status int, body string) *batches {
	var b *batches
	b = newBatches(t, ids, func(n int) (*http.Response, error) {
		if len(commands(t, b.bodies[n-1])) == 0 {
			return nil, nil
		}
		return reply(status, body), nil
	})
	return b
}

// waysToSend are the ways in which calls travel together. Those that come by
// themselves come so long one after the other.
var waysToSend = map[string]func(context.Context, *imbot.Client, []imbot.MessageAddRequest, time.Duration) []error{
	"DoBatch": func(ctx context.Context, c *imbot.Client, requests []imbot.MessageAddRequest, _ time.Duration) []error {
		b, errs := imbot.NewBatch(), make([]error, len(requests))
		var pending []*imbot.Pending[imbot.ID]
		for _, r := range requests {
			pending = append(pending, imbot.Queue(b, r))
		}
		_ = c.DoBatch(ctx, b) // each call has its own error
		for i, p := range pending {
			_, errs[i] = p.Result()
		}
		return errs
	},
	"DoAll": func(ctx context.Context, c *imbot.Client, requests []imbot.MessageAddRequest, _ time.Duration) (errs []error) {
		for _, err := range imbot.DoAll(ctx, c, slices.Values(requests)) {
			errs = append(errs, err)
		}
		return errs
	},
	"automatic batches": func(ctx context.Context, c *imbot.Client, requests []imbot.MessageAddRequest, apart time.Duration) []error {
		errs := make([]error, len(requests))
		var wg sync.WaitGroup
		for i, r := range requests {
			wg.Go(func() { _, errs[i] = c.Message.Add(ctx, r) })
			time.Sleep(apart)
		}
		wg.Wait()
		return errs
	},
}

// optionsFor are what a way to send needs.
func optionsFor(way string) []imbot.Option {
	opts := []imbot.Option{imbot.WithLimiter(imbot.NewLimiter(2, 50))}
	if way == "automatic batches" {
		opts = append(opts, imbot.WithAutoBatch())
	}
	return opts
}

// TestBatchRefusedForWhatItIs: the calls in it go singly, by pace.
func TestBatchRefusedForWhatItIs(t *testing.T) {
	for name, refusal := range map[string]struct {
		status int
		body   string
	}{
		"it has used up its own operating time": {429, `{"error":"OPERATION_TIME_LIMIT","error_description":"Method is blocked"}`},
		"it is too large for a server in front": {413, "<html>413 Request Entity Too Large"},
		"a firewall lets nobody there":          {403, "<html>403 Forbidden"},
		"the portal does not know it":           {404, `{"error":"ERROR_METHOD_NOT_FOUND","error_description":"Method not found!"}`},
		"an administrator has to confirm it":    {401, `{"error":"METHOD_CONFIRM_WAITING","error_description":"Waiting for confirm"}`},
	} {
		for way, send := range waysToSend {
			t.Run(name+", "+way, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					rt := slowly(refusing(t, refusal.status, refusal.body), 10*time.Millisecond)
					client := over(t, hook, rt, optionsFor(way)...)
					var requests []imbot.MessageAddRequest
					for i := range 120 {
						requests = append(requests, to(i%40+1, fmt.Sprintf("m%d", i)))
					}
					start := time.Now()
					for i, err := range send(t.Context(), client, requests, time.Millisecond) {
						require.NoError(t, err, "message %d", i)
					}
					singly := 37500 * time.Millisecond // 45 at once, 75 at two a second
					if way == "DoAll" {
						singly = 40 * time.Second // 40 at once, 80 at two a second
					}
					require.LessOrEqual(t, time.Since(start), singly*11/10)
					require.Len(t, rt.run, 120)
					require.Len(t, slices.Compact(slices.Sorted(slices.Values(rt.run))), 120, "each once")
					last := map[int]int{}
					for _, text := range rt.run {
						var n int
						_, _ = fmt.Sscanf(text, "m%d", &n)
						require.GreaterOrEqual(t, n, last[n%40], "the order of a dialog")
						last[n%40] = n
					}
				})
			})
		}
	}
}

// A portal may run batches, but not every method in them. Each call of such a method runs once all the
// same, singly and in its order, and the others go on in batches.
func TestAMethodThatIsRefusedInABatch(t *testing.T) {
	notInBatch := func(text string, inBatch bool) string {
		if inBatch && strings.HasPrefix(text, "m") {
			return `{"error":"ERROR_BATCH_METHOD_NOT_ALLOWED","error_description":"Method is not allowed for batch usage"}`
		}
		return ids(text, inBatch)
	}
	for way, send := range waysToSend {
		t.Run(way, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rt := slowly(newBatches(t, notInBatch, nil), 10*time.Millisecond)
				client := over(t, hook, rt, append(optionsFor(way), imbot.WithRetry(imbot.Retry{MaxAttempts: 1}))...)
				var requests []imbot.MessageAddRequest
				for i := range 120 {
					requests = append(requests, to(i%40+1, fmt.Sprintf("m%d", i)))
				}
				for i, err := range send(t.Context(), client, requests, time.Millisecond) {
					require.NoError(t, err, "message %d", i)
				}
				require.Len(t, rt.run, 120)
				last := map[int]int{}
				for _, text := range rt.run {
					var n int
					_, _ = fmt.Sscanf(text, "m%d", &n)
					require.True(t, last[n%40] < n || last[n%40] == 0, "each once, in the order of a dialog")
					last[n%40] = n
				}
				inBatches := slices.DeleteFunc(slices.Clone(rt.size), func(n int) bool { return n == 0 })
				require.LessOrEqual(t, len(inBatches), 5, "it is tried once, or by those that are under way together")

				b := imbot.NewBatch()
				for range 3 {
					imbot.Queue(b, imbot.BotListRequest{})
				}
				require.NoError(t, client.DoBatch(t.Context(), b))
				require.Equal(t, 3, rt.size[len(rt.size)-1], "other methods")
				time.Sleep(10 * time.Minute)
				for _, err := range send(t.Context(), client, requests[:2], 0) {
					require.NoError(t, err)
				}
			})
		})
	}
}

func TestABatchIsTriedAgainAfterAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refuse := true
		rt := newBatches(t, ids, func(int) (*http.Response, error) {
			if refuse {
				refuse = false
				return reply(403, "<html>Forbidden"), nil
			}
			return nil, nil
		})
		client := over(t, hook, rt)
		send := func() []int {
			before := len(rt.size)
			waysToSend["DoBatch"](t.Context(), client, []imbot.MessageAddRequest{say("m1"), say("m2")}, 0)
			return rt.size[before:]
		}
		require.Equal(t, []int{2, 0, 0}, send())
		require.Equal(t, []int{0, 0}, send())
		time.Sleep(10 * time.Minute)
		require.Equal(t, []int{2}, send())
	})
}

func TestCredentialsThatAreRefusedAreNotTriedSingly(t *testing.T) {
	for _, refusal := range []string{`{"error":"INVALID_CREDENTIALS"}`, `<html>who are you?`} {
		rt := refusing(t, 401, refusal)
		errs := waysToSend["DoBatch"](t.Context(), over(t, hook, rt), []imbot.MessageAddRequest{say("m1"), say("m2")}, 0)
		for _, err := range errs {
			require.ErrorIs(t, err, imbot.ErrNotRun)
		}
		require.Equal(t, []int{2}, rt.size)
	}
}

// TestBytesOfABatch: servers in front of a portal refuse long bodies.
func TestBytesOfABatch(t *testing.T) {
	for way, send := range waysToSend {
		t.Run(way, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				limit := 1 << 20
				var refused int
				var rt *batches
				rt = newBatches(t, ids, func(n int) (*http.Response, error) {
					if len(rt.bodies[n-1]) > limit {
						refused++
						return reply(413, "<html>413 Request Entity Too Large"), nil
					}
					return nil, nil
				})
				client := over(t, hook, slowly(rt, 10*time.Millisecond), append(optionsFor(way), imbot.WithLimiter(imbot.NewLimiter(2, 1)))...)
				long := strings.Repeat("я", 4000)
				messages := func(n int) (requests []imbot.MessageAddRequest) {
					for i := range n {
						requests = append(requests, to(i+1, fmt.Sprintf("m%d %s", i, long)))
					}
					return requests
				}
				all := func(n int) (sizes []int) {
					before := len(rt.bodies)
					for i, err := range send(t.Context(), client, messages(n), 0) {
						require.NoError(t, err, "message %d", i)
					}
					for _, body := range rt.bodies[before:] {
						sizes = append(sizes, len(body))
					}
					return sizes
				}
				require.LessOrEqual(t, slices.Max(all(60)), 900_000+100)
				require.Zero(t, refused, "the usual limit is not reached")

				limit = 300_000
				all(60)
				require.Positive(t, refused)
				require.LessOrEqual(t, refused, 8, "halved once is halved for the next ones")
				require.Len(t, rt.run, 120)

				limit = 1 << 20
				sizes := all(400)
				require.Greater(t, slices.Max(sizes), 350_000, "it grows back")
			})
		})
	}
}

// TestRidersWhoLeft: a refused batch waits for its next try; who leaves meanwhile
// stays behind and is told that nothing ran.
func TestRidersWhoLeft(t *testing.T) {
	for name, refusal := range map[string]string{
		"the rate limit": queryLimit,
		"no answer":      "",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				busy := 2 // batches that are refused
				rt := newBatches(t, ids, func(int) (*http.Response, error) {
					if busy--; busy >= 0 {
						if refusal == "" {
							return nil, errDial
						}
						return reply(503, refusal), nil
					}
					return nil, nil
				})
				client := over(t, hook, rt, imbot.WithAutoBatch(), imbot.WithRetry(imbot.Retry{MinBackoff: time.Minute, MaxBackoff: time.Hour}))
				var wg sync.WaitGroup
				errs := make([]error, 20)
				for i := range errs {
					wg.Go(func() {
						ctx := t.Context()
						if i%2 == 0 { // they give up while the batch waits
							var cancel context.CancelFunc
							ctx, cancel = context.WithCancel(ctx)
							time.AfterFunc(10*time.Second+time.Duration(i)*time.Millisecond, cancel)
						}
						_, errs[i] = client.Message.Add(ctx, to(i+1, fmt.Sprintf("m%d", i)))
					})
				}
				wg.Wait()
				for i, err := range errs {
					if i%2 == 1 {
						require.NoError(t, err)
						require.Contains(t, rt.run, fmt.Sprintf("m%d", i))
						continue
					}
					if slices.Contains(rt.run, fmt.Sprintf("m%d", i)) {
						require.NoError(t, err, "it went alone before it could give up")
						continue
					}
					require.ErrorIs(t, err, context.Canceled)
					require.NotErrorIs(t, err, imbot.ErrOutcomeUnknown)
					if e := (*imbot.Error)(nil); errors.As(err, &e) && e.Attempts == 0 { // the first one went alone
						require.ErrorContains(t, err, "not sent")
					}
				}
				require.LessOrEqual(t, len(rt.run), 11)
			})
		})
	}
}

func TestWhenAllRidersHaveLeftNothingIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := newBatches(t, ids, func(int) (*http.Response, error) { return reply(503, queryLimit), nil })
		client := over(t, hook, rt, imbot.WithAutoBatch(), imbot.WithRetry(imbot.Retry{MinBackoff: time.Minute, MaxBackoff: time.Hour}))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		var requests []imbot.MessageAddRequest
		for i := range 8 {
			requests = append(requests, to(i+1, fmt.Sprintf("m%d", i)))
		}
		for _, err := range waysToSend["automatic batches"](ctx, client, requests, 0) {
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.NotErrorIs(t, err, imbot.ErrOutcomeUnknown)
		}
		before := len(rt.sent())
		time.Sleep(time.Hour)
		require.Len(t, rt.sent(), before)
		require.Empty(t, rt.run)
	})
}

// errDial is what a transport says whose connection was refused.
var errDial = &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
