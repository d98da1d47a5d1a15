package imbotv2_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/imbotv2"
)

// portalAndBot is a portal in memory and the client of a bot on it.
func portalAndBot(ctx context.Context) (*imbottest.Portal, *imbotv2.Client) {
	portal := imbottest.NewPortal()
	client, err := imbotv2.NewClient(portal.Webhook("a-long-random-bot-token"), imbot.WithHTTPClient(portal.HTTPClient()))
	if err != nil {
		log.Fatal(err)
	}
	bot, err := imbotv2.EnsureBot(ctx, client, imbotv2.BotRegisterRequest{
		Code: "helper", Properties: imbotv2.BotProperties{Name: "Helper"},
	})
	if err != nil {
		log.Fatal(err)
	}
	return portal, client.WithBot(bot.ID)
}

func ExamplePoll() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	portal, client := portalAndBot(ctx)
	defer portal.Close()
	bot, anna := client.BotID(), portal.AddUser("Anna", "Ivanova")
	if _, err := portal.Say(ctx, anna, imbot.UserDialog(bot), "Is anybody there?"); err != nil {
		log.Fatal(err)
	}

	err := imbotv2.Poll(ctx, &imbotv2.EventHandler{
		OnMessage: func(ctx context.Context, ev *imbotv2.MessageAddEvent) error {
			defer cancel() // a bot would go on
			_, err := client.Message.Send(context.WithoutCancel(ctx), ev.Reply("You said: "+ev.Text()))
			return err
		},
	}, client)
	fmt.Println(err)
	for _, m := range portal.Messages(anna, imbot.UserDialog(bot)) {
		fmt.Println(m.Plain())
	}
	// Output:
	// <nil>
	// Is anybody there?
	// You said: Is anybody there?
}

func ExampleMessageService_Send() {
	ctx := context.Background()
	portal, client := portalAndBot(ctx)
	defer portal.Close()
	anna := portal.AddUser("Anna", "Ivanova")
	// The message arrives, and its answer gets lost on the way back.
	portal.Fail("imbot.v2.Chat.Message.send", imbottest.Fault{Cut: imbottest.AfterRun, Times: 1})
	_, err := client.Message.Send(ctx, imbotv2.MessageSendRequest{DialogID: imbot.UserDialog(anna), Message: "Lunch is ready"})
	fmt.Println(err)
	fmt.Println("requests:", len(portal.Calls("imbot.v2.Chat.Message.send")))
	fmt.Println("messages:", len(portal.Messages(anna, imbot.UserDialog(client.BotID()))))
	// Output:
	// <nil>
	// requests: 2
	// messages: 1
}

func ExampleMessageService_History() {
	ctx := context.Background()
	portal, client := portalAndBot(ctx)
	defer portal.Close()
	personal, err := imbotv2.EnsureBot(ctx, client, imbotv2.BotRegisterRequest{
		Code: "reader", Type: imbotv2.BotTypePersonal, Properties: imbotv2.BotProperties{Name: "Reader"},
	})
	if err != nil {
		log.Fatal(err)
	}
	client = client.WithBot(personal.ID)
	anna := portal.AddUser("Anna", "Ivanova")
	var last imbottest.Message
	for _, text := range []string{"Who wants lunch?", "There is soup", "And now?"} {
		if last, err = portal.Say(ctx, anna, imbot.UserDialog(personal.ID), text); err != nil {
			log.Fatal(err)
		}
	}
	for m, err := range client.Message.History(ctx, imbotv2.MessageGetContextRequest{MessageID: last.ID}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(m.Text)
	}
	// Output:
	// There is soup
	// Who wants lunch?
}

func ExamplePollUser() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	portal := imbottest.NewPortal()
	defer portal.Close()
	client, err := imbotv2.NewClient(portal.Webhook(""), imbot.WithHTTPClient(portal.HTTPClient()))
	if err != nil {
		log.Fatal(err)
	}
	if err := client.UserEvent.Subscribe(ctx, imbotv2.UserEventSubscribeRequest{}); err != nil { // PollUser does it, too
		log.Fatal(err)
	}
	anna := portal.AddUser("Anna", "Ivanova")
	if _, err := portal.Say(ctx, anna, imbot.ChatDialog(portal.AddChat("Crew", imbottest.Admin, anna)), "Who wants lunch?"); err != nil {
		log.Fatal(err)
	}
	err = imbotv2.PollUser(ctx, &imbotv2.UserEventHandler{
		OnMessage: func(_ context.Context, ev *imbotv2.UserMessageAddEvent) error {
			defer cancel() // a program would go on
			fmt.Println(ev.Chat.Name+":", ev.Message.Text)
			return nil
		},
	}, client)
	fmt.Println(err)
	// Output:
	// Crew: Who wants lunch?
	// <nil>
}

func ExampleEnsureCommands() {
	ctx := context.Background()
	portal, client := portalAndBot(ctx)
	defer portal.Close()
	commands, err := imbotv2.EnsureCommands(ctx, client, []imbotv2.CommandRegisterRequest{
		{Command: "help", Title: map[string]string{"en": "What I can do"}},
		{Command: "/weather", Title: map[string]string{"en": "The weather"}, Params: map[string]string{"en": "city"}},
	}, true)
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range commands {
		fmt.Println(c.Command)
	}
	// Output:
	// /help
	// /weather
}

func ExampleSlashCommands() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	portal, client := portalAndBot(ctx)
	defer portal.Close()
	commands := imbotv2.SlashCommands{
		{Name: "order", Title: "Order a pizza", Params: "size", Run: func(ctx context.Context, ev *imbotv2.CommandAddEvent) error {
			defer cancel() // a bot would go on
			_, err := client.Message.Send(context.WithoutCancel(ctx), ev.Reply("On its way: "+strings.Join(ev.Args(), ", ")))
			return err
		}},
		{Name: "stop", Title: "Stop the answer", Hidden: true, Interrupts: true}, // for a button below a long answer
	}
	if err := commands.Ensure(ctx, client); err != nil { // at each start
		log.Fatal(err)
	}
	anna := portal.AddUser("Anna", "Ivanova")
	if _, err := portal.Say(ctx, anna, imbot.UserDialog(client.BotID()), `/order large "extra cheese"`); err != nil {
		log.Fatal(err)
	}
	fmt.Println(imbotv2.Poll(ctx, &imbotv2.EventHandler{Commands: commands}, client))
	for _, m := range portal.Messages(anna, imbot.UserDialog(client.BotID())) {
		fmt.Println(m.Plain())
	}
	// Output:
	// <nil>
	// /order large "extra cheese"
	// On its way: large, extra cheese
}

func ExampleKeepAction() {
	ctx := context.Background()
	portal, client := portalAndBot(ctx)
	defer portal.Close()
	dialog := imbot.UserDialog(portal.AddUser("Anna", "Ivanova"))
	stop := imbotv2.KeepAction(ctx, client, dialog, imbotv2.ActionThinking) // until the message below
	defer stop()
	if _, err := client.Message.Send(ctx, imbotv2.MessageSendRequest{DialogID: dialog, Message: "42"}); err != nil {
		log.Fatal(err)
	}
	// Output:
}

func ExampleClient_Base() {
	ctx := context.Background()
	portal, client := portalAndBot(ctx)
	defer portal.Close()
	dialog := imbot.UserDialog(portal.AddUser("Anna", "Ivanova"))
	batch := imbot.NewBatch()
	first := imbot.Queue(batch, imbotv2.MessageSendRequest{DialogID: dialog, Message: "One"})
	lost := imbot.Queue(batch, imbotv2.MessageSendRequest{DialogID: "chat4711", Message: "Two"})
	if err := client.Base().DoBatch(ctx, batch); err != nil {
		log.Fatal(err)
	}
	id, err := first.Result()
	fmt.Println(id != 0, err)
	_, err = lost.Result()
	fmt.Println(err)
	// Output:
	// true <nil>
	// imbot: imbot.v2.Chat.Message.send: ACCESS_DENIED: Access denied
}

// One URL takes what is posted for bots of both generations.
func ExampleEventHandler_Handle() {
	v2 := &imbotv2.EventHandler{
		OnMessage: func(context.Context, *imbotv2.MessageAddEvent) error { return nil },
	}
	http.Handle("POST /events", &imbot.EventHandler{
		Verifier:  imbot.ApplicationToken(os.Getenv("APPLICATION_TOKEN")),
		OnMessage: func(context.Context, *imbot.MessageAddEvent) error { return nil }, // of the first generation
		OnEvent:   v2.Handle,
	})
}

// The answer of a language model is shown while it is written, with a button below it until
// it is finished.
func ExampleMessageService_Stream() {
	ctx := context.Background()
	portal, client := portalAndBot(ctx)
	defer portal.Close()
	anna := portal.AddUser("Anna", "Ivanova")

	answer := client.Message.Stream(ctx, imbotv2.MessageSendRequest{
		DialogID: imbot.UserDialog(anna),
		Keyboard: &imbot.Keyboard{Rows: [][]imbot.Button{{{Text: "Stop", Action: imbot.ActionCommand{Command: "stop"}}}}},
	})
	for _, token := range []string{"Take ", "**two", "** eggs."} {
		if _, err := answer.WriteString(token); err != nil {
			log.Fatal(err)
		}
	}
	if err := answer.Close(); err != nil {
		log.Fatal(err)
	}
	for _, m := range portal.Messages(anna, imbot.UserDialog(client.BotID())) {
		fmt.Println(m.Text, len(m.Keyboard.Rows))
	}
	// Output:
	// Take [b]two[/b] eggs. 0
}
