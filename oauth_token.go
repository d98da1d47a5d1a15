package imbot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/imbot-go/imbot/internal/rest"
	"github.com/imbot-go/imbot/internal/secret"
)

// tokenMethod stands for the token endpoint in errors.
const tokenMethod = "oauth/token"

const (
	maxTokenAnswer = 1 << 20
	tokenTimeout   = 30 * time.Second // for one attempt
	tokenAttempts  = 3
)

// errNotSent is the kind of the failure of a token request of which no attempt was
// sent: what was in it is not used up.
var errNotSent = errors.New("imbot: not sent")

// requestToken asks the token endpoint of the first server, and again when no
// definite answer came. If one was sent, the refresh token may be used up then, but
// there is no other one to try.
func (a *OAuthApp) requestToken(ctx context.Context, servers []string, form url.Values, secrets ...string) (Grant, error) {
	if len(servers) == 0 {
		return Grant{}, &Error{Method: tokenMethod, Description: "the authorization server of this portal is not one of OAuthApp.AuthServers", kind: ErrInvalid}
	}
	secrets = append(secrets, a.ClientSecret, form.Get("refresh_token"), form.Get("code"))
	form.Set("client_id", a.ClientID)
	form.Set("client_secret", a.ClientSecret)
	sent := false
	for attempt := 1; ; attempt++ {
		g, e, definite := a.postToken(ctx, servers[0], form, secrets)
		if e == nil {
			return g, nil
		}
		if sent = sent || e.kind != errNotSent; sent && e.kind == errNotSent {
			e.Description, e.kind = "no answer", nil
		}
		e.Method, e.Attempts = tokenMethod, attempt
		if definite || attempt == tokenAttempts || rest.Sleep(ctx, a.options.Retry.Backoff(attempt)) != nil {
			return Grant{}, e
		}
	}
}

// postToken sends one request to a token endpoint.
func (a *OAuthApp) postToken(ctx context.Context, server string, form url.Values, secrets []string) (g Grant, e *Error, definite bool) {
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	ctx, unsent := rest.Trace(ctx, a.http.Transport)
	method, address, body := http.MethodPost, server+"/oauth/token/", strings.NewReader(form.Encode())
	if a.TokenQuery {
		method, address, body = http.MethodGet, address+"?"+form.Encode(), strings.NewReader("")
	}
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return g, &Error{Description: "no request", cause: secret.Clean(err, secrets)}, true
	}
	if !a.TokenQuery {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", a.options.Header.Get("User-Agent"))
	resp, err := a.http.Do(req)
	if err != nil {
		e := &Error{Description: "no answer", cause: secret.Clean(err, secrets)}
		if unsent(err) {
			e.Description, e.kind = "not sent", errNotSent
		}
		return g, e, false
	}
	defer func() { _ = resp.Body.Close() }()
	fail := func(e *Error, definite bool) (Grant, *Error, bool) {
		e.StatusCode = resp.StatusCode
		e.Code = ErrorCode(secret.ScrubCode(string(e.Code), secrets))
		e.Description = secret.Scrub(e.Description, secrets)
		return Grant{}, e, definite && resp.StatusCode != http.StatusTooManyRequests
	}
	var buf bytes.Buffer
	if _, err := buf.ReadFrom(io.LimitReader(resp.Body, maxTokenAnswer)); err != nil {
		return fail(&Error{Description: "the answer broke off", cause: secret.Clean(err, secrets)}, false)
	}
	var answer tokenAnswer
	err = json.Unmarshal(buf.Bytes(), &answer)
	if odd := (*json.UnmarshalTypeError)(nil); errors.As(err, &odd) && answer.AccessToken != "" {
		err = nil // another field has an unexpected type; the pair must not be lost for that
	}
	switch {
	case resp.StatusCode/100 == 3:
		return fail(&Error{Description: "the authorization server redirects; secrets do not follow: see OAuthApp.AuthServers"}, true)
	case resp.StatusCode == http.StatusMethodNotAllowed && !a.TokenQuery:
		return fail(&Error{Description: "the authorization server refuses POST: see OAuthApp.TokenQuery"}, true)
	case err != nil:
		// The body is not quoted, because it may hold tokens.
		return fail(&Error{Description: "not an answer of a token endpoint"}, resp.StatusCode < 500 && resp.StatusCode != http.StatusOK)
	}
	if answer.Error != nil && string(answer.Error) != "null" {
		e := &Error{envelope: true}
		code, description := rest.ErrorOf(answer.Error, answer.Description)
		e.Code, e.Description = ErrorCode(code), description
		return fail(e, e.Code != "" && !e.Is(ErrInternalServer))
	}
	if answer.AccessToken == "" || resp.StatusCode/100 != 2 { // 203: a proxy has changed a header
		return fail(&Error{Description: "the answer has no access token"}, resp.StatusCode < 500)
	}
	return a.grantOf(answer), nil, true
}

// tokenAnswer is what the token endpoint returns. Its "domain" is left out: it is the
// authorization server's, not the portal's.
type tokenAnswer struct {
	Error          json.RawMessage `json:"error"`
	Description    json.RawMessage `json:"error_description"`
	AccessToken    string          `json:"access_token"`
	RefreshToken   string          `json:"refresh_token"`
	Expires        ID              `json:"expires"`
	ExpiresIn      ID              `json:"expires_in"`
	ClientEndpoint string          `json:"client_endpoint"`
	ServerEndpoint string          `json:"server_endpoint"`
	MemberID       string          `json:"member_id"`
	UserID         ID              `json:"user_id"`
	Scope          string          `json:"scope"`
	Status         string          `json:"status"`
}

// grantOf makes a grant of a token answer; endpoints that cannot be used are
// left out.
func (a *OAuthApp) grantOf(t tokenAnswer) Grant {
	g := Grant{
		MemberID: t.MemberID, AccessToken: t.AccessToken, RefreshToken: t.RefreshToken, Expires: expiry(t.Expires, t.ExpiresIn),
		UserID: t.UserID, Scope: commas(t.Scope), Status: t.Status,
	}
	if u, err := parseEndpoint("client_endpoint", t.ClientEndpoint); err == nil {
		g.ClientEndpoint, g.Domain = u.String(), u.Host
	}
	if _, ok := a.server(t.ServerEndpoint); ok {
		g.ServerEndpoint = t.ServerEndpoint
	}
	return g
}

// expiry reads when a token expires: a time, or seconds from now.
func expiry(at, in ID) time.Time {
	switch t := unixTime(at); {
	case !t.IsZero():
		return t.UTC()
	case in > 0:
		return time.Now().Add(time.Duration(min(in, 1<<31)) * time.Second).UTC().Truncate(time.Second)
	}
	return time.Time{}
}

// commas joins a list of scopes, which the portal separates by commas or blanks.
func commas(scope string) string {
	return strings.Join(strings.FieldsFunc(scope, func(r rune) bool { return r == ',' || r == ' ' }), ",")
}
