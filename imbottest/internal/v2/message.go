package v2

import (
	"regexp"
	"strings"

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
	case "imbot.v2.chat.message.get":
		return messageGet
	case "imbot.v2.chat.message.getcontext":
		return messageGetContext
	}
	return nil
}

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
	system := yes(w, fields.Get("system"))
	uuid := fields.Text("templateId")
	dedup := !system && deduplicates(w, uuid)
	if dedup && w.Knows(uuid) {
		return php.Object("id", w.UUIDs[uuid].Message, "uuidMap", uuidMap(w, php.NewArray())), nil
	}
	parts, fail := readParts(w, fields, b, "PARAM_ATTACH_ERROR", "PARAM_KEYBOARD_ERROR")
	if fail != nil {
		return nil, fail
	}
	forwards, fail := forwardsOf(w, fields, b)
	if fail != nil {
		return nil, fail
	}
	written := text != "" || parts[world.PartAttach] != nil
	if !written && len(forwards) == 0 {
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
	answer, forwarded := php.Object("id", nil), php.NewArray()
	if written {
		m := w.Store(chat, world.Message{AuthorID: b.ID, Text: text, System: system, Parts: parts, UUID: uuid, ReplyTo: reply})
		if dedup {
			w.KnowUUID(m)
		}
		answer.Set("id", php.Number(m.ID))
	}
	for _, f := range forwards {
		id := w.UUIDs[f.uuid].Message
		if !w.Knows(f.uuid) {
			m := w.Store(chat, w.ForwardOf(f.source, chat, b.ID, f.uuid))
			w.KnowUUID(m)
			id = m.ID
		}
		forwarded.Set(f.uuid, php.Number(id))
	}
	answer.Set("uuidMap", uuidMap(w, forwarded))
	return answer, nil
}

// deduplicates reports whether a portal knows a message by this templateId.
func deduplicates(w *world.World, uuid string) bool {
	if lower := strings.ToLower(uuid); lower != uuid && w.Differs(world.DoubtTemplateIDUpper) {
		return uuidV4.MatchString(lower)
	}
	return uuidV4.MatchString(uuid) && !w.Differs(world.DoubtTemplateID)
}

// uuidMap is the map of an answer, which PHP writes as a list when it is empty.
func uuidMap(w *world.World, forwarded *php.Array) any {
	if forwarded.Len() == 0 && w.Differs(world.DoubtUUIDMapEmpty) {
		return php.NoObject{}
	}
	return forwarded
}

// forward is a message that a bot forwards, and the UUID of the new one.
type forward struct {
	uuid   string
	source *world.Message
}

// maxForwards is how many messages one call may forward.
const maxForwards = 100

func forwardsOf(w *world.World, fields *php.Array, b *world.Bot) (forwards []forward, fail *world.Refusal) {
	sent := fields.Array("forwardIds")
	if sent.Len() > maxForwards {
		return nil, world.BadRequest("TOO_MANY_MESSAGES", "Too many messages")
	}
	for i := range sent.Len() {
		if !anyUUID.MatchString(sent.Keys[i]) {
			return nil, world.BadRequest("WRONG_UUID", "Wrong UUID")
		}
	}
	for i := range sent.Len() {
		key := sent.Keys[i]
		m := w.Messages[sent.ID(key)]
		if m == nil || m.Deleted || w.Chats[m.ChatID].Member(b.ID) == nil {
			return nil, errDenied
		}
		forwards = append(forwards, forward{key, m})
	}
	return forwards, nil
}

var anyUUID = regexp.MustCompile(`(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// writable finds the chat of a dialog in which a bot may write; it opens a private one.
func writable(w *world.World, b *world.Bot, dialog imbot.DialogID) (*world.Chat, *world.Refusal) {
	if user, private := dialog.UserID(); private {
		chat, fail := w.OpenPrivate(b.ID, user)
		if fail != nil {
			return nil, errDenied
		}
		return chat, nil
	}
	id, _ := dialog.ChatID()
	chat := w.Group(id)
	if chat == nil || chat.Member(b.ID) == nil || chat.Forbids("send") {
		return nil, errDenied
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
		return nil, errDenied
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
		var part *php.Array
		if php.Truthy(v) && v != "N" {
			part = w.ReadPart(world.PartKeyboard, v, b.ID)
			if part != nil && world.Oversize(part) {
				part = nil
			}
			if part == nil && w.Differs(world.DoubtKeyboardOfUpdate) {
				return nil, world.BadRequest("KEYBOARD_ERROR", "Incorrect keyboard params")
			}
		}
		m.Parts[world.PartKeyboard] = part
	}
	chat := w.Chats[m.ChatID]
	if fields.Given("message") {
		text := world.TrimmedText(fields.Text("message"))
		if text == "" && m.Parts[world.PartAttach] == nil {
			if w.Differs(world.DoubtEmptyDeletes) {
				return nil, world.BadRequest("EMPTY_MESSAGE", "Message is empty")
			}
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
	if m == nil || m.Deleted {
		return nil, errDenied
	}
	chat := w.Chats[m.ChatID]
	member := chat.Member(b.ID)
	switch {
	case member == nil:
		return nil, errDenied
	case m.System:
		return nil, world.BadRequest("CANT_EDIT_MESSAGE", "The message can't be changed")
	case m.AuthorID != b.ID && chat.Owner != b.ID && !member.Manager:
		return nil, errDenied
	}
	heard := world.Mentions(m.Text)
	w.DeleteMessage(m, yes(w, c.Params.Get("COMPLETE")))
	w.FireMessageDeleteV2(chat, m, append(heard, b.ID))
	return isTrue(), nil
}

func messageRead(c *world.Call) (any, *world.Refusal) {
	w := c.World
	b, chat, fail := botInChat(c)
	if fail != nil {
		return nil, fail
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
