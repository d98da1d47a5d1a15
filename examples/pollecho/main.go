// Pollecho repeats what people write to it, and needs no public address: it asks
// the portal for its events.
//
// Without any setting it plays on a portal in memory: three people write to the bot,
// which is a process of its own; that process is killed in the middle and started
// again, and nobody is left without an answer or gets two. With BITRIX24_WEBHOOK_URL
// and BITRIX24_BOT_TOKEN it is the bot of a real portal, on any laptop, until it is
// interrupted.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/imbot-go/imbot"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	start := demo
	switch {
	case len(os.Args) > 1:
		start = func(context.Context, io.Writer) error {
			return fmt.Errorf("what is %q? All settings are in the environment", os.Args[1])
		}
	case os.Getenv("BITRIX24_WEBHOOK_URL") != "":
		start = serve
	}
	if err := start(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "pollecho:", err)
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
