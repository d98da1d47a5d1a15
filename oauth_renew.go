package imbot

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
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

// A renewal goes on when its caller gives up, and each of its parts has a time of its
// own, because a pair that the server has issued must be stored. Together the parts
// under the lock take less than staleLock.
const (
	renewTime = 150 * time.Second // for getting the lock, and again for the renewal
	saveTime  = 30 * time.Second  // for the store to prove that it can write, and again for storing the pair
	awaitTime = 5 * time.Second   // for the pair of somebody who was faster
)

// member is the state of one portal and its token source. It lives as long as one of
// the portal's clients: OAuthApp has a weak pointer to it.
type member struct {
	app  *OAuthApp
	id   string
	conn *connection

	mu    sync.Mutex
	grant Grant
}

var _ Renewer = (*member)(nil)

// member returns the state of a portal, whose stored grant is g.
func (a *OAuthApp) member(g Grant) (*member, error) {
	g, err := g.callable()
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	m := a.members[g.MemberID].Value()
	if m == nil {
		m = &member{app: a, id: g.MemberID}
		m.conn = connect(&access{portal: rest.Portal{Root: g.ClientEndpoint, Name: g.MemberID, Tokens: m, Holds: a.holdsOf(g.MemberID), Application: a.ClientID}}, a.options)
		a.members[g.MemberID] = weak.Make(m)
		runtime.AddCleanup(m, a.forgetMember, g.MemberID)
	}
	a.mu.Unlock()
	m.set(g)
	return m, nil
}

// forgetMember drops the entry of a member that nobody keeps, and its holds when they
// are over: a method that the portal refuses is not tried again because the collector
// took the client. The caller of holdsOf drops those that end later.
func (a *OAuthApp) forgetMember(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p, ok := a.members[id]; ok && p.Value() == nil {
		delete(a.members, id)
		if a.holds[id].Idle() {
			delete(a.holds, id)
		}
	}
}

// holdsOf returns the holds of a portal. The caller holds the lock.
func (a *OAuthApp) holdsOf(id string) *rest.Holds {
	if len(a.holds) > 2*len(a.members)+64 {
		for portal, h := range a.holds {
			if _, used := a.members[portal]; !used && h.Idle() {
				delete(a.holds, portal)
			}
		}
	}
	h := a.holds[id]
	if h == nil {
		h = new(rest.Holds)
		a.holds[id] = h
	}
	return h
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

// Token implements [oauth2.TokenSource]. It returns the last known token, however
// old: the portal says when it has expired, and then Renew is called.
func (m *member) Token() (*oauth2.Token, error) {
	return &oauth2.Token{AccessToken: m.current().AccessToken}, nil
}

// Renew replaces a token that the portal has refused: by the one that somebody
// else has stored meanwhile, or by a renewal. All who wait share one.
func (m *member) Renew(ctx context.Context, stale *oauth2.Token) (*oauth2.Token, error) {
	if g := m.current(); g.AccessToken != stale.AccessToken {
		return &oauth2.Token{AccessToken: g.AccessToken}, nil // not current() again: OAuthApp.Client may have set an older grant
	}
	done := m.app.together(m.id+"\x00"+stale.AccessToken, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewTime)
		defer cancel()
		g, err := m.app.renew(ctx, m.id, stale.AccessToken)
		if err != nil {
			return nil, err
		}
		return g.callable()
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

// together does work once for all who want it at a time. The work has a goroutine of
// its own, where a panic of the user's store would end the program.
func (a *OAuthApp) together(key string, work func() (any, error)) <-chan singleflight.Result {
	return a.flights.DoChan(key, func() (v any, err error) {
		err = &Error{Description: "the token store or the transport ended the goroutine (runtime.Goexit)"}
		done := make(chan struct{})
		go func() { // singleflight would leave those who wait without a result after a Goexit
			defer close(done)
			defer a.caught(&err)
			v, err = work()
		}()
		<-done
		return v, err
	})
}

// Confirm reports whether the authorization server knows the portal at this host. It
// renews the tokens, because the answer names the portal's endpoint. When the host is
// not confirmed, no other is asked about for an hour, or a portal that redirects
// every call would get a renewal for every call.
func (m *member) Confirm(ctx context.Context, host string) bool {
	isHere := func() bool {
		u, err := url.Parse(m.current().ClientEndpoint)
		return err == nil && strings.EqualFold(u.Host, host)
	}
	done := m.app.together(m.id+"\x00redirect", func() (any, error) {
		m.app.mu.Lock()
		paused := time.Now().Before(m.app.redirects[m.id])
		m.app.mu.Unlock()
		if paused {
			return nil, nil
		}
		token, _ := m.Token()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewTime)
		defer cancel()
		if _, err := m.Renew(ctx, token); err == nil && !isHere() {
			m.app.mu.Lock()
			defer m.app.mu.Unlock()
			m.app.sweep()
			m.app.redirects[m.id] = time.Now().Add(pauseRedirect)
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
		m.app.options.records().WarnContext(ctx, "imbot: the portal's new endpoint was not stored", "member", m.id, "error", err)
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
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.troubles[g.MemberID]
	if t.refresh != g.RefreshToken || t.err == nil {
		return trouble{}
	}
	return t
}

// note remembers a failed renewal, or forgets it when t is zero.
func (a *OAuthApp) note(memberID string, t trouble) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t.err == nil {
		delete(a.troubles, memberID)
		return
	}
	a.sweep()
	a.troubles[memberID] = t
}

// sweep forgets the pauses that are over, or portals that nobody calls any more would
// stay in memory for ever. The caller holds the mutex.
func (a *OAuthApp) sweep() {
	now := time.Now()
	if now.Sub(a.swept) < pauseRefused {
		return
	}
	a.swept = now
	maps.DeleteFunc(a.troubles, func(_ string, t trouble) bool {
		return !t.dead() && t.unsaved == nil && !now.Before(t.until)
	})
	maps.DeleteFunc(a.redirects, func(_ string, until time.Time) bool { return !now.Before(until) })
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
	if old, err = a.prove(ctx, old); err != nil || old.AccessToken != stale {
		return old, err
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
	if errors.Is(err, errNotSent) {
		return Grant{}, err // the grant is as it was, so the next call may try at once
	}
	t = trouble{refresh: old.RefreshToken, err: err}
	pause := pauseUnknown
	if e := (*Error)(nil); errors.As(err, &e) && e.Code != "" {
		pause = pauseRefused
		if isDead(e) {
			// Another process without a lock, or whose lock was lost, may have been faster.
			switch again, unread := a.await(ctx, old); {
			case unread == nil && again.RefreshToken != old.RefreshToken:
				a.warnOfOthers(ctx, old.MemberID)
				return again, nil
			case unread == nil, errors.Is(unread, ErrNotFound):
				e.kind = ErrReinstall
				a.note(memberID, t)
				return Grant{}, err
			default: // the store may hold a newer pair, so the grant is not known to be dead
				err, t.err = unread, unread
			}
		}
	}
	t.until = time.Now().Add(pause)
	a.note(memberID, t)
	return Grant{}, err
}

// prove makes the store write a grant as it is, before the token server uses up its
// refresh token: a store without room, or one that only reads, fails here and costs
// nothing. It returns what is stored then, maybe the pair of somebody who was faster.
func (a *OAuthApp) prove(ctx context.Context, g Grant) (Grant, error) {
	ctx, cancel := context.WithTimeout(ctx, saveTime)
	defer cancel()
	for attempt := 1; ; attempt++ {
		err := a.swap(ctx, g, g)
		if err == nil {
			return g, nil
		}
		if !errors.Is(err, ErrConflict) || attempt == 5 {
			return Grant{}, storeError("the token store does not write, so the tokens are not renewed", err)
		}
		stored, err := a.load(ctx, g.MemberID)
		switch {
		case errors.Is(err, ErrNotFound):
			return Grant{}, &Error{Description: "the application was uninstalled meanwhile", kind: ErrReinstall}
		case err != nil || stored.AccessToken != g.AccessToken:
			return stored, err
		case stored.equal(g): // what was read is late
			_ = rest.Sleep(ctx, a.options.Retry.Backoff(attempt)) // without time left, Swap fails
		}
		g = stored
	}
}

// warnOfOthers says once that another process has renewed the same pair at the same time, if the
// store can be blamed.
func (a *OAuthApp) warnOfOthers(ctx context.Context, memberID string) {
	if _, locks := a.Store.(TokenLocker); locks {
		return
	}
	a.shared.Do(func() {
		a.options.records().WarnContext(ctx, "imbot: two processes renew the tokens of a portal at once, because their TokenStore is no TokenLocker: calls may fail with ErrReinstall", "member", memberID)
	})
}

// await reads the store until it holds another pair than old, for awaitTime: the
// token server knows of a faster renewal before the store does. An error is that of
// the last reading.
func (a *OAuthApp) await(ctx context.Context, old Grant) (Grant, error) {
	end := time.Now().Add(awaitTime)
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		g, err := a.load(ctx, old.MemberID)
		if err == nil && g.RefreshToken != old.RefreshToken || errors.Is(err, ErrNotFound) || !time.Now().Before(end) {
			return g, err
		}
		if err := rest.Sleep(ctx, wait); err != nil {
			return Grant{}, err
		}
	}
}

// isDead reports whether an answer of the token endpoint means that the grant
// will never work again.
func isDead(e *Error) bool {
	return e.StatusCode != http.StatusTooManyRequests &&
		(e.Is(ErrInvalidGrant) || e.Is(ErrExpiredToken) || e.Is(ErrNotInstalled) || e.Is(ErrApplicationNotFound))
}

// over returns the stored grant with what a token answer says of its fields.
func (t Grant) over(old Grant) Grant {
	g := old
	g.AccessToken, g.Expires = t.AccessToken, t.Expires
	g.RefreshToken = cmp.Or(t.RefreshToken, old.RefreshToken)
	g.ClientEndpoint = cmp.Or(t.ClientEndpoint, old.ClientEndpoint)
	g.ServerEndpoint = cmp.Or(t.ServerEndpoint, old.ServerEndpoint)
	g.Domain = cmp.Or(t.Domain, old.Domain)
	g.Scope = cmp.Or(t.Scope, old.Scope)
	g.Status = cmp.Or(t.Status, old.Status)
	g.UserID = cmp.Or(t.UserID, old.UserID)
	return g
}

// pairOver returns the stored grant, whose other fields are newer, with the tokens of t.
func (t Grant) pairOver(stored Grant) Grant {
	stored.AccessToken, stored.RefreshToken, stored.Expires = t.AccessToken, t.RefreshToken, t.Expires
	return stored
}

// save stores a renewed pair. If somebody has stored another pair meanwhile, it
// returns that. If only other fields have changed, it tries again over those.
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
			stored, unread := a.load(ctx, old.MemberID)
			switch {
			case errors.Is(unread, ErrNotFound):
				return Grant{}, &Error{Description: "the application was uninstalled meanwhile", kind: ErrReinstall}
			case unread != nil:
				if rest.Sleep(ctx, a.options.Retry.Backoff(attempt)) != nil {
					attempt = 5
				}
				continue
			case stored.RefreshToken != old.RefreshToken:
				a.warnOfOthers(ctx, old.MemberID)
				return stored, nil
			}
			old, fresh = stored, fresh.pairOver(stored)
		default:
			if rest.Sleep(ctx, a.options.Retry.Backoff(attempt)) != nil {
				attempt = 5
			}
		}
	}
	e := storeError("the renewed tokens cannot be stored, so they are not used", err)
	a.note(old.MemberID, trouble{refresh: old.RefreshToken, err: e, until: time.Now().Add(pauseUnknown), unsaved: &fresh})
	return Grant{}, e
}

// change swaps a portal's grant for what edit makes of the stored one, and starts over
// if somebody else has swapped it meanwhile. edit returns the same grant to leave it.
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
	a.mu.Lock()
	m := a.members[g.MemberID].Value()
	a.mu.Unlock()
	if g, err := g.callable(); err == nil && m != nil {
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
