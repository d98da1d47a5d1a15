package imbottest_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/internal/phpform"
	"github.com/stretchr/testify/require"
)

const eventURL = "https://bot.example.com/events"

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
	portal := imbottest.NewPortal()
	defer portal.Close()
	bot, handler := newEcho(t, portal, eventURL, portal.HTTPClient())
	portal.Serve(eventURL, handler)
	converse(t, portal, bot)
}

func TestConversationInsideSynctest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal()
		defer portal.Close()
		bot, handler := newEcho(t, portal, eventURL, portal.HTTPClient())
		portal.Serve(eventURL, handler)
		converse(t, portal, bot)
	})
}
