package inbox

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"

	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/internal/dispatch"
)

// A Putter stores events whose sender keeps them until they are stored, in the order of their
// lines. While the store is away it asks again and again.
type Putter struct {
	store  driver.Inbox
	logger func() *slog.Logger
	pool   *dispatch.Pool

	stored, duplicate, errors atomic.Int64

	away atomic.Int64 // events for which the store is asked again
}

// NewPutter returns one that has room for so many events.
func NewPutter(store driver.Inbox, queue int, logger func() *slog.Logger) *Putter {
	return &Putter{store: store, logger: logger, pool: dispatch.New(mostPuts, queue)}
}

// Put stores an item and calls done then. false: there is no room now. An error: there never
// will be any.
func (p *Putter) Put(it driver.InboxItem, done func()) (bool, error) {
	err := p.pool.Submit(it.Line, func(ctx context.Context) {
		if p.put(ctx, it) {
			done()
		}
	})
	if errors.Is(err, dispatch.ErrFull) {
		return false, nil
	}
	return err == nil, err
}

// put reports whether the item is stored; it is not when ctx has ended or the store is closed.
func (p *Putter) put(ctx context.Context, it driver.InboxItem) bool {
	for rest := newRest(); ; {
		fresh, err := p.ask(ctx, it)
		switch {
		case err == nil && fresh:
			p.stored.Add(1)
			return true
		case err == nil:
			p.duplicate.Add(1)
			return true
		}
		if p.errors.Add(1); rest.next == leastRest {
			p.away.Add(1)
			defer p.away.Add(-1)
			p.logger().WarnContext(ctx, "imbot: the Inbox stores no events, so they stay with the portal", "error", err)
		}
		if errors.Is(err, driver.ErrClosed) || !rest.wait(ctx) {
			return false
		}
	}
}

func (p *Putter) ask(ctx context.Context, it driver.InboxItem) (fresh bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, putTime)
	defer cancel()
	err = guard(ctx, p.logger, "the Inbox", func() (err error) { fresh, err = p.store.Put(ctx, it); return err })
	return fresh, err
}

// Idle returns when nothing is being stored, or with the error of ctx.
func (p *Putter) Idle(ctx context.Context) error { return p.pool.Idle(ctx) }

// Away reports whether the store is away.
func (p *Putter) Away() bool { return p.away.Load() > 0 }

// Shutdown waits for what is being stored, until ctx ends.
func (p *Putter) Shutdown(ctx context.Context) error { return p.pool.Shutdown(ctx) }

// Stats counts what was stored, what the store had already, and what went wrong.
func (p *Putter) Stats() (stored, duplicate, storeErrors int64) {
	return p.stored.Load(), p.duplicate.Load(), p.errors.Load()
}
