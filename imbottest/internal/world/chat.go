package world

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
)

// The kinds of chats, as CHAT_TYPE names them.
const (
	KindPrivate = "P"
	KindChat    = "C"
	KindOpen    = "O"
)

// Chat is a group chat or a private dialog. Private dialogs have a chat id, too.
type Chat struct {
	ID           imbot.ID
	Kind         string
	Title        string
	Description  string
	Color        imbot.Color
	Avatar       string // address of the picture
	EntityType   string
	EntityID     string
	EntityData   [3]string
	Line         *Line      // through which its guest came; nil: it is no chat of an open line
	Sessions     []*Session // of an open line: its conversations
	Restricted   []string   // what Restrict forbids
	General      bool
	TextFieldOff bool // people cannot write
	Owner        imbot.ID
	Created      time.Time
	Members      []*Member // in the order in which they joined
	Messages     []*Message
	files        []*File
	Typing       map[imbot.ID]*time.Timer // who is shown as writing; the timer ends that
	Picture      []byte
	Answers      map[imbot.ID]time.Time // until when a bot may answer commands
	ReadBy       map[imbot.ID]imbot.ID  // the last message that a bot has marked as read
}

// Member is somebody in a chat.
type Member struct {
	User    imbot.ID
	Manager bool
	Since   imbot.ID // sees only messages with higher ids
}

// Pair are the two users of a private dialog, the smaller id first.
type Pair [2]imbot.ID

// PairOf is the pair of two users in any order.
func PairOf(a, b imbot.ID) Pair { return Pair{min(a, b), max(a, b)} }

// Member finds a member, nil when there is none.
func (c *Chat) Member(user imbot.ID) *Member {
	for _, m := range c.Members {
		if m.User == user {
			return m
		}
	}
	return nil
}

// Other is the other user of a private dialog, 0 when there is none.
func (c *Chat) Other(user imbot.ID) imbot.ID {
	for _, m := range c.Members {
		if m.User != user {
			return m.User
		}
	}
	return 0
}

// LastMessageID is the id of the newest message, 0 without messages.
func (c *Chat) LastMessageID() imbot.ID {
	if n := len(c.Messages); n > 0 {
		return c.Messages[n-1].ID
	}
	return 0
}

// maxTitle is the length in characters to which titles are cut.
const maxTitle = 255

// CutTitle is a title as a chat keeps it.
func CutTitle(title string) string {
	if runes := []rune(title); len(runes) > maxTitle {
		return string(runes[:maxTitle])
	}
	return title
}

// AvatarURL is the address of a chat's picture.
func (w *World) AvatarURL(c *Chat) string {
	return fmt.Sprintf("https://cdn.%s/avatars/%d.png", w.Hooks.Host(), c.ID)
}

// TypeName is the kind of a chat as people see it.
func (c *Chat) TypeName() string {
	switch c.Kind {
	case KindOpen:
		return "open"
	case KindLines:
		return "lines"
	case KindPrivate:
		return "private"
	}
	return "chat"
}

// entity returns the tags of a chat as keys and values of an event. The type is left
// out when there is none, because the portal sends no key for null.
func (c *Chat) entity() (pairs []string) {
	if c.EntityType != "" {
		pairs = append(pairs, "CHAT_ENTITY_TYPE", c.EntityType)
	}
	return append(pairs, "CHAT_ENTITY_ID", c.EntityID, "CHAT_ENTITY_DATA_1", c.EntityData[0],
		"CHAT_ENTITY_DATA_2", c.EntityData[1], "CHAT_ENTITY_DATA_3", c.EntityData[2])
}

// Find returns the chat that a user means by a dialog id, nil when there is none.
func (w *World) Find(user imbot.ID, dialog imbot.DialogID) *Chat {
	if other, ok := dialog.UserID(); ok {
		return w.Private[PairOf(user, other)]
	}
	id, _ := dialog.ChatID()
	return w.Chats[id]
}

// Group is a group chat, nil when there is none with this id.
func (w *World) Group(id imbot.ID) *Chat {
	if chat := w.Chats[id]; chat != nil && chat.Kind != KindPrivate {
		return chat
	}
	return nil
}

// DialogOf is the dialog id by which a member names a chat.
func (w *World) DialogOf(chat *Chat, user imbot.ID) imbot.DialogID {
	if chat.Kind == KindPrivate {
		for _, m := range chat.Members {
			if m.User != user {
				return imbot.UserDialog(m.User)
			}
		}
	}
	return imbot.ChatDialog(chat.ID)
}

// AddChat makes a group chat with its owner as only member; the lock is held.
func (w *World) AddChat(kind, title string, owner imbot.ID) *Chat {
	w.lastChat++
	colors := imbot.Colors()
	color := colors[int(w.lastChat)%len(colors)]
	if title == "" {
		title = fmt.Sprintf("%.1s%s Chat #%d", color, strings.ToLower(strings.ReplaceAll(string(color)[1:], "_", " ")), w.lastChat)
	}
	chat := &Chat{ID: w.lastChat, Kind: kind, Title: title, Color: color, Owner: owner, Created: time.Now()}
	chat.Members = []*Member{{User: owner}}
	w.Chats[chat.ID] = chat
	w.NoteDialog(chat)
	return chat
}

// newPrivate makes the private dialog of two users; the lock is held.
func (w *World) newPrivate(a, b imbot.ID) *Chat {
	w.lastChat++
	chat := &Chat{ID: w.lastChat, Kind: KindPrivate, Created: time.Now()}
	chat.Members = []*Member{{User: a}, {User: b}}
	w.Chats[chat.ID] = chat
	w.Private[PairOf(a, b)] = chat
	w.NoteDialog(chat)
	return chat
}

// OpenPrivate returns the private dialog of two users and makes it when there is none.
// Of a new one the bot gets ONIMBOTJOINCHAT or ONIMBOTV2JOINCHAT.
func (w *World) OpenPrivate(by, other imbot.ID) (*Chat, *Refusal) {
	if by == other || !w.Exists(by) || !w.Exists(other) {
		return nil, BadRequest("ERROR_NO_ACCESS", "You can't send messages to this user")
	}
	if chat := w.Private[PairOf(by, other)]; chat != nil {
		return chat, nil
	}
	chat := w.newPrivate(by, other)
	writer, reader := w.Bots[by], w.Bots[other]
	switch {
	case writer != nil && reader == nil:
		w.fireJoinPrivate(chat, writer, other, by, other)
	case writer == nil && reader != nil:
		w.fireJoinPrivate(chat, reader, by, by, other)
	}
	return chat, nil
}

// Join adds users to a group chat. Bots among them get an event. The lock is
// held.
func (w *World) Join(chat *Chat, by imbot.ID, history bool, users ...imbot.ID) {
	defer w.NoteDialog(chat)
	for _, id := range w.OnlyExisting(users) {
		if chat.Member(id) != nil {
			continue
		}
		m := &Member{User: id}
		if !history {
			m.Since = chat.LastMessageID()
		}
		chat.Members = append(chat.Members, m)
		w.tellPeople("JOINCHAT", chat, nil, id, nil)
		if b := w.Bots[id]; b != nil {
			w.fireJoinGroup(chat, b, by, history)
		}
	}
}

// Leave takes a user out of a group chat; the lock is held.
func (w *World) Leave(c *Chat, user imbot.ID) {
	if c.Member(user) == nil {
		return
	}
	c.stopTyping(w, user)
	c.removeMember(user)
	w.note(Change{Kind: ChangedLeft, Chat: c.ID, User: user})
}

func (c *Chat) removeMember(user imbot.ID) {
	c.Members = slices.DeleteFunc(c.Members, func(m *Member) bool { return m.User == user })
	if c.Owner != user {
		return
	}
	c.Owner = 0
	if c.Kind == KindLines { // nobody holds the conversation
		return
	}
	for _, m := range c.Members { // the first manager becomes owner, without one the first member
		if c.Owner == 0 || m.Manager && !c.Member(c.Owner).Manager {
			c.Owner = m.User
		}
	}
}

// CheckRemove refuses the removal of a member. Everybody may remove himself, the owner
// everybody, and managers everybody but the owner.
func (c *Chat) CheckRemove(by, user imbot.ID) *Refusal {
	m := c.Member(by)
	switch {
	case by == user, c.Owner == by:
		return nil
	case m == nil, !m.Manager, c.Owner == user:
		return BadRequest("ACCESS_DENIED_KICK", "You don't have permission to remove this user")
	}
	return nil
}

// MessagesSeenBy returns the messages of a chat that a user sees as a member.
func (w *World) MessagesSeenBy(c *Chat, user imbot.ID) []*Message {
	member := c.Member(user)
	if member == nil {
		return nil
	}
	seen := c.Messages[IndexOf(c.Messages, member.Since+1):]
	if w.Users[user].IsConnector {
		seen = slices.DeleteFunc(slices.Clone(seen), func(m *Message) bool { return !w.Shows(m, user) })
	}
	return seen
}

// IndexOf is the index of the first message with this id or a higher one.
func IndexOf(messages []*Message, id imbot.ID) int {
	i, _ := slices.BinarySearchFunc(messages, id, func(m *Message, id imbot.ID) int { return cmp.Compare(m.ID, id) })
	return i
}

// ExistingOrNewChat returns the chat of a dialog whose member a user is. For a private
// dialog that was never opened it makes one, which is not stored. The lock is held.
func (w *World) ExistingOrNewChat(user imbot.ID, dialog imbot.DialogID) *Chat {
	c := w.Find(user, dialog)
	if other, ok := dialog.UserID(); ok && c == nil && user != other && w.Exists(user) && w.Exists(other) {
		c = &Chat{Kind: KindPrivate, Members: []*Member{{User: user}, {User: other}}}
	}
	if c == nil || c.Member(user) == nil {
		return nil
	}
	return c
}
