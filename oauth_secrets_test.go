package imbot_test

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

const (
	clientSecret = "app1ication-s3cret"
	previousOne  = "app1ication-t0ken-from-bef0re"
	oauthCode    = "auth0rization-c0de"
)

// secretGrant has every secret that a portal's grant can have.
func secretGrant() imbot.Grant {
	return imbot.Grant{
		MemberID: memberOne, Domain: "portal.bitrix24.com", ClientEndpoint: "https://portal.bitrix24.com/rest/", ServerEndpoint: "https://oauth.bitrix.info/rest/",
		AccessToken: accessToken, RefreshToken: refreshToken, ApplicationToken: applicationToken,
	}.WithBookkeeping(previousOne, time.Time{}, "")
}

// secretApp is an application over a transport, with a grant in its store.
func secretApp(t *testing.T, rt http.RoundTripper, log *strings.Builder) *imbot.OAuthApp {
	store := imbot.NewMemoryStore()
	require.NoError(t, store.Swap(t.Context(), imbot.Grant{}, secretGrant()))
	return &imbot.OAuthApp{ClientID: appID, ClientSecret: clientSecret, Store: store, Options: []imbot.Option{
		imbot.WithHTTPClient(&http.Client{Transport: rt}), imbot.WithLimiter(nil), imbot.WithRetry(imbot.Retry{MaxAttempts: 2, MinBackoff: 1, MaxBackoff: 1}),
		imbot.WithLogger(slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))),
	}}
}

// oauthPrintables are what an OAuth application has to print: itself, before and
// after its first use, stores, grants, clients, and all errors after answers that
// quote what was sent.
func oauthPrintables(t *testing.T) map[string]any {
	var log strings.Builder
	type program struct {
		App   *imbot.OAuthApp
		Grant imbot.Grant
	}
	fresh := &program{App: &imbot.OAuthApp{ClientID: appID, ClientSecret: clientSecret}, Grant: secretGrant()}
	used := secretApp(t, newCloud(), &log)
	client, err := used.Client(t.Context(), memberOne)
	require.NoError(t, err)
	files := imbot.NewFileStore(filepath.Join(t.TempDir(), "grants"))
	require.NoError(t, files.Swap(t.Context(), imbot.Grant{}, secretGrant()))
	all := map[string]any{
		"an application in a program": *fresh, "an application": fresh.App, "an application in use": used,
		"its verifier": used.Verifier(), "its client": client, "its page": used.InstallPage(),
		"a grant": secretGrant(), "a pointer to a grant": &fresh.Grant,
		"a store in memory": used.Store, "a store in files": files,
		"the error of a damaged grant": func() error { _, err := imbot.DecodeGrant([]byte(`{"` + refreshToken)); return err }(),
		"the error of a wrong swap":    files.Swap(t.Context(), secretGrant(), imbot.Grant{MemberID: refreshToken}),
	}
	const tokenEndpoint = "https://oauth.bitrix.info/oauth/token/?client_secret=" + clientSecret
	for what, row := range map[string]struct {
		quoted []string // what the server was sent
		result func(app *imbot.OAuthApp) any
	}{
		"exchange": {[]string{clientSecret, oauthCode}, func(app *imbot.OAuthApp) any {
			_, err := app.Exchange(t.Context(), url.Values{"code": {oauthCode}})
			return err
		}},
		"exchange by GET": {[]string{clientSecret, oauthCode}, func(app *imbot.OAuthApp) any {
			app.TokenQuery = true
			_, err := app.Exchange(t.Context(), url.Values{"code": {oauthCode}})
			return err
		}},
		"renewal": {[]string{clientSecret, refreshToken, accessToken}, func(app *imbot.OAuthApp) any {
			client, err := app.Client(t.Context(), memberOne)
			require.NoError(t, err)
			return client.Call(t.Context(), "profile", nil, nil)
		}},
		"installation": {[]string{clientSecret, accessToken}, func(app *imbot.OAuthApp) any {
			_, err := imbot.ParseEvent(formPost("https://bot.example.com/", url.Values{"event": {"ONAPPINSTALL"}, "ts": {"1"},
				"auth[access_token]": {accessToken}, "auth[refresh_token]": {refreshToken}, "auth[application_token]": {applicationToken},
				"auth[member_id]": {memberOne}, "auth[domain]": {"portal.bitrix24.com"}}), app.Verifier())
			return err
		}},
		"page": {[]string{clientSecret, accessToken}, func(app *imbot.OAuthApp) any {
			page := httptest.NewRecorder()
			app.InstallPage().ServeHTTP(page, formPost("https://bot.example.com/?DOMAIN=portal.bitrix24.com", url.Values{"AUTH_ID": {accessToken},
				"REFRESH_ID": {refreshToken}, "APPLICATION_TOKEN": {applicationToken}, "member_id": {memberOne}}))
			require.NotEqual(t, http.StatusOK, page.Code)
			return page.Body.String()
		}},
	} {
		for name, server := range failures(tokenEndpoint+"&code="+row.quoted[1], row.quoted...) {
			app := secretApp(t, transport(func(r *http.Request) (*http.Response, error) {
				if r.URL.Host == "oauth.bitrix.info" {
					return server.RoundTrip(r)
				}
				return reply(401, `{"error":"expired_token"}`), nil
			}), &log)
			result := row.result(app)
			require.NotNil(t, result, "%s: %s", what, name)
			all[what+": "+name] = result
		}
	}
	for name, portal := range failures("https://portal.bitrix24.com/rest/imbot.message.add?auth="+accessToken, accessToken, refreshToken, clientSecret, applicationToken, previousOne) {
		app := secretApp(t, transport(func(r *http.Request) (*http.Response, error) {
			if r.URL.Host == "oauth.bitrix.info" {
				return reply(200, `{"access_token":"`+accessToken+`","refresh_token":"`+refreshToken+`","expires_in":3600}`), nil
			}
			return portal.RoundTrip(r)
		}), &log)
		client, err := app.Client(t.Context(), memberOne)
		require.NoError(t, err)
		message := imbot.MessageAddRequest{DialogID: "1", Message: "hi"}
		_, err = client.Message.Add(t.Context(), message)
		require.Error(t, err, name)
		all["a call: "+name] = err
		app.Store = imbot.NewMemoryStore()
		client, err = app.ForEvent(t.Context(), &imbot.UnknownEvent{EventMeta: imbot.EventMeta{Auth: imbot.EventAuth{MemberID: memberOne,
			ClientEndpoint: "https://portal.bitrix24.com/rest/", AccessToken: accessToken, RefreshToken: refreshToken, ApplicationToken: applicationToken}}})
		require.NoError(t, err)
		_, err = client.Message.Add(t.Context(), message)
		require.Error(t, err, name)
		all["a call with an event's tokens: "+name] = err
	}
	for name, store := range map[string]*brokenStore{
		"that cannot be read":    {load: func() error { return errors.New(refreshToken + clientSecret) }},
		"that cannot be written": {swap: func() error { return errors.New(refreshToken) }},
	} {
		c := newCloud()
		store.TokenStore = c.installed(t, "one.bitrix24.com")
		app := secretApp(t, c, &log)
		app.Store, app.ClientSecret = store, appSecret
		_, err := imbot.ParseEvent(c.issue("one.bitrix24.com", 1, appID).event("ONAPPUPDATE", "auth[application_token]", applicationToken), app.Verifier())
		require.Error(t, err)
		all["a store "+name] = err
	}
	require.NotEmpty(t, log.String())
	all["the log"] = log.String()
	return all
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestNothingOfAnApplicationPrintsASecret(t *testing.T) {
	t.Parallel()
	for name, value := range oauthPrintables(t) {
		t.Run(name, func(t *testing.T) { requireMasked(t, value) })
	}
}
