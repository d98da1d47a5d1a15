package storetest

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imbot-go/imbot/driver"
)

const (
	atOnceIs = patience / 4           // machines are busy
	shortly  = 300 * time.Millisecond // in which nothing comes that must not come
)

// InboxOption says to [Inbox] and [Kill] what an engine is like.
type InboxOption func(*processes)

// Single is for an engine that one process at a time may open: "another process" is then the next
// one, after Close or after a kill.
func Single() InboxOption { return func(p *processes) { p.single = true } }

// processes are those that share the inbox of a check.
type processes struct {
	open    func(testing.TB) driver.Inbox
	mortal  func(testing.TB) mortal // one that can be killed
	single  bool
	t       testing.TB
	running []driver.Inbox
}

func newProcesses(open func(testing.TB) driver.Inbox, opts []InboxOption) processes {
	p := processes{open: open}
	for _, opt := range opts {
		opt(&p)
	}
	return p
}

// inbox is a check of an inbox that is empty at its begin.
func inbox(name string, f func(t testing.TB, p *processes)) check[processes] {
	return check[processes]{name, func(t testing.TB, open func() processes) {
		t.Helper()
		p := open()
		p.t = t
		defer p.end()
		p.empty()
		f(t, &p)
	}}
}

// start is a process beside the others; of an engine for a single one that one.
func (p *processes) start() driver.Inbox {
	p.t.Helper()
	if p.single && len(p.running) > 0 {
		return p.running[0]
	}
	b := p.open(p.t)
	p.running = append(p.running, b)
	return b
}

// closes ends a process, and returns one that was there before, or the next one.
func (p *processes) closes(a driver.Inbox) driver.Inbox {
	p.t.Helper()
	if p.single {
		want(p.t, "Close", a.Close(), nil)
		p.running = nil
		return p.start()
	}
	b := p.start()
	want(p.t, "Close", a.Close(), nil)
	return b
}

func (p *processes) end() {
	for _, b := range p.running {
		if err := b.Close(); err != nil {
			p.t.Errorf("Close: %v", err)
		}
	}
	p.running = nil
}

// empty takes what others have left.
func (p *processes) empty() {
	p.t.Helper()
	b := p.start()
	if letters, is := b.(driver.DeadLetters); is {
		for {
			dead, err := letters.Dead(p.t.Context(), 1000)
			want(p.t, "Dead", err, nil)
			if len(dead) == 0 {
				break
			}
			for _, it := range dead {
				want(p.t, "Drop", letters.Drop(p.t.Context(), it.ID), nil)
			}
		}
	}
	for {
		if meter, is := b.(driver.InboxMeter); is {
			if stats, err := meter.InboxStats(p.t.Context()); err == nil && stats.Waiting+stats.Running == 0 {
				return
			}
		}
		ctx, cancel := context.WithTimeout(p.t.Context(), shortly)
		items, err := b.Take(ctx, 100)
		cancel()
		if err != nil {
			want(p.t, "Take", err, context.DeadlineExceeded)
			return
		}
		for _, it := range items {
			done(p.t, b, it, driver.InboxHandled)
		}
	}
}

// taker is what an Inbox does to items, here or in another process.
type taker interface {
	Put(ctx context.Context, it driver.InboxItem) (fresh bool, err error)
	Take(ctx context.Context, n int) ([]driver.InboxItem, error)
	Done(ctx context.Context, it driver.InboxItem, how driver.InboxOutcome) error
}

// newLine returns items of a line of their own.
func newLine(n int) []driver.InboxItem {
	line, items := newKey(), make([]driver.InboxItem, n)
	for i := range items {
		items[i] = driver.InboxItem{Key: newKey(), Line: line, Body: []byte(strconv.Itoa(i))}
	}
	return items
}

func put(t testing.TB, what string, b taker, it driver.InboxItem, expected bool) {
	t.Helper()
	fresh, err := b.Put(t.Context(), it)
	if err != nil || fresh != expected {
		t.Errorf("%s: fresh is %t, not %t; the error is %v", what, fresh, expected, err)
	}
}

func putAll(t testing.TB, b taker, items []driver.InboxItem) {
	t.Helper()
	for _, it := range items {
		put(t, "Put", b, it, true)
	}
}

// take takes n items, however often it has to.
func take(t testing.TB, b taker, n int) []driver.InboxItem {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var all []driver.InboxItem
	for len(all) < n {
		items, err := b.Take(ctx, n-len(all))
		if err != nil {
			t.Fatalf("Take, which has %d of %d items: %v", len(all), n, err)
		}
		if len(items) == 0 || len(items) > n-len(all) {
			t.Fatalf("Take of at most %d returned %d", n-len(all), len(items))
		}
		all = append(all, items...)
	}
	return all
}

func nothing(t testing.TB, b taker, why string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), shortly)
	defer cancel()
	items, err := b.Take(ctx, 10)
	if len(items) > 0 {
		t.Fatalf("Take returned %d items, though %s", len(items), why)
	}
	want(t, "Take, which has nothing, as "+why, err, context.DeadlineExceeded)
}

func done(t testing.TB, b taker, it driver.InboxItem, how driver.InboxOutcome) {
	t.Helper()
	if err := b.Done(t.Context(), it, how); err != nil {
		t.Fatalf("Done(%v): %v", how, err)
	}
}

func keys(items []driver.InboxItem) []string {
	all := make([]string, len(items))
	for i, it := range items {
		all[i] = it.Key
	}
	return all
}

// are says that items have the keys of the expected ones, in any order.
func are(t testing.TB, what string, items []driver.InboxItem, expected ...driver.InboxItem) {
	t.Helper()
	if got, wanted := slices.Sorted(slices.Values(keys(items))), slices.Sorted(slices.Values(keys(expected))); !slices.Equal(got, wanted) {
		t.Fatalf("%s: %d items, not the %d that it must be", what, len(got), len(wanted))
	}
}

// atOnce lets 20 put at the same time, and counts whose item was fresh.
func atOnce(t testing.TB, otherwise error, put func(i int) (bool, error)) int {
	t.Helper()
	var fresh atomic.Int32
	var wg sync.WaitGroup
	begin := make(chan struct{})
	for i := range 20 {
		wg.Go(func() {
			<-begin
			first, err := put(i)
			if err != nil && (otherwise == nil || !errors.Is(err, otherwise)) {
				t.Errorf("Put: %v", err)
			}
			if first {
				fresh.Add(1)
			}
		})
	}
	close(begin)
	wg.Wait()
	return int(fresh.Load())
}
