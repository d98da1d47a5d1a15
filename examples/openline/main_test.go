package main

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

func TestDemoPrintsTheConversation(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, demo(t.Context(), &out))
	require.Equal(t, `Front desk   Welcome! What can I do for you?
Guest        Do you sell tea?
Front desk   Sorry, I know two things only:
Guest        Opening hours
Front desk   We are here from Monday to Friday, 9 to 17.
Guest        Operator
Front desk   One moment, an operator is coming.
Olga Orlova  Good morning, Olga here.
`, out.String())
}

func TestServeSaysWhichSettingIsMissing(t *testing.T) {
	t.Setenv("BITRIX24_WEBHOOK_URL", "https://portal.bitrix24.com/rest/1/secret/")
	t.Setenv("BITRIX24_CLIENT_ID", "")
	require.ErrorContains(t, serve(t.Context(), &bytes.Buffer{}), "BITRIX24_CLIENT_ID")
}

// newWorld is a portal with the bot, and what settles it.
func newWorld(t *testing.T) (portal *imbottest.Portal, bot imbot.ID, handler *imbot.EventHandler, settle func()) {
	t.Helper()
	const handlerURL = "https://bot.example.com/events"
	portal = imbottest.NewPortal()
	t.Cleanup(portal.Close)
	bot, handler, err := newDesk(t.Context(), portal.Webhook("a-long-random-client-id"), handlerURL, imbot.WithHTTPClient(portal.HTTPClient()))
	require.NoError(t, err)
	portal.Serve(handlerURL, handler)
	return portal, bot, handler, func() {
		t.Helper()
		require.NoError(t, portal.Idle(t.Context()))
		require.NoError(t, handler.Idle(t.Context()))
		require.NoError(t, portal.Err())
	}
}

func TestTheBotGreetsGuestsOnly(t *testing.T) {
	portal, bot, _, settle := newWorld(t)
	anna := portal.AddUser("Anna", "Ivanova")
	require.NoError(t, portal.Open(t.Context(), anna, bot))
	portal.AddChat("Lunch", anna, bot)
	settle()
	require.Empty(t, portal.Calls("imbot.message.add"))

	_, chat, err := portal.AddGuest(t.Context(), "Guest", bot)
	require.NoError(t, err)
	settle()
	calls := portal.Calls("imbot.message.add")
	require.Len(t, calls, 1)
	require.JSONEq(t, fmt.Sprintf(`{"BOT_ID":%d,"DIALOG_ID":"chat%d","MESSAGE":"Welcome! What can I do for you?","KEYBOARD":{"BUTTONS":[
		{"TEXT":"Opening hours","ACTION":"SEND","ACTION_VALUE":"Opening hours","DISPLAY":"LINE"},
		{"TEXT":"Operator","ACTION":"SEND","ACTION_VALUE":"Operator","DISPLAY":"LINE"}]}}`, bot, chat), string(calls[0].Params))
}

// An operator may come while the bot is still there, and so may a bot.
func TestTheBotIsSilentForAllButTheGuest(t *testing.T) {
	rows := map[string]struct {
		author imbot.ID
		user   imbot.EventUser
		speaks bool
	}{
		"the guest":                     {13, imbot.EventUser{ID: 13, IsConnector: imbot.Yes}, true},
		"an operator":                   {2, imbot.EventUser{ID: 2, IsConnector: imbot.No}, false},
		"another bot":                   {9, imbot.EventUser{ID: 9, IsBot: imbot.Yes}, false},
		"itself":                        {3, imbot.EventUser{}, false},
		"a bot that a guest's line has": {13, imbot.EventUser{ID: 13, IsConnector: imbot.Yes, IsBot: imbot.Yes}, false},
		"the system":                    {0, imbot.EventUser{}, false},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			portal, bot, handler, settle := newWorld(t)
			_, chat, err := portal.AddGuest(t.Context(), "Guest", bot)
			require.NoError(t, err)
			settle()
			before := len(portal.Calls("imbot.message.add"))
			author := row.author
			if name == "itself" {
				author = bot
			}
			require.NoError(t, handler.OnMessage(t.Context(), &imbot.MessageAddEvent{
				Bots: []imbot.EventBot{{BotID: bot}}, User: row.user,
				Params: imbot.MessageParams{Message: "hi", ChatType: "L", ChatEntityID: "x|1|y|13", FromUserID: author, DialogID: imbot.ChatDialog(chat)},
			}))
			require.Equal(t, row.speaks, len(portal.Calls("imbot.message.add")) > before)
		})
	}
}

func TestTheBotHandsOver(t *testing.T) {
	portal, bot, _, settle := newWorld(t)
	olga := portal.AddUser("Olga", "Orlova")
	guest, chat, err := portal.AddGuest(t.Context(), "Guest", bot, olga)
	require.NoError(t, err)
	settle()
	_, err = portal.Say(t.Context(), guest, imbot.ChatDialog(chat), " operator ")
	require.NoError(t, err)
	settle()
	require.Len(t, portal.Calls("imopenlines.bot.session.operator"), 1)
	said := len(portal.Messages(guest, imbot.ChatDialog(chat)))
	_, err = portal.Say(t.Context(), guest, imbot.ChatDialog(chat), "Are you there?")
	require.NoError(t, err)
	_, err = portal.Say(t.Context(), olga, imbot.ChatDialog(chat), "I am.")
	require.NoError(t, err)
	settle()
	require.Len(t, portal.Messages(olga, imbot.ChatDialog(chat)), said+2, "the bot has left")
}
