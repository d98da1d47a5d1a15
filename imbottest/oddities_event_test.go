package imbottest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

// ofApplication registers a bot of an OAuth application, opens its dialog, and returns the
// event of that.
func ofApplication(t *testing.T, w oddityPortal) map[string]string {
	t.Helper()
	client, err := imbot.NewClient(w.OAuth("local.1"), imbot.WithHTTPClient(w.HTTPClient()))
	require.NoError(t, err)
	bot, err := client.Bot.Register(t.Context(), imbot.BotRegisterRequest{Code: "o", EventHandler: eventURL, Properties: imbot.BotProperties{Name: "O"}})
	require.NoError(t, err)
	require.NoError(t, w.Open(t.Context(), anna, bot))
	_, e := w.events(t)
	return e
}

func eventOddities() []oddity {
	const chat = imbot.DialogID("chat1001")
	const mention = "[USER=103]Alpha[/USER]"
	event := func(act func(*testing.T, oddityPortal), check func(*testing.T, []string, map[string]string)) func(*testing.T, oddityPortal) {
		return func(t *testing.T, w oddityPortal) {
			act(t, w)
			names, last := w.events(t)
			check(t, names, last)
		}
	}
	say := func(dialog imbot.DialogID, text string) func(*testing.T, oddityPortal) {
		return func(t *testing.T, w oddityPortal) { w.say(t, dialog, text) }
	}
	edit := func(dialog imbot.DialogID, text string) func(*testing.T, oddityPortal) {
		return func(t *testing.T, w oddityPortal) {
			require.NoError(t, w.Edit(t.Context(), anna, w.say(t, dialog, text), text+"!"))
		}
	}
	has := func(keys ...string) func(*testing.T, []string, map[string]string) {
		return func(t *testing.T, _ []string, e map[string]string) {
			for _, key := range keys {
				key, value, compared := strings.Cut(key, "=")
				if key, missing := strings.CutPrefix(key, "no "); missing {
					require.NotContains(t, e, key)
					continue
				}
				require.Contains(t, e, key)
				if compared {
					require.Equal(t, value, e[key], key)
				}
			}
		}
	}
	opened := func(t *testing.T, w oddityPortal) {
		require.NoError(t, w.OpenContext(t.Context(), anna, "103", `{"item":{"id":42,"new":true},"old":false,"none":null,"empty":[]}`))
	}
	open := func(t *testing.T, w oddityPortal) { require.NoError(t, w.Open(t.Context(), anna, alpha)) }
	return []oddity{
		{"Not fired for messages written by a bot", "bots write unheard", nil, []string{`imbot.message.add {` + asAlpha + `,"DIALOG_ID":"chat1001","MESSAGE":"[USER=103]Alpha[/USER]"}`}, "50001",
			event(func(*testing.T, oddityPortal) {}, func(t *testing.T, names []string, _ map[string]string) { require.Empty(t, names) })},
		{"A message that matches a registered command", "a command is not heard as a message", nil, nil, "",
			event(say("103", "/echo"), func(t *testing.T, names []string, _ map[string]string) {
				require.Equal(t, []string{"ONIMBOTJOINCHAT", "ONIMCOMMANDADD"}, names)
			})},
		{"CHAT_* keys exist in group chats only", "a private message says little about its chat", nil, nil, "",
			event(say("103", "hi"), has("no data[PARAMS][CHAT_ID]", "no data[PARAMS][CHAT_TITLE]", "data[PARAMS][CHAT_TYPE]=P", "data[PARAMS][CHAT_USER_COUNT]=2"))},
		{"In a group chat MESSAGE can start with a comma", "a comma is left of a mention", nil, nil, "",
			event(say(chat, mention+" , hi"), has("data[PARAMS][MESSAGE]=, hi", "data[PARAMS][MESSAGE_ORIGINAL]="+mention+" , hi"))},
		{"outside private dialogs every mention of the form", "people's mentions are cut out, too, each with its comma", nil, nil, "",
			event(say(chat, mention+", ask [USER=102]Bob[/USER] please"), has("data[PARAMS][MESSAGE]=ask  please"))},
		{"outside private dialogs every mention of the form", "unless they are spelled in another way", nil, nil, "",
			event(say(chat, mention+" [user=102]Bob[/user] [USER=102 REPLACE]Bob[/USER] [USER=99][/USER]"), has("data[PARAMS][MESSAGE]=[user=102]Bob[/user] [USER=102 REPLACE]Bob[/USER] [USER=99][/USER]"))},
		{"outside private dialogs every mention of the form", "in a private dialog nothing is cut out", nil, nil, "",
			event(say("103", mention+", hi"), has("data[PARAMS][MESSAGE]="+mention+", hi", "no data[PARAMS][MESSAGE_ORIGINAL]"))},
		{"MESSAGE_ORIGINAL is set for every message", "who only listens gets the original text, too", nil, []string{newBot(`,"TYPE":"S"`), `imbot.chat.user.add {` + inTeam + `,"USERS":[105]}`}, "true",
			event(say(chat, "hi"), has("data[PARAMS][MESSAGE_ORIGINAL]=hi", "data[PARAMS][TO_USER_ID]=0"))},
		{"MESSAGE_ORIGINAL is set for every message", "a person can be the first who is addressed", nil, nil, "",
			event(say(chat, "[user=102]Bob[/user], "+mention), has("data[PARAMS][TO_USER_ID]=102", "data[PARAMS][MENTIONED_LIST][103]=103"))},
		{"WORK_POSITION of USER come HTML-escaped", "a name comes as it stands in a page", nil, nil, "", func(t *testing.T, w oddityPortal) {
			tim := w.AddUser(`Tim "&lt;" <x>`, "O'Neil & &amp;copy;")
			_, err := w.Say(t.Context(), tim, "103", "hi")
			require.NoError(t, err)
			_, e := w.events(t)
			has("data[USER][FIRST_NAME]=Tim &quot;&amp;lt;&quot; &lt;x&gt;", "data[USER][LAST_NAME]=O'Neil & &amp;amp;copy;",
				"data[USER][NAME]=Tim &quot;&amp;lt;&quot; &lt;x&gt; O'Neil & &amp;amp;copy;")(t, nil, e)
		}},
		{"a message that is only the digit 0 takes", "a guest of an open line asks for a person with 0", nil, []string{newBot(`,"TYPE":"O"`)}, "105", func(t *testing.T, w oddityPortal) {
			guest, line, err := w.AddGuest(t.Context(), "Greta", 105, boris)
			require.NoError(t, err)
			_, err = w.Say(t.Context(), guest, imbot.ChatDialog(line), "0")
			require.NoError(t, err)
			_, e := w.events(t)
			has("event=ONIMBOTMESSAGEADD", "data[PARAMS][MESSAGE]=0")(t, nil, e)
			_, err = w.Say(t.Context(), boris, imbot.ChatDialog(line), "I am here")
			require.NoError(t, err)
			names, _ := w.events(t)
			require.Empty(t, names)
		}},
		{"Only fired when the handler is bound", "who has not asked for changes hears none", nil, []string{`imbot.register {"CLIENT_ID":"three","CODE":"new","EVENT_MESSAGE_ADD":"https://bot.example.com/events","EVENT_WELCOME_MESSAGE":"https://bot.example.com/events","EVENT_BOT_DELETE":"https://bot.example.com/events","PROPERTIES":{"NAME":"x"}}`}, "105",
			event(edit("105", "hi"), func(t *testing.T, names []string, _ map[string]string) {
				require.Equal(t, []string{"ONIMBOTJOINCHAT", "ONIMBOTMESSAGEADD"}, names)
			})},
		{"Use AUTHOR_ID to find the author in group chats", "a change in a chat says who wrote, not who changed", nil, nil, "",
			event(edit(chat, mention), has("event=ONIMBOTMESSAGEUPDATE", "data[PARAMS][AUTHOR_ID]=101", "no data[PARAMS][FROM_USER_ID]", "no data[USER][ID]"))},
		{"MESSAGE, MESSAGE_ORIGINAL and TO_USER_ID follow the rules", "a change is cut like a message", nil, nil, "",
			event(edit(chat, "[USER=102]Bob[/USER], "+mention+" hi"), has("data[PARAMS][MESSAGE]=hi!", "data[PARAMS][MESSAGE_ORIGINAL]=[USER=102]Bob[/USER], "+mention+" hi!", "data[PARAMS][TO_USER_ID]=102"))},
		{"MESSAGE is the localized notice", "a deletion does not tell what was deleted", nil, nil, "", func(t *testing.T, w oddityPortal) {
			require.NoError(t, w.Delete(t.Context(), anna, w.say(t, "103", "secret")))
			_, e := w.events(t)
			require.Contains(t, e["data[PARAMS][MESSAGE]"], "has been deleted")
		}},
		{"Private dialog opened by the user", "who opens a dialog is its sender", nil, nil, "",
			event(open, has("data[PARAMS][FROM_USER_ID]=101", "data[PARAMS][TO_USER_ID]=103", "data[PARAMS][USER_ID]=101", "data[PARAMS][DIALOG_ID]=101"))},
		{"Private dialog opened by the user", "the bot, too", nil, []string{`imbot.message.add {` + asAlpha + `,"DIALOG_ID":101,"MESSAGE":"x"}`}, "50001",
			event(func(*testing.T, oddityPortal) {}, has("data[PARAMS][FROM_USER_ID]=103", "data[PARAMS][TO_USER_ID]=101", "data[PARAMS][USER_ID]=101", "data[PARAMS][DIALOG_ID]=101"))},
		{"data.BOT holds exactly one bot; its own authorization", "of two refresh tokens one is left out", nil, nil, "", func(t *testing.T, w oddityPortal) {
			has("data[BOT][105][refresh_token]", "data[BOT][105][AUTH][refresh_token]", "no auth[refresh_token]")(t, nil, ofApplication(t, w))
		}},
		{"USER has no IS_* keys", "who joins is not described in full", nil, nil, "", event(open, has("data[USER][ID]=101", "no data[USER][IS_BOT]"))},
		{"data is flat: no BOT, PARAMS or USER", "the end of a bot is told in two words", nil, []string{`imbot.unregister {` + asAlpha + `}`}, "true",
			event(func(*testing.T, oddityPortal) {}, has("data[BOT_ID]=103", "data[BOT_CODE]=alpha", "no data[BOT][103][BOT_ID]", "no data[USER][ID]"))},
		{"There is no data.BOT: the bot's data sits", "a command has its bot inside", nil, nil, "", event(say("103", "/echo"), has("data[COMMAND][701][BOT_ID]=103", "no data[BOT][103][BOT_ID]"))},
		{"Several commands of one message (at most ten)", "two commands are one event", nil, []string{`imbot.command.register {` + asAlpha + `,"COMMAND":"two",` + handlerParam + `,` + titles + `}`}, "702",
			event(say("103", "/echo a\n/two b"), has("data[COMMAND][701][COMMAND_PARAMS]=a", "data[COMMAND][702][COMMAND_PARAMS]=b"))},
		{"a command is a line that begins with a slash", "one blank is dropped behind a command", nil, nil, "",
			event(say("103", "/echo   two  words"), has("data[COMMAND][701][COMMAND_PARAMS]=  two  words"))},
		{"a command is a line that begins with a slash", "a tab belongs to the name", nil, nil, "",
			event(say("103", "/echo\tx"), has("event=ONIMBOTMESSAGEADD"))},
		{"The name is ONIMCOMMANDADD, without BOT", "commands have a name without BOT", nil, nil, "", event(say("103", "/echo"), has("event=ONIMCOMMANDADD"))},
		{"The event starts the ten-minute permission", "ten minutes later the answer is lost", nil, []string{"say 103 /echo", `imbot.command.answer {"CLIENT_ID":"one","COMMAND_ID":701,"MESSAGE_ID":50001,"MESSAGE":"x"}`}, "50002", func(t *testing.T, w oddityPortal) {
			time.Sleep(10 * time.Minute)
			require.Equal(t, "true", w.answer(t, `imbot.command.answer {"CLIENT_ID":"one","COMMAND_ID":701,"MESSAGE_ID":50001,"MESSAGE":"x"}`))
		}},
		{"Keyboard clicks carry a reduced PARAMS", "a click says less than a text", nil, []string{`imbot.message.add {` + asAlpha + `,"DIALOG_ID":"chat1001","MESSAGE":"x","KEYBOARD":[{"TEXT":"Go","COMMAND":"echo"}]}`}, "50001",
			event(func(t *testing.T, w oddityPortal) { require.NoError(t, w.Press(t.Context(), anna, w.last(chat), "Go")) },
				has("data[COMMAND][701][COMMAND_CONTEXT]=KEYBOARD", "no data[PARAMS][CHAT_TITLE]", "no data[PARAMS][TEMPLATE_ID]", "data[PARAMS][FROM_USER_ID]=101"))},
		{"PARAMS of this event has no CHAT_USER_COUNT", "so does a command", nil, nil, "", event(say(chat, "/echo"),
			has("no data[PARAMS][CHAT_USER_COUNT]", "no data[PARAMS][PLATFORM_CONTEXT]", "no data[PARAMS][COMMAND_CONTEXT]"))},
		{"Tokens (access_token, expires", "a webhook's bot gets no tokens", nil, nil, "", event(open, has("no auth[access_token]", "no auth[user_id]", "auth[domain]"))},
		{"Webhook mode: application_token equals", "it gets its client id back", nil, nil, "", event(open, has("auth[application_token]=one", "data[BOT][103][BOT_ID]=103", "data[BOT][103][BOT_CODE]=alpha", "no data[BOT][103][AUTH][domain]"))},
		{"refresh_token is sent for ONIMBOTMESSAGEADD", "a message has a refresh token, unlike joining", nil, nil, "", func(t *testing.T, w oddityPortal) {
			ofApplication(t, w)
			w.say(t, "105", "hi")
			_, e := w.events(t)
			has("auth[refresh_token]", "auth[user_id]=101")(t, nil, e)
		}},
		{"expires is a unix time", "a token says twice how long it lives", nil, nil, "", func(t *testing.T, w oddityPortal) {
			has("auth[expires_in]=3600", "auth[expires]")(t, nil, ofApplication(t, w))
		}},
		{"Every scalar is a string", "everything is text", nil, nil, "", event(open, has("data[PARAMS][USER_ID]=101"))},
		{"Keys whose PHP value is null", "what is null is missing", nil, nil, "", event(say("103", "hi"), has("no data[PARAMS][MENTIONED_LIST][103]", "no data[PARAMS][FILES]"))},
		{"Boolean true is sent as 1", "true is 1", nil, nil, "", event(func(t *testing.T, w oddityPortal) { require.NoError(t, w.Invite(t.Context(), anna, team, beta)) }, has("data[PARAMS][ACCESS_HISTORY]=1"))},
		{"Empty strings are sent", "an empty text is there", nil, nil, "", event(say(chat, mention), has("data[PARAMS][CHAT_ENTITY_DATA_1]="))},
		{"Maps keyed by id look like", "ids are keys", nil, nil, "", event(say(chat, mention), has("data[BOT][103][BOT_ID]=103", "data[PARAMS][MENTIONED_LIST][103]=103"))},
		{"Nested keys are upper case in data", "names change their case", nil, nil, "", event(open, has("auth[member_id]", "data[PARAMS][DIALOG_ID]=101"))},
		{"Sent through a queue of the vendor", "a handler that fails is not asked again", nil, nil, "", func(t *testing.T, w oddityPortal) {
			asked := 0
			w.Serve(eventURL, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
				asked++
				rw.WriteHeader(http.StatusInternalServerError)
			}))
			open(t, w)
			require.NoError(t, w.Idle(t.Context()))
			time.Sleep(time.Hour)
			require.Equal(t, 1, asked)
		}},
		{"Registered in builds from July 2025 on, absent", "a link can carry data for a bot", nil, nil, "", event(opened, has("event=ONIMBOTCONTEXTGET", "data[PARAMS][USER_ID]=101", "data[PARAMS][DIALOG_ID]=101",
			"data[PARAMS][CONTEXT][item][id]=42", "data[PARAMS][CONTEXT][item][new]=1", "data[PARAMS][CONTEXT][old]=0", "no data[PARAMS][CONTEXT][none]"))},
		{"An SDK that uses EVENT_HANDLER receives this event", "who asks for everything gets that, too", nil, nil, "", event(opened, has("data[BOT][103][BOT_ID]=103"))},
		{"data.BOT holds every bot of the application in that dialog", "in a chat all bots of one application share it", nil, []string{newBot(``), `imbot.chat.user.add {` + inTeam + `,"USERS":[105]}`}, "true",
			event(func(t *testing.T, w oddityPortal) { require.NoError(t, w.OpenContext(t.Context(), anna, chat, "{}")) },
				has("data[BOT][103][BOT_ID]=103", "data[BOT][105][BOT_ID]=105", "data[PARAMS][CHAT_AUTHOR_ID]=103", "data[PARAMS][CHAT_ENTITY_TYPE]=CRM"))},
		{"Events are delivered only after the installation", "an application that is not finished hears nothing", nil, nil, "", func(t *testing.T, w oddityPortal) {
			const page = "https://app.example.com/"
			app, answer, token := w.Application("local.2", "secret"), "<p>wait</p>", ""
			w.Serve(page, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				token = r.FormValue("AUTH_ID")
				_, _ = rw.Write([]byte(answer))
			}))
			installed := func() []string {
				_, err := app.OpenPage(t.Context(), imbottest.Admin, page)
				require.NoError(t, err)
				params := `{"CODE":"` + token + `",` + bindings + `,"PROPERTIES":{"NAME":"x"}}`
				status, body := postTo(t, w.Portal, strings.Split(w.Webhook("").URL, "1/")[0]+"imbot.register?auth="+token, "application/json", params)
				bot := outcome(t, status, body)
				w.say(t, imbot.DialogID(bot), "hello")
				names, _ := w.events(t)
				return names
			}
			require.Empty(t, installed())
			answer = "BX24.installFinish()"
			require.Equal(t, []string{"ONIMBOTJOINCHAT", "ONIMBOTMESSAGEADD"}, installed())
		}},
		{"the handler URL has the extra query parameter", "the client id is in the URL", nil, nil, "", func(t *testing.T, w oddityPortal) {
			open(t, w)
			w.events(t)
			require.Equal(t, eventURL+"?CLIENT_ID=one", w.box.urls[0])
		}},
	}
}
