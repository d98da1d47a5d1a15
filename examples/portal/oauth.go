package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/imbot-go/imbot/imbottest"
)

// clientID is that of the application of -oauth.
const clientID = "local.portal"

// installLink is the path at which the application is installed once more, with a handler
// that gets ONAPPINSTALL.
const installLink = "/install"

// application is an OAuth application of the portal.
type application struct {
	*imbottest.Application
	portal *imbottest.Portal
	secret string
}

// newApplication makes an OAuth application known to the portal and installs it.
func newApplication(portal *imbottest.Portal) *application {
	secret := rand.Text()
	app := portal.Application(clientID, secret)
	portal.OAuth(clientID) // installs it
	return &application{app, portal, secret}
}

// explain prints what a client needs to act as the application. The tokens are the
// administrator's, and the line is what the token endpoint has answered.
func (app *application) explain(ctx context.Context, out io.Writer, origin string) error {
	server := app.portal.AuthServer()
	query, err := app.Authorize(imbottest.Admin, "")
	if err != nil {
		return err
	}
	form := url.Values{
		"grant_type": {"authorization_code"}, "client_id": {clientID}, "client_secret": {app.secret}, "code": {query.Get("code")},
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, server+"/oauth/token/", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := app.portal.HTTPClient().Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	tokens, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, `
application %s, installed
secret      %s
event token %s
server      %s
tokens      %s
install     %s%s?handler=http://127.0.0.1:9000/
            (sends ONAPPINSTALL with new tokens to that handler)
`, clientID, app.secret, app.portal.ApplicationToken(clientID), server, tokens, origin, installLink)
	return nil
}

// withInstallLink serves the link that installs the application, and everything else as
// before.
func (app *application) withInstallLink(other http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != installLink {
			other.ServeHTTP(w, r)
			return
		}
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if err := app.Install(r.Context(), r.URL.Query().Get("handler")); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintln(w, "Name the handler of the application: "+installLink+"?handler=http://127.0.0.1:9000/")
			return
		}
		fmt.Fprintln(w, "The application is installed; ONAPPINSTALL is on its way to the handler.")
	})
}
