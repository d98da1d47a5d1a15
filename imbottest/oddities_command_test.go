package imbottest_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

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
		{"One ONIMCOMMANDADD handler per application", "a known command answers text and moves the handler of all", nil, []string{rebound}, `"701"`, func(t *testing.T, w oddityPortal) {
			w.say(t, "103", "/echo")
			w.events(t)
			require.Equal(t, otherURL+"&CLIENT_ID=one", w.box.urls[len(w.box.urls)-1])
		}},
		{"CLIENT_ID is appended to the URL as in imbot.register, before", "the client id does not help a bad handler", nil, []string{`imbot.command.register {"CLIENT_ID":"one","BOT_ID":103,"EVENT_COMMAND_ADD":"https://bot","COMMAND":"x",` + titles + `}`}, "400 EVENT_COMMAND_ADD_ERROR", nil},
		{"BOT_ID is not read.", "whose command it is does not matter to who removes it", nil, []string{`imbot.command.unregister {"CLIENT_ID":"one","BOT_ID":104,"COMMAND_ID":701}`}, "true", nil},
		{"COMMON cannot be changed", "a command stays where it is offered", nil, []string{fields(`"COMMON":"Y"`)}, "400 WRONG_REQUEST", nil},
		{"In builds that dropped FIELDS.COMMAND", "and as it is called", nil, []string{fields(`"COMMAND":"x"`)}, "400 WRONG_REQUEST", nil},
		{"Empty values are ignored; flags", "an empty flag is none", nil, []string{fields(`"HIDDEN":""`)}, "400 WRONG_REQUEST", nil},
		{"Empty values are ignored; flags", "any other is one", nil, []string{fields(`"HIDDEN":"x"`)}, "true", nil},
		{"The sender is the bot that owns the command", "a system message names the bot", nil, []string{"say 103 /echo", answer(`,"SYSTEM":"Y","BOT_ID":104`)}, "50002", func(t *testing.T, w oddityPortal) {
			require.Equal(t, "Alpha\nhi", w.last("103").Plain())
		}},
		{"The target dialog is derived from MESSAGE_ID", "an answer cannot go elsewhere", nil, []string{"say 103 /echo", answer(`,"DIALOG_ID":"chat1001"`)}, "50002", func(t *testing.T, w oddityPortal) {
			require.Equal(t, "hi", w.last("103").Plain())
		}},
		{"Result has two JSON types", "true means that nothing was sent", nil, []string{"say 103 hello", answer(``)}, "true", func(t *testing.T, w oddityPortal) {
			require.Equal(t, "hello", w.last("103").Plain())
		}},
		{"MENU is only applied in group chats", "a private answer has no menu", nil, []string{"say 103 /echo", answer(`,"MENU":[{"TEXT":"x","LINK":"/"}]`)}, "50002", func(t *testing.T, w oddityPortal) {
			require.Empty(t, w.last("103").Menu.Items)
		}},
		{"MENU is only applied in group chats", "a public one loses its commands", nil, []string{"say chat1001 /echo", answer(`,"MENU":[{"TEXT":"x","LINK":"/"},{"TEXT":"y","COMMAND":"echo"}]`)}, "50002", func(t *testing.T, w oddityPortal) {
			require.Len(t, w.last("chat1001").Menu.Items, 1)
		}},
		{"There is no MENU_OVERSIZE check here", "a menu that is too large gets another code", nil, []string{"say chat1001 /echo", answer(`,"MENU":` + hugeButton)}, "400 PARAM_MENU_ERROR", nil},
		{"COMMAND is matched without slash", "a name with a slash is unknown", nil, []string{`imbot.command.answer {"CLIENT_ID":"one","COMMAND":"/echo","MESSAGE_ID":50001,"MESSAGE":"x"}`}, "400 COMMAND_ID_ERROR", nil},
		{"", "though it was registered with one", nil, []string{register + `"/x",` + titles + `}`, "say 103 /x", `imbot.command.answer {"CLIENT_ID":"one","COMMAND":"x","MESSAGE_ID":50001,"MESSAGE":"x"}`}, "50002", nil},
	}
}
