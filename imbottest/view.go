package imbottest

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
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
	p.Lock()
	defer p.Unlock()
	var users []User
	for _, id := range sortedIDs(p.users) {
		users = append(users, p.user(id))
	}
	return users
}

// user returns a user that exists or existed; the lock is held.
func (p *Portal) user(id imbot.ID) User {
	u := p.users[id]
	color := u.color
	if color.Hex() == "" {
		colors := imbot.Colors()
		color = colors[int(id)%len(colors)]
	}
	return User{ID: id, FirstName: u.first, LastName: u.last, Position: u.position, Color: color, Bot: u.isBot, Guest: u.isConnector, Gone: !p.exists(id)}
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
	Last     *Message   // nil without messages; it has its parts in [Message.Wire] only
	Typing   []imbot.ID // who else is writing; ends after ten seconds, or what a bot says, or with the message
}

// Dialogs returns the dialogs of which somebody is a member; the one with the
// newest message comes first.
func (p *Portal) Dialogs(user imbot.ID) []Dialog {
	p.Lock()
	defer p.Unlock()
	var dialogs []Dialog
	for _, id := range sortedIDs(p.chats) {
		if c := p.chats[id]; c.member(user) != nil {
			dialogs = append(dialogs, p.dialog(c, user))
		}
	}
	active := func(d Dialog) time.Time {
		if d.Last != nil {
			return d.Last.Time
		}
		return p.chats[d.ChatID].created
	}
	slices.SortFunc(dialogs, func(a, b Dialog) int {
		return cmp.Or(active(b).Compare(active(a)), cmp.Compare(b.ChatID, a.ChatID))
	})
	return dialogs
}

// dialog is a chat as one of its members sees it; the lock is held.
func (p *Portal) dialog(c *chat, user imbot.ID) Dialog {
	d := Dialog{ID: p.dialogOf(c, user), ChatID: c.id, Type: c.typeName(), Title: c.title, Color: c.color, Owner: c.owner, Typing: c.writers(user)}
	if c.kind == kindPrivate {
		other := p.user(c.other(user))
		d.Title, d.Color = other.Name(), other.Color
	}
	for _, m := range c.members {
		d.Members = append(d.Members, m.user)
		if m.manager {
			d.Managers = append(d.Managers, m.user)
		}
	}
	if seen := c.messagesSeenBy(user); len(seen) > 0 {
		last := seen[len(seen)-1].withoutParts()
		d.Messages, d.Last = len(seen), &last
	}
	return d
}

// Messages returns what a person sees in a dialog, oldest first; nothing when
// the dialog does not exist or is closed to that person.
func (p *Portal) Messages(user imbot.ID, dialog imbot.DialogID) []Message {
	p.Lock()
	defer p.Unlock()
	chat := p.find(user, dialog)
	if chat == nil {
		return nil
	}
	since := imbot.ID(0)
	if m := chat.member(user); m != nil {
		since = m.since
	} else if chat.kind != kindOpen {
		return nil
	}
	var seen []Message
	for _, m := range chat.messages {
		if m.ID > since {
			seen = append(seen, m.public())
		}
	}
	return seen
}

// History returns the newest messages with ids less than before that a member of a dialog
// sees, oldest first and at most limit of them; with before 0, the newest of all. It takes
// the same time however long the dialog is. The messages have their parts in
// [Message.Wire] only.
func (p *Portal) History(user imbot.ID, dialog imbot.DialogID, before imbot.ID, limit int) []Message {
	p.Lock()
	defer p.Unlock()
	c := p.find(user, dialog)
	if c == nil {
		return nil
	}
	seen := c.messagesSeenBy(user)
	if before > 0 {
		seen = seen[:max(0, len(seen)-(len(c.messages)-c.indexOf(before)))]
	}
	var messages []Message
	for _, m := range seen[max(0, len(seen)-max(0, limit)):] {
		messages = append(messages, m.withoutParts())
	}
	return messages
}

// messagesSeenBy returns the messages of a chat that a user sees as a member.
func (c *chat) messagesSeenBy(user imbot.ID) []*message {
	member := c.member(user)
	if member == nil {
		return nil
	}
	return c.messages[c.indexOf(member.since+1):]
}

// indexOf is the index of the first message with this id or a higher one.
func (c *chat) indexOf(id imbot.ID) int {
	i, _ := slices.BinarySearchFunc(c.messages, id, func(m *message, id imbot.ID) int { return cmp.Compare(m.ID, id) })
	return i
}

// existingOrNewChat returns the chat of a dialog whose member a user is. For a private
// dialog that was never opened it makes one, which is not stored. The lock is held.
func (p *world) existingOrNewChat(user imbot.ID, dialog imbot.DialogID) *chat {
	c := p.find(user, dialog)
	if other, ok := dialog.UserID(); ok && c == nil && user != other && p.exists(user) && p.exists(other) {
		c = &chat{kind: kindPrivate, members: []*member{{user: user}, {user: other}}}
	}
	if c == nil || c.member(user) == nil {
		return nil
	}
	return c
}
