package inbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot/driver"
)

func TestADeliveryIsHandledOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(nil)
		for range 3 {
			require.NoError(t, j.Receive(t.Context(), genuine("", "same")))
			require.NoError(t, j.Receive(t.Context(), genuine("", "")))
		}
		require.NoError(t, j.Shutdown(t.Context()))
		require.ElementsMatch(t, []string{"same", "", "", ""}, j.handled, "without a key nothing tells events apart")
		require.Equal(t, Stats{Accepted: 6, Handled: 4, Duplicate: 2}, j.Stats())
	})
}

// slowClaims take a while, and give others the time to ask, too.
type slowClaims struct{ driver.Claims }

func (c slowClaims) Claim(ctx context.Context, key string) (bool, error) {
	time.Sleep(100 * time.Millisecond)
	return c.Claims.Claim(ctx, key)
}

func TestDeliveriesAtTheSameTimeAreHandledOnce(t *testing.T) {
	t.Parallel()
	for name, claims := range map[string]driver.Claims{"the inbox remembers": nil, "Claims tell": slowClaims{NewClaims(10)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a, b := newJournal(func(cfg *Config[string]) { cfg.Claims = claims }), newJournal(func(cfg *Config[string]) { cfg.Claims = claims })
				processes := []*journal{a, b}
				if claims == nil {
					processes = processes[:1]
				}
				var wg sync.WaitGroup
				for i := range 60 {
					wg.Go(func() { _ = processes[i%len(processes)].Receive(t.Context(), genuine("", fmt.Sprint(i%3))) })
				}
				wg.Wait()
				require.NoError(t, a.Shutdown(t.Context()))
				require.NoError(t, b.Shutdown(t.Context()))
				require.ElementsMatch(t, []string{"0", "1", "2"}, append(a.handled, b.handled...))
				require.EqualValues(t, 57, a.Stats().Duplicate+b.Stats().Duplicate)
			})
		})
	}
}

func TestOtherEventsDoNotWaitForSlowClaims(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(func(cfg *Config[string]) {
			cfg.Claims, cfg.Workers = slowClaims{NewClaims(1000)}, 200
		})
		begun := time.Now()
		var wg sync.WaitGroup
		for i := range 200 {
			wg.Go(func() { _ = j.Receive(t.Context(), genuine("", fmt.Sprint(i))) })
		}
		wg.Wait()
		require.Equal(t, 100*time.Millisecond, time.Since(begun))
		require.NoError(t, j.Shutdown(t.Context()))
		require.Len(t, j.handled, 200)
	})
}

// brokenClaims fail while down is true, or hang until their caller gives up.
type brokenClaims struct {
	driver.Claims
	down, hang      bool
	asked, released int
}

func (c *brokenClaims) Release(ctx context.Context, key string) error {
	c.released++
	return c.Claims.Release(ctx, key)
}

func (c *brokenClaims) Claim(ctx context.Context, key string) (bool, error) {
	c.asked++
	switch {
	case c.down && c.hang:
		<-ctx.Done()
		return false, ctx.Err()
	case c.down:
		return false, errors.New("down")
	}
	return c.Claims.Claim(ctx, key)
}

func TestWhileClaimsAreAwayTheInboxItselfRemembers(t *testing.T) {
	t.Parallel()
	for name, hang := range map[string]bool{"they fail": false, "they hang": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				claims := &brokenClaims{Claims: NewClaims(10), hang: hang}
				j := newJournal(func(cfg *Config[string]) { cfg.Claims = claims })
				receive := func(text string) {
					t.Helper()
					begun := time.Now()
					require.NoError(t, j.Receive(t.Context(), genuine("", text)))
					require.LessOrEqual(t, time.Since(begun), claimTime)
				}
				receive("before")
				_, _ = claims.Claims.Claim(t.Context(), "taken elsewhere")
				receive("taken elsewhere")
				claims.down, claims.asked = true, 0
				for range 2 {
					receive("before")
					receive("taken elsewhere")
					receive("new")
				}
				require.Equal(t, 1, claims.asked, "they are left alone")
				time.Sleep(claimsRest)
				receive("later")
				require.Equal(t, 2, claims.asked)
				claims.down = false
				time.Sleep(claimsRest)
				receive("back")
				receive("back")
				require.Equal(t, 4, claims.asked)
				require.NoError(t, j.Shutdown(t.Context()))
				require.ElementsMatch(t, []string{"before", "new", "later", "back"}, j.handled)
				require.Equal(t, 2, strings.Count(j.log.String(), "level=WARN"))
			})
		})
	}
}

func TestAnEventThatIsRefusedIsReleasedForOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		claims := NewClaims(10)
		full := newJournal(func(cfg *Config[string]) { cfg.Claims, cfg.Workers, cfg.Queue = claims, 1, 0 })
		other := newJournal(func(cfg *Config[string]) { cfg.Claims = claims })
		require.NoError(t, full.Receive(t.Context(), genuine("line", "first")))
		require.ErrorAs(t, full.Receive(t.Context(), genuine("line", "text")), new(*DroppedError))
		require.NoError(t, other.Receive(t.Context(), genuine("line", "text")))
		require.NoError(t, other.Receive(t.Context(), genuine("line", "first")))
		require.NoError(t, full.Shutdown(t.Context()))
		require.NoError(t, other.Shutdown(t.Context()))
		require.Equal(t, []string{"text"}, other.handled)
	})
}

func TestWhatClaimsHaveNotGivenIsNotReleased(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		claims := &brokenClaims{Claims: NewClaims(10), down: true}
		full := newJournal(func(cfg *Config[string]) { cfg.Claims, cfg.Workers, cfg.Queue = claims, 1, 0 })
		require.NoError(t, full.Receive(t.Context(), genuine("line", "first")))
		require.Error(t, full.Receive(t.Context(), genuine("line", "text")))
		require.NoError(t, full.Shutdown(t.Context()))
		require.Zero(t, claims.released, "somebody else may have it")
	})
}

// forgetfulClaims take every event for a new one.
type forgetfulClaims struct{}

func (forgetfulClaims) Claim(context.Context, string) (bool, error) { return true, nil }
func (forgetfulClaims) Release(context.Context, string) error       { return nil }

func TestClaimsHaveTheLastWord(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]Verdict{"a genuine event": {}, "one that is verified late": {Later: func(context.Context) error { return nil }}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				j := newJournal(func(cfg *Config[string]) { cfg.Claims = forgetfulClaims{} })
				for range 2 {
					require.NoError(t, j.Receive(t.Context(), arrival("line", "same", v)))
					require.NoError(t, j.Idle(t.Context()))
				}
				require.Equal(t, []string{"same", "same"}, j.handled)
			})
		})
	}
}

// obedientClaims fail when their caller has given up.
type obedientClaims struct{ driver.Claims }

func (c obedientClaims) Claim(ctx context.Context, key string) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	return c.Claims.Claim(ctx, key)
}

func TestAnEventIsClaimedAlthoughItsSenderHasHungUp(t *testing.T) {
	t.Parallel()
	j := newJournal(func(cfg *Config[string]) {
		cfg.Claims = obedientClaims{NewClaims(10)}
		cfg.Handle = func(context.Context, string) error { return nil }
	})
	ctx, hangUp := context.WithCancel(t.Context())
	hangUp()
	require.NoError(t, j.Receive(ctx, genuine("line", "text")))
	require.NoError(t, j.Shutdown(t.Context()))
	require.Empty(t, j.log.String())
}

func TestAForgedCopyDoesNotMakeTheGenuineEventADuplicate(t *testing.T) {
	t.Parallel()
	for name, claims := range map[string]func() driver.Claims{"the inbox remembers": func() driver.Claims { return nil }, "Claims tell": func() driver.Claims { return NewClaims(10) }} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				j := newJournal(func(cfg *Config[string]) { cfg.Claims = claims() })
				forged := Verdict{Later: func(context.Context) error { return errForged }}
				fine := Verdict{Later: func(context.Context) error { return nil }}
				for _, v := range []Verdict{forged, fine, fine} {
					require.NoError(t, j.Receive(t.Context(), arrival("line", "text", v)))
					require.NoError(t, j.Idle(t.Context()))
				}
				require.Equal(t, []string{"text"}, j.handled)
				require.Equal(t, []string{"text: forged"}, j.failed)
				require.Equal(t, Stats{Accepted: 3, Handled: 1, Failed: 1, Duplicate: 1}, j.Stats())
				if j.cfg.Claims == nil {
					require.NoError(t, j.Receive(t.Context(), arrival("line", "text", forged)))
					require.NoError(t, j.Shutdown(t.Context()))
					require.Equal(t, Stats{Accepted: 4, Handled: 1, Failed: 1, Duplicate: 2}, j.Stats(), "what was handled is not verified again")
				}
			})
		})
	}
}

func TestClaimsKeepTheLastKeys(t *testing.T) {
	t.Parallel()
	for name, n := range map[string]int{"none": 0, "ten": 10} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			least := max(n, 1)
			c := newMemory(n)
			for i := range 1000 {
				first, err := c.Claim(t.Context(), fmt.Sprint(i))
				require.NoError(t, err)
				require.True(t, first)
				for back := range min(i+1, least) {
					require.True(t, c.has(fmt.Sprint(i-back)), "at least so many are kept")
				}
				require.False(t, c.has(fmt.Sprint(i-2*least)), "and at most twice as many")
			}
			require.NoError(t, c.Release(t.Context(), "999"))
			require.NoError(t, c.Release(t.Context(), "998"))
			require.NoError(t, c.Release(t.Context(), "never claimed"))
			for key, want := range map[string]bool{"999": true, "998": true} {
				first, err := c.Claim(t.Context(), key)
				require.NoError(t, err)
				require.Equal(t, want, first, key)
			}
		})
	}
}
