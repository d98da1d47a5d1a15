package imbottest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

// TestShortSecretsAreMaskedByTheirNames is about client ids that are too short to
// be looked for by their value: the bot of newWorld has "one".
func TestShortSecretsAreMaskedByTheirNames(t *testing.T) {
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
			portal := newWorld(t)
			portal.Serve(eventURL, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }))
			_, err := portal.Say(t.Context(), anna, "4", "hi")
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
	portal := newWorld(t)
	const text = `auth[domain]=x.example.com author=Anna "auth": {"user_id": 1} hashtag: #a`
	portal.Fail("profile", imbottest.Fault{Body: text, Status: 500})
	_, _ = postTo(t, portal, portal.Webhook("").URL+"profile", "application/json", "")
	call, _ := portal.Exchange(portal.Exchanges(0, 1)[0].ID)
	require.Equal(t, text, call.Answer)
}

// TestTheDumpOfARefusedApplicationIsMasked is about an error that has the
// parameters of the call in its text.
func TestTheDumpOfARefusedApplicationIsMasked(t *testing.T) {
	portal := newWorld(t)
	require.NoError(t, portal.Veto("imbot.app.register"))
	got := post(t, portal, "imbot.app.register", `{"CLIENT_ID":"one","BOT_ID":4,"CODE":"f","IFRAME":"https://a.example.com/","HASH":"0123456789abcdef0123456789abcdef","LANG":[{"TITLE":"T"}]}`)
	require.Contains(t, got, "WRONG_REQUEST")
	call, _ := portal.Exchange(portal.Exchanges(0, 1)[0].ID)
	require.Contains(t, call.Answer, "App can't be created")
	require.NotContains(t, call.Answer, "0123456789abcdef")
	require.NotContains(t, call.Answer, `\"one\"`)
}

func TestASecretThatBeginsLikeAnotherIsMaskedAsAWhole(t *testing.T) {
	portal := newWorld(t)
	short := "the-client-id-of-a-bot"
	for i := range 9 { // maps have no order
		id := short + strings.Repeat("x", i)
		post(t, portal, "imbot.bot.list", `{"CLIENT_ID":"`+id+`"}`)
		post(t, portal, "imbot.register", `{"CLIENT_ID":"`+id+`"}`)
	}
	post(t, portal, "profile", `{"TEXT":"`+short+`xxxxxxxx end"}`)
	call, _ := portal.Exchange(portal.Exchanges(0, 1)[0].ID)
	require.Contains(t, call.Sent, `"*** end"`)
}
