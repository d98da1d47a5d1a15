package imbottest_test

import (
	"testing"
)

func TestChatApplications(t *testing.T) {
	t.Parallel()
	const me = `"CLIENT_ID":"one","CODE":"new"`
	const js = `"JS_METHOD":"PUT","JS_PARAM":"/help"`
	const lang = `"LANG":[{"LANGUAGE_ID":"en","TITLE":"x"}]`
	const iframe = `"IFRAME":"https://example.com","HASH":"h"`
	runTable(t, "imbot.app.register", []row{
		{"the client id comes first", `{}`, "403 ACCESS_DENIED", nil},
		{"then the code", `{"CLIENT_ID":"one"}`, "400 CODE_ERROR", nil},
		{"an iframe has to be https", `{` + me + `,"IFRAME":"http://example.com"}`, "400 IFRAME_HTTPS", nil},
		{"an iframe needs a hash", `{` + me + `,"IFRAME":"https://example.com"}`, "400 HASH_ERROR", nil},
		{"neither script nor frame", `{` + me + `}`, "400 PARAMS_ERROR", nil},
		{"an unusable script beats a usable frame", `{` + me + `,"JS_METHOD":"PUT","JS_PARAM":"help",` + iframe + `}`, "400 PARAMS_ERROR", nil},
		{"a command of one letter is unusable", `{` + me + `,"JS_METHOD":"PUT","JS_PARAM":"/x"}`, "400 PARAMS_ERROR", nil},
		{"the method's case matters", `{` + me + `,"JS_METHOD":"put","JS_PARAM":"/help"}`, "400 PARAMS_ERROR", nil},
		{"the support code has 32 digits", `{` + me + `,"JS_METHOD":"SUPPORT","JS_PARAM":"abc"}`, "400 PARAMS_ERROR", nil},
		{"the bot comes late", `{` + me + `,` + js + `}`, "400 BOT_ID_ERROR", nil},
		{"a foreign bot is refused", `{` + me + `,` + js + `,"BOT_ID":104}`, "400 APP_ID_ERROR", nil},
		{"titles come last", `{` + me + `,` + js + `,"BOT_ID":103}`, "400 LANG_ERROR", nil},
		{"a script", `{` + me + `,` + js + `,"BOT_ID":103,` + lang + `}`, "502", nil},
		{"a frame", `{` + me + `,` + iframe + `,"BOT_ID":103,` + lang + `}`, "502", nil},
		{"a phone number", `{` + me + `,"JS_METHOD":"CALL","JS_PARAM":"+15550100","BOT_ID":103,` + lang + `}`, "502", nil},
		{"an existing one answers its id as text", `{"CLIENT_ID":"one","CODE":"help",` + iframe + `,"BOT_ID":103,` + lang + `}`, `"501"`, nil},
	})
	runTable(t, "imbot.app.update", []row{
		{"the client id comes first", `{"APP_ID":501}`, "403 ACCESS_DENIED", nil},
		{"no such chat application", `{"CLIENT_ID":"one","APP_ID":1}`, "400 CHAT_APP_ID_ERROR", nil},
		{"a foreign one is refused", `{"CLIENT_ID":"two","APP_ID":501}`, "400 APP_ID_ERROR", nil},
		{"an iframe has to be https", `{"CLIENT_ID":"one","APP_ID":501,"FIELDS":{"IFRAME":"http://example.com"}}`, "400 IFRAME_HTTPS", nil},
		{"an unusable script changes nothing, without a word", `{"CLIENT_ID":"one","APP_ID":501,"FIELDS":{"JS_METHOD":"PUT","JS_PARAM":"x"}}`, "true", nil},
		{"no fields change nothing, without a word", `{"CLIENT_ID":"one","APP_ID":"501"}`, "true", nil},
	})
	runTable(t, "imbot.app.unregister", []row{
		{"the client id comes first", `{"APP_ID":501}`, "403 ACCESS_DENIED", nil},
		{"no such chat application", `{"CLIENT_ID":"one"}`, "400 CHAT_APP_ID_ERROR", nil},
		{"a foreign one is refused", `{"CLIENT_ID":"two","APP_ID":501}`, "400 APP_ID_ERROR", nil},
		{"an own one goes", `{"CLIENT_ID":"one","APP_ID":501}`, "true", nil},
		{"and is gone", `{"CLIENT_ID":"one","APP_ID":501}`, "400 CHAT_APP_ID_ERROR", []string{`imbot.app.unregister {"CLIENT_ID":"one","APP_ID":501}`}},
		{"its bot takes it along", `{"CLIENT_ID":"one","APP_ID":501}`, "400 CHAT_APP_ID_ERROR", []string{`imbot.unregister {"CLIENT_ID":"one","BOT_ID":103}`}},
	})
}
