package imbotpg

import (
	"context"
	"sync"

	"github.com/imbot-go/imbot/driver"
)

const (
	mostGathered = 256
	mostBytes    = 8 << 20
)

// A gatherer does in one step what several callers ask for: those who ask while a step runs go
// together in the next.
type gatherer[T any] struct {
	asked  chan *request[T]
	do     func([]*request[T]) // sets ok or err of each
	closed chan struct{}
	wg     sync.WaitGroup
}

type request[T any] struct {
	what T
	name string // two of the same name are not in one step
	size int
	ok   bool
	err  error
	done chan struct{}
}

// newGatherer starts as many steps side by side as there are writers.
func newGatherer[T any](writers int, do func([]*request[T])) *gatherer[T] {
	g := &gatherer[T]{asked: make(chan *request[T]), do: do, closed: make(chan struct{})}
	for range writers {
		g.wg.Go(g.run)
	}
	return g
}

// ask waits for a step. When ctx ends in the middle, the step goes on.
func (g *gatherer[T]) ask(ctx context.Context, r *request[T]) (ok bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	r.done = make(chan struct{})
	select {
	case <-g.closed:
		return false, driver.ErrClosed
	default:
	}
	select {
	case g.asked <- r:
	case <-ctx.Done():
		return false, ctx.Err()
	case <-g.closed:
		return false, driver.ErrClosed
	}
	select {
	case <-r.done:
		return r.ok, r.err
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

func (g *gatherer[T]) run() {
	var next *request[T]
	for {
		if next == nil {
			select {
			case next = <-g.asked:
			case <-g.closed:
				return
			}
		}
		var all []*request[T]
		all, next = g.gather(next)
		g.do(all)
		for _, r := range all {
			close(r.done)
		}
	}
}

// gather returns a request and those that wait, and one that must go in the next step.
func (g *gatherer[T]) gather(first *request[T]) (all []*request[T], next *request[T]) {
	all = append(all, first)
	names, size := map[string]bool{first.name: true}, first.size
	for len(all) < mostGathered && size < mostBytes {
		select {
		case r := <-g.asked:
			if names[r.name] {
				return all, r
			}
			all = append(all, r)
			names[r.name] = true
			size += r.size
		default:
			return all, nil
		}
	}
	return all, nil
}

// close ends the steps and waits for those that run.
func (g *gatherer[T]) close() {
	close(g.closed)
	g.wg.Wait()
}
