// Filebot answers each picture that people send with the same in grey.
//
// Without any setting Anna sends it some files on a portal in memory. With -messenger you do that
// yourself, on a web page. With BITRIX24_WEBHOOK_URL and BITRIX24_BOT_TOKEN it is the bot of a real
// portal, which it asks for its events, until it is interrupted.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/imbottest/messenger"
)

func main() {
	page := flag.Bool("messenger", false, "show the portal in memory as a web page")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	start := demo
	switch {
	case *page:
		start = show
	case os.Getenv("BITRIX24_WEBHOOK_URL") != "":
		start = serve
	}
	if err := start(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "filebot:", err)
		os.Exit(1)
	}
}

// serve runs the bot on the portal of the environment.
func serve(ctx context.Context, out io.Writer) error {
	hook := imbot.Webhook{URL: os.Getenv("BITRIX24_WEBHOOK_URL"), BotToken: os.Getenv("BITRIX24_BOT_TOKEN")}
	if hook.BotToken == "" {
		return errors.New("BITRIX24_BOT_TOKEN must be set, too: at most 40 random characters that you make up, and keep")
	}
	fmt.Fprintln(out, "the bot asks for events; interrupt to stop")
	return run(ctx, hook)
}

// show runs the bot on a portal in memory, with the messenger in front of it, until ctx ends.
func show(ctx context.Context, out io.Writer) error {
	portal := imbottest.NewPortal()
	defer portal.Close()
	portal.Mount(messenger.Handler(portal))
	if err := portal.Listen("127.0.0.1:8060"); err != nil {
		return err
	}
	return play(ctx, portal, func(bot imbot.ID) error {
		anna := portal.AddUser("Anna", "Ivanova")
		fmt.Fprintf(out, "http://127.0.0.1:8060/#user=%d&dialog=%d\nOpen this page and send the bot a picture; interrupt to stop.\n", anna, bot)
		<-ctx.Done()
		return nil
	})
}

// demo is Anna, who sends files and prints what comes back.
func demo(ctx context.Context, out io.Writer) error {
	portal := imbottest.NewPortal()
	defer portal.Close()
	return play(ctx, portal, func(bot imbot.ID) error {
		anna := portal.AddUser("Anna", "Ivanova")
		for _, file := range []struct {
			name    string
			content []byte
		}{{"sunset.png", sunset()}, {"notes.txt", []byte("milk, bread")}, {"film.bin", make([]byte, mostBytes+1)}} {
			sent, err := portal.SayFile(ctx, anna, imbot.UserDialog(bot), file.name, file.content, "")
			if err != nil {
				return err
			}
			answer, err := portal.WaitAnswer(ctx, anna, sent)
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "Anna  %s\nGrey  %s\n", about(sent), about(answer))
		}
		return nil
	})
}

// play runs the bot beside what people do.
func play(ctx context.Context, portal *imbottest.Portal, people func(bot imbot.ID) error) error {
	botCtx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() {
		ended <- run(botCtx, portal.Webhook("a-long-random-bot-token"), imbot.WithHTTPClient(portal.HTTPClient()))
		stop() // a bot that fails keeps nobody waiting
	}()
	bot, err := portal.WaitBot(botCtx, "grey")
	if err == nil {
		err = people(bot)
	}
	stop()
	return errors.Join(<-ended, err, portal.Err())
}

// about says in a line what a message is.
func about(m imbottest.Message) string {
	if len(m.Files) == 0 {
		return m.Plain()
	}
	f := m.Files[0]
	if f.Width == 0 {
		return fmt.Sprintf("%s, %d bytes", f.Name, len(f.Content))
	}
	return fmt.Sprintf("%s, %d × %d pixels, %d colors", f.Name, f.Width, f.Height, colors(f.Content))
}

// colors counts the colors of a picture that are not grey.
func colors(content []byte) int {
	picture, _, _ := image.Decode(bytes.NewReader(content)) // the portal could
	seen := map[color.RGBA]bool{}
	for y := range picture.Bounds().Dy() {
		for x := range picture.Bounds().Dx() {
			if c := color.RGBAModel.Convert(picture.At(x, y)).(color.RGBA); c.R != c.G || c.G != c.B {
				seen[c] = true
			}
		}
	}
	return len(seen)
}

// sunset is a picture.
func sunset() []byte {
	picture := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for y := range 48 {
		for x := range 64 {
			c := color.RGBA{R: uint8(255 - y), G: uint8(180 - 3*y), B: 60, A: 255}
			if dx, dy := x-32, y-30; dx*dx+dy*dy < 100 {
				c = color.RGBA{R: 255, G: 220, B: 90, A: 255}
			}
			picture.Set(x, y, c)
		}
	}
	var out bytes.Buffer
	_ = png.Encode(&out, picture) // a buffer takes everything
	return out.Bytes()
}
