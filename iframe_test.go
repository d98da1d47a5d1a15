package imbot_test

import (
	"crypto/md5"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

const frameHash = "s3cr3t-hash-of-the-frame"

func hexMD5(s string) string { return fmt.Sprintf("%x", md5.Sum([]byte(s))) }

func frameQuery() url.Values {
	return url.Values{
		"BOT_ID": {"17"}, "BOT_CODE": {"echoBot"}, "APP_ID": {"11"}, "APP_CODE": {"echoFrame"},
		"DOMAIN": {"https://example.bitrix24.com"}, "DOMAIN_HASH": {hexMD5("example.bitrix24.com" + frameHash)},
		"USER_ID": {"2"}, "USER_HASH": {hexMD5("2" + frameHash)},
		"DIALOG_ID": {"950"}, "CONTEXT": {"textarea"}, "LANG": {"ru"}, "IS_CHROME": {"Y"}, "MESSAGE_ID": {"12333"}, "BUTTON_PARAMS": {"test"},
		"DIALOG_ENTITY_ID": {"telegrambot|8|100000001|569"}, "DIALOG_ENTITY_DATA_1": {"Y|LEAD|56|N|N|1765"}, "DIALOG_CONTEXT": {"lines"},
	}
}

func TestVerifyIFrame(t *testing.T) {
	t.Parallel()
	p, err := imbot.VerifyIFrame(httptest.NewRequest(http.MethodGet, "/frame?"+frameQuery().Encode(), nil), frameHash)
	require.NoError(t, err)
	require.Equal(t, imbot.IFrameParams{
		BotID: 17, BotCode: "echoBot", AppID: 11, AppCode: "echoFrame", Domain: "https://example.bitrix24.com", UserID: 2, DialogID: "950",
		Context: "textarea", Lang: "ru", IsChrome: imbot.Yes, MessageID: 12333, ButtonParams: "test",
		DialogEntityID: "telegrambot|8|100000001|569", DialogEntityData1: "Y|LEAD|56|N|N|1765", DialogContext: "lines",
	}, p)

	for _, row := range []struct {
		name string
		edit func(url.Values)
		hash string
	}{
		{"another user", func(q url.Values) { q.Set("USER_ID", "1") }, frameHash},
		{"another portal", func(q url.Values) { q.Set("DOMAIN", "https://evil.example.com") }, frameHash},
		{"no signature of the user", func(q url.Values) { q.Del("USER_HASH") }, frameHash},
		{"no signature of the portal", func(q url.Values) { q.Del("DOMAIN_HASH") }, frameHash},
		{"the signatures changed places", func(q url.Values) {
			q["USER_HASH"], q["DOMAIN_HASH"] = q["DOMAIN_HASH"], q["USER_HASH"]
		}, frameHash},
		{"a user that is no id", func(q url.Values) { q.Set("USER_ID", "02"); q.Set("USER_HASH", hexMD5("02"+frameHash)) }, frameHash},
		{"no user", func(q url.Values) { q.Set("USER_ID", ""); q.Set("USER_HASH", hexMD5(frameHash)) }, frameHash},
		{"a portal that is a script", func(q url.Values) { q.Set("DOMAIN", "javascript://example.bitrix24.com/%0aalert(1)") }, frameHash},
		{"no portal", func(q url.Values) { q.Set("DOMAIN", ""); q.Set("DOMAIN_HASH", hexMD5(frameHash)) }, frameHash},
		{"another hash", func(url.Values) {}, "another"},
		{"an empty hash", func(q url.Values) {
			q.Set("USER_HASH", hexMD5("2"))
			q.Set("DOMAIN_HASH", hexMD5("example.bitrix24.com"))
		}, ""},
		{"the hash register", func(q url.Values) {
			q.Set("USER_HASH", hexMD5("2register"))
			q.Set("DOMAIN_HASH", hexMD5("example.bitrix24.comregister"))
		}, "register"},
	} {
		t.Run(row.name, func(t *testing.T) {
			q := frameQuery()
			row.edit(q)
			p, err := imbot.VerifyIFrame(httptest.NewRequest(http.MethodGet, "/frame?"+q.Encode(), nil), row.hash)
			require.Error(t, err)
			require.NotContains(t, err.Error(), "s3cr3t")
			require.Zero(t, p)
		})
	}
	t.Run("the body does not count", func(t *testing.T) {
		r := httptest.NewRequest(http.MethodPost, "/frame", strings.NewReader(frameQuery().Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		_, err := imbot.VerifyIFrame(r, frameHash)
		require.Error(t, err)
	})
}

func TestThePortalsFramesAreVerified(t *testing.T) {
	t.Parallel()
	portal, client := onPortal(t, "a-long-random-client-id")
	bot, err := imbot.EnsureBot(t.Context(), client, supportBot())
	require.NoError(t, err)
	app, err := imbot.EnsureApp(t.Context(), client, imbot.AppRegisterRequest{
		BotID: bot, Code: "frame", IFrame: "https://bot.example.com/frame?x=1", Hash: frameHash, Lang: []imbot.AppLang{{LanguageID: "en", Title: "Frame"}},
	})
	require.NoError(t, err)
	anna := portal.AddUser("Anna", "Ivanova")
	_, err = portal.Say(t.Context(), anna, imbot.UserDialog(bot), "hello")
	require.NoError(t, err)
	address, err := portal.IFrame(anna, app, imbot.UserDialog(bot))
	require.NoError(t, err)
	p, err := imbot.VerifyIFrame(httptest.NewRequest(http.MethodGet, address, nil), frameHash)
	require.NoError(t, err)
	require.Equal(t, anna, p.UserID)
	require.Equal(t, bot, p.BotID)
	require.Equal(t, app, p.AppID)
	require.Equal(t, imbot.UserDialog(bot), p.DialogID)
	u, err := url.Parse(p.Domain)
	require.NoError(t, err)
	require.NotEmpty(t, u.Host)
	_, err = imbot.VerifyIFrame(httptest.NewRequest(http.MethodGet, strings.Replace(address, "USER_ID="+anna.String(), "USER_ID=1", 1), nil), frameHash)
	require.Error(t, err)
}
