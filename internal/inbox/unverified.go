package inbox

import (
	"context"
	"errors"
	"time"

	"github.com/imbot-go/imbot/driver"
)

// unverified begins the keys and lines of what nobody has verified yet, so that a forgery never
// marks the genuine event. Names of verified ones are hexadecimal.
const unverified = "u"

// acceptUnverified stores an event that is verified when it is taken, or that has to stay behind
// one. The quotas of the waiting room hold for what this process has stored; while the store is
// away the event waits in memory.
func (d *durable[E]) acceptUnverified(ctx context.Context, a *Arrival[E], verdict Verdict) error {
	inMemory := func() error {
		if err := d.in.hold(a); err != nil {
			return err
		}
		err := d.in.submitUnverified(a, verdict)
		if err != nil {
			d.in.release(a)
		}
		return err
	}
	if d.spool.holds() && d.in.cfg.Patience >= 0 {
		return inMemory()
	}
	it, err := d.item(a)
	if err != nil {
		return err
	}
	// Deliveries of an event differ in their tokens, which are what is to be verified.
	it.Key = unverified + LineName(string(it.Body))
	it.Line = unverified + LineName(a.Sender)
	w, g := d.in.waiting, a.guest(verdict)
	counted, room := w.store(it.Key, g)
	if !room {
		return errUnverified
	}
	fresh, err := d.put(ctx, it)
	switch {
	case err == nil && fresh:
		d.stored.Add(1)
		return nil
	case counted: // what waits already counts, but as what came first
		w.taken(it.Key)
	}
	if err == nil {
		d.in.cameAgain(ctx, a)
		return nil
	}
	if errors.Is(err, driver.ErrLineFull) || d.in.cfg.Patience < 0 {
		return err
	}
	return inMemory()
}

// acceptVerified stores an event that was verified in memory, because the store was away when it
// came. It was accepted, so it is never refused. passed: its bytes are somebody else's.
func (d *durable[E]) acceptVerified(ctx context.Context, a *Arrival[E], passed *bool) error {
	it, again, err := d.newItem(ctx, a)
	if err != nil || again {
		return err
	}
	*passed = true
	if d.keep(ctx, a, it) != nil {
		d.spool.fromMemory(ctx, a, it)
	}
	return nil
}

// verifyLate verifies an item, and puts it into the line of its dialog if it is genuine.
func (d *durable[E]) verifyLate(ctx context.Context, it driver.InboxItem, a *Arrival[E]) {
	in := d.in
	err := errGoexit
	defer func() {
		in.waiting.taken(it.Key)
		if ctx.Err() != nil && err != nil {
			return // Close returns it
		}
		defer d.done(ctx, it, driver.InboxHandled) // though Failed may end the goroutine, too
		if err != nil {
			in.fail(ctx, a, err)
		}
	}()
	err = in.guard(ctx, callback, func() error {
		verdict, err := in.verify(ctx, a)
		if err == nil && verdict.Later != nil {
			err = verdict.Later(ctx)
		}
		if err != nil {
			return err
		}
		in.sort(ctx, a)
		if a.pool == in.beside {
			return in.once(ctx, a, func() error { in.pass(a); return nil })
		}
		return d.move(ctx, a)
	})
}

// move puts an event that was verified into its line, however long that takes: until then its
// unverified item keeps it.
func (d *durable[E]) move(ctx context.Context, a *Arrival[E]) error {
	it, again, err := d.newItem(ctx, a)
	if err != nil || again {
		return err
	}
	for rest := newRest(); ; {
		fresh, err := d.put(ctx, it)
		if err == nil {
			if !fresh {
				d.in.cameAgain(ctx, a)
			}
			return nil
		}
		if !rest.wait(ctx) {
			return err
		}
	}
}

// guestTime is how long a guest counts that was stored: another process may have verified it.
const guestTime = time.Minute

// away is what the waiting room knows of its guests in a store.
type away struct {
	guests map[string]guest // by key
	came   []stay           // the oldest first, also of guests that are gone
}

type stay struct {
	key string
	at  time.Time
}

// store counts a guest in that is about to be stored, unless it counts already or has no place.
func (w *waitingRoom) store(key string, g guest) (counted, room bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sweep()
	if _, known := w.away.guests[key]; known {
		return false, true
	}
	if g.junk && w.full(g) {
		return false, false
	}
	w.away.guests[key] = g
	w.away.came = append(w.away.came, stay{key, time.Now()})
	w.count(g, 1)
	return true, true
}

// taken counts a guest out.
func (w *waitingRoom) taken(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forget(key)
}

func (w *waitingRoom) forget(key string) {
	if g, known := w.away.guests[key]; known {
		delete(w.away.guests, key)
		w.count(g, -1)
	}
}

// sweep counts out whoever has been away for long.
func (w *waitingRoom) sweep() {
	for len(w.away.came) > 0 && (len(w.away.guests) == 0 || time.Since(w.away.came[0].at) > guestTime) {
		w.forget(w.away.came[0].key)
		w.away.came = w.away.came[1:]
	}
}
