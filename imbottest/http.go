package imbottest

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/world"
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
	p.w.Lock()
	if p.w.Closed {
		p.w.Unlock()
		panic(http.ErrAbortHandler)
	}
	if h := p.mountedFor(r, host); h != nil {
		p.w.Unlock()
		h.ServeHTTP(w, r)
		return
	}
	p.active++
	p.w.Goroutines.Add(1)
	p.w.Unlock()
	defer func() {
		p.w.Lock()
		p.active--
		p.w.Notify()
		p.w.Unlock()
		p.w.Goroutines.Done()
	}()
	a := p.route(r, secure || world.IsLoopback(hostname(r.Host)), host)
	if a.rest {
		openToPages(w.Header())
		p.tellBudget(w.Header())
	}
	if a.location != "" {
		w.Header().Set("Location", a.location)
	}
	w.Header().Set("Content-Type", a.contentType)
	if a.file != nil {
		a.serveFile(w)
		return
	}
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

// openToPages sets the headers with which the REST endpoint lets pages of every origin
// call it, with JSON but not with an Authorization header.
func openToPages(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Headers", "origin, content-type, accept")
	h.Set("X-Content-Type-Options", "nosniff")
}

// route answers by the host of the request: the authorization server, a former host,
// else the portal.
func (p *Portal) route(r *http.Request, secure bool, host string) answer {
	p.w.Lock()
	auth := host == p.authHost || host == p.authAddr
	moved := p.formerHosts[host]
	p.w.Unlock()
	switch {
	case auth:
		return p.authAnswer(r)
	case moved:
		p.w.Lock()
		defer p.w.Unlock()
		return p.redirect(r.URL.RequestURI())
	}
	return p.answer(r, secure)
}

func (p *Portal) answer(r *http.Request, secure bool) (a answer) {
	inside := strings.Contains(r.URL.Path, "/rest/")
	defer func() { a.rest = inside && (a.rest || strings.HasPrefix(a.contentType, "application/json")) }()
	p.w.Lock()
	fits := p.bucket.add(time.Now())
	p.w.Unlock()
	if !fits {
		return p.logRefused(r, refused(world.NewRefusal(http.StatusServiceUnavailable, "QUERY_LIMIT_EXCEEDED", "Too many requests")))
	}
	if inside && r.Method == http.MethodOptions { // a page asks whether it may call; no method runs
		return answer{status: http.StatusOK, contentType: "text/html; charset=utf-8", rest: true}
	}
	user, secret, method, ok := splitPath(r.URL.EscapedPath())
	if !ok {
		p.problem("%s is not a path of the REST endpoint", pathShape(r.URL.Path))
		if inside {
			return p.logRefused(r, refused(world.ErrNoMethod))
		}
		return p.logRefused(r, htmlPage(http.StatusNotFound))
	}
	params, err := readParams(r)
	if err != nil {
		return p.logRefused(r, htmlPage(http.StatusRequestEntityTooLarge))
	}
	c := &call{Call: world.Call{World: p.w, Params: php.NewArray(), Sent: params}, p: p, ctx: r.Context(), uri: r.URL.RequestURI()}
	php.UpperKeys(c.Params, params)

	p.w.Lock()
	x := p.record(method, params, false)
	fail := p.authenticate(c, r, user, secret, secure)
	if fail == nil {
		fail = c.checkCaller()
	}
	p.w.Unlock()
	c.exchange = x.ID
	c.FileLink = func(scope string, file imbot.ID) string { return c.fileLink(user, secret, scope, file) }
	defer func() { p.endCall(x, &a) }()
	if fail != nil {
		return refused(fail)
	}
	return c.serve(method)
}

// Mount lets a handler answer the requests to the portal's address that are
// outside /rest/, instead of 404: with [Portal.Listen], a web page and the REST
// endpoint share one address. The rate limit and [Portal.Idle] do not count its
// requests. [Portal.Close] ends the contexts of those that came through Listen, and
// waits for them.
func (p *Portal) Mount(handler http.Handler) {
	p.w.Lock()
	defer p.w.Unlock()
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
// the secret of a webhook and a method. Several slashes count as one, as on a portal:
// two of the vendor's own clients send them.
func splitPath(path string) (user, secret, method string, ok bool) {
	_, rest, found := strings.Cut(path, "/rest/")
	if !found {
		return "", "", "", false
	}
	var parts []string
	for part := range strings.SplitSeq(rest, "/") {
		if part == "" {
			continue
		}
		decoded, err := url.PathUnescape(part)
		if err != nil {
			return "", "", "", false
		}
		parts = append(parts, decoded)
	}
	if len(parts) == 0 {
		return "", "", "", false
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
