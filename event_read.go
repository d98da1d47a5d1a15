package imbot

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/imbot-go/imbot/internal/phpform"
)

// maxEvent bounds the body of an event; real ones have a few KiB.
const maxEvent = 4 << 20

// An EventError says why a request is not an event to act on.
type EventError struct {
	StatusCode int // to answer with: 400 unreadable, 401 not trusted, 405 not a POST, 503 could not be checked
	reason     string
	cause      error
}

// Error returns the reason. It holds nothing of the request.
func (e *EventError) Error() string {
	if e.cause != nil {
		return "imbot: event refused: " + e.reason + ": " + strings.TrimPrefix(e.cause.Error(), "imbot: ")
	}
	return "imbot: event refused: " + e.reason
}

// Unwrap returns the error of the verifier or of reading.
func (e *EventError) Unwrap() error { return e.cause }

// ParseEvent reads, verifies and decodes one request of the portal: a POST of at
// most 4 MiB, as a form or as JSON, with at most 10,000 keys in at most 64 levels.
// Only the body counts, never the query. An event without a type of its own is
// an [UnknownEvent]. A request that is refused gives an [*EventError] with the
// HTTP status to answer; [EventHandler] does all that and more.
func ParseEvent(r *http.Request, v Verifier) (Event, error) {
	meta, _, err := readEvent(r)
	if err != nil {
		return nil, err
	}
	if err := refusal(verifyEvent(r.Context(), meta, v)); err != nil {
		return nil, err
	}
	return decodeEvent(*meta), nil
}

func verifyEvent(ctx context.Context, meta *EventMeta, v Verifier) error {
	if v == nil {
		return untrusted("there is no verifier", nil)
	}
	return v.Verify(ctx, meta)
}

// refusal makes an [*EventError] of a verifier's error; nil stays nil.
func refusal(err error) error {
	if err == nil {
		return nil
	}
	if e := (*EventError)(nil); errors.As(err, &e) {
		return err
	}
	return untrusted("not trusted", err)
}

// untrusted is the error for what is refused as not genuine.
func untrusted(reason string, cause error) *EventError {
	return &EventError{StatusCode: http.StatusUnauthorized, reason: reason, cause: cause}
}

// unchecked is the error for what could not be checked.
func unchecked(reason string, cause error) *EventError {
	return &EventError{StatusCode: http.StatusServiceUnavailable, reason: reason, cause: cause}
}

// readEvent reads a request up to the point where it has to be verified. It also
// returns how long the body is.
func readEvent(r *http.Request) (meta *EventMeta, size int, err error) {
	root, size, err := readForm(r)
	if err != nil {
		return nil, 0, err
	}
	meta = eventMeta(root)
	if meta.Name == "" {
		return nil, 0, &EventError{StatusCode: http.StatusBadRequest, reason: "the body names no event"}
	}
	return meta, size, nil
}

func eventMeta(root *phpform.Node) *EventMeta {
	top := fields{root}
	return &EventMeta{
		Name: strings.ToUpper(top.text("event")),
		Time: top.unix("ts"),
		Auth: top.sub("auth").auth(),
		Raw:  RawEvent{root},
	}
}

// readForm reads the body of a request of the portal, and returns how long it is.
func readForm(r *http.Request) (root *phpform.Node, size int, err error) {
	if r.Method != http.MethodPost {
		return nil, 0, &EventError{StatusCode: http.StatusMethodNotAllowed, reason: "not a POST"}
	}
	unreadable := func(reason string, cause error) (*phpform.Node, int, error) {
		return nil, 0, &EventError{StatusCode: http.StatusBadRequest, reason: reason, cause: cause}
	}
	switch {
	case r.Body == nil:
		return unreadable("there is no body", nil)
	case r.ContentLength > maxEvent:
		return unreadable("the body is too long", nil)
	}
	var body bytes.Buffer
	if n := r.ContentLength; n > 0 { // the sender may promise much and send nothing: make room for a usual event at most
		body.Grow(int(min(n, 64<<10)) + bytes.MinRead)
	}
	switch n, err := body.ReadFrom(io.LimitReader(r.Body, maxEvent+1)); {
	case err != nil:
		return unreadable("the body broke off", err)
	case n > maxEvent:
		return unreadable("the body is too long", nil)
	}
	root, err = parseBody(r.Header.Get("Content-Type"), body.Bytes())
	if err != nil {
		return unreadable("the body cannot be read", err)
	}
	return root, body.Len(), nil
}

// parseBody reads a form, or JSON where the header or the first byte says so.
func parseBody(contentType string, body []byte) (*phpform.Node, error) {
	kind, _, _ := mime.ParseMediaType(contentType)
	if kind == "application/json" || strings.HasSuffix(kind, "+json") || bytes.HasPrefix(body, []byte("{")) {
		return phpform.ParseJSON(body)
	}
	return phpform.Parse(body)
}
