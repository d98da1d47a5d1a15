package imbot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/imbot-go/imbot/internal/inbox"
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
//   - When an update brings another application token, events with the old one
//     are genuine for ten minutes more. They are handled at once, even while the
//     update is being checked and events with the new token wait for that.
//   - A new address of the portal is stored. The tokens of events never are.
//
// An [EventHandler] answers first and checks afterwards, at most ten times a
// second; [ParseEvent] checks before it returns. While a check of a portal is
// under way the handler keeps events with an unknown application token, up to 64 of
// a portal and 8 MiB in all, until the check has decided about them. Another process
// knows nothing of the check and refuses such events.
func (a *OAuthApp) Verifier() Verifier { return appVerifier{a} }

type appVerifier struct{ app *OAuthApp }

// Format implements [fmt.Formatter]; fmt would print the application for some verbs.
func (v appVerifier) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "imbot.appVerifier{***}") }

// Verify does at once also what verdict leaves for later.
func (v appVerifier) Verify(ctx context.Context, ev *EventMeta) error {
	st, err := v.verdict(ctx, ev)
	switch {
	case err != nil:
		return err
	case st.Refuse != nil:
		return st.Refuse
	case st.Later != nil:
		return st.Later(ctx)
	case st.SideWork != nil:
		st.SideWork(ctx)
	}
	return nil
}

// checkTime bounds a check at the authorization server, waiting included.
const checkTime = time.Minute

func (v appVerifier) verdict(ctx context.Context, ev *EventMeta) (inbox.Verdict, error) {
	a := v.app
	if err := a.setup(); err != nil {
		return inbox.Verdict{}, unchecked("the application is not set up", err)
	}
	auth := ev.Auth
	g, err := a.load(ctx, auth.MemberID)
	known := err == nil && sameToken(g.ApplicationToken, auth.ApplicationToken)
	if ev.Name == "ONAPPINSTALL" || ev.Name == "ONAPPUPDATE" {
		if err := a.plausible(auth); err != nil {
			return inbox.Verdict{}, err
		}
		return inbox.Verdict{ProofKnown: known, ProvesOthers: true, Later: func(ctx context.Context) error { return a.install(ctx, ev) }}, nil
	}
	refuse := func(e *EventError) (inbox.Verdict, error) {
		return inbox.Verdict{Refuse: e, Later: func(ctx context.Context) error { return v.Verify(ctx, ev) }}, nil
	}
	switch {
	case errors.Is(err, ErrNotFound):
		return refuse(untrusted("the portal is not in the store", err))
	case err != nil:
		return inbox.Verdict{}, unchecked("the token store failed", err)
	case g.ApplicationToken == "" && ev.Name == "ONAPPUNINSTALL":
		return refuse(untrusted("no application token of the portal is known yet, so nothing proves it", nil))
	case g.ApplicationToken == "" && auth.ApplicationToken != "":
		if err := a.plausible(auth); err != nil {
			return refuse(err)
		}
		return inbox.Verdict{ProvesOthers: true, Later: func(ctx context.Context) error { return a.pin(ctx, auth) }}, nil
	case known && ev.Name == "ONAPPUNINSTALL":
		return inbox.Verdict{ProofKnown: true, Later: func(ctx context.Context) error { return a.drop(ctx, auth) }}, nil
	case !known && !(ev.Name != "ONAPPUNINSTALL" && g.hadToken(auth.ApplicationToken)):
		return refuse(untrusted("the application token is not the stored one", nil))
	}
	st := inbox.Verdict{ProofKnown: true}
	if u, err := parseEndpoint("client_endpoint", auth.ClientEndpoint); known && err == nil && u.String() != g.ClientEndpoint {
		st.SideWork = func(ctx context.Context) {
			if err := a.relocate(ctx, auth.MemberID, u.String()); err != nil {
				a.options.records().WarnContext(ctx, "imbot: the portal's new endpoint was not stored", "error", err)
			}
		}
	}
	return st, nil
}

// install checks and stores what an installation or update by event has brought.
func (a *OAuthApp) install(ctx context.Context, ev *EventMeta) error {
	auth := ev.Auth
	if auth.Expires.IsZero() {
		auth.Expires = expiry(0, parseID(ev.Raw.Get("auth", "expires_in")))
		// expires_in counts from the event, which may have been delivered late.
		if late := time.Since(ev.Time); late > 0 && time.Until(auth.Expires) > late {
			auth.Expires = auth.Expires.Add(-late).Truncate(time.Second)
		}
	}
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
		return untrusted("another user's grant, or a newer one, is stored, and the application token is not the stored one", nil)
	}
	return nil
}
