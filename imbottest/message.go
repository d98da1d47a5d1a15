package imbottest

import (
	"encoding/json"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/textstage"
	"github.com/imbot-go/imbot/imbottest/internal/world"
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

	parts world.Parts // copies of the message share them, so they are replaced and never changed

	Edited  bool       // a person changed it; changes by bots are not marked
	Deleted bool       // Text is then the notice that stands in its place
	Likes   []imbot.ID // who likes it
	ReplyTo imbot.ID   // the message that it quotes; 0: none
	Whisper bool       // guests of an open line do not see it, see [Portal.Whisper]

	Reactions []Reaction // of all kinds, the likes among them
	Files     []File
	Forward   Forward // where it was forwarded from; zero: it was written here
}

// A Reaction is what somebody feels about a message.
type Reaction struct {
	User     imbot.ID
	Reaction string // "like"
}

// A Forward is the message that was forwarded.
type Forward struct {
	MessageID, AuthorID, ChatID imbot.ID
	Time                        time.Time
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
	parts[world.PartKeyboard] = world.Unescaped(parts[world.PartKeyboard], "LINK")
	parts[world.PartMenu] = world.Unescaped(parts[world.PartMenu], "LINK", "TEXT")
	return parts.Wire()
}

// public returns the message with its keyboard, attachment and menu.
func public(m *world.Message) Message {
	v := withoutParts(m)
	v.Attach, v.Keyboard, v.Menu = m.Parts.Decoded()
	return v
}

// withoutParts returns the message without its keyboard, attachment and menu, which take
// long to decode.
func withoutParts(m *world.Message) Message {
	v := Message{
		ID: m.ID, ChatID: m.ChatID, AuthorID: m.AuthorID, Text: m.Text, System: m.System, Time: m.Time, parts: m.Parts,
		Edited: m.Edited, Deleted: m.Deleted, Likes: m.Likes(), ReplyTo: m.ReplyTo, Whisper: m.Whisper,
		Forward: Forward{MessageID: m.Forward.Message, AuthorID: m.Forward.Author, ChatID: m.Forward.Chat, Time: m.Forward.Time},
	}
	for _, r := range m.Reactions {
		v.Reactions = append(v.Reactions, Reaction{r.User, r.Code})
	}
	for _, f := range m.Files {
		v.Files = append(v.Files, publicFile(f))
	}
	return v
}
