package inbox

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/imbot-go/imbot/internal/dispatch"
)

// mostJobs is how many of Go run at a time. None waits: whoever starts one learns at once that
// there are too many.
const mostJobs = 1024

// The errors of [Inbox.Go], and the cause of [Inbox.Interrupt].
var (
	ErrFull        = errors.New("imbot: EventHandler.Go: 1024 run already")
	ErrClosed      = errors.New("imbot: EventHandler.Go: the handler is shut down")
	ErrInterrupted = errors.New("imbot: the callback was interrupted")
)

// sort asks whether an event is beside the order of its line, and takes it out of that. It
// calls code of the user, so no lock is held, and the event is genuine.
func (in *Inbox[E]) sort(ctx context.Context, a *Arrival[E]) {
	a.pool = in.pool
	if in.cfg.Beside == nil {
		return
	}
	_ = in.guard(ctx, "Beside", func() error { // one that panics says no
		if in.cfg.Beside(a.event) {
			a.pool, a.Line = in.beside, ""
		}
		return nil
	})
}

// running are the callbacks of lines. A line has one at most.
type running struct {
	mu   sync.Mutex
	ends map[string]context.CancelCauseFunc // by line
}

func (r *running) begin(line string, end context.CancelCauseFunc) {
	if line == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ends[line] = end
}

func (r *running) done(line string) {
	if line == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.ends, line)
}

// Interrupt ends the context of the callback that runs in a line, with ErrInterrupted as the
// cause. false: there is none.
func (in *Inbox[E]) Interrupt(line string) bool {
	in.running.mu.Lock()
	end := in.running.ends[line]
	in.running.mu.Unlock() // before code of the user hears of it
	if end != nil {
		end(ErrInterrupted)
	}
	return end != nil
}

// Settle returns the error of a callback, or nil if it comes of nothing but Interrupt.
func Settle(ctx context.Context, err error) error {
	if err != nil && errors.Is(context.Cause(ctx), ErrInterrupted) && onlyInterrupted(err) {
		return nil
	}
	return err
}

// onlyInterrupted reports whether all that was joined in an error says that a context has ended.
func onlyInterrupted(err error) bool {
	for {
		if joined, is := err.(interface{ Unwrap() []error }); is {
			parts := joined.Unwrap()
			return len(parts) > 0 && !slices.ContainsFunc(parts, func(part error) bool { return !onlyInterrupted(part) })
		}
		below := errors.Unwrap(err)
		if below == nil {
			return errors.Is(err, context.Canceled) || errors.Is(err, ErrInterrupted)
		}
		err = below
	}
}

// Go runs work of an event that its line does not wait for, at once or not at all. Its context
// has the values of ctx and ends with the work, or with that of a Shutdown. An error goes to
// Failed, and the event does not count as failed.
func (in *Inbox[E]) Go(ctx context.Context, ev E, work func(context.Context) error) error {
	values := context.WithoutCancel(ctx)
	err := in.jobs.Submit("", func(pool context.Context) {
		ctx, cancel := context.WithCancel(jobContext{pool, values})
		err := errGoexit
		defer func() {
			cancel()
			if err != nil {
				in.report(pool, ev, err)
			}
		}()
		err = in.guard(ctx, "work of EventHandler.Go", func() error { return work(ctx) })
	})
	switch {
	case errors.Is(err, dispatch.ErrFull):
		return ErrFull
	case errors.Is(err, dispatch.ErrClosed):
		return ErrClosed
	}
	return err
}

// jobContext ends with the context of a pool and has the values of another one.
type jobContext struct {
	context.Context

	values context.Context
}

// Value asks the pool, too, so that package context finds its end there and needs no goroutine
// to wait for it.
func (c jobContext) Value(key any) any {
	if v := c.values.Value(key); v != nil {
		return v
	}
	return c.Context.Value(key)
}
