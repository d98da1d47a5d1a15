package imbottest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
)

// The kinds of chats, as CHAT_TYPE names them.
const (
	kindPrivate = "P"
	kindChat    = "C"
	kindOpen    = "O"
)

// chat is a group chat or a private dialog. Private dialogs have a chat id, too.
type chat struct {
	id           imbot.ID
	kind         string
	title        string
	description  string
	color        imbot.Color
	avatar       string // address of the picture
	entityType   string
	entityID     string
	entityData   [3]string
	operators    []imbot.ID // of an open line
	welcomeBot   imbot.ID   // of an open line: who answers first
	over         bool       // of an open line: the conversation, so the guest begins another one
	restricted   []string   // what Restrict forbids
	general      bool
	textFieldOff bool // people cannot write
	owner        imbot.ID
	created      time.Time
	members      []*member // in the order in which they joined
	messages     []*message
	typing       map[imbot.ID]*time.Timer // who is shown as writing; the timer ends that
	picture      []byte
	answers      map[imbot.ID]time.Time // until when a bot may answer commands
	readBy       map[imbot.ID]imbot.ID  // the last message that a bot has marked as read
}

// member is somebody in a chat.
type member struct {
	user    imbot.ID
	manager bool
	since   imbot.ID // sees only messages with higher ids
}

// pair are the two users of a private dialog, the smaller id first.
type pair [2]imbot.ID

func pairOf(a, b imbot.ID) pair { return pair{min(a, b), max(a, b)} }

func (c *chat) member(user imbot.ID) *member {
	for _, m := range c.members {
		if m.user == user {
			return m
		}
	}
	return nil
}

// other is the other user of a private dialog, 0 when there is none.
func (c *chat) other(user imbot.ID) imbot.ID {
	for _, m := range c.members {
		if m.user != user {
			return m.user
		}
	}
	return 0
}

func (c *chat) lastMessageID() imbot.ID {
	if n := len(c.messages); n > 0 {
		return c.messages[n-1].ID
	}
	return 0
}

// typeName is the kind of a chat as [Dialog] names it.
func (c *chat) typeName() string {
	switch c.kind {
	case kindOpen:
		return "open"
	case kindLines:
		return "lines"
	case kindPrivate:
		return "private"
	}
	return "chat"
}

// entity returns the tags of a chat as keys and values of an event. The type is left
// out when there is none, because the portal sends no key for null.
func (c *chat) entity() (pairs []string) {
	if c.entityType != "" {
		pairs = append(pairs, "CHAT_ENTITY_TYPE", c.entityType)
	}
	return append(pairs, "CHAT_ENTITY_ID", c.entityID, "CHAT_ENTITY_DATA_1", c.entityData[0],
		"CHAT_ENTITY_DATA_2", c.entityData[1], "CHAT_ENTITY_DATA_3", c.entityData[2])
}

// find returns the chat that a user means by a dialog id, nil when there is none.
func (p *world) find(user imbot.ID, dialog imbot.DialogID) *chat {
	if other, ok := dialog.UserID(); ok {
		return p.private[pairOf(user, other)]
	}
	id, _ := dialog.ChatID()
	return p.chats[id]
}

// group is a group chat, nil when there is none with this id.
func (p *world) group(id imbot.ID) *chat {
	if chat := p.chats[id]; chat != nil && chat.kind != kindPrivate {
		return chat
	}
	return nil
}

// dialogOf is the dialog id by which a member names a chat.
func (p *world) dialogOf(chat *chat, user imbot.ID) imbot.DialogID {
	if chat.kind == kindPrivate {
		for _, m := range chat.members {
			if m.user != user {
				return imbot.UserDialog(m.user)
			}
		}
	}
	return imbot.ChatDialog(chat.id)
}

// addChat makes a group chat with its owner as only member; the lock is held.
func (p *world) addChat(kind, title string, owner imbot.ID) *chat {
	p.lastChat++
	colors := imbot.Colors()
	color := colors[int(p.lastChat)%len(colors)]
	if title == "" {
		title = fmt.Sprintf("%.1s%s Chat #%d", color, strings.ToLower(strings.ReplaceAll(string(color)[1:], "_", " ")), p.lastChat)
	}
	chat := &chat{id: p.lastChat, kind: kind, title: title, color: color, owner: owner, created: time.Now()}
	chat.members = []*member{{user: owner}}
	p.chats[chat.id] = chat
	p.noteDialog(chat)
	return chat
}

// newPrivate makes the private dialog of two users; the lock is held.
func (p *world) newPrivate(a, b imbot.ID) *chat {
	p.lastChat++
	chat := &chat{id: p.lastChat, kind: kindPrivate, created: time.Now()}
	chat.members = []*member{{user: a}, {user: b}}
	p.chats[chat.id] = chat
	p.private[pairOf(a, b)] = chat
	p.noteDialog(chat)
	return chat
}

// openPrivate returns the private dialog of two users and makes it when there is none.
// Of a new one the bot gets ONIMBOTJOINCHAT or ONIMBOTV2JOINCHAT.
func (p *world) openPrivate(by, other imbot.ID) (*chat, *restError) {
	if by == other || !p.exists(by) || !p.exists(other) {
		return nil, badRequest("ERROR_NO_ACCESS", "You can't send messages to this user")
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

// join adds users to a group chat. Bots among them get an event. The lock is
// held.
func (p *world) join(chat *chat, by imbot.ID, history bool, users ...imbot.ID) {
	defer p.noteDialog(chat)
	for _, id := range p.onlyExisting(users) {
		if chat.member(id) != nil {
			continue
		}
		m := &member{user: id}
		if !history {
			m.since = chat.lastMessageID()
		}
		chat.members = append(chat.members, m)
		if b := p.bots[id]; b != nil {
			p.fireJoinGroup(chat, b, by, history)
		}
	}
}

// leave takes a user out of a group chat; the lock is held.
func (p *world) leave(c *chat, user imbot.ID) {
	if c.member(user) == nil {
		return
	}
	c.stopTyping(p, user)
	c.removeMember(user)
	p.note(change{kind: changedLeft, chat: c.id, user: user})
}

func (c *chat) removeMember(user imbot.ID) {
	c.members = slices.DeleteFunc(c.members, func(m *member) bool { return m.user == user })
	if c.owner != user {
		return
	}
	c.owner = 0
	for _, m := range c.members { // the first manager becomes owner, without one the first member
		if c.owner == 0 || m.manager && !c.member(c.owner).manager {
			c.owner = m.user
		}
	}
}

// checkRemove refuses the removal of a member. Everybody may remove himself, the owner
// everybody, and managers everybody but the owner.
func (c *chat) checkRemove(by, user imbot.ID) *restError {
	m := c.member(by)
	switch {
	case by == user, c.owner == by:
		return nil
	case m == nil, !m.manager, c.owner == user:
		return badRequest("ACCESS_DENIED_KICK", "You don't have permission to remove this user")
	}
	return nil
}
