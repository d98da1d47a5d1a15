package imbottest

import (
	"encoding/json"
	"html"
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

// Wire returns the parts of the message as the portal stores them, null when the
// message has none: the attachment an object, the others a flat list in which an
// entry of type NEWLINE ends a row of buttons. The texts of the menu are not
// escaped.
func (m Message) Wire() (attach, keyboard, menu json.RawMessage) {
	parts := m.parts
	if parts[partMenu] != nil {
		parts[partMenu] = mapStrings(parts[partMenu], html.UnescapeString).(*array)
	}
	var wire [len(parts)]json.RawMessage
	for i, part := range parts {
		wire[i] = json.RawMessage("null")
		if part != nil {
			wire[i], _ = part.MarshalJSON() // holds nothing that JSON cannot express
		}
	}
	return wire[partAttach], wire[partKeyboard], wire[partMenu]
}

// message is a message as the portal keeps it.
type message struct {
	Message // without Keyboard, Attach and Menu
}

// public is the message as people and tests see it.
func (m *message) public() Message {
	v := m.withoutParts()
	v.Attach, v.Keyboard, v.Menu = m.parts.decoded()
	return v
}

// withoutParts is the message without what is expensive to read.
func (m *message) withoutParts() Message {
	v := m.Message
	v.Likes = slices.Clone(m.Likes)
	return v
}

// maxText is the length in characters to which the portal cuts messages.
const maxText = 20000

// cutText shortens a text like the portal does: without an error.
func cutText(text string) string {
	if len(text) <= maxText {
		return text
	}
	if runes := []rune(text); len(runes) > maxText {
		return string(runes[:maxText]) + " (...)"
	}
	return text
}

// storedText is a text as it is stored: cut, and with the names of people who were
// mentioned without.
func (p *Portal) storedText(text string) string {
	return namelessMention.ReplaceAllStringFunc(cutText(text), func(code string) string {
		u := p.users[toID(namelessMention.FindStringSubmatch(code)[1])]
		if u == nil {
			return code
		}
		return strings.Replace(code, "][", "]"+u.name()+"[", 1)
	})
}

var namelessMention = regexp.MustCompile(`(?i)\[user=([0-9]+)\]\[/user\]`)

// withBotName puts the bot's name before the text of a system message.
func (p *Portal) withBotName(b *bot, text string) string {
	return "[b]" + p.users[b.id].name() + "[/b]\n" + text
}

// store adds a message to a chat; the lock is held.
func (p *Portal) store(chat *chat, author imbot.ID, text string, system bool) *message {
	p.lastMsg++
	m := &message{Message: Message{ID: p.lastMsg, ChatID: chat.id, AuthorID: author, Text: p.storedText(text), System: system, Time: time.Now()}}
	chat.messages = append(chat.messages, m)
	p.messages[m.ID] = m
	chat.stopTyping(p, author)
	p.noteMessage(m)
	return m
}

// changeTime is how long a message can be changed; deleting has no limit.
const changeTime = 3 * 24 * time.Hour

// ownMessage finds a message that its author may still reach: not deleted, in a chat of
// which he is a member.
func (p *Portal) ownMessage(user, id imbot.ID) *message {
	m := p.messages[id]
	if m == nil || m.Deleted || m.AuthorID != user || p.chats[m.ChatID].member(user) == nil {
		return nil
	}
	return m
}

// changeable is own within the time for changes.
func (p *Portal) changeable(user, id imbot.ID) *message {
	if m := p.ownMessage(user, id); m != nil && time.Since(m.Time) <= changeTime {
		return m
	}
	return nil
}

// deletedText is what stays of a deleted message.
const deletedText = "This message was deleted."

// deleteMessage deletes a message: with a notice in its place, or without a trace.
func (p *Portal) deleteMessage(m *message, complete bool) {
	defer p.noteMessage(m)
	if complete {
		chat := p.chats[m.ChatID]
		chat.messages = slices.DeleteFunc(chat.messages, func(other *message) bool { return other == m })
		delete(p.messages, m.ID)
		return
	}
	m.Deleted, m.Text, m.parts, m.Likes = true, deletedText, parts{}, nil
}

// like sets a like, or takes it away when there is one.
func (m *message) like(user imbot.ID) {
	if i := slices.Index(m.Likes, user); i >= 0 {
		m.Likes = slices.Delete(m.Likes, i, i+1)
	} else {
		m.Likes = append(m.Likes, user)
	}
}
