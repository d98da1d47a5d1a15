package main

import (
	"context"
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/openlines"
)

// What the buttons say is what they send: not every messenger shows buttons, and
// a guest may type the words.
const (
	hours    = "Opening hours"
	operator = "Operator"
)

// desk is a bot that answers guests of an open line before the operators do.
type desk struct{ client *imbot.Client }

// newDesk makes sure that the bot is registered, and returns its id and the
// handler for its events. It has to be chosen in the settings of an open line, or by
// openlines.EnsureBot.
func newDesk(ctx context.Context, hook imbot.Webhook, handlerURL string, opts ...imbot.Option) (imbot.ID, *imbot.EventHandler, error) {
	client, err := imbot.NewClient(hook, opts...)
	if err != nil {
		return 0, nil, err
	}
	id, err := imbot.EnsureBot(ctx, client, imbot.BotRegisterRequest{
		Code:         "desk",
		Type:         imbot.BotTypeOpenLine,
		EventHandler: handlerURL,
		Properties:   imbot.BotProperties{Name: "Front desk", Color: imbot.ColorAqua},
	})
	if err != nil {
		return 0, nil, err
	}
	d := &desk{client}
	return id, &imbot.EventHandler{Verifier: hook.Verifier(), OnJoinChat: d.greet, OnMessage: d.answer}, nil
}

// greet says hello to the guest of an open line.
func (d *desk) greet(ctx context.Context, ev *imbot.JoinChatEvent) error {
	if !ev.IsOpenLine() { // somebody in the company has opened a dialog
		return nil
	}
	return d.send(ctx, ev.Reply("Welcome! What can I do for you?"))
}

func (d *desk) answer(ctx context.Context, ev *imbot.MessageAddEvent) error {
	if ev.FromBot() || !ev.FromGuest() { // an echo, another bot, or an operator who has joined
		return nil
	}
	switch text := ev.Text(); {
	case strings.EqualFold(text, hours):
		return d.send(ctx, ev.Reply("We are here from Monday to Friday, 9 to 17."))
	case strings.EqualFold(text, operator):
		return d.handOver(ctx, ev)
	}
	return d.send(ctx, ev.Reply("Sorry, I know two things only:"))
}

// send sends a message with the buttons below it.
func (d *desk) send(ctx context.Context, message imbot.MessageAddRequest) error {
	message.Keyboard = &imbot.Keyboard{Rows: [][]imbot.Button{{
		{Text: hours, Action: imbot.ActionSend(hours)},
		{Text: operator, Action: imbot.ActionSend(operator)},
	}}}
	_, err := d.client.Message.Add(ctx, message)
	return err
}

// handOver gives the conversation to a free operator. The bot leaves the chat, so it
// says goodbye first.
func (d *desk) handOver(ctx context.Context, ev *imbot.MessageAddEvent) error {
	if _, err := d.client.Message.Add(ctx, ev.Reply("One moment, an operator is coming.")); err != nil {
		return err
	}
	line, _ := ev.OpenLine()
	return openlines.New(d.client).Session.CallOperator(ctx, openlines.SessionCallOperatorRequest{ChatID: line.ChatID})
}
