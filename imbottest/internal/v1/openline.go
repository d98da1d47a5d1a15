package v1

import (
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// lineMethods are the methods of open lines that bots need.
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
	case "imopenlines.dialog.get":
		return lineDialogGet
	case "imopenlines.session.history.get":
		return sessionHistory
	case "imopenlines.config.list.get":
		return lineList
	case "imopenlines.config.get":
		return lineGet
	case "imopenlines.config.update":
		return lineUpdate
	}
	return nil
}

var errNoLineChat = world.BadRequest("CHAT_ID_EMPTY", "Chat ID can't be empty")

// sessionOperator looks at no bot: whoever calls takes the conversation from the one that holds it.
func sessionOperator(c *world.Call) (any, *world.Refusal) {
	id := c.Params.ID("CHAT_ID")
	if id <= 0 {
		return nil, errNoLineChat
	}
	chat := c.World.Chats[id]
	if !c.World.HeldByBot(chat) {
		return nil, world.BadRequest("WRONG_CHAT", "The chat isn't controlled by a bot")
	}
	c.World.TakeFromBot(chat)
	return true, nil
}

// greeting is what the line says for NAME=WELCOME.
const greeting = "Welcome"

// sessionSend answers true whatever becomes of the message.
func sessionSend(c *world.Call) (any, *world.Refusal) {
	id := c.Params.ID("CHAT_ID")
	if id <= 0 {
		return nil, errNoLineChat
	}
	text := ""
	switch c.Params.Text("NAME") {
	case "WELCOME":
		text = greeting
	case "DEFAULT":
		text = world.TrimmedText(c.Params.Text("MESSAGE"))
	}
	if chat := c.World.Chats[id]; chat != nil && chat.Kind == world.KindLines && text != "" && text != "0" {
		c.World.Store(chat, world.Message{Text: text, System: true})
	}
	return true, nil
}

// sessionTransfer is the one method of this family whose parameters have to be in upper case.
func sessionTransfer(c *world.Call) (any, *world.Refusal) {
	params := c.AsSent()
	id := params.ID("CHAT_ID")
	if id <= 0 {
		return nil, errNoLineChat
	}
	user, queue := params.ID("USER_ID"), params.ID("QUEUE_ID")
	toUser, toLine := params.Given("USER_ID"), params.Given("QUEUE_ID")
	if params.Given("TRANSFER_ID") { // which is looked at first
		rest, line := strings.CutPrefix(params.Text("TRANSFER_ID"), "queue")
		user, queue, toUser, toLine = php.ToID(rest), php.ToID(rest), !line, line
	}
	switch {
	case toUser && user <= 0:
		return nil, world.BadRequest("USER_ID_EMPTY", "User ID can't be empty")
	case !toUser && toLine && queue <= 0:
		return nil, world.BadRequest("QUEUE_ID_EMPTY", "Queue ID can't be empty")
	case !toUser && !toLine:
		return nil, world.BadRequest("TRANSFER_ID_EMPTY", "Transfer ID can't be empty")
	}
	b, fail := botOf(c)
	if fail != nil {
		return nil, fail
	}
	chat, line := c.World.Chats[id], c.World.Lines[queue]
	if chat == nil || chat.Kind != world.KindLines || chat.Over() || toUser && !canTake(c.World, user) || !toUser && line == nil {
		return nil, world.BadRequest("OPERATOR_WRONG", "The operator can't take the conversation")
	}
	s := chat.Session()
	if toUser {
		w := s.Line.Welcome
		c.World.OnlyGuest(chat, user, b.ID, w.ID)
		if params.Text("LEAVE") == "Y" {
			c.World.Leave(chat, b.ID)
		}
		if w.Left == "queue" { // whatever LEAVE says
			c.World.Leave(chat, w.ID)
		}
		s.StopTimer(c.World)
		c.World.Join(chat, b.ID, true, user)
		chat.Owner = user
		c.World.NoteDialog(chat)
		return true, nil
	}
	c.World.OnlyGuest(chat, b.ID)
	s.Line = line
	c.World.Offer(chat)
	return true, nil
}

// sessionFinish answers true whether or not there was something to end.
func sessionFinish(c *world.Call) (any, *world.Refusal) {
	id := c.Params.ID("CHAT_ID")
	if id <= 0 {
		return nil, errNoLineChat
	}
	if _, fail := botOf(c); fail != nil {
		return nil, fail
	}
	if chat := c.World.Chats[id]; chat != nil && chat.Kind == world.KindLines && !chat.Over() {
		c.World.EndSession(chat)
	}
	return true, nil
}

// canTake reports whether somebody can be given a conversation: an employee who is there.
func canTake(w *world.World, user imbot.ID) bool {
	u := w.Users[user]
	return u != nil && !u.IsBot && !u.IsConnector && !u.Extranet && !u.Dismissed
}
