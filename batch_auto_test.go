package imbot_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// slowly lets every request of a portal take so long.
func slowly(b *batches, d time.Duration) *batches {
	inner := b.answer
	b.answer = func(n int, r *http.Request) (*http.Response, error) {
		select {
		case <-time.After(d):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
		return inner(n, r)
	}
	return b
}

// counting lets everything through and counts.
type counting struct {
	imbot.Limiter
	mu    sync.Mutex
	taken int
}

func (c *counting) Wait(ctx context.Context, portal string) error {
	err := c.Limiter.Wait(ctx, portal)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.taken++
	}
	return err
}

func to(dialog int, text string) imbot.MessageAddRequest {
	return imbot.MessageAddRequest{DialogID: imbot.UserDialog(imbot.ID(dialog)), Message: text}
}

func TestAutoBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := slowly(newBatches(t, ids, nil), 100*time.Millisecond)
		limiter := &counting{Limiter: imbot.NewLimiter(2, 50)}
		client := over(t, hook, rt, imbot.WithAutoBatch(), imbot.WithLimiter(limiter))
		start := time.Now()
		one := func(i int) {
			id, err := client.Message.Add(t.Context(), to(i, fmt.Sprintf("m%d", i)))
			require.NoError(t, err)
			require.Equal(t, imbot.ID(i+1), id)
		}
		one(1)
		require.Equal(t, 100*time.Millisecond, time.Since(start), "nothing else waits: alone and at once")
		one(2)
		require.Equal(t, 200*time.Millisecond, time.Since(start))
		require.Equal(t, []int{0, 0}, rt.size)

		var wg sync.WaitGroup
		wg.Go(func() { one(3) })
		synctest.Wait() // under way
		for i := range 120 {
			wg.Go(func() { one(i + 4) })
		}
		synctest.Wait()
		require.Len(t, rt.sent(), 5, "full batches go at once")
		wg.Wait()
		require.Equal(t, 305*time.Millisecond, time.Since(start), "others wait for 5 ms")
		require.ElementsMatch(t, []int{0, 0, 0, 50, 50, 20}, rt.size)
		require.Equal(t, 6, limiter.taken)
	})
}

func TestAutoBatchGathersWhileTheLimiterIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := newBatches(t, ids, nil)
		limiter := &counting{Limiter: imbot.NewLimiter(0.1, 1)}
		var seen []imbot.CallInfo
		client := over(t, hook, rt, imbot.WithAutoBatch(), imbot.WithLimiter(limiter),
			imbot.WithObserver(func(_ context.Context, i imbot.CallInfo) { seen = append(seen, i) }))
		start := time.Now()
		var wg sync.WaitGroup
		for i := range 30 {
			wg.Go(func() {
				_, err := client.Message.Add(t.Context(), to(i, fmt.Sprintf("m%d", i)))
				require.NoError(t, err)
			})
			time.Sleep(100 * time.Millisecond)
		}
		wg.Wait()
		require.InDelta(t, 10, time.Since(start).Seconds(), 0.001)
		require.Equal(t, []int{0, 29}, rt.size)
		require.Equal(t, "imbot.message.add", seen[0].Method)
		require.Zero(t, seen[0].Batch)
		require.Equal(t, "batch", seen[1].Method)
		require.Equal(t, 29, seen[1].Batch)
		require.InDelta(t, 9.9, seen[1].Waited.Seconds(), 0.001)
	})
}

func TestAutoBatchTakesNoTokenWhenNobodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := newBatches(t, ids, nil)
		limiter := &counting{Limiter: imbot.NewLimiter(0.1, 1)}
		client := over(t, hook, rt, imbot.WithAutoBatch(), imbot.WithLimiter(limiter))
		_, err := client.Message.Add(t.Context(), to(1, "m1"))
		require.NoError(t, err)
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				_, err := client.Message.Add(ctx, to(i, "x"))
				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.NotErrorIs(t, err, imbot.ErrOutcomeUnknown)
			})
		}
		wg.Wait()
		synctest.Wait() // what remains is nothing: the bubble would deadlock otherwise
		time.Sleep(time.Minute)
		require.Equal(t, 1, limiter.taken)
		require.Len(t, rt.sent(), 1)
		start := time.Now()
		_, err = client.Message.Add(t.Context(), to(1, "m1"))
		require.NoError(t, err)
		require.Zero(t, time.Since(start), "and the token is still there")
	})
}

func TestAutoBatchKeepsTheOrderOfADialog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := slowly(newBatches(t, ids, nil), time.Second)
		client := over(t, hook, rt, imbot.WithAutoBatch())
		var wg sync.WaitGroup
		for i := range 400 {
			text := fmt.Sprintf("m%d", i)
			if i%50 == 7 {
				text = fmt.Sprintf("m%d $result[c0]", i) // travels alone
			}
			wg.Go(func() {
				_, err := client.Message.Add(t.Context(), to(i%4, text))
				require.NoError(t, err)
			})
			synctest.Wait()
		}
		wg.Wait()
		require.Len(t, rt.run, 400)
		last := map[int]int{}
		for _, text := range rt.run {
			var i int
			_, err := fmt.Sscanf(text, "m%d", &i)
			require.NoError(t, err)
			require.GreaterOrEqual(t, i, last[i%4])
			last[i%4] = i
		}
		require.Less(t, len(rt.sent()), 40)
	})
}

func TestAutoBatchDialogs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := slowly(newBatches(t, ids, nil), time.Second)
		client := over(t, hook, rt, imbot.WithAutoBatch())
		var wg sync.WaitGroup
		call := func(p map[string]any) {
			wg.Go(func() { require.NoError(t, client.Call(t.Context(), "imbot.any", p, nil)) })
			synctest.Wait()
		}
		call(map[string]any{"DIALOG_ID": "chat5"})
		call(map[string]any{"CHAT_ID": 5})
		call(map[string]any{"MESSAGE_ID": 5})
		call(map[string]any{"dialog_id": "CHAT5", "CHAT_ID": 5})
		time.Sleep(500 * time.Millisecond)
		require.Len(t, rt.sent(), 2, "a chat by its id is the same dialog")
		wg.Wait()
		require.ElementsMatch(t, []int{0, 2, 0}, rt.size)
	})
}

func TestAutoBatchErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		lost := false
		rt := slowly(newBatches(t, func(m string, inBatch bool) string {
			switch {
			case m == "denied":
				return `{"error":"ACCESS_ERROR","error_description":""}`
			case m == "tired" && time.Since(start) < 20*time.Second:
				return timeLimit
			}
			return "1"
		}, func(n int) (*http.Response, error) {
			if n > 1 && !lost {
				lost = true
				return reply(503, queryLimit), nil // repeated unseen
			}
			return nil, nil
		}), time.Second)
		client := over(t, hook, rt, imbot.WithAutoBatch())
		var wg sync.WaitGroup
		add := func(i int, text string, check func(error)) {
			wg.Go(func() {
				_, err := client.Message.Add(t.Context(), to(i, text))
				check(err)
			})
		}
		fine := func(err error) { require.NoError(t, err) }
		add(100, "first", fine)
		synctest.Wait()
		add(1, "denied", func(err error) {
			var e *imbot.Error
			require.ErrorAs(t, err, &e)
			require.ErrorIs(t, err, imbot.ErrAccess)
			require.True(t, e.InBatch)
			require.Equal(t, 2, e.Attempts)
			require.Equal(t, "imbot.message.add", e.Method)
		})
		add(2, "tired", fine)
		add(3, "fine", fine)
		synctest.Wait()
		time.Sleep(10 * time.Second)
		add(4, "later", fine) // its method is on hold
		wg.Wait()
		require.Greater(t, time.Since(start), 30*time.Second)
		require.Equal(t, []string{"first", "fine"}, rt.run[:2])
		require.ElementsMatch(t, []string{"tired", "later"}, rt.run[2:])
	})
}

func TestAutoBatchLosesAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := slowly(newBatches(t, ids, func(n int) (*http.Response, error) {
			if n == 2 {
				return nil, io.ErrUnexpectedEOF
			}
			return nil, nil
		}), time.Second)
		client := over(t, hook, rt, imbot.WithAutoBatch())
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = client.Message.Add(t.Context(), to(100, "m0")) })
		synctest.Wait()
		for i := range 20 {
			wg.Go(func() {
				_, err := imbot.Do(t.Context(), client, message{to(i, "m1"), i == 0})
				if i == 0 {
					require.NoError(t, err, "safe to repeat, so it was")
					return
				}
				require.ErrorIs(t, err, imbot.ErrOutcomeUnknown)
			})
		}
		wg.Wait()
		require.Equal(t, []int{0, 20, 0}, rt.size)
	})
}

// never is a limiter that fails.
type never struct{ err error }

func (n never) Wait(context.Context, string) error { return n.err }

func TestAutoBatchWithALimiterThatFails(t *testing.T) {
	broken := errors.New("no connection to the limiter")
	rt := newBatches(t, ids, nil)
	client := over(t, hook, rt, imbot.WithAutoBatch(), imbot.WithLimiter(never{broken}))
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			_, err := client.Message.Add(t.Context(), to(i%3, "x"))
			require.ErrorIs(t, err, broken)
		})
	}
	wg.Wait()
	require.Empty(t, rt.requests)
}

func TestAutoBatchUnderStress(t *testing.T) {
	rt := newBatches(t, ids, nil)
	client := over(t, hook, rt, imbot.WithAutoBatch(), imbot.WithLimiter(imbot.NewLimiter(5000, 10)))
	var wg sync.WaitGroup
	var mu sync.Mutex
	sent := map[string]bool{}
	for g := range 50 {
		wg.Go(func() {
			for i := range 40 {
				text := fmt.Sprintf("m%d", g*1000+i)
				ctx, cancel := context.WithCancel(t.Context())
				if i%7 == 0 {
					time.AfterFunc(time.Duration(g)*10*time.Microsecond, cancel)
				}
				if i%11 == 0 {
					text += " $result["
				}
				id, err := client.Message.Add(ctx, to(g%13, text))
				cancel()
				if err == nil {
					require.Equal(t, imbot.ID(g*1000+i+1), id)
					mu.Lock()
					sent[text] = true
					mu.Unlock()
					continue
				}
				require.ErrorIs(t, err, context.Canceled)
			}
		})
	}
	wg.Wait()
	rt.mu.Lock()
	defer rt.mu.Unlock()
	for _, text := range rt.run {
		delete(sent, text)
	}
	require.Empty(t, sent, "said to be sent, but was not")
	slices.Sort(rt.run)
	require.Len(t, slices.Compact(slices.Clone(rt.run)), len(rt.run), "sent twice")
	require.True(t, slices.ContainsFunc(rt.run, func(s string) bool { return strings.HasSuffix(s, "$result[") }))
}

// bucket is the portal's own: it refuses what does not fit.
type bucket struct {
	mu             sync.Mutex
	level          float64
	last           time.Time
	asked, refused int
}

func (b *bucket) fits() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.level = max(0, b.level-2*now.Sub(b.last).Seconds())
	b.last = now
	b.asked++
	if b.level+1 > 50 {
		b.refused++
		return false
	}
	b.level++
	return true
}

// Thousands of messages at once take no longer than the portal's bucket and the
// time of their execution make them.
func TestAutoBatchUsesWhatThePortalAllows(t *testing.T) {
	t.Run("commands that take 50 ms", func(t *testing.T) { autoBatchUses(t, 50*time.Millisecond, 0.97) })
	t.Run("commands that take no time", func(t *testing.T) { autoBatchUses(t, 0, 0.99) })
}

func autoBatchUses(t *testing.T, execution time.Duration, share float64) {
	synctest.Test(t, func(t *testing.T) {
		const messages = 10_000
		portal := &bucket{last: time.Now()}
		rt := newBatches(t, ids, nil)
		inner := rt.answer
		rt.answer = func(n int, r *http.Request) (*http.Response, error) {
			if !portal.fits() {
				return reply(503, queryLimit), nil
			}
			rt.mu.Lock()
			commands := strings.Count(rt.bodies[n-1], "imbot.message.add?")
			rt.mu.Unlock()
			time.Sleep(time.Duration(max(commands, 1)) * execution)
			return inner(n, r)
		}
		client := over(t, hook, rt, imbot.WithAutoBatch(), imbot.WithLimiter(imbot.NewLimiter(2, 50)))
		start := time.Now()
		var wg sync.WaitGroup
		for i := range messages {
			wg.Go(func() {
				id, err := client.Message.Add(t.Context(), to(i%5000, fmt.Sprintf("m%d", i)))
				require.NoError(t, err)
				require.Equal(t, imbot.ID(i+1), id)
			})
		}
		wg.Wait()
		took := time.Since(start)
		best := 50*execution + (messages/50-45)*time.Second/2 // a tenth of the burst is for answers
		t.Logf("%.1f %%", 100*best.Seconds()/took.Seconds())
		require.LessOrEqual(t, took.Seconds(), best.Seconds()/share)
		require.LessOrEqual(t, portal.refused, 2)
		got := map[string]int{}
		for _, text := range rt.run {
			got[text]++
		}
		require.Len(t, got, messages, "none lost")
		require.Len(t, rt.run, messages, "none twice")
	})
}
