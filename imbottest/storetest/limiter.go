package storetest

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/driver"
)

// Limiter checks an [imbot.Limiter] that several processes share, and that puts answers first as
// that of [imbot.NewLimiter] does; and [driver.Holder], when it is one, too. It is opened with the
// rate and the burst that open gets.
func Limiter(t *testing.T, open func(t testing.TB, perSecond float64, burst int) imbot.Limiter) {
	t.Helper()
	run(t, slices.Concat(limiterChecks, holderChecks), func(t testing.TB) imbot.Limiter { return open(t, perSecond, burst) })
}

const (
	perSecond = 20
	burst     = 10
)

var limiterChecks = []check[imbot.Limiter]{
	{"processes share one bucket", limiterIsShared},
	{"each portal has a bucket of its own", limiterOfPortals},
	{"a deadline that comes first is told at once, and costs nothing", limiterDeadline},
	{"ended contexts are obeyed, at once and while waiting", limiterObeys},
	{"an answer goes before what waits", limiterAnswers},
	{"after a refusal the burst is gone for all", limiterRefused},
}

// answering is the context of calls that may use the whole burst.
func answering(t testing.TB) context.Context { return imbot.WithClass(t.Context(), imbot.ClassAnswer) }

func limiterIsShared(t testing.TB, open func() imbot.Limiter) {
	const n = burst + perSecond/2
	portal := newKey()
	processes := []imbot.Limiter{open(), open()}
	begun := time.Now()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if err := processes[i%2].Wait(answering(t), portal); err != nil {
				t.Errorf("Wait: %v", err)
			}
		})
	}
	wg.Wait()
	took := time.Since(begun)
	if least := time.Duration(n-burst)*time.Second/perSecond - slack; took < least {
		t.Fatalf("%d requests went through within %v, which takes %v at least", n, took, least)
	}
	if took > patience/2 {
		t.Fatalf("%d requests took %v", n, took)
	}
}

func limiterOfPortals(t testing.TB, open func() imbot.Limiter) {
	l, full := open(), newKey()
	empty(t, l, full)
	short, cancel := context.WithTimeout(answering(t), patience)
	defer cancel()
	begun := time.Now()
	for range 40 { // each alone would wait in the bucket of the first portal
		want(t, "Wait for another portal", l.Wait(short, newKey()), nil)
	}
	if took := time.Since(begun); took > time.Second {
		t.Fatalf("40 portals, each with a full bucket, took %v", took)
	}
}

// empty takes the burst of a portal.
func empty(t testing.TB, l imbot.Limiter, portal string) {
	t.Helper()
	for range burst {
		want(t, "Wait", l.Wait(answering(t), portal), nil)
	}
}

func limiterDeadline(t testing.TB, open func() imbot.Limiter) {
	l, portal := open(), newKey()
	var wg sync.WaitGroup
	for range burst + 4*perSecond { // four seconds' worth waits
		wg.Go(func() { _ = l.Wait(answering(t), portal) })
	}
	time.Sleep(100 * time.Millisecond)
	for tries, late := 0, time.Now().Add(time.Second); tries < 20 && time.Now().Before(late); tries++ {
		ctx, cancel := context.WithTimeout(answering(t), time.Second)
		begun := time.Now()
		err := l.Wait(ctx, portal)
		took := time.Since(begun)
		cancel()
		want(t, "Wait, whose deadline comes first", err, context.DeadlineExceeded)
		if took > 750*time.Millisecond {
			t.Fatalf("Wait tells only after %v that the deadline comes first", took)
		}
	}
	wg.Wait()
	begun := time.Now()
	want(t, "Wait", l.Wait(answering(t), portal), nil)
	if took := time.Since(begun); took > 15*time.Second/perSecond {
		t.Fatalf("requests that were refused a place have used the room of others: the next one waits %v", took)
	}
}

func limiterObeys(t testing.TB, open func() imbot.Limiter) {
	l, portal := open(), newKey()
	ended, cancel := context.WithCancel(answering(t))
	cancel()
	want(t, "Wait with an ended context", l.Wait(ended, portal), context.Canceled)
	var wg sync.WaitGroup
	for range burst + perSecond {
		wg.Go(func() { _ = l.Wait(answering(t), portal) })
	}
	defer wg.Wait()
	time.Sleep(100 * time.Millisecond)
	ctx, cancel := context.WithCancel(answering(t))
	time.AfterFunc(50*time.Millisecond, cancel)
	begun := time.Now()
	want(t, "Wait, whose context is cancelled", l.Wait(ctx, portal), context.Canceled)
	if took := time.Since(begun); took > 750*time.Millisecond {
		t.Fatalf("Wait returns %v after its context was cancelled", took)
	}
}

func limiterAnswers(t testing.TB, open func() imbot.Limiter) {
	l, portal := open(), newKey()
	bulk, stop := context.WithCancel(imbot.WithClass(t.Context(), imbot.ClassBulk))
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	for range 10 * perSecond { // ten seconds' worth
		wg.Go(func() { _ = l.Wait(bulk, portal) })
	}
	time.Sleep(100 * time.Millisecond)
	begun := time.Now()
	want(t, "Wait of an answer", l.Wait(answering(t), portal), nil)
	if took := time.Since(begun); took > 2*time.Second {
		t.Fatalf("an answer waited %v behind bulk calls", took)
	}
}

func limiterRefused(t testing.TB, open func() imbot.Limiter) {
	l := open()
	refuser, is := l.(driver.Refuser)
	if !is {
		t.Skip("the limiter is no Refuser")
	}
	portal := newKey()
	want(t, "Wait", l.Wait(answering(t), portal), nil)
	refuser.Refused(portal)
	begun := time.Now()
	other := open()
	for range 3 {
		want(t, "Wait after a refusal", other.Wait(answering(t), portal), nil)
	}
	if took := time.Since(begun); took < 2*time.Second/perSecond-slack {
		t.Fatalf("after a refusal three requests went through within %v", took)
	}
}
