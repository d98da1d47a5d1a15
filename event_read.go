package imbot

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/imbot-go/imbot/internal/inbox"
	"github.com/imbot-go/imbot/internal/phpform"
)

// maxEvent bounds the body of an event; real ones have a few KiB.
const maxEvent = 4 << 20

// An EventError says why a request is not an event to act on.
type EventError struct {
	StatusCode int // to answer with: 400 unreadable, 401 not trusted, 405 not a POST, 503 could not be checked, or no room
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
// HTTP status to answer.
//
// [EventHandler] does all that and more: it also bounds how long the sender may take,
// and what all requests together hold in memory.
func ParseEvent(r *http.Request, v Verifier) (Event, error) {
	meta, body, err := readEvent(nil, r, new(inbox.Bodies))
	if err != nil {
		return nil, err
	}
	defer body.done()
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

// crowded is the error for what there is no room for.
func crowded(cause error) *EventError {
	return &EventError{StatusCode: http.StatusServiceUnavailable, reason: "there is no room for the body, so it was not handled: let a proxy keep strangers away from this URL", cause: cause}
}

// readEvent reads a request up to the point where it has to be verified.
func readEvent(w http.ResponseWriter, r *http.Request, room *inbox.Bodies) (*EventMeta, form, error) {
	body, err := readForm(w, r, room)
	if err != nil {
		return nil, form{}, err
	}
	meta := eventMeta(body.root)
	if meta.Name == "" {
		body.done()
		return nil, form{}, &EventError{StatusCode: http.StatusBadRequest, reason: "the body names no event"}
	}
	return meta, body, nil
}

func eventMeta(root phpform.Node) *EventMeta {
	top := fields{root}
	return &EventMeta{
		Name: strings.ToUpper(top.text("event")),
		Time: top.unix("ts"),
		Auth: top.sub("auth").auth(),
		Raw:  RawEvent{root},
	}
}

// form is the body of a request of the portal.
type form struct {
	root phpform.Node
	size int    // bytes that it and its event hold in memory
	done func() // gives its room back, when it is known whether it is genuine
}

// bodyTime is how long the sender of a body may take.
const bodyTime = 30 * time.Second

// bodyBytes bounds what bodies hold until it is known whether they are genuine.
const bodyBytes = 16 << 20

// readForm reads the body of a request of the portal. w may be nil: then there is no
// way to hurry the sender.
func readForm(w http.ResponseWriter, r *http.Request, room *inbox.Bodies) (form, error) {
	if r.Method != http.MethodPost {
		return form{}, &EventError{StatusCode: http.StatusMethodNotAllowed, reason: "not a POST"}
	}
	unreadable := func(reason string, cause error) (form, error) {
		return form{}, &EventError{StatusCode: http.StatusBadRequest, reason: reason, cause: cause}
	}
	switch {
	case r.Body == nil:
		return unreadable("there is no body", nil)
	case r.ContentLength > maxEvent:
		return unreadable("the body is too long: more than 4 MiB", nil)
	}
	body, err := room.Read(r.Body, r.ContentLength, maxEvent, hurry(w, r))
	switch {
	case errors.Is(err, inbox.ErrNoRoom):
		return form{}, crowded(err)
	case errors.Is(err, inbox.ErrTooLong):
		return unreadable("the body is too long: more than 4 MiB", nil)
	case err != nil:
		return unreadable("the body broke off", err)
	}
	if err := body.Reserve(phpform.MostSize(body.Bytes)); err != nil {
		body.Close()
		return form{}, crowded(err)
	}
	root, err := parseBody(r.Header.Get("Content-Type"), body.Bytes)
	if err != nil {
		body.Close()
		return unreadable("the body cannot be read", err)
	}
	size := root.Size() + listedSize(root)
	body.Settle(size)
	return form{root: root, size: size, done: body.Close}, nil
}

// listedSize is what the lists of an event take beside the tree: bots, commands, files.
func listedSize(root phpform.Node) int {
	const most = 320 // bytes of the largest of the three types
	data := root.At("data")
	return most * (data.At("BOT").Len() + data.At("COMMAND").Len() + data.At("PARAMS", "FILES").Len() + data.At("PARAMS", "PARAMS", "FILE_ID").Len())
}

// hurry gives the sender of a body bodyTime, unless the server gives it less. hangUp
// ends the reading at once. A writer without deadlines has neither.
func hurry(w http.ResponseWriter, r *http.Request) (hangUp func()) {
	if w == nil {
		return func() {}
	}
	conn := http.NewResponseController(w)
	if srv, ok := r.Context().Value(http.ServerContextKey).(*http.Server); !ok || srv.ReadTimeout <= 0 || srv.ReadTimeout > bodyTime {
		_ = conn.SetReadDeadline(time.Now().Add(bodyTime)) // until the end of the body: there net/http lifts it
	}
	return func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) }
}

// parseBody reads a form, or JSON where the header or the first byte says so.
func parseBody(contentType string, body []byte) (phpform.Node, error) {
	kind, _, _ := strings.Cut(contentType, ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	if kind == "application/json" || strings.HasSuffix(kind, "+json") || bytes.HasPrefix(body, []byte("{")) {
		return phpform.ParseJSON(body)
	}
	return phpform.Parse(body)
}
