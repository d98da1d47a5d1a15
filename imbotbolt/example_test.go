package imbotbolt_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbotbolt"
	"github.com/imbot-go/imbot/imbottest"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// A bot that loses nothing to a restart: what the portal has been told is accepted is in the file.
func Example() {
	ctx := context.Background()
	dir, _ := os.MkdirTemp("", "")
	defer func() { _ = os.RemoveAll(dir) }()
	portal := imbottest.NewPortal()
	defer portal.Close()
	hook := portal.Webhook("a-long-random-secret")
	client, err := imbot.NewClient(hook, imbot.WithHTTPClient(portal.HTTPClient()))
	if err != nil {
		fmt.Println(err)
		return
	}

	db, err := imbotbolt.Open(filepath.Join(dir, "bot.db"), imbotbolt.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = db.Close() }()
	handler := &imbot.EventHandler{
		Verifier: hook.Verifier(),
		Inbox:    db.Inbox(),
		OnMessage: func(ctx context.Context, ev *imbot.MessageAddEvent) error {
			_, err := client.Message.Add(ctx, ev.Reply("You said: "+ev.Params.Message))
			return err
		},
	}

	bot, err := client.Bot.Register(ctx, imbot.BotRegisterRequest{
		Code: "echo", EventHandler: "https://bot.example.com/events", Properties: imbot.BotProperties{Name: "Echo"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	portal.Serve("https://bot.example.com/events", handler)
	answer, err := portal.Ask(ctx, portal.AddUser("Anna", "Ivanova"), imbot.UserDialog(bot), "hello")
	fmt.Println(answer.Plain(), err)
	fmt.Println("stored:", handler.Stats().Stored > 0, handler.Shutdown(ctx))
	// Output:
	// You said: hello <nil>
	// stored: true <nil>
}
