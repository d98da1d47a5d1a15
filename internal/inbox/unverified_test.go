package inbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/internal/meminbox"
)

// A text "l1e2?" has to be verified late, "l1e2!" is refused then, "l1e2?" and "l1e2" are the same event.
func doubtful(text string) Arrival[string] {
	a := lined(text)
	a.Line = strings.Trim(a.Line, "?!")
	a.Proof = text[len(text)-1:]
	a.Verify = func(context.Context) (Verdict, error) {
		switch {
		case strings.HasSuffix(text, "?"):
			return Verdict{Later: func(context.Context) error { time.Sleep(time.Second); return nil }}, nil
		case strings.HasSuffix(text, "!"):
			return Verdict{Later: func(context.Context) error { time.Sleep(time.Second); return errForged }}, nil
		}
		return Verdict{}, nil
	}
	return a
}

func newDoubter(server *meminbox.Server, change func(*Config[string])) *replica {
	return newReplica(server, func(cfg *Config[string]) {
		cfg.Arrive = doubtful
		cfg.Key = func(text string) string { return strings.TrimRight(text, "?!") }
		cfg.Handle = func(context.Context, string) error { return nil }
		if change != nil {
			change(cfg)
		}
	})
}

func (r *replica) doubt(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		require.NoError(t, r.Receive(t.Context(), doubtful(text)), text)
	}
}

func TestAStoredForgeryMarksNoGenuineEvent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := meminbox.New()
		r := newDoubter(server, nil)
		r.doubt(t, "l1e1!", "l1e1!", "l1e1", "l1e2?", "l1e2?")
		require.NoError(t, r.Idle(t.Context()))
		require.Equal(t, []string{"l1e1", "l1e2?"}, r.did())
		require.Equal(t, []string{"l1e1!: forged"}, r.didFail())
		s := r.Stats()
		require.EqualValues(t, 2, s.Duplicate)
		require.Equal(t, s.Accepted, s.Handled+s.Failed+s.Duplicate)
		r.shutdown(t)
	})
}

func TestAnEventThatWaitsForItsCheckOutlivesItsProcess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := meminbox.New()
		a := newDoubter(server, nil)
		a.doubt(t, "l1e1?", "l1e2?", "l1e3!")
		synctest.Wait()
		a.store.Kill()
		b := newDoubter(server, nil)
		go b.Run(t.Context())
		synctest.Wait()
		require.NoError(t, b.Idle(t.Context()))
		require.Equal(t, []string{"l1e1?", "l1e2?"}, b.did())
		require.Equal(t, []string{"l1e3!: forged"}, b.didFail())
		b.shutdown(t)
		cut, cancel := context.WithCancel(t.Context())
		cancel()
		_ = a.Shutdown(cut)
	})
}

func TestAGenuineEventStaysBehindOneThatWaitsForItsCheck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newDoubter(meminbox.New(), nil)
		same := func(text string) Arrival[string] { a := doubtful(text); a.Proof = "one"; return a }
		require.NoError(t, r.Receive(t.Context(), same("l1e1?")))
		require.NoError(t, r.Receive(t.Context(), same("l1e2")))
		r.doubt(t, "l1e3") // another proof
		require.NoError(t, r.Idle(t.Context()))
		require.Equal(t, []string{"l1e3", "l1e1?", "l1e2"}, r.did())
		require.NoError(t, r.Receive(t.Context(), same("l1e4")))
		require.NoError(t, r.Idle(t.Context()))
		require.Equal(t, "l1e4", r.did()[3], "nothing waits any more")
		r.shutdown(t)
	})
}

func TestStoredJunkIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := meminbox.New()
		r := newDoubter(server, func(cfg *Config[string]) { cfg.Workers = 1 })
		accepted := 0
		for i := range 200 {
			if r.Receive(t.Context(), doubtful(fmt.Sprintf("l1e%d!", i))) == nil {
				accepted++
			}
		}
		require.Equal(t, junkOfSender, accepted, "of one sender")
		r.doubt(t, "l1e1")
		require.NoError(t, r.Idle(t.Context()))
		r.doubt(t, "l1e777!")
		require.NoError(t, r.Idle(t.Context()))
		require.Equal(t, []string{"l1e1"}, r.did())
		r.shutdown(t)
	})
}

func TestAPlaceIsFreeAgainWhenAnotherProcessHasVerified(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := meminbox.New()
		r, idle := newDoubter(server, nil), server.Open()
		r.durable.begun.Do(func() { close(r.durable.ended) }) // this process takes nothing
		for round := range 3 {
			for i := range junkOfSender {
				r.doubt(t, fmt.Sprintf("l1e%d00%d!", i, round))
			}
			require.Error(t, r.Receive(t.Context(), doubtful("l1e9!")))
			time.Sleep(guestTime + time.Second)
		}
		stats, err := idle.InboxStats(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 3*junkOfSender, stats.Waiting)
		r.shutdown(t)
	})
}

func TestUnverifiedEventsWaitInMemoryWhileTheStoreIsAway(t *testing.T) {
	t.Parallel()
	for name, strict := range map[string]bool{"usually": false, "but for strict users": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := meminbox.New()
				r := newDoubter(server, func(cfg *Config[string]) {
					if strict {
						cfg.Patience = -1
					}
				})
				server.Fail(errAway)
				err := r.Receive(t.Context(), doubtful("l1e1?"))
				require.Equal(t, strict, err != nil)
				time.Sleep(3 * time.Second)
				server.Fail(nil)
				require.NoError(t, r.Idle(t.Context()))
				require.Equal(t, !strict, len(r.did()) == 1)
				r.shutdown(t)
				require.Zero(t, r.held.Load())
			})
		})
	}
}

func TestAVerifiedEventIsMovedHoweverLongThatTakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := meminbox.New()
		r := newDoubter(server, nil)
		r.doubt(t, "l1e1?")
		synctest.Wait()
		var puts atomic.Int32
		server.Intercept(func(_ context.Context, method string, do func() error) error {
			if method == "Put" && puts.Add(1) < 20 {
				return errAway
			}
			return do()
		})
		require.NoError(t, r.Idle(t.Context()))
		require.Equal(t, []string{"l1e1?"}, r.did())
		require.EqualValues(t, 20, puts.Load())
		r.shutdown(t)
	})
}

func (r *replica) itemOf(text string) driver.InboxItem {
	return driver.InboxItem{Key: text, Line: LineName(lined(text).Line), Body: []byte(text)}
}

func TestAPutterAsksUntilTheEventIsStored(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := meminbox.New()
		r := newReplica(server, nil)
		server.Fail(errAway)
		p := NewPutter(r.store, 5, r.cfg.Logger)
		var done atomic.Int32
		for i := range 300 {
			room, err := p.Put(r.itemOf(fmt.Sprint("l1e", i)), func() { done.Add(1) })
			require.NoError(t, err)
			require.Equal(t, i < 6, room, "one is being put, five wait")
		}
		time.Sleep(time.Minute)
		require.Zero(t, done.Load())
		server.Fail(nil)
		go r.Run(t.Context())
		time.Sleep(20 * time.Second)
		require.EqualValues(t, 6, done.Load())
		require.Equal(t, []string{"l1e0", "l1e1", "l1e2", "l1e3", "l1e4", "l1e5"}, r.did())
		stored, duplicate, storeErrors := p.Stats()
		require.Equal(t, []int64{6, 0}, []int64{stored, duplicate})
		require.Positive(t, storeErrors)
		require.NoError(t, p.Shutdown(t.Context()))
		_, err := p.Put(r.itemOf("l1e9"), func() {})
		require.Error(t, err)
		r.shutdown(t)
		require.Equal(t, 1, strings.Count(r.log.String(), "stay with the portal"))
	})
}

func TestShutdownGivesBackACheckThatItCutsOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := meminbox.New()
		a, b := newDoubter(server, nil), newDoubter(server, nil)
		a.cfg.Arrive = func(text string) Arrival[string] {
			slow := doubtful(text)
			slow.Verify = func(context.Context) (Verdict, error) {
				return Verdict{Later: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}, nil
			}
			return slow
		}
		a.doubt(t, "l1e1?")
		synctest.Wait()
		soon, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.Error(t, a.Shutdown(soon))
		synctest.Wait()
		require.Empty(t, a.didFail())
		go b.Run(t.Context())
		synctest.Wait()
		require.NoError(t, b.Idle(t.Context()))
		require.Equal(t, []string{"l1e1?"}, b.did())
		b.shutdown(t)
	})
}

func TestALineOfChecksThatIsFullTakesNoMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newDoubter(meminbox.New(), nil)
		r.durable.begun.Do(func() { close(r.durable.ended) }) // this process takes nothing
		for i := range driver.MostUnverified + 1 {
			a := doubtful(fmt.Sprintf("l1e%d?", i))
			a.Verify = func(context.Context) (Verdict, error) {
				return Verdict{ProofKnown: true, Later: func(context.Context) error { return nil }}, nil
			}
			err := r.Receive(t.Context(), a)
			require.Equal(t, i == driver.MostUnverified, errors.Is(err, driver.ErrLineFull), "%d: %v", i, err)
		}
		require.EqualValues(t, 1, r.Stats().Dropped)
		require.Zero(t, r.held.Load())
		r.shutdown(t)
	})
}
