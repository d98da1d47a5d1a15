package imbottest_test

import (
	"fmt"
	"testing"

	"github.com/imbot-go/imbot/imbottest"
)

const url6 = `"EVENT_MESSAGE_ADD":"https://bot.example.com","EVENT_MESSAGE_UPDATE":"https://bot.example.com","EVENT_MESSAGE_DELETE":"https://bot.example.com",` +
	`"EVENT_CONTEXT_GET":"https://bot.example.com","EVENT_WELCOME_MESSAGE":"https://bot.example.com","EVENT_BOT_DELETE":"https://bot.example.com"`

// registered registers bots of an application; more is put into PROPERTIES.
func registered(client, more string, codes ...string) func(*testing.T, *imbottest.Portal) {
	return func(t *testing.T, portal *imbottest.Portal) {
		for _, code := range codes {
			post(t, portal, "imbot.register", fmt.Sprintf(`{"CLIENT_ID":%q,"CODE":%q,%s,"PROPERTIES":{"NAME":"x"%s}}`, client, code, bindings, more))
		}
	}
}

func botChecks() []checked {
	return []checked{
		{method: "imbot.register", params: `"CLIENT_ID":"one","CODE":"new",` + url6 + `,"PROPERTIES":{"NAME":"New"}`, checks: []check{
			inBrowser, noClient,
			{code: "EVENT_MESSAGE_ADD_ERROR", params: `"EVENT_MESSAGE_ADD":null`},
			{code: "EVENT_MESSAGE_UPDATE_ERROR", params: `"EVENT_MESSAGE_UPDATE":"x"`},
			{code: "EVENT_MESSAGE_DELETE_ERROR", params: `"EVENT_MESSAGE_DELETE":"x"`},
			{code: "EVENT_CONTEXT_GET_ERROR", params: `"EVENT_CONTEXT_GET":"x"`},
			{code: "EVENT_WELCOME_MESSAGE_ERROR", params: `"EVENT_WELCOME_MESSAGE":null`},
			{code: "EVENT_BOT_DELETE_ERROR", params: `"EVENT_BOT_DELETE":null`},
			{code: "CODE_ERROR", params: `"CODE":""`},
			{code: "MAX_COUNT_ERROR", act: registered("one", "", "b", "c", "d", "e")},
			{code: "NAME_ERROR", params: `"PROPERTIES":{"NAME":null}`},
			{code: "WRONG_REQUEST", params: `"PROPERTIES":{"EMAIL":"taken@example.com"}`, act: registered("two", `,"EMAIL":"taken@example.com"`, "taken")},
		}},
		{method: "imbot.unregister", params: asAlpha, checks: []check{
			inBrowser, noClient, noBot, notMyBot,
			{code: "WRONG_REQUEST", act: veto("imbot.unregister")},
		}},
		{method: "imbot.update", params: asAlpha + `,"FIELDS":{"CODE":"new"}`, checks: []check{
			inBrowser, noClient, noBot, notMyBot,
			{code: "FETCH_NOT_SUPPORTED", act: fetching},
			{code: "EVENT_MESSAGE_ADD_ERROR", params: `"FIELDS":{"EVENT_MESSAGE_ADD":"x"}`},
			{code: "EVENT_MESSAGE_UPDATE_ERROR", params: `"FIELDS":{"EVENT_MESSAGE_UPDATE":"x"}`},
			{code: "EVENT_MESSAGE_DELETE_ERROR", params: `"FIELDS":{"EVENT_MESSAGE_DELETE":"x"}`},
			{code: "EVENT_CONTEXT_GET_ERROR", params: `"FIELDS":{"EVENT_CONTEXT_GET":"x"}`},
			{code: "EVENT_WELCOME_MESSAGE_ERROR", params: `"FIELDS":{"EVENT_WELCOME_MESSAGE":"x"}`},
			{code: "EVENT_BOT_DELETE_ERROR", params: `"FIELDS":{"EVENT_BOT_DELETE":"x"}`},
			{code: "NAME_ERROR", params: `"FIELDS":{"PROPERTIES":{"NAME":"","LAST_NAME":""}}`},
			{code: "WRONG_REQUEST", params: `"FIELDS":{"CODE":""}`},
		}},
		{method: "imbot.bot.list", checks: []check{inBrowser}},
	}
}

func commandChecks() []checked {
	handler := `"EVENT_COMMAND_ADD":"https://bot.example.com"`
	method, params := "imbot.command.register", `{"CLIENT_ID":"two","BOT_ID":5,"COMMAND":"foreign",`+handler+`,`+titles+`}`
	foreign := []string{method + " " + params}
	const own = `"CLIENT_ID":"one","COMMAND_ID":701`
	noCommand, notMyCommand := check{code: "COMMAND_ID_ERROR", params: `"COMMAND_ID":9`}, check{code: "APP_ID_ERROR", params: `"COMMAND_ID":702`}
	return []checked{
		{method: method, params: asAlpha + `,"COMMAND":"new",` + handler + `,` + titles, checks: []check{
			inBrowser, noClient, noBot, notMyBot,
			{code: "FETCH_NOT_SUPPORTED", act: fetching},
			{code: "EVENT_COMMAND_ADD_ERROR", params: `"EVENT_COMMAND_ADD":null`},
			{code: "COMMAND_ERROR", params: `"COMMAND":"/"`},
			{code: "LANG_ERROR", params: `"LANG":[]`},
			{code: "WRONG_REQUEST", act: veto(method)},
		}},
		{method: "imbot.command.unregister", params: own, before: foreign, checks: []check{
			inBrowser, noClient, noCommand, notMyCommand,
			{code: "WRONG_REQUEST", act: veto("imbot.command.unregister")},
		}},
		{method: "imbot.command.update", params: own + `,"FIELDS":{"HIDDEN":"Y"}`, before: foreign, checks: []check{
			inBrowser, noClient, noCommand, notMyCommand,
			{code: "FETCH_NOT_SUPPORTED", act: fetching},
			{code: "EVENT_COMMAND_ADD_ERROR", params: `"FIELDS":{"EVENT_COMMAND_ADD":"x"}`},
			{code: "WRONG_REQUEST", params: `"FIELDS":{"HIDDEN":""}`},
		}},
		{method: "imbot.command.answer", params: own + `,"MESSAGE_ID":50001,"MESSAGE":"x"`, before: append([]string{"say 4 /echo"}, foreign...), checks: []check{
			inBrowser, noClient, noCommand, notMyCommand,
			{code: "MESSAGE_ID_EMPTY", params: `"MESSAGE_ID":"x"`},
			{code: "MESSAGE_EMPTY", params: `"MESSAGE":" "`},
			hugeAttach, badAttach, hugeKeyboard, badKeyboard, badMenu,
			{code: "WRONG_REQUEST", params: `"COMMAND_ID":null`},
		}},
	}
}

var (
	hugeButton   = `[{"LINK":"/","TEXT":"` + long(60000) + `"}]`
	hugeAttach   = check{code: "ATTACH_OVERSIZE", large: true, params: `"ATTACH":[{"MESSAGE":"` + long(60000) + `"}]`}
	hugeKeyboard = check{code: "KEYBOARD_OVERSIZE", large: true, params: `"KEYBOARD":` + hugeButton}
	hugeMenu     = check{code: "MENU_OVERSIZE", large: true, params: `"MENU":` + hugeButton}
	badAttach    = check{code: "ATTACH_ERROR", params: `"ATTACH":[{}]`}
	badKeyboard  = check{code: "KEYBOARD_ERROR", params: `"KEYBOARD":[{}]`}
	badMenu      = check{code: "MENU_ERROR", params: `"MENU":[{}]`}
)

func messageChecks() []checked {
	sent := []string{`imbot.message.add {` + asAlpha + `,"DIALOG_ID":"chat1001","MESSAGE":"x"}`}
	noMessage := check{code: "MESSAGE_ID_ERROR", params: `"MESSAGE_ID":0`}
	lowerCase := badMenu
	lowerCase.code = "menu_ERROR"
	return []checked{
		{method: "imbot.message.add", params: asAlpha + `,"DIALOG_ID":"chat1001","MESSAGE":"x"`, checks: []check{
			noClient, noBot, notMyBot,
			{code: "DIALOG_ID_EMPTY", params: `"DIALOG_ID":null`},
			{code: "MESSAGE_EMPTY", params: `"MESSAGE":5`},
			hugeAttach, badAttach, badKeyboard, badMenu,
			{code: "WRONG_REQUEST", act: restrict("send")},
		}},
		{method: "imbot.message.delete", params: asAlpha + `,"MESSAGE_ID":50001`, before: sent, checks: []check{
			noClient, noBot, notMyBot, noMessage,
			{code: "CANT_EDIT_MESSAGE", act: leaveTeam},
		}},
		{method: "imbot.message.update", params: asAlpha + `,"MESSAGE_ID":50001,"MESSAGE":"y"`, before: sent, checks: []check{
			noClient, noBot, notMyBot, noMessage,
			{code: "CANT_EDIT_MESSAGE", act: leaveTeam},
			hugeAttach, badAttach, hugeKeyboard, badKeyboard, hugeMenu, lowerCase,
		}},
		{method: "imbot.message.like", params: asAlpha + `,"MESSAGE_ID":50001`, before: sent, checks: []check{
			noClient, noBot, notMyBot, noMessage,
			{code: "WITHOUT_CHANGES", params: `"ACTION":"minus"`},
		}},
	}
}

func appChecks() []checked {
	const code, frame = `"CODE":"foreign"`, `"IFRAME":"https://bot.example.com/","HASH":"h"`
	foreign := []string{`imbot.app.register {"CLIENT_ID":"two","BOT_ID":5,` + code + `,` + frame + `,` + titles + `}`}
	const own = `"CLIENT_ID":"one","APP_ID":501`
	noApp, notMyApp := check{code: "CHAT_APP_ID_ERROR", params: `"APP_ID":9`}, check{code: "APP_ID_ERROR", params: `"APP_ID":502`}
	return []checked{
		{method: "imbot.app.register", params: asAlpha + `,` + code + `,` + frame + `,` + titles, checks: []check{
			inBrowser, noClient,
			{code: "CODE_ERROR", params: `"CODE":null`},
			{code: "IFRAME_HTTPS", params: `"IFRAME":"http://bot.example.com/"`},
			{code: "HASH_ERROR", params: `"HASH":null`},
			{code: "PARAMS_ERROR", params: `"IFRAME":null,"HASH":"not asked for then"`},
			noBot, notMyBot,
			{code: "LANG_ERROR", params: `"LANG":null`},
			{code: "WRONG_REQUEST", act: veto("imbot.app.register")},
		}},
		{method: "imbot.app.unregister", params: own, before: foreign, checks: []check{
			inBrowser, noClient, noApp, notMyApp,
			{code: "WRONG_REQUEST", act: veto("imbot.app.unregister")},
		}},
		{method: "imbot.app.update", params: own + `,"FIELDS":{"HIDDEN":"Y"}`, before: foreign, checks: []check{
			inBrowser, noClient, noApp, notMyApp,
			{code: "IFRAME_HTTPS", params: `"FIELDS":{"IFRAME":"http://bot.example.com/"}`},
			{code: "WRONG_REQUEST", act: veto("imbot.app.update")},
		}},
	}
}
