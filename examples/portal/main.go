// Portal is a Bitrix24 in memory with a messenger in the browser, for bots in any
// language: it serves the page and the REST endpoint on one loopback address and
// prints a webhook URL.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/imbottest/messenger"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	addr := flag.String("addr", "127.0.0.1:8060", "loopback address")
	flag.Parse()
	if err := run(ctx, os.Stdout, *addr); err != nil {
		fmt.Fprintln(os.Stderr, "portal:", err)
		os.Exit(1)
	}
}

const eventURL = "https://echo.example/events"

func run(ctx context.Context, out io.Writer, addr string) error {
	portal := imbottest.NewPortal()
	defer portal.Close()
	portal.Mount(messenger.Handler(portal))
	if err := portal.Listen(addr); err != nil {
		return err
	}
	portal.AddUser("Anna", "Ivanova")
	portal.AddUser("Boris", "Petrov")

	hook := portal.Webhook("a-long-random-client-id")
	client, err := imbot.NewClient(hook, imbot.WithHTTPClient(portal.HTTPClient()), imbot.WithLimiter(nil))
	if err != nil {
		return err
	}
	handler := echo(client, hook)
	defer func() { _ = handler.Shutdown(context.WithoutCancel(ctx)) }()
	portal.Serve(eventURL, handler)
	bot, err := client.Bot.Register(ctx, imbot.BotRegisterRequest{
		Code: "echo", EventHandler: eventURL, Properties: imbot.BotProperties{Name: "Echo", Color: imbot.ColorAqua},
	})
	if err != nil {
		return err
	}
	_, err = client.Command.Register(ctx, imbot.CommandRegisterRequest{
		BotID: bot, Command: "echo", EventCommandAdd: eventURL,
		Lang: []imbot.CommandLang{{LanguageID: "en", Title: "Says it again", Params: "text"}},
	})
	if err != nil {
		return err
	}
	root := strings.TrimSuffix(portal.Endpoint(), "rest/")
	fmt.Fprintf(out, "messenger: %s\nwebhook:   %s\ninterrupt to stop\n", root, hook.URL)
	<-ctx.Done()
	return nil
}

// echo repeats what people write, below it a button that does so again.
func echo(client *imbot.Client, hook imbot.Webhook) *imbot.EventHandler {
	return &imbot.EventHandler{
		Verifier: hook.Verifier(),
		OnMessage: func(ctx context.Context, ev *imbot.MessageAddEvent) error {
			answer := ev.Reply(ev.Params.Message)
			answer.Keyboard = &imbot.Keyboard{Rows: [][]imbot.Button{{
				{Text: "Again", Action: imbot.ActionCommand{Command: "echo", Params: "again"}, BGColor: "#29619b", TextColor: "#fff"},
				{Text: "Help", Action: imbot.ActionLink("https://example.com/")},
			}}}
			_, err := client.Message.Add(ctx, answer)
			return err
		},
		OnCommand: func(ctx context.Context, ev *imbot.CommandAddEvent) error {
			for _, command := range ev.Commands {
				if _, err := client.Command.Answer(ctx, command.Answer("echo: "+command.CommandParams)); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
