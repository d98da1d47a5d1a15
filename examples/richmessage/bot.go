package main

import (
	"context"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/bbcode"
)

// newBot registers a bot that answers "ticket 7" with everything that a
// message can have, and returns its id and the handler for its events.
func newBot(ctx context.Context, hook imbot.Webhook, handlerURL string, opts ...imbot.Option) (imbot.ID, *imbot.EventHandler, error) {
	client, err := imbot.NewClient(hook, opts...)
	if err != nil {
		return 0, nil, err
	}
	id, err := client.Bot.Register(ctx, imbot.BotRegisterRequest{
		Code:         "showcase",
		EventHandler: handlerURL,
		Properties:   imbot.BotProperties{Name: "Showcase", Color: imbot.ColorAzure},
	})
	if err != nil {
		return 0, nil, err
	}
	client = client.WithBot(id)
	if _, err := client.Command.Register(ctx, imbot.CommandRegisterRequest{
		Command: "ready", EventCommandAdd: handlerURL, Hidden: imbot.Yes,
		Lang: []imbot.CommandLang{{LanguageID: "en", Title: "Mark as ready"}},
	}); err != nil {
		return 0, nil, err
	}
	return id, &imbot.EventHandler{
		Verifier: hook.Verifier(),
		OnMessage: func(ctx context.Context, ev *imbot.MessageAddEvent) error {
			if ev.Params.Message != "ticket 7" {
				return nil
			}
			answer := ev.Reply("The ticket in full. Without its blocks it is: " + bbcode.Link("https://example.com/t/7", "Ticket 7"))
			answer.Attach, answer.Keyboard, answer.Menu = attach(), keyboard(), menu()
			_, err := client.Message.Add(ctx, answer)
			return err
		},
		OnCommand: func(ctx context.Context, ev *imbot.CommandAddEvent) error { // the button Ready
			text := "Done, " + bbcode.Mention(ev.AuthorID(), ev.User.Name) + "."
			return client.Message.Update(ctx, imbot.MessageUpdateRequest{
				MessageID: ev.Commands[0].MessageID, Message: &text,
				Attach: &imbot.Attach{}, Keyboard: &imbot.Keyboard{}, // empty ones remove; the menu stays
			})
		},
	}, nil
}

// attach has a block of each kind.
func attach() *imbot.Attach {
	return &imbot.Attach{
		Color:      imbot.AttachColorAttention,
		ColorToken: imbot.ColorTokenAlert,
		Blocks: []imbot.Block{
			imbot.BlockUser{Name: "Anna Ivanova", Avatar: "https://example.com/anna.png", Link: "https://example.com/anna"},
			imbot.BlockLink{
				Name: "Ticket 7", Desc: "The printer is on fire", Link: "https://example.com/t/7",
				Preview: "https://example.com/t/7.png", Width: 640, Height: 480,
			},
			imbot.BlockMessage("It is in " + bbcode.Bold("room 5") + "#BR#" + bbcode.Escape(`C:\new\[draft]`)),
			imbot.BlockDelimiter{Size: 300, Color: "#c6c6c6"},
			imbot.BlockGrid{
				{Name: "Status", Value: "burning", Display: imbot.GridDisplayLine, Width: 100, ColorToken: imbot.ColorTokenAlert},
				{Name: "Floor", Value: "2", Display: imbot.GridDisplayRow},
				{Name: "Since", Value: "this morning"},
			},
			imbot.BlockImage{{Name: "Smoke", Link: "https://example.com/smoke.jpg", Width: 800, Height: 600}},
			imbot.BlockFile{{Name: "report.pdf", Link: "https://example.com/report.pdf", Size: 1_500_000}},
		},
	}
}

// keyboard has a button with each action and each look.
func keyboard() *imbot.Keyboard {
	return &imbot.Keyboard{Rows: [][]imbot.Button{
		{
			{Text: "Ready", Action: imbot.ActionCommand{Command: "ready", Params: "7"}, Block: imbot.Yes, BGColorToken: imbot.ColorTokenPrimary},
			{Text: "Open", Action: imbot.ActionLink("https://example.com/t/7"), BGColor: "#29619b", TextColor: "#fff"},
		},
		{
			{Text: "Send", Action: imbot.ActionSend("I will have a look")},
			{Text: "Draft", Action: imbot.ActionPut("The printer ")},
			{Text: "Copy", Action: imbot.ActionCopy("Ticket 7"), Context: imbot.ButtonContextDesktop},
		},
		{{Text: "Call", Action: imbot.ActionCall("+15550100"), Context: imbot.ButtonContextMobile, Display: imbot.ButtonDisplayBlock}},
		{{Text: "Private", Action: imbot.ActionDialog(imbot.UserDialog(1)), Width: 120}},
		{{Text: "Off", Action: imbot.ActionLink("/company/"), Disabled: imbot.Yes, OffBGColor: "#eee", OffTextColor: "#999"}},
	}}
}

// menu has items for the context menu of the message.
func menu() *imbot.Menu {
	return &imbot.Menu{Items: []imbot.MenuItem{
		{Text: "Open", Action: imbot.ActionLink("https://example.com/t/7")},
		{Text: "Copy", Action: imbot.ActionCopy("Ticket 7"), Context: imbot.ButtonContextDesktop},
	}}
}
