// Order is a bot with a dialogue: it takes orders for pizza, in a private dialog or from
// several people in one group chat, and a restart makes nobody begin anew.
//
// Without any setting it plays on a portal in memory: the bot is a process of its own, which
// is killed while three people order. With BITRIX24_WEBHOOK_URL and BITRIX24_BOT_TOKEN it is
// the bot of a real portal, on any laptop, until it is interrupted, and keeps orders in
// BOT_STATES (default states).
package main

import (
	"cmp"
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
	if os.Getenv("BITRIX24_WEBHOOK_URL") != "" {
		start = serve
	}
	if err := start(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "order:", err)
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
	return run(ctx, hook, cmp.Or(os.Getenv("BOT_STATES"), "states"))
}
