package imbotv2_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/imbotv2"
)

// An application is installed while it is polled for, answers, and is uninstalled. Nothing is
// posted to its bot.
func TestAnApplicationWithoutAHandlerURLAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal()
		defer portal.Close()
		app := &imbot.OAuthApp{
			ClientID: "local.1", ClientSecret: "secret", Store: imbot.NewMemoryStore(), AuthServers: []string{portal.AuthServer()},
			Options: pollOptions(portal.HTTPClient().Transport),
			OnInstall: func(ctx context.Context, client *imbot.Client, _ imbot.Grant) error {
				_, err := imbotv2.EnsureBot(ctx, imbotv2.From(client), imbotv2.BotRegisterRequest{
					Code: "echo", Properties: imbotv2.BotProperties{Name: "Echo"},
				})
				return err
			},
		}
		h := &imbotv2.EventHandler{
			Logger: slog.New(slog.DiscardHandler),
			OnMessage: func(ctx context.Context, ev *imbotv2.MessageAddEvent) error {
				client, err := imbotv2.ForEvent(ctx, app, ev)
				if err == nil {
					_, err = client.Message.Send(ctx, ev.Reply("You said: "+ev.Text()))
				}
				return err
			},
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- imbotv2.PollApp(ctx, app, h) }()

		time.Sleep(time.Minute)
		portal.Serve("https://bot.example.com/install", app.InstallPage())
		installed := portal.Application("local.1", "secret")
		_, err := installed.OpenPage(t.Context(), imbottest.Admin, "https://bot.example.com/install")
		require.NoError(t, err)
		bot, err := portal.WaitBot(t.Context(), "echo")
		require.NoError(t, err)
		answer, err := portal.Ask(t.Context(), portal.AddUser("Anna", "Ivanova"), imbot.UserDialog(bot), "hello")
		require.NoError(t, err)
		require.Equal(t, "You said: hello", answer.Plain())

		installed.ExpireTokens()
		answer, err = portal.Ask(t.Context(), portal.AddUser("Boris", "Ivanov"), imbot.UserDialog(bot), "hello again")
		require.NoError(t, err)
		require.Equal(t, "You said: hello again", answer.Plain())
		cancel()
		require.NoError(t, <-done)
		require.Empty(t, portal.Queued(bot), "all is acknowledged")
		require.NoError(t, portal.Err())
	})
}
