package v1

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

func messageMethods(name string) world.Method {
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

func messageAdd(c *world.Call) (any, *world.Refusal) {
	w := c.World
	b, fail := botOf(c)
	if fail != nil {
		return nil, fail
	}
	from, to := c.Params.ID("FROM_USER_ID"), c.Params.ID("TO_USER_ID")
	inPair := from > 0 && to > 0
	dialog := imbot.DialogID(strings.ToLower(c.Params.Text("DIALOG_ID")))
	if !inPair && !isDialog(string(dialog)) {
		return nil, world.BadRequest("DIALOG_ID_EMPTY", "Dialog ID can't be empty")
	}
	sent := messageText(c)
	if sent == "" {
		return nil, world.BadRequest("MESSAGE_EMPTY", "Message can't be empty")
	}
	parts, fail := newParts(c, world.PartAttach, b.ID, b.ID)
	if fail == nil {
		fail = storable(parts)
	}
	if fail != nil {
		return nil, fail
	}
	system := inPair || c.Params.Text("SYSTEM") == "Y"
	var chat *world.Chat
	if user, private := dialog.UserID(); inPair {
		chat, fail = w.OpenPrivate(from, to)
		sent = w.WithBotName(b, sent)
	} else if private {
		chat, fail = w.OpenPrivate(b.ID, user)
	} else {
		id, _ := dialog.ChatID()
		chat, fail = writable(w, id, b)
		if system {
			sent = world.EscapeName(w.Users[b.ID].Name()) + ":\n" + sent
		}
	}
	if fail != nil {
		return nil, fail
	}
	return w.Store(chat, world.Message{AuthorID: b.ID, Text: sent, System: system, Parts: parts}).ID, nil
}

// messageText is the text of a new message, trimmed. It is empty when MESSAGE is a number,
// as on a real portal.
func messageText(c *world.Call) string {
	sent, _ := c.Params.Get("MESSAGE").(string)
	return world.TrimmedText(filtered(c, sent))
}

// filtered is a text behind a filter against SQL in requests, which a portal may have.
func filtered(c *world.Call, text string) string {
	if !c.World.Differs(world.DoubtSQLWords) {
		return text
	}
	return sqlWords.ReplaceAllString(text, "$1 $2 $3")
}

var sqlWords = regexp.MustCompile(`(?is)\b(sel)(ect\b.*?\bfr)(om)\b`)

// writable finds a group chat in which a bot may write.
func writable(w *world.World, id imbot.ID, b *world.Bot) (*world.Chat, *world.Refusal) {
	chat := w.Group(id)
	switch {
	case chat == nil:
		return nil, world.BadRequest("CHAT_ID", "Chat not found")
	case chat.Member(b.ID) == nil, chat.Forbids("send"):
		return nil, world.BadRequest("CANCELED", "You can't send messages to this chat")
	}
	return chat, nil
}

// messageUpdate changes the parts of a message one after the other; when one is refused,
// those before it stay changed. When no part was sent the answer is true, even when
// there is no such message.
func messageUpdate(c *world.Call) (any, *world.Refusal) {
	w := c.World
	b, id, fail := messageID(c)
	if fail != nil {
		return nil, fail
	}
	defer w.Notify()
	for kind, name := range world.PartNames {
		if !c.Params.Given(name) {
			continue
		}
		m := w.Changeable(b.ID, id)
		if m == nil {
			return nil, errCantEdit
		}
		v := c.Params.Get(name)
		if !php.Truthy(v) || v == "N" {
			m.Parts[kind] = nil
			w.NoteMessage(m)
			continue
		}
		part := w.ReadPart(kind, v, b.ID)
		switch {
		case part == nil && kind == world.PartMenu:
			return nil, world.BadRequest("menu_ERROR", "Incorrect menu params") // real portals spell it in lower case
		case part == nil:
			return nil, world.BadRequest(name+"_ERROR", "Incorrect "+strings.ToLower(name)+" params")
		case world.Oversize(part):
			return nil, world.BadRequest(name+"_OVERSIZE", "You have exceeded the maximum allowable size of "+strings.ToLower(name))
		}
		m.Parts[kind] = part
		w.NoteMessage(m)
	}
	if !c.Params.Given("MESSAGE") {
		return true, nil
	}
	m := w.Changeable(b.ID, id)
	if m == nil {
		return nil, errCantEdit
	}
	if text := world.TrimmedText(filtered(c, c.Params.Text("MESSAGE"))); text != "" {
		m.Text = w.StoredText(text)
		w.NoteMessage(m)
	} else {
		w.DeleteMessage(m, false)
	}
	return true, nil
}

func messageDelete(c *world.Call) (any, *world.Refusal) {
	b, id, fail := messageID(c)
	if fail != nil {
		return nil, fail
	}
	m := c.World.OwnMessage(b.ID, id)
	if m == nil {
		return nil, errCantEdit
	}
	c.World.DeleteMessage(m, c.Params.Get("COMPLETE") == "Y")
	return true, nil
}

func messageLike(c *world.Call) (any, *world.Refusal) {
	b, id, fail := messageID(c)
	if fail != nil {
		return nil, fail
	}
	m := c.World.Messages[id]
	if m == nil || m.Deleted || c.World.Chats[m.ChatID].Member(b.ID) == nil {
		return nil, errWithoutChanges
	}
	like := world.Reaction{User: b.ID, Code: world.ReactionLike}
	liked := m.Has(like)
	switch action := strings.ToLower(c.Params.Text("ACTION")); {
	case action == "plus" && liked, action == "minus" && !liked:
		return nil, errWithoutChanges
	}
	c.World.React(m, like)
	return true, nil
}

// messageID reads the bot that acts and then MESSAGE_ID.
func messageID(c *world.Call) (*world.Bot, imbot.ID, *world.Refusal) {
	b, fail := botOf(c)
	if fail != nil {
		return nil, 0, fail
	}
	id := c.Params.ID("MESSAGE_ID")
	if id <= 0 {
		return nil, 0, world.BadRequest("MESSAGE_ID_ERROR", "Message ID can't be empty")
	}
	return b, id, nil
}

var errCantEdit = world.NewRefusal(http.StatusForbidden, "CANT_EDIT_MESSAGE", "Time has expired for modification or you don't have access")

var errWithoutChanges = world.BadRequest("WITHOUT_CHANGES", "Action completed without changes")
