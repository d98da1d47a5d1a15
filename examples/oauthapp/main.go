// Oauthapp is an OAuth application with a bot: installation, events, work in the
// background, and the renewal of tokens that nobody has to think of.
//
// Without any setting it runs through all of that on a portal in memory. With
// BITRIX24_APP_ID, BITRIX24_APP_SECRET and BOT_URL (https://bot.example.com) it
// serves real portals: BOT_URL/install is the page of the application, BOT_URL/events
// the address of its events. It listens on BOT_ADDR (default :8080) and keeps its
// grants below BOT_GRANTS (default grants). With -v2 the bot is one of the second generation.
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
	"syscall"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	v2 := flag.Bool("v2", false, "the bot is one of the second generation")
	flag.Parse()
	run := demo
	if os.Getenv("BITRIX24_APP_ID") != "" {
		run = serve
	}
	if err := run(ctx, os.Stdout, *v2); err != nil {
		fmt.Fprintln(os.Stderr, "oauthapp:", err)
		os.Exit(1)
	}
}

func setting(name, fallback string) string {
	if s := os.Getenv(name); s != "" {
		return s
	}
	return fallback
}

// serve runs the application for real portals.
func serve(ctx context.Context, out io.Writer, v2 bool) error {
	secret, base := os.Getenv("BITRIX24_APP_SECRET"), os.Getenv("BOT_URL")
	if secret == "" || base == "" {
		return errors.New("BITRIX24_APP_SECRET and BOT_URL must be set, too")
	}
	app := newReminders(&imbot.OAuthApp{
		ClientID: os.Getenv("BITRIX24_APP_ID"), ClientSecret: secret, Store: imbot.NewFileStore(setting("BOT_GRANTS", "grants")),
		Options: []imbot.Option{imbot.WithLogger(slog.Default())},
	}, base+"/events", slog.Default(), v2)
	server := imbot.Server{Addr: setting("BOT_ADDR", ":8080"), Handler: app.handler(), Events: []imbot.Shutdowner{app.events}}
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	fmt.Fprintf(out, "listening on %s; interrupt to stop\n", server.Addr)
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case <-tick.C:
			if err := app.remind(ctx); err != nil {
				slog.ErrorContext(ctx, "reminders were not sent", "error", err)
			}
		}
	}
}

// demo runs the application on a portal in memory.
func demo(ctx context.Context, out io.Writer, v2 bool) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	portal := imbottest.NewPortal()
	defer portal.Close()
	const eventURL, pageURL = "https://bot.example.com/events", "https://bot.example.com/install"
	store := imbot.NewMemoryStore()
	app := newReminders(&imbot.OAuthApp{
		ClientID: "local.demo", ClientSecret: "secret", Store: store,
		AuthServers: []string{portal.AuthServer()},
		Options:     []imbot.Option{imbot.WithHTTPClient(portal.HTTPClient())},
	}, eventURL, slog.New(slog.DiscardHandler), v2)
	portal.Serve(eventURL, app.handler())
	portal.Serve(pageURL, app.handler())
	installed := portal.Application("local.demo", "secret")

	err := live(ctx, out, portal, installed, app, pageURL)
	return errors.Join(err, portal.Idle(ctx), app.events.Shutdown(ctx), portal.Err())
}

// live is what happens to the application on one portal.
func live(ctx context.Context, out io.Writer, portal *imbottest.Portal, installed *imbottest.Application, app *reminders, pageURL string) error {
	fmt.Fprintln(out, "The administrator installs the application on its page.")
	if _, err := installed.OpenPage(ctx, imbottest.Admin, pageURL); err != nil {
		return err
	}
	calls := len(portal.Calls("imbot.register")) + len(portal.Calls("imbot.v2.Bot.register"))
	fmt.Fprintf(out, "  %d bot registered\n", calls)

	fmt.Fprintln(out, "Anna writes to the bot.")
	anna := portal.AddUser("Anna", "Ivanova")
	bot, err := botOf(ctx, installed, app)
	if err != nil {
		return err
	}
	answer, err := portal.Ask(ctx, anna, imbot.UserDialog(bot), "Buy milk")
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "  %s: %s\n", portal.Name(answer.AuthorID), answer.Plain())

	fmt.Fprintln(out, "An hour later all access tokens are too old, and the portal has another name.")
	installed.ExpireTokens()
	if err := portal.Rename("renamed.example.com"); err != nil {
		return err
	}
	if err := app.remind(ctx); err != nil {
		return err
	}
	messages := portal.Messages(anna, imbot.UserDialog(bot))
	last := messages[len(messages)-1]
	fmt.Fprintf(out, "  %s: %s\n", portal.Name(last.AuthorID), last.Plain())
	fmt.Fprintf(out, "  %d renewal\n", len(portal.Calls("oauth/token")))

	fmt.Fprintln(out, "The administrator uninstalls the application, while a reminder waits.")
	if _, err := portal.Ask(ctx, anna, imbot.UserDialog(bot), "Buy bread"); err != nil {
		return err
	}
	if err := errors.Join(installed.Uninstall(ctx), portal.Idle(ctx), app.events.Idle(ctx)); err != nil {
		return err
	}
	fmt.Fprintf(out, "  %d reminders wait\n", app.count())
	return nil
}

// botOf asks the portal for the bot's id; a program that needs it at other times
// keeps it in OnInstall.
func botOf(ctx context.Context, installed *imbottest.Application, app *reminders) (imbot.ID, error) {
	query, err := installed.Authorize(imbottest.Admin, "state")
	if err != nil {
		return 0, err
	}
	client, err := app.oauth.Client(ctx, query.Get("member_id"))
	if err != nil {
		return 0, err
	}
	bots, err := client.Bot.List(ctx, imbot.BotListRequest{})
	if err != nil || len(bots) != 1 {
		return 0, errors.Join(err, fmt.Errorf("the portal has %d bots", len(bots)))
	}
	return bots[0].ID, nil
}
