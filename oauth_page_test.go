package imbot_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func TestInstallPage(t *testing.T) {
	t.Parallel()
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
		g, want := load(t, store).WithBookkeeping("", time.Time{}, ""), pair.grant()
		g.Expires, want.Expires = time.Time{}, time.Time{}
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

func TestAPageThatIsLoadedAgainDoesNotCostTheNewerPair(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		store := imbot.NewMemoryStore()
		app := c.app(store)
		installs := 0
		app.OnInstall = func(context.Context, *imbot.Client, imbot.Grant) error { installs++; return nil }
		first, second := c.issue("one.bitrix24.com", 1, appID), c.issue("one.bitrix24.com", 1, appID)
		open := func(pair *cloudToken, more ...string) {
			t.Helper()
			time.Sleep(time.Minute)
			require.Equal(t, 200, answerOf(app.InstallPage(), pair.page(more...)))
		}
		open(first)
		open(first)
		require.Equal(t, 2, installs, "while its pair is in use, loading it again tries again")
		open(second)
		require.Equal(t, second.access, load(t, store).AccessToken)
		open(first)
		open(first, "APPLICATION_TOKEN", "of another installation")
		require.Equal(t, second.access, load(t, store).AccessToken)
		require.Equal(t, "s3cr3t-application", load(t, store).ApplicationToken)

		client, err := app.Client(t.Context(), memberOne)
		require.NoError(t, err)
		c.tokens[second.access].expired = true
		require.NoError(t, ping(t.Context(), client))
		renewed := load(t, store)
		c.tokens[second.access].expired = false // some servers let it live on
		open(second)
		require.Equal(t, string(renewed.Encode()), string(load(t, store).Encode()))
		require.Equal(t, 3, installs)

		for range 10 {
			open(c.issue("one.bitrix24.com", 1, appID))
		}
		require.Len(t, load(t, store).Installs(), 8*17-1, "not without end")
		require.Equal(t, 13, installs)
	})
}

func TestJunkOnThePageDoesNotKeepEventsWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		store := imbot.NewMemoryStore()
		app := c.app(store)
		page := app.InstallPage()
		codes := make(chan int, 1000)
		for range cap(codes) {
			go func() {
				w := httptest.NewRecorder()
				page.ServeHTTP(w, c.issue("one.bitrix24.com", 1, appID).page("AUTH_ID", "forged"))
				codes <- w.Code
			}()
		}
		time.Sleep(time.Millisecond)
		h, failures, _ := eventsOf(app)
		start := time.Now()
		require.Equal(t, 200, post(t, h, c.issue("one.bitrix24.com", 1, appID).event("ONAPPINSTALL")))
		require.LessOrEqual(t, time.Since(start), 5*time.Second)
		require.Empty(t, *failures)
		count := map[int]int{}
		for range cap(codes) {
			count[<-codes]++
		}
		require.Greater(t, count[503], 900)
		require.Equal(t, 1000, count[503]+count[401])
	})
}

// The page is for people on the portal, the place of the store is not.
func TestThePageDoesNotSayWhereTheStoreIs(t *testing.T) {
	t.Parallel()
	c := newCloud()
	dir := filepath.Join(t.TempDir(), "secret-place")
	require.NoError(t, os.WriteFile(dir, nil, 0o600)) // no directory
	app := c.app(imbot.NewFileStore(dir))
	var log strings.Builder
	app.Options = append(app.Options, imbot.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	w := httptest.NewRecorder()
	app.InstallPage().ServeHTTP(w, c.issue("one.bitrix24.com", 1, appID).page())
	require.Equal(t, http.StatusInternalServerError, w.Code)
	require.Contains(t, w.Body.String(), "its token store failed")
	require.NotContains(t, w.Body.String(), "secret-place")
	require.Contains(t, log.String(), "secret-place")
}
