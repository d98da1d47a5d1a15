package imbottest_test

import (
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
		{"trimming is PHP's (blank", "a blank of Unicode is a text", nil, []string{send(`"MESSAGE":"\u00a0"`)}, "50001", nil},
		{"trimming is PHP's (blank", "NUL is none", nil, []string{send(`"MESSAGE":" \u0000\u000b"`)}, "400 MESSAGE_EMPTY", nil},
		{"a list or map as DIALOG_ID", "a list of dialogs is none", nil, []string{`imbot.message.add {` + asAlpha + `,"DIALOG_ID":["chat1001"],"MESSAGE":"x"}`}, "400 DIALOG_ID_EMPTY", nil},
		{"with SYSTEM=Y in a group chat the text begins", "a system message says who wrote it", nil, []string{updated(`"PROPERTIES":{"NAME":"<A>"}`), send(`"MESSAGE":"x","SYSTEM":"Y"`)}, "50001", func(t *testing.T, w oddityPortal) {
			require.Equal(t, "&lt;A&gt;:\nx", w.last("chat1001").Text)
		}},
		{"with SYSTEM=Y in a group chat the text begins", "in a private dialog it does not", nil, []string{`imbot.message.add {` + asAlpha + `,"DIALOG_ID":101,"MESSAGE":"x","SYSTEM":"Y"}`}, "50001", func(t *testing.T, w oddityPortal) {
			require.Equal(t, "x", w.last("103").Text)
		}},
		{"with SYSTEM=Y in a group chat the text begins", "between two people the bot is named", nil, []string{`imbot.message.add {` + asAlpha + `,"FROM_USER_ID":101,"TO_USER_ID":102,"MESSAGE":"x"}`}, "50001", func(t *testing.T, w oddityPortal) {
			require.Equal(t, "Alpha\nx", w.last("102").Plain())
		}},
		{"The size of KEYBOARD and MENU is not checked", "a large keyboard has the code of the core", nil, []string{tooLarge + `"KEYBOARD":` + hugeButton + `}`}, "400 PARAM_KEYBOARD_ERROR", nil},
		{"The size of KEYBOARD and MENU is not checked", "and so has a large menu", nil, []string{tooLarge + `"MENU":` + hugeButton + `}`}, "400 PARAM_MENU_ERROR", nil},
		{"Failures while storing surface", "a missing chat has the code of the core", nil, []string{`imbot.message.add {` + asAlpha + `,"DIALOG_ID":"chat9","MESSAGE":"x"}`}, "400 CHAT_ID", nil},
		{"Failures while storing surface", "a closed one, too", restrict("send"), []string{hello}, "400 CANCELED", nil},
		{"Failures while storing surface", "and a missing person", nil, []string{`imbot.message.add {` + asAlpha + `,"DIALOG_ID":108,"MESSAGE":"x"}`}, "400 ERROR_NO_ACCESS", nil},
		{"KEYBOARD=\"N\" is an error here", "a new message has no keyboard to remove", nil, []string{send(`"MESSAGE":"x","KEYBOARD":"N"`)}, "400 KEYBOARD_ERROR", nil},
		{"Size limit in the server", "twice the documented size is small enough", nil, []string{send(`"MESSAGE":"x","ATTACH":[{"MESSAGE":"` + long(59000) + `"}]`)}, "50001", nil},
		{"Size limit in the server", "the server's is too large", nil, []string{send(`"MESSAGE":"x","ATTACH":[{"MESSAGE":"` + long(60000) + `"}]`)}, "400 ATTACH_OVERSIZE", nil},
		{"", "a text that is a little too long is not cut", nil, []string{send(`"MESSAGE":"` + long(20006) + `"`)}, "50001", func(t *testing.T, w oddityPortal) {
			require.Equal(t, long(20006), w.last("chat1001").Text)
		}},
		{"", "a longer text is cut", nil, []string{send(`"MESSAGE":"` + long(20007) + `"`)}, "50001", func(t *testing.T, w oddityPortal) {
			require.Equal(t, long(20000)+" (...)", w.last("chat1001").Text)
		}},
		{"", "a message between two people is one of the system", nil, []string{`imbot.message.add {` + asAlpha + `,"FROM_USER_ID":101,"TO_USER_ID":102,"MESSAGE":"x"}`}, "50001", func(t *testing.T, w oddityPortal) {
			require.True(t, w.last("102").System)
		}},
		{"Commands in the text are not executed", "bots hear neither each other nor each other's commands", nil, []string{newBot(`,"TYPE":"S"`), `imbot.chat.user.add {` + inTeam + `,"USERS":[105]}`, send(`"MESSAGE":"/echo"`)}, "50001", func(t *testing.T, w oddityPortal) {
			names, _ := w.events(t)
			require.Equal(t, []string{"ONIMBOTJOINCHAT"}, names)
		}},
		{"The three-day limit applies to updates only", "old messages cannot be changed, but deleted", nil, []string{hello}, "50001", func(t *testing.T, w oddityPortal) {
			time.Sleep(72*time.Hour + time.Second)
			require.Equal(t, "403 CANT_EDIT_MESSAGE", w.answer(t, change(`,"MESSAGE":"x"`)))
			require.Equal(t, "true", w.answer(t, deletion))
		}},
		{"Codes have to be compared without regard to case", "a code is spelled like no other", nil, []string{hello, change(`,"MENU":[{}]`)}, "400 menu_ERROR", nil},
		{"Not atomic: ATTACH, KEYBOARD, MENU", "what was changed before an error stays", nil, []string{hello, change(`,"ATTACH":[{"MESSAGE":"x"}],"KEYBOARD":[{}]`)}, "400 KEYBOARD_ERROR", func(t *testing.T, w oddityPortal) {
			require.Len(t, w.last("chat1001").Attach.Blocks, 1)
		}},
		{"A call with MESSAGE_ID alone", "nobody looks for a message when nothing is to be changed", nil, []string{`imbot.message.update {` + asAlpha + `,"MESSAGE_ID":9}`}, "true", nil},
		{"A JSON null counts as absent", "null changes nothing", nil, []string{hello, change(`,"MESSAGE":null,"ATTACH":null`)}, "true", func(t *testing.T, w oddityPortal) {
			require.Equal(t, "hello", w.last("chat1001").Text)
		}},
		{"", "an empty text deletes the message", nil, []string{hello, change(`,"MESSAGE":""`)}, "true", func(t *testing.T, w oddityPortal) {
			require.True(t, w.last("chat1001").Deleted)
		}},
		{"[br], [BR] and #BR# are replaced", "so does a text of line breaks, blanks and NUL", nil, []string{hello, change(`,"MESSAGE":" [br]\u0000[BR]#BR#\n"`)}, "true", func(t *testing.T, w oddityPortal) {
			require.True(t, w.last("chat1001").Deleted)
		}},
		{"[br], [BR] and #BR# are replaced", "other spellings and blanks are a text", nil, []string{hello, change(`,"MESSAGE":"[Br]\u00a0[br]"`)}, "true", func(t *testing.T, w oddityPortal) {
			require.Equal(t, "[Br]\u00a0", w.last("chat1001").Text)
		}},
		{"The message is not flagged as edited", "nobody sees that a bot has changed its message", nil, []string{hello, change(`,"MESSAGE":"x"`)}, "true", func(t *testing.T, w oddityPortal) {
			require.False(t, w.last("chat1001").Edited)
		}},
		{"With auto the answer does not tell", "a like that is taken away is answered like one that was set", nil, []string{hello, like + `}`, like + `,"ACTION":"AUTO"}`}, "true", func(t *testing.T, w oddityPortal) {
			require.Empty(t, w.last("chat1001").Likes)
		}},
	}
}
