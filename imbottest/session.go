package imbottest

import (
	"fmt"

	"github.com/imbot-go/imbot"
)

// Session logs a person in as a browser does. A call of the endpoint of
// [Portal.OAuth] with the returned text as its parameter sessid is one with the
// authorization of that session, which many methods refuse with WRONG_AUTH_TYPE.
// 0 is a guest, whom nobody knows.
func (p *Portal) Session(user imbot.ID) (sessid string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if user != 0 {
		if err := p.person(user); err != nil {
			return "", err
		}
	}
	sessid = randomHex(16)
	if p.states.sessions == nil {
		p.states.sessions = map[string]imbot.ID{}
	}
	p.states.sessions[sessid] = user
	return sessid, nil
}

// WebhookOf is [Portal.Webhook] for the webhook of another person, who is then
// behind the calls. The applications are the same ones.
func (p *Portal) WebhookOf(user imbot.ID, clientID string) (imbot.Webhook, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.person(user); err != nil {
		return imbot.Webhook{}, err
	}
	if p.states.hooks == nil {
		p.states.hooks = map[imbot.ID]bool{}
	}
	p.states.hooks[user] = true
	return imbot.Webhook{URL: fmt.Sprintf("%s%d/%s/", p.endpoint(), user, p.secret), ClientID: clientID}, nil
}

// hookOwner is who a webhook's path names, 0 when that user has none; the lock is
// held.
func (p *Portal) hookOwner(user string) imbot.ID {
	id := toID(user)
	if user == id.String() && (id == admin || p.states.hooks[id]) {
		return id
	}
	return 0
}
