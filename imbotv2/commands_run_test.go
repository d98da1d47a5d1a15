package imbotv2

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// given is the body of an event with a command; n tells it from others.
func given(dialog, command string, n int) string {
	return fmt.Sprintf("event=ONIMBOTV2COMMANDADD&data[bot][id]=5&data[user][id]=1&data[chat][dialogId]=%s&data[command][command]=%s&data[message][id]=%d", dialog, command, n)
}

func fetchedCommand(dialog imbot.DialogID, command string) *CommandAddEvent {
	return &CommandAddEvent{BotEvent: BotEvent{Bot: EventBot{ID: 5}, User: User{ID: 1}, Chat: Chat{DialogID: dialog}}, Command: CommandCall{Command: command}}
}

func TestCommandsRunByTheTable(t *testing.T) {
	t.Parallel()
	no := errors.New("no pizza")
	h := &EventHandler{Commands: SlashCommands{
		{Name: "Order", Run: func(_ context.Context, ev *CommandAddEvent) error { return no }},
		{Name: "idle"},
	}}
	require.ErrorIs(t, h.Handle(t.Context(), fetchedCommand("27", "/order")), no)
	require.ErrorContains(t, h.Handle(t.Context(), fetchedCommand("27", "/pay")), `"/pay" is not in EventHandler.Commands`)
	var other []string
	h.OnCommand = func(_ context.Context, ev *CommandAddEvent) error {
		other = append(other, ev.Command.Command)
		return nil
	}
	for _, name := range []string{"/pay", "/idle"} {
		require.NoError(t, h.Handle(t.Context(), fetchedCommand("27", name)))
	}
	require.Equal(t, []string{"/pay", "/idle"}, other)
}

func TestACommandThatInterruptsIsAStopButton(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"posted", "fetched"} {
		synctest.Test(t, func(t *testing.T) {
			start, seen := time.Now(), make(chan time.Duration, 1)
			var took time.Duration
			h := &EventHandler{
				Verifier: imbot.Webhook{BotToken: "token"}.Verifier(), Workers: 1,
				OnError: func(_ context.Context, _ imbot.Event, err error) { t.Error(err) },
				OnMessage: func(ctx context.Context, _ *MessageAddEvent) error {
					select {
					case <-ctx.Done():
					case <-time.After(time.Minute):
					}
					took = time.Since(start)
					return ctx.Err()
				},
				Commands: SlashCommands{
					{Name: "stop", Interrupts: true},
					{Name: "state", Beside: true, Run: func(context.Context, *CommandAddEvent) error {
						seen <- time.Since(start)
						return nil
					}},
				},
			}
			give := func(n int, dialog imbot.DialogID, command string) {
				if way == "posted" {
					postedTo(t, h, given(string(dialog), command, n))
				} else {
					ok, err := h.push(botKey{id: 5}, 1, fetchedCommand(dialog, command), func() {})
					require.True(t, ok)
					require.NoError(t, err)
				}
				synctest.Wait()
			}
			if way == "posted" {
				postedTo(t, h, "event=ONIMBOTV2MESSAGEADD&data[bot][id]=5&data[message][id]=2&data[message][text]=question&data[chat][dialogId]=27&data[user][id]=1")
			} else {
				question := &MessageAddEvent{BotEvent: BotEvent{Bot: EventBot{ID: 5}, User: User{ID: 1}, Chat: Chat{DialogID: "27"}}}
				_, err := h.push(botKey{id: 5}, 1, question, func() {})
				require.NoError(t, err)
			}
			time.Sleep(5 * time.Second)
			give(3, "28", "/stop")
			give(4, "27", "/state")
			require.Equal(t, 5*time.Second, <-seen, way)
			require.Zero(t, took, "another dialog's Stop ends nothing")
			give(5, "27", "/Stop")
			require.NoError(t, h.Shutdown(t.Context()))
			require.Equal(t, 5*time.Second, took, way)
			require.Zero(t, h.Stats().Failed)
		})
	}
}
