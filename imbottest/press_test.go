package imbottest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

// buttons has one button of each kind. It can be a keyboard or a menu.
const buttons = `[{"TEXT":"Echo","COMMAND":"echo","COMMAND_PARAMS":"hi"},{"TEXT":"Once","COMMAND":"echo","BLOCK":"Y"},` +
	`{"TEXT":"Gone","COMMAND":"gone"},{"TEXT":"Off","COMMAND":"echo","DISABLED":"Y"},` +
	`{"TEXT":"Send","ACTION":"SEND","ACTION_VALUE":"/echo sent"},{"TEXT":"Put","ACTION":"PUT","ACTION_VALUE":"draft"},` +
	`{"TEXT":"Copy","ACTION":"COPY","ACTION_VALUE":"it"},{"TEXT":"Call","ACTION":"CALL","ACTION_VALUE":"+1"},` +
	`{"TEXT":"Dialog","ACTION":"DIALOG","ACTION_VALUE":"chat7"},{"TEXT":"Help","ACTION":"HELP","ACTION_VALUE":"me"},{"TEXT":"Link","LINK":"https://example.com/?a&b"},{"TEXT":"App","APP_ID":501}]`

func TestPress(t *testing.T) {
	t.Parallel()
	menu := strings.ReplaceAll(buttons, `"TEXT":"`, `"TEXT":"<i>`)
	for _, tt := range []struct {
		says, dialog, text string
		want               string // values of the event, or "error: " and a part of the error
	}{
		{"a command", "chat1001", "Echo", "KEYBOARD 50001 701 hi /echo hi chat1001"},
		{"a command without parameters", "chat1001", "Once", "KEYBOARD 50001 701  /echo chat1001"},
		{"a command in a private dialog", "101", "Echo", "KEYBOARD 50001 701 hi /echo hi 101"},
		{"a command in the menu", "chat1001", "<i>Echo", "MENU 50001 701 hi /echo hi chat1001"},
		{"the person says something", "chat1001", "Send", "TEXTAREA 50002 701 sent /echo sent chat1001"},
		{"a command that the bot does not have", "chat1001", "Gone", `error: gives a command that its bot does not have here: "gone"`},
		{"a disabled button", "chat1001", "Off", "error: disabled"},
		{"text for the input field", "101", "Put", `error: puts "draft" into the input field`},
		{"a copy", "101", "Copy", `error: copies "it"`},
		{"a call", "101", "Call", "error: calls +1"},
		{"another dialog", "101", "Dialog", "error: opens the dialog chat7"},
		{"help", "101", "Help", `error: does HELP "me"`},
		{"a link", "101", "Link", "error: opens https://example.com/?a&b"},
		{"a chat application", "101", "App", "error: opens the chat application 501"},
		{"no such button", "101", "No", `error: no button "No"`},
	} {
		t.Run(tt.says, func(t *testing.T) {
			portal, box := newMailboxPortal(t)
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
			require.Equal(t, "101", events[0].Get("data[PARAMS][FROM_USER_ID]"))
			require.Equal(t, "101", events[0].Get("data[USER][ID]"))
			if tt.dialog == "101" {
				require.Equal(t, "103", events[0].Get("data[PARAMS][TO_USER_ID]"))
			}
		})
	}
}

func TestAButtonSaysNothingWhereNobodyMayWrite(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	require.Equal(t, "50001", post(t, portal, "imbot.message.add", `{"CLIENT_ID":"one","DIALOG_ID":"chat1001","MESSAGE":"choose","KEYBOARD":`+buttons+`}`))
	require.NoError(t, portal.Restrict(team, "send"))
	require.ErrorContains(t, portal.Press(t.Context(), anna, imbottest.Message{ID: 50001}, "Send"), "nobody may write")
	require.Len(t, portal.Messages(anna, "chat1001"), 1)
}

func TestABlockedButtonWaitsForTheBot(t *testing.T) {
	t.Parallel()
	portal, box := newMailboxPortal(t)
	once := imbottest.Message{ID: 50001}
	require.Equal(t, "50001", addWith(t, portal, "KEYBOARD", buttons))
	require.NoError(t, portal.Press(t.Context(), anna, once, "Once"))
	require.ErrorContains(t, portal.Press(t.Context(), anna, once, "Once"), "blocked")
	require.NoError(t, portal.Press(t.Context(), anna, once, "Echo"), "the others are not blocked")
	require.Equal(t, "true", post(t, portal, "imbot.message.update", `{`+mine+`,"KEYBOARD":`+buttons+`}`))
	require.NoError(t, portal.Press(t.Context(), anna, once, "Once"))
	require.Len(t, box.take(t, portal), 3)
	require.Equal(t, "50002", post(t, portal, "imbot.command.answer", `{`+me+`,"COMMAND":"echo","MESSAGE_ID":50001,"MESSAGE":"x"}`))
}

func TestPressButton(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	require.Equal(t, "50001", post(t, portal, "imbot.message.add", equalButtons))
	m := portal.History(anna, "chat1001", 0, 1)[0]
	_, before, _ := m.Wire()
	for _, n := range []int{-1, 1, 3} {
		require.Error(t, portal.PressButton(t.Context(), anna, m, n))
		require.Error(t, portal.PressItem(t.Context(), anna, m, n))
	}
	require.Error(t, portal.PressButton(t.Context(), boris, m, 0), "not a member")
	require.NoError(t, portal.PressButton(t.Context(), anna, m, 2))
	require.NoError(t, portal.PressButton(t.Context(), anna, m, 0))
	require.NoError(t, portal.PressItem(t.Context(), anna, m, 0))
	require.ErrorContains(t, portal.PressButton(t.Context(), anna, m, 0), "blocked")
	require.NoError(t, portal.Idle(t.Context()))
	var given []string
	for _, x := range portal.Exchanges(0, 3) {
		full, ok := portal.Exchange(x.ID)
		require.True(t, ok)
		var sent struct {
			Data struct{ PARAMS struct{ MESSAGE string } }
		}
		require.NoError(t, json.Unmarshal([]byte(full.Sent), &sent))
		given = append(given, sent.Data.PARAMS.MESSAGE)
	}
	require.ElementsMatch(t, []string{"/echo 3", "/echo 1", "/echo 2"}, given)
	_, after, _ := m.Wire()
	require.Equal(t, string(before), string(after), "what was seen before does not change")
	_, now, _ := portal.History(anna, "chat1001", 0, 1)[0].Wire()
	require.Contains(t, string(now), `"WAIT":"Y"`)
}
