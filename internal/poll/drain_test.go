package poll

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTheEndAcknowledgesWhatIsHandled(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		takes  time.Duration // each callback
		within time.Duration
		left   int
	}{
		"nothing is under way":  {0, Settle, 0},
		"a callback of 20 s":    {20 * time.Second, 20 * time.Second, 0},
		"a callback that hangs": {time.Hour, DrainTime, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T) {
				s := newStub()
				r := s.start(t, 1, func(r *run, _ *Config[int, stubEvent]) {
					r.callback = func(ctx context.Context, ev stubEvent) {
						if ev.id > 2 {
							select {
							case <-time.After(row.takes):
							case <-ctx.Done():
							}
						}
					}
				})
				time.Sleep(time.Minute)
				for i := range 5 {
					s.add(0, fmt.Sprint(i), 0)
				}
				r.await(2)
				start := time.Now()
				err := r.stop()
				require.LessOrEqual(t, time.Since(start), row.within)
				require.Equal(t, row.left, s.queued(0))
				require.Equal(t, row.left > 0, err != nil, "%v", err)
			})
		})
	}
}

// What the last look shows is not handled, so it must not be acknowledged with the
// others.
func TestTheEndLeavesWhatAppearsLate(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s := newStub()
		r := s.start(t, 1, nil)
		time.Sleep(time.Minute)
		s.add(0, "a", 0)
		s.add(0, "late", time.Hour)
		s.add(0, "a", 0)
		r.await(2)
		s.show(2)
		require.NoError(t, r.stop())
		require.Equal(t, []int64{1, 3}, r.events())
		require.Equal(t, 2, s.queued(0), "the late one, and the one above it")
	})
}

func TestTheEndWithoutAPortalLeavesEverythingThere(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s := newStub()
		r := s.start(t, 1, nil)
		time.Sleep(time.Minute)
		s.add(0, "a", 0)
		r.await(1)
		s.mu.Lock()
		s.delay = time.Hour
		s.mu.Unlock()
		start := time.Now()
		require.NoError(t, r.stop())
		require.LessOrEqual(t, time.Since(start), Settle+2*lastTime)
		require.Equal(t, 1, s.queued(0))
	})
}

func TestWhoLeavesAcknowledgesToo(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		s := newStub()
		r := s.start(t, 2, nil)
		time.Sleep(time.Minute)
		s.add(0, "a", 0)
		s.add(1, "a", 0)
		r.await(2)
		r.Leave(t.Context(), 0)
		r.Leave(t.Context(), 0)
		require.Zero(t, s.queued(0))
		s.add(0, "a", 0)
		time.Sleep(time.Minute)
		require.Equal(t, 1, s.queued(0))
		require.NoError(t, r.stop())
	})
}
