package imbottest_test

import (
	"crypto/md5"
	"encoding/hex"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func messageOddities() []oddity {
	send := func(more string) string {
		return `imbot.message.add {` + asAlpha + `,"DIALOG_ID":"chat1001",` + more + `}`
	}
	change := func(more string) string {
		return `imbot.message.update {` + asAlpha + `,"MESSAGE_ID":50001` + more + `}`
	}
	const deletion = `imbot.message.delete {` + asAlpha + `,"MESSAGE_ID":50001}`
	const like = `imbot.message.like {` + asAlpha + `,"MESSAGE_ID":50001`
	hello := send(`"MESSAGE":"hello"`)
	const tooLarge = `imbot.message.add {` + asAlpha + `,"DIALOG_ID":"chat1001","MESSAGE":"x",`
	return []oddity{
		{"Text is mandatory even when ATTACH", "an attachment needs a text", nil, []string{send(`"ATTACH":[{"MESSAGE":"x"}]`)}, "400 MESSAGE_EMPTY", nil},
		{"Text is mandatory even when ATTACH", "a number is no text", nil, []string{send(`"MESSAGE":5`)}, "400 MESSAGE_EMPTY", nil},
		{"The size of KEYBOARD and MENU is not checked", "a large keyboard has the code of the core", nil, []string{tooLarge + `"KEYBOARD":` + hugeButton + `}`}, "400 PARAM_KEYBOARD_ERROR", nil},
		{"The size of KEYBOARD and MENU is not checked", "and so has a large menu", nil, []string{tooLarge + `"MENU":` + hugeButton + `}`}, "400 PARAM_MENU_ERROR", nil},
		{"Failures while storing surface", "a missing chat has the code of the core", nil, []string{`imbot.message.add {` + asAlpha + `,"DIALOG_ID":"chat9","MESSAGE":"x"}`}, "400 CHAT_ID", nil},
		{"Failures while storing surface", "a closed one, too", restrict("send"), []string{hello}, "400 CANCELED", nil},
		{"Failures while storing surface", "and a missing person", nil, []string{`imbot.message.add {` + asAlpha + `,"DIALOG_ID":9,"MESSAGE":"x"}`}, "400 ERROR_NO_ACCESS", nil},
		{"KEYBOARD=\"N\" is an error here", "a new message has no keyboard to remove", nil, []string{send(`"MESSAGE":"x","KEYBOARD":"N"`)}, "400 KEYBOARD_ERROR", nil},
		{"Size limit in the server", "twice the documented size is small enough", nil, []string{send(`"MESSAGE":"x","ATTACH":[{"MESSAGE":"` + long(59000) + `"}]`)}, "50001", nil},
		{"Size limit in the server", "the server's is too large", nil, []string{send(`"MESSAGE":"x","ATTACH":[{"MESSAGE":"` + long(60000) + `"}]`)}, "400 ATTACH_OVERSIZE", nil},
		{"", "a long text is cut", nil, []string{send(`"MESSAGE":"` + long(20001) + `"`)}, "50001", func(t *testing.T, w oddWorld) {
			require.Equal(t, long(20000)+" (...)", w.last("chat1001").Text)
		}},
		{"", "a message between two people is one of the system", nil, []string{`imbot.message.add {` + asAlpha + `,"FROM_USER_ID":2,"TO_USER_ID":3,"MESSAGE":"x"}`}, "50001", func(t *testing.T, w oddWorld) {
			require.True(t, w.last("3").System)
		}},
		{"Commands in the text are not executed", "bots hear neither each other nor each other's commands", nil, []string{newBot(`,"TYPE":"S"`), `imbot.chat.user.add {` + inTeam + `,"USERS":[6]}`, send(`"MESSAGE":"/echo"`)}, "50001", func(t *testing.T, w oddWorld) {
			names, _ := w.events(t)
			require.Equal(t, []string{"ONIMBOTJOINCHAT"}, names)
		}},
		{"The three-day limit applies to updates only", "old messages cannot be changed, but deleted", nil, []string{hello}, "50001", func(t *testing.T, w oddWorld) {
			time.Sleep(72*time.Hour + time.Second)
			require.Equal(t, "403 CANT_EDIT_MESSAGE", w.answer(t, change(`,"MESSAGE":"x"`)))
			require.Equal(t, "true", w.answer(t, deletion))
		}},
		{"Codes have to be compared without regard to case", "a code is spelled like no other", nil, []string{hello, change(`,"MENU":[{}]`)}, "400 menu_ERROR", nil},
		{"Not atomic: ATTACH, KEYBOARD, MENU", "what was changed before an error stays", nil, []string{hello, change(`,"ATTACH":[{"MESSAGE":"x"}],"KEYBOARD":[{}]`)}, "400 KEYBOARD_ERROR", func(t *testing.T, w oddWorld) {
			require.Len(t, w.last("chat1001").Attach.Blocks, 1)
		}},
		{"A call with MESSAGE_ID alone", "nobody looks for a message when nothing is to be changed", nil, []string{`imbot.message.update {` + asAlpha + `,"MESSAGE_ID":9}`}, "true", nil},
		{"A JSON null counts as absent", "null changes nothing", nil, []string{hello, change(`,"MESSAGE":null,"ATTACH":null`)}, "true", func(t *testing.T, w oddWorld) {
			require.Equal(t, "hello", w.last("chat1001").Text)
		}},
		{"", "an empty text deletes the message", nil, []string{hello, change(`,"MESSAGE":""`)}, "true", func(t *testing.T, w oddWorld) {
			require.True(t, w.last("chat1001").Deleted)
		}},
		{"The message is not flagged as edited", "nobody sees that a bot has changed its message", nil, []string{hello, change(`,"MESSAGE":"x"`)}, "true", func(t *testing.T, w oddWorld) {
			require.False(t, w.last("chat1001").Edited)
		}},
		{"With auto the answer does not tell", "a like that is taken away is answered like one that was set", nil, []string{hello, like + `}`, like + `,"ACTION":"AUTO"}`}, "true", func(t *testing.T, w oddWorld) {
			require.Empty(t, w.last("chat1001").Likes)
		}},
	}
}

func commandOddities() []oddity {
	const register = `imbot.command.register {` + asAlpha + `,` + handlerParam + `,"COMMAND":`
	const rebound = `imbot.command.register {` + asAlpha + `,"EVENT_COMMAND_ADD":"` + otherURL + `","COMMAND":"echo",` + titles + `}`
	answer := func(more string) string {
		return `imbot.command.answer {"CLIENT_ID":"one","COMMAND_ID":701,"MESSAGE_ID":50001,"MESSAGE":"hi"` + more + `}`
	}
	fields := func(f string) string {
		return `imbot.command.update {"CLIENT_ID":"one","COMMAND_ID":701,"FIELDS":{` + f + `}}`
	}
	return []oddity{
		{"Order of the checks in current builds", "the bot comes before the command", nil, []string{`imbot.command.register {"CLIENT_ID":"one"}`}, "400 BOT_ID_ERROR", nil},
		{"LANG entries with an empty LANGUAGE_ID or without the key TITLE are skipped silently (an", "titles that are none are no error", nil, []string{register + `"x","LANG":[{"LANGUAGE_ID":""}]}`}, "702", nil},
		{"One ONIMCOMMANDADD handler per application", "a known command answers text and moves the handler of all", nil, []string{rebound}, `"701"`, func(t *testing.T, w oddWorld) {
			w.say(t, "4", "/echo")
			w.events(t)
			require.Equal(t, otherURL+"&CLIENT_ID=one", w.box.urls[len(w.box.urls)-1])
		}},
		{"CLIENT_ID is appended to the URL as in imbot.register, before", "the client id does not help a bad handler", nil, []string{`imbot.command.register {"CLIENT_ID":"one","BOT_ID":4,"EVENT_COMMAND_ADD":"https://bot","COMMAND":"x",` + titles + `}`}, "400 EVENT_COMMAND_ADD_ERROR", nil},
		{"BOT_ID is not read.", "whose command it is does not matter to who removes it", nil, []string{`imbot.command.unregister {"CLIENT_ID":"one","BOT_ID":5,"COMMAND_ID":701}`}, "true", nil},
		{"COMMON cannot be changed", "a command stays where it is offered", nil, []string{fields(`"COMMON":"Y"`)}, "400 WRONG_REQUEST", nil},
		{"In builds that dropped FIELDS.COMMAND", "and as it is called", nil, []string{fields(`"COMMAND":"x"`)}, "400 WRONG_REQUEST", nil},
		{"Empty values are ignored; flags", "an empty flag is none", nil, []string{fields(`"HIDDEN":""`)}, "400 WRONG_REQUEST", nil},
		{"Empty values are ignored; flags", "any other is one", nil, []string{fields(`"HIDDEN":"x"`)}, "true", nil},
		{"The sender is the bot that owns the command", "a system message names the bot", nil, []string{"say 4 /echo", answer(`,"SYSTEM":"Y","BOT_ID":5`)}, "50002", func(t *testing.T, w oddWorld) {
			require.Equal(t, "Alpha\nhi", w.last("4").Plain())
		}},
		{"The target dialog is derived from MESSAGE_ID", "an answer cannot go elsewhere", nil, []string{"say 4 /echo", answer(`,"DIALOG_ID":"chat1001"`)}, "50002", func(t *testing.T, w oddWorld) {
			require.Equal(t, "hi", w.last("4").Plain())
		}},
		{"Result has two JSON types", "true means that nothing was sent", nil, []string{"say 4 hello", answer(``)}, "true", func(t *testing.T, w oddWorld) {
			require.Equal(t, "hello", w.last("4").Plain())
		}},
		{"MENU is only applied in group chats", "a private answer has no menu", nil, []string{"say 4 /echo", answer(`,"MENU":[{"TEXT":"x","LINK":"/"}]`)}, "50002", func(t *testing.T, w oddWorld) {
			require.Empty(t, w.last("4").Menu.Items)
		}},
		{"MENU is only applied in group chats", "a public one loses its commands", nil, []string{"say chat1001 /echo", answer(`,"MENU":[{"TEXT":"x","LINK":"/"},{"TEXT":"y","COMMAND":"echo"}]`)}, "50002", func(t *testing.T, w oddWorld) {
			require.Len(t, w.last("chat1001").Menu.Items, 1)
		}},
		{"There is no MENU_OVERSIZE check here", "a menu that is too large gets another code", nil, []string{"say chat1001 /echo", answer(`,"MENU":` + hugeButton)}, "400 PARAM_MENU_ERROR", nil},
		{"COMMAND is matched without slash", "a name with a slash is unknown", nil, []string{`imbot.command.answer {"CLIENT_ID":"one","COMMAND":"/echo","MESSAGE_ID":50001,"MESSAGE":"x"}`}, "400 COMMAND_ID_ERROR", nil},
		{"", "though it was registered with one", nil, []string{register + `"/x",` + titles + `}`, "say 4 /x", `imbot.command.answer {"CLIENT_ID":"one","COMMAND":"x","MESSAGE_ID":50001,"MESSAGE":"x"}`}, "50002", nil},
	}
}

func appOddities() []oddity {
	const hash = "0123456789abcdef0123456789abcdefTAIL"
	const frame = `"IFRAME":"https://bot.example.com/","HASH":"` + hash + `"`
	register := func(more string) string {
		return `imbot.app.register {` + asAlpha + `,"CODE":"new",` + more + `,` + titles + `}`
	}
	update := func(fields string) string {
		return `imbot.app.update {"CLIENT_ID":"one","APP_ID":502,"FIELDS":{` + fields + `}}`
	}
	opened := func(t *testing.T, w oddWorld) url.Values {
		require.NoError(t, w.Open(t.Context(), anna, alpha))
		address, err := w.IFrame(anna, 502, "4")
		require.NoError(t, err)
		u, err := url.Parse(address)
		require.NoError(t, err)
		return u.Query()
	}
	signed := func(key string) func(*testing.T, oddWorld) {
		return func(t *testing.T, w oddWorld) {
			sum := md5.Sum([]byte("2" + key))
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
		{"", "what cannot be stored is described with all of its parameters, secrets too", veto("imbot.app.register"), []string{register(frame)}, "400 WRONG_REQUEST", func(t *testing.T, w oddWorld) {
			method, params, _ := strings.Cut(register(frame), " ")
			_, body := postTo(t, w.Portal, w.Webhook("").URL+method, "application/json", params)
			require.Contains(t, string(body), hash)
		}},
		{"CLIENT_ID is absent from the parameter tables", "the client is needed all the same", nil, []string{`imbot.app.update {"APP_ID":501}`}, "403 ACCESS_DENIED", nil},
		{"Iframe signature: the page is opened", "a frame is told who opens it and where", nil, []string{register(frame)}, "502", func(t *testing.T, w oddWorld) {
			q := opened(t, w)
			require.Equal(t, []string{"4", "alpha", "502", "new", "2", "4", "textarea", "en", "Y"}, []string{q.Get("BOT_ID"), q.Get("BOT_CODE"), q.Get("APP_ID"), q.Get("APP_CODE"), q.Get("USER_ID"), q.Get("DIALOG_ID"), q.Get("CONTEXT"), q.Get("LANG"), q.Get("IS_CHROME")})
			require.Len(t, q.Get("DOMAIN_HASH"), 32)
		}},
		{"APP_ID_ERROR is about the REST application", "two codes are about two kinds of application", nil, []string{`imbot.app.unregister {"CLIENT_ID":"two","APP_ID":501}`}, "400 APP_ID_ERROR", nil},
		{"APP_ID_ERROR is about the REST application", "this one is about the parameter", nil, []string{`imbot.app.unregister {"CLIENT_ID":"two","APP_ID":9}`}, "400 CHAT_APP_ID_ERROR", nil},
		{"A call without FIELDS, with empty FIELDS", "nothing to update is no error here", nil, []string{`imbot.app.update {"CLIENT_ID":"one","APP_ID":501}`}, "true", nil},
		{"A call without FIELDS, with empty FIELDS", "nor is an unusable command", nil, []string{register(frame), update(`"JS_METHOD":"SEND","JS_PARAM":"x"`)}, "true", nil},
		{"FIELDS.ICON_FILE is stored under a key", "a new icon is thrown away", nil, []string{register(frame), update(`"ICON_FILE":"iVBORw0KGgo="`)}, "true", nil},
		{"Switching an application between JS and IFRAME", "a frame stays behind a command", nil, []string{register(frame), update(`"JS_METHOD":"SEND","JS_PARAM":"/help"`)}, "true", func(t *testing.T, w oddWorld) {
			require.Equal(t, "502", opened(t, w).Get("APP_ID"))
		}},
		{"When JS_METHOD and JS_PARAM are present IFRAME is ignored.", "beside a command nobody looks at the frame", nil, []string{register(frame), update(`"JS_METHOD":"SEND","JS_PARAM":"/help","IFRAME":"http://x"`)}, "true", nil},
		{"CODE and BOT_ID cannot be changed", "a code stays", nil, []string{register(frame), update(`"CODE":"x"`), register(frame)}, `"502"`, nil},
		{"CODE and BOT_ID cannot be changed", "a new application's hash is cut", nil, []string{register(frame)}, "502", signed(hash[:32])},
		{"CODE and BOT_ID cannot be changed", "another hash is not", nil, []string{register(frame), update(`"HASH":"` + hash + `"`)}, "true", signed(hash)},
		{"Registered by module imbot for the product's own", "the portal's own methods are closed to webhooks", nil, []string{`imbot.support24.question.list {}`}, "403 WRONG_AUTH_TYPE", nil},
	}
}
