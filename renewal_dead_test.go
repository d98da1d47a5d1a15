package imbot_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// Whoever is told ErrReinstall may give the portal up.
func TestAGrantIsNotDeadBeforeTheStoreWasReadAgain(t *testing.T) {
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
