package imbottest_test

import (
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

func TestJoining(t *testing.T) {
	t.Parallel()
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
		}, []string{join}, "101"},
		{"the first message opens the dialog", func(t *testing.T, p *imbottest.Portal) {
			_, err := p.Say(t.Context(), anna, imbot.UserDialog(alpha), "hi")
			require.NoError(t, err)
		}, []string{join, "MESSAGEADD"}, "101"},
		{"so does the bot's own, and nothing else tells of it", func(t *testing.T, p *imbottest.Portal) {
			require.Equal(t, "50001", post(t, p, "imbot.message.add", `{"CLIENT_ID":"one","DIALOG_ID":101,"MESSAGE":"hi"}`))
			require.Equal(t, "50002", post(t, p, "imbot.message.add", `{"CLIENT_ID":"one","DIALOG_ID":101,"MESSAGE":"hi"}`))
		}, []string{join}, "103"},
		{"another bot's chat", func(t *testing.T, p *imbottest.Portal) {
			require.Equal(t, "1002", post(t, p, "imbot.chat.add", `{"CLIENT_ID":"one","USERS":[101,104]}`))
		}, []string{join}, "103"},
		{"another bot's invitation", func(t *testing.T, p *imbottest.Portal) {
			require.Equal(t, "true", post(t, p, "imbot.chat.user.add", `{"CLIENT_ID":"one","CHAT_ID":1001,"USERS":[101,103,104]}`))
		}, []string{join}, "103"},
		{"a person's invitation", func(t *testing.T, p *imbottest.Portal) {
			require.NoError(t, p.Invite(t.Context(), anna, team, beta, boris))
		}, []string{join}, "101"},
		{"a person's chat", func(*testing.T, *imbottest.Portal) {}, nil, ""},
		{"the own chat does not tell", func(t *testing.T, p *imbottest.Portal) {
			require.Equal(t, "1002", post(t, p, "imbot.chat.add", `{"CLIENT_ID":"one","USERS":[101,103]}`))
		}, nil, ""},
	} {
		t.Run(tt.says, func(t *testing.T) {
			portal, box := newMailboxPortal(t)
			if tt.says == "a person's chat" {
				portal.AddChat("People", anna, boris, beta)
				tt.want, tt.from = []string{join}, "101"
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
				require.Equal(t, "101", first.Get("data[PARAMS][DIALOG_ID]"), "the dialog always names the person")
			} else {
				require.Equal(t, tt.from, first.Get("data[PARAMS][USER_ID]"))
			}
		})
	}
}

func TestHistoryCanBeHidden(t *testing.T) {
	t.Parallel()
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
			portal, box := newMailboxPortal(t)
			_, err := portal.Say(t.Context(), anna, imbot.ChatDialog(team), "old")
			require.NoError(t, err)
			require.Equal(t, "true", post(t, portal, "imbot.chat.user.add", `{"CLIENT_ID":"one","CHAT_ID":1001,"USERS":[102,104]`+tt.hide+`}`))
			require.Equal(t, tt.access, box.take(t, portal)[0].Get("data[PARAMS][ACCESS_HISTORY]"))
			_, err = portal.Say(t.Context(), anna, imbot.ChatDialog(team), "new")
			require.NoError(t, err)
			require.Len(t, portal.Messages(boris, imbot.ChatDialog(team)), tt.sees)
			require.Len(t, portal.Messages(anna, imbot.ChatDialog(team)), 2)
		})
	}
}

func TestUnregisteredBotsAreGone(t *testing.T) {
	t.Parallel()
	portal, box := newMailboxPortal(t)
	require.Equal(t, "true", post(t, portal, "imbot.unregister", `{"CLIENT_ID":"one","BOT_ID":103}`))
	require.Equal(t, []string{"DELETE"}, names(box.take(t, portal)))
	_, err := portal.Say(t.Context(), anna, imbot.UserDialog(alpha), "hi")
	require.Error(t, err)
	_, err = portal.Say(t.Context(), anna, imbot.ChatDialog(team), "[user=103]Alpha[/user]")
	require.NoError(t, err)
	require.Empty(t, box.take(t, portal))
	require.Equal(t, "Alpha", portal.Name(alpha), "old messages keep their author")
}
