package rest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPacerForgetsPortals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewPacer(2, 2)
		busy := func() time.Duration {
			start := time.Now()
			require.NoError(t, l.Wait(t.Context(), "busy"))
			return time.Since(start)
		}
		most := 0
		for i := range 5000 {
			require.NoError(t, l.Wait(t.Context(), fmt.Sprintf("portal%d", i)))
			most = max(most, len(l.buckets))
			if i%10 == 0 {
				time.Sleep(500 * time.Millisecond) // each bucket is full again
			}
		}
		require.LessOrEqual(t, most, 200, "full buckets stay in memory")

		// A bucket that is not full is not forgotten: that would be a new burst.
		require.Zero(t, busy())
		require.Zero(t, busy())
		bucket := l.buckets["busy"]
		for i := range 300 {
			require.NoError(t, l.Wait(t.Context(), fmt.Sprintf("other%d", i)))
		}
		require.Same(t, bucket, l.buckets["busy"])
		require.Equal(t, 500*time.Millisecond, busy())
	})
}

func TestPacerForgetsWhatWasRefused(t *testing.T) {
	const portals, burst = 10_000, 5
	for name, row := range map[string]struct {
		calls, refusals int // of each portal
		halvings, edge  int // what that comes to
		still           time.Duration
	}{
		"once":                       {1, 1, 1, 0, 29 * time.Second},
		"until it cannot be slower":  {1, 4, maxHalvings, 0, 89 * time.Second},
		"a little too early, once":   {burst, 1, 0, 1, 9 * time.Second},
		"never":                      {1, 0, 0, 0, 0},
		"never, but nothing is left": {burst, 0, 0, 0, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := NewPacer(2, burst)
				each := func(do func(portal string)) {
					for i := range portals {
						do(fmt.Sprint("portal", i))
					}
				}
				each(func(portal string) {
					for range row.calls {
						require.NoError(t, l.Wait(t.Context(), portal))
					}
				})
				for round := range row.refusals {
					if round > 0 {
						time.Sleep(20 * time.Second) // room again
					}
					each(l.Refused)
				}
				require.Equal(t, portals, len(l.buckets)) // Len would print them all
				require.Equal(t, row.halvings, l.buckets["portal7"].halvings)
				require.Equal(t, row.edge, l.buckets["portal7"].edge)

				// What still counts is not forgotten: that would be a new burst.
				time.Sleep(row.still)
				l.sweepDue = time.Time{}
				require.NoError(t, l.Wait(t.Context(), "another"))
				require.NotNil(t, l.buckets["portal7"])
				time.Sleep(3 * time.Minute)
				require.NoError(t, l.Wait(t.Context(), "portal7"))
				require.Equal(t, 1, len(l.buckets), "portals that call no longer stay in memory")
			})
		})
	}
}

func TestARefusalCountsForAForgottenPortal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewPacer(2, 50)
		require.NoError(t, l.Wait(t.Context(), "portal"))
		time.Sleep(time.Minute) // so long is the request under way
		require.NoError(t, l.Wait(t.Context(), "another"))
		require.NotContains(t, l.buckets, "portal")
		l.Refused("portal")
		require.Equal(t, 1, l.buckets["portal"].halvings)
	})
}

func TestNewPacerLetsAtLeastOneThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, burst := range []int{-1, 0, 1} {
			l := NewPacer(1, burst)
			start := time.Now()
			require.NoError(t, l.Wait(t.Context(), "portal"))
			require.Zero(t, time.Since(start))
			require.NoError(t, l.Wait(t.Context(), "portal"))
			require.Equal(t, time.Second, time.Since(start))
		}
	})
}

func TestPacerRefusesWhatTheDeadlineForbids(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewPacer(1, 1)
		require.NoError(t, l.Wait(t.Context(), "portal"))
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		start := time.Now()
		require.ErrorIs(t, l.Wait(ctx, "portal"), context.DeadlineExceeded)
		require.Zero(t, time.Since(start))

		cancel()
		require.ErrorIs(t, l.Wait(ctx, "portal"), context.Canceled)
		require.NoError(t, l.Wait(t.Context(), "portal"), "what was refused took no token")
		require.Equal(t, time.Second, time.Since(start))
	})
}

func TestPacerIsSafeForConcurrentUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewPacer(2, 10)
		start := time.Now()
		var wg sync.WaitGroup
		for range 30 {
			wg.Go(func() {
				for portal := range 10 {
					assert.NoError(t, l.Wait(t.Context(), fmt.Sprintf("portal%d", portal)))
				}
			})
		}
		wg.Wait()
		require.Equal(t, 10500*time.Millisecond, time.Since(start), "9 at once, 21 more at 2 per second; the last tenth is for answers")
	})
}

// Tests in fake time that run side by side share the default pacer, and their clocks differ.
func TestASweepChangesNoBucketOfAnotherClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, start := NewPacer(2, 2), time.Now()
		wait := func() { require.NoError(t, p.Wait(t.Context(), "portal")) }
		wait()
		wait()
		go wait()
		synctest.Wait()
		p.mu.Lock()
		p.sweepDue = time.Time{}
		p.drop(time.Now().Add(time.Hour))
		p.mu.Unlock()
		wait()
		require.Equal(t, time.Second, time.Since(start))
	})
}
