package imbot_test

import (
	"context"
	"fmt"
	"log"
	"slices"

	"github.com/imbot-go/imbot"
)

func ExampleClient_DoBatch() {
	portal, client := portalAndClient()
	defer portal.Close()
	ctx := context.Background()
	bot, err := client.Bot.Register(ctx, imbot.BotRegisterRequest{
		Code: "support", EventHandler: "https://bot.example.com/events", Properties: imbot.BotProperties{Name: "Support"},
	})
	if err != nil {
		log.Fatal(err)
	}
	anna, boris := portal.AddUser("Anna", "Ivanova"), portal.AddUser("Boris", "Petrov")

	batch := imbot.NewBatch()
	chat := imbot.Queue(batch, imbot.ChatAddRequest{Title: "Lunch", Users: []imbot.ID{anna, boris}})
	lost := imbot.Queue(batch, imbot.MessageAddRequest{DialogID: "chat4711", Message: "Pizza?"})
	if err := client.WithBot(bot).DoBatch(ctx, batch); err != nil {
		log.Fatal(err)
	}
	id, err := chat.Result()
	fmt.Println(id != 0, err)
	_, err = lost.Result()
	fmt.Println(err)
	fmt.Println("requests:", len(portal.Calls("batch")))
	// Output:
	// true <nil>
	// imbot: imbot.message.add: CHAT_ID: Chat not found
	// requests: 1
}

func ExampleDoAll() {
	portal, client := portalAndClient()
	defer portal.Close()
	ctx := context.Background()
	bot, err := client.Bot.Register(ctx, imbot.BotRegisterRequest{
		Code: "news", EventHandler: "https://bot.example.com/events", Properties: imbot.BotProperties{Name: "News"},
	})
	if err != nil {
		log.Fatal(err)
	}
	var requests []imbot.MessageAddRequest
	for range 120 {
		user := portal.AddUser("Anna", "Ivanova")
		requests = append(requests, imbot.MessageAddRequest{DialogID: imbot.UserDialog(user), Message: "News!"})
	}
	sent := 0
	for _, err := range imbot.DoAll(ctx, client.WithBot(bot), slices.Values(requests)) {
		if err != nil {
			log.Fatal(err)
		}
		sent++
	}
	fmt.Println(sent, "messages in", len(portal.Calls("batch")), "requests")
	// Output: 120 messages in 3 requests
}
