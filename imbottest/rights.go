package imbottest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imbot-go/imbot"
)

// WithScope gives the webhooks and applications of the portal these scopes, such as
// "im", and no others. The portal refuses methods of other scopes with
// insufficient_scope. Without this option they have imbot and imopenlines.
func WithScope(scopes ...string) Option {
	return func(p *Portal) { p.granted = append([]string{}, scopes...) }
}

// The restrictions of group chats, as imbot.dialog.get names them.
var restrictions = []string{"avatar", "rename", "extend", "call", "mute", "leave", "leave_owner", "send", "user_list"}

// Restrict forbids things in a group chat, to everybody, as real portals do in some kinds
// of chats. The names are those of imbot.dialog.get: avatar, rename, extend (adding
// members), leave (leaving and removing members), leave_owner, send, and call, mute,
// user_list, which have no effect here. They replace those of an earlier Restrict.
func (p *Portal) Restrict(chat imbot.ID, names ...string) error {
	p.Lock()
	defer p.Unlock()
	c := p.group(chat)
	if c == nil {
		return fmt.Errorf("imbottest: there is no chat%d", chat)
	}
	for _, name := range names {
		if !slices.Contains(restrictions, name) {
			return fmt.Errorf("imbottest: chats have no restriction %q", name)
		}
	}
	c.restricted = slices.Clone(names)
	p.notify()
	return nil
}

// MakeGeneral makes a group chat the general chat of the portal, in place of an earlier
// one. Bots can neither see nor change the members of the general chat.
func (p *Portal) MakeGeneral(chat imbot.ID) error {
	p.Lock()
	defer p.Unlock()
	if p.group(chat) == nil {
		return fmt.Errorf("imbottest: there is no chat%d", chat)
	}
	for id, c := range p.chats {
		c.general = id == chat
	}
	p.notify()
	return nil
}

// forbids reports whether Restrict has forbidden something in a chat. The chat may be
// nil.
func (c *chat) forbids(name string) bool { return c != nil && slices.Contains(c.restricted, name) }

// isGeneral reports whether a chat is the general one.
func (c *chat) isGeneral() bool { return c != nil && c.general }

// checkClosed refuses the general chat, and a chat with this restriction; "" stands for
// no restriction.
func (c *chat) checkClosed(restriction string) *restError {
	switch {
	case c.isGeneral():
		return forbidden("ACCESS_ERROR", "Action unavailable in general chat")
	case c.forbids(restriction):
		return forbidden("ACCESS_ERROR", "This action is unavailable for this chat")
	}
	return nil
}

// checkPost refuses the general chat to a user who may not write there.
func (c *chat) checkPost(user imbot.ID) *restError {
	if c.isGeneral() && (c.forbids("send") || c.member(user) == nil) {
		return forbidden("ACCESS_ERROR", "You don't have access to the general chat")
	}
	return nil
}

// checkClosedToBot refuses the general chat to a bot that may not write there, and any
// other chat with this restriction.
func (c *chat) checkClosedToBot(b *bot, restriction string) *restError {
	if fail := c.checkPost(b.id); fail != nil {
		return fail
	}
	if c.isGeneral() {
		return nil
	}
	return c.checkClosed(restriction)
}

// MakeExtranet makes people or bots extranet users: users from outside the company.
func (p *Portal) MakeExtranet(users ...imbot.ID) error {
	return p.eachUser(users, func(u *user) { u.extranet = true })
}

// Deny takes from people the right to change group chats. A call for a bot fails, too,
// when such a person owns the webhook or token with which it is made.
func (p *Portal) Deny(users ...imbot.ID) error {
	return p.eachUser(users, func(u *user) { u.denied = true })
}

// Dismiss lets people leave the company: from then on the portal answers calls with their
// webhooks, tokens and sessions with authorization_error.
func (p *Portal) Dismiss(users ...imbot.ID) error {
	return p.eachUser(users, func(u *user) { u.dismissed = true })
}

func (p *Portal) eachUser(ids []imbot.ID, do func(*user)) error {
	p.Lock()
	defer p.Unlock()
	for _, id := range ids {
		if p.users[id] == nil {
			return fmt.Errorf("imbottest: there is no user %d", id)
		}
	}
	for _, id := range ids {
		do(p.users[id])
	}
	p.notify()
	return nil
}

// isExtranet reports whether a user is an extranet user.
func (p *world) isExtranet(id imbot.ID) bool {
	u := p.users[id]
	return u != nil && u.extranet
}

// hasExtranet reports whether a member of a chat is an extranet user.
func (p *world) hasExtranet(c *chat) bool {
	return slices.ContainsFunc(c.members, func(m *member) bool { return p.isExtranet(m.user) })
}

// Veto lets these methods fail with WRONG_REQUEST after all other checks, as on a real
// portal when another module refuses what they do. That can happen to imbot.unregister,
// imbot.chat.add, imbot.app.register, imbot.app.update, imbot.app.unregister,
// imbot.command.register and imbot.command.unregister. imbot.v2.Bot.register,
// imbot.v2.Bot.unregister, imbot.v2.Chat.Message.send and imbot.v2.Command.register have
// codes of their own for it, such as SENDING_FAILED. The methods replace those of an earlier
// Veto.
func (p *Portal) Veto(methods ...string) error {
	vetoed := map[string]bool{}
	for _, name := range methods {
		name = strings.ToLower(name)
		switch name {
		case "imbot.unregister", "imbot.chat.add", "imbot.app.register", "imbot.app.update", "imbot.app.unregister",
			"imbot.command.register", "imbot.command.unregister", "imbot.v2.bot.register", "imbot.v2.bot.unregister",
			"imbot.v2.chat.message.send", "imbot.v2.command.register":
			vetoed[name] = true
		default:
			return fmt.Errorf("imbottest: no module has a say in %.80q", name)
		}
	}
	p.Lock()
	defer p.Unlock()
	p.vetoed = vetoed
	return nil
}

// vetoed is the error of a method to which [Portal.Veto] was applied, else nil.
func (c *call) vetoed(description string) *restError {
	if c.p.vetoed[c.method] {
		return badRequest("WRONG_REQUEST", description)
	}
	return nil
}
