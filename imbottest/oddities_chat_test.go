package imbottest_test

import (
	"strings"
	"testing"

	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

func extranetAdmin(t *testing.T, portal *imbottest.Portal) {
	require.NoError(t, portal.MakeExtranet(imbottest.Admin))
}

func chatOddities() []oddity {
	team := func(method, params string) string { return "imbot.chat." + method + " {" + inTeam + "," + params + "}" }
	const seen = `imbot.chat.user.add {` + inTeam + `,"USERS":[1]}` // the webhook's user becomes a member
	const describe = `imbot.dialog.get {"DIALOG_ID":"chat1001"}`
	return []oddity{
		{"USERS is checked before CLIENT_ID", "the users are looked at before the client", nil, []string{`imbot.chat.add {"USERS":[[]]}`}, "403 ACCESS_DENIED", nil}, // PHP takes an empty list for false
		{"USERS is checked before CLIENT_ID", "and so are those that are no ids", nil, []string{`imbot.chat.add {"USERS":[[1]]}`}, "400 INVALID_FORMAT", nil},
		{"BOT_ID omitted: one bot", "some bot of the application acts when none is named", nil, []string{`imbot.chat.add {"CLIENT_ID":"one"}`}, "1002", nil},
		{"BOT_ID may be a number or a numeric string", "a bot may be named by text", nil, []string{`imbot.chat.add {"CLIENT_ID":"one","BOT_ID":"103"}`}, "1002", nil},
		{"BOT_ID may be a number or a numeric string", "an empty name is not a missing one", nil, []string{`imbot.chat.add {"CLIENT_ID":"one","BOT_ID":""}`}, "400 BOT_ID_ERROR", nil},
		{"USERS that is not an array after decoding", "users that are no list are nobody", nil, []string{`imbot.chat.add {` + asAlpha + `,"USERS":"101"}`, `imbot.chat.user.list {` + asAlpha + `,"CHAT_ID":1002}`}, "[103]", nil},
		{"The bot itself is added automatically", "the bot is a member by itself", nil, []string{`imbot.chat.add {` + asAlpha + `,"USERS":[0,"",null,"101"]}`, `imbot.chat.user.list {` + asAlpha + `,"CHAT_ID":1002}`}, "[103,101]", nil},
		{"silently ignored when the user behind the token or webhook is an extranet user", "the tags of an extranet user's chat are dropped", extranetAdmin,
			[]string{`imbot.chat.add {` + asAlpha + `,"ENTITY_TYPE":"A","ENTITY_ID":"1"}`, `imbot.chat.get {"ENTITY_TYPE":"A","ENTITY_ID":"1"}`}, "null", nil},
		{"Result is a bare number", "a new chat is a number", nil, []string{`imbot.chat.add {` + asAlpha + `}`}, "1002", nil},
		{"", "the owner of a chat is always the bot", nil, []string{`imbot.chat.add {` + asAlpha + `,"USERS":[1,101],"OWNER_ID":101}`, `imbot.dialog.get {"DIALOG_ID":"chat1002"}`}, `…"owner":103,`, nil},
		{"", "an unknown type of chat is a closed one", nil, []string{`imbot.chat.add {` + asAlpha + `,"USERS":[1],"TYPE":"open"}`, `imbot.dialog.get {"DIALOG_ID":"chat1002"}`}, `…"message_type":"C"`, nil},
		{"", "an unknown colour is replaced", nil, []string{`imbot.chat.add {` + asAlpha + `,"USERS":[1],"COLOR":"red"}`, `imbot.dialog.get {"DIALOG_ID":"chat1002"}`}, `…"color":"#`, nil},
		{"CLIENT_ID and BOT_ID are not read; the method works", "a chat is found without a client", nil, []string{`imbot.chat.get {"ENTITY_TYPE":"CRM","ENTITY_ID":7}`}, `{"ID":1001}`, nil},
		{"The lookup by entity tags makes no access check", "by somebody who may not see it", nil, []string{`imbot.chat.get {"ENTITY_TYPE":"CRM","ENTITY_ID":"7","CLIENT_ID":"two"}`}, `{"ID":1001}`, nil},
		{"A value of \"0\" for a tag", "the tag 0 is none", nil, []string{`imbot.chat.add {` + asAlpha + `,"ENTITY_TYPE":"A","ENTITY_ID":"0"}`, `imbot.chat.get {"ENTITY_TYPE":"A","ENTITY_ID":"0"}`}, "null", nil},
		{"With DIALOG_ID the answer is computed", "with a dialog the webhook's user has to see it", nil, []string{`imbot.chat.get {` + asAlpha + `,"DIALOG_ID":"chat1001"}`}, "403 ACCESS_ERROR", nil},
		{"CLIENT_ID and BOT_ID are neither required nor read", "a role is that of the webhook's user", nil, []string{seen, describe}, `…"role":"member"`, nil},
		{"The same code ACCESS_ERROR is used", "no access has a status", nil, []string{describe}, "403 ACCESS_ERROR", nil},
		{"The same code ACCESS_ERROR is used", "and no chat has another", nil, []string{`imbot.dialog.get {"DIALOG_ID":"chat9"}`}, "400 ACCESS_ERROR", nil},
		{"Keys are lower case with underscores", "a dialog has names of its own", nil, []string{seen, describe}, `…"message_type":"C"`, nil},
		{"Empty lists are []", "an empty list is one", nil, []string{seen, describe}, `…"mute_list":[]`, nil},
		{"Registered in builds from June 2025 on", "a vote is that of the webhook's user, too", nil, []string{`imbot.dialog.vote {"MESSAGE_ID":1,"DIALOG_ID":"chat1001"}`}, "403 ACCESS_ERROR", nil},
		{"Undocumented alias: DIALOG_ID", "DIALOG_ID wins over CHAT_ID", nil, []string{`imbot.chat.user.list {` + asAlpha + `,"CHAT_ID":9999,"DIALOG_ID":"chat1001"}`}, "[103,101]", nil},
		{"Undocumented alias: DIALOG_ID", "unless it is private", nil, []string{team("user.list", `"DIALOG_ID":"101"`)}, "400 DIALOG_ID_EMPTY", nil},
		{"Current builds compute chat permissions", "the bot owns the chat and may not change it", deny, []string{team("updateColor", `"COLOR":"RED"`)}, "400 WRONG_REQUEST", nil},
		{"Returns true as well when the target", "the owner can become owner", nil, []string{team("setOwner", `"USER_ID":103`)}, "true", nil},
		{"A JSON boolean false does not revoke", "IS_MANAGER false revokes nothing", nil, []string{seen, team("setManager", `"USER_ID":1,"IS_MANAGER":false`), describe}, `…"role":"manager"`, nil},
		{"A target that is not a member still gives true", "a stranger can become manager, without effect", nil, []string{team("setManager", `"USER_ID":102`)}, "true", nil},
		{"Names are case-sensitive. Besides", "a colour in lower case is none", nil, []string{team("updateColor", `"COLOR":"red"`)}, "400 WRONG_COLOR", nil},
		{"Names are case-sensitive. Besides", "orange is none", nil, []string{team("updateColor", `"COLOR":"ORANGE"`)}, "400 WRONG_COLOR", nil},
		{"Names are case-sensitive. Besides", "COPILOT is one", nil, []string{team("updateColor", `"COLOR":"COPILOT"`)}, "true", nil},
		{"COLOR is checked before CLIENT_ID", "the colour is looked at before the client", nil, []string{`imbot.chat.updateColor {"CHAT_ID":1001,"COLOR":"x"}`}, "400 WRONG_COLOR", nil},
		{"Setting the colour a chat already has", "the same colour is an error", nil, []string{team("updateColor", `"COLOR":"MINT"`)}, "400 WRONG_REQUEST", nil},
		{"The outcome of the rename is ignored", "true for a rename that changed nothing", nil, []string{team("updateTitle", `"TITLE":"Team"`)}, "true", nil},
		{"The outcome of the rename is ignored", "even where there is no chat", nil, []string{`imbot.chat.updateTitle {` + asAlpha + `,"CHAT_ID":9999,"TITLE":"x"}`}, "true", nil},
		{"", "a title is cut", nil, []string{seen, team("updateTitle", `"TITLE":"`+strings.Repeat("ж", 256)+`"`), describe}, `…"` + strings.Repeat("ж", 255) + `"`, nil},
		{"Documentation lists only HTTP 400", "a chat that cannot be renamed has another status", restrict("rename"), []string{team("updateTitle", `"TITLE":"x"`)}, "403 ACCESS_ERROR", nil},
		{"ACCESS_DENIED occurs with two statuses", "no rights have a status", deny, []string{team("updateAvatar", `"AVATAR":"x"`)}, "400 ACCESS_DENIED", nil},
		{"ACCESS_DENIED occurs with two statuses", "and no client has another", nil, []string{`imbot.chat.updateAvatar {"CHAT_ID":1001}`}, "403 ACCESS_DENIED", nil},
		{"a CHAT_ID that does not exist makes PHP fail", "a picture for no chat breaks the portal", nil, []string{`imbot.chat.updateAvatar {"CHAT_ID":9999}`}, "500 INTERNAL_SERVER_ERROR", nil},
		{"Always true once the parameters are valid", "nobody looks in which dialog a bot writes", nil, []string{`imbot.chat.sendTyping {` + asAlpha + `,"DIALOG_ID":"chat9999"}`}, "true", nil},
		{"Marked private", "that has an old name", nil, []string{`imbot.sendTyping {` + asAlpha + `,"DIALOG_ID":"chat9999"}`}, "true", nil},
		{"Browser-session authorization is not refused here", "a browser may do it, too", nil, nil, "", func(t *testing.T, w oddityPortal) {
			sessid, err := w.Session(imbottest.Admin)
			require.NoError(t, err)
			status, body := postTo(t, w.Portal, w.OAuth("local.1").Endpoint+"imbot.chat.sendTyping", "application/json", `{"sessid":"`+sessid+`",`+asAlpha+`,"DIALOG_ID":"101"}`)
			require.Equal(t, "true", outcome(t, status, body))
		}},
		{"Registered in builds from July 2025 on.", "the field for messages can be taken away", nil, []string{seen, team("updateTextFieldEnabled", `"TEXT_FIELD_ENABLED":"N"`), describe}, `…"text_field_enabled":false`, nil},
		{"A JSON boolean false enables the field", "but not with false", nil, []string{seen, team("updateTextFieldEnabled", `"TEXT_FIELD_ENABLED":"N"`), team("updateTextFieldEnabled", `"TEXT_FIELD_ENABLED":false`), describe}, `…"text_field_enabled":true`, nil},
		{"ACCESS_ERROR is sent with HTTP 400 here", "no access has a status of its own there", nil, []string{`imbot.chat.updateTextFieldEnabled {"CLIENT_ID":"two","CHAT_ID":1001,"TEXT_FIELD_ENABLED":"Y"}`}, "400 ACCESS_ERROR", nil},
	}
}

func memberOddities() []oddity {
	team := func(method, params string) string {
		return "imbot.chat.user." + method + " {" + inTeam + params + "}"
	}
	const members = `imbot.chat.user.list {` + inTeam + `}`
	alphaExtranet := func(t *testing.T, portal *imbottest.Portal) { require.NoError(t, portal.MakeExtranet(alpha)) }
	return []oddity{
		{"On the wire the last code is replaced", "nobody to add has the code of the core", nil, []string{team("add", `,"USERS":[99]`)}, "400 EMPTY_USER_ID", nil},
		{"On the wire the last code is replaced", "and so has no right to add", deny, []string{team("add", `,"USERS":[102]`)}, "400 ACCESS_DENIED_EXTEND", nil},
		{"Users that already are members", "who is a member can be added", nil, []string{team("add", `,"USERS":[101]`), members}, "[103,101]", nil},
		{"USERS as a JSON string is decoded only", "a list in a text is none", nil, []string{team("add", `,"USERS":"[102]"`)}, "400 EMPTY_USER_ID", nil},
		{"USERS as a JSON string is decoded only", "except from an extranet bot", alphaExtranet, []string{team("add", `,"USERS":"[102]"`), members}, "[103,101,102]", nil},
		{"", "a single user needs no list", nil, []string{team("add", `,"USERS":102`), members}, "[103,101,102]", nil},
		{"When the bot itself is no member", "the bot comes along", nil, []string{`imbot.chat.user.add {"CLIENT_ID":"two","CHAT_ID":1001,"USERS":[102]}`, members}, "[103,101,104,102]", nil},
		{"Because of the legacy override", "an owner that has to stay has the code of the core", restrict("leave_owner"), []string{team("delete", `,"USER_ID":103`)}, "403 LEAVE_OWNER_FORBIDDEN", nil},
		{"Because of the legacy override", "and so has no right to remove", nil, []string{`imbot.chat.user.delete {"CLIENT_ID":"two","CHAT_ID":1001,"USER_ID":101}`}, "400 ACCESS_DENIED_KICK", nil},
		{"Because of the legacy override", "and a stranger", nil, []string{team("delete", `,"USER_ID":102`)}, "400 USER_NOT_FOUND", nil},
		{"USER_ID_EMPTY is checked after BOT_ID", "whom to remove comes after the client", nil, []string{`imbot.chat.user.delete {"CHAT_ID":1001}`}, "403 ACCESS_DENIED", nil},
		{"Same handler as imbot.chat.user.delete", "leaving can remove somebody else", nil, []string{`imbot.chat.leave {` + inTeam + `,"USER_ID":101}`, members}, "[103]", nil},
		{"No paging. A chat the bot cannot see", "a chat that the bot does not see has no members", nil, []string{`imbot.chat.user.list {"CLIENT_ID":"two","CHAT_ID":1001}`}, "[]", nil},
	}
}
