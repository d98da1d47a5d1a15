package imbottest

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// A User is a person or a bot.
type User struct {
	ID        imbot.ID
	FirstName string
	LastName  string
	Position  string
	Color     imbot.Color
	Bot       bool
	Guest     bool // of an open line
	Gone      bool // this bot was deleted; its messages stay
}

// Name is the name that people see.
func (u User) Name() string { return strings.TrimSpace(u.FirstName + " " + u.LastName) }

// Users returns all people and bots in the order of their ids.
func (p *Portal) Users() []User {
	p.w.Lock()
	defer p.w.Unlock()
	var users []User
	for _, id := range world.SortedIDs(p.w.Users) {
		users = append(users, p.user(id))
	}
	return users
}

// user returns a user that exists or existed; the lock is held.
func (p *Portal) user(id imbot.ID) User {
	u := p.w.Users[id]
	color := u.Color
	if color.Hex() == "" {
		colors := imbot.Colors()
		color = colors[int(id)%len(colors)]
	}
	return User{ID: id, FirstName: u.First, LastName: u.Last, Position: u.Position, Color: color, Bot: u.IsBot, Guest: u.IsConnector, Gone: !p.w.Exists(id)}
}

// A Dialog is a private dialog or a group chat as one of its members sees it.
type Dialog struct {
	ID       imbot.DialogID // by which that member names it
	ChatID   imbot.ID
	Type     string // "private", "chat", "open" or "lines"
	Title    string // of a private dialog: the name of the other user
	Color    imbot.Color
	Owner    imbot.ID
	Managers []imbot.ID
	Members  []imbot.ID // in the order of their joining
	Messages int        // that the member sees
	Closed   bool       // nobody may write there but bots: one of them took the input field away
	Last     *Message   // nil without messages; it has its parts in [Message.Wire] only
	Typing   []imbot.ID // who else is writing; ends after ten seconds, or what a bot says, or with the message
}

// Dialogs returns the dialogs of which somebody is a member; the one with the
// newest message comes first.
func (p *Portal) Dialogs(user imbot.ID) []Dialog {
	p.w.Lock()
	defer p.w.Unlock()
	var dialogs []Dialog
	for _, id := range world.SortedIDs(p.w.Chats) {
		if c := p.w.Chats[id]; c.Member(user) != nil {
			dialogs = append(dialogs, p.dialog(c, user))
		}
	}
	active := func(d Dialog) time.Time {
		if d.Last != nil {
			return d.Last.Time
		}
		return p.w.Chats[d.ChatID].Created
	}
	slices.SortFunc(dialogs, func(a, b Dialog) int {
		return cmp.Or(active(b).Compare(active(a)), cmp.Compare(b.ChatID, a.ChatID))
	})
	return dialogs
}

// dialog is a chat as one of its members sees it; the lock is held.
func (p *Portal) dialog(c *world.Chat, user imbot.ID) Dialog {
	d := Dialog{ID: p.w.DialogOf(c, user), ChatID: c.ID, Type: c.TypeName(), Title: c.Title, Color: c.Color, Owner: c.Owner, Closed: c.TextFieldOff, Typing: c.Writers(user)}
	if c.Kind == world.KindPrivate {
		other := p.user(c.Other(user))
		d.Title, d.Color = other.Name(), other.Color
	}
	for _, m := range c.Members {
		d.Members = append(d.Members, m.User)
		if m.Manager {
			d.Managers = append(d.Managers, m.User)
		}
	}
	if seen := p.w.MessagesSeenBy(c, user); len(seen) > 0 {
		last := withoutParts(seen[len(seen)-1])
		d.Messages, d.Last = len(seen), &last
	}
	return d
}

// Messages returns what a person sees in a dialog, oldest first; nothing when
// the dialog does not exist or is closed to that person.
func (p *Portal) Messages(user imbot.ID, dialog imbot.DialogID) []Message {
	p.w.Lock()
	defer p.w.Unlock()
	chat := p.w.Find(user, dialog)
	if chat == nil {
		return nil
	}
	since := imbot.ID(0)
	if m := chat.Member(user); m != nil {
		since = m.Since
	} else if chat.Kind != world.KindOpen {
		return nil
	}
	var seen []Message
	for _, m := range chat.Messages {
		if m.ID > since && p.w.Shows(m, user) {
			seen = append(seen, public(m))
		}
	}
	return seen
}

// History returns the newest messages with ids less than before that a member of a dialog
// sees, oldest first and at most limit of them; with before 0, the newest of all. It takes
// the same time however long the dialog is. The messages have their parts in
// [Message.Wire] only.
func (p *Portal) History(user imbot.ID, dialog imbot.DialogID, before imbot.ID, limit int) []Message {
	p.w.Lock()
	defer p.w.Unlock()
	c := p.w.Find(user, dialog)
	if c == nil {
		return nil
	}
	seen := p.w.MessagesSeenBy(c, user)
	if before > 0 {
		seen = seen[:world.IndexOf(seen, before)]
	}
	var messages []Message
	for _, m := range seen[max(0, len(seen)-max(0, limit)):] {
		messages = append(messages, withoutParts(m))
	}
	return messages
}
