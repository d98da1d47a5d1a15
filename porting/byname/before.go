package byname

import (
	"context"
	"encoding/json"

	b24 "github.com/bitrix24/b24gosdk"
)

// before greets a person by a bot of the second generation.
func before(ctx context.Context, hook, token, dialog string) error {
	core := b24.NewClient(hook).Core()
	answer, err := core.Call(ctx, "imbot.v2.Bot.register", b24.Params{"fields": b24.Params{
		"code": "greeter", "botToken": token, "eventMode": "fetch", "properties": b24.Params{"name": "Greeter"},
	}})
	if err != nil {
		return err
	}
	var registered struct {
		Bot struct {
			ID int `json:"id"`
		} `json:"bot"`
	}
	if err := json.Unmarshal(answer.Result, &registered); err != nil {
		return err
	}
	_, err = core.Call(ctx, "imbot.v2.Chat.Message.send", b24.Params{
		"botId": registered.Bot.ID, "botToken": token, "dialogId": dialog,
		"fields": b24.Params{"message": "Hello!"},
	})
	return err
}
