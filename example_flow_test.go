package imbot_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

// A command that somebody types is answered; a button below the answer is the
// same command, and its press changes the message that it stands below.
func ExampleEnsureCommand() {
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
		Code: "counter", EventHandler: url, Properties: imbot.BotProperties{Name: "Counter"},
	})
	if err != nil {
		log.Fatal(err)
	}
	client = client.WithBot(id)
	if _, err := imbot.EnsureCommand(ctx, client, imbot.CommandRegisterRequest{
		Command: "more", EventCommandAdd: url, Lang: []imbot.CommandLang{{LanguageID: "en", Title: "Count on"}},
	}); err != nil {
		log.Fatal(err)
	}

	count := 0 // of one dialog, whose callbacks follow one another; with more it needs a lock
	bot := &imbot.EventHandler{Verifier: hook.Verifier(), OnCommand: func(ctx context.Context, ev *imbot.CommandAddEvent) error {
		c := ev.Commands[0]
		count++
		text := fmt.Sprint("Count: ", count)
		if c.CommandContext == "KEYBOARD" {
			return client.Message.Update(ctx, imbot.MessageUpdateRequest{MessageID: c.MessageID, Message: &text})
		}
		answer := c.Answer(text)
		answer.Keyboard = &imbot.Keyboard{Rows: [][]imbot.Button{{{Text: "More", Action: imbot.ActionCommand{Command: "more"}}}}}
		_, err := client.Command.Answer(ctx, answer)
		return err
	}}
	portal.Serve(url, bot)

	anna := portal.AddUser("Anna", "Ivanova")
	answer, err := portal.Ask(ctx, anna, imbot.UserDialog(id), "/more")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Plain())
	if err := errors.Join(portal.Press(ctx, anna, answer, "More"), portal.Idle(ctx), bot.Idle(ctx)); err != nil {
		log.Fatal(err)
	}
	for _, m := range portal.Messages(anna, imbot.UserDialog(id)) {
		fmt.Printf("%s: %s\n", portal.Name(m.AuthorID), m.Plain())
	}
	// Output:
	// Count: 1
	// Anna Ivanova: /more
	// Counter: Count: 2
}

// An application with a page is installed, keeps what it needs for work in the
// background, and does some.
func ExampleOAuthApp() {
	ctx := context.Background()
	portal := imbottest.NewPortal()
	defer portal.Close()
	type home struct {
		memberID string
		bot      imbot.ID
	}
	var homes []home // in a database, for more than an example
	app := &imbot.OAuthApp{
		ClientID: "local.1", ClientSecret: "secret", Store: imbot.NewMemoryStore(),
		OnInstall: func(ctx context.Context, client *imbot.Client, grant imbot.Grant) error {
			bot, err := imbot.EnsureBot(ctx, client, imbot.BotRegisterRequest{
				Code: "news", EventHandler: "https://bot.example.com/events", Properties: imbot.BotProperties{Name: "News"},
			})
			homes = append(homes, home{grant.MemberID, bot})
			return err
		},
		// These two are for the portal in memory only.
		AuthServers: []string{portal.AuthServer()},
		Options:     []imbot.Option{imbot.WithHTTPClient(portal.HTTPClient())},
	}
	portal.Serve("https://bot.example.com/install", app.InstallPage())
	portal.Serve("https://bot.example.com/events", &imbot.EventHandler{Verifier: app.Verifier()})
	if _, err := portal.Application("local.1", "secret").OpenPage(ctx, imbottest.Admin, "https://bot.example.com/install"); err != nil {
		log.Fatal(err)
	}

	anna := portal.AddUser("Anna", "Ivanova")
	for _, h := range homes {
		client, err := app.Client(ctx, h.memberID)
		if err != nil {
			log.Fatal(err)
		}
		req := imbot.MessageAddRequest{DialogID: imbot.UserDialog(anna), Message: "The canteen is closed on Friday."}
		if _, err := client.WithBot(h.bot).Message.Add(ctx, req); err != nil {
			log.Fatal(err)
		}
		fmt.Println(portal.Messages(anna, imbot.UserDialog(h.bot))[0].Plain())
	}
	// Output: The canteen is closed on Friday.
}
