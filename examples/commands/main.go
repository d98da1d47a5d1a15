// Commands is a bot with slash commands and a keyboard: it asks what to eat and
// counts the votes.
//
// It talks to a portal in memory and prints what people see. What it takes to run
// a bot like this on a real portal is in examples/echobot.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := demo(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "commands:", err)
		os.Exit(1)
	}
}

const eventURL = "https://bot.example.com/events"

func demo(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	portal := imbottest.NewPortal()
	defer portal.Close()
	id, bot, err := newBot(ctx, portal.Webhook("a-long-random-client-id"), eventURL, imbot.WithHTTPClient(portal.HTTPClient()))
	if err != nil {
		return err
	}
	portal.Serve(eventURL, bot)
	err = talk(ctx, out, portal, id, bot)
	return errors.Join(err, bot.Shutdown(ctx), portal.Err())
}

// talk lets two people vote and prints the poll after each step.
func talk(ctx context.Context, out io.Writer, portal *imbottest.Portal, id imbot.ID, bot *imbot.EventHandler) error {
	anna, boris := portal.AddUser("Anna", "Ivanova"), portal.AddUser("Boris", "Petrov")
	team := imbot.ChatDialog(portal.AddChat("Team", anna, boris, id))

	var poll imbottest.Message
	for _, text := range []string{"/lunch", "/lunch pizza soup"} {
		fmt.Fprintf(out, "Anna writes %s\n", text)
		var err error
		if poll, err = portal.Ask(ctx, anna, team, text); err != nil {
			return err
		}
		show(out, portal, poll)
	}
	for _, press := range []struct {
		who    imbot.ID
		button string
	}{{anna, "pizza"}, {boris, "soup"}, {anna, "soup"}, {boris, "Close"}} {
		fmt.Fprintf(out, "%s presses %s\n", portal.Name(press.who), press.button)
		if err := portal.Press(ctx, press.who, poll, press.button); err != nil {
			return err
		}
		if err := errors.Join(portal.Idle(ctx), bot.Idle(ctx)); err != nil { // the event is delivered and handled
			return err
		}
		seen := portal.Messages(press.who, team)
		show(out, portal, seen[len(seen)-1])
	}
	return nil
}

// show prints a message as a person sees it.
func show(out io.Writer, portal *imbottest.Portal, m imbottest.Message) {
	fmt.Fprintf(out, "  %s: %s\n", portal.Name(m.AuthorID), strings.ReplaceAll(m.Plain(), "\n", "\n    "))
	for _, row := range m.Keyboard.Rows {
		fmt.Fprint(out, "   ")
		for _, button := range row {
			fmt.Fprintf(out, " [%s]", button.Text)
		}
		fmt.Fprintln(out)
	}
}
