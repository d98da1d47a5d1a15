package imbottest

import (
	"crypto/subtle"
	"net/http"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
	"golang.org/x/oauth2"
)

// application is who owns bots: a CLIENT_ID used with the webhook, or an OAuth
// application.
type application struct {
	id       string // what the portal stores: "custom" + CLIENT_ID, or the OAuth client id
	clientID string
	oauth    bool
	token    string // application_token of events
	handlers map[string]binding

	// Of OAuth applications:
	secret    string // "" as long as nobody has told it
	installed bool
	finished  bool // before that the portal sends no events
	version   int
}

// binding is the one handler that an application has for an event.
type binding struct {
	id   imbot.ID
	url  string // as registered
	full string // with CLIENT_ID behind it
}

// grant is a pair of tokens.
type grant struct {
	access, refresh string
	app             *application
	user            imbot.ID
	expires         time.Time // of the access token
	events          bool      // the pair that events carry
	used            bool      // the refresh token was, so it is dead
	gone            bool      // with the application
}

// How long tokens live.
const (
	tokenLife   = time.Hour
	refreshLife = 180 * 24 * time.Hour
)

// Webhook returns the credentials of the portal's incoming webhook with a client
// id. Each client id is an application of its own with its own bots and
// handlers; the same one is the same application.
func (p *Portal) Webhook(clientID string) imbot.Webhook {
	p.mu.Lock()
	defer p.mu.Unlock()
	return imbot.Webhook{URL: p.endpoint() + admin.String() + "/" + p.secret + "/", ClientID: clientID}
}

// OAuth returns the credentials of an installed OAuth application, acting for
// the administrator. The source hands out a new token when the last one has
// less than a minute to live. Its events carry [Portal.ApplicationToken].
func (p *Portal) OAuth(clientID string) imbot.OAuth {
	p.mu.Lock()
	defer p.mu.Unlock()
	app := p.application(clientID, clientID, true)
	app.installed, app.finished = true, true
	return imbot.OAuth{Endpoint: p.endpoint(), Tokens: tokenSource{p, app}}
}

// ApplicationToken returns the application_token in the events of an OAuth
// application, by which they are verified. For a webhook it is the client id.
func (p *Portal) ApplicationToken(clientID string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if app := p.apps[clientID]; app != nil && app.oauth {
		return app.token
	}
	return clientID
}

type tokenSource struct {
	portal *Portal
	app    *application
}

// Token implements [oauth2.TokenSource].
func (s tokenSource) Token() (*oauth2.Token, error) {
	s.portal.mu.Lock()
	defer s.portal.mu.Unlock()
	g := s.portal.grant(s.app, admin)
	return &oauth2.Token{AccessToken: g.access, TokenType: "Bearer", RefreshToken: g.refresh, Expiry: g.expires}, nil
}

// String hides the token, whatever prints the source.
func (s tokenSource) String() string { return "imbottest.tokenSource" }

// GoString is String.
func (s tokenSource) GoString() string { return s.String() }

// application finds or makes an application; the lock is held.
func (p *Portal) application(id, clientID string, oauth bool) *application {
	app := p.apps[id]
	if app == nil {
		app = &application{id: id, clientID: clientID, oauth: oauth, token: clientID, handlers: map[string]binding{}}
		if oauth {
			app.token = randomHex(16)
		}
		p.apps[id] = app
	}
	return app
}

// grant returns a user's token of an application, a new one when the last has
// less than a minute to live; the lock is held.
func (p *Portal) grant(app *application, user imbot.ID) *grant {
	now := time.Now()
	for access, g := range p.tokens {
		switch {
		case g.events && !g.gone && !g.used && g.app == app && g.user == user && g.expires.Sub(now) > time.Minute:
			return g
		case now.Sub(g.expires) > refreshLife:
			delete(p.tokens, access)
		}
	}
	g := p.issue(app, user)
	g.events = true
	return g
}

// issue makes a pair of tokens; the lock is held.
func (p *Portal) issue(app *application, user imbot.ID) *grant {
	g := &grant{access: randomHex(32), refresh: randomHex(32), app: app, user: user, expires: time.Now().Add(tokenLife)}
	p.tokens[g.access] = g
	return g
}

// check reports why an access token is not accepted, nil when it is; the lock is
// held. gone is the code for an application that was uninstalled.
func (p *Portal) check(token, gone string) (*grant, *restError) {
	unauthorized := func(code, description string) (*grant, *restError) {
		return nil, &restError{http.StatusUnauthorized, code, description}
	}
	g := p.tokens[token]
	switch {
	case token == "":
		return unauthorized("NO_AUTH_FOUND", "Wrong authorization data")
	case g == nil:
		return unauthorized("invalid_token", "Unable to get application by token")
	case g.gone:
		return unauthorized(gone, "Application not installed")
	case !g.expires.After(time.Now()):
		return nil, errExpired
	}
	return g, nil
}

var errExpired = &restError{http.StatusUnauthorized, "expired_token", "The access token provided has expired."}

// authenticate finds out who calls, in the portal's order: the path, the
// header, the parameters; the lock is held.
func (p *Portal) authenticate(c *call, r *http.Request, user, secret string, secure bool) *restError {
	unauthorized := func(code, description string) *restError {
		return &restError{http.StatusUnauthorized, code, description}
	}
	token := c.token(r)
	sessid := c.params.text("SESSID")
	for _, name := range []string{"AUTH", "ACCESS_TOKEN", "START", "STATE", "SESSID"} { // the REST layer keeps them
		c.params.remove(name)
	}
	switch {
	case secret != "" || user != "":
		if !secure {
			return unauthorized("INVALID_REQUEST", "Https required.")
		}
		c.user = p.hookOwner(user)
		if c.user == 0 || subtle.ConstantTimeCompare([]byte(secret), []byte(p.secret)) != 1 {
			return unauthorized("INVALID_CREDENTIALS", "Invalid request credentials")
		}
		return nil
	case sessid != "":
		owner, known := p.states.sessions[sessid]
		if !known {
			return unauthorized("session_failed", "Sessid check failed")
		}
		c.user, c.session = owner, true
		return nil
	}
	g, fail := p.check(token, "APPLICATION_NOT_FOUND")
	if fail == nil {
		c.user, c.app, c.grant = g.user, g.app, g
	}
	return fail
}

// token is the access token of a call; the header wins over parameters.
func (c *call) token(r *http.Request) string {
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return bearer
	}
	if token := c.params.text("AUTH"); token != "" {
		return token
	}
	return c.params.text("ACCESS_TOKEN")
}
