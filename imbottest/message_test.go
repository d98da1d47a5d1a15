package imbottest_test

import (
	"strings"
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/stretchr/testify/require"
)

func TestMessages(t *testing.T) {
	const me = `"CLIENT_ID":"one"`
	runTable(t, "imbot.message.add", []row{
		{"the client id comes first", `{}`, "403 ACCESS_DENIED", nil},
		{"an application without a bot", `{"CLIENT_ID":"three"}`, "400 BOT_ID_ERROR", nil},
		{"a foreign bot is refused", `{` + me + `,"BOT_ID":5}`, "400 APP_ID_ERROR", nil},
		{"then the dialog", `{` + me + `}`, "400 DIALOG_ID_EMPTY", nil},
		{"a malformed dialog", `{` + me + `,"DIALOG_ID":"chat","MESSAGE":"x"}`, "400 DIALOG_ID_EMPTY", nil},
		{"then the text", `{` + me + `,"DIALOG_ID":"chat9999"}`, "400 MESSAGE_EMPTY", nil},
		{"blanks are no text", `{` + me + `,"DIALOG_ID":2,"MESSAGE":" \n"}`, "400 MESSAGE_EMPTY", nil},
		{"a number is no text", `{` + me + `,"DIALOG_ID":2,"MESSAGE":5}`, "400 MESSAGE_EMPTY", nil},
		{"no such chat", `{` + me + `,"DIALOG_ID":"chat9999","MESSAGE":"x"}`, "400 CHAT_ID", nil},
		{"not a member", `{"CLIENT_ID":"two","DIALOG_ID":"chat1001","MESSAGE":"x"}`, "400 CANCELED", nil},
		{"no such user", `{` + me + `,"DIALOG_ID":"99","MESSAGE":"x"}`, "400 ERROR_NO_ACCESS", nil},
		{"a private dialog", `{` + me + `,"DIALOG_ID":2,"MESSAGE":"x"}`, "50001", nil},
		{"a group chat, in any case", `{` + me + `,"DIALOG_ID":"CHAT1001","MESSAGE":"x"}`, "50001", nil},
		{"two users need no dialog", `{` + me + `,"FROM_USER_ID":2,"TO_USER_ID":3,"MESSAGE":"x"}`, "50001", nil},
		{"one user is no pair", `{` + me + `,"FROM_USER_ID":2,"MESSAGE":"x"}`, "400 DIALOG_ID_EMPTY", nil},
	})
}

func TestTextIsTrimmedAndCut(t *testing.T) {
	portal := newWorld(t)
	long := strings.Repeat("ж", 20001)
	require.Equal(t, "50001", post(t, portal, "imbot.message.add", `{"CLIENT_ID":"one","DIALOG_ID":2,"MESSAGE":"  `+long+` "}`))
	require.Equal(t, "50002", post(t, portal, "imbot.message.add", `{"CLIENT_ID":"one","DIALOG_ID":2,"MESSAGE":" hi\n"}`))
	seen := portal.Messages(anna, imbot.UserDialog(alpha))
	require.Len(t, seen, 2)
	require.Equal(t, long[:len(long)-len("ж")]+" (...)", seen[0].Text)
	require.Equal(t, "hi", seen[1].Text)
	require.EqualValues(t, alpha, seen[1].AuthorID)
	require.NotEqual(t, imbot.ID(team), seen[1].ChatID)
}

func TestNamesOfMentionsAreFilledIn(t *testing.T) {
	portal := newWorld(t)
	require.Equal(t, "50001", post(t, portal, "imbot.message.add", `{"CLIENT_ID":"one","DIALOG_ID":2,"MESSAGE":"[USER=3][/USER] [user=4]A[/user] [user=99][/user]"}`))
	require.Equal(t, "[USER=3]Boris Petrov[/USER] [user=4]A[/user] [user=99][/user]", portal.Messages(anna, imbot.UserDialog(alpha))[0].Text)
	require.Equal(t, "true", post(t, portal, "imbot.message.update", `{"CLIENT_ID":"one","MESSAGE_ID":50001,"MESSAGE":"[user=2][/user]"}`))
	require.Equal(t, "[user=2]Anna Ivanova[/user]", portal.Messages(anna, imbot.UserDialog(alpha))[0].Text)
}

func TestSystemMessages(t *testing.T) {
	portal := newWorld(t)
	require.Equal(t, "50001", post(t, portal, "imbot.message.add", `{"CLIENT_ID":"one","DIALOG_ID":"chat1001","MESSAGE":"maintenance","SYSTEM":"Y"}`))
	require.Equal(t, "50002", post(t, portal, "imbot.message.add", `{"CLIENT_ID":"one","FROM_USER_ID":2,"TO_USER_ID":3,"MESSAGE":"met"}`))

	inChat := portal.Messages(anna, imbot.ChatDialog(team))
	require.Len(t, inChat, 1)
	require.True(t, inChat[0].System)
	require.Zero(t, inChat[0].AuthorID)
	require.Equal(t, "Alpha\nmaintenance", inChat[0].Plain())
	require.Nil(t, portal.Messages(boris, imbot.ChatDialog(team)), "not a member")

	between := portal.Messages(boris, imbot.UserDialog(anna))
	require.Len(t, between, 1)
	require.True(t, between[0].System)
}
