package imbottest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/stretchr/testify/require"
)

func TestWhoHearsAMessage(t *testing.T) {
	t.Parallel()
	const group = `imbot.chat.user.add {"CLIENT_ID":"one","CHAT_ID":1001,"USERS":[5,6,7]}`
	for _, tt := range []struct {
		says, dialog, text string
		want               []string // for each event the ids of its bots
	}{
		{"a private message reaches the bot", "4", "hi", []string{"4"}},
		{"a group message reaches supervisors alone", "chat1001", "hi", []string{"7"}},
		{"a mention reaches the mentioned bot too", "chat1001", "[user=5]Beta[/user] hi", []string{"5", "7"}},
		{"the bots of one application share an event", "chat1001", "[user=4]A[/user] [USER=6]C[/USER]", []string{"4 6", "7"}},
		{"a mention of a person is none of a bot", "chat1001", "[user=1]Admin[/user]", []string{"7"}},
	} {
		t.Run(tt.says, func(t *testing.T) {
			portal, box := newMailboxPortal(t)
			require.Equal(t, "6", post(t, portal, "imbot.register", register("gamma", "one", "H")))
			require.Equal(t, "7", post(t, portal, "imbot.register", register("boss", "three", "S")))
			method, params, _ := strings.Cut(group, " ")
			require.Equal(t, "true", post(t, portal, method, params))
			require.NoError(t, portal.Open(t.Context(), anna, alpha))
			box.take(t, portal)

			_, err := portal.Say(t.Context(), anna, imbot.DialogID(tt.dialog), tt.text)
			require.NoError(t, err)
			var got []string
			for _, e := range box.take(t, portal) {
				require.Equal(t, "ONIMBOTMESSAGEADD", e.Get("event"))
				var bots []string
				for id := 4; id <= 7; id++ {
					if e.Has(fmt.Sprintf("data[BOT][%d][BOT_ID]", id)) {
						bots = append(bots, fmt.Sprint(id))
					}
				}
				got = append(got, strings.Join(bots, " "))
			}
			require.Equal(t, tt.want, got)
			require.NoError(t, portal.Err())
		})
	}
}

func TestMentionsAreTakenOutOfTheText(t *testing.T) {
	t.Parallel()
	portal, box := newMailboxPortal(t)
	text := "[USER=4]Alpha[/USER] , ask [user=1]Admin[/user] please"
	_, err := portal.Say(t.Context(), anna, imbot.ChatDialog(team), text)
	require.NoError(t, err)
	events := box.take(t, portal)
	require.Len(t, events, 1)
	e := events[0]
	require.Equal(t, ", ask [user=1]Admin[/user] please", e.Get("data[PARAMS][MESSAGE]"))
	require.Equal(t, text, e.Get("data[PARAMS][MESSAGE_ORIGINAL]"))
	require.Equal(t, "4", e.Get("data[PARAMS][MENTIONED_LIST][4]"))
	require.Equal(t, "1", e.Get("data[PARAMS][MENTIONED_LIST][1]"))
	require.Equal(t, "4", e.Get("data[PARAMS][TO_USER_ID]"))
	require.Equal(t, "chat1001", e.Get("data[PARAMS][DIALOG_ID]"))
	require.Equal(t, "CRM", e.Get("data[PARAMS][CHAT_ENTITY_TYPE]"))
	require.Equal(t, "7", e.Get("data[PARAMS][CHAT_ENTITY_ID]"))
	require.Equal(t, "one", e.Get("auth[application_token]"))
	require.False(t, e.Has("auth[access_token]"))
}

func TestManagersAreMarkedInEvents(t *testing.T) {
	t.Parallel()
	portal, box := newMailboxPortal(t)
	require.Equal(t, "true", post(t, portal, "imbot.chat.setManager", `{"CLIENT_ID":"one","CHAT_ID":1001,"USER_ID":2}`))
	_, err := portal.Say(t.Context(), anna, imbot.ChatDialog(team), "[user=4]Alpha[/user] hi")
	require.NoError(t, err)
	require.Equal(t, "Y", box.take(t, portal)[0].Get("data[PARAMS][IS_MANAGER]"))
}

func TestWhoHearsOfChanges(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		says, dialog, text, edited string
		update, remove             int // how many events of each kind
	}{
		{"a private dialog's bot does", "4", "old", "new", 1, 1},
		{"a chat's bot does not", "chat1001", "old", "new", 0, 0},
		{"unless the new text mentions it", "chat1001", "old", "[USER=4]A[/USER] new", 1, 1},
		{"the old one does not count", "chat1001", "[user=4]A[/user] old", "new", 0, 0},
		{"commands in it are not given", "4", "old", "/echo", 1, 1},
	} {
		t.Run(tt.says, func(t *testing.T) {
			portal, box := newMailboxPortal(t)
			m, err := portal.Say(t.Context(), anna, imbot.DialogID(tt.dialog), tt.text)
			require.NoError(t, err)
			box.take(t, portal)
			require.NoError(t, portal.Edit(t.Context(), anna, m, " "+tt.edited+"\n"))
			now := lastOf(portal, imbot.DialogID(tt.dialog))
			require.Equal(t, tt.edited, now.Text)
			require.True(t, now.Edited)
			events := box.take(t, portal)
			require.Len(t, events, tt.update)
			for _, e := range events {
				require.Equal(t, "ONIMBOTMESSAGEUPDATE", e.Get("event"))
				require.Equal(t, strings.TrimPrefix(tt.edited, "[USER=4]A[/USER] "), e.Get("data[PARAMS][MESSAGE]"))
				require.Equal(t, "4", e.Get("data[PARAMS][TO_USER_ID]"))
				require.Equal(t, m.ID.String(), e.Get("data[PARAMS][MESSAGE_ID]"))
			}
			require.NoError(t, portal.Delete(t.Context(), anna, m))
			require.True(t, lastOf(portal, imbot.DialogID(tt.dialog)).Deleted)
			events = box.take(t, portal)
			require.Len(t, events, tt.remove)
			for _, e := range events {
				require.Equal(t, "ONIMBOTMESSAGEDELETE", e.Get("event"))
				require.Regexp(t, `^Message from ../../.... ..:..:.. has been deleted$`, e.Get("data[PARAMS][MESSAGE]"))
				require.Equal(t, "2", e.Get("data[PARAMS][AUTHOR_ID]"))
			}
			require.NoError(t, portal.Err())
		})
	}
}

func TestChangesWithoutAHandlerAreSilent(t *testing.T) {
	t.Parallel()
	portal, box := newMailboxPortal(t)
	require.Equal(t, "6", post(t, portal, "imbot.register", `{"CLIENT_ID":"three","CODE":"three","PROPERTIES":{"NAME":"Three"},`+
		`"EVENT_MESSAGE_ADD":"`+eventURL+`","EVENT_WELCOME_MESSAGE":"`+eventURL+`","EVENT_BOT_DELETE":"`+eventURL+`"}`))
	m, err := portal.Say(t.Context(), anna, imbot.UserDialog(6), "old")
	require.NoError(t, err)
	require.Len(t, box.take(t, portal), 2)
	require.NoError(t, portal.Edit(t.Context(), anna, m, "new"))
	require.NoError(t, portal.Delete(t.Context(), anna, m))
	require.Empty(t, box.take(t, portal))
	require.NoError(t, portal.Err())
}

func TestWhatABotReadsOfItsMention(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	hook := portal.Webhook("one")
	var texts []string
	bot := &imbot.EventHandler{Verifier: hook.Verifier(), OnMessage: func(_ context.Context, ev *imbot.MessageAddEvent) error {
		if ev.Mentioned(alpha) && ev.Bot().BotID == alpha && ev.User.Name == `Tim "T" <x> & Söhne` {
			texts = append(texts, ev.Text())
		}
		return nil
	}}
	portal.Serve(eventURL, bot)
	tim := portal.AddUser(`Tim "T" <x>`, "& Söhne")
	require.NoError(t, portal.Invite(t.Context(), anna, team, tim))
	for _, text := range []string{
		"[USER=4]Alpha[/USER], ask [USER=1]Admin[/USER] please",
		"[USER=1]Admin[/USER], [USER=4]Alpha[/USER] knows it",
		"[user=4]Alpha[/user]: in small letters",
		"what do you say, [USER=4][/USER]",
		"[USER=4]Alpha[/USER] :)",
	} {
		_, err := portal.Say(t.Context(), tim, imbot.ChatDialog(team), text)
		require.NoError(t, err)
	}
	require.NoError(t, portal.Idle(t.Context()))
	require.NoError(t, bot.Shutdown(t.Context()))
	require.Equal(t, []string{"ask [USER=1]Admin[/USER] please", "[USER=1]Admin[/USER],  knows it", "in small letters", "what do you say,", ":)"}, texts)
	require.NoError(t, portal.Err())
}
