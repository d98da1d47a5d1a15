package imbot_test

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
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

// A panic where nobody can recover would end the program.
func TestAStoreThatPanicsEndsNoProgram(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		var log strings.Builder
		store := &brokenStore{TokenStore: c.installed(t, "one.bitrix24.com"), swap: func() error { panic("no database for s3cr3t") }}
		app := c.app(store)
		app.Options = append(app.Options, imbot.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		client, err := app.Client(t.Context(), memberOne)
		require.NoError(t, err)
		c.expire()
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
