package imbottest

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/textstage"
)

// A Message is one message of a chat, as it was when it was asked for.
type Message struct {
	ID       imbot.ID
	ChatID   imbot.ID // private dialogs have a chat id, too
	AuthorID imbot.ID // 0 for the system
	Text     string   // with BB codes; [Message.Plain] is what a person reads
	System   bool
	Time     time.Time

	// What the portal has stored: without the buttons and blocks that it drops, with its
	// defaults, and with links of buttons and items and texts of items escaped for HTML.
	// They are zero when the message has none.
	Keyboard imbot.Keyboard
	Attach   imbot.Attach
	Menu     imbot.Menu

	parts parts // copies of the message share them, so they are replaced and never changed

	Edited  bool       // a person changed it; changes by bots are not marked
	Deleted bool       // Text is then the notice that stands in its place
	Likes   []imbot.ID // who likes it
	ReplyTo imbot.ID   // the message that it quotes; 0: none
}

// Plain returns the text as a person reads it: what the portal's text stage and the web
// client leave of it. Entities are characters, and codes that they make are codes; a
// beginning such as "/me " or "/loud " is gone, even of "/menu"; quotes are without their
// ">>" and rows of dashes, a mention is the name. An address stands in parentheses behind
// the text of its link. The invisible characters of [bbcode.Escape] are taken away.
//
// [bbcode.Plain] reads a text as bots do who cannot know who will show it: there "/me" and
// the signs of quotes stay.
func (m Message) Plain() string {
	return textstage.Read(textstage.Serve(m.Text, nil)).Plain()
}

// Wire returns the parts of the message as the portal stores them, null when the
// message has none: the attachment an object, the others a flat list in which an
// entry of type NEWLINE ends a row of buttons. Only links of buttons and items, and
// the texts of items, are not escaped.
func (m Message) Wire() (attach, keyboard, menu json.RawMessage) {
	parts := m.parts
	parts[partKeyboard] = unescaped(parts[partKeyboard], "LINK")
	parts[partMenu] = unescaped(parts[partMenu], "LINK", "TEXT")
	return parts.wire()
}

// wire returns the parts as JSON.
func (ps parts) wire() (attach, keyboard, menu json.RawMessage) {
	var wire [len(ps)]json.RawMessage
	for i, part := range ps {
		wire[i] = json.RawMessage("null")
		if part != nil {
			wire[i], _ = part.MarshalJSON() // PHP values can always be written
		}
	}
	return wire[partAttach], wire[partKeyboard], wire[partMenu]
}

// message is a message as the portal keeps it.
type message struct {
	ID       imbot.ID
	ChatID   imbot.ID
	AuthorID imbot.ID // 0 for the system
	Text     string
	System   bool
	Time     time.Time
	parts    parts
	Edited   bool // a person changed it
	Deleted  bool
	Likes    []imbot.ID
	ReplyTo  imbot.ID
	uuid     string // templateId of imbot.v2
}

// public returns the message with its keyboard, attachment and menu.
func (m *message) public() Message {
	v := m.withoutParts()
	v.Attach, v.Keyboard, v.Menu = m.parts.decoded()
	return v
}

// withoutParts returns the message without its keyboard, attachment and menu, which take
// long to decode.
func (m *message) withoutParts() Message {
	return Message{
		ID: m.ID, ChatID: m.ChatID, AuthorID: m.AuthorID, Text: m.Text, System: m.System, Time: m.Time, parts: m.parts,
		Edited: m.Edited, Deleted: m.Deleted, Likes: slices.Clone(m.Likes), ReplyTo: m.ReplyTo,
	}
}

// maxText is the length in characters to which the portal cuts longer messages.
const maxText = 20000

// textIsCut stands at the end of a text that was cut.
const textIsCut = " (...)"

// cutText shortens a text that is too long; the portal does that without an error. There
// is room for the mark of an earlier cut.
func cutText(text string) string {
	if len(text) <= maxText+len(textIsCut) {
		return text
	}
	if runes := []rune(text); len(runes) > maxText+len(textIsCut) {
		return string(runes[:maxText]) + textIsCut
	}
	return text
}

// trimmedText is a text before the portal looks at its length: with line breaks in place
// of their codes, and trimmed.
func trimmedText(text string) string { return trim(breaks.Replace(text)) }

// breaks has the only spellings of [br] that the portal replaces.
var breaks = strings.NewReplacer("[BR]", "\n", "[br]", "\n", "#BR#", "\n")

// storedText is a trimmed text as the portal stores it: cut, and with the user's name in
// mentions that have none.
func (p *world) storedText(text string) string {
	return namelessMention.ReplaceAllStringFunc(cutText(text), func(code string) string {
		u := p.users[toID(namelessMention.FindStringSubmatch(code)[1])]
		if u == nil {
			return code
		}
		return strings.Replace(code, "][", "]"+u.name()+"[", 1)
	})
}

var namelessMention = regexp.MustCompile(`(?i)\[user=([0-9]+)\]\[/user\]`)

// withBotName puts a line with the bot's name before the text of a system message, so
// that people see who wrote it. On a real portal it has words of its language, too.
func (p *world) withBotName(b *bot, text string) string {
	return "[b]" + escapeName(p.users[b.id].name()) + "[/b]\n" + text
}

// store adds a message to a chat; the lock is held.
func (p *world) store(chat *chat, author imbot.ID, text string, system bool) *message {
	p.lastMsg++
	m := &message{ID: p.lastMsg, ChatID: chat.id, AuthorID: author, Text: p.storedText(text), System: system, Time: time.Now()}
	chat.messages = append(chat.messages, m)
	p.messages[m.ID] = m
	chat.stopTyping(p, author)
	p.noteMessage(m)
	return m
}

// changeTime is how long a message can be changed. It can be deleted at any time.
const changeTime = 3 * 24 * time.Hour

// ownMessage finds a message that a user wrote and can reach: it is not deleted, and the
// user is a member of its chat.
func (p *world) ownMessage(user, id imbot.ID) *message {
	m := p.messages[id]
	if m == nil || m.Deleted || m.AuthorID != user || p.chats[m.ChatID].member(user) == nil {
		return nil
	}
	return m
}

// changeable finds an ownMessage that is not too old to be changed.
func (p *world) changeable(user, id imbot.ID) *message {
	if m := p.ownMessage(user, id); m != nil && time.Since(m.Time) <= changeTime {
		return m
	}
	return nil
}

// deletedText is the notice in place of a deleted message.
const deletedText = "This message was deleted."

// deleteMessage deletes a message. Unless that is complete, a notice takes its place.
func (p *world) deleteMessage(m *message, complete bool) {
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
