package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/imbot-go/imbot/driver"
)

// Inbox checks a [driver.Inbox], and [driver.DeadLetters] and [driver.InboxMeter] when it is those,
// too. Unlike the other kits it needs a store of its own, because it takes and drops whatever it
// finds there, and its checks run one after another. It closes what it opens. What is kept when a
// process dies is checked by [Kill].
func Inbox(t *testing.T, open func(testing.TB) driver.Inbox, opts ...InboxOption) {
	t.Helper()
	p := newProcesses(open, opts)
	for _, c := range inboxChecks {
		t.Run(c.name, func(t *testing.T) { c.run(t, func() processes { return p }) })
	}
}

var inboxChecks = []check[processes]{
	inbox("what is put is taken as it was put", inboxKeeps),
	inbox("only the oldest of a line is taken, and by one", inboxHeads),
	inbox("what is put and handled side by side stays in order", inboxOrder),
	inbox("lines take turns", inboxTurns),
	inbox("a key is known while it waits, while it runs and afterwards", inboxKnows),
	inbox("of many who put a key at once one is the first", inboxContend),
	inbox("what is returned comes first in its line, and the try does not count", inboxReturned),
	inbox("who has lost the line cannot end it", inboxTakenOver),
	inbox("what was taken is lost with no error", inboxLosesNothing),
	inbox("Take waits, and what another process puts wakes it", inboxWakes),
	inbox("ended contexts are obeyed", inboxObeys),
	inbox("Close returns at once what is held, and keeps what waits", inboxClose),
	inbox("Close ends Take, and nothing works afterwards", inboxClosed),
	inbox("dead letters are kept, revived and dropped", inboxDead),
	inbox("what waits, runs and is buried is counted", inboxStats),
	inbox("a line that is not verified has a bound", inboxBound), // last, as it leaves much
}

var anID = regexp.MustCompile(`^[0-9a-z]{1,64}$`)

func inboxKeeps(t testing.TB, p *processes) {
	a, b := p.start(), p.start()
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	big := bytes.Repeat(every, 5<<20/len(every))
	for what, body := range map[string][]byte{"no bytes": nil, "all bytes": every, "5 MiB": big} {
		it := driver.InboxItem{
			Key: newKey(), Line: newKey(), Body: body,
			ID: "mine", Lease: "mine", Tries: 7, At: time.Now().AddDate(-1, 0, 0), // which do not count
		}
		fresh, err := a.Put(t.Context(), it)
		want(t, "Put with "+what, err, nil)
		if !fresh {
			t.Fatalf("Put with %s: the key is said to be known", what)
		}
		got := take(t, b, 1)[0]
		switch {
		case got.Key != it.Key || got.Line != it.Line:
			t.Fatalf("%s: what was put has another key or line when it is taken", what)
		case !bytes.Equal(got.Body, body):
			t.Fatalf("%s: the body changed", what)
		case got.Tries != 1:
			t.Fatalf("%s: the first time it is taken Tries is %d", what, got.Tries)
		case !anID.MatchString(got.ID) || got.ID == it.ID:
			t.Fatalf("%s: the ID is not the engine's, or not 1 to 64 letters [0-9a-z]", what)
		case got.Lease == "" || got.Lease == it.Lease:
			t.Fatalf("%s: the lease is not the engine's", what)
		case time.Since(got.At).Abs() > time.Hour:
			t.Fatalf("%s: it was put %v ago, it says", what, time.Since(got.At))
		}
		done(t, b, got, driver.InboxHandled)
	}
	nothing(t, a, "everything is handled")
}

func inboxHeads(t testing.TB, p *processes) {
	a, b := p.start(), p.start()
	one, two, three := newLine(3), newLine(2), newLine(1)
	for _, l := range [][]driver.InboxItem{one, two, three} {
		putAll(t, a, l)
	}
	first, err := a.Take(t.Context(), 2)
	want(t, "Take", err, nil)
	if len(first) < 1 || len(first) > 2 {
		t.Fatalf("Take of at most 2 returned %d", len(first))
	}
	held := slices.Concat(first, take(t, b, 3-len(first)))
	are(t, "the oldest of each line", held, one[0], two[0], three[0])
	nothing(t, a, "each line is held")
	nothing(t, b, "each line is held")
	for _, it := range held {
		select {
		case <-it.Lost:
			t.Fatalf("Lost is closed though nobody else can have taken it")
		default:
		}
		done(t, a, it, driver.InboxHandled)
	}
	are(t, "the next of each line", take(t, b, 2), one[1], two[1])
}

func inboxOrder(t testing.TB, p *processes) {
	const lines, each, takers = 12, 10, 4
	inboxes := []driver.Inbox{p.start(), p.start()}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var mu sync.Mutex
	seen, running, left := map[string][]string{}, map[string]bool{}, lines*each
	var wrong []string
	var wg sync.WaitGroup
	all := map[string][]driver.InboxItem{}
	for range lines {
		l := newLine(each)
		all[l[0].Line] = l
		wg.Go(func() { // one who puts: each time another process accepts it
			for i, it := range l {
				if fresh, err := inboxes[i%2].Put(ctx, it); err != nil || !fresh {
					t.Errorf("Put: fresh is %t, the error is %v", fresh, err)
				}
			}
		})
	}
	for i := range takers {
		wg.Go(func() {
			for ctx.Err() == nil {
				items, err := inboxes[i%2].Take(ctx, 3)
				if err != nil {
					if !errors.Is(err, ctx.Err()) {
						t.Errorf("Take: %v", err)
					}
					return
				}
				mu.Lock()
				for _, it := range items {
					if running[it.Line] {
						wrong = append(wrong, "two items of a line ran at the same time")
					}
					running[it.Line] = true
					seen[it.Line] = append(seen[it.Line], it.Key)
				}
				mu.Unlock()
				for _, it := range items {
					mu.Lock()
					delete(running, it.Line)
					left--
					if left == 0 {
						cancel()
					}
					mu.Unlock()
					if err := inboxes[i%2].Done(context.WithoutCancel(ctx), it, driver.InboxHandled); err != nil {
						t.Errorf("Done: %v", err)
					}
				}
			}
		})
	}
	wg.Wait()
	for line, l := range all {
		if !slices.Equal(seen[line], keys(l)) {
			wrong = append(wrong, fmt.Sprintf("of %d items of a line %d were taken, or in another order", each, len(seen[line])))
		}
	}
	if len(wrong) > 0 {
		t.Fatalf("%d faults; the first: %s", len(wrong), wrong[0])
	}
}

func inboxTurns(t testing.TB, p *processes) {
	a := p.start()
	const lines, each = 3, 3
	for range lines { // one line after the other, so that the oldest items are all of one
		putAll(t, a, newLine(each))
	}
	turns := map[string]int{}
	for range lines * (each - 1) {
		it := take(t, a, 1)[0]
		if turns[it.Line]++; turns[it.Line] == each && len(turns) < lines {
			t.Fatalf("one line had %d turns while another waited for the first", each)
		}
		done(t, a, it, driver.InboxHandled)
	}
}

func inboxKnows(t testing.TB, p *processes) {
	a, b := p.start(), p.start()
	l := newLine(1)
	again := func(when string) {
		t.Helper()
		put(t, "Put of a key "+when, a, l[0], false)
		put(t, "Put, in another process, of a key "+when, b, l[0], false)
		elsewhere := l[0]
		elsewhere.Line = newKey()
		put(t, "Put, into another line, of a key "+when, b, elsewhere, false)
	}
	for _, how := range []driver.InboxOutcome{driver.InboxHandled, driver.InboxBuried} {
		l = newLine(1)
		putAll(t, a, l)
		again("that waits")
		it := take(t, a, 1)[0]
		again("that runs")
		done(t, a, it, driver.InboxReturned)
		again("that was returned")
		done(t, b, take(t, b, 1)[0], how)
		again("that was " + how.String())
		nothing(t, b, "the key is known")
	}
	put(t, "Put of a key after a restart", p.closes(a), l[0], false)
}

func inboxContend(t testing.TB, p *processes) {
	inboxes := []driver.Inbox{p.start(), p.start()}
	for range 5 {
		l := newLine(1)
		fresh := atOnce(t, nil, func(i int) (bool, error) { return inboxes[i%2].Put(t.Context(), l[0]) })
		if fresh != 1 {
			t.Fatalf("of 20 who put a key at once %d were the first", fresh)
		}
		done(t, inboxes[0], take(t, inboxes[0], 1)[0], driver.InboxHandled)
		nothing(t, inboxes[1], "the key was put once")
	}
}

func inboxReturned(t testing.TB, p *processes) {
	a, b := p.start(), p.start()
	l := newLine(2)
	putAll(t, a, l)
	for range 3 {
		it := take(t, a, 1)[0]
		are(t, "the head of the line", []driver.InboxItem{it}, l[0])
		if it.Tries != 1 {
			t.Fatalf("Tries is %d for what was always returned", it.Tries)
		}
		done(t, a, it, driver.InboxReturned)
		a, b = b, a
	}
	done(t, a, take(t, a, 1)[0], driver.InboxHandled)
	are(t, "the next of the line", take(t, b, 1), l[1])
}

func inboxTakenOver(t testing.TB, p *processes) {
	outcomes := []driver.InboxOutcome{driver.InboxHandled, driver.InboxReturned, driver.InboxBuried}
	a, l := p.start(), newLine(2)
	refuses := func(when string, it driver.InboxItem) {
		t.Helper()
		for _, how := range outcomes {
			want(t, fmt.Sprintf("Done(%v) %s", how, when), a.Done(t.Context(), it, how), driver.ErrTakenOver)
		}
	}
	putAll(t, a, l)
	first := take(t, a, 1)[0]
	a = p.closes(a)
	refuses("of what is free again", first)
	second := take(t, a, 1)[0]
	are(t, "what nobody has done", []driver.InboxItem{second}, l[0])
	refuses("of what somebody else has taken", first)
	nothing(t, a, "the line is held")
	done(t, a, second, driver.InboxReturned)
	third := take(t, a, 1)[0]
	refuses("of what this process has taken anew", second)
	done(t, a, third, driver.InboxHandled)
	refuses("once more", third)
	refuses("of what somebody else has handled", first)
	if letters, is := a.(driver.DeadLetters); is {
		dead, err := letters.Dead(t.Context(), 10)
		want(t, "Dead", err, nil)
		are(t, "the dead letters", dead)
	}
	are(t, "the next of the line", take(t, a, 1), l[1])
}

func inboxLosesNothing(t testing.TB, p *processes) {
	a, b := p.start(), p.start()
	const lines = 30
	missing := map[string]bool{}
	for range lines {
		l := newLine(1)
		putAll(t, a, l)
		missing[l[0].Key] = true
	}
	for i := range 2 * lines {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%20)*100*time.Microsecond)
		items, err := a.Take(ctx, 2)
		cancel()
		if err != nil && len(items) > 0 {
			t.Fatalf("Take returned %d items and an error", len(items))
		}
		for _, it := range items {
			delete(missing, it.Key)
			done(t, a, it, driver.InboxHandled)
		}
	}
	for len(missing) > 0 {
		it := take(t, b, 1)[0]
		if !missing[it.Key] {
			t.Fatalf("an item was taken twice")
		}
		delete(missing, it.Key)
		done(t, b, it, driver.InboxHandled)
	}
}

func inboxWakes(t testing.TB, p *processes) {
	a, b := p.start(), p.start()
	l := newLine(2)
	for i, wake := range []func(held driver.InboxItem) error{
		func(driver.InboxItem) error { _, err := a.Put(t.Context(), l[0]); return err },
		func(held driver.InboxItem) error { return b.Done(t.Context(), held, driver.InboxReturned) },
		func(held driver.InboxItem) error {
			putAll(t, a, l[1:])
			return b.Done(t.Context(), held, driver.InboxHandled)
		},
	} {
		var held driver.InboxItem
		if i > 0 {
			held = take(t, b, 1)[0]
		}
		woken := make(chan error, 1)
		var got []driver.InboxItem
		go func() {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			var err error
			got, err = b.Take(ctx, 1)
			woken <- err
		}()
		select {
		case err := <-woken:
			t.Fatalf("Take does not wait: %d items, the error is %v", len(got), err)
		case <-time.After(50 * time.Millisecond):
		}
		want(t, "what wakes Take", wake(held), nil)
		want(t, "Take, which has something now", await(t, woken, "Take sleeps on"), nil)
		are(t, "what Take waited for", got, l[max(0, i-1)])
		done(t, b, got[0], driver.InboxReturned)
	}
}

func inboxObeys(t testing.TB, p *processes) {
	a := p.start()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	l := newLine(1)
	_, err := a.Put(ended, l[0])
	want(t, "Put with an ended context", err, context.Canceled)
	put(t, "Put after one whose context had ended", a, l[0], true)
	_, err = a.Take(ended, 1)
	want(t, "Take with an ended context", err, context.Canceled)
	it := take(t, a, 1)[0]
	want(t, "Done with an ended context", a.Done(ended, it, driver.InboxHandled), context.Canceled)
	nothing(t, a, "the item is held, as Done changed nothing")
	done(t, a, it, driver.InboxHandled)
	if letters, is := a.(driver.DeadLetters); is {
		_, err := letters.Dead(ended, 1)
		want(t, "Dead with an ended context", err, context.Canceled)
		want(t, "Revive with an ended context", letters.Revive(ended, it.ID), context.Canceled)
		want(t, "Drop with an ended context", letters.Drop(ended, it.ID), context.Canceled)
	}
	if meter, is := a.(driver.InboxMeter); is {
		_, err := meter.InboxStats(ended)
		want(t, "InboxStats with an ended context", err, context.Canceled)
	}
	waits, stop := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() {
		_, err := a.Take(waits, 1)
		left <- err
	}()
	time.Sleep(50 * time.Millisecond)
	stop()
	want(t, "Take, whose context ends while it waits", await(t, left, "Take waits on though its context has ended"), context.Canceled)
}

func inboxClose(t testing.TB, p *processes) {
	a := p.start()
	one, two := newLine(2), newLine(1)
	putAll(t, a, one)
	putAll(t, a, two)
	are(t, "the heads", take(t, a, 2), one[0], two[0])
	b := p.closes(a)
	begun := time.Now()
	again := take(t, b, 2)
	if took := time.Since(begun); took > atOnceIs {
		t.Fatalf("what a process held that was closed is free only after %v", took)
	}
	are(t, "what the other process held", again, one[0], two[0])
	for _, it := range again {
		if it.Tries != 1 {
			t.Fatalf("Tries is %d after a Close, whose try does not count", it.Tries)
		}
		done(t, b, it, driver.InboxHandled)
	}
	b = p.closes(b)
	are(t, "what waited", take(t, b, 1), one[1])
}

func inboxClosed(t testing.TB, p *processes) {
	a := p.start()
	l := newLine(1)
	putAll(t, a, l)
	it := take(t, a, 1)[0]
	left := make(chan error, 1)
	go func() {
		_, err := a.Take(t.Context(), 1)
		left <- err
	}()
	time.Sleep(50 * time.Millisecond)
	b := p.closes(a)
	want(t, "Take, which waits while the inbox is closed", await(t, left, "Take waits on though the inbox is closed"), driver.ErrClosed)
	_, err := a.Put(t.Context(), newLine(1)[0])
	want(t, "Put after Close", err, driver.ErrClosed)
	_, err = a.Take(t.Context(), 1)
	want(t, "Take after Close", err, driver.ErrClosed)
	want(t, "Done after Close", a.Done(t.Context(), it, driver.InboxHandled), driver.ErrClosed)
	if letters, is := a.(driver.DeadLetters); is {
		_, err := letters.Dead(t.Context(), 1)
		want(t, "Dead after Close", err, driver.ErrClosed)
		want(t, "Revive after Close", letters.Revive(t.Context(), it.ID), driver.ErrClosed)
		want(t, "Drop after Close", letters.Drop(t.Context(), it.ID), driver.ErrClosed)
	}
	if meter, is := a.(driver.InboxMeter); is {
		_, err := meter.InboxStats(t.Context())
		want(t, "InboxStats after Close", err, driver.ErrClosed)
	}
	want(t, "the second Close", a.Close(), nil)
	are(t, "what was held", take(t, b, 1), l[0])
	nothing(t, b, "what the closed inbox was given is not stored")
}

func inboxDead(t testing.TB, p *processes) {
	a, b := p.start(), p.start()
	letters, is := a.(driver.DeadLetters)
	if !is {
		t.Skip("the inbox keeps no dead letters")
	}
	others := b.(driver.DeadLetters)
	l := newLine(4)
	l[0].Body = []byte{0, 255, '\n'}
	putAll(t, a, l)
	for i := range 3 {
		it := take(t, a, 1)
		are(t, "the head after others were buried", it, l[i])
		done(t, a, it[0], driver.InboxBuried)
	}
	dead := func(which ...driver.InboxItem) []driver.InboxItem {
		t.Helper()
		found, err := others.Dead(t.Context(), 10)
		want(t, "Dead", err, nil)
		if !slices.Equal(keys(found), keys(which)) {
			t.Fatalf("%d dead letters are found, not the %d that are buried, the oldest first", len(found), len(which))
		}
		return found
	}
	found := dead(l[:3]...)
	if !bytes.Equal(found[0].Body, l[0].Body) || found[0].Line != l[0].Line || found[0].Tries != 1 {
		t.Fatalf("a dead letter has not the body, the line and the tries that it was buried with")
	}
	one, err := others.Dead(t.Context(), 1)
	want(t, "Dead", err, nil)
	if len(one) != 1 || one[0].ID != found[0].ID {
		t.Fatalf("Dead of at most 1 returned %d, or not the oldest", len(one))
	}
	want(t, "Drop", letters.Drop(t.Context(), found[1].ID), nil)
	want(t, "Drop of what was dropped", others.Drop(t.Context(), found[1].ID), driver.ErrNoItem)
	want(t, "Revive of what was dropped", letters.Revive(t.Context(), found[1].ID), driver.ErrNoItem)
	want(t, "Revive of what never was", letters.Revive(t.Context(), "1nothing"), driver.ErrNoItem)
	want(t, "Revive", letters.Revive(t.Context(), found[0].ID), nil)
	want(t, "Revive of what was revived", others.Revive(t.Context(), found[0].ID), driver.ErrNoItem)
	dead(l[2])
	put(t, "Put of the key of what was dropped", a, l[1], false)
	put(t, "Put of the key of what was revived", a, l[0], false)
	it := take(t, b, 1)
	are(t, "the head, which was there before something was revived", it, l[3])
	done(t, b, it[0], driver.InboxHandled)
	it = take(t, b, 1)
	are(t, "what was revived", it, l[0])
	if it[0].Tries != 1 || !bytes.Equal(it[0].Body, l[0].Body) {
		t.Fatalf("what was revived has %d tries when it is taken, or another body", it[0].Tries)
	}
	done(t, b, it[0], driver.InboxHandled)
	nothing(t, a, "all others are handled or buried")
}

func inboxStats(t testing.TB, p *processes) {
	a, b := p.start(), p.start()
	meter, is := b.(driver.InboxMeter)
	if !is {
		t.Skip("the inbox does not count")
	}
	counts := func(when string, waiting, running, dead int64) driver.InboxStats {
		t.Helper()
		stats, err := meter.InboxStats(t.Context())
		want(t, "InboxStats", err, nil)
		if _, buries := a.(driver.DeadLetters); !buries {
			stats.Dead = dead
		}
		if stats.Waiting != waiting || stats.Running != running || stats.Dead != dead {
			t.Fatalf("%s: %d wait, %d run, %d are dead, not %d, %d and %d",
				when, stats.Waiting, stats.Running, stats.Dead, waiting, running, dead)
		}
		if stats.Oldest < 0 || stats.Oldest > time.Hour || (waiting+running == 0) != (stats.Oldest == 0) {
			t.Fatalf("%s: Oldest is %v", when, stats.Oldest)
		}
		return stats
	}
	counts("at first", 0, 0, 0)
	l := newLine(3)
	putAll(t, a, l)
	time.Sleep(time.Millisecond)
	young := counts("with 3 that wait", 3, 0, 0).Oldest
	it := take(t, a, 1)[0]
	time.Sleep(100 * time.Millisecond)
	if old := counts("with one that runs", 2, 1, 0).Oldest; old-young < 50*time.Millisecond {
		t.Fatalf("Oldest grew by %v in 100ms", old-young)
	}
	done(t, a, it, driver.InboxReturned)
	counts("with one that was returned", 3, 0, 0)
	done(t, b, take(t, b, 1)[0], driver.InboxBuried)
	counts("with one that was buried", 2, 0, 1)
	for range 2 {
		done(t, a, take(t, a, 1)[0], driver.InboxHandled)
	}
	counts("in the end", 0, 0, 1)
}

func inboxBound(t testing.TB, p *processes) {
	inboxes := []driver.Inbox{p.start(), p.start()}
	line := "u" + newKey()[:40]
	unverified := func() driver.InboxItem { return driver.InboxItem{Key: "u" + newKey()[:40], Line: line} }
	const room = 7
	last := unverified()
	put(t, "Put", inboxes[0], last, true)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for n := i + 1; n < driver.MostUnverified-room; n += 16 {
				put(t, "Put", inboxes[i%2], unverified(), true)
			}
		})
	}
	wg.Wait()
	fresh := atOnce(t, driver.ErrLineFull, func(i int) (bool, error) { return inboxes[i%2].Put(t.Context(), unverified()) })
	if fresh != room {
		t.Fatalf("of 20 put at once, with room for %d, %d were stored", room, fresh)
	}
	_, err := inboxes[0].Put(t.Context(), unverified())
	want(t, "Put into a full line", err, driver.ErrLineFull)
	put(t, "Put of a known key into a full line", inboxes[1], last, false)
	putAll(t, inboxes[0], newLine(1))
	other := unverified()
	other.Line = "u" + newKey()[:40]
	put(t, "Put for another portal", inboxes[0], other, true)
	for _, it := range take(t, inboxes[0], 3) {
		done(t, inboxes[0], it, driver.InboxHandled)
	}
	put(t, "Put into a line that was full", inboxes[1], unverified(), true)
	_, err = inboxes[0].Put(t.Context(), unverified())
	want(t, "Put into a line that is full again", err, driver.ErrLineFull)
}
