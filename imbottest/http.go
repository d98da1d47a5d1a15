package imbottest

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// ServeHTTP answers REST calls, /rest/<user>/<secret>/<method> and /rest/<method>
// at any place of the path. As on a portal, webhooks need TLS unless the host is
// a loopback address.
func (p *Portal) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.serve(w, r, r.TLS != nil, r.Host)
}

// serve answers a request to one of the portal's hosts: the present one, a former one
// or the authorization server.
func (p *Portal) serve(w http.ResponseWriter, r *http.Request, secure bool, host string) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		panic(http.ErrAbortHandler)
	}
	if h := p.mountedFor(r, host); h != nil {
		p.mu.Unlock()
		h.ServeHTTP(w, r)
		return
	}
	p.active++
	p.wg.Add(1)
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		p.active--
		p.notify()
		p.mu.Unlock()
		p.wg.Done()
	}()
	a := p.route(r, secure || isLoopback(hostname(r.Host)), host)
	if a.location != "" {
		w.Header().Set("Location", a.location)
	}
	w.Header().Set("Content-Type", a.contentType)
	if a.truncated {
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)+1))
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
	if a.truncated {
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// route answers by the host of the request: the authorization server, a former host,
// else the portal.
func (p *Portal) route(r *http.Request, secure bool, host string) answer {
	p.mu.Lock()
	auth := host == p.authHost || host == p.authAddr
	moved := p.formerHosts[host]
	p.mu.Unlock()
	switch {
	case auth:
		return p.authAnswer(r)
	case moved:
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.redirect(r.URL.RequestURI())
	}
	return p.answer(r, secure)
}

func (p *Portal) answer(r *http.Request, secure bool) (a answer) {
	p.mu.Lock()
	fits := p.bucket.add(time.Now())
	p.mu.Unlock()
	if !fits {
		return p.logRefused(r, (&restError{http.StatusServiceUnavailable, "QUERY_LIMIT_EXCEEDED", "Too many requests"}).answer())
	}
	user, secret, method, ok := splitPath(r.URL.EscapedPath())
	if !ok {
		p.problem("%s is not a path of the REST endpoint", pathShape(r.URL.Path))
		return p.logRefused(r, htmlPage(http.StatusNotFound))
	}
	params, err := readParams(r)
	if err != nil {
		return p.logRefused(r, htmlPage(http.StatusRequestEntityTooLarge))
	}
	c := &call{p: p, ctx: r.Context(), params: newArray(), uri: r.URL.RequestURI()}
	upperKeys(c.params, params)

	p.mu.Lock()
	x := p.record(method, params, false)
	fail := p.authenticate(c, r, user, secret, secure)
	if fail == nil {
		fail = c.checkCaller()
	}
	p.mu.Unlock()
	c.exchange = x.ID
	defer func() { p.endCall(x, &a) }()
	if fail != nil {
		return fail.answer()
	}
	return c.serve(method)
}

// Mount lets a handler answer the requests to the portal's address that are
// outside /rest/, instead of 404: with [Portal.Listen], a web page and the REST
// endpoint share one address. The rate limit and [Portal.Idle] do not count its
// requests. [Portal.Close] ends the contexts of those that came through Listen, and
// waits for them.
func (p *Portal) Mount(handler http.Handler) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mounted = handler
}

// mountedFor is the handler of Mount when a request is for that and not for the portal;
// the lock is held.
func (p *Portal) mountedFor(r *http.Request, host string) http.Handler {
	if host == p.authHost || host == p.authAddr || p.formerHosts[host] || strings.Contains(r.URL.Path, "/rest/") {
		return nil
	}
	return p.mounted
}

// splitPath reads what follows the first /rest/ of a path: a method, or the user and
// the secret of a webhook and a method.
func splitPath(path string) (user, secret, method string, ok bool) {
	_, rest, found := strings.Cut(path, "/rest/")
	if !found {
		return "", "", "", false
	}
	parts := strings.Split(strings.TrimSuffix(rest, "/"), "/")
	for i, part := range parts {
		decoded, err := url.PathUnescape(part)
		if err != nil {
			return "", "", "", false
		}
		parts[i] = decoded
	}
	method = strings.TrimSuffix(parts[len(parts)-1], ".json")
	switch {
	case len(parts) == 1 && method != "":
		return "", "", method, true
	case len(parts) == 3:
		return parts[0], parts[1], method, true
	}
	return "", "", "", false
}

// pathShape describes a path without its parts after /rest/, which can be secrets.
func pathShape(path string) string {
	if head, rest, ok := strings.Cut(path, "/rest/"); ok {
		return fmt.Sprintf("%.40s/rest/ with %d parts behind it", head, strings.Count(rest, "/")+1)
	}
	return fmt.Sprintf("%.80q", path)
}

// maxBody is how many bytes the body of a call may have.
const maxBody = 32 << 20

var errTooLarge = errors.New("body too large")

// readParams reads the parameters of the query and of the body. Those of the body win.
func readParams(r *http.Request) (*array, error) {
	params := parseForm([]byte(r.URL.RawQuery))
	if r.Method != http.MethodPost {
		return params, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil || len(body) > maxBody {
		return nil, errTooLarge
	}
	var sent *array
	if isJSON(r.Header.Get("Content-Type")) {
		v, err := parseJSON(body)
		if err == nil { // the portal ignores a malformed body without an error
			sent, _ = v.(*array)
		}
	} else {
		sent = parseForm(body)
	}
	if sent != nil {
		for _, k := range sent.keys {
			params.set(k, sent.values[k])
		}
	}
	return params, nil
}

func isJSON(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		kind = strings.ToLower(contentType)
	}
	return kind == "application/json" || strings.Contains(kind, "+json")
}
