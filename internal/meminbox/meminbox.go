// Package meminbox is a [driver.Inbox] in memory, for tests: several processes, outages and kills
// are played. It works in a bubble of synctest, when it is made there.
package meminbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/imbot-go/imbot/driver"
)

const (
	mostBody = 5 << 20
	mostDead = 10_000
	known    = time.Hour           // how long a key is known after Done
	buried   = 30 * 24 * time.Hour // how long a dead letter is kept
)

var name = regexp.MustCompile(`^[0-9a-z]{1,64}$`)

// Server is what all processes share.
type Server struct {
	mu        sync.Mutex
	last      int                  // the number of the last item or lease
	lines     []*line              // those with items; who has waited longest for a turn comes first
	keys      map[string]time.Time // when it was done; zero: it is not
	forget    []string             // the keys that are done, the oldest first
	dead      []driver.InboxItem
	changed   chan struct{} // closed when Take has to look again
	intercept func(ctx context.Context, method string, do func() error) error
}

// line is the events of a line, the oldest first.
type line struct {
	name   string
	items  []driver.InboxItem
	holder *Inbox // nil: nobody
	lease  string
	lost   chan struct{}
}

// Inbox is what one process has of a [Server].
type Inbox struct {
	server *Server
	closed bool
}

var (
	_ driver.Inbox       = (*Inbox)(nil)
	_ driver.DeadLetters = (*Inbox)(nil)
	_ driver.InboxMeter  = (*Inbox)(nil)
)

// New returns an empty Server.
func New() *Server {
	return &Server{keys: map[string]time.Time{}, changed: make(chan struct{})}
}

// Open is a process that starts.
func (s *Server) Open() *Inbox { return &Inbox{server: s} }

// Intercept has f called in place of all methods but Close: do is what was to happen and may be
// called or not, before or after f waits, and its error be returned or another. f is asked each time
// that a Take looks. nil ends that.
func (s *Server) Intercept(f func(ctx context.Context, method string, do func() error) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.intercept = f
	s.look()
}

// Fail has all methods but Close fail with err, also those who wait in Take. nil ends that.
func (s *Server) Fail(err error) {
	if err == nil {
		s.Intercept(nil)
		return
	}
	s.Intercept(func(context.Context, string, func() error) error { return err })
}

// Hang has all methods but Close wait until their context ends. Fail(nil) ends that for those who come.
func (s *Server) Hang() {
	s.Intercept(func(ctx context.Context, _ string, _ func() error) error {
		<-ctx.Done()
		return ctx.Err()
	})
}

// Kill is kill -9: what the process holds is free at once, and it is told nothing. What it
// still calls returns [driver.ErrClosed].
func (b *Inbox) Kill() {
	b.server.mu.Lock()
	defer b.server.mu.Unlock()
	b.closed = true
	b.free(false, false)
}

// Lose is a connection that breaks: what the process holds is free at once, and it learns that. It
// goes on.
func (b *Inbox) Lose() {
	b.server.mu.Lock()
	defer b.server.mu.Unlock()
	b.free(false, true)
}

// Close implements [driver.Inbox].
func (b *Inbox) Close() error {
	b.server.mu.Lock()
	defer b.server.mu.Unlock()
	if !b.closed {
		b.closed = true
		b.free(true, true)
	}
	return nil
}

// free ends the holds of a process. It needs the lock, as all that follows with a small letter.
func (b *Inbox) free(returned, tell bool) {
	for _, l := range slices.Clone(b.server.lines) {
		if l.holder != b {
			continue
		}
		if returned {
			l.items[0].Tries--
		}
		if tell {
			close(l.lost)
		}
		b.server.turn(l)
	}
	b.server.look() // those who wait in Take of b, too
}

// turn puts a line that was held behind the others, or forgets it when nothing is left of it.
func (s *Server) turn(l *line) {
	l.holder, l.lease, l.lost = nil, "", nil
	s.lines = slices.DeleteFunc(s.lines, func(other *line) bool { return other == l })
	if len(l.items) > 0 {
		s.lines = append(s.lines, l)
	}
}

func (s *Server) look() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Server) number() string {
	s.last++
	return strconv.Itoa(s.last)
}

// do runs f under the lock, if the context and the process go on and nobody intercepts it.
func (b *Inbox) do(ctx context.Context, method string, f func() error) error {
	b.server.mu.Lock()
	intercept := b.server.intercept
	b.server.mu.Unlock()
	run := func() error {
		if err := ctx.Err(); err != nil {
			return err
		}
		b.server.mu.Lock()
		defer b.server.mu.Unlock()
		if b.closed {
			return driver.ErrClosed
		}
		b.server.age()
		return f()
	}
	if intercept == nil || ctx.Err() != nil {
		return run()
	}
	return intercept(ctx, method, run)
}

// age forgets what is old.
func (s *Server) age() {
	for len(s.forget) > 0 {
		at := s.keys[s.forget[0]]
		if !at.IsZero() { // not revived
			if time.Since(at) < known {
				break
			}
			delete(s.keys, s.forget[0])
		}
		s.forget = s.forget[1:]
	}
	s.dead = slices.DeleteFunc(s.dead, func(it driver.InboxItem) bool { return time.Since(it.At) >= buried })
	s.dead = s.dead[max(0, len(s.dead)-mostDead):]
}

// Put implements [driver.Inbox].
func (b *Inbox) Put(ctx context.Context, it driver.InboxItem) (fresh bool, err error) {
	switch {
	case !name.MatchString(it.Key):
		return false, errors.New("meminbox: the key is not 1 to 64 letters [0-9a-z]")
	case !name.MatchString(it.Line):
		return false, errors.New("meminbox: the line is not 1 to 64 letters [0-9a-z]")
	case len(it.Body) > mostBody:
		return false, fmt.Errorf("meminbox: the body has %d bytes, 5 MiB is the most", len(it.Body))
	}
	s := b.server
	err = b.do(ctx, "Put", func() error {
		if _, is := s.keys[it.Key]; is {
			return nil
		}
		if l := s.line(it.Line); strings.HasPrefix(it.Line, "u") && l != nil && len(l.items) >= driver.MostUnverified {
			return driver.ErrLineFull
		}
		s.keys[it.Key] = time.Time{}
		s.add(driver.InboxItem{ID: s.number(), Key: it.Key, Line: it.Line, Body: bytes.Clone(it.Body), At: time.Now()})
		fresh = true
		return nil
	})
	return fresh && err == nil, err
}

func (s *Server) line(name string) *line {
	if i := slices.IndexFunc(s.lines, func(l *line) bool { return l.name == name }); i >= 0 {
		return s.lines[i]
	}
	return nil
}

func (s *Server) add(it driver.InboxItem) {
	l := s.line(it.Line)
	if l == nil {
		l = &line{name: it.Line}
		s.lines = append(s.lines, l)
	}
	l.items = append(l.items, it)
	s.look()
}

// Take implements [driver.Inbox].
func (b *Inbox) Take(ctx context.Context, n int) ([]driver.InboxItem, error) {
	for {
		b.server.mu.Lock()
		changed := b.server.changed
		b.server.mu.Unlock()
		var taken []driver.InboxItem
		if err := b.do(ctx, "Take", func() error { taken = b.take(n); return nil }); err != nil {
			b.giveBack(taken)
			return nil, err
		}
		if len(taken) > 0 || n < 1 {
			return taken, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (b *Inbox) take(n int) []driver.InboxItem {
	var taken []driver.InboxItem
	for _, l := range b.server.lines {
		if l.holder != nil || len(taken) >= n {
			continue
		}
		l.holder, l.lease, l.lost = b, b.server.number(), make(chan struct{})
		l.items[0].Tries++
		it := l.items[0]
		it.Lease, it.Lost, it.Body = l.lease, l.lost, bytes.Clone(it.Body)
		taken = append(taken, it)
	}
	return taken
}

// giveBack frees what was taken when the answer got lost.
func (b *Inbox) giveBack(taken []driver.InboxItem) {
	b.server.mu.Lock()
	defer b.server.mu.Unlock()
	for _, it := range taken {
		if l := b.server.line(it.Line); l != nil && l.lease == it.Lease {
			b.server.turn(l)
		}
	}
	if len(taken) > 0 {
		b.server.look()
	}
}

// Done implements [driver.Inbox].
func (b *Inbox) Done(ctx context.Context, it driver.InboxItem, how driver.InboxOutcome) error {
	s := b.server
	return b.do(ctx, "Done", func() error {
		l := s.line(it.Line)
		if l == nil || l.lease == "" || l.lease != it.Lease || l.items[0].ID != it.ID {
			return driver.ErrTakenOver
		}
		switch how {
		case driver.InboxReturned:
			l.items[0].Tries--
		case driver.InboxHandled, driver.InboxBuried:
			if how == driver.InboxBuried {
				s.dead = append(s.dead, l.items[0])
			}
			key := l.items[0].Key
			s.keys[key] = time.Now()
			s.forget = append(s.forget, key)
			l.items = slices.Delete(l.items, 0, 1)
		default:
			return fmt.Errorf("meminbox: %v is no outcome", how)
		}
		s.turn(l)
		s.look()
		return nil
	})
}

// Dead implements [driver.DeadLetters].
func (b *Inbox) Dead(ctx context.Context, n int) (dead []driver.InboxItem, err error) {
	err = b.do(ctx, "Dead", func() error {
		dead = slices.Clone(b.server.dead[:min(max(n, 0), len(b.server.dead))])
		return nil
	})
	return dead, err
}

// Revive implements [driver.DeadLetters].
func (b *Inbox) Revive(ctx context.Context, id string) error {
	return b.do(ctx, "Revive", func() error {
		it, err := b.exhume(id)
		if err == nil {
			it.Tries = 0
			b.server.keys[it.Key] = time.Time{}
			b.server.add(it)
		}
		return err
	})
}

// Drop implements [driver.DeadLetters].
func (b *Inbox) Drop(ctx context.Context, id string) error {
	return b.do(ctx, "Drop", func() error { _, err := b.exhume(id); return err })
}

func (b *Inbox) exhume(id string) (driver.InboxItem, error) {
	i := slices.IndexFunc(b.server.dead, func(it driver.InboxItem) bool { return it.ID == id })
	if i < 0 {
		return driver.InboxItem{}, driver.ErrNoItem
	}
	it := b.server.dead[i]
	b.server.dead = slices.Delete(b.server.dead, i, i+1)
	return it, nil
}

// InboxStats implements [driver.InboxMeter].
func (b *Inbox) InboxStats(ctx context.Context) (stats driver.InboxStats, err error) {
	err = b.do(ctx, "InboxStats", func() error {
		stats.Dead = int64(len(b.server.dead))
		for _, l := range b.server.lines {
			stats.Waiting += int64(len(l.items))
			if l.holder != nil {
				stats.Waiting--
				stats.Running++
			}
			for _, it := range l.items {
				stats.Oldest = max(stats.Oldest, time.Since(it.At))
			}
		}
		return nil
	})
	return stats, err
}
