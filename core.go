package imbot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/go-resty/resty/v2"
	"golang.org/x/oauth2"

	"github.com/imbot-go/imbot/internal/secret"
)

// core is the state that a client and its WithBot copies share.
type core struct {
	*access  // by pointer: fmt then has no way to it, whatever the verb
	typing   typing
	at       atomic.Pointer[string] // REST root of a portal that has moved; nil: access.root
	http     *resty.Client
	header   http.Header   // of every request; read only
	timeout  time.Duration // for one attempt; 0: the http.Client has its own
	limiter  Limiter
	retry    Retry
	logger   *slog.Logger
	observer func(context.Context, CallInfo)
	holds    holds
	size     batchSize
	auto     *autoBatch // nil: every call goes by itself
}

// attemptTimeout lies above the 60 s after which the portal cuts a request.
const attemptTimeout = 70 * time.Second

// sharedTransport serves all clients without a http.Client of their own. It
// drops idle connections before the portal does: a send into a connection that
// the portal is closing has an unknown outcome.
var sharedTransport http.RoundTripper = &http.Transport{
	Proxy:                 http.ProxyFromEnvironment,
	DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext, // ends before the attempt does: nothing was sent
	ForceAttemptHTTP2:     true,
	MaxIdleConns:          256,
	MaxIdleConnsPerHost:   32,
	IdleConnTimeout:       20 * time.Second,
	TLSHandshakeTimeout:   10 * time.Second,
	ExpectContinueTimeout: time.Second,
}

func newCore(a access, o options) *core {
	hc := *o.http // resty edits the client that it is given
	hc.Jar = nil  // a session cookie would authorize as somebody else
	hc.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if hc.Transport == nil {
		hc.Transport = http.DefaultTransport // what it would use by itself
	}
	c := &core{access: &a, limiter: o.limiter, retry: o.retry, logger: o.logger, observer: o.observer}
	if hc.Timeout == 0 {
		c.timeout = attemptTimeout
	}
	if o.autoBatch {
		c.auto = &autoBatch{core: c}
	}
	c.http = resty.NewWithClient(&hc).SetLogger(silent{}).SetDoNotParseResponse(true)
	c.header = http.Header{
		"Accept":       {"application/json"},
		"Content-Type": {"application/json"},
		"User-Agent":   {o.userAgent},
	}
	return c
}

// silent is resty's logger: what it has to say is in the errors.
type silent struct{}

func (silent) Errorf(string, ...any) {}
func (silent) Warnf(string, ...any)  {}
func (silent) Debugf(string, ...any) {}

// do sends a call by itself or, with WithAutoBatch, maybe together with others.
func (c *core) do(ctx context.Context, cl *call) (json.RawMessage, error) {
	if c.auto == nil {
		return c.send(ctx, cl)
	}
	if err := ctx.Err(); err != nil {
		return nil, interrupted(cl, nil, err)
	}
	return c.auto.do(ctx, cl)
}

// send sends a call until its answer is definite or it may not be repeated.
func (c *core) send(ctx context.Context, cl *call) (json.RawMessage, error) {
	var (
		token   *oauth2.Token
		renewed bool
		last    *Error // of the attempt before
	)
	for {
		start := time.Now()
		if err := c.holds.wait(ctx, cl.method); err != nil {
			if last == nil {
				return nil, c.onHold(cl, err)
			}
			return nil, interrupted(cl, last, err)
		}
		if err := c.pay(ctx, cl); err != nil {
			return nil, interrupted(cl, last, err)
		}
		waited := cl.waited + time.Since(start)
		cl.waited = 0
		var err error
		if c.tokens != nil && token == nil {
			if token, err = c.tokens.Token(); err != nil || token == nil || token.AccessToken == "" {
				return nil, tokenError(cl, err)
			}
			cl.hide(token, c.tokens)
		}
		cl.attempts++
		result, e, o := c.attempt(ctx, cl, token, waited)
		if cl.hop != "" && (e == nil || e.envelope) {
			c.arrived(ctx, cl.hop)
		}
		if e == nil {
			c.typing.done(cl)
			return result, nil
		}
		last = e
		if c.follow(ctx, cl, e) {
			token = nil // to find that out may have renewed it
			continue
		}
		if o == stale && ctx.Err() == nil {
			source, ok := c.tokens.(renewer)
			if !ok || renewed {
				return nil, e
			}
			renewed = true
			if token, err = source.Renew(ctx, token); err != nil || token == nil || token.AccessToken == "" {
				return nil, tokenError(cl, err)
			}
			cl.hide(token, c.tokens)
			continue
		}
		if o != refused && (o != unknown || !cl.repeatable) || cl.attempts >= c.retry.MaxAttempts {
			return nil, e
		}
		if e.Is(ErrOperationTimeLimit) && time.Now().Before(c.holds.end(cl.method)) {
			token = nil // the hold may outlast it
			continue
		}
		if err := sleep(ctx, c.retry.backoff(cl.attempts)); err != nil {
			return nil, interrupted(cl, last, err)
		}
	}
}

// renewer is a token source that can replace a token before its time.
type renewer interface {
	Renew(ctx context.Context, stale *oauth2.Token) (*oauth2.Token, error)
}

// interrupted is the error of a call that its context (or the limiter) ended
// between two attempts. What the last attempt said stays.
func interrupted(cl *call, last *Error, cause error) error {
	e := Error{Method: cl.method, Description: "not sent", Attempts: cl.attempts}
	if last != nil {
		e = *last // the observer has last
	}
	e.cause = secret.Clean(cause, cl.secrets)
	return &e
}

// tokenError is the error of a call for which there was no token. An
// oauth2.RetrieveError holds the token server's whole answer, which may quote
// tokens that only the source knows, so nothing but its code is kept.
func tokenError(cl *call, err error) error {
	e := &Error{Method: cl.method, Description: "no access token", Attempts: cl.attempts}
	var answer *oauth2.RetrieveError
	switch {
	case errors.As(err, &answer):
		e.Code = ErrorCode(secret.ScrubCode(answer.ErrorCode, cl.secrets))
	case err != nil:
		e.cause = secret.Clean(err, cl.secrets)
	}
	return e
}

// undecodable is the error of a call that ran, but whose result is not what the
// request promises.
func undecodable(cl *call, err error) error {
	e := &Error{Method: cl.method, StatusCode: http.StatusOK, Attempts: cl.attempts, InBatch: cl.inBatch, cause: secret.Clean(err, cl.secrets)}
	if e.InBatch {
		e.StatusCode = 0
	}
	if !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrNotAnswered) {
		e.Description = "unexpected result"
	}
	return e
}

// attempt sends a call once.
func (c *core) attempt(ctx context.Context, cl *call, token *oauth2.Token, waited time.Duration) (json.RawMessage, *Error, outcome) {
	body := cl.params
	if token != nil {
		auth, _ := json.Marshal(token.AccessToken) // a string always encodes
		body = splice(fmt.Appendf(nil, `"auth":%s,`, auth), body)
	}
	root := cl.hop
	if root == "" {
		root = c.endpoint()
	}
	cl.sent = time.Now()
	ans := c.post(ctx, root+cl.method, body, cl.secrets)
	took := time.Since(cl.sent)
	if cl.batch > 0 {
		c.size.took(cl.batch, took, ans.err != nil)
	}
	var o outcome
	if ans.err == nil {
		c.holds.ran(cl.method, ans.body)
	} else {
		ans.err.Method, ans.err.Attempts = cl.method, cl.attempts
		switch o = outcomeOf(ans.err, ans.complete); {
		case o == unknown && !cl.repeatable:
			ans.err.kind = ErrOutcomeUnknown
		case ans.tooLong:
			o = definite
		}
		if l, ok := c.limiter.(interface{ Refused(portal string) }); ok && ans.err.Is(ErrQueryLimitExceeded) {
			l.Refused(c.portal)
		}
		if ans.err.Is(ErrOperationTimeLimit) {
			c.holds.refused(cl.method, cl.sent)
		}
	}
	c.report(ctx, cl, ans, took, waited)
	return ans.result, ans.err, o
}

// report tells the observer and the log about an attempt.
func (c *core) report(ctx context.Context, cl *call, ans answer, took, waited time.Duration) {
	if c.observer != nil {
		info := CallInfo{Method: cl.method, Attempt: cl.attempts, Batch: cl.batch, StatusCode: ans.status, Duration: took, Waited: waited}
		if ans.err != nil {
			info.Err = ans.err
		}
		info.Operating, info.OperatingResetAt = ans.operating(cl.batch > 0)
		c.observer(ctx, info)
	}
	if c.logger.Enabled(ctx, slog.LevelDebug) {
		attrs := []slog.Attr{slog.String("method", cl.method), slog.Int("attempt", cl.attempts),
			slog.Int("status", ans.status), slog.Duration("took", took), slog.Duration("waited", waited)}
		if cl.batch > 0 {
			attrs = append(attrs, slog.Int("batch", cl.batch))
		}
		if ans.err != nil {
			attrs = append(attrs, slog.String("code", string(ans.err.Code)))
		}
		c.logger.LogAttrs(ctx, slog.LevelDebug, "imbot call", attrs...)
	}
}

// post sends one HTTP request and reads its answer.
func (c *core) post(ctx context.Context, url string, body []byte, secrets []string) answer {
	if c.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.timeout)
		defer cancel()
	}
	req := c.http.R().SetContext(ctx).SetBody(bytes.NewReader(body))
	req.Header = c.header // resty copies it into the request that it sends
	resp, err := req.Post(url)
	if err != nil {
		return answer{err: &Error{Description: "no answer", cause: secret.Clean(err, secrets)}}
	}
	return readAnswer(resp.RawResponse, resp.Request.RawRequest.URL, secrets)
}
