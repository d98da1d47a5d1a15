package imbottest_test

import (
	"testing"

	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

// What many methods check first.
var (
	inBrowser = check{code: "WRONG_AUTH_TYPE", as: "browser"}
	noClient  = check{code: "ACCESS_DENIED", params: `"CLIENT_ID":null`}
	noBot     = check{code: "BOT_ID_ERROR", params: `"BOT_ID":99`}
	notMyBot  = check{code: "APP_ID_ERROR", params: `"BOT_ID":5`}
	badAlias  = check{code: "DIALOG_ID_EMPTY", params: `"DIALOG_ID":"2"`}
	noChat    = check{code: "CHAT_ID_EMPTY", params: `"CHAT_ID":0`}
	noUser    = check{code: "USER_ID_EMPTY", params: `"USER_ID":0`}
	general   = check{code: "ACCESS_ERROR", act: makeGeneral}
)

const asAlpha = `"CLIENT_ID":"one","BOT_ID":4`

const inTeam = asAlpha + `,"CHAT_ID":1001`

// adminsChat is the membership of the administrator in chat1002.
var adminsChat = []string{`imbot.chat.add {"CLIENT_ID":"one","USERS":[1]}`}

func makeGeneral(t *testing.T, portal *imbottest.Portal) {
	require.NoError(t, portal.MakeGeneral(team))
}

// closeGeneral makes the chat a general one in which nobody may write.
func closeGeneral(t *testing.T, portal *imbottest.Portal) {
	makeGeneral(t, portal)
	restrict("send")(t, portal)
}

func restrict(names ...string) func(*testing.T, *imbottest.Portal) {
	return func(t *testing.T, portal *imbottest.Portal) { require.NoError(t, portal.Restrict(team, names...)) }
}

// deny takes the right to change chats from the user behind the webhook.
func deny(t *testing.T, portal *imbottest.Portal) { require.NoError(t, portal.Deny(imbottest.Admin)) }

// leaveTeam lets the bot leave its chat.
func leaveTeam(t *testing.T, portal *imbottest.Portal) {
	require.Equal(t, "true", post(t, portal, "imbot.chat.leave", `{`+inTeam+`}`))
}

func veto(method string) func(*testing.T, *imbottest.Portal) {
	return func(t *testing.T, portal *imbottest.Portal) { require.NoError(t, portal.Veto(method)) }
}

func fetching(t *testing.T, portal *imbottest.Portal) { require.NoError(t, portal.MakeFetching(alpha)) }

func chatChecks() []checked {
	return []checked{
		{method: "imbot.chat.add", params: asAlpha + `,"USERS":[2]`, checks: []check{
			{code: "INVALID_FORMAT", params: `"USERS":[true]`}, noClient, noBot, notMyBot,
			{code: "WRONG_REQUEST", act: veto("imbot.chat.add")},
		}},
		{method: "imbot.chat.get", params: `"DIALOG_ID":"chat1002"`, before: adminsChat, checks: []check{
			{code: "AUTHORIZE_ERROR", as: "guest"},
			{code: "DIALOG_ID_EMPTY", params: `"DIALOG_ID":"x"`},
			{code: "ACCESS_ERROR", params: `"DIALOG_ID":"chat1001"`},
			{code: "ACCESS_ERROR", params: `"DIALOG_ID":"chat9999"`},
		}},
		{method: "imbot.dialog.get", params: `"DIALOG_ID":"chat1002"`, before: adminsChat, checks: []check{
			{code: "DIALOG_ID_EMPTY", params: `"DIALOG_ID":null`},
			{code: "ACCESS_ERROR", params: `"DIALOG_ID":"chat1001"`},
			{code: "ACCESS_ERROR", params: `"DIALOG_ID":"chat9999"`},
		}},
		{method: "imbot.dialog.vote", params: `"MESSAGE_ID":50001,"DIALOG_ID":"chat1002"`, before: adminsChat, checks: []check{
			{code: "MESSAGE_ID_EMPTY", params: `"MESSAGE_ID":null`},
			{code: "DIALOG_ID_EMPTY", params: `"DIALOG_ID":null`},
			{code: "ACCESS_ERROR", params: `"DIALOG_ID":"chat1001"`},
			{code: "WITHOUT_CHANGES"},
		}},
		{method: "imbot.chat.setOwner", params: inTeam + `,"USER_ID":2`, checks: []check{
			badAlias, noChat, noUser, noClient, noBot, notMyBot, general,
			{code: "WRONG_REQUEST", act: deny},
		}},
		{method: "imbot.chat.setManager", params: inTeam + `,"USER_ID":2`, checks: []check{
			badAlias, noChat, noUser, noClient, noBot, notMyBot,
			{code: "WRONG_REQUEST", act: deny},
		}},
		{method: "imbot.chat.updateColor", params: inTeam + `,"COLOR":"RED"`, checks: []check{
			badAlias, noChat,
			{code: "ACCESS_ERROR", act: closeGeneral},
			{code: "WRONG_COLOR", params: `"COLOR":"red"`},
			noClient, noBot, notMyBot,
			{code: "WRONG_REQUEST", act: deny},
		}},
		{method: "imbot.chat.updateTitle", params: inTeam + `,"TITLE":"x"`, checks: []check{
			badAlias, noChat,
			{code: "TITLE_EMPTY", params: `"TITLE":" "`},
			noClient, noBot, notMyBot,
			{code: "ACCESS_ERROR", act: closeGeneral},
			{code: "ACCESS_ERROR", act: restrict("rename")},
		}},
		{method: "imbot.chat.updateAvatar", params: inTeam + `,"AVATAR":"iVBORw0KGgo="`, checks: []check{
			badAlias, noChat,
			{code: "ACCESS_DENIED", act: deny},
			noClient, noBot, notMyBot,
			{code: "ACCESS_ERROR", act: closeGeneral},
			{code: "ACCESS_ERROR", act: restrict("avatar")},
			{code: "AVATAR_ERROR", params: `"AVATAR":"aGVsbG8="`},
			{code: "AVATAR_ERROR", params: `"AVATAR":"iVBORw0KGgoAAAANSUhEUgAAE4kAAAAB"`},
			{code: "WRONG_REQUEST", act: leaveTeam},
		}},
		{method: "imbot.chat.sendTyping", params: asAlpha + `,"DIALOG_ID":"chat1001"`, checks: typingChecks},
		{method: "imbot.sendTyping", params: asAlpha + `,"DIALOG_ID":"chat1001"`, checks: typingChecks},
		{method: "imbot.chat.updateTextFieldEnabled", params: inTeam + `,"TEXT_FIELD_ENABLED":"N"`, checks: []check{
			badAlias, noChat,
			{code: "TEXT_FIELD_ENABLED_EMPTY", params: `"TEXT_FIELD_ENABLED":null`},
			noClient, noBot, notMyBot,
			{code: "ACCESS_ERROR", act: leaveTeam},
		}},
	}
}

var typingChecks = []check{noClient, noBot, notMyBot, {code: "DIALOG_ID_EMPTY", params: `"DIALOG_ID":null`}}

func memberChecks() []checked {
	return []checked{
		{method: "imbot.chat.user.add", params: inTeam + `,"USERS":[3]`, checks: []check{
			badAlias, noChat, general,
			{code: "ACCESS_ERROR", act: restrict("extend")},
			noClient, noBot, notMyBot,
			{code: "WRONG_REQUEST", params: `"USERS":3`, act: func(t *testing.T, portal *imbottest.Portal) { require.NoError(t, portal.MakeExtranet(alpha)) }},
			{code: "WRONG_REQUEST", act: deny},
		}},
		{method: "imbot.chat.user.delete", params: inTeam + `,"USER_ID":2`, checks: []check{
			badAlias, noChat, general,
			{code: "ACCESS_ERROR", act: restrict("leave")},
			noClient, noBot, notMyBot, noUser,
			{code: "ACCESS_ERROR", params: `"USER_ID":4`, act: restrict("leave_owner")},
			{code: "WRONG_REQUEST", act: deny},
		}},
		{method: "imbot.chat.leave", params: inTeam, checks: []check{
			badAlias, noChat, general,
			{code: "ACCESS_ERROR", act: restrict("leave")},
			noClient, noBot, notMyBot,
			{code: "ACCESS_ERROR", act: restrict("leave_owner"), name: "the owner stays"},
			{code: "WRONG_REQUEST", act: leaveTeam, undoes: "the owner stays"}, // who is no member is no owner
		}},
		{method: "imbot.chat.user.list", params: inTeam, checks: []check{
			badAlias, noChat, general, noClient, noBot, notMyBot,
		}},
	}
}

func internalChecks() []checked {
	byWebhook, missing := check{code: "WRONG_AUTH_TYPE", as: "webhook"}, check{code: "WRONG_REQUEST"}
	refused := check{code: "ACCESS_DENIED", except: "the portal has no bot of the vendor's support: the call ends before"}
	var all []checked
	for _, name := range []string{"support24.question.config.get", "support24.question.list", "support24.question.search", "network.question.list", "network.question.search"} {
		all = append(all, checked{method: "imbot." + name, as: "browser", checks: []check{byWebhook, missing}})
	}
	for _, name := range []string{"support24.question.add", "network.question.add"} {
		all = append(all, checked{method: "imbot." + name, as: "browser", checks: []check{byWebhook, missing, refused}})
	}
	return all
}
