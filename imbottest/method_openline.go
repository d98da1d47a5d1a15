package imbottest

import (
	"slices"
)

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
		return nil, badRequest("CHAT_ID_EMPTY", "Chat ID can't be empty")
	}
	chat := c.p.chats[id]
	if chat == nil || chat.kind != kindLines {
		return nil, badRequest("WRONG_CHAT", "The chat isn't controlled by a bot")
	}
	if chat.member(b.id) == nil { // without BOT_ID it can be another bot of the application that is in the chat
		i := slices.IndexFunc(chat.members, func(m *member) bool { return c.p.bots[m.user] != nil && c.p.bots[m.user].app == b.app })
		if i < 0 {
			return nil, badRequest("WRONG_CHAT", "The chat isn't controlled by a bot")
		}
		b = c.p.bots[chat.members[i].user]
	}
	c.p.takeFromBot(chat, b.id)
	return true, nil
}
