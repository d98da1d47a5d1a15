package imbot_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imbot-go/imbot/imbottest"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func TestInstallByEvent(t *testing.T) {
	t.Parallel()
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
	require.Len(t, g.Installs(), 16)
	g = g.WithBookkeeping("", time.Time{}, "")
	g.Expires = time.Time{}
	want := pair.grant()
	want.Expires = time.Time{}
	require.Equal(t, string(want.Encode()), string(g.Encode()))

	require.Equal(t, 200, post(t, h, pair.event("ONIMBOTMESSAGEADD")), "its events are genuine now")
	require.Equal(t, 401, post(t, h, pair.event("ONIMBOTMESSAGEADD", "auth[application_token]", "forged")))
	require.Equal(t, 401, post(t, h, pair.event("ONIMBOTMESSAGEADD", "auth[application_token]", "")))
	require.Equal(t, 401, post(t, h, pair.event("ONIMBOTMESSAGEADD", "auth[member_id]", "unknown")))
}

func TestForgedInstallsAreRefused(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
	c := newCloud()
	store := imbot.NewMemoryStore()
	h, _, _ := eventsOf(c.app(store))
	require.Equal(t, 200, post(t, h, c.issue("one.bitrix24.com", 1, appID).event("ONAPPINSTALL", "auth[client_endpoint]", "https://evil.example.com/rest/")))
	require.Equal(t, "https://one.bitrix24.com/rest/", load(t, store).ClientEndpoint)
}

func TestWhoMayReplaceAStoredGrant(t *testing.T) {
	t.Parallel()
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
			synctest.Test(t, func(t *testing.T) { // a dead grant is waited for
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
		})
	}
}

func TestUninstall(t *testing.T) {
	t.Parallel()
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

func TestTheFirstEventBringsTheApplicationToken(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
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

func TestAServerThatNamesNoUserLetsNobodyTakeAPortalOver(t *testing.T) {
	t.Parallel()
	c := newCloud()
	c.nameless = true
	store := imbot.NewMemoryStore()
	h, failures, _ := eventsOf(c.app(store))
	require.Equal(t, 200, post(t, h, c.issue("one.bitrix24.com", 1, appID).event("ONAPPINSTALL")))
	require.Empty(t, *failures)
	before := load(t, store)
	require.Zero(t, before.UserID)

	require.Equal(t, 200, post(t, h, c.issue("one.bitrix24.com", 2, appID).event("ONAPPUPDATE", "auth[application_token]", "his own")))
	require.Len(t, *failures, 1)
	require.Equal(t, string(before.Encode()), string(load(t, store).Encode()))
}

// What was right when the event came may be over when its turn comes.
func TestAnotherInstallationMeanwhileCountsMore(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		event, token string // what is stored when the event comes
		from         int    // the reading of the store that finds the other installation
	}{
		{"ONAPPUNINSTALL", "s3cr3t-application", 2},
		{"ONIMBOTMESSAGEADD", "", 2},
		{"ONIMBOTMESSAGEADD", "", 3},
	} {
		t.Run(fmt.Sprint(row.event, " ", row.from), func(t *testing.T) {
			c := newCloud()
			store := c.installed(t, "one.bitrix24.com")
			set := func(token string) {
				old := load(t, store)
				g := old
				g.ApplicationToken = token
				require.NoError(t, store.Swap(t.Context(), old, g))
			}
			set(row.token)
			reads := 0
			app := c.app(&brokenStore{TokenStore: store, load: func() error {
				if reads++; reads == row.from {
					set("s3cr3t-of-another-installation")
				}
				return nil
			}})
			app.OnUninstall = func(context.Context, imbot.Grant) error { t.Error("OnUninstall"); return nil }
			_, err := imbot.ParseEvent(c.issue("one.bitrix24.com", 5, appID).event(row.event, "auth[application_token]", "s3cr3t-application"), app.Verifier())
			var e *imbot.EventError
			require.ErrorAs(t, err, &e)
			require.Equal(t, 401, e.StatusCode)
			require.Equal(t, "s3cr3t-of-another-installation", load(t, store).ApplicationToken)
		})
	}
}

func TestAnInstallationThatComesLateKeepsTheNewerPair(t *testing.T) {
	t.Parallel()
	at := func(ago time.Duration) string { return strconv.FormatInt(time.Now().Add(-ago).Unix(), 10) }
	for _, row := range []struct {
		name  string
		more  []string
		taken bool
	}{
		{"an event with the time when its tokens expire", []string{"auth[expires]", at(-50 * time.Minute)}, false},
		{"an event with its own time only", []string{"ts", at(10 * time.Minute)}, false},
		{"a newer one", []string{"auth[expires]", at(-70 * time.Minute)}, true},
		{"an older one of another installation", []string{"auth[expires]", at(-50 * time.Minute), "auth[application_token]", "new"}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := newCloud()
			store := c.installed(t, "one.bitrix24.com")
			before := load(t, store)
			app := c.app(store)
			installs := 0
			app.OnInstall = func(context.Context, *imbot.Client, imbot.Grant) error { installs++; return nil }
			h, failures, _ := eventsOf(app)
			token := c.issue("one.bitrix24.com", 1, appID)
			event := func() *http.Request { return token.event("ONAPPINSTALL", row.more...) }
			require.Equal(t, 200, post(t, h, event()))
			require.Empty(t, *failures)
			require.Equal(t, row.taken, load(t, store).AccessToken != before.AccessToken)
			require.Equal(t, row.taken, installs == 1)
			require.Equal(t, 1, c.asked("oauth.bitrix.info/rest/app.info"))

			require.Equal(t, 200, post(t, h, event()))
			require.EqualValues(t, 1, h.Stats().Duplicate)
			require.Equal(t, 1, c.asked("oauth.bitrix.info/rest/app.info"), "a second delivery is not checked")
		})
	}
}

func TestABusyPortalDoesNotMakeAnAdministratorAVisitor(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		path   string
		status int
		body   string
		want   int
	}{
		{"the portal is busy", "/rest/profile", 503, `{"error":"QUERY_LIMIT_EXCEEDED"}`, 503},
		{"a proxy answers for it", "/rest/profile", 502, `<html>`, 503},
		{"the portal refuses the question", "/rest/profile", 403, `{"error":"ACCESS_DENIED"}`, 401},
		{"the portal answers", "", 0, "", 200},
		{"the authorization server is busy", "/rest/app.info", 503, `{"error":"QUERY_LIMIT_EXCEEDED"}`, 503},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud()
				store := c.installed(t, "one.bitrix24.com")
				before := load(t, store)
				c.portals["one.bitrix24.com"].admins[3] = true
				c.fail = func(r *http.Request) (*http.Response, error) {
					if r.URL.Path != row.path {
						return nil, nil
					}
					return reply(row.status, row.body), nil
				}
				_, err := imbot.ParseEvent(c.issue("one.bitrix24.com", 3, appID).event("ONAPPUPDATE", "auth[application_token]", "new"), c.app(store).Verifier())
				if row.want == 200 {
					require.NoError(t, err)
					require.Equal(t, "new", load(t, store).ApplicationToken)
					return
				}
				var e *imbot.EventError
				require.ErrorAs(t, err, &e)
				require.Equal(t, row.want, e.StatusCode)
				require.Equal(t, string(before.Encode()), string(load(t, store).Encode()))
			})
		})
	}
}

// The webhook of a visitor, for example, would act for him.
func TestAServerThatNamesNoEndpointLetsNobodyChooseThePath(t *testing.T) {
	t.Parallel()
	c := newCloud()
	c.nowhere = true
	store := imbot.NewMemoryStore()
	h, failures, _ := eventsOf(c.app(store))
	for i, endpoint := range []string{"https://one.bitrix24.com/rest/5/s3cr3t-hook/", "https://one.bitrix24.com/", "https://one.bitrix24.com:8443/rest/", "https://evil.example.com/rest/", "https://one.bitrix24.com/rest/"} {
		for user := range imbot.ID(2) {
			pair := c.issue("one.bitrix24.com", user+1, appID)
			require.Equal(t, 200, post(t, h, pair.event("ONAPPINSTALL", "ts", fmt.Sprint(1000+10*i+int(user)), "auth[client_endpoint]", endpoint)))
			require.Equal(t, "https://one.bitrix24.com/rest/", load(t, store).ClientEndpoint)
		}
	}
	require.Empty(t, *failures)
}

func TestACallbackOfAnInstallationHasAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		app := c.app(imbot.NewMemoryStore())
		app.OnInstall = func(ctx context.Context, _ *imbot.Client, _ imbot.Grant) error {
			<-ctx.Done()
			return ctx.Err()
		}
		app.OnUninstall = func(ctx context.Context, _ imbot.Grant) error {
			<-ctx.Done()
			return ctx.Err()
		}
		h, failures, _ := eventsOf(app)
		for i, name := range []string{"ONAPPINSTALL", "ONAPPUNINSTALL"} {
			start := time.Now()
			require.Equal(t, 200, post(t, h, c.issue("one.bitrix24.com", 1, appID).event(name)))
			require.Equal(t, time.Minute, time.Since(start))
			require.Len(t, *failures, i+1)
			require.ErrorIs(t, (*failures)[i], context.DeadlineExceeded)
		}
	})
}

func TestAReplayedInstallationDoesNotBringTheOldApplicationTokenBack(t *testing.T) {
	t.Parallel()
	c := newCloud()
	store := c.installed(t, "one.bitrix24.com")
	h, failures, _ := eventsOf(c.app(store))
	for i, row := range []struct {
		token   string
		expires time.Duration
		want    string
	}{
		{"second", 61 * time.Minute, "second"},
		{"third", 62 * time.Minute, "third"},
		{"second", 61 * time.Minute, "third"},
		{"second", 63 * time.Minute, "second"}, // a newer pair is no replay
	} {
		event := c.issue("one.bitrix24.com", 1, appID).event("ONAPPUPDATE", "ts", fmt.Sprint(1696527000+i),
			"auth[application_token]", row.token, "auth[expires]", fmt.Sprint(time.Now().Add(row.expires).Unix()))
		require.Equal(t, 200, post(t, h, event))
		require.Equal(t, row.want, load(t, store).ApplicationToken)
	}
	require.Len(t, *failures, 1)
}

// In a test no time passes between two installations.
func TestAnInstallationRightBehindAnotherCounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal, application, app, h := appOn(t)
		require.NoError(t, application.Install(t.Context(), handlerURL))
		settle(t, portal, h)
		application.RevokeTokens()
		client := memberOf(t, portal, app, application)
		_, err := client.Bot.List(t.Context(), imbot.BotListRequest{})
		require.ErrorIs(t, err, imbot.ErrReinstall)
		portal.Fail("ONAPPINSTALL", imbottest.Fault{Duplicate: true})
		require.NoError(t, application.Install(t.Context(), handlerURL))
		settle(t, portal, h)
		require.EqualValues(t, 1, h.Stats().Duplicate, "the copy")
		talk(t, portal, memberOf(t, portal, app, application))
	})
}
