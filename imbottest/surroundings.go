package imbottest

import (
	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// surroundings are what the world of a portal asks it for.
type surroundings struct{ p *Portal }

func (s surroundings) Changed(c world.Change) {
	s.p.feed.add(feedEntry{kind: kinds[c.Kind], chat: c.Chat, message: c.Message, user: c.User})
}

func (s surroundings) Deliver(event string, to world.Binding, app *world.Application, queue, body string) {
	s.p.enqueueDelivery(event, to, app, queue, body)
}

func (s surroundings) Queued(event string, data *php.Array) func(reason string) {
	x := s.p.logQueued(event, data)
	return func(reason string) { s.p.endQueued(x, reason) }
}

func (s surroundings) Authorize(app *world.Application, user imbot.ID) world.Authorization {
	p := s.p
	a := world.Authorization{Domain: p.domain(), Endpoint: p.endpoint(), AuthRoot: p.authRoot(), MemberID: p.memberID}
	if app.OAuth {
		g := p.grantFor(app, user)
		a.Access, a.Refresh, a.Expires = g.access, g.refresh, g.expires
	}
	return a
}

func (s surroundings) Host() string { return s.p.host }
