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
	since  time.Time     // there are some
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

// add takes an event whose bytes are held. tried: a Put of it has failed, and may have stored it.
func (s *spool[E]) add(ctx context.Context, a *Arrival[E], it driver.InboxItem, tried bool) error {
	came := time.Now()
	first, full := s.enter(came)
	if full {
		s.d.in.release(a)
		return dispatch.ErrFull
	}
	if first {
		s.d.in.cfg.Logger().ErrorContext(ctx, "imbot: the Inbox stores no events, so they are kept in memory and are lost if the process dies")
	}
	err := s.pool.Submit(it.Line, func(ctx context.Context) {
		defer s.leave(ctx)
		s.flush(ctx, a, it, came, tried)
	})
	if err != nil {
		s.leave(ctx)
		s.d.in.release(a)
		return err
	}
	s.spooled.Add(1)
	return nil
}

// enter counts an event in, if there is room.
func (s *spool[E]) enter(came time.Time) (first, full bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.events >= s.d.in.cfg.Queue {
		return false, true
	}
	if s.events++; s.events == 1 {
		s.since, s.most = came, 0
	}
	s.most = max(s.most, s.events)
	return s.events == 1, false
}

func (s *spool[E]) leave(ctx context.Context) {
	s.mu.Lock()
	s.events--
	last, since, most := s.events == 0, s.since, s.most
	s.mu.Unlock()
	if last {
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
		fresh, err := s.d.put(ctx, it)
		s.answered(err)
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

func (s *spool[E]) answered(err error) {
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
