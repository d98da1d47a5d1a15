package imbottest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imbot-go/imbot"
)

// rights is what makes calls fail that are right in themselves.
type rights struct {
	scopes   []string            // nil: all
	sessions map[string]imbot.ID // of browsers, by sessid
	hooks    map[imbot.ID]bool   // who has a webhook beside the administrator
	vetoed   map[string]bool     // methods in lower case
}

// WithScope gives the webhooks and applications of the portal these scopes, such
// as "im", instead of all that their methods need. A method of another scope is
// refused with insufficient_scope.
func WithScope(scopes ...string) Option {
	return func(p *Portal) { p.rights.scopes = append([]string{}, scopes...) }
}

// inScope reports whether a method may be called; its name is in lower case.
func (p *Portal) inScope(method string) bool {
	scope, _, _ := strings.Cut(method, ".")
	switch scope {
	case "imbot", "imopenlines":
		return p.rights.scopes == nil || slices.Contains(p.rights.scopes, scope)
	}
	return true // of the REST layer itself
}

// The restrictions of group chats, as imbot.dialog.get names them.
var restrictions = []string{"avatar", "rename", "extend", "call", "mute", "leave", "leave_owner", "send", "user_list"}

// Restrict forbids things in a group chat, for everybody, as the portal does in
// chats of some kinds. The names are those that imbot.dialog.get uses: avatar,
// rename, extend (adding members), leave (and removing them), leave_owner, send,
// and call, mute, user_list, which change nothing here. They replace earlier ones.
func (p *Portal) Restrict(chat imbot.ID, names ...string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
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

// MakeGeneral makes a group chat the general chat of the portal, whose members
// bots can neither see nor change, in place of an earlier one.
func (p *Portal) MakeGeneral(chat imbot.ID) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.group(chat) == nil {
		return fmt.Errorf("imbottest: there is no chat%d", chat)
	}
	for id, c := range p.chats {
		c.general = id == chat
	}
	p.notify()
	return nil
}

// forbids reports whether something is restricted in a chat, if there is one.
func (c *chat) forbids(name string) bool { return c != nil && slices.Contains(c.restricted, name) }

// isGeneral reports whether a chat is the general one.
func (c *chat) isGeneral() bool { return c != nil && c.general }

// checkClosed refuses the general chat, and one in which a thing is restricted; ""
// is no restriction.
func (c *chat) checkClosed(restriction string) *restError {
	switch {
	case c.isGeneral():
		return forbidden("ACCESS_ERROR", "Action unavailable in general chat")
	case c.forbids(restriction):
		return forbidden("ACCESS_ERROR", "This action is unavailable for this chat")
	}
	return nil
}

// checkPost refuses the general chat to who may not write there.
func (c *chat) checkPost(user imbot.ID) *restError {
	if c.isGeneral() && (c.forbids("send") || c.member(user) == nil) {
		return forbidden("ACCESS_ERROR", "You don't have access to the general chat")
	}
	return nil
}

// checkClosedToBot refuses the general chat to a bot that may not write there, and a
// chat in which a thing is restricted.
func (c *chat) checkClosedToBot(b *bot, restriction string) *restError {
	if fail := c.checkPost(b.id); fail != nil {
		return fail
	}
	if c.isGeneral() {
		return nil
	}
	return c.checkClosed(restriction)
}

// MakeExtranet makes people or bots users from outside the company, an extranet.
func (p *Portal) MakeExtranet(users ...imbot.ID) error {
	return p.eachUser(users, func(u *user) { u.extranet = true })
}

// Deny takes from people the right to change group chats. A bot loses it, too,
// where such a person is behind its webhook or token: portals look at both.
func (p *Portal) Deny(users ...imbot.ID) error {
	return p.eachUser(users, func(u *user) { u.denied = true })
}

// Dismiss lets people leave the company: what acts in their name is answered with
// authorization_error from then on.
func (p *Portal) Dismiss(users ...imbot.ID) error {
	return p.eachUser(users, func(u *user) { u.dismissed = true })
}

func (p *Portal) eachUser(ids []imbot.ID, do func(*user)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
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

// isExtranet reports whether a user is from outside the company.
func (p *Portal) isExtranet(id imbot.ID) bool {
	u := p.users[id]
	return u != nil && u.extranet
}

// hasExtranet reports whether somebody in a chat is.
func (p *Portal) hasExtranet(c *chat) bool {
	return slices.ContainsFunc(c.members, func(m *member) bool { return p.isExtranet(m.user) })
}

// Veto lets another module of the portal refuse what methods do, as such modules
// can: all checks are made first, and then the answer is WRONG_REQUEST. It can
// befall imbot.unregister, imbot.chat.add, imbot.app.register, imbot.app.update,
// imbot.app.unregister, imbot.command.register and imbot.command.unregister. The
// methods replace those of an earlier Veto.
func (p *Portal) Veto(methods ...string) error {
	vetoed := map[string]bool{}
	for _, name := range methods {
		name = strings.ToLower(name)
		switch name {
		case "imbot.unregister", "imbot.chat.add", "imbot.app.register", "imbot.app.update", "imbot.app.unregister",
			"imbot.command.register", "imbot.command.unregister":
			vetoed[name] = true
		default:
			return fmt.Errorf("imbottest: no module has a say in %.80q", name)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rights.vetoed = vetoed
	return nil
}

// vetoed is the error of a call that another module refuses.
func (c *call) vetoed(description string) *restError {
	if c.p.rights.vetoed[c.method] {
		return badRequest("WRONG_REQUEST", description)
	}
	return nil
}
