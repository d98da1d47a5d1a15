package main

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"github.com/imbot-go/imbot"
)

// A model answers a question in Markdown, a few words at a time.
type model func(ctx context.Context, question string, answer io.Writer) error

// serve runs the bot at addr, which the portal reaches as url, until ctx ends.
func serve(ctx context.Context, ask model, hook imbot.Webhook, url, addr string) error {
	bot, err := newBot(ctx, ask, hook, url)
	if err != nil {
		return err
	}
	return imbot.Serve(ctx, addr, bot)
}

// newBot finds or registers a bot that passes questions on to a model and shows its
// answer while it is written; a button stops it.
func newBot(ctx context.Context, ask model, hook imbot.Webhook, url string, opts ...imbot.Option) (*imbot.EventHandler, error) {
	client, err := imbot.NewClient(hook, opts...)
	if err != nil {
		return nil, err
	}
	id, err := imbot.EnsureBot(ctx, client, imbot.BotRegisterRequest{
		Code: "assistant", EventHandler: url, Properties: imbot.BotProperties{Name: "Assistant", Color: imbot.ColorPurple},
	})
	if err != nil {
		return nil, err
	}
	client = client.WithBot(id)
	bot := &imbot.EventHandler{
		Verifier:   hook.Verifier(),
		Middleware: []imbot.Middleware{imbot.LogEvents(slog.Default())},
		Commands:   imbot.SlashCommands{{Name: "stop", Title: "Stop the answer", Hidden: true, Interrupts: true}},
		OnMessage: func(ctx context.Context, ev *imbot.MessageAddEvent) error {
			reply := ev.Reply("")
			reply.Keyboard = &imbot.Keyboard{Rows: [][]imbot.Button{{{Text: "Stop", Action: imbot.ActionCommand{Command: "stop"}}}}}
			answer := client.Message.Stream(ctx, reply)
			defer answer.Close() // also when the model panics
			err := ask(ctx, ev.Text(), answer)
			if err != nil && ctx.Err() == nil { // nobody has stopped it
				_, _ = answer.WriteString("\n\nI cannot think right now. Please ask again later.")
			}
			return errors.Join(err, answer.Close())
		},
	}
	return bot, bot.Commands.Ensure(ctx, client, url)
}
