package imbot_test

import (
	"context"
	"errors"
	"net/http"
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
