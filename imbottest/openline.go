package imbottest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/imbot-go/imbot"
)

// The kind and the ENTITY_TYPE of chats of open lines.
const (
	kindLines   = "L"
	entityLines = "LINES"
)

// theLine is the id of the only line that there is.
const theLine = 1

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
	p.Lock()
	defer p.Unlock()
	b := p.bots[bot]
	switch {
	case p.closed:
		return 0, 0, errClosed
	case b == nil:
		return 0, 0, fmt.Errorf("imbottest: there is no bot %d", bot)
	case !b.openLine.Bool():
		return 0, 0, fmt.Errorf("imbottest: bot %d does not serve open lines: it was not registered with OPENLINE Y", bot)
	case len(p.onlyExisting(operators)) != len(operators):
		return 0, 0, fmt.Errorf("imbottest: not all of the operators %v exist", operators)
	}
	u := p.addUser(name, "")
	u.isConnector = true
	chat := p.addChat(kindLines, name, 0)
	chat.entityType, chat.operators = entityLines, operators
	chat.entityID = fmt.Sprintf("imbottest|1|guest%d|%d", u.id, u.id)
	chat.welcomeBot = bot
	chat.members = []*member{{user: u.id}}
	p.beginSession(chat, u.id)
	p.notify()
	return u.id, chat.id, nil
}

// beginSession begins a conversation in the chat of an open line: the bot joins.
func (p *world) beginSession(chat *chat, guest imbot.ID) {
	p.lineSessions++
	chat.over = false
	chat.entityData = [3]string{
		"N|NONE|0|N|N|" + p.lineSessions.String() + "|" + strconv.FormatInt(time.Now().Unix(), 10) + "|0|0|0",
		"LEAD|0|COMPANY|0|CONTACT|0|DEAL|0", "",
	}
	p.join(chat, guest, true, chat.welcomeBot)
}

// onlyGuest removes everybody but the guest, and one more who may stay.
func (p *world) onlyGuest(chat *chat, stays imbot.ID) {
	for _, m := range slices.Clone(chat.members) {
		if m.user != stays && !p.users[m.user].isConnector {
			p.leave(chat, m.user)
		}
	}
}

// canTake reports whether somebody can be given a conversation: an employee who is there.
func (p *world) canTake(user imbot.ID) bool {
	u := p.users[user]
	return u != nil && !u.isBot && !u.isConnector && !u.extranet && !u.dismissed
}

// takeFromBot gives a conversation to the operators: the bot leaves the chat and they join.
func (p *world) takeFromBot(chat *chat, bot imbot.ID) {
	p.leave(chat, bot)
	for _, user := range p.onlyExisting(chat.operators) {
		if chat.member(user) == nil {
			chat.members = append(chat.members, &member{user: user})
		}
	}
	p.noteDialog(chat)
}

// takeFromBots does that with all bots of the chat.
func (p *world) takeFromBots(chat *chat) {
	for _, m := range slices.Clone(chat.members) {
		if p.bots[m.user] != nil {
			p.takeFromBot(chat, m.user)
		}
	}
}
