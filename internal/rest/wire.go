package rest

import (
	"context"
	"net"
	"net/http"
	"net/http/httptrace"
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

// Wire sends requests. Cores share one where they share the http.Client.
type Wire struct {
	resty    *resty.Client
	requests sync.Pool     // of *resty.Request: one has seven maps and slices that no call needs
	header   http.Header   // of every request; read only
	timeout  time.Duration // for one attempt; 0: the http.Client has its own
	traces   bool          // the transport is known to tell how far a request comes
}

// NewWire returns a wire over a copy of an http.Client.
func NewWire(client *http.Client, userAgent string) *Wire {
	hc := *client // a copy, because resty edits the client that it is given
	hc.Jar = nil  // a session cookie would authorize as somebody else
	hc.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if hc.Transport == nil {
		hc.Transport = http.DefaultTransport // what the given client would use by itself
	}
	w := &Wire{resty: resty.NewWithClient(&hc).SetLogger(silent{}).SetDoNotParseResponse(true)}
	_, w.traces = hc.Transport.(*http.Transport)
	if hc.Timeout == 0 {
		w.timeout = attemptTimeout
	}
	w.header = http.Header{
		"Accept":       {"application/json"},
		"Content-Type": {"application/json"},
		"User-Agent":   {userAgent},
	}
	return w
}

// silent is resty's logger: what resty has to say is in the errors that it returns.
type silent struct{}

func (silent) Errorf(string, ...any) {}
func (silent) Warnf(string, ...any)  {}
func (silent) Debugf(string, ...any) {}

// post sends one HTTP request and reads its answer.
func (w *Wire) post(ctx context.Context, url string, body []byte, secrets []string) answer {
	if deadline, ok := ctx.Deadline(); w.timeout > 0 && (!ok || time.Until(deadline) > w.timeout) {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, w.timeout)
		defer cancel()
	}
	t := newTrack(body)
	req, ok := w.requests.Get().(*resty.Request)
	if !ok {
		req = w.resty.R()
	}
	req.Header = w.header // resty copies it into the request that it sends
	resp, err := req.SetContext(httptrace.WithClientTrace(ctx, &t.ClientTrace)).SetBody(&t.body).Post(url)
	if err != nil {
		return answer{reached: t.reached(w.traces), failure: &Failure{Description: "no answer", Cause: secret.Clean(err, secrets)}}
	}
	sent := req.RawRequest
	req.Body, req.RawRequest = nil, nil // so that the pool keeps neither
	req.SetContext(context.Background())
	w.requests.Put(req) // not after an error: then the transport may still have it
	return readAnswer(resp.RawResponse, sent.URL, &t.limit, secrets)
}
