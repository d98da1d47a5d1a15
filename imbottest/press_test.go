package imbottest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

// buttons are one of each kind, as a keyboard and as a menu.
const buttons = `[{"TEXT":"Echo","COMMAND":"echo","COMMAND_PARAMS":"hi"},{"TEXT":"Once","COMMAND":"echo","BLOCK":"Y"},` +
	`{"TEXT":"Gone","COMMAND":"gone"},{"TEXT":"Off","COMMAND":"echo","DISABLED":"Y"},` +
	`{"TEXT":"Send","ACTION":"SEND","ACTION_VALUE":"/echo sent"},{"TEXT":"Put","ACTION":"PUT","ACTION_VALUE":"draft"},` +
	`{"TEXT":"Copy","ACTION":"COPY","ACTION_VALUE":"it"},{"TEXT":"Call","ACTION":"CALL","ACTION_VALUE":"+1"},` +
	`{"TEXT":"Dialog","ACTION":"DIALOG","ACTION_VALUE":"chat7"},{"TEXT":"Help","ACTION":"HELP","ACTION_VALUE":"me"},{"TEXT":"Link","LINK":"https://example.com/"},{"TEXT":"App","APP_ID":501}]`

func TestPress(t *testing.T) {
	menu := strings.ReplaceAll(buttons, `"TEXT":"`, `"TEXT":"<i>`)
	for _, tt := range []struct {
		says, dialog, text string
		want               string // what the event says, or the error
	}{
		{"a command", "chat1001", "Echo", "KEYBOARD 50001 701 hi /echo hi chat1001"},
		{"a command without parameters", "chat1001", "Once", "KEYBOARD 50001 701  /echo chat1001"},
		{"a command in a private dialog", "2", "Echo", "KEYBOARD 50001 701 hi /echo hi 2"},
		{"a command in the menu", "chat1001", "<i>Echo", "MENU 50001 701 hi /echo hi chat1001"},
		{"the person says something", "chat1001", "Send", "TEXTAREA 50002 701 sent /echo sent chat1001"},
		{"a command that the bot does not have", "chat1001", "Gone", `error: gives a command that its bot does not have here: "gone"`},
		{"a disabled button", "chat1001", "Off", "error: disabled"},
		{"text for the input field", "2", "Put", `error: puts "draft" into the input field`},
		{"a copy", "2", "Copy", `error: copies "it"`},
		{"a call", "2", "Call", "error: calls +1"},
		{"another dialog", "2", "Dialog", "error: opens the dialog chat7"},
		{"help", "2", "Help", `error: does HELP "me"`},
		{"a link", "2", "Link", "error: opens https://example.com/"},
		{"a chat application", "2", "App", "error: opens the chat application 501"},
		{"no such button", "2", "No", `error: no button "No"`},
	} {
		t.Run(tt.says, func(t *testing.T) {
			portal, box := newMailWorld(t)
			require.Equal(t, "50001", post(t, portal, "imbot.message.add",
				fmt.Sprintf(`{%s,"DIALOG_ID":%q,"MESSAGE":"choose","KEYBOARD":%s,"MENU":%s}`, me, tt.dialog, buttons, menu)))
			box.take(t, portal)

			err := portal.Press(t.Context(), anna, imbottest.Message{ID: 50001}, tt.text)
			if want, ok := strings.CutPrefix(tt.want, "error: "); ok {
				require.ErrorContains(t, err, want)
				require.Empty(t, box.take(t, portal))
				return
			}
			require.NoError(t, err)
			events := box.take(t, portal)
			require.Len(t, events, 1)
			var got []string
			for _, key := range []string{"COMMAND][701][COMMAND_CONTEXT", "COMMAND][701][MESSAGE_ID", "COMMAND][701][COMMAND_ID",
				"COMMAND][701][COMMAND_PARAMS", "PARAMS][MESSAGE", "PARAMS][DIALOG_ID"} {
				got = append(got, events[0].Get("data["+key+"]"))
			}
			require.Equal(t, tt.want, strings.Join(got, " "))
			require.Equal(t, "2", events[0].Get("data[PARAMS][FROM_USER_ID]"))
			require.Equal(t, "2", events[0].Get("data[USER][ID]"))
			if tt.dialog == "2" {
				require.Equal(t, "4", events[0].Get("data[PARAMS][TO_USER_ID]"))
			}
		})
	}
}

func TestAButtonSaysNothingWhereNobodyMayWrite(t *testing.T) {
	portal := newWorld(t)
	require.Equal(t, "50001", post(t, portal, "imbot.message.add", `{"CLIENT_ID":"one","DIALOG_ID":"chat1001","MESSAGE":"choose","KEYBOARD":`+buttons+`}`))
	require.NoError(t, portal.Restrict(team, "send"))
	require.ErrorContains(t, portal.Press(t.Context(), anna, imbottest.Message{ID: 50001}, "Send"), "nobody may write")
	require.Len(t, portal.Messages(anna, "chat1001"), 1)
}

func TestABlockedButtonWaitsForTheBot(t *testing.T) {
	portal, box := newMailWorld(t)
	once := imbottest.Message{ID: 50001}
	require.Equal(t, "50001", add(t, portal, "KEYBOARD", buttons))
	require.NoError(t, portal.Press(t.Context(), anna, once, "Once"))
	require.ErrorContains(t, portal.Press(t.Context(), anna, once, "Once"), "blocked")
	require.NoError(t, portal.Press(t.Context(), anna, once, "Echo"), "the others are not blocked")
	require.Equal(t, "true", post(t, portal, "imbot.message.update", `{`+mine+`,"KEYBOARD":`+buttons+`}`))
	require.NoError(t, portal.Press(t.Context(), anna, once, "Once"))
	require.Len(t, box.take(t, portal), 3)
	require.Equal(t, "50002", post(t, portal, "imbot.command.answer", `{`+me+`,"COMMAND":"echo","MESSAGE_ID":50001,"MESSAGE":"x"}`))
}

// TestCommandsInConversation is a bot of the SDK that counts presses.
func TestCommandsInConversation(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	portal := imbottest.NewPortal()
	defer portal.Close()
	hook := portal.Webhook("a-long-random-client-id")
	client, err := imbot.NewClient(hook, imbot.WithHTTPClient(portal.HTTPClient()))
	require.NoError(t, err)
	bot, err := client.Bot.Register(ctx, imbot.BotRegisterRequest{Code: "c", EventHandler: eventURL, Properties: imbot.BotProperties{Name: "Counter"}})
	require.NoError(t, err)
	_, err = client.Command.Register(ctx, imbot.CommandRegisterRequest{
		BotID: bot, Command: "count", EventCommandAdd: eventURL, Lang: []imbot.CommandLang{{LanguageID: "en", Title: "Count"}},
	})
	require.NoError(t, err)
	keyboard := func(n int) *imbot.Keyboard {
		return &imbot.Keyboard{Rows: [][]imbot.Button{{{Text: fmt.Sprint("+", n), Block: imbot.Yes, Action: imbot.ActionCommand{Command: "count", Params: fmt.Sprint(n)}}}}}
	}
	handler := &imbot.EventHandler{
		Verifier: hook.Verifier(),
		OnCommand: func(ctx context.Context, ev *imbot.CommandAddEvent) error {
			command := ev.Commands[0]
			if command.CommandContext == "TEXTAREA" {
				answer := ev.Answer("0")
				answer.Keyboard = keyboard(1)
				_, err := client.Command.Answer(ctx, answer)
				return err
			}
			next := keyboard(len(command.CommandParams) + 1)
			return client.Message.Update(ctx, imbot.MessageUpdateRequest{BotID: bot, MessageID: command.MessageID, Message: &command.CommandParams, Keyboard: next})
		},
	}
	defer func() { require.NoError(t, handler.Shutdown(ctx)) }()
	portal.Serve(eventURL, handler)
	anna := portal.AddUser("Anna", "Ivanova")
	require.NoError(t, portal.Open(ctx, anna, bot))

	answer, err := portal.Ask(ctx, anna, imbot.UserDialog(bot), "/count")
	require.NoError(t, err)
	require.Equal(t, "0", answer.Text)
	require.Equal(t, imbot.ActionCommand{Command: "count", Params: "1"}, answer.Keyboard.Rows[0][0].Action)
	require.NoError(t, portal.Press(ctx, anna, answer, "+1"))
	require.NoError(t, portal.Idle(ctx))
	require.NoError(t, handler.Idle(ctx))
	now := portal.Messages(anna, imbot.UserDialog(bot))
	require.Len(t, now, 2)
	require.Equal(t, "1", now[1].Text)
	require.Equal(t, "+2", now[1].Keyboard.Rows[0][0].Text)
	require.Equal(t, "+1", answer.Keyboard.Rows[0][0].Text, "what was handed out stays")
	require.NoError(t, portal.Err())
}

func TestWhoHearsOfChanges(t *testing.T) {
	for _, tt := range []struct {
		says, dialog, text, edited string
		update, remove             int // events of each kind
	}{
		{"a private dialog's bot does", "4", "old", "new", 1, 1},
		{"a chat's bot does not", "chat1001", "old", "new", 0, 0},
		{"unless the new text mentions it", "chat1001", "old", "[user=4]A[/user] new", 1, 1},
		{"the old one does not count", "chat1001", "[user=4]A[/user] old", "new", 0, 0},
		{"commands in it are not given", "4", "old", "/echo", 1, 1},
	} {
		t.Run(tt.says, func(t *testing.T) {
			portal, box := newMailWorld(t)
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
				require.Equal(t, strings.TrimPrefix(tt.edited, "[user=4]A[/user] "), e.Get("data[PARAMS][MESSAGE]"))
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
	portal, box := newMailWorld(t)
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

func TestWhatPeopleCannotChange(t *testing.T) {
	portal := newWorld(t)
	ctx := t.Context()
	require.Equal(t, "50001", add(t, portal, "KEYBOARD", buttons))
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

	require.Equal(t, "true", post(t, portal, "imbot.chat.user.add", `{`+me+`,"CHAT_ID":1001,"USERS":[3],"HIDE_HISTORY":"Y"}`))
	require.ErrorContains(t, portal.Like(ctx, boris, bots), "sees no message", "it was before his time")

	done, cancel := context.WithCancel(ctx)
	cancel()
	require.ErrorIs(t, portal.Press(done, anna, bots, "Echo"), context.Canceled)
	portal.Close()
	require.ErrorContains(t, portal.Press(ctx, anna, bots, "Echo"), "closed")
}
