package imbotv2_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/imbotv2"
	"github.com/imbot-go/imbot/internal/meminbox"
)

// The first process answers and dies before the event is marked as handled. The second one answers
// again, and the portal shows that answer once.
func TestAFetchedEventIsAcknowledgedWhenItIsStored(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal()
		defer portal.Close()
		client := register(t, portal, 1)[0]
		anna, server := portal.AddUser("Anna", "A"), meminbox.New()
		first := server.Open()
		var ids []int64
		answer := func(ctx context.Context, ev *imbotv2.MessageAddEvent) error {
			ids = append(ids, ev.EventID)
			_, err := client.Message.Send(ctx, ev.Reply("answer"))
			require.NoError(t, err)
			return nil
		}
		a := &imbotv2.EventHandler{Inbox: first, Logger: slog.New(slog.DiscardHandler), OnMessage: func(ctx context.Context, ev *imbotv2.MessageAddEvent) error {
			require.NoError(t, answer(ctx, ev))
			<-ctx.Done()
			return ctx.Err()
		}}
		ctx, stop := context.WithCancel(t.Context())
		polled := make(chan error)
		go func() { polled <- imbotv2.Poll(ctx, a, client) }()
		_, err := portal.Say(t.Context(), anna, imbot.UserDialog(client.BotID()), "hello")
		require.NoError(t, err)
		time.Sleep(15 * time.Second)
		require.Empty(t, portal.Queued(client.BotID()), "a callback that hangs holds no queue up")
		require.EqualValues(t, 2, a.Stats().Stored, "a first message is a chat that is joined, too")
		stop()
		require.NoError(t, <-polled, "what is stored is not waited for")
		first.Kill()

		b := &imbotv2.EventHandler{Inbox: server.Open(), OnMessage: func(ctx context.Context, ev *imbotv2.MessageAddEvent) error {
			require.True(t, imbot.Redelivered(ctx))
			return answer(ctx, ev)
		}}
		working, end := context.WithCancel(t.Context())
		go func() { _ = b.Run(working) }()
		synctest.Wait()
		require.NoError(t, b.Idle(t.Context()))
		require.Len(t, ids, 2)
		require.Equal(t, ids[0], ids[1])
		require.NotZero(t, ids[0])
		answers := 0
		for _, m := range portal.Messages(anna, imbot.UserDialog(client.BotID())) {
			if m.Text == "answer" {
				answers++
			}
		}
		require.Equal(t, 1, answers)
		end()
		require.NoError(t, b.Shutdown(t.Context()))
		over, cancel := context.WithCancel(t.Context())
		cancel()
		_ = a.Shutdown(over)
	})
}

func TestFetchedEventsStayWithThePortalWhileTheInboxIsAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal()
		defer portal.Close()
		client := register(t, portal, 1)[0]
		anna, server := portal.AddUser("Anna", "A"), meminbox.New()
		var heard []string
		h := &imbotv2.EventHandler{
			Inbox: server.Open(), Logger: slog.New(slog.DiscardHandler), Commands: imbotv2.SlashCommands{{Name: "stop", Beside: true, Run: func(context.Context, *imbotv2.CommandAddEvent) error { return nil }}},
			OnMessage: func(_ context.Context, ev *imbotv2.MessageAddEvent) error {
				heard = append(heard, ev.Text())
				return nil
			},
		}
		server.Fail(errors.New("away"))
		ctx, stop := context.WithCancel(t.Context())
		polled := make(chan error)
		go func() { polled <- imbotv2.Poll(ctx, h, client) }()
		for _, text := range []string{"one", "two", "three"} {
			_, err := portal.Say(t.Context(), anna, imbot.UserDialog(client.BotID()), text)
			require.NoError(t, err)
		}
		time.Sleep(time.Minute)
		require.Len(t, portal.Queued(client.BotID()), 4, "the first message is a chat that is joined, too")
		require.Empty(t, heard)
		require.True(t, h.Degraded())
		soon, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, h.Idle(soon), context.DeadlineExceeded, "they are about to be stored")
		server.Fail(nil)
		require.NoError(t, h.Idle(t.Context()))
		time.Sleep(time.Minute)
		require.Empty(t, portal.Queued(client.BotID()))
		require.Equal(t, []string{"one", "two", "three"}, heard)
		require.False(t, h.Degraded())
		s := h.Stats()
		require.EqualValues(t, 4, s.Accepted)
		require.EqualValues(t, 4, s.Handled)
		require.Positive(t, s.StoreErrors)
		stop()
		require.NoError(t, <-polled)
		require.NoError(t, h.Shutdown(t.Context()))
	})
}
