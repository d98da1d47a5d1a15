package openlines_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/openlines"
)

// newDesk returns a portal with a line of one operator, and a bot that serves open lines.
func newDesk(t *testing.T) (portal *imbottest.Portal, client *imbot.Client, line, bot, olga imbot.ID) {
	t.Helper()
	portal = imbottest.NewPortal()
	t.Cleanup(portal.Close)
	const handler = "https://bot.example.com/events"
	portal.Serve(handler, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	client, err := imbot.NewClient(portal.Webhook("a-long-random-client-id"), imbot.WithHTTPClient(portal.HTTPClient()), imbot.WithLimiter(nil))
	require.NoError(t, err)
	bot, err = client.Bot.Register(t.Context(), imbot.BotRegisterRequest{
		Code: "desk", Type: imbot.BotTypeOpenLine, EventHandler: handler, Properties: imbot.BotProperties{Name: "Desk"},
	})
	require.NoError(t, err)
	olga = portal.AddUser("Olga", "Orlova")
	return portal, client, portal.AddLine("Support", olga), bot, olga
}

func TestEnsureBotOnAPortal(t *testing.T) {
	t.Parallel()
	portal, client, line, bot, _ := newDesk(t)
	lines := openlines.New(client)
	for range 2 {
		require.NoError(t, openlines.EnsureBot(t.Context(), client, line, bot))
	}
	require.Len(t, portal.Calls("imopenlines.config.update"), 1, "the second time nothing changes")
	found, err := lines.Line.Get(t.Context(), openlines.LineGetRequest{LineID: line})
	require.NoError(t, err)
	require.Equal(t, openlines.WelcomeBot{Enable: imbot.Yes, BotID: bot, Join: "always", Time: 600e9, Left: "queue"}, found.WelcomeBot)
	guest, chat, err := portal.Visit(t.Context(), line, "Greta")
	require.NoError(t, err)
	require.Equal(t, bot, portal.Sessions(chat)[0].Owner)
	require.NotZero(t, guest)

	hook, err := portal.WebhookOf(portal.AddUser("Ivan", "Ivanov"), "a-long-random-client-id")
	require.NoError(t, err)
	ivan, err := imbot.NewClient(hook, imbot.WithHTTPClient(portal.HTTPClient()))
	require.NoError(t, err)
	require.NoError(t, openlines.EnsureBot(t.Context(), ivan, line, bot), "who may not change a line may look at it")
	require.ErrorIs(t, openlines.EnsureBot(t.Context(), ivan, line, bot+1), openlines.ErrConfigWrongUserPermission)
	require.ErrorIs(t, openlines.EnsureBot(t.Context(), client, line+1, bot), imbot.ErrNotFound)
	err = lines.Line.Update(t.Context(), openlines.LineUpdateRequest{LineID: line + 1, WelcomeBot: &found.WelcomeBot})
	require.ErrorIs(t, err, openlines.ErrNotChanged)
	require.NoError(t, portal.Err())
}

func TestAConversationOnAPortal(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	portal, client, line, bot, olga := newDesk(t)
	require.NoError(t, openlines.EnsureBot(ctx, client, line, bot))
	lines := openlines.New(client)
	guest, chat, err := portal.Visit(ctx, line, "Greta")
	require.NoError(t, err)
	first, err := portal.Say(ctx, guest, imbot.ChatDialog(chat), "hello")
	require.NoError(t, err)
	require.NoError(t, lines.Session.Send(ctx, openlines.SessionSendRequest{ChatID: chat, Message: "One moment"}))
	require.NoError(t, lines.Session.Send(ctx, openlines.SessionSendRequest{ChatID: chat, Greeting: imbot.Yes}))
	require.NoError(t, lines.Session.CallOperator(ctx, openlines.SessionCallOperatorRequest{ChatID: chat}))
	require.ErrorIs(t, lines.Session.CallOperator(ctx, openlines.SessionCallOperatorRequest{ChatID: chat}), openlines.ErrWrongChat)
	dialog, err := lines.Session.Get(ctx, openlines.SessionGetRequest{ChatID: chat})
	require.NoError(t, err)
	require.Zero(t, dialog.OwnerID, "no operator has answered")
	_, err = portal.Say(ctx, olga, imbot.ChatDialog(chat), "I am here")
	require.NoError(t, err)
	dialog, err = lines.Session.Get(ctx, openlines.SessionGetRequest{SessionID: dialog.OpenLine.SessionID})
	require.NoError(t, err)
	require.Equal(t, olga, dialog.OwnerID)
	require.Equal(t, line, dialog.OpenLine.LineID)
	whisper, err := portal.Whisper(ctx, olga, imbot.ChatDialog(chat), "what a guest")
	require.NoError(t, err)
	history, err := lines.Session.History(ctx, openlines.SessionHistoryRequest{ChatID: chat})
	require.NoError(t, err)
	require.Len(t, history, 5)
	require.Equal(t, openlines.Message{
		ID: first.ID, ChatID: chat, AuthorID: guest, Date: history[0].Date, Text: "hello", Raw: history[0].Raw,
	}, history[0])
	require.Equal(t, whisper.ID, history[4].ID)

	other := portal.AddLine("Sales", olga)
	require.NoError(t, lines.Session.Transfer(ctx, openlines.SessionTransferRequest{ChatID: chat, LineID: other}))
	require.Equal(t, other, portal.Sessions(chat)[0].LineID)
	require.NoError(t, lines.Session.Finish(ctx, openlines.SessionFinishRequest{ChatID: chat}))
	require.NoError(t, lines.Session.Finish(ctx, openlines.SessionFinishRequest{ChatID: chat + 1}), "true for chats that do not exist")
	_, err = portal.Say(ctx, guest, imbot.ChatDialog(chat), "one thing more")
	require.NoError(t, err)
	require.Equal(t, bot, portal.Sessions(chat)[1].Owner, "the bot of the first line has the next conversation")

	all, err := lines.Line.List(ctx, openlines.LineListRequest{Filter: map[string]any{"LINE_NAME": "Sales"}, Queue: imbot.Yes})
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Equal(t, other, all[0].ID)
	require.Equal(t, []imbot.ID{olga}, all[0].QueueIDs)
	require.NoError(t, portal.Err())
}
