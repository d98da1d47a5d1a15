// Package byname is a bot before and after its port from an SDK that calls methods by name.
package byname

import (
	"context"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbotv2"
)

// after greets a person by the same bot.
func after(ctx context.Context, hook imbot.Webhook, dialog imbot.DialogID) error {
	client, err := imbotv2.NewClient(hook)
	if err != nil {
		return err
	}
	bot, err := imbotv2.EnsureBot(ctx, client, imbotv2.BotRegisterRequest{
		Code: "greeter", Properties: imbotv2.BotProperties{Name: "Greeter"},
	})
	if err != nil {
		return err
	}
	_, err = client.WithBot(bot.ID).Message.Send(ctx, imbotv2.MessageSendRequest{DialogID: dialog, Message: "Hello!"})
	return err
}
