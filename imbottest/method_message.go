package imbottest

import (
	"net/http"
	"slices"
	"strings"

	"github.com/imbot-go/imbot"
)

func messageMethods(name string) method {
	switch name {
	case "imbot.message.add":
		return messageAdd
	case "imbot.message.update":
		return messageUpdate
	case "imbot.message.delete":
		return messageDelete
	case "imbot.message.like":
		return messageLike
	}
	return nil
}

func messageAdd(c *call) (any, *restError) {
	p := c.p
	b, fail := c.bot()
	if fail != nil {
		return nil, fail
	}
	from, to := c.params.id("FROM_USER_ID"), c.params.id("TO_USER_ID")
	inPair := from > 0 && to > 0
	dialog := imbot.DialogID(strings.ToLower(c.params.text("DIALOG_ID")))
	if !inPair && !isDialog(string(dialog)) {
		return nil, badRequest("DIALOG_ID_EMPTY", "Dialog ID can't be empty")
	}
	sent := c.message()
	if sent == "" {
		return nil, badRequest("MESSAGE_EMPTY", "Message can't be empty")
	}
	parts, fail := c.newParts(partAttach, b.id, b.id)
	if fail == nil {
		fail = parts.storable()
	}
	if fail != nil {
		return nil, fail
	}
	author, system := b.id, inPair || c.params.text("SYSTEM") == "Y"
	if system {
		author = 0
	}
	var chat *chat
	if user, private := dialog.UserID(); inPair {
		chat, fail = p.openPrivate(from, to)
		sent = p.withBotName(b, sent)
	} else if private {
		chat, fail = p.openPrivate(b.id, user)
	} else {
		id, _ := dialog.ChatID()
		chat, fail = p.writable(id, b)
		if system {
			sent = escapeName(p.users[b.id].name()) + ":\n" + sent
		}
	}
	if fail != nil {
		return nil, fail
	}
	m := p.store(chat, author, sent, system)
	m.parts = parts
	return m.ID, nil
}

// message is the text of a new message, trimmed. It is empty when MESSAGE is a number,
// as on a real portal.
func (c *call) message() string {
	sent, _ := c.params.get("MESSAGE").(string)
	return trimmedText(sent)
}

// writable finds a group chat in which a bot may write.
func (p *world) writable(id imbot.ID, b *bot) (*chat, *restError) {
	chat := p.group(id)
	switch {
	case chat == nil:
		return nil, badRequest("CHAT_ID", "Chat not found")
	case chat.member(b.id) == nil, chat.forbids("send"):
		return nil, badRequest("CANCELED", "You can't send messages to this chat")
	}
	return chat, nil
}

// messageUpdate changes the parts of a message one after the other; when one is refused,
// those before it stay changed. When no part was sent the answer is true, even when
// there is no such message.
func messageUpdate(c *call) (any, *restError) {
	p := c.p
	b, id, fail := c.messageID()
	if fail != nil {
		return nil, fail
	}
	defer p.notify()
	for kind, name := range partNames {
		if !c.params.given(name) {
			continue
		}
		m := p.changeable(b.id, id)
		if m == nil {
			return nil, errCantEdit
		}
		v := c.params.get(name)
		if !truthy(v) || v == "N" {
			m.parts[kind] = nil
			p.noteMessage(m)
			continue
		}
		part := p.readPart(kind, v, b.id)
		switch {
		case part == nil && kind == partMenu:
			return nil, badRequest("menu_ERROR", "Incorrect menu params") // real portals spell it in lower case
		case part == nil:
			return nil, badRequest(name+"_ERROR", "Incorrect "+strings.ToLower(name)+" params")
		case oversize(part):
			return nil, badRequest(name+"_OVERSIZE", "You have exceeded the maximum allowable size of "+strings.ToLower(name))
		}
		m.parts[kind] = part
		p.noteMessage(m)
	}
	if !c.params.given("MESSAGE") {
		return true, nil
	}
	m := p.changeable(b.id, id)
	if m == nil {
		return nil, errCantEdit
	}
	if text := trimmedText(c.params.text("MESSAGE")); text != "" {
		m.Text = p.storedText(text)
		p.noteMessage(m)
	} else {
		p.deleteMessage(m, false)
	}
	return true, nil
}

func messageDelete(c *call) (any, *restError) {
	b, id, fail := c.messageID()
	if fail != nil {
		return nil, fail
	}
	m := c.p.ownMessage(b.id, id)
	if m == nil {
		return nil, errCantEdit
	}
	c.p.deleteMessage(m, c.params.get("COMPLETE") == "Y")
	return true, nil
}

func messageLike(c *call) (any, *restError) {
	b, id, fail := c.messageID()
	if fail != nil {
		return nil, fail
	}
	m := c.p.messages[id]
	if m == nil || m.Deleted || c.p.chats[m.ChatID].member(b.id) == nil {
		return nil, errWithoutChanges
	}
	liked := slices.Contains(m.Likes, b.id)
	switch action := strings.ToLower(c.params.text("ACTION")); {
	case action == "plus" && liked, action == "minus" && !liked:
		return nil, errWithoutChanges
	}
	m.like(b.id)
	c.p.noteMessage(m)
	return true, nil
}

// messageID reads the bot that acts and then MESSAGE_ID.
func (c *call) messageID() (*bot, imbot.ID, *restError) {
	b, fail := c.bot()
	if fail != nil {
		return nil, 0, fail
	}
	id := c.params.id("MESSAGE_ID")
	if id <= 0 {
		return nil, 0, badRequest("MESSAGE_ID_ERROR", "Message ID can't be empty")
	}
	return b, id, nil
}

var errCantEdit = newError(http.StatusForbidden, "CANT_EDIT_MESSAGE", "Time has expired for modification or you don't have access")

var errWithoutChanges = badRequest("WITHOUT_CHANGES", "Action completed without changes")
