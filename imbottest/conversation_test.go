package imbottest_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/internal/phpform"
	"github.com/stretchr/testify/require"
)

// echo is a bot that repeats what people write.
type echo struct {
	client *imbot.Client
}

func (e *echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := make([]byte, r.ContentLength)
	_, _ = r.Body.Read(body)
	form, err := phpform.Parse(body)
	if err != nil || form.Get("event") != "ONIMBOTMESSAGEADD" {
		return
	}
	params := form.At("data", "PARAMS")
	_, err = e.client.Message.Add(r.Context(), imbot.MessageAddRequest{
		DialogID: imbot.DialogID(params.Get("DIALOG_ID")), Message: "you said: " + params.Get("MESSAGE"),
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// newEcho registers the bot and returns its id.
func newEcho(t *testing.T, portal *imbottest.Portal, url string, httpClient *http.Client) (imbot.ID, *echo) {
	t.Helper()
	client, err := imbot.NewClient(portal.Webhook("a-long-random-client-id"), imbot.WithHTTPClient(httpClient))
	require.NoError(t, err)
	id, err := client.Bot.Register(t.Context(), imbot.BotRegisterRequest{
		Code: "echo", EventHandler: url, Properties: imbot.BotProperties{Name: "Echo"},
	})
	require.NoError(t, err)
	return id, &echo{client: client}
}

func converse(t *testing.T, portal *imbottest.Portal, bot imbot.ID) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	anna, boris := portal.AddUser("Anna", "Ivanova"), portal.AddUser("Boris", "Petrov")

	answer, err := portal.Ask(ctx, anna, imbot.UserDialog(bot), "hello")
	require.NoError(t, err)
	require.Equal(t, "you said: hello", answer.Text)
	require.Equal(t, bot, answer.AuthorID)

	chat := portal.AddChat("Team", anna, boris, bot)
	_, err = portal.Say(ctx, anna, imbot.ChatDialog(chat), "not for the bot")
	require.NoError(t, err)
	answer, err = portal.Ask(ctx, boris, imbot.ChatDialog(chat), fmt.Sprintf("[USER=%d]Echo[/USER] , are you there?", bot))
	require.NoError(t, err)
	require.Equal(t, "you said: , are you there?", answer.Text)
	require.NoError(t, portal.Idle(ctx))
	require.Len(t, portal.Messages(anna, imbot.ChatDialog(chat)), 3)
	require.NoError(t, portal.Err())
}

func TestConversationInMemory(t *testing.T) {
	t.Parallel()
	portal := imbottest.NewPortal()
	defer portal.Close()
	bot, handler := newEcho(t, portal, eventURL, portal.HTTPClient())
	portal.Serve(eventURL, handler)
	converse(t, portal, bot)
}

func TestConversationInsideSynctest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal()
		defer portal.Close()
		bot, handler := newEcho(t, portal, eventURL, portal.HTTPClient())
		portal.Serve(eventURL, handler)
		converse(t, portal, bot)
	})
}

func TestConversationOverLoopback(t *testing.T) {
	t.Parallel()
	portal := imbottest.NewPortal()
	defer portal.Close()
	require.NoError(t, portal.Listen("127.0.0.1:0"))
	require.Regexp(t, `^http://127\.0\.0\.1:\d+/rest/1/`, portal.Webhook("x").URL)

	var handler *echo // set before the first event
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	defer server.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	bot, h := newEcho(t, portal, server.URL+"/events", &http.Client{Transport: transport})
	handler = h
	converse(t, portal, bot)
}

// TestCommandsInConversation runs a bot of the SDK with a button: each press makes the
// number on it one higher.
func TestCommandsInConversation(t *testing.T) {
	t.Parallel()
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
		Logger:   slog.New(slog.NewTextHandler(t.Output(), nil)), // is shown when the test fails
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
