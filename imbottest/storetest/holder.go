package storetest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/driver"
)

var holderChecks = []check[imbot.Limiter]{
	holder("a block is known to all processes, for its scope and method alone", holdsAreShared),
	holder("of two blocks of a method the longer one stands", holdsLonger),
	holder("of many blocks at once the longest stands", holdsContend),
	holder("a block that has ended is none, and one may follow it", holdsEnd),
	holder("Hold and Holds obey ended contexts", holdsObey),
}

func holder(name string, f func(t testing.TB, open func() driver.Holder)) check[imbot.Limiter] {
	return check[imbot.Limiter]{name, func(t testing.TB, open func() imbot.Limiter) {
		t.Helper()
		if _, is := open().(driver.Holder); !is {
			t.Skip("the limiter is no Holder")
		}
		f(t, func() driver.Holder { return open().(driver.Holder) })
	}}
}

func hold(t testing.TB, h driver.Holder, scope, method string, until time.Time) {
	t.Helper()
	want(t, "Hold", h.Hold(t.Context(), scope, method, until), nil)
}

// held says that those methods and no others are held, to a millisecond.
func held(t testing.TB, when string, h driver.Holder, scope string, expected map[string]time.Time) {
	t.Helper()
	holds, err := h.Holds(t.Context(), scope)
	want(t, "Holds", err, nil)
	now := time.Now()
	for method, until := range holds {
		if until.Before(now) {
			delete(holds, method) // it may be forgotten, or not
		}
	}
	if len(holds) != len(expected) {
		t.Fatalf("%s: %d methods are held, not %d", when, len(holds), len(expected))
	}
	for method, until := range expected {
		if off := holds[method].Sub(until); off.Abs() > time.Millisecond {
			t.Fatalf("%s: %s is held %v longer than it was said", when, method, off)
		}
	}
}

func holdsAreShared(t testing.TB, open func() driver.Holder) {
	a, b, scope := open(), open(), newKey()
	held(t, "at first", a, scope, nil)
	soon, late := time.Now().Add(time.Minute), time.Now().Add(time.Hour)
	hold(t, a, scope, "imbot.message.add", soon)
	hold(t, b, scope, "crm.item.list", late)
	hold(t, b, newKey(), "imbot.chat.add", late)
	both := map[string]time.Time{"imbot.message.add": soon, "crm.item.list": late}
	held(t, "for who noted it", a, scope, both)
	held(t, "for the other process", b, scope, both)
	held(t, "after a restart", open(), scope, both)
	held(t, "in another scope", a, newKey(), nil)
}

func holdsLonger(t testing.TB, open func() driver.Holder) {
	a, b, scope := open(), open(), newKey()
	short, long := time.Now().Add(time.Minute), time.Now().Add(time.Hour)
	hold(t, a, scope, "first", long)
	hold(t, b, scope, "first", short)
	hold(t, a, scope, "then", short)
	hold(t, b, scope, "then", long)
	held(t, "after a longer and a shorter one", open(), scope, map[string]time.Time{"first": long, "then": long})
}

func holdsContend(t testing.TB, open func() driver.Holder) {
	processes, scope := []driver.Holder{open(), open()}, newKey()
	now := time.Now()
	begin := make(chan struct{})
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			<-begin
			if err := processes[i%2].Hold(t.Context(), scope, "m", now.Add(time.Duration(1+i*7%20)*time.Minute)); err != nil {
				t.Errorf("Hold: %v", err)
			}
		})
	}
	close(begin)
	wg.Wait()
	held(t, "after 20 at once", processes[0], scope, map[string]time.Time{"m": now.Add(20 * time.Minute)})
}

func holdsEnd(t testing.TB, open func() driver.Holder) {
	a, b, scope := open(), open(), newKey()
	late := time.Now().Add(time.Minute)
	hold(t, a, scope, "past", time.Now().Add(-time.Minute))
	hold(t, a, scope, "short", time.Now().Add(100*time.Millisecond))
	hold(t, a, scope, "late", late)
	time.Sleep(150 * time.Millisecond)
	held(t, "when the others have ended", b, scope, map[string]time.Time{"late": late})
	hold(t, b, scope, "short", late)
	held(t, "when one has come back", a, scope, map[string]time.Time{"late": late, "short": late})
}

func holdsObey(t testing.TB, open func() driver.Holder) {
	h, scope := open(), newKey()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	want(t, "Hold with an ended context", h.Hold(ended, scope, "m", time.Now().Add(time.Hour)), context.Canceled)
	_, err := h.Holds(ended, scope)
	want(t, "Holds with an ended context", err, context.Canceled)
	held(t, "after a Hold whose context had ended", h, scope, nil)
}
