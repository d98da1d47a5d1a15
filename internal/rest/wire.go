package rest

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/go-resty/resty/v2"

	"github.com/imbot-go/imbot/internal/secret"
)

// attemptTimeout lies above the 60 s after which the portal cuts a request.
const attemptTimeout = 70 * time.Second

// SharedTransport serves all clients without a http.Client of their own. It
// drops idle connections before the portal does: a send into a connection that
// the portal is closing has an unknown outcome.
var SharedTransport http.RoundTripper = &http.Transport{
	Proxy:                 http.ProxyFromEnvironment,
	DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext, // less than an attempt has, so that a host out of reach ends as "never sent"
	ForceAttemptHTTP2:     true,
	MaxIdleConns:          256,
	MaxIdleConnsPerHost:   32,
	IdleConnTimeout:       20 * time.Second,
	TLSHandshakeTimeout:   10 * time.Second,
	ExpectContinueTimeout: time.Second,
}

// sharedWire sends the requests of all cores: a resty.Client takes more memory than
// all else that an idle client has, and holds nothing that differs between two.
var sharedWire = sync.OnceValue(func() *wire {
	r := resty.NewWithClient(Plain(transportOfCall{})).SetLogger(silent{}).SetDoNotParseResponse(true)
	r.SetPreRequestHook(func(_ *resty.Client, req *http.Request) error {
		t := trackOf(req.Context())
		req.URL, req.Host = &t.url, t.url.Host
		if p := t.payload; p != nil { // here, because resty would read all of it to have a copy
			req.Body, req.ContentLength = p.open(), p.size
			req.GetBody = func() (io.ReadCloser, error) { return p.open(), nil }
		}
		return nil
	})
	return &wire{resty: r}
})

// anywhere is the URL that resty gets, because it parses and writes it anew for each
// request. Then the real one takes its place.
const anywhere = "http://portal"

type wire struct {
	resty    *resty.Client
	requests sync.Pool // of *resty.Request: one has seven maps and slices that no call needs
}

// Plain returns a client that follows no redirect and has no cookies: a session cookie
// would authorize as somebody else.
func Plain(transport http.RoundTripper) *http.Client {
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// transportOfCall sends each request through the transport of its core, which is in its
// context.
type transportOfCall struct{}

func (transportOfCall) RoundTrip(r *http.Request) (*http.Response, error) {
	return trackOf(r.Context()).transport.RoundTrip(r)
}

// HeaderOf returns the header of all requests.
func HeaderOf(userAgent string) http.Header {
	return http.Header{
		"Accept":       {"application/json"},
		"Content-Type": {"application/json"},
		"User-Agent":   {userAgent},
	}
}

// silent is resty's logger: what resty has to say is in the errors that it returns.
type silent struct{}

func (silent) Errorf(string, ...any) {}
func (silent) Warnf(string, ...any)  {}
func (silent) Debugf(string, ...any) {}

// post sends a call and reads its answer.
func (c *Core) post(ctx context.Context, cl *Call, body []byte) answer {
	timeout := c.config.Timeout
	if timeout == 0 {
		timeout = attemptTimeout
	}
	if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) > timeout {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	t := newTrack(ctx, c.config.Transport)
	if cl.content == nil {
		t.body.Reset(body)
	} else {
		t.payload = newPayload(body, cl.content)
		defer t.payload.end()
	}
	root, err := c.rootOf(cl)
	if err != nil {
		return answer{reached: nowhere, failure: &Failure{Description: "no address", Cause: secret.Clean(err, cl.secrets)}}
	}
	t.url = *root
	t.url.Path += cl.method // which has nothing to escape
	w := sharedWire()
	req, ok := w.requests.Get().(*resty.Request)
	if !ok {
		req = w.resty.R()
	}
	req.Header = c.config.Header // resty copies it into the request that it sends
	resp, err := req.SetContext(t.traced()).SetBody(&t.body).Post(anywhere)
	if err != nil {
		return answer{reached: t.reached(), failure: &Failure{Description: "no answer", Cause: secret.Clean(err, cl.secrets)}}
	}
	req.Body, req.RawRequest = nil, nil // so that the pool keeps neither
	req.SetContext(context.Background())
	w.requests.Put(req) // not after an error: then the transport may still have it
	return readAnswer(resp.RawResponse, &t.url, &t.limit, cl.secrets)
}

// rootOf returns where a call goes.
func (c *Core) rootOf(cl *Call) (*url.URL, error) {
	if cl.hop != "" {
		return url.Parse(cl.hop)
	}
	text, s := c.root.Load(), c.used()
	if r := s.root.Load(); r != nil && r.text == text {
		return r.url, nil
	}
	u, err := url.Parse(*text)
	if err == nil {
		s.root.Store(&root{text, u})
	}
	return u, err
}

// root is a REST root that was parsed.
type root struct {
	text *string
	url  *url.URL
}
