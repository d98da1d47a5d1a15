package imbottest

import (
	"net/http"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/world"
	"golang.org/x/oauth2"
)

// grant is a pair of tokens.
type grant struct {
	access, refresh string
	app             *world.Application
	user            imbot.ID
	expires         time.Time // of the access token
	events          bool      // events carry it, until it expires
	used            bool      // the refresh token was exchanged and works no more
	uninstalled     bool      // the application was uninstalled, so no token works
}

// How long tokens live.
const (
	tokenLife   = time.Hour
	refreshLife = 180 * 24 * time.Hour
)

// OAuth returns the credentials of an OAuth application, and installs it when it is not.
// Its calls are the administrator's. The token source hands out a new token when the last
// one has less than a minute to live. The application's events carry
// [Portal.ApplicationToken].
func (p *Portal) OAuth(clientID string) imbot.OAuth {
	p.w.Lock()
	defer p.w.Unlock()
	app := p.w.Application(clientID, clientID, true)
	app.Installed, app.Finished = true, true
	return imbot.OAuth{Endpoint: p.endpoint(), Tokens: tokenSource{p, app}}
}

// ApplicationToken returns the application_token in the events of an OAuth
// application, by which they are verified. For a webhook it is the client id.
func (p *Portal) ApplicationToken(clientID string) string {
	p.w.Lock()
	defer p.w.Unlock()
	if app := p.w.Apps[clientID]; app != nil && app.OAuth {
		return app.Token
	}
	return clientID
}

type tokenSource struct {
	portal *Portal
	app    *world.Application
}

// Token implements [oauth2.TokenSource].
func (s tokenSource) Token() (*oauth2.Token, error) {
	s.portal.w.Lock()
	defer s.portal.w.Unlock()
	g := s.portal.grantFor(s.app, admin)
	return &oauth2.Token{AccessToken: g.access, TokenType: "Bearer", RefreshToken: g.refresh, Expiry: g.expires}, nil
}

// String keeps the tokens out of what prints the source.
func (s tokenSource) String() string { return "imbottest.tokenSource" }

// GoString is String, for %#v.
func (s tokenSource) GoString() string { return s.String() }

// grantFor returns a user's tokens of an application, new ones when the last have less
// than a minute to live; the lock is held.
func (p *Portal) grantFor(app *world.Application, user imbot.ID) *grant {
	now := time.Now()
	for access, g := range p.tokens {
		switch {
		case g.events && !g.uninstalled && !g.used && g.app == app && g.user == user && g.expires.Sub(now) > time.Minute:
			return g
		case now.Sub(g.expires) > refreshLife:
			delete(p.tokens, access)
		}
	}
	g := p.newGrant(app, user)
	g.events = true
	return g
}

// newGrant makes a pair of tokens; the lock is held.
func (p *Portal) newGrant(app *world.Application, user imbot.ID) *grant {
	g := &grant{access: world.RandomHex(32), refresh: world.RandomHex(32), app: app, user: user, expires: time.Now().Add(tokenLife)}
	p.tokens[g.access] = g
	return g
}

// checkToken finds the grant of an access token, or the error with which the portal
// refuses it. gone is the code for an application that was uninstalled. The lock is held.
func (p *Portal) checkToken(token, gone string) (*grant, *world.Refusal) {
	unauthorized := func(code, description string) (*grant, *world.Refusal) {
		return nil, world.NewRefusal(http.StatusUnauthorized, code, description)
	}
	g := p.tokens[token]
	switch {
	case token == "":
		return unauthorized("NO_AUTH_FOUND", "Wrong authorization data")
	case g == nil:
		return unauthorized("invalid_token", "Unable to get application by token")
	case g.uninstalled:
		return unauthorized(gone, "Application not installed")
	case !g.expires.After(time.Now()):
		return nil, errExpired
	}
	return g, nil
}

var errExpired = world.NewRefusal(http.StatusUnauthorized, "expired_token", "The access token provided has expired.")
