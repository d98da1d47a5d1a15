package imbottest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/internal/phpform"
)

// Admin is the administrator: the user behind webhooks, and who installs
// applications.
const Admin = admin

// admin is the user behind webhooks and applications.
const admin imbot.ID = 1

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

// The events in the life of an application.
const (
	eventInstall   = "ONAPPINSTALL"
	eventUpdate    = "ONAPPUPDATE"
	eventUninstall = "ONAPPUNINSTALL"
)

// An Application is an OAuth application that can be installed on a portal, seen
// from the portal's side. Its developer's side is imbot.OAuthApp:
//
//	app := portal.Application("local.1", "secret")
//	mine := &imbot.OAuthApp{
//		ClientID: "local.1", ClientSecret: "secret", AuthServers: []string{portal.AuthServer()},
//		Options: []imbot.Option{imbot.WithHTTPClient(portal.HTTPClient())}, …
//	}
//	err := app.Install(ctx, "https://bot.example.com/events")
type Application struct {
	portal *Portal
	app    *application
}

// Application makes the client id and the secret of an application known to the
// portal and its authorization server. It is not installed by that, unless
// [Portal.OAuth] has been asked for its credentials.
func (p *Portal) Application(clientID, clientSecret string) *Application {
	p.mu.Lock()
	defer p.mu.Unlock()
	app := p.application(clientID, clientID, true)
	app.secret = clientSecret
	return &Application{p, app}
}

// String names the client id and nothing else.
func (a *Application) String() string { return "imbottest.Application(" + a.app.clientID + ")" }

// GoString is String, so that %#v prints no secret.
func (a *Application) GoString() string { return a.String() }

// Install installs the application as one without a page: the installation is
// finished at once, and the event ONAPPINSTALL is on its way to a handler. That
// URL gets the events ONAPPUPDATE and ONAPPUNINSTALL, too. [Portal.Serve] is for
// these events as well; Install does not wait for them. Installing it again sends
// the event again with a new pair of tokens.
func (a *Application) Install(ctx context.Context, handlerURL string) error {
	return a.locked(ctx, func(p *Portal) error {
		if err := a.bind(handlerURL); err != nil {
			return err
		}
		a.install()
		a.app.finished = true
		e := &event{}
		e.set()("event", eventInstall)
		e.set("data")("VERSION", a.version(), "ACTIVE", "Y", "INSTALLED", "Y", "LANGUAGE_ID", language)
		p.queueEvent(eventInstall, a.app, appQueue(a.app), a.encodeWithAuth(e, true))
		return nil
	})
}

// OpenPage opens the page of the application in a frame, as a user does: it posts
// that user's tokens and returns the body of the answer, and an error as well if
// its status is not 2xx. When [Admin] opens it for the first time, the application
// is installed. It stays unfinished until an answer to Admin mentions
// BX24.installFinish; until then the portal sends it no events.
func (a *Application) OpenPage(ctx context.Context, user imbot.ID, pageURL string) (body string, err error) {
	var r *http.Request
	var handler http.Handler
	err = a.locked(ctx, func(p *Portal) error {
		if err := p.checkPerson(user); err != nil {
			return err
		}
		if !a.app.installed {
			if user != admin {
				return errors.New("imbottest: the application is not installed, and only Admin can do that")
			}
			a.install()
		}
		r, err = a.pageRequest(ctx, user, pageURL)
		handler = p.handlers[pageURL]
		return err
	})
	if err != nil {
		return "", err
	}
	p := a.portal
	d := delivery{event: "the page", to: binding{url: pageURL, full: pageURL}}
	status := 0
	switch {
	case handler != nil:
		status, body, _ = p.callHandler(d, handler, r)
	case isLoopback(r.URL.Hostname()):
		status, body, _ = p.postToHandler(d, r)
	default:
		return "", fmt.Errorf("imbottest: nothing serves %s (see Portal.Serve)", publicURL(pageURL))
	}
	switch {
	case status == 0:
		return "", fmt.Errorf("imbottest: the page %s did not answer", publicURL(pageURL))
	case status < 200 || status > 299:
		return body, fmt.Errorf("imbottest: the page %s answered %d", publicURL(pageURL), status)
	}
	if user == admin && strings.Contains(body, "installFinish") {
		p.mu.Lock()
		a.app.finished = a.app.installed
		p.mu.Unlock()
	}
	return body, nil
}

// pageRequest is the post to a page; the lock is held.
func (a *Application) pageRequest(ctx context.Context, user imbot.ID, pageURL string) (*http.Request, error) {
	p, g := a.portal, a.portal.newGrant(a.app, user)
	address, err := url.Parse(pageURL)
	if err != nil || !acceptable(pageURL) {
		return nil, errors.New("imbottest: the page's URL is not acceptable")
	}
	protocol := "1"
	if strings.HasPrefix(p.endpoint(), "http:") {
		protocol = "0"
	}
	query := url.Values{"DOMAIN": {p.domain()}, "PROTOCOL": {protocol}, "LANG": {language}, "APP_SID": {randomHex(16)}}.Encode()
	if address.RawQuery != "" {
		query = address.RawQuery + "&" + query
	}
	address.RawQuery = query
	var form phpform.Node
	set := func(pairs ...string) {
		for i := 0; i+1 < len(pairs); i += 2 {
			form.Set(pairs[i+1], pairs[i])
		}
	}
	set("AUTH_ID", g.access, "AUTH_EXPIRES", expiresIn, "REFRESH_ID", g.refresh)
	if !p.oldPages {
		set("SERVER_ENDPOINT", p.authRoot(), "APPLICATION_TOKEN", a.app.token, "APPLICATION_SCOPE", scope)
	}
	set("member_id", p.memberID, "status", appStatus, "PLACEMENT", "DEFAULT", "PLACEMENT_OPTIONS", `{"any":"10/"}`)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return nil, errors.New("imbottest: the page's URL is not acceptable")
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("User-Agent", "imbottest")
	return r, nil
}

// WithOldPages lets the portal leave SERVER_ENDPOINT, APPLICATION_TOKEN and
// APPLICATION_SCOPE out of what it posts to the pages of applications, as older
// ones do.
func WithOldPages() Option { return func(p *Portal) { p.oldPages = true } }

// Update installs the next version of the application and sends ONAPPUPDATE with
// a new pair of tokens to the handler of [Application.Install], or to one that was
// bound with event.bind; such bindings are gone then.
func (a *Application) Update(ctx context.Context) error {
	return a.locked(ctx, func(p *Portal) error {
		if !a.app.installed {
			return errNotInstalled
		}
		previous := a.version()
		a.app.version++
		e := &event{}
		e.set()("event", eventUpdate)
		e.set("data")("VERSION", a.version(), "PREVIOUS_VERSION", previous, "LANGUAGE_ID", language)
		p.queueEvent(eventUpdate, a.app, appQueue(a.app), a.encodeWithAuth(e, true))
		a.app.forgetBindings()
		return nil
	})
}

// Uninstall removes the application with its bots, of which each gets
// ONIMBOTDELETE. Then ONAPPUNINSTALL is sent to the handler of
// [Application.Install], or to one that was bound with event.bind. All tokens are dead at once, those in the events too, and
// the next installation has another application token.
func (a *Application) Uninstall(ctx context.Context) error {
	return a.locked(ctx, func(p *Portal) error {
		if !a.app.installed {
			return errNotInstalled
		}
		for _, id := range sortedIDs(p.bots) {
			if b := p.bots[id]; b.app == a.app {
				p.dropBot(b, admin)
			}
		}
		e := &event{}
		e.set()("event", eventUninstall)
		e.set("data")("LANGUAGE_ID", language, "CLEAN", "1")
		p.queueEvent(eventUninstall, a.app, appQueue(a.app), a.encodeWithAuth(e, false))
		a.app.installed, a.app.finished, a.app.token = false, false, randomHex(16)
		clear(a.app.handlers)
		for _, g := range p.tokens {
			g.uninstalled = g.uninstalled || g.app == a.app
		}
		return nil
	})
}

// Authorize is the authorization by a user in the browser. It returns the query
// with which the portal sends the browser back to the application; the code in
// it lives 30 seconds and works once.
func (a *Application) Authorize(user imbot.ID, state string) (url.Values, error) {
	query := url.Values{"state": {state}, "scope": {scope}}
	err := a.locked(context.Background(), func(p *Portal) error {
		if !a.app.installed {
			return errNotInstalled
		}
		if err := p.checkPerson(user); err != nil {
			return err
		}
		id := randomHex(16)
		p.codes[id] = code{a.app, user, time.Now().Add(codeLife)}
		query.Set("code", id)
		query.Set("domain", p.domain())
		query.Set("member_id", p.memberID)
		query.Set("server_domain", hostOf(p.authOrigin()))
		return nil
	})
	if err != nil {
		return nil, err
	}
	return query, nil
}

// ExpireTokens ends the life of all access tokens of the application; the refresh
// tokens work on. Without it access tokens live an hour.
func (a *Application) ExpireTokens() {
	a.portal.mu.Lock()
	defer a.portal.mu.Unlock()
	for _, g := range a.portal.tokens {
		if g.app == a.app && g.expires.After(time.Now()) {
			g.expires = time.Now()
		}
	}
}

// RevokeTokens ends all grants of the application: its access tokens are answered
// with invalid_token, its refresh tokens with invalid_grant.
func (a *Application) RevokeTokens() {
	a.portal.mu.Lock()
	defer a.portal.mu.Unlock()
	for access, g := range a.portal.tokens {
		if g.app == a.app {
			delete(a.portal.tokens, access)
		}
	}
}

var errNotInstalled = errors.New("imbottest: the application is not installed")

// locked runs a locked under the lock of an open portal.
func (a *Application) locked(ctx context.Context, do func(*Portal) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p := a.portal
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return errClosed
	}
	defer p.notify()
	return do(p)
}

func (a *Application) install() {
	if !a.app.installed {
		a.app.installed, a.app.version = true, 1
	}
}

// bind makes a URL the handler of the application's own events.
func (a *Application) bind(handlerURL string) error {
	if !acceptable(handlerURL) {
		return errors.New("imbottest: the handler's URL is not acceptable")
	}
	for _, name := range appEvents {
		a.app.handlers[name] = binding{url: handlerURL, full: handlerURL}
	}
	return nil
}

func (a *Application) version() string { return strconv.Itoa(a.app.version) + ".0.0" }

// encodeWithAuth writes the end of an event's envelope, with a new pair of the
// administrator's tokens or with none.
func (a *Application) encodeWithAuth(e *event, tokens bool) string {
	p := a.portal
	e.set()("ts", unix(time.Now()))
	set := e.set("auth")
	set("domain", p.domain())
	if tokens {
		g := p.newGrant(a.app, admin)
		set("scope", scope, "access_token", g.access, "refresh_token", g.refresh, "expires_in", expiresIn)
	}
	set("server_endpoint", p.authRoot())
	if tokens {
		set("status", appStatus)
	}
	set("client_endpoint", p.endpoint(), "member_id", p.memberID, "application_token", a.app.token)
	return e.Encode()
}
