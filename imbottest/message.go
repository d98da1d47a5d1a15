package imbottest

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/bbcode"
)

// A Message is one message of a chat, as it was when it was asked for.
type Message struct {
	ID       imbot.ID
	ChatID   imbot.ID // private dialogs have a chat id, too
	AuthorID imbot.ID // 0 for the system
	Text     string   // with BB codes; [Message.Plain] is what a person reads
	System   bool
	Time     time.Time

	// What the portal made of the parameters: without the buttons and blocks
	// that it drops, with its defaults. Zero when the message has none.
	Keyboard imbot.Keyboard
	Attach   imbot.Attach
	Menu     imbot.Menu

	parts parts // never changed, only replaced

	Edited  bool       // by a person; what bots change is not marked
	Deleted bool       // the text is the portal's notice then
	Likes   []imbot.ID // who likes it
}

// Plain returns the text as a person reads it: see [bbcode.Plain].
func (m Message) Plain() string { return bbcode.Plain(m.Text) }

// message is a message as the portal keeps it.
type message struct {
	Message // without Keyboard, Attach and Menu
}

// view is the message as people and tests see it.
func (m *message) view() Message {
	v := m.light()
	v.Attach, v.Keyboard, v.Menu = m.parts.decoded()
	return v
}

// light is the message without what is expensive to read.
func (m *message) light() Message {
	v := m.Message
	v.Likes = slices.Clone(m.Likes)
	return v
}

// maxText is the length in characters to which the portal cuts messages.
const maxText = 20000

// cut shortens a text like the portal does: without an error.
func cut(text string) string {
	if len(text) <= maxText {
		return text
	}
	if runes := []rune(text); len(runes) > maxText {
		return string(runes[:maxText]) + " (...)"
	}
	return text
}

// finished is a text as it is stored: cut, and with the names of people who were
// mentioned without.
func (p *Portal) finished(text string) string {
	return namelessMention.ReplaceAllStringFunc(cut(text), func(code string) string {
		u := p.users[toID(namelessMention.FindStringSubmatch(code)[1])]
		if u == nil {
			return code
		}
		return strings.Replace(code, "][", "]"+u.name()+"[", 1)
	})
}

var namelessMention = regexp.MustCompile(`(?i)\[user=([0-9]+)\]\[/user\]`)

// store adds a message to a chat; the lock is held.
func (p *Portal) store(chat *chat, author imbot.ID, text string, system bool) *message {
	p.lastMsg++
	m := &message{Message: Message{ID: p.lastMsg, ChatID: chat.id, AuthorID: author, Text: p.finished(text), System: system, Time: time.Now()}}
	chat.messages = append(chat.messages, m)
	p.messages[m.ID] = m
	chat.stopTyping(p, author)
	p.noteMessage(m)
	return m
}

// newPrivate makes the private dialog of two users; the lock is held.
func (p *Portal) newPrivate(a, b imbot.ID) *chat {
	p.lastChat++
	chat := &chat{id: p.lastChat, kind: kindPrivate, created: time.Now()}
	chat.members = []*member{{user: a}, {user: b}}
	p.chats[chat.id] = chat
	p.private[pairOf(a, b)] = chat
	p.noteDialog(chat)
	return chat
}

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
		return nil, wrong("DIALOG_ID_EMPTY", "Dialog ID can't be empty")
	}
	sent := c.message()
	if sent == "" {
		return nil, wrong("MESSAGE_EMPTY", "Message can't be empty")
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
	} else if private {
		chat, fail = p.openPrivate(b.id, user)
	} else {
		id, _ := dialog.ChatID()
		chat, fail = p.writable(id, b)
		if system {
			sent = p.announced(b, sent)
		}
	}
	if fail != nil {
		return nil, fail
	}
	m := p.store(chat, author, sent, system)
	m.parts = parts
	return m.ID, nil
}

// message is the text of a new message: trimmed, and empty when a number was
// sent.
func (c *call) message() string {
	sent, _ := c.params.get("MESSAGE").(string)
	return strings.TrimSpace(sent)
}

// writable finds a group chat in which a bot may write.
func (p *Portal) writable(id imbot.ID, b *bot) (*chat, *restError) {
	chat := p.group(id)
	switch {
	case chat == nil:
		return nil, wrong("CHAT_ID", "Chat not found")
	case chat.member(b.id) == nil, chat.forbids("send"):
		return nil, wrong("CANCELED", "You can't send messages to this chat")
	}
	return chat, nil
}

// announced puts the bot's name before the text of a system message.
func (p *Portal) announced(b *bot, text string) string {
	return "[b]" + p.users[b.id].name() + "[/b]\n" + text
}

// openPrivate finds or makes the private dialog in which one user writes to
// another. A bot learns of a new one.
func (p *Portal) openPrivate(by, other imbot.ID) (*chat, *restError) {
	if by == other || !p.present(by) || !p.present(other) {
		return nil, wrong("ERROR_NO_ACCESS", "You can't send messages to this user")
	}
	if chat := p.private[pairOf(by, other)]; chat != nil {
		return chat, nil
	}
	chat := p.newPrivate(by, other)
	writer, reader := p.bots[by], p.bots[other]
	switch {
	case writer != nil && reader == nil:
		p.fireJoinPrivate(chat, writer, other, by, other)
	case writer == nil && reader != nil:
		p.fireJoinPrivate(chat, reader, by, by, other)
	}
	return chat, nil
}
