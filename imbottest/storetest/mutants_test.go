package storetest

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/driver"
)

// tries is a test that may fail.
type tries struct {
	testing.TB
	mu     sync.Mutex
	failed string
}

func (t *tries) Helper() {}
func (t *tries) Errorf(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failed += fmt.Sprintf(format, args...) + "\n"
}
func (t *tries) Fatalf(format string, args ...any) { t.Errorf(format, args...); runtime.Goexit() }
func (t *tries) Skip(args ...any)                  { t.Errorf("skipped: %v", args); runtime.Goexit() }

// try returns how a check fails; "" when it does not.
func try[S any](t *testing.T, c check[S], open func() S) string {
	tb := &tries{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.run(tb, open)
	}()
	<-done
	return tb.failed
}

// A mutant is a version of something with one defect, and the name of the check that has to find it.
type mutant[S any] struct {
	found string
	open  func(good S) S // is called for each process
}

// notice requires that each mutant is found, and what is right is not.
func notice[S any](t *testing.T, checks []check[S], good func() S, mutants map[string]mutant[S]) {
	for name, m := range mutants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, c := range checks {
				if c.name != m.found {
					continue
				}
				synctest.Test(t, func(t *testing.T) {
					s := good()
					require.Empty(t, try(t, c, func() S { return s }), "the right one")
					broken := good()
					failed := try(t, c, func() S { return m.open(broken) })
					time.Sleep(time.Minute) // whom the check has left waiting
					t.Log(strings.TrimSpace(failed))
					require.NotEmpty(t, failed)
				})
				return
			}
			t.Fatalf("no check is called %q", m.found)
		})
	}
}

// tokens is a TokenStore with something else in place of some methods.
type tokens struct {
	imbot.TokenStore
	load    func(ctx context.Context, member string) (imbot.Grant, error)
	swap    func(ctx context.Context, old, new imbot.Grant) error
	lock    func(ctx context.Context, member string) (func(), error)
	members func(ctx context.Context) iter.Seq2[string, error]
}

func (s tokens) Load(ctx context.Context, member string) (imbot.Grant, error) {
	if s.load != nil {
		return s.load(ctx, member)
	}
	return s.TokenStore.Load(ctx, member)
}

func (s tokens) Swap(ctx context.Context, old, new imbot.Grant) error {
	if s.swap != nil {
		return s.swap(ctx, old, new)
	}
	return s.TokenStore.Swap(ctx, old, new)
}

func (s tokens) Lock(ctx context.Context, member string) (func(), error) {
	if s.lock != nil {
		return s.lock(ctx, member)
	}
	return s.TokenStore.(imbot.TokenLocker).Lock(ctx, member)
}

func (s tokens) Members(ctx context.Context) iter.Seq2[string, error] {
	if s.members != nil {
		return s.members(ctx)
	}
	return s.TokenStore.(imbot.TokenLister).Members(ctx)
}

func TestTheKitFindsBrokenTokenStores(t *testing.T) {
	t.Parallel()
	none := imbot.Grant{}
	swaps := func(swap func(s imbot.TokenStore, ctx context.Context, old, new imbot.Grant) error) func(imbot.TokenStore) imbot.TokenStore {
		return func(good imbot.TokenStore) imbot.TokenStore {
			return tokens{TokenStore: good, swap: func(ctx context.Context, old, new imbot.Grant) error { return swap(good, ctx, old, new) }}
		}
	}
	force := func(s imbot.TokenStore, ctx context.Context, member string, new imbot.Grant) error {
		for {
			held, err := s.Load(ctx, member)
			if err != nil && err != imbot.ErrNotFound {
				return err
			}
			if held == none && new == none {
				return nil
			}
			if err := s.Swap(ctx, held, new); err != imbot.ErrConflict {
				return err
			}
		}
	}
	files := func() imbot.TokenStore { return imbot.NewFileStore(t.TempDir() + "/grants") }
	notice(t, tokenChecks, files, map[string]mutant[imbot.TokenStore]{
		"each process has its own": {tokenChecks[0].name, func(imbot.TokenStore) imbot.TokenStore { return imbot.NewMemoryStore() }},
		"a process keeps what it has read": {tokenChecks[0].name, func(good imbot.TokenStore) imbot.TokenStore {
			var read sync.Map
			return tokens{TokenStore: good, load: func(ctx context.Context, member string) (imbot.Grant, error) {
				if g, ok := read.Load(member); ok {
					return g.(imbot.Grant), nil
				}
				g, err := good.Load(ctx, member)
				if err == nil {
					read.Store(member, g)
				}
				return g, err
			}}
		}},
		"Swap asks for nothing": {tokenChecks[1].name, swaps(func(s imbot.TokenStore, ctx context.Context, old, new imbot.Grant) error {
			return force(s, ctx, max(old.MemberID, new.MemberID), new)
		})},
		"Swap compares the access token only": {tokenChecks[1].name, swaps(func(s imbot.TokenStore, ctx context.Context, old, new imbot.Grant) error {
			if held, err := s.Load(ctx, old.MemberID); err == nil && held.AccessToken == old.AccessToken {
				old = held
			}
			return s.Swap(ctx, old, new)
		})},
		"Swap deletes what is another": {tokenChecks[1].name, swaps(func(s imbot.TokenStore, ctx context.Context, old, new imbot.Grant) error {
			if new == none && old != none {
				return force(s, ctx, old.MemberID, new)
			}
			return s.Swap(ctx, old, new)
		})},
		"a column is too short": {tokenChecks[2].name, swaps(func(s imbot.TokenStore, ctx context.Context, old, new imbot.Grant) error {
			new.Scope = new.Scope[:min(len(new.Scope), 255)]
			return s.Swap(ctx, old, new)
		})},
		"portals are told apart without regard to case": {tokenChecks[2].name, func(good imbot.TokenStore) imbot.TokenStore {
			return tokens{TokenStore: good,
				load: func(ctx context.Context, member string) (imbot.Grant, error) {
					return good.Load(ctx, strings.ToLower(member))
				},
				swap: func(ctx context.Context, old, new imbot.Grant) error {
					old.MemberID, new.MemberID = strings.ToLower(old.MemberID), strings.ToLower(new.MemberID)
					return good.Swap(ctx, old, new)
				}}
		}},
		"Swap is two steps": {tokenChecks[3].name, swaps(func(s imbot.TokenStore, ctx context.Context, old, new imbot.Grant) error {
			if held, _ := s.Load(ctx, new.MemberID); !bytes.Equal(held.Encode(), old.Encode()) {
				return imbot.ErrConflict
			}
			time.Sleep(20 * time.Millisecond)
			return force(s, ctx, new.MemberID, new)
		})},
		"an update that changes nothing counts no row": {tokenChecks[4].name, swaps(func(s imbot.TokenStore, ctx context.Context, old, new imbot.Grant) error {
			if bytes.Equal(old.Encode(), new.Encode()) {
				return imbot.ErrConflict
			}
			return s.Swap(ctx, old, new)
		})},
		"equal grants are not looked up": {tokenChecks[4].name, swaps(func(s imbot.TokenStore, ctx context.Context, old, new imbot.Grant) error {
			if old == new && old != none {
				return nil
			}
			return s.Swap(ctx, old, new)
		})},
		"nonsense is let through": {tokenChecks[5].name, swaps(func(s imbot.TokenStore, ctx context.Context, old, new imbot.Grant) error {
			if old == new && old == none {
				return nil
			}
			return s.Swap(ctx, old, new)
		})},
		"contexts are ignored": {tokenChecks[5].name, swaps(func(s imbot.TokenStore, ctx context.Context, old, new imbot.Grant) error {
			return s.Swap(context.WithoutCancel(ctx), old, new)
		})},
		"Lock locks nothing": {tokenChecks[6].name, func(good imbot.TokenStore) imbot.TokenStore {
			return tokens{TokenStore: good, lock: func(context.Context, string) (func(), error) { return func() {}, nil }}
		}},
		"Lock knows one process only": {tokenChecks[6].name, func(good imbot.TokenStore) imbot.TokenStore {
			return imbot.NewFileStore(t.TempDir() + "/grants")
		}},
		"Lock locks all portals": {tokenChecks[6].name, func(good imbot.TokenStore) imbot.TokenStore {
			return tokens{TokenStore: good, lock: func(ctx context.Context, _ string) (func(), error) {
				short, cancel := context.WithTimeout(ctx, time.Second)
				defer cancel()
				return good.(imbot.TokenLocker).Lock(short, "all")
			}}
		}},
		"Members tells a portal twice": {tokenChecks[7].name, func(good imbot.TokenStore) imbot.TokenStore {
			return tokens{TokenStore: good, members: func(ctx context.Context) iter.Seq2[string, error] {
				return func(yield func(string, error) bool) {
					for member, err := range good.(imbot.TokenLister).Members(ctx) {
						for range 2 {
							if !yield(member, err) {
								return
							}
						}
					}
				}
			}}
		}},
		"Members tells nothing": {tokenChecks[7].name, func(good imbot.TokenStore) imbot.TokenStore {
			return tokens{TokenStore: good, members: func(context.Context) iter.Seq2[string, error] { return func(func(string, error) bool) {} }}
		}},
		"Members ignores its context": {tokenChecks[7].name, func(good imbot.TokenStore) imbot.TokenStore {
			return tokens{TokenStore: good, members: func(ctx context.Context) iter.Seq2[string, error] {
				return good.(imbot.TokenLister).Members(context.WithoutCancel(ctx))
			}}
		}},
	})
}

// states is a StateStore with something else in place of its methods.
type states struct {
	driver.StateStore
	load func(ctx context.Context, key string) ([]byte, error)
	swap func(ctx context.Context, key string, old, new []byte, ttl time.Duration) error
}

func (s states) Load(ctx context.Context, key string) ([]byte, error) {
	if s.load != nil {
		return s.load(ctx, key)
	}
	return s.StateStore.Load(ctx, key)
}

func (s states) Swap(ctx context.Context, key string, old, new []byte, ttl time.Duration) error {
	if s.swap != nil {
		return s.swap(ctx, key, old, new, ttl)
	}
	return s.StateStore.Swap(ctx, key, old, new, ttl)
}

func TestTheKitFindsBrokenStateStores(t *testing.T) {
	t.Parallel()
	type swap = func(ctx context.Context, key string, old, new []byte, ttl time.Duration) error
	swaps := func(change func(s driver.StateStore) swap) func(driver.StateStore) driver.StateStore {
		return func(good driver.StateStore) driver.StateStore { return states{StateStore: good, swap: change(good)} }
	}
	times := func(change func(ttl time.Duration) time.Duration) func(driver.StateStore) driver.StateStore {
		return swaps(func(s driver.StateStore) swap {
			return func(ctx context.Context, key string, old, new []byte, ttl time.Duration) error {
				return s.Swap(ctx, key, old, new, change(ttl))
			}
		})
	}
	notice(t, stateChecks, imbot.NewStateStore, map[string]mutant[driver.StateStore]{
		"each process has its own": {stateChecks[0].name, func(driver.StateStore) driver.StateStore { return imbot.NewStateStore() }},
		"a deleted state stays": {stateChecks[0].name, swaps(func(s driver.StateStore) swap {
			return func(ctx context.Context, key string, old, new []byte, ttl time.Duration) error {
				if new == nil {
					return nil
				}
				return s.Swap(ctx, key, old, new, ttl)
			}
		})},
		"Swap compares the beginning": {stateChecks[1].name, swaps(func(s driver.StateStore) swap {
			return func(ctx context.Context, key string, old, new []byte, ttl time.Duration) error {
				if held, err := s.Load(ctx, key); err == nil && old != nil && bytes.HasPrefix(held, old) {
					old = held
				}
				return s.Swap(ctx, key, old, new, ttl)
			}
		})},
		"an insert overwrites": {stateChecks[1].name, swaps(func(s driver.StateStore) swap {
			return func(ctx context.Context, key string, old, new []byte, ttl time.Duration) error {
				if held, err := s.Load(ctx, key); err == nil && old == nil {
					old = held
				}
				return s.Swap(ctx, key, old, new, ttl)
			}
		})},
		"keys are cut": {stateChecks[1].name, func(good driver.StateStore) driver.StateStore {
			return states{StateStore: good,
				load: func(ctx context.Context, key string) ([]byte, error) { return good.Load(ctx, key[:0]) },
				swap: func(ctx context.Context, key string, old, new []byte, ttl time.Duration) error {
					return good.Swap(ctx, key[:0], old, new, ttl)
				}}
		}},
		"bytes end with NUL": {stateChecks[2].name, func(good driver.StateStore) driver.StateStore {
			return states{StateStore: good, load: func(ctx context.Context, key string) ([]byte, error) {
				value, err := good.Load(ctx, key)
				value, _, _ = bytes.Cut(value, []byte{0})
				return value, err
			}}
		}},
		"the bytes of the caller are kept": {stateChecks[3].name, func(good driver.StateStore) driver.StateStore {
			var kept sync.Map
			return states{StateStore: good,
				load: func(ctx context.Context, key string) ([]byte, error) {
					if value, ok := kept.Load(key); ok {
						return value.([]byte), nil
					}
					return good.Load(ctx, key)
				},
				swap: func(ctx context.Context, key string, old, new []byte, ttl time.Duration) error {
					err := good.Swap(ctx, key, old, new, ttl)
					if err == nil {
						kept.Store(key, new)
					}
					return err
				}}
		}},
		"Swap is two steps": {stateChecks[4].name, swaps(func(s driver.StateStore) swap {
			return func(ctx context.Context, key string, old, new []byte, ttl time.Duration) error {
				held, _ := s.Load(ctx, key)
				if !bytes.Equal(held, old) {
					return imbot.ErrConflict
				}
				time.Sleep(20 * time.Millisecond)
				for {
					held, _ := s.Load(ctx, key)
					if err := s.Swap(ctx, key, held, new, ttl); err != imbot.ErrConflict {
						return err
					}
				}
			}
		})},
		"nothing ends":             {stateChecks[5].name, times(func(time.Duration) time.Duration { return time.Hour })},
		"seconds are milliseconds": {stateChecks[5].name, times(func(ttl time.Duration) time.Duration { return ttl / 1000 })},
		"the clock is slow":        {stateChecks[5].name, times(func(ttl time.Duration) time.Duration { return 6 * ttl })},
		"a swap keeps the first time": {stateChecks[6].name, func(good driver.StateStore) driver.StateStore {
			var first sync.Map
			return states{StateStore: good, swap: func(ctx context.Context, key string, old, new []byte, ttl time.Duration) error {
				until, _ := first.LoadOrStore(key, ttl)
				return good.Swap(ctx, key, old, new, until.(time.Duration))
			}}
		}},
		"a swap only prolongs": {stateChecks[6].name, times(func(ttl time.Duration) time.Duration { return max(ttl, time.Minute) })},
		"contexts are ignored": {stateChecks[7].name, swaps(func(s driver.StateStore) swap {
			return func(ctx context.Context, key string, old, new []byte, ttl time.Duration) error {
				return s.Swap(context.WithoutCancel(ctx), key, old, new, ttl)
			}
		})},
	})
}

// claiming are Claims with something else in place of their methods.
type claiming struct {
	driver.Claims
	claim   func(ctx context.Context, key string) (bool, error)
	release func(ctx context.Context, key string) error
}

func (c claiming) Claim(ctx context.Context, key string) (bool, error) {
	if c.claim != nil {
		return c.claim(ctx, key)
	}
	return c.Claims.Claim(ctx, key)
}

func (c claiming) Release(ctx context.Context, key string) error {
	if c.release != nil {
		return c.release(ctx, key)
	}
	return c.Claims.Release(ctx, key)
}

func TestTheKitFindsBrokenClaims(t *testing.T) {
	t.Parallel()
	good := func() driver.Claims { return imbot.NewClaims(10_000) }
	notice(t, claimChecks, good, map[string]mutant[driver.Claims]{
		"each process has its own": {claimChecks[0].name, func(driver.Claims) driver.Claims { return good() }},
		"all are first": {claimChecks[0].name, func(good driver.Claims) driver.Claims {
			return claiming{Claims: good, claim: func(context.Context, string) (bool, error) { return true, nil }}
		}},
		"keys are forgotten soon": {claimChecks[0].name, func() func(driver.Claims) driver.Claims {
			small := imbot.NewClaims(100)
			return func(driver.Claims) driver.Claims { return small }
		}()},
		"Claim is two steps": {claimChecks[1].name, func() func(driver.Claims) driver.Claims {
			var kept sync.Map
			return func(good driver.Claims) driver.Claims {
				return claiming{Claims: good, claim: func(_ context.Context, key string) (bool, error) {
					_, known := kept.Load(key)
					time.Sleep(time.Millisecond)
					kept.Store(key, true)
					return !known, nil
				}}
			}
		}()},
		"Release does nothing": {claimChecks[2].name, func(good driver.Claims) driver.Claims {
			return claiming{Claims: good, release: func(context.Context, string) error { return nil }}
		}},
		"Release wants a key that is there": {claimChecks[2].name, func(good driver.Claims) driver.Claims {
			return claiming{Claims: good, release: func(ctx context.Context, key string) error {
				if first, err := good.Claim(ctx, key); first || err != nil {
					return imbot.ErrNotFound
				}
				return good.Release(ctx, key)
			}}
		}},
		"contexts are ignored": {claimChecks[3].name, func(good driver.Claims) driver.Claims {
			return claiming{Claims: good, claim: func(ctx context.Context, key string) (bool, error) {
				return good.Claim(context.WithoutCancel(ctx), key)
			}}
		}},
	})
}

type leader func(ctx context.Context, name string, f func(context.Context) error) error

func (l leader) Lead(ctx context.Context, name string, f func(context.Context) error) error {
	return l(ctx, name, f)
}

func TestTheKitFindsBrokenLeaders(t *testing.T) {
	t.Parallel()
	leads := func(lead func(l driver.Leader, ctx context.Context, name string, f func(context.Context) error) error) func(driver.Leader) driver.Leader {
		return func(good driver.Leader) driver.Leader {
			return leader(func(ctx context.Context, name string, f func(context.Context) error) error {
				return lead(good, ctx, name, f)
			})
		}
	}
	files := func() driver.Leader { return imbot.FileLeader(t.TempDir() + "/leads") }
	notice(t, leaderChecks, files, map[string]mutant[driver.Leader]{
		"all lead": {leaderChecks[0].name, leads(func(_ driver.Leader, ctx context.Context, _ string, f func(context.Context) error) error {
			return f(ctx)
		})},
		"each process has a leader": {leaderChecks[0].name, func(driver.Leader) driver.Leader {
			return imbot.FileLeader(t.TempDir() + "/leads")
		}},
		"an error ends who waits": {leaderChecks[0].name, func() func(driver.Leader) driver.Leader {
			var held sync.Mutex
			return leads(func(_ driver.Leader, ctx context.Context, _ string, f func(context.Context) error) error {
				if !held.TryLock() {
					return imbot.ErrConflict
				}
				defer held.Unlock()
				return f(ctx)
			})
		}()},
		"there is one lead for all names": {leaderChecks[1].name, leads(func(l driver.Leader, ctx context.Context, _ string, f func(context.Context) error) error {
			ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
			defer cancel()
			return l.Lead(ctx, "all", f)
		})},
		"the error is lost": {leaderChecks[2].name, leads(func(l driver.Leader, ctx context.Context, name string, f func(context.Context) error) error {
			_ = l.Lead(ctx, name, f)
			return nil
		})},
		"what failed runs again": {leaderChecks[2].name, leads(func(l driver.Leader, ctx context.Context, name string, f func(context.Context) error) error {
			_ = l.Lead(ctx, name, f)
			return l.Lead(ctx, name, f)
		})},
		"ended contexts lead": {leaderChecks[3].name, leads(func(l driver.Leader, ctx context.Context, name string, f func(context.Context) error) error {
			return l.Lead(context.WithoutCancel(ctx), name, func(context.Context) error { return f(ctx) })
		})},
		"who waits stays": {leaderChecks[4].name, leads(func(l driver.Leader, ctx context.Context, name string, f func(context.Context) error) error {
			err := l.Lead(context.WithoutCancel(ctx), name, func(context.Context) error {
				if err := ctx.Err(); err != nil {
					return err
				}
				return f(ctx)
			})
			return err
		})},
	})
}

// limiter is a Limiter with something else in place of its methods.
type limiter struct {
	imbot.Limiter
	wait    func(ctx context.Context, portal string) error
	refused func(portal string)
}

func (l limiter) Wait(ctx context.Context, portal string) error {
	if l.wait != nil {
		return l.wait(ctx, portal)
	}
	return l.Limiter.Wait(ctx, portal)
}

func (l limiter) Refused(portal string) {
	if l.refused != nil {
		l.refused(portal)
		return
	}
	l.Limiter.(driver.Refuser).Refused(portal)
}

func TestTheKitFindsBrokenLimiters(t *testing.T) {
	t.Parallel()
	waits := func(wait func(l imbot.Limiter, ctx context.Context, portal string) error) func(imbot.Limiter) imbot.Limiter {
		return func(good imbot.Limiter) imbot.Limiter {
			return limiter{Limiter: good, wait: func(ctx context.Context, portal string) error { return wait(good, ctx, portal) }}
		}
	}
	good := func() imbot.Limiter { return imbot.NewLimiter(perSecond, burst) }
	notice(t, limiterChecks, good, map[string]mutant[imbot.Limiter]{
		"nobody waits":                {limiterChecks[0].name, waits(func(imbot.Limiter, context.Context, string) error { return nil })},
		"each process has its bucket": {limiterChecks[0].name, func(imbot.Limiter) imbot.Limiter { return good() }},
		"all portals share a bucket": {limiterChecks[1].name, waits(func(l imbot.Limiter, ctx context.Context, _ string) error {
			return l.Wait(ctx, "all")
		})},
		"deadlines are waited for": {limiterChecks[2].name, waits(func(l imbot.Limiter, ctx context.Context, portal string) error {
			own, cancel := context.WithCancel(context.WithoutCancel(ctx))
			defer cancel()
			defer context.AfterFunc(ctx, cancel)()
			if err := l.Wait(own, portal); err != nil {
				return ctx.Err()
			}
			return nil
		})},
		"places of who leaves are lost": {limiterChecks[2].name, waits(func(l imbot.Limiter, ctx context.Context, portal string) error {
			err := l.Wait(ctx, portal)
			if err != nil {
				go func() { _ = l.Wait(context.WithoutCancel(ctx), portal) }()
			}
			return err
		})},
		"contexts are ignored": {limiterChecks[3].name, waits(func(l imbot.Limiter, ctx context.Context, portal string) error {
			return l.Wait(context.WithoutCancel(ctx), portal)
		})},
		"the first in line goes first": {limiterChecks[4].name, waits(func(l imbot.Limiter, ctx context.Context, portal string) error {
			return l.Wait(imbot.WithClass(ctx, imbot.ClassNormal), portal)
		})},
		"refusals are ignored": {limiterChecks[5].name, func(good imbot.Limiter) imbot.Limiter {
			return limiter{Limiter: good, refused: func(string) {}}
		}},
	})
}

// holds is a limiter that is a Holder in memory.
type holds struct {
	imbot.Limiter
	mu   *sync.Mutex
	all  map[string]time.Time
	name func(scope, method string) string
	wins func(old, until time.Time) bool
}

func (h holds) Hold(ctx context.Context, scope, method string, until time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if name := h.name(scope, method); ctx.Err() == nil && h.wins(h.all[name], until) {
		h.all[name] = until
	}
	return ctx.Err()
}

func (h holds) Holds(ctx context.Context, scope string) (map[string]time.Time, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	found := map[string]time.Time{}
	for name, until := range h.all {
		if method, is := strings.CutPrefix(name, h.name(scope, "")); is {
			found[method] = until
		}
	}
	return found, ctx.Err()
}

func TestTheKitFindsBrokenHolders(t *testing.T) {
	t.Parallel()
	good := func() imbot.Limiter {
		return holds{
			imbot.NewLimiter(perSecond, burst), new(sync.Mutex), map[string]time.Time{},
			func(scope, method string) string { return scope + " " + method }, time.Time.Before,
		}
	}
	change := func(f func(h *holds)) func(imbot.Limiter) imbot.Limiter {
		return func(l imbot.Limiter) imbot.Limiter {
			h := l.(holds)
			f(&h)
			return h
		}
	}
	notice(t, holderChecks, good, map[string]mutant[imbot.Limiter]{
		"no holder":                {holderChecks[0].name, func(l imbot.Limiter) imbot.Limiter { return l.(holds).Limiter }},
		"each process for itself":  {holderChecks[0].name, change(func(h *holds) { h.all = map[string]time.Time{} })},
		"one scope for all":        {holderChecks[0].name, change(func(h *holds) { h.name = func(_, method string) string { return method } })},
		"the last one stands":      {holderChecks[1].name, change(func(h *holds) { h.wins = func(_, _ time.Time) bool { return true } })},
		"one of many gets lost":    {holderChecks[2].name, change(func(h *holds) { h.wins = func(_, until time.Time) bool { return time.Until(until) < 19*time.Minute } })},
		"the first stands forever": {holderChecks[3].name, change(func(h *holds) { h.wins = func(old, _ time.Time) bool { return old.IsZero() } })},
		"contexts are ignored":     {holderChecks[4].name, func(l imbot.Limiter) imbot.Limiter { return deaf{l.(holds)} }},
	})
}

// deaf ignores the context of Hold.
type deaf struct{ holds }

func (d deaf) Hold(_ context.Context, scope, method string, until time.Time) error {
	return d.holds.Hold(context.Background(), scope, method, until)
}
