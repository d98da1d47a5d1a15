package rest

import (
	"context"
	"iter"
	"slices"
)

// InBatches sends a stream of requests in batches, of which up to ahead are on the way at a time,
// and hands their items out in the order of the requests, until it returns false. A request that
// prepare refuses is not sent. When ctx ends no more are read. It returns when nothing is under way.
func InBatches[Q any](ctx context.Context, c *Core, ahead int, requests iter.Seq[Q], prepare func(Q) (*Item, error), hand func(Q, *Item, error) bool) {
	var underway []*flight[Q] // in the order of the requests, fewer than ahead while requests are read
	defer func() {
		for _, f := range underway {
			<-f.done
		}
	}()
	handOut := func() bool { // the results of the first one
		f := underway[0]
		<-f.done
		underway = underway[1:]
		if f.thrown != nil {
			panic(f.thrown) // of the user's code, as without Ahead
		}
		for _, p := range f.passengers {
			if !hand(p.request, p.item, p.refused) {
				return false
			}
		}
		return true
	}
	send := func(f *flight[Q]) bool {
		for slices.ContainsFunc(underway, f.mustFollow) {
			if !handOut() {
				return false
			}
		}
		underway = append(underway, f)
		if ahead > 1 {
			go f.run(ctx, c)
		} else {
			f.run(ctx, c)
		}
		return len(underway) < ahead || handOut()
	}
	f := newFlight[Q]()
	for req := range requests {
		it, err := prepare(req)
		f.passengers = append(f.passengers, passenger[Q]{req, it, err})
		if ahead > 1 && err == nil {
			f.dialogs[it.Dialog(c)] = true
		}
		ended := ctx.Err() != nil
		if ended || len(f.passengers) >= c.BatchSize() {
			if !send(f) {
				return
			}
			f = newFlight[Q]()
		}
		if ended {
			break
		}
	}
	if len(f.passengers) > 0 && !send(f) {
		return
	}
	for len(underway) > 0 {
		if !handOut() {
			return
		}
	}
}

// flight is a batch on its way.
type flight[Q any] struct {
	passengers []passenger[Q]
	dialogs    map[string]bool // that it is about; "": of a call that names none
	done       chan struct{}   // closed when it is over
	thrown     any             // what the user's code has panicked with
}

type passenger[Q any] struct {
	request Q
	item    *Item
	refused error
}

func newFlight[Q any]() *flight[Q] {
	return &flight[Q]{dialogs: map[string]bool{}, done: make(chan struct{})}
}

func (f *flight[Q]) run(ctx context.Context, c *Core) {
	defer close(f.done)
	defer func() { f.thrown = recover() }()
	todo := make([]*Item, 0, len(f.passengers))
	for _, p := range f.passengers {
		if p.refused == nil {
			todo = append(todo, p.item)
		}
	}
	_ = c.Run(ctx, todo) // each item has its own failure
}

// mustFollow reports whether a batch has to wait for another one that went before.
func (f *flight[Q]) mustFollow(before *flight[Q]) bool {
	select {
	case <-before.done:
		return false
	default:
	}
	if f.dialogs[""] || before.dialogs[""] {
		return true
	}
	for dialog := range f.dialogs {
		if before.dialogs[dialog] {
			return true
		}
	}
	return false
}
