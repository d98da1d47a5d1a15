package imbottest_test

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/stretchr/testify/require"
)

func md5Hex(text string) string {
	digest := md5.Sum([]byte(text))
	return hex.EncodeToString(digest[:])
}

func TestIFrame(t *testing.T) {
	t.Parallel()
	portal, _ := newMailboxPortal(t)
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
			id := post(t, portal, "imbot.app.register", fmt.Sprintf(`{"CLIENT_ID":"one","BOT_ID":103,"CODE":"frame%d","IFRAME":%q,"HASH":%q,"LANG":[{"LANGUAGE_ID":"en","TITLE":"F"}]}`, i, tt.iframe, tt.hash))
			address, err := portal.IFrame(anna, imbot.ID(502+i), teamDialog)
			require.NoError(t, err, id)
			u, err := url.Parse(address)
			require.NoError(t, err)
			q := u.Query()
			require.True(t, strings.HasPrefix(address, tt.iframe))
			require.Equal(t, "https://"+host, q.Get("DOMAIN"))
			require.Equal(t, md5Hex(host+tt.key), q.Get("DOMAIN_HASH"))
			require.Equal(t, tt.signed, q.Get("USER_HASH") == md5Hex("101"+tt.key))
			for name, want := range map[string]string{"BOT_ID": "103", "BOT_CODE": "alpha", "APP_ID": id, "USER_ID": "101", "DIALOG_ID": "chat1001", "CONTEXT": "textarea", "LANG": "en", "IS_CHROME": "Y"} {
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
	require.Equal(t, md5Hex("101other"), q.Get("USER_HASH"))
	require.Equal(t, []string{"button", m.ID.String(), "a b", "103"}, []string{q.Get("CONTEXT"), q.Get("MESSAGE_ID"), q.Get("BUTTON_PARAMS"), q.Get("DIALOG_ID")})

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
	require.Equal(t, "true", post(t, portal, "imbot.chat.user.add", `{"CLIENT_ID":"one","CHAT_ID":1001,"USERS":[102],"HIDE_HISTORY":"Y"}`))
	_, err = portal.IFrameOfButton(boris, 502, m.ID, "")
	require.ErrorContains(t, err, "sees no message", "a hidden one")
}

func TestIFrameOfAnOpenLine(t *testing.T) {
	t.Parallel()
	portal, _ := newMailboxPortal(t)
	require.Equal(t, "105", post(t, portal, "imbot.register", register("line", "three", "O")))
	require.Equal(t, "502", post(t, portal, "imbot.app.register", `{"CLIENT_ID":"three","BOT_ID":105,"CODE":"f","IFRAME":"https://bot.example.com/f","HASH":"k","LANG":[{"LANGUAGE_ID":"en","TITLE":"F"}]}`))
	guest, chat, err := portal.AddGuest(t.Context(), "Greta", 105)
	require.NoError(t, err)
	address, err := portal.IFrame(guest, 502, imbot.ChatDialog(chat))
	require.NoError(t, err)
	u, err := url.Parse(address)
	require.NoError(t, err)
	require.Equal(t, "lines", u.Query().Get("DIALOG_CONTEXT"))
	require.True(t, strings.HasPrefix(u.Query().Get("DIALOG_ENTITY_ID"), "imbottest|31|"))
	require.True(t, strings.HasPrefix(u.Query().Get("DIALOG_ENTITY_DATA_1"), "N|NONE|"))
}

func TestTheSDKTrustsTheFramesOfThePortal(t *testing.T) {
	t.Parallel()
	portal, _ := newMailboxPortal(t)
	require.Equal(t, "502", post(t, portal, "imbot.app.register", `{"CLIENT_ID":"one","BOT_ID":103,"CODE":"f","IFRAME":"https://bot.example.com/f?a=b","HASH":"k3y","LANG":[{"LANGUAGE_ID":"en","TITLE":"F"}]}`))
	address, err := portal.IFrame(anna, 502, teamDialog)
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	frame, err := imbot.VerifyIFrame(r, "k3y")
	require.NoError(t, err)
	require.Equal(t, imbot.ID(anna), frame.UserID)
	require.Equal(t, teamDialog, frame.DialogID)
	_, err = imbot.VerifyIFrame(r, "other")
	require.Error(t, err)
}
