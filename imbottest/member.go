package imbottest

import (
	"net/http"

	"github.com/imbot-go/imbot"
)

// memberMethods are the methods about the members of a chat.
func memberMethods(name string) method {
	switch name {
	case "imbot.chat.user.add":
		return chatUserAdd
	case "imbot.chat.user.delete":
		return chatUserDelete
	case "imbot.chat.user.list":
		return chatUserList
	case "imbot.chat.leave":
		return chatLeave
	}
	return nil
}

func chatUserAdd(c *call) (any, *restError) {
	id, fail := c.chatID()
	if fail != nil {
		return nil, fail
	}
	if fail := c.p.group(id).closedTo("extend"); fail != nil {
		return nil, fail
	}
	b, fail := c.bot()
	if fail != nil {
		return nil, fail
	}
	var users []imbot.ID
	sent := c.params.get("USERS")
	if c.p.isExtranet(b.id) { // only then JSON is read, and a list required
		if s, ok := sent.(string); ok {
			sent, _ = parseJSON([]byte(s))
		}
		if _, ok := sent.(*array); !ok {
			return nil, wrong("WRONG_REQUEST", "Users have to be a list")
		}
	}
	switch v := sent.(type) {
	case *array:
		for _, k := range v.keys {
			users = append(users, v.id(k))
		}
	default:
		users = append(users, toID(v))
	}
	users = c.p.existing(users)
	if len(users) == 0 {
		return nil, wrong("EMPTY_USER_ID", "User ID not specified")
	}
	chat := c.p.group(id)
	if chat == nil || c.denied() {
		return nil, wrong("ACCESS_DENIED_EXTEND", "You don't have permission to add users to this chat")
	}
	history := c.params.text("HIDE_HISTORY") == "" || c.params.text("HIDE_HISTORY") == "N"
	if chat.member(b.id) == nil { // the bot comes along
		chat.members = append(chat.members, &member{user: b.id})
		c.p.noteDialog(chat)
	}
	c.p.join(chat, b.id, history, users...)
	return true, nil
}

func chatUserDelete(c *call) (any, *restError) {
	id, fail := c.chatID()
	if fail != nil {
		return nil, fail
	}
	if fail := c.p.group(id).closedTo("leave"); fail != nil {
		return nil, fail
	}
	b, fail := c.bot()
	if fail != nil {
		return nil, fail
	}
	user := c.params.id("USER_ID")
	if user <= 0 {
		return nil, wrong("USER_ID_EMPTY", "User ID can't be empty")
	}
	return c.remove(id, b.id, user)
}

func chatLeave(c *call) (any, *restError) {
	id, fail := c.chatID()
	if fail != nil {
		return nil, fail
	}
	if fail := c.p.group(id).closedTo("leave"); fail != nil {
		return nil, fail
	}
	b, fail := c.bot()
	if fail != nil {
		return nil, fail
	}
	user := c.params.id("USER_ID") // undocumented: somebody else is removed
	if user <= 0 {
		user = b.id
	}
	return c.remove(id, b.id, user)
}

// remove is what user.delete and leave have in common.
func (c *call) remove(id, by, user imbot.ID) (any, *restError) {
	chat := c.p.group(id)
	switch {
	case chat != nil && chat.owner == user && chat.forbids("leave_owner"):
		return nil, &restError{http.StatusForbidden, "LEAVE_OWNER_FORBIDDEN", "The owner can't leave the chat"}
	case c.denied():
		return nil, wrong("ACCESS_DENIED_KICK", "You don't have permission to remove this user")
	case chat == nil || chat.member(user) == nil:
		return nil, wrong("USER_NOT_FOUND", "User isn't a member of the chat")
	}
	if fail := chat.mayRemove(by, user); fail != nil {
		return nil, fail
	}
	c.p.leave(chat, user)
	return true, nil
}

// mayRemove says who may remove whom: everybody himself, managers others, and
// nobody but himself the owner.
func (c *chat) mayRemove(by, user imbot.ID) *restError {
	m := c.member(by)
	switch {
	case by == user, c.owner == by:
		return nil
	case m == nil, !m.manager, c.owner == user:
		return wrong("ACCESS_DENIED_KICK", "You don't have permission to remove this user")
	}
	return nil
}

func chatUserList(c *call) (any, *restError) {
	id, fail := c.chatID()
	if fail != nil {
		return nil, fail
	}
	if fail := c.p.group(id).closedTo(""); fail != nil {
		return nil, fail
	}
	b, fail := c.bot()
	if fail != nil {
		return nil, fail
	}
	users := []imbot.ID{}
	if chat := c.p.group(id); chat != nil && chat.member(b.id) != nil {
		for _, m := range chat.members {
			users = append(users, m.user)
		}
	}
	return users, nil
}

// existing keeps the users that the portal has.
func (p *Portal) existing(users []imbot.ID) []imbot.ID {
	var found []imbot.ID
	for _, id := range users {
		if p.present(id) {
			found = append(found, id)
		}
	}
	return found
}

// present reports whether id is a person or a bot that was not deleted.
func (p *Portal) present(id imbot.ID) bool {
	u := p.users[id]
	return u != nil && (!u.isBot || p.bots[id] != nil)
}

// join adds users to a group chat; bots among them learn of it. The lock is held.
func (p *Portal) join(chat *chat, by imbot.ID, history bool, users ...imbot.ID) {
	defer p.noteDialog(chat)
	for _, id := range p.existing(users) {
		if chat.member(id) != nil {
			continue
		}
		m := &member{user: id}
		if !history {
			m.since = chat.last()
		}
		chat.members = append(chat.members, m)
		if b := p.bots[id]; b != nil {
			p.fireJoinGroup(chat, b, by, history)
		}
	}
}
