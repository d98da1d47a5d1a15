package main

import (
	"context"

	"github.com/imbot-go/imbot"
)

// newBot registers a bot that repeats what people write to it, and returns its
// id and the handler for its events.
func newBot(ctx context.Context, hook imbot.Webhook, handlerURL string, opts ...imbot.Option) (imbot.ID, *imbot.EventHandler, error) {
	client, err := imbot.NewClient(hook, opts...)
	if err != nil {
		return 0, nil, err
	}
	id, err := client.Bot.Register(ctx, imbot.BotRegisterRequest{
		Code:         "echo",
		EventHandler: handlerURL,
		Properties:   imbot.BotProperties{Name: "Echo", Color: imbot.ColorMint},
	})
	if err != nil {
		return 0, nil, err
	}
	return id, &imbot.EventHandler{
		Verifier: hook.Verifier(),
		OnMessage: func(ctx context.Context, ev *imbot.MessageAddEvent) error {
			_, err := client.Message.Add(ctx, ev.Reply("You said: "+ev.Text()))
			return err
		},
	}, nil
}
