package imbot

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// Option changes how a client works. The order of options does not matter.
type Option func(*options) error

type options struct {
	http      *http.Client
	limiter   Limiter
	retry     Retry
	logger    *slog.Logger
	observer  func(context.Context, CallInfo)
	userAgent string
}

// WithHTTPClient makes the client send its requests through hc, which is copied
// and never changed. Any [http.RoundTripper] (a proxy, tracing, a test double)
// plugs in as its Transport. Redirects and the cookie jar of hc are not used.
//
// Without a Timeout in hc one attempt may take 70 s, a little longer than the
// 60 s after which the portal gives up.
func WithHTTPClient(hc *http.Client) Option {
	return func(o *options) error {
		if hc == nil {
			return invalid("", "WithHTTPClient: nil client")
		}
		o.http = hc
		return nil
	}
}

// WithLimiter replaces the limiter; nil switches it off. Without this option
// all clients of the process share one [NewLimiter](2, 50), which is what every
// plan but Enterprise allows.
func WithLimiter(l Limiter) Option {
	return func(o *options) error {
		o.limiter = l
		return nil
	}
}

// WithRetry replaces the numbers of [Retry]; zero fields keep their default.
// A MaxAttempts of 1 switches repetition off.
func WithRetry(r Retry) Option {
	return func(o *options) error {
		if r.MaxAttempts < 0 || r.MinBackoff < 0 || r.MaxBackoff < 0 {
			return invalid("", "WithRetry: a field is negative")
		}
		if r.MaxBackoff != 0 && r.MaxBackoff < r.MinBackoff {
			return invalid("", "WithRetry: MaxBackoff is shorter than MinBackoff")
		}
		if r.MaxAttempts != 0 {
			o.retry.MaxAttempts = r.MaxAttempts
		}
		if r.MinBackoff != 0 {
			o.retry.MinBackoff = r.MinBackoff
			o.retry.MaxBackoff = max(o.retry.MaxBackoff, r.MinBackoff)
		}
		if r.MaxBackoff != 0 {
			o.retry.MaxBackoff = r.MaxBackoff
		}
		return nil
	}
}

// WithLogger makes the client write one debug record for each attempt: method,
// attempt, status, code and duration, never a URL, a parameter or a secret.
// Errors are returned, not logged.
func WithLogger(l *slog.Logger) Option {
	return func(o *options) error {
		if l == nil {
			return invalid("", "WithLogger: nil logger")
		}
		o.logger = l
		return nil
	}
}

// WithObserver makes the client call f after each attempt, in the goroutine of
// the caller. f must be quick and safe for concurrent use.
func WithObserver(f func(context.Context, CallInfo)) Option {
	return func(o *options) error {
		if f == nil {
			return invalid("", "WithObserver: nil function")
		}
		o.observer = f
		return nil
	}
}

// WithUserAgent replaces the User-Agent header.
func WithUserAgent(s string) Option {
	return func(o *options) error {
		for i := range len(s) {
			if s[i] < ' ' || s[i] == 0x7f {
				return invalid("", "WithUserAgent: control character")
			}
		}
		if s == "" {
			return invalid("", "WithUserAgent: empty")
		}
		o.userAgent = s
		return nil
	}
}

// CallInfo describes one attempt of a call.
type CallInfo struct {
	Method           string
	Attempt          int           // from 1
	StatusCode       int           // 0 when no answer came
	Err              error         // nil after a result
	Duration         time.Duration // from sending to the end of the answer
	Waited           time.Duration // before sending, for the limiter
	Operating        time.Duration // the method's sum over the last ten minutes, as the portal counts it; 0 when unknown
	OperatingResetAt time.Time     // when that sum drops; zero when unknown
}
