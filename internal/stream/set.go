// Package stream shows texts that grow, as those of a language model, by messages that
// are changed. All texts of one client share requests: what is due travels together.
//
// It knows neither the portal's methods nor its markup; see [Way].
package stream

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Way is how a Set reaches its portal.
type Way[C any] struct {
	// Send waits until one more request may be sent, asks load what to send, and says in
	// each Op what became of it. The request may take so long as load says. An error means
	// that nothing was sent. Urgent requests go before others.
	Send func(ctx context.Context, urgent bool, load func() (ops []*Op[C], limit time.Duration)) error

	// Render makes messages of a text.
	Render func(text string) []string
}

// When what is done.
const (
	gather      = 25 * time.Millisecond  // what is urgent waits so long for others: those of one moment go together
	firstAfter  = 400 * time.Millisecond // from the first text to the first message
	noticeAfter = 600 * time.Millisecond // from the beginning to the first notice: who answers at once needs none
	noticeEvery = 8 * time.Second        // less than the ten seconds or so for which people see it
	minGap      = time.Second            // between two changes of one answer, and between two requests that only change
	maxGap      = 8 * time.Second
	slowerAfter = 10              // so many requests of one answer double its gap
	aloneGap    = 4 * time.Second // between changes that cannot travel with others
	along       = 250 * time.Millisecond
	slow        = 5 * time.Second  // a request that takes longer holds up nobody but the streams in it
	requestTime = 30 * time.Second // what a request may take
	mostOps     = 50               // in one request
	tries       = 8                // of a first message, and of the last changes. With four, and one call in ten going wrong, one of 3,000 answers is lost
	againAfter  = 500 * time.Millisecond
	patience    = 30 * time.Second // of Close after the end of its context
)

// Set is the streams of one client. One goroutine serves them while something is to be
// done. It starts one for each request under way: two, and those that have become slow.
type Set[C any] struct {
	way Way[C]

	mu      sync.Mutex // of all below and of all streams: there is no second lock
	streams []*Stream[C]
	running bool
	wake    chan struct{} // holds one when the goroutine has to look again
	flights [2]*flight[C] // the next one of each kind, or the last until it is slow; nil: none. By [change] and [urgent]
	away    []*flight[C]  // all that are under way
	changed time.Time     // when the last request was sent that only changes
}

const (
	change = 0 // a request that only changes messages, or shows that the bot writes
	urgent = 1 // one with a first message or a last change. It takes along what is due
)

// flight is a request that waits for leave, or is under way.
type flight[C any] struct {
	cancel  context.CancelFunc
	loaded  time.Time    // when it was; zero: it waits for leave
	streams []*Stream[C] // those in it
	ops     []*Op[C]
}

// NewSet returns a set without streams.
func NewSet[C any](way Way[C]) *Set[C] { return &Set[C]{way: way, wake: make(chan struct{}, 1)} }

// look lets the goroutine look at a stream. The lock is held.
func (s *Set[C]) look(st *Stream[C]) {
	if !st.listed {
		st.listed = true
		s.streams = append(s.streams, st)
	}
	if !s.running {
		s.running = true
		go s.run()
	}
	s.again()
}

func (s *Set[C]) again() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// run starts what is due until nothing is left to be done.
func (s *Set[C]) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		s.mu.Lock()
		next, more := s.launch(time.Now())
		s.running = more
		s.mu.Unlock()
		if !more {
			return
		}
		if timer.Stop(); !next.IsZero() {
			timer.Reset(time.Until(next))
		}
		select {
		case <-timer.C:
		case <-s.wake:
		}
	}
}

// launch starts the requests that can start now. It returns when it has to be called
// again, if not woken before, and whether anything is left. The lock is held.
func (s *Set[C]) launch(now time.Time) (next time.Time, more bool) {
	var due [2]time.Time // when the next of each kind is
	s.streams = slices.DeleteFunc(s.streams, func(st *Stream[C]) bool {
		at, kind := st.due()
		if kind == change && !at.IsZero() {
			at = later(at, s.changed.Add(minGap))
		}
		due[kind] = sooner(due[kind], at)
		st.listed = st.busy || !at.IsZero()
		return !st.listed
	})
	for _, kind := range []int{urgent, change} {
		f, before := s.flights[kind], s.flights[urgent]
		if f != nil && !f.loaded.IsZero() {
			if free := f.loaded.Add(slow); free.After(now) {
				next = sooner(next, free)
				continue
			}
			f, s.flights[kind] = nil, nil
		}
		switch {
		case f != nil && due[kind].IsZero():
			f.cancel() // another one took along what it was for
		case kind == change && before != nil && before.loaded.IsZero(): // the urgent one takes along what is due
		case f == nil && !due[kind].IsZero() && !due[kind].After(now):
			ctx, cancel := context.WithCancel(context.Background())
			f = &flight[C]{cancel: cancel}
			s.flights[kind], s.away = f, append(s.away, f)
			go s.fly(ctx, f, kind)
		case f == nil:
			next = sooner(next, due[kind])
		}
	}
	for _, f := range s.away {
		if !f.loaded.IsZero() && !slices.ContainsFunc(f.streams, func(st *Stream[C]) bool { return !st.over }) {
			f.cancel() // nobody waits for it
		}
	}
	return next, len(s.streams) > 0 || len(s.away) > 0
}

// fly sends one request.
func (s *Set[C]) fly(ctx context.Context, f *flight[C], kind int) {
	err := errCut
	defer func() { // also when code of the user ends the goroutine
		s.mu.Lock()
		defer s.mu.Unlock()
		s.land(ctx, f, kind, err)
		f.cancel()
	}()
	err = s.way.Send(ctx, kind == urgent, func() ([]*Op[C], time.Duration) {
		s.mu.Lock()
		s.load(f, kind, time.Now())
		s.mu.Unlock()
		for _, st := range f.streams { // they are busy, so nobody else renders or changes their messages
			f.ops = append(f.ops, st.plan()...)
		}
		return f.ops, requestTime
	})
}

// errCut is what a request fails with when code of the user ended its goroutine.
var errCut = errors.New("the request was cut off")

// load chooses the streams of a request: finals, first messages, notices, and then those
// that have not been changed for longest. The lock is held.
func (s *Set[C]) load(f *flight[C], kind int, now time.Time) {
	f.loaded = now
	var chosen []*Stream[C]
	for _, st := range s.streams {
		at, is := st.due()
		soon := now
		if is == change && kind == urgent {
			soon = now.Add(along)
		}
		if !at.IsZero() && !at.After(soon) && (is == change || kind == urgent) {
			chosen = append(chosen, st)
		}
	}
	slices.SortStableFunc(chosen, func(a, b *Stream[C]) int {
		if r := a.rank() - b.rank(); r != 0 {
			return r
		}
		return a.last.Compare(b.last)
	})
	f.streams = chosen[:min(len(chosen), mostOps)]
	for _, st := range f.streams {
		st.busy, st.final = true, st.closed
		st.shown = st.text.Len()
		st.sending = st.text.String()
	}
	if kind == change && len(f.streams) > 0 {
		s.changed = now
	}
	s.again()
}

// land takes note of what became of a request. The lock is held.
func (s *Set[C]) land(ctx context.Context, f *flight[C], kind int, err error) {
	now := time.Now()
	if s.flights[kind] == f {
		s.flights[kind] = nil
	}
	s.away = slices.DeleteFunc(s.away, func(other *flight[C]) bool { return other == f })
	if f.loaded.IsZero() && ctx.Err() == nil { // the limiter lets nothing through
		for _, st := range s.streams {
			if at, is := st.due(); is == kind && !at.IsZero() && !at.After(now) {
				st.final = st.closed
				st.failed(now, err)
			}
		}
	}
	for _, st := range f.streams {
		st.landed(now, f.ops, err)
	}
	s.again()
}

// sooner is the first of two times; zero is none.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
