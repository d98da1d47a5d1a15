package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/imbotbolt"
	"github.com/imbot-go/imbot/imbotpg"
	"github.com/imbot-go/imbot/imbotv2"
)

// bot is one process of the bot, until ctx ends. That there are others makes two lines: the limiter
// and the Inbox are those of all.
//
// An event that another process had begun when it was killed is begun again here. The answer is a
// Reply, which the portal knows by its TemplateID, so nobody sees it twice.
func bot(ctx context.Context, out io.Writer) (err error) {
	shared, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, shared.close()) }()
	hook := imbot.Webhook{URL: os.Getenv("BITRIX24_WEBHOOK_URL"), BotToken: os.Getenv("BITRIX24_BOT_TOKEN")}
	client, err := imbotv2.NewClient(hook, imbot.WithLimiter(shared.limiter))
	if err != nil {
		return err
	}
	if _, err := imbotv2.EnsureBot(ctx, client, imbotv2.BotRegisterRequest{
		Code: "fleet", WebhookURL: os.Getenv("BOT_URL"), Properties: imbotv2.BotProperties{Name: "Fleet"},
	}); err != nil {
		return err
	}
	handler := &imbotv2.EventHandler{
		Verifier: hook.Verifier(), Inbox: shared.inbox, Workers: workers,
		OnMessage: func(ctx context.Context, ev *imbotv2.MessageAddEvent) error {
			fmt.Fprintln(out, begun, ev.Message.ID)
			if err := think(ctx); err != nil {
				return err
			}
			if _, err := client.Reply(ctx, ev, "You wrote: "+ev.Text()); err != nil {
				return err
			}
			fmt.Fprintln(out, answered, ev.Message.ID)
			return nil
		},
	}
	return imbot.Server{Addr: os.Getenv("BOT_ADDRESS"), Handler: handler, Drain: 10 * time.Second}.Run(ctx)
}

// think takes the time that a real bot needs for its answer.
func think(ctx context.Context) error {
	select {
	case <-time.After(thinking/2 + rand.N(thinking/2)):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// shared is what the processes have in common.
type shared struct {
	inbox   driver.Inbox
	limiter imbot.Limiter
	close   func() error
}

// open opens the database of BOT_POSTGRES, or else the file of BOT_FILE. What is stored there is
// encrypted with BOT_KEY.
func open(ctx context.Context) (shared, error) {
	key, err := hex.DecodeString(os.Getenv("BOT_KEY"))
	if err != nil {
		return shared{}, err
	}
	keys, err := imbot.NewKeyring(key)
	if err != nil {
		return shared{}, err
	}
	if dsn := os.Getenv("BOT_POSTGRES"); dsn != "" {
		db, err := imbotpg.Open(ctx, dsn, imbotpg.Options{Keys: keys})
		if err != nil {
			return shared{}, err
		}
		return shared{db.Inbox(), db.Limiter(rate, burst), db.Close}, nil
	}
	db, err := imbotbolt.Open(os.Getenv("BOT_FILE"), imbotbolt.Options{Keys: keys})
	if err != nil {
		return shared{}, err
	}
	return shared{db.Inbox(), imbot.NewLimiter(rate, burst), db.Close}, nil
}
