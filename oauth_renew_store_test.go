package imbot_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// stubborn is a store that does not hold what it says it holds.
type stubborn struct{ imbot.TokenStore }

func (s stubborn) Swap(ctx context.Context, old, new imbot.Grant) error {
	if string(old.Encode()) == string(new.Encode()) {
		return imbot.ErrConflict
	}
	return s.TokenStore.Swap(ctx, old, new)
}

func TestAStoreThatCannotWriteCostsNoGrant(t *testing.T) {
	t.Parallel()
	full := errors.New("disk full")
	for name, row := range map[string]struct {
		store func(imbot.TokenStore) imbot.TokenStore
		is    error
		text  string
	}{
		"it is full": {func(s imbot.TokenStore) imbot.TokenStore {
			return &brokenStore{TokenStore: s, swap: func() error { return full }}
		}, full, "the token store does not write, so the tokens are not renewed"},
		"it panics": {func(s imbot.TokenStore) imbot.TokenStore {
			return &brokenStore{TokenStore: s, swap: func() error { panic(full) }}
		}, nil, "the token store or the transport panicked"},
		"it takes equal grants for a conflict": {func(s imbot.TokenStore) imbot.TokenStore { return stubborn{s} }, imbot.ErrConflict, "somebody else was faster"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud()
				good := c.installed(t, "one.bitrix24.com")
				app := c.app(row.store(good))
				client, err := app.Client(t.Context(), memberOne)
				require.NoError(t, err)
				c.expire()
				for range 3 {
					err = ping(t.Context(), client)
					require.ErrorContains(t, err, row.text)
					require.NotErrorIs(t, err, imbot.ErrReinstall)
					require.NotErrorIs(t, err, imbot.ErrOutcomeUnknown)
					require.NotContains(t, err.Error(), "s3cr3t")
					if row.is != nil {
						require.ErrorIs(t, err, row.is)
					}
				}
				require.Zero(t, c.asked(tokenURL), "the refresh token is not used up")

				app = c.app(good)
				client, err = app.Client(t.Context(), memberOne)
				require.NoError(t, err)
				require.NoError(t, ping(t.Context(), client))
			})
		})
	}
}

func TestAStoreThatWritesAgainIsAskedAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		store := &brokenStore{TokenStore: c.installed(t, "one.bitrix24.com"), swap: func() error { return errors.New("disk full") }}
		client, err := c.app(store).Client(t.Context(), memberOne)
		require.NoError(t, err)
		c.expire()
		require.Error(t, ping(t.Context(), client))
		store.swap = nil
		require.NoError(t, ping(t.Context(), client), "nothing was used up, so there is nothing to wait for")
		require.Equal(t, 1, c.asked(tokenURL))
	})
}

// lateReads is a store that reads from a copy for a while.
type lateReads struct {
	imbot.TokenStore
	copy  imbot.Grant
	until time.Time
}

func (s *lateReads) Load(ctx context.Context, memberID string) (imbot.Grant, error) {
	if time.Now().Before(s.until) {
		return s.copy, nil
	}
	return s.TokenStore.Load(ctx, memberID)
}

// What somebody else does to the store between reading and asking the token server.
func TestTheProofOfAStoreFindsWhatWasStoredMeanwhile(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		change func(g, other imbot.Grant) imbot.Grant
		is     error
		asked  int
	}{
		"another pair": {func(_, other imbot.Grant) imbot.Grant { return other }, nil, 0},
		"another field": {func(g, _ imbot.Grant) imbot.Grant {
			g.ApplicationToken = "another"
			return g
		}, nil, 1},
		"an uninstallation": {func(_, _ imbot.Grant) imbot.Grant { return imbot.Grant{} }, imbot.ErrReinstall, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud()
				inner := c.installed(t, "one.bitrix24.com")
				store := &brokenStore{TokenStore: inner}
				client, err := c.app(store).Client(t.Context(), memberOne)
				require.NoError(t, err)
				c.expire()
				old := load(t, inner)
				changed := row.change(old, c.issue("one.bitrix24.com", 1, appID).grant())
				store.swap = sync.OnceValue(func() error { return inner.Swap(t.Context(), old, changed) })
				err = ping(t.Context(), client)
				require.Equal(t, row.asked, c.asked(tokenURL))
				if row.is != nil {
					require.ErrorIs(t, err, row.is)
					return
				}
				require.NoError(t, err)
				require.Equal(t, changed.ApplicationToken, load(t, inner).ApplicationToken)
			})
		})
	}
	t.Run("another pair, while reading is late", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud()
			store := &lateReads{TokenStore: c.installed(t, "one.bitrix24.com")}
			store.copy = load(t, store)
			client, err := c.app(store).Client(t.Context(), memberOne)
			require.NoError(t, err)
			c.expire()
			require.NoError(t, store.Swap(t.Context(), store.copy, c.issue("one.bitrix24.com", 1, appID).grant()))
			store.until = time.Now().Add(300 * time.Millisecond)
			require.NoError(t, ping(t.Context(), client))
			require.Zero(t, c.asked(tokenURL))
		})
	})
}

func TestAPairWaitsForAStoreThatCannotBeReadForAMoment(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		inner := c.installed(t, "one.bitrix24.com")
		store := &brokenStore{TokenStore: inner}
		client, err := c.app(store).Client(t.Context(), memberOne)
		require.NoError(t, err)
		c.expire()
		c.fail = onToken(func() {
			g := load(t, inner)
			changed := g
			changed.ApplicationToken = "another" // so the pair meets a conflict
			require.NoError(t, inner.Swap(t.Context(), g, changed))
			back := time.Now().Add(300 * time.Millisecond)
			store.load = func() error {
				if time.Now().Before(back) {
					return errors.New("the database is down")
				}
				return nil
			}
		})
		require.NoError(t, ping(t.Context(), client))
		require.Equal(t, "s3cr3t-refresh-2", load(t, inner).RefreshToken)
		require.Equal(t, "another", load(t, inner).ApplicationToken)
	})
}

// slowWrites is a store whose writes take long, and which cannot lock.
type slowWrites struct {
	imbot.TokenStore
	takes time.Duration
}

func (s slowWrites) Swap(ctx context.Context, old, new imbot.Grant) error {
	time.Sleep(s.takes)
	return s.TokenStore.Swap(ctx, old, new)
}

func TestAStoreWithoutALockTellsNobodyThatALivingGrantIsDead(t *testing.T) {
	t.Parallel()
	for _, takes := range []time.Duration{0, time.Millisecond, 20 * time.Millisecond, time.Second, 4500 * time.Millisecond} {
		t.Run(takes.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud()
				store := c.installed(t, "one.bitrix24.com")
				var processes []*imbot.Client
				var logs [2]strings.Builder
				for i := range logs {
					app := c.app(slowWrites{store, takes})
					app.Options = append(app.Options, imbot.WithLogger(slog.New(slog.NewTextHandler(&logs[i], nil))))
					client, err := app.Client(t.Context(), memberOne)
					require.NoError(t, err)
					processes = append(processes, client)
				}
				for round := range 3 {
					c.expire()
					before := c.asked(tokenURL)
					failed := make(chan error, 150)
					var wg sync.WaitGroup
					for i := range 150 {
						wg.Go(func() {
							if err := ping(t.Context(), processes[i%2]); err != nil {
								failed <- err
							}
						})
					}
					wg.Wait()
					if round == 0 && takes > 0 {
						require.Equal(t, 2, c.asked(tokenURL)-before, "both were to ask, or nothing is tested")
					}
					require.Empty(t, len(failed), "of 150")
				}
				warned := 0
				for i := range logs {
					n := strings.Count(logs[i].String(), "TokenStore is no TokenLocker")
					require.LessOrEqual(t, n, 1, "a process says it once")
					warned += n
				}
				require.True(t, warned > 0 || takes == 0)
			})
		})
	}
}

func TestTheTimeoutOfTheClientCostsNoPair(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		store := c.installed(t, "one.bitrix24.com")
		app := c.app(store)
		app.Options = append(app.Options, imbot.WithHTTPClient(&http.Client{Transport: c, Timeout: 2 * time.Second}))
		client, err := app.Client(t.Context(), memberOne)
		require.NoError(t, err)
		c.expire()
		c.fail = func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/oauth/token/" {
				select {
				case <-time.After(20 * time.Second):
				case <-r.Context().Done():
					return nil, r.Context().Err()
				}
			}
			return nil, nil
		}
		require.NoError(t, ping(t.Context(), client))
		require.Equal(t, 1, c.asked(tokenURL))
		require.Equal(t, "s3cr3t-refresh-2", load(t, store).RefreshToken)
	})
}

func TestPausesThatAreOverAreForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const portals = 10_000
		c := newCloud()
		store := imbot.NewMemoryStore()
		app := c.app(store)
		asking := 0
		call := func(i int) {
			asking = i
			member, host := fmt.Sprintf("member-%d", i), fmt.Sprintf("p%d.bitrix24.com", i)
			c.portal(member, host)
			pair := c.issue(host, 1, appID)
			require.NoError(t, store.Swap(t.Context(), imbot.Grant{}, pair.grant()))
			client, err := app.Client(t.Context(), member)
			require.NoError(t, err)
			if i%2 == 0 { // to a host that is not confirmed
				require.ErrorIs(t, ping(t.Context(), client), imbot.ErrPortalMoved)
				return
			}
			pair.expired = true
			require.ErrorIs(t, ping(t.Context(), client), imbot.ErrPaymentRequired)
		}
		c.fail = func(r *http.Request) (*http.Response, error) {
			var n int
			_, _ = fmt.Sscanf(r.URL.Host, "p%d.", &n)
			switch {
			case r.URL.Path == "/oauth/token/" && asking%2 == 1:
				return reply(402, `{"error":"PAYMENT_REQUIRED"}`), nil
			case r.URL.Path == "/rest/ping" && n%2 == 0:
				resp := reply(302, "")
				resp.Header.Set("Location", "https://evil.example.com/rest/ping")
				return resp, nil
			}
			return nil, nil
		}
		for i := range portals {
			call(i)
		}
		troubles, redirects := app.Remembered()
		require.Equal(t, portals, troubles+redirects)
		time.Sleep(2 * time.Hour)
		call(portals + 1)
		troubles, redirects = app.Remembered()
		require.Equal(t, 1, troubles+redirects)
	})
}
