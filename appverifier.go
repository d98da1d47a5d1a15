package imbot

import (
	"context"
	"errors"
	"hash/fnv"
	"strconv"
	"time"
)

// Verifier returns the verifier for the events of all portals. An event is
// genuine when it has the application token that was stored at the installation.
// On the way it keeps the store up to date:
//
//   - ONAPPINSTALL and ONAPPUPDATE are believed after the authorization server has
//     confirmed the tokens in them; then they are stored and OnInstall runs. Another
//     user's grant that is alive is kept, and so is a newer pair of the same user.
//   - ONAPPUNINSTALL with the right application token deletes the grant and runs
//     OnUninstall.
//   - A portal whose page brought no application token gets that of the first
//     event whose user the authorization server confirms, whoever that is. Until
//     then ONAPPUNINSTALL is refused.
//   - A new address of the portal is stored. The tokens of events never are.
//
// An [EventHandler] answers first and does the checks in its pool, at most ten a
// second; [ParseEvent] does them before it returns.
func (a *OAuthApp) Verifier() Verifier { return appVerifier{a} }

type appVerifier struct{ app *OAuthApp }

// Verify does both stages at once.
func (v appVerifier) Verify(ctx context.Context, ev *EventMeta) error {
	later, _, err := v.stage(ctx, ev)
	if err != nil || later == nil {
		return err
	}
	return later(ctx)
}

// checkTime bounds a check at the authorization server, waiting included.
const checkTime = time.Minute

func (v appVerifier) stage(ctx context.Context, ev *EventMeta) (later func(context.Context) error, line string, err error) {
	a := v.app
	if err := a.setup(); err != nil {
		return nil, "", unchecked("the application is not set up", err)
	}
	auth := ev.Auth
	if ev.Name == "ONAPPINSTALL" || ev.Name == "ONAPPUPDATE" {
		if err := a.plausible(auth); err != nil {
			return nil, "", err
		}
		if auth.Expires.IsZero() {
			auth.Expires = expiry(0, parseID(ev.Raw.Get("auth", "expires_in")))
			// The time began with the event, not with its delivery.
			if late := time.Since(ev.Time); late > 0 && time.Until(auth.Expires) > late {
				auth.Expires = auth.Expires.Add(-late).Truncate(time.Second)
			}
		}
		return func(ctx context.Context) error { return a.install(ctx, auth) }, checkLine(auth.MemberID), nil
	}
	g, err := a.load(ctx, auth.MemberID)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, "", untrusted("the portal is not in the store", err)
	case err != nil:
		return nil, "", unchecked("the token store failed", err)
	case g.ApplicationToken == "" && ev.Name == "ONAPPUNINSTALL":
		return nil, "", untrusted("no application token of the portal is known yet, so nothing proves it", nil)
	case g.ApplicationToken == "" && auth.ApplicationToken != "":
		if err := a.plausible(auth); err != nil {
			return nil, "", err
		}
		return func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, checkTime)
			defer cancel()
			return a.pin(ctx, auth)
		}, "", nil
	case !sameToken(g.ApplicationToken, auth.ApplicationToken):
		return nil, "", untrusted("the application token is not the stored one", nil)
	case ev.Name == "ONAPPUNINSTALL":
		return func(ctx context.Context) error { return a.drop(ctx, auth) }, "", nil
	}
	if u, err := parseEndpoint("client_endpoint", auth.ClientEndpoint); err == nil && u.String() != g.ClientEndpoint {
		return func(ctx context.Context) error {
			if err := a.relocate(ctx, auth.MemberID, u.String()); err != nil {
				a.options.logger.WarnContext(ctx, "imbot: the portal's new endpoint was not stored", "error", err)
			}
			return nil
		}, "", nil
	}
	return nil, "", nil
}

// install is the later half of an installation or update by event.
func (a *OAuthApp) install(ctx context.Context, auth EventAuth) error {
	checking, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	fresh, err := a.check(checking, auth)
	if err != nil {
		return err
	}
	g, stored, err := a.adopt(ctx, fresh)
	if err != nil {
		return err
	}
	if !stored && !sameToken(g.ApplicationToken, auth.ApplicationToken) {
		return untrusted("another user's grant is stored and alive, and the application token is not the stored one", nil)
	}
	return nil
}

// checkLine puts installations in a few lines, so that they take a few workers
// at most, and those of one portal keep their order.
func checkLine(memberID string) string {
	const lines = 8
	h := fnv.New32a()
	_, _ = h.Write([]byte(memberID))
	return "\x00install" + strconv.Itoa(int(h.Sum32()%lines))
}
