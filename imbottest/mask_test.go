package imbottest_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

// TestShortSecretsAreMaskedByTheirNames is about client ids that are too short to be
// masked wherever they stand, such as "one" of the test portal.
func TestShortSecretsAreMaskedByTheirNames(t *testing.T) {
	t.Parallel()
	for says, text := range map[string]string{
		"a form":                 `auth[domain]=x&auth[application_token]=one&ts=1`,
		"an escaped form":        `auth%5Bdomain%5D=x&auth%5Bapplication_token%5D=one&ts=1`,
		"an address":             `https://a.example.com/?CLIENT_ID=one`,
		"an address in a form":   `u=https%3A%2F%2Fa.example.com%2F%3Fa%3D1%26CLIENT_ID%3Done%26b%3D2`,
		"JSON in a text":         `got {"client_id": "one", "auth": {"a": 1}}`,
		"JSON in JSON":           `"{\"client_id\":\"one\"}"`,
		"JSON in a form":         `x=%7B%22client_id%22%3A%22one%22%7D`,
		"a dictionary of Python": `{'auth[application_token]': 'one', 'ts': '1'}`,
		"an array of PHP":        "Array\n(\n    [application_token] => one\n)",
		"a text with escapes":    `client_id=o%2Bone&x=1`,
		"a text with a comma":    `client_id=o,one&x=1`,
	} {
		t.Run(says, func(t *testing.T) {
			portal := newTestPortal(t)
			portal.Serve(eventURL, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }))
			_, err := portal.Say(t.Context(), anna, "103", "hi")
			require.NoError(t, err)
			require.NoError(t, portal.Idle(t.Context()))
			event, ok := portal.Exchange(portal.Exchanges(0, 1)[0].ID)
			require.True(t, ok)
			require.Contains(t, event.Answer, "***")
			require.NotContains(t, event.Answer, "one")

			portal.Fail("profile", imbottest.Fault{Code: "X", Description: text})
			post(t, portal, "profile", ``)
			call, ok := portal.Exchange(portal.Exchanges(0, 1)[0].ID)
			require.True(t, ok)
			require.Contains(t, call.Answer, "***")
			require.NotContains(t, call.Answer, "one")
		})
	}
}

func TestWhatIsNoSecretIsShown(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	const text = `auth[domain]=x.example.com author=Anna "auth": {"user_id": 1} hashtag: #a`
	portal.Fail("profile", imbottest.Fault{Body: text, Status: 500})
	_, _ = postTo(t, portal, portal.Webhook("").URL+"profile", "application/json", "")
	call, _ := portal.Exchange(portal.Exchanges(0, 1)[0].ID)
	require.Equal(t, text, call.Answer)
}

// TestTheDumpOfARefusedApplicationIsMasked is about an error whose description has the
// parameters of the call.
func TestTheDumpOfARefusedApplicationIsMasked(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	require.NoError(t, portal.Veto("imbot.app.register"))
	got := post(t, portal, "imbot.app.register", `{"CLIENT_ID":"one","BOT_ID":103,"CODE":"f","IFRAME":"https://a.example.com/","HASH":"0123456789abcdef0123456789abcdef","LANG":[{"TITLE":"T"}]}`)
	require.Contains(t, got, "WRONG_REQUEST")
	call, _ := portal.Exchange(portal.Exchanges(0, 1)[0].ID)
	require.Contains(t, call.Answer, "App can't be created")
	require.NotContains(t, call.Answer, "0123456789abcdef")
	require.NotContains(t, call.Answer, `\"one\"`)
}

func TestASecretThatBeginsLikeAnotherIsMaskedAsAWhole(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	short := "the-client-id-of-a-bot"
	for i := range 9 { // many, because the order of a map would hide a mistake with two
		id := short + strings.Repeat("x", i)
		post(t, portal, "imbot.bot.list", `{"CLIENT_ID":"`+id+`"}`)
		post(t, portal, "imbot.register", `{"CLIENT_ID":"`+id+`"}`)
	}
	post(t, portal, "profile", `{"TEXT":"`+short+`xxxxxxxx end"}`)
	call, _ := portal.Exchange(portal.Exchanges(0, 1)[0].ID)
	require.Contains(t, call.Sent, `"*** end"`)
}

// TestSecretsAreMaskedByTheirNames is about values that are not, or no longer, secrets of
// this portal.
func TestSecretsAreMaskedByTheirNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"access_token", "refresh_token", "client_id", "client_secret", "application_token", "AUTH_ID", "REFRESH_ID",
		"HASH", "ap", "aplogin", "code_verifier", "auth",
	} {
		t.Run(name, func(t *testing.T) {
			portal := newTestPortal(t)
			post(t, portal, "profile", `{"A":{"`+name+`":"short"},"B":"shown"}`)
			call, _ := portal.Exchange(portal.Exchanges(0, 1)[0].ID)
			require.Contains(t, call.Sent, `"***"`)
			require.NotContains(t, call.Sent, "short")
			require.Contains(t, call.Sent, "shown")
		})
	}
}

func TestSecretsAreMaskedByTheirValues(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	const clientSecret, hash = "the/client=secret&of+it", "0123456789abcdef0123456789abcdef"
	app := portal.Application("local.1", clientSecret)
	require.NoError(t, app.Install(t.Context(), eventURL))
	require.NoError(t, portal.Idle(t.Context())) // then ONAPPINSTALL is in the log and does not come later
	token, err := portal.OAuth("local.1").Tokens.Token()
	require.NoError(t, err)
	back, err := app.Authorize(anna, "")
	require.NoError(t, err)
	post(t, portal, "imbot.app.register", `{"CLIENT_ID":"one","BOT_ID":103,"CODE":"f","IFRAME":"https://a.example.com/","HASH":"`+hash+`","LANG":[{"TITLE":"T"}]}`)
	hook := strings.Split(portal.Webhook("").URL, "/")
	for says, secret := range map[string]string{
		"the secret of the webhook":     hook[len(hook)-2],
		"an access token":               token.AccessToken,
		"a refresh token":               token.RefreshToken,
		"the token of an application":   portal.ApplicationToken("local.1"),
		"the secret of an application":  clientSecret,
		"that in a form":                url.QueryEscape(clientSecret),
		"that of a chat application":    hash,
		"the code of an authorization":  back.Get("code"),
		"the webhook of another portal": "https://b24.example.com/rest/1/k1j2/",
	} {
		t.Run(says, func(t *testing.T) {
			require.NotEmpty(t, secret)
			portal.Fail("profile", imbottest.Fault{Status: 500, Body: "it was <" + secret + ">"})
			_, _ = postTo(t, portal, portal.Webhook("").URL+"profile", "application/json", `{"TEXT":"`+secret+`","`+secret+`":1}`)
			call, _ := portal.Exchange(portal.Exchanges(0, 1)[0].ID)
			for _, text := range []string{call.Sent, call.Answer} {
				require.Contains(t, text, "***")
				require.NotContains(t, text, secret)
			}
		})
	}
}

// TestSecretsInNamesAndErrorsAreMasked is about the list of exchanges, without bodies.
func TestSecretsInNamesAndErrorsAreMasked(t *testing.T) {
	t.Parallel()
	portal := imbottest.NewPortal(imbottest.WithRateLimit(0.001, 2))
	t.Cleanup(portal.Close)
	hook := portal.Webhook("").URL
	secret := strings.Split(hook, "/")[5]
	portal.Fail("profile", imbottest.Fault{Code: "NO_" + secret})
	for _, method := range []string{"profile", secret, secret} { // the last one is above the limit
		_, _ = postTo(t, portal, hook+method, "application/json", "")
	}
	require.NotContains(t, fmt.Sprint(portal.Exchanges(0, 9)), secret)
	require.Equal(t, "QUERY_LIMIT_EXCEEDED", portal.Exchanges(0, 1)[0].Error)
}

func TestSecretsInsideParametersAreHidden(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	hook := portal.Webhook("a-long-random-client-id")
	post(t, portal, "imbot.chat.add", fmt.Sprintf(`{"CLIENT_ID":%q,"TITLE":%q}`, hook.ClientID, hook.URL))
	post(t, portal, "imbot.chat.add", fmt.Sprintf(`{"CLIENT_ID":%q,"TITLE":%q}`, hook.ClientID, "it is "+hook.ClientID))
	post(t, portal, "profile", fmt.Sprintf(`{"x":%q}`, hook.ClientID))
	text := callsInWords(portal)
	require.NotContains(t, text, hook.ClientID)
	require.NotContains(t, text, strings.Split(hook.URL, "/")[5])
	require.Contains(t, text, `"TITLE":"it is ***"`)
}
