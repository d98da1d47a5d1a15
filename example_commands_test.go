package imbot_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

func ExampleSlashCommands() {
	ctx := context.Background()
	portal := imbottest.NewPortal()
	defer portal.Close()
	const url = "https://bot.example.com/events"
	hook := portal.Webhook("a-long-random-client-id")
	client, err := imbot.NewClient(hook, imbot.WithHTTPClient(portal.HTTPClient()))
	if err != nil {
		log.Fatal(err)
	}
	id, err := imbot.EnsureBot(ctx, client, imbot.BotRegisterRequest{
		Code: "pizza", EventHandler: url, Properties: imbot.BotProperties{Name: "Pizza"},
	})
	if err != nil {
		log.Fatal(err)
	}
	client = client.WithBot(id)

	var help string // a table cannot refer to itself while it is made
	commands := imbot.SlashCommands{
		{Name: "order", Title: "Order a pizza", Params: "size", Run: func(ctx context.Context, ev *imbot.CommandAddEvent) error {
			_, err := client.Reply(ctx, ev, "On its way: "+strings.Join(ev.Args(), ", "))
			return err
		}},
		{Name: "help", Title: "What I can do", Run: func(ctx context.Context, ev *imbot.CommandAddEvent) error {
			_, err := client.Reply(ctx, ev, help)
			return err
		}},
		{Name: "stop", Title: "Stop the answer", Hidden: true, Interrupts: true}, // for a button below a long answer
	}
	help = commands.Help("en")
	portal.Serve(url, &imbot.EventHandler{Verifier: hook.Verifier(), Commands: commands})
	if err := commands.Ensure(ctx, client, url); err != nil { // at each start
		log.Fatal(err)
	}

	anna := portal.AddUser("Anna", "Ivanova")
	for _, text := range []string{`/order large "extra cheese"`, "/help"} {
		answer, err := portal.Ask(ctx, anna, imbot.UserDialog(id), text)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(answer.Plain())
	}
	// Output:
	// On its way: large, extra cheese
	// /order size – Order a pizza
	// /help – What I can do
}
