package imbot_test

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func TestAServerThatNamesNoUserLetsNobodyTakeAPortalOver(t *testing.T) {
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

func TestAnUninstallationProvesNothingBeforeTheApplicationTokenIsKnown(t *testing.T) {
	c := newCloud()
	store := imbot.NewMemoryStore()
	g := c.issue("one.bitrix24.com", 1, appID).grant()
	g.ApplicationToken = ""
	require.NoError(t, store.Swap(t.Context(), imbot.Grant{}, g))
	app := c.app(store)
	app.OnUninstall = func(context.Context, imbot.Grant) error { t.Error("OnUninstall"); return nil }
	h, _, seen := eventsOf(app)
	visitor := c.issue("one.bitrix24.com", 5, appID)
	for _, token := range []string{"made up", ""} {
		require.Equal(t, 401, post(t, h, visitor.event("ONAPPUNINSTALL", "auth[application_token]", token)))
	}
	require.Empty(t, *seen)
	require.Equal(t, string(g.Encode()), string(load(t, store).Encode()))
	require.Empty(t, c.requests)
}

// What was right when the event came may be over when its turn comes.
func TestAnotherInstallationMeanwhileCountsMore(t *testing.T) {
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
