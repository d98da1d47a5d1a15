// Package rest is the way of a call to a portal: it is encoded, waits while its
// method has used up its operating time, waits for the limiter, is sent, and its
// answer read; then "did it run?" decides whether it is sent again. Calls can
// travel in a batch, also without having been put into one.
//
// It knows the protocol that all methods of a portal share, and no method but batch.
package rest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"

	"github.com/imbot-go/imbot/internal/secret"
)

// Config says how portals are called. Cores may share one.
type Config struct {
	Transport http.RoundTripper
	Timeout   time.Duration // for one attempt; 0: the usual one
	Header    http.Header   // of every request, from [HeaderOf]; read only
	Limiter   Limiter       // nil: none
	Retry     Retry
	AutoBatch bool // calls that would have to wait travel together

	// Dialog names what a call is about from its parameters. Calls about the same
	// keep their order in automatic batches; those about "" have none.
	Dialog func(params []byte) string

	Watcher Watcher // nil: none
}

// Watcher is told what goes on.
type Watcher interface {
	Report(context.Context, Attempt)    // one HTTP request, in the goroutine of the call
	Panicked(text string, stack []byte) // a panic of code of the user in a goroutine that is not the user's
}

// Portal says which portal is called and as whom.
type Portal struct {
	Root    string             // REST root, ends with a slash; a secret for a webhook
	Name    string             // the key of the limiter
	Tokens  oauth2.TokenSource // nil: Root says who calls
	Secrets []string           // cut out of every text that enters a Failure
	Holds   *Holds             // nil: of the core

	// Application is as whom the portal counts operating time, for the other processes: the client
	// id. A client with tokens and without it tells nobody; without tokens Root is it.
	Application string

	// Done, if set, is told about each call that has succeeded.
	Done func(method string, params []byte)
}

// Limiter keeps the calls to a portal within its rate. It may also have
// Refused(portal string), which is told when the portal refuses a call all the same, and may
// be a [Holder].
type Limiter interface {
	Wait(ctx context.Context, portal string) error
}

// What a token source may have beside Token.
type (
	// renewer replaces a token before its time.
	renewer interface {
		Renew(ctx context.Context, stale *oauth2.Token) (*oauth2.Token, error)
	}

	// secretive knows more secrets of the portal than the token of a call.
	secretive interface{ Secrets() []string }

	// mover knows where its portal is.
	mover interface {
		Confirm(ctx context.Context, host string) bool // asks the authorization server whether the portal is there now
		Moved(ctx context.Context, root string)        // the portal has answered from there
	}
)

// Attempt is one HTTP request and what it brought.
type Attempt struct {
	Method     string
	Number     int // of this attempt, from 1
	Batch      int // how many calls are inside; 0: it is no batch
	StatusCode int // 0 when no answer came
	Failure    *Failure
	Took       time.Duration // from sending to the end of the answer
	Waited     time.Duration // before sending
	answer     answer
}

// Core calls one portal with one set of credentials. It is safe for concurrent use.
type Core struct {
	config *Config
	portal *Portal
	root   atomic.Pointer[string] // Portal.Root, or where the portal has moved
	state  atomic.Pointer[state]
}

// state is what a core has once it is used: most clients of many portals are idle.
type state struct {
	holds *Holds
	size  batchSize
	auto  *autoBatch // nil: without Config.AutoBatch
	root  atomic.Pointer[root]
}

// New returns a core. It never dials.
func New(config *Config, portal *Portal) *Core {
	c := &Core{config: config, portal: portal}
	c.root.Store(&portal.Root)
	return c
}

// used returns the state, which the first call makes.
func (c *Core) used() *state {
	if s := c.state.Load(); s != nil {
		return s
	}
	return c.firstUse()
}

func (c *Core) firstUse() *state {
	s := &state{holds: c.portal.Holds}
	if s.holds == nil {
		s.holds = new(Holds)
	}
	s.holds.share(c.config.Limiter, c.portal)
	if c.config.AutoBatch {
		s.auto = &autoBatch{core: c}
	}
	c.state.CompareAndSwap(nil, s)
	return c.state.Load()
}

// MoveTo makes another REST root the one for all calls.
func (c *Core) MoveTo(root string) {
	if root != *c.root.Load() {
		c.root.Store(&root)
	}
}

// Do sends a call by itself or, with AutoBatch, maybe together with others.
func (c *Core) Do(ctx context.Context, cl *Call) (json.RawMessage, *Failure) {
	ctx, class := classify(ctx)
	c.used().holds.hear(ctx)
	if !c.config.AutoBatch || ctx.Value(aloneKey{}) != nil {
		return c.send(ctx, cl)
	}
	if err := ctx.Err(); err != nil {
		return nil, interrupted(cl, nil, err)
	}
	return c.used().auto.do(ctx, cl, class)
}

// send sends a call until its answer is definite or it may not be repeated.
func (c *Core) send(ctx context.Context, cl *Call) (json.RawMessage, *Failure) {
	var (
		token   *oauth2.Token
		renewed bool
		last    *Failure // of the attempt before
	)
	for {
		start := time.Now()
		if cl.items != nil && c.used().holds.holding(cl.method) {
			return nil, onHold(cl, nil) // the calls in it can go singly
		}
		if err := c.used().holds.wait(ctx, cl.method); err != nil {
			if last == nil {
				return nil, onHold(cl, err)
			}
			return nil, interrupted(cl, last, err)
		}
		if err := c.pay(ctx, cl); err != nil {
			return nil, interrupted(cl, last, err)
		}
		waited := cl.waited + time.Since(start)
		cl.waited = 0
		var err error
		if c.portal.Tokens != nil && token == nil {
			if token, err = c.portal.Tokens.Token(); err != nil || token == nil || token.AccessToken == "" {
				return nil, tokenFailure(cl, err)
			}
			cl.hide(token, c.portal.Tokens)
			if err := ctx.Err(); err != nil { // it ended while the source renewed
				return nil, interrupted(cl, last, err)
			}
		}
		if cl.board != nil {
			if err := cl.board(); err != nil {
				return nil, interrupted(cl, last, err)
			}
		}
		cl.attempts++
		result, f, o := c.attempt(ctx, cl, token, waited)
		if cl.hop != "" && (f == nil || f.FromPortal) {
			c.arrived(ctx, cl.hop)
		}
		if o == already {
			result, f = isTrue, nil
		}
		if f == nil {
			c.done(cl)
			return result, nil
		}
		last = f
		if c.follow(ctx, cl, f) {
			token = nil // asking where the portal is may have renewed it
			continue
		}
		if o == stale && ctx.Err() == nil {
			source, ok := c.portal.Tokens.(renewer)
			if !ok || renewed {
				return nil, f
			}
			renewed = true
			cl.waits()
			if token, err = source.Renew(ctx, token); err != nil || token == nil || token.AccessToken == "" {
				return nil, tokenFailure(cl, err)
			}
			cl.hide(token, c.portal.Tokens)
			continue
		}
		if o != refused && (o != unknown || !cl.repeatable) || cl.once || cl.attempts >= c.config.Retry.MaxAttempts {
			return nil, f
		}
		cl.waits()
		if f.is(operationTimeLimit) && time.Now().Before(c.used().holds.end(cl.method)) {
			token = nil // it may be too old when the hold ends
			continue
		}
		if err := Sleep(ctx, c.config.Retry.wait(cl.attempts, f.retryAfter)); err != nil {
			return nil, interrupted(cl, last, err)
		}
	}
}

// isTrue is the result of a call that an error says has run: its only good news.
var isTrue = json.RawMessage("true")

func (c *Core) done(cl *Call) {
	if c.portal.Done != nil {
		c.portal.Done(cl.method, cl.params)
	}
}

// interrupted is the failure of a call that its context (or the limiter) ended
// between two attempts. What the last attempt said stays.
func interrupted(cl *Call, last *Failure, cause error) *Failure {
	f := Failure{Method: cl.method, Description: "not sent", Attempts: cl.attempts}
	if last != nil {
		f = *last // a copy: the one who was told about the attempt has last
	}
	f.Cause = secret.Clean(cause, cl.secrets)
	return &f
}

// onHold is the failure of a call that was not sent because its method had used up
// its operating time for longer than the context lasts.
func onHold(cl *Call, cause error) *Failure {
	return interrupted(cl, &Failure{Method: cl.method, Code: operationTimeLimit,
		Description: "not sent, the method has used up its operating time", Attempts: cl.attempts}, cause)
}

// tokenFailure is the failure of a call for which there was no token. An
// oauth2.RetrieveError holds the token server's whole answer, which may quote
// tokens that only the source knows, so nothing but its code is kept.
func tokenFailure(cl *Call, err error) *Failure {
	f := &Failure{Method: cl.method, Description: "no access token", Attempts: cl.attempts}
	var answer *oauth2.RetrieveError
	switch {
	case errors.As(err, &answer):
		f.Code = secret.ScrubCode(answer.ErrorCode, cl.secrets)
	case err != nil:
		f.Cause = secret.Clean(err, cl.secrets)
	}
	return f
}

// attempt sends a call once.
func (c *Core) attempt(ctx context.Context, cl *Call, token *oauth2.Token, waited time.Duration) (json.RawMessage, *Failure, outcome) {
	body := cl.params
	if token != nil { // among the parameters: not every portal may read a header, nor every proxy pass it on (livecheck: bearer)
		auth, _ := json.Marshal(token.AccessToken) // a string always encodes
		body = Splice(slices.Concat([]byte(`"auth":`), auth, []byte(",")), body)
	}
	cl.sent = time.Now()
	ans := c.post(ctx, cl, body)
	took := time.Since(cl.sent)
	if cl.items != nil {
		c.used().size.took(len(cl.items), len(cl.params), took, ans.failure != nil)
	}
	var o outcome
	if f := ans.failure; f == nil {
		c.used().holds.ran(cl.method, ans.Time)
	} else {
		f.Method, f.Attempts = cl.method, cl.attempts
		switch o = cl.judge(f, outcomeOf(f, ans.complete, ans.reached)); {
		case o == unknown && !cl.repeatable:
			f.Kind = OutcomeUnknown
		case ans.tooLong:
			o = definite
		case o == refused && ans.status == 0:
			f.Description = "not sent"
		}
		if l, ok := c.config.Limiter.(interface{ Refused(portal string) }); ok && f.is(queryLimitExceeded) {
			l.Refused(c.portal.Name)
		}
		if f.is(operationTimeLimit) {
			c.block(ctx, cl.method, cl.sent)
		}
	}
	if c.config.Watcher != nil {
		c.config.Watcher.Report(ctx, Attempt{
			Method: cl.method, Number: cl.attempts, Batch: len(cl.items), StatusCode: ans.status, Failure: ans.failure,
			Took: took, Waited: waited, answer: ans,
		})
	}
	return ans.Result, ans.failure, o
}
