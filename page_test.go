package imbot_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func TestInstallPage(t *testing.T) {
	serve := func(app *imbot.OAuthApp, r *http.Request) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		app.InstallPage().ServeHTTP(w, r)
		return w
	}
	t.Run("stores, sets up and finishes", func(t *testing.T) {
		c := newCloud()
		store := imbot.NewMemoryStore()
		app := c.app(store)
		app.OnInstall = func(ctx context.Context, client *imbot.Client, _ imbot.Grant) error { return ping(ctx, client) }
		pair := c.issue("one.bitrix24.com", 1, appID)
		w := serve(app, pair.page())
		require.Equal(t, 200, w.Code)
		require.Contains(t, w.Body.String(), "BX24.installFinish()")
		require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
		g, want := load(t, store), pair.grant()
		g.Expires, want.Expires, g.Installs = time.Time{}, time.Time{}, ""
		require.Equal(t, string(want.Encode()), string(g.Encode()))
	})
	t.Run("an older portal sends neither server nor application token", func(t *testing.T) {
		c := newCloud()
		store := imbot.NewMemoryStore()
		w := serve(c.app(store), c.issue("one.bitrix24.com", 1, appID).page("SERVER_ENDPOINT", "", "APPLICATION_TOKEN", ""))
		require.Equal(t, 200, w.Code)
		g := load(t, store)
		require.Empty(t, g.ApplicationToken)
		require.Equal(t, "https://oauth.bitrix.info/rest/", g.ServerEndpoint)
	})
	t.Run("does not finish when OnInstall fails", func(t *testing.T) {
		c := newCloud()
		app := c.app(imbot.NewMemoryStore())
		app.OnInstall = func(context.Context, *imbot.Client, imbot.Grant) error { return errors.New("<b>no bot</b>") }
		w := serve(app, c.issue("one.bitrix24.com", 1, appID).page())
		require.Equal(t, 500, w.Code)
		require.NotContains(t, w.Body.String(), "installFinish")
		require.Contains(t, w.Body.String(), "&lt;b&gt;no bot")
	})
	t.Run("goes on when the sender hangs up, for a minute", func(t *testing.T) {
		for _, event := range []bool{false, true} {
			c := newCloud()
			app := c.app(imbot.NewMemoryStore())
			ctx, hangUp := context.WithCancel(t.Context())
			installs := 0
			app.OnInstall = func(ctx context.Context, client *imbot.Client, _ imbot.Grant) error {
				hangUp()
				installs++
				deadline, ok := ctx.Deadline()
				require.True(t, ok)
				require.LessOrEqual(t, time.Until(deadline), time.Minute)
				return ping(ctx, client)
			}
			r := c.issue("one.bitrix24.com", 1, appID).page()
			if event {
				r = c.issue("one.bitrix24.com", 1, appID).event("ONAPPINSTALL")
			}
			require.Equal(t, 200, serve(app, r.WithContext(ctx)).Code)
			require.Equal(t, 1, installs)
		}
	})
	t.Run("a visitor changes nothing", func(t *testing.T) {
		c := newCloud()
		store := c.installed(t, "one.bitrix24.com")
		before := load(t, store)
		app := c.app(store)
		app.OnInstall = func(context.Context, *imbot.Client, imbot.Grant) error { t.Error("OnInstall"); return nil }
		require.Equal(t, 200, serve(app, c.issue("one.bitrix24.com", 7, appID).page()).Code)
		require.Equal(t, string(before.Encode()), string(load(t, store).Encode()))
	})
	t.Run("forged", func(t *testing.T) {
		c := newCloud()
		store := imbot.NewMemoryStore()
		app := c.app(store)
		pair := c.issue("one.bitrix24.com", 1, appID)
		for _, r := range []*http.Request{
			pair.page("AUTH_ID", "forged"), pair.page("AUTH_ID", ""), pair.page("member_id", "other"), pair.page("SERVER_ENDPOINT", "https://evil.example.com/rest/"),
			c.issue("one.bitrix24.com", 1, "somebody else's").page(),
			formPost("https://bot.example.com/install?DOMAIN=evil.example.com", url.Values{"AUTH_ID": {pair.access}, "member_id": {memberOne}}),
		} {
			w := serve(app, r)
			require.Equal(t, 401, w.Code)
			require.NotContains(t, w.Body.String(), "installFinish")
			require.NotContains(t, w.Body.String(), "s3cr3t")
		}
		_, err := store.Load(t.Context(), memberOne)
		require.ErrorIs(t, err, imbot.ErrNotFound)
		require.Equal(t, 405, serve(app, httptest.NewRequest(http.MethodGet, "/install", nil)).Code)
	})
	t.Run("takes the event at the same URL", func(t *testing.T) {
		c := newCloud()
		store := imbot.NewMemoryStore()
		w := serve(c.app(store), c.issue("one.bitrix24.com", 1, appID).event("ONAPPINSTALL"))
		require.Equal(t, 200, w.Code)
		require.Empty(t, w.Body.String())
		load(t, store)
		require.Equal(t, 400, serve(c.app(store), c.issue("one.bitrix24.com", 1, appID).event("ONIMBOTMESSAGEADD")).Code, "it would be lost")
		require.Equal(t, 401, serve(c.app(store), c.issue("one.bitrix24.com", 1, appID).event("ONAPPINSTALL", "auth[access_token]", "forged")).Code)
	})
}
