// Doctor says why the events of a bot do not arrive.
//
// With BITRIX24_WEBHOOK_URL and BITRIX24_CLIENT_ID it looks at a bot on a real
// portal: BOT_CODE is its code, BOT_EVENT_URL its handler URL. It changes nothing.
// Without any setting it looks at a portal in memory, before and after the usual
// mistakes are mended.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	run := demo
	if os.Getenv("BITRIX24_WEBHOOK_URL") != "" {
		run = examine
	}
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "doctor:", err)
		os.Exit(1)
	}
}

// examine looks at a bot on a real portal.
func examine(ctx context.Context, out io.Writer) error {
	hook := imbot.Webhook{URL: os.Getenv("BITRIX24_WEBHOOK_URL"), ClientID: os.Getenv("BITRIX24_CLIENT_ID")}
	return report(ctx, out, hook, imbot.DiagnoseRequest{BotCode: os.Getenv("BOT_CODE"), EventHandler: os.Getenv("BOT_EVENT_URL")})
}

// report prints what stands in the way of a bot's events.
func report(ctx context.Context, out io.Writer, auth imbot.Auth, req imbot.DiagnoseRequest, opts ...imbot.Option) error {
	client, err := imbot.NewClient(auth, opts...)
	if err != nil {
		return err
	}
	r, err := imbot.Diagnose(ctx, client, req)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(out, r)
	return err
}

// demo makes three mistakes on a portal in memory, and mends two of them. That
// its bot runs on this machine stays one.
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
	handlerURL := "http://" + listener.Addr().String() + "/events"

	fmt.Fprintln(out, "Before:")
	_ = listener.Close() // nobody listens
	short := portal.Webhook("bot1")
	if err := report(ctx, out, short, imbot.DiagnoseRequest{BotCode: "support", EventHandler: handlerURL}); err != nil {
		return err
	}

	fmt.Fprintln(out, "\nAfter:")
	hook := portal.Webhook("a-long-random-client-id")
	listener, err = new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: &imbot.EventHandler{Verifier: hook.Verifier(), Logger: slog.New(slog.DiscardHandler)}, ReadHeaderTimeout: time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	handlerURL = "http://" + listener.Addr().String() + "/events"
	client, err := imbot.NewClient(hook)
	if err == nil {
		_, err = imbot.EnsureBot(ctx, client, imbot.BotRegisterRequest{
			Code: "support", EventHandler: handlerURL, Properties: imbot.BotProperties{Name: "Support"},
		})
	}
	if err == nil {
		err = report(ctx, out, hook, imbot.DiagnoseRequest{BotCode: "support", EventHandler: handlerURL})
	}
	if e := server.Shutdown(ctx); err == nil {
		err = e
	}
	<-served
	if err == nil {
		err = portal.Err()
	}
	return err
}
