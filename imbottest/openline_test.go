package imbottest_test

import (
	"fmt"
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
		require.Equal(t, fmt.Sprintf("imbottest|1|guest%d|%d", guest, guest), e.Get("data[PARAMS][CHAT_ENTITY_ID]"))
		require.Equal(t, string(dialog), e.Get("data[PARAMS][DIALOG_ID]"))
	}
	require.Equal(t, "Y", events[1].Get("data[USER][IS_CONNECTOR]"))
	require.Regexp(t, `^N\|NONE\|0\|N\|N\|\d+\|\d+\|0\|0\|0$`, events[1].Get("data[PARAMS][CHAT_ENTITY_DATA_1]"))
	require.Contains(t, post(t, portal, "imbot.chat.user.list", fmt.Sprintf(`{"CLIENT_ID":"three","CHAT_ID":%d}`, chat)), fmt.Sprintf("[%d,105]", guest))

	const operator = "imopenlines.bot.session.operator"
	require.Equal(t, "400 CHAT_ID_EMPTY", post(t, portal, operator, `{"CLIENT_ID":"three"}`))
	require.Equal(t, "400 WRONG_CHAT", post(t, portal, operator, `{"CLIENT_ID":"three","CHAT_ID":1001}`))
	require.Equal(t, "400 WRONG_CHAT", post(t, portal, operator, fmt.Sprintf(`{"CLIENT_ID":"one","CHAT_ID":%d}`, chat)))
	require.Equal(t, "400 BOT_ID_ERROR", post(t, portal, operator, `{"CLIENT_ID":"nobody","CHAT_ID":1}`))
	require.Equal(t, "true", post(t, portal, operator, fmt.Sprintf(`{"CLIENT_ID":"three","CHAT_ID":%d}`, chat)))
	_, err = portal.Say(t.Context(), anna, dialog, "I am here")
	require.NoError(t, err)
	require.Empty(t, box.take(t, portal), "the bot has left")
	require.NoError(t, portal.Err())
}
