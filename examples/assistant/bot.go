package main

import (
	"context"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/bbcode"
)

// A model answers questions in Markdown, and takes its time.
type model interface {
	Answer(ctx context.Context, question string) (string, error)
}

// newBot registers a bot that passes questions on to a model, and returns its id
// and the handler for its events.
func newBot(ctx context.Context, m model, hook imbot.Webhook, handlerURL string, opts ...imbot.Option) (imbot.ID, *imbot.EventHandler, error) {
	client, err := imbot.NewClient(hook, opts...)
	if err != nil {
		return 0, nil, err
	}
	id, err := client.Bot.Register(ctx, imbot.BotRegisterRequest{
		Code:         "assistant",
		EventHandler: handlerURL,
		Properties:   imbot.BotProperties{Name: "Assistant", Color: imbot.ColorPurple},
	})
	if err != nil {
		return 0, nil, err
	}
	client = client.WithBot(id)
	return id, &imbot.EventHandler{
		Verifier: hook.Verifier(),
		OnMessage: func(ctx context.Context, ev *imbot.MessageAddEvent) error {
			stop := imbot.KeepTyping(ctx, client, ev.Params.DialogID) // renewed until the first part is sent
			defer stop()
			answer, err := m.Answer(ctx, ev.Text())
			if err != nil {
				_, err := client.Message.Add(ctx, ev.Reply("I cannot think right now. Please ask again later."))
				return err
			}
			for _, part := range bbcode.Split(bbcode.Markdown(answer)) {
				if _, err := client.Message.Add(ctx, ev.Reply(part)); err != nil {
					return err
				}
			}
			return nil
		},
	}, nil
}
