package main

import (
	"context"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbotv2"
)

// run finds or registers a bot that repeats what people write to it, and answers
// until ctx ends.
func run(ctx context.Context, hook imbot.Webhook, opts ...imbot.Option) error {
	client, err := imbotv2.NewClient(hook, opts...)
	if err != nil {
		return err
	}
	bot, err := imbotv2.EnsureBot(ctx, client, imbotv2.BotRegisterRequest{
		Code: "echo", Properties: imbotv2.BotProperties{Name: "Echo", Color: imbot.ColorMint},
	})
	if err != nil {
		return err
	}
	client = client.WithBot(bot.ID)
	return imbotv2.Poll(ctx, &imbotv2.EventHandler{
		OnMessage: func(ctx context.Context, ev *imbotv2.MessageAddEvent) error {
			_, err := client.Message.Send(ctx, ev.Reply("You said: "+ev.Text()))
			return err
		},
	}, client)
}
