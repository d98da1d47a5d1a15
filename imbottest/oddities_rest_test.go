package imbottest_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// batchOf is a step that calls a batch.
func batchOf(commands string) string { return `batch {"cmd":{` + commands + `}}` }

func restOddities() []oddity {
	raw := func(t *testing.T, w oddityPortal, method, contentType, body string) string {
		_, got := postTo(t, w.Portal, w.Webhook("").URL+method, contentType, body)
		return string(got)
	}
	const form = "application/x-www-form-urlencoded"
	const closed = `"a":"imbot.message.add?CLIENT_ID=two&DIALOG_ID=chat1001&MESSAGE=x"`
	return []oddity{
		{"Bodies may be JSON or application/x-www-form-urlencoded", "a form is read like JSON", nil, nil, "", func(t *testing.T, w oddityPortal) {
			require.Contains(t, raw(t, w, "imbot.chat.user.list", form, "CLIENT_ID=one&BOT_ID=103&CHAT_ID=1001"), "[103,101]")
		}},
		{"Bodies may be JSON or application/x-www-form-urlencoded", "as PHP reads it: a dot in a name is no dot", nil, nil, "", func(t *testing.T, w oddityPortal) {
			require.Contains(t, raw(t, w, "imbot.chat.user.list", form, "CLIENT.ID=one&BOT+ID=103&CHAT_ID=9&CHAT_ID=1001"), "[103,101]")
		}},
		{"Method names and top-level parameter names are case-insensitive", "names have no case", nil, []string{`IMBOT.chat.USER.list {"client_id":"one","Chat_Id":1001}`}, "[103,101]", nil},
		{"Parameter names start, state and auth", "some names never reach the method", nil, []string{`imbot.chat.user.list {"CLIENT_ID":"one","CHAT_ID":1001,"start":5,"state":"x","auth":"x"}`}, "[103,101]", nil},
		{"Flags are the strings Y and N", "false is not N", nil, []string{`imbot.chat.setManager {` + inTeam + `,"USER_ID":104,"IS_MANAGER":false}`}, "true", nil},
		{"Files are base64 strings or the pair", "a picture may come with its name", nil, []string{`imbot.chat.updateAvatar {` + inTeam + `,"AVATAR":["a.png","iVBORw0KGgo="]}`}, "true", nil},
		{"A list or map where a string is expected", "a list where a text is expected breaks the portal", nil, []string{`imbot.chat.updateTitle {` + inTeam + `,"TITLE":["x"]}`}, "500 INTERNAL_SERVER_ERROR", nil},
		{"time.start and time.processing may be", "an answer tells its time", nil, nil, "", func(t *testing.T, w oddityPortal) {
			require.Contains(t, raw(t, w, "imbot.bot.list", "application/json", "{}"), `"operating_reset_at":`)
		}},
		{"next and total are never sent", "lists have no pages", nil, nil, "", func(t *testing.T, w oddityPortal) {
			require.NotRegexp(t, `"(next|total)"`, raw(t, w, "imbot.bot.list", "application/json", "{}"))
		}},
		{"An empty PHP map is encoded as []", "no bots are an empty list", nil, []string{`imbot.unregister {` + asAlpha + `}`, `imbot.unregister {"CLIENT_ID":"two","BOT_ID":104}`, `imbot.bot.list {}`}, "[]", nil},
		{"The JSON encoder escapes", "what means something in HTML is escaped", nil, []string{updated(`"CODE":"<&'\">\\"`)}, "true", func(t *testing.T, w oddityPortal) {
			require.Contains(t, strings.ToLower(raw(t, w, "imbot.bot.list", "application/json", "{}")), `"\u003c\u0026\u0027\u0022\u003e\\"`)
		}},
		{"error_description is English for codes of the imbot handlers", "errors speak English", nil, nil, "", func(t *testing.T, w oddityPortal) {
			require.JSONEq(t, `{"error":"BOT_ID_ERROR","error_description":"Bot not found"}`, raw(t, w, "imbot.unregister", "application/json", `{"CLIENT_ID":"one"}`))
		}},
		{"When a REST exception is reported while the core", "the core's code takes the place of the documented one, with its status", restrict("leave_owner"), []string{`imbot.chat.leave {` + inTeam + `}`}, "403 LEAVE_OWNER_FORBIDDEN", nil},
		{"The recorded error is not reset between the commands", "a failed command gives its code to the next one that fails", nil,
			[]string{batchOf(closed + `,"b":"imbot.chat.get","c":"imbot.chat.add"`)}, `…"c":{"error":"CANCELED"`, nil},
		{"The recorded error is not reset between the commands", "but not to one that failed before", nil,
			[]string{batchOf(`"c":"imbot.chat.add",` + closed)}, `…"c":{"error":"ACCESS_DENIED"`, nil},
		{"The recorded error is not reset between the commands", "a new code of the core takes its place", nil,
			[]string{batchOf(closed + `,"b":"imbot.message.add?CLIENT_ID=one&DIALOG_ID=chat9&MESSAGE=x","c":"imbot.chat.add"`)}, `…"c":{"error":"CHAT_ID"`, nil},
		{"The recorded error is not reset between the commands", "the next call begins anew", nil,
			[]string{batchOf(closed), `imbot.chat.add {}`}, "403 ACCESS_DENIED", nil},
		{"Webhook: the call has no application", "without a client nobody owns anything", nil, []string{`imbot.chat.add {}`}, "403 ACCESS_DENIED", nil},
		{"OAuth: the application's client id is used", "with a token no client is needed", nil, nil, "", func(t *testing.T, w oddityPortal) {
			token, err := w.OAuth("local.1").Tokens.Token()
			require.NoError(t, err)
			status, body := postTo(t, w.Portal, w.OAuth("local.1").Endpoint+"imbot.chat.add", "application/json", `{"auth":"`+token.AccessToken+`"}`)
			require.Equal(t, "400 BOT_ID_ERROR", outcome(t, status, body), "not ACCESS_DENIED")
		}},
		{"Whoever knows a webhook secret", "another person's webhook controls the same bots", nil, nil, "", func(t *testing.T, w oddityPortal) {
			hook, err := w.WebhookOf(boris, "one")
			require.NoError(t, err)
			status, body := postTo(t, w.Portal, hook.URL+"imbot.chat.user.list", "application/json", `{`+inTeam+`}`)
			require.Equal(t, "[103,101]", outcome(t, status, body))
		}},
		{"All v1 imbot methods are allowed in batch", "the fifty-first command does not run", nil, []string{`batch {"cmd":[` + strings.Repeat(`"imbot.chat.get",`, 50) + `"imbot.chat.get"]}`}, `…{"50":{"error":"ERROR_BATCH_LENGTH_EXCEEDED"`, nil},
		{"CLIENT_ID has to be part of each command", "the client of a batch is not that of its commands", nil, []string{`batch {"CLIENT_ID":"one","cmd":{"a":"imbot.chat.add"}}`}, `…"a":{"error":"ACCESS_DENIED"`, nil},
		{"Failures of single commands are in result_error", "the status of a failed command is lost", nil, []string{batchOf(`"a":"imbot.chat.add"`)}, `…"result_error":{"a":{"error":"ACCESS_DENIED","error_description":"Client ID not specified"}}`, nil},
		{"Empty maps of the batch answer", "what a batch has none of is a list", nil, []string{`batch {"cmd":{}}`}, `{"result":[],"result_error":[],"result_total":[],"result_next":[],"result_time":[]}`, nil},
	}
}
