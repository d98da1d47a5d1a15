package imbot

import (
	"context"
	"errors"
	"html"
	"net/http"
	"strings"
	"time"
)

// InstallPage returns the handler for the page that the portal opens, in a frame,
// when the application is installed. It takes the portal's POST, has the tokens
// confirmed by the authorization server, stores them, runs OnInstall and answers
// with a page that finishes the installation; before that the portal sends no
// events. An error of OnInstall, or a refusal, is shown in its place.
//
// When the page is opened again, by the user who installed the application, the
// grant is replaced and OnInstall runs again; for other users, and for a copy of an
// earlier POST, nothing happens while the grant is alive. Events about the
// application itself are taken at the same URL, too, because the portal may send
// ONAPPINSTALL there.
func (a *OAuthApp) InstallPage() http.Handler {
	return http.HandlerFunc(a.serveInstall)
}

func (a *OAuthApp) serveInstall(w http.ResponseWriter, r *http.Request) {
	isEvent, err := a.installFrom(w, r)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	switch {
	case err != nil:
		status, text := http.StatusInternalServerError, "The application could not be set up: "+err.Error()
		if errors.Is(err, errStore) {
			text = "The application could not be set up: its token store failed."
		}
		if e := (*EventError)(nil); errors.As(err, &e) {
			status, text = e.StatusCode, "This installation cannot be accepted: "+e.reason
			if status == http.StatusMethodNotAllowed {
				w.Header().Set("Allow", http.MethodPost)
			}
		}
		if a.setup() == nil {
			a.options.records().WarnContext(r.Context(), "imbot: installation failed", "error", err)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte("<!DOCTYPE html><title>Error</title><p>" + html.EscapeString(text)))
	case isEvent:
		w.WriteHeader(http.StatusOK)
	default:
		_, _ = w.Write([]byte(finishPage))
	}
}

// finishPage tells the portal that the installation is finished.
const finishPage = `<!DOCTYPE html>
<title>Installed</title>
<script src="https://api.bitrix24.com/api/v1/"></script>
<script>BX24.init(function () { BX24.installFinish(); });</script>
<p>The application is installed.
`

// pageTime bounds what one request to the page starts, OnInstall included.
const pageTime = time.Minute

// mostPages is how many checks for the page may wait at a time. Checks of events wait
// for the same limiter, OAuthApp.checks, and junk on the page must not delay them.
const mostPages = 32

// installFrom does what a request to the page asks for.
func (a *OAuthApp) installFrom(w http.ResponseWriter, r *http.Request) (isEvent bool, err error) {
	if err := a.setup(); err != nil {
		return false, err
	}
	page, err := readForm(w, r, a.bodies)
	if err != nil {
		return false, err
	}
	root := page.Root
	defer page.Close()
	// When the sender hangs up, OnInstall goes on: the grant is stored by then.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), pageTime)
	defer cancel()
	body := fields{root}
	if body.text("event") != "" {
		meta := eventMeta(root)
		if !strings.HasPrefix(meta.Name, "ONAPP") {
			return true, &EventError{StatusCode: http.StatusBadRequest, reason: "this is the address of the application's page, not of its events"}
		}
		return true, refusal(a.onPage(func() error { return a.Verifier().Verify(ctx, meta) }))
	}
	auth := body.pageAuth()
	if domain := r.URL.Query().Get("DOMAIN"); domain != "" {
		auth.Domain = domain
	}
	var fresh Grant
	if err := a.onPage(func() (err error) { fresh, err = a.check(ctx, auth); return err }); err != nil {
		return false, err
	}
	_, _, err = a.adopt(ctx, fresh)
	return false, err
}

// onPage does a check for the page, unless too many are waiting.
func (a *OAuthApp) onPage(check func() error) error {
	select {
	case a.pages <- struct{}{}:
		defer func() { <-a.pages }()
		return check()
	default:
		return unchecked("too many installations at a time", nil)
	}
}

// pageAuth reads the authorization that the portal posts to a page.
func (f fields) pageAuth() EventAuth {
	return EventAuth{
		AccessToken: f.text("AUTH_ID"), RefreshToken: f.text("REFRESH_ID"), ApplicationToken: f.text("APPLICATION_TOKEN"),
		Expires: expiry(0, f.id("AUTH_EXPIRES")), Scope: f.text("APPLICATION_SCOPE"), Status: f.text("status"),
		Domain: f.text("DOMAIN"), MemberID: f.text("member_id"), ServerEndpoint: f.text("SERVER_ENDPOINT"),
	}
}
