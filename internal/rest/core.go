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
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"

	"github.com/imbot-go/imbot/internal/secret"
)

// Config says which portal is called, as whom and how.
type Config struct {
	Root    string             // REST root, ends with a slash; a secret for a webhook
	Portal  string             // the key of the limiter
	Tokens  oauth2.TokenSource // nil: Root says who calls
	Secrets []string           // cut out of every text that enters a Failure

	Wire      *Wire
	Limiter   Limiter // nil: none
	Retry     Retry
	AutoBatch bool   // calls that would have to wait travel together
	Holds     *Holds // nil: of this core

	// Dialog names what a call is about from its parameters. Calls about the same
	// keep their order in automatic batches; those about "" have none.
	Dialog func(params []byte) string

	// Done, if set, is told about each call that has succeeded.
	Done func(method string, params []byte)

	// Report, if set, is told about each HTTP request, in the goroutine of the call.
	Report func(context.Context, Attempt)

	// Panicked, if set, is told about each panic of code of the user in a goroutine that is
	// not the user's.
	Panicked func(text string, stack []byte)
}

// Limiter keeps the calls to a portal within its rate. It may also have
// Refused(portal string), which is told when the portal refuses a call all the same.
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
	config Config
	root   atomic.Pointer[string] // Config.Root, or where the portal has moved
	wire   *Wire
	holds  *Holds
	size   batchSize
	auto   *autoBatch // made by the first call, because most clients of many portals are idle
	once   sync.Once  // for auto
}

// New returns a core. It never dials.
func New(config Config) *Core {
	c := &Core{config: config, wire: config.Wire, holds: config.Holds}
	if c.holds == nil {
		c.holds = new(Holds)
	}
	c.MoveTo(config.Root)
	return c
}

// HTTPClient is the client that calls go through.
func (c *Core) HTTPClient() *http.Client { return c.wire.resty.GetClient() }

// MoveTo makes another REST root the one for all calls.
func (c *Core) MoveTo(root string) { c.root.Store(&root) }

// Do sends a call by itself or, with AutoBatch, maybe together with others.
func (c *Core) Do(ctx context.Context, cl *Call) (json.RawMessage, *Failure) {
	ctx, class := classify(ctx)
	if !c.config.AutoBatch {
		return c.send(ctx, cl)
	}
	if err := ctx.Err(); err != nil {
		return nil, interrupted(cl, nil, err)
	}
	c.once.Do(func() { c.auto = newAutoBatch(c) })
	return c.auto.do(ctx, cl, class)
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
		if cl.items != nil && c.holds.holding(cl.method) {
			return nil, onHold(cl, nil) // the calls in it can go singly
		}
		if err := c.holds.wait(ctx, cl.method); err != nil {
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
		if c.config.Tokens != nil && token == nil {
			if token, err = c.config.Tokens.Token(); err != nil || token == nil || token.AccessToken == "" {
				return nil, tokenFailure(cl, err)
			}
			cl.hide(token, c.config.Tokens)
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
			source, ok := c.config.Tokens.(renewer)
			if !ok || renewed {
				return nil, f
			}
			renewed = true
			cl.waits()
			if token, err = source.Renew(ctx, token); err != nil || token == nil || token.AccessToken == "" {
				return nil, tokenFailure(cl, err)
			}
			cl.hide(token, c.config.Tokens)
			continue
		}
		if o != refused && (o != unknown || !cl.repeatable) || cl.attempts >= c.config.Retry.MaxAttempts {
			return nil, f
		}
		cl.waits()
		if f.is(operationTimeLimit) && time.Now().Before(c.holds.end(cl.method)) {
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
	if c.config.Done != nil {
		c.config.Done(cl.method, cl.params)
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
	if token != nil {
		auth, _ := json.Marshal(token.AccessToken) // a string always encodes
		body = Splice(slices.Concat([]byte(`"auth":`), auth, []byte(",")), body)
	}
	root := cl.hop
	if root == "" {
		root = *c.root.Load()
	}
	cl.sent = time.Now()
	ans := c.wire.post(ctx, root+cl.method, body, cl.secrets)
	took := time.Since(cl.sent)
	if cl.items != nil {
		c.size.took(len(cl.items), len(cl.params), took, ans.failure != nil)
	}
	var o outcome
	if f := ans.failure; f == nil {
		c.holds.ran(cl.method, ans.Time)
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
			l.Refused(c.config.Portal)
		}
		if f.is(operationTimeLimit) {
			c.holds.refused(cl.method, cl.sent)
		}
	}
	if c.config.Report != nil {
		c.config.Report(ctx, Attempt{
			Method: cl.method, Number: cl.attempts, Batch: len(cl.items), StatusCode: ans.status, Failure: ans.failure,
			Took: took, Waited: waited, answer: ans,
		})
	}
	return ans.Result, ans.failure, o
}
