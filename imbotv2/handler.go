package imbotv2

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/internal/inbox"
	"github.com/imbot-go/imbot/internal/rest"
	"github.com/imbot-go/imbot/internal/slash"
)

// EventHandler has a callback for each event: [Poll] calls it with what it fetches, and as an
// [http.Handler] it takes what portals post. Callbacks run in a bounded pool, in order within
// one dialog, different dialogs side by side. Fill in the fields before the first event, and do
// not copy it afterwards.
//
// Messages, edits and deletions by bots are dropped unless FromBots is set: portals tell a bot of
// its own edits, too.
//
// Posted events come at most once, and need a Verifier; everything about them that
// [imbot.EventHandler] says holds here, too. All URLs of the bots of one application get the events of
// all, each bot with a post of its own (livecheck: posts-per-bot), and one token has one URL.
// Fetch events unless a second matters.
//
// The context of a callback ends when the callback returns, or with that of Shutdown, and its first
// 20 calls are [imbot.ClassAnswer]. A callback's error, panic or
// [runtime.Goexit] goes to OnError, and the event counts as handled: to have it again, keep it
// yourself.
type EventHandler struct {
	Verifier imbot.Verifier // of posted events; required for them

	OnMessage       func(context.Context, *MessageAddEvent) error // answer no whisper of operators aloud: see MessageAddEvent.IsWhisper
	OnMessageUpdate func(context.Context, *MessageUpdateEvent) error
	OnMessageDelete func(context.Context, *MessageDeleteEvent) error
	OnJoinChat      func(context.Context, *JoinChatEvent) error   // not for chats that the bot has made itself
	OnCommand       func(context.Context, *CommandAddEvent) error // with Commands: one that is not in the table; without it that is an error
	OnReaction      func(context.Context, *ReactionChangeEvent) error
	OnContext       func(context.Context, *ContextGetEvent) error
	OnBotDelete     func(context.Context, *BotDeleteEvent) error
	OnEvent         func(context.Context, imbot.Event) error // everything else: events of users and applications, of the first generation, unknown ones

	FromBots bool // default: what bots write, change and delete is dropped

	Commands   SlashCommands      // run by their names, in any case
	Middleware []imbot.Middleware // around every event that is not dropped, posted and fetched; the first is the outermost

	// Beside says which events wait neither for their dialog nor for a worker, such as the
	// press of a Stop button that calls Interrupt. All others keep their order. Polling waits
	// for it, so it must not take long.
	Beside func(imbot.Event) bool

	OnError    func(ctx context.Context, ev imbot.Event, err error) // default: written to Logger
	Logger     *slog.Logger                                         // default: slog.Default()
	Workers    int                                                  // callbacks at a time, default 512
	Queue      int                                                  // events that wait, default 1024
	QueueBytes int                                                  // that accepted events may hold, default 64 MiB
	Claims     driver.Claims                                        // of posted events; default: imbot.NewClaims(8192)

	// Inbox keeps posted events as [imbot.EventHandler] says, and fetched ones: these are
	// acknowledged when they are stored, so a callback that takes long holds no queue up. An event is
	// handled at least once, see [imbot.Redelivered].
	Inbox    driver.Inbox
	MaxTries int           // default 5
	Patience time.Duration // of posted events, default 5 s; fetched ones stay with the portal

	once     sync.Once
	commands slash.Table[*CommandAddEvent]
	chain    func() imbot.Callback     // the callbacks within Middleware; see start
	posted   *imbot.EventHandler       // for what only it knows: bodies, verification, order, late checks of an OAuthApp
	fetched  *inbox.Inbox[imbot.Event] // for what a poller pushes
	putter   *inbox.Putter             // of what a poller pushes into Inbox; nil: there is none
}

// ServeHTTP implements [http.Handler].
func (h *EventHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.start()
	h.posted.ServeHTTP(w, r)
}

// Handle handles one event now, within Middleware. It neither verifies the event nor knows whether
// it was handled before, and a panic is the caller's. An [imbot.UnknownEvent] that is of this
// generation becomes what it is, so an [imbot.EventHandler] serves bots of both behind one URL:
//
//	imbot.EventHandler{OnMessage: …, OnEvent: v2.Handle}
func (h *EventHandler) Handle(ctx context.Context, ev imbot.Event) error {
	ev = typed(ev)
	if h.drops(ev) {
		return nil
	}
	h.start()
	return h.chain()(rest.WithAnswers(ctx), ev)
}

// drops reports whether a bot is not to hear an event.
func (h *EventHandler) drops(ev imbot.Event) bool {
	switch ev := ev.(type) {
	case *MessageAddEvent:
		return ev.FromBot() && !h.FromBots
	case *MessageUpdateEvent:
		return ev.FromBot() && !h.FromBots
	case *MessageDeleteEvent:
		return ev.FromBot() && !h.FromBots
	case *JoinChatEvent:
		return ev.User.ID != 0 && ev.User.ID == ev.Bot.ID
	}
	return false
}

// settled runs the callback of an event. What comes of an Interrupt is no error, for Middleware
// neither.
func (h *EventHandler) settled(ctx context.Context, ev imbot.Event) error {
	return inbox.Settle(ctx, h.call(ctx, ev))
}

// call runs the callback of an event.
func (h *EventHandler) call(ctx context.Context, ev imbot.Event) error {
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
	case *JoinChatEvent:
		if h.OnJoinChat != nil {
			return h.OnJoinChat(ctx, ev)
		}
	case *CommandAddEvent:
		if len(h.commands) > 0 {
			return h.commands.Run(ctx, ev.Command.Command, ev, func() { h.Interrupt(ev) }, h.OnCommand)
		}
		if h.OnCommand != nil {
			return h.OnCommand(ctx, ev)
		}
	case *ReactionChangeEvent:
		if h.OnReaction != nil {
			return h.OnReaction(ctx, ev)
		}
	case *ContextGetEvent:
		if h.OnContext != nil {
			return h.OnContext(ctx, ev)
		}
	case *BotDeleteEvent:
		if h.OnBotDelete != nil {
			return h.OnBotDelete(ctx, ev)
		}
	}
	if h.OnEvent != nil {
		return h.OnEvent(ctx, ev)
	}
	return nil
}

// Interrupt ends the context of the callback that runs for the dialog of an event, posted or
// fetched; false: none does. The cause is [imbot.ErrInterrupted], and an error that comes of nothing
// else is none. Call it from an event of Beside: a callback in the order of its dialog would end
// itself. An event of Beside is never ended. In a group chat the callback may be that of somebody
// else's message.
//
// It knows what runs in this handler: where several programs share the events, the same one has
// to get all of a portal.
func (h *EventHandler) Interrupt(ev imbot.Event) bool {
	fetched := h.start().Interrupt(fetchedLine(ev.MemberID(), ev.ForBot(), ev.Dialog()))
	return h.posted.Interrupt(ev) || fetched
}

// Go runs work of an event that its dialog does not wait for, and returns at once; see
// [imbot.EventHandler.Go]. A fetched event is acknowledged when its callback has returned, whatever
// the work does, and [Poll] does not wait for it: call Shutdown behind it.
func (h *EventHandler) Go(ctx context.Context, ev imbot.Event, work func(context.Context) error) error {
	return h.start().Go(ctx, ev, work)
}

// Shutdown refuses further events and returns when all accepted ones and the work of Go are done.
// When ctx ends first, so do the contexts of the running callbacks, the waiting events are given up, and
// the error says how many. Those that were fetched come again.
func (h *EventHandler) Shutdown(ctx context.Context) error {
	h.start()
	var stored error
	if h.putter != nil {
		stored = h.putter.Shutdown(ctx)
	}
	return errors.Join(stored, h.posted.Shutdown(ctx), h.fetched.Shutdown(ctx))
}

// Run works off what Inbox holds, without a listener and without polling; see
// [imbot.EventHandler.Run]. [Poll] and [Serve] do that, too.
func (h *EventHandler) Run(ctx context.Context) error {
	h.start()
	return h.posted.Run(ctx)
}

// Degraded reports whether Inbox is away, so that posted events are kept in memory, and fetched ones
// stay with the portal.
func (h *EventHandler) Degraded() bool {
	h.start()
	return h.posted.Degraded() || h.putter != nil && h.putter.Away()
}

// Idle returns when nothing is queued or running, or with the error of ctx.
func (h *EventHandler) Idle(ctx context.Context) error {
	h.start()
	if h.putter != nil {
		if err := h.putter.Idle(ctx); err != nil {
			return err
		}
	}
	if err := h.posted.Idle(ctx); err != nil {
		return err
	}
	return h.fetched.Idle(ctx)
}

// Stats returns the counters, of posted and fetched events together. An event that a poller
// fetches again before it has acknowledged it is not counted.
func (h *EventHandler) Stats() imbot.EventStats {
	h.start()
	s, f := h.posted.Stats(), h.fetched.Stats()
	s.Accepted += f.Accepted
	s.Handled += f.Handled
	s.Failed += f.Failed
	s.Queued += f.Queued
	if h.putter != nil {
		stored, duplicate, storeErrors := h.putter.Stats()
		s.Accepted += stored + duplicate
		s.Stored += stored
		s.Duplicate += duplicate
		s.StoreErrors += storeErrors
	}
	return s
}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (h *EventHandler) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, "imbotv2.EventHandler")
}

// Serve listens on addr and hands every request to h until ctx ends; see [imbot.Serve].
func Serve(ctx context.Context, addr string, h *EventHandler) error {
	if h == nil {
		return imbot.Serve(ctx, addr, nil)
	}
	h.start()
	return imbot.Server{Addr: addr, Handler: h.posted, Events: []imbot.Shutdowner{h}}.Run(ctx) // h has more to end than what was posted
}

// start makes what receives events, once: the fields are filled in by then.
func (h *EventHandler) start() *inbox.Inbox[imbot.Event] {
	h.once.Do(func() {
		h.chain = sync.OnceValue(func() imbot.Callback { return inbox.Wrap(h.settled, h.Middleware) })
		h.commands = h.Commands.table()
		h.posted = &imbot.EventHandler{
			Verifier: h.Verifier, OnEvent: h.Handle, OnError: h.reportPosted, Logger: h.Logger,
			Workers: h.Workers, Queue: h.Queue, QueueBytes: h.QueueBytes, Claims: h.Claims,
			Inbox: h.Inbox, MaxTries: h.MaxTries, Patience: h.Patience,
		}
		cfg := inbox.Config[imbot.Event]{
			Handle: h.Handle, Failed: h.report, Logger: h.logger, Workers: h.Workers, Queue: h.Queue, Bytes: h.QueueBytes,
		}
		if h.Beside != nil || h.commands.AnyBeside() { // else no posted event has to be decoded twice
			h.posted.Beside, cfg.Beside = func(ev imbot.Event) bool { return h.besides(typed(ev)) }, h.besides
		}
		cfg = cfg.OrUsual()
		h.fetched = inbox.New(cfg)
		if h.Inbox != nil {
			h.putter = inbox.NewPutter(h.Inbox, cfg.Queue, h.logger)
		}
	})
	return h.fetched
}

// push hands over a fetched event; done is called when its callback has returned, or when Inbox
// keeps it. false: there is no room now.
func (h *EventHandler) push(b botKey, size int, ev imbot.Event, done func()) (bool, error) {
	h.start()
	var store func() (bool, error)
	if h.putter != nil {
		if body, err := imbot.EncodeEvent(ev); err == nil { // else the poller has made it
			store = func() (bool, error) { return h.putter.Put(itemOf(b, ev, body), done) }
		}
	}
	return h.fetched.Push(fetchedLine(b.portal, b.id, ev.Dialog()), size, ev, done, store)
}

// itemOf is a fetched event as Inbox keeps it. Its line is the one that a posted event of its
// dialog has.
func itemOf(b botKey, ev imbot.Event, body []byte) driver.InboxItem {
	key := inbox.NewDigest()
	// With its time, because a portal gives ids again, from a backup or when its database has forgotten the counter.
	key.Texts("fetched", b.portal, b.id.String(), ev.Meta().Raw.Get("eventId"), ev.Meta().Raw.Get("ts"))
	if ev.Meta().Raw.Get("eventId") == "0" { // the portal has spoilt it
		key.Texts(string(body))
	}
	it := driver.InboxItem{Key: key.String(), Line: key.String(), Body: body}
	if line := inbox.Line(b.portal, string(ev.Meta().Dialog())); line != "" {
		it.Line = inbox.LineName(line)
	}
	return it
}

// fetchedLine names the dialog of a fetched event, in the order of which it is handled.
func fetchedLine(portal string, bot imbot.ID, dialog imbot.DialogID) string {
	return inbox.Line(fmt.Sprintf("%s\x00%d", portal, bot), string(dialog))
}

// report tells OnError, or the log, what went wrong with an event.
func (h *EventHandler) report(ctx context.Context, ev imbot.Event, err error) {
	if h.OnError == nil {
		attrs := inbox.Attrs(ev.Meta().Name, ev.MemberID(), string(ev.Dialog()), int64(ev.ForBot()), int64(ev.AuthorID()))
		h.logger().ErrorContext(ctx, "imbot: event callback failed", append(attrs, "error", err)...)
		return
	}
	h.OnError(ctx, ev, err)
}

// reportPosted is report for an event as the first generation's handler has it.
func (h *EventHandler) reportPosted(ctx context.Context, ev imbot.Event, err error) {
	h.report(ctx, typed(ev), err)
}

func (h *EventHandler) logger() *slog.Logger {
	if h.Logger == nil {
		return slog.Default()
	}
	return h.Logger
}
