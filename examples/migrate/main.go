// Migrate takes a bot from the first generation to the second: first.go is the bot as it was,
// second.go the same one afterwards. It keeps its id, its dialogs and what was said in them, because
// code and secret stay the same; the portal only delivers its events in another way.
//
// It plays on a portal in memory: Anna writes to the old bot, the program is changed, and she goes
// on. On a real portal start with examples/doctor -v2.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/imbotv2"
)

func main() {
	if err := demo(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "migrate:", err)
		os.Exit(1)
	}
}

// secret is the ClientID of the old bot and the BotToken of the new one: the portal knows its owner
// by it in both generations.
const secret = "a-long-random-secret"

func demo(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	portal := imbottest.NewPortal()
	defer portal.Close()
	anna := portal.AddUser("Anna", "Ivanova")
	hook, options := portal.Webhook(secret), imbot.WithHTTPClient(portal.HTTPClient())

	old, err := startFirst(ctx, hook, options)
	if err != nil {
		return err
	}
	portal.Serve(handlerURL, old.handler)
	if _, err := portal.Ask(ctx, anna, imbot.UserDialog(old.id), "are you there?"); err != nil {
		return err
	}

	// The old program runs until the portal posts nothing more to it: what people write meanwhile is answered, too.
	polling, stop := context.WithCancel(ctx)
	defer stop()
	fresh, err := startSecond(polling, hook, options)
	if errors.Is(err, imbotv2.ErrStillV1) {
		return fmt.Errorf("this portal cannot change a bot in place: register one with another code, and unregister the old one when people have found it: %w", err)
	}
	if err != nil {
		return err
	}
	if err := old.handler.Shutdown(ctx); err != nil {
		return err
	}
	if _, err := portal.Ask(ctx, anna, imbot.UserDialog(fresh.id), "and now?"); err != nil {
		return err
	}
	stop()
	if err := <-fresh.polled; err != nil {
		return err
	}

	fmt.Fprintf(out, "bot %d before, bot %d after\n", old.id, fresh.id)
	for _, m := range portal.Messages(anna, imbot.UserDialog(fresh.id)) {
		fmt.Fprintf(out, "%s: %s\n", portal.Name(m.AuthorID), m.Plain())
	}
	return portal.Err()
}
