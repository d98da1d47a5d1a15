package inbox

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/imbot-go/imbot/internal/phpform"
)

// maxForm bounds the body of an event; real ones have a few KiB.
const maxForm = 4 << 20

// bodyTime is how long the sender of a body may take.
const bodyTime = 30 * time.Second

// BodyBytes bounds what bodies hold until it is known whether they are genuine.
const BodyBytes = 16 << 20

// Form is the body of a request of the portal.
type Form struct {
	Root phpform.Node
	Size int // bytes that it and its event hold in memory

	body *Body
}

// Close gives the form's room back, when it is known whether it is genuine.
func (f Form) Close() { f.body.Close() }

// Unreadable says why a request holds no form.
type Unreadable struct {
	Status int // to answer with
	Reason string
	Cause  error
}

// ReadForm reads the body of a request of the portal, a POST, as a form or as JSON. w may be
// nil: then there is no way to hurry the sender. The caller closes the form.
func (s *Bodies) ReadForm(w http.ResponseWriter, r *http.Request) (Form, *Unreadable) {
	bad := func(reason string, cause error) (Form, *Unreadable) {
		return Form{}, &Unreadable{http.StatusBadRequest, reason, cause}
	}
	switch {
	case r.Method != http.MethodPost:
		return Form{}, &Unreadable{http.StatusMethodNotAllowed, "not a POST", nil}
	case r.Body == nil:
		return bad("there is no body", nil)
	case r.ContentLength > maxForm:
		return bad("the body is too long: more than 4 MiB", nil)
	}
	body, err := s.Read(r.Body, r.ContentLength, maxForm, hurry(w, r))
	switch {
	case errors.Is(err, ErrNoRoom):
		return Form{}, crowded(err)
	case errors.Is(err, ErrTooLong):
		return bad("the body is too long: more than 4 MiB", nil)
	case err != nil:
		return bad("the body broke off", err)
	}
	if err := body.Reserve(phpform.MostSize(body.Bytes)); err != nil {
		body.Close()
		return Form{}, crowded(err)
	}
	root, err := parse(r.Header.Get("Content-Type"), body.Bytes)
	if err != nil {
		body.Close()
		return bad("the body cannot be read", err)
	}
	size := root.Size() + listedSize(root)
	body.Settle(size)
	return Form{Root: root, Size: size, body: body}, nil
}

// crowded is for what there is no room for.
func crowded(cause error) *Unreadable {
	return &Unreadable{http.StatusServiceUnavailable, "there is no room for the body, so it was not handled: let a proxy keep strangers away from this URL", cause}
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

// parse reads a form, as portals post it, or JSON where the header or the first byte says so
// (livecheck: post-form).
func parse(contentType string, body []byte) (phpform.Node, error) {
	kind, _, _ := strings.Cut(contentType, ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	if kind == "application/json" || strings.HasSuffix(kind, "+json") || bytes.HasPrefix(body, []byte("{")) {
		return phpform.ParseJSON(body)
	}
	return phpform.Parse(body)
}
