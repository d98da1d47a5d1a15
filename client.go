package imbot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"time"
)

// Client calls one portal with one set of credentials. It is safe for
// concurrent use; make one and keep it.
type Client struct {
	Bot     *BotService
	Chat    *ChatService
	App     *AppService
	Message *MessageService
	Command *CommandService

	core *core
	bot  ID
}

const version = "0.1.0"

// service is what all services are: the methods of one family over a client.
type service struct{ client *Client }

// NewClient returns a client. It checks the credentials and options, but never
// dials and reads no environment.
func NewClient(auth Auth, opts ...Option) (*Client, error) {
	if auth == nil || auth == Auth((*Webhook)(nil)) || auth == Auth((*OAuth)(nil)) {
		return nil, invalid("", "NewClient: nil Auth")
	}
	access, err := auth.access()
	if err != nil {
		return nil, err
	}
	o, err := newOptions(opts)
	if err != nil {
		return nil, err
	}
	return newClient(newCore(access, o), 0), nil
}

func newOptions(opts []Option) (options, error) {
	o := options{
		http:      &http.Client{Transport: sharedTransport},
		limiter:   sharedLimiter,
		retry:     Retry{MaxAttempts: 4, MinBackoff: time.Second, MaxBackoff: 30 * time.Second},
		logger:    slog.New(slog.DiscardHandler),
		userAgent: "imbot-go/" + version,
	}
	for _, opt := range opts {
		if opt == nil {
			return options{}, invalid("", "nil Option")
		}
		if err := opt(&o); err != nil {
			return options{}, err
		}
	}
	return o, nil
}

func newClient(core *core, bot ID) *Client {
	c := &Client{core: core, bot: bot}
	s := &service{client: c}
	c.Bot = (*BotService)(s)
	c.Chat = (*ChatService)(s)
	c.App = (*AppService)(s)
	c.Message = (*MessageService)(s)
	c.Command = (*CommandService)(s)
	return c
}

// WithBot returns a client over the same state that fills BOT_ID in the
// requests of this package that leave it zero. [Client.Call] is left alone.
// With several bots in one application the portal would pick any of them; so it
// does when bot is zero.
func (c *Client) WithBot(bot ID) *Client { return newClient(c.core, bot) }

// Format implements [fmt.Formatter]; no verb prints a secret.
func (c *Client) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "imbot.Client("+c.core.portal+")")
}

// LogValue implements [slog.LogValuer] without the secrets.
func (c *Client) LogValue() slog.Value {
	return slog.StringValue("imbot.Client(" + c.core.portal + ")")
}

// A Request is one typed call: the value is the parameters (as JSON), R is its
// result. The methods of the services are one line on top of [Do]; use Do with
// a request of your own for a REST method that this package lacks.
//
// A request may also have
//
//	Repeatable() bool
//
// When that is true, running the method twice does no harm, and the client may
// send it again when nobody knows whether it ran.
type Request[R any] interface {
	Method() string
	Decode(result []byte) (R, error)
}

// Returns makes a struct a Request[R] when it is embedded: it has the default
// Decode, which reads the result as JSON and takes null and an ID of zero for a
// failure. A request whose result changes shape brings its own Decode.
type Returns[R any] struct{}

// Decode reads the result of a call.
func (Returns[R]) Decode(result []byte) (R, error) {
	var r R
	if string(result) == "null" {
		return r, errors.New("the result is null")
	}
	if u, ok := any(&r).(json.Unmarshaler); ok { // result is JSON already
		if err := u.UnmarshalJSON(result); err != nil {
			return r, err
		}
	} else if err := json.Unmarshal(result, &r); err != nil {
		return r, err
	}
	if id, ok := any(r).(ID); ok && id == 0 {
		return r, errors.New("the result holds no id")
	}
	return r, nil
}

// Do sends a request and decodes its result.
func Do[R any](ctx context.Context, c *Client, req Request[R]) (R, error) {
	var none R
	cl, err := c.newCall(req.Method(), req)
	if err != nil {
		return none, err
	}
	result, err := c.core.do(ctx, cl)
	if err != nil {
		return none, err
	}
	r, err := req.Decode(result)
	if err != nil {
		return none, undecodable(cl, err)
	}
	return r, nil
}

// Call calls any REST method by name, for what this package has no type for.
//
// params must encode to a JSON object, or be nil; result is a pointer for the
// JSON result, or nil. CLIENT_ID is added where a webhook needs it. A parameter
// whose name would change the meaning of the whole request (auth, token, method
// and their kin; start is allowed) is refused. The call is not repeated when
// nobody knows whether it ran.
func (c *Client) Call(ctx context.Context, method string, params, result any) error {
	if v := reflect.ValueOf(result); result != nil && (v.Kind() != reflect.Pointer || v.IsNil()) {
		return &Error{Method: method, Description: "the result must be a pointer", kind: ErrInvalid}
	}
	cl, err := c.newCall(method, untyped{params})
	if err != nil {
		return err
	}
	raw, err := c.core.do(ctx, cl)
	if err != nil || result == nil {
		return err
	}
	if err := json.Unmarshal(raw, result); err != nil {
		return undecodable(cl, err)
	}
	return nil
}

// untyped hides what a request can do beside being parameters: Call does what
// it is told.
type untyped struct{ params any }

func (u untyped) MarshalJSON() ([]byte, error) { return json.Marshal(u.params) }
