package imbottest

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
)

// AuthServer returns the address of the authorization server, for
// imbot.OAuthApp.AuthServers. It answers the token endpoint, by POST and by GET, and
// app.info. [Portal.Calls] and [Portal.Fail] name its calls oauth/token and
// oauth/app.info. The rate limit does not count them.
func (p *Portal) AuthServer() string {
	p.Lock()
	defer p.Unlock()
	return p.authOrigin()
}

// code is an authorization whose code was not exchanged yet.
type code struct {
	app     *application
	user    imbot.ID
	expires time.Time
}

// codeLife is how long an authorization code can be exchanged.
const codeLife = 30 * time.Second

// authAnswer answers a request to the authorization server.
func (p *Portal) authAnswer(r *http.Request) (a answer) {
	params, err := readParams(r)
	if err != nil {
		return htmlPage(http.StatusRequestEntityTooLarge)
	}
	c := &outerCall{call: call{p: p.world, params: newArray()}, p: p, ctx: r.Context()}
	upperKeys(c.params, params)
	start := time.Now()
	path := strings.Join(strings.FieldsFunc(r.URL.Path, func(r rune) bool { return r == '/' }), "/") // several slashes are one
	switch strings.TrimSuffix(path, ".json") {
	case "oauth/token":
		if isJSON(r.Header.Get("Content-Type")) { // the vendor's server does not read JSON here
			params = parseForm([]byte(r.URL.RawQuery))
		}
		x := p.recordAuth("oauth/token", params, "grant_type", "scope")
		defer func() { p.endCall(x, &a) }()
		return c.withFault("oauth/token", kindAuth, func() answer {
			v, fail := p.exchangeToken(params)
			if fail != nil {
				return fail.answer()
			}
			return jsonAnswer(http.StatusOK, v)
		})
	case "rest/app.info":
		x := p.recordAuth("oauth/app.info", params)
		defer func() { p.endCall(x, &a) }()
		return c.withFault("oauth/app.info", kindAuth, func() answer {
			v, fail := p.tokenInfo(c.token(r))
			if fail != nil {
				return fail.answer()
			}
			return envelope(v, timeBlock(start))
		})
	}
	p.problem("the authorization server has no path %.80q", r.URL.Path)
	if strings.HasPrefix(path, "rest/") {
		return errNoMethod.answer()
	}
	return htmlPage(http.StatusNotFound)
}

// recordAuth records a call with the named parameters only, because most of the others
// are secrets.
func (p *Portal) recordAuth(method string, params *array, names ...string) *logEntry {
	open := newArray()
	for _, name := range names {
		if params.has(name) {
			open.set(name, params.get(name))
		}
	}
	p.Lock()
	defer p.Unlock()
	return p.record(method, open, false)
}

// exchangeToken answers the token endpoint: it gives a new pair of tokens for a code or a
// refresh token. Both work once.
func (p *Portal) exchangeToken(params *array) (any, *restError) {
	p.Lock()
	defer p.Unlock()
	defer p.notify()
	now := time.Now()
	app := p.apps[params.text("client_id")]
	switch {
	case app == nil || app.secret == "":
		return nil, newError(http.StatusOK, "wrong_client", "Wrong client")
	case params.text("client_secret") != app.secret:
		return nil, newError(http.StatusUnauthorized, "invalid_client", "Invalid client data")
	}
	var user imbot.ID
	switch params.text("grant_type") {
	case "":
		return nil, badRequest("invalid_request", "Invalid request")
	case "authorization_code":
		id := params.text("code")
		found, ok := p.codes[id]
		if !ok || found.app != app || !found.expires.After(now) {
			return nil, badRequest("invalid_grant", "Invalid grant")
		}
		delete(p.codes, id)
		user = found.user
	case "refresh_token":
		old := p.byRefresh(params.text("refresh_token"))
		switch {
		case old == nil || old.app != app || old.used || !old.expires.Add(refreshLife-tokenLife).After(now):
			return nil, badRequest("invalid_grant", "Invalid grant")
		case old.uninstalled:
			return nil, newError(http.StatusUnauthorized, "NOT_INSTALLED", "Application not installed")
		}
		old.used = true
		user = old.user
	default:
		return nil, badRequest("unsupported_grant_type", "Unsupported grant type")
	}
	g := p.newGrant(app, user)
	return map[string]any{
		"access_token": g.access, "refresh_token": g.refresh, "expires": g.expires.Unix(), "expires_in": int(tokenLife.Seconds()),
		"scope": p.scopeList(), "domain": hostOf(p.authOrigin()), "server_endpoint": p.authRoot(), "status": appStatus,
		"client_endpoint": p.endpoint(), "member_id": p.memberID, "user_id": g.user,
	}, nil
}

func (p *Portal) byRefresh(token string) *grant {
	for _, g := range p.tokens {
		if g.refresh == token {
			return g
		}
	}
	return nil
}

// tokenInfo answers app.info of the authorization server: which application and portal
// a token is for.
func (p *Portal) tokenInfo(token string) (any, *restError) {
	p.Lock()
	defer p.Unlock()
	g, fail := p.checkToken(token, "NOT_INSTALLED")
	if fail != nil {
		return nil, fail
	}
	return map[string]any{
		"client_id": g.app.clientID, "scope": p.scopeList(), "expires": g.expires.Format(time.RFC3339), "user_id": g.user,
		"install": map[string]any{
			"installed": g.app.finished, "version": strconv.Itoa(g.app.version), "status": appStatus, "scope": p.scopeList(),
			"domain": p.domain(), "uri": strings.TrimSuffix(p.endpoint(), "/rest/"), "client_endpoint": p.endpoint(),
			"member_id": p.memberID, "member_type": "user",
		},
	}, nil
}

// appStatus is the status of all OAuth applications of this portal.
const appStatus = "L"
