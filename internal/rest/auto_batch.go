package rest

import (
	"container/list"
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"
)

// gather is how long a call waits for others before a batch goes out.
const gather = 5 * time.Millisecond

// autoBatch lets calls travel together. Calls to one dialog stand in one lane,
// which sends nothing as long as something of it is under way. One goroutine,
// the pump, runs while calls wait in free lanes: it asks the limiter and then
// takes what has gathered by then.
type autoBatch struct {
	core *Core

	mu      sync.Mutex
	lanes   map[string]*lane
	ready   list.List // of *lane: free and with calls
	waiting int       // calls in ready lanes
	active  int       // requests under way
	seq     int64
	pumping bool
	round   *round // what the pump waits for
}

// lane is the queue of one dialog.
type lane struct {
	key   string
	calls list.List     // of *waiter, by seq
	busy  int           // calls that are under way or wait outside the queue
	place *list.Element // in ready
}

// round is one wait of the pump.
type round struct {
	ctx    context.Context // ends when nobody waits any more
	cancel context.CancelFunc
	full   chan struct{} // closed when a batch is full
	closed bool
}

// turn is why a waiter has left the queue.
type turn int

const (
	mine     turn = iota // the caller sends it by itself; the limiter was asked
	held                 // its method is on hold
	answered             // its batch is done
)

// waiter is one call that waits for its turn.
type waiter struct {
	Item
	lane  *lane
	seq   int64
	since time.Time
	place *list.Element // in the lane; nil: it is not in the queue
	ride  *ride         // nil: it is not in a batch under way
	left  bool          // the caller is gone
	turn  chan turn     // holds one
}

// ride is a batch under way.
type ride struct {
	waiters []*waiter
	riding  int
	flying  bool // a request with them is on the wire
	cancel  context.CancelFunc
}

func (a *autoBatch) do(ctx context.Context, cl *Call) (json.RawMessage, *Failure) {
	j := &waiter{Item: Item{call: cl}, since: time.Now(), turn: make(chan turn, 1)}
	j.command = command(cl.method, cl.params)
	a.join(j, a.core.config.Dialog(cl.params))
	for {
		var t turn
		select {
		case t = <-j.turn:
		case <-ctx.Done():
			if f := a.leave(j, ctx.Err()); f != nil {
				return nil, f
			}
			t = <-j.turn
		}
		switch {
		case t == held:
			if err := a.core.holds.wait(ctx, cl.method); err != nil {
				a.release(j, false)
				return nil, onHold(cl, err)
			}
			a.rejoin(j)
		case t == answered && j.next == finished:
			return j.Result, j.Failure
		case t == answered && j.next == rejoin:
			a.rejoin(j)
		default:
			a.sendAlone(ctx, j)
			return j.Result, j.Failure
		}
	}
}

// join puts a call at the end of its lane.
func (a *autoBatch) join(j *waiter, dialog string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.lanes[dialog]
	if l == nil || dialog == "" {
		l = &lane{key: dialog}
	}
	if dialog != "" {
		if a.lanes == nil {
			a.lanes = map[string]*lane{}
		}
		a.lanes[dialog] = l
	}
	a.seq++
	j.lane, j.seq = l, a.seq
	j.place = l.calls.PushBack(j)
	if l.place != nil {
		a.waiting++
	}
	a.free(l)
}

// rejoin puts a call back in its place; it still counts as busy.
func (a *autoBatch) rejoin(j *waiter) {
	a.mu.Lock()
	defer a.mu.Unlock()
	j.next, j.Failure = finished, nil
	l := j.lane
	before := l.calls.Front()
	for before != nil && before.Value.(*waiter).seq < j.seq {
		before = before.Next()
	}
	if before == nil {
		j.place = l.calls.PushBack(j)
	} else {
		j.place = l.calls.InsertBefore(j, before)
	}
	l.busy--
	a.free(l)
}

// sendAlone sends a call by itself. A panic in code of the user is its caller's, but
// must not hold the lane up.
func (a *autoBatch) sendAlone(ctx context.Context, j *waiter) {
	defer a.release(j, true)
	a.core.sendAlone(ctx, &j.Item)
}

// release ends a call that was under way or held.
func (a *autoBatch) release(j *waiter, wasActive bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if wasActive {
		a.active--
	}
	j.lane.busy--
	a.free(j.lane)
}

// free makes a lane ready when nothing of it is under way, and starts the pump.
func (a *autoBatch) free(l *lane) {
	switch {
	case l.busy > 0:
	case l.calls.Len() == 0:
		a.forget(l)
	case l.place == nil:
		l.place = a.ready.PushBack(l)
		a.waiting += l.calls.Len()
	}
	if a.waiting > 0 && !a.pumping {
		a.pumping = true
		go a.pump()
	}
	if r := a.round; r != nil && !r.closed && a.waiting >= a.core.BatchSize() {
		r.closed = true
		close(r.full)
	}
}

// unready takes a lane out of the ready ones.
func (a *autoBatch) unready(l *lane) {
	if l.place != nil {
		a.ready.Remove(l.place)
		l.place = nil
		a.waiting -= l.calls.Len()
	}
}

func (a *autoBatch) forget(l *lane) {
	a.unready(l)
	if a.lanes[l.key] == l {
		delete(a.lanes, l.key)
	}
}

// leave takes a call out whose context has ended, and returns its failure; nil
// when its turn has come meanwhile.
func (a *autoBatch) leave(j *waiter, cause error) *Failure {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch l := j.lane; {
	case j.place != nil:
		l.calls.Remove(j.place)
		j.place = nil
		if l.place != nil {
			a.waiting--
		}
		if l.calls.Len() == 0 && l.busy == 0 {
			a.forget(l)
		}
		if a.waiting == 0 && a.round != nil {
			a.round.cancel()
		}
		return interrupted(j.call, nil, cause)
	case j.ride != nil:
		r := j.ride
		if r.riding--; r.riding == 0 {
			r.cancel()
		}
		if !r.flying { // it waits for its first try or the next one
			r.drop(j)
			j.ride = nil
			l.busy--
			a.free(l)
			return &Failure{Method: j.call.method, Description: "not sent", Cause: cause} // the batch may just be adding up attempts
		}
		j.left = true
		f := &Failure{Method: j.call.method, Description: "left a batch under way", Attempts: 1, InBatch: true, Cause: cause}
		if !j.call.repeatable {
			f.Kind = OutcomeUnknown
		}
		return f
	}
	return nil
}

// pump sends what waits, until nothing does.
func (a *autoBatch) pump() {
	ended := false
	defer func() {
		if !ended {
			a.stopped()
		}
	}()
	for {
		a.mu.Lock()
		a.setAside()
		if a.waiting == 0 {
			a.pumping, a.round = false, nil
			ended = true
			a.mu.Unlock()
			return
		}
		r := &round{full: make(chan struct{})}
		r.ctx, r.cancel = context.WithCancel(context.Background())
		a.round = r
		var patience time.Duration
		if a.active+a.waiting > 1 && a.waiting < a.core.BatchSize() && !a.core.noBatch() {
			first := a.ready.Front().Value.(*lane).calls.Front().Value.(*waiter)
			patience = gather - time.Since(first.since)
		}
		a.mu.Unlock()
		err := r.wait(patience)
		if err == nil {
			err = a.core.guarded(&a.core.config.Secrets, func() error { return a.core.wait(r.ctx) })
		}
		over := r.ctx.Err() != nil
		r.cancel()
		if err != nil && !over {
			a.fail(err)
		}
		if err == nil {
			a.send()
		}
	}
}

// wait waits for more calls.
func (r *round) wait(d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.full:
	case <-r.ctx.Done():
	}
	return r.ctx.Err()
}

// fail ends all that wait: the limiter does not let anything through.
func (a *autoBatch) fail(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for e := a.ready.Front(); e != nil; e = a.ready.Front() {
		l := e.Value.(*lane)
		a.unready(l)
		for f := l.calls.Front(); f != nil; f = l.calls.Front() {
			j := l.calls.Remove(f).(*waiter)
			j.place = nil
			j.Failure = interrupted(j.call, nil, err)
			j.turn <- answered
		}
		a.free(l)
	}
}

// send sends what fits into one request.
func (a *autoBatch) send() {
	a.mu.Lock()
	defer a.mu.Unlock()
	waiters := a.take()
	if len(waiters) == 0 {
		return
	}
	a.active++
	waited := time.Since(waiters[0].since)
	if len(waiters) == 1 {
		j := waiters[0]
		j.call.paid, j.call.waited = true, waited
		j.turn <- mine
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &ride{waiters: waiters, riding: len(waiters), cancel: cancel}
	items := make([]*Item, len(waiters))
	for i, j := range waiters {
		j.ride = r
		items[i] = &j.Item
	}
	go func() {
		defer cancel()
		cl := a.core.batchCall(items)
		cl.paid, cl.waited = true, waited
		cl.board = func() error { return a.board(r, cl) }
		cl.landed = func() { a.landed(r) }
		cause := errGoexit
		defer func() {
			if cause != nil {
				a.crash(r, cl.attempts, cause)
			}
		}()
		cause = a.core.guarded(&cl.secrets, func() error {
			_ = a.core.sendBatch(ctx, cl) // each item has its own failure
			return nil
		})
		if cause == nil {
			a.arrive(r)
		}
	}()
}

// board takes those out who have left since the last try, and lets the batch go.
func (a *autoBatch) board(r *ride, cl *Call) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, j := range slices.Clone(r.waiters) {
		if j.left {
			r.drop(j)
			j.lane.busy--
			a.free(j.lane)
		}
	}
	if len(r.waiters) == 0 {
		return context.Canceled
	}
	if len(r.waiters) < len(cl.items) {
		items := make([]*Item, len(r.waiters))
		for i, j := range r.waiters {
			items[i] = &j.Item
		}
		a.core.load(cl, items)
	}
	r.flying = true
	return nil
}

func (a *autoBatch) landed(r *ride) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r.flying = false
}

func (r *ride) drop(j *waiter) {
	r.waiters = slices.DeleteFunc(r.waiters, func(w *waiter) bool { return w == j })
}

// take takes as many calls out of the ready lanes as fit into one request; only
// one when it has to travel alone.
func (a *autoBatch) take() []*waiter {
	var waiters []*waiter
	n, room := a.core.size.now()
	singly := a.core.noBatch()
	for e := a.ready.Front(); e != nil && len(waiters) < n; {
		l := e.Value.(*lane)
		e = e.Next()
		for l.calls.Len() > 0 && len(waiters) < n {
			j := l.calls.Front().Value.(*waiter)
			if a.core.holds.holding(j.call.method) {
				break
			}
			lone := j.command == "" || singly
			if room -= j.bytes(); len(waiters) > 0 && (lone || room < 0) {
				break // it is first next time
			}
			a.pull(j)
			waiters = append(waiters, j)
			if lone {
				a.unready(l)
				return waiters
			}
		}
		if l.busy > 0 {
			a.unready(l)
		}
	}
	return waiters
}

// pull takes a call out of a ready lane.
func (a *autoBatch) pull(j *waiter) {
	j.lane.calls.Remove(j.place)
	j.place = nil
	a.waiting--
	j.lane.busy++
}

// setAside takes out of the queue what waits for a method on hold.
func (a *autoBatch) setAside() {
	if !a.core.holds.holding("") {
		return
	}
	for e := a.ready.Front(); e != nil; {
		l := e.Value.(*lane)
		e = e.Next()
		if j := l.calls.Front().Value.(*waiter); a.core.holds.holding(j.call.method) {
			a.pull(j)
			a.unready(l)
			j.turn <- held
		}
	}
}

// arrive hands out what a batch has brought.
func (a *autoBatch) arrive(r *ride) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.land(r)
}

func (a *autoBatch) land(r *ride) {
	a.active--
	for _, j := range r.waiters {
		j.ride = nil
		switch {
		case j.left, j.next == finished:
			j.lane.busy--
			a.free(j.lane)
		case j.next == alone:
			a.active++
		}
		if !j.left {
			j.turn <- answered
		}
	}
}
