package imbottest_test

import (
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

// newLinePortal has a line with the operator anna, to which bot 105 of client three is connected.
func newLinePortal(t *testing.T, welcome string) (portal *imbottest.Portal, box *mailbox, line imbot.ID) {
	t.Helper()
	portal, box = newMailboxPortal(t)
	require.Equal(t, "105", post(t, portal, "imbot.register", register("line", "three", "O")))
	line = portal.AddLine("Support", anna)
	require.Equal(t, "true", post(t, portal, "imopenlines.config.update",
		fmt.Sprintf(`{"CONFIG_ID":%d,"PARAMS":{"WELCOME_BOT_ENABLE":"Y","WELCOME_BOT_ID":105,%s}}`, line, welcome)))
	return portal, box, line
}

func visit(t *testing.T, portal *imbottest.Portal, line imbot.ID) (guest, chat imbot.ID, dialog imbot.DialogID) {
	t.Helper()
	guest, chat, err := portal.Visit(t.Context(), line, "Greta")
	require.NoError(t, err)
	return guest, chat, imbot.ChatDialog(chat)
}

func members(portal *imbottest.Portal, guest imbot.ID) []imbot.ID {
	return portal.Dialogs(guest)[0].Members
}

func TestVisit(t *testing.T) {
	t.Parallel()
	portal, box, line := newLinePortal(t, `"WELCOME_BOT_TIME":0`)
	_, _, err := portal.Visit(t.Context(), 99, "Greta")
	require.ErrorContains(t, err, "no open line 99")
	guest, chat, dialog := visit(t, portal, line)
	_, err = portal.Say(t.Context(), guest, dialog, "hello")
	require.NoError(t, err)
	require.Equal(t, []string{"JOINCHAT", "MESSAGEADD"}, names(box.take(t, portal)))
	require.Equal(t, []imbot.ID{guest, 105}, members(portal, guest))
	require.EqualValues(t, 105, portal.Sessions(chat)[0].Owner)

	other := portal.AddLine("Sales", boris)
	guest, chat, dialog = visit(t, portal, other)
	require.Equal(t, []imbot.ID{guest, boris}, members(portal, guest), "a line without a bot")
	require.Zero(t, portal.Sessions(chat)[0].Owner)
	_, err = portal.Say(t.Context(), boris, dialog, "hello")
	require.NoError(t, err)
	require.EqualValues(t, boris, portal.Sessions(chat)[0].Owner, "who answers holds the conversation")
	require.Empty(t, portal.Sessions(99))

	require.Equal(t, "true", post(t, portal, "imopenlines.config.update", fmt.Sprintf(`{"CONFIG_ID":%d,"PARAMS":{"WELCOME_BOT_ENABLE":"Y","WELCOME_BOT_ID":103}}`, other)))
	_, _, err = portal.Visit(t.Context(), other, "Greta")
	require.ErrorContains(t, err, "does not serve open lines")
}

func TestSessions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal, box, line := newLinePortal(t, `"WELCOME_BOT_JOIN":"first","WELCOME_BOT_TIME":0`)
		guest, chat, dialog := visit(t, portal, line)
		began := time.Now()
		time.Sleep(time.Minute)
		require.Equal(t, "true", post(t, portal, "imopenlines.bot.session.finish", fmt.Sprintf(`{"CLIENT_ID":"three","CHAT_ID":%d}`, chat)))
		require.Equal(t, []imbot.ID{guest}, members(portal, guest))
		want := imbottest.Session{ID: 301, LineID: line, Owner: 105, Began: began, Ended: began.Add(time.Minute)}
		require.Equal(t, []imbottest.Session{want}, portal.Sessions(chat))
		require.Equal(t, "true", post(t, portal, "imopenlines.bot.session.finish", fmt.Sprintf(`{"CLIENT_ID":"three","CHAT_ID":%d}`, chat)))
		require.Len(t, portal.Sessions(chat), 1, "nothing was left to end")
		box.take(t, portal)

		time.Sleep(time.Minute)
		_, err := portal.Say(t.Context(), guest, dialog, "one thing more")
		require.NoError(t, err)
		again := portal.Sessions(chat)
		require.Equal(t, want, again[0])
		require.Equal(t, imbottest.Session{ID: 302, LineID: line, Began: began.Add(2 * time.Minute)}, again[1])
		require.Equal(t, []imbot.ID{guest, anna}, members(portal, guest), "the bot takes only the first of each guest")
		require.Empty(t, box.take(t, portal))
	})
}

func TestTheBotLosesAConversation(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		says, welcome string
		act           func(t *testing.T, portal *imbottest.Portal, guest, chat imbot.ID)
		stays         bool
	}{
		{"after its time", `"WELCOME_BOT_TIME":60`, func(*testing.T, *imbottest.Portal, imbot.ID, imbot.ID) { time.Sleep(time.Minute) }, false},
		{"after its time, which has a default", `"WELCOME_BOT_LEFT":"queue"`, func(*testing.T, *imbottest.Portal, imbot.ID, imbot.ID) { time.Sleep(10 * time.Minute) }, false},
		{"and stays where the line says so", `"WELCOME_BOT_LEFT":"close","WELCOME_BOT_TIME":60`, func(*testing.T, *imbottest.Portal, imbot.ID, imbot.ID) { time.Sleep(time.Minute) }, true},
		{"by a method", `"WELCOME_BOT_LEFT":"close"`, func(t *testing.T, portal *imbottest.Portal, _, chat imbot.ID) {
			require.Equal(t, "true", post(t, portal, "imopenlines.bot.session.operator", fmt.Sprintf(`{"CHAT_ID":%d}`, chat)))
		}, true},
		{"by a message that is only the digit 0", `"WELCOME_BOT_TIME":0`, func(t *testing.T, portal *imbottest.Portal, guest, chat imbot.ID) {
			_, err := portal.Say(t.Context(), guest, imbot.ChatDialog(chat), "0")
			require.NoError(t, err)
		}, false},
	} {
		t.Run(tt.says, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				portal, _, line := newLinePortal(t, tt.welcome)
				guest, chat, _ := visit(t, portal, line)
				require.EqualValues(t, 105, portal.Sessions(chat)[0].Owner)
				tt.act(t, portal, guest, chat)
				synctest.Wait()
				require.Zero(t, portal.Sessions(chat)[0].Owner)
				want := []imbot.ID{guest, anna}
				if tt.stays {
					want = []imbot.ID{guest, 105, anna}
				}
				require.Equal(t, want, members(portal, guest))
				require.Equal(t, "400 WRONG_CHAT", post(t, portal, "imopenlines.bot.session.operator", fmt.Sprintf(`{"CHAT_ID":%d}`, chat)))
			})
		})
	}
}

func TestTransferStopsTheTimeOfTheBot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal, _, line := newLinePortal(t, `"WELCOME_BOT_TIME":60,"WELCOME_BOT_LEFT":"close"`)
		guest, chat, _ := visit(t, portal, line)
		transfer := func(params string) {
			require.Equal(t, "true", post(t, portal, "imopenlines.bot.session.transfer", fmt.Sprintf(`{"CLIENT_ID":"three","CHAT_ID":%d,%s}`, chat, params)))
		}
		transfer(`"USER_ID":102`)
		require.Equal(t, []imbot.ID{guest, 105, boris}, members(portal, guest), "the bot stays without LEAVE")
		time.Sleep(time.Hour)
		require.EqualValues(t, boris, portal.Sessions(chat)[0].Owner)
		transfer(`"USER_ID":101,"LEAVE":"Y"`)
		require.Equal(t, []imbot.ID{guest, anna}, members(portal, guest))
		other := portal.AddLine("Sales", boris)
		transfer(`"TRANSFER_ID":"queue` + other.String() + `"`)
		require.Equal(t, []imbot.ID{guest, boris}, members(portal, guest))
		require.Equal(t, other, portal.Sessions(chat)[0].LineID)
	})
}

func TestLineSettings(t *testing.T) {
	t.Parallel()
	get := func(t *testing.T, portal *imbottest.Portal, line imbot.ID) string {
		found := post(t, portal, "imopenlines.config.list.get", fmt.Sprintf(
			`{"PARAMS":{"select":["WELCOME_BOT_ENABLE","WELCOME_BOT_ID","WELCOME_BOT_JOIN","WELCOME_BOT_TIME","WELCOME_BOT_LEFT"],"filter":{"ID":%d}}}`, line))
		return found
	}
	for _, tt := range []struct{ says, params, want string }{
		{"all five", `"WELCOME_BOT_ENABLE":"Y","WELCOME_BOT_ID":104,"WELCOME_BOT_JOIN":"first","WELCOME_BOT_TIME":5,"WELCOME_BOT_LEFT":"close"`, `Y 104 first 5 close`},
		{"those that are missing are reset", `"WELCOME_BOT_ENABLE":"Y","WELCOME_BOT_ID":104`, `Y 104 always 600 queue`},
		{"the id, too", `"WELCOME_BOT_ENABLE":"Y"`, `Y 0 always 600 queue`},
		{"without ENABLE all others are", `"WELCOME_BOT_ID":104,"WELCOME_BOT_TIME":5`, `Y 0 always 600 queue`},
		{"and with N", `"WELCOME_BOT_ENABLE":"N","WELCOME_BOT_ID":104,"WELCOME_BOT_LEFT":"close"`, `N 0 always 600 queue`},
		{"what is none of them changes none", `"LINE_NAME":"Help"`, `Y 105 first 60 close`},
	} {
		t.Run(tt.says, func(t *testing.T) {
			portal, _, line := newLinePortal(t, `"WELCOME_BOT_JOIN":"first","WELCOME_BOT_TIME":60,"WELCOME_BOT_LEFT":"close"`)
			require.Equal(t, "true", post(t, portal, "imopenlines.config.update", fmt.Sprintf(`{"CONFIG_ID":%d,"PARAMS":{%s}}`, line, tt.params)))
			var enable, id, join, time, left string
			_, err := fmt.Sscan(tt.want, &enable, &id, &join, &time, &left)
			require.NoError(t, err)
			require.JSONEq(t, fmt.Sprintf(`[{"WELCOME_BOT_ENABLE":%q,"WELCOME_BOT_ID":%q,"WELCOME_BOT_JOIN":%q,"WELCOME_BOT_TIME":%q,"WELCOME_BOT_LEFT":%q}]`,
				enable, id, join, time, left), get(t, portal, line))
		})
	}
}

func TestListOfLines(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	require.Equal(t, "[]", post(t, portal, "imopenlines.config.list.get", `{}`))
	for i := range 60 {
		require.EqualValues(t, 31+i, portal.AddLine("Line "+strconv.Itoa(i), anna))
	}
	require.Equal(t, "true", post(t, portal, "imopenlines.config.update", `{"CONFIG_ID":33,"PARAMS":{"ACTIVE":"N","LINE_NAME":"A","QUEUE":[{"ENTITY_TYPE":"user","ENTITY_ID":102}]}}`))
	require.Equal(t, "false", post(t, portal, "imopenlines.config.update", `{"CONFIG_ID":33,"PARAMS":{"LINE_NAME":"B","QUEUE":[]}}`))
	for _, tt := range []struct{ says, params, want string }{
		{"the first fifty", `"select":["ID"],"offset":49`, `[{"ID":"80"},{"ID":"81"},{"ID":"82"},{"ID":"83"},{"ID":"84"},{"ID":"85"},{"ID":"86"},{"ID":"87"},{"ID":"88"},{"ID":"89"},{"ID":"90"}]`},
		{"a page of another size", `"select":["ID"],"limit":1,"offset":1`, `[{"ID":"32"}]`},
		{"in another order", `"select":["ID"],"limit":2,"order":{"ID":"DESC"}`, `[{"ID":"90"},{"ID":"89"}]`},
		{"by name", `"select":["ID"],"limit":1,"order":{"LINE_NAME":"ASC"}`, `[{"ID":"33"}]`},
		{"only some", `"select":["ID"],"filter":{"ACTIVE":"N"}`, `[{"ID":"33"}]`},
		{"all but some", `"select":["ID"],"filter":{"!ACTIVE":"Y"}`, `[{"ID":"33"}]`},
		{"several", `"select":["LINE_NAME"],"filter":{"=ID":[33,"34"]}`, `[{"LINE_NAME":"A"},{"LINE_NAME":"Line 3"}]`},
		{"beyond the last", `"offset":99`, `[]`},
		{"an unknown column", `"filter":{"NOTHING":1}`, `500 INTERNAL_SERVER_ERROR`},
		{"a filter that is none", `"filter":"x"`, `400 INVALID_FORMAT`},
	} {
		require.Equal(t, tt.want, post(t, portal, "imopenlines.config.list.get", `{"PARAMS":{`+tt.params+`}}`), tt.says)
	}
	require.Contains(t, post(t, portal, "imopenlines.config.list.get", `{"PARAMS":{"filter":{"ID":33}},"OPTIONS":{"QUEUE":"Y","CONFIG_QUEUE":"Y"}}`),
		`"QUEUE":[102],"QUEUE_USERS_FIELDS":{"102":{"USER_NAME":"Boris Petrov","USER_WORK_POSITION":null,"USER_AVATAR":"","USER_AVATAR_ID":null}},"CONFIG_QUEUE":[{"ENTITY_TYPE":"user","ENTITY_ID":"102"}]`)
	require.Contains(t, post(t, portal, "imopenlines.config.get", `{"CONFIG_ID":"33"}`), `"QUEUE":["102"],"QUEUE_FULL":{"102":{"USER_ID":"102"}}`)
	require.NotContains(t, post(t, portal, "imopenlines.config.get", `{"CONFIG_ID":33,"WITH_QUEUE":"N"}`), `QUEUE_FULL`)
	require.Equal(t, "false", post(t, portal, "imopenlines.config.get", `{"CONFIG_ID":99}`))
	require.Equal(t, "false", post(t, portal, "imopenlines.config.update", `{"CONFIG_ID":99}`))
}

func TestAConversationIsRead(t *testing.T) {
	t.Parallel()
	portal, _, line := newLinePortal(t, `"WELCOME_BOT_TIME":0`)
	guest, chat, dialog := visit(t, portal, line)
	say := func(text string) imbottest.Message {
		m, err := portal.Say(t.Context(), guest, dialog, text)
		require.NoError(t, err)
		return m
	}
	first := say("hello")
	require.Equal(t, "true", post(t, portal, "imopenlines.bot.session.finish", fmt.Sprintf(`{"CLIENT_ID":"three","CHAT_ID":%d}`, chat)))
	second := say("again")
	for params, want := range map[string]imbot.ID{
		fmt.Sprintf(`"CHAT_ID":%d`, chat): second.ID, `"SESSION_ID":302`: second.ID, `"SESSION_ID":301,"CHAT_ID":99`: first.ID,
	} {
		got := post(t, portal, "imopenlines.session.history.get", `{`+params+`}`)
		require.Contains(t, got, fmt.Sprintf(`"usersMessage":{"%s":["%d"]}`, dialog, want), params)
		require.Contains(t, got, fmt.Sprintf(`"message":{"%d":{"id":"%d","chatid":"%d","senderid":"%d","recipientid":"%s","date":`, want, want, chat, guest, dialog))
	}
	code := fmt.Sprintf("imol|imbottest|%d|guest%d|%d", line, guest, guest)
	for _, params := range []string{fmt.Sprintf(`"CHAT_ID":%d,"DIALOG_ID":"x"`, chat), fmt.Sprintf(`"dialog_id":%q`, dialog), `"SESSION_ID":301`, fmt.Sprintf(`"USER_CODE":%q`, code)} {
		got := post(t, portal, "imopenlines.dialog.get", `{`+params+`}`)
		require.Contains(t, got, `"owner":105,`, params)
		require.Contains(t, got, `"entity_data_1":"N|NONE|0|N|N|302|`, params)
		require.Contains(t, got, fmt.Sprintf(`"dialog_id":%q`, dialog), params)
	}
	for _, params := range []string{`{}`, `{"CHAT_ID":1001}`, `{"DIALOG_ID":"101"}`, `{"SESSION_ID":99}`, `{"USER_CODE":"x|1|y|2"}`} {
		require.Equal(t, "400 ACCESS_ERROR", post(t, portal, "imopenlines.dialog.get", params))
	}
	for user, want := range map[imbot.ID]string{anna: "2", boris: "4"} { // an operator of the line, and somebody else
		hook, err := portal.WebhookOf(user, "")
		require.NoError(t, err)
		for _, method := range []string{"imopenlines.dialog.get", "imopenlines.session.history.get"} {
			status, body := postTo(t, portal, hook.URL+method, "application/json", fmt.Sprintf(`{"CHAT_ID":%d}`, chat))
			require.Equal(t, want, strconv.Itoa(status)[:1], "%s", body)
		}
	}
}
