package imbot_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func TestManyCallsOverAnExpiredTokenRenewOnce(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, store imbot.TokenStore) {
		c := newCloud()
		require.NoError(t, store.Swap(t.Context(), imbot.Grant{}, c.issue("one.bitrix24.com", 1, appID).grant()))
		app := c.app(store)
		client, err := app.Client(t.Context(), memberOne)
		require.NoError(t, err)
		require.NoError(t, ping(t.Context(), client))
		require.Zero(t, c.asked(tokenURL), "nothing is renewed before the portal refuses")
		c.expire()
		var wg sync.WaitGroup
		for range 200 {
			wg.Go(func() {
				own, err := app.Client(t.Context(), memberOne)
				if err == nil {
					err = ping(t.Context(), own)
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		require.Equal(t, 1, c.asked(tokenURL))
		g := load(t, store)
		require.Equal(t, "s3cr3t-access-2", g.AccessToken)
		require.Equal(t, "s3cr3t-refresh-2", g.RefreshToken)
		require.Equal(t, "s3cr3t-application", g.ApplicationToken)
		require.Equal(t, "one.bitrix24.com", g.Domain, "the domain of a token answer is that of the server")
		require.Equal(t, "refresh_token", c.token[0].Get("grant_type"))
	})
}

func TestARenewedPairIsStoredBeforeItIsUsed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		store := &brokenStore{TokenStore: c.installed(t, "one.bitrix24.com")}
		client, err := c.app(store).Client(t.Context(), memberOne)
		require.NoError(t, err)
		c.expire()
		disk := errors.New("disk full")
		c.fail = onToken(func() { store.swap = func() error { return disk } })
		err = ping(t.Context(), client)
		require.ErrorIs(t, err, disk)
		require.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), "s3cr3t")
		require.Equal(t, 1, c.asked("one.bitrix24.com/rest/ping"), "the pair that is not stored is not used")

		require.Error(t, ping(t.Context(), client), "nothing is asked for again")
		require.Equal(t, 1, c.asked(tokenURL))
		c.fail, store.swap = nil, nil
		require.NoError(t, ping(t.Context(), client), "the pair that could not be stored is not lost")
		require.Equal(t, 1, c.asked(tokenURL))
		require.Equal(t, "s3cr3t-refresh-2", load(t, store).RefreshToken)
	})
}

// onToken does something when the token server is asked, which then answers.
func onToken(do func()) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		if r.URL.Path == "/oauth/token/" {
			do()
		}
		return nil, nil
	}
}

func TestARenewedPairIsStoredAlthoughNobodyWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		store := c.installed(t, "one.bitrix24.com")
		client, err := c.app(store).Client(t.Context(), memberOne)
		require.NoError(t, err)
		c.expire()
		ctx, cancel := context.WithCancel(t.Context())
		c.fail = func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/oauth/token/" {
				cancel()
				require.NoError(t, r.Context().Err())
			}
			return nil, nil
		}
		require.ErrorIs(t, ping(ctx, client), context.Canceled)
		synctest.Wait()
		require.Equal(t, "s3cr3t-refresh-2", load(t, store).RefreshToken)
		require.NoError(t, ping(t.Context(), client))
		require.Equal(t, 1, c.asked(tokenURL))
	})
}

func TestWhatAnotherProcessHasStoredIsUsed(t *testing.T) {
	t.Parallel()
	t.Run("before the renewal", func(t *testing.T) {
		c := newCloud()
		store := c.installed(t, "one.bitrix24.com")
		client, err := c.app(store).Client(t.Context(), memberOne)
		require.NoError(t, err)
		c.expire()
		require.NoError(t, store.Swap(t.Context(), load(t, store), c.issue("one.bitrix24.com", 1, appID).grant()))
		require.NoError(t, ping(t.Context(), client))
		require.Zero(t, c.asked(tokenURL))
	})
	t.Run("while the renewal failed with invalid_grant", func(t *testing.T) {
		c := newCloud()
		store := c.installed(t, "one.bitrix24.com")
		client, err := c.app(store).Client(t.Context(), memberOne)
		require.NoError(t, err)
		c.expire()
		other := c.issue("one.bitrix24.com", 1, appID).grant()
		c.fail = func(r *http.Request) (*http.Response, error) {
			if r.URL.Path != "/oauth/token/" {
				return nil, nil
			}
			return reply(400, `{"error":"invalid_grant"}`), store.Swap(r.Context(), load(t, store), other)
		}
		require.NoError(t, ping(t.Context(), client))
	})
	t.Run("while the renewal succeeded", func(t *testing.T) {
		c := newCloud()
		store := c.installed(t, "one.bitrix24.com")
		client, err := c.app(store).Client(t.Context(), memberOne)
		require.NoError(t, err)
		c.expire()
		other := c.issue("one.bitrix24.com", 1, appID).grant()
		c.fail = func(r *http.Request) (*http.Response, error) {
			if r.URL.Path != "/oauth/token/" {
				return nil, nil
			}
			return nil, store.Swap(r.Context(), load(t, store), other)
		}
		require.NoError(t, ping(t.Context(), client))
		require.Equal(t, other.AccessToken, load(t, store).AccessToken)
	})
	t.Run("another field than the pair", func(t *testing.T) {
		c := newCloud()
		store := c.installed(t, "one.bitrix24.com")
		client, err := c.app(store).Client(t.Context(), memberOne)
		require.NoError(t, err)
		c.expire()
		c.fail = func(r *http.Request) (*http.Response, error) {
			if r.URL.Path != "/oauth/token/" {
				return nil, nil
			}
			g := load(t, store)
			changed := g
			changed.ApplicationToken = "another"
			return nil, store.Swap(r.Context(), g, changed)
		}
		require.NoError(t, ping(t.Context(), client))
		require.Equal(t, "another", load(t, store).ApplicationToken)
		require.Equal(t, "s3cr3t-refresh-2", load(t, store).RefreshToken, "the used up pair must not stay")
	})
}

func TestADeadGrantIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		store := c.installed(t, "one.bitrix24.com")
		app := c.app(store)
		client, err := app.Client(t.Context(), memberOne)
		require.NoError(t, err)
		c.expire()
		clear(c.refresh)
		start := time.Now()
		err = ping(t.Context(), client)
		require.InDelta(t, 5, time.Since(start).Seconds(), 1, "somebody else may have a newer pair to store")
		start = time.Now()
		require.ErrorIs(t, ping(t.Context(), client), imbot.ErrReinstall)
		require.Zero(t, time.Since(start), "once is enough")
		require.ErrorIs(t, err, imbot.ErrReinstall)
		require.ErrorIs(t, err, imbot.ErrInvalidGrant)
		time.Sleep(24 * time.Hour)
		require.ErrorIs(t, ping(t.Context(), client), imbot.ErrReinstall)
		_, err = app.Client(t.Context(), memberOne)
		require.ErrorIs(t, err, imbot.ErrReinstall)
		require.Equal(t, 1, c.asked(tokenURL))
		require.Equal(t, "s3cr3t-refresh-1", load(t, store).RefreshToken, "nothing is deleted")

		require.NoError(t, store.Swap(t.Context(), load(t, store), c.issue("one.bitrix24.com", 1, appID).grant()))
		again, err := app.Client(t.Context(), memberOne)
		require.NoError(t, err, "a new installation helps")
		require.NoError(t, ping(t.Context(), again))
	})
}

func TestAClientOfAnUninstalledPortalSaysReinstall(t *testing.T) {
	t.Parallel()
	c := newCloud()
	store := c.installed(t, "one.bitrix24.com")
	app := c.app(store)
	client, err := app.Client(t.Context(), memberOne)
	require.NoError(t, err)
	h, _, _ := eventsOf(app)
	require.Equal(t, 200, post(t, h, c.issue("one.bitrix24.com", 1, appID).event("ONAPPUNINSTALL")))
	c.expire()
	require.ErrorIs(t, ping(t.Context(), client), imbot.ErrReinstall)
	require.Zero(t, c.asked(tokenURL))
}

func TestAPairThatIsStoredLaterLeavesNewerFieldsAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		store := &brokenStore{TokenStore: c.installed(t, "one.bitrix24.com")}
		client, err := c.app(store).Client(t.Context(), memberOne)
		require.NoError(t, err)
		c.expire()
		c.fail = onToken(func() { store.swap = func() error { return errors.New("disk full") } })
		require.Error(t, ping(t.Context(), client))

		store.swap = nil
		g := load(t, store)
		next := g
		next.ApplicationToken, next.ClientEndpoint, next.Domain = "newer", "https://two.bitrix24.com/rest/", "two.bitrix24.com"
		c.portals["two.bitrix24.com"] = c.portals["one.bitrix24.com"]
		require.NoError(t, store.Swap(t.Context(), g, next))
		require.NoError(t, ping(t.Context(), client))
		require.Equal(t, 1, c.asked(tokenURL))
		got := load(t, store)
		require.Equal(t, "s3cr3t-refresh-2", got.RefreshToken)
		require.Equal(t, "s3cr3t-access-2", got.AccessToken)
		require.Equal(t, "newer", got.ApplicationToken)
		require.Equal(t, next.ClientEndpoint, got.ClientEndpoint)
		require.Equal(t, next.Domain, got.Domain)
	})
}

// slowLock is a store whose lock somebody else holds for long.
type slowLock struct {
	imbot.TokenStore
	wait time.Duration
}

var _ imbot.TokenLocker = slowLock{}

func (s slowLock) Lock(ctx context.Context, _ string) (func(), error) {
	select {
	case <-time.After(s.wait):
		return func() {}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// deadlines notes how long a Swap may take.
type deadlines struct {
	imbot.TokenStore
	left []time.Duration
}

func (s *deadlines) Swap(ctx context.Context, old, new imbot.Grant) error {
	end, _ := ctx.Deadline()
	s.left = append(s.left, time.Until(end))
	return s.TokenStore.Swap(ctx, old, new)
}

func TestAServerThatTakesLongLeavesTheStoreItsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		store := &deadlines{TokenStore: c.installed(t, "one.bitrix24.com")}
		app := c.app(store)
		app.Options = append(app.Options, imbot.WithRetry(imbot.Retry{MaxAttempts: 4, MinBackoff: 15 * time.Second, MaxBackoff: 15 * time.Second}))
		client, err := app.Client(t.Context(), memberOne)
		require.NoError(t, err)
		c.expire()
		asked := 0
		c.fail = func(r *http.Request) (*http.Response, error) {
			if r.URL.Path != "/oauth/token/" {
				return nil, nil
			}
			time.Sleep(29 * time.Second)
			if asked++; asked < 3 {
				return nil, errors.New("broken off")
			}
			return nil, nil
		}
		require.NoError(t, ping(t.Context(), client))
		require.Equal(t, []time.Duration{30 * time.Second, 30 * time.Second}, store.left, "to prove that it can write, and to store the pair")
	})
}

func TestALongWaitForTheLockDoesNotCostThePair(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		store := slowLock{c.installed(t, "one.bitrix24.com"), 2*time.Minute - time.Second}
		client, err := c.app(store).Client(t.Context(), memberOne)
		require.NoError(t, err)
		c.expire()
		c.fail = func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/oauth/token/" {
				time.Sleep(25 * time.Second)
			}
			return nil, r.Context().Err()
		}
		require.NoError(t, ping(t.Context(), client))
		require.Equal(t, "s3cr3t-refresh-2", load(t, store).RefreshToken)
		require.Equal(t, 1, c.asked(tokenURL))
	})
}

// Whoever is told ErrReinstall may give the portal up.
func TestAGrantIsNotDeadBeforeTheStoreWasReadAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		store := &brokenStore{TokenStore: c.installed(t, "one.bitrix24.com")}
		app := c.app(store)
		client, err := app.Client(t.Context(), memberOne)
		require.NoError(t, err)
		c.expire()
		down := errors.New("the database is down")
		c.fail = func(r *http.Request) (*http.Response, error) {
			if r.URL.Path != "/oauth/token/" {
				return nil, nil
			}
			store.load = func() error { return down }
			return reply(400, `{"error":"invalid_grant"}`), nil
		}
		err = ping(t.Context(), client)
		require.ErrorIs(t, err, down)
		require.NotErrorIs(t, err, imbot.ErrReinstall)

		store.load = nil
		_, err = app.Client(t.Context(), memberOne)
		require.NoError(t, err)
		time.Sleep(time.Minute)
		require.ErrorIs(t, ping(t.Context(), client), down, "the store failed again")
		c.fail = func(r *http.Request) (*http.Response, error) {
			if r.URL.Path != "/oauth/token/" {
				return nil, nil
			}
			return reply(400, `{"error":"invalid_grant"}`), nil
		}
		store.load = nil
		time.Sleep(time.Minute)
		require.ErrorIs(t, ping(t.Context(), client), imbot.ErrReinstall)
	})
}

// A panic where nobody can recover would end the program.
func TestAStoreThatPanicsEndsNoProgram(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		var log strings.Builder
		store := &brokenStore{TokenStore: c.installed(t, "one.bitrix24.com")}
		app := c.app(store)
		app.Options = append(app.Options, imbot.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		client, err := app.Client(t.Context(), memberOne)
		require.NoError(t, err)
		c.expire()
		c.fail = onToken(func() { store.swap = func() error { panic("no database for s3cr3t") } })
		require.ErrorContains(t, ping(t.Context(), client), "the token store or the transport panicked")
		require.Contains(t, log.String(), "TestAStoreThatPanicsEndsNoProgram", "the stack leads to the culprit")

		log.Reset()
		h, _, _ := eventsOf(app)
		token := c.issue("one.bitrix24.com", 1, appID)
		require.Equal(t, 200, post(t, h, token.event("ONIMBOTDELETE", "auth[client_endpoint]", "https://renamed.bitrix24.com/rest/")))
		require.Contains(t, log.String(), "the portal's new endpoint was not stored")
		store.load = func() error { panic("no database for s3cr3t") }
		require.Equal(t, 503, post(t, h, token.event("ONIMBOTDELETE", "ts", "2")))
		require.NotContains(t, log.String(), "s3cr3t")

		store.load, store.swap = nil, nil
		require.NoError(t, ping(t.Context(), client), "the pair that could not be stored is not lost")
		require.Equal(t, 1, c.asked(tokenURL))
		require.NoError(t, h.Shutdown(t.Context()))
	})
}

// Who waits for a renewal would wait for ever if the store ended its goroutine.
func TestAStoreThatEndsItsGoroutineHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		store := &brokenStore{TokenStore: c.installed(t, "one.bitrix24.com")}
		client, err := c.app(store).Client(t.Context(), memberOne)
		require.NoError(t, err)
		c.expire()
		store.load = func() error { runtime.Goexit(); return nil }
		require.ErrorContains(t, ping(t.Context(), client), "the token store or the transport ended the goroutine")
		store.load = nil
		require.NoError(t, ping(t.Context(), client))
	})
}

// A method that has used up its operating time is not tried again because the
// collector took the client.
func TestAHoldOutlivesTheClient(t *testing.T) {
	t.Parallel()
	c := newCloud()
	store := imbot.NewMemoryStore()
	app := c.app(store)
	c.portal("member-1", "p1.bitrix24.com")
	require.NoError(t, store.Swap(t.Context(), imbot.Grant{}, c.issue("p1.bitrix24.com", 1, appID).grant()))
	asked := 0
	c.fail = func(r *http.Request) (*http.Response, error) {
		asked++
		return reply(429, timeLimit), nil
	}
	call := func() error {
		client, err := app.Client(t.Context(), "member-1")
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // less than a hold
		defer cancel()
		return ping(ctx, client)
	}
	require.ErrorIs(t, call(), imbot.ErrOperationTimeLimit)
	require.Equal(t, 1, asked)
	for range 1000 {
		if app.Members() == 0 {
			break
		}
		runtime.GC()
	}
	require.Zero(t, app.Members())
	require.ErrorIs(t, call(), imbot.ErrOperationTimeLimit)
	require.Equal(t, 1, asked, "the method is still on hold")
}
