package storetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/internal/meminbox"
)

// odd is an inbox with something else in place of some methods.
type odd struct {
	*meminbox.Inbox
	put     func(ctx context.Context, it driver.InboxItem) (bool, error)
	take    func(ctx context.Context, n int) ([]driver.InboxItem, error)
	done    func(ctx context.Context, it driver.InboxItem, how driver.InboxOutcome) error
	stats   func(ctx context.Context) (driver.InboxStats, error)
	dead    func(ctx context.Context, n int) ([]driver.InboxItem, error)
	closing func() error
	killing func()
}

func (o *odd) Put(ctx context.Context, it driver.InboxItem) (bool, error) {
	if o.put != nil {
		return o.put(ctx, it)
	}
	return o.Inbox.Put(ctx, it)
}

func (o *odd) Take(ctx context.Context, n int) ([]driver.InboxItem, error) {
	if o.take != nil {
		return o.take(ctx, n)
	}
	return o.Inbox.Take(ctx, n)
}

func (o *odd) Done(ctx context.Context, it driver.InboxItem, how driver.InboxOutcome) error {
	if o.done != nil {
		return o.done(ctx, it, how)
	}
	return o.Inbox.Done(ctx, it, how)
}

func (o *odd) InboxStats(ctx context.Context) (driver.InboxStats, error) {
	if o.stats != nil {
		return o.stats(ctx)
	}
	return o.Inbox.InboxStats(ctx)
}

func (o *odd) Dead(ctx context.Context, n int) ([]driver.InboxItem, error) {
	if o.dead != nil {
		return o.dead(ctx, n)
	}
	return o.Inbox.Dead(ctx, n)
}

func (o *odd) Close() error {
	if o.closing != nil {
		return o.closing()
	}
	return o.Inbox.Close()
}

func (o *odd) kill() {
	if o.killing != nil {
		o.killing()
		return
	}
	o.Kill()
}

// inMemory are processes that share an inbox in memory; each is what change makes of it.
func inMemory(change func(o *odd)) processes {
	s := meminbox.New()
	open := func() *odd {
		o := &odd{Inbox: s.Open()}
		change(o)
		return o
	}
	return processes{
		open:   func(testing.TB) driver.Inbox { return open() },
		mortal: func(testing.TB) mortal { return open() },
	}
}

func rightInbox() processes { return inMemory(func(*odd) {}) }

// broken is a mutant: what change returns breaks each of the processes.
func broken(found string, change func() func(o *odd)) mutant[processes] {
	return mutant[processes]{found, func(processes) processes { return inMemory(change()) }}
}

// each is a mutant whose processes have no defect in common.
func each(found string, change func(o *odd)) mutant[processes] {
	return broken(found, func() func(o *odd) { return change })
}

// disguised has items put with another key or line, and taken with their own.
func disguised(as func(it driver.InboxItem) driver.InboxItem) func(o *odd) {
	var mu sync.Mutex
	faces := map[string]driver.InboxItem{} // by ID of what is inside, or by key of it while it is put
	return func(o *odd) {
		o.put = func(ctx context.Context, it driver.InboxItem) (bool, error) {
			inside := as(it)
			fresh, err := o.Inbox.Put(ctx, inside)
			mu.Lock()
			defer mu.Unlock()
			if fresh {
				faces[inside.Key] = it
			}
			return fresh, err
		}
		o.take = func(ctx context.Context, n int) ([]driver.InboxItem, error) {
			items, err := o.Inbox.Take(ctx, n)
			time.Sleep(time.Microsecond) // what was just put has its face
			mu.Lock()
			defer mu.Unlock()
			for i, it := range items {
				face := faces[it.Key]
				faces[it.ID] = it
				items[i].Key, items[i].Line = face.Key, face.Line
			}
			return items, err
		}
		o.done = func(ctx context.Context, it driver.InboxItem, how driver.InboxOutcome) error {
			mu.Lock()
			inside := faces[it.ID]
			mu.Unlock()
			it.Key, it.Line = inside.Key, inside.Line
			return o.Inbox.Done(ctx, it, how)
		}
	}
}

func hashed(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, " ")))
	return hex.EncodeToString(sum[:])
}

// forgetting forgets the key of what ends like that.
func forgetting(outcome driver.InboxOutcome) func() func(o *odd) {
	return func() func(o *odd) {
		var mu sync.Mutex
		ended := map[string]int{}
		disguise := disguised(func(it driver.InboxItem) driver.InboxItem {
			mu.Lock()
			defer mu.Unlock()
			it.Key = hashed(it.Key, strconv.Itoa(ended[it.Key]))
			return it
		})
		return func(o *odd) {
			disguise(o)
			done := o.done
			o.done = func(ctx context.Context, it driver.InboxItem, how driver.InboxOutcome) error {
				mu.Lock()
				if how == outcome {
					ended[it.Key]++
				}
				mu.Unlock()
				return done(ctx, it, how)
			}
		}
	}
}

// later does what it is told a little after it says that it did, when it lives.
func later(o *odd) func(f func(ctx context.Context)) {
	var mu sync.Mutex
	dead := false
	o.killing = func() {
		mu.Lock()
		defer mu.Unlock()
		dead = true
		o.Kill()
	}
	return func(f func(ctx context.Context)) {
		time.AfterFunc(time.Millisecond, func() {
			mu.Lock()
			defer mu.Unlock()
			if !dead {
				f(context.Background())
			}
		})
	}
}

func TestTheKitFindsBrokenInboxes(t *testing.T) {
	t.Parallel()
	const (
		keeps, heads, turns   = "what is put is taken as it was put", "only the oldest of a line is taken, and by one", "lines take turns"
		knows, once, returned = "a key is known while it waits, while it runs and afterwards", "of many who put a key at once one is the first", "what is returned comes first in its line, and the try does not count"
		lost, closes, closed  = "who has lost the line cannot end it", "Close returns at once what is held, and keeps what waits", "Close ends Take, and nothing works afterwards"
		obeys, counted, bound = "ended contexts are obeyed", "what waits, runs and is buried is counted", "a line that is not verified has a bound"
		frees, counts, killed = "what a killed process held is free, and the try counts", "each kill counts", "a kill among many loses nothing and repeats nothing that was done"
		order, wakes, leaks   = "what is put and handled side by side stays in order", "Take waits, and what another process puts wakes it", "what was taken is lost with no error"
		letters               = "dead letters are kept, revived and dropped"
	)
	swaps := func() func(o *odd) {
		stash := map[string]driver.InboxItem{}
		var mu sync.Mutex
		return func(o *odd) {
			o.put = func(ctx context.Context, it driver.InboxItem) (bool, error) {
				mu.Lock()
				defer mu.Unlock()
				before, is := stash[it.Line]
				if !is {
					stash[it.Line] = it
					return true, nil
				}
				delete(stash, it.Line)
				fresh, err := o.Inbox.Put(ctx, it)
				_, _ = o.Inbox.Put(ctx, before)
				return fresh, err
			}
		}
	}
	loose := func() func(o *odd) {
		return disguised(func(it driver.InboxItem) driver.InboxItem { it.Line = newKey(); return it })
	}
	notice(t, slices.Concat(inboxChecks, killChecks), rightInbox, map[string]mutant[processes]{
		"no order":                                 broken(heads, swaps),
		"a line is no lock":                        broken(heads, loose),
		"a line is no lock, side by side":          broken(order, loose),
		"the key is forgotten after Done":          broken(knows, forgetting(driver.InboxHandled)),
		"the key is forgotten when it is returned": broken(knows, forgetting(driver.InboxReturned)),
		"the key is forgotten with a burial":       broken(knows, forgetting(driver.InboxBuried)),
		"a key counts in its line": broken(knows, func() func(o *odd) {
			return disguised(func(it driver.InboxItem) driver.InboxItem { it.Key = hashed(it.Key, it.Line); return it })
		}),
		"Put in two steps": broken(once, func() func(o *odd) {
			var mu sync.Mutex
			known := map[string]bool{}
			disguise := disguised(func(it driver.InboxItem) driver.InboxItem { it.Key = newKey(); return it })
			return func(o *odd) {
				disguise(o)
				put := o.put
				o.put = func(ctx context.Context, it driver.InboxItem) (bool, error) {
					mu.Lock()
					is := known[it.Key]
					mu.Unlock()
					if is {
						return false, nil
					}
					time.Sleep(time.Microsecond)
					mu.Lock()
					known[it.Key] = true
					mu.Unlock()
					return put(ctx, it)
				}
			}
		}),
		"the clock of the caller": broken(keeps, func() func(o *odd) {
			var mu sync.Mutex
			at := map[string]time.Time{}
			return func(o *odd) {
				o.put = func(ctx context.Context, it driver.InboxItem) (bool, error) {
					mu.Lock()
					defer mu.Unlock()
					at[it.Key] = it.At
					return o.Inbox.Put(ctx, it)
				}
				o.take = func(ctx context.Context, n int) ([]driver.InboxItem, error) {
					items, err := o.Inbox.Take(ctx, n)
					mu.Lock()
					defer mu.Unlock()
					for i, it := range items {
						items[i].At = at[it.Key]
					}
					return items, err
				}
			}
		}),
		"bodies are text": each(keeps, func(o *odd) {
			o.put = func(ctx context.Context, it driver.InboxItem) (bool, error) {
				it.Body = []byte(strings.ToValidUTF8(string(it.Body), "?"))
				return o.Inbox.Put(ctx, it)
			}
		}),
		"Take ignores how many": each(heads, func(o *odd) {
			o.take = func(ctx context.Context, n int) ([]driver.InboxItem, error) { return o.Inbox.Take(ctx, n+1) }
		}),
		"the oldest first, without turns": each(turns, func(o *odd) {
			o.take = func(ctx context.Context, _ int) ([]driver.InboxItem, error) {
				items, err := o.Inbox.Take(ctx, 100)
				slices.SortFunc(items, func(a, b driver.InboxItem) int {
					return len(a.ID)*100 - len(b.ID)*100 + strings.Compare(a.ID, b.ID)
				})
				for _, it := range items[min(1, len(items)):] {
					_ = o.Inbox.Done(ctx, it, driver.InboxReturned)
				}
				return items[:min(1, len(items))], err
			}
		}),
		"what is returned counts": broken(returned, func() func(o *odd) {
			var mu sync.Mutex
			more := map[string]int{}
			return func(o *odd) {
				o.take = func(ctx context.Context, n int) ([]driver.InboxItem, error) {
					items, err := o.Inbox.Take(ctx, n)
					mu.Lock()
					defer mu.Unlock()
					for i := range items {
						items[i].Tries += more[items[i].ID]
					}
					return items, err
				}
				o.done = func(ctx context.Context, it driver.InboxItem, how driver.InboxOutcome) error {
					mu.Lock()
					defer mu.Unlock()
					if how == driver.InboxReturned {
						more[it.ID]++
					}
					return o.Inbox.Done(ctx, it, how)
				}
			}
		}),
		"what is returned goes to the end": each(returned, func(o *odd) {
			o.done = func(ctx context.Context, it driver.InboxItem, how driver.InboxOutcome) error {
				if how != driver.InboxReturned {
					return o.Inbox.Done(ctx, it, how)
				}
				_ = o.Inbox.Done(ctx, it, driver.InboxBuried)
				return o.Revive(ctx, it.ID)
			}
		}),
		"Done of a lost lease deletes": broken(lost, func() func(o *odd) {
			var mu sync.Mutex
			leases := map[string]string{}
			return func(o *odd) {
				o.take = func(ctx context.Context, n int) ([]driver.InboxItem, error) {
					items, err := o.Inbox.Take(ctx, n)
					mu.Lock()
					defer mu.Unlock()
					for _, it := range items {
						leases[it.ID] = it.Lease
					}
					return items, err
				}
				o.done = func(ctx context.Context, it driver.InboxItem, how driver.InboxOutcome) error {
					mu.Lock()
					it.Lease = leases[it.ID]
					mu.Unlock()
					return o.Inbox.Done(ctx, it, how)
				}
			}
		}),
		"Done of a lost lease is quiet": each(lost, func(o *odd) {
			o.done = func(ctx context.Context, it driver.InboxItem, how driver.InboxOutcome) error {
				if err := o.Inbox.Done(ctx, it, how); err != driver.ErrTakenOver {
					return err
				}
				return nil
			}
		}),
		"Take loses what it took when its context ends": each(leaks, func(o *odd) {
			o.take = func(ctx context.Context, n int) ([]driver.InboxItem, error) {
				items, err := o.Inbox.Take(ctx, n)
				time.Sleep(time.Millisecond)
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				return items, err
			}
		}),
		"Take looks once a minute": each(wakes, func(o *odd) {
			o.take = func(ctx context.Context, n int) ([]driver.InboxItem, error) {
				for {
					now, cancel := context.WithTimeout(ctx, time.Microsecond)
					items, err := o.Inbox.Take(now, n)
					cancel()
					if err == nil {
						return items, nil
					}
					select {
					case <-time.After(time.Minute):
					case <-ctx.Done():
						return nil, ctx.Err()
					}
				}
			}
		}),
		"Put ignores its context": each(obeys, func(o *odd) {
			o.put = func(_ context.Context, it driver.InboxItem) (bool, error) {
				return o.Inbox.Put(context.Background(), it)
			}
		}),
		"Done ignores its context": each(obeys, func(o *odd) {
			o.done = func(_ context.Context, it driver.InboxItem, how driver.InboxOutcome) error {
				return o.Inbox.Done(context.Background(), it, how)
			}
		}),
		"Close keeps":     each(closes, func(o *odd) { o.closing = func() error { return nil } }),
		"Close counts":    each(closes, func(o *odd) { o.closing = func() error { o.Kill(); return nil } }),
		"Close is no end": each(closed, func(o *odd) { o.closing = func() error { o.Lose(); return nil } }),
		"the second Close is an error": each(closed, func(o *odd) {
			o.closing = sync.OnceValue(func() error { o.closing = func() error { return driver.ErrClosed }; return o.Inbox.Close() })
		}),
		"dead letters, the newest first": each(letters, func(o *odd) {
			o.dead = func(ctx context.Context, n int) ([]driver.InboxItem, error) {
				all, err := o.Inbox.Dead(ctx, 1000)
				slices.Reverse(all)
				return all[:min(n, len(all))], err
			}
		}),
		"who runs is not counted": each(counted, func(o *odd) {
			o.stats = func(ctx context.Context) (driver.InboxStats, error) {
				stats, err := o.Inbox.InboxStats(ctx)
				stats.Running = 0
				return stats, err
			}
		}),
		"no bound": broken(bound, func() func(o *odd) {
			return disguised(func(it driver.InboxItem) driver.InboxItem {
				it.Line = strings.Replace(it.Line, "u", "v", 1)
				return it
			})
		}),
		"one bound for all portals": broken(bound, func() func(o *odd) {
			return disguised(func(it driver.InboxItem) driver.InboxItem {
				if it.Line[0] == 'u' {
					it.Line = "u"
				}
				return it
			})
		}),
		"tries are not counted": each(counts, func(o *odd) {
			o.take = func(ctx context.Context, n int) ([]driver.InboxItem, error) {
				items, err := o.Inbox.Take(ctx, n)
				for i := range items {
					items[i].Tries = 1
				}
				return items, err
			}
		}),
		"the line of a killed process stays held": each(frees, func(o *odd) { o.killing = func() {} }),
		"a kill returns": each(frees, func(o *odd) { o.killing = func() { _ = o.Close() } }),
		"Put answers before it stores": each(killed, func(o *odd) {
			wait := later(o)
			o.put = func(_ context.Context, it driver.InboxItem) (bool, error) {
				wait(func(ctx context.Context) { _, _ = o.Inbox.Put(ctx, it) })
				return true, nil
			}
		}),
		"Done answers before it is written": each(frees, func(o *odd) {
			wait := later(o)
			o.done = func(_ context.Context, it driver.InboxItem, how driver.InboxOutcome) error {
				wait(func(ctx context.Context) { _ = o.Inbox.Done(ctx, it, how) })
				return nil
			}
		}),
	})
}

func TestKillsOfTheInboxInMemory(t *testing.T) {
	t.Parallel()
	for _, single := range []bool{false, true} {
		for _, c := range killChecks {
			synctest.Test(t, func(t *testing.T) {
				p := rightInbox()
				p.single = single
				require.Empty(t, try(t, c, func() processes { return p }), c.name)
			})
		}
	}
}
