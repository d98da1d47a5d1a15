package imbottest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

const (
	clientID = "local.1"
	secret   = "a-client-secret"
	pageURL  = "https://bot.example.com/page?tab=1"
)

// newInstalled is a portal with an application that is installed, and the event
// of its installation.
func newInstalled(t *testing.T) (*imbottest.Portal, *imbottest.Application, *mailbox, url.Values) {
	t.Helper()
	portal, box := imbottest.NewPortal(), &mailbox{}
	t.Cleanup(portal.Close)
	portal.Serve(eventURL, box)
	app := portal.Application(clientID, secret)
	require.NoError(t, app.Install(t.Context(), eventURL))
	events := box.take(t, portal)
	require.Len(t, events, 1)
	require.Equal(t, "ONAPPINSTALL", events[0].Get("event"))
	return portal, app, box, events[0]
}

// ask sends a form, or a GET without one, and returns the status and the answer.
func ask(t *testing.T, client *http.Client, address string, form url.Values) (int, map[string]any) {
	t.Helper()
	var resp *http.Response
	var err error
	if form == nil {
		resp, err = client.Get(address)
	} else {
		resp, err = client.PostForm(address, form)
	}
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	var answer map[string]any
	require.NoError(t, json.Unmarshal(body, &answer), "%s", body)
	return resp.StatusCode, answer
}

func refreshForm(token string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "client_id": {clientID}, "client_secret": {secret}, "refresh_token": {token}}
}

// outcomeOf is the error code of an answer with its status, "ok" without one.
func outcomeOf(status int, answer map[string]any) string {
	if answer["error"] == nil {
		return "ok"
	}
	return fmt.Sprint(status, " ", answer["error"])
}

func TestTokenEndpoint(t *testing.T) {
	portal, app, _, install := newInstalled(t)
	client, server := portal.HTTPClient(), portal.AuthServer()+"/oauth/token/"
	refresh := install.Get("auth[refresh_token]")

	status, first := ask(t, client, server, refreshForm(refresh))
	require.Equal(t, 200, status)
	var want any
	require.NoError(t, json.Unmarshal([]byte(sample(t, "testdata/oauth/doc_refresh_ok.json")), &want))
	require.Equal(t, shape(want), shape(any(first)))
	require.Equal(t, install.Get("auth[member_id]"), first["member_id"])
	require.Equal(t, install.Get("auth[client_endpoint]"), first["client_endpoint"])
	require.Equal(t, portal.AuthServer()+"/rest/", first["server_endpoint"])

	status, again := ask(t, client, server, refreshForm(refresh))
	require.Equal(t, 400, status)
	text, err := json.Marshal(again)
	require.NoError(t, err)
	require.JSONEq(t, sample(t, "testdata/oauth/table_invalid_grant.json"), string(text))

	status, second := ask(t, client, server+"?"+refreshForm(first["refresh_token"].(string)).Encode(), nil)
	require.Equal(t, "ok", outcomeOf(status, second), "a GET with a query works, too")
	require.NotEqual(t, first["access_token"], second["access_token"])

	change := func(pairs ...string) url.Values {
		form := refreshForm(second["refresh_token"].(string))
		for i := 0; i < len(pairs); i += 2 {
			form.Set(pairs[i], pairs[i+1])
		}
		return form
	}
	other := portal.Application("local.2", "another-secret")
	require.NoError(t, other.Install(t.Context(), eventURL))
	for _, tt := range []struct {
		says string
		form url.Values
		want string
	}{
		{"a client that the server does not know", change("client_id", "local.9"), "200 wrong_client"},
		{"a wrong secret", change("client_secret", "guess"), "401 invalid_client"},
		{"no secret", change("client_secret", ""), "401 invalid_client"},
		{"no grant type", change("grant_type", ""), "400 invalid_request"},
		{"another grant type", change("grant_type", "password"), "400 unsupported_grant_type"},
		{"a token that never was", change("refresh_token", "x"), "400 invalid_grant"},
		{"no token", change("refresh_token", ""), "400 invalid_grant"},
		{"the token of another application", change("client_id", "local.2", "client_secret", "another-secret"), "400 invalid_grant"},
		{"a code that never was", change("grant_type", "authorization_code", "code", "x"), "400 invalid_grant"},
		{"no code", change("grant_type", "authorization_code"), "400 invalid_grant"},
	} {
		t.Run(tt.says, func(t *testing.T) {
			require.Equal(t, tt.want, outcomeOf(ask(t, client, server, tt.form)))
		})
	}
	require.Equal(t, "ok", outcomeOf(ask(t, client, server, change())), "none of the errors used the token up")
	require.NotEmpty(t, portal.Calls("oauth/token"))
	for _, call := range portal.Calls("oauth/token") {
		require.NotRegexp(t, secret+"|token\":", string(call.Params))
	}
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", app, app, app), secret)
	require.NoError(t, portal.Idle(t.Context()))
	require.NoError(t, portal.Err())
}

func TestJSONIsNoBodyForTheTokenEndpoint(t *testing.T) {
	portal, _, _, install := newInstalled(t)
	body := fmt.Sprintf(`{"grant_type":"refresh_token","client_id":%q,"client_secret":%q,"refresh_token":%q}`, clientID, secret, install.Get("auth[refresh_token]"))
	status, answer := postTo(t, portal, portal.AuthServer()+"/oauth/token/", "application/json", body)
	require.Equal(t, 200, status)
	require.Contains(t, string(answer), "wrong_client")
}

func TestCodeExchange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		portal, app, _, install := newInstalled(t)
		anna := portal.AddUser("Anna", "Ivanova")
		exchange := func(code string) (int, map[string]any) {
			return ask(t, portal.HTTPClient(), portal.AuthServer()+"/oauth/token/", url.Values{
				"grant_type": {"authorization_code"}, "client_id": {clientID}, "client_secret": {secret}, "code": {code}})
		}
		query, err := app.Authorize(anna, "xyz")
		require.NoError(t, err)
		require.Equal(t, "xyz", query.Get("state"))
		require.Equal(t, install.Get("auth[member_id]"), query.Get("member_id"))
		require.Equal(t, portal.AuthServer(), "https://"+query.Get("server_domain"))
		status, answer := exchange(query.Get("code"))
		require.Equal(t, "ok", outcomeOf(status, answer))
		require.EqualValues(t, anna, answer["user_id"])
		require.Equal(t, "400 invalid_grant", outcomeOf(exchange(query.Get("code"))), "a code works once")

		query, err = app.Authorize(anna, "")
		require.NoError(t, err)
		_ = portal.Application("local.2", "another-secret")
		require.Equal(t, "400 invalid_grant", outcomeOf(ask(t, portal.HTTPClient(), portal.AuthServer()+"/oauth/token/", url.Values{
			"grant_type": {"authorization_code"}, "client_id": {"local.2"}, "client_secret": {"another-secret"}, "code": query["code"]})), "nor for another application")
		require.Equal(t, "ok", outcomeOf(exchange(query.Get("code"))))

		query, err = app.Authorize(anna, "")
		require.NoError(t, err)
		time.Sleep(30 * time.Second)
		require.Equal(t, "400 invalid_grant", outcomeOf(exchange(query.Get("code"))), "a code lives 30 seconds")

		_, err = app.Authorize(99, "")
		require.ErrorContains(t, err, "no user 99")
	})
}

func TestAccessTokensLiveAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		portal, app, _, install := newInstalled(t)
		client := portal.HTTPClient()
		call := func(root, token string) string {
			return outcomeOf(ask(t, client, root+"app.info", url.Values{"auth": {token}}))
		}
		rest, auth := install.Get("auth[client_endpoint]"), portal.AuthServer()+"/rest/"
		access, refresh := install.Get("auth[access_token]"), install.Get("auth[refresh_token]")
		both := func(token, want string) {
			t.Helper()
			require.Equal(t, want, call(rest, token))
			require.Equal(t, want, call(auth, token))
		}
		renew := func() {
			t.Helper()
			status, answer := ask(t, client, portal.AuthServer()+"/oauth/token/", refreshForm(refresh))
			require.Equal(t, "ok", outcomeOf(status, answer))
			access, refresh = answer["access_token"].(string), answer["refresh_token"].(string)
		}
		time.Sleep(time.Hour - time.Second)
		both(access, "ok")
		time.Sleep(time.Second)
		both(access, "401 expired_token")
		both("never", "401 invalid_token")
		both("", "401 NO_AUTH_FOUND")

		renew()
		both(access, "ok")
		app.ExpireTokens()
		both(access, "401 expired_token")
		time.Sleep(179 * 24 * time.Hour)
		_, err := portal.OAuth(clientID).Tokens.Token() // the portal forgets what is older
		require.NoError(t, err)
		renew()
		both(access, "ok")
		app.RevokeTokens()
		both(access, "401 invalid_token")
		require.Equal(t, "400 invalid_grant", outcomeOf(ask(t, client, portal.AuthServer()+"/oauth/token/", refreshForm(refresh))))
	})
}

func TestRefreshTokensLive180Days(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		portal, _, _, install := newInstalled(t)
		time.Sleep(180 * 24 * time.Hour)
		require.Equal(t, "400 invalid_grant", outcomeOf(ask(t, portal.HTTPClient(), portal.AuthServer()+"/oauth/token/", refreshForm(install.Get("auth[refresh_token]")))))
	})
}

func TestAppInfoOfTheAuthorizationServer(t *testing.T) {
	portal, _, _, install := newInstalled(t)
	status, answer := ask(t, portal.HTTPClient(), portal.AuthServer()+"/rest/app.info?auth="+install.Get("auth[access_token]"), nil)
	require.Equal(t, "ok", outcomeOf(status, answer))
	info := answer["result"].(map[string]any)
	require.Equal(t, clientID, info["client_id"])
	require.EqualValues(t, imbottest.Admin, info["user_id"])
	at := info["install"].(map[string]any)
	require.Equal(t, install.Get("auth[domain]"), at["domain"])
	require.Equal(t, install.Get("auth[member_id]"), at["member_id"])
	require.Equal(t, install.Get("auth[client_endpoint]"), at["client_endpoint"])
	require.Equal(t, true, at["installed"])
}

func TestTheAuthorizationServerCanFail(t *testing.T) {
	portal, _, _, install := newInstalled(t)
	client, server := portal.HTTPClient(), portal.AuthServer()+"/oauth/token/"
	portal.Fail("oauth/token", imbottest.Fault{Status: 401, Code: "PAYMENT_REQUIRED"})
	portal.Fail("oauth/token", imbottest.Fault{Cut: imbottest.BeforeRun})
	form := refreshForm(install.Get("auth[refresh_token]"))
	require.Equal(t, "401 PAYMENT_REQUIRED", outcomeOf(ask(t, client, server, form)))
	_, err := client.PostForm(server, form)
	require.ErrorIs(t, err, io.EOF)
	require.Equal(t, "ok", outcomeOf(ask(t, client, server, form)), "the token was not used up")
	require.Len(t, portal.Calls("oauth/token"), 3)

	resp, err := client.Get(portal.AuthServer() + "/rest/profile")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, 404, resp.StatusCode)
	require.ErrorContains(t, portal.Err(), "/rest/profile")
}

func TestEventsOfAnApplicationLookLikeTheDocumentedOnes(t *testing.T) {
	portal, box := imbottest.NewPortal(), &mailbox{}
	t.Cleanup(portal.Close)
	portal.Serve(eventURL, box)
	app := portal.Application(clientID, secret)
	require.Error(t, app.Update(t.Context()), "it is not installed")
	require.Error(t, app.Uninstall(t.Context()), "it is not installed")
	_, err := app.Authorize(imbottest.Admin, "")
	require.Error(t, err, "it is not installed")
	require.Error(t, app.Install(t.Context(), "ftp://bot.example.com"))
	require.Empty(t, box.take(t, portal))
	for _, step := range []struct {
		sample string
		do     func() error
	}{
		{"onappinstall", func() error { return app.Install(t.Context(), eventURL) }},
		{"onappupdate", func() error { return app.Update(t.Context()) }},
		{"onappuninstall", func() error { return app.Uninstall(t.Context()) }},
	} {
		require.NoError(t, step.do())
		require.Equal(t, fields(t, sample(t, "../testdata/install/doc_"+step.sample+".form")), fields(t, box.last(t, portal)))
	}
	require.NoError(t, portal.Err())
}

func TestUninstall(t *testing.T) {
	portal, app, box, install := newInstalled(t)
	creds := portal.OAuth(clientID)
	client, err := imbot.NewClient(creds, imbot.WithHTTPClient(portal.HTTPClient()))
	require.NoError(t, err)
	bot, err := client.Bot.Register(t.Context(), imbot.BotRegisterRequest{Code: "a", EventHandler: eventURL, Properties: imbot.BotProperties{Name: "A"}})
	require.NoError(t, err)
	require.NoError(t, app.Uninstall(t.Context()))
	events := box.take(t, portal)
	require.ElementsMatch(t, []string{"DELETE", "ONAPPUNINSTALL"}, names(events))
	for _, e := range events {
		require.Equal(t, install.Get("auth[application_token]"), e.Get("auth[application_token]"))
		if e.Get("event") == "ONIMBOTDELETE" {
			require.Equal(t, bot.String(), e.Get("data[BOT_ID]"))
			require.Equal(t, "401 APPLICATION_NOT_FOUND", outcomeOf(ask(t, portal.HTTPClient(), install.Get("auth[client_endpoint]")+"profile", url.Values{"auth": {e.Get("auth[access_token]")}})))
		}
	}
	require.Equal(t, "401 NOT_INSTALLED", outcomeOf(ask(t, portal.HTTPClient(), portal.AuthServer()+"/rest/app.info", url.Values{"auth": {install.Get("auth[access_token]")}})))
	require.Equal(t, "401 NOT_INSTALLED", outcomeOf(ask(t, portal.HTTPClient(), portal.AuthServer()+"/oauth/token/", refreshForm(install.Get("auth[refresh_token]")))))

	require.NoError(t, app.Install(t.Context(), eventURL))
	again := box.take(t, portal)
	require.Len(t, again, 1)
	require.NotEqual(t, install.Get("auth[application_token]"), again[0].Get("auth[application_token]"))
	require.Equal(t, "401 APPLICATION_NOT_FOUND", outcomeOf(ask(t, portal.HTTPClient(), install.Get("auth[client_endpoint]")+"profile", url.Values{"auth": {install.Get("auth[access_token]")}})),
		"old tokens stay dead")

	client, err = imbot.NewClient(portal.OAuth(clientID), imbot.WithHTTPClient(portal.HTTPClient()))
	require.NoError(t, err)
	bot, err = client.Bot.Register(t.Context(), imbot.BotRegisterRequest{Code: "a", EventHandler: eventURL, Properties: imbot.BotProperties{Name: "A"}})
	require.NoError(t, err, "and there are new ones")
	_, err = portal.Say(t.Context(), imbottest.Admin, imbot.UserDialog(bot), "hi")
	require.NoError(t, err)
	for _, e := range box.take(t, portal) {
		token := e.Get("auth[access_token]")
		require.Equal(t, "ok", outcomeOf(ask(t, portal.HTTPClient(), install.Get("auth[client_endpoint]")+"profile", url.Values{"auth": {token}})))
		require.NotEqual(t, again[0].Get("auth[access_token]"), token, "events have a pair of their own")
	}
	require.NoError(t, portal.Err())
}
