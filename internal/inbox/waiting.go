package inbox

import (
	"context"
	"errors"
	"sync"

	"github.com/imbot-go/imbot/internal/dispatch"
)

const (
	lateVerifiers = 8       // late verifications at a time
	junkOfSender  = 64      // events of one sender that may be junk
	junkBytes     = 8 << 20 // of all events that may be junk
)

// errUnverified keeps forged events from filling the queue.
var errUnverified = errors.New("too many events wait to be verified")

// A waitingRoom keeps events that are not verified yet, in a line for each sender,
// and genuine ones that have to stay behind them. It has a pool of its own, so they
// take no worker from the callbacks. Whoever reads or changes its counters holds mu.
type waitingRoom struct {
	pool     *dispatch.Pool
	mostJunk int // events that may be junk: half of the queue
	room     int // for their bytes

	mu       sync.Mutex
	junk     int             // events that may be junk
	bytes    int             // that these hold
	junkOf   map[string]int  // of these, by sender
	checks   map[string]int  // verifications that prove other events, too, by sender
	orders   map[string]int  // events, by order
	sideWork map[string]bool // senders with side work that waits or runs
	away     away            // events that wait in a store
}

func newWaitingRoom(queue, bytes int) *waitingRoom {
	return &waitingRoom{
		pool: dispatch.New(lateVerifiers, queue), mostJunk: (queue + 1) / 2, room: min(junkBytes, (bytes+1)/2),
		junkOf: map[string]int{}, checks: map[string]int{}, orders: map[string]int{}, sideWork: map[string]bool{}, away: away{guests: map[string]guest{}},
	}
}

// A guest is what the waiting room knows about one of its events.
type guest struct {
	sender, order string
	size          int
	junk          bool // its proof may be wrong
	check         bool // its verification may prove other events of the sender
}

func (a *Arrival[E]) guest(v Verdict) guest {
	return guest{sender: a.Sender, order: a.order(), size: a.Size, junk: !v.ProofKnown, check: v.ProvesOthers}
}

// order names the events that keep their order while one of them waits to be
// verified; "" is none.
func (a *Arrival[E]) order() string {
	if a.Line == "" {
		return ""
	}
	return a.Line + "\x00" + a.Proof
}

// checking reports whether a verification is under way that may prove other events
// of the sender. Unlike the other methods it takes the lock itself.
func (w *waitingRoom) checking(sender string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sweep()
	return w.checks[sender] > 0
}

// keeps is holds for who has no lock.
func (w *waitingRoom) keeps(order string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sweep()
	return w.holds(order)
}

// holds reports whether an event of an order is here.
func (w *waitingRoom) holds(order string) bool { return w.orders[order] > 0 }

// full reports whether an event that may be junk has no place. Such events fill at
// most half of the queue, those of one sender a small part of it, and they hold
// little memory.
func (w *waitingRoom) full(g guest) bool {
	return w.junk >= w.mostJunk || w.bytes > 0 && w.bytes+g.size > w.room || w.junkOf[g.sender] >= min(junkOfSender, w.mostJunk)
}

// enter puts an event into the line of its sender.
func (w *waitingRoom) enter(g guest, work func(context.Context)) error {
	err := w.pool.Submit(g.sender, func(ctx context.Context) {
		defer func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.count(g, -1)
		}()
		work(ctx)
	})
	if err == nil {
		w.count(g, 1)
	}
	return err
}

// count counts an event in with n 1, out with n -1.
func (w *waitingRoom) count(g guest, n int) {
	add := func(to map[string]int, key string) {
		if to[key] += n; to[key] == 0 {
			delete(to, key)
		}
	}
	if g.junk {
		w.junk += n
		w.bytes += n * g.size
		add(w.junkOf, g.sender)
	}
	if g.check {
		add(w.checks, g.sender)
	}
	if g.order != "" {
		add(w.orders, g.order)
	}
}

// enterSideWork puts side work into the line of its sender; see [Verdict]. It takes
// the lock itself.
func (w *waitingRoom) enterSideWork(sender string, work func(context.Context)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sideWork[sender] {
		return
	}
	err := w.pool.Submit(sender, func(ctx context.Context) {
		defer func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			delete(w.sideWork, sender)
		}()
		work(ctx)
	})
	if err == nil {
		w.sideWork[sender] = true
	}
}
