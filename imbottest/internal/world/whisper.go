package world

import (
	"fmt"

	"github.com/imbot-go/imbot"
)

// ComponentWhisper is the COMPONENT_ID of a whisper.
const ComponentWhisper = "HiddenMessage"

// Whisper stores what an operator of an open line writes and its guest does not see. It executes
// no command and takes the conversation from nobody.
func (w *World) Whisper(chat *Chat, operator imbot.ID, text string) (*Message, error) {
	if chat.Kind != KindLines || w.Users[operator].IsConnector {
		return nil, fmt.Errorf("imbottest: user %d cannot whisper in chat%d: only operators of open lines can", operator, chat.ID)
	}
	before := chat.LastMessageID()
	m := w.Store(chat, Message{AuthorID: operator, Text: text, Whisper: true})
	w.fireMessageAdd(chat, m, before)
	return m, nil
}

// Shows reports whether a user in the chat of a message sees it, as far as that depends on the
// message: guests see no whispers.
func (w *World) Shows(m *Message, user imbot.ID) bool {
	u := w.Users[user]
	return !m.Whisper || u == nil || !u.IsConnector
}

// setParams writes what is beside the text of a message: that it is a whisper, its files, and what
// it quotes.
func (w *World) setParams(e *Event, m *Message) {
	if m.Whisper {
		e.At("data", "PARAMS", "PARAMS")("COMPONENT_ID", ComponentWhisper)
	}
	if len(m.Files) > 0 {
		e.SetValue(fileIDs(m), "data", "PARAMS", "PARAMS", "FILE_ID")
	}
	for _, f := range m.Files {
		e.SetValue(w.FileObject(f), "data", "PARAMS", "FILES", f.ID.String())
	}
	if m.ReplyTo == 0 {
		return
	}
	e.At("data", "PARAMS", "PARAMS")("REPLY_ID", m.ReplyTo.String())
	if quoted := w.Messages[m.ReplyTo]; quoted != nil && !quoted.Deleted {
		e.At("data", "PARAMS", "REPLY_MESSAGE")("ID", quoted.ID.String(), "AUTHOR_ID", quoted.AuthorID.String(), "MESSAGE", quoted.Text)
	}
}
