package world

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
)

// Message is a message as the portal keeps it.
type Message struct {
	ID       imbot.ID
	ChatID   imbot.ID
	AuthorID imbot.ID // 0 for the system
	Text     string
	System   bool
	Time     time.Time
	Parts    Parts
	Edited   bool // a person changed it
	Deleted  bool
	ReplyTo  imbot.ID
	Whisper  bool   // guests of an open line do not see it
	UUID     string // templateId of imbot.v2

	Reactions []Reaction // replaced and never changed, because copies share them
	Files     []*File
	Forward   Forward
}

// Forward is where a message was forwarded from; zero: it was written where it is.
type Forward struct {
	Message, Author, Chat imbot.ID
	Time                  time.Time
}

// maxText is the length in characters to which the portal cuts longer messages.
const maxText = 20000

// textIsCut stands at the end of a text that was cut.
const textIsCut = " (...)"

// cutText shortens a text that is too long; the portal does that without an error. There
// is room for the mark of an earlier cut.
func (w *World) cutText(text string) string {
	passes := maxText + len(textIsCut)
	if w.Differs(DoubtTextCut) {
		passes = maxText
	}
	if len(text) <= passes {
		return text
	}
	if runes := []rune(text); len(runes) > passes {
		return string(runes[:maxText]) + textIsCut
	}
	return text
}

// TrimmedText is a text before the portal looks at its length: with line breaks in place
// of their codes, and trimmed.
func TrimmedText(text string) string { return php.Trim(breaks.Replace(text)) }

// breaks has the only spellings of [br] that the portal replaces.
var breaks = strings.NewReplacer("[BR]", "\n", "[br]", "\n", "#BR#", "\n")

// StoredText is a trimmed text as the portal stores it: cut, and with the user's name in
// mentions that have none.
func (w *World) StoredText(text string) string {
	return namelessMention.ReplaceAllStringFunc(w.cutText(text), func(code string) string {
		u := w.Users[php.ToID(namelessMention.FindStringSubmatch(code)[1])]
		if u == nil {
			return code
		}
		return strings.Replace(code, "][", "]"+u.Name()+"[", 1)
	})
}

var namelessMention = regexp.MustCompile(`(?i)\[user=([0-9]+)\]\[/user\]`)

// WithBotName puts a line with the bot's name before the text of a system message, so
// that people see who wrote it. On a real portal it has words of its language, too.
func (w *World) WithBotName(b *Bot, text string) string {
	return "[b]" + EscapeName(w.Users[b.ID].Name()) + "[/b]\n" + text
}

// Store adds a message to a chat, and tells people who fetch their events; the lock is held.
func (w *World) Store(chat *Chat, with Message) *Message {
	w.lastMsg++
	m := &with
	m.ID, m.ChatID, m.Text, m.Time = w.lastMsg, chat.ID, w.StoredText(with.Text), time.Now()
	if m.System {
		m.AuthorID = 0
	}
	chat.Messages = append(chat.Messages, m)
	w.Messages[m.ID] = m
	chat.stopTyping(w, m.AuthorID)
	w.NoteMessage(m)
	w.tellPeople("MESSAGEADD", chat, m, m.AuthorID, w.withMessage(m))
	return m
}

// changeTime is how long a message can be changed. It can be deleted at any time.
const changeTime = 3 * 24 * time.Hour

// OwnMessage finds a message that a user wrote and can reach: it is not deleted, and the
// user is a member of its chat.
func (w *World) OwnMessage(user, id imbot.ID) *Message {
	m := w.Messages[id]
	if m == nil || m.Deleted || m.AuthorID != user || w.Chats[m.ChatID].Member(user) == nil {
		return nil
	}
	return m
}

// Changeable finds an OwnMessage that is not too old to be changed.
func (w *World) Changeable(user, id imbot.ID) *Message {
	if m := w.OwnMessage(user, id); m != nil && time.Since(m.Time) <= changeTime {
		return m
	}
	return nil
}

// deletedText is the notice in place of a deleted message.
const deletedText = "This message was deleted."

// DeleteMessage deletes a message. Unless that is complete, a notice takes its place.
func (w *World) DeleteMessage(m *Message, complete bool) {
	defer w.NoteMessage(m)
	w.dropFiles(m)
	if complete {
		chat := w.Chats[m.ChatID]
		chat.Messages = slices.DeleteFunc(chat.Messages, func(other *Message) bool { return other == m })
		delete(w.Messages, m.ID)
		return
	}
	m.Deleted, m.Text, m.Parts, m.Reactions = true, deletedText, Parts{}, nil
}

// uuidTime is how long the portal knows the UUID of a message (livecheck: queue-day).
const uuidTime = 31 * 24 * time.Hour

// Knows reports whether a message with this UUID was sent before.
func (w *World) Knows(uuid string) bool {
	before, ok := w.UUIDs[uuid]
	return ok && time.Since(before.At) < uuidTime
}

// KnowUUID remembers the UUID of a message that was just sent.
func (w *World) KnowUUID(m *Message) { w.UUIDs[m.UUID] = SentBefore{Message: m.ID, At: m.Time} }

// ForwardOf is a copy of a message for another chat, with copies of its files. Of a forwarded one
// it names the first.
func (w *World) ForwardOf(m *Message, to *Chat, by imbot.ID, uuid string) Message {
	from := m.Forward
	if from.Message == 0 {
		from = Forward{Message: m.ID, Author: m.AuthorID, Chat: m.ChatID, Time: m.Time}
	}
	copied := Message{AuthorID: by, Text: m.Text, UUID: uuid, Forward: from}
	copied.Parts[PartAttach] = m.Parts[PartAttach]
	for _, f := range m.Files {
		copied.Files = append(copied.Files, w.AddFile(to, by, f.Name, f.Content))
	}
	return copied
}

// SentBefore is what a UUID stands for.
type SentBefore struct {
	Message imbot.ID
	At      time.Time
}
