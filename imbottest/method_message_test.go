package imbottest_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

func TestMessages(t *testing.T) {
	t.Parallel()
	const me = `"CLIENT_ID":"one"`
	runTable(t, "imbot.message.add", []row{
		{"the client id comes first", `{}`, "403 ACCESS_DENIED", nil},
		{"an application without a bot", `{"CLIENT_ID":"three"}`, "400 BOT_ID_ERROR", nil},
		{"a foreign bot is refused", `{` + me + `,"BOT_ID":104}`, "400 APP_ID_ERROR", nil},
		{"then the dialog", `{` + me + `}`, "400 DIALOG_ID_EMPTY", nil},
		{"a malformed dialog", `{` + me + `,"DIALOG_ID":"chat","MESSAGE":"x"}`, "400 DIALOG_ID_EMPTY", nil},
		{"then the text", `{` + me + `,"DIALOG_ID":"chat9999"}`, "400 MESSAGE_EMPTY", nil},
		{"blanks are no text", `{` + me + `,"DIALOG_ID":101,"MESSAGE":" \n"}`, "400 MESSAGE_EMPTY", nil},
		{"a number is no text", `{` + me + `,"DIALOG_ID":101,"MESSAGE":5}`, "400 MESSAGE_EMPTY", nil},
		{"no such chat", `{` + me + `,"DIALOG_ID":"chat9999","MESSAGE":"x"}`, "400 CHAT_ID", nil},
		{"not a member", `{"CLIENT_ID":"two","DIALOG_ID":"chat1001","MESSAGE":"x"}`, "400 CANCELED", nil},
		{"no such user", `{` + me + `,"DIALOG_ID":"99","MESSAGE":"x"}`, "400 ERROR_NO_ACCESS", nil},
		{"a private dialog", `{` + me + `,"DIALOG_ID":101,"MESSAGE":"x"}`, "50001", nil},
		{"a group chat, in any case", `{` + me + `,"DIALOG_ID":"CHAT1001","MESSAGE":"x"}`, "50001", nil},
		{"two users need no dialog", `{` + me + `,"FROM_USER_ID":101,"TO_USER_ID":102,"MESSAGE":"x"}`, "50001", nil},
		{"one user is no pair", `{` + me + `,"FROM_USER_ID":101,"MESSAGE":"x"}`, "400 DIALOG_ID_EMPTY", nil},
	})
}

func TestTextIsTrimmedAndCut(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	long := strings.Repeat("ж", 20007)
	require.Equal(t, "50001", post(t, portal, "imbot.message.add", `{"CLIENT_ID":"one","DIALOG_ID":101,"MESSAGE":"  `+long+` "}`))
	require.Equal(t, "50002", post(t, portal, "imbot.message.add", `{"CLIENT_ID":"one","DIALOG_ID":101,"MESSAGE":" hi\n"}`))
	seen := portal.Messages(anna, imbot.UserDialog(alpha))
	require.Len(t, seen, 2)
	require.Equal(t, strings.Repeat("ж", 20000)+" (...)", seen[0].Text)
	require.Equal(t, "hi", seen[1].Text)
	require.EqualValues(t, alpha, seen[1].AuthorID)
	require.NotEqual(t, imbot.ID(team), seen[1].ChatID)
}

func TestNamesOfMentionsAreFilledIn(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	require.Equal(t, "50001", post(t, portal, "imbot.message.add", `{"CLIENT_ID":"one","DIALOG_ID":101,"MESSAGE":"[USER=102][/USER] [user=103]A[/user] [user=99][/user]"}`))
	require.Equal(t, "[USER=102]Boris Petrov[/USER] [user=103]A[/user] [user=99][/user]", portal.Messages(anna, imbot.UserDialog(alpha))[0].Text)
	require.Equal(t, "true", post(t, portal, "imbot.message.update", `{"CLIENT_ID":"one","MESSAGE_ID":50001,"MESSAGE":"[user=101][/user]"}`))
	require.Equal(t, "[user=101]Anna Ivanova[/user]", portal.Messages(anna, imbot.UserDialog(alpha))[0].Text)
}

func TestSystemMessages(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	require.Equal(t, "50001", post(t, portal, "imbot.message.add", `{"CLIENT_ID":"one","DIALOG_ID":"chat1001","MESSAGE":"maintenance","SYSTEM":"Y"}`))
	require.Equal(t, "50002", post(t, portal, "imbot.message.add", `{"CLIENT_ID":"one","FROM_USER_ID":101,"TO_USER_ID":102,"MESSAGE":"met"}`))

	inChat := portal.Messages(anna, imbot.ChatDialog(team))
	require.Len(t, inChat, 1)
	require.True(t, inChat[0].System)
	require.Zero(t, inChat[0].AuthorID)
	require.Equal(t, "Alpha:\nmaintenance", inChat[0].Plain())
	require.Nil(t, portal.Messages(boris, imbot.ChatDialog(team)), "not a member")

	between := portal.Messages(boris, imbot.UserDialog(anna))
	require.Len(t, between, 1)
	require.True(t, between[0].System)
}

// sentMessages are steps with which alpha sends a message in a private dialog and one in
// the chat.
var sentMessages = []string{
	`imbot.message.add {"CLIENT_ID":"one","DIALOG_ID":101,"MESSAGE":"private"}`,
	`imbot.message.add {"CLIENT_ID":"one","DIALOG_ID":"chat1001","MESSAGE":"public"}`,
}

func sentThen(steps ...string) []string {
	return append(sentMessages[:len(sentMessages):len(sentMessages)], steps...)
}

func TestChangingMessages(t *testing.T) {
	t.Parallel()
	common := []row{
		{"the client id comes first", `{}`, "403 ACCESS_DENIED", nil},
		{"an application without a bot", `{"CLIENT_ID":"three"}`, "400 BOT_ID_ERROR", nil},
		{"an empty bot id is not a missing one", `{` + mine + `,"BOT_ID":""}`, "400 BOT_ID_ERROR", nil},
		{"a foreign bot is refused", `{` + me + `,"BOT_ID":104}`, "400 APP_ID_ERROR", nil},
		{"then the message", `{` + me + `}`, "400 MESSAGE_ID_ERROR", nil},
		{"text is no message id", `{` + me + `,"MESSAGE_ID":"x"}`, "400 MESSAGE_ID_ERROR", nil},
		{"nor is a negative number", `{` + me + `,"MESSAGE_ID":-1}`, "400 MESSAGE_ID_ERROR", nil},
	}
	runTable(t, "imbot.message.update", append(common[:len(common):len(common)], []row{
		{"true without a look when nothing changes", `{` + me + `,"MESSAGE_ID":99}`, "true", nil},
		{"null is nothing", `{` + me + `,"MESSAGE_ID":99,"MESSAGE":null,"KEYBOARD":null}`, "true", nil},
		{"no such message", `{` + mine + `,"MESSAGE":"x"}`, "403 CANT_EDIT_MESSAGE", nil},
		{"no such message comes before a bad attachment", `{` + mine + `,"ATTACH":[{}]}`, "403 CANT_EDIT_MESSAGE", nil},
		{"a person's message", `{` + mine + `,"MESSAGE":"x"}`, "403 CANT_EDIT_MESSAGE", []string{"say 103 hi"}},
		{"another bot's", `{"CLIENT_ID":"two","MESSAGE_ID":50001,"MESSAGE":"x"}`, "403 CANT_EDIT_MESSAGE", sentMessages},
		{"a system message is nobody's", `{` + mine + `,"MESSAGE":"x"}`, "403 CANT_EDIT_MESSAGE", []string{`imbot.message.add {"CLIENT_ID":"one","DIALOG_ID":101,"MESSAGE":"x","SYSTEM":"Y"}`}},
		{"a chat that the bot has left", `{` + me + `,"MESSAGE_ID":50002,"MESSAGE":"x"}`, "403 CANT_EDIT_MESSAGE", sentThen(`imbot.chat.leave {"CLIENT_ID":"one","CHAT_ID":1001}`)},
		{"a deleted message", `{` + mine + `,"MESSAGE":"x"}`, "403 CANT_EDIT_MESSAGE", sentThen(`imbot.message.delete {` + mine + `}`)},
		{"then the attachment", `{` + mine + `,"ATTACH":[{}],"KEYBOARD":[{}]}`, "400 ATTACH_ERROR", sentMessages},
		{"then the keyboard", `{` + mine + `,"ATTACH":[` + text + `],"KEYBOARD":[{}],"MENU":[{}]}`, "400 KEYBOARD_ERROR", sentMessages},
		{"then the menu, in its own spelling", `{` + mine + `,"KEYBOARD":[` + button + `],"MENU":[{}],"MESSAGE":""}`, "400 menu_ERROR", sentMessages},
		{"an attachment that is too large", `{` + mine + `,"ATTACH":[{"MESSAGE":"` + long(60000) + `"}]}`, "400 ATTACH_OVERSIZE", sentMessages},
		{"a keyboard that is too large", `{` + mine + `,"KEYBOARD":[{"TEXT":"` + long(60000) + `","LINK":"/"}]}`, "400 KEYBOARD_OVERSIZE", sentMessages},
		{"a menu that is too large", `{` + mine + `,"MENU":[{"TEXT":"` + long(60000) + `","LINK":"/"}]}`, "400 MENU_OVERSIZE", sentMessages},
		{"everything at once", `{` + mine + `,"ATTACH":[` + text + `],"KEYBOARD":[` + button + `],"MENU":[` + button + `],"MESSAGE":"new"}`, "true", sentMessages},
	}...))
	runTable(t, "imbot.message.delete", append(common[:len(common):len(common)], []row{
		{"no such message", `{` + mine + `}`, "403 CANT_EDIT_MESSAGE", nil},
		{"a person's message", `{` + mine + `}`, "403 CANT_EDIT_MESSAGE", []string{"say 103 hi"}},
		{"another bot's", `{"CLIENT_ID":"two","MESSAGE_ID":50001}`, "403 CANT_EDIT_MESSAGE", sentMessages},
		{"the own", `{` + mine + `}`, "true", sentMessages},
		{"once only", `{` + mine + `}`, "403 CANT_EDIT_MESSAGE", sentThen(`imbot.message.delete {` + mine + `}`)},
		{"once only, without a trace", `{` + mine + `}`, "403 CANT_EDIT_MESSAGE", sentThen(`imbot.message.delete {` + mine + `,"COMPLETE":"Y"}`)},
	}...))
	runTable(t, "imbot.message.like", append(common[:len(common):len(common)], []row{
		{"no such message", `{` + mine + `}`, "400 WITHOUT_CHANGES", nil},
		{"a chat without the bot", `{"CLIENT_ID":"two","MESSAGE_ID":50002}`, "400 WITHOUT_CHANGES", sentMessages},
		{"a deleted message", `{` + mine + `}`, "400 WITHOUT_CHANGES", sentThen(`imbot.message.delete {` + mine + `}`)},
		{"a person's message", `{` + mine + `}`, "true", []string{"say 103 hi"}},
		{"minus takes nothing away twice", `{` + mine + `,"ACTION":"minus"}`, "400 WITHOUT_CHANGES", sentMessages},
		{"plus is in any case", `{` + mine + `,"ACTION":"PLUS"}`, "true", sentMessages},
		{"plus does not add twice", `{` + mine + `,"ACTION":"plus"}`, "400 WITHOUT_CHANGES", sentThen(`imbot.message.like {` + mine + `}`)},
		{"minus after plus", `{` + mine + `,"ACTION":"minus"}`, "true", sentThen(`imbot.message.like {` + mine + `,"ACTION":"plus"}`)},
		{"an unknown action toggles", `{` + mine + `,"ACTION":"x"}`, "true", sentThen(`imbot.message.like {` + mine + `}`)},
		{"toggled twice there is nothing to take away", `{` + mine + `,"ACTION":"minus"}`, "400 WITHOUT_CHANGES", sentThen(`imbot.message.like {`+mine+`}`, `imbot.message.like {`+mine+`}`)},
	}...))
}

func TestWhatChangesLeaveBehind(t *testing.T) {
	t.Parallel()
	const full = `"ATTACH":[` + text + `],"KEYBOARD":[` + button + `],"MENU":[` + button + `]`
	parts := func(m imbottest.Message) [3]int {
		return [3]int{len(m.Attach.Blocks), len(m.Keyboard.Rows), len(m.Menu.Items)}
	}
	for _, tt := range []struct {
		says, method, params string
		text                 string
		parts                [3]int
	}{
		{"a new text leaves the rest", "update", `"MESSAGE":" new "`, "new", [3]int{1, 1, 1}},
		{"N removes", "update", `"ATTACH":"N","KEYBOARD":"N"`, "old", [3]int{0, 0, 1}},
		{"so do empty values", "update", `"ATTACH":"","KEYBOARD":[],"MENU":0`, "old", [3]int{0, 0, 0}},
		{"a keyboard is replaced", "update", `"KEYBOARD":[` + button + `,{"TYPE":"NEWLINE"},` + button + `]`, "old", [3]int{1, 2, 1}},
		{"an error leaves what was done before it", "update", `"ATTACH":"N","KEYBOARD":[{}],"MENU":"N","MESSAGE":"new"`, "old", [3]int{0, 1, 1}},
		{"an empty text deletes", "update", `"MESSAGE":" "`, "This message was deleted.", [3]int{}},
		{"deleting leaves a notice", "delete", `"COMPLETE":"y"`, "This message was deleted.", [3]int{}},
		{"or nothing", "delete", `"COMPLETE":"Y"`, "", [3]int{}},
	} {
		t.Run(tt.says, func(t *testing.T) {
			portal := newTestPortal(t)
			require.Equal(t, "50001", post(t, portal, "imbot.message.add", `{`+me+`,"DIALOG_ID":101,"MESSAGE":"old",`+full+`}`))
			post(t, portal, "imbot.message."+tt.method, `{`+mine+`,`+tt.params+`}`)
			seen := portal.Messages(anna, imbot.UserDialog(alpha))
			if tt.text == "" {
				require.Empty(t, seen)
				return
			}
			require.Equal(t, tt.text, seen[0].Text)
			require.Equal(t, tt.parts, parts(seen[0]))
			require.Equal(t, strings.Contains(tt.text, "deleted"), seen[0].Deleted)
			require.False(t, seen[0].Edited, "changes of bots are not marked")
		})
	}
}

func TestChangesAreAllowedForThreeDays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal := newTestPortal(t)
		require.Equal(t, "50001", post(t, portal, "imbot.message.add", `{`+me+`,"DIALOG_ID":101,"MESSAGE":"old"}`))
		said, err := portal.Say(t.Context(), anna, imbot.UserDialog(alpha), "old")
		require.NoError(t, err)
		time.Sleep(72 * time.Hour)
		require.Equal(t, "true", post(t, portal, "imbot.message.update", `{`+mine+`,"MESSAGE":"new"}`))
		require.NoError(t, portal.Edit(t.Context(), anna, said, "new"))
		time.Sleep(time.Second)
		for _, params := range []string{`"MESSAGE":"x"`, `"MESSAGE":""`, `"KEYBOARD":"N"`} {
			require.Equal(t, "403 CANT_EDIT_MESSAGE", post(t, portal, "imbot.message.update", `{`+mine+`,`+params+`}`))
		}
		require.ErrorContains(t, portal.Edit(t.Context(), anna, said, "x"), "too old")
		require.Equal(t, "true", post(t, portal, "imbot.message.delete", `{`+mine+`}`), "deleting has no limit")
		require.NoError(t, portal.Delete(t.Context(), anna, said))
		portal.Close()
	})
}

func TestLikes(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	said, err := portal.Say(t.Context(), anna, imbot.UserDialog(alpha), "hi")
	require.NoError(t, err)
	likes := func() []imbot.ID { return portal.Messages(anna, imbot.UserDialog(alpha))[0].Likes }
	require.NoError(t, portal.Like(t.Context(), anna, said))
	require.Equal(t, "true", post(t, portal, "imbot.message.like", `{`+mine+`}`))
	before := likes()
	require.NoError(t, portal.Like(t.Context(), anna, said))
	require.Equal(t, []imbot.ID{anna, alpha}, before)
	require.Equal(t, []imbot.ID{alpha}, likes())
	require.NoError(t, portal.Delete(t.Context(), anna, said))
	require.ErrorContains(t, portal.Like(t.Context(), anna, said), "deleted")
}
