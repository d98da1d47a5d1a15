package imbottest_test

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/stretchr/testify/require"
)

func TestOpenLine(t *testing.T) {
	t.Parallel()
	portal, box := newMailboxPortal(t)
	_, _, err := portal.AddGuest(t.Context(), "Greta", alpha)
	require.ErrorContains(t, err, "does not serve open lines")
	_, _, err = portal.AddGuest(t.Context(), "Greta", 99)
	require.ErrorContains(t, err, "no bot 99")
	require.Equal(t, "105", post(t, portal, "imbot.register", register("line", "three", "O")))
	_, _, err = portal.AddGuest(t.Context(), "Greta", 105, 99)
	require.ErrorContains(t, err, "operators")

	guest, chat, err := portal.AddGuest(t.Context(), "Greta", 105, anna)
	require.NoError(t, err)
	dialog := imbot.ChatDialog(chat)
	_, err = portal.Say(t.Context(), guest, dialog, "hello")
	require.NoError(t, err)
	_, err = portal.Say(t.Context(), anna, dialog, "hi")
	require.Error(t, err, "the operator is not there yet")
	events := box.take(t, portal)
	require.Equal(t, []string{"JOINCHAT", "MESSAGEADD"}, names(events))
	for _, e := range events {
		require.Equal(t, "L", e.Get("data[PARAMS][CHAT_TYPE]"))
		require.Equal(t, "LINES", e.Get("data[PARAMS][CHAT_ENTITY_TYPE]"))
		require.Equal(t, fmt.Sprintf("imbottest|31|guest%d|%d", guest, guest), e.Get("data[PARAMS][CHAT_ENTITY_ID]"))
		require.Equal(t, string(dialog), e.Get("data[PARAMS][DIALOG_ID]"))
	}
	require.Equal(t, "Y", events[1].Get("data[USER][IS_CONNECTOR]"))
	require.Regexp(t, `^N\|NONE\|0\|N\|N\|\d+\|\d+\|0\|0\|0$`, events[1].Get("data[PARAMS][CHAT_ENTITY_DATA_1]"))
	require.Contains(t, post(t, portal, "imbot.chat.user.list", fmt.Sprintf(`{"CLIENT_ID":"three","CHAT_ID":%d}`, chat)), fmt.Sprintf("[%d,105]", guest))

	const operator = "imopenlines.bot.session.operator"
	require.Equal(t, "400 CHAT_ID_EMPTY", post(t, portal, operator, `{"CLIENT_ID":"three"}`))
	require.Equal(t, "400 WRONG_CHAT", post(t, portal, operator, `{"CLIENT_ID":"three","CHAT_ID":1001}`))
	require.Equal(t, "true", post(t, portal, operator, fmt.Sprintf(`{"chat_id":%d}`, chat)), "whoever calls")
	require.Equal(t, "400 WRONG_CHAT", post(t, portal, operator, fmt.Sprintf(`{"CLIENT_ID":"three","CHAT_ID":%d}`, chat)))
	_, err = portal.Say(t.Context(), anna, dialog, "I am here")
	require.NoError(t, err)
	require.Empty(t, box.take(t, portal), "the bot has left")
	require.NoError(t, portal.Err())
}

func TestAConversationEndsAndAnotherBegins(t *testing.T) {
	t.Parallel()
	portal, box := newMailboxPortal(t)
	require.Equal(t, "105", post(t, portal, "imbot.register", register("line", "three", "O")))
	guest, chat, err := portal.AddGuest(t.Context(), "Greta", 105, anna)
	require.NoError(t, err)
	dialog := imbot.ChatDialog(chat)
	members := func() string {
		return post(t, portal, "imbot.chat.user.list", fmt.Sprintf(`{"CLIENT_ID":"three","CHAT_ID":%d}`, chat))
	}
	say := func(text string) []url.Values {
		_, err := portal.Say(t.Context(), guest, dialog, text)
		require.NoError(t, err)
		return box.take(t, portal)
	}
	first := say("hello")
	require.Equal(t, []string{"JOINCHAT", "MESSAGEADD"}, names(first))

	const finish, send = "imopenlines.bot.session.finish", "imopenlines.bot.session.message.send"
	inChat := fmt.Sprintf(`"CLIENT_ID":"three","CHAT_ID":%d`, chat)
	require.Equal(t, "400 CHAT_ID_EMPTY", post(t, portal, send, `{"CHAT_ID":"chat5"}`))
	for _, said := range []string{`{"NAME":"DEFAULT","MESSAGE":"One moment",` + inChat + `}`, `{"NAME":"WELCOME","MESSAGE":"no",` + inChat + `}`,
		`{"NAME":"DEFAULT","MESSAGE":"0",` + inChat + `}`, `{"MESSAGE":"no",` + inChat + `}`, `{"NAME":"WELCOME","CHAT_ID":1001}`} {
		require.Equal(t, "true", post(t, portal, send, said))
	}
	messages := portal.Messages(guest, dialog)
	require.Len(t, messages, 3)
	require.Equal(t, "One moment", messages[1].Text)
	require.True(t, messages[1].System && messages[1].AuthorID == 0)
	require.Equal(t, "Welcome", messages[2].Text)

	require.Equal(t, "400 CHAT_ID_EMPTY", post(t, portal, finish, `{"CLIENT_ID":"three"}`))
	require.Equal(t, "400 BOT_ID_ERROR", post(t, portal, finish, `{"CLIENT_ID":"nobody","CHAT_ID":1}`))
	require.Equal(t, "403 ACCESS_DENIED", post(t, portal, finish, `{"CHAT_ID":1}`))
	require.Equal(t, "true", post(t, portal, finish, `{"CLIENT_ID":"three","CHAT_ID":99999}`), "whatever the chat")
	require.Equal(t, "true", post(t, portal, finish, `{`+inChat+`}`))
	require.Equal(t, "400 WRONG_CHAT", post(t, portal, "imopenlines.bot.session.operator", `{`+inChat+`}`))

	again := say("one thing more")
	require.Equal(t, []string{"JOINCHAT", "MESSAGEADD"}, names(again), "the bot takes the next conversation, too")
	require.NotEqual(t, first[1].Get("data[PARAMS][CHAT_ENTITY_DATA_1]"), again[1].Get("data[PARAMS][CHAT_ENTITY_DATA_1]"))
	require.Contains(t, members(), fmt.Sprintf("[%d,105]", guest))
	require.NoError(t, portal.Err())
}

func TestAConversationIsTransferred(t *testing.T) {
	t.Parallel()
	portal, box := newMailboxPortal(t)
	require.Equal(t, "105", post(t, portal, "imbot.register", register("line", "three", "O")))
	guest, chat, err := portal.AddGuest(t.Context(), "Greta", 105, anna)
	require.NoError(t, err)
	transfer := func(params string) string {
		return post(t, portal, "imopenlines.bot.session.transfer", fmt.Sprintf(`{"CLIENT_ID":"three","CHAT_ID":%d,%s}`, chat, params))
	}
	for params, want := range map[string]string{
		`"LEAVE":"Y"`:                      "400 TRANSFER_ID_EMPTY",
		`"USER_ID":0`:                      "400 USER_ID_EMPTY",
		`"QUEUE_ID":"x"`:                   "400 QUEUE_ID_EMPTY",
		`"TRANSFER_ID":"queue"`:            "400 QUEUE_ID_EMPTY",
		`"USER_ID":105`:                    "400 OPERATOR_WRONG", // a bot
		fmt.Sprintf(`"USER_ID":%d`, guest): "400 OPERATOR_WRONG",
		`"USER_ID":99999`:                  "400 OPERATOR_WRONG",
		`"QUEUE_ID":2`:                     "400 OPERATOR_WRONG",
		`"user_id":101`:                    "400 TRANSFER_ID_EMPTY", // small letters are not read
		fmt.Sprintf(`"QUEUE_ID":31,"TRANSFER_ID":%d`, guest): "400 OPERATOR_WRONG", // the last is looked at first
	} {
		require.Equal(t, want, transfer(params), params)
	}
	require.Equal(t, "400 CHAT_ID_EMPTY", post(t, portal, "imopenlines.bot.session.transfer", `{"CLIENT_ID":"three","USER_ID":1}`))
	require.Equal(t, "400 OPERATOR_WRONG", post(t, portal, "imopenlines.bot.session.transfer", `{"CLIENT_ID":"three","CHAT_ID":99999,"USER_ID":1}`))

	require.Equal(t, "true", transfer(`"QUEUE_ID":31`))
	dialog := imbot.ChatDialog(chat)
	_, err = portal.Say(t.Context(), anna, dialog, "I am here")
	require.NoError(t, err, "the operators of the line have joined")
	require.Equal(t, []string{"JOINCHAT", "MESSAGEADD"}, names(box.take(t, portal)), "and the bot has stayed")

	require.Equal(t, "true", transfer(fmt.Sprintf(`"USER_ID":%d`, boris)))
	_, err = portal.Say(t.Context(), boris, dialog, "now I am")
	require.NoError(t, err)
	_, err = portal.Say(t.Context(), anna, dialog, "and I?")
	require.Error(t, err, "the other operators have been removed")
	require.Empty(t, box.take(t, portal), "and so has the bot")
	require.NoError(t, portal.Err())
}
