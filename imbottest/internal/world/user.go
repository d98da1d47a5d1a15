package world

import (
	"fmt"
	"strings"

	"github.com/imbot-go/imbot"
)

// User is a person or a bot.
type User struct {
	ID       imbot.ID
	First    string
	Last     string
	Gender   string
	Position string
	IsBot    bool

	IsConnector bool // a guest of an open line
	Color       imbot.Color
	Picture     []byte
	Extranet    bool
	Denied      bool // may not change chats, see Deny
	Dismissed   bool
}

// Name is the name that people see.
func (u *User) Name() string { return strings.TrimSpace(u.First + " " + u.Last) }

// AddUser adds a person.
func (w *World) AddUser(first, last string) *User {
	w.lastUser++
	u := &User{ID: w.lastUser, First: first, Last: last, Gender: "M"}
	w.Users[u.ID] = u
	w.NoteUser(u.ID)
	return u
}

// Say stores what a person writes or forwards, and tells bots about the commands in it, or when
// there are none about the message.
func (w *World) Say(chat *Chat, user imbot.ID, said Message) *Message {
	switch guest := w.Users[user].IsConnector; {
	case chat.Over() && guest:
		w.beginSession(chat, user)
	case chat.Kind == KindLines && chat.Owner == 0 && !guest:
		chat.Owner = user // the first operator who answers holds the conversation
		w.NoteDialog(chat)
	}
	before := chat.LastMessageID()
	said.AuthorID = user
	m := w.Store(chat, said)
	if invoked := w.invoked(chat, user, m.Text); m.Forward.Message == 0 && len(invoked) > 0 {
		w.fireTypedCommands(chat, m, before, invoked)
	} else {
		w.fireMessageAdd(chat, m, before)
	}
	if m.Text == "0" { // so a guest asks for a person
		w.TakeFromBot(chat)
	}
	return m
}

// CheckPerson checks that id is a person, no bot, and that the portal is not closed.
func (w *World) CheckPerson(id imbot.ID) error {
	switch u := w.Users[id]; {
	case w.Closed:
		return ErrClosed
	case u == nil:
		return fmt.Errorf("imbottest: there is no user %d", id)
	case u.IsBot:
		return fmt.Errorf("imbottest: user %d is a bot; bots write with imbot.message.add", id)
	}
	return nil
}

// ChatToWriteIn returns the chat of a dialog when the person may write there. It opens
// private dialogs and joins open chats.
func (w *World) ChatToWriteIn(user imbot.ID, dialog imbot.DialogID) (*Chat, error) {
	if other, ok := dialog.UserID(); ok {
		chat, fail := w.OpenPrivate(user, other)
		switch {
		case fail != nil:
			return nil, fmt.Errorf("imbottest: user %d has no dialog with user %d", user, other)
		case chat.TextFieldOff:
			return nil, fmt.Errorf("imbottest: user %d may not write in the dialog with user %d", user, other)
		}
		return chat, nil
	}
	chat := w.Find(user, dialog)
	switch {
	case chat == nil:
		return nil, fmt.Errorf("imbottest: there is no dialog %q", string(dialog))
	case chat.Forbids("send"), chat.TextFieldOff:
		return nil, fmt.Errorf("imbottest: nobody may write in %s", dialog)
	case chat.Member(user) != nil:
	case chat.Kind == KindOpen: // who writes in an open chat joins it
		w.Join(chat, user, true, user)
	default:
		return nil, fmt.Errorf("imbottest: user %d is not a member of %s", user, dialog)
	}
	return chat, nil
}

// VisibleMessage finds a message that a person sees; the lock is held.
func (w *World) VisibleMessage(user, id imbot.ID) (*Message, error) {
	if err := w.CheckPerson(user); err != nil {
		return nil, err
	}
	if m := w.Messages[id]; m != nil {
		if member := w.Chats[m.ChatID].Member(user); member != nil && m.ID > member.Since && w.Shows(m, user) {
			return m, nil
		}
	}
	return nil, fmt.Errorf("imbottest: user %d sees no message %d", user, id)
}

// OnlyExisting returns those of the users that exist.
func (w *World) OnlyExisting(users []imbot.ID) []imbot.ID {
	var found []imbot.ID
	for _, id := range users {
		if w.Exists(id) {
			found = append(found, id)
		}
	}
	return found
}

// Exists reports whether id is a person or a bot that was not deleted.
func (w *World) Exists(id imbot.ID) bool {
	u := w.Users[id]
	return u != nil && (!u.IsBot || w.Bots[id] != nil)
}
