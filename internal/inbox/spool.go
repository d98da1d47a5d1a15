package inbox

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/internal/dispatch"
)

// mostPuts is how many events a spool puts side by side. One at a time is too slow: an outage of
// a second leaves thousands.
const mostPuts = 256

// A spool keeps accepted events in memory while the store is away, and puts them there in the
// order of their lines when it is back. An event that has waited for longer than Patience is
// handled from memory.
type spool[E any] struct {
	d    *durable[E]
	pool *dispatch.Pool // a worker waits with each event that is about to be put

	asker chan struct{} // holds one while nobody asks a store that is away

	mu     sync.Mutex
	events int           // that are here
	outage bool          // it was said that there are some, and not yet that this is over
	since  time.Time     // when that was said
	most   int           // there were at a time since then
	back   chan struct{} // closed when the store is back; nil: it is not away

	spooled atomic.Int64
}

func newSpool[E any](d *durable[E]) *spool[E] {
	s := &spool[E]{d: d, pool: dispatch.New(mostPuts, d.in.cfg.Queue), asker: make(chan struct{}, 1)}
	s.asker <- struct{}{}
	return s
}

// holds reports whether events are here: later ones must not overtake them.
func (s *spool[E]) holds() bool { return s.length() > 0 }

func (s *spool[E]) length() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.events
}

// add takes an event whose bytes are held. failed: what a Put of it has returned, which may have stored it.
func (s *spool[E]) add(ctx context.Context, a *Arrival[E], it driver.InboxItem, failed error) error {
	came := time.Now()
	first, full := s.enter(came)
	if full {
		return dispatch.ErrFull
	}
	if first {
		s.d.in.cfg.Logger().ErrorContext(ctx, "imbot: the Inbox stores no events, so they are kept in memory and are lost if the process dies", "error", failed)
	}
	err := s.pool.Submit(it.Line, func(ctx context.Context) {
		defer s.leave(ctx)
		s.flush(ctx, a, it, came, failed != nil)
	})
	if err != nil {
		s.leave(ctx)
		return err
	}
	s.spooled.Add(1)
	return nil
}

// enter counts an event in, if there is room.
func (s *spool[E]) enter(came time.Time) (first, full bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.events+s.d.in.pool.Queued() >= s.d.in.cfg.Queue { // those that are handled from memory wait there
		return false, true
	}
	if first = !s.outage; first {
		s.outage, s.since, s.most = true, came, 0
	}
	s.events++
	s.most = max(s.most, s.events)
	return first, false
}

func (s *spool[E]) leave(ctx context.Context) {
	s.mu.Lock()
	s.events--
	s.mu.Unlock()
	s.isOver(ctx)
}

// isOver says that events are stored again, once.
func (s *spool[E]) isOver(ctx context.Context) {
	s.mu.Lock()
	over, since, most := s.outage && s.events == 0 && s.back == nil, s.since, s.most
	if over {
		s.outage = false
	}
	s.mu.Unlock()
	if over {
		s.d.in.cfg.Logger().InfoContext(ctx, "imbot: no event is kept in memory any more", "after", time.Since(since).Round(time.Millisecond), "most", most)
	}
}

// flush puts an event into the store, or handles it from memory.
func (s *spool[E]) flush(ctx context.Context, a *Arrival[E], it driver.InboxItem, came time.Time, tried bool) {
	patience, cancel := context.WithDeadline(ctx, came.Add(s.d.in.cfg.Patience))
	defer cancel()
	asks := false // this one asks for all
	defer func() {
		if asks {
			s.asker <- struct{}{}
		}
	}()
	for rest := newRest(); ; {
		back := s.isAway()
		if back != nil && !asks && patience.Err() == nil {
			select {
			case <-back:
				back = nil
			case <-s.asker:
				asks = true
			case <-patience.Done():
			}
		}
		switch {
		case ctx.Err() != nil:
			s.d.in.release(a) // a Shutdown that did not drain says how many
			return
		case patience.Err() != nil && back != nil:
			s.fromMemory(ctx, a, it)
			return
		}
		if s.d.in.memory.has(it.Key) { // another delivery was stored meanwhile, or handled from memory
			s.d.in.release(a)
			s.d.in.cameAgain(ctx, a)
			return
		}
		fresh, err := s.d.put(ctx, it)
		s.answered(ctx, err)
		switch {
		case err == nil:
			s.d.in.release(a)
			s.d.wasPut(ctx, a, fresh || tried)
			return
		case errors.Is(err, driver.ErrClosed):
			s.fromMemory(ctx, a, it)
			return
		case asks:
			rest.wait(patience)
		}
		tried = true
	}
}

// isAway returns nil if the last Put did not fail, else a channel that is closed when one has not.
func (s *spool[E]) isAway() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.back
}

// answered notes what came of a Put.
func (s *spool[E]) answered(ctx context.Context, err error) {
	defer s.isOver(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err != nil && s.back == nil:
		s.back = make(chan struct{})
	case err == nil && s.back != nil:
		close(s.back)
		s.back = nil
	}
}

// fromMemory handles an event that has waited for too long. Put may have stored it although
// nobody has heard so; then it is handled twice.
func (s *spool[E]) fromMemory(ctx context.Context, a *Arrival[E], it driver.InboxItem) {
	if !s.d.in.memory.add(it.Key) {
		s.d.in.release(a)
		s.d.in.cameAgain(ctx, a)
		return
	}
	s.d.in.pass(a)
}
