package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/bbcode"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/imbottest/messenger"
)

var picture = flag.String("picture", "", "`file` for the picture of the README")

// TestPictureOfTheReadme makes the picture of the README:
// go test -run Picture -picture ../messenger.png
func TestPictureOfTheReadme(t *testing.T) {
	if *picture == "" {
		t.Skip("-picture names no file")
	}
	portal := imbottest.NewPortal()
	t.Cleanup(portal.Close)
	portal.Mount(messenger.Handler(portal))
	require.NoError(t, portal.Listen("127.0.0.1:8060")) // a port that is nice to read; this test never runs beside others
	anna, boris := portal.AddUser("Anna", "Ivanova"), portal.AddUser("Boris", "Petrov")
	const events = "https://bot.example.com/events"
	hook := portal.Webhook(clientID)
	client, err := imbot.NewClient(hook, imbot.WithHTTPClient(portal.HTTPClient()))
	require.NoError(t, err)
	id, err := client.Bot.Register(t.Context(), imbot.BotRegisterRequest{
		Code: "coffee", EventHandler: events, Properties: imbot.BotProperties{Name: "Coffee", WorkPosition: "Brings it to your desk", Color: imbot.ColorMint},
	})
	require.NoError(t, err)
	client = client.WithBot(id)
	finish := make(chan struct{}) // the picture is made while an answer grows
	bot := &imbot.EventHandler{
		Verifier:   hook.Verifier(),
		OnJoinChat: func(context.Context, *imbot.JoinChatEvent) error { return nil },
		OnMessage: func(ctx context.Context, ev *imbot.MessageAddEvent) error {
			reply := ev.Reply("Gladly, " + bbcode.Bold(bbcode.Escape(ev.User.FirstName)) + ". Your order:")
			if strings.Contains(ev.Text(), "flat") {
				reply.Attach, reply.Keyboard = order()
				_, err := client.Message.Add(ctx, reply)
				return err
			}
			reply.Keyboard = &imbot.Keyboard{Rows: [][]imbot.Button{{{Text: "Stop", Action: imbot.ActionCommand{Command: "stop"}}}}}
			answer := client.Message.Stream(ctx, reply)
			for _, words := range []string{"## Cold brew\n\n1. Grind the beans *coarsely*\n", "2. Pour **cold** water over them\n", "3. Wait for twelve hours, and"} {
				_, _ = answer.WriteString(words)
				time.Sleep(1200 * time.Millisecond)
			}
			<-finish
			return answer.Close()
		},
		Commands: imbot.SlashCommands{
			{Name: "menu", Title: "What there is today", Run: nothing},
			{Name: "order", Title: "Order", Params: "flat white", Run: nothing},
			{Name: "stop", Title: "Stop the answer", Hidden: true, Interrupts: true},
		},
	}
	require.NoError(t, bot.Commands.Ensure(t.Context(), client, events))
	portal.Serve(events, bot)
	t.Cleanup(func() { close(finish); _ = bot.Shutdown(context.WithoutCancel(t.Context())) })

	lunch := imbot.ChatDialog(portal.AddChat("Lunch", boris, anna, id))
	for _, said := range []struct {
		who  imbot.ID
		text string
	}{{boris, "Pizza or soup today?"}, {anna, "Soup! At noon?"}, {boris, "See you there"}} {
		_, err = portal.Say(t.Context(), said.who, lunch, said.text)
		require.NoError(t, err)
	}
	require.NoError(t, portal.Open(t.Context(), anna, id))
	for _, text := range []string{"Two flat whites and a croissant, please", "And how do I make a cold brew?"} {
		_, err = portal.Ask(t.Context(), anna, imbot.UserDialog(id), text)
		require.NoError(t, err)
	}
	require.Error(t, client.Message.Delete(t.Context(), imbot.MessageDeleteRequest{MessageID: 1}))

	b := open(t, fmt.Sprintf("http://127.0.0.1:8060/#user=%d&dialog=%d", anna, id), 1280, 800)
	b.sees("#messages .text", "Your order")
	b.sees("#messages .text", "twelve hours, and")
	b.until(count("#log li[data-exchange]", "imbot.message.update") + " >= 2")
	b.click(fmt.Sprintf(`#log li[data-exchange="%s"] [aria-expanded]`, eval[string](b, `[...document.querySelectorAll("#log li[data-exchange]")]
		.filter(e => e.textContent.includes("imbot.message.update"))[0].dataset.exchange`)))
	b.sees("#log .sent", "Cold brew")
	b.sees("#log .answer", "result")
	b.click("#text")
	shot, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	require.NoError(t, err)
	require.Less(t, len(shot), 200<<10)
	require.NoError(t, os.WriteFile(*picture, shot, 0o644))
}

func nothing(context.Context, *imbot.CommandAddEvent) error { return nil }

// order is an attachment and a keyboard that show what bots can do.
func order() (*imbot.Attach, *imbot.Keyboard) {
	attach := &imbot.Attach{ColorToken: imbot.ColorTokenPrimary, Blocks: []imbot.Block{
		imbot.BlockGrid{
			{Name: "2 × flat white", Value: "8.40 €", Display: imbot.GridDisplayLine, Width: 180},
			{Name: "1 × croissant", Value: "2.60 €", Display: imbot.GridDisplayLine, Width: 180},
		},
		imbot.BlockDelimiter{Size: 360, Color: "#c6c6c6"},
		imbot.BlockGrid{
			{Name: "Total", Value: "11.00 €", Display: imbot.GridDisplayRow},
			{Name: "At your desk", Value: "in ten minutes", Display: imbot.GridDisplayRow},
		},
	}}
	return attach, &imbot.Keyboard{Rows: [][]imbot.Button{
		{
			{Text: "Confirm", Action: imbot.ActionCommand{Command: "order", Params: "yes"}, BGColorToken: imbot.ColorTokenPrimary},
			{Text: "Oat milk", Action: imbot.ActionCommand{Command: "order", Params: "oat"}},
			{Text: "Cancel", Action: imbot.ActionCommand{Command: "order", Params: "no"}},
		},
		{{Text: "What else is there?", Action: imbot.ActionSend("/menu"), Display: imbot.ButtonDisplayBlock}},
	}}
}
