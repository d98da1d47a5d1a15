package imbottest_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	portal := imbottest.NewPortal()
	defer portal.Close()

	// The bot.
	hook := portal.Webhook("a-long-random-client-id")
	client, err := imbot.NewClient(hook, imbot.WithHTTPClient(portal.HTTPClient()))
	if err != nil {
		log.Fatal(err)
	}
	bot, err := client.Bot.Register(ctx, imbot.BotRegisterRequest{
		Code: "parrot", EventHandler: "https://bot.example.com/events", Properties: imbot.BotProperties{Name: "Parrot"},
	})
	if err != nil {
		log.Fatal(err)
	}
	handler := &imbot.EventHandler{
		Verifier: hook.Verifier(),
		OnMessage: func(ctx context.Context, ev *imbot.MessageAddEvent) error {
			_, err := client.Message.Add(ctx, ev.Reply("[b]"+ev.Params.Message+"![/b]"))
			return err
		},
	}
	defer handler.Shutdown(ctx)
	portal.Serve("https://bot.example.com/events", handler)

	// The test.
	anna := portal.AddUser("Anna", "Ivanova")
	answer, err := portal.Ask(ctx, anna, imbot.UserDialog(bot), "hello")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s: %s\n", portal.Name(answer.AuthorID), answer.Plain())
	fmt.Println(portal.Err())
	// Output:
	// Parrot: hello!
	// <nil>
}

func ExamplePortal_Fail() {
	portal := imbottest.NewPortal()
	defer portal.Close()
	client, err := imbot.NewClient(portal.Webhook("a-long-random-client-id"), imbot.WithHTTPClient(portal.HTTPClient()))
	if err != nil {
		log.Fatal(err)
	}

	portal.Fail("imbot.bot.list", imbottest.Fault{Status: http.StatusForbidden, Code: "insufficient_scope"})
	_, err = client.Bot.List(context.Background(), imbot.BotListRequest{})
	fmt.Println(errors.Is(err, imbot.ErrInsufficientScope), len(portal.Calls("imbot.bot.list")))
	// Output: true 1
}

func ExamplePortal_Handle() {
	portal := imbottest.NewPortal()
	defer portal.Close()
	client, err := imbot.NewClient(portal.Webhook("a-long-random-client-id"), imbot.WithHTTPClient(portal.HTTPClient()))
	if err != nil {
		log.Fatal(err)
	}

	portal.Handle("crm.deal.get", func(_ context.Context, params map[string]any) (any, error) {
		if fmt.Sprint(params["ID"]) != "7" {
			return nil, &imbot.Error{Code: "NOT_FOUND", Description: "Not found"}
		}
		return map[string]string{"ID": "7", "TITLE": "Ten bicycles"}, nil
	})
	var deal struct{ Title string }
	err = client.Call(context.Background(), "crm.deal.get", map[string]any{"ID": 7}, &deal)
	fmt.Println(deal.Title, err)
	// Output: Ten bicycles <nil>
}

func ExampleMessage_Plain() {
	m := imbottest.Message{Text: "[b]Hi[/b] [user=104]Anna[/user],[br]see [url=https://example.com]this[/url]"}
	fmt.Println(m.Plain())
	// Output:
	// Hi Anna,
	// see this (https://example.com)
}
