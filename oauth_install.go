package imbot

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/imbot-go/imbot/internal/rest"
)

// Exchange stores the grant behind an authorization code: the last step of the
// authorization at https://PORTAL/oauth/authorize/?client_id=…&state=…, which
// redirects the browser back with a code in the query. The caller has to compare
// state first. A code lives 30 seconds.
//
// The application goes on acting for the person who installed it: when the grant of
// somebody else is stored and works, it is kept, and the client uses it. A code
// brings no application token: that of the first event is taken, after a check.
func (a *OAuthApp) Exchange(ctx context.Context, query url.Values) (*Client, error) {
	if err := a.setup(); err != nil {
		return nil, err
	}
	servers := a.servers
	if host := query.Get("server_domain"); host != "" {
		servers = slices.DeleteFunc(slices.Clone(servers), func(s string) bool { return !strings.HasSuffix(s, "://"+strings.ToLower(host)) })
	}
	answer, err := a.requestToken(ctx, servers, url.Values{"grant_type": {"authorization_code"}, "code": {query.Get("code")}})
	if err != nil {
		return nil, err
	}
	if answer.MemberID == "" || answer.ClientEndpoint == "" || query.Get("member_id") != "" && query.Get("member_id") != answer.MemberID {
		return nil, &Error{Method: tokenMethod, Description: "the answer names no portal, or another than the redirect"}
	}
	if answer.ServerEndpoint == "" {
		answer.ServerEndpoint = servers[0] + "/rest/"
	}
	g, _, err := a.adopt(ctx, answer)
	if err != nil {
		return nil, err
	}
	return a.client(g)
}

// plausible refuses, without asking anybody, what check could not confirm.
func (a *OAuthApp) plausible(auth EventAuth) *EventError {
	switch {
	case auth.AccessToken == "" || auth.MemberID == "" || auth.Domain == "":
		return untrusted("it has no access token, member id or domain", nil)
	case len(a.serversFor(auth.ServerEndpoint)) == 0:
		return untrusted("its authorization server is not one of OAuthApp.AuthServers", nil)
	}
	return nil
}

// check asks the authorization server about tokens that somebody has sent, and
// returns the grant that they are: for our application, this portal and this
// domain. It calls no address that only the sender has named.
func (a *OAuthApp) check(ctx context.Context, auth EventAuth) (Grant, error) {
	if err := a.plausible(auth); err != nil {
		return Grant{}, err
	}
	if err := a.checks.Wait(ctx); err != nil {
		return Grant{}, unchecked("too many installations at a time", err)
	}
	var info appInfo
	var err error
	server := ""
	for _, server = range a.serversFor(auth.ServerEndpoint) {
		if info, err = a.appInfo(ctx, server, auth.AccessToken); err == nil {
			break
		}
	}
	if saysNo(err) {
		return Grant{}, untrusted("the authorization server does not know its token", err)
	}
	switch {
	case err != nil:
		return Grant{}, unchecked("the authorization server did not answer", err)
	case info.ClientID != a.ClientID:
		return Grant{}, untrusted("its token belongs to another application", nil)
	case info.Install.MemberID != auth.MemberID:
		return Grant{}, untrusted("its token belongs to another portal", nil)
	case !strings.EqualFold(info.Install.Domain, auth.Domain):
		return Grant{}, untrusted("its token belongs to another domain", nil)
	}
	g := Grant{
		MemberID: auth.MemberID, Domain: strings.ToLower(auth.Domain), ServerEndpoint: server + "/rest/",
		AccessToken: auth.AccessToken, RefreshToken: auth.RefreshToken, Expires: auth.Expires, UserID: info.UserID,
		Scope: commas(info.Scope), Status: info.Install.Status, ApplicationToken: auth.ApplicationToken,
	}
	// An older server names no endpoint. The sender's counts then if it is the
	// root on the confirmed domain: other paths there belong to webhooks.
	for _, root := range []string{info.Install.ClientEndpoint, auth.ClientEndpoint, "https://" + g.Domain + "/rest/"} {
		u, err := parseEndpoint("client_endpoint", root)
		if err == nil && (root == info.Install.ClientEndpoint || u.Host == g.Domain && u.Path == "/rest/") {
			g.ClientEndpoint = u.String()
			return g, nil
		}
	}
	return Grant{}, untrusted("its domain is no address", nil)
}

// appInfo is the answer of app.info at an authorization server.
type appInfo struct {
	ClientID string `json:"client_id"`
	UserID   ID     `json:"user_id"`
	Scope    string `json:"scope"`
	Install  struct {
		Domain         string `json:"domain"`
		MemberID       string `json:"member_id"`
		ClientEndpoint string `json:"client_endpoint"`
		Status         string `json:"status"`
	} `json:"install"`
}

// appInfo asks an authorization server whose token this is.
func (a *OAuthApp) appInfo(ctx context.Context, server, token string) (info appInfo, err error) {
	err = a.callWith(ctx, server+"/rest/", token, "app.info", &info)
	return info, err
}

// callWith calls a read-only method with a token that is not stored. The call has
// no token source, so its token is never renewed, and no redirect is followed.
func (a *OAuthApp) callWith(ctx context.Context, root, token, method string, result any) error {
	config := a.options.Config
	config.Limiter, config.AutoBatch = nil, false
	config.Retry.MaxAttempts = min(config.Retry.MaxAttempts, 2)
	c := rest.New(&config, &rest.Portal{Root: root, Name: root})
	params, _ := json.Marshal(map[string]string{"auth": token}) // a string always encodes
	cl := c.NewCall(method, params, rest.Nature{Repeatable: true}, token, a.ClientSecret)
	raw, f := c.Do(ctx, cl)
	if f != nil {
		return failure(f)
	}
	if err := json.Unmarshal(raw, result); err != nil {
		return undecodable(cl, err)
	}
	return nil
}

// saysNo reports whether a call failed because the server has refused it for good. A
// server that is busy or out of reach has decided nothing.
func saysNo(err error) bool {
	e := (*Error)(nil)
	if !errors.As(err, &e) || !e.envelope {
		return false
	}
	return rest.SaysNo(string(e.Code), e.StatusCode)
}

// callbackTime is how long OnInstall and OnUninstall may take. Each occupies one of
// the few places for checks, and other portals wait for one.
const callbackTime = time.Minute

// adopt stores a grant that the authorization server has confirmed, and runs
// OnInstall. stored is false when another grant is kept, which this one does not
// supersede.
func (a *OAuthApp) adopt(ctx context.Context, fresh Grant) (g Grant, stored bool, err error) {
	g, err = a.change(ctx, fresh.MemberID, func(old Grant) (Grant, error) {
		stored = true
		if (old == Grant{}) {
			return fresh.installing(old), nil
		}
		var err error
		if stored, err = a.supersedes(ctx, old, fresh); err != nil {
			return Grant{}, err
		}
		next := fresh.installing(old)
		if !stored { // the old grant is kept, but takes the address, which is confirmed
			next = old
			next.ClientEndpoint, next.Domain = fresh.ClientEndpoint, fresh.Domain
		}
		return next.afterToken(old), nil
	})
	if err != nil || !stored {
		return g, false, err
	}
	a.note(g.MemberID, trouble{})
	if a.OnInstall == nil {
		return g, true, nil
	}
	client, err := a.client(g)
	if err != nil {
		return g, true, err
	}
	ctx, cancel := context.WithTimeout(ctx, callbackTime)
	defer cancel()
	return g, true, a.OnInstall(ctx, client, g)
}

// supersedes reports whether a confirmed grant may take the place of a stored
// one. Everybody who may open the application has tokens that the authorization
// server confirms, so that alone is not enough. The grant must be of the same user,
// or of an administrator who brings another application token, as a new installation
// does; or the stored grant must be dead.
func (a *OAuthApp) supersedes(ctx context.Context, old, fresh Grant) (bool, error) {
	if fresh.replays(old) {
		return a.troubleOf(old).dead(), nil
	}
	if old.UserID != 0 && old.UserID == fresh.UserID { // 0: the server has named nobody
		return !fresh.olderThan(old) || a.troubleOf(old).dead(), nil
	}
	if fresh.ApplicationToken != "" && old.ApplicationToken != "" && fresh.ApplicationToken != old.ApplicationToken {
		var user struct {
			Admin bool `json:"ADMIN"`
		}
		err := a.callWith(ctx, fresh.ClientEndpoint, fresh.AccessToken, "profile", &user)
		switch {
		case err == nil && user.Admin:
			return true, nil
		case err != nil && !saysNo(err) && !a.troubleOf(old).dead():
			return false, unchecked("the portal did not say whether its user is an administrator", err)
		}
	}
	if a.troubleOf(old).dead() {
		return true, nil
	}
	servers := a.serversFor(old.ServerEndpoint)
	if len(servers) == 0 {
		return false, nil
	}
	_, err := a.appInfo(ctx, servers[0], old.AccessToken)
	var e *Error
	switch {
	case err == nil:
		return false, nil
	case !saysNo(err) || !errors.As(err, &e):
		return false, unchecked("the authorization server did not answer", err)
	case !e.Is(ErrExpiredToken) && !e.Is(ErrInvalidToken):
		return isDead(e) || e.Is(ErrOAuth), nil
	}
	m, err := a.member(old)
	if err != nil {
		return true, nil // with the stored grant no call can reach the portal
	}
	token, _ := m.Token()
	_, err = m.Renew(ctx, token)
	return errors.Is(err, ErrReinstall), nil
}

// drop deletes the grant of a portal after an uninstallation that its
// application token proves, and runs OnUninstall.
func (a *OAuthApp) drop(ctx context.Context, auth EventAuth) error {
	var last Grant
	_, err := a.change(ctx, auth.MemberID, func(old Grant) (Grant, error) {
		if (old != Grant{}) && !sameToken(old.ApplicationToken, auth.ApplicationToken) {
			return Grant{}, untrusted("the application token is not the stored one", nil)
		}
		last = old
		return Grant{}, nil
	})
	if err != nil || last == (Grant{}) {
		return err
	}
	a.note(auth.MemberID, trouble{})
	if a.OnUninstall == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, callbackTime)
	defer cancel()
	return a.OnUninstall(ctx, last)
}

// pin stores the application token of the first event of a portal whose
// installation brought none, if the authorization server confirms the event's
// tokens. The events that have waited meanwhile find the token stored.
func (a *OAuthApp) pin(ctx context.Context, auth EventAuth) error {
	pinned := func(g Grant) error {
		switch {
		case g == Grant{}:
			return untrusted("the portal is not in the store", nil)
		case g.ApplicationToken != "" && !sameToken(g.ApplicationToken, auth.ApplicationToken):
			return untrusted("the application token is not the stored one", nil)
		}
		return nil
	}
	g, err := a.load(ctx, auth.MemberID)
	switch {
	case err != nil && !errors.Is(err, ErrNotFound):
		return unchecked("the token store failed", err)
	case pinned(g) != nil || g.ApplicationToken != "":
		return pinned(g)
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	if _, err := a.check(ctx, auth); err != nil {
		return err
	}
	_, err = a.change(ctx, auth.MemberID, func(old Grant) (Grant, error) {
		err := pinned(old)
		if err == nil {
			old.ApplicationToken = auth.ApplicationToken
		}
		return old, err
	})
	return err
}

// sameToken compares in constant time; the empty token matches nothing.
func sameToken(a, b string) bool {
	return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}
