package imbottest_test

import (
	"crypto/md5"
	"encoding/hex"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func appOddities() []oddity {
	const hash = "0123456789abcdef0123456789abcdefTAIL"
	const frame = `"IFRAME":"https://bot.example.com/","HASH":"` + hash + `"`
	register := func(more string) string {
		return `imbot.app.register {` + asAlpha + `,"CODE":"new",` + more + `,` + titles + `}`
	}
	update := func(fields string) string {
		return `imbot.app.update {"CLIENT_ID":"one","APP_ID":502,"FIELDS":{` + fields + `}}`
	}
	opened := func(t *testing.T, w oddityPortal) url.Values {
		require.NoError(t, w.Open(t.Context(), anna, alpha))
		address, err := w.IFrame(anna, 502, "103")
		require.NoError(t, err)
		u, err := url.Parse(address)
		require.NoError(t, err)
		return u.Query()
	}
	signed := func(key string) func(*testing.T, oddityPortal) {
		return func(t *testing.T, w oddityPortal) {
			sum := md5.Sum([]byte("101" + key))
			require.Equal(t, hex.EncodeToString(sum[:]), opened(t, w).Get("USER_HASH"))
		}
	}
	return []oddity{
		{"the result is PARAMS_ERROR", "an unusable command hides a usable frame", nil, []string{register(frame + `,"JS_METHOD":"SEND","JS_PARAM":"x"`)}, "400 PARAMS_ERROR", nil},
		{"JS_METHOD is case-sensitive", "a way to run it in lower case is none", nil, []string{register(`"JS_METHOD":"send","JS_PARAM":"/help"`)}, "400 PARAMS_ERROR", nil},
		{"BOT_ID is checked late", "the bot comes after the code", nil, []string{`imbot.app.register {"CLIENT_ID":"one"}`}, "400 CODE_ERROR", nil},
		{"A one-character command such as /x", "a command of one letter is none", nil, []string{register(`"JS_METHOD":"SEND","JS_PARAM":"/x"`)}, "400 PARAMS_ERROR", nil},
		{"A one-character command such as /x", "one of two letters is one", nil, []string{register(`"JS_METHOD":"SEND","JS_PARAM":"/xy"`)}, "502", nil},
		{"LANG entries with an empty LANGUAGE_ID or without the key TITLE are skipped silently.", "titles of an application that are none are no error", nil, []string{`imbot.app.register {` + asAlpha + `,"CODE":"new",` + frame + `,"LANG":[{"LANGUAGE_ID":"en"}]}`}, "502", nil},
		{"", "the id of an application that exists is text", nil, []string{register(frame), register(frame)}, `"502"`, nil},
		{"", "what cannot be stored is described with all of its parameters, secrets too", veto("imbot.app.register"), []string{register(frame)}, "400 WRONG_REQUEST", func(t *testing.T, w oddityPortal) {
			method, params, _ := strings.Cut(register(frame), " ")
			_, body := postTo(t, w.Portal, w.Webhook("").URL+method, "application/json", params)
			require.Contains(t, string(body), hash)
		}},
		{"CLIENT_ID is absent from the parameter tables", "the client is needed all the same", nil, []string{`imbot.app.update {"APP_ID":501}`}, "403 ACCESS_DENIED", nil},
		{"Iframe signature: the page is opened", "a frame is told who opens it and where", nil, []string{register(frame)}, "502", func(t *testing.T, w oddityPortal) {
			q := opened(t, w)
			require.Equal(t, []string{"103", "alpha", "502", "new", "101", "103", "textarea", "en", "Y"}, []string{q.Get("BOT_ID"), q.Get("BOT_CODE"), q.Get("APP_ID"), q.Get("APP_CODE"), q.Get("USER_ID"), q.Get("DIALOG_ID"), q.Get("CONTEXT"), q.Get("LANG"), q.Get("IS_CHROME")})
			require.Len(t, q.Get("DOMAIN_HASH"), 32)
		}},
		{"APP_ID_ERROR is about the REST application", "two codes are about two kinds of application", nil, []string{`imbot.app.unregister {"CLIENT_ID":"two","APP_ID":501}`}, "400 APP_ID_ERROR", nil},
		{"APP_ID_ERROR is about the REST application", "this one is about the parameter", nil, []string{`imbot.app.unregister {"CLIENT_ID":"two","APP_ID":9}`}, "400 CHAT_APP_ID_ERROR", nil},
		{"A call without FIELDS, with empty FIELDS", "nothing to update is no error here", nil, []string{`imbot.app.update {"CLIENT_ID":"one","APP_ID":501}`}, "true", nil},
		{"A call without FIELDS, with empty FIELDS", "nor is an unusable command", nil, []string{register(frame), update(`"JS_METHOD":"SEND","JS_PARAM":"x"`)}, "true", nil},
		{"FIELDS.ICON_FILE is stored under a key", "a new icon is thrown away", nil, []string{register(frame), update(`"ICON_FILE":"iVBORw0KGgo="`)}, "true", nil},
		{"Switching an application between JS and IFRAME", "a frame stays behind a command", nil, []string{register(frame), update(`"JS_METHOD":"SEND","JS_PARAM":"/help"`)}, "true", func(t *testing.T, w oddityPortal) {
			require.Equal(t, "502", opened(t, w).Get("APP_ID"))
		}},
		{"When JS_METHOD and JS_PARAM are present IFRAME is ignored.", "beside a command nobody looks at the frame", nil, []string{register(frame), update(`"JS_METHOD":"SEND","JS_PARAM":"/help","IFRAME":"http://x"`)}, "true", nil},
		{"CODE and BOT_ID cannot be changed", "a code stays", nil, []string{register(frame), update(`"CODE":"x"`), register(frame)}, `"502"`, nil},
		{"CODE and BOT_ID cannot be changed", "a new application's hash is cut", nil, []string{register(frame)}, "502", signed(hash[:32])},
		{"CODE and BOT_ID cannot be changed", "another hash is not", nil, []string{register(frame), update(`"HASH":"` + hash + `"`)}, "true", signed(hash)},
		{"Registered by module imbot for the product's own", "the portal's own methods are closed to webhooks", nil, []string{`imbot.support24.question.list {}`}, "403 WRONG_AUTH_TYPE", nil},
	}
}
