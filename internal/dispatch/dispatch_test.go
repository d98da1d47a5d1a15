package dispatch

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A journal notes what ran, in order.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) note(s string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, s)
}

func (j *journal) read() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]string(nil), j.lines...)
}

// noting is work that takes a moment and notes its name at the end.
func (j *journal) noting(s string, d time.Duration) func(context.Context) {
	return func(context.Context) {
		time.Sleep(d)
		j.note(s)
	}
}

// requireEmpty checks that the pool holds nothing and that no worker lives.
func requireEmpty(t *testing.T, p *Pool) {
	t.Helper()
	synctest.Wait()
	require.Zero(t, workersAlive(), "goroutines of an idle pool")
	p.mu.Lock()
	defer p.mu.Unlock()
	require.Zero(t, p.running)
	require.Zero(t, p.queued)
	require.Empty(t, p.lines)
	require.Empty(t, p.ready)
}

// workersAlive counts the goroutines that run a worker, of any pool.
func workersAlive() int {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	return strings.Count(string(stacks), "created by github.com/imbot-go/imbot/internal/dispatch.(*Pool)")
}

func TestWorkOfOneKeyRunsInTheOrderOfSubmit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(8, 100)
		var j journal
		var want []string
		for i := range 100 {
			s := fmt.Sprint(i)
			want = append(want, s)
			// Later work is quicker: side by side it would overtake.
			require.NoError(t, p.Submit("chat5", j.noting(s, time.Duration(100-i))))
		}
		synctest.Wait()
		require.Equal(t, 1, workersAlive(), "one key takes one worker")
		require.NoError(t, p.Idle(t.Context()))
		require.Equal(t, want, j.read())
		requireEmpty(t, p)
	})
}

func TestWorkRunsSideBySide(t *testing.T) {
	for _, row := range []struct {
		name string
		key  func(i int) string
	}{
		{"when the keys differ", func(i int) string { return fmt.Sprint("chat", i) }},
		{"when there is no key", func(int) string { return "" }},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := New(4, 100)
				var j journal
				start := time.Now()
				for i := range 12 {
					require.NoError(t, p.Submit(row.key(i), j.noting("", time.Second)))
				}
				synctest.Wait()
				require.Equal(t, 4, workersAlive(), "never more than the limit")
				require.Equal(t, 8, p.Queued())
				require.NoError(t, p.Idle(t.Context()))
				require.Len(t, j.read(), 12)
				require.Equal(t, 3*time.Second, time.Since(start), "three rounds of four")
				requireEmpty(t, p)
			})
		})
	}
}

func TestBlockedKeyLeavesTheOtherWorkerToOtherKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(2, 100)
		var j journal
		for i := range 50 {
			require.NoError(t, p.Submit("slow", j.noting(fmt.Sprint("slow ", i), time.Hour)))
		}
		var want []string
		for i := range 40 {
			s := fmt.Sprint("quick ", i)
			want = append(want, s)
			require.NoError(t, p.Submit(fmt.Sprint("chat", i), j.noting(s, time.Second)))
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, want, j.read())
		require.Equal(t, 49, p.Queued())
		require.NoError(t, p.Idle(t.Context()))
		requireEmpty(t, p)
	})
}

func TestKeysTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(1, 100)
		var j journal
		for _, s := range []string{"a1", "a2", "a3", "b1", "b2", "c1", "1", "2"} {
			key := strings.TrimRight(s, "123")
			require.NoError(t, p.Submit(key, j.noting(s, time.Second)))
		}
		require.NoError(t, p.Idle(t.Context()))
		// a1 starts at once; b, c and the two without a key were in line before a came back.
		require.Equal(t, []string{"a1", "b1", "c1", "1", "2", "a2", "b2", "a3"}, j.read())
	})
}

func TestSubmitIsBoundedByWhatWaits(t *testing.T) {
	for _, row := range []struct {
		name           string
		workers, queue int
		keys           []string
		accepted       int
	}{
		{"different keys fill the workers first", 2, 3, []string{"a", "b", "c", "d", "e", "f"}, 5},
		{"no key fills the workers first", 2, 3, []string{"", "", "", "", "", ""}, 5},
		{"one key fills one worker and the queue", 2, 3, []string{"a", "a", "a", "a", "a"}, 4},
		{"a full queue still lets a new key start", 2, 1, []string{"a", "a", "b", "b"}, 3},
		{"without a queue only what starts at once is accepted", 2, 0, []string{"a", "b", "c"}, 2},
		{"without a queue a key is accepted once", 2, 0, []string{"a", "a"}, 1},
		{"nonsense means one worker and no queue", 0, -1, []string{"a", "b"}, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := New(row.workers, row.queue)
				release := make(chan struct{})
				var ran atomic.Int32
				work := func(context.Context) { <-release; ran.Add(1) }
				// No wait between the calls: the bound must not depend on how quickly workers start.
				for _, key := range row.keys[:len(row.keys)-1] {
					if err := p.Submit(key, work); err != nil {
						require.ErrorIs(t, err, ErrFull)
					}
				}
				require.ErrorIs(t, p.Submit(row.keys[len(row.keys)-1], work), ErrFull)
				require.LessOrEqual(t, p.Queued(), max(row.queue, 0))
				close(release)
				require.NoError(t, p.Idle(t.Context()))
				require.EqualValues(t, row.accepted, ran.Load())
				require.NoError(t, p.Submit(row.keys[0], work), "room again")
				require.NoError(t, p.Idle(t.Context()))
				requireEmpty(t, p)
			})
		})
	}
}

func TestIdleWaitsForQueuedAndRunningWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(1, 10)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		require.NoError(t, p.Idle(ended), "nothing to wait for")

		var j journal
		require.NoError(t, p.Submit("a", j.noting("1", time.Second)))
		require.NoError(t, p.Submit("b", j.noting("2", time.Second)))
		require.ErrorIs(t, p.Idle(ended), context.Canceled)

		short, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, p.Idle(short), context.DeadlineExceeded)
		require.Equal(t, []string{"1"}, j.read(), "waiting changes nothing")

		var waiters sync.WaitGroup
		for range 3 {
			waiters.Go(func() { j.note(fmt.Sprint("idle: ", p.Idle(t.Context()))) })
		}
		waiters.Wait()
		require.Equal(t, []string{"1", "2", "idle: <nil>", "idle: <nil>", "idle: <nil>"}, j.read())

		require.NoError(t, p.Submit("a", j.noting("3", time.Second)), "the pool lives on")
		require.NoError(t, p.Idle(t.Context()))
		require.Equal(t, "3", j.read()[5])
		requireEmpty(t, p)
	})
}

func TestShutdownDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(2, 100)
		var contexts []context.Context
		var early []error
		for range 10 {
			require.NoError(t, p.Submit("a", func(ctx context.Context) {
				time.Sleep(time.Second)
				contexts = append(contexts, ctx) // one key: no two at once
				early = append(early, ctx.Err())
			}))
		}
		done := make(chan error, 3)
		for range 3 {
			go func() { done <- p.Shutdown(t.Context()) }()
		}
		synctest.Wait()
		require.ErrorIs(t, p.Submit("b", nil), ErrClosed)
		require.ErrorIs(t, p.Submit("", nil), ErrClosed)
		for range 3 {
			require.NoError(t, <-done)
		}
		require.Len(t, contexts, 10)
		require.Equal(t, make([]error, 10), early, "the context lives while work is drained")
		for _, ctx := range contexts {
			require.Equal(t, contexts[0], ctx, "one context for all work")
			require.ErrorIs(t, ctx.Err(), context.Canceled, "it ends with the drain")
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		require.NoError(t, p.Shutdown(ended), "it is drained already")
		require.ErrorIs(t, p.Submit("a", nil), ErrClosed)
		requireEmpty(t, p)
	})
}

func TestShutdownInterruptsWhenItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(2, 100)
		var j journal
		work := func(ctx context.Context) {
			select {
			case <-ctx.Done():
				time.Sleep(time.Minute) // unwinds slowly
				j.note("interrupted")
			case <-time.After(time.Hour):
				j.note("done")
			}
		}
		for _, key := range []string{"a", "a", "a", "b", "c", "", ""} {
			require.NoError(t, p.Submit(key, work))
		}
		start := time.Now()
		patient := make(chan error, 1)
		go func() { patient <- p.Shutdown(t.Context()) }()
		short, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		err := p.Shutdown(short)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.EqualError(t, err, "5 events were dropped, 2 interrupted: context deadline exceeded")
		require.Equal(t, 10*time.Second, time.Since(start), "running work is not waited for")
		require.Zero(t, p.Queued())
		require.Empty(t, j.read())

		require.Equal(t, err, <-patient, "the other call waited for the interrupted work and tells of the loss")
		require.Equal(t, 70*time.Second, time.Since(start))
		require.Equal(t, []string{"interrupted", "interrupted"}, j.read())
		require.Equal(t, err, p.Shutdown(t.Context()), "a later call tells of it, too")
		require.ErrorIs(t, p.Submit("a", work), ErrClosed)
		requireEmpty(t, p)
	})
}

func TestShutdownWithAnEndedContextDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		require.NoError(t, New(1, 1).Shutdown(ended), "an idle pool has nothing to lose")

		p := New(1, 10)
		var interrupted bool
		require.NoError(t, p.Submit("a", func(ctx context.Context) { <-ctx.Done(); interrupted = true }))
		start := time.Now()
		err := p.Shutdown(ended)
		require.ErrorIs(t, err, context.Canceled)
		require.EqualError(t, err, "0 events were dropped, 1 interrupted: context canceled")
		require.Zero(t, time.Since(start))
		require.NoError(t, p.Idle(t.Context()))
		require.True(t, interrupted)
		requireEmpty(t, p)
	})
}

func TestWorkMaySubmit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(1, 1)
		var j journal
		require.NoError(t, p.Submit("a", func(context.Context) {
			if err := p.Submit("a", j.noting("second", 0)); err != nil {
				j.note(err.Error())
			}
			j.note("first")
		}))
		require.NoError(t, p.Idle(t.Context()))
		require.Equal(t, []string{"first", "second"}, j.read())
		requireEmpty(t, p)
	})
}

func TestWorkThatEndsItsGoroutineDoesNotHoldTheWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(1, 10)
		var j journal
		require.NoError(t, p.Submit("a", func(context.Context) { time.Sleep(time.Second); runtime.Goexit() }))
		require.NoError(t, p.Submit("a", j.noting("same key", 0)))
		require.NoError(t, p.Submit("b", j.noting("other key", 0)))
		require.NoError(t, p.Submit("", func(context.Context) { runtime.Goexit() }))
		limit, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.NoError(t, p.Shutdown(limit))
		require.Equal(t, []string{"other key", "same key"}, j.read())
		requireEmpty(t, p)
	})
}

func TestKeysAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(16, 20_000)
		var ran atomic.Int32
		for i := range 10_000 {
			for range 2 {
				require.NoError(t, p.Submit(fmt.Sprint("chat", i), func(context.Context) {
					time.Sleep(time.Millisecond)
					ran.Add(1)
				}))
			}
		}
		require.NoError(t, p.Idle(t.Context()))
		require.EqualValues(t, 20_000, ran.Load())
		requireEmpty(t, p)
	})
}

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
