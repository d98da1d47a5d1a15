package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbotv2"
)

// codeStart begins the codes of all bots that this program makes.
const codeStart = "livecheck_"

// A check is one run against one portal.
type check struct {
	config
	wire    *wire
	client  *imbot.Client // with the secret of this run
	journal *journal
	room    room     // what is made there
	mailbox *mailbox // nil unless events are posted
}

// config is what a run needs from outside, so that tests can give it something else.
type config struct {
	hook        string // the URL of the webhook, a secret
	transport   http.RoundTripper
	pace        time.Duration // between two requests
	retry       imbot.Retry
	random      io.Reader
	journalPath string
	keep        string // the file for the result
	tiers       []tier
	yes         bool // nobody is asked whether to go on
	in          *bufio.Reader
	out         io.Writer
	listen      listening
}

// newCheck makes the secret of this run, or takes the one of a journal.
func newCheck(cfg config, j *journal) (*check, error) {
	c := &check{config: cfg, journal: j, wire: &wire{next: cfg.transport, pace: cfg.pace}}
	if j.Secret == "" {
		secret, err := c.newSecret()
		if err != nil {
			return nil, err
		}
		j.Secret = secret
	}
	var err error
	c.client, err = c.clientFor(cfg.hook, j.Secret)
	return c, err
}

func (c *check) clientFor(hook, secret string) (*imbot.Client, error) {
	return imbot.NewClient(imbot.Webhook{URL: hook, BotToken: secret}, imbot.WithHTTPClient(&http.Client{Transport: c.wire}), imbot.WithLimiter(nil), // wire is slower
		imbot.WithRetry(c.retry), imbot.WithUserAgent("imbot-livecheck"),
		imbot.WithLogger(slog.New(slog.DiscardHandler))) // the library logs what the portal says
}

// newSecret returns 128 random bits in hexadecimal.
func (c *check) newSecret() (string, error) {
	var bits [16]byte
	if _, err := io.ReadFull(c.random, bits[:]); err != nil {
		return "", err
	}
	return hex.EncodeToString(bits[:]), nil
}

// newUUID returns a UUID of version 4 in small letters.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// v2 is the client of the second generation, for a bot.
func (c *check) v2(bot imbot.ID) *imbotv2.Client { return imbotv2.From(c.client.WithBot(bot)) }

// fields are parameters by name.
type fields map[string]any

// call calls a method as it is documented, not as the library would: what the portal makes of the
// parameters is in question. It keeps as many calls as it takes to remove what was made. An interrupt waits
// for the answer: a portal goes on with a call that nobody waits for, and what it makes then is not found.
func (c *check) call(ctx context.Context, method string, params fields, result any) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if c.usedUp(0) {
		return errUsedUp
	}
	err := c.client.Call(context.WithoutCancel(ctx), method, params, result)
	if err == nil && c.room.answered.status == 0 {
		c.room.answered = c.wire.answered()
	}
	return err
}

// usedUp reports whether a call, and more of them, would leave too few to remove what was made. On a portal
// that has refused for want of time, each may take two.
func (c *check) usedUp(more int) bool {
	need := c.room.cost() + more
	if c.wire.busy() {
		need *= 2
	}
	return c.wire.left() <= need
}

// command is one call of a batch.
func (c *check) command(method string, params fields) string {
	query := url.Values{"botToken": {c.journal.Secret}}
	var add func(name string, v any)
	add = func(name string, v any) {
		switch v := v.(type) {
		case fields:
			for inner, v := range v {
				add(name+"["+inner+"]", v)
			}
		default:
			query.Set(name, fmt.Sprint(v))
		}
	}
	for name, v := range params {
		add(name, v)
	}
	return method + "?" + query.Encode()
}

// batchResult is what a batch answers, by the keys of its commands.
type batchResult struct {
	Results map[string]json.RawMessage
	Errors  map[string]struct{ Error string }
	Times   map[string]map[string]any
}

// batch sends commands in the order of their keys.
func (c *check) batch(ctx context.Context, commands fields) (batchResult, error) {
	var raw struct {
		Result      json.RawMessage `json:"result"`
		ResultError json.RawMessage `json:"result_error"`
		ResultTime  json.RawMessage `json:"result_time"`
	}
	if err := c.call(ctx, "batch", fields{"halt": 0, "cmd": commands}, &raw); err != nil {
		return batchResult{}, err
	}
	var b batchResult
	for part, to := range map[*json.RawMessage]any{&raw.Result: &b.Results, &raw.ResultError: &b.Errors, &raw.ResultTime: &b.Times} {
		if bytes.HasPrefix(bytes.TrimSpace(*part), []byte("{")) { // an empty one is a list
			if err := json.Unmarshal(*part, to); err != nil {
				return batchResult{}, errForm
			}
		}
	}
	return b, nil
}

// refused is how a command was refused, nil if it was not.
func (b batchResult) refused(key string) error {
	if e, is := b.Errors[key]; is {
		return &imbot.Error{Code: imbot.ErrorCode(e.Error)}
	}
	return nil
}

// errForm says that an answer has another form than documented.
var errForm = errors.New("the answer has another form than documented")

// notAsked is why a fact is not asked, in our own words.
type notAsked string

func (n notAsked) Error() string { return string(n) }

// code is the look of error codes. A portal could write anything in their place.
var code = regexp.MustCompile(`^([A-Z][A-Z0-9_]{2,47}|[a-z]{2,20}(_[a-z]{2,20}){1,3}|[0-9]{1,4})$`)

// shown is a code, or that it is none.
func shown(c imbot.ErrorCode) string {
	if !code.MatchString(string(c)) {
		return "another code"
	}
	return string(c)
}

// refusal tells how a call failed, without a word of the portal.
func refusal(err error) note {
	var e *imbot.Error
	var n notAsked
	switch {
	case errors.As(err, &n):
		return note(n)
	case errors.Is(err, errUsedUp):
		return "the calls of this run were used up"
	case errors.Is(err, context.Canceled):
		return "interrupted"
	case errors.Is(err, errForm):
		return note(errForm.Error())
	case errors.As(err, &e) && e.Code != "" && e.StatusCode != 0:
		return note(fmt.Sprintf("refused: HTTP %d %s", e.StatusCode, shown(e.Code)))
	case errors.As(err, &e) && e.Code != "":
		return "refused: " + note(shown(e.Code))
	case errors.As(err, &e) && e.StatusCode == http.StatusOK:
		return note(errForm.Error())
	case errors.As(err, &e) && e.StatusCode != 0:
		return note(fmt.Sprintf("no answer of the REST service: HTTP %d", e.StatusCode))
	case errors.Is(err, imbot.ErrInvalid):
		return "the library refuses such a call"
	}
	return "the portal did not answer"
}

// elsewhere are codes with which a portal refuses a call before its method has seen it.
var elsewhere = []imbot.ErrorCode{
	imbot.ErrQueryLimitExceeded, imbot.ErrOperationTimeLimit, imbot.ErrOverloadLimit, imbot.ErrInternalServer, imbot.ErrUnexpectedAnswer,
	imbot.ErrMethodNotFound, imbot.ErrMethodConfirmWaiting, imbot.ErrMethodConfirmDenied, imbot.ErrPortalDeleted, imbot.ErrWrongLicense,
	imbot.ErrExpiredToken, imbot.ErrInvalidToken, imbot.ErrNoAuthFound, imbot.ErrInvalidCredentials, imbot.ErrAuthorization,
	imbot.ErrInsufficientScope, imbot.ErrUserAccess, imbot.ErrPaymentRequired, imbot.ErrConnection,
}

// byMethod reports whether a method has refused a call, which tells something about it.
func byMethod(err error) bool {
	return answered(err) && !slices.ContainsFunc(elsewhere, func(c imbot.ErrorCode) bool { return errors.Is(err, c) })
}

// answered reports whether err is what a portal said that had the time to look at the call.
func answered(err error) bool {
	var e *imbot.Error
	return errors.As(err, &e) && e.Code != "" && e.StatusCode < 500 && e.StatusCode != http.StatusTooManyRequests
}

// definite reports whether a call would end the same way the next time.
func definite(err error) bool {
	return answered(err) || refusal(err) == note(errForm.Error())
}

// notRefused is nil for an error of a method: then that is what the portal does.
func notRefused(err error) error {
	if byMethod(err) {
		return nil
	}
	return err
}

// yesNo is a fact with nothing more to tell.
func yesNo(assumed bool) (seen, error) { return seen{assumed: assumed}, nil }
