package imbottest

import (
	"context"
	"fmt"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// AddGuest lets somebody from outside begin a conversation through an open line. The bot
// answers first: it gets ONIMBOTJOINCHAT and then every message of the chat. It has to
// serve open lines, by its type or with OPENLINE. When it calls
// imopenlines.bot.session.operator, it leaves the chat and the operators join. After
// imopenlines.bot.session.finish only the guest is left, whose next message begins another
// conversation: the bot joins again. The guest writes with [Portal.Say] like everybody.
func (p *Portal) AddGuest(ctx context.Context, name string, bot imbot.ID, operators ...imbot.ID) (guest, chatID imbot.ID, err error) {
	if err := ctx.Err(); err != nil {
		return 0, 0, err
	}
	p.w.Lock()
	defer p.w.Unlock()
	b := p.w.Bots[bot]
	switch {
	case p.w.Closed:
		return 0, 0, world.ErrClosed
	case b == nil:
		return 0, 0, fmt.Errorf("imbottest: there is no bot %d", bot)
	case !b.OpenLine.Bool():
		return 0, 0, fmt.Errorf("imbottest: bot %d does not serve open lines: it was not registered with OPENLINE Y", bot)
	case len(p.w.OnlyExisting(operators)) != len(operators):
		return 0, 0, fmt.Errorf("imbottest: not all of the operators %v exist", operators)
	}
	u := p.w.AddUser(name, "")
	u.IsConnector = true
	chat := p.w.AddChat(world.KindLines, name, 0)
	chat.EntityType, chat.Operators = world.EntityLines, operators
	chat.EntityID = fmt.Sprintf("imbottest|1|guest%d|%d", u.ID, u.ID)
	chat.WelcomeBot = bot
	chat.Members = []*world.Member{{User: u.ID}}
	p.w.BeginSession(chat, u.ID)
	p.w.Notify()
	return u.ID, chat.ID, nil
}
