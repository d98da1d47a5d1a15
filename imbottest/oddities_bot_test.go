package imbottest_test

import (
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/stretchr/testify/require"
)

// newBot is a step that registers a bot of application "one"; more is added to its
// parameters.
func newBot(more string) string {
	return `imbot.register {"CLIENT_ID":"one","CODE":"new",` + bindings + `,"PROPERTIES":{"NAME":"New"}` + more + `}`
}

func updated(fields string) string { return `imbot.update {` + asAlpha + `,"FIELDS":{` + fields + `}}` }

// handledBy registers a bot with a handler.
func handledBy(address string) string {
	return `imbot.register {"CLIENT_ID":"one","CODE":"x","EVENT_HANDLER":"` + address + `","PROPERTIES":{"NAME":"x"}}`
}

func botOddities() []oddity {
	const known = `imbot.register {"CLIENT_ID":"one","CODE":"alpha","EVENT_HANDLER":"` + otherURL + `","PROPERTIES":{"NAME":"Other"}}`
	const list = `imbot.bot.list {}`
	heard := func(want ...string) func(*testing.T, oddityPortal) {
		return func(t *testing.T, w oddityPortal) {
			require.NoError(t, w.Invite(t.Context(), anna, team, 105))
			w.events(t)
			w.say(t, imbot.ChatDialog(team), "hello")
			names, _ := w.events(t)
			require.Equal(t, want, names)
		}
	}
	return []oddity{
		{"Errors are listed in the order", "handlers are looked at before the code, and that before the name", nil, []string{`imbot.register {"CLIENT_ID":"one"}`}, "400 EVENT_MESSAGE_ADD_ERROR", nil},
		{"Event URL acceptance", "an address without TLS is an acceptable handler", nil, []string{`imbot.register {"CLIENT_ID":"one","CODE":"x","EVENT_HANDLER":"http://10.0.0.1/","PROPERTIES":{"NAME":"x"}}`}, "105", nil},
		{"Event URL acceptance", "localhost is not", nil, []string{`imbot.register {"CLIENT_ID":"one","CODE":"x","EVENT_HANDLER":"https://localhost/","PROPERTIES":{"NAME":"x"}}`}, "400 EVENT_MESSAGE_ADD_ERROR", nil},
		{"a handler URL with its scheme in capital letters", "a scheme in capital letters is none", nil, []string{handledBy("HTTPS://bot.example.com/")}, "400 EVENT_MESSAGE_ADD_ERROR", nil},
		{"a handler URL with its scheme in capital letters", "an address of IPv6 is none", nil, []string{handledBy("https://[2001:db8::1.2.3.4]/")}, "400 EVENT_MESSAGE_ADD_ERROR", nil},
		{"a handler URL with its scheme in capital letters", "there is a last port", nil, []string{handledBy("https://bot.example.com:65535/")}, "105", nil},
		{"a handler URL with its scheme in capital letters", "and none behind it", nil, []string{handledBy("https://bot.example.com:65536/")}, "400 EVENT_MESSAGE_ADD_ERROR", nil},
		{"a handler URL with its scheme in capital letters", "the code 0 is no code", nil, []string{`imbot.register {"CLIENT_ID":"one","CODE":"0",` + bindings + `,"PROPERTIES":{"NAME":"x"}}`}, "400 CODE_ERROR", nil},
		{"NAME is HTML-escaped in the way described", "a name is listed as it stands in a page", nil, []string{updated(`"PROPERTIES":{"NAME":"<x> & 'y' &amp; \"z\""}`), list}, `…"NAME":"\u0026lt;x\u0026gt; \u0026 \u0027y\u0027 \u0026amp;amp; \u0026quot;z\u0026quot;"`, nil},
		{"the raw, un-escaped CLIENT_ID is appended", "the client id stands un-escaped behind the handler's URL", nil,
			[]string{`imbot.register {"CLIENT_ID":"x/y=z","CODE":"new","EVENT_HANDLER":"` + otherURL + `","PROPERTIES":{"NAME":"x"}}`}, "105", func(t *testing.T, w oddityPortal) {
				require.NoError(t, w.Open(t.Context(), anna, 105))
				_, e := w.events(t)
				require.Equal(t, otherURL+"&CLIENT_ID=x/y=z", w.box.urls[0])
				require.Equal(t, "x/y=z", e["auth[application_token]"])
			}},
		{"Webhook calls: the application identity", "an OAuth application is itself, whatever CLIENT_ID says", nil, nil, "", func(t *testing.T, w oddityPortal) {
			token, err := w.OAuth("local.1").Tokens.Token()
			require.NoError(t, err)
			_, body := postTo(t, w.Portal, w.OAuth("local.1").Endpoint+"imbot.update", "application/json", `{"auth":"`+token.AccessToken+`",`+asAlpha+`}`)
			require.Contains(t, string(body), "APP_ID_ERROR")
		}},
		{"TYPE is case-sensitive", "a supervisor hears everything", nil, []string{newBot(`,"TYPE":"S"`)}, "105", heard("ONIMBOTMESSAGEADD")},
		{"TYPE is case-sensitive", "in lower case it is an ordinary bot", nil, []string{newBot(`,"TYPE":"s"`)}, "105", heard()},
		{"Only one handler URL per event and application", "the last handler that was registered gets the events of all bots", nil, []string{newBot(``), known}, `"103"`, func(t *testing.T, w oddityPortal) {
			require.NoError(t, w.Open(t.Context(), anna, 105))
			w.events(t)
			require.Equal(t, otherURL+"&CLIENT_ID=one", w.box.urls[0])
		}},
		{"Repeating the call with an existing CODE", "the id of a bot that exists is text", nil, []string{known}, `"103"`, nil},
		{"Repeating the call with an existing CODE", "its name stays", nil, []string{known, list}, `…"NAME":"Alpha"`, nil},
		{"Repeating the call with an existing CODE", "it can be a foreign one", nil, []string{`imbot.register {"CLIENT_ID":"two","CODE":"alpha",` + bindings + `,"PROPERTIES":{"NAME":"x"}}`}, `"103"`, nil},
		{"PERSONAL_PHOTO problems", "a picture that is none is dropped", nil, []string{`imbot.register {"CLIENT_ID":"one","CODE":"new",` + bindings + `,"PROPERTIES":{"NAME":"New","PERSONAL_PHOTO":"x"}}`}, "105", nil},
		{"", "an unreadable birthday has a number as its code", nil, []string{`imbot.register {"CLIENT_ID":"one","CODE":"new",` + bindings + `,"PROPERTIES":{"NAME":"New","PERSONAL_BIRTHDAY":"x"}}`}, "400 0", nil},
		{"", "an empty name is one", nil, []string{`imbot.register {"CLIENT_ID":"one","CODE":"new",` + bindings + `,"PROPERTIES":{"NAME":""}}`}, "105", nil},
		{"", "EVENT_HANDLER wins over the handlers of single events", nil, []string{newBot(`,"EVENT_MESSAGE_ADD":"x"`)}, "105", nil},
		{"Also removes the bot's commands", "a bot takes its commands along", nil, []string{`imbot.unregister {` + asAlpha + `}`, `imbot.command.unregister {"CLIENT_ID":"one","COMMAND_ID":701}`}, "400 COMMAND_ID_ERROR", func(t *testing.T, w oddityPortal) {
			require.Equal(t, "400 CHAT_APP_ID_ERROR", w.answer(t, `imbot.app.unregister {"CLIENT_ID":"one","APP_ID":501}`))
			names, _ := w.events(t)
			require.Equal(t, []string{"ONIMBOTDELETE"}, names)
		}},
		{"Current builds keep the event bindings", "handlers outlive the last bot", nil, []string{`imbot.unregister {` + asAlpha + `}`,
			`imbot.register {"CLIENT_ID":"one","CODE":"new","EVENT_MESSAGE_ADD":"https://bot.example.com/events","EVENT_WELCOME_MESSAGE":"https://bot.example.com/events","EVENT_BOT_DELETE":"https://bot.example.com/events","PROPERTIES":{"NAME":"x"}}`}, "105", func(t *testing.T, w oddityPortal) {
			require.NoError(t, w.Edit(t.Context(), anna, w.say(t, "105", "hello"), "changed"))
			names, _ := w.events(t)
			require.Contains(t, names, "ONIMBOTMESSAGEUPDATE", "nobody has asked for it")
		}},
		{"BOT_ID is mandatory here", "which bot is to go is never guessed", nil, []string{`imbot.unregister {"CLIENT_ID":"one"}`}, "400 BOT_ID_ERROR", nil},
		{"No handler and no PROPERTIES are required", "a code alone can be updated", nil, []string{updated(`"CODE":"x"`)}, "true", nil},
		{"FIELDS keys are case-sensitive", "names inside FIELDS have a case", nil, []string{updated(`"code":"x"`)}, "400 WRONG_REQUEST", nil},
		{"FIELDS keys are case-sensitive", "names beside it have none", nil, []string{`imbot.update {"client_id":"one","Bot_Id":103,"fields":{"CODE":"x"}}`}, "true", nil},
		{"FIELDS.TYPE is only honoured", "a type alone is nothing to update", nil, []string{updated(`"TYPE":"B"`)}, "400 WRONG_REQUEST", nil},
		{"FIELDS.TYPE is only honoured", "it counts with another one beside FIELDS", nil, []string{newBot(`,"TYPE":"S"`), `imbot.update {"CLIENT_ID":"one","BOT_ID":105,"TYPE":"O","FIELDS":{"TYPE":"H"}}`}, "true", heard()},
		{"PERSONAL_PHOTO is decoded but never applied", "a new picture is thrown away", nil, []string{updated(`"PROPERTIES":{"PERSONAL_PHOTO":"iVBORw0KGgo="}`)}, "true", nil},
		{"Failures of the user-profile update", "an address that is taken is dropped", nil, []string{`imbot.update {"CLIENT_ID":"two","BOT_ID":104,"FIELDS":{"PROPERTIES":{"EMAIL":"a@example.com"}}}`, updated(`"PROPERTIES":{"EMAIL":"a@example.com"}`)}, "true", nil},
		{"Handler URLs are rebound application-wide", "so does the last one that was updated", nil, []string{newBot(``), updated(`"EVENT_HANDLER":"` + otherURL + `"`)}, "true", func(t *testing.T, w oddityPortal) {
			require.NoError(t, w.Open(t.Context(), anna, 105))
			w.events(t)
			require.Equal(t, otherURL+"&CLIENT_ID=one", w.box.urls[0])
		}},
		{"No parameters are read; CLIENT_ID", "the list of bots reads nothing", nil, []string{`imbot.bot.list {"BOT_ID":99,"CODE":"x"}`}, `…"CODE":"alpha"`, nil},
		{"Returns every bot of the account", "it has the bots of others", nil, []string{`imbot.bot.list {"CLIENT_ID":"one"}`}, `…"CODE":"beta"`, nil},
		{"No paging: start, next and total", "it has no pages", nil, []string{`imbot.bot.list {"start":1}`}, `…"CODE":"alpha"`, nil},
	}
}
