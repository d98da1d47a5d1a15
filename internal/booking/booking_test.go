package booking

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot/internal/rest"
)

var errDown = errors.New("down")

// engine is one in memory that takes a millisecond for an answer.
type engine struct {
	perSecond float64
	burst     int

	mu        sync.Mutex
	tat       map[string]time.Time
	trips     int
	slow      float64
	down      error
	hangs     bool
	forgetful bool // it counts nobody but who asks
}

func newEngine(perSecond float64, burst int) *engine {
	return &engine{perSecond: perSecond, burst: burst, tat: map[string]time.Time{}, slow: 1}
}

func (e *engine) step() time.Duration {
	return time.Duration(float64(time.Second) / e.perSecond * e.slow)
}

func (e *engine) ask(ctx context.Context, f func(now time.Time)) error {
	e.mu.Lock()
	down, hangs := e.down, e.hangs
	e.mu.Unlock()
	if hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	time.Sleep(time.Millisecond)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.trips++
	if down == nil {
		f(time.Now())
	}
	return down
}

func (e *engine) Book(ctx context.Context, portal string, spare, room, sent int) (d time.Duration, err error) {
	err = e.ask(ctx, func(now time.Time) {
		tat := e.tat[portal]
		if missed := minTime(tat.Add(time.Duration(sent)*e.step()), now.Add(time.Duration(e.burst)*e.step())); tat.Before(missed) {
			tat = missed
		}
		if least := now.Add(time.Duration(e.burst-room) * e.step()); tat.Before(least) {
			tat = least
		}
		tat = tat.Add(e.step())
		e.tat[portal] = tat
		d = max(0, tat.Add(-time.Duration(e.burst-spare)*e.step()).Sub(now))
	})
	return d, err
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func (e *engine) Refund(ctx context.Context, portal string) error {
	return e.ask(ctx, func(time.Time) { e.tat[portal] = e.tat[portal].Add(-e.step()) })
}

func (e *engine) Refused(ctx context.Context, portal string) error {
	return e.ask(ctx, func(now time.Time) {
		e.slow = 2
		e.tat[portal] = now.Add(time.Duration(e.burst) * e.step())
	})
}

func (e *engine) Replicas() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.forgetful {
		return 1
	}
	return 4
}

func (e *engine) set(change func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	change()
}

func (e *engine) asked() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.trips
}

func replicas(e *engine, n int) (all []*Limiter, log *bytes.Buffer) {
	log = new(bytes.Buffer)
	logger := slog.New(slog.NewTextHandler(log, nil))
	for range n {
		all = append(all, New(e, e.perSecond, e.burst, func() *slog.Logger { return logger }))
	}
	return all, log
}

func as(t *testing.T, c rest.Class) context.Context {
	t.Helper()
	return rest.WithClass(t.Context(), c)
}

// bulk lets eight senders of each replica send until ctx ends. sent waits for that and for what is given
// back, and returns when requests went through.
func bulk(ctx context.Context, replicas ...*Limiter) (sent func() []time.Time) {
	var mu sync.Mutex
	var at []time.Time
	var wg sync.WaitGroup
	for _, l := range replicas {
		for range 8 {
			wg.Go(func() {
				for l.Wait(ctx, "portal") == nil {
					mu.Lock()
					at = append(at, time.Now())
					mu.Unlock()
				}
			})
		}
	}
	return func() []time.Time {
		wg.Wait()
		settle()
		return at
	}
}

func TestFourReplicasUseTheWholeRateAndNoMore(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name      string
		perSecond float64
		burst     int
	}{{"two a second", 2, 50}, {"twenty", 20, 50}, {"fifty", 50, 250}} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEngine(row.perSecond, row.burst)
				all, _ := replicas(e, 4)
				ctx, stop := context.WithCancel(as(t, rest.ClassBulk))
				trips := make(chan int, 1)
				time.AfterFunc(time.Minute, func() { trips <- e.asked(); stop() }) // those who wait then are sent away
				sent := bulk(ctx, all...)
				at := sent()
				most := 60*row.perSecond + float64(row.burst) - float64(row.burst/5)
				require.GreaterOrEqual(t, float64(len(at)), 0.95*most)
				require.LessOrEqual(t, float64(len(at)), most+1)
				asked := float64(<-trips)
				require.LessOrEqual(t, asked, 1.05*float64(len(at)))
				t.Logf("%d of %.0f, %.3f trips a request", len(at), most, asked/float64(len(at)))
			})
		})
	}
}

func TestAnAnswerGoesBeforeBulk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(2, 50)
		all, _ := replicas(e, 4)
		ctx, stop := context.WithCancel(as(t, rest.ClassBulk))
		sent := bulk(ctx, all...)
		time.Sleep(time.Minute)
		for _, l := range all { // a replica with bulk of its own, too
			begun := time.Now()
			require.NoError(t, l.Wait(as(t, rest.ClassAnswer), "portal"))
			require.Less(t, time.Since(begun), 12*time.Millisecond)
		}
		stop()
		sent()
	})
}

func TestWhatNobodyWaitsForIsGivenBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(1, 1)
		all, _ := replicas(e, 1)
		l := all[0]
		require.NoError(t, l.Wait(t.Context(), "portal"))
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		begun := time.Now()
		require.ErrorIs(t, l.Wait(ctx, "portal"), context.DeadlineExceeded)
		require.Less(t, time.Since(begun), 10*time.Millisecond, "it is told at once")
		ended, end := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, end)
		require.ErrorIs(t, l.Wait(ended, "portal"), context.Canceled)
		require.ErrorIs(t, l.Wait(ended, "portal"), context.Canceled)
		time.Sleep(10 * time.Millisecond)
		require.NoError(t, l.Wait(t.Context(), "portal"))
		require.InDelta(t, 1, time.Since(begun).Seconds(), 0.02, "they cost nothing")
		settle()
		l.mu.Lock()
		defer l.mu.Unlock()
		require.Empty(t, l.portals, "nothing is left of a portal that nobody calls")
	})
}

func TestWhoComesWhenTheLastOneHasLeftIsServed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(1, 1)
		all, _ := replicas(e, 1)
		l := all[0]
		require.NoError(t, l.Wait(t.Context(), "portal"))
		leaves, leave := context.WithCancel(t.Context())
		gone, served := make(chan error), make(chan error)
		go func() { gone <- l.Wait(leaves, "portal") }()
		time.Sleep(100 * time.Millisecond)
		leave()
		require.ErrorIs(t, <-gone, context.Canceled)
		go func() { served <- l.Wait(t.Context(), "portal") }() // what was booked has not been given back yet
		select {
		case err := <-served:
			require.NoError(t, err)
		case <-time.After(3 * time.Second):
			t.Fatal("somebody waits for nothing")
		}
	})
}

func TestAnAnswerInAHurryIsNotTurnedAwayForBulk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(2, 50)
		all, _ := replicas(e, 1)
		l := all[0]
		patient, stop := context.WithCancel(as(t, rest.ClassBulk))
		done := make(chan error)
		for range 50 {
			require.NoError(t, l.Wait(as(t, rest.ClassAnswer), "portal"))
		}
		go func() { done <- l.Wait(patient, "portal") }() // its slot is 5 s away
		time.Sleep(time.Second)
		hurry, cancel := context.WithTimeout(as(t, rest.ClassAnswer), time.Second)
		defer cancel()
		require.NoError(t, l.Wait(hurry, "portal"))
		hopeless, cancel := context.WithTimeout(as(t, rest.ClassBulk), time.Second)
		defer cancel()
		begun := time.Now()
		require.ErrorIs(t, l.Wait(hopeless, "portal"), context.DeadlineExceeded)
		require.Less(t, time.Since(begun), 10*time.Millisecond)
		stop()
		<-done
		settle()
	})
}

func TestWhileTheEngineIsAwayEachReplicaTakesItsShare(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*engine){"it fails": func(e *engine) { e.down = errDown }, "it hangs": func(e *engine) { e.hangs = true }, "it has forgotten who there is, and fails": func(e *engine) { e.forgetful, e.down = true, errDown }} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEngine(20, 40)
				all, log := replicas(e, 4)
				ctx, stop := context.WithTimeout(as(t, rest.ClassBulk), 3*time.Minute)
				defer stop()
				sent := bulk(ctx, all...)
				begun := time.Now()
				time.Sleep(time.Minute)
				e.set(func() { change(e) })
				time.Sleep(time.Minute)
				asked := e.asked()
				e.set(func() { e.down, e.hangs = nil, false })
				at := sent()
				var in [3]int
				for _, a := range at {
					in[min(int(a.Sub(begun)/time.Minute), 2)]++
				}
				require.InDelta(t, 1200, in[0], 60)
				require.InDelta(t, 1200, in[1], 60, "the shares together are the rate")
				require.InDelta(t, 1200, in[2], 80)
				if name == "it fails" {
					require.Less(t, asked-in[0], 4*40, "it is asked again every 2 s in the end, one at a time")
				}
				require.LessOrEqual(t, fullest(at, 20), 40.0, "the portal refuses nothing, before, meanwhile and afterwards")
				require.Equal(t, 4, strings.Count(log.String(), "level=WARN"), "once")
				require.Equal(t, 4, strings.Count(log.String(), "level=INFO"))
			})
		})
	}
}

func TestARefusalIsToldToTheEngine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(1, 10)
		all, _ := replicas(e, 2)
		all[0].Refused("portal")
		begun := time.Now()
		require.NoError(t, all[1].Wait(as(t, rest.ClassAnswer), "portal"))
		require.InDelta(t, 2, time.Since(begun).Seconds(), 1.1)
		e.set(func() { e.down = errDown })
		require.NoError(t, all[0].Wait(t.Context(), "portal"))
		all[0].Refused("portal")
		require.ErrorIs(t, all[0].Wait(ended(t), "portal"), context.Canceled)
		settle()
	})
}

// settle lets what is given back arrive.
func settle() { time.Sleep(time.Second) }

func ended(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// fullest is how full the leaky bucket of a portal was at most.
func fullest(at []time.Time, perSecond float64) (most float64) {
	slices.SortFunc(at, time.Time.Compare)
	level := 0.0
	for i, now := range at {
		if i > 0 {
			level = max(0, level-now.Sub(at[i-1]).Seconds()*perSecond)
		}
		level++
		most = max(most, level)
	}
	return most
}

// cut is an engine that one replica does not reach for a while.
type cut struct {
	Engine
	from, to time.Time
}

func (c cut) Book(ctx context.Context, portal string, spare, room, sent int) (time.Duration, error) {
	if now := time.Now(); now.After(c.from) && now.Before(c.to) {
		return 0, errDown
	}
	return c.Engine.Book(ctx, portal, spare, room, sent)
}

func TestReplicasThatFindTheEngineAgainOneAfterTheOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(20, 40)
		ctx, stop := context.WithTimeout(as(t, rest.ClassBulk), 2*time.Minute)
		defer stop()
		var all []*Limiter
		for i := range 4 {
			from := time.Now().Add(time.Minute)
			all = append(all, New(cut{e, from, from.Add(10*time.Second + time.Duration(i)*500*time.Millisecond)}, 20, 40, func() *slog.Logger { return slog.New(slog.DiscardHandler) }))
		}
		at := bulk(ctx, all...)()
		require.LessOrEqual(t, fullest(at, 20), 40.0, "the portal refuses nothing")
		require.InDelta(t, 2400, len(at), 120)
	})
}

// A replica that gets no answer in time sends by its share while the others use the whole rate.
func TestAReplicaThatOftenFindsNoEngine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(20, 50)
		ctx, stop := context.WithTimeout(as(t, rest.ClassBulk), 2*time.Minute)
		defer stop()
		var all []*Limiter
		for i := range 4 {
			var own Engine = e
			for n := range 10 * min(1, i) { // the first one has no trouble
				from := time.Now().Add(time.Duration(10*n+3*i) * time.Second)
				own = cut{own, from, from.Add(100 * time.Millisecond)}
			}
			all = append(all, New(own, 20, 50, func() *slog.Logger { return slog.New(slog.DiscardHandler) }))
		}
		at := bulk(ctx, all...)()
		require.LessOrEqual(t, fullest(at, 20), 50.0, "the portal refuses nothing")
		require.InDelta(t, 2400, len(at), 120)
	})
}
