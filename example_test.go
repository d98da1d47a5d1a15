package imbot_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

// portalAndClient returns a portal in memory and a client for it, so that the
// examples run.
func portalAndClient() (*imbottest.Portal, *imbot.Client) {
	portal := imbottest.NewPortal()
	client, err := imbot.NewClient(portal.Webhook("a-long-random-client-id"), imbot.WithHTTPClient(portal.HTTPClient()))
	if err != nil {
		log.Fatal(err)
	}
	return portal, client
}

func ExampleBotService_Register() {
	portal, client := portalAndClient()
	defer portal.Close()
	req := imbot.BotRegisterRequest{
		Code:         "support",
		Type:         imbot.BotTypeBot,
		EventHandler: "https://bot.example.com/events",
		Properties:   imbot.BotProperties{Name: "Support", Color: imbot.ColorMint, WorkPosition: "I find the right person"},
	}
	first, err := client.Bot.Register(context.Background(), req)
	if err != nil {
		log.Fatal(err)
	}
	again, err := client.Bot.Register(context.Background(), req)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("the same bot:", first == again)
	// Output: the same bot: true
}

func ExampleChatService_Add() {
	portal, client := portalAndClient()
	defer portal.Close()
	ctx := context.Background()
	bot, err := client.Bot.Register(ctx, imbot.BotRegisterRequest{
		Code: "lunch", EventHandler: "https://bot.example.com/events", Properties: imbot.BotProperties{Name: "Lunch"},
	})
	if err != nil {
		log.Fatal(err)
	}
	anna := portal.AddUser("Anna", "Ivanova")
	chat, err := client.WithBot(bot).Chat.Add(ctx, imbot.ChatAddRequest{
		Title: "Pizza on Friday", Users: []imbot.ID{anna}, EntityType: "LUNCH", EntityID: "2026-11-27",
	})
	if err != nil {
		log.Fatal(err)
	}
	found, err := client.Chat.Get(ctx, imbot.ChatGetRequest{EntityType: "LUNCH", EntityID: "2026-11-27"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("found by its tags:", found == chat)
	_, err = client.Chat.Get(ctx, imbot.ChatGetRequest{EntityType: "LUNCH", EntityID: "2026-12-04"})
	fmt.Println("none next week:", errors.Is(err, imbot.ErrNotFound))
	// Output:
	// found by its tags: true
	// none next week: true
}

func ExampleError() {
	portal, client := portalAndClient()
	defer portal.Close()
	ctx := context.Background()

	_, err := client.Message.Add(ctx, imbot.MessageAddRequest{DialogID: imbot.UserDialog(1), Message: "hello"})
	fmt.Println(errors.Is(err, imbot.ErrBotID), err)

	err = client.Chat.UpdateColor(ctx, imbot.ChatUpdateColorRequest{ChatID: 5, Color: "SALMON"})
	fmt.Println(errors.Is(err, imbot.ErrInvalid), err)
	// Output:
	// true imbot: imbot.message.add: BOT_ID_ERROR: Bot not found (name a bot of this application: BotID, or Client.WithBot for all calls)
	// true imbot: imbot.chat.updateColor: WRONG_COLOR: COLOR "SALMON" is not one of Colors()
}

// A code matches in any case, also one that has no constant.
func ExampleErrorCode() {
	portal, client := portalAndClient()
	defer portal.Close()
	portal.Fail("imbot.bot.list", imbottest.Fault{Status: http.StatusForbidden, Code: "insufficient_scope"})
	_, err := client.Bot.List(context.Background(), imbot.BotListRequest{})
	fmt.Println(errors.Is(err, imbot.ErrInsufficientScope), errors.Is(err, imbot.ErrorCode("INSUFFICIENT_SCOPE")))
	// Output: true true
}

// profileRequest types a method that this package does not have.
type profileRequest struct{ imbot.Returns[profile] }

type profile struct {
	ID    imbot.ID
	Admin imbot.Flag
}

func (profileRequest) Method() string { return "profile" }

// Repeatable lets the client send it again when an answer is lost.
func (profileRequest) Repeatable() bool { return true }

func ExampleDo() {
	portal, client := portalAndClient()
	defer portal.Close()
	me, err := imbot.Do(context.Background(), client, profileRequest{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(me.ID, me.Admin.Bool())
	// Output: 1 true
}

func ExampleClient_Call() {
	portal, client := portalAndClient()
	defer portal.Close()
	var me struct{ ID imbot.ID }
	if err := client.Call(context.Background(), "profile", nil, &me); err != nil {
		log.Fatal(err)
	}
	fmt.Println(me.ID)
	err := client.Call(context.Background(), "user.get", map[string]any{"auth": "x"}, nil)
	fmt.Println(err)
	// Output:
	// 1
	// imbot: user.get: a parameter named auth would change the meaning of the request
}

func ExampleEventHandler() {
	portal, client := portalAndClient()
	defer portal.Close()
	ctx := context.Background()
	handler := &imbot.EventHandler{
		Verifier: portal.Webhook("a-long-random-client-id").Verifier(),
		OnJoinChat: func(ctx context.Context, ev *imbot.JoinChatEvent) error {
			_, err := client.Message.Add(ctx, ev.Reply("Hello, "+ev.User.FirstName+"!"))
			return err
		},
		OnMessage: func(ctx context.Context, ev *imbot.MessageAddEvent) error {
			_, err := client.Message.Add(ctx, ev.Reply(strings.ToUpper(ev.Params.Message)))
			return err
		},
	}
	defer func() { _ = handler.Shutdown(ctx) }()
	bot, err := client.Bot.Register(ctx, imbot.BotRegisterRequest{
		Code: "shout", EventHandler: "https://bot.example.com/events", Properties: imbot.BotProperties{Name: "Shout"},
	})
	if err != nil {
		log.Fatal(err)
	}
	portal.Serve("https://bot.example.com/events", handler)

	anna := portal.AddUser("Anna", "Ivanova")
	if err := errors.Join(portal.Open(ctx, anna, bot), portal.Idle(ctx), handler.Idle(ctx)); err != nil {
		log.Fatal(err)
	}
	if _, err := portal.Ask(ctx, anna, imbot.UserDialog(bot), "is anybody there?"); err != nil {
		log.Fatal(err)
	}
	for _, m := range portal.Messages(anna, imbot.UserDialog(bot)) {
		fmt.Println(portal.Name(m.AuthorID)+":", m.Plain())
	}
	// Output:
	// Shout: Hello, Anna!
	// Anna Ivanova: is anybody there?
	// Shout: IS ANYBODY THERE?
}

func ExampleParseEvent() {
	body := "event=ONIMBOTDELETE&data[BOT_ID]=39&data[BOT_CODE]=echo&ts=1771928985&auth[application_token]=a-long-random-client-id"
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "https://bot.example.com/events", strings.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	ev, err := imbot.ParseEvent(r, imbot.ApplicationToken("a-long-random-client-id"))
	if err != nil {
		log.Fatal(err)
	}
	switch ev := ev.(type) {
	case *imbot.BotDeleteEvent:
		fmt.Println("bot", ev.BotID, "is gone at", ev.Time.UTC())
	case *imbot.UnknownEvent:
		fmt.Println(ev.Name, ev.Raw.Get("data", "PARAMS", "DIALOG_ID"))
	}
	// Output: bot 39 is gone at 2026-02-24 10:29:45 +0000 UTC
}

// A queue of your own keeps events, sealed because they hold tokens.
func ExampleEncodeEvent() {
	body := "event=ONIMBOTDELETE&data[BOT_ID]=39&data[BOT_CODE]=echo&auth[application_token]=a-long-random-client-id"
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "https://bot.example.com/events", strings.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	ev, err := imbot.ParseEvent(r, imbot.ApplicationToken("a-long-random-client-id"))
	if err != nil {
		log.Fatal(err)
	}
	keys, err := imbot.NewKeyring([]byte("32 random bytes, from your vault"))
	if err != nil {
		log.Fatal(err)
	}
	data, err := imbot.EncodeEvent(ev)
	if err != nil {
		log.Fatal(err)
	}
	kept := keys.Seal("events/1", data) // and later, perhaps in another process:

	if data, err = keys.Open("events/1", kept); err != nil {
		log.Fatal(err)
	}
	if ev, err = imbot.DecodeEvent(data); err != nil {
		log.Fatal(err)
	}
	handler := &imbot.EventHandler{OnBotDelete: func(_ context.Context, ev *imbot.BotDeleteEvent) error {
		fmt.Println("bot", ev.BotID, "is gone")
		return nil
	}}
	if err := handler.Handle(context.Background(), ev); err != nil {
		log.Fatal(err)
	}
	// Output: bot 39 is gone
}

// The answer of a language model is shown while it is written.
func ExampleMessageService_Stream() {
	portal, client := portalAndClient()
	defer portal.Close()
	anna := portal.AddUser("Anna", "Ivanova")
	bot, err := imbot.EnsureBot(context.Background(), client, imbot.BotRegisterRequest{
		Code: "cook", EventHandler: "https://bot.example.com/events", Properties: imbot.BotProperties{Name: "Cook"},
	})
	if err != nil {
		log.Fatal(err)
	}

	model := strings.NewReader("Take **two** eggs.\n\n1. Whisk them.\n2. Fry them.")
	answer := client.WithBot(bot).Message.Stream(context.Background(), imbot.MessageAddRequest{DialogID: imbot.UserDialog(anna)})
	_, err = io.Copy(answer, model)
	if err := errors.Join(err, answer.Close()); err != nil {
		log.Fatal(err)
	}
	fmt.Println(portal.Messages(anna, imbot.UserDialog(bot))[0].Text)
	// Output:
	// Take [b]two[/b] eggs.
	//
	// 1. Whisk them.
	// 2. Fry them.
}
