package imbot_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// TestAutoBatchWithManyWhoLeave: a hundred thousand calls of all classes wait when their
// context ends. Each of them knows what became of it, and none takes anything along.
func TestAutoBatchWithManyWhoLeave(t *testing.T) {
	calls := 100_000
	if raceDetector {
		calls = 10_000 // with it each goroutine costs ten times as much
	}
	synctest.Test(t, func(t *testing.T) {
		portal := &sight{bucket: bucket{last: time.Now()}, each: 50 * time.Millisecond}
		client := over(t, hook, portal, imbot.WithAutoBatch(), imbot.WithLimiter(imbot.NewLimiter(2, 50)))
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		errs := make([]error, calls)
		for i := range calls {
			wg.Go(func() {
				_, errs[i] = client.Message.Add(imbot.WithClass(ctx, imbot.Class(i%5-2)), to(i, fmt.Sprintf("m%d", i)))
			})
		}
		time.Sleep(20 * time.Second)
		cancel()
		wg.Wait()
		time.Sleep(time.Minute) // what is on the wire arrives
		sent, doubt := 0, 0
		for i, err := range errs {
			_, seen := portal.seen.Load(fmt.Sprintf("m%d", i))
			switch {
			case err == nil:
				sent++
				require.True(t, seen, i)
			case errors.Is(err, imbot.ErrOutcomeUnknown):
				doubt++
			default:
				require.ErrorIs(t, err, context.Canceled)
				require.False(t, seen, "%d: %v", i, err)
			}
		}
		t.Logf("%d sent, %d in doubt", sent, doubt)
		require.NotZero(t, sent)
		require.LessOrEqual(t, doubt, 50*10, "what was on the wire")

		start := time.Now()
		_, err := client.Message.Add(t.Context(), to(1, "later"))
		require.NoError(t, err)
		require.LessOrEqual(t, time.Since(start), 5*time.Second)
		require.LessOrEqual(t, portal.refused, 2)
	})
}

// TestAPortalThatRefusesAllTheTime: each call ends with the portal's error, after as many
// attempts as Retry allows, and no caller waits for ever.
func TestAPortalThatRefusesAllTheTime(t *testing.T) {
	const calls = 500
	ways := map[string]struct {
		send func(*imbot.Client) []error
		most int // requests
	}{
		"by themselves":        {sideBySide(calls), 2 * calls},
		"in automatic batches": {sideBySide(calls), 2 * calls},
		"DoAll": {func(c *imbot.Client) (errs []error) {
			for _, err := range imbot.DoAll(context.Background(), c, numbered(calls), imbot.Ahead(8)) {
				errs = append(errs, err)
			}
			return errs
		}, 2 * calls / 50},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				portal := always(503, queryLimit)
				opts := []imbot.Option{imbot.WithLimiter(imbot.NewLimiter(2, 50)), imbot.WithRetry(imbot.Retry{MaxAttempts: 2})}
				if strings.Contains(name, "automatic") {
					opts = append(opts, imbot.WithAutoBatch())
				}
				errs := way.send(over(t, hook, portal, opts...))
				require.Len(t, errs, calls)
				for _, err := range errs {
					require.ErrorIs(t, err, imbot.ErrQueryLimitExceeded)
				}
				t.Logf("%d requests", len(portal.requests))
				require.LessOrEqual(t, len(portal.requests), way.most)
			})
		})
	}
}

// sideBySide sends calls to different people at the same time.
func sideBySide(n int) func(*imbot.Client) []error {
	return func(c *imbot.Client) []error {
		errs := make([]error, n)
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() { _, errs[i] = c.Message.Add(context.Background(), to(i+1, "hi")) })
		}
		wg.Wait()
		return errs
	}
}

// TestHostileAnswers: 4 MiB of whatever takes memory in proportion, and ends in an
// error or a result.
func TestHostileAnswers(t *testing.T) {
	const size = 4 << 20
	fill := func(head, part, tail string) string { return head + strings.Repeat(part, size/len(part)) + tail }
	for name, body := range map[string]string{
		"brackets that never close":     fill("", "[", ""),
		"deep lists":                    "{\"result\":" + strings.Repeat("[", size/2) + strings.Repeat("]", size/2) + "}",
		"deep objects":                  fill(`{"result":`, `{"a":`, ""),
		"a million members":             fill(`{`, `"":1,`, `"result":1}`),
		"a million results":             fill(`{`, `"result":1,`, `"result":1}`),
		"a million results of commands": fill(`{"result":{"result":{`, `"c1":1,`, `"c0":1}}}`),
		"a million errors of commands":  fill(`{"result":{"result_error":[`, `0,`, `0]}}`),
		"a million times":               fill(`{"result":1,"time":{`, `"finish":1,`, `"finish":1}}`),
		"a text that never ends":        fill(`{"result":"`, `\"`, ""),
		"escapes":                       fill(`{"error":"`, `\u0000`, `"}`),
		"half escapes":                  fill(`{"error":"`, `\u`, `"}`),
		"quotes":                        fill(`{"error":`, `"`, "}"),
		"a number":                      fill(`{"result":`, `1`, "}"),
		"blanks":                        fill("", " ", ""),
		"zero bytes":                    fill("", "\x00", ""),
		"a description":                 fill(`{"error":"X","error_description":"`, `secret `, `"}`),
	} {
		t.Run(name, func(t *testing.T) {
			client := over(t, hook, always(200, body), imbot.WithRetry(imbot.Retry{MaxAttempts: 1}), imbot.WithObserver(func(context.Context, imbot.CallInfo) {}))
			batch := imbot.NewBatch()
			pending := imbot.Queue(batch, to(1, "hi"))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			single := client.Call(t.Context(), "profile", nil, nil)
			together := client.DoBatch(t.Context(), batch)
			runtime.ReadMemStats(&after)
			_, err := pending.Result()
			for _, err := range []error{single, together, err} {
				if err != nil {
					require.Less(t, len(err.Error()), 2000)
				}
			}
			took := (after.TotalAlloc - before.TotalAlloc) >> 20
			t.Logf("%d MiB", took)
			require.LessOrEqual(t, took, uint64(80))
		})
	}
}
