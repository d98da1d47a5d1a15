package imbottest_test

import (
	"encoding/base64"
	"fmt"
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

func TestAppsOnOffer(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	icon := base64.StdEncoding.EncodeToString(smallPNG)
	frame := `"IFRAME":"https://app.example.com/","HASH":"short",`
	for _, params := range []string{
		`"CODE":"user","CONTEXT":"USER","IFRAME_WIDTH":10,"IFRAME_HEIGHT":400,"ICON_FILE":"` + icon + `",` + frame,
		`"CODE":"chat","CONTEXT":"CHAT",` + frame, `"CODE":"bot","CONTEXT":"BOT",` + frame, `"CODE":"lines","CONTEXT":"LINES",` + frame,
		`"CODE":"call","CONTEXT":"CALL",` + frame, `"CODE":"admins","CONTEXT":"ALL-admin",` + frame, `"CODE":"hidden","HIDDEN":"Y",` + frame,
	} {
		require.NotContains(t, post(t, portal, "imbot.app.register", `{"CLIENT_ID":"one","BOT_ID":103,`+params+`"LANG":[{"LANGUAGE_ID":"en","TITLE":"T","DESCRIPTION":"D"}]}`), " ")
	}
	codes := func(user imbot.ID, dialog imbot.DialogID) (codes []string) {
		for _, a := range portal.Apps(user, dialog) {
			codes = append(codes, a.Code)
		}
		return codes
	}
	require.Equal(t, []string{"help", "user", "bot"}, codes(anna, "103"))
	require.Equal(t, []string{"help", "user"}, codes(anna, "104"))
	require.Equal(t, []string{"help", "chat"}, codes(anna, "chat1001"))
	require.Equal(t, []string{"help", "user", "admins"}, codes(imbottest.Admin, "101"))
	require.Equal(t, imbottest.App{ID: 501, Bot: alpha, Code: "help", Title: "Help", JSMethod: "SEND", JSParam: "/help", Width: 320, Height: 250}, portal.Apps(anna, "103")[0])
	require.Equal(t, imbottest.App{ID: 502, Bot: alpha, Code: "user", Title: "T", Description: "D", Frame: true, Width: 250, Height: 400}, portal.Apps(anna, "103")[1])
	require.Equal(t, smallPNG, portal.Icon(502))
	require.Nil(t, portal.Icon(501))
	require.Nil(t, portal.Icon(9))
	require.Equal(t, "true", post(t, portal, "imbot.app.update", `{"CLIENT_ID":"one","APP_ID":502,"FIELDS":{"CONTEXT":"CHAT","IFRAME_WIDTH":500}}`))
	require.Equal(t, []string{"help", "user", "chat"}, codes(anna, "chat1001"))
	require.Equal(t, 500, portal.Apps(anna, "chat1001")[1].Width)
	require.Equal(t, 400, portal.Apps(anna, "chat1001")[1].Height)
}

func TestAppsInAnOpenLine(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	require.Equal(t, "105", post(t, portal, "imbot.register", register("line", "three", "O")))
	for _, context := range []string{"ALL", "LINES", "CHAT", "USER"} {
		require.NotContains(t, post(t, portal, "imbot.app.register", `{"CLIENT_ID":"one","BOT_ID":103,"CODE":"`+context+`","CONTEXT":"`+context+
			`","IFRAME":"https://app.example.com/","HASH":"short","LANG":[{"LANGUAGE_ID":"en","TITLE":"T"}]}`), " ")
	}
	guest, chat, err := portal.AddGuest(t.Context(), "Greta", 105, anna)
	require.NoError(t, err)
	require.Equal(t, "true", post(t, portal, "imopenlines.bot.session.operator", fmt.Sprintf(`{"CLIENT_ID":"three","CHAT_ID":%d}`, chat)))
	var codes []string
	for _, app := range portal.Apps(anna, imbot.ChatDialog(chat)) {
		codes = append(codes, app.Code)
	}
	require.Equal(t, []string{"help", "ALL", "LINES"}, codes)
	require.Empty(t, portal.Apps(guest, imbot.ChatDialog(chat)), "guests are somewhere else")
}
