package imbot_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func TestAppRegisterCommand(t *testing.T) {
	client, sent := mockClient(t, "imbot.app.register", 200, `{"result":13}`)
	id, err := client.App.Register(t.Context(), imbot.AppRegisterRequest{
		BotID: 39, Code: "echo", JSMethod: imbot.AppJSMethodSend, JSParam: "/help", IconFile: png, Context: imbot.AppContextBot.AdminOnly(),
		Hidden: imbot.No, ExtranetSupport: imbot.Yes, LivechatSupport: imbot.No,
		Lang: []imbot.AppLang{{LanguageID: "en", Title: "Chatbot button", Description: "Send help command", Copyright: "Example"}, {LanguageID: "de", Title: "Knopf"}},
	})
	require.NoError(t, err)
	require.Equal(t, imbot.ID(13), id)
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","BOT_ID":39,"CODE":"echo","JS_METHOD":"SEND","JS_PARAM":"/help","ICON_FILE":"iVBORw0KGgo=","CONTEXT":"BOT-admin",
		"HIDDEN":"N","EXTRANET_SUPPORT":"Y","LIVECHAT_SUPPORT":"N",
		"LANG":[{"LANGUAGE_ID":"en","TITLE":"Chatbot button","DESCRIPTION":"Send help command","COPYRIGHT":"Example"},{"LANGUAGE_ID":"de","TITLE":"Knopf"}]}`, sent())
}

func TestAppRegisterIFrame(t *testing.T) {
	client, sent := mockClient(t, "imbot.app.register", 200, `{"result":"13"}`)
	id, err := client.App.Register(t.Context(), imbot.AppRegisterRequest{
		BotID: 39, Code: "echo", IFrame: "https://bot.example.com/frame", IFrameWidth: 250, IFrameHeight: 50, IFramePopup: imbot.Yes, Hash: "d1ab17949a572b0979d8db0d5b349cd2",
		Lang: []imbot.AppLang{{LanguageID: "en", Title: "Frame"}},
	})
	require.NoError(t, err)
	require.Equal(t, imbot.ID(13), id)
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","BOT_ID":39,"CODE":"echo","IFRAME":"https://bot.example.com/frame","IFRAME_WIDTH":250,"IFRAME_HEIGHT":50,
		"IFRAME_POPUP":"Y","HASH":"d1ab17949a572b0979d8db0d5b349cd2","LANG":[{"LANGUAGE_ID":"en","TITLE":"Frame"}]}`, sent())
}

func TestAppUpdateCommand(t *testing.T) {
	client, sent := mockClient(t, "imbot.app.update", 200, `{"result":true}`)
	require.NoError(t, client.App.Update(t.Context(), imbot.AppUpdateRequest{AppID: 13, Fields: imbot.AppUpdateFields{
		JSMethod: imbot.AppJSMethodPut, JSParam: "/help", IconFile: png, Context: imbot.AppContextAll, Hidden: imbot.Yes,
		ExtranetSupport: imbot.No, LivechatSupport: imbot.Yes, Lang: []imbot.AppLang{{LanguageID: "en", Title: "Button"}},
	}}))
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","APP_ID":13,"FIELDS":{"JS_METHOD":"PUT","JS_PARAM":"/help","ICON_FILE":"iVBORw0KGgo=","CONTEXT":"ALL",
		"HIDDEN":"Y","EXTRANET_SUPPORT":"N","LIVECHAT_SUPPORT":"Y","LANG":[{"LANGUAGE_ID":"en","TITLE":"Button"}]}}`, sent())
}

func TestAppUpdateIFrame(t *testing.T) {
	client, sent := mockClient(t, "imbot.app.update", 200, `{"result":true}`)
	require.NoError(t, client.App.Update(t.Context(), imbot.AppUpdateRequest{AppID: 13, Fields: imbot.AppUpdateFields{
		IFrame: "https://bot.example.com/frame", IFrameWidth: 320, IFrameHeight: 250, IFramePopup: imbot.No, Hash: "secret",
	}}))
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","APP_ID":13,"FIELDS":{"IFRAME":"https://bot.example.com/frame","IFRAME_WIDTH":320,"IFRAME_HEIGHT":250,
		"IFRAME_POPUP":"N","HASH":"secret"}}`, sent())
}

func TestAppUnregister(t *testing.T) {
	client, sent := mockClient(t, "imbot.app.unregister", 200, `{"result":true}`)
	require.NoError(t, client.App.Unregister(t.Context(), imbot.AppUnregisterRequest{AppID: 13}))
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","APP_ID":13}`, sent())
}
