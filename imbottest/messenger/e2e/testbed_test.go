package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/imbottest/messenger"
)

// clientID is a secret that the page must never show.
const clientID = "e2e-client-id-that-nobody-may-see"

// A testbed is a portal, a bot and the messenger, on loopback addresses.
type testbed struct {
	portal *imbottest.Portal
	client *imbot.Client // acts as the bot
	bot    imbot.ID
	anna   imbot.ID
	url    string // of the page
}

func newTestbed(t *testing.T) *testbed {
	t.Helper()
	portal := imbottest.NewPortal()
	t.Cleanup(portal.Close)
	portal.Mount(messenger.Handler(portal))
	require.NoError(t, portal.Listen("127.0.0.1:0"))
	s := &testbed{portal: portal, anna: portal.AddUser("Anna", "Ivanova"), url: strings.TrimSuffix(portal.Endpoint(), "rest/")}

	hook := portal.Webhook(clientID)
	client, err := imbot.NewClient(hook, imbot.WithLimiter(nil))
	require.NoError(t, err)
	handler := &imbot.EventHandler{
		Verifier:  hook.Verifier(),
		Logger:    slog.New(slog.NewTextHandler(t.Output(), nil)), // is shown when the test fails
		Claims:    forgetful{},
		OnMessage: s.onMessage,
		OnCommand: s.onCommand,
	}
	events := httptest.NewServer(handler)
	t.Cleanup(func() {
		events.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(t, handler.Shutdown(ctx))
	})
	s.bot, err = client.Bot.Register(t.Context(), imbot.BotRegisterRequest{
		Code: "dice", EventHandler: events.URL, Properties: imbot.BotProperties{Name: "Dice", Color: imbot.ColorMint},
	})
	require.NoError(t, err)
	s.client = client.WithBot(s.bot)
	for _, c := range []imbot.CommandRegisterRequest{
		{Command: "roll", Lang: []imbot.CommandLang{{LanguageID: "en", Title: "Roll a die", Params: "sides"}}},
		{Command: "rules", Lang: []imbot.CommandLang{{LanguageID: "en", Title: "Show the rules"}}},
		{Command: "press", Hidden: imbot.Yes, Lang: []imbot.CommandLang{{LanguageID: "en", Title: "Press"}}},
	} {
		c.EventCommandAdd = events.URL
		_, err := s.client.Command.Register(t.Context(), c)
		require.NoError(t, err)
	}

	return s
}

// served serves a handler on a loopback address until the test ends.
func served(t *testing.T, handler http.Handler) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(func() {
		server.CloseClientConnections() // Close waits for connections, and streams never end by themselves
		server.Close()
	})
	return server
}

// forgetful remembers no event, so that the bot takes a replayed event for a new one.
type forgetful struct{}

func (forgetful) Claim(context.Context, string) (bool, error) { return true, nil }
func (forgetful) Release(context.Context, string) error       { return nil }

// onMessage answers with what was said, and a button.
func (s *testbed) onMessage(ctx context.Context, ev *imbot.MessageAddEvent) error {
	answer := ev.Reply("You said: " + ev.Text())
	answer.Keyboard = &imbot.Keyboard{Rows: [][]imbot.Button{{
		{Text: "Press me", Action: imbot.ActionCommand{Command: "press", Params: "once"}, BGColorToken: imbot.ColorTokenPrimary},
	}}}
	_, err := s.client.Message.Add(ctx, answer)
	return err
}

// onCommand changes the message whose button was pressed, and answers other commands.
func (s *testbed) onCommand(ctx context.Context, ev *imbot.CommandAddEvent) error {
	for _, c := range ev.Commands {
		if c.Command == "press" {
			text := "Pressed " + c.CommandParams
			return s.client.Message.Update(ctx, imbot.MessageUpdateRequest{MessageID: c.MessageID, Message: &text})
		}
		if _, err := s.client.Command.Answer(ctx, c.Answer(fmt.Sprintf("%s with %q", c.Command, c.CommandParams))); err != nil {
			return err
		}
	}
	return nil
}

// dialog returns the selector of a dialog in the list.
func dialog(id imbot.DialogID) string { return fmt.Sprintf(`[data-dialog="%s"]`, id) }
