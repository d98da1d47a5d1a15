package inbox

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/internal/dispatch"
	"github.com/imbot-go/imbot/internal/meminbox"
)

var errAway = errors.New("the store is away")

// replica is a journal whose events are kept in a store. A text "l1e2" is an event of the line l1.
type replica struct {
	*journal
	store *meminbox.Inbox
}

func newReplica(server *meminbox.Server, change func(*Config[string])) *replica {
	r := &replica{store: server.Open()}
	r.journal = newJournal(func(cfg *Config[string]) {
		cfg.Store = r.store
		cfg.Encode = func(text string) ([]byte, error) { return []byte(text), nil }
		cfg.Decode = func(body []byte) (string, error) {
			if string(body) == "l9spoilt" {
				return "", errors.New("spoilt")
			}
			return string(body), nil
		}
		cfg.Arrive = lined
		if change != nil {
			change(cfg)
		}
		*cfg = cfg.OrUsual()
	})
	return r
}

func lined(text string) Arrival[string] {
	line, _, _ := strings.Cut(text, "e")
	return genuine(line, text)
}

func (r *replica) receive(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		require.NoError(t, r.Receive(t.Context(), lined(text)), text)
	}
}

func (r *replica) did() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.handled)
}

func (r *replica) didFail() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.failed)
}

func (r *replica) shutdown(t *testing.T) {
	t.Helper()
	require.NoError(t, r.Shutdown(t.Context()))
}

// ofLine returns what was handled of a line, in that order.
func ofLine(handled []string, line string) []string {
	return slices.DeleteFunc(slices.Clone(handled), func(text string) bool { return !strings.HasPrefix(text, line+"e") })
}

func TestAStoredEventIsHandledOnceThoughSeveralReplicasGetIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := meminbox.New()
		var mu sync.Mutex
		var handled []string
		note := func(cfg *Config[string]) {
			cfg.Handle = func(ctx context.Context, text string) error {
				time.Sleep(time.Second)
				mu.Lock()
				defer mu.Unlock()
				handled = append(handled, text)
				require.False(t, Redelivered(ctx))
				return nil
			}
		}
		a, b := newReplica(server, note), newReplica(server, note)
		for i := range 20 {
			for line := range 5 {
				text := fmt.Sprintf("l%de%02d", line, i)
				a.receive(t, text)
				b.receive(t, text)
			}
		}
		require.NoError(t, a.Idle(t.Context()))
		require.NoError(t, b.Idle(t.Context()))
		require.Len(t, handled, 100)
		for line := range 5 {
			require.True(t, slices.IsSorted(ofLine(handled, fmt.Sprint("l", line))), "%v", handled)
		}
		sa, sb := a.Stats(), b.Stats()
		require.EqualValues(t, 200, sa.Accepted+sb.Accepted)
		require.EqualValues(t, 100, sa.Stored+sb.Stored)
		require.EqualValues(t, 100, sa.Duplicate+sb.Duplicate)
		require.EqualValues(t, 100, sa.Handled+sb.Handled)
		require.Zero(t, sa.Redelivered+sb.Redelivered+sa.StoreErrors+sb.StoreErrors)
		a.shutdown(t)
		b.shutdown(t)
		require.Zero(t, a.held.Load()+b.held.Load())
	})
}

func TestWhatAKilledReplicaHeldIsHandledByAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := meminbox.New()
		a := newReplica(server, func(cfg *Config[string]) {
			cfg.Handle = func(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() }
		})
		for i := range 10 {
			a.receive(t, fmt.Sprint("l1e", i), fmt.Sprint("l2e", i))
		}
		synctest.Wait()
		var again []string
		var mu sync.Mutex
		b := newReplica(server, func(cfg *Config[string]) {
			cfg.Handle = func(ctx context.Context, text string) error {
				mu.Lock()
				defer mu.Unlock()
				if Redelivered(ctx) {
					again = append(again, text)
				}
				return nil
			}
		})
		a.store.Kill()
		working, stop := context.WithCancel(t.Context())
		defer stop()
		go b.Run(working)
		synctest.Wait()
		require.NoError(t, b.Idle(t.Context()))
		require.Len(t, b.did(), 20)
		require.True(t, slices.IsSorted(ofLine(b.did(), "l1")))
		slices.Sort(again)
		require.Equal(t, []string{"l1e0", "l2e0"}, again, "what ran, and nothing else")
		require.EqualValues(t, 2, b.Stats().Redelivered)
		b.shutdown(t)
		cut, cancel := context.WithCancel(t.Context())
		cancel()
		require.Error(t, a.Shutdown(cut))
	})
}

func TestShutdownGivesBackWhatItCutsOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := meminbox.New()
		causes := make(chan error, 9)
		a := newReplica(server, func(cfg *Config[string]) {
			cfg.Workers = 1
			cfg.Handle = func(ctx context.Context, _ string) error {
				<-ctx.Done()
				causes <- context.Cause(ctx)
				return ctx.Err()
			}
		})
		a.receive(t, "l1e1", "l1e2", "l2e1")
		synctest.Wait()
		b := newReplica(server, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		ended := make(chan error)
		go func() { ended <- a.Shutdown(ctx) }()
		go b.Run(t.Context())
		time.Sleep(5 * time.Second)
		require.Equal(t, []string{"l2e1"}, b.did(), "what waits is nobody's, so others go on with it at once")
		require.ErrorIs(t, <-ended, context.DeadlineExceeded)
		require.NoError(t, b.Idle(t.Context()))
		require.Equal(t, []string{"l2e1", "l1e1", "l1e2"}, b.did())
		require.Len(t, causes, 1)
		require.Empty(t, a.didFail(), "it is handled again elsewhere")
		require.Zero(t, a.Stats().Failed)
		require.Equal(t, dispatch.ErrClosed, errors.Unwrap(a.Receive(t.Context(), lined("l1e3"))))
		b.shutdown(t)
		b.shutdown(t) // again
	})
}

func TestAnEventThatEndsItsProcessIsBuriedAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := meminbox.New()
		var mu sync.Mutex
		starts, ends := map[string]int{}, map[string]int{}
		var log strings.Builder
		for process := range 7 {
			var r *replica
			ctx, die := context.WithTimeout(t.Context(), 10*time.Second)
			r = newReplica(server, func(cfg *Config[string]) {
				cfg.Handle = func(_ context.Context, text string) error {
					mu.Lock()
					starts[text]++
					mu.Unlock()
					if text != "l1e1" {
						time.Sleep(time.Second)
						if ctx.Err() == nil {
							mu.Lock()
							ends[text]++
							mu.Unlock()
						}
						return ctx.Err()
					}
					time.Sleep(500 * time.Millisecond)
					r.store.Kill() // and nothing of this process comes any more
					die()
					return ctx.Err()
				}
			})
			if process == 0 {
				r.receive(t, "l1e1", "l1e2", "l2e1", "l3e1", "l4e1")
			}
			r.Run(ctx)
			_ = r.Shutdown(ctx)
			die()
			log.WriteString(r.log.String())
		}
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		require.Equal(t, map[string]int{"l1e1": 5, "l1e2": 1, "l2e1": 3, "l3e1": 3, "l4e1": 3}, starts, "the neighbours died with it twice")
		require.Equal(t, map[string]int{"l1e2": 1, "l2e1": 1, "l3e1": 1, "l4e1": 1}, ends)
		dead, err := server.Open().Dead(t.Context(), 9)
		require.NoError(t, err)
		require.Len(t, dead, 1)
		require.Equal(t, "l1e1", string(dead[0].Body))
		require.Contains(t, log.String(), "level=ERROR msg=\"imbot: an event is buried: its callback ended the process each time\"")
		require.NotContains(t, log.String(), "l1e1", "nothing of the event")
	})
}

func TestAStoreThatIsAwayForAMomentLosesAndMixesNothing(t *testing.T) {
	t.Parallel()
	for name, outage := range map[string]func(*meminbox.Server){
		"it fails": func(s *meminbox.Server) { s.Fail(errAway) },
		"it hangs": func(s *meminbox.Server) { s.Hang() },
		"it panics": func(s *meminbox.Server) {
			s.Intercept(func(_ context.Context, method string, do func() error) error {
				if method == "Put" {
					panic("oops")
				}
				return do()
			})
		},
		"its answers get lost": func(s *meminbox.Server) {
			s.Intercept(func(_ context.Context, method string, do func() error) error {
				if err := do(); err != nil || method != "Put" {
					return err
				}
				return errAway
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := meminbox.New()
				r := newReplica(server, nil)
				r.receive(t, "l0e00")
				time.Sleep(2 * time.Second)
				outage(server)
				time.AfterFunc(3*time.Second, func() { server.Fail(nil) })
				for i := range 30 {
					for line := range 10 {
						r.receive(t, fmt.Sprintf("l%de%02d", line, i+1))
					}
					require.True(t, r.Degraded())
				}
				require.NoError(t, r.Idle(t.Context()))
				require.False(t, r.Degraded())
				require.Len(t, r.did(), 301)
				for line := range 10 {
					require.True(t, slices.IsSorted(ofLine(r.did(), fmt.Sprint("l", line))))
				}
				s := r.Stats()
				require.EqualValues(t, 301, s.Accepted)
				require.EqualValues(t, 301, s.Handled)
				require.EqualValues(t, 300, s.Spooled)
				require.EqualValues(t, 301, s.Stored, "what was stored unheard is no duplicate")
				require.Zero(t, s.Duplicate)
				require.Positive(t, s.StoreErrors)
				require.Less(t, s.StoreErrors, int64(400), "one at a time asks")
				require.Equal(t, 1, strings.Count(r.log.String(), "level=ERROR msg=\"imbot: the Inbox stores"))
				require.Equal(t, 1, strings.Count(r.log.String(), "msg=\"imbot: no event is kept in memory any more\""))
				r.shutdown(t)
				require.Zero(t, r.held.Load())
			})
		})
	}
}

func TestAfterPatienceEventsAreHandledFromMemory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := meminbox.New()
		r := newReplica(server, nil)
		server.Fail(errAway)
		for i := range 9 {
			r.receive(t, fmt.Sprint("l1e", i))
		}
		r.receive(t, "l1e3") // came again
		time.Sleep(4900 * time.Millisecond)
		require.Empty(t, r.did())
		time.Sleep(10 * time.Second)
		require.Len(t, r.did(), 9)
		require.True(t, slices.IsSorted(r.did()))
		server.Fail(nil)
		r.receive(t, "l1e4")
		s := r.Stats()
		require.EqualValues(t, 2, s.Duplicate)
		require.Zero(t, s.Stored)
		require.False(t, r.Degraded())
		r.shutdown(t)
		require.Zero(t, r.held.Load())
	})
}

func TestTheSpoolIsBounded(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Config[string]){
		"in events": func(cfg *Config[string]) { cfg.Queue = 10 },
		"in bytes":  func(cfg *Config[string]) { cfg.Bytes = 100 },
		"to none":   func(cfg *Config[string]) { cfg.Patience = -1 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := meminbox.New()
				r := newReplica(server, change)
				server.Fail(errAway)
				most := 10
				if name == "to none" {
					most = 0
				}
				for i := range 20 {
					a := lined(fmt.Sprint("l1e", i))
					a.Size = 10
					err := r.Receive(t.Context(), a)
					dropped := (*DroppedError)(nil)
					require.Equal(t, i >= most, errors.As(err, &dropped), "%d: %v", i, err)
				}
				server.Fail(nil)
				require.NoError(t, r.Idle(t.Context()))
				require.Len(t, r.did(), most)
				require.EqualValues(t, 20-most, r.Stats().Dropped)
				r.shutdown(t)
				require.Zero(t, r.held.Load())
			})
		})
	}
}

func TestAWorkerIsHeldUntilItsDoneIsWritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := meminbox.New()
		var outage time.Time
		r := newReplica(server, func(cfg *Config[string]) {
			cfg.Workers = 1
			cfg.Handle = func(_ context.Context, text string) error {
				if text == "l1e1" {
					outage = time.Now()
					server.Intercept(func(_ context.Context, method string, do func() error) error {
						if method == "Done" && time.Since(outage) < time.Minute {
							return errAway
						}
						return do()
					})
				}
				return nil
			}
		})
		r.receive(t, "l1e1", "l1e2", "l2e1")
		time.Sleep(59 * time.Second)
		require.Equal(t, []string{"l1e1"}, r.did())
		time.Sleep(3 * time.Second)
		require.Equal(t, []string{"l1e1", "l2e1", "l1e2"}, r.did(), "lines take turns")
		require.Zero(t, r.Stats().Redelivered)
		r.shutdown(t)
	})
}

func TestACallbackLearnsThatItsEventWasTakenOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := meminbox.New()
		cause := make(chan error, 9)
		a := newReplica(server, func(cfg *Config[string]) {
			cfg.Handle = func(ctx context.Context, text string) error {
				if text != "l1e1" || Redelivered(ctx) {
					return nil
				}
				<-ctx.Done()
				cause <- context.Cause(ctx)
				time.Sleep(time.Second)
				return ctx.Err()
			}
		})
		a.receive(t, "l1e1")
		synctest.Wait()
		b := newReplica(server, nil)
		working, stop := context.WithCancel(t.Context())
		go b.Run(working)
		synctest.Wait()
		a.store.Lose()
		time.Sleep(5 * time.Second)
		require.ErrorIs(t, <-cause, driver.ErrTakenOver)
		require.Empty(t, a.didFail())
		require.EqualValues(t, 1, a.Stats().Redelivered+b.Stats().Redelivered)
		require.Contains(t, append(a.did(), b.did()...), "l1e1")
		stop()
		a.shutdown(t)
		b.shutdown(t)
	})
}

func TestWhatBecomesOfAStoredEvent(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, text string
		callback   func() error
		failed     string
		dead       int
	}{
		{"its callback returns", "l1e1", func() error { return nil }, "", 0},
		{"its callback fails", "l1e1", func() error { return errForged }, "l1e1: forged", 0},
		{"its callback panics", "l1e1", func() error { panic("oops") }, "l1e1: imbot: panic in an event callback: oops", 0},
		{"its callback ends its goroutine", "l1e1", func() error { runtime.Goexit(); return nil }, "l1e1: " + errGoexit.Error(), 0},
		{"it cannot be read", "l9spoilt", func() error { return nil }, "", 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := meminbox.New()
				r := newReplica(server, func(cfg *Config[string]) {
					cfg.Workers = 1
					cfg.Handle = func(_ context.Context, text string) error {
						if text == "l2e1" {
							return nil
						}
						return row.callback()
					}
				})
				r.receive(t, row.text, "l2e1", row.text)
				require.NoError(t, r.Idle(t.Context()))
				require.Contains(t, r.did(), "l2e1")
				if row.failed != "" {
					require.Equal(t, []string{row.failed}, r.didFail())
				}
				s := r.Stats()
				require.Equal(t, s.Accepted, s.Handled+s.Failed+s.Duplicate+s.Buried)
				require.EqualValues(t, row.dead, s.Buried)
				dead, err := r.store.Dead(t.Context(), 9)
				require.NoError(t, err)
				require.Len(t, dead, row.dead)
				r.shutdown(t)
			})
		})
	}
}

func TestEventsOfBesideAreNotStored(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := meminbox.New()
		r := newReplica(server, func(cfg *Config[string]) {
			cfg.Workers = 1
			cfg.Beside = func(text string) bool { return strings.HasSuffix(text, "stop") }
		})
		cfg := &r.cfg
		cfg.Handle = func(ctx context.Context, text string) error {
			if text == "l1estop" {
				require.True(t, r.Interrupt("l1"))
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}
		r.receive(t, "l1e1")
		synctest.Wait()
		r.receive(t, "l1estop", "l1estop")
		require.NoError(t, r.Idle(t.Context()))
		s := r.Stats()
		require.EqualValues(t, 1, s.Stored)
		require.EqualValues(t, 2, s.Handled)
		require.EqualValues(t, 1, s.Duplicate)
		require.Empty(t, r.didFail())
		r.shutdown(t)
	})
}

func TestEventsThatNothingTellsApartAreAllStored(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newReplica(meminbox.New(), func(cfg *Config[string]) { cfg.Key = func(string) string { return "" } })
		gone, hangUp := context.WithCancel(t.Context())
		hangUp() // the sender does not wait for the answer
		for range 2 {
			require.NoError(t, r.Receive(gone, lined("l1e1")))
		}
		require.Zero(t, r.Stats().Spooled)
		require.NoError(t, r.Idle(t.Context()))
		require.Equal(t, []string{"l1e1", "l1e1"}, r.did())
		r.shutdown(t)
	})
}
