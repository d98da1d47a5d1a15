// Doctor says why the events of a bot do not arrive.
//
// With BITRIX24_WEBHOOK_URL and BITRIX24_CLIENT_ID it looks at a bot on a real
// portal: BOT_CODE is its code, BOT_EVENT_URL its handler URL. For the bot of an
// application it takes BITRIX24_APP_ID and BITRIX24_APP_SECRET instead, BOT_GRANTS,
// the directory of its file store, and BITRIX24_MEMBER_ID, the portal. It changes
// nothing but tokens that are too old, which it renews.
// Without any setting it looks at a portal in memory, before and after the usual
// mistakes are mended.
package main

import (
	"context"
	"errors"
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
	req := imbot.DiagnoseRequest{BotCode: os.Getenv("BOT_CODE"), EventHandler: os.Getenv("BOT_EVENT_URL")}
	var err error
	switch {
	case os.Getenv("BITRIX24_MEMBER_ID") != "":
		app := &imbot.OAuthApp{
			ClientID: os.Getenv("BITRIX24_APP_ID"), ClientSecret: os.Getenv("BITRIX24_APP_SECRET"),
			Store: imbot.NewFileStore(os.Getenv("BOT_GRANTS")),
		}
		err = examineApp(ctx, os.Stdout, app, os.Getenv("BITRIX24_MEMBER_ID"), req)
	case os.Getenv("BITRIX24_WEBHOOK_URL") != "":
		hook := imbot.Webhook{URL: os.Getenv("BITRIX24_WEBHOOK_URL"), ClientID: os.Getenv("BITRIX24_CLIENT_ID")}
		err = examineHook(ctx, os.Stdout, hook, req)
	default:
		err = demo(ctx, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "doctor:", err)
		os.Exit(1)
	}
}

// examineHook looks at a bot of a webhook.
func examineHook(ctx context.Context, out io.Writer, hook imbot.Webhook, req imbot.DiagnoseRequest) error {
	client, err := imbot.NewClient(hook)
	if err != nil {
		return err
	}
	return report(ctx, out, client, req)
}

// examineApp looks at a bot of an application on one of its portals.
func examineApp(ctx context.Context, out io.Writer, app *imbot.OAuthApp, memberID string, req imbot.DiagnoseRequest) error {
	client, err := app.Client(ctx, memberID)
	switch {
	case errors.Is(err, imbot.ErrNotFound):
		_, err = fmt.Fprintln(out, "The store has no grant of this portal: its installation has not arrived.\nInstall the application again, and look for a refused event or page in its log.")
		return err
	case err != nil:
		return err
	}
	return report(ctx, out, client, req)
}

// report prints what stands in the way of a bot's events.
func report(ctx context.Context, out io.Writer, client *imbot.Client, req imbot.DiagnoseRequest) error {
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
	if err := examineHook(ctx, out, short, imbot.DiagnoseRequest{BotCode: "support", EventHandler: handlerURL}); err != nil {
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
		err = report(ctx, out, client, imbot.DiagnoseRequest{BotCode: "support", EventHandler: handlerURL})
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
