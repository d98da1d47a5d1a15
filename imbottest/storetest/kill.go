package storetest

import (
	"context"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/imbot-go/imbot/driver"
)

// Kill checks what a [driver.Inbox] keeps when a process dies, by killing processes: each is the
// test binary once more, with this test alone, and ends by SIGKILL. So it is the first that a test
// of its own calls:
//
//	func TestKill(t *testing.T) {
//		storetest.Kill(t, func(t testing.TB) string { return startServer(t).DSN },
//			func(t testing.TB, dsn string) driver.Inbox { return connect(t, dsn) })
//	}
//
// start is called once, in the process that stays. What it returns tells the others where the store
// is: an address or a path. It is in their environment, so it belongs to a store for tests. open is
// called in each process, with that. As for [Inbox] the store is one of its own; how long the items
// of the dead were held is in the log of the test.
func Kill(t *testing.T, start func(testing.TB) string, open func(t testing.TB, where string) driver.Inbox, opts ...InboxOption) {
	t.Helper()
	switch os.Getenv(envTest) {
	case "":
	case t.Name():
		serve(t, open(t, os.Getenv(envStore)))
	default:
		t.Skip("this process is to be killed by another test")
	}
	name, where := t.Name(), start(t)
	p := newProcesses(func(t testing.TB) driver.Inbox { return open(t, where) }, opts)
	p.mortal = func(t testing.TB) mortal { return newVictim(t, name, where) }
	for _, c := range killChecks {
		t.Run(c.name, func(t *testing.T) { c.run(t, func() processes { return p }) })
	}
}

var killChecks = []check[processes]{
	inbox("what a killed process held is free, and the try counts", killFrees),
	inbox("each kill counts", killCounts),
	inbox("a kill among many loses nothing and repeats nothing that was done", killLosesNothing),
}

// mortal is a process that can be killed.
type mortal interface {
	taker
	kill()
}

// dies ends a process that can be killed, and returns one that was there before, or the next one.
func (p *processes) dies(m mortal) driver.Inbox {
	p.t.Helper()
	if p.single {
		m.kill()
		return p.start()
	}
	b := p.start()
	m.kill()
	return b
}

// dying is a mortal, and nobody else of an engine for a single one.
func (p *processes) dying() mortal {
	p.t.Helper()
	if p.single {
		p.end()
	}
	return p.mortal(p.t)
}

func killFrees(t testing.TB, p *processes) {
	m := p.dying()
	one, two, three := newLine(2), newLine(2), newLine(2)
	for _, l := range [][]driver.InboxItem{one, two, three} {
		putAll(t, m, l)
	}
	for _, it := range take(t, m, 3) {
		switch it.Line {
		case one[0].Line:
			done(t, m, it, driver.InboxHandled)
		case two[0].Line:
			done(t, m, it, driver.InboxReturned)
		}
	}
	begun := time.Now()
	b := p.dies(m)
	items := take(t, b, 3)
	t.Logf("what a killed process held was taken after %v", time.Since(begun).Round(time.Millisecond))
	are(t, "the heads after a kill", items, one[1], two[0], three[0])
	for _, it := range items {
		if tries := map[string]int{three[0].Key: 2}[it.Key]; it.Tries != max(tries, 1) {
			t.Fatalf("Tries is %d after a kill, not %d", it.Tries, max(tries, 1))
		}
		done(t, b, it, driver.InboxHandled)
	}
	are(t, "what waited behind it", take(t, b, 2), two[1], three[1])
	for _, it := range []driver.InboxItem{one[0], two[0], three[1]} {
		put(t, "Put of a key that was known before the kill", b, it, false)
	}
	nothing(t, b, "all else is handled or held")
}

func killCounts(t testing.TB, p *processes) {
	l := newLine(2)
	const kills = 3
	for i := range kills {
		m := p.dying()
		if i == 0 {
			putAll(t, m, l)
		}
		it := take(t, m, 1)
		are(t, "the head of the line", it, l[0])
		if it[0].Tries != i+1 {
			t.Fatalf("Tries is %d after %d kills", it[0].Tries, i)
		}
		m.kill()
	}
	b := p.start()
	it := take(t, b, 1)[0]
	done(t, b, it, driver.InboxReturned)
	again := take(t, b, 1)[0]
	are(t, "the head of the line", []driver.InboxItem{it, again}, l[0], l[0])
	if it.Tries != kills+1 || again.Tries != kills+1 {
		t.Fatalf("Tries is %d, and %d after it was returned, after %d kills", it.Tries, again.Tries, kills)
	}
	done(t, b, again, driver.InboxHandled)
	it = take(t, b, 1)[0]
	are(t, "the next of the line", []driver.InboxItem{it}, l[1])
	if it.Tries != 1 {
		t.Fatalf("Tries is %d for the neighbour of what died", it.Tries)
	}
}

func killLosesNothing(t testing.TB, p *processes) {
	const lines, most = 8, 1000
	m := p.dying()
	var mu sync.Mutex
	stored := map[string][]string{} // the keys that were acknowledged, by line
	ended := map[string]bool{}      // the keys that were taken; true: and done
	enough, count := make(chan struct{}), 0
	var wg sync.WaitGroup
	for range lines {
		l := newLine(most)
		wg.Go(func() {
			for _, it := range l {
				if fresh, err := m.Put(t.Context(), it); err != nil || !fresh {
					return // it is dead
				}
				mu.Lock()
				stored[it.Line] = append(stored[it.Line], it.Key)
				if count++; count == 25*lines {
					close(enough)
				}
				mu.Unlock()
			}
		})
	}
	wg.Go(func() {
		for {
			items, err := m.Take(t.Context(), 3)
			if err != nil {
				return
			}
			for _, it := range items {
				mu.Lock()
				ended[it.Key] = false
				mu.Unlock()
				if m.Done(t.Context(), it, driver.InboxHandled) == nil {
					mu.Lock()
					ended[it.Key] = true
					mu.Unlock()
				}
			}
		}
	})
	select {
	case <-enough:
	case <-time.After(patience):
		t.Errorf("%d items were not put within %v", 25*lines, patience)
	}
	b := p.dies(m)
	wg.Wait()
	missing := map[string]bool{}
	for _, l := range stored {
		for _, key := range l {
			if _, taken := ended[key]; !taken {
				missing[key] = true
			}
		}
	}
	found, wait := map[string][]string{}, patience
	for {
		if len(missing) == 0 {
			wait = shortly
		}
		ctx, cancel := context.WithTimeout(t.Context(), wait)
		items, err := b.Take(ctx, 3)
		cancel()
		if err != nil {
			want(t, "Take", err, context.DeadlineExceeded)
			break
		}
		for _, it := range items {
			found[it.Line] = append(found[it.Line], it.Key)
			delete(missing, it.Key)
			done(t, b, it, driver.InboxHandled)
		}
	}
	if len(missing) > 0 {
		t.Fatalf("a kill lost %d of %d items that were acknowledged", len(missing), count)
	}
	for line, l := range stored {
		left := slices.DeleteFunc(slices.Clone(l), func(key string) bool {
			finished, taken := ended[key]
			return finished || taken && !slices.Contains(found[line], key) // its answer got lost
		})
		got := found[line]
		if n := len(got); n > 0 && !slices.Contains(l, got[n-1]) {
			got = got[:n-1] // stored, and its answer got lost
		}
		if !slices.Equal(got, left) {
			t.Fatalf("after a kill %d items of a line were taken, or in another order, where %d were left", len(got), len(left))
		}
	}
}
