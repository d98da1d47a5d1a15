package imbottest

import (
	"slices"
	"strings"
)

// lineMethods are the methods for bots of open lines.
func lineMethods(name string) method {
	switch name {
	case "imopenlines.bot.session.operator":
		return sessionOperator
	case "imopenlines.bot.session.message.send":
		return sessionSend
	case "imopenlines.bot.session.transfer":
		return sessionTransfer
	case "imopenlines.bot.session.finish":
		return sessionFinish
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

// greeting is what the line says for NAME=WELCOME.
const greeting = "Welcome"

// sessionSend answers true whatever becomes of the message.
func sessionSend(c *call) (any, *restError) {
	id := c.params.id("CHAT_ID")
	if id <= 0 {
		return nil, badRequest("CHAT_ID_EMPTY", "Chat ID can't be empty")
	}
	text := ""
	switch c.params.text("NAME") {
	case "WELCOME":
		text = greeting
	case "DEFAULT":
		text = trimmedText(c.params.text("MESSAGE"))
	}
	if chat := c.p.chats[id]; chat != nil && chat.kind == kindLines && text != "" && text != "0" {
		c.p.store(chat, 0, text, true)
	}
	return true, nil
}

// sessionTransfer knows no other lines than the one of all guests.
func sessionTransfer(c *call) (any, *restError) {
	id := c.params.id("CHAT_ID")
	if id <= 0 {
		return nil, badRequest("CHAT_ID_EMPTY", "Chat ID can't be empty")
	}
	user, line := c.params.id("USER_ID"), c.params.id("QUEUE_ID")
	toUser, toLine := c.params.given("USER_ID"), c.params.given("QUEUE_ID")
	if c.params.given("TRANSFER_ID") { // which is looked at first
		rest, queue := strings.CutPrefix(c.params.text("TRANSFER_ID"), "queue")
		user, line, toUser, toLine = toID(rest), toID(rest), !queue, queue
	}
	switch {
	case toUser && user <= 0:
		return nil, badRequest("USER_ID_EMPTY", "User ID can't be empty")
	case !toUser && toLine && line <= 0:
		return nil, badRequest("QUEUE_ID_EMPTY", "Queue ID can't be empty")
	case !toUser && !toLine:
		return nil, badRequest("TRANSFER_ID_EMPTY", "Transfer ID can't be empty")
	}
	b, fail := c.bot()
	if fail != nil {
		return nil, fail
	}
	chat := c.p.chats[id]
	if chat == nil || chat.kind != kindLines || chat.over || toUser && !c.p.canTake(user) || !toUser && line != theLine {
		return nil, badRequest("OPERATOR_WRONG", "The operator can't take the conversation")
	}
	if toUser { // the bot of the line leaves, whatever LEAVE says
		c.p.onlyGuest(chat, user)
		c.p.join(chat, b.id, true, user)
		chat.owner = user
		return true, nil
	}
	c.p.onlyGuest(chat, b.id)
	c.p.join(chat, b.id, true, chat.operators...)
	return true, nil
}

// sessionFinish answers true whether or not there was something to end.
func sessionFinish(c *call) (any, *restError) {
	id := c.params.id("CHAT_ID")
	if id <= 0 {
		return nil, badRequest("CHAT_ID_EMPTY", "Chat ID can't be empty")
	}
	if _, fail := c.bot(); fail != nil {
		return nil, fail
	}
	if chat := c.p.chats[id]; chat != nil && chat.kind == kindLines {
		c.p.onlyGuest(chat, 0)
		chat.over = true
	}
	return true, nil
}
