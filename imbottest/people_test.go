package imbottest_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

func TestWhatPeopleCannotDo(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	ctx := t.Context()
	say := func(user imbot.ID, dialog imbot.DialogID, text string) error {
		_, err := portal.Say(ctx, user, dialog, text)
		return err
	}
	require.ErrorContains(t, say(99, "103", "x"), "no user 99")
	require.ErrorContains(t, say(alpha, "101", "x"), "is a bot")
	require.ErrorContains(t, say(anna, "103", " \n"), "empty")
	require.ErrorContains(t, say(anna, "99", "x"), "no dialog with user 99")
	require.ErrorContains(t, say(anna, "101", "x"), "no dialog with user 101")
	require.ErrorContains(t, say(anna, "chat9", "x"), `no dialog "chat9"`)
	require.ErrorContains(t, say(anna, "nonsense", "x"), `no dialog "nonsense"`)
	require.ErrorContains(t, say(boris, "chat1001", "x"), "not a member")
	require.ErrorContains(t, portal.Invite(ctx, boris, team, boris), "not a member")
	require.ErrorContains(t, portal.Invite(ctx, anna, team, 99), "exist")
	require.ErrorContains(t, portal.Kick(ctx, anna, team, alpha), "may not")
	require.ErrorContains(t, portal.Kick(ctx, anna, team, boris), "not a member")
	require.NoError(t, portal.Kick(ctx, anna, team, anna))
	require.Nil(t, portal.Messages(anna, "chat1001"))
	require.Nil(t, portal.Messages(anna, "103"))
	require.Empty(t, portal.Name(99))
	require.Equal(t, "Anna Ivanova", portal.Name(anna))
	require.NoError(t, portal.Err())
}

func TestWhatPeopleCannotChange(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	ctx := t.Context()
	require.Equal(t, "50001", addWith(t, portal, "KEYBOARD", buttons))
	bots := imbottest.Message{ID: 50001}
	own, err := portal.Say(ctx, anna, imbot.ChatDialog(team), "hi")
	require.NoError(t, err)
	for _, user := range []imbot.ID{anna, boris, alpha} {
		require.Error(t, portal.Edit(ctx, user, bots, "x"))
		require.Error(t, portal.Delete(ctx, user, bots))
	}
	require.ErrorContains(t, portal.Press(ctx, boris, bots, "Echo"), "sees no message 50001")
	require.ErrorContains(t, portal.Like(ctx, boris, bots), "sees no message 50001")
	require.ErrorContains(t, portal.Like(ctx, alpha, bots), "is a bot")
	require.ErrorContains(t, portal.Edit(ctx, anna, imbottest.Message{ID: 9}, "x"), "sees no message 9")
	require.ErrorContains(t, portal.Edit(ctx, anna, own, "\n"), "use Delete")
	require.ErrorContains(t, portal.Edit(ctx, anna, bots, "x"), "may not change")
	require.NoError(t, portal.Delete(ctx, anna, own))
	require.ErrorContains(t, portal.Delete(ctx, anna, own), "may not delete")

	require.Equal(t, "true", post(t, portal, "imbot.chat.user.add", `{`+me+`,"CHAT_ID":1001,"USERS":[102],"HIDE_HISTORY":"Y"}`))
	require.ErrorContains(t, portal.Like(ctx, boris, bots), "sees no message", "it was before his time")

	done, cancel := context.WithCancel(ctx)
	cancel()
	require.ErrorIs(t, portal.Press(done, anna, bots, "Echo"), context.Canceled)
	portal.Close()
	require.ErrorContains(t, portal.Press(ctx, anna, bots, "Echo"), "closed")
}

func TestOpenChatsAreOpen(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	require.Equal(t, "1002", post(t, portal, "imbot.chat.add", `{"CLIENT_ID":"one","TYPE":"OPEN","MESSAGE":"welcome"}`))
	require.Len(t, portal.Messages(boris, imbot.ChatDialog(1002)), 1)
	_, err := portal.Say(t.Context(), boris, imbot.ChatDialog(1002), "hi")
	require.NoError(t, err)
	require.Equal(t, "[103,102]", post(t, portal, "imbot.chat.user.list", `{"CLIENT_ID":"one","CHAT_ID":1002}`))
}

func TestLongMessagesOfPeopleAreCut(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	m, err := portal.Say(t.Context(), anna, imbot.ChatDialog(team), strings.Repeat("x", 20007))
	require.NoError(t, err)
	require.Len(t, m.Text, 20000+len(" (...)"))
	require.EqualValues(t, team, m.ChatID)
}

func TestAskEndsByItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal()
		defer portal.Close()
		bot := registerBot(t, portal)
		portal.Serve(eventURL, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		start := time.Now()
		_, err := portal.Ask(t.Context(), portal.AddUser("Anna", "Ivanova"), imbot.UserDialog(bot), "hello")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Minute, time.Since(start))
	})
}

func TestAskEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal()
		defer portal.Close()
		bot, _ := newEcho(t, portal, eventURL, portal.HTTPClient())
		portal.Serve(eventURL, http.NotFoundHandler())
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		_, err := portal.Ask(ctx, portal.AddUser("Anna", "Ivanova"), imbot.UserDialog(bot), "hello")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "ONIMBOTMESSAGEADD: "+eventURL+" answered 404", "the reason")
		require.Equal(t, time.Minute, time.Since(start))
		_, err = portal.Say(ctx, 101, imbot.UserDialog(bot), "hello")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, portal.Open(ctx, 101, bot), context.DeadlineExceeded)
		require.ErrorIs(t, portal.Invite(ctx, 101, 1), context.DeadlineExceeded)
	})
}
