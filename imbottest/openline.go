package imbottest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// A Session is a conversation in the chat of an open line. When it is over, the guest's next
// message begins another one.
type Session struct {
	ID     imbot.ID
	LineID imbot.ID // a transfer changes it
	Owner  imbot.ID // who holds it, or held it at its end: a bot or a person; 0: nobody
	Began  time.Time
	Ended  time.Time // zero while it goes on
}

// Sessions returns the conversations in the chat of an open line, oldest first.
func (p *Portal) Sessions(chat imbot.ID) []Session {
	p.w.Lock()
	defer p.w.Unlock()
	c := p.w.Chats[chat]
	if c == nil {
		return nil
	}
	var list []Session
	for _, s := range c.Sessions {
		owner := s.Holder
		if s.Ended.IsZero() {
			owner = c.Owner
		}
		list = append(list, Session{ID: s.ID, LineID: s.Line.ID, Owner: owner, Began: s.Began, Ended: s.Ended})
	}
	return list
}

// AddLine makes an open line; operators that the portal does not know are left out. A bot is
// connected to it by imopenlines.config.update, as by openlines.EnsureBot, and guests come with
// [Portal.Visit].
func (p *Portal) AddLine(name string, operators ...imbot.ID) imbot.ID {
	p.w.Lock()
	defer p.w.Unlock()
	return p.w.AddLine(name, operators).ID
}

// Visit lets somebody from outside begin a conversation through an open line. The bot that the
// line has been connected to answers first: it gets ONIMBOTJOINCHAT or ONIMBOTV2JOINCHAT, and then
// every message of the chat, until the conversation leaves it: by a method, by a message that is
// only the digit 0, or after WELCOME_BOT_TIME. Then, and at once in a line without a bot, all
// operators of the line join, and the first who writes holds the conversation. After its end only
// the guest is left, whose next message begins another conversation. Guests write with
// [Portal.Say] like everybody.
func (p *Portal) Visit(ctx context.Context, line imbot.ID, name string) (guest, chatID imbot.ID, err error) {
	if err := ctx.Err(); err != nil {
		return 0, 0, err
	}
	p.w.Lock()
	defer p.w.Unlock()
	l := p.w.Lines[line]
	if l == nil {
		return 0, 0, fmt.Errorf("imbottest: there is no open line %d", line)
	}
	return p.visit(l, name)
}

// AddGuest does what [Portal.Visit] does, through a line of the portal's own that this bot and
// these operators have, and that the bot may keep for as long as it likes.
func (p *Portal) AddGuest(ctx context.Context, name string, bot imbot.ID, operators ...imbot.ID) (guest, chatID imbot.ID, err error) {
	if err := ctx.Err(); err != nil {
		return 0, 0, err
	}
	p.w.Lock()
	defer p.w.Unlock()
	b := p.w.Bots[bot]
	switch {
	case b == nil:
		return 0, 0, fmt.Errorf("imbottest: there is no bot %d", bot)
	case !b.OpenLine.Bool():
		return 0, 0, fmt.Errorf("imbottest: bot %d %w", bot, world.ErrNotForLines)
	case len(p.w.OnlyExisting(operators)) != len(operators):
		return 0, 0, fmt.Errorf("imbottest: not all of the operators %v exist", operators)
	}
	welcome := world.NoWelcomeBot
	welcome.Enable, welcome.ID, welcome.Time = true, bot, 0
	for _, id := range world.SortedIDs(p.w.Lines) {
		if l := p.w.Lines[id]; l.Welcome == welcome && slices.Equal(l.Operators, operators) {
			return p.visit(l, name)
		}
	}
	l := p.w.AddLine("Open line", operators)
	l.Welcome = welcome
	return p.visit(l, name)
}

func (p *Portal) visit(l *world.Line, name string) (guest, chatID imbot.ID, err error) {
	chat, guest, err := p.w.Visit(l, name)
	if err != nil {
		return 0, 0, err
	}
	return guest, chat.ID, nil
}
