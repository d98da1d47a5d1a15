package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

func TestDemoPrintsTheConversation(t *testing.T) {
	for name, v2 := range map[string]bool{"first generation": false, "second generation": true} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			require.NoError(t, demo(t.Context(), &out, v2))
			require.Equal(t, conversation, out.String())
		})
	}
}

const conversation = `Front desk   Welcome! What can I do for you?
Guest        Do you sell tea?
Front desk   Sorry, I know two things only:
Guest        Opening hours
Front desk   We are here from Monday to Friday, 9 to 17.
Guest        Operator
Front desk   Gladly. What is your name?
Guest        Nadia
Front desk   Thank you, Nadia. An operator is coming.
Olga Orlova  Good morning, Nadia. Olga here.
The CRM has a lead of Nadia.
`

func TestServeSaysWhichSettingIsMissing(t *testing.T) {
	t.Setenv("BITRIX24_WEBHOOK_URL", "https://portal.bitrix24.com/rest/1/secret/")
	t.Setenv("BITRIX24_CLIENT_ID", "a-long-random-client-id")
	t.Setenv("BOT_EVENT_URL", "https://bot.example.com/events")
	t.Setenv("BITRIX24_LINE_ID", "main")
	require.ErrorContains(t, serve(t.Context(), &bytes.Buffer{}, false), "BITRIX24_LINE_ID")
}

// visited is an office with a guest who has been greeted.
func visited(t *testing.T, dir string) (o *office, guest imbot.ID, dialog imbot.DialogID) {
	t.Helper()
	o, err := newOffice(t.Context(), dir, false)
	require.NoError(t, err)
	t.Cleanup(o.portal.Close)
	guest, chat, err := o.portal.Visit(t.Context(), o.line, "Guest")
	require.NoError(t, err)
	require.NoError(t, o.settle(t.Context()))
	return o, guest, imbot.ChatDialog(chat)
}

func TestTheBotGreetsGuestsOnly(t *testing.T) {
	o, _, dialog := visited(t, filepath.Join(t.TempDir(), "states"))
	bot, err := o.portal.WaitBot(t.Context(), "desk")
	require.NoError(t, err)
	anna := o.portal.AddUser("Anna", "Ivanova")
	require.NoError(t, o.portal.Open(t.Context(), anna, bot))
	o.portal.AddChat("Lunch", anna, bot)
	require.NoError(t, o.settle(t.Context()))
	calls := o.portal.Calls("imbot.message.add")
	require.Len(t, calls, 1)
	require.JSONEq(t, fmt.Sprintf(`{"BOT_ID":%d,"DIALOG_ID":"%s","MESSAGE":"Welcome! What can I do for you?","KEYBOARD":{"BUTTONS":[
		{"TEXT":"Opening hours","ACTION":"SEND","ACTION_VALUE":"Opening hours","DISPLAY":"LINE"},
		{"TEXT":"Operator","ACTION":"SEND","ACTION_VALUE":"Operator","DISPLAY":"LINE"}]}}`, bot, dialog), string(calls[0].Params))
}

// An operator may come while the bot is still there, and so may a bot.
func TestTheBotIsSilentForAllButTheGuest(t *testing.T) {
	rows := map[string]struct {
		user    imbot.EventUser
		whisper string
		speaks  bool
	}{
		"the guest":                     {imbot.EventUser{ID: 13, IsConnector: imbot.Yes}, "", true},
		"an operator":                   {imbot.EventUser{ID: 2, IsConnector: imbot.No}, "", false},
		"a whisper":                     {imbot.EventUser{ID: 2, IsConnector: imbot.No}, "HiddenMessage", false},
		"another bot":                   {imbot.EventUser{ID: 9, IsBot: imbot.Yes}, "", false},
		"a bot that a guest's line has": {imbot.EventUser{ID: 13, IsConnector: imbot.Yes, IsBot: imbot.Yes}, "", false},
		"the system":                    {imbot.EventUser{}, "", false},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			o, _, dialog := visited(t, filepath.Join(t.TempDir(), "states"))
			before := len(o.portal.Calls("imbot.message.add"))
			require.NoError(t, o.bot.(*imbot.EventHandler).Handle(t.Context(), &imbot.MessageAddEvent{User: row.user, Params: imbot.MessageParams{
				Message: "hi", ChatType: "L", ChatEntityID: "x|1|y|13", FromUserID: row.user.ID, DialogID: dialog, ComponentID: row.whisper,
			}}))
			require.Equal(t, row.speaks, len(o.portal.Calls("imbot.message.add")) > before)
		})
	}
}

func TestTheBotHandsOverThoughItWasRestarted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "states")
	o, guest, dialog := visited(t, dir)
	require.NoError(t, o.say(t.Context(), guest, dialog, " operator "))
	require.NoError(t, o.settle(t.Context()))
	require.NoError(t, o.bot.Shutdown(t.Context()))
	require.NoError(t, o.start(t.Context(), dir))
	require.NoError(t, o.say(t.Context(), guest, dialog, "Nadia"))
	require.NoError(t, o.settle(t.Context()))
	require.Equal(t, []string{"Nadia"}, o.leads)
	require.Len(t, o.portal.Calls("imopenlines.bot.session.operator"), 1)
	said := len(o.portal.Messages(guest, dialog))
	require.NoError(t, o.say(t.Context(), guest, dialog, "Are you there?"))
	require.NoError(t, o.say(t.Context(), o.olga, dialog, "I am."))
	require.NoError(t, o.settle(t.Context()))
	require.Len(t, o.portal.Messages(o.olga, dialog), said+2, "the bot has left")
}

// Nobody is lost when the CRM is down: the guest says the name once more.
func TestTheBotAsksOnWhileTheCRMIsDown(t *testing.T) {
	o, guest, dialog := visited(t, filepath.Join(t.TempDir(), "states"))
	o.portal.Fail("crm.lead.add", imbottest.Fault{Status: 400, Body: `{"error":"ACCESS_DENIED"}`})
	for _, text := range []string{operator, "Nadia", "Nadia?"} {
		require.NoError(t, o.say(t.Context(), guest, dialog, text))
		require.NoError(t, o.settle(t.Context()))
	}
	require.Equal(t, []string{"Nadia?"}, o.leads)
}
