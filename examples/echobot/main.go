// Echobot repeats what people write to it.
//
// Without any setting it talks to a portal in memory: two people write to the
// bot, and the conversation is printed. With -messenger you write to it, in the
// browser: open the page whose address is printed. With BITRIX24_WEBHOOK_URL,
// BITRIX24_CLIENT_ID and BOT_EVENT_URL it registers at a real portal, listens on
// BOT_ADDR (default :8080) and runs until it is interrupted.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
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
	browser := flag.Bool("messenger", false, "serve a portal in memory as a web page, with the bot on it")
	addr := flag.String("addr", "127.0.0.1:8060", "loopback `host:port` of that page")
	flag.Parse()
	run := demo
	switch {
	case flag.NArg() > 0:
		run = func(context.Context, io.Writer) error { return fmt.Errorf("what is %q? See -help", flag.Arg(0)) }
	case *browser:
		run = func(ctx context.Context, out io.Writer) error { return show(ctx, out, *addr) }
	case os.Getenv("BITRIX24_WEBHOOK_URL") != "":
		run = serve
	}
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "echobot:", err)
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
	id, bot, err := newBot(ctx, hook, handlerURL)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "bot %d listens on %s; interrupt to stop\n", id, addr)
	return imbot.Serve(ctx, addr, bot)
}

// demo runs the bot on a portal in memory, both over loopback HTTP.
func demo(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	portal := imbottest.NewPortal()
	defer portal.Close()
	if err := portal.Listen("127.0.0.1:0"); err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	id, bot, err := newBot(ctx, portal.Webhook("a-long-random-client-id"), "http://"+listener.Addr().String()+"/events")
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	server := &http.Server{Handler: bot, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()

	err = talk(ctx, out, portal, id)
	err = errors.Join(err, server.Shutdown(ctx), bot.Shutdown(ctx), portal.Err())
	if e := <-served; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	return err
}

// talk lets two people write to the bot and prints what they see.
func talk(ctx context.Context, out io.Writer, portal *imbottest.Portal, bot imbot.ID) error {
	anna, boris := portal.AddUser("Anna", "Ivanova"), portal.AddUser("Boris", "Petrov")
	private := imbot.UserDialog(bot)
	for _, text := range []string{"hello", "how are you?"} {
		if _, err := portal.Ask(ctx, anna, private, text); err != nil {
			return err
		}
	}
	lunch := imbot.ChatDialog(portal.AddChat("Lunch", anna, boris, bot))
	if _, err := portal.Say(ctx, anna, lunch, "Pizza, Boris?"); err != nil {
		return err
	}
	if _, err := portal.Ask(ctx, boris, lunch, fmt.Sprintf("[USER=%d]Echo[/USER], two with mushrooms", bot)); err != nil {
		return err
	}
	show := func(title string, messages []imbottest.Message) {
		fmt.Fprintln(out, title)
		for _, m := range messages {
			fmt.Fprintf(out, "  %-14s  %s\n", portal.Name(m.AuthorID), m.Plain())
		}
	}
	show("Anna's dialog with the bot", portal.Messages(anna, private))
	show("The chat \"Lunch\"", portal.Messages(boris, lunch))
	return nil
}
