package dispatch

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Many goroutines, real scheduling: every key sees its work whole and in order,
// never two at once, and the bounds hold.
func TestStress(t *testing.T) {
	const workers, queue, producers, each, keys = 8, 64, 8, 2_000, 40
	p := New(workers, queue)
	var got [producers][keys][]int // a cell has one key, so its work needs no lock
	var want [producers][keys][]int
	var inKey [producers][keys]atomic.Int32
	var busy, most, overlaps, free atomic.Int32
	var wg sync.WaitGroup
	for producer := range producers {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(producer)))
			for i := range each {
				n := random.IntN(keys)
				key, work := fmt.Sprint(producer, " ", n), func(context.Context) {
					if inKey[producer][n].Add(1) > 1 {
						overlaps.Add(1)
					}
					for now, top := busy.Add(1), most.Load(); now > top && !most.CompareAndSwap(top, now); top = most.Load() {
					}
					runtime.Gosched()
					got[producer][n] = append(got[producer][n], i)
					busy.Add(-1)
					inKey[producer][n].Add(-1)
				}
				if n == 0 {
					key, work = "", func(context.Context) { free.Add(1) }
				}
				for p.Submit(key, work) != nil {
					runtime.Gosched()
				}
				want[producer][n] = append(want[producer][n], i)
			}
		})
	}
	wg.Wait()
	require.NoError(t, p.Shutdown(t.Context()))
	var unordered int
	for producer := range producers {
		unordered += len(want[producer][0])
		require.Equal(t, want[producer][1:], got[producer][1:])
	}
	require.EqualValues(t, unordered, free.Load())
	require.Zero(t, overlaps.Load())
	require.LessOrEqual(t, most.Load(), int32(workers))
	require.Empty(t, p.lines)
	require.Zero(t, p.Queued())
	require.Eventually(t, func() bool { return workersAlive() == 0 }, time.Minute, time.Millisecond, "other tests count them")
}

func BenchmarkSubmit(b *testing.B) {
	work := func(context.Context) {}
	for _, keys := range []int{0, 1, 1000} {
		b.Run(fmt.Sprint("keys=", keys), func(b *testing.B) {
			names := make([]string, max(keys, 1)) // zero keys: the key ""
			for i := range keys {
				names[i] = fmt.Sprint("chat", i)
			}
			p := New(64, 1024)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				for p.Submit(names[i%len(names)], work) != nil {
					runtime.Gosched()
				}
			}
			if err := p.Shutdown(context.Background()); err != nil {
				b.Fatal(err)
			}
		})
	}
}
