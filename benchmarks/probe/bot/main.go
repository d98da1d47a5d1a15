// Bot is a small bot on a webhook, for the size of its binary.
package main

import (
	"context"
	"log"
	"net/http"
	"os"

	"github.com/imbot-go/imbot"
)

func main() {
	hook := imbot.Webhook{URL: os.Getenv("WEBHOOK_URL"), ClientID: os.Getenv("CLIENT_ID")}
	client, err := imbot.NewClient(hook)
	if err != nil {
		log.Fatal(err)
	}
	bot := &imbot.EventHandler{Verifier: hook.Verifier(), OnMessage: func(ctx context.Context, ev *imbot.MessageAddEvent) error {
		_, err := client.Message.Add(ctx, ev.Reply(ev.Params.Message))
		return err
	}}
	log.Fatal(http.ListenAndServe(":8080", bot)) //nolint:gosec // only its size is of interest
}
