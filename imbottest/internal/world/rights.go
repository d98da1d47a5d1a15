package world

import (
	"slices"

	"github.com/imbot-go/imbot"
)

// Restrictions are those of group chats, as imbot.dialog.get names them.
var Restrictions = []string{"avatar", "rename", "extend", "call", "mute", "leave", "leave_owner", "send", "user_list"}

// Forbids reports whether Restrict has forbidden something in a chat. The chat may be
// nil.
func (c *Chat) Forbids(name string) bool { return c != nil && slices.Contains(c.Restricted, name) }

// isGeneral reports whether a chat is the general one.
func (c *Chat) isGeneral() bool { return c != nil && c.General }

// CheckClosed refuses the general chat, and a chat with this restriction; "" stands for
// no restriction.
func (c *Chat) CheckClosed(restriction string) *Refusal {
	switch {
	case c.isGeneral():
		return Forbidden("ACCESS_ERROR", "Action unavailable in general chat")
	case c.Forbids(restriction):
		return Forbidden("ACCESS_ERROR", "This action is unavailable for this chat")
	}
	return nil
}

// CheckPost refuses the general chat to a user who may not write there.
func (c *Chat) CheckPost(user imbot.ID) *Refusal {
	if c.isGeneral() && (c.Forbids("send") || c.Member(user) == nil) {
		return Forbidden("ACCESS_ERROR", "You don't have access to the general chat")
	}
	return nil
}

// CheckClosedToBot refuses the general chat to a bot that may not write there, and any
// other chat with this restriction.
func (c *Chat) CheckClosedToBot(b *Bot, restriction string) *Refusal {
	if fail := c.CheckPost(b.ID); fail != nil {
		return fail
	}
	if c.isGeneral() {
		return nil
	}
	return c.CheckClosed(restriction)
}

// IsExtranet reports whether a user is an extranet user.
func (w *World) IsExtranet(id imbot.ID) bool {
	u := w.Users[id]
	return u != nil && u.Extranet
}

// HasExtranet reports whether a member of a chat is an extranet user.
func (w *World) HasExtranet(c *Chat) bool {
	return slices.ContainsFunc(c.Members, func(m *Member) bool { return w.IsExtranet(m.User) })
}
