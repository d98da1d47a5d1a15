package imbottest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// maxBody bounds the body of a call.
const maxBody = 32 << 20

// HTTPClient returns a client that reaches this portal, its authorization server
// and the URLs of [Portal.Serve], and nothing else, without a socket. It works
// inside a testing/synctest bubble.
func (p *Portal) HTTPClient() *http.Client { return &http.Client{Transport: transport{p}} }

type transport struct{ portal *Portal }

// RoundTrip calls the portal in the caller's goroutine.
func (t transport) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	if r.Body != nil {
		defer func() { _ = r.Body.Close() }()
	}
	p := t.portal
	p.mu.Lock()
	known, closed, handler := p.known(r.URL.Host), p.closed, p.handlers[r.URL.String()]
	p.mu.Unlock()
	switch {
	case closed:
		return nil, notReached(errClosed)
	case !known && handler == nil:
		return nil, notReached(fmt.Errorf("imbottest: this client reaches only %s and the URLs of Serve", p.host))
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	out := newRecorder()
	defer func() { // the way in which a handler ends a connection
		v := recover()
		switch {
		case v == nil:
		case v != http.ErrAbortHandler:
			panic(v)
		case out.status != 0:
			resp = out.response(r)
			resp.Body = io.NopCloser(io.MultiReader(&out.body, cutReader{}))
			resp.ContentLength++
		default:
			if err = r.Context().Err(); err == nil {
				err = io.EOF
			}
		}
	}()
	in := r.Clone(r.Context())
	in.Host = r.URL.Host
	in.RequestURI = r.URL.RequestURI()
	in.RemoteAddr = "127.0.0.1:1"
	if in.Body == nil {
		in.Body = http.NoBody
	}
	if known {
		p.serve(out, in, r.URL.Scheme == "https", r.URL.Host)
	} else {
		handler.ServeHTTP(out, in)
	}
	return out.response(r), nil
}

// notReached is the error of a call that certainly did not run.
func notReached(err error) error { return &net.OpError{Op: "dial", Net: "memory", Err: err} }

// known reports whether a host is one of the portal's; the lock is held.
func (p *Portal) known(host string) bool {
	switch host {
	case p.host, p.authHost:
		return true
	case p.listen, p.authAddr:
		return host != ""
	}
	return p.former[host]
}

// cutReader is the end of a body whose connection broke.
type cutReader struct{}

func (cutReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// recorder keeps an answer in memory.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newRecorder() *recorder { return &recorder{header: http.Header{}} }

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *recorder) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

func (w *recorder) response(r *http.Request) *http.Response {
	w.WriteHeader(http.StatusOK)
	return &http.Response{
		Status:        fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)),
		StatusCode:    w.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        w.header,
		Body:          io.NopCloser(bytes.NewReader(w.body.Bytes())),
		ContentLength: int64(w.body.Len()),
		Request:       r,
	}
}

// answer is what goes back to the client.
type answer struct {
	status      int
	contentType string
	body        []byte
	location    string // of a redirect
	truncated   bool   // the connection ends behind the body, which promised more
}

func jsonAnswer(status int, v any) answer {
	body, err := json.Marshal(v)
	if err != nil { // results hold nothing that JSON cannot express
		status, body = http.StatusInternalServerError, []byte(`{"error":"INTERNAL_SERVER_ERROR","error_description":"Internal server error"}`)
	}
	return answer{status: status, contentType: "application/json; charset=utf-8", body: hexQuotes(body)}
}

// hexQuotes writes the quotes inside strings as the portal does, which escapes what
// means something in HTML; package json does the rest of that.
func hexQuotes(data []byte) []byte {
	out := make([]byte, 0, len(data)+len(data)/8)
	for i := 0; i < len(data); i++ {
		switch {
		case data[i] == '\'':
			out = append(out, `\u0027`...)
		case data[i] != '\\':
			out = append(out, data[i])
		case data[i+1] == '"':
			out = append(out, `\u0022`...)
			i++
		default: // another escape, of which the second byte is not one's beginning
			out = append(out, data[i], data[i+1])
			i++
		}
	}
	return out
}

// page is the answer of a web server that has not come to the portal.
func page(status int) answer {
	body := fmt.Sprintf("<html><body><h1>%d %s</h1></body></html>", status, http.StatusText(status))
	return answer{status: status, contentType: "text/html; charset=utf-8", body: []byte(body)}
}

// ServeHTTP answers REST calls, /rest/<user>/<secret>/<method> and /rest/<method>
// at any place of the path. As on a portal, webhooks need TLS unless the host is
// a loopback address.
func (p *Portal) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.serve(w, r, r.TLS != nil, r.Host)
}

// serve answers a request that came to one of the portal's hosts.
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

// route finds out whose host was asked: the portal's, its former one or the
// authorization server's.
func (p *Portal) route(r *http.Request, secure bool, host string) answer {
	p.mu.Lock()
	auth := host == p.authHost || host == p.authAddr
	moved := p.former[host]
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
		return p.refused(r, (&restError{http.StatusServiceUnavailable, "QUERY_LIMIT_EXCEEDED", "Too many requests"}).answer())
	}
	user, secret, method, ok := splitPath(r.URL.EscapedPath())
	if !ok {
		p.problem("%s is not a path of the REST endpoint", pathShape(r.URL.Path))
		return p.refused(r, page(http.StatusNotFound))
	}
	params, err := readParams(r)
	if err != nil {
		return p.refused(r, page(http.StatusRequestEntityTooLarge))
	}
	c := &call{p: p, ctx: r.Context(), params: newArray(), uri: r.URL.RequestURI()}
	upperKeys(c.params, params)

	p.mu.Lock()
	x := p.record(method, params, false)
	fail := p.authenticate(c, r, user, secret, secure)
	if fail == nil {
		fail = c.welcome()
	}
	p.mu.Unlock()
	c.trace = x.ID
	defer func() { p.endCall(x, &a) }()
	if fail != nil {
		return fail.answer()
	}
	return c.serve(method)
}

// splitPath reads what stands behind the first /rest/ of a path.
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

// pathShape is a path without what could be a secret.
func pathShape(path string) string {
	if head, rest, ok := strings.Cut(path, "/rest/"); ok {
		return fmt.Sprintf("%.40s/rest/ with %d parts behind it", head, strings.Count(rest, "/")+1)
	}
	return fmt.Sprintf("%.80q", path)
}

var errTooLarge = errors.New("body too large")

// readParams reads the parameters of the query and, over them, of the body.
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
		if err == nil { // a malformed body is no body, and the portal does not say so
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

func hostname(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return hostport
}
