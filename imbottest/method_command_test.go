package imbottest_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/stretchr/testify/require"
)

const handlerParam = `"EVENT_COMMAND_ADD":"` + eventURL + `"`

// newCommand is a step that registers a command.
func newCommand(client string, bot int, name, more string) string {
	return fmt.Sprintf(`imbot.command.register {"CLIENT_ID":%q,"BOT_ID":%d,"COMMAND":%q,%s,%s%s}`, client, bot, name, handlerParam, titles, more)
}

func TestCommands(t *testing.T) {
	t.Parallel()
	const bot = me + `,"BOT_ID":103`
	runTable(t, "imbot.command.register", []row{
		{"the client id comes first", `{}`, "403 ACCESS_DENIED", nil},
		{"the bot has to be named", `{` + me + `}`, "400 BOT_ID_ERROR", nil},
		{"a foreign bot is refused", `{` + me + `,"BOT_ID":104}`, "400 APP_ID_ERROR", nil},
		{"then the handler", `{` + bot + `}`, "400 EVENT_COMMAND_ADD_ERROR", nil},
		{"which has to be a URL", `{` + bot + `,"EVENT_COMMAND_ADD":"x"}`, "400 EVENT_COMMAND_ADD_ERROR", nil},
		{"then the name", `{` + bot + `,` + handlerParam + `,"COMMAND":"/"}`, "400 COMMAND_ERROR", nil},
		{"then the titles", `{` + bot + `,` + handlerParam + `,"COMMAND":"x","LANG":[]}`, "400 LANG_ERROR", nil},
		{"a new command", `{` + bot + `,` + handlerParam + `,"COMMAND":"x",` + titles + `}`, "702", nil},
		{"one that the bot has", `{` + bot + `,` + handlerParam + `,"COMMAND":"/echo",` + titles + `}`, `"701"`, nil},
		{"another bot may have one of that name", `{"CLIENT_ID":"two","BOT_ID":104,` + handlerParam + `,"COMMAND":"echo",` + titles + `}`, "702", nil},
	})
	owned := []row{
		{"the client id comes first", `{}`, "403 ACCESS_DENIED", nil},
		{"then the command", `{` + me + `}`, "400 COMMAND_ID_ERROR", nil},
		{"which has to exist", `{` + me + `,"COMMAND_ID":9}`, "400 COMMAND_ID_ERROR", nil},
		{"and to be the own", `{"CLIENT_ID":"two","COMMAND_ID":701}`, "400 APP_ID_ERROR", nil},
		{"the commands of a deleted bot are gone", `{` + me + `,"COMMAND_ID":701}`, "400 COMMAND_ID_ERROR", []string{`imbot.unregister {` + bot + `}`}},
	}
	runTable(t, "imbot.command.unregister", append(owned[:len(owned):len(owned)], []row{
		{"the own", `{` + me + `,"COMMAND_ID":"701"}`, "true", nil},
		{"once only", `{` + me + `,"COMMAND_ID":701}`, "400 COMMAND_ID_ERROR", []string{`imbot.command.unregister {` + me + `,"COMMAND_ID":701}`}},
	}...))
	fields := func(f string) string { return `{` + me + `,"COMMAND_ID":701,"FIELDS":` + f + `}` }
	runTable(t, "imbot.command.update", append(owned[:len(owned):len(owned)], []row{
		{"then the handler", fields(`{"EVENT_COMMAND_ADD":"x"}`), "400 EVENT_COMMAND_ADD_ERROR", nil},
		{"nothing to change", fields(`{}`), "400 WRONG_REQUEST", nil},
		{"empty values are nothing", fields(`{"HIDDEN":"","LANG":[],"EVENT_COMMAND_ADD":""}`), "400 WRONG_REQUEST", nil},
		{"a name is not read", fields(`{"COMMAND":"new"}`), "400 WRONG_REQUEST", nil},
		{"nor whether it is common", fields(`{"COMMON":"Y"}`), "400 WRONG_REQUEST", nil},
		{"a flag", fields(`{"HIDDEN":"N"}`), "true", nil},
		{"another flag", fields(`{"EXTRANET_SUPPORT":"Y"}`), "true", nil},
		{"titles", fields(`{` + titles + `}`), "true", nil},
		{"a handler", fields(`{` + handlerParam + `}`), "true", nil},
	}...))
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	asked := []string{"say 103 /echo hi"}
	const to = me + `,"COMMAND_ID":701,"MESSAGE_ID":50001`
	public := []string{"say chat1001 /echo hi"}
	huge := `[{"TEXT":"` + long(60000) + `","LINK":"/"}]`
	runTable(t, "imbot.command.answer", []row{
		{"the client id comes first", `{}`, "403 ACCESS_DENIED", nil},
		{"then the command, by id", `{` + me + `,"COMMAND_ID":9,"COMMAND":"echo"}`, "400 COMMAND_ID_ERROR", nil},
		{"or by name", `{` + me + `,"COMMAND":"x"}`, "400 COMMAND_ID_ERROR", nil},
		{"which has no slash", `{` + me + `,"COMMAND":"/echo"}`, "400 COMMAND_ID_ERROR", nil},
		{"a foreign id is refused", `{"CLIENT_ID":"two","COMMAND_ID":701}`, "400 APP_ID_ERROR", nil},
		{"a foreign name is unknown", `{"CLIENT_ID":"two","COMMAND":"echo"}`, "400 COMMAND_ID_ERROR", nil},
		{"then the message", `{` + me + `,"COMMAND_ID":701}`, "400 MESSAGE_ID_EMPTY", nil},
		{"then the text", `{` + to + `,"MESSAGE":" "}`, "400 MESSAGE_EMPTY", nil},
		{"then the attachment", `{` + to + `,"MESSAGE":"x","ATTACH":[{}],"KEYBOARD":"N"}`, "400 ATTACH_ERROR", nil},
		{"or its size", `{` + to + `,"MESSAGE":"x","ATTACH":[{"MESSAGE":"` + long(60000) + `"}]}`, "400 ATTACH_OVERSIZE", nil},
		{"then the keyboard", `{` + to + `,"MESSAGE":"x","KEYBOARD":"N","MENU":"N"}`, "400 KEYBOARD_ERROR", nil},
		{"or its size", `{` + to + `,"MESSAGE":"x","KEYBOARD":` + huge + `,"MENU":"N"}`, "400 KEYBOARD_OVERSIZE", nil},
		{"then the menu", `{` + to + `,"MESSAGE":"x","MENU":"N"}`, "400 MENU_ERROR", nil},
		{"neither id nor name fails at last", `{` + me + `,"MESSAGE_ID":50001,"MESSAGE":"x"}`, "400 WRONG_REQUEST", asked},
		{"no such message", `{` + to + `,"MESSAGE":"x"}`, "400 WRONG_REQUEST", nil},
		{"an answer", `{` + to + `,"MESSAGE":"x"}`, "50002", asked},
		{"an answer by name", `{` + me + `,"COMMAND":"echo","MESSAGE_ID":50001,"MESSAGE":"x"}`, "50002", asked},
		{"to any message of the dialog", `{` + to + `,"MESSAGE":"x"}`, "50003", []string{"say 103 hi", "say 103 /echo"}},
		{"nothing is sent where no command was given", `{` + to + `,"MESSAGE":"x"}`, "true", []string{"say 103 hi"}},
		{"the permission is that of one dialog", `{` + to + `,"MESSAGE":"x"}`, "true", []string{"say 103 hi", "say chat1001 /echo"}},
		{"and of one bot", `{"CLIENT_ID":"two","COMMAND":"echo","MESSAGE_ID":50001,"MESSAGE":"x"}`, "true", []string{newCommand("two", 104, "echo", ""), "say 103 /echo"}},
		{"a menu that is too large fails when it is stored", `{` + to + `,"MESSAGE":"x","MENU":` + huge + `}`, "400 PARAM_MENU_ERROR", public},
		{"and is dropped in a private dialog", `{` + to + `,"MESSAGE":"x","MENU":` + huge + `}`, "50002", asked},
	})
}

func TestWhatAnswersLookLike(t *testing.T) {
	t.Parallel()
	const rich = `"MESSAGE":" hi ","ATTACH":[` + text + `],"KEYBOARD":[{"TEXT":"K","COMMAND":"echo"}],"MENU":[{"TEXT":"M","COMMAND":"echo"},{"TEXT":"L","LINK":"/"}]`
	for _, tt := range []struct {
		says, say, params string
		author            imbot.ID
		plain             string
		menu              int
	}{
		{"in a private dialog there is no menu", "103", ``, alpha, "hi", 0},
		{"in a chat it loses its commands", "chat1001", ``, alpha, "hi", 1},
		{"unless the bot is named", "chat1001", `,"BOT_ID":103`, alpha, "hi", 2},
		{"a system message names the bot", "chat1001", `,"SYSTEM":"Y"`, 0, "Alpha\nhi", 1},
		{"so does the answer of a bot that is no member", "chat1002", ``, 0, "Alpha\nhi", 1},
		{"also between two people", "102", ``, 0, "Alpha\nhi", 0},
	} {
		t.Run(tt.says, func(t *testing.T) {
			portal := newTestPortal(t)
			require.EqualValues(t, 1002, portal.AddChat("People", anna, boris))
			method, params, _ := strings.Cut(newCommand("one", 103, "all", `,"COMMON":"Y"`), " ")
			require.Equal(t, "702", post(t, portal, method, params))
			dialog := imbot.DialogID(tt.say)
			asked, err := portal.Say(t.Context(), anna, dialog, "/all")
			require.NoError(t, err)
			require.Equal(t, "50002", post(t, portal, "imbot.command.answer", fmt.Sprintf(`{%s,"COMMAND":"all","MESSAGE_ID":%d,%s%s}`, me, asked.ID, rich, tt.params)))
			seen := portal.Messages(anna, dialog)
			m := seen[len(seen)-1]
			require.Equal(t, tt.author, m.AuthorID)
			require.Equal(t, tt.author == 0, m.System)
			require.Equal(t, tt.plain, m.Plain())
			require.Len(t, m.Attach.Blocks, 1)
			require.Len(t, m.Keyboard.Rows, 1, "the buttons belong to the bot of the command")
			require.Len(t, m.Menu.Items, tt.menu)
			require.NoError(t, portal.Err())
		})
	}
}

func TestAnswersAreAllowedForTenMinutes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal := newTestPortal(t)
		answer := func() string {
			return post(t, portal, "imbot.command.answer", `{`+me+`,"COMMAND":"echo","MESSAGE_ID":50001,"MESSAGE":"x"}`)
		}
		_, err := portal.Say(t.Context(), anna, imbot.UserDialog(alpha), "/echo")
		require.NoError(t, err)
		time.Sleep(10*time.Minute - time.Second)
		require.Equal(t, "50002", answer())
		require.Equal(t, "50003", answer(), "more than once")
		time.Sleep(time.Second)
		require.Equal(t, "true", answer())
		require.Len(t, portal.Messages(anna, imbot.UserDialog(alpha)), 3, "nothing was sent")
		_, err = portal.Say(t.Context(), anna, imbot.UserDialog(alpha), "/echo again")
		require.NoError(t, err)
		require.Equal(t, "50005", answer())
		portal.Close()
	})
}
