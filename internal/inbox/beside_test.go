package inbox

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

	"github.com/imbot-go/imbot/internal/dispatch"
)

// besideStop takes texts that begin with "stop" out of the order.
func besideStop(cfg *Config[string]) {
	cfg.Beside = func(text string) bool { return strings.HasPrefix(text, "stop") }
}

func TestAnEventBesideTheOrderWaitsForNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var mu sync.Mutex
		var at []string
		j := newJournal(func(cfg *Config[string]) {
			besideStop(cfg)
			cfg.Workers, cfg.Queue = 1, 2
			cfg.Handle = func(_ context.Context, text string) error {
				mu.Lock()
				at = append(at, fmt.Sprint(text, " ", time.Since(start)))
				mu.Unlock()
				if !cfg.Beside(text) {
					time.Sleep(time.Minute)
				}
				return nil
			}
		})
		for _, text := range []string{"a", "b", "stop", "c", "stop"} { // the worker is busy, and so is the line
			require.NoError(t, j.Receive(t.Context(), genuine("line", text)))
			synctest.Wait()
		}
		require.Error(t, j.Receive(t.Context(), genuine("line", "d")), "the queue is full")
		require.NoError(t, j.Receive(t.Context(), genuine("line", "stop again")), "but not for that")
		synctest.Wait()
		ok, err := j.Push("line", 1, "stop pushed", func() {}, nil)
		require.True(t, ok)
		require.NoError(t, err)
		require.NoError(t, j.Idle(t.Context()))
		require.Equal(t, []string{"a 0s", "stop 0s", "stop again 0s", "stop pushed 0s", "b 1m0s", "c 2m0s"}, at, "in order, and each once")
		require.Equal(t, Stats{Accepted: 7, Handled: 6, Duplicate: 1, Dropped: 1}, j.Stats())
		require.NoError(t, j.Shutdown(t.Context()))
	})
}

func TestWhatIsBesideTheOrderIsQueuedAndDrained(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(func(cfg *Config[string]) { besideStop(cfg); cfg.Workers = 1 })
		for i := range 3 {
			require.NoError(t, j.Receive(t.Context(), genuine("line", fmt.Sprint("stop ", i))))
		}
		require.EqualValues(t, 2, j.Stats().Queued)
		start := time.Now()
		require.NoError(t, j.Idle(t.Context()))
		require.Equal(t, 3*time.Second, time.Since(start))

		require.NoError(t, j.Receive(t.Context(), genuine("line", "in order")))
		done := make(chan error, 1)
		go func() { done <- j.Shutdown(t.Context()) }()
		synctest.Wait()
		require.ErrorIs(t, j.Receive(t.Context(), genuine("line", "stop 4")), dispatch.ErrClosed)
		require.NoError(t, <-done)
		require.Equal(t, 4*time.Second, time.Since(start))
		require.Len(t, j.handled, 4)
	})
}

func TestBesideIsAskedAboutGenuineEventsOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		j := newJournal(func(cfg *Config[string]) {
			cfg.Workers = 1
			cfg.Beside = func(text string) bool { asked = append(asked, text); return text == "stop" }
		})
		refused := genuine("line", "refused")
		refused.Verify = func(context.Context) (Verdict, error) { return Verdict{}, errForged }
		require.Error(t, j.Receive(t.Context(), refused))
		require.NoError(t, j.Receive(t.Context(), genuine("line", "runs")))
		require.NoError(t, j.Receive(t.Context(), arrival("line", "forged", Verdict{Later: func(context.Context) error { return errForged }})))
		require.NoError(t, j.Receive(t.Context(), arrival("line", "stop", Verdict{ProofKnown: true, Later: func(context.Context) error { time.Sleep(time.Millisecond); return nil }})))
		start := time.Now()
		for !contains(j, "stop") {
			time.Sleep(time.Millisecond)
		}
		require.Less(t, time.Since(start), 2*time.Second, "a second of its own, not that of the other")
		require.NoError(t, j.Shutdown(t.Context()))
		require.Equal(t, []string{"runs", "stop"}, asked)
	})
}

func contains(j *journal, text string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, handled := range j.handled {
		if handled == text {
			return true
		}
	}
	return false
}

func TestBesideThatDoesNotReturnEndsNothing(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		ends func()
		want Stats // of one that was received, one that was pushed
	}{
		"panics":             {func() { panic("boom") }, Stats{Accepted: 2, Handled: 2}},
		"ends its goroutine": {runtime.Goexit, Stats{Accepted: 1, Handled: 1, Dropped: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := newJournal(func(cfg *Config[string]) { cfg.Beside = func(string) bool { row.ends(); return true } })
				_, _ = j.receive(genuine("line", "received"))
				ok, err := j.Push("line", 1, "pushed", func() {}, nil)
				require.True(t, ok)
				require.NoError(t, err)
				require.NoError(t, j.Shutdown(t.Context()))
				require.Equal(t, row.want, j.Stats())
				require.Equal(t, 2, strings.Count(j.log.String(), "in Beside"))
			})
		})
	}
}

func TestInterruptEndsTheCallbackOfALineAndNoOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		causes := map[string]error{}
		j := newJournal(func(cfg *Config[string]) {
			besideStop(cfg)
			cfg.Handle = func(ctx context.Context, text string) error {
				select {
				case <-ctx.Done():
					causes[text] = context.Cause(ctx)
					return ctx.Err()
				case <-time.After(time.Minute):
					return nil
				}
			}
		})
		require.False(t, j.Interrupt("line"), "nothing has come yet")
		for line, text := range map[string]string{"line": "a", "other": "b", "": "c", "beside": "stop"} {
			require.NoError(t, j.Receive(t.Context(), genuine(line, text)))
		}
		synctest.Wait()
		start := time.Now()
		require.True(t, j.Interrupt("line"))
		require.False(t, j.Interrupt(""), "what has no line is nobody's")
		require.False(t, j.Interrupt("beside"))
		synctest.Wait()
		require.Zero(t, time.Since(start))
		require.False(t, j.Interrupt("line"), "it has returned")
		require.NoError(t, j.Shutdown(t.Context()))
		require.Equal(t, map[string]error{"a": ErrInterrupted}, causes)
		require.Empty(t, j.failed)
		require.Equal(t, Stats{Accepted: 4, Handled: 4}, j.Stats())
		require.Empty(t, j.running.ends)
	})
}

func TestWhatComesOfAnInterruptAloneIsNoError(t *testing.T) {
	t.Parallel()
	interrupted, end := context.WithCancelCause(t.Context())
	end(ErrInterrupted)
	below, cancel := context.WithTimeout(interrupted, time.Hour)
	defer cancel()
	other := errors.New("other")
	rows := map[string]struct {
		err  error
		none bool
	}{
		"the error of the context":          {context.Canceled, true},
		"its cause":                         {ErrInterrupted, true},
		"wrapped":                           {fmt.Errorf("asking: %w", context.Canceled), true},
		"two of them":                       {errors.Join(context.Canceled, fmt.Errorf("x: %w", ErrInterrupted)), true},
		"another error":                     {other, false},
		"another one beside it":             {errors.Join(context.Canceled, other), false},
		"another one beside it, wrapped":    {fmt.Errorf("x: %w", errors.Join(other, ErrInterrupted)), false},
		"another one beside it, with marks": {fmt.Errorf("%w: %w", other, context.Canceled), false},
		"a deadline":                        {context.DeadlineExceeded, false},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			for _, ctx := range []context.Context{interrupted, below} {
				want := row.err
				if row.none {
					want = nil
				}
				require.Equal(t, want, Settle(ctx, row.err))
				require.Equal(t, row.err, Settle(t.Context(), row.err), "not interrupted")
				require.NoError(t, Settle(ctx, nil))
			}
		})
	}
}

func TestGoOutlivesItsCallback(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		var j *journal
		var callback context.Context
		var value any
		var during, below error
		j = newJournal(func(cfg *Config[string]) {
			cfg.Handle = func(ctx context.Context, text string) error {
				callback = ctx
				return j.Go(context.WithValue(ctx, key{}, "value"), text, func(ctx context.Context) error {
					time.Sleep(time.Minute)
					child, cancel := context.WithTimeout(ctx, time.Second)
					defer cancel()
					value, during = ctx.Value(key{}), ctx.Err()
					<-child.Done()
					below = context.Cause(child)
					return nil
				})
			}
		})
		require.NoError(t, j.Receive(t.Context(), genuine("line", "text")))
		start := time.Now()
		synctest.Wait()
		require.Error(t, callback.Err(), "it has returned")
		require.Equal(t, Stats{Accepted: 1, Handled: 1}, j.Stats())
		require.False(t, j.Interrupt("line"))
		require.NoError(t, j.Idle(t.Context()))
		require.Equal(t, time.Minute+time.Second, time.Since(start))
		require.Equal(t, "value", value)
		require.NoError(t, during)
		require.ErrorIs(t, below, context.DeadlineExceeded)
		require.NoError(t, j.Shutdown(t.Context()))
	})
}

func TestWhatGoesWrongInGoIsToldAndNotCounted(t *testing.T) {
	t.Parallel()
	rows := map[string]struct {
		work func(context.Context) error
		want string
	}{
		"an error":          {func(context.Context) error { return errForged }, "text: forged"},
		"a panic":           {func(context.Context) error { panic("boom") }, "text: imbot: panic in work of EventHandler.Go: boom"},
		"runtime.Goexit":    {func(context.Context) error { runtime.Goexit(); return nil }, "text: " + errGoexit.Error()},
		"its end, canceled": {func(context.Context) error { return context.Canceled }, "text: context canceled"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := newJournal(nil)
				require.NoError(t, j.Go(t.Context(), "text", row.work))
				require.NoError(t, j.Idle(t.Context()))
				require.Equal(t, []string{row.want}, j.failed)
				require.Zero(t, j.Stats())
				require.NoError(t, j.Shutdown(t.Context()))
			})
		})
	}
}

func TestShutdownWaitsForGoAndEndsItWithItsDeadline(t *testing.T) {
	t.Parallel()
	for name, patient := range map[string]bool{"it ends in time": true, "it does not": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var j *journal
				var ended error
				j = newJournal(func(cfg *Config[string]) {
					cfg.Handle = func(ctx context.Context, text string) error {
						time.Sleep(time.Second) // Shutdown has begun
						return j.Go(ctx, text, func(ctx context.Context) error {
							child, cancel := context.WithCancel(ctx)
							defer cancel()
							select {
							case <-child.Done():
							case <-time.After(time.Minute):
							}
							ended = context.Cause(ctx)
							return nil
						})
					}
				})
				require.NoError(t, j.Receive(t.Context(), genuine("line", "text")))
				limit := 10 * time.Second
				if patient {
					limit = time.Hour
				}
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				defer cancel()
				start := time.Now()
				err := j.Shutdown(ctx)
				require.ErrorIs(t, j.Go(t.Context(), "late", func(context.Context) error { return nil }), ErrClosed)
				require.NoError(t, j.Idle(t.Context()))
				if patient {
					require.NoError(t, err)
					require.NoError(t, ended)
					require.Equal(t, time.Minute+time.Second, time.Since(start))
				} else {
					require.ErrorContains(t, err, "1 interrupted")
					require.ErrorIs(t, ended, context.Canceled)
					require.Equal(t, limit, time.Since(start))
				}
			})
		})
	}
}

func TestGoRefusesMoreThan1024(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(nil)
		sleep := func(context.Context) error { time.Sleep(time.Minute); return nil }
		for range mostJobs {
			require.NoError(t, j.Go(t.Context(), "text", sleep))
		}
		require.ErrorIs(t, j.Go(t.Context(), "text", sleep), ErrFull)
		require.NoError(t, j.Idle(t.Context()))
		require.NoError(t, j.Go(t.Context(), "text", sleep))
		require.NoError(t, j.Shutdown(t.Context()))
	})
}

func TestManyInterruptAtOnce(t *testing.T) {
	t.Parallel()
	j := newJournal(func(cfg *Config[string]) {
		cfg.Handle = func(ctx context.Context, _ string) error { <-ctx.Done(); return context.Cause(ctx) }
	})
	over := make(chan struct{})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
					j.Interrupt(fmt.Sprint("line ", i%4))
					runtime.Gosched()
				}
			}
		})
	}
	for i := range 400 {
		require.NoError(t, j.Receive(t.Context(), genuine(fmt.Sprint("line ", i%4), fmt.Sprint(i))))
	}
	require.NoError(t, j.Shutdown(t.Context()))
	close(over)
	all.Wait()
	require.Equal(t, Stats{Accepted: 400, Handled: 400}, j.Stats())
	require.Empty(t, j.failed)
}
