// Doctor says why the events of a bot do not arrive.
//
// With BITRIX24_WEBHOOK_URL and BITRIX24_CLIENT_ID it looks at a bot on a real
// portal: BOT_CODE is its code, BOT_EVENT_URL its handler URL. For the bot of an
// application it takes BITRIX24_APP_ID and BITRIX24_APP_SECRET instead, BOT_GRANTS,
// the directory of its file store, and BITRIX24_MEMBER_ID, the portal. With -v2 the bot
// is one of the second generation; without BOT_EVENT_URL it polls. With -report it prints one block
// for a public issue, without a secret or a name. It changes
// nothing but tokens that are too old, which it renews.
// Without any setting it looks at a portal in memory, before and after the usual
// mistakes are mended.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/imbotv2"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	v2 := flag.Bool("v2", false, "the bot is one of the second generation")
	public := flag.Bool("report", false, "one block for a public issue: no secret and no name")
	flag.Parse()
	req := request{code: os.Getenv("BOT_CODE"), url: os.Getenv("BOT_EVENT_URL"), v2: *v2, public: *public}
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
	case req.public:
		err = errors.New("-report is about your bot: set BITRIX24_WEBHOOK_URL, BITRIX24_CLIENT_ID and BOT_CODE")
	default:
		err = demo(ctx, os.Stdout, *v2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "doctor:", err)
		os.Exit(1)
	}
}

// request says what is looked at.
type request struct {
	code, url string
	v2        bool
	public    bool
}

// examineHook looks at a bot of a webhook.
func examineHook(ctx context.Context, out io.Writer, hook imbot.Webhook, req request) error {
	client, err := imbot.NewClient(hook)
	if err != nil {
		return err
	}
	return report(ctx, out, client, req)
}

// examineApp looks at a bot of an application on one of its portals.
func examineApp(ctx context.Context, out io.Writer, app *imbot.OAuthApp, memberID string, req request) error {
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
func report(ctx context.Context, out io.Writer, client *imbot.Client, req request) error {
	var r imbot.Report
	var err error
	if req.v2 {
		r, err = imbotv2.Diagnose(ctx, imbotv2.From(client), imbotv2.DiagnoseRequest{BotCode: req.code, WebhookURL: req.url})
	} else {
		r, err = imbot.Diagnose(ctx, client, imbot.DiagnoseRequest{BotCode: req.code, EventHandler: req.url})
	}
	if err != nil {
		return err
	}
	text := r.String()
	if req.public {
		text = publicReport(ctx, client, r, req)
	}
	_, err = fmt.Fprint(out, text)
	return err
}

// demo makes the usual mistakes on a portal in memory, and mends them.
func demo(ctx context.Context, out io.Writer, v2 bool) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	portal := imbottest.NewPortal()
	defer portal.Close()

	fmt.Fprintln(out, "Before:")
	client, err := imbot.NewClient(portal.Webhook("bot1"), imbot.WithHTTPClient(portal.HTTPClient()))
	if err != nil {
		return err
	}
	// Nobody listens there.
	err = report(ctx, out, client, request{code: "support", url: "http://127.0.0.1:8080/events", v2: v2})
	if err != nil {
		return err
	}

	fmt.Fprintln(out, "\nAfter:")
	const handlerURL = "https://bot.example.com/events"
	hook := portal.Webhook("a-long-random-client-id")
	bot := &imbot.EventHandler{Verifier: hook.Verifier(), Logger: slog.New(slog.DiscardHandler)}
	portal.Serve(handlerURL, bot)
	client, err = imbot.NewClient(hook, imbot.WithHTTPClient(portal.HTTPClient()))
	if err != nil {
		return err
	}
	if v2 {
		_, err = imbotv2.EnsureBot(ctx, imbotv2.From(client), imbotv2.BotRegisterRequest{
			Code: "support", EventMode: imbotv2.EventModeWebhook, WebhookURL: handlerURL, Properties: imbotv2.BotProperties{Name: "Support"},
		})
	} else {
		_, err = imbot.EnsureBot(ctx, client, imbot.BotRegisterRequest{
			Code: "support", EventHandler: handlerURL, Properties: imbot.BotProperties{Name: "Support"},
		})
	}
	if err != nil {
		return err
	}
	err = report(ctx, out, client, request{code: "support", url: handlerURL, v2: v2})
	return errors.Join(err, bot.Shutdown(ctx), portal.Err())
}
