package v1

import (
	"slices"
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// lineMethods are the methods for bots of open lines.
func lineMethods(name string) world.Method {
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

func sessionOperator(c *world.Call) (any, *world.Refusal) {
	b, fail := botOf(c)
	if fail != nil {
		return nil, fail
	}
	id := c.Params.ID("CHAT_ID")
	if id <= 0 {
		return nil, world.BadRequest("CHAT_ID_EMPTY", "Chat ID can't be empty")
	}
	chat := c.World.Chats[id]
	if chat == nil || chat.Kind != world.KindLines {
		return nil, world.BadRequest("WRONG_CHAT", "The chat isn't controlled by a bot")
	}
	if chat.Member(b.ID) == nil { // without BOT_ID it can be another bot of the application that is in the chat
		i := slices.IndexFunc(chat.Members, func(m *world.Member) bool { return c.World.Bots[m.User] != nil && c.World.Bots[m.User].App == b.App })
		if i < 0 {
			return nil, world.BadRequest("WRONG_CHAT", "The chat isn't controlled by a bot")
		}
		b = c.World.Bots[chat.Members[i].User]
	}
	c.World.TakeFromBot(chat, b.ID)
	return true, nil
}

// greeting is what the line says for NAME=WELCOME.
const greeting = "Welcome"

// sessionSend answers true whatever becomes of the message.
func sessionSend(c *world.Call) (any, *world.Refusal) {
	id := c.Params.ID("CHAT_ID")
	if id <= 0 {
		return nil, world.BadRequest("CHAT_ID_EMPTY", "Chat ID can't be empty")
	}
	text := ""
	switch c.Params.Text("NAME") {
	case "WELCOME":
		text = greeting
	case "DEFAULT":
		text = world.TrimmedText(c.Params.Text("MESSAGE"))
	}
	if chat := c.World.Chats[id]; chat != nil && chat.Kind == world.KindLines && text != "" && text != "0" {
		c.World.Store(chat, 0, text, true)
	}
	return true, nil
}

// sessionTransfer knows no other lines than the one of all guests.
func sessionTransfer(c *world.Call) (any, *world.Refusal) {
	id := c.Params.ID("CHAT_ID")
	if id <= 0 {
		return nil, world.BadRequest("CHAT_ID_EMPTY", "Chat ID can't be empty")
	}
	user, line := c.Params.ID("USER_ID"), c.Params.ID("QUEUE_ID")
	toUser, toLine := c.Params.Given("USER_ID"), c.Params.Given("QUEUE_ID")
	if c.Params.Given("TRANSFER_ID") { // which is looked at first
		rest, queue := strings.CutPrefix(c.Params.Text("TRANSFER_ID"), "queue")
		user, line, toUser, toLine = php.ToID(rest), php.ToID(rest), !queue, queue
	}
	switch {
	case toUser && user <= 0:
		return nil, world.BadRequest("USER_ID_EMPTY", "User ID can't be empty")
	case !toUser && toLine && line <= 0:
		return nil, world.BadRequest("QUEUE_ID_EMPTY", "Queue ID can't be empty")
	case !toUser && !toLine:
		return nil, world.BadRequest("TRANSFER_ID_EMPTY", "Transfer ID can't be empty")
	}
	b, fail := botOf(c)
	if fail != nil {
		return nil, fail
	}
	chat := c.World.Chats[id]
	if chat == nil || chat.Kind != world.KindLines || chat.Over || toUser && !canTake(c.World, user) || !toUser && line != theLine {
		return nil, world.BadRequest("OPERATOR_WRONG", "The operator can't take the conversation")
	}
	if toUser { // the bot of the line leaves, whatever LEAVE says
		onlyGuest(c.World, chat, user)
		c.World.Join(chat, b.ID, true, user)
		chat.Owner = user
		return true, nil
	}
	onlyGuest(c.World, chat, b.ID)
	c.World.Join(chat, b.ID, true, chat.Operators...)
	return true, nil
}

// sessionFinish answers true whether or not there was something to end.
func sessionFinish(c *world.Call) (any, *world.Refusal) {
	id := c.Params.ID("CHAT_ID")
	if id <= 0 {
		return nil, world.BadRequest("CHAT_ID_EMPTY", "Chat ID can't be empty")
	}
	if _, fail := botOf(c); fail != nil {
		return nil, fail
	}
	if chat := c.World.Chats[id]; chat != nil && chat.Kind == world.KindLines {
		onlyGuest(c.World, chat, 0)
		chat.Over = true
	}
	return true, nil
}

// theLine is the id of the only line that there is.
const theLine = 1

// onlyGuest removes everybody but the guest, and one more who may stay.
func onlyGuest(w *world.World, chat *world.Chat, stays imbot.ID) {
	for _, m := range slices.Clone(chat.Members) {
		if m.User != stays && !w.Users[m.User].IsConnector {
			w.Leave(chat, m.User)
		}
	}
}

// canTake reports whether somebody can be given a conversation: an employee who is there.
func canTake(w *world.World, user imbot.ID) bool {
	u := w.Users[user]
	return u != nil && !u.IsBot && !u.IsConnector && !u.Extranet && !u.Dismissed
}
