package imbotredis_test

import (
	"context"
	"log"
	"os"

	"github.com/redis/go-redis/v9"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbotredis"
)

// Each replica of a bot runs this: together they keep to the rate of the portal, and an event that
// comes to two of them is handled by one.
func Example() {
	ctx := context.Background()
	server := redis.NewUniversalClient(&redis.UniversalOptions{Addrs: []string{os.Getenv("REDIS")}})
	defer server.Close()
	db, err := imbotredis.Open(ctx, server, imbotredis.Options{AllowLoss: true}) // no grants are kept here
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	hook := imbot.Webhook{URL: os.Getenv("WEBHOOK"), ClientID: os.Getenv("CLIENT_ID")}
	client, err := imbot.NewClient(hook, imbot.WithLimiter(db.Limiter(2, 50)))
	if err != nil {
		log.Fatal(err)
	}
	h := &imbot.EventHandler{
		Verifier: hook.Verifier(), Claims: db.Claims(),
		OnMessage: func(ctx context.Context, ev *imbot.MessageAddEvent) error {
			_, err := client.Message.Add(ctx, ev.Reply("You said: "+ev.Params.Message))
			return err
		},
	}
	log.Fatal(imbot.Serve(ctx, ":8080", h))
}
