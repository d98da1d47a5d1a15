package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/bbcode"
)

// The commands of the bot. Only the first is offered to people; the others are
// what its buttons do.
const (
	commandLunch = "lunch"
	commandVote  = "vote"
	commandClose = "close"
)

// lunchBot holds polls: "/lunch pizza soup" asks, buttons vote.
type lunchBot struct {
	client *imbot.Client

	mu    sync.Mutex
	polls map[imbot.ID]*poll // by the message that shows it; gone after a restart
}

type poll struct {
	dishes []string
	votes  map[imbot.ID]string // by person: who presses again changes his mind
}

// newBot registers the bot with its commands, and returns its id and the handler
// for its events.
func newBot(ctx context.Context, hook imbot.Webhook, handlerURL string, opts ...imbot.Option) (imbot.ID, *imbot.EventHandler, error) {
	client, err := imbot.NewClient(hook, opts...)
	if err != nil {
		return 0, nil, err
	}
	id, err := client.Bot.Register(ctx, imbot.BotRegisterRequest{
		Code:         "lunch",
		EventHandler: handlerURL,
		Properties:   imbot.BotProperties{Name: "Lunch", Color: imbot.ColorLime},
	})
	if err != nil {
		return 0, nil, err
	}
	client = client.WithBot(id)
	for _, c := range []imbot.CommandRegisterRequest{
		{Command: commandLunch, Lang: []imbot.CommandLang{{LanguageID: "en", Title: "Ask what to eat", Params: "pizza soup"}}},
		{Command: commandVote, Hidden: imbot.Yes, Lang: []imbot.CommandLang{{LanguageID: "en", Title: "Vote"}}},
		{Command: commandClose, Hidden: imbot.Yes, Lang: []imbot.CommandLang{{LanguageID: "en", Title: "Close the poll"}}},
	} {
		c.EventCommandAdd = handlerURL
		if _, err := imbot.EnsureCommand(ctx, client, c); err != nil {
			return 0, nil, err
		}
	}
	bot := &lunchBot{client: client, polls: map[imbot.ID]*poll{}}
	return id, &imbot.EventHandler{Verifier: hook.Verifier(), OnCommand: bot.onCommand}, nil
}

func (b *lunchBot) onCommand(ctx context.Context, ev *imbot.CommandAddEvent) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range ev.Commands {
		var err error
		switch c.Command {
		case commandLunch:
			err = b.ask(ctx, c)
		case commandVote:
			err = b.vote(ctx, c, ev.AuthorID())
		case commandClose:
			err = b.close(ctx, c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ask starts a poll; its message is the answer to the command.
func (b *lunchBot) ask(ctx context.Context, c imbot.EventCommand) error {
	dishes := strings.Fields(c.CommandParams)
	if len(dishes) < 2 {
		_, err := b.client.Command.Answer(ctx, c.Answer("Between what? Try "+bbcode.Put("/lunch pizza soup", "/lunch pizza soup")))
		return err
	}
	p := &poll{dishes: dishes, votes: map[imbot.ID]string{}}
	answer := c.Answer(p.text())
	answer.Keyboard = p.keyboard()
	id, err := b.client.Command.Answer(ctx, answer)
	if err != nil {
		return err
	}
	b.polls[id] = p
	return nil
}

// vote counts a press. The event carries the message with the keyboard.
func (b *lunchBot) vote(ctx context.Context, c imbot.EventCommand, person imbot.ID) error {
	p := b.polls[c.MessageID]
	if p == nil || !slices.Contains(p.dishes, c.CommandParams) { // people can type the command, too
		return nil
	}
	p.votes[person] = c.CommandParams
	text := p.text()
	return b.client.Message.Update(ctx, imbot.MessageUpdateRequest{MessageID: c.MessageID, Message: &text})
}

// close takes the buttons away; an empty keyboard removes the one that is there.
func (b *lunchBot) close(ctx context.Context, c imbot.EventCommand) error {
	p := b.polls[c.MessageID]
	if p == nil {
		return nil
	}
	text := p.text() + "\n" + bbcode.Italic("The poll is closed.")
	err := b.client.Message.Update(ctx, imbot.MessageUpdateRequest{MessageID: c.MessageID, Message: &text, Keyboard: &imbot.Keyboard{}})
	if err == nil {
		delete(b.polls, c.MessageID)
	}
	return err
}

func (p *poll) text() string {
	count := map[string]int{}
	for _, dish := range p.votes {
		count[dish]++
	}
	text := bbcode.Bold("What shall we eat?")
	for _, dish := range p.dishes {
		text += fmt.Sprintf("\n%s: %d", bbcode.Escape(dish), count[dish])
	}
	return text
}

// keyboard has a row with the dishes and one to close the poll. Nobody needs to
// know the commands behind the buttons.
func (p *poll) keyboard() *imbot.Keyboard {
	var dishes []imbot.Button
	for _, dish := range p.dishes {
		dishes = append(dishes, imbot.Button{
			Text: dish, Action: imbot.ActionCommand{Command: commandVote, Params: dish}, BGColorToken: imbot.ColorTokenPrimary,
		})
	}
	return &imbot.Keyboard{Rows: [][]imbot.Button{
		dishes,
		{{Text: "Close", Action: imbot.ActionCommand{Command: commandClose}}},
	}}
}
