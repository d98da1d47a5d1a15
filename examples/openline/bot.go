package main

import (
	"context"
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/bbcode"
	"github.com/imbot-go/imbot/openlines"
)

// What the buttons say is what they send: not every messenger shows buttons, and
// a guest may type the words.
const hours, operator = "Opening hours", "Operator"

// visit is what the desk knows of a guest, also after a restart.
type visit struct{ AskedName bool }

// desk is a bot that answers guests of an open line before the operators do; deskV2 is its twin of
// the second generation.
type desk struct {
	client *imbot.Client
	visits imbot.State[visit]
}

// newDesk makes sure that the bot is there and gets the conversations of an open line, and
// returns the handler for its events. What it has to remember is kept in files below dir.
func newDesk(ctx context.Context, hook imbot.Webhook, url string, line imbot.ID, dir string, opts ...imbot.Option) (*imbot.EventHandler, error) {
	client, err := imbot.NewClient(hook, opts...)
	if err != nil {
		return nil, err
	}
	bot, err := imbot.EnsureBot(ctx, client, imbot.BotRegisterRequest{
		Code: "desk", Type: imbot.BotTypeOpenLine, EventHandler: url, Properties: imbot.BotProperties{Name: "Front desk", Color: imbot.ColorAqua},
	})
	if err != nil {
		return nil, err
	}
	d := &desk{client, imbot.State[visit]{Name: "visit", Store: imbot.NewFileStates(dir)}}
	return &imbot.EventHandler{
		Verifier: hook.Verifier(), Middleware: []imbot.Middleware{guestsOnly}, OnJoinChat: d.greet, OnMessage: d.answer,
	}, openlines.EnsureBot(ctx, client, line, bot)
}

// guestsOnly keeps from the bot what is not for it: its echo, other bots, dialogs within the company,
// operators who have joined, and what they whisper.
func guestsOnly(next imbot.Callback) imbot.Callback {
	return func(ctx context.Context, ev imbot.Event) error {
		message, written := ev.(*imbot.MessageAddEvent)
		join, joined := ev.(*imbot.JoinChatEvent)
		if written && message.FromGuest() && !message.FromBot() || joined && join.IsOpenLine() {
			return next(ctx, ev)
		}
		return nil
	}
}

func (d *desk) greet(ctx context.Context, ev *imbot.JoinChatEvent) error {
	return d.offer(ctx, ev.Reply("Welcome! What can I do for you?"))
}

func (d *desk) answer(ctx context.Context, ev *imbot.MessageAddEvent) error {
	return d.visits.Do(ctx, ev, func(v *visit) error {
		switch text := ev.Text(); {
		case v.AskedName:
			*v = visit{}
			return d.handOver(ctx, ev, text)
		case strings.EqualFold(text, operator):
			v.AskedName = true
			_, err := d.client.Reply(ctx, ev, "Gladly. What is your name?")
			return err
		case strings.EqualFold(text, hours):
			return d.offer(ctx, ev.Reply("We are here from Monday to Friday, 9 to 17."))
		}
		return d.offer(ctx, ev.Reply("Sorry, I know two things only:"))
	})
}

// offer sends a message with the buttons below it.
func (d *desk) offer(ctx context.Context, message imbot.MessageAddRequest) error {
	message.Keyboard = &imbot.Keyboard{Rows: [][]imbot.Button{{
		{Text: hours, Action: imbot.ActionSend(hours)}, {Text: operator, Action: imbot.ActionSend(operator)},
	}}}
	_, err := d.client.Message.Add(ctx, message)
	return err
}

// handOver makes a lead and gives the conversation to a free operator. The bot leaves the
// chat, so it says goodbye first.
func (d *desk) handOver(ctx context.Context, ev *imbot.MessageAddEvent, name string) error {
	lead := map[string]any{"fields": map[string]any{"TITLE": name + " asks for an operator", "NAME": name}}
	if err := d.client.Call(ctx, "crm.lead.add", lead, nil); err != nil {
		return err
	}
	if _, err := d.client.Reply(ctx, ev, "Thank you, "+bbcode.Escape(name)+". An operator is coming."); err != nil {
		return err
	}
	line, _ := ev.OpenLine()
	return openlines.New(d.client).Session.CallOperator(ctx, openlines.SessionCallOperatorRequest{ChatID: line.ChatID})
}
