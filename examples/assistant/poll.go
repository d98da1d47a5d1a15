package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbotv2"
)

// poll runs the bot in the second generation, which asks for its events, until ctx ends.
func poll(ctx context.Context, ask model, hook imbot.Webhook, opts ...imbot.Option) error {
	client, err := imbotv2.NewClient(hook, opts...)
	if err != nil {
		return err
	}
	me, err := imbotv2.EnsureBot(ctx, client, imbotv2.BotRegisterRequest{Code: "assistant", Properties: imbotv2.BotProperties{Name: "Assistant"}})
	if err != nil {
		return err
	}
	client = client.WithBot(me.ID)
	bot := &imbotv2.EventHandler{
		Middleware: []imbot.Middleware{imbot.LogEvents(slog.Default())},
		Commands:   imbotv2.SlashCommands{{Name: "stop", Title: "Stop the answer", Hidden: true, Interrupts: true}},
		OnMessage: func(ctx context.Context, ev *imbotv2.MessageAddEvent) error {
			reply := ev.Reply("")
			reply.Keyboard = &imbot.Keyboard{Rows: [][]imbot.Button{{{Text: "Stop", Action: imbot.ActionCommand{Command: "stop"}}}}}
			answer := client.Message.Stream(ctx, reply)
			defer answer.Close() // also when the model panics
			err := ask(ctx, ev.Text(), answer)
			return errors.Join(err, answer.Close())
		},
	}
	if err := bot.Commands.Ensure(ctx, client); err != nil {
		return err
	}
	return imbotv2.Poll(ctx, bot, client)
}
