// Groupchat makes a chat about a deal, finds it again by the deal's tags, invites
// people, changes title, colour and picture, hands the chat over and leaves.
//
// It talks to a portal in memory and prints what becomes of the chat.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := demo(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "groupchat:", err)
		os.Exit(1)
	}
}

const eventURL = "https://bot.example.com/events"

func demo(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	portal := imbottest.NewPortal()
	defer portal.Close()
	portal.Serve(eventURL, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})) // this bot does not listen
	client, err := newBot(ctx, portal.Webhook("a-long-random-client-id"), eventURL, imbot.WithHTTPClient(portal.HTTPClient()))
	if err != nil {
		return err
	}
	return errors.Join(work(ctx, out, portal, client), portal.Idle(ctx), portal.Err())
}

func work(ctx context.Context, out io.Writer, portal *imbottest.Portal, client *imbot.Client) error {
	const deal, webhookUser = "42", imbot.ID(1) // GetDialog looks with the eyes of the webhook's user
	anna, boris := portal.AddUser("Anna", "Ivanova"), portal.AddUser("Boris", "Petrov")
	chat, err := dealChat(ctx, client, deal, webhookUser, anna)
	if err != nil {
		return err
	}
	if err := show(ctx, out, portal, client, "A new chat", chat); err != nil {
		return err
	}
	again, err := dealChat(ctx, client, deal, boris)
	if err != nil {
		return err
	}
	if again != chat {
		return fmt.Errorf("deal %s has two chats, %d and %d", deal, chat, again)
	}
	if err := show(ctx, out, portal, client, "Found by its tags; Boris is invited", chat); err != nil {
		return err
	}
	if err := won(ctx, client, chat, deal, boris); err != nil {
		return err
	}
	if err := show(ctx, out, portal, client, "Handed over", chat); err != nil {
		return err
	}
	fmt.Fprintln(out, "What Anna reads")
	for _, m := range portal.Messages(anna, imbot.ChatDialog(chat)) {
		fmt.Fprintf(out, "  %s: %s\n", portal.Name(m.AuthorID), m.Plain())
	}
	return nil
}

// show prints a chat as the portal describes it.
func show(ctx context.Context, out io.Writer, portal *imbottest.Portal, client *imbot.Client, title string, chat imbot.ID) error {
	dialog, err := client.Chat.GetDialog(ctx, imbot.ChatGetDialogRequest{DialogID: imbot.ChatDialog(chat)})
	if err != nil {
		return err
	}
	users, err := client.Chat.ListUsers(ctx, imbot.ChatListUsersRequest{ChatID: chat})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s\n  %s, %s %s, colour %s, picture %t, owner %s\n", title,
		dialog.Name, dialog.EntityType, dialog.EntityID, dialog.Color, dialog.Avatar != "", portal.Name(dialog.Owner))
	if len(users) == 0 {
		fmt.Fprintln(out, "  the bot is no member and sees nobody")
	}
	for _, user := range users {
		fmt.Fprintf(out, "  - %s\n", portal.Name(user))
	}
	return nil
}
