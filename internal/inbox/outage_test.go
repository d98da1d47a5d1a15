package inbox

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot/internal/meminbox"
)

func TestAGenuineEventBehindACheckIsHandledWhileTheStoreIsAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := meminbox.New()
		r := newDoubter(server, nil)
		same := func(text string) Arrival[string] { a := doubtful(text); a.Proof = "one"; return a }
		require.NoError(t, r.Receive(t.Context(), same("l1e1?")))
		server.Fail(errAway)
		require.NoError(t, r.Receive(t.Context(), same("l1e2")))
		require.NoError(t, r.Receive(t.Context(), doubtful("l2e1")), "into the spool")
		require.NoError(t, r.Receive(t.Context(), same("l1e3")))
		time.Sleep(3 * time.Second)
		server.Fail(nil)
		require.NoError(t, r.Idle(t.Context()))
		require.ElementsMatch(t, []string{"l1e1?", "l1e2", "l1e3", "l2e1"}, r.did())
		require.Empty(t, r.didFail())
		r.shutdown(t)
		require.Zero(t, r.held.Load())
	})
}

func TestAnEventThatComesAgainInAnOutageIsHandledOnce(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ before, back time.Duration }{
		"stored before":                    {before: time.Minute, back: 20 * time.Second},
		"handled from memory in between":   {back: 6 * time.Second},
		"both are stored after the outage": {back: 4 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := meminbox.New()
				r := newReplica(server, nil)
				if row.before == 0 {
					server.Fail(errAway)
				}
				r.receive(t, "l1e1")
				time.Sleep(row.before)
				server.Fail(errAway)
				time.AfterFunc(row.back, func() { server.Fail(nil) })
				time.Sleep(3 * time.Second)
				r.receive(t, "l1e1")
				time.Sleep(time.Minute)
				require.NoError(t, r.Idle(t.Context()))
				require.Equal(t, []string{"l1e1"}, r.did())
				s := r.Stats()
				require.EqualValues(t, 1, s.Duplicate)
				require.Equal(t, s.Accepted, s.Handled+s.Duplicate)
				r.shutdown(t)
				require.Zero(t, r.held.Load())
			})
		})
	}
}

func TestALongOutageIsToldOnceAndFillsNoMoreThanTheQueue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := meminbox.New()
		r := newReplica(server, func(cfg *Config[string]) {
			cfg.Workers, cfg.Queue = 1, 10
			cfg.Handle = func(context.Context, string) error { time.Sleep(time.Minute); return nil }
		})
		server.Fail(errAway)
		accepted := 0
		for i := range 100 {
			if r.Receive(t.Context(), lined(fmt.Sprint("l1e", i))) == nil {
				accepted++
			}
			require.LessOrEqual(t, r.Stats().Queued, int64(10))
			time.Sleep(6 * time.Second)
		}
		require.Less(t, accepted, 30)
		time.Sleep(20 * time.Minute)
		server.Fail(nil)
		r.receive(t, "l1e777")
		require.NoError(t, r.Idle(t.Context()))
		require.Len(t, r.did(), accepted+1)
		for _, text := range []string{"imbot: the Inbox stores no events", "imbot: no event is kept in memory any more", "imbot: no events can be taken"} {
			require.Equal(t, 1, strings.Count(r.log.String(), text), text)
		}
		require.Regexp(t, `stores no events.* error="the store is away"`, r.log.String())
		r.shutdown(t)
		require.Zero(t, r.held.Load())
	})
}

func TestAnErrorCallbackThatEndsItsGoroutineHoldsNoLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := meminbox.New()
		r := newDoubter(server, func(cfg *Config[string]) {
			cfg.Failed = func(context.Context, string, error) { runtime.Goexit() }
			cfg.Handle = func(_ context.Context, text string) error {
				if text == "l1e1" {
					return errForged
				}
				return nil
			}
		})
		r.doubt(t, "l1e1", "l1e2", "l2e1!", "l2e2?")
		require.NoError(t, r.Idle(t.Context()))
		require.ElementsMatch(t, []string{"l1e1", "l1e2", "l2e2?"}, r.did())
		require.EqualValues(t, 2, r.Stats().Failed)
		r.shutdown(t)
	})
}

func TestACheckThatCameAgainHoldsNobodyBehindIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newDoubter(meminbox.New(), nil)
		r.doubt(t, "l1e1?")
		require.NoError(t, r.Idle(t.Context()))
		r.doubt(t, "l1e1?")
		again := doubtful("l1e1?")
		require.False(t, r.waiting.keeps(again.order()))
		r.shutdown(t)
	})
}

func TestShutdownStoresWhatWaitsInMemory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := meminbox.New()
		a := newReplica(server, nil)
		server.Fail(errAway)
		time.AfterFunc(3*time.Second, func() { server.Fail(nil) })
		a.receive(t, "l1e1", "l1e2", "l2e1")
		a.shutdown(t)
		require.EqualValues(t, 3, a.Stats().Stored)
		b := newReplica(server, nil)
		go b.Run(t.Context())
		synctest.Wait()
		require.NoError(t, b.Idle(t.Context()))
		require.ElementsMatch(t, []string{"l1e1", "l1e2", "l2e1"}, b.did())
		b.shutdown(t)
	})
}

func TestAVerifiedEventIsHandledThoughTheSpoolIsFull(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := meminbox.New()
		r := newDoubter(server, func(cfg *Config[string]) { cfg.Queue = 3 })
		server.Fail(errAway)
		r.doubt(t, "l1e1?", "l2e1", "l2e2", "l2e3")
		time.Sleep(4 * time.Second)
		require.Equal(t, []string{"l1e1?"}, r.did(), "it was accepted")
		server.Fail(nil)
		require.NoError(t, r.Idle(t.Context()))
		require.Len(t, r.did(), 4)
		r.shutdown(t)
		require.Zero(t, r.held.Load())
	})
}
