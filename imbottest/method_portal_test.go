package imbottest_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

// withToken calls a method as an application that somebody uses.
func withToken(t *testing.T, portal *imbottest.Portal, user imbot.ID, method, contentType, params string) string {
	t.Helper()
	app := portal.Application(clientID, secret)
	portal.OAuth(clientID)
	query, err := app.Authorize(user, "")
	require.NoError(t, err)
	_, tokens := askServer(t, portal.HTTPClient(), portal.AuthServer()+"/oauth/token/", map[string][]string{
		"grant_type": {"authorization_code"}, "client_id": {clientID}, "client_secret": {secret}, "code": {query.Get("code")},
	})
	address := portal.Endpoint() + method + "?auth=" + tokens["access_token"].(string)
	status, body := postTo(t, portal, address, contentType, params)
	return outcome(t, status, body)
}

func TestMethodsWithoutAScope(t *testing.T) {
	t.Parallel()
	const asJSON, aWebhook = "application/json", imbot.ID(0)
	for _, row := range []struct {
		says   string
		user   imbot.ID // with a token; 0 stands for the webhook
		method string
		params string
		want   string
	}{
		{"the scopes of the webhook", aWebhook, "scope", `{}`, `["im","imbot","imopenlines"]`},
		{"the same with a flag that is off", aWebhook, "scope", `{"full":false}`, `["im","imbot","imopenlines"]`},
		{"a feature of another plan", aWebhook, "feature.get", `{"CODE":"rest_auth_connector"}`, `{"value":"N"}`},
		{"a feature that nobody knows", aWebhook, "feature.get", `{"CODE":"x"}`, `{"value":"Y"}`},
		{"a feature without a name", aWebhook, "feature.get", `{"CODE":"0"}`, "400 CODE_EMPTY"},
		{"who owns the webhook is the administrator", aWebhook, "user.admin", `{}`, "true"},
		{"others are not", anna, "user.admin", `{}`, "false"},
		{"the administrator has every right", aWebhook, "user.access", `{}`, "true"},
		{"others have their own", anna, "user.access", `{"ACCESS":["D1","U101"]}`, "true"},
		{"a single one, too", anna, "user.access", `{"ACCESS":"AU"}`, "true"},
		{"and not those of somebody else", anna, "user.access", `{"ACCESS":["U102","CR"]}`, "false"},
		{"names of rights", aWebhook, "access.name", `{"ACCESS":["AU","U101","D5","U99","Ux"]}`,
			`{"AU":{"provider":"","name":"All authorized users","provider_id":"other"},"U101":{"provider":"User","name":"Anna Ivanova","provider_id":"user"}}`},
		{"no right has no name", aWebhook, "access.name", `{"ACCESS":["D5"]}`, "[]"},
		{"a text is no list of rights", aWebhook, "access.name", `{"ACCESS":"AU"}`, "false"},
		{"settings need an application", aWebhook, "app.option.get", `{}`, "403 ACCESS_DENIED"},
		{"to keep them, too", aWebhook, "user.option.set", `{"options":{"a":"b"}}`, "403 ACCESS_DENIED"},
		{"at first there are none", imbottest.Admin, "app.option.get", `{}`, "[]"},
		{"only the administrator changes those of everybody", anna, "app.option.set", `{"options":{"a":"b"}}`, "403 ACCESS_DENIED"},
		{"nothing is no setting", imbottest.Admin, "app.option.set", `{"options":{}}`, "400 ERROR_ARGUMENT"},
		{"nor is a call without parameters", imbottest.Admin, "app.option.set", `{}`, "400 ERROR_ARGUMENT"},
		{"events are those of applications", aWebhook, "events", `{}`, "403 WRONG_AUTH_TYPE"},
		{"and of their scopes", imbottest.Admin, "events", `{"SCOPE":"crm"}`, "[]"},
		{"tests are for applications", aWebhook, "event.test", `{}`, "403 WRONG_AUTH_TYPE"},
		{"a test succeeds without a handler", imbottest.Admin, "event.test", `{}`, "1"},
	} {
		t.Run(row.says, func(t *testing.T) {
			portal := newTestPortal(t)
			if row.user == aWebhook {
				require.Equal(t, row.want, post(t, portal, row.method, row.params))
			} else {
				require.Equal(t, row.want, withToken(t, portal, row.user, row.method, asJSON, row.params))
			}
			require.NoError(t, portal.Err())
		})
	}
}

func TestServerTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal := newPortal(t)
		require.Equal(t, `"`+time.Now().Format(time.RFC3339)+`"`, post(t, portal, "server.time", `{}`))
		portal.Close()
	})
}

func TestOptions(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	admin := func(method, params string) string {
		return withToken(t, portal, imbottest.Admin, method, "application/json", params)
	}
	require.Equal(t, "true", admin("app.option.set", `{"options":{"Data":"value","n":2,"list":[1,{"a":true}]}}`))
	require.Equal(t, "true", withToken(t, portal, imbottest.Admin, "app.option.set", urlencoded, "Other=5&start=7&state=x"))
	require.Equal(t, `{"Data":"value","n":2,"list":[1,{"a":true}],"Other":"5"}`, admin("app.option.get", `{}`))
	require.Equal(t, `2`, withToken(t, portal, anna, "app.option.get", "application/json", `{"option":"n"}`), "everybody reads them")
	require.Equal(t, `null`, admin("app.option.get", `{"option":"data"}`), "names have a case")
	require.Equal(t, "true", withToken(t, portal, anna, "user.option.set", "application/json", `{"options":{"theme":"dark"}}`))
	require.Equal(t, `{"theme":"dark"}`, withToken(t, portal, anna, "user.option.get", "application/json", `{}`))
	require.Equal(t, `[]`, withToken(t, portal, boris, "user.option.get", "application/json", `{}`), "these are Anna's")
	require.NoError(t, portal.Application(clientID, secret).Uninstall(t.Context()))
	require.Equal(t, `[]`, admin("app.option.get", `{}`), "they went with the application")
}

func TestEventTest(t *testing.T) {
	t.Parallel()
	portal, box := newMailboxPortal(t)
	call := func(method, params string) string {
		return withToken(t, portal, anna, method, "application/json", params)
	}
	require.Contains(t, call("events", `{}`), `"ONAPPTEST","ONIMBOTMESSAGEADD"`)
	require.Equal(t, "true", call("event.bind", `{"event":"OnAppTest","handler":"`+eventURL+`"}`))
	require.Contains(t, call("event.get", `{}`), `"ONAPPTEST"`)
	require.Equal(t, "1", call("event.test", `{"any":"data","More":{"a":[1]}}`))
	e := box.take(t, portal)[0]
	require.Equal(t, "ONAPPTEST", e.Get("event"))
	require.Equal(t, "data", e.Get("data[QUERY][any]"))
	require.Equal(t, "1", e.Get("data[QUERY][More][a][0]"))
	require.Equal(t, "en", e.Get("data[LANGUAGE_ID]"))
	require.NotContains(t, e.Encode(), "QUERY%5D%5Bauth", "the token is none of the parameters")
	require.Equal(t, portal.ApplicationToken(clientID), e.Get("auth[application_token]"))
	require.Equal(t, "101", e.Get("auth[user_id]"))
	require.NotEmpty(t, e.Get("auth[refresh_token]"))
}

func TestMethodsAreListed(t *testing.T) {
	t.Parallel()
	portal := newPortal(t)
	list := func(params string) (names []string) {
		require.NoError(t, json.Unmarshal([]byte(post(t, portal, "methods", params)), &names))
		return names
	}
	own, base := list(`{}`), list(`{"scope":""}`)
	require.Equal(t, own, slices.Concat(base, list(`{"scope":"im"}`), list(`{"scope":"imbot"}`), list(`{"scope":"imopenlines"}`)))
	require.Equal(t, own, list(`{"full":true}`))
	require.Empty(t, list(`{"scope":"no.such"}`))
	for _, name := range own {
		require.Equal(t, `{"isAvailable":true,"isExisting":true}`, post(t, portal, "method.get", `{"name":"`+name+`"}`), name)
	}
	var spec []struct{ Method string }
	require.NoError(t, json.Unmarshal([]byte(sample(t, "../testdata/spec/imbot-v1.json")), &spec))
	require.NotEmpty(t, spec)
	for _, m := range spec {
		require.Contains(t, own, m.Method)
	}
	require.Contains(t, strings.Join(list(`{}`), " "), "imopenlines.bot.session.operator")
}
