package imbot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/imbot-go/imbot/internal/dispatch"
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
	return verifyEvent(r.Context(), meta, v)
}

// verifyEvent verifies and decodes what was read.
func verifyEvent(ctx context.Context, meta *EventMeta, v Verifier) (Event, error) {
	if v == nil {
		return nil, untrusted("there is no verifier", nil)
	}
	if err := v.Verify(ctx, meta); err != nil {
		return nil, refusal(err)
	}
	return decodeEvent(*meta), nil
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
	if n := r.ContentLength; n > 0 { // a promise: only that of a usual event is believed
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

// EventHandler is an [http.Handler] for the handler URL of bots. It answers at
// once and calls back from a bounded pool, in order within one dialog, different
// dialogs side by side. Fill in the fields before the first request, and do not
// copy it afterwards.
//
// Every event is verified. One that cannot be trusted gets 401, one that cannot
// be read 400, a request that is no POST 405, and none of them reaches the bot.
// What an [OAuthApp] has to ask its authorization server about is answered with
// 200 and verified afterwards; a refusal there goes to OnError.
// When the queue is full, or after Shutdown, the answer is 503: the portal does
// not send an event twice, so that one is lost (and counted).
//
// The queue behind the portal may all the same deliver an event twice, and every
// URL that an event is bound to gets it. It is handled once: a message by its id
// and the bots concerned, any other event by its time and its data, one about the
// application also by its tokens. That time has whole seconds, so of two equal
// presses of one person within a second one counts.
//
// The context of a callback is not the request's, which is over by then; it ends
// with that of [EventHandler.Shutdown]. A callback's error, or its panic, goes to
// OnError; the bot lives on.
type EventHandler struct {
	Verifier Verifier // required; Webhook.Verifier for a webhook's bots

	OnMessage       func(context.Context, *MessageAddEvent) error
	OnMessageUpdate func(context.Context, *MessageUpdateEvent) error
	OnMessageDelete func(context.Context, *MessageDeleteEvent) error
	OnCommand       func(context.Context, *CommandAddEvent) error
	OnContext       func(context.Context, *ContextGetEvent) error
	OnJoinChat      func(context.Context, *JoinChatEvent) error
	OnBotDelete     func(context.Context, *BotDeleteEvent) error
	OnInstall       func(context.Context, *AppInstallEvent) error
	OnUpdate        func(context.Context, *AppUpdateEvent) error
	OnUninstall     func(context.Context, *AppUninstallEvent) error
	OnEvent         func(context.Context, Event) error // every event without a callback of its own

	OnError func(ctx context.Context, ev Event, err error) // default: written to Logger
	Logger  *slog.Logger                                   // default: slog.Default()
	Workers int                                            // callbacks at a time, default 64; what an OAuthApp checks, and OnError after a refusal there, run beside them
	Queue   int                                            // events that wait, default 1024; a dialog whose callback hangs can fill it, so give callbacks a time-out
	Seen    SeenEvents                                     // default: NewSeenEvents(8192)

	once sync.Once
	pool *dispatch.Pool

	guardian seenGuard

	accepted, handled, failed, refused, dropped, duplicate atomic.Int64

	gate *gate // for events that are not verified yet
}

// EventStats counts the requests that an [EventHandler] has seen. After a
// Shutdown that did not drain, Accepted − Handled − Failed − Duplicate were given
// up.
type EventStats struct {
	Accepted  int64 // answered with 200
	Handled   int64 // the callback returned nil, or there was none
	Failed    int64 // the callback returned an error or panicked, or a late verification refused the event
	Duplicate int64 // accepted before, so not handled again
	Refused   int64 // answered with 400, 401, 405, or 503 because the token store failed or took too long
	Dropped   int64 // answered with 503 for want of room: lost, if it was genuine
	Queued    int64 // waiting now
}

// ServeHTTP implements [http.Handler].
func (h *EventHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.start()
	ev, st, err := h.receive(r)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	if st.later == nil {
		err = h.unlessSeen(r.Context(), ev, func() error { return h.submit(ev) })
	} else {
		err = h.submitUnverified(ev, st)
	}
	if st.beside != nil {
		h.gate.doBeside(ev.Meta().Auth.MemberID, st.beside)
	}
	if err != nil {
		h.dropped.Add(1)
		h.logger().ErrorContext(r.Context(), "imbot: event lost", "event", ev.Meta().Name, "error", err)
		http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
		return
	}
	h.accepted.Add(1)
	w.WriteHeader(http.StatusOK)
}

// refuse answers a request that is not an event to act on.
func (h *EventHandler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	h.refused.Add(1)
	h.logger().WarnContext(r.Context(), "imbot: event refused", "error", err)
	status := http.StatusBadRequest
	if e := (*EventError)(nil); errors.As(err, &e) {
		status = e.StatusCode
	}
	if status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodPost)
	}
	http.Error(w, http.StatusText(status), status)
}

// orderKey names the dialog of an event. Events without one have no order.
func orderKey(m *EventMeta) string {
	dialog := m.Raw.Get("data", "PARAMS", "DIALOG_ID")
	if dialog == "" {
		return ""
	}
	return m.Auth.MemberID + "\x00" + dialog
}

// handle runs the callback of an event.
func (h *EventHandler) handle(ctx context.Context, ev Event) {
	err := h.guard(ctx, func() error { return h.call(ctx, ev) })
	if err == nil {
		h.handled.Add(1)
		return
	}
	h.fail(ctx, ev, err)
}

// fail counts and reports what went wrong with an event.
func (h *EventHandler) fail(ctx context.Context, ev Event, err error) {
	h.failed.Add(1)
	if h.OnError == nil {
		h.logger().ErrorContext(ctx, "imbot: event callback failed", "event", ev.Meta().Name, "error", err)
		return
	}
	_ = h.guard(ctx, func() error { // a panic of OnError is in the log
		h.OnError(ctx, ev, err)
		return nil
	})
}

func (h *EventHandler) call(ctx context.Context, ev Event) error {
	switch ev := ev.(type) {
	case *MessageAddEvent:
		if h.OnMessage != nil {
			return h.OnMessage(ctx, ev)
		}
	case *MessageUpdateEvent:
		if h.OnMessageUpdate != nil {
			return h.OnMessageUpdate(ctx, ev)
		}
	case *MessageDeleteEvent:
		if h.OnMessageDelete != nil {
			return h.OnMessageDelete(ctx, ev)
		}
	case *CommandAddEvent:
		if h.OnCommand != nil {
			return h.OnCommand(ctx, ev)
		}
	case *ContextGetEvent:
		if h.OnContext != nil {
			return h.OnContext(ctx, ev)
		}
	case *JoinChatEvent:
		if h.OnJoinChat != nil {
			return h.OnJoinChat(ctx, ev)
		}
	case *BotDeleteEvent:
		if h.OnBotDelete != nil {
			return h.OnBotDelete(ctx, ev)
		}
	case *AppInstallEvent:
		if h.OnInstall != nil {
			return h.OnInstall(ctx, ev)
		}
	case *AppUpdateEvent:
		if h.OnUpdate != nil {
			return h.OnUpdate(ctx, ev)
		}
	case *AppUninstallEvent:
		if h.OnUninstall != nil {
			return h.OnUninstall(ctx, ev)
		}
	}
	if h.OnEvent != nil {
		return h.OnEvent(ctx, ev)
	}
	return nil
}

// guard turns a panic of the user's code into an error, and logs its stack.
func (h *EventHandler) guard(ctx context.Context, f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("imbot: panic in an event callback: %v", p)
			h.logger().ErrorContext(ctx, "imbot: panic in an event callback", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
	}()
	return f()
}

// Shutdown refuses further events and returns when all accepted ones are
// handled. When ctx ends first, so do the contexts of the running callbacks, the
// waiting events are given up, and the error says how many.
func (h *EventHandler) Shutdown(ctx context.Context) error {
	h.start()
	h.pool.Close()
	err := h.gate.pool.Shutdown(ctx) // it feeds the other one
	return errors.Join(err, h.pool.Shutdown(ctx))
}

// Idle returns when nothing is queued or running, or with the error of ctx.
func (h *EventHandler) Idle(ctx context.Context) error {
	h.start()
	if err := h.gate.pool.Idle(ctx); err != nil {
		return err
	}
	return h.pool.Idle(ctx)
}

// Stats returns the counters.
func (h *EventHandler) Stats() EventStats {
	h.start()
	return EventStats{
		Accepted: h.accepted.Load(), Handled: h.handled.Load(), Failed: h.failed.Load(), Duplicate: h.duplicate.Load(),
		Refused: h.refused.Load(), Dropped: h.dropped.Load(), Queued: int64(h.pool.Queued() + h.gate.pool.Queued()),
	}
}

// start makes the pools.
func (h *EventHandler) start() {
	h.once.Do(func() {
		workers := h.Workers
		if workers <= 0 {
			workers = 64
		}
		h.pool, h.gate = dispatch.New(workers, h.queue()), newGate(h.queue())
	})
}

func (h *EventHandler) queue() int {
	if h.Queue <= 0 {
		return 1024
	}
	return h.Queue
}

func (h *EventHandler) logger() *slog.Logger {
	if h.Logger == nil {
		return slog.Default()
	}
	return h.Logger
}
