package imbottest_test

import (
	"testing"
)

// chatRows are the checks with which the methods for a chat begin. extra are parameters
// that the method needs.
func chatRows(extra string) []row {
	return []row{
		{"the chat comes first", `{` + extra + `"CHAT_ID":0}`, "400 CHAT_ID_EMPTY", nil},
		{"text is no chat id", `{` + extra + `"CHAT_ID":"x"}`, "400 CHAT_ID_EMPTY", nil},
		{"a negative chat id is none", `{` + extra + `"CHAT_ID":-1}`, "400 CHAT_ID_EMPTY", nil},
		{"a malformed alias wins over the id", `{` + extra + `"CHAT_ID":1001,"DIALOG_ID":"x"}`, "400 DIALOG_ID_EMPTY", nil},
		{"a private dialog is no alias", `{` + extra + `"DIALOG_ID":"101"}`, "400 DIALOG_ID_EMPTY", nil},
		{"then the client id", `{` + extra + `"CHAT_ID":1001}`, "403 ACCESS_DENIED", nil},
		{"an application without a bot", `{` + extra + `"CHAT_ID":1001,"CLIENT_ID":"three"}`, "400 BOT_ID_ERROR", nil},
		{"an empty bot id is not a missing one", `{` + extra + `"CHAT_ID":1001,"CLIENT_ID":"one","BOT_ID":""}`, "400 BOT_ID_ERROR", nil},
		{"nor is zero", `{` + extra + `"CHAT_ID":1001,"CLIENT_ID":"one","BOT_ID":0}`, "400 BOT_ID_ERROR", nil},
		{"a foreign bot is refused", `{` + extra + `"CHAT_ID":1001,"CLIENT_ID":"one","BOT_ID":104}`, "400 APP_ID_ERROR", nil},
	}
}

func TestChats(t *testing.T) {
	t.Parallel()
	const me = `"CHAT_ID":1001,"CLIENT_ID":"one"`
	const stranger = `"CHAT_ID":1001,"CLIENT_ID":"two"`
	const nowhere = `"CHAT_ID":9999,"CLIENT_ID":"one"`
	const png = "iVBORw0KGgo="

	runTable(t, "imbot.chat.add", []row{
		{"the users come before the client id", `{"USERS":[true]}`, "400 INVALID_FORMAT", nil},
		{"a fraction is no user", `{"USERS":[1.5]}`, "400 INVALID_FORMAT", nil},
		{"what is falsy is dropped", `{"USERS":[0,"",null,false]}`, "403 ACCESS_DENIED", nil},
		{"a foreign bot is refused", `{"CLIENT_ID":"one","BOT_ID":104}`, "400 APP_ID_ERROR", nil},
		{"nothing else is required", `{"CLIENT_ID":"one"}`, "1002", nil},
		{"users may be a JSON string", `{"CLIENT_ID":"one","USERS":"[2,\"3\"]"}`, "1002", nil},
		{"users that are no list are none", `{"CLIENT_ID":"one","USERS":106}`, "1002", nil},
	})
	runTable(t, "imbot.chat.get", []row{
		{"finds the chat by its tags, without a client id", `{"ENTITY_TYPE":"CRM","ENTITY_ID":7}`, `{"ID":1001}`, nil},
		{"null when there is none", `{"ENTITY_TYPE":"CRM","ENTITY_ID":"8"}`, "null", nil},
		{"null when a tag is missing", `{"ENTITY_TYPE":"CRM"}`, "null", nil},
		{"a tag of 0 is missing", `{"ENTITY_TYPE":"0","ENTITY_ID":"0"}`, "null", []string{`imbot.chat.add {"CLIENT_ID":"one","ENTITY_TYPE":"0","ENTITY_ID":"0"}`}},
		{"a dialog id takes precedence", `{"ENTITY_TYPE":"CRM","ENTITY_ID":7,"DIALOG_ID":"x"}`, "400 DIALOG_ID_EMPTY", nil},
	})
	runTable(t, "imbot.dialog.get", []row{
		{"the dialog is required", `{}`, "400 DIALOG_ID_EMPTY", nil},
		{"0 is malformed", `{"DIALOG_ID":"0"}`, "400 DIALOG_ID_EMPTY", nil},
		{"no such chat", `{"DIALOG_ID":"chat9999"}`, "400 ACCESS_ERROR", nil},
		{"no such user", `{"DIALOG_ID":99}`, "400 ACCESS_ERROR", nil},
		{"the webhook's user is no member, whatever the bot is", `{"DIALOG_ID":"chat1001"}`, "403 ACCESS_ERROR", nil},
	})
	runTable(t, "imbot.chat.setOwner", append(chatRows(`"USER_ID":101,`), []row{
		{"the new owner comes before the client id", `{"CHAT_ID":1001}`, "400 USER_ID_EMPTY", nil},
		{"only the owner may", `{` + stranger + `,"USER_ID":101}`, "400 WRONG_REQUEST", nil},
		{"the new owner has to be a member", `{` + me + `,"USER_ID":102}`, "400 WRONG_REQUEST", nil},
		{"no such chat", `{` + nowhere + `,"USER_ID":101}`, "400 WRONG_REQUEST", nil},
		{"a member becomes owner", `{` + me + `,"USER_ID":101}`, "true", nil},
		{"the owner stays owner", `{` + me + `,"USER_ID":103}`, "true", nil},
		{"once given away it is gone", `{` + me + `,"USER_ID":101}`, "400 WRONG_REQUEST", []string{`imbot.chat.setOwner {` + me + `,"USER_ID":101}`}},
		{"the alias works", `{"DIALOG_ID":"CHAT1001","CLIENT_ID":"one","USER_ID":101}`, "true", nil},
	}...))
	runTable(t, "imbot.chat.setManager", append(chatRows(`"USER_ID":101,`), []row{
		{"the user comes before the client id", `{"CHAT_ID":1001}`, "400 USER_ID_EMPTY", nil},
		{"only the owner may", `{` + stranger + `,"USER_ID":101}`, "400 WRONG_REQUEST", nil},
		{"no such chat", `{` + nowhere + `,"USER_ID":101}`, "400 WRONG_REQUEST", nil},
		{"true for who is no member", `{` + me + `,"USER_ID":102}`, "true", nil},
		{"a member", `{` + me + `,"USER_ID":101,"IS_MANAGER":"Y"}`, "true", nil},
	}...))
	runTable(t, "imbot.chat.updateColor", append(chatRows(`"COLOR":"RED",`), []row{
		{"the colour comes before the client id", `{"CHAT_ID":1001,"COLOR":"red"}`, "400 WRONG_COLOR", nil},
		{"orange is refused", `{"CHAT_ID":1001,"COLOR":"ORANGE"}`, "400 WRONG_COLOR", nil},
		{"a new colour", `{` + me + `,"COLOR":"RED"}`, "true", nil},
		{"the same colour is an error", `{` + me + `,"COLOR":"MINT"}`, "400 WRONG_REQUEST", nil},
		{"only members may", `{` + stranger + `,"COLOR":"RED"}`, "400 WRONG_REQUEST", nil},
		{"no such chat", `{` + nowhere + `,"COLOR":"RED"}`, "400 WRONG_REQUEST", nil},
	}...))
	runTable(t, "imbot.chat.updateTitle", append(chatRows(`"TITLE":"x",`), []row{
		{"the title comes before the client id", `{"CHAT_ID":1001,"TITLE":"  "}`, "400 TITLE_EMPTY", nil},
		{"0 is empty", `{"CHAT_ID":1001,"TITLE":"0"}`, "400 TITLE_EMPTY", nil},
		{"true for who is no member", `{` + stranger + `,"TITLE":"x"}`, "true", nil},
		{"true for no chat at all", `{` + nowhere + `,"TITLE":"x"}`, "true", nil},
	}...))
	runTable(t, "imbot.chat.updateAvatar", append(chatRows(`"AVATAR":"x",`), []row{
		{"not base64", `{` + me + `,"AVATAR":"%%%"}`, "400 AVATAR_ERROR", nil},
		{"not an image", `{` + me + `,"AVATAR":"aGVsbG8="}`, "400 AVATAR_ERROR", nil},
		{"an image too wide", `{` + me + `,"AVATAR":"iVBORw0KGgoAAAANSUhEUgAAE4kAAAAB"}`, "400 AVATAR_ERROR", nil},
		{"a picture", `{` + me + `,"AVATAR":"` + png + `"}`, "true", nil},
		{"a picture with a file name", `{` + me + `,"AVATAR":["a.png","` + png + `"]}`, "true", nil},
		{"only members may", `{` + stranger + `,"AVATAR":"` + png + `"}`, "400 WRONG_REQUEST", nil},
	}...))
	runTable(t, "imbot.chat.sendTyping", []row{
		{"the client id comes first", `{}`, "403 ACCESS_DENIED", nil},
		{"a foreign bot is refused without a dialog", `{"CLIENT_ID":"one","BOT_ID":104}`, "400 APP_ID_ERROR", nil},
		{"the own bot misses the dialog", `{"CLIENT_ID":"one","BOT_ID":103}`, "400 DIALOG_ID_EMPTY", nil},
		{"nobody looks whether the dialog exists", `{"CLIENT_ID":"one","DIALOG_ID":"chat9999"}`, "true", nil},
	})
}

func TestMembers(t *testing.T) {
	t.Parallel()
	const me = `"CHAT_ID":1001,"CLIENT_ID":"one"`
	const stranger = `"CHAT_ID":1001,"CLIENT_ID":"two"`
	list := func(want string, before ...string) []row {
		return []row{{"and the members are then " + want, `{` + me + `}`, want, before}}
	}
	runTable(t, "imbot.chat.user.add", append(chatRows(``), []row{
		{"nobody to add", `{` + me + `,"USERS":[]}`, "400 EMPTY_USER_ID", nil},
		{"nobody known to add", `{` + me + `,"USERS":[99]}`, "400 EMPTY_USER_ID", nil},
		{"no such chat", `{"CHAT_ID":9999,"CLIENT_ID":"one","USERS":[102]}`, "400 ACCESS_DENIED_EXTEND", nil},
		{"members may be added again", `{` + me + `,"USERS":[101,"102"]}`, "true", nil},
		{"a single number will do", `{` + me + `,"USERS":102}`, "true", nil},
	}...))
	runTable(t, "imbot.chat.user.delete", append(chatRows(``), []row{
		{"the user comes after the bot", `{` + me + `}`, "400 USER_ID_EMPTY", nil},
		{"not a member", `{` + me + `,"USER_ID":102}`, "400 USER_NOT_FOUND", nil},
		{"a stranger may not", `{` + stranger + `,"USER_ID":101}`, "400 ACCESS_DENIED_KICK", nil},
		{"a plain member may not", `{` + stranger + `,"USER_ID":101}`, "400 ACCESS_DENIED_KICK", []string{`imbot.chat.user.add {` + me + `,"USERS":[104]}`}},
		{"a manager may", `{` + stranger + `,"USER_ID":101}`, "true", []string{`imbot.chat.user.add {` + me + `,"USERS":[104]}`, `imbot.chat.setManager {` + me + `,"USER_ID":104}`}},
		{"but not the owner", `{` + stranger + `,"USER_ID":103}`, "400 ACCESS_DENIED_KICK", []string{`imbot.chat.user.add {` + me + `,"USERS":[104]}`, `imbot.chat.setManager {` + me + `,"USER_ID":104}`}},
		{"IS_MANAGER false does not revoke", `{` + stranger + `,"USER_ID":101}`, "true", []string{`imbot.chat.user.add {` + me + `,"USERS":[104]}`, `imbot.chat.setManager {` + me + `,"USER_ID":104}`, `imbot.chat.setManager {` + me + `,"USER_ID":104,"IS_MANAGER":false}`}},
		{"N does", `{` + stranger + `,"USER_ID":101}`, "400 ACCESS_DENIED_KICK", []string{`imbot.chat.user.add {` + me + `,"USERS":[104]}`, `imbot.chat.setManager {` + me + `,"USER_ID":104}`, `imbot.chat.setManager {` + me + `,"USER_ID":104,"IS_MANAGER":"N"}`}},
		{"the owner may", `{` + me + `,"USER_ID":101}`, "true", nil},
	}...))
	runTable(t, "imbot.chat.leave", append(chatRows(``), []row{
		{"not a member", `{` + stranger + `}`, "400 USER_NOT_FOUND", nil},
		{"even the owner may leave", `{` + me + `}`, "true", nil},
		{"but only once", `{` + me + `}`, "400 USER_NOT_FOUND", []string{`imbot.chat.leave {` + me + `}`}},
		{"a user id removes somebody else", `{` + me + `,"USER_ID":102}`, "400 USER_NOT_FOUND", nil},
	}...))
	runTable(t, "imbot.chat.user.list", append(chatRows(``), []row{
		{"the members, bots included", `{` + me + `}`, "[103,101]", nil},
		{"empty for who is no member", `{` + stranger + `}`, "[]", nil},
		{"empty for no chat at all", `{"CHAT_ID":9999,"CLIENT_ID":"one"}`, "[]", nil},
	}...))
	runTable(t, "imbot.chat.user.list", list("[103,101,102]", `imbot.chat.user.add {`+me+`,"USERS":[101,102]}`))
	runTable(t, "imbot.chat.user.list", list("[103]", `imbot.chat.user.delete {`+me+`,"USER_ID":101}`))
	runTable(t, "imbot.chat.user.list", list("[103,101,104,102]", `imbot.chat.user.add {`+stranger+`,"USERS":[102]}`))
}
