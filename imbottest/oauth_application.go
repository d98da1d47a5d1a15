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

// Admin is the administrator, who owns the webhook and installs applications.
const Admin = admin

// admin is Admin for the code of this package.
const admin imbot.ID = 1

// application owns bots and their handlers. It is an OAuth application, or stands for a
// CLIENT_ID that is used with the webhook.
type application struct {
	id       string // as the portal stores it: "custom" + CLIENT_ID, or the OAuth client id
	clientID string
	oauth    bool
	token    string    // application_token of events
	hooks    []binding // the URLs of bots of the second generation
	handlers map[string]binding

	// Of OAuth applications:
	secret    string // "" until Portal.Application has set it
	installed bool
	finished  bool // the installation; before that the portal sends no events
	version   int
	options   map[imbot.ID]*array // by user; 0 stands for everybody
}

// application finds or makes an application; the lock is held.
func (p *world) application(id, clientID string, oauth bool) *application {
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
	noPrint

	portal *Portal
	app    *application
}

// Application makes the client id and the secret of an application known to the
// portal and its authorization server. That does not install it; [Portal.OAuth] does,
// and so do [Application.Install] and [Application.OpenPage].
func (p *Portal) Application(clientID, clientSecret string) *Application {
	p.Lock()
	defer p.Unlock()
	app := p.application(clientID, clientID, true)
	app.secret = clientSecret
	return &Application{portal: p, app: app}
}

// String names the client id and nothing else.
func (a *Application) String() string { return "imbottest.Application(" + a.app.clientID + ")" }

// GoString is String, so that %#v prints no secret.
func (a *Application) GoString() string { return a.String() }

// Install installs the application as one without a page: the installation is finished
// at once, and the portal sends ONAPPINSTALL to the handler's URL, later ONAPPUPDATE and
// ONAPPUNINSTALL as well. [Portal.Serve] receives these events, too. Install does not
// wait for the event. Installing again sends it again, with a new pair of tokens.
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
		p.Lock()
		a.app.finished = a.app.installed
		p.Unlock()
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
	var form phpform.Form
	set := func(pairs ...string) {
		for i := 0; i+1 < len(pairs); i += 2 {
			form.Set(pairs[i+1], pairs[i])
		}
	}
	set("AUTH_ID", g.access, "AUTH_EXPIRES", expiresIn, "REFRESH_ID", g.refresh)
	if !p.oldPages {
		set("SERVER_ENDPOINT", p.authRoot(), "APPLICATION_TOKEN", a.app.token, "APPLICATION_SCOPE", p.scopeList())
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
// portals do.
func WithOldPages() Option { return func(p *Portal) { p.oldPages = true } }

// Update installs the next version of the application and sends ONAPPUPDATE with a new
// pair of tokens to the handler of [Application.Install], or to one that was bound with
// event.bind. The portal forgets handlers that were bound with event.bind then.
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

// Uninstall removes the application with its bots. For each bot the portal sends
// ONIMBOTDELETE, and then ONAPPUNINSTALL to the handler of [Application.Install], or to
// one that was bound with event.bind. No token is accepted from then on, not even those
// in these events, and the next installation gets another application token.
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
		clear(a.app.options)
		for _, g := range p.tokens {
			g.uninstalled = g.uninstalled || g.app == a.app
		}
		return nil
	})
}

// Authorize lets a user authorize the application in the browser. It returns the query
// with which the portal sends the browser back to the application. The code in it can be
// exchanged once, within 30 seconds.
func (a *Application) Authorize(user imbot.ID, state string) (url.Values, error) {
	query := url.Values{"state": {state}}
	err := a.locked(context.Background(), func(p *Portal) error {
		if !a.app.installed {
			return errNotInstalled
		}
		if err := p.checkPerson(user); err != nil {
			return err
		}
		id := randomHex(16)
		p.codes[id] = code{a.app, user, time.Now().Add(codeLife)}
		query.Set("scope", p.scopeList())
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

// ExpireTokens lets all access tokens of the application expire; the refresh tokens
// still work. Without it access tokens live an hour.
func (a *Application) ExpireTokens() {
	a.portal.Lock()
	defer a.portal.Unlock()
	for _, g := range a.portal.tokens {
		if g.app == a.app && g.expires.After(time.Now()) {
			g.expires = time.Now()
		}
	}
}

// RevokeTokens makes all tokens of the application invalid: the portal answers its access
// tokens with invalid_token, its refresh tokens with invalid_grant.
func (a *Application) RevokeTokens() {
	a.portal.Lock()
	defer a.portal.Unlock()
	for access, g := range a.portal.tokens {
		if g.app == a.app {
			delete(a.portal.tokens, access)
		}
	}
}

var errNotInstalled = errors.New("imbottest: the application is not installed")

// locked calls do under the lock, unless the portal is closed.
func (a *Application) locked(ctx context.Context, do func(*Portal) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p := a.portal
	p.Lock()
	defer p.Unlock()
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

// bind sets the handler for the events of the application's own life.
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

// encodeWithAuth writes what the application's own events end with, the time and its
// authorization, and encodes the event. tokens says whether that has a new pair of the
// administrator's tokens.
func (a *Application) encodeWithAuth(e *event, tokens bool) string {
	p := a.portal
	e.set()("ts", unix(time.Now()))
	set := e.set("auth")
	set("domain", p.domain())
	if tokens {
		g := p.newGrant(a.app, admin)
		set("scope", p.scopeList(), "access_token", g.access, "refresh_token", g.refresh, "expires_in", expiresIn)
	}
	set("server_endpoint", p.authRoot())
	if tokens {
		set("status", appStatus)
	}
	set("client_endpoint", p.endpoint(), "member_id", p.memberID, "application_token", a.app.token)
	return e.Encode()
}
