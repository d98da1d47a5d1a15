package imbot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/internal/inbox"
	"github.com/imbot-go/imbot/internal/rest"
	"github.com/imbot-go/imbot/internal/slash"
)

// EventHandler is an [http.Handler] for the handler URL of bots. It answers at
// once and calls back from a bounded pool, in order within one dialog, different
// dialogs side by side. Fill in the fields before the first request, and do not
// copy it afterwards.
//
// A sender has 30 s for its body, and all bodies that are not verified yet hold 16 MiB
// at most, so the handler is safe behind any [http.Server]. Beyond that the body that has
// held most for longest gets 503.
//
// Every event is verified. One that cannot be trusted gets 401, one that cannot
// be read 400, a request that is no POST 405, and none of them reaches the bot.
// What an [OAuthApp] has to ask its authorization server about is answered with
// 200 and verified afterwards; a refusal there goes to OnError.
// When the queue is full, in events or in bytes, or after Shutdown, the answer is 503:
// the portal does not send an event twice, so that one is lost (and counted).
//
// The queue behind the portal may all the same deliver an event twice, and every
// URL that an event is bound to gets it. It is handled once: a message by its id
// and the bots concerned, any other event by its time and its data, one about the
// application also by its tokens. That time has whole seconds, so of two equal
// presses of one person within a second one counts.
//
// The context of a callback is not the request's, which is over by then; it ends
// when the callback returns, or with the context of [EventHandler.Shutdown], and its first 20
// calls are [ClassAnswer]. A callback's error, its panic, or its [runtime.Goexit] goes to
// OnError, and the handler goes on. A Verifier that panics refuses the event with 503, Claims
// that panic are as good as none; the log has the stack.
type EventHandler struct {
	Verifier Verifier // required; Webhook.Verifier for a webhook's bots

	OnMessage       func(context.Context, *MessageAddEvent) error // answer no whisper of operators aloud: see MessageAddEvent.IsWhisper
	OnMessageUpdate func(context.Context, *MessageUpdateEvent) error
	OnMessageDelete func(context.Context, *MessageDeleteEvent) error
	OnCommand       func(context.Context, *CommandAddEvent) error // with Commands: one that is not in the table; without it that is an error
	OnContext       func(context.Context, *ContextGetEvent) error
	OnJoinChat      func(context.Context, *JoinChatEvent) error
	OnBotDelete     func(context.Context, *BotDeleteEvent) error
	OnInstall       func(context.Context, *AppInstallEvent) error
	OnUpdate        func(context.Context, *AppUpdateEvent) error
	OnUninstall     func(context.Context, *AppUninstallEvent) error
	OnEvent         func(context.Context, Event) error // every event without a callback of its own

	Commands   SlashCommands // run by their names, in any case
	Middleware []Middleware  // around every event; the first is the outermost

	// Beside says which events wait neither for their dialog nor for a worker, such as the
	// press of a Stop button that calls Interrupt. All others keep their order. It is asked
	// before the portal gets its answer, once the event is known to be genuine, so it must
	// not take long.
	Beside func(Event) bool

	OnError func(ctx context.Context, ev Event, err error) // default: written to Logger
	Logger  *slog.Logger                                   // default: slog.Default()
	Workers int                                            // callbacks at a time, default 512; what an OAuthApp checks, and OnError after a refusal there, run beside them
	Queue   int                                            // events that wait, default 1024; a dialog whose callback hangs can fill it, so give callbacks a time-out

	// QueueBytes is how much memory the accepted events may hold that wait or are being
	// handled, default 64 MiB. One alone may hold more.
	QueueBytes int

	// Claims say which events were taken before, by any of the programs that share them. After
	// an error they are left alone for 5 s, in which a program knows only what it has taken
	// itself. An event that was claimed is lost if its program is killed. Default: NewClaims(8192).
	Claims driver.Claims

	// Inbox keeps accepted events until they are handled, so that a restart, a crash or kill -9
	// loses none: what was waiting, or running, is handled afterwards, or by another process that
	// shares the inbox. An event is handled at least once: again when its process died in the
	// middle, see [Redelivered]. Events of Beside are not kept, and Claims are asked about them only.
	// The handler handles whatever is in the inbox, so bots with other callbacks need one of their own
	// (a file, a schema); Shutdown closes it. While no event can be stored, they wait in
	// memory (Queue, Patience), are accepted all the same, and /readyz says "degraded".
	Inbox    driver.Inbox
	MaxTries int           // starts of a callback that ends its process each time, default 5; then the event is a dead letter
	Patience time.Duration // how long an event waits for an Inbox that is away, default 5 s; then it is handled from memory. Below zero: it gets 503 at once

	once       sync.Once
	commands   slash.Table[*CommandAddEvent]
	chain      func() Callback     // the callbacks within Middleware; see start
	in         *inbox.Inbox[Event] // see start
	bodies     *inbox.Bodies       // that come in; see start
	unreadable atomic.Int64        // requests that hold no event
	crowded    atomic.Int64        // requests that there was no room to read
}

// EventStats counts the requests that an [EventHandler] has seen. After a
// Shutdown that did not drain, Accepted − Handled − Failed − Duplicate were given
// up.
type EventStats struct {
	Accepted  int64 // answered with 200
	Handled   int64 // the callback returned nil, or there was none
	Failed    int64 // the callback returned an error or panicked, or a late verification refused the event
	Duplicate int64 // accepted before, so not handled again
	Refused   int64 // answered with 400, 401, 405, or 503 because the token store failed or took too long, or the Verifier panicked
	Dropped   int64 // answered with 503 for want of room (in the queue, or for another body), or because Claims ended the goroutine: lost, if it was genuine
	Queued    int64 // waiting now, in this process

	// With an Inbox, where Accepted = Handled + Failed + Duplicate + Buried + Queued holds only
	// over all processes.
	Stored      int64         // by this process
	Spooled     int64         // that waited in memory, because the Inbox was away
	Redelivered int64         // started for at least the second time
	Buried      int64         // given up: MaxTries, or they cannot be read
	StoreErrors int64         // of the Inbox
	Oldest      time.Duration // since the oldest was stored that runs in this process now
}

// ServeHTTP implements [http.Handler].
func (h *EventHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in := h.start()
	meta, body, err := readEvent(w, r, h.bodies)
	if err != nil {
		count := &h.unreadable
		if errors.Is(err, inbox.ErrNoRoom) {
			count = &h.crowded
		}
		count.Add(1)
		h.refuse(w, r, err)
		return
	}
	defer body.Close()
	err = in.Receive(r.Context(), h.arrival(meta, body.Size))
	if err == nil {
		w.WriteHeader(http.StatusOK) // 202 or 204 may not be success for the portal (livecheck: handler-time)
		return
	}
	if dropped := (*inbox.DroppedError)(nil); errors.As(err, &dropped) {
		h.logger().ErrorContext(r.Context(), "imbot: event lost, it is not handled and the portal does not send it again", "event", meta.Name, "error", err)
		http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
		return
	}
	if panicked := (*inbox.PanicError)(nil); errors.As(err, &panicked) {
		err = unchecked("it could not be verified", err)
	}
	h.refuse(w, r, refusal(err))
}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (h *EventHandler) Format(f fmt.State, verb rune) {
	type eventHandler EventHandler
	printPlain(f, verb, (*eventHandler)(h))
}

// arrival is an event that comes in.
func (h *EventHandler) arrival(meta *EventMeta, size int) inbox.Arrival[Event] {
	return inbox.Arrival[Event]{
		Name: meta.Name, Sender: meta.Auth.MemberID, Line: orderKey(meta), Proof: meta.Auth.ApplicationToken, Size: size,
		Verify: func(ctx context.Context) (inbox.Verdict, error) { return h.verify(ctx, meta) },
		Decode: func() Event { return decodeEvent(*meta) },
	}
}

// verify gives what is known about an event before the portal gets its answer.
func (h *EventHandler) verify(ctx context.Context, meta *EventMeta) (inbox.Verdict, error) {
	if v, ok := h.Verifier.(lateVerifier); ok {
		return v.verdict(ctx, meta)
	}
	return inbox.Verdict{}, verifyEvent(ctx, meta, h.Verifier)
}

// refuse answers a request that is not an event to act on.
func (h *EventHandler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status, level := http.StatusBadRequest, slog.LevelWarn
	if e := (*EventError)(nil); errors.As(err, &e) {
		status = e.StatusCode
	}
	if status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodPost)
		level = slog.LevelDebug // somebody looks whether the address works
	}
	h.logger().Log(r.Context(), level, "imbot: event refused", "error", err)
	http.Error(w, http.StatusText(status), status)
}

// report tells OnError, or the log, what went wrong with an event.
func (h *EventHandler) report(ctx context.Context, ev Event, err error) {
	if h.OnError == nil {
		h.logger().ErrorContext(ctx, "imbot: event callback failed", append(eventAttrs(ev), "error", err)...)
		return
	}
	h.OnError(ctx, ev, err)
}

// Handle handles one event now, within Middleware: one that [ParseEvent] has read, or that a queue
// of yours has kept. It neither verifies the event nor knows whether it was handled before, and a
// panic is the caller's.
func (h *EventHandler) Handle(ctx context.Context, ev Event) error {
	h.start()
	return h.chain()(rest.WithAnswers(ctx), ev)
}

// settled runs the callback of an event. What comes of an Interrupt is no error, for Middleware
// neither.
func (h *EventHandler) settled(ctx context.Context, ev Event) error {
	return inbox.Settle(ctx, h.call(ctx, ev))
}

// call runs the callback of an event.
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
		if len(h.commands) > 0 && len(ev.Commands) > 0 {
			return h.runCommands(ctx, ev)
		}
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

// Interrupt ends the context of the callback that runs for the dialog of an event; false: none
// does. The cause is [ErrInterrupted], and an error that comes of nothing else is none. Call it
// from an event of Beside: a callback in the order of its dialog would end itself. An event of
// Beside is never ended. In a group chat the callback may be that of somebody else's message.
//
// It knows what runs in this handler: where several programs share the events, the same one
// has to get all of a portal.
func (h *EventHandler) Interrupt(ev Event) bool {
	return h.start().Interrupt(lineOf(ev.MemberID(), cmp.Or(ev.Meta().Dialog(), ev.Dialog())))
}

// Go runs work of an event that its dialog does not wait for, and returns at once. The context of
// the work has the values of ctx, its [Class] included; it ends with the work, or with that of
// Shutdown, not with the callback. Shutdown and Idle wait for it. An error or panic goes to
// OnError with ev and is not in Stats.
//
// Nothing keeps the work if the program dies. At most 1,024 run at a time, the next one gets
// [ErrFull]; after Shutdown it is [ErrClosed].
func (h *EventHandler) Go(ctx context.Context, ev Event, work func(context.Context) error) error {
	return h.start().Go(ctx, ev, work)
}

// Redelivered reports whether the callback with this context may have run before: its process was
// killed, or lost its [EventHandler.Inbox], before the event was marked as handled. Look then into
// what the first run has left, before anything is done that must not be done twice. It does
// not tell of a run that Shutdown cut off, whose context ended: a mark in a [State] does.
func Redelivered(ctx context.Context) bool { return inbox.Redelivered(ctx) }

// Run works off what Inbox holds, without a listener, until ctx ends or the handler is shut down.
// A [Server] does that, too; without it, and without Run, old events wait for the first request. What
// runs when ctx ends goes on: call Shutdown behind it.
func (h *EventHandler) Run(ctx context.Context) error {
	h.start().Run(ctx)
	return nil
}

// Degraded reports whether Inbox is away, so that accepted events are kept in memory.
func (h *EventHandler) Degraded() bool { return h.start().Degraded() }

// Shutdown refuses further events and returns when all accepted ones and the work of Go are
// done. When ctx ends first, so do the contexts of the running callbacks, the
// waiting events are given up, and the error says how many. What Inbox holds is not waited for
// and others go on with it at once, also with what had to be cut off.
func (h *EventHandler) Shutdown(ctx context.Context) error { return h.start().Shutdown(ctx) }

// Idle returns when nothing is queued or running, or with the error of ctx. With an Inbox that
// counts its events ([driver.InboxMeter]), those of all processes have to be handled.
func (h *EventHandler) Idle(ctx context.Context) error { return h.start().Idle(ctx) }

// Stats returns the counters.
func (h *EventHandler) Stats() EventStats {
	s := h.start().Stats()
	stats := EventStats{
		Accepted: s.Accepted, Handled: s.Handled, Failed: s.Failed, Duplicate: s.Duplicate,
		Refused: s.Refused + h.unreadable.Load(), Dropped: s.Dropped + h.crowded.Load(), Queued: s.Queued,
		Stored: s.Stored, Spooled: s.Spooled, Redelivered: s.Redelivered, Buried: s.Buried, StoreErrors: s.StoreErrors,
	}
	if !s.Oldest.IsZero() {
		stats.Oldest = max(0, time.Since(s.Oldest)) // it is the engine's clock
	}
	return stats
}

// start makes the inbox, once: the fields are filled in by then.
func (h *EventHandler) start() *inbox.Inbox[Event] {
	h.once.Do(func() {
		h.chain = sync.OnceValue(func() Callback { return inbox.Wrap(h.settled, h.Middleware) })
		h.commands = h.Commands.table()
		cfg := inbox.Config[Event]{
			Key: eventKey, Handle: h.Handle, Failed: h.report, Claims: h.Claims, Logger: h.logger,
			Workers: h.Workers, Queue: h.Queue, Bytes: h.QueueBytes,
			Store: h.Inbox, MaxTries: h.MaxTries, Patience: h.Patience, Encode: EncodeEvent, Decode: DecodeEvent,
			Arrive: func(ev Event) inbox.Arrival[Event] { return h.arrival(ev.Meta(), 0) },
		}
		if h.Beside != nil || h.commands.AnyBeside() {
			cfg.Beside = h.besides
		}
		h.in, h.bodies = inbox.New(cfg.OrUsual()), inbox.NewBodies(inbox.BodyBytes)
	})
	return h.in
}

func (h *EventHandler) logger() *slog.Logger {
	if h.Logger == nil {
		return calm(slog.Default())
	}
	return calm(h.Logger)
}
