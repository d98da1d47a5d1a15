package imbottest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// WithScope gives the webhooks and applications of the portal these scopes, such as
// "im", and no others. The portal refuses methods of other scopes with
// insufficient_scope. Without this option they have im, imbot and imopenlines.
func WithScope(scopes ...string) Option {
	return func(p *Portal) { p.w.Granted = append([]string{}, scopes...) }
}

// Restrict forbids things in a group chat, to everybody, as real portals do in some kinds
// of chats. The names are those of imbot.dialog.get: avatar, rename, extend (adding
// members), leave (leaving and removing members), leave_owner, send, and call, mute,
// user_list, which have no effect here. They replace those of an earlier Restrict.
func (p *Portal) Restrict(chat imbot.ID, names ...string) error {
	p.w.Lock()
	defer p.w.Unlock()
	c := p.w.Group(chat)
	if c == nil {
		return fmt.Errorf("imbottest: there is no chat%d", chat)
	}
	for _, name := range names {
		if !slices.Contains(world.Restrictions, name) {
			return fmt.Errorf("imbottest: chats have no restriction %q", name)
		}
	}
	c.Restricted = slices.Clone(names)
	p.w.Notify()
	return nil
}

// MakeGeneral makes a group chat the general chat of the portal, in place of an earlier
// one. Bots can neither see nor change the members of the general chat.
func (p *Portal) MakeGeneral(chat imbot.ID) error {
	p.w.Lock()
	defer p.w.Unlock()
	if p.w.Group(chat) == nil {
		return fmt.Errorf("imbottest: there is no chat%d", chat)
	}
	for id, c := range p.w.Chats {
		c.General = id == chat
	}
	p.w.Notify()
	return nil
}

// MakeExtranet makes people or bots extranet users: users from outside the company.
func (p *Portal) MakeExtranet(users ...imbot.ID) error {
	return p.eachUser(users, func(u *world.User) { u.Extranet = true })
}

// Deny takes from people the right to change group chats. A call for a bot fails, too,
// when such a person owns the webhook or token with which it is made.
func (p *Portal) Deny(users ...imbot.ID) error {
	return p.eachUser(users, func(u *world.User) { u.Denied = true })
}

// Dismiss lets people leave the company: from then on the portal answers calls with their
// webhooks, tokens and sessions with authorization_error.
func (p *Portal) Dismiss(users ...imbot.ID) error {
	return p.eachUser(users, func(u *world.User) { u.Dismissed = true })
}

func (p *Portal) eachUser(ids []imbot.ID, do func(*world.User)) error {
	p.w.Lock()
	defer p.w.Unlock()
	for _, id := range ids {
		if p.w.Users[id] == nil {
			return fmt.Errorf("imbottest: there is no user %d", id)
		}
	}
	for _, id := range ids {
		do(p.w.Users[id])
	}
	p.w.Notify()
	return nil
}

// Veto lets these methods fail with WRONG_REQUEST after all other checks, as on a real
// portal when another module refuses what they do. That can happen to imbot.unregister,
// imbot.chat.add, imbot.app.register, imbot.app.update, imbot.app.unregister,
// imbot.command.register and imbot.command.unregister. imbot.v2.Bot.register,
// imbot.v2.Bot.unregister, imbot.v2.Chat.add, imbot.v2.Chat.Message.send,
// imbot.v2.Command.register, imbot.v2.File.upload and im.v2.File.upload have codes of their own
// for it, such as SENDING_FAILED. Without Chat.Message.send an upload stores its file and fails
// with FILE_SEND_FAILED. The methods replace those of an earlier Veto.
func (p *Portal) Veto(methods ...string) error {
	vetoed := map[string]bool{}
	for _, name := range methods {
		name = strings.ToLower(name)
		switch name {
		case "imbot.unregister", "imbot.chat.add", "imbot.app.register", "imbot.app.update", "imbot.app.unregister",
			"imbot.command.register", "imbot.command.unregister", "imbot.v2.bot.register", "imbot.v2.bot.unregister",
			"imbot.v2.chat.add", "imbot.v2.chat.message.send", "imbot.v2.command.register", "imbot.v2.file.upload", "im.v2.file.upload":
			vetoed[name] = true
		default:
			return fmt.Errorf("imbottest: no module has a say in %.80q", name)
		}
	}
	p.w.Lock()
	defer p.w.Unlock()
	p.w.Vetoed = vetoed
	return nil
}
