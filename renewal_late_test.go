package imbot_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func TestAPairThatIsStoredLaterLeavesNewerFieldsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		store := &brokenStore{TokenStore: c.installed(t, "one.bitrix24.com")}
		client, err := c.app(store).Client(t.Context(), memberOne)
		require.NoError(t, err)
		c.expire()
		store.swap = func() error { return errors.New("disk full") }
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
		require.Equal(t, []time.Duration{30 * time.Second}, store.left)
	})
}

func TestALongWaitForTheLockDoesNotCostThePair(t *testing.T) {
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

func TestNoCookieGoesToTheAuthorizationServer(t *testing.T) {
	c := newCloud()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	for _, host := range []string{"oauth.bitrix.info", "one.bitrix24.com"} {
		jar.SetCookies(&url.URL{Scheme: "https", Host: host, Path: "/"}, []*http.Cookie{{Name: "session", Value: "of a browser"}})
	}
	app := c.app(c.installed(t, "one.bitrix24.com"))
	app.Options = append(app.Options, imbot.WithHTTPClient(&http.Client{Transport: c, Jar: jar}))
	client, err := app.Client(t.Context(), memberOne)
	require.NoError(t, err)
	c.expire()
	var cookies []string
	c.fail = func(r *http.Request) (*http.Response, error) {
		cookies = append(cookies, r.Header.Values("Cookie")...)
		return nil, nil
	}
	require.NoError(t, ping(t.Context(), client))
	require.Equal(t, 1, c.asked(tokenURL))
	require.Empty(t, cookies)
}

func TestAServerThatNeverAnswersHasHalfAMinuteEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		client, err := c.app(c.installed(t, "one.bitrix24.com")).Client(t.Context(), memberOne)
		require.NoError(t, err)
		c.expire()
		var waited []time.Duration
		c.fail = func(r *http.Request) (*http.Response, error) {
			if r.URL.Path != "/oauth/token/" {
				return nil, nil
			}
			start := time.Now()
			<-r.Context().Done()
			waited = append(waited, time.Since(start))
			return nil, r.Context().Err()
		}
		err = ping(t.Context(), client)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, imbot.ErrReinstall, "the grant may be well")
		require.Equal(t, []time.Duration{30 * time.Second, 30 * time.Second, 30 * time.Second}, waited)
		c.fail = nil
		time.Sleep(time.Minute)
		require.NoError(t, ping(t.Context(), client))
	})
}
