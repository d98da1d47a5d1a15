package imbottest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/imbot-go/imbot"
)

// The kind and the tag of an open line's chats.
const (
	kindLines   = "L"
	entityLines = "LINES"
)

// AddGuest lets somebody from outside begin a conversation through an open line,
// which the bot answers first: it gets ONIMBOTJOINCHAT and then every message of
// the chat. The bot must serve open lines, by its type or with OPENLINE. The
// operators are not in the chat before the bot calls
// imopenlines.bot.session.operator; then it leaves, and they come. The guest
// writes with [Portal.Say] like everybody.
func (p *Portal) AddGuest(ctx context.Context, name string, bot imbot.ID, operators ...imbot.ID) (guest, chatID imbot.ID, err error) {
	if err := ctx.Err(); err != nil {
		return 0, 0, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.bots[bot]
	switch {
	case p.closed:
		return 0, 0, errClosed
	case b == nil:
		return 0, 0, fmt.Errorf("imbottest: there is no bot %d", bot)
	case !b.openLine.Bool():
		return 0, 0, fmt.Errorf("imbottest: bot %d does not serve open lines: it was not registered with OPENLINE Y", bot)
	case len(p.existing(operators)) != len(operators):
		return 0, 0, fmt.Errorf("imbottest: not all of the operators %v exist", operators)
	}
	u := p.addUser(name, "")
	u.isConnector = true
	chat := p.addChat(kindLines, name, 0)
	chat.entityType, chat.operators = entityLines, operators
	chat.entityID = fmt.Sprintf("imbottest|1|guest%d|%d", u.id, u.id)
	chat.entityData = [3]string{
		"N|NONE|0|N|N|" + chat.id.String() + "|" + strconv.FormatInt(time.Now().Unix(), 10) + "|0|0|0",
		"LEAD|0|COMPANY|0|CONTACT|0|DEAL|0", "",
	}
	chat.members = []*member{{user: u.id}}
	p.join(chat, u.id, true, bot)
	p.notify()
	return u.id, chat.id, nil
}

// lineMethods are the methods for bots of open lines.
func lineMethods(name string) method {
	if name == "imopenlines.bot.session.operator" {
		return sessionOperator
	}
	return nil
}

func sessionOperator(c *call) (any, *restError) {
	b, fail := c.bot()
	if fail != nil {
		return nil, fail
	}
	id := c.params.id("CHAT_ID")
	if id <= 0 {
		return nil, wrong("CHAT_ID_EMPTY", "Chat ID can't be empty")
	}
	chat := c.p.chats[id]
	if chat == nil || chat.kind != kindLines {
		return nil, wrong("WRONG_CHAT", "The chat isn't controlled by a bot")
	}
	if chat.member(b.id) == nil { // the bot was not named; another one of the application may be there
		i := slices.IndexFunc(chat.members, func(m *member) bool { return c.p.bots[m.user] != nil && c.p.bots[m.user].app == b.app })
		if i < 0 {
			return nil, wrong("WRONG_CHAT", "The chat isn't controlled by a bot")
		}
		b = c.p.bots[chat.members[i].user]
	}
	c.p.leave(chat, b.id)
	for _, user := range c.p.existing(chat.operators) {
		if chat.member(user) == nil {
			chat.members = append(chat.members, &member{user: user})
		}
	}
	c.p.noteDialog(chat)
	return true, nil
}
