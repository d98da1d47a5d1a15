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
	const group = `imbot.chat.user.add {"CLIENT_ID":"one","CHAT_ID":1001,"USERS":[104,105,106]}`
	for _, tt := range []struct {
		says, dialog, text string
		want               []string // for each event the ids of its bots
	}{
		{"a private message reaches the bot", "103", "hi", []string{"103"}},
		{"a group message reaches supervisors alone", "chat1001", "hi", []string{"106"}},
		{"a mention reaches the mentioned bot too", "chat1001", "[user=104]Beta[/user] hi", []string{"104", "106"}},
		{"the bots of one application share an event", "chat1001", "[user=103]A[/user] [USER=105]C[/USER]", []string{"103 105", "106"}},
		{"a mention of a person is none of a bot", "chat1001", "[user=1]Admin[/user]", []string{"106"}},
	} {
		t.Run(tt.says, func(t *testing.T) {
			portal, box := newMailboxPortal(t)
			require.Equal(t, "105", post(t, portal, "imbot.register", register("gamma", "one", "H")))
			require.Equal(t, "106", post(t, portal, "imbot.register", register("boss", "three", "S")))
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
				for id := alpha; id <= 106; id++ {
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
	text := "[USER=103]Alpha[/USER] , ask [user=1]Admin[/user] please"
	_, err := portal.Say(t.Context(), anna, imbot.ChatDialog(team), text)
	require.NoError(t, err)
	events := box.take(t, portal)
	require.Len(t, events, 1)
	e := events[0]
	require.Equal(t, ", ask [user=1]Admin[/user] please", e.Get("data[PARAMS][MESSAGE]"))
	require.Equal(t, text, e.Get("data[PARAMS][MESSAGE_ORIGINAL]"))
	require.Equal(t, "103", e.Get("data[PARAMS][MENTIONED_LIST][103]"))
	require.Equal(t, "1", e.Get("data[PARAMS][MENTIONED_LIST][1]"))
	require.Equal(t, "103", e.Get("data[PARAMS][TO_USER_ID]"))
	require.Equal(t, "chat1001", e.Get("data[PARAMS][DIALOG_ID]"))
	require.Equal(t, "CRM", e.Get("data[PARAMS][CHAT_ENTITY_TYPE]"))
	require.Equal(t, "7", e.Get("data[PARAMS][CHAT_ENTITY_ID]"))
	require.Equal(t, "one", e.Get("auth[application_token]"))
	require.False(t, e.Has("auth[access_token]"))
}

func TestManagersAreMarkedInEvents(t *testing.T) {
	t.Parallel()
	portal, box := newMailboxPortal(t)
	require.Equal(t, "true", post(t, portal, "imbot.chat.setManager", `{"CLIENT_ID":"one","CHAT_ID":1001,"USER_ID":101}`))
	_, err := portal.Say(t.Context(), anna, imbot.ChatDialog(team), "[user=103]Alpha[/user] hi")
	require.NoError(t, err)
	require.Equal(t, "Y", box.take(t, portal)[0].Get("data[PARAMS][IS_MANAGER]"))
}

func TestWhoHearsOfChanges(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		says, dialog, text, edited string
		update, remove             int // how many events of each kind
	}{
		{"a private dialog's bot does", "103", "old", "new", 1, 1},
		{"a chat's bot does not", "chat1001", "old", "new", 0, 0},
		{"unless the new text mentions it", "chat1001", "old", "[USER=103]A[/USER] new", 1, 1},
		{"the old one does not count", "chat1001", "[user=103]A[/user] old", "new", 0, 0},
		{"commands in it are not given", "103", "old", "/echo", 1, 1},
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
				require.Equal(t, strings.TrimPrefix(tt.edited, "[USER=103]A[/USER] "), e.Get("data[PARAMS][MESSAGE]"))
				require.Equal(t, "103", e.Get("data[PARAMS][TO_USER_ID]"))
				require.Equal(t, m.ID.String(), e.Get("data[PARAMS][MESSAGE_ID]"))
			}
			require.NoError(t, portal.Delete(t.Context(), anna, m))
			require.True(t, lastOf(portal, imbot.DialogID(tt.dialog)).Deleted)
			events = box.take(t, portal)
			require.Len(t, events, tt.remove)
			for _, e := range events {
				require.Equal(t, "ONIMBOTMESSAGEDELETE", e.Get("event"))
				require.Regexp(t, `^Message from ../../.... ..:..:.. has been deleted$`, e.Get("data[PARAMS][MESSAGE]"))
				require.Equal(t, "101", e.Get("data[PARAMS][AUTHOR_ID]"))
			}
			require.NoError(t, portal.Err())
		})
	}
}

func TestChangesWithoutAHandlerAreSilent(t *testing.T) {
	t.Parallel()
	portal, box := newMailboxPortal(t)
	require.Equal(t, "105", post(t, portal, "imbot.register", `{"CLIENT_ID":"three","CODE":"three","PROPERTIES":{"NAME":"Three"},`+
		`"EVENT_MESSAGE_ADD":"`+eventURL+`","EVENT_WELCOME_MESSAGE":"`+eventURL+`","EVENT_BOT_DELETE":"`+eventURL+`"}`))
	m, err := portal.Say(t.Context(), anna, imbot.UserDialog(105), "old")
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
		"[USER=103]Alpha[/USER], ask [USER=1]Admin[/USER] please",
		"[USER=1]Admin[/USER], [USER=103]Alpha[/USER] knows it",
		"[user=103]Alpha[/user]: in small letters",
		"what do you say, [USER=103][/USER]",
		"[USER=103]Alpha[/USER] :)",
	} {
		_, err := portal.Say(t.Context(), tim, imbot.ChatDialog(team), text)
		require.NoError(t, err)
	}
	require.NoError(t, portal.Idle(t.Context()))
	require.NoError(t, bot.Shutdown(t.Context()))
	require.Equal(t, []string{"ask [USER=1]Admin[/USER] please", "[USER=1]Admin[/USER],  knows it", "in small letters", "what do you say,", ":)"}, texts)
	require.NoError(t, portal.Err())
}
