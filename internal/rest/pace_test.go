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
		require.Equal(t, 10*time.Second, time.Since(start), "10 at once, 20 more at 2 per second")
	})
}
