package main

import (
	"context"

	"github.com/imbot-go/imbot"
)

const handlerURL = "https://bot.example.com/events"

// first is the bot as it was: the portal posts its events.
type first struct {
	id      imbot.ID
	handler *imbot.EventHandler
}

func startFirst(ctx context.Context, hook imbot.Webhook, opts ...imbot.Option) (*first, error) {
	client, err := imbot.NewClient(hook, opts...)
	if err != nil {
		return nil, err
	}
	id, err := imbot.EnsureBot(ctx, client, imbot.BotRegisterRequest{
		Code: "helper", EventHandler: handlerURL, Properties: imbot.BotProperties{Name: "Helper"},
	})
	if err != nil {
		return nil, err
	}
	return &first{id, &imbot.EventHandler{
		Verifier: hook.Verifier(),
		OnMessage: func(ctx context.Context, ev *imbot.MessageAddEvent) error {
			_, err := client.Message.Add(ctx, ev.Reply("[b]first[/b] generation: "+ev.Params.Message))
			return err
		},
	}}, nil
}
