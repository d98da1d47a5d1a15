package imbottest

import "github.com/imbot-go/imbot"

// surroundings are what the world of a portal asks it for.
type surroundings struct{ p *Portal }

func (s surroundings) Changed(c change) {
	s.p.feed.add(feedEntry{kind: kinds[c.kind], chat: c.chat, message: c.message, user: c.user})
}

func (s surroundings) Deliver(event string, to binding, app *application, queue, body string) {
	s.p.enqueueDelivery(event, to, app, queue, body)
}

func (s surroundings) Queued(event string, data *array) func(reason string) {
	x := s.p.logQueued(event, data)
	return func(reason string) { s.p.endQueued(x, reason) }
}

func (s surroundings) Authorize(app *application, user imbot.ID) authorization {
	p := s.p
	a := authorization{domain: p.domain(), endpoint: p.endpoint(), authRoot: p.authRoot(), memberID: p.memberID}
	if app.oauth {
		g := p.grantFor(app, user)
		a.access, a.refresh, a.expires = g.access, g.refresh, g.expires
	}
	return a
}

func (s surroundings) Host() string { return s.p.host }
