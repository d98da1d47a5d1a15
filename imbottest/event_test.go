package imbottest_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

// newMailWorld is newWorld with a mailbox behind the handler.
func newMailWorld(t *testing.T) (*imbottest.Portal, *mailbox) {
	t.Helper()
	portal, box := newWorld(t), &mailbox{}
	require.NoError(t, portal.Idle(t.Context()))
	portal.Serve(eventURL, box)
	return portal, box
}

func names(events []url.Values) []string {
	var out []string
	for _, e := range events {
		out = append(out, strings.TrimPrefix(e.Get("event"), "ONIMBOT"))
	}
	return out
}

func register(code, client, kind string) string {
	return fmt.Sprintf(`{"CLIENT_ID":%q,"CODE":%q,"TYPE":%q,%s,"PROPERTIES":{"NAME":%q}}`, client, code, kind, bindings, code)
}

func TestWhoHearsAMessage(t *testing.T) {
	const group = `imbot.chat.user.add {"CLIENT_ID":"one","CHAT_ID":1001,"USERS":[5,6,7]}`
	for _, tt := range []struct {
		says, dialog, text string
		want               []string // the bots of each event
	}{
		{"a private message reaches the bot", "4", "hi", []string{"4"}},
		{"a group message reaches supervisors alone", "chat1001", "hi", []string{"7"}},
		{"a mention reaches the mentioned bot too", "chat1001", "[user=5]Beta[/user] hi", []string{"5", "7"}},
		{"the bots of one application share an event", "chat1001", "[user=4]A[/user] [USER=6]C[/USER]", []string{"4 6", "7"}},
		{"a mention of a person is none of a bot", "chat1001", "[user=1]Admin[/user]", []string{"7"}},
	} {
		t.Run(tt.says, func(t *testing.T) {
			portal, box := newMailWorld(t)
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
	portal, box := newMailWorld(t)
	text := "[user=4]Alpha[/user], ask [user=1]Admin[/user] please"
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

func TestJoining(t *testing.T) {
	join := "JOINCHAT"
	for _, tt := range []struct {
		says string
		act  func(t *testing.T, portal *imbottest.Portal)
		want []string
		from string // FROM_USER_ID or USER_ID of the last event
	}{
		{"opening a private dialog, once", func(t *testing.T, p *imbottest.Portal) {
			require.NoError(t, p.Open(t.Context(), anna, alpha))
			require.NoError(t, p.Open(t.Context(), anna, alpha))
		}, []string{join}, "2"},
		{"the first message opens the dialog", func(t *testing.T, p *imbottest.Portal) {
			_, err := p.Say(t.Context(), anna, imbot.UserDialog(alpha), "hi")
			require.NoError(t, err)
		}, []string{join, "MESSAGEADD"}, "2"},
		{"so does the bot's own, and nothing else tells of it", func(t *testing.T, p *imbottest.Portal) {
			require.Equal(t, "50001", post(t, p, "imbot.message.add", `{"CLIENT_ID":"one","DIALOG_ID":2,"MESSAGE":"hi"}`))
			require.Equal(t, "50002", post(t, p, "imbot.message.add", `{"CLIENT_ID":"one","DIALOG_ID":2,"MESSAGE":"hi"}`))
		}, []string{join}, "4"},
		{"another bot's chat", func(t *testing.T, p *imbottest.Portal) {
			require.Equal(t, "1002", post(t, p, "imbot.chat.add", `{"CLIENT_ID":"one","USERS":[2,5]}`))
		}, []string{join}, "4"},
		{"another bot's invitation", func(t *testing.T, p *imbottest.Portal) {
			require.Equal(t, "true", post(t, p, "imbot.chat.user.add", `{"CLIENT_ID":"one","CHAT_ID":1001,"USERS":[2,4,5]}`))
		}, []string{join}, "4"},
		{"a person's invitation", func(t *testing.T, p *imbottest.Portal) {
			require.NoError(t, p.Invite(t.Context(), anna, team, beta, boris))
		}, []string{join}, "2"},
		{"a person's chat", func(*testing.T, *imbottest.Portal) {}, nil, ""},
		{"the own chat does not tell", func(t *testing.T, p *imbottest.Portal) {
			require.Equal(t, "1002", post(t, p, "imbot.chat.add", `{"CLIENT_ID":"one","USERS":[2,4]}`))
		}, nil, ""},
	} {
		t.Run(tt.says, func(t *testing.T) {
			portal, box := newMailWorld(t)
			if tt.says == "a person's chat" {
				portal.AddChat("People", anna, boris, beta)
				tt.want, tt.from = []string{join}, "2"
			} else {
				tt.act(t, portal)
			}
			events := box.take(t, portal)
			require.Equal(t, tt.want, names(events))
			if len(events) == 0 {
				return
			}
			first := events[0]
			if from := first.Get("data[PARAMS][FROM_USER_ID]"); from != "" {
				require.Equal(t, tt.from, from)
				require.Equal(t, "2", first.Get("data[PARAMS][DIALOG_ID]"), "the dialog always names the person")
			} else {
				require.Equal(t, tt.from, first.Get("data[PARAMS][USER_ID]"))
			}
		})
	}
}

func TestHistoryCanBeHidden(t *testing.T) {
	for _, tt := range []struct {
		says, hide, access string
		sees               int
	}{
		{"absent, the chat shows it", ``, "1", 2},
		{"N shows it", `,"HIDE_HISTORY":"N"`, "1", 2},
		{"Y hides it", `,"HIDE_HISTORY":"Y"`, "0", 1},
		{"anything else hides it", `,"HIDE_HISTORY":"x"`, "0", 1},
	} {
		t.Run(tt.says, func(t *testing.T) {
			portal, box := newMailWorld(t)
			_, err := portal.Say(t.Context(), anna, imbot.ChatDialog(team), "old")
			require.NoError(t, err)
			require.Equal(t, "true", post(t, portal, "imbot.chat.user.add", `{"CLIENT_ID":"one","CHAT_ID":1001,"USERS":[3,5]`+tt.hide+`}`))
			require.Equal(t, tt.access, box.take(t, portal)[0].Get("data[PARAMS][ACCESS_HISTORY]"))
			_, err = portal.Say(t.Context(), anna, imbot.ChatDialog(team), "new")
			require.NoError(t, err)
			require.Len(t, portal.Messages(boris, imbot.ChatDialog(team)), tt.sees)
			require.Len(t, portal.Messages(anna, imbot.ChatDialog(team)), 2)
		})
	}
}

func TestTheLastHandlerWinsForAllBotsOfAnApplication(t *testing.T) {
	portal, box := newMailWorld(t)
	other := &mailbox{}
	portal.Serve("https://other.example.com/?a=b", other)
	require.Equal(t, `"4"`, post(t, portal, "imbot.register",
		`{"CLIENT_ID":"two","CODE":"alpha","EVENT_HANDLER":"https://other.example.com/?a=b","PROPERTIES":{"NAME":"x"}}`))
	for _, bot := range []imbot.ID{alpha, beta} {
		_, err := portal.Say(t.Context(), anna, imbot.UserDialog(bot), "hi")
		require.NoError(t, err)
	}
	require.Equal(t, []string{"JOINCHAT", "MESSAGEADD"}, names(box.take(t, portal)), "alpha belongs to one, whose handler stays")
	require.Equal(t, []string{"JOINCHAT", "MESSAGEADD"}, names(other.take(t, portal)), "beta belongs to two")
	require.Equal(t, eventURL+"?CLIENT_ID=one", box.urls[0])
	require.Equal(t, "https://other.example.com/?a=b&CLIENT_ID=two", other.urls[0])
}

func TestEventsOfADialogKeepTheirOrder(t *testing.T) {
	portal, box := newMailWorld(t)
	for i := range 100 {
		_, err := portal.Say(t.Context(), anna, imbot.UserDialog(alpha), fmt.Sprint(i))
		require.NoError(t, err)
	}
	events := box.take(t, portal)
	require.Len(t, events, 101)
	for i, e := range events[1:] {
		require.Equal(t, fmt.Sprint(i), e.Get("data[PARAMS][MESSAGE]"))
	}
}

func TestUnregisteredBotsAreGone(t *testing.T) {
	portal, box := newMailWorld(t)
	require.Equal(t, "true", post(t, portal, "imbot.unregister", `{"CLIENT_ID":"one","BOT_ID":4}`))
	require.Equal(t, []string{"DELETE"}, names(box.take(t, portal)))
	_, err := portal.Say(t.Context(), anna, imbot.UserDialog(alpha), "hi")
	require.Error(t, err)
	_, err = portal.Say(t.Context(), anna, imbot.ChatDialog(team), "[user=4]Alpha[/user]")
	require.NoError(t, err)
	require.Empty(t, box.take(t, portal))
	require.Equal(t, "Alpha", portal.Name(alpha), "old messages keep their author")
}
