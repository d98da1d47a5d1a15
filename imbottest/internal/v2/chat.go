package v2

import (
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

func chatMethods(name string) world.Method {
	switch name {
	case "imbot.v2.chat.add":
		return chatAdd
	case "imbot.v2.chat.get":
		return chatGet
	case "imbot.v2.chat.update":
		return chatUpdate
	case "imbot.v2.chat.leave":
		return chatLeave
	case "imbot.v2.chat.setowner":
		return chatSetOwner
	case "imbot.v2.chat.inputaction.notify":
		return notifyAction
	case "imbot.v2.chat.textfield.enabled":
		return textField
	case "imbot.v2.revision.get":
		return revisionGet
	}
	return nil
}

func chatAdd(c *world.Call) (any, *world.Refusal) {
	w := c.World
	b, fail := botOf(c)
	switch {
	case fail != nil:
		return nil, fail
	case c.Denied():
		return nil, errDenied
	}
	if fail := vetoedAs(c, "CREATION_ERROR", "The chat can't be created"); fail != nil {
		return nil, fail
	}
	fields := c.Params.Array("FIELDS")
	kind := world.KindChat
	if fields.Text("type") == "open" {
		kind = world.KindOpen
	}
	chat := w.AddChat(kind, world.CutTitle(fields.Text("title")), b.ID)
	chat.Description = fields.Text("description")
	chat.EntityType, chat.EntityID = fields.Text("entityType"), fields.Text("entityId")
	setLook(w, chat, fields)
	if !w.Differs(world.DoubtOwnJoin) {
		w.JoinOwn(chat, b)
	}
	w.Join(chat, b.ID, true, idsOf(fields.Get("userIds"))...)
	if owner := fields.ID("ownerId"); owner != 0 { // nobody looks whether there is such a user
		w.Join(chat, b.ID, true, owner)
		chat.Owner = owner
	}
	if m := chat.Member(chat.Owner); m != nil {
		m.Manager = true
	}
	w.NoteDialog(chat)
	if text := world.TrimmedText(fields.Text("message")); text != "" && !w.Differs(world.DoubtChatFirstMessage) {
		w.Store(chat, world.Message{AuthorID: b.ID, Text: text})
	}
	users := php.NewArray()
	users.Add(w.UserObject(w.Users[b.ID], false))
	return php.Object("chat", w.ChatObject(chat, b.ID, true), "users", users), nil
}

// setLook stores the color and picture of a chat that were sent.
func setLook(w *world.World, chat *world.Chat, fields *php.Array) {
	if color := colorOf(w, fields.Text("color")); color.Hex() != "" {
		chat.Color = color
	}
	if avatar := fields.Get("avatar"); php.Truthy(avatar) {
		chat.Avatar, chat.Picture = "", world.Picture(avatar) // what is no picture takes the old one away
		if chat.Picture != nil {
			chat.Avatar = w.AvatarURL(chat)
		}
	}
}

// idsOf reads a list of ids.
func idsOf(v any) (ids []imbot.ID) {
	list, _ := v.(*php.Array)
	for i := range list.Len() {
		if id := list.ID(list.Keys[i]); id > 0 {
			ids = append(ids, id)
		}
	}
	return ids
}

func chatGet(c *world.Call) (any, *world.Refusal) {
	w := c.World
	b, dialog, fail := botInDialog(c)
	if fail != nil {
		return nil, fail
	}
	chat := w.Find(b.ID, dialog)
	switch {
	case chat == nil:
		return nil, errNoChat
	case chat.Member(b.ID) == nil && chat.Kind != world.KindOpen:
		return nil, errDenied
	}
	return php.Object("chat", w.ChatObject(chat, b.ID, true)), nil
}

func chatUpdate(c *world.Call) (any, *world.Refusal) {
	b, chat, fail := botAndChat(c)
	switch {
	case fail != nil:
		return nil, fail
	case chat.Kind == world.KindPrivate:
		return nil, errWrong
	case chat.Owner != b.ID:
		return nil, errDenied
	}
	fields := c.Params.Array("FIELDS")
	if title := php.Trim(fields.Text("title")); title != "" {
		chat.Title = world.CutTitle(title)
	}
	if fields.Given("description") {
		chat.Description = fields.Text("description")
	}
	setLook(c.World, chat, fields)
	c.World.NoteDialog(chat)
	return isTrue(), nil
}

func chatLeave(c *world.Call) (any, *world.Refusal) {
	b, chat, fail := botInChat(c)
	switch {
	case fail != nil:
		return nil, fail
	case chat.Kind == world.KindPrivate, chat.Forbids("leave"):
		return nil, errDenied
	}
	c.World.Leave(chat, b.ID)
	return isTrue(), nil
}

// chatSetOwner lets the former owner be a manager, and does not look whether there is a new one.
func chatSetOwner(c *world.Call) (any, *world.Refusal) {
	b, chat, fail := botAndChat(c, "userId")
	switch {
	case fail != nil:
		return nil, fail
	case chat.Kind == world.KindPrivate, chat.Kind == world.KindLines, chat.Owner != b.ID:
		return nil, errDenied
	}
	chat.Owner = c.Params.ID("USERID")
	chat.Member(b.ID).Manager = true
	if m := chat.Member(chat.Owner); m != nil {
		m.Manager = true
	}
	c.World.NoteDialog(chat)
	return isTrue(), nil
}

func notifyAction(c *world.Call) (any, *world.Refusal) {
	b, chat, fail := botInChat(c)
	if fail != nil {
		return nil, fail
	}
	d := world.TypingTime // for how long without duration is not documented (livecheck: action-time)
	if seconds := c.Params.ID("DURATION"); seconds > 0 {
		d = time.Duration(min(seconds, longestAction)) * time.Second
	}
	c.World.StartTyping(chat, b.ID, d)
	return isTrue(), nil
}

// longestAction is for how many seconds a bot may show that it is at work.
const longestAction = 600

// textField gives people the input field when it is not told to take it away.
func textField(c *world.Call) (any, *world.Refusal) {
	_, chat, fail := botInChat(c)
	if fail != nil {
		return nil, fail
	}
	chat.TextFieldOff = c.Params.Given("ENABLED") && !yes(c.World, c.Params.Get("ENABLED"))
	c.World.NoteDialog(chat)
	return isTrue(), nil
}

func revisionGet(c *world.Call) (any, *world.Refusal) {
	rest := c.World.Revision
	if rest == 0 {
		rest = newestRevision
	}
	return php.Object("rest", rest, "web", 130, "mobile", 23, "desktop", 6), nil
}

// newestRevision is the last one that the documentation tells of.
const newestRevision = 36
