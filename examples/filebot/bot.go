package main

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/draw"
	_ "image/gif"  // pictures that the bot reads
	_ "image/jpeg" // the same
	"image/png"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbotv2"
)

// What the bot takes: so many bytes of a file, and so many pixels of its picture, because a small
// file can be a picture of any size.
const (
	mostBytes  = 10 << 20
	mostPixels = 20_000_000
)

// run finds or registers a bot that answers each picture with the same in grey, until ctx ends.
func run(ctx context.Context, hook imbot.Webhook, opts ...imbot.Option) error {
	client, err := imbotv2.NewClient(hook, opts...)
	if err != nil {
		return err
	}
	bot, err := imbotv2.EnsureBot(ctx, client, imbotv2.BotRegisterRequest{
		Code: "grey", Properties: imbotv2.BotProperties{Name: "Grey", Color: imbot.ColorGraphite},
	})
	if err != nil {
		return err
	}
	client = client.WithBot(bot.ID)
	return imbotv2.Poll(ctx, &imbotv2.EventHandler{
		OnMessage: func(ctx context.Context, ev *imbotv2.MessageAddEvent) error { return answer(ctx, client, ev) },
	}, client)
}

func answer(ctx context.Context, client *imbotv2.Client, ev *imbotv2.MessageAddEvent) error {
	for _, file := range ev.Files() {
		if err := answerFile(ctx, client, ev, file); err != nil {
			return err
		}
	}
	if len(ev.Files()) > 0 {
		return nil
	}
	_, err := client.Reply(ctx, ev, "Send me a picture.")
	return err
}

func answerFile(ctx context.Context, client *imbotv2.Client, ev *imbotv2.MessageAddEvent, file imbot.EventFile) error {
	content, err := client.File.Read(ctx, file.ID, mostBytes)
	switch {
	case errors.Is(err, imbot.ErrTooLarge):
		_, err := client.Reply(ctx, ev, "That is too large: I take 10 MB.")
		return err
	case err != nil:
		return err
	}
	picture, err := grey(content)
	if err != nil {
		_, err := client.Reply(ctx, ev, "That is no picture I can read.")
		return err
	}
	_, err = client.File.Upload(ctx, imbotv2.FileUploadRequest{DialogID: ev.Dialog(), Name: "grey.png", Content: picture})
	return err
}

// grey is a picture without its colors, as PNG.
func grey(content []byte) ([]byte, error) {
	size, _, err := image.DecodeConfig(bytes.NewReader(content))
	switch {
	case err != nil:
		return nil, err
	case size.Width*size.Height > mostPixels:
		return nil, errors.New("too many pixels")
	}
	colored, _, err := image.Decode(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	plain := image.NewGray(colored.Bounds())
	draw.Draw(plain, plain.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(plain, plain.Bounds(), colored, colored.Bounds().Min, draw.Over)
	var out bytes.Buffer
	err = png.Encode(&out, plain)
	return out.Bytes(), err
}
