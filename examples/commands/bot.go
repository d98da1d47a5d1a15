package main

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/bbcode"
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
	id, err := imbot.EnsureBot(ctx, client, imbot.BotRegisterRequest{
		Code:         "lunch",
		EventHandler: handlerURL,
		Properties:   imbot.BotProperties{Name: "Lunch", Color: imbot.ColorLime},
	})
	if err != nil {
		return 0, nil, err
	}
	bot := &lunchBot{client: client.WithBot(id), polls: map[imbot.ID]*poll{}}
	commands := imbot.SlashCommands{
		{Name: "lunch", Title: "Ask what to eat", Params: "pizza soup", Run: bot.ask},
		{Name: "vote", Title: "Vote", Hidden: true, Run: bot.vote}, // hidden: what the buttons do
		{Name: "close", Title: "Close the poll", Hidden: true, Run: bot.close},
	}
	return id, &imbot.EventHandler{Verifier: hook.Verifier(), Commands: commands}, commands.Ensure(ctx, bot.client, handlerURL)
}

// ask starts a poll; its message is the answer to the command.
func (b *lunchBot) ask(ctx context.Context, ev *imbot.CommandAddEvent) error {
	p := &poll{dishes: ev.Args(), votes: map[imbot.ID]string{}}
	if len(p.dishes) < 2 {
		_, err := b.client.Reply(ctx, ev, "Between what? Try "+bbcode.Put("/lunch pizza soup", "/lunch pizza soup"))
		return err
	}
	answer := ev.Answer(p.text())
	answer.Keyboard = p.keyboard()
	b.mu.Lock()
	defer b.mu.Unlock() // who presses at once finds the poll
	id, err := b.client.Command.Answer(ctx, answer)
	if err == nil {
		b.polls[id] = p
	}
	return err
}

// vote counts a press. The event carries the message with the keyboard.
func (b *lunchBot) vote(ctx context.Context, ev *imbot.CommandAddEvent) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	id, dish := ev.Commands[0].MessageID, ev.Text()
	p := b.polls[id]
	if p == nil || !slices.Contains(p.dishes, dish) { // people can type the command, too
		return nil
	}
	p.votes[ev.AuthorID()] = dish
	text := p.text()
	return b.client.Message.Update(ctx, imbot.MessageUpdateRequest{MessageID: id, Message: &text})
}

// close takes the buttons away; an empty keyboard removes the one that is there.
func (b *lunchBot) close(ctx context.Context, ev *imbot.CommandAddEvent) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	id := ev.Commands[0].MessageID
	p := b.polls[id]
	if p == nil {
		return nil
	}
	text := p.text() + "\n" + bbcode.Italic("The poll is closed.")
	err := b.client.Message.Update(ctx, imbot.MessageUpdateRequest{MessageID: id, Message: &text, Keyboard: &imbot.Keyboard{}})
	if err == nil {
		delete(b.polls, id)
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
			Text: dish, Action: imbot.ActionCommand{Command: "vote", Params: dish}, BGColorToken: imbot.ColorTokenPrimary,
		})
	}
	return &imbot.Keyboard{Rows: [][]imbot.Button{
		dishes,
		{{Text: "Close", Action: imbot.ActionCommand{Command: "close"}}},
	}}
}
