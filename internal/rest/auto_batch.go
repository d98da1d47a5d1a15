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

// autoBatch lets calls travel together, those of each class by themselves. Calls to
// one dialog stand in one lane, which sends nothing as long as something of it is
// under way. One goroutine for each class, its pump, runs while calls wait in free
// lanes: it asks the limiter and then takes what has gathered by then.
type autoBatch struct {
	core *Core

	mu     sync.Mutex
	lanes  map[string]*lane
	queues [classes]*queue // by Class.line; nil: nothing of the class has been called
	seq    int64
	recent recent
}

// queue is what waits of one class.
type queue struct {
	class   Class
	ready   list.List // of *lane: free and with calls
	waiting int       // calls in ready lanes
	active  int       // requests under way
	last    time.Time // when the last one went out
	pumping bool
	round   *round // what the pump waits for
}

// lane is the line of one dialog. It stands in the queue of the best class of its
// calls, so that an answer does not wait behind a broadcast to the same person: its
// order stays, and what is in front of the answer goes with it.
type lane struct {
	key   string
	calls list.List     // of *waiter, by seq
	of    [classes]int  // how many of each class
	busy  int           // calls that are under way or wait outside the queue
	queue *queue        // in whose ready lanes it is
	place *list.Element // in there; nil: it is in none
}

// recent are the last requests.
type recent struct {
	answer [8]bool // whether each was one
	n      int
}

func (r *recent) add(class Class) {
	r.answer[r.n%len(r.answer)] = class == ClassAnswer
	r.n++
}

// answers reports whether answers have been half of the last requests or more: then a
// broadcast gets on only when its calls ride behind them. At one answer a second of two
// requests it is exactly half.
func (r *recent) answers() bool {
	n := 0
	for _, is := range r.answer {
		if is {
			n++
		}
	}
	return r.n >= len(r.answer) && 2*n >= len(r.answer)
}

// mostAnswers is how many answers travel in one batch: the last one waits for those
// before it.
const mostAnswers = 5

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
	class   Class
	lane    *lane
	seq     int64
	since   time.Time
	counted *queue        // among whose active requests it is, when it goes by itself
	place   *list.Element // in the lane; nil: it is not in the queue
	ride    *ride         // nil: it is not in a batch under way
	left    bool          // the caller is gone
	turn    chan turn     // holds one
}

// ride is a batch under way.
type ride struct {
	queue   *queue
	waiters []*waiter
	riding  int
	flying  bool // a request with them is on the wire
	cancel  context.CancelFunc
}

func (a *autoBatch) do(ctx context.Context, cl *Call, class Class) (json.RawMessage, *Failure) {
	j := &waiter{class: class, Item: Item{call: cl}, since: time.Now(), turn: make(chan turn, 1)}
	j.command = cl.command()
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
			if err := a.core.used().holds.wait(ctx, cl.method); err != nil {
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
	l.of[j.class.line()]++
	if l.place != nil {
		l.queue.waiting++
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
	l.of[j.class.line()]++
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
		j.counted.active--
	}
	j.lane.busy--
	a.free(j.lane)
}

// queue returns what waits of a class.
func (a *autoBatch) queue(class Class) *queue {
	q := &a.queues[class.line()]
	if *q == nil {
		*q = &queue{class: class}
	}
	return *q
}

// free makes a lane ready when nothing of it is under way, in the queue where it
// belongs, and starts the pump.
func (a *autoBatch) free(l *lane) {
	switch {
	case l.busy > 0:
		return
	case l.calls.Len() == 0:
		a.forget(l)
		return
	}
	q := l.best(a)
	if l.place != nil && l.queue != q {
		a.unready(l)
	}
	if l.place == nil {
		l.queue, l.place = q, q.ready.PushBack(l)
		q.waiting += l.calls.Len()
	}
	if !q.pumping {
		q.pumping = true
		go a.pump(q)
	}
	if r := q.round; r != nil && !r.closed && q.waiting >= a.core.BatchSize() {
		r.closed = true
		close(r.full)
	}
}

// best is the queue of the best class that a lane has.
func (l *lane) best(a *autoBatch) *queue {
	class := ClassAnswer
	for class > ClassBulk && l.of[class.line()] == 0 {
		class--
	}
	return a.queue(class)
}

// unready takes a lane out of the ready ones.
func (a *autoBatch) unready(l *lane) {
	if l.place != nil {
		l.queue.ready.Remove(l.place)
		l.queue.waiting -= l.calls.Len()
		l.place = nil
	}
}

func (a *autoBatch) forget(l *lane) {
	a.unready(l)
	if a.lanes[l.key] == l {
		if delete(a.lanes, l.key); len(a.lanes) == 0 {
			a.lanes = nil // most portals are idle most of the time
		}
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
		l.of[j.class.line()]--
		q := l.queue
		if l.place != nil {
			q.waiting--
		}
		a.free(l)
		if q != nil && q.waiting == 0 && q.round != nil {
			q.round.cancel()
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
			// Without Attempts: the goroutine of the ride may be writing j.call.attempts right now.
			return &Failure{Method: j.call.method, Description: "not sent", Cause: cause}
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

// pump sends what waits of a class, until nothing does.
func (a *autoBatch) pump(q *queue) {
	ended := false
	defer func() {
		if !ended {
			a.stopped(q)
		}
	}()
	for {
		a.mu.Lock()
		a.setAside(q)
		if q.waiting == 0 {
			q.pumping, q.round = false, nil
			ended = true
			a.mu.Unlock()
			return
		}
		r := &round{full: make(chan struct{})}
		r.ctx, r.cancel = context.WithCancel(WithClass(context.Background(), q.class))
		q.round = r
		var patience time.Duration
		// Behind one that has just gone others are on their way, too; without a limiter
		// there is nothing to save.
		more := q.active+q.waiting > 1 || a.core.config.Limiter != nil && time.Since(q.last) < gather
		if more && q.waiting < a.core.BatchSize() && !a.core.noBatch() {
			first := q.ready.Front().Value.(*lane).calls.Front().Value.(*waiter)
			patience = gather - time.Since(first.since)
		}
		a.mu.Unlock()
		err := r.wait(patience)
		if err == nil {
			err = a.core.guarded(&a.core.portal.Secrets, func() error { return a.core.wait(r.ctx) })
		}
		over := r.ctx.Err() != nil
		r.cancel()
		if err != nil && !over {
			a.fail(q, err)
		}
		if err == nil {
			a.send(q)
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
func (a *autoBatch) fail(q *queue, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for e := q.ready.Front(); e != nil; e = q.ready.Front() {
		l := e.Value.(*lane)
		a.unready(l)
		for f := l.calls.Front(); f != nil; f = l.calls.Front() {
			j := l.calls.Remove(f).(*waiter)
			j.place = nil
			l.of[j.class.line()]--
			j.Failure = interrupted(j.call, nil, err)
			j.turn <- answered
		}
		a.free(l)
	}
}

// send sends what fits into one request.
func (a *autoBatch) send(q *queue) {
	a.mu.Lock()
	defer a.mu.Unlock()
	waiters := a.load(q)
	if len(waiters) == 0 {
		return
	}
	q.active++
	q.last = time.Now()
	a.recent.add(q.class)
	waited := time.Since(waiters[0].since)
	if len(waiters) == 1 {
		j := waiters[0]
		j.call.paid, j.call.waited, j.counted = true, waited, q
		j.turn <- mine
		return
	}
	ctx, cancel := context.WithCancel(WithClass(context.Background(), q.class))
	r := &ride{queue: q, waiters: waiters, riding: len(waiters), cancel: cancel}
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

// load takes as many calls as fit into one request: at most a few answers, because
// the last one waits for those before it. Where answers leave a broadcast no request
// of its own, its calls ride behind them: the person sees the answer at once, and the
// call of the answer returns with the batch.
func (a *autoBatch) load(q *queue) []*waiter {
	n, room := a.core.used().size.now()
	if q.class != ClassAnswer {
		return a.take(q, nil, n, room)
	}
	waiters := a.take(q, nil, min(n, mostAnswers), room)
	if len(waiters) == 0 || !a.core.rides(&waiters[0].Item) || a.core.config.Limiter == nil || a.core.noBatch() || !a.recent.answers() {
		return waiters
	}
	for line := q.class.line() - 1; line >= 0; line-- {
		used := 0
		for _, j := range waiters {
			used += j.bytes()
		}
		worse := a.queues[line]
		if worse == nil {
			continue
		}
		waiters = a.take(worse, waiters, n, room-used)
		if worse.waiting == 0 && worse.round != nil {
			worse.round.cancel() // its pump needs no token any more
		}
	}
	return waiters
}

// take takes calls out of the ready lanes of a queue, up to n with those that have
// been taken already; only one when it has to travel alone.
func (a *autoBatch) take(q *queue, waiters []*waiter, n, room int) []*waiter {
	singly := a.core.noBatch()
	for e := q.ready.Front(); e != nil && len(waiters) < n; {
		l := e.Value.(*lane)
		e = e.Next()
		for l.calls.Len() > 0 && len(waiters) < n {
			j := l.calls.Front().Value.(*waiter)
			if a.core.used().holds.holding(j.call.method) {
				break
			}
			lone := singly || !a.core.rides(&j.Item)
			if len(waiters) > 0 && (lone || j.bytes() > room) {
				break // it is first next time
			}
			room -= j.bytes()
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
	j.lane.of[j.class.line()]--
	j.lane.queue.waiting--
	j.lane.busy++
}

// setAside takes out of the queue what waits for a method on hold.
func (a *autoBatch) setAside(q *queue) {
	if !a.core.used().holds.holding("") {
		return
	}
	for e := q.ready.Front(); e != nil; {
		l := e.Value.(*lane)
		e = e.Next()
		if j := l.calls.Front().Value.(*waiter); a.core.used().holds.holding(j.call.method) {
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
	r.queue.active--
	for _, j := range r.waiters {
		j.ride = nil
		switch {
		case j.left, j.next == finished:
			j.lane.busy--
			a.free(j.lane)
		case j.next == alone:
			j.counted = r.queue
			j.counted.active++
		}
		if !j.left {
			j.turn <- answered
		}
	}
}
