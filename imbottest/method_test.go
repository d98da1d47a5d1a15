package imbottest_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWhatCallsChange makes calls and reads what they changed with another one.
func TestWhatCallsChange(t *testing.T) {
	t.Parallel()
	const list = "imbot.bot.list {}"
	const members = `imbot.chat.user.list {"CLIENT_ID":"two","CHAT_ID":1001}`
	const dialog = `imbot.dialog.get {"DIALOG_ID":"chat1001"}`
	const seen = `imbot.chat.user.add {"CLIENT_ID":"one","CHAT_ID":1001,"USERS":[1,104]}` // the webhook's user and beta become members
	update := func(fields string) string {
		return `imbot.update {"CLIENT_ID":"one","BOT_ID":103,"FIELDS":{` + fields + `}}`
	}
	chat := func(method, params string) string {
		return `imbot.chat.` + method + ` {"CLIENT_ID":"one","CHAT_ID":1001,` + params + `}`
	}
	for _, tt := range []struct {
		says  string
		calls []string // all but the last have to succeed
		want  string   // part of the last answer
	}{
		{"a bot gets another name", []string{update(`"PROPERTIES":{"NAME":"A","LAST_NAME":"B"}`), list}, `"NAME":"A B"`},
		{"and another code", []string{update(`"CODE":"x"`), list}, `"CODE":"x"`},
		{"an empty name is dropped", []string{update(`"PROPERTIES":{"NAME":"","LAST_NAME":"B"}`), list}, `"NAME":"Alpha B"`},
		{"open lines can be switched on", []string{update(`"OPENLINE":"Y"`), list}, `"OPENLINE":"Y"`},
		{"a taken address is dropped without a word", []string{update(`"PROPERTIES":{"EMAIL":"a@example.com"}`),
			`imbot.update {"CLIENT_ID":"two","BOT_ID":104,"FIELDS":{"PROPERTIES":{"EMAIL":"a@example.com","NAME":"B"}}}`, list}, `"NAME":"B"`},
		{"the oldest bot acts when none is named", []string{`imbot.register ` + register("new", "one", "B"), chat("updateColor", `"COLOR":"RED"`)}, `true`},
		{"a deleted bot is no member", []string{seen, `imbot.unregister {"CLIENT_ID":"one","BOT_ID":103}`, members}, `[101,1,104]`},
		{"and not the owner", []string{seen, `imbot.unregister {"CLIENT_ID":"one","BOT_ID":103}`, dialog}, `"owner":101,`},
		{"a leaving owner is followed by a manager", []string{seen, chat("setManager", `"USER_ID":104`), chat("leave", `"BOT_ID":103`), dialog}, `"owner":104,`},
		{"a title", []string{seen, chat("updateTitle", `"TITLE":" New "`), dialog}, `"name":"New",`},
		{"a title that is too long", []string{seen, chat("updateTitle", `"TITLE":"`+strings.Repeat("ж", 256)+`"`), dialog}, `"name":"` + strings.Repeat("ж", 255) + `",`},
		{"a colour", []string{seen, chat("updateColor", `"COLOR":"PINK"`), dialog}, `"color":"#f76187",`},
		{"a picture", []string{seen, chat("updateAvatar", `"AVATAR":"iVBORw0KGgo="`), dialog}, `"avatar":"https://`},
		{"managers", []string{seen, chat("setManager", `"USER_ID":1`), dialog}, `"role":"manager"`},
		{"members", []string{seen, dialog}, `"role":"member"`},
		{"the owner", []string{seen, chat("setOwner", `"USER_ID":1`), dialog}, `"role":"owner"`},
		{"the list of managers", []string{seen, chat("setManager", `"USER_ID":104`), dialog}, `"manager_list":[103,104]`},
		{"what chat.add was told", []string{`imbot.chat.add {"CLIENT_ID":"one","USERS":[1],"TITLE":"T","DESCRIPTION":"D","ENTITY_TYPE":"E","ENTITY_ID":5}`,
			`imbot.dialog.get {"DIALOG_ID":"chat1002"}`}, `"name":"T","description":"D",`},
		{"its colour", []string{`imbot.chat.add {"CLIENT_ID":"one","USERS":[1],"COLOR":"GRAPHITE"}`, `imbot.dialog.get {"DIALOG_ID":"chat1002"}`}, `"color":"#5e5f5e"`},
		{"a title of its own when there is none", []string{`imbot.chat.add {"CLIENT_ID":"one","USERS":[1]}`, `imbot.dialog.get {"DIALOG_ID":"chat1002"}`}, ` Chat #1002"`},
		{"an open chat, seen by all", []string{`imbot.chat.add {"CLIENT_ID":"one","TYPE":"OPEN"}`, `imbot.dialog.get {"DIALOG_ID":"chat1002"}`}, `"role":"guest"`},
		{"a private dialog", []string{`imbot.dialog.get {"DIALOG_ID":101}`}, `"name":"Anna Ivanova"`},
		{"a private dialog by its chat id", []string{`imbot.dialog.get {"DIALOG_ID":101}`, `imbot.dialog.get {"DIALOG_ID":"chat1002"}`}, `"name":"Anna Ivanova"`},
		{"strangers are left out of a new chat", []string{`imbot.chat.add {"CLIENT_ID":"one","USERS":[99,101]}`, `imbot.chat.user.list {"CLIENT_ID":"one","CHAT_ID":1002}`}, `[103,101]`},
		{"a first message", []string{`imbot.chat.add {"CLIENT_ID":"one","USERS":[1],"MESSAGE":" hi "}`, `imbot.dialog.get {"DIALOG_ID":"chat1002"}`}, `"message_count":1,`},
		{"what the webhook is", []string{`app.info {}`}, `"SCOPE":["im","imbot","imopenlines"]`},
		{"a method that exists", []string{`method.get {"name":"imbot.chat.setowner"}`}, `{"isAvailable":true,"isExisting":true}`},
		{"a method that does not", []string{`method.get {"name":"imbot.v3.Revision.get"}`}, `{"isAvailable":false,"isExisting":false}`},
	} {
		t.Run(tt.says, func(t *testing.T) {
			portal := newTestPortal(t)
			for i, step := range tt.calls {
				method, params, _ := strings.Cut(step, " ")
				got := post(t, portal, method, params)
				if i < len(tt.calls)-1 {
					require.NotRegexp(t, "^[45].. ", got, step)
				} else {
					require.Contains(t, got, tt.want)
				}
			}
		})
	}
}
