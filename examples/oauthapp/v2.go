package main

import (
	"context"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbotv2"
)

// ensureBotV2 registers the bot with the second generation. Its events come to the same URL.
func ensureBotV2(ctx context.Context, client *imbot.Client, eventURL string) error {
	_, err := imbotv2.EnsureBot(ctx, imbotv2.From(client), imbotv2.BotRegisterRequest{
		Code:       "reminders",
		EventMode:  imbotv2.EventModeWebhook,
		WebhookURL: eventURL,
		Properties: imbotv2.BotProperties{Name: "Reminders", Color: imbot.ColorAqua},
	})
	return err
}

func (a *reminders) onMessageV2(ctx context.Context, ev *imbotv2.MessageAddEvent) error {
	client, err := imbotv2.ForEvent(ctx, a.oauth, ev)
	if err != nil {
		return err
	}
	a.add(reminder{ev.MemberID(), ev.ForBot(), ev.Dialog(), ev.Text()})
	_, err = client.Message.Send(ctx, ev.Reply("I will remind you."))
	return err
}

// sendV2 may be repeated after a lost answer: the message appears once all the same.
func sendV2(ctx context.Context, client *imbot.Client, r reminder) error {
	_, err := imbotv2.From(client).WithBot(r.bot).Message.Send(ctx, imbotv2.MessageSendRequest{DialogID: r.dialog, Message: "Reminder: " + r.text})
	return err
}
