// Richmessage sends a message with a block and a button of each kind, and takes
// them away when somebody presses Ready.
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
	"github.com/imbot-go/imbot/bbcode"
	"github.com/imbot-go/imbot/imbottest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := demo(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "richmessage:", err)
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

// talk asks for the message, presses all its buttons and prints what happens.
func talk(ctx context.Context, out io.Writer, portal *imbottest.Portal, id imbot.ID, bot *imbot.EventHandler) error {
	anna, dialog := portal.AddUser("Anna", "Ivanova"), imbot.UserDialog(id)
	message, err := portal.Ask(ctx, anna, dialog, "ticket 7")
	if err != nil {
		return err
	}
	show(out, portal, message)
	for _, text := range []string{"Send", "Open", "Draft", "Copy", "Call", "Private", "Off", "Ready"} {
		fmt.Fprintf(out, "Anna presses %s\n", text)
		if err := portal.Press(ctx, anna, message, text); err != nil { // nothing for the portal to do
			fmt.Fprintf(out, "  %s\n", strings.TrimPrefix(err.Error(), "imbottest: "))
		}
		if err := errors.Join(portal.Idle(ctx), bot.Idle(ctx)); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "The whole dialog")
	for _, m := range portal.Messages(anna, dialog) {
		show(out, portal, m)
	}
	return nil
}

// show prints a message as a person sees it.
func show(out io.Writer, portal *imbottest.Portal, m imbottest.Message) {
	fmt.Fprintf(out, "  %s: %s\n", portal.Name(m.AuthorID), m.Plain())
	for _, block := range m.Attach.Blocks {
		fmt.Fprintf(out, "    | %s\n", describe(block))
	}
	for _, row := range m.Keyboard.Rows {
		fmt.Fprint(out, "   ")
		for _, button := range row {
			fmt.Fprintf(out, " [%s]", button.Text)
		}
		fmt.Fprintln(out)
	}
	for _, item := range m.Menu.Items {
		fmt.Fprintf(out, "    … %s\n", item.Text)
	}
}

// describe is a block in one line.
func describe(block imbot.Block) string {
	switch b := block.(type) {
	case imbot.BlockUser:
		return b.Name + " <" + b.Link + ">"
	case imbot.BlockLink:
		return b.Name + ": " + b.Desc + " <" + b.Link + ">"
	case imbot.BlockMessage:
		return strings.ReplaceAll(bbcode.Plain(string(b)), "\n", " / ")
	case imbot.BlockDelimiter:
		return strings.Repeat("-", b.Size/20)
	case imbot.BlockGrid:
		var cells []string
		for _, item := range b {
			cells = append(cells, item.Name+": "+bbcode.Plain(item.Value))
		}
		return strings.Join(cells, "; ")
	case imbot.BlockImage:
		return "picture " + b[0].Name + " <" + b[0].Link + ">"
	case imbot.BlockFile:
		return fmt.Sprintf("file %s, %d bytes <%s>", b[0].Name, b[0].Size, b[0].Link)
	}
	return fmt.Sprint(block)
}
