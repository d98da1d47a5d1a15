package imbot

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/imbot-go/imbot/internal/inbox"
	"github.com/imbot-go/imbot/internal/phpform"
)

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
	defer body.Close()
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

// readEvent reads a request up to the point where it has to be verified.
func readEvent(w http.ResponseWriter, r *http.Request, room *inbox.Bodies) (*EventMeta, inbox.Form, error) {
	body, err := readForm(w, r, room)
	if err != nil {
		return nil, body, err
	}
	meta := eventMeta(body.Root)
	if meta.Name == "" {
		body.Close()
		return nil, body, &EventError{StatusCode: http.StatusBadRequest, reason: "the body names no event"}
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

// readForm reads the body of a request of the portal. w may be nil: then there is no
// way to hurry the sender.
func readForm(w http.ResponseWriter, r *http.Request, room *inbox.Bodies) (inbox.Form, error) {
	form, refused := room.ReadForm(w, r)
	if refused != nil {
		return form, &EventError{StatusCode: refused.Status, reason: refused.Reason, cause: refused.Cause}
	}
	return form, nil
}
