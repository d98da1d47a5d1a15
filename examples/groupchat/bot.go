package main

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"image/png"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/bbcode"
)

// newBot registers the bot and returns a client that acts as it.
func newBot(ctx context.Context, hook imbot.Webhook, handlerURL string, opts ...imbot.Option) (*imbot.Client, error) {
	client, err := imbot.NewClient(hook, opts...)
	if err != nil {
		return nil, err
	}
	id, err := client.Bot.Register(ctx, imbot.BotRegisterRequest{
		Code:         "deals",
		EventHandler: handlerURL,
		Properties:   imbot.BotProperties{Name: "Deals", Color: imbot.ColorGreen},
	})
	if err != nil {
		return nil, err
	}
	return client.WithBot(id), nil
}

// dealChat returns the chat about a deal with these people in it: the one that
// carries the deal's tags, or a new one. The bot owns it.
func dealChat(ctx context.Context, client *imbot.Client, deal imbot.EntityID, people ...imbot.ID) (imbot.ID, error) {
	const tag = "DEAL"
	chat, err := client.Chat.Get(ctx, imbot.ChatGetRequest{EntityType: tag, EntityID: deal})
	if errors.Is(err, imbot.ErrNotFound) {
		return client.Chat.Add(ctx, imbot.ChatAddRequest{
			Title: "Deal " + string(deal), Color: imbot.ColorSand, Users: people,
			EntityType: tag, EntityID: deal, Message: "Here we talk about deal " + bbcode.Escape(string(deal)) + ".",
		})
	}
	if err != nil {
		return 0, err
	}
	return chat, client.Chat.AddUsers(ctx, imbot.ChatAddUsersRequest{ChatID: chat, Users: people})
}

// won dresses the chat up, gives it to its new owner and leaves.
func won(ctx context.Context, client *imbot.Client, chat imbot.ID, deal imbot.EntityID, owner imbot.ID) error {
	avatar, err := square(color.RGBA{R: 0x64, G: 0xa5, B: 0x13, A: 0xff})
	if err != nil {
		return err
	}
	if err := client.Chat.UpdateTitle(ctx, imbot.ChatUpdateTitleRequest{ChatID: chat, Title: "Won: deal " + string(deal)}); err != nil {
		return err
	}
	// The colour that a chat has already is an error, the same one as for no chat.
	if err := client.Chat.UpdateColor(ctx, imbot.ChatUpdateColorRequest{ChatID: chat, Color: imbot.ColorGreen}); err != nil {
		return err
	}
	if err := client.Chat.UpdateAvatar(ctx, imbot.ChatUpdateAvatarRequest{ChatID: chat, Avatar: avatar}); err != nil {
		return err
	}
	if _, err := client.Message.Add(ctx, imbot.MessageAddRequest{
		DialogID: imbot.ChatDialog(chat), Message: bbcode.Bold("Won!") + " " + bbcode.Mention(owner, "") + " takes over.",
	}); err != nil {
		return err
	}
	if err := client.Chat.SetOwner(ctx, imbot.ChatSetOwnerRequest{ChatID: chat, UserID: owner}); err != nil {
		return err
	}
	return client.Chat.Leave(ctx, imbot.ChatLeaveRequest{ChatID: chat})
}

// square is a picture of one colour.
func square(c color.Color) ([]byte, error) {
	img := image.NewRGBA(image.Rect(0, 0, 100, 100))
	draw.Draw(img, img.Bounds(), image.NewUniform(c), image.Point{}, draw.Src)
	var out bytes.Buffer
	err := png.Encode(&out, img)
	return out.Bytes(), err
}
