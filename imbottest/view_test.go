package imbottest_test

import (
	"fmt"
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

func TestUsers(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	post(t, portal, "imbot.register", `{"CLIENT_ID":"one","CODE":"third",`+bindings+`,"PROPERTIES":{"NAME":"Third","COLOR":"LIME","WORK_POSITION":"Helper"}}`)
	post(t, portal, "imbot.unregister", `{"CLIENT_ID":"two","BOT_ID":104}`)
	guest, _, err := portal.AddGuest(t.Context(), "Guest", alpha)
	require.Error(t, err, "alpha serves no open lines")
	require.Zero(t, guest)
	users := portal.Users()
	require.Len(t, users, 6)
	require.Equal(t, "Anna Ivanova", users[1].Name())
	require.False(t, users[1].Bot)
	require.NotEmpty(t, users[1].Color.Hex(), "people have a color, too")
	require.True(t, users[4].Bot)
	require.True(t, users[4].Gone)
	require.Equal(t, imbottest.User{ID: 105, FirstName: "Third", Position: "Helper", Color: imbot.ColorLime, Bot: true}, users[5])
	require.Equal(t, "true", post(t, portal, "imbot.update", `{"CLIENT_ID":"one","BOT_ID":105,"FIELDS":{"PROPERTIES":{"COLOR":"RED"}}}`))
	require.Equal(t, imbot.ColorRed, portal.Users()[5].Color)
}

func TestDialogs(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	require.Empty(t, portal.Dialogs(boris))
	require.Empty(t, portal.Dialogs(99))
	_, err := portal.Say(t.Context(), anna, "chat1001", "first")
	require.NoError(t, err)
	require.NoError(t, portal.Open(t.Context(), anna, beta))
	require.Equal(t, "true", post(t, portal, "imbot.chat.user.add", `{"CLIENT_ID":"one","CHAT_ID":1001,"USERS":[102],"HIDE_HISTORY":"Y"}`))
	require.Equal(t, "true", post(t, portal, "imbot.chat.setManager", `{"CLIENT_ID":"one","CHAT_ID":1001,"USER_ID":101}`))

	dialogs := portal.Dialogs(anna)
	require.Len(t, dialogs, 2)
	private, group := dialogs[0], dialogs[1]
	require.EqualValues(t, "104", private.ID, "the newest is the first")
	require.Equal(t, "Beta", private.Title)
	require.Equal(t, "private", private.Type)
	require.Nil(t, private.Last)
	require.Equal(t, imbottest.Dialog{
		ID: "chat1001", ChatID: team, Type: "chat", Title: "Team", Color: imbot.ColorMint, Owner: alpha,
		Managers: []imbot.ID{anna}, Members: []imbot.ID{alpha, anna, boris}, Messages: 1, Last: group.Last,
	}, group)
	require.Equal(t, "first", group.Last.Text)

	_, err = portal.Say(t.Context(), anna, "chat1001", "second")
	require.NoError(t, err)
	require.EqualValues(t, "chat1001", portal.Dialogs(anna)[0].ID)
	dialogs = portal.Dialogs(boris)
	require.Len(t, dialogs, 1)
	require.Equal(t, 1, dialogs[0].Messages, "history was hidden")
	require.EqualValues(t, "101", portal.Dialogs(beta)[0].ID, "the other side names it differently")
}

func TestHistory(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	for i := range 10 {
		_, err := portal.Say(t.Context(), anna, "chat1001", fmt.Sprint(i))
		require.NoError(t, err)
	}
	require.Equal(t, "true", post(t, portal, "imbot.chat.user.add", `{"CLIENT_ID":"one","CHAT_ID":1001,"USERS":[102],"HIDE_HISTORY":"Y"}`))
	_, err := portal.Say(t.Context(), anna, "chat1001", "last")
	require.NoError(t, err)
	for _, r := range []struct {
		says   string
		user   imbot.ID
		dialog imbot.DialogID
		before imbot.ID
		limit  int
		want   []string
	}{
		{"the newest ones", anna, "chat1001", 0, 3, []string{"8", "9", "last"}},
		{"the ones before", anna, "chat1001", 50009, 3, []string{"5", "6", "7"}},
		{"the beginning", anna, "chat1001", 50003, 5, []string{"0", "1"}},
		{"nothing before the first", anna, "chat1001", 50001, 5, nil},
		{"an id behind the end", anna, "chat1001", 99999, 1, []string{"last"}},
		{"no limit is nothing", anna, "chat1001", 0, 0, nil},
		{"a negative limit is nothing", anna, "chat1001", 0, -1, nil},
		{"what came before somebody is hidden", boris, "chat1001", 0, 50, []string{"last"}},
		{"what came before somebody is hidden from below, too", boris, "chat1001", 50005, 50, nil},
		{"a stranger sees nothing", beta, "chat1001", 0, 50, nil},
		{"no dialog", anna, "chat7", 0, 50, nil},
		{"no dialog name", anna, "x", 0, 50, nil},
	} {
		t.Run(r.says, func(t *testing.T) {
			var texts []string
			for _, m := range portal.History(r.user, r.dialog, r.before, r.limit) {
				texts = append(texts, m.Text)
			}
			require.Equal(t, r.want, texts)
		})
	}
}
