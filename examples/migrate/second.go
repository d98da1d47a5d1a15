package main

import (
	"context"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbotv2"
)

// second is the same bot afterwards: it fetches its events, and needs no address.
type second struct {
	id     imbot.ID
	polled chan error // how Poll has ended
}

func startSecond(ctx context.Context, hook imbot.Webhook, opts ...imbot.Option) (*second, error) {
	client, err := imbotv2.NewClient(hook, opts...)
	if err != nil {
		return nil, err
	}
	bot, err := imbotv2.EnsureBot(ctx, client, imbotv2.BotRegisterRequest{
		Code: "helper", Properties: imbotv2.BotProperties{Name: "Helper"},
	})
	if err != nil {
		return nil, err
	}
	client = client.WithBot(bot.ID)
	s := &second{bot.ID, make(chan error, 1)}
	go func() {
		s.polled <- imbotv2.Poll(ctx, &imbotv2.EventHandler{
			OnMessage: func(ctx context.Context, ev *imbotv2.MessageAddEvent) error {
				_, err := client.Message.Send(ctx, ev.Reply("[b]second[/b] generation: "+ev.Text()))
				return err
			},
		}, client)
	}()
	return s, nil
}
