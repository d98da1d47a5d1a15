// Openline is a bot at the front desk of an open line: it greets guests, answers
// what it can, and hands over to an operator.
//
// Without any setting it talks to a portal in memory, and the conversation of a
// guest is printed. With BITRIX24_WEBHOOK_URL, BITRIX24_CLIENT_ID and
// BOT_EVENT_URL it registers at a real portal, listens on BOT_ADDR (default
// :8080) and runs until it is interrupted. The webhook needs the scopes imbot and
// imopenlines.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	run := demo
	if os.Getenv("BITRIX24_WEBHOOK_URL") != "" {
		run = serve
	}
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "openline:", err)
		os.Exit(1)
	}
}

// serve runs the bot on a real portal.
func serve(ctx context.Context, out io.Writer) error {
	hook := imbot.Webhook{URL: os.Getenv("BITRIX24_WEBHOOK_URL"), ClientID: os.Getenv("BITRIX24_CLIENT_ID")}
	handlerURL, addr := os.Getenv("BOT_EVENT_URL"), os.Getenv("BOT_ADDR")
	if hook.ClientID == "" || handlerURL == "" {
		return errors.New("BITRIX24_CLIENT_ID and BOT_EVENT_URL must be set, too")
	}
	if addr == "" {
		addr = ":8080"
	}
	id, handler, err := newDesk(ctx, hook, handlerURL)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "bot %d listens on %s; interrupt to stop\n", id, addr)
	return imbot.Serve(ctx, addr, handler)
}

// demo runs the bot on a portal in memory.
func demo(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	const handlerURL = "https://bot.example.com/events"
	portal := imbottest.NewPortal()
	defer portal.Close()
	id, handler, err := newDesk(ctx, portal.Webhook("a-long-random-client-id"), handlerURL, imbot.WithHTTPClient(portal.HTTPClient()))
	if err != nil {
		return err
	}
	portal.Serve(handlerURL, handler)
	return errors.Join(talk(ctx, out, portal, id, handler), handler.Shutdown(ctx), portal.Err())
}

// talk lets a guest come, who ends up with an operator.
func talk(ctx context.Context, out io.Writer, portal *imbottest.Portal, bot imbot.ID, handler *imbot.EventHandler) error {
	olga := portal.AddUser("Olga", "Orlova")
	guest, chat, err := portal.AddGuest(ctx, "Guest", bot, olga)
	if err != nil {
		return err
	}
	dialog := imbot.ChatDialog(chat)
	settle := func() error { return errors.Join(portal.Idle(ctx), handler.Idle(ctx)) }
	if err := settle(); err != nil { // the greeting is there
		return err
	}
	for _, text := range []string{"Do you sell tea?", hours, operator} {
		if _, err := portal.Ask(ctx, guest, dialog, text); err != nil {
			return err
		}
		if err := settle(); err != nil {
			return err
		}
	}
	if _, err := portal.Say(ctx, olga, dialog, "Good morning, Olga here."); err != nil {
		return err
	}
	if err := settle(); err != nil {
		return err
	}
	for _, m := range portal.Messages(guest, dialog) {
		fmt.Fprintf(out, "%-11s  %s\n", portal.Name(m.AuthorID), m.Plain())
	}
	return nil
}
