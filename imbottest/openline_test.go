package imbottest_test

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/stretchr/testify/require"
)

func TestOpenLine(t *testing.T) {
	portal, box := newMailWorld(t)
	_, _, err := portal.AddGuest(t.Context(), "Greta", alpha)
	require.ErrorContains(t, err, "does not serve open lines")
	_, _, err = portal.AddGuest(t.Context(), "Greta", 99)
	require.ErrorContains(t, err, "no bot 99")
	require.Equal(t, "6", post(t, portal, "imbot.register", register("line", "three", "O")))
	_, _, err = portal.AddGuest(t.Context(), "Greta", 6, 99)
	require.ErrorContains(t, err, "operators")

	guest, chat, err := portal.AddGuest(t.Context(), "Greta", 6, anna)
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
	require.Contains(t, post(t, portal, "imbot.chat.user.list", fmt.Sprintf(`{"CLIENT_ID":"three","CHAT_ID":%d}`, chat)), fmt.Sprintf("[%d,6]", guest))

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

func sum(text string) string {
	digest := md5.Sum([]byte(text))
	return hex.EncodeToString(digest[:])
}

func TestIFrame(t *testing.T) {
	portal, _ := newMailWorld(t)
	hook := portal.Webhook("")
	host := strings.Split(hook.URL, "/")[2]
	long := strings.Repeat("x", 40)
	for i, tt := range []struct {
		says, iframe, hash, key string
		signed                  bool
	}{
		{"an address without a query", "https://bot.example.com/frame", "k3y", "k3y", true},
		{"an address with a query", "https://bot.example.com/frame?a=b", "k3y", "k3y", true},
		{"registering cuts the hash", "https://bot.example.com/frame", long, long[:32], true},
		{"the hash that is special", "https://bot.example.com/frame", "register", "register", false},
	} {
		t.Run(tt.says, func(t *testing.T) {
			id := post(t, portal, "imbot.app.register", fmt.Sprintf(`{"CLIENT_ID":"one","BOT_ID":4,"CODE":"frame%d","IFRAME":%q,"HASH":%q,"LANG":[{"LANGUAGE_ID":"en","TITLE":"F"}]}`, i, tt.iframe, tt.hash))
			address, err := portal.IFrame(anna, imbot.ID(502+i), teamDialog)
			require.NoError(t, err, id)
			u, err := url.Parse(address)
			require.NoError(t, err)
			q := u.Query()
			require.True(t, strings.HasPrefix(address, tt.iframe))
			require.Equal(t, "https://"+host, q.Get("DOMAIN"))
			require.Equal(t, sum(host+tt.key), q.Get("DOMAIN_HASH"))
			require.Equal(t, tt.signed, q.Get("USER_HASH") == sum("2"+tt.key))
			for name, want := range map[string]string{"BOT_ID": "4", "BOT_CODE": "alpha", "APP_ID": id, "USER_ID": "2", "DIALOG_ID": "chat1001", "CONTEXT": "textarea", "LANG": "en", "IS_CHROME": "Y"} {
				require.Equal(t, want, q.Get(name), name)
			}
			require.False(t, q.Has("MESSAGE_ID"))
		})
	}

	m, err := portal.Say(t.Context(), anna, imbot.UserDialog(alpha), "hi")
	require.NoError(t, err)
	require.Equal(t, "true", post(t, portal, "imbot.app.update", `{"CLIENT_ID":"one","APP_ID":502,"FIELDS":{"IFRAME":"https://new.example.com","HASH":"other"}}`))
	address, err := portal.IFrameOfButton(anna, 502, m.ID, "a b")
	require.NoError(t, err)
	u, err := url.Parse(address)
	require.NoError(t, err)
	q := u.Query()
	require.Equal(t, "new.example.com", u.Host)
	require.Equal(t, sum("2other"), q.Get("USER_HASH"))
	require.Equal(t, []string{"button", m.ID.String(), "a b", "4"}, []string{q.Get("CONTEXT"), q.Get("MESSAGE_ID"), q.Get("BUTTON_PARAMS"), q.Get("DIALOG_ID")})

	for _, fail := range []func() (string, error){
		func() (string, error) { return portal.IFrame(anna, app, teamDialog) },  // a JS application
		func() (string, error) { return portal.IFrame(boris, 502, teamDialog) }, // not a member
		func() (string, error) { return portal.IFrame(alpha, 502, teamDialog) }, // a bot
		func() (string, error) { return portal.IFrameOfButton(boris, 502, m.ID, "") },
		func() (string, error) { return portal.IFrameOfButton(anna, 502, 1, "") },
	} {
		_, err := fail()
		require.Error(t, err)
	}
	m, err = portal.Say(t.Context(), anna, teamDialog, "before Boris")
	require.NoError(t, err)
	require.Equal(t, "true", post(t, portal, "imbot.chat.user.add", `{"CLIENT_ID":"one","CHAT_ID":1001,"USERS":[3],"HIDE_HISTORY":"Y"}`))
	_, err = portal.IFrameOfButton(boris, 502, m.ID, "")
	require.ErrorContains(t, err, "sees no message", "a hidden one")
}

func TestIFrameOfAnOpenLine(t *testing.T) {
	portal, _ := newMailWorld(t)
	require.Equal(t, "6", post(t, portal, "imbot.register", register("line", "three", "O")))
	require.Equal(t, "502", post(t, portal, "imbot.app.register", `{"CLIENT_ID":"three","BOT_ID":6,"CODE":"f","IFRAME":"https://bot.example.com/f","HASH":"k","LANG":[{"LANGUAGE_ID":"en","TITLE":"F"}]}`))
	guest, chat, err := portal.AddGuest(t.Context(), "Greta", 6)
	require.NoError(t, err)
	address, err := portal.IFrame(guest, 502, imbot.ChatDialog(chat))
	require.NoError(t, err)
	u, err := url.Parse(address)
	require.NoError(t, err)
	require.Equal(t, "lines", u.Query().Get("DIALOG_CONTEXT"))
	require.True(t, strings.HasPrefix(u.Query().Get("DIALOG_ENTITY_ID"), "imbottest|1|"))
	require.True(t, strings.HasPrefix(u.Query().Get("DIALOG_ENTITY_DATA_1"), "N|NONE|"))
}

const teamDialog = imbot.DialogID("chat1001")

func TestAppsInAnOpenLine(t *testing.T) {
	portal := newWorld(t)
	require.Equal(t, "6", post(t, portal, "imbot.register", register("line", "three", "O")))
	for _, context := range []string{"ALL", "LINES", "CHAT", "USER"} {
		require.NotContains(t, post(t, portal, "imbot.app.register", `{"CLIENT_ID":"one","BOT_ID":4,"CODE":"`+context+`","CONTEXT":"`+context+
			`","IFRAME":"https://app.example.com/","HASH":"short","LANG":[{"LANGUAGE_ID":"en","TITLE":"T"}]}`), " ")
	}
	guest, chat, err := portal.AddGuest(t.Context(), "Greta", 6, anna)
	require.NoError(t, err)
	require.Equal(t, "true", post(t, portal, "imopenlines.bot.session.operator", fmt.Sprintf(`{"CLIENT_ID":"three","CHAT_ID":%d}`, chat)))
	var codes []string
	for _, app := range portal.Apps(anna, imbot.ChatDialog(chat)) {
		codes = append(codes, app.Code)
	}
	require.Equal(t, []string{"help", "ALL", "LINES"}, codes)
	require.Empty(t, portal.Apps(guest, imbot.ChatDialog(chat)), "guests are somewhere else")
}
