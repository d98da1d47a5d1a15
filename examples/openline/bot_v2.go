package main

import (
	"context"
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/bbcode"
	"github.com/imbot-go/imbot/imbotv2"
	"github.com/imbot-go/imbot/openlines"
)

// deskV2 is desk as a bot of the second generation: what it says may be sent again after a lost answer.
type deskV2 struct {
	client *imbotv2.Client
	visits imbot.State[visit]
}

func newDeskV2(ctx context.Context, hook imbot.Webhook, url string, line imbot.ID, dir string, opts ...imbot.Option) (*imbotv2.EventHandler, error) {
	client, err := imbotv2.NewClient(hook, opts...)
	if err != nil {
		return nil, err
	}
	bot, err := imbotv2.EnsureBot(ctx, client, imbotv2.BotRegisterRequest{
		Code: "desk", Type: imbotv2.BotTypeOpenline, EventMode: imbotv2.EventModeWebhook, WebhookURL: url,
		Properties: imbotv2.BotProperties{Name: "Front desk", Color: imbot.ColorAqua},
	})
	if err != nil {
		return nil, err
	}
	d := &deskV2{client.WithBot(bot.ID), imbot.State[visit]{Name: "visit", Store: imbot.NewFileStates(dir)}}
	return &imbotv2.EventHandler{
		Verifier: hook.Verifier(), Middleware: []imbot.Middleware{guestsOnlyV2}, OnJoinChat: d.greet, OnMessage: d.answer,
	}, openlines.EnsureBot(ctx, client.Base(), line, bot.ID)
}

// guestsOnlyV2 keeps from the bot what is not for it. Bots it hears nothing of anyway.
func guestsOnlyV2(next imbot.Callback) imbot.Callback {
	return func(ctx context.Context, ev imbot.Event) error {
		message, written := ev.(*imbotv2.MessageAddEvent)
		join, joined := ev.(*imbotv2.JoinChatEvent)
		if written && message.FromGuest() || joined && join.IsOpenLine() {
			return next(ctx, ev)
		}
		return nil
	}
}

func (d *deskV2) greet(ctx context.Context, ev *imbotv2.JoinChatEvent) error {
	return d.offer(ctx, ev.Reply("Welcome! What can I do for you?"))
}

func (d *deskV2) answer(ctx context.Context, ev *imbotv2.MessageAddEvent) error {
	return d.visits.Do(ctx, ev, func(v *visit) error {
		switch text := ev.Text(); {
		case v.AskedName:
			*v = visit{}
			return d.handOver(ctx, ev, text)
		case strings.EqualFold(text, operator):
			v.AskedName = true
			_, err := d.client.Message.Send(ctx, ev.Reply("Gladly. What is your name?"))
			return err
		case strings.EqualFold(text, hours):
			return d.offer(ctx, ev.Reply("We are here from Monday to Friday, 9 to 17."))
		}
		return d.offer(ctx, ev.Reply("Sorry, I know two things only:"))
	})
}

func (d *deskV2) offer(ctx context.Context, message imbotv2.MessageSendRequest) error {
	message.Keyboard = &imbot.Keyboard{Rows: [][]imbot.Button{{
		{Text: hours, Action: imbot.ActionSend(hours)}, {Text: operator, Action: imbot.ActionSend(operator)},
	}}}
	_, err := d.client.Message.Send(ctx, message)
	return err
}

func (d *deskV2) handOver(ctx context.Context, ev *imbotv2.MessageAddEvent, name string) error {
	lead := map[string]any{"fields": map[string]any{"TITLE": name + " asks for an operator", "NAME": name}}
	if err := d.client.Base().Call(ctx, "crm.lead.add", lead, nil); err != nil {
		return err
	}
	if _, err := d.client.Message.Send(ctx, ev.Reply("Thank you, "+bbcode.Escape(name)+". An operator is coming.")); err != nil {
		return err
	}
	line, _ := ev.OpenLine()
	return openlines.New(d.client.Base()).Session.CallOperator(ctx, openlines.SessionCallOperatorRequest{ChatID: line.ChatID})
}
