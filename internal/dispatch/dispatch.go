// Package dispatch runs work in the background: in order where order matters,
// side by side where it does not, bounded, and drained at the end.
package dispatch

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
)

// The reasons why Submit refuses work.
var (
	ErrFull   = errors.New("the event queue is full: give callbacks a time-out, or raise Workers or Queue")
	ErrClosed = errors.New("the event pool is shut down")
)

// A Pool runs work in order per key and different keys side by side. A key
// whose work is running holds one worker, however much waits behind it.
// Workers start with work and end when none of it can run: an idle pool has no
// goroutine and remembers no key.
//
// A Pool recovers from no panic: one in the work ends the program, so work that
// must not do that recovers by itself.
type Pool struct {
	workers, queue int

	// One context for all work: it outlives the calls of Submit and ends with
	// the pool.
	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex
	lines   map[string]*line // keys with work running or waiting; never ""
	ready   []*line          // lines with work waiting and none running, oldest first
	queued  int              // work waiting, in all lines
	running int              // workers; below the limit only while ready is empty
	closed  bool
	cut     error         // what the first Shutdown that did not drain returned
	idle    chan struct{} // closed when the last worker ends; nil while nobody waits
}

// A line is the work of one key. It is in ready, or with a worker, never both.
type line struct {
	key     string
	waiting []func(context.Context)
}

// A turn is one item of work, taken out of its line.
type turn struct {
	line *line
	work func(context.Context)
}

// New returns an idle pool of at most workers goroutines (at least one) with
// room for queue items of work that wait. Running work takes no room, so with
// a queue of zero work is accepted only if it can start at once.
func New(workers, queue int) *Pool {
	p := &Pool{workers: max(workers, 1), queue: max(queue, 0), lines: make(map[string]*line)}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// Submit hands work to the pool and returns at once, with ErrFull or ErrClosed
// if the pool does not take it. Work of one key runs in the order of Submit,
// one after another; work of the key "" is independent of all other work. Keys
// that could run take turns, one item each. One key may fill the whole queue.
//
// The context given to work is the same for all work of the pool, carries no
// values, and ends with [Pool.Shutdown].
func (p *Pool) Submit(key string, work func(context.Context)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrClosed
	}
	if _, known := p.lines[key]; (known || p.running >= p.workers) && p.queued >= p.queue {
		return ErrFull
	}
	p.add(key, work)
	return nil
}

// Hand takes work that was accepted elsewhere, so it is refused neither for
// room nor after Close. It is dropped when a Shutdown is over.
func (p *Pool) Hand(key string, work func(context.Context)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx.Err() == nil {
		p.add(key, work)
	}
}

// add starts work, or puts it into its line.
func (p *Pool) add(key string, work func(context.Context)) {
	l, known := p.lines[key]
	if !known {
		l = &line{key: key}
		if key != "" {
			p.lines[key] = l
		}
	}
	if !known && p.running < p.workers {
		p.running++
		go p.worker(turn{l, work})
		return
	}
	l.waiting = append(l.waiting, work)
	p.queued++
	if !known {
		p.ready = append(p.ready, l)
	}
}

// Close refuses further calls of Submit, and nothing else.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
}

// Closed reports whether Submit refuses all work.
func (p *Pool) Closed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// Queued returns how much work is waiting; running work does not count.
func (p *Pool) Queued() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.queued
}

// Idle waits until nothing is queued or running and returns nil then, or ctx's
// error if ctx ends first. Work that calls it waits for itself.
func (p *Pool) Idle(ctx context.Context) error {
	p.mu.Lock()
	if p.running == 0 {
		p.mu.Unlock()
		return nil
	}
	if p.idle == nil {
		p.idle = make(chan struct{})
	}
	idle := p.idle
	p.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Shutdown refuses new work, waits for all that was accepted, and ends the
// work's context. If ctx ends first, it ends the work's context at once, drops
// what is queued, and returns an error that wraps ctx's and says how much was
// lost, without waiting for running work: [Pool.Idle] does.
//
// It may be called often and concurrently; the first ctx that ends decides for
// all calls, and each of them reports the loss.
func (p *Pool) Shutdown(ctx context.Context) error {
	p.Close()
	err := p.Idle(ctx)

	p.mu.Lock()
	defer p.mu.Unlock()
	p.cancel()
	// No worker left means drained, even if ctx ended in the same moment.
	if p.running > 0 && p.cut == nil {
		p.cut = fmt.Errorf("%d events were dropped, %d interrupted: %w", p.queued, p.running, err)
		for _, l := range p.lines {
			l.waiting = nil
		}
		clear(p.lines)
		p.ready, p.queued = nil, 0
	}
	return p.cut
}

// worker does one turn after another until none is left.
func (p *Pool) worker(t turn) {
	grow()
	more := true
	defer func() {
		if !more {
			return
		}
		// The work ended its goroutine (runtime.Goexit, as a failing test
		// does): another one takes over, or the key would hang for ever.
		if t, more = p.next(t.line); more {
			go p.worker(t)
		}
	}()
	for more {
		t.work(p.ctx)
		t, more = p.next(t.line)
	}
}

// grow gives the stack of a worker room for a call while there is next to nothing on it.
// It would be doubled several times otherwise, when there are many frames to copy, which
// takes a quarter of the time of an event.
//
//go:noinline
func grow() {
	var room [8 << 10]byte
	runtime.KeepAlive(&room)
}

// next puts the line whose turn is over back, behind all others, and takes the
// next turn. Without one the worker counts as ended.
func (p *Pool) next(done *line) (t turn, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(done.waiting) > 0 {
		p.ready = append(p.ready, done)
	} else {
		delete(p.lines, done.key)
	}
	if len(p.ready) > 0 {
		l := pop(&p.ready)
		p.queued--
		return turn{l, pop(&l.waiting)}, true
	}
	p.running--
	if p.running == 0 && p.idle != nil {
		close(p.idle)
		p.idle = nil
	}
	return turn{}, false
}

// pop takes the first element and leaves nothing of it in the array behind.
func pop[T any](s *[]T) T {
	var zero T
	first := (*s)[0]
	(*s)[0] = zero
	*s = (*s)[1:]
	return first
}
