package v2

import (
	"regexp"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

func messageMethods(name string) world.Method {
	switch name {
	case "imbot.v2.chat.message.send":
		return messageSend
	case "imbot.v2.chat.message.update":
		return messageUpdate
	case "imbot.v2.chat.message.delete":
		return messageDelete
	case "imbot.v2.chat.message.read":
		return messageRead
	}
	return nil
}

// uuidTime is how long the portal knows the UUID of a message.
const uuidTime = 31 * 24 * time.Hour

// uuidV4 is the only form of a templateId that a portal recognizes.
var uuidV4 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func messageSend(c *world.Call) (any, *world.Refusal) {
	w := c.World
	b, dialog, fail := botInDialog(c)
	if fail != nil {
		return nil, fail
	}
	fields := c.Params.Array("FIELDS")
	chat, fail := writable(w, b, dialog)
	if fail != nil {
		return nil, fail
	}
	sent, isText := fields.Get("message").(string)
	if fields.Given("message") && !isText {
		return nil, world.BadRequest("EMPTY_MESSAGE", "Message is empty")
	}
	text := world.TrimmedText(sent)
	system := yes(fields.Get("system"))
	uuid := fields.Text("templateId")
	dedup := !system && uuidV4.MatchString(uuid)
	if before, ok := w.UUIDs[uuid]; dedup && ok && time.Since(before.At) < uuidTime {
		return php.Object("id", before.Message, "uuidMap", php.NewArray()), nil
	}
	parts, fail := readParts(w, fields, b, "PARAM_ATTACH_ERROR", "PARAM_KEYBOARD_ERROR")
	if fail != nil {
		return nil, fail
	}
	if text == "" && parts[world.PartAttach] == nil {
		return nil, world.BadRequest("EMPTY_MESSAGE", "Message is empty")
	}
	reply := fields.ID("replyId")
	if reply != 0 {
		if m := w.Messages[reply]; m == nil || m.ChatID != chat.ID {
			return nil, world.BadRequest("REPLY_ERROR", "The message to reply to is not in the chat")
		}
	}
	if fail := vetoedAs(c, "SENDING_FAILED", "The message can't be sent"); fail != nil {
		return nil, fail
	}
	author := b.ID
	if system {
		author = 0
	}
	m := w.Store(chat, author, text, system)
	m.Parts, m.UUID, m.ReplyTo = parts, uuid, reply
	if dedup {
		if w.UUIDs == nil {
			w.UUIDs = map[string]world.SentBefore{}
		}
		w.UUIDs[uuid] = world.SentBefore{Message: m.ID, At: time.Now()}
	}
	w.NoteMessage(m)
	return php.Object("id", m.ID, "uuidMap", php.NewArray()), nil
}

// writable finds the chat of a dialog in which a bot may write; it opens a private one.
func writable(w *world.World, b *world.Bot, dialog imbot.DialogID) (*world.Chat, *world.Refusal) {
	denied := world.BadRequest("ACCESS_DENIED", "Access denied")
	if user, private := dialog.UserID(); private {
		chat, fail := w.OpenPrivate(b.ID, user)
		if fail != nil {
			return nil, denied
		}
		return chat, nil
	}
	id, _ := dialog.ChatID()
	chat := w.Group(id)
	if chat == nil || chat.Member(b.ID) == nil || chat.Forbids("send") {
		return nil, denied
	}
	return chat, nil
}

// readParts reads the attachment and the keyboard of a message.
func readParts(w *world.World, fields *php.Array, b *world.Bot, attachCode, keyboardCode string) (found world.Parts, fail *world.Refusal) {
	for _, sent := range []struct {
		kind       int
		name, code string
	}{{world.PartAttach, "attach", attachCode}, {world.PartKeyboard, "keyboard", keyboardCode}} {
		v := fields.Get(sent.name)
		if !php.Truthy(v) || v == "N" {
			continue
		}
		part := w.ReadPart(sent.kind, v, b.ID)
		if part == nil || world.Oversize(part) {
			return world.Parts{}, world.BadRequest(sent.code, "Incorrect "+sent.name+" params")
		}
		found[sent.kind] = part
	}
	return found, nil
}

func messageUpdate(c *world.Call) (any, *world.Refusal) {
	w := c.World
	b, fail := botOf(c, "messageId", "fields")
	if fail != nil {
		return nil, fail
	}
	m := w.Messages[c.Params.ID("MESSAGEID")]
	if m == nil || m.Deleted || m.System || w.Chats[m.ChatID].Member(b.ID) == nil || m.AuthorID != b.ID && w.Chats[m.ChatID].Kind != world.KindLines {
		return nil, world.BadRequest("ACCESS_DENIED", "Access denied")
	}
	fields := c.Params.Array("FIELDS")
	if fields.Given("attach") {
		attach, _ := fields.Get("attach").(*php.Array)
		var part *php.Array
		if attach.Has("BLOCKS") { // the short form removes it without a word
			part = w.ReadPart(world.PartAttach, attach, b.ID)
		}
		if part != nil && world.Oversize(part) {
			return nil, world.BadRequest("PARAM_ATTACH_ERROR", "Incorrect attach params")
		}
		m.Parts[world.PartAttach] = part
	}
	if fields.Given("keyboard") {
		v := fields.Get("keyboard")
		m.Parts[world.PartKeyboard] = nil
		if php.Truthy(v) && v != "N" {
			if part := w.ReadPart(world.PartKeyboard, v, b.ID); part != nil && !world.Oversize(part) {
				m.Parts[world.PartKeyboard] = part
			}
		}
	}
	chat := w.Chats[m.ChatID]
	if fields.Given("message") {
		text := world.TrimmedText(fields.Text("message"))
		if text == "" && m.Parts[world.PartAttach] == nil {
			w.DeleteMessage(m, false)
			w.FireMessageDeleteV2(chat, m, []imbot.ID{b.ID})
			return isTrue(), nil
		}
		m.Text = w.StoredText(text)
	}
	w.FireMessageUpdateV2(chat, m)
	w.NoteMessage(m)
	return isTrue(), nil
}

func messageDelete(c *world.Call) (any, *world.Refusal) {
	w := c.World
	b, fail := botOf(c, "messageId")
	if fail != nil {
		return nil, fail
	}
	m := w.Messages[c.Params.ID("MESSAGEID")]
	denied := world.BadRequest("ACCESS_DENIED", "Access denied")
	if m == nil || m.Deleted {
		return nil, denied
	}
	chat := w.Chats[m.ChatID]
	member := chat.Member(b.ID)
	switch {
	case member == nil:
		return nil, denied
	case m.System:
		return nil, world.BadRequest("CANT_EDIT_MESSAGE", "The message can't be changed")
	case m.AuthorID != b.ID && chat.Owner != b.ID && !member.Manager:
		return nil, denied
	}
	heard := world.Mentions(m.Text)
	w.DeleteMessage(m, yes(c.Params.Get("COMPLETE")))
	w.FireMessageDeleteV2(chat, m, append(heard, b.ID))
	return isTrue(), nil
}

func messageRead(c *world.Call) (any, *world.Refusal) {
	w := c.World
	b, dialog, fail := botInDialog(c)
	if fail != nil {
		return nil, fail
	}
	chat := w.Find(b.ID, dialog)
	if chat == nil || chat.Member(b.ID) == nil {
		return nil, world.BadRequest("ACCESS_DENIED", "Access denied")
	}
	last := chat.LastMessageID()
	if id := c.Params.ID("MESSAGEID"); id != 0 {
		if m := w.Messages[id]; m == nil || m.ChatID != chat.ID {
			return nil, world.BadRequest("MESSAGE_NOT_FOUND", "Message not found")
		}
		last = id
	}
	read := chat.ReadBy[b.ID]
	last = max(last, read) // what is read stays read
	viewed, unread := php.NewArray(), 0
	for _, m := range chat.Messages {
		switch {
		case m.AuthorID == b.ID:
		case m.ID > last:
			unread++
		case m.ID > read:
			viewed.Add(php.Number(m.ID))
		}
	}
	if chat.ReadBy == nil {
		chat.ReadBy = map[imbot.ID]imbot.ID{}
	}
	chat.ReadBy[b.ID] = last
	return php.Object("chatId", chat.ID, "lastId", last, "counter", unread, "viewedMessages", viewed), nil
}
