package imbot

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"

	"github.com/imbot-go/imbot/internal/phpform"
	"github.com/imbot-go/imbot/internal/rest"
	"github.com/imbot-go/imbot/internal/secret"
)

// A Request is one typed call: the value is the parameters (as JSON), R is its
// result. The methods of the services are one line on top of [Do]; use Do with
// a request of your own for a REST method that this package lacks.
//
// A request may also be a [Repeater], a [Checker] or [Secretive].
type Request[R any] interface {
	Method() string
	Decode(result []byte) (R, error)
}

// What a request may be, beside a [Request]. Write
//
//	var _ imbot.Checker = MyRequest{}
//
// beside yours, so that a wrong signature does not compile.
type (
	// Repeater says whether running the method twice does no harm. When it is true,
	// the client may send the request again when nobody knows whether it ran.
	//
	// It may also have Ran(ErrorCode) bool, for a result that is [OK]: which codes say
	// that the method has run before, such as that what it removes is gone. When
	// an attempt fails with one, after another whose outcome is unknown, the call has succeeded.
	Repeater interface{ Repeatable() bool }

	// Checker refuses a request before it is sent. The call then fails with an
	// [*Error] that matches [ErrInvalid], and whose Code is the [ErrorCode] that the
	// error of Check wraps, if it wraps one.
	Checker interface{ Check() error }

	// Secretive names the secrets in a request. They are cut out of every text that
	// enters the error of the call, except those of less than four characters.
	Secretive interface{ Secrets() []string }
)

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
	cl, err := c.newCall(methodOf(req), req)
	if err != nil {
		return none, err
	}
	result, f := c.rest.Do(ctx, cl)
	if f != nil {
		return none, failure(f)
	}
	r, err := req.Decode(result)
	if err != nil {
		return none, undecodable(cl, err)
	}
	return r, nil
}

// methodOf is not generic: were Method called in generic code, the linker would
// keep every exported method of the whole program (findings/linker-method.sh).
func methodOf(req interface{ Method() string }) string { return req.Method() }

// Call calls any REST method by name, for what this package has no type for.
//
// params must encode to a JSON object, or be nil; result is a pointer for the
// JSON result, or nil. CLIENT_ID or botToken is added where a webhook needs it. A parameter
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
	raw, f := c.rest.Do(ctx, cl)
	if f != nil {
		return failure(f)
	}
	if result == nil {
		return nil
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

// newCall checks and encodes a request, once for all attempts.
func (c *Client) newCall(method string, req any) (*rest.Call, error) {
	if !rest.IsMethod(method) {
		return nil, invalid("", "%.40q is not the name of a method", secret.Scrub(method, c.portal.Secrets))
	}
	var secrets []string
	if r, ok := req.(Secretive); ok {
		secrets = r.Secrets()
	}
	if r, ok := req.(Checker); ok {
		if err := r.Check(); err != nil {
			return nil, refused(method, err, slices.Concat(secrets, c.portal.Secrets))
		}
	}
	owner := ownerOf(method)
	var nature rest.Nature
	body := req
	if r, ok := req.(rest.Bulky); ok {
		if params, content := r.Bulk(); len(content) > 0 {
			body, nature.Content = params, content
		}
	}
	params, named, f := rest.Encode(body, owner.token, owner.bot, owner.instead) // it refuses reserved names also in our own requests: others embed them
	if f != nil {
		f.Method, f.Cause = method, secret.Clean(f.Cause, slices.Concat(secrets, c.portal.Secrets))
		return nil, failure(f)
	}
	if c.token != nil {
		secrets = append(slices.Clip(secrets), *c.token)
	}
	params, err := c.own(req, owner, params, named)
	if err != nil {
		return nil, refused(method, err, slices.Concat(secrets, c.portal.Secrets))
	}
	if r, ok := req.(Repeater); ok {
		nature.Repeatable = r.Repeatable()
	}
	_, nature.Batched = req.(rest.Batched)
	if r, ok := req.(interface{ Ran(ErrorCode) bool }); ok {
		nature.Ran = func(code string) bool { return r.Ran(ErrorCode(code)) }
	}
	return c.rest.NewCall(method, params, nature, secrets...), nil
}

// undecodable is the error of a call that ran, but whose result is not what the
// request promises.
func undecodable(cl *rest.Call, err error) *Error {
	e := failure(cl.Undecodable(err))
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrNotAnswered) {
		e.Description = "" // they say it all
	}
	return e
}

// dialogOf names the dialog of a call, whose calls keep their order.
func dialogOf(params []byte) string {
	var dialog, chat, message json.RawMessage
	phpform.Members(params, func(name, value []byte) bool {
		switch is := func(want string) bool { return len(name) == len(want) && strings.EqualFold(string(name), want) }; {
		case is(`"DIALOG_ID"`), is(`"dialogId"`):
			dialog = value
		case is(`"CHAT_ID"`):
			chat = value
		case is(`"MESSAGE_ID"`), is(`"messageId"`):
			message = value
		}
		return true
	})
	if id := jsonText(dialog); id != "" {
		return id
	}
	if id := jsonText(chat); id != "" {
		return "chat" + id
	}
	if id := jsonText(message); id != "" {
		return "message" + id
	}
	return ""
}
