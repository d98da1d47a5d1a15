package inbox

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Not parallel, because it measures the heap of the program.
func TestAMillionEventsLeaveNothingBehind(t *testing.T) {
	for name, beside := range map[string]bool{"in order": false, "beside it": true} {
		t.Run(name, func(t *testing.T) {
			n := 1_000_000
			if beside || testing.Short() || raceDetector {
				n = 50_000
			}
			synctest.Test(t, func(t *testing.T) { // a goroutine that is left fails it
				var ended atomic.Int64
				var j *Inbox[int]
				j = New(Config[int]{
					Handle: func(ctx context.Context, i int) error {
						context.AfterFunc(ctx, func() { ended.Add(1) }) // a child that nobody stops
						if i%10 == 0 {
							return j.Go(ctx, i, func(ctx context.Context) error { context.AfterFunc(ctx, func() { ended.Add(1) }); return nil })
						}
						return nil
					},
					Beside:  func(int) bool { return beside },
					Failed:  func(_ context.Context, _ int, err error) { t.Error(err) },
					Workers: 64, Queue: 512, Bytes: 1 << 20,
				})
				lines := make([]string, 1000)
				for i := range lines {
					lines[i] = fmt.Sprint("line ", i)
				}
				push := func(n int) {
					for i := range n {
						if i%256 == 0 { // so that no Go is refused
							require.NoError(t, j.Idle(t.Context()))
						}
						if i%7 == 0 {
							j.Interrupt(lines[i%len(lines)])
						}
						ok, err := j.Push(lines[i%len(lines)], 1, i, func() {}, nil)
						require.True(t, ok)
						require.NoError(t, err)
					}
					require.NoError(t, j.Idle(t.Context()))
					synctest.Wait()
				}
				push(10_000)
				before := heapNow()
				push(n)
				grown := heapNow() - before
				t.Logf("%d KiB more after %d events", grown>>10, n)
				require.Less(t, grown, int64(256<<10))
				require.EqualValues(t, 11*(10_000+n)/10, ended.Load())
				require.NoError(t, j.Shutdown(t.Context()))
			})
		})
	}
}

// Not parallel, because it counts the goroutines of the program.
func TestGoTakesOneGoroutineEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(nil)
		before := runtime.NumGoroutine()
		for range 100 {
			require.NoError(t, j.Go(t.Context(), "text", func(context.Context) error { time.Sleep(time.Second); return nil }))
		}
		synctest.Wait()
		require.Equal(t, 100, runtime.NumGoroutine()-before)
		require.NoError(t, j.Shutdown(t.Context()))
	})
}

func heapNow() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
