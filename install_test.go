package imbot_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// post lets a handler answer a request and waits until its pool is idle.
func post(t *testing.T, h *imbot.EventHandler, r *http.Request) int {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	require.NoError(t, h.Idle(t.Context()))
	return w.Code
}

// eventsOf returns a handler for an application and the errors it reports.
func eventsOf(app *imbot.OAuthApp) (h *imbot.EventHandler, failures *[]error, seen *[]string) {
	failures, seen = new([]error), new([]string)
	return &imbot.EventHandler{
		Verifier: app.Verifier(),
		Logger:   slog.New(slog.DiscardHandler),
		OnEvent: func(_ context.Context, ev imbot.Event) error {
			*seen = append(*seen, ev.Meta().Name)
			return nil
		},
		OnError: func(_ context.Context, _ imbot.Event, err error) { *failures = append(*failures, err) },
	}, failures, seen
}

func TestInstallByEvent(t *testing.T) {
	c := newCloud()
	store := imbot.NewMemoryStore()
	app := c.app(store)
	installs := 0
	app.OnInstall = func(ctx context.Context, client *imbot.Client, g imbot.Grant) error {
		installs++
		require.Equal(t, memberOne, g.MemberID)
		return ping(ctx, client)
	}
	h, failures, _ := eventsOf(app)
	var ev *imbot.AppInstallEvent
	h.OnInstall = func(ctx context.Context, got *imbot.AppInstallEvent) error {
		ev = got
		client, err := app.ForEvent(ctx, got)
		require.NoError(t, err)
		return ping(ctx, client)
	}
	pair := c.issue("one.bitrix24.com", 1, appID)
	require.Equal(t, 200, post(t, h, pair.event("ONAPPINSTALL", "data[VERSION]", "1.0.0", "data[ACTIVE]", "Y", "data[INSTALLED]", "Y")))
	require.Empty(t, *failures)
	require.Equal(t, 1, installs)
	require.Equal(t, "1.0.0", ev.Version)
	require.Equal(t, imbot.Yes, ev.Active)
	require.Equal(t, imbot.Yes, ev.Installed)
	require.Equal(t, "de", ev.LanguageID)
	g := load(t, store)
	require.WithinDuration(t, time.Now().Add(time.Hour), g.Expires, 10*time.Second)
	require.Len(t, g.Installs, 16)
	g.Expires, g.Installs = time.Time{}, ""
	want := pair.grant()
	want.Expires = time.Time{}
	require.Equal(t, string(want.Encode()), string(g.Encode()))

	require.Equal(t, 200, post(t, h, pair.event("ONIMBOTMESSAGEADD")), "its events are genuine now")
	require.Equal(t, 401, post(t, h, pair.event("ONIMBOTMESSAGEADD", "auth[application_token]", "forged")))
	require.Equal(t, 401, post(t, h, pair.event("ONIMBOTMESSAGEADD", "auth[application_token]", "")))
	require.Equal(t, 401, post(t, h, pair.event("ONIMBOTMESSAGEADD", "auth[member_id]", "unknown")))
}

func TestForgedInstallsAreRefused(t *testing.T) {
	c := newCloud()
	c.portal("other-member", "other.bitrix24.com")
	good := c.issue("one.bitrix24.com", 1, appID)
	foreign := c.issue("one.bitrix24.com", 1, "app.of.somebody.else")
	elsewhere := c.issue("other.bitrix24.com", 1, appID)
	for _, row := range []struct {
		name   string
		r      func(event string, more ...string) *http.Request
		event  string
		more   []string
		status int  // 200: refused in the pool
		asks   bool // the authorization server
	}{
		{"a token that the server does not know", good.event, "ONAPPINSTALL", []string{"auth[access_token]", "forged"}, 200, true},
		{"a token of another application", foreign.event, "ONAPPINSTALL", nil, 200, true},
		{"a token of another portal", elsewhere.event, "ONAPPINSTALL", []string{"auth[member_id]", memberOne, "auth[domain]", "one.bitrix24.com"}, 200, true},
		{"the domain of another portal", good.event, "ONAPPINSTALL", []string{"auth[domain]", "evil.example.com", "auth[client_endpoint]", "https://evil.example.com/rest/"}, 200, true},
		{"an update with a token of another application", foreign.event, "ONAPPUPDATE", nil, 200, true},
		{"a server that is not trusted", good.event, "ONAPPINSTALL", []string{"auth[server_endpoint]", "https://evil.example.com/rest/"}, 401, false},
		{"no access token", good.event, "ONAPPINSTALL", []string{"auth[access_token]", ""}, 401, false},
		{"no member id", good.event, "ONAPPINSTALL", []string{"auth[member_id]", ""}, 401, false},
		{"no domain", good.event, "ONAPPINSTALL", []string{"auth[domain]", ""}, 401, false},
	} {
		for _, stored := range []bool{false, true} {
			t.Run(row.name, func(t *testing.T) {
				c.requests = nil
				store := imbot.NewMemoryStore()
				if stored {
					store = c.installed(t, "one.bitrix24.com")
				}
				before, _ := store.Load(t.Context(), memberOne)
				app := c.app(store)
				app.OnInstall = func(context.Context, *imbot.Client, imbot.Grant) error { t.Error("OnInstall"); return nil }
				h, failures, seen := eventsOf(app)
				h.OnInstall = func(context.Context, *imbot.AppInstallEvent) error { t.Error("handler"); return nil }
				require.Equal(t, row.status, post(t, h, row.r(row.event, row.more...)))
				after, _ := store.Load(t.Context(), memberOne)
				require.Equal(t, string(before.Encode()), string(after.Encode()))
				require.Empty(t, *seen)
				if row.status == 200 {
					require.Len(t, *failures, 1)
					var e *imbot.EventError
					require.ErrorAs(t, (*failures)[0], &e)
					require.Equal(t, http.StatusUnauthorized, e.StatusCode)
					require.NotContains(t, e.Error(), "s3cr3t")
				}
				for _, asked := range c.requests {
					require.Equal(t, "oauth.bitrix.info/rest/app.info", asked, "nothing that only the sender has named is called")
				}
				require.Equal(t, row.asks, len(c.requests) > 0)
			})
		}
	}
}

func TestTheEndpointComesFromTheServerNotFromTheSender(t *testing.T) {
	c := newCloud()
	store := imbot.NewMemoryStore()
	h, _, _ := eventsOf(c.app(store))
	require.Equal(t, 200, post(t, h, c.issue("one.bitrix24.com", 1, appID).event("ONAPPINSTALL", "auth[client_endpoint]", "https://evil.example.com/rest/")))
	require.Equal(t, "https://one.bitrix24.com/rest/", load(t, store).ClientEndpoint)
}

func TestAnAuthorizationServerIsTrustedInAnyCase(t *testing.T) {
	c := newCloud()
	app := c.app(imbot.NewMemoryStore())
	app.AuthServers = []string{"OAuth.Bitrix.Info"}
	_, err := imbot.ParseEvent(c.issue("one.bitrix24.com", 1, appID).event("ONAPPINSTALL", "auth[server_endpoint]", "https://oauth.BITRIX.info/rest/"), app.Verifier())
	require.NoError(t, err)
	require.Equal(t, "https://oauth.bitrix.info/rest/", load(t, app.Store).ServerEndpoint)
}

func TestWhoMayReplaceAStoredGrant(t *testing.T) {
	for _, row := range []struct {
		name  string
		setup func(*cloud) *cloudToken
		more  []string
		taken bool
		fails bool // the event is refused
	}{
		{"the same user", func(c *cloud) *cloudToken { return c.issue("one.bitrix24.com", 1, appID) }, nil, true, false},
		{"the same user with another application token", func(c *cloud) *cloudToken { return c.issue("one.bitrix24.com", 1, appID) }, []string{"auth[application_token]", "new"}, true, false},
		{"another user while the grant is alive", func(c *cloud) *cloudToken { return c.issue("one.bitrix24.com", 2, appID) }, nil, false, false},
		{"another user with an application token of his own", func(c *cloud) *cloudToken { return c.issue("one.bitrix24.com", 2, appID) }, []string{"auth[application_token]", "new"}, false, true},
		{"an administrator with another application token", func(c *cloud) *cloudToken {
			c.portals["one.bitrix24.com"].admins[3] = true
			return c.issue("one.bitrix24.com", 3, appID)
		}, []string{"auth[application_token]", "new"}, true, false},
		{"another user when the grant is expired, but can be renewed", func(c *cloud) *cloudToken {
			c.expire()
			return c.issue("one.bitrix24.com", 2, appID)
		}, nil, false, false},
		{"another user when the grant is dead", func(c *cloud) *cloudToken {
			c.expire()
			clear(c.refresh)
			return c.issue("one.bitrix24.com", 2, appID)
		}, []string{"auth[application_token]", "new"}, true, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := newCloud()
			store := c.installed(t, "one.bitrix24.com")
			h, failures, _ := eventsOf(c.app(store))
			pair := row.setup(c)
			require.Equal(t, 200, post(t, h, pair.event("ONAPPUPDATE", row.more...)))
			g := load(t, store)
			require.Equal(t, row.taken, g.AccessToken == pair.access)
			require.Equal(t, row.taken, g.RefreshToken == pair.refresh)
			require.Equal(t, row.taken && row.more != nil, g.ApplicationToken == "new")
			require.Equal(t, row.fails, len(*failures) > 0)
			if !row.taken {
				require.EqualValues(t, 1, g.UserID)
			}
		})
	}
}

func TestEventsNeverReplaceTheInstallersGrant(t *testing.T) {
	c := newCloud()
	store := c.installed(t, "one.bitrix24.com")
	before := load(t, store)
	app := c.app(store)
	h, failures, seen := eventsOf(app)
	acting := c.issue("one.bitrix24.com", 5, appID)
	require.Equal(t, 200, post(t, h, acting.event("ONIMBOTMESSAGEADD")))
	require.Empty(t, *failures)
	require.Equal(t, []string{"ONIMBOTMESSAGEADD"}, *seen)
	require.Equal(t, string(before.Encode()), string(load(t, store).Encode()))
	require.Empty(t, c.requests, "a known application token is enough")

	ev, err := imbot.ParseEvent(acting.event("ONIMBOTMESSAGEADD", "data[BOT][39][BOT_ID]", "39"), app.Verifier())
	require.NoError(t, err)
	client, err := app.ForEvent(t.Context(), ev)
	require.NoError(t, err)
	c.expire()
	require.NoError(t, ping(t.Context(), client), "the stored grant is used, and renewed")
	require.EqualValues(t, 1, load(t, store).UserID)
}

func TestForEventUsesItsOwnTokensWhenNothingIsStored(t *testing.T) {
	c := newCloud()
	app := c.app(imbot.NewMemoryStore())
	limiter := &keys{seen: map[string]int{}}
	app.Options = append(app.Options, imbot.WithLimiter(limiter))
	acting, bot := c.issue("one.bitrix24.com", 5, appID), c.issue("one.bitrix24.com", 39, appID)
	ev, err := imbot.ParseEvent(acting.event("ONIMBOTMESSAGEADD"), imbot.ApplicationToken("s3cr3t-application"))
	require.NoError(t, err)
	client, err := app.ForEvent(t.Context(), ev)
	require.NoError(t, err)
	require.NoError(t, ping(t.Context(), client))

	ev, err = imbot.ParseEvent(acting.event("ONIMBOTMESSAGEADD", "auth[access_token]", "", "data[BOT][39][BOT_ID]", "39",
		"data[BOT][39][AUTH][access_token]", bot.access), imbot.ApplicationToken("s3cr3t-application"))
	require.NoError(t, err)
	client, err = app.ForEvent(t.Context(), ev)
	require.NoError(t, err)
	require.NoError(t, ping(t.Context(), client))
	require.Equal(t, map[string]int{memberOne: 2}, limiter.seen, "all clients of a portal share its pace")
	c.expire()
	require.ErrorIs(t, ping(t.Context(), client), imbot.ErrExpiredToken, "they are not renewed")

	ev, err = imbot.ParseEvent(acting.event("ONIMBOTMESSAGEADD", "auth[access_token]", ""), imbot.ApplicationToken("s3cr3t-application"))
	require.NoError(t, err)
	_, err = app.ForEvent(t.Context(), ev)
	require.ErrorIs(t, err, imbot.ErrNotFound)
}

func TestUninstall(t *testing.T) {
	c := newCloud()
	store := c.installed(t, "one.bitrix24.com")
	app := c.app(store)
	var gone []string
	app.OnUninstall = func(_ context.Context, g imbot.Grant) error {
		gone = append(gone, g.MemberID)
		_, err := store.Load(t.Context(), g.MemberID)
		require.ErrorIs(t, err, imbot.ErrNotFound)
		return nil
	}
	h, failures, _ := eventsOf(app)
	var clean imbot.Flag
	h.OnUninstall = func(_ context.Context, ev *imbot.AppUninstallEvent) error { clean = ev.Clean; return nil }
	pair := c.issue("one.bitrix24.com", 1, appID)
	without := []string{"auth[access_token]", "", "auth[refresh_token]", "", "data[CLEAN]", "1"}

	require.Equal(t, 401, post(t, h, pair.event("ONAPPUNINSTALL", append(without, "auth[application_token]", "forged")...)))
	require.Equal(t, 401, post(t, h, pair.event("ONAPPUNINSTALL", append(without, "auth[application_token]", "")...)))
	load(t, store)
	require.Empty(t, gone)

	require.Equal(t, 200, post(t, h, pair.event("ONAPPUNINSTALL", without...)))
	require.Empty(t, *failures)
	require.Equal(t, []string{memberOne}, gone)
	require.Equal(t, imbot.Yes, clean)
	require.Equal(t, 401, post(t, h, pair.event("ONAPPUNINSTALL", without...)))
	require.Empty(t, c.requests)
}

func TestAClientOfAnUninstalledPortalSaysReinstall(t *testing.T) {
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

func TestTheFirstEventBringsTheApplicationToken(t *testing.T) {
	c := newCloud()
	store := imbot.NewMemoryStore()
	g := c.issue("one.bitrix24.com", 1, appID).grant()
	g.ApplicationToken = ""
	require.NoError(t, store.Swap(t.Context(), imbot.Grant{}, g))
	h, failures, seen := eventsOf(c.app(store))
	acting := c.issue("one.bitrix24.com", 5, appID)

	require.Equal(t, 401, post(t, h, acting.event("ONIMBOTMESSAGEADD", "auth[access_token]", "", "auth[application_token]", "forged")), "nothing to check")
	require.Equal(t, 401, post(t, h, acting.event("ONIMBOTMESSAGEADD", "auth[application_token]", "")))
	require.Equal(t, 200, post(t, h, acting.event("ONIMBOTMESSAGEADD", "auth[access_token]", "forged", "auth[application_token]", "forged")))
	require.Len(t, *failures, 1)
	require.Empty(t, *seen)
	require.Empty(t, load(t, store).ApplicationToken)

	require.Equal(t, 200, post(t, h, acting.event("ONIMBOTMESSAGEADD")))
	require.Equal(t, []string{"ONIMBOTMESSAGEADD"}, *seen)
	after := load(t, store)
	require.Equal(t, "s3cr3t-application", after.ApplicationToken)
	require.Equal(t, g.AccessToken, after.AccessToken, "but not the tokens")
	require.Equal(t, 401, post(t, h, acting.event("ONIMBOTMESSAGEADD", "auth[application_token]", "forged")))
}

func TestExchange(t *testing.T) {
	c := newCloud()
	store := imbot.NewMemoryStore()
	app := c.app(store)
	c.codes["s3cr3t-code"] = c.issue("one.bitrix24.com", 1, appID)
	query := url.Values{"code": {"s3cr3t-code"}, "member_id": {memberOne}, "domain": {"one.bitrix24.com"}, "server_domain": {"oauth.bitrix.info"}}
	client, err := app.Exchange(t.Context(), query)
	require.NoError(t, err)
	require.NoError(t, ping(t.Context(), client))
	g := load(t, store)
	require.Equal(t, "https://one.bitrix24.com/rest/", g.ClientEndpoint)
	require.Equal(t, "one.bitrix24.com", g.Domain)
	require.EqualValues(t, 1, g.UserID)
	require.Equal(t, "authorization_code", c.token[0].Get("grant_type"))

	_, err = app.Exchange(t.Context(), query)
	require.ErrorIs(t, err, imbot.ErrInvalidGrant, "a code works once")
	require.NotContains(t, err.Error(), "s3cr3t")
	query.Set("server_domain", "evil.example.com")
	_, err = app.Exchange(t.Context(), query)
	require.ErrorIs(t, err, imbot.ErrInvalid)
	c.fail = func(*http.Request) (*http.Response, error) {
		return reply(200, `{"access_token":"s3cr3t-x","refresh_token":"s3cr3t-y","member_id":"m2"}`), nil
	}
	_, err = app.Exchange(t.Context(), url.Values{"code": {"x"}})
	require.ErrorContains(t, err, "names no portal")
	_, err = store.Load(t.Context(), "m2")
	require.ErrorIs(t, err, imbot.ErrNotFound, "nobody could call it")
	c.fail = func(*http.Request) (*http.Response, error) {
		return reply(200, `{"access_token":"s3cr3t-x","refresh_token":"s3cr3t-y","member_id":"m2","client_endpoint":"https://two.bitrix24.ru/rest/"}`), nil
	}
	_, err = app.Exchange(t.Context(), url.Values{"code": {"x"}, "server_domain": {"oauth.bitrix24.tech"}})
	require.NoError(t, err)
	g2, err := store.Load(t.Context(), "m2")
	require.NoError(t, err)
	require.Equal(t, "https://oauth.bitrix24.tech/rest/", g2.ServerEndpoint, "who has issued it renews it")
	c.fail = nil
	c.codes["two"] = c.issue("one.bitrix24.com", 1, appID)
	_, err = app.Exchange(t.Context(), url.Values{"code": {"two"}, "member_id": {"another"}})
	require.Error(t, err)
	require.Equal(t, g.AccessToken, load(t, store).AccessToken)
}

func TestInstallsAreAnsweredAtOnceAndCheckedAtABoundedRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		store := c.installed(t, "one.bitrix24.com")
		app := c.app(store)
		h, _, _ := eventsOf(app)
		var handled atomic.Int32
		h.OnMessage = func(context.Context, *imbot.MessageAddEvent) error { handled.Add(1); return nil }
		h.OnError = func(context.Context, imbot.Event, error) {}
		pair := c.issue("one.bitrix24.com", 1, appID)
		start := time.Now()
		codes := map[int]int{}
		for i := range 2000 {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, pair.event("ONAPPINSTALL", "auth[access_token]", "forged", "auth[application_token]", "forged", "auth[member_id]", fmt.Sprint(i%100)))
			codes[w.Code]++
		}
		require.InDelta(t, 512, codes[200], 24, "half of the queue, what was checked meanwhile, and no more")
		require.Equal(t, 2000, codes[200]+codes[503])
		w := httptest.NewRecorder()
		h.ServeHTTP(w, pair.event("ONIMBOTMESSAGEADD"))
		require.Equal(t, 200, w.Code)
		synctest.Wait()
		require.Zero(t, time.Since(start), "nobody has waited")
		require.EqualValues(t, 1, handled.Load(), "forgeries do not keep the bot from its work")
		time.Sleep(5 * time.Second)
		require.LessOrEqual(t, c.asked("oauth.bitrix.info/rest/app.info"), 20+5*10+1)
		require.NoError(t, h.Idle(t.Context()))
	})
}

func TestAStoreThatFailsIsNotAForgery(t *testing.T) {
	c := newCloud()
	down := errors.New("down")
	store := &brokenStore{TokenStore: c.installed(t, "one.bitrix24.com"), load: func() error { return down }}
	h, _, seen := eventsOf(c.app(store))
	require.Equal(t, 503, post(t, h, c.issue("one.bitrix24.com", 1, appID).event("ONIMBOTMESSAGEADD")))
	require.Empty(t, *seen)
}
