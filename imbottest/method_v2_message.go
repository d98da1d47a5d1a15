package imbottest

import (
	"regexp"
	"time"

	"github.com/imbot-go/imbot"
)

func v2MessageMethods(name string) method {
	switch name {
	case "imbot.v2.chat.message.send":
		return v2MessageSend
	case "imbot.v2.chat.message.update":
		return v2MessageUpdateMethod
	case "imbot.v2.chat.message.delete":
		return v2MessageDeleteMethod
	case "imbot.v2.chat.message.read":
		return v2MessageRead
	}
	return nil
}

// uuidTime is how long the portal knows the UUID of a message.
const uuidTime = 31 * 24 * time.Hour

// uuidV4 is the only form of a templateId that a portal recognizes.
var uuidV4 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// sentBefore is what a UUID stands for.
type sentBefore struct {
	message imbot.ID
	at      time.Time
}

func v2MessageSend(c *call) (any, *restError) {
	p := c.p
	b, dialog, fail := c.botInDialogV2()
	if fail != nil {
		return nil, fail
	}
	fields := c.params.array("FIELDS")
	chat, fail := p.writableV2(b, dialog)
	if fail != nil {
		return nil, fail
	}
	sent, isText := fields.get("message").(string)
	if fields.given("message") && !isText {
		return nil, badRequest("EMPTY_MESSAGE", "Message is empty")
	}
	text := trimmedText(sent)
	system := yes(fields.get("system"))
	uuid := fields.text("templateId")
	dedup := !system && uuidV4.MatchString(uuid)
	if before, ok := p.uuids[uuid]; dedup && ok && time.Since(before.at) < uuidTime {
		return object("id", before.message, "uuidMap", newArray()), nil
	}
	parts, fail := p.partsV2(fields, b, "PARAM_ATTACH_ERROR", "PARAM_KEYBOARD_ERROR")
	if fail != nil {
		return nil, fail
	}
	if text == "" && parts[partAttach] == nil {
		return nil, badRequest("EMPTY_MESSAGE", "Message is empty")
	}
	reply := fields.id("replyId")
	if reply != 0 {
		if m := p.messages[reply]; m == nil || m.ChatID != chat.id {
			return nil, badRequest("REPLY_ERROR", "The message to reply to is not in the chat")
		}
	}
	if fail := c.vetoedAs("SENDING_FAILED", "The message can't be sent"); fail != nil {
		return nil, fail
	}
	author := b.id
	if system {
		author = 0
	}
	m := p.store(chat, author, text, system)
	m.parts, m.uuid, m.ReplyTo = parts, uuid, reply
	if dedup {
		if p.uuids == nil {
			p.uuids = map[string]sentBefore{}
		}
		p.uuids[uuid] = sentBefore{m.ID, time.Now()}
	}
	p.noteMessage(m)
	return object("id", m.ID, "uuidMap", newArray()), nil
}

// writableV2 finds the chat of a dialog in which a bot may write; it opens a private one.
func (p *world) writableV2(b *bot, dialog imbot.DialogID) (*chat, *restError) {
	denied := badRequest("ACCESS_DENIED", "Access denied")
	if user, private := dialog.UserID(); private {
		chat, fail := p.openPrivate(b.id, user)
		if fail != nil {
			return nil, denied
		}
		return chat, nil
	}
	id, _ := dialog.ChatID()
	chat := p.group(id)
	if chat == nil || chat.member(b.id) == nil || chat.forbids("send") {
		return nil, denied
	}
	return chat, nil
}

// partsV2 reads the attachment and the keyboard of a message.
func (p *world) partsV2(fields *array, b *bot, attachCode, keyboardCode string) (found parts, fail *restError) {
	for _, sent := range []struct {
		kind       int
		name, code string
	}{{partAttach, "attach", attachCode}, {partKeyboard, "keyboard", keyboardCode}} {
		v := fields.get(sent.name)
		if !truthy(v) || v == "N" {
			continue
		}
		part := p.readPart(sent.kind, v, b.id)
		if part == nil || oversize(part) {
			return parts{}, badRequest(sent.code, "Incorrect "+sent.name+" params")
		}
		found[sent.kind] = part
	}
	return found, nil
}

func v2MessageUpdateMethod(c *call) (any, *restError) {
	p := c.p
	b, fail := c.botV2("messageId", "fields")
	if fail != nil {
		return nil, fail
	}
	m := p.messages[c.params.id("MESSAGEID")]
	if m == nil || m.Deleted || m.System || p.chats[m.ChatID].member(b.id) == nil || m.AuthorID != b.id && p.chats[m.ChatID].kind != kindLines {
		return nil, badRequest("ACCESS_DENIED", "Access denied")
	}
	fields := c.params.array("FIELDS")
	if fields.given("attach") {
		attach, _ := fields.get("attach").(*array)
		var part *array
		if attach.has("BLOCKS") { // the short form removes it without a word
			part = p.readPart(partAttach, attach, b.id)
		}
		if part != nil && oversize(part) {
			return nil, badRequest("PARAM_ATTACH_ERROR", "Incorrect attach params")
		}
		m.parts[partAttach] = part
	}
	if fields.given("keyboard") {
		v := fields.get("keyboard")
		m.parts[partKeyboard] = nil
		if truthy(v) && v != "N" {
			if part := p.readPart(partKeyboard, v, b.id); part != nil && !oversize(part) {
				m.parts[partKeyboard] = part
			}
		}
	}
	chat := p.chats[m.ChatID]
	if fields.given("message") {
		text := trimmedText(fields.text("message"))
		if text == "" && m.parts[partAttach] == nil {
			p.deleteMessage(m, false)
			p.fireMessageDeleteV2(chat, m, []imbot.ID{b.id})
			return isTrue(), nil
		}
		m.Text = p.storedText(text)
	}
	p.fireMessageUpdateV2(chat, m)
	p.noteMessage(m)
	return isTrue(), nil
}

func v2MessageDeleteMethod(c *call) (any, *restError) {
	p := c.p
	b, fail := c.botV2("messageId")
	if fail != nil {
		return nil, fail
	}
	m := p.messages[c.params.id("MESSAGEID")]
	denied := badRequest("ACCESS_DENIED", "Access denied")
	if m == nil || m.Deleted {
		return nil, denied
	}
	chat := p.chats[m.ChatID]
	member := chat.member(b.id)
	switch {
	case member == nil:
		return nil, denied
	case m.System:
		return nil, badRequest("CANT_EDIT_MESSAGE", "The message can't be changed")
	case m.AuthorID != b.id && chat.owner != b.id && !member.manager:
		return nil, denied
	}
	heard := mentions(m.Text)
	p.deleteMessage(m, yes(c.params.get("COMPLETE")))
	p.fireMessageDeleteV2(chat, m, append(heard, b.id))
	return isTrue(), nil
}

func v2MessageRead(c *call) (any, *restError) {
	p := c.p
	b, dialog, fail := c.botInDialogV2()
	if fail != nil {
		return nil, fail
	}
	chat := p.find(b.id, dialog)
	if chat == nil || chat.member(b.id) == nil {
		return nil, badRequest("ACCESS_DENIED", "Access denied")
	}
	last := chat.lastMessageID()
	if id := c.params.id("MESSAGEID"); id != 0 {
		if m := p.messages[id]; m == nil || m.ChatID != chat.id {
			return nil, badRequest("MESSAGE_NOT_FOUND", "Message not found")
		}
		last = id
	}
	read := chat.readBy[b.id]
	last = max(last, read) // what is read stays read
	viewed, unread := newArray(), 0
	for _, m := range chat.messages {
		switch {
		case m.AuthorID == b.id:
		case m.ID > last:
			unread++
		case m.ID > read:
			viewed.add(number(m.ID))
		}
	}
	if chat.readBy == nil {
		chat.readBy = map[imbot.ID]imbot.ID{}
	}
	chat.readBy[b.id] = last
	return object("chatId", chat.id, "lastId", last, "counter", unread, "viewedMessages", viewed), nil
}
