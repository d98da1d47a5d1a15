package imbottest

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// AuthServer returns the address of the authorization server, for
// imbot.OAuthApp.AuthServers. It answers the token endpoint, by POST and by GET, and
// app.info. [Portal.Calls] and [Portal.Fail] name its calls oauth/token and
// oauth/app.info. The rate limit does not count them.
func (p *Portal) AuthServer() string {
	p.w.Lock()
	defer p.w.Unlock()
	return p.authOrigin()
}

// code is an authorization whose code was not exchanged yet.
type code struct {
	app     *world.Application
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
	c := &call{Call: world.Call{World: p.w, Params: php.NewArray()}, p: p, ctx: r.Context()}
	php.UpperKeys(c.Params, params)
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
				return refused(fail)
			}
			return jsonAnswer(http.StatusOK, v)
		})
	case "rest/app.info":
		x := p.recordAuth("oauth/app.info", params)
		defer func() { p.endCall(x, &a) }()
		return c.withFault("oauth/app.info", kindAuth, func() answer {
			v, fail := p.tokenInfo(c.token(r))
			if fail != nil {
				return refused(fail)
			}
			return envelope(v, timeBlock(start))
		})
	}
	p.problem("the authorization server has no path %.80q", r.URL.Path)
	if strings.HasPrefix(path, "rest/") {
		return refused(world.ErrNoMethod)
	}
	return htmlPage(http.StatusNotFound)
}

// recordAuth records a call with the named parameters only, because most of the others
// are secrets.
func (p *Portal) recordAuth(method string, params *php.Array, names ...string) *logEntry {
	open := php.NewArray()
	for _, name := range names {
		if params.Has(name) {
			open.Set(name, params.Get(name))
		}
	}
	p.w.Lock()
	defer p.w.Unlock()
	return p.record(method, open, false)
}

// exchangeToken answers the token endpoint: it gives a new pair of tokens for a code or a
// refresh token. Both work once.
func (p *Portal) exchangeToken(params *php.Array) (any, *world.Refusal) {
	p.w.Lock()
	defer p.w.Unlock()
	defer p.w.Notify()
	now := time.Now()
	app := p.w.Apps[params.Text("client_id")]
	switch {
	case app == nil || app.Secret == "":
		return nil, world.NewRefusal(http.StatusOK, "wrong_client", "Wrong client")
	case params.Text("client_secret") != app.Secret:
		return nil, world.NewRefusal(http.StatusUnauthorized, "invalid_client", "Invalid client data")
	}
	var user imbot.ID
	switch params.Text("grant_type") {
	case "":
		return nil, world.BadRequest("invalid_request", "Invalid request")
	case "authorization_code":
		id := params.Text("code")
		found, ok := p.codes[id]
		if !ok || found.app != app || !found.expires.After(now) {
			return nil, world.BadRequest("invalid_grant", "Invalid grant")
		}
		delete(p.codes, id)
		user = found.user
	case "refresh_token":
		old := p.byRefresh(params.Text("refresh_token"))
		switch {
		case old == nil || old.app != app || old.used || !old.expires.Add(refreshLife-tokenLife).After(now):
			return nil, world.BadRequest("invalid_grant", "Invalid grant")
		case old.uninstalled:
			return nil, world.NewRefusal(http.StatusUnauthorized, "NOT_INSTALLED", "Application not installed")
		}
		old.used = true
		user = old.user
	default:
		return nil, world.BadRequest("unsupported_grant_type", "Unsupported grant type")
	}
	g := p.newGrant(app, user)
	return map[string]any{
		"access_token": g.access, "refresh_token": g.refresh, "expires": g.expires.Unix(), "expires_in": int(tokenLife.Seconds()),
		"scope": p.w.ScopeList(), "domain": hostOf(p.authOrigin()), "server_endpoint": p.authRoot(), "status": appStatus,
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
func (p *Portal) tokenInfo(token string) (any, *world.Refusal) {
	p.w.Lock()
	defer p.w.Unlock()
	g, fail := p.checkToken(token, "NOT_INSTALLED")
	if fail != nil {
		return nil, fail
	}
	return map[string]any{
		"client_id": g.app.ClientID, "scope": p.w.ScopeList(), "expires": g.expires.Format(time.RFC3339), "user_id": g.user,
		"install": map[string]any{
			"installed": g.app.Finished, "version": strconv.Itoa(g.app.Version), "status": appStatus, "scope": p.w.ScopeList(),
			"domain": p.domain(), "uri": strings.TrimSuffix(p.endpoint(), "/rest/"), "client_endpoint": p.endpoint(),
			"member_id": p.memberID, "member_type": "user",
		},
	}, nil
}

// appStatus is the status of all OAuth applications of this portal.
const appStatus = "L"
