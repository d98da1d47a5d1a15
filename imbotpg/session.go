package imbotpg

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/imbot-go/imbot/driver"
)

// How often and how long the session is asked. Who holds a lock and gets no answer must have
// stopped before the server gives it to somebody else, 11 s after the last packet.
const (
	sessionLook    = 250 * time.Millisecond
	sessionTimeout = 3 * time.Second
)

// sessions keeps all locks of a process on one connection, and learns when it is lost. One
// goroutine talks to the server, from the first lock until close.
type sessions struct {
	connect func(context.Context) (*pgx.Conn, error)
	schema  string

	mu     sync.Mutex
	lines  map[int64][]*hold // who holds a lock or gets it next, then who waits in this process
	free   []int64           // locks to give back
	wake   chan struct{}     // holds one when there is something to do at once
	closed chan struct{}
	ended  chan struct{} // nil until the goroutine was started
}

// hold is a lock, or the wish for one.
type hold struct {
	of      *sessions
	key     int64
	patient bool
	got     chan error // one value, when the wish is fulfilled or in vain
	has     bool
	lost    chan struct{} // closed when the session is gone that has the lock
}

func newSessions(schema string, connect func(context.Context) (*pgx.Conn, error)) *sessions {
	return &sessions{connect: connect, schema: schema, lines: map[int64][]*hold{}, wake: make(chan struct{}, 1), closed: make(chan struct{})}
}

// acquire waits for a lock. Who is patient waits also for a server that is away.
func (s *sessions) acquire(ctx context.Context, kind, name string, patient bool) (*hold, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte("imbot\x00" + s.schema + "\x00" + kind + "\x00" + name))
	h := &hold{of: s, key: int64(binary.BigEndian.Uint64(sum[:])), patient: patient, got: make(chan error, 1), lost: make(chan struct{})} //nolint:gosec // any 64 bits
	if err := s.enter(h); err != nil {
		return nil, err
	}
	select {
	case err := <-h.got:
		if err == nil {
			err = ctx.Err() // who led before may have left with the same context
		}
		if err != nil {
			h.release()
			return nil, err
		}
		return h, nil
	case <-ctx.Done():
		h.release()
		return nil, ctx.Err()
	}
}

func (s *sessions) enter(h *hold) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.closed:
		return driver.ErrClosed
	default:
	}
	s.lines[h.key] = append(s.lines[h.key], h)
	if s.ended == nil {
		s.ended = make(chan struct{})
		go s.run()
	}
	s.hurry()
	return nil
}

// hurry lets the goroutine look at once.
func (s *sessions) hurry() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// release gives a lock back, or leaves the line for it; the second time does nothing.
func (h *hold) release() {
	s := h.of
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slices.Index(s.lines[h.key], h)
	if at < 0 {
		return
	}
	s.leave(h.key, at)
	if h.has {
		s.free = append(s.free, h.key)
		s.hurry()
	}
}

func (s *sessions) leave(key int64, at int) {
	if s.lines[key] = slices.Delete(s.lines[key], at, at+1); len(s.lines[key]) == 0 {
		delete(s.lines, key)
	}
}

// close ends the session, and with it what it holds.
func (s *sessions) close() {
	s.mu.Lock()
	select {
	case <-s.closed:
	default:
		close(s.closed)
	}
	ended := s.ended
	s.mu.Unlock()
	if ended != nil {
		<-ended
	}
}

// run is the goroutine.
func (s *sessions) run() {
	defer close(s.ended)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { // a connection that hangs does not keep close waiting
		<-s.closed
		cancel()
	}()
	tick := time.NewTicker(sessionLook)
	defer tick.Stop()
	var conn *pgx.Conn
	for {
		select {
		case <-s.wake:
		case <-tick.C:
		case <-s.closed:
			s.end(conn, driver.ErrClosed, func(*hold) bool { return true })
			return
		}
		conn = s.round(ctx, conn)
	}
}

// round connects when it has to, gives back, takes what is free, and returns the connection; nil
// when it is lost.
func (s *sessions) round(ctx context.Context, conn *pgx.Conn) *pgx.Conn {
	free, wish, idle := s.due()
	if idle {
		return conn
	}
	ctx, cancel := context.WithTimeout(ctx, sessionTimeout)
	defer cancel()
	fresh := conn == nil
	if fresh {
		var err error
		if conn, err = s.connect(ctx); err != nil {
			s.end(nil, err, func(h *hold) bool { return !h.patient || !passing(err) })
			return nil
		}
	}
	batch := &pgx.Batch{}
	batch.Queue(`select pg_advisory_unlock(k) from unnest($1::bigint[]) k`, free)
	batch.Queue(`select k, pg_try_advisory_lock(k) from unnest($1::bigint[]) k`, wish)
	results := conn.SendBatch(ctx, batch)
	_, err := results.Exec()
	var key int64
	var got bool
	var taken []int64
	if err == nil {
		rows, _ := results.Query() // its error is that of the rows
		_, err = pgx.ForEachRow(rows, []any{&key, &got}, func() error {
			if got {
				taken = append(taken, key)
			}
			return nil
		})
	}
	if ended := results.Close(); err == nil {
		err = ended
	}
	if err != nil {
		s.end(conn, err, func(h *hold) bool { return fresh && (!h.patient || !passing(err)) })
		if !fresh {
			s.hurry() // those who wait need not know
		}
		return nil
	}
	s.grant(taken)
	return conn
}

// due returns which locks to give back and which to try. idle: there is nothing to do, and no lock
// that could get lost.
func (s *sessions) due() (free, wish []int64, idle bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	free, s.free = s.free, nil
	for key, line := range s.lines {
		if !line[0].has {
			wish = append(wish, key)
		}
	}
	return free, wish, len(free) == 0 && len(s.lines) == 0
}

// grant gives locks that the session has to the first in line.
func (s *sessions) grant(taken []int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range taken {
		if line := s.lines[key]; len(line) > 0 {
			line[0].has = true
			line[0].got <- nil
			continue
		}
		s.free = append(s.free, key) // nobody waits any more
		s.hurry()
	}
}

// end drops the connection: what it held is lost, and those who wait in vain are told why.
func (s *sessions) end(conn *pgx.Conn, why error, vain func(*hold) bool) {
	s.mu.Lock()
	s.free = nil
	for key, line := range s.lines {
		for at := len(line) - 1; at >= 0; at-- {
			switch h := line[at]; {
			case h.has:
				close(h.lost)
				s.leave(key, at)
			case vain(h):
				h.got <- why
				s.leave(key, at)
			}
		}
	}
	s.mu.Unlock()
	if conn != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = conn.Close(ctx)
	}
}

// passing reports whether it helps to wait: the server is away, starts, ends or has too many
// connections. What it says of this user, password or database stays.
func passing(err error) bool {
	refused := (*pgconn.PgError)(nil)
	return !errors.As(err, &refused) || slices.Contains([]string{"08", "53", "57"}, refused.Code[:min(2, len(refused.Code))])
}
