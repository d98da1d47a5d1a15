package imbottest

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// Webhook returns the credentials of the portal's incoming webhook with a client
// id, for which imbotv2 has the name bot token. Each stands for an application with its own
// bots and handlers.
func (p *Portal) Webhook(clientID string) imbot.Webhook {
	p.w.Lock()
	defer p.w.Unlock()
	return imbot.Webhook{URL: p.endpoint() + admin.String() + "/" + p.secret + "/", ClientID: clientID}
}

// WebhookOf is [Portal.Webhook] for the webhook of another person, who then makes the
// calls. The same client id means the same application as with [Portal.Webhook].
func (p *Portal) WebhookOf(user imbot.ID, clientID string) (imbot.Webhook, error) {
	p.w.Lock()
	defer p.w.Unlock()
	if err := p.w.CheckPerson(user); err != nil {
		return imbot.Webhook{}, err
	}
	if p.webhooks == nil {
		p.webhooks = map[imbot.ID]bool{}
	}
	p.webhooks[user] = true
	return imbot.Webhook{URL: fmt.Sprintf("%s%d/%s/", p.endpoint(), user, p.secret), ClientID: clientID}, nil
}

// hookOwner is the user that the path of a webhook names, 0 when that user has no
// webhook; the lock is held.
func (p *Portal) hookOwner(user string) imbot.ID {
	id := php.ToID(user)
	if user == id.String() && (id == admin || p.webhooks[id]) {
		return id
	}
	return 0
}

// Session logs a person in as a browser does. A call to the endpoint of [Portal.OAuth]
// that has the returned text as its parameter sessid is authorized by that session.
// Many methods refuse that with WRONG_AUTH_TYPE. User 0 is a guest who is not logged
// in.
func (p *Portal) Session(user imbot.ID) (sessid string, err error) {
	p.w.Lock()
	defer p.w.Unlock()
	if user != 0 {
		if err := p.w.CheckPerson(user); err != nil {
			return "", err
		}
	}
	sessid = world.RandomHex(16)
	if p.sessions == nil {
		p.sessions = map[string]imbot.ID{}
	}
	p.sessions[sessid] = user
	return sessid, nil
}

// authenticate finds out who calls: by the path of a webhook, else by a session, else by
// a token. The lock is held.
func (p *Portal) authenticate(c *call, r *http.Request, user, secret string, secure bool) *world.Refusal {
	unauthorized := func(code, description string) *world.Refusal {
		return world.NewRefusal(http.StatusUnauthorized, code, description)
	}
	token := c.token(r)
	sessid := c.Params.Text("SESSID")
	c.start = c.Params.Get("START")
	for _, name := range []string{"AUTH", "ACCESS_TOKEN", "START", "STATE", "SESSID"} { // the REST layer does not pass them on to methods
		c.Params.Remove(name)
	}
	switch {
	case secret != "" || user != "":
		if !secure {
			return unauthorized("INVALID_REQUEST", "Https required.")
		}
		c.User = p.hookOwner(user)
		if c.User == 0 || subtle.ConstantTimeCompare([]byte(secret), []byte(p.secret)) != 1 {
			fail := world.NewRefusal(http.StatusUnauthorized, "INVALID_CREDENTIALS", "Invalid request credentials")
			if p.w.Differs(world.DoubtStatusAuth) {
				return fail.WithStatus(http.StatusForbidden)
			}
			return fail
		}
		return nil
	case sessid != "":
		owner, known := p.sessions[sessid]
		if !known {
			return unauthorized("session_failed", "Sessid check failed")
		}
		c.User, c.session = owner, true
		return nil
	}
	g, fail := p.checkToken(token, "APPLICATION_NOT_FOUND")
	if fail == nil {
		c.User, c.App, c.grant = g.user, g.app, g
	}
	return fail
}

// token is the access token of a call, of the header or else of the parameters (livecheck: bearer).
func (c *call) token(r *http.Request) string {
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return bearer
	}
	if token := c.Params.Text("AUTH"); token != "" {
		return token
	}
	return c.Params.Text("ACCESS_TOKEN")
}
