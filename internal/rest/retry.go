package rest

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Retry says how often and after which waits a call is sent again.
type Retry struct {
	MaxAttempts int
	MinBackoff  time.Duration // doubled with each attempt, jittered
	MaxBackoff  time.Duration
}

// Backoff returns the wait after the given attempt (from 1): between half of
// and the whole doubled interval, so that clients do not march in step.
func (r Retry) Backoff(attempt int) time.Duration {
	d := min(r.MinBackoff, r.MaxBackoff)
	for range attempt - 1 {
		if d > r.MaxBackoff/2 {
			d = r.MaxBackoff
			break
		}
		d *= 2
	}
	return d/2 + rand.N(d/2+1)
}

// wait is how long to wait after the given attempt: as long as whoever answered
// wants, within the bounds of the backoff.
func (r Retry) wait(attempt int, after time.Duration) time.Duration {
	return max(r.Backoff(attempt), min(after, r.MaxBackoff))
}

// retryAfter reads the header of a proxy: seconds, or a date.
func retryAfter(header string) time.Duration {
	if s, err := strconv.Atoi(header); err == nil {
		return time.Duration(min(max(s, 0), maxRetryAfter)) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(time.Until(at), 0)
	}
	return 0
}

// maxRetryAfter keeps a Retry-After within a time.Duration.
const maxRetryAfter = 24 * 60 * 60

// reach is how far a request has come.
type reach int

const (
	untold    reach = iota // the transport does not tell
	nowhere                // no connection was made for it: it was never sent
	connected              // it got a connection, so it may have been sent
)

// track is one request: its context, through which transport it goes, how far it
// comes, and what it needs of memory. A transport tells it at any time, maybe after the
// call is over, so each attempt has its own.
type track struct {
	context.Context
	httptrace.ClientTrace
	transport http.RoundTripper
	state     atomic.Int32 // a reach
	url       url.URL
	body      bytes.Reader
	payload   *payload // in place of body; nil: none
	limit     io.LimitedReader
}

// trackKey is the key of a *track in the context of its request.
type trackKey struct{}

// Value implements [context.Context].
func (t *track) Value(key any) any {
	if key == (trackKey{}) {
		return t
	}
	return t.Context.Value(key)
}

func trackOf(ctx context.Context) *track { return ctx.Value(trackKey{}).(*track) }

func newTrack(ctx context.Context, transport http.RoundTripper) *track {
	t := &track{Context: ctx, transport: transport}
	// The transport may try again by itself and then asks for a connection once more. It
	// does so only with a POST of which it has written nothing.
	t.GetConn = func(string) { t.state.Store(int32(nowhere)) }
	// GotConn, not WroteHeaders, is the border: the transport calls it before it writes.
	// Long headers are partly on their way before WroteHeaders, which another goroutine
	// calls, maybe after the caller has its error.
	t.GotConn = func(httptrace.GotConnInfo) { t.state.Store(int32(connected)) }
	return t
}

// traced returns the context for the request.
func (t *track) traced() context.Context { return httptrace.WithClientTrace(t, &t.ClientTrace) }

// reached is how far a request came that has failed. One of which a transport
// that tells has said nothing has not begun: its context was over.
func (t *track) reached() reach {
	r := reach(t.state.Load())
	if _, tells := t.transport.(*http.Transport); r == untold && tells {
		return nowhere
	}
	return r
}

// unsent reports whether a request that failed with err was never sent.
func (r reach) unsent(err error) bool { return r == nowhere || r == untold && neverSent(err) }

// Trace is for a request that does not go through a Core. It returns a context for it,
// and what tells of its failure whether it was never sent.
func Trace(ctx context.Context, transport http.RoundTripper) (traced context.Context, unsent func(error) bool) {
	t := newTrack(ctx, transport)
	return t.traced(), func(err error) bool { return t.reached().unsent(err) }
}

// outcome answers "did it run?".
type outcome int

const (
	definite outcome = iota // the portal answered: never repeated
	refused                 // it did not run: anything may be repeated
	stale                   // it did not run: the token is too old
	unknown                 // nobody can tell: only what is repeatable is repeated
	already                 // an attempt before has run: that is the answer
)

// outcomeOf classifies a failed attempt by its code, and by its status only where there is no code or the
// code is said of two things: portals may refuse the same with different statuses (livecheck: status-auth,
// status-scope, status-method). 429 always means that nothing ran (livecheck: rate-refusal).
func outcomeOf(f *Failure, answered bool, how reach) outcome {
	switch {
	case answered:
	case how.unsent(f.Cause):
		return refused
	default:
		return unknown
	}
	if f.StatusCode == http.StatusTooManyRequests {
		return refused
	}
	switch strings.ToUpper(f.Code) {
	case queryLimitExceeded, operationTimeLimit, "CONNECTION_ERROR":
		return refused
	case "EXPIRED_TOKEN", "INVALID_TOKEN":
		return stale
	case "INTERNAL_SERVER_ERROR", "ERROR_UNEXPECTED_ANSWER", "WRONG_ENCODING", "0",
		"MESSAGE_DUPLICATED_BY_UUID": // an attempt before is running, or has just run: the next answer has its id
		return unknown
	case errorCore:
		if f.StatusCode >= http.StatusInternalServerError {
			return unknown
		}
		return definite
	case "":
		if f.StatusCode >= 300 && f.StatusCode < 500 && !f.FromPortal {
			return definite // a redirect, a proxy or a firewall: the portal was not reached
		}
		return unknown
	}
	return definite
}

// judge corrects the outcome of an attempt by what earlier ones have left open, and notes
// whether this one does.
func (cl *Call) judge(f *Failure, o outcome) outcome {
	switch {
	case o == unknown:
		cl.doubt = true
	case o != definite || !cl.doubt:
	case f.is("SENDING_FAILED"): // also said of a message that an attempt before is just sending
		return unknown
	case cl.ran != nil && cl.ran(f.Code):
		return already
	}
	return o
}

// SaysNo reports whether an error of the portal refuses a call for good: it neither
// asks for another try nor leaves open what has run.
func SaysNo(code string, status int) bool {
	o := outcomeOf(&Failure{Code: code, StatusCode: status, FromPortal: true}, true, connected)
	return o == definite || o == stale
}

// neverSent reports, for a transport that does not tell, whether a connection
// failed before anything was written. Only errors count that no connection in use
// can give: crypto/tls has a RecordHeaderError for any bad record, also for one
// behind a request that has run.
func neverSent(err error) bool {
	var (
		op        *net.OpError
		dns       *net.DNSError
		cert      *tls.CertificateVerificationError
		authority x509.UnknownAuthorityError
		hostname  x509.HostnameError
	)
	switch {
	case errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect" || op.Op == "socks connect"):
		return true
	case errors.As(err, &dns), errors.As(err, &cert), errors.As(err, &authority), errors.As(err, &hostname):
		return true
	}
	return err != nil && strings.HasSuffix(err.Error(), "net/http: TLS handshake timeout") // of a type that is not exported
}

// Sleep waits for d or until ctx ends. It returns at once when the deadline of
// ctx would come first.
func Sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d {
		return context.DeadlineExceeded
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
