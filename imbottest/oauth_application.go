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
	"github.com/imbot-go/imbot/imbottest/internal/world"
	"github.com/imbot-go/imbot/internal/phpform"
)

// Admin is the administrator, who owns the webhook and installs applications.
const Admin = admin

// admin is Admin for the code of this package.
const admin = world.Admin

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
	app    *world.Application
}

// Application makes the client id and the secret of an application known to the
// portal and its authorization server. That does not install it; [Portal.OAuth] does,
// and so do [Application.Install] and [Application.OpenPage].
func (p *Portal) Application(clientID, clientSecret string) *Application {
	p.w.Lock()
	defer p.w.Unlock()
	app := p.w.Application(clientID, clientID, true)
	app.Secret = clientSecret
	return &Application{portal: p, app: app}
}

// String names the client id and nothing else.
func (a *Application) String() string { return "imbottest.Application(" + a.app.ClientID + ")" }

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
		a.app.Finished = true
		e := &world.Event{}
		e.At()("event", world.EventInstall)
		e.At("data")("VERSION", a.version(), "ACTIVE", "Y", "INSTALLED", "Y", "LANGUAGE_ID", world.Language)
		p.w.QueueEvent(world.EventInstall, a.app, world.AppQueue(a.app), a.encodeWithAuth(e, true))
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
		if err := p.w.CheckPerson(user); err != nil {
			return err
		}
		if !a.app.Installed {
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
	d := delivery{event: "the page", to: world.Binding{URL: pageURL, Full: pageURL}}
	status := 0
	switch {
	case handler != nil:
		status, body, _ = p.callHandler(d, handler, r)
	case world.IsLoopback(r.URL.Hostname()):
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
		p.w.Lock()
		a.app.Finished = a.app.Installed
		p.w.Unlock()
	}
	return body, nil
}

// pageRequest is the post to a page; the lock is held.
func (a *Application) pageRequest(ctx context.Context, user imbot.ID, pageURL string) (*http.Request, error) {
	p, g := a.portal, a.portal.newGrant(a.app, user)
	address, err := url.Parse(pageURL)
	if err != nil || !world.Acceptable(pageURL) {
		return nil, errors.New("imbottest: the page's URL is not acceptable")
	}
	protocol := "1"
	if strings.HasPrefix(p.endpoint(), "http:") {
		protocol = "0"
	}
	query := url.Values{"DOMAIN": {p.domain()}, "PROTOCOL": {protocol}, "LANG": {world.Language}, "APP_SID": {world.RandomHex(16)}}.Encode()
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
	set("AUTH_ID", g.access, "AUTH_EXPIRES", world.ExpiresIn, "REFRESH_ID", g.refresh)
	if !p.oldPages {
		set("SERVER_ENDPOINT", p.authRoot(), "APPLICATION_TOKEN", a.app.Token, "APPLICATION_SCOPE", p.w.ScopeList())
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
		if !a.app.Installed {
			return errNotInstalled
		}
		previous := a.version()
		a.app.Version++
		e := &world.Event{}
		e.At()("event", world.EventUpdate)
		e.At("data")("VERSION", a.version(), "PREVIOUS_VERSION", previous, "LANGUAGE_ID", world.Language)
		p.w.QueueEvent(world.EventUpdate, a.app, world.AppQueue(a.app), a.encodeWithAuth(e, true))
		a.app.ForgetBindings()
		return nil
	})
}

// Uninstall removes the application with its bots. For each bot the portal sends
// ONIMBOTDELETE, and then ONAPPUNINSTALL to the handler of [Application.Install], or to
// one that was bound with event.bind. No token is accepted from then on, not even those
// in these events, and the next installation gets another application token.
func (a *Application) Uninstall(ctx context.Context) error {
	return a.locked(ctx, func(p *Portal) error {
		if !a.app.Installed {
			return errNotInstalled
		}
		for _, id := range world.SortedIDs(p.w.Bots) {
			if b := p.w.Bots[id]; b.App == a.app {
				p.w.DropBot(b, admin)
			}
		}
		e := &world.Event{}
		e.At()("event", world.EventUninstall)
		e.At("data")("LANGUAGE_ID", world.Language, "CLEAN", "1")
		p.w.QueueEvent(world.EventUninstall, a.app, world.AppQueue(a.app), a.encodeWithAuth(e, false))
		a.app.Installed, a.app.Finished, a.app.Token = false, false, world.RandomHex(16)
		clear(a.app.Handlers)
		clear(a.app.Options)
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
		if !a.app.Installed {
			return errNotInstalled
		}
		if err := p.w.CheckPerson(user); err != nil {
			return err
		}
		id := world.RandomHex(16)
		p.codes[id] = code{a.app, user, time.Now().Add(codeLife)}
		query.Set("scope", p.w.ScopeList())
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
	a.portal.w.Lock()
	defer a.portal.w.Unlock()
	for _, g := range a.portal.tokens {
		if g.app == a.app && g.expires.After(time.Now()) {
			g.expires = time.Now()
		}
	}
}

// RevokeTokens makes all tokens of the application invalid: the portal answers its access
// tokens with invalid_token, its refresh tokens with invalid_grant.
func (a *Application) RevokeTokens() {
	a.portal.w.Lock()
	defer a.portal.w.Unlock()
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
	p.w.Lock()
	defer p.w.Unlock()
	if p.w.Closed {
		return world.ErrClosed
	}
	defer p.w.Notify()
	return do(p)
}

func (a *Application) install() {
	if !a.app.Installed {
		a.app.Installed, a.app.Version = true, 1
	}
}

// bind sets the handler for the events of the application's own life.
func (a *Application) bind(handlerURL string) error {
	if !world.Acceptable(handlerURL) {
		return errors.New("imbottest: the handler's URL is not acceptable")
	}
	for _, name := range world.AppEvents {
		a.app.Handlers[name] = world.Binding{URL: handlerURL, Full: handlerURL}
	}
	return nil
}

func (a *Application) version() string { return strconv.Itoa(a.app.Version) + ".0.0" }

// EncodeWithAuth writes what the application's own events end with, the time and its
// authorization, and encodes the event. tokens says whether that has a new pair of the
// administrator's tokens.
func (a *Application) encodeWithAuth(e *world.Event, tokens bool) string {
	p := a.portal
	e.At()("ts", world.Unix(time.Now()))
	set := e.At("auth")
	set("domain", p.domain())
	if tokens {
		g := p.newGrant(a.app, admin)
		set("scope", p.w.ScopeList(), "access_token", g.access, "refresh_token", g.refresh, "expires_in", world.ExpiresIn)
	}
	set("server_endpoint", p.authRoot())
	if tokens {
		set("status", appStatus)
	}
	set("client_endpoint", p.endpoint(), "member_id", p.memberID, "application_token", a.app.Token)
	return e.Encode()
}
