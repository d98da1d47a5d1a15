// Package nethttp is a bot before and after its port from net/http.
package nethttp

import (
	"context"

	"github.com/imbot-go/imbot"
)

// after finds or registers the same bot.
func after(ctx context.Context, hook imbot.Webhook, handlerURL string) (*imbot.EventHandler, error) {
	client, err := imbot.NewClient(hook)
	if err != nil {
		return nil, err
	}
	id, err := imbot.EnsureBot(ctx, client, imbot.BotRegisterRequest{
		Code: "echo", EventHandler: handlerURL, Properties: imbot.BotProperties{Name: "Echo"},
	})
	if err != nil {
		return nil, err
	}
	client = client.WithBot(id)
	return &imbot.EventHandler{
		Verifier: hook.Verifier(),
		OnMessage: func(ctx context.Context, ev *imbot.MessageAddEvent) error {
			_, err := client.Message.Add(ctx, ev.Reply("You said: "+ev.Text()))
			return err
		},
	}, nil
}
