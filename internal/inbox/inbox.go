// Package inbox is the one way an event comes in: it is verified, taken once
// however often it is delivered, put in order behind the others of its line, handled
// in a bounded pool, and drained at the end. An event whose verification takes long
// is accepted first and waits apart from the genuine ones until it is verified.
//
// The package knows neither the wire nor the portal. What an event is, what proves
// it, and which events are the same or belong in one line, the caller tells.
package inbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/internal/dispatch"
)

// VerifyTime bounds what [Arrival.Verify] may take.
const VerifyTime = 5 * time.Second

// Config says what an [Inbox] does with its events of type E. All fields but Beside,
// Claims, and Store with what follows it are required.
type Config[E any] struct {
	Key     func(E) string                             // the same for every delivery of an event, different for different events; "": nothing tells them apart, so each is handled
	Handle  func(context.Context, E) error             // the callback
	Beside  func(E) bool                               // whether an event waits neither for its line nor for a worker
	Failed  func(ctx context.Context, ev E, err error) // told the error of Handle, of Go or of a late verification
	Claims  driver.Claims                              // say which events were taken before; nil: the inbox remembers its last ones
	Logger  func() *slog.Logger                        // asked for each line, because the default logger may change
	Workers int                                        // calls of Handle at a time
	Queue   int                                        // events that wait for one
	Bytes   int                                        // that accepted events may hold until they are handled; one alone may hold more

	// Store keeps accepted events until they are handled, except those that are beside; nil: they
	// are in memory. Claims are not asked about what it keeps.
	Store    driver.Inbox
	MaxTries int                     // starts of a callback; after that the event is buried
	Patience time.Duration           // how long an event waits in memory for a store that is away; below zero: it is not accepted then
	Encode   func(E) ([]byte, error) // for the store
	Decode   func([]byte) (E, error)
	Arrive   func(E) Arrival[E] // a decoded event as it came in
}

// OrUsual returns the config with the usual sizes in place of those that nobody has set.
func (c Config[E]) OrUsual() Config[E] {
	if c.Workers <= 0 {
		c.Workers = 512
	}
	if c.Queue <= 0 {
		c.Queue = 1024
	}
	if c.Bytes <= 0 {
		c.Bytes = 64 << 20
	}
	if c.MaxTries <= 0 {
		c.MaxTries = 5
	}
	if c.Patience == 0 {
		c.Patience = 5 * time.Second
	}
	return c
}

// An Arrival is an event that has come in and is neither verified nor decoded.
type Arrival[E any] struct {
	Name   string // for the log
	Sender string // events of one sender that wait to be verified are verified one after another
	Line   string // events of one line are handled one after another, in the order of Receive; "": at any time
	Proof  string // what is to prove the event genuine; see [Inbox.Receive] about order
	Size   int    // bytes that it holds in memory

	Verify func(context.Context) (Verdict, error) // an error: the event is refused
	Decode func() E                               // called when Verify has not refused the event

	event E
	pool  *dispatch.Pool // that handles it; see sort
}

// A Verdict is what is known about an event before its sender gets an answer. The
// zero Verdict says that it is genuine.
type Verdict struct {
	// Later does the part of the verification that takes long; nil: there is none. It
	// runs after the answer, and an event that it returns an error for is not handled.
	Later func(context.Context) error

	// Refuse refuses the event at once, except while a Later of the same sender that
	// ProvesOthers is waiting or running: then the Later of this event decides.
	Refuse error

	ProofKnown   bool // the event's proof is right, so it is no junk and has a place as long as the queue has one
	ProvesOthers bool // Later may make other events of the sender genuine

	// SideWork is what the event gives occasion to, whatever becomes of the event. One
	// of a sender runs at a time; it is left out while another waits or runs, or while
	// there is no room, because the next event brings it again.
	SideWork func(context.Context)
}

// Stats counts events.
type Stats struct {
	Accepted  int64 // Receive returned nil
	Handled   int64 // Handle returned nil
	Failed    int64 // Handle returned an error or panicked, or a late verification refused the event
	Duplicate int64 // accepted before, so not handled again
	Refused   int64 // by Verify
	Dropped   int64 // for want of room
	Queued    int64 // waiting now, in memory

	// With a Store.
	Stored, Spooled, Redelivered, Buried, StoreErrors int64
	Oldest                                            time.Time // when the oldest event was stored that runs here; zero: none does
}

// A DroppedError says why there is no room for an event.
type DroppedError struct{ Cause error }

func (e *DroppedError) Error() string { return e.Cause.Error() }

// Unwrap returns the cause.
func (e *DroppedError) Unwrap() error { return e.Cause }

// An Inbox receives events of type E and handles them in the background.
type Inbox[E any] struct {
	cfg     Config[E]
	pool    *dispatch.Pool // handles genuine events
	beside  *dispatch.Pool // handles those that wait for no other
	jobs    *dispatch.Pool // see Go
	waiting *waitingRoom
	running running
	turns   *turns       // of keys; see once
	memory  *memory      // of keys that were taken
	held    atomic.Int64 // bytes of accepted events that are not handled yet
	durable *durable[E]  // nil without a Store

	shut    chan struct{} // closed by Shutdown
	closing sync.Once

	claimsRest atomic.Int64 // until when Claims are left alone, in ns since 1970

	accepted, handled, failed, duplicate, refused, dropped atomic.Int64
}

// New returns an empty inbox.
func New[E any](cfg Config[E]) *Inbox[E] {
	in := &Inbox[E]{
		cfg: cfg, pool: dispatch.New(cfg.Workers, cfg.Queue), beside: dispatch.New(cfg.Workers, cfg.Queue), jobs: dispatch.New(mostJobs, 0),
		waiting: newWaitingRoom(cfg.Queue, cfg.Bytes), running: running{ends: map[string]context.CancelCauseFunc{}},
		turns: newTurns(), memory: newMemory(remembered), shut: make(chan struct{}),
	}
	if cfg.Store != nil {
		in.durable = newDurable(in)
	}
	return in
}

// Run works off what the Store holds until ctx ends or the inbox is shut down. Receive does so,
// too, from its first call on.
func (in *Inbox[E]) Run(ctx context.Context) {
	if in.durable != nil {
		in.durable.begin()
	}
	select {
	case <-ctx.Done():
	case <-in.shut:
	}
}

// Degraded reports whether events are kept in memory because the Store is away.
func (in *Inbox[E]) Degraded() bool { return in.durable != nil && in.durable.spool.holds() }

// Receive takes an event; when it returns nil the sender may forget it. Otherwise
// the error is that of Verify, or a [*DroppedError]. The sender may post an event
// only once, so Receive goes on when the sender hangs up and ctx ends.
//
// Order in a line holds among events with the same proof, also while one of them
// waits to be verified: the others then wait behind it. Those with another proof do
// not, so a forged event holds no genuine one up.
func (in *Inbox[E]) Receive(ctx context.Context, arrival Arrival[E]) error {
	a := &arrival
	// What the event counts as. It is set before each step, because code of the user may
	// end the goroutine (runtime.Goexit).
	count := &in.refused
	defer func() { count.Add(1) }()
	verdict, err := in.verify(ctx, a)
	if err != nil {
		return err
	}
	count = &in.dropped
	a.event = a.Decode()
	accept := func(queue func() error) error {
		if err := in.hold(a); err != nil {
			return err
		}
		if err := queue(); err != nil {
			in.release(a)
			return err
		}
		count = &in.accepted
		return nil
	}
	if verdict.Later == nil {
		in.sort(ctx, a)
	}
	switch {
	case in.durable != nil && a.pool != in.beside:
		err = in.receive(ctx, a, verdict)
	case verdict.Later == nil:
		err = in.once(ctx, a, func() error { return accept(func() error { return in.submit(a) }) })
	default:
		err = accept(func() error { return in.submitUnverified(a, verdict) })
	}
	if verdict.SideWork != nil {
		in.waiting.enterSideWork(a.Sender, func(ctx context.Context) {
			_ = in.guard(ctx, "the side work of an event", func() error { verdict.SideWork(ctx); return nil }) // nobody waits for it
		})
	}
	if err != nil {
		return &DroppedError{err}
	}
	count = &in.accepted // also when it was accepted before
	return nil
}

// receive takes an event that the store is to keep. A genuine one stays behind those of the same
// line and proof that wait to be verified.
func (in *Inbox[E]) receive(ctx context.Context, a *Arrival[E], verdict Verdict) error {
	if in.pool.Closed() {
		return dispatch.ErrClosed
	}
	in.durable.begin()
	if verdict.Later == nil {
		if !in.waiting.keeps(a.order()) {
			return in.durable.accept(ctx, a)
		}
		verdict = Verdict{ProofKnown: true}
	}
	return in.durable.acceptUnverified(ctx, a, verdict)
}

// Push takes a genuine event whose sender keeps it until done is called, after its
// callback has returned. It neither looks whether the event was seen before nor marks it:
// the sender does, and one that dies must get it again. false: there is no room now, and
// the event counts as nothing. An error: the inbox is shut down. An event that is given up
// by Shutdown is never done. What stands in the order of its line goes to elsewhere, if there is one.
func (in *Inbox[E]) Push(line string, size int, event E, done func(), elsewhere func() (bool, error)) (bool, error) {
	a := &Arrival[E]{Line: line, Size: size, event: event, pool: in.pool}
	if in.cfg.Beside != nil {
		sorted := make(chan struct{}) // code of the user may end the goroutine, and this one polls
		go func() { defer close(sorted); in.sort(context.Background(), a) }()
		<-sorted
	}
	if elsewhere != nil && a.pool == in.pool {
		return elsewhere()
	}
	err := in.hold(a)
	if err == nil {
		err = a.pool.Submit(a.Line, func(ctx context.Context) {
			defer done()
			in.handle(ctx, a)
		})
		if err == nil {
			in.accepted.Add(1)
			return true, nil
		}
		in.release(a)
	}
	if in.pool.Closed() { // whatever else it lacks
		return false, dispatch.ErrClosed
	}
	return false, nil
}

// errBytes says which bound an event has met.
var errBytes = errors.New("the accepted events hold too much memory: give callbacks a time-out, or raise QueueBytes")

// hold counts the bytes of an event that is about to be accepted.
func (in *Inbox[E]) hold(a *Arrival[E]) error {
	size := int64(a.Size)
	if held := in.held.Add(size); held > int64(in.cfg.Bytes) && held > size {
		in.held.Add(-size)
		return errBytes
	}
	return nil
}

// release gives back what hold has counted.
func (in *Inbox[E]) release(a *Arrival[E]) { in.held.Add(-int64(a.Size)) }

// verify asks for the verdict, and refuses what is to be refused at once.
func (in *Inbox[E]) verify(ctx context.Context, a *Arrival[E]) (Verdict, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), VerifyTime)
	defer cancel()
	// Ask before Verify: when a check ends while Verify runs, what Verify has read may
	// be older than the result of the check, so its refusal must not count.
	checking := in.waiting.checking(a.Sender)
	var verdict Verdict
	err := in.guard(ctx, "the Verifier", func() (err error) { verdict, err = a.Verify(ctx); return err })
	if err == nil && (!checking || verdict.Later == nil) {
		err = verdict.Refuse
	}
	return verdict, err
}

// submit queues a genuine event for its callback, or behind an event of the same
// line and proof that waits to be verified.
func (in *Inbox[E]) submit(a *Arrival[E]) error {
	w := in.waiting
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.holds(a.order()) {
		return a.pool.Submit(a.Line, func(ctx context.Context) { in.handle(ctx, a) })
	}
	return w.enter(a.guest(Verdict{ProofKnown: true}), func(context.Context) { in.pass(a) })
}

// submitUnverified queues an event that is verified before it is handled.
func (in *Inbox[E]) submitUnverified(a *Arrival[E], verdict Verdict) error {
	w, g := in.waiting, a.guest(verdict)
	w.mu.Lock()
	defer w.mu.Unlock()
	if g.junk && (w.full(g) || in.pool.Queued() >= in.cfg.Queue) {
		return errUnverified
	}
	return w.enter(g, func(ctx context.Context) { in.verifyLate(ctx, a, verdict) })
}

// verifyLate runs the rest of a verification, and hands the event over if it is
// genuine and new.
func (in *Inbox[E]) verifyLate(ctx context.Context, a *Arrival[E], verdict Verdict) {
	passed := false
	err := errGoexit
	defer func() {
		if passed {
			return
		}
		in.release(a)
		if err != nil {
			in.fail(ctx, a, err)
		}
	}()
	err = in.guard(ctx, callback, func() error {
		if in.wasTaken(ctx, a) {
			return nil
		}
		if verdict.Later != nil { // else it is genuine, and has only waited for others
			if err := verdict.Later(ctx); err != nil {
				return err
			}
		}
		in.sort(ctx, a)
		if in.durable != nil && a.pool != in.beside {
			return in.durable.acceptVerified(ctx, a, &passed)
		}
		// Claim it only now: if a forged copy claimed it, the genuine event would be
		// dropped as a duplicate.
		return in.once(ctx, a, func() error { passed = true; in.pass(a); return nil })
	})
}

// pass hands over an event that leaves the waiting room. Its sender has been told
// that it is accepted, so the pool takes it even when its queue is full.
func (in *Inbox[E]) pass(a *Arrival[E]) {
	a.pool.Hand(a.Line, func(ctx context.Context) { in.handle(ctx, a) })
}

// handle runs the callback. Its context ends when it returns: what it has started with it
// would be nobody's otherwise.
func (in *Inbox[E]) handle(pool context.Context, a *Arrival[E]) {
	ctx, cancel := context.WithCancelCause(pool)
	in.running.begin(a.Line, cancel)
	err := errGoexit
	defer func() {
		in.running.done(a.Line)
		cancel(nil)
		in.release(a)
		if err != nil {
			in.fail(pool, a, err)
			return
		}
		in.handled.Add(1)
	}()
	err = Settle(ctx, in.guard(ctx, callback, func() error { return in.cfg.Handle(ctx, a.event) }))
}

// fail counts and reports what went wrong with an event.
func (in *Inbox[E]) fail(ctx context.Context, a *Arrival[E], err error) {
	in.failed.Add(1)
	in.report(ctx, a.event, err)
}

func (in *Inbox[E]) report(ctx context.Context, ev E, err error) {
	_ = in.guard(ctx, callback, func() error { // guard has logged a panic of Failed; nobody is left to be told
		in.cfg.Failed(ctx, ev, err)
		return nil
	})
}

// callback is what most of the user's code is called in the log.
const callback = "an event callback"

// errGoexit is the error of a callback that does not return, as a test that fails
// in one does not.
var errGoexit = errors.New("imbot: an event callback ended its goroutine (runtime.Goexit)")

// A PanicError says that code of the user panicked.
type PanicError struct {
	where  string
	thrown any
}

func (e *PanicError) Error() string { return fmt.Sprintf("imbot: panic in %s: %v", e.where, e.thrown) }

// guard calls code of the user. It turns a panic into a [*PanicError] and logs its
// stack. What calls runtime.Goexit never gets back from guard, only to its deferred
// functions.
func (in *Inbox[E]) guard(ctx context.Context, where string, f func() error) error {
	return guard(ctx, in.cfg.Logger, where, f)
}

func guard(ctx context.Context, logger func() *slog.Logger, where string, f func() error) (err error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		attrs := []any{"stack", string(debug.Stack())}
		text := "imbot: runtime.Goexit in " + where
		if p := recover(); p != nil {
			err = &PanicError{where, p}
			text, attrs = "imbot: panic in "+where, append(attrs, "panic", fmt.Sprint(p))
		}
		logger().ErrorContext(ctx, text, attrs...)
	}()
	err = f()
	returned = true
	return err
}

// Shutdown refuses further events and returns when all accepted ones are handled.
// When ctx ends first, so do the contexts of what runs, what waits is given up, and
// the error says how much.
func (in *Inbox[E]) Shutdown(ctx context.Context) error {
	in.pool.Close()
	in.beside.Close()
	in.closing.Do(func() { close(in.shut) })
	if in.durable != nil {
		in.durable.end()
	}
	err := in.waiting.pool.Shutdown(ctx) // first: what is verified there goes on to the other pools
	if in.durable != nil {
		err = errors.Join(err, in.durable.spool.pool.Shutdown(ctx))
	}
	err = errors.Join(err, in.pool.Shutdown(ctx), in.beside.Shutdown(ctx))
	if in.durable != nil {
		err = errors.Join(err, in.cfg.Store.Close())
	}
	return errors.Join(err, in.jobs.Shutdown(ctx)) // last: callbacks start some
}

// Idle returns when nothing waits or runs, or with the error of ctx.
func (in *Inbox[E]) Idle(ctx context.Context) error {
	if in.durable != nil {
		if err := in.durable.idle(ctx); err != nil {
			return err
		}
	}
	for _, pool := range []*dispatch.Pool{in.waiting.pool, in.pool, in.beside, in.jobs} { // in the order in which one gives to the next
		if err := pool.Idle(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Stats returns the counters.
func (in *Inbox[E]) Stats() Stats {
	s := Stats{
		Accepted: in.accepted.Load(), Handled: in.handled.Load(), Failed: in.failed.Load(), Duplicate: in.duplicate.Load(),
		Refused: in.refused.Load(), Dropped: in.dropped.Load(), Queued: int64(in.pool.Queued() + in.beside.Queued() + in.waiting.pool.Queued()),
	}
	if d := in.durable; d != nil {
		s.Queued += int64(d.spool.length())
		s.Stored, s.Spooled, s.Redelivered, s.Buried, s.StoreErrors = d.stored.Load(), d.spool.spooled.Load(), d.redelivered.Load(), d.buried.Load(), d.storeErrors.Load()
		s.Oldest = d.oldest()
	}
	return s
}
