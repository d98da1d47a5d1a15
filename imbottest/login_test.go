package imbottest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

func TestCredentials(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	hook := portal.Webhook("one").URL
	root := portal.OAuth("local.1").Endpoint
	token, err := portal.OAuth("local.1").Tokens.Token()
	require.NoError(t, err)
	secret := strings.Split(strings.TrimSuffix(hook, "/"), "/")[5]
	for _, tt := range []struct{ says, url, contentType, body, want string }{
		{"a webhook", hook + "profile", "application/json", `{}`, "200"},
		{"a suffix and a slash do not matter", hook + "profile.json/", "application/json", `{}`, "200"},
		{"the case of a method does not matter", hook + "IMBOT.Bot.LIST", "application/json", `{}`, "200"},
		{"a wrong secret", root + "1/wrong/profile", "application/json", `{}`, "401 INVALID_CREDENTIALS"},
		{"a wrong user", root + "2/" + secret + "/profile", "application/json", `{}`, "401 INVALID_CREDENTIALS"},
		{"a webhook without TLS", strings.Replace(hook, "https", "http", 1) + "profile", "application/json", `{}`, "401 INVALID_REQUEST"},
		{"no credentials", root + "profile", "application/json", `{}`, "401 NO_AUTH_FOUND"},
		{"a token in the body", root + "profile", "application/json", `{"auth":"` + token.AccessToken + `"}`, "200"},
		{"a token in a form", root + "profile", "application/x-www-form-urlencoded", "auth=" + token.AccessToken, "200"},
		{"a token in the query", root + "profile?auth=" + token.AccessToken, "application/json", ``, "200"},
		{"an unknown token", root + "profile", "application/json", `{"auth":"x"}`, "401 invalid_token"},
		{"malformed JSON is no body", root + "profile", "application/json", `{"auth":"` + token.AccessToken + `"`, "401 NO_AUTH_FOUND"},
		{"JSON that is no map is no body", root + "profile", "application/json", `"auth"`, "401 NO_AUTH_FOUND"},
		{"JSON that calls itself a form is garbage", root + "profile", "text/plain", `{"auth":"` + token.AccessToken + `"}`, "401 NO_AUTH_FOUND"},
		{"JSON nested too deeply is no body", root + "profile", "application/json; charset=utf-8", `{"auth":"` + token.AccessToken + `","x":` + strings.Repeat("[", 600) + strings.Repeat("]", 600) + `}`, "401 NO_AUTH_FOUND"},
		{"an unknown method", hook + "imbot.nothing", "application/json", `{}`, "404 ERROR_METHOD_NOT_FOUND"},
	} {
		t.Run(tt.says, func(t *testing.T) {
			status, body := postTo(t, portal, tt.url, tt.contentType, tt.body)
			got := outcome(t, status, body)
			if status == http.StatusOK {
				got = "200"
			}
			require.Equal(t, tt.want, got)
		})
	}
	require.ErrorContains(t, portal.Err(), `no method "imbot.nothing"`)
	for _, text := range []string{portal.Err().Error(), fmt.Sprintf("%v %+v %#v %s", portal, portal, portal, portal), fmt.Sprintf("%v %+v %#v", portal.OAuth("local.1"), portal.OAuth("local.1").Tokens, portal.OAuth("local.1").Tokens), callsInWords(portal)} {
		require.NotContains(t, text, secret)
		require.NotContains(t, text, token.AccessToken)
		require.NotContains(t, text, `"one"`)
	}
}

func callsInWords(portal *imbottest.Portal) string {
	var out strings.Builder
	for _, c := range portal.Calls("") {
		fmt.Fprintln(&out, c.Method, string(c.Params))
	}
	return out.String()
}

func TestSessionsAndOtherWebhooks(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	root := portal.OAuth("local.1").Endpoint
	whose := func(address string) string {
		status, body := postTo(t, portal, address, "application/json", "{}")
		return outcome(t, status, body)
	}
	sessid, err := portal.Session(anna)
	require.NoError(t, err)
	guest, err := portal.Session(0)
	require.NoError(t, err)
	require.Contains(t, whose(root+"profile?sessid="+sessid), `"ID":"101"`)
	require.Equal(t, "[]", whose(root+"profile?sessid="+guest))
	require.Equal(t, "401 session_failed", whose(root+"profile?sessid=x"))
	require.NotContains(t, callsInWords(portal), sessid)

	hook, err := portal.WebhookOf(anna, "one")
	require.NoError(t, err)
	require.Contains(t, whose(hook.URL+"profile"), `"ID":"101"`)
	require.NoError(t, portal.Dismiss(anna))
	require.Equal(t, "401 authorization_error", whose(hook.URL+"profile"))
	require.Equal(t, "401 authorization_error", whose(root+"profile?sessid="+sessid))
}
