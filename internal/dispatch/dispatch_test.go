package dispatch

import (
	"context"
	"fmt"
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
