package imbot

import (
	"context"
	"errors"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"time"
	"weak"

	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"

	"github.com/imbot-go/imbot/internal/rest"
)

// The times for the lock, for a renewal behind it, and then for storing the pair.
// None ends with the caller, nor with the one before: a pair that the server has
// issued must be stored. A lock is held for less than staleLock.
const (
	renewTime = 2 * time.Minute
	saveTime  = 30 * time.Second
)

// member is the token source of one portal. Its clients keep it alive.
type member struct {
	app  *OAuthApp
	id   string
	conn *connection

	mu    sync.Mutex
	grant Grant
}

var _ Renewer = (*member)(nil)

// member returns the state of a portal, with g as what is stored.
func (a *OAuthApp) member(g Grant) (*member, error) {
	u, err := parseEndpoint("Grant.ClientEndpoint", g.ClientEndpoint)
	if err != nil {
		return nil, err
	}
	g.ClientEndpoint = u.String()
	a.my().mu.Lock()
	m := a.my().members[g.MemberID].Value()
	if m == nil {
		m = &member{app: a, id: g.MemberID}
		m.conn = connect(access{root: g.ClientEndpoint, portal: g.MemberID, tokens: m}, a.my().options)
		a.my().members[g.MemberID] = weak.Make(m)
		runtime.AddCleanup(m, a.forgetMember, g.MemberID)
	}
	a.my().mu.Unlock()
	m.set(g)
	return m, nil
}

// forgetMember drops the entry of a member that nobody keeps.
func (a *OAuthApp) forgetMember(id string) {
	a.my().mu.Lock()
	defer a.my().mu.Unlock()
	if p, ok := a.my().members[id]; ok && p.Value() == nil {
		delete(a.my().members, id)
	}
}

func (m *member) set(g Grant) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.grant = g
	m.conn.rest.MoveTo(g.ClientEndpoint)
}

func (m *member) current() Grant {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.grant
}

// Secrets are what the application knows of the portal beside the token of a call.
func (m *member) Secrets() []string {
	g := m.current()
	return []string{g.RefreshToken, g.ApplicationToken, g.previousToken, m.app.ClientSecret}
}

// Token implements [oauth2.TokenSource]: the last known token. Nobody looks at
// the clock; the portal says when it is too old.
func (m *member) Token() (*oauth2.Token, error) {
	return &oauth2.Token{AccessToken: m.current().AccessToken}, nil
}

// Renew replaces a token that the portal has refused: by the one that somebody
// else has stored meanwhile, or by a renewal. All who wait share one.
func (m *member) Renew(ctx context.Context, stale *oauth2.Token) (*oauth2.Token, error) {
	if g := m.current(); g.AccessToken != stale.AccessToken {
		return &oauth2.Token{AccessToken: g.AccessToken}, nil // read once: Client may put an older grant back meanwhile
	}
	done := m.app.together(m.id+"\x00"+stale.AccessToken, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewTime)
		defer cancel()
		g, err := m.app.renew(ctx, m.id, stale.AccessToken)
		if err != nil {
			return nil, err
		}
		u, err := parseEndpoint("Grant.ClientEndpoint", g.ClientEndpoint)
		if err != nil {
			return nil, err
		}
		g.ClientEndpoint = u.String()
		return g, nil
	})
	select {
	case res := <-done:
		if res.Err != nil {
			return nil, res.Err
		}
		g := res.Val.(Grant)
		m.set(g)
		return &oauth2.Token{AccessToken: g.AccessToken}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// together does work once for all who want it at a time. A panic of the user's
// code would end the program there, where nobody can recover.
func (a *OAuthApp) together(key string, work func() (any, error)) <-chan singleflight.Result {
	return a.my().flights.DoChan(key, func() (v any, err error) {
		defer a.caught(&err)
		return work()
	})
}

// Confirm renews, because the answer names the portal's endpoint. A portal that
// goes on redirecting does not get that for every call, whatever host it names.
func (m *member) Confirm(ctx context.Context, host string) bool {
	isHere := func() bool {
		u, err := url.Parse(m.current().ClientEndpoint)
		return err == nil && strings.EqualFold(u.Host, host)
	}
	done := m.app.together(m.id+"\x00redirect", func() (any, error) {
		m.app.my().mu.Lock()
		paused := time.Now().Before(m.app.my().redirects[m.id])
		m.app.my().mu.Unlock()
		if paused {
			return nil, nil
		}
		token, _ := m.Token()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewTime)
		defer cancel()
		if _, err := m.Renew(ctx, token); err == nil && !isHere() {
			m.app.my().mu.Lock()
			defer m.app.my().mu.Unlock()
			m.app.my().redirects[m.id] = time.Now().Add(pauseRedirect)
		}
		return nil, nil
	})
	select {
	case <-done:
		return isHere()
	case <-ctx.Done():
		return false
	}
}

// Moved stores the endpoint from which the portal has answered.
func (m *member) Moved(ctx context.Context, root string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewTime)
	defer cancel()
	if err := m.app.relocate(ctx, m.id, root); err != nil {
		m.app.my().options.logger.WarnContext(ctx, "imbot: the portal's new endpoint was not stored", "member", m.id, "error", err)
	}
}

// trouble is a renewal that failed, so that it is not tried again and again.
type trouble struct {
	refresh string // the token that was tried
	err     error
	until   time.Time // zero: for ever, the grant is dead
	unsaved *Grant    // what the server has issued, but the store has not taken
}

func (t trouble) dead() bool { return t.err != nil && t.until.IsZero() }

// How long a failed renewal is not repeated with the same refresh token.
const (
	pauseRefused = time.Minute     // the server has said why
	pauseUnknown = 5 * time.Second // network, store
)

// pauseRedirect is how long no host is asked about after one that was not confirmed.
const pauseRedirect = time.Hour

// troubleOf returns what is known against a grant.
func (a *OAuthApp) troubleOf(g Grant) trouble {
	a.my().mu.Lock()
	defer a.my().mu.Unlock()
	t := a.my().troubles[g.MemberID]
	if t.refresh != g.RefreshToken || t.err == nil {
		return trouble{}
	}
	return t
}

// note remembers a failure, or with a zero trouble that all is well.
func (a *OAuthApp) note(memberID string, t trouble) {
	a.my().mu.Lock()
	defer a.my().mu.Unlock()
	if t.err == nil {
		delete(a.my().troubles, memberID)
		return
	}
	a.my().troubles[memberID] = t
}

// renew replaces the stale token of a portal in the store and returns what is
// stored then.
func (a *OAuthApp) renew(ctx context.Context, memberID, stale string) (Grant, error) {
	if l, ok := a.Store.(TokenLocker); ok {
		unlock, err := l.Lock(ctx, memberID)
		if err != nil {
			return Grant{}, storeError("the token store cannot be locked", err)
		}
		defer unlock()
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), renewTime)
		defer cancel()
	}
	old, err := a.load(ctx, memberID)
	if errors.Is(err, ErrNotFound) {
		return Grant{}, &Error{Description: "the application is not installed on this portal any more", kind: ErrReinstall}
	}
	if err != nil || old.AccessToken != stale {
		return old, err
	}
	t := a.troubleOf(old)
	switch {
	case t.unsaved != nil:
		return a.save(ctx, old, t.unsaved.pairOver(old))
	case t.dead(), time.Now().Before(t.until):
		return Grant{}, t.err
	}
	answer, err := a.requestToken(ctx, a.serversFor(old.ServerEndpoint), url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {old.RefreshToken},
	}, old.AccessToken)
	if err == nil && answer.MemberID != "" && answer.MemberID != old.MemberID {
		err = &Error{Method: tokenMethod, Description: "the answer is for another portal"}
	}
	if err == nil {
		return a.save(ctx, old, answer.over(old))
	}
	t = trouble{refresh: old.RefreshToken, err: err, until: time.Now().Add(pauseUnknown)}
	if e := (*Error)(nil); errors.As(err, &e) && e.Code != "" {
		t.until = time.Now().Add(pauseRefused)
		if isDead(e) {
			// Another process without a lock may have been faster.
			switch again, unread := a.load(ctx, memberID); {
			case unread == nil && again.RefreshToken != old.RefreshToken:
				return again, nil
			case unread == nil, errors.Is(unread, ErrNotFound):
				e.kind = ErrReinstall
				t.until = time.Time{}
			default: // only the store knows whether the grant is dead
				err, t.err = unread, unread
			}
		}
	}
	a.note(memberID, t)
	return Grant{}, err
}

// isDead reports whether an answer of the token endpoint means that the grant
// will never work again.
func isDead(e *Error) bool {
	return e.Is(ErrInvalidGrant) || e.Is(ErrExpiredToken) || e.Is(ErrNotInstalled) || e.Is(ErrApplicationNotFound)
}

// over puts the fields of a token answer over a stored grant.
func (t Grant) over(old Grant) Grant {
	g := old
	g.AccessToken, g.Expires = t.AccessToken, t.Expires
	for _, f := range []struct {
		to   *string
		from string
	}{
		{&g.RefreshToken, t.RefreshToken}, {&g.ClientEndpoint, t.ClientEndpoint}, {&g.ServerEndpoint, t.ServerEndpoint},
		{&g.Domain, t.Domain}, {&g.Scope, t.Scope}, {&g.Status, t.Status},
	} {
		if f.from != "" {
			*f.to = f.from
		}
	}
	if t.UserID != 0 {
		g.UserID = t.UserID
	}
	return g
}

// pairOver puts nothing but the tokens over a grant, whose other fields are newer.
func (t Grant) pairOver(stored Grant) Grant {
	stored.AccessToken, stored.RefreshToken, stored.Expires = t.AccessToken, t.RefreshToken, t.Expires
	return stored
}

// save stores a renewed pair. When the store holds something else meanwhile,
// that counts, unless it still holds the pair that is used up.
func (a *OAuthApp) save(ctx context.Context, old, fresh Grant) (Grant, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTime)
	defer cancel()
	var err error
	for attempt := 1; attempt <= 5; attempt++ {
		err = a.swap(ctx, old, fresh)
		switch {
		case err == nil:
			a.note(old.MemberID, trouble{})
			return fresh, nil
		case errors.Is(err, ErrConflict):
			stored, err := a.load(ctx, old.MemberID)
			switch {
			case errors.Is(err, ErrNotFound):
				return Grant{}, &Error{Description: "the application was uninstalled meanwhile", kind: ErrReinstall}
			case err != nil:
				continue
			case stored.RefreshToken != old.RefreshToken:
				return stored, nil
			}
			old, fresh = stored, fresh.pairOver(stored)
		default:
			if rest.Sleep(ctx, rest.Retry(a.my().options.retry).Backoff(attempt)) != nil {
				attempt = 5
			}
		}
	}
	e := storeError("the renewed tokens cannot be stored, so they are not used", err)
	a.note(old.MemberID, trouble{refresh: old.RefreshToken, err: e, until: time.Now().Add(pauseUnknown), unsaved: &fresh})
	return Grant{}, e
}

// change swaps a portal's grant for what edit makes of the stored one, as often
// as somebody else is faster. edit returns the same grant to leave it.
func (a *OAuthApp) change(ctx context.Context, memberID string, edit func(Grant) (Grant, error)) (Grant, error) {
	var err error
	for range 5 {
		var old, fresh Grant
		if old, err = a.load(ctx, memberID); err != nil && !errors.Is(err, ErrNotFound) {
			return Grant{}, err
		}
		if fresh, err = edit(old); err != nil || fresh.equal(old) {
			return fresh, err
		}
		if err = a.swap(ctx, old, fresh); err == nil {
			a.refresh(fresh)
			return fresh, nil
		}
		if !errors.Is(err, ErrConflict) {
			break
		}
	}
	return Grant{}, storeError("the grant cannot be stored", err)
}

// refresh tells the living clients of a portal about a new grant.
func (a *OAuthApp) refresh(g Grant) {
	a.my().mu.Lock()
	m := a.my().members[g.MemberID].Value()
	a.my().mu.Unlock()
	if u, err := parseEndpoint("Grant.ClientEndpoint", g.ClientEndpoint); err == nil && m != nil {
		g.ClientEndpoint = u.String()
		m.set(g)
	}
}

// relocate stores a new endpoint of a portal.
func (a *OAuthApp) relocate(ctx context.Context, memberID, root string) error {
	u, err := parseEndpoint("Grant.ClientEndpoint", root)
	if err != nil {
		return err
	}
	_, err = a.change(ctx, memberID, func(old Grant) (Grant, error) {
		if (old == Grant{}) {
			return old, nil
		}
		old.ClientEndpoint, old.Domain = u.String(), u.Host
		return old, nil
	})
	return err
}
