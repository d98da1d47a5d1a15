package inbox

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/imbot-go/imbot/driver"
)

const (
	putTime   = time.Second            // for a Put, while the portal waits (livecheck: handler-time)
	takeTime  = 10 * time.Second       // for a Take, which waits for items
	doneTime  = 5 * time.Second        // for one try of anything that nobody waits for
	leastRest = 50 * time.Millisecond  // after a failure of the store, doubled
	mostRest  = 500 * time.Millisecond // up to this
	mostTaken = 64                     // items in one Take: their bodies are in memory
	loneTries = 3                      // an item that is started so often runs alone: it may have ended the process
)

// durable is the part of an Inbox that keeps accepted events in a store until they are handled.
type durable[E any] struct {
	in    *Inbox[E]
	store driver.Inbox
	spool *spool[E]
	slots chan struct{} // holds one for each worker that is free
	late  chan struct{} // holds one for each late verification that needs no worker of the callbacks: as many as Queue

	begun sync.Once
	ctx   context.Context // of Take
	stop  context.CancelFunc
	ended chan struct{} // closed when the taker has ended

	mu   sync.Mutex
	runs map[string]time.Time // when the items that run here were stored, by ID

	stored, redelivered, buried, storeErrors atomic.Int64
}

func newDurable[E any](in *Inbox[E]) *durable[E] {
	d := &durable[E]{
		in: in, store: in.cfg.Store, slots: make(chan struct{}, in.cfg.Workers), late: make(chan struct{}, in.cfg.Queue),
		ended: make(chan struct{}), runs: map[string]time.Time{},
	}
	for range in.cfg.Workers {
		d.slots <- struct{}{}
	}
	for range in.cfg.Queue {
		d.late <- struct{}{}
	}
	d.ctx, d.stop = context.WithCancel(context.Background()) //nolint:gosec // end calls stop
	d.spool = newSpool(d)
	return d
}

// begin starts the taker, which end ends.
func (d *durable[E]) begin() {
	d.begun.Do(func() { go d.take() })
}

// end stops taking, and returns when nothing is taken any more.
func (d *durable[E]) end() {
	d.begun.Do(func() { close(d.ended) })
	d.stop()
	<-d.ended
}

// accept stores a genuine event, or keeps it in memory while the store is away.
func (d *durable[E]) accept(ctx context.Context, a *Arrival[E]) error {
	it, again, err := d.newItem(ctx, a)
	if err != nil || again {
		return err
	}
	if err := d.in.hold(a); err != nil {
		return err
	}
	if err := d.keep(ctx, a, it); err != nil {
		d.in.release(a)
		return err
	}
	return nil
}

// keep stores an event whose bytes are held, or gives it to the spool.
func (d *durable[E]) keep(ctx context.Context, a *Arrival[E], it driver.InboxItem) error {
	if d.spool.holds() {
		return d.spool.add(ctx, a, it, nil)
	}
	fresh, err := d.put(ctx, it)
	switch {
	case err == nil:
		d.in.release(a)
		d.wasPut(ctx, a, fresh)
		d.spool.answered(ctx, nil)
		return nil
	case d.in.cfg.Patience < 0:
		return err
	}
	return d.spool.add(ctx, a, it, err)
}

// item is an event as it is stored. Its line is hashed, because names of portals and dialogs may
// hold any bytes; an event of no line gets one of its own.
func (d *durable[E]) item(a *Arrival[E]) (driver.InboxItem, error) {
	it := driver.InboxItem{Key: d.in.cfg.Key(a.event), Line: LineName(a.Line)}
	if it.Key == "" { // nothing tells its deliveries apart, but a Put that is repeated is one
		it.Key = randomKey()
	}
	if a.Line == "" {
		it.Line = it.Key
	}
	var err error
	it.Body, err = d.in.cfg.Encode(a.event)
	return it, err
}

// newItem is item, but for an event that this process knows, which came again: it was stored, or
// handled from memory.
func (d *durable[E]) newItem(ctx context.Context, a *Arrival[E]) (it driver.InboxItem, again bool, err error) {
	if it, err = d.item(a); err == nil && d.in.memory.has(it.Key) {
		d.in.cameAgain(ctx, a)
		again = true
	}
	return it, again, err
}

// Line names the dialog of an event; "": it has none.
func Line(portal, dialog string) string {
	if dialog == "" {
		return ""
	}
	return portal + "\x00" + dialog
}

// LineName is the name of a line in a store.
func LineName(line string) string {
	sum := sha256.Sum256([]byte(line))
	return hex.EncodeToString(sum[:])[:32]
}

func randomKey() string {
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails
	return hex.EncodeToString(key[:])
}

// wasPut counts what the store has.
func (d *durable[E]) wasPut(ctx context.Context, a *Arrival[E], fresh bool) {
	if !fresh {
		d.in.cameAgain(ctx, a)
		return
	}
	d.stored.Add(1)
}

// put asks the store once.
func (d *durable[E]) put(ctx context.Context, it driver.InboxItem) (fresh bool, err error) {
	err = d.ask(ctx, putTime, func(ctx context.Context) (err error) { fresh, err = d.store.Put(ctx, it); return err })
	if err == nil && !isUnverified(it) {
		d.in.memory.add(it.Key) // for when the store is away
	}
	return fresh, err
}

// ask asks the store something. It goes on when ctx ends: who asked it may be gone.
func (d *durable[E]) ask(ctx context.Context, most time.Duration, question func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), most)
	defer cancel()
	err := d.in.guard(ctx, "the Inbox", func() error { return question(ctx) })
	if err != nil && !errors.Is(err, driver.ErrTakenOver) && !errors.Is(err, driver.ErrLineFull) && !errors.Is(err, driver.ErrClosed) {
		d.storeErrors.Add(1)
	}
	return err
}

// take is the taker: it takes as many items as workers are free, and gives each to one.
func (d *durable[E]) take() {
	defer close(d.ended)
	rest := newRest()
	for {
		n := d.freeSlots()
		if n == 0 {
			return
		}
		items, err := d.takeSome(n)
		for range n - len(items) {
			d.slots <- struct{}{}
		}
		switch {
		case len(items) > 0:
			rest = newRest()
			d.give(items)
		case d.ctx.Err() != nil || errors.Is(err, driver.ErrClosed):
			return
		case err == nil:
			rest = newRest()
		default:
			d.storeErrors.Add(1)
			if rest.next == leastRest { // once, however long that lasts
				d.in.cfg.Logger().WarnContext(d.ctx, "imbot: no events can be taken from the Inbox, so it is asked again", "error", err)
			}
			rest.wait(d.ctx)
		}
	}
}

// takeSome asks the store for items. A store that does not even answer is asked again.
func (d *durable[E]) takeSome(n int) (items []driver.InboxItem, err error) {
	ctx, cancel := context.WithTimeout(d.ctx, takeTime)
	defer cancel()
	err = d.in.guard(ctx, "the Inbox", func() (err error) { items, err = d.store.Take(ctx, n); return err })
	if ctx.Err() != nil && d.ctx.Err() == nil {
		err = nil // nothing was there
	}
	return items, err
}

// freeSlots waits for a worker, and takes all that are free; 0: it is over.
func (d *durable[E]) freeSlots() int {
	select {
	case <-d.slots:
	case <-d.ctx.Done():
		return 0
	}
	n := 1
	for ; n < mostTaken; n++ {
		select {
		case <-d.slots:
		default:
			return n
		}
	}
	return n
}

// give gives each item to a worker. One that may end the process runs alone: the others go back,
// so that they are not counted as guilty, too.
func (d *durable[E]) give(items []driver.InboxItem) {
	lone := slices.IndexFunc(items, func(it driver.InboxItem) bool { return it.Tries >= loneTries && it.Tries <= d.in.cfg.MaxTries })
	if lone < 0 {
		for _, it := range items {
			d.run(it, func() { d.slots <- struct{}{} })
		}
		return
	}
	for i, it := range items {
		if i != lone {
			d.done(d.ctx, it, driver.InboxReturned)
			d.slots <- struct{}{}
		}
	}
	d.in.cfg.Logger().WarnContext(d.ctx, "imbot: an event may have ended its process, so it waits until no other callback runs, and others wait for it",
		"id", items[lone].ID, "tries", items[lone].Tries)
	held := 1
	for ; held < d.in.cfg.Workers; held++ {
		select {
		case <-d.slots:
		case <-d.ctx.Done():
			for range held {
				d.slots <- struct{}{}
			}
			return // Close returns the item
		}
	}
	over := make(chan struct{})
	d.run(items[lone], func() { close(over) })
	select {
	case <-over:
	case <-d.ctx.Done():
	}
	for range held {
		d.slots <- struct{}{}
	}
}

// run handles an item in a worker. What waits to be verified takes none of the callbacks.
func (d *durable[E]) run(it driver.InboxItem, over func()) {
	pool := d.in.pool
	if isUnverified(it) {
		select {
		case <-d.late:
			over()
			pool, over = d.in.waiting.pool, func() { d.late <- struct{}{} }
		default:
		}
	}
	pool.Hand("", func(ctx context.Context) {
		defer over()
		d.handle(ctx, it)
	})
}

func (d *durable[E]) handle(ctx context.Context, it driver.InboxItem) {
	d.mu.Lock()
	d.runs[it.ID] = it.At
	d.mu.Unlock()
	defer func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.runs, it.ID)
	}()
	if it.Tries > d.in.cfg.MaxTries {
		d.bury(ctx, it, "its callback ended the process each time", "tries", it.Tries-1)
		return
	}
	if it.Tries > 1 {
		d.redelivered.Add(1)
	}
	var ev E
	err := d.in.guard(ctx, "decoding an event", func() (err error) { ev, err = d.in.cfg.Decode(it.Body); return err })
	if err != nil {
		d.bury(ctx, it, "it cannot be read", "error", err)
		return
	}
	a := d.in.cfg.Arrive(ev)
	a.event, a.pool = ev, d.in.pool
	if isUnverified(it) {
		d.verifyLate(ctx, it, &a)
		return
	}
	d.call(ctx, it, &a)
}

// bury gives an item up for good.
func (d *durable[E]) bury(ctx context.Context, it driver.InboxItem, why string, attrs ...any) {
	d.buried.Add(1)
	d.in.cfg.Logger().ErrorContext(ctx, "imbot: an event is buried: "+why, append([]any{"id", it.ID}, attrs...)...)
	d.done(ctx, it, driver.InboxBuried)
}

// call runs the callback of an item. What was cut off, or taken over, is not done: somebody
// handles it again.
func (d *durable[E]) call(pool context.Context, it driver.InboxItem, a *Arrival[E]) {
	in := d.in
	ctx, cancel := context.WithCancelCause(withRedelivered(pool, it.Tries > 1))
	in.running.begin(a.Line, cancel)
	if it.Lost != nil {
		go func() {
			select {
			case <-it.Lost:
				cancel(driver.ErrTakenOver)
			case <-ctx.Done():
			}
		}()
	}
	err := errGoexit
	defer func() {
		in.running.done(a.Line)
		again := pool.Err() != nil || errors.Is(context.Cause(ctx), driver.ErrTakenOver)
		cancel(nil)
		if err != nil && again {
			return
		}
		defer d.done(pool, it, driver.InboxHandled) // though Failed may end the goroutine, too
		if err != nil {
			in.fail(pool, a, err)
			return
		}
		in.handled.Add(1)
	}()
	err = Settle(ctx, in.guard(ctx, callback, func() error { return in.cfg.Handle(ctx, a.event) }))
}

// done writes what became of an item, and tries until that is written: a line that nobody frees
// would stay held as long as the process lives. The end of the pool ends it, too, because Close
// returns what is held.
func (d *durable[E]) done(ctx context.Context, it driver.InboxItem, how driver.InboxOutcome) {
	for rest := newRest(); ; {
		err := d.ask(ctx, doneTime, func(ctx context.Context) error { return d.store.Done(ctx, it, how) })
		switch {
		case err == nil || errors.Is(err, driver.ErrClosed):
			return
		case errors.Is(err, driver.ErrTakenOver):
			d.in.cfg.Logger().WarnContext(ctx, "imbot: another process has taken an event over, so its callback runs twice", "id", it.ID)
			return
		}
		if !rest.wait(ctx) {
			return
		}
	}
}

// oldest is when the oldest of the items that run here was stored; zero: none does.
func (d *durable[E]) oldest() (oldest time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, at := range d.runs {
		if oldest.IsZero() || at.Before(oldest) {
			oldest = at
		}
	}
	return oldest
}

// idle returns when the store holds nothing, if it can tell.
func (d *durable[E]) idle(ctx context.Context) error {
	if err := d.spool.pool.Idle(ctx); err != nil {
		return err
	}
	meter, ok := d.store.(driver.InboxMeter)
	if !ok {
		return nil
	}
	for {
		s, err := meter.InboxStats(ctx)
		if err != nil {
			return err
		}
		if s.Waiting+s.Running == 0 {
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// A rest is how long to wait before the store is asked again.
type rest struct{ next time.Duration }

func newRest() *rest { return &rest{leastRest} }

// wait waits, and reports whether ctx has not ended.
func (r *rest) wait(ctx context.Context) bool {
	timer := time.NewTimer(r.next)
	defer timer.Stop()
	r.next = min(2*r.next, mostRest)
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// redelivered is the key of a context's value.
type redelivered struct{}

func withRedelivered(ctx context.Context, is bool) context.Context {
	if !is {
		return ctx
	}
	return context.WithValue(ctx, redelivered{}, true)
}

// Redelivered reports whether a callback may have been run before.
func Redelivered(ctx context.Context) bool { return ctx.Value(redelivered{}) != nil }

func isUnverified(it driver.InboxItem) bool { return strings.HasPrefix(it.Line, unverified) }
