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

	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

// askServer posts a form, or makes a GET when form is nil, and returns the status and the
// answer.
func askServer(t *testing.T, client *http.Client, address string, form url.Values) (int, map[string]any) {
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

// outcomeOf is the status and the error code of an answer, "ok" when it has no code.
func outcomeOf(status int, answer map[string]any) string {
	if answer["error"] == nil {
		return "ok"
	}
	return fmt.Sprint(status, " ", answer["error"])
}

func TestTokenEndpoint(t *testing.T) {
	t.Parallel()
	portal, app, _, install := newInstalled(t)
	client, server := portal.HTTPClient(), portal.AuthServer()+"/oauth/token/"
	refresh := install.Get("auth[refresh_token]")

	status, first := askServer(t, client, server, refreshForm(refresh))
	require.Equal(t, 200, status)
	var want any
	require.NoError(t, json.Unmarshal([]byte(sample(t, "testdata/oauth/doc_refresh_ok.json")), &want))
	require.Equal(t, shape(want), shape(any(first)))
	require.Equal(t, install.Get("auth[member_id]"), first["member_id"])
	require.Equal(t, install.Get("auth[client_endpoint]"), first["client_endpoint"])
	require.Equal(t, portal.AuthServer()+"/rest/", first["server_endpoint"])

	status, again := askServer(t, client, server, refreshForm(refresh))
	require.Equal(t, 400, status)
	text, err := json.Marshal(again)
	require.NoError(t, err)
	require.JSONEq(t, sample(t, "testdata/oauth/table_invalid_grant.json"), string(text))

	status, second := askServer(t, client, server+"?"+refreshForm(first["refresh_token"].(string)).Encode(), nil)
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
			require.Equal(t, tt.want, outcomeOf(askServer(t, client, server, tt.form)))
		})
	}
	require.Equal(t, "ok", outcomeOf(askServer(t, client, server, change())), "none of the errors used the token up")
	require.NotEmpty(t, portal.Calls("oauth/token"))
	for _, call := range portal.Calls("oauth/token") {
		require.NotRegexp(t, secret+"|token\":", string(call.Params))
	}
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", app, app, app), secret)
	require.NoError(t, portal.Idle(t.Context()))
	require.NoError(t, portal.Err())
}

func TestJSONIsNoBodyForTheTokenEndpoint(t *testing.T) {
	t.Parallel()
	portal, _, _, install := newInstalled(t)
	body := fmt.Sprintf(`{"grant_type":"refresh_token","client_id":%q,"client_secret":%q,"refresh_token":%q}`, clientID, secret, install.Get("auth[refresh_token]"))
	status, answer := postTo(t, portal, portal.AuthServer()+"/oauth/token/", "application/json", body)
	require.Equal(t, 200, status)
	require.Contains(t, string(answer), "wrong_client")
}

func TestCodeExchange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal, app, _, install := newInstalled(t)
		anna := portal.AddUser("Anna", "Ivanova")
		exchange := func(code string) (int, map[string]any) {
			return askServer(t, portal.HTTPClient(), portal.AuthServer()+"/oauth/token/", url.Values{
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
		require.Equal(t, "400 invalid_grant", outcomeOf(askServer(t, portal.HTTPClient(), portal.AuthServer()+"/oauth/token/", url.Values{
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

func TestAppInfoOfTheAuthorizationServer(t *testing.T) {
	t.Parallel()
	portal, _, _, install := newInstalled(t)
	status, answer := askServer(t, portal.HTTPClient(), portal.AuthServer()+"/rest/app.info?auth="+install.Get("auth[access_token]"), nil)
	require.Equal(t, "ok", outcomeOf(status, answer))
	info := answer["result"].(map[string]any)
	require.Equal(t, clientID, info["client_id"])
	require.EqualValues(t, imbottest.Admin, info["user_id"])
	at := info["install"].(map[string]any)
	require.Equal(t, install.Get("auth[domain]"), at["domain"])
	require.Equal(t, install.Get("auth[member_id]"), at["member_id"])
	require.Equal(t, install.Get("auth[client_endpoint]"), at["client_endpoint"])
	require.Equal(t, true, at["installed"])
	expires, err := time.Parse(time.RFC3339, info["expires"].(string))
	require.NoError(t, err, "a text here, and a number in the answer of the token endpoint")
	require.WithinDuration(t, time.Now().Add(time.Hour), expires, time.Minute)
	require.Equal(t, "im,imbot,imopenlines", info["scope"])
	require.Equal(t, info["scope"], at["scope"])
	require.Equal(t, "user", at["member_type"])
	require.Equal(t, "https://"+at["domain"].(string), at["uri"])
}

func TestPathsOfTheAuthorizationServer(t *testing.T) {
	t.Parallel()
	portal, _, _, install := newInstalled(t)
	query := "?auth=" + install.Get("auth[access_token]")
	for path, want := range map[string]string{
		"/rest/app.info": "ok", "//rest//app.info.json/": "ok", "/rest/no.such": "404 ERROR_METHOD_NOT_FOUND",
		"/oauth//token/": "200 wrong_client", "//oauth/token": "200 wrong_client",
	} {
		require.Equal(t, want, outcomeOf(askServer(t, portal.HTTPClient(), portal.AuthServer()+path+query, nil)), path)
	}
}

func TestTheAuthorizationServerCanFail(t *testing.T) {
	t.Parallel()
	portal, _, _, install := newInstalled(t)
	client, server := portal.HTTPClient(), portal.AuthServer()+"/oauth/token/"
	portal.Fail("oauth/token", imbottest.Fault{Status: 401, Code: "PAYMENT_REQUIRED"})
	portal.Fail("oauth/token", imbottest.Fault{Cut: imbottest.BeforeRun})
	form := refreshForm(install.Get("auth[refresh_token]"))
	require.Equal(t, "401 PAYMENT_REQUIRED", outcomeOf(askServer(t, client, server, form)))
	_, err := client.PostForm(server, form)
	require.ErrorIs(t, err, io.EOF)
	require.Equal(t, "ok", outcomeOf(askServer(t, client, server, form)), "the token was not used up")
	require.Len(t, portal.Calls("oauth/token"), 3)

	resp, err := client.Get(portal.AuthServer() + "/rest/profile")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, 404, resp.StatusCode)
	require.ErrorContains(t, portal.Err(), "/rest/profile")
}
