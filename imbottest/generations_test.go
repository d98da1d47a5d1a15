package imbottest_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

// The tests of this file are about bots of both generations on one portal.

func TestGenerationsSeeEachOthersBots(t *testing.T) {
	t.Parallel()
	portal := newV2Portal(t)
	old := callBot(t, portal, "get", `"botToken":"one","code":"alpha"`)
	require.Equal(t, "103 webhook", old.Bot.ID.String()+" "+old.Bot.EventMode, "its secret owns it in both")
	require.Equal(t, old.Bot, callBot(t, portal, "register", `"fields":{"botToken":"one","code":"alpha","properties":{"name":"New"}}`).Bot)
	require.Contains(t, post(t, portal, "imbot.bot.list", `{}`), `"105":{"ID":105,"NAME":"Gamma","CODE":"gamma"`)
	require.Equal(t, `"105"`, post(t, portal, "imbot.register", `{"CLIENT_ID":"three","CODE":"gamma",`+bindings+`,"PROPERTIES":{"NAME":"X"}}`))
	require.Equal(t, "400 FETCH_NOT_SUPPORTED", post(t, portal, "imbot.update", `{"CLIENT_ID":"three","BOT_ID":105,"FIELDS":{"CODE":"x"}}`))
	require.Equal(t, "50003", post(t, portal, "imbot.message.add", `{"CLIENT_ID":"three","BOT_ID":105,"DIALOG_ID":"chat1002","MESSAGE":"x"}`))
	require.Equal(t, `{"result":true}`, post(t, portal, "imbot.v2.Chat.Message.update", `{`+asGamma+`,"messageId":50003,"fields":{"message":"y"}}`))
	require.Equal(t, "true", post(t, portal, "imbot.message.update", `{"CLIENT_ID":"three","BOT_ID":105,"MESSAGE_ID":50003,"MESSAGE":"z"}`))
	require.Contains(t, post(t, portal, "imbot.v2.Command.list", `{"botToken":"one","botId":103}`), `"/echo"`)
	require.Equal(t, "true", post(t, portal, "imbot.command.unregister", `{"CLIENT_ID":"three","COMMAND_ID":702}`))
	require.Empty(t, commandsOf(t, portal))
	require.Equal(t, "true", post(t, portal, "imbot.unregister", `{"CLIENT_ID":"three","BOT_ID":105}`))
	require.Equal(t, "400 BOT_NOT_FOUND", post(t, portal, "imbot.v2.Event.get", `{`+asGamma+`}`))
}

// TestEachBotHearsInItsOwnForm has a message with mentions of both bots, and one for each.
func TestEachBotHearsInItsOwnForm(t *testing.T) {
	t.Parallel()
	portal, box := newV2Portal(t), &mailbox{}
	require.NoError(t, portal.Idle(t.Context()))
	portal.Serve(eventURL, box)
	both := imbot.ChatDialog(portal.AddChat("Both", anna, alpha, gamma))
	box.take(t, portal)
	for _, tt := range []struct {
		text         string
		posted, kept []string
	}{
		{"[USER=103]Alpha[/USER] [USER=105]Gamma[/USER] hi", []string{"MESSAGEADD"}, []string{"MESSAGEADD"}},
		{"[USER=103]Alpha[/USER] hi", []string{"MESSAGEADD"}, nil},
		{"[USER=105]Gamma[/USER] hi", nil, []string{"MESSAGEADD"}},
		{"/echo a", []string{"ONIMCOMMANDADD"}, nil},
		{"/help a", nil, []string{"COMMANDADD"}},
		{"nobody", nil, nil},
	} {
		clear(t, portal)
		_, err := portal.Say(t.Context(), anna, both, tt.text)
		require.NoError(t, err)
		require.Equal(t, tt.posted, names(box.take(t, portal)), tt.text)
		require.Equal(t, tt.kept, fetch(t, portal, "").names(), tt.text)
	}
	require.NoError(t, portal.Err())
}

func TestABotMovesToTheSecondGeneration(t *testing.T) {
	t.Parallel()
	portal, box := newMailboxPortal(t)
	greet := func() ([]url.Values, []string) {
		_, err := portal.Say(t.Context(), anna, imbot.UserDialog(alpha), "hi")
		require.NoError(t, err)
		kept := []string{}
		for _, e := range portal.Queued(alpha) {
			kept = append(kept, strings.TrimPrefix(e.Name, "ONIMBOTV2"))
		}
		return box.take(t, portal), kept
	}
	posted, kept := greet()
	require.Equal(t, []string{"JOINCHAT", "MESSAGEADD"}, names(posted))
	require.Empty(t, kept)
	got := callBot(t, portal, "update", `"botToken":"one","botId":103,"fields":{"eventMode":"fetch"}`)
	require.Equal(t, "103 fetch", got.Bot.ID.String()+" "+got.Bot.EventMode)
	posted, kept = greet()
	require.Empty(t, posted)
	require.Equal(t, []string{"MESSAGEADD"}, kept, "the dialog is the same")
}

// TestCommandsOfBothGenerations is about an application whose bots have posts of both kinds.
func TestCommandsOfBothGenerations(t *testing.T) {
	t.Parallel()
	portal, box := newMailboxPortal(t)
	prepare(t, portal, `imbot.v2.Bot.register {"fields":{"botToken":"one","code":"gamma","eventMode":"webhook","webhookUrl":"`+eventURL+`","properties":{"name":"G"}}}`)
	prepare(t, portal, `imbot.v2.Command.register {"botToken":"one","botId":105,"fields":{"command":"help","hidden":true}}`)
	both := imbot.ChatDialog(portal.AddChat("Both", anna, alpha, gamma))
	box.take(t, portal)
	for text, want := range map[string]string{"/echo": "ONIMCOMMANDADD", "/help": "V2COMMANDADD"} {
		_, err := portal.Say(t.Context(), anna, both, text)
		require.NoError(t, err)
		require.Equal(t, []string{want}, names(box.take(t, portal)))
	}
}

// TestGroupsAreHeardByType says what bots of each type hear without being mentioned.
func TestGroupsAreHeardByType(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string][]string{
		"bot": {"JOINCHAT"}, "openline": {"JOINCHAT"},
		"supervisor": {"JOINCHAT", "MESSAGEADD", "MESSAGEUPDATE", "MESSAGEDELETE"},
		"personal":   {"JOINCHAT", "MESSAGEADD", "MESSAGEUPDATE", "MESSAGEDELETE"},
	} {
		t.Run(kind, func(t *testing.T) {
			portal := newPortal(t)
			person := portal.AddUser("Anna", "")
			prepare(t, portal, `imbot.v2.Bot.register {"fields":{"botToken":"t","code":"c","type":"`+kind+`","properties":{"name":"B"}}}`)
			m, err := portal.Say(t.Context(), person, imbot.ChatDialog(portal.AddChat("Group", person, 102)), "hi")
			require.NoError(t, err)
			require.NoError(t, portal.Edit(t.Context(), person, m, "hello"))
			require.NoError(t, portal.Delete(t.Context(), person, m))
			got := fetchAs(t, portal, `"botToken":"t","botId":102`, "")
			require.Equal(t, want, got.names())
		})
	}
}

func TestBatchesOfBothGenerations(t *testing.T) {
	t.Parallel()
	const batch = `{"cmd":{"old":"imbot.message.add?CLIENT_ID=three&BOT_ID=105&DIALOG_ID=chat1002&MESSAGE=a",` +
		`"new":"imbot.v2.Chat.Message.send?botToken=three&botId=105&dialogId=chat1002&fields[message]=b","queue":"imbot.v2.Event.get?botToken=three&botId=105"}}`
	got := post(t, newV2Portal(t), "batch", batch)
	for _, part := range []string{`"old":50003`, `"new":{"id":50004,"uuidMap":[]}`, `"queue":{"events":[`, `"result_error":[]`} {
		require.Contains(t, got, part)
	}
	portal := newPortal(t, imbottest.WithOther(imbottest.DoubtV2InBatch))
	require.EqualValues(t, 101, portal.AddUser("Anna", ""))
	register := `imbot.v2.Bot.register {"fields":{"botToken":"three","code":"gamma","properties":{"name":"Gamma"}}}`
	prepare(t, portal, register)
	got = post(t, portal, "batch", `{"cmd":{"old":"imbot.message.add?CLIENT_ID=three&BOT_ID=102&DIALOG_ID=101&MESSAGE=a","new":"imbot.v2.Event.get?botToken=three&botId=102"}}`)
	require.Contains(t, got, `"result":{"old":50001}`)
	require.Contains(t, got, `"new":{"error":"ERROR_BATCH_METHOD_NOT_ALLOWED"`)
	require.Contains(t, post(t, portal, "imbot.v2.Event.get", `{"botToken":"three","botId":102}`), `"events"`, "alone it is allowed")
}

// TestTokensOfBotsStayHidden looks for a token in all that the portal remembers.
func TestTokensOfBotsStayHidden(t *testing.T) {
	t.Parallel()
	const old, secret = "an-old-random-token", "a-long-random-token"
	portal := newPortal(t)
	portal.Serve(eventURL, &mailbox{})
	person := portal.AddUser("Anna", "")
	prepare(t, portal, `imbot.v2.Bot.register {"fields":{"botToken":"`+old+`","code":"c","eventMode":"webhook","webhookUrl":"`+eventURL+`","properties":{"name":"B"}}}`)
	prepare(t, portal, `imbot.v2.Bot.update {"botToken":"`+old+`","botId":102,"fields":{"botToken":"`+secret+`"}}`)
	prepare(t, portal, `imbot.v2.Bot.get {"BOT_TOKEN":"`+secret+`","botId":102}`)
	prepare(t, portal, `imbot.v2.Bot.get {"clientId":"`+secret+`","botId":102}`)
	require.Contains(t, post(t, portal, "batch", `{"cmd":["imbot.v2.Bot.get?botToken=`+secret+`&botId=102","imbot.v2.Bot.update?botToken=`+secret+`&botId=102&fields[botToken]=`+secret+`"]}`), `"result_error":[]`)
	require.Equal(t, "400 BOT_OWNERSHIP_ERROR", post(t, portal, "imbot.v2.Chat.get", `{"botToken":"`+old+`","botId":102,"dialogId":"1"}`))
	_, err := portal.Say(t.Context(), person, "102", "my token is "+secret)
	require.NoError(t, err)
	require.NoError(t, portal.Idle(t.Context()))
	shown := ""
	for _, call := range portal.Calls("") {
		shown += call.Method + string(call.Params) + "\n"
	}
	for _, x := range portal.Exchanges(0, 1000) {
		whole, ok := portal.Exchange(x.ID)
		require.True(t, ok)
		shown += whole.Name + whole.URL + whole.Sent + whole.Answer + whole.Error + "\n"
	}
	require.Contains(t, shown, "ONIMBOTV2MESSAGEADD")
	require.NotContains(t, shown, secret)
	require.NotContains(t, shown, old)
}
