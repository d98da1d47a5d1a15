package rest

import (
	"container/list"
	"context"
	"errors"
	"math"
	"sync"
	"time"

	"github.com/imbot-go/imbot/internal/secret"
)

// Pacer is a limiter in memory: each portal has a bucket that lets a burst of
// requests through at once and so many a second afterwards. It counts itself, because no answer tells
// what is left (livecheck: limit-headers). Who waits longest within the best class goes next, and the
// worse classes leave the better ones a reserve.
type Pacer struct {
	perSecond float64
	burst     int
	spent     bool

	mu       sync.RWMutex // of what follows; a bucket has a lock of its own
	buckets  map[string]*bucket
	sweepAt  int       // buckets that are as good as none are dropped when there are so many,
	sweepDue time.Time // or at the next request after this time
}

// NewPacer returns a pacer. A rate that is not a positive number is 2, a burst
// below 1 is 1.
func NewPacer(perSecond float64, burst int) *Pacer {
	if !(perSecond > 0) {
		perSecond = 2
	}
	return &Pacer{perSecond: perSecond, burst: max(burst, 1), buckets: map[string]*bucket{}}
}

// NewSpentPacer is NewPacer for portals to which others have sent before: a bucket begins with what
// bulk calls leave to the other classes.
func NewSpentPacer(perSecond float64, burst int) *Pacer {
	p := NewPacer(perSecond, burst)
	p.spent = true
	return p
}

const (
	maxHalvings = 3
	// In requests at the full rate:
	sameRefusals = 2  // refusals so close together are one
	fewRefusals  = 20 // at most edgeRefusals in this time come from jitter on the way
	recovery     = 60 // without a refusal, for each halving
	edgeRefusals = 4
)

// bucket is the room that one portal has left. Waiters queue, so none has reserved
// tokens: a changed rate applies to all, and a cancelled waiter gives nothing back.
type bucket struct {
	mu       sync.Mutex
	tokens   float64 // at the instant at
	at       time.Time
	lines    [classes]list.List // of *waiting; the first one of the best class goes next
	halvings int
	calm     time.Time // since when nothing was refused
	edge     int       // refusals of late while the bucket had no room
}

// rounding is what a token may be short of: times are whole nanoseconds.
const rounding = 1e-6

// waiting is somebody in a line.
type waiting struct {
	class Class
	place *list.Element
	next  chan struct{} // holds one when who waits has become the next one, or is not any more
}

// Wait returns when one more request may be sent to the portal, or with an error
// when ctx ends or its deadline would come first.
func (p *Pacer) Wait(ctx context.Context, portal string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	class := ClassOf(ctx)
	now := time.Now()
	b := p.enter(portal, now)
	p.settle(b, now)
	if b.waiters(class) == 0 && b.tokens+rounding >= p.needs(class) {
		b.tokens--
		b.mu.Unlock()
		return nil
	}
	if deadline, ok := ctx.Deadline(); ok {
		missing := float64(b.waiters(class)) + p.needs(class) - b.tokens
		if missing/p.rate(b) > deadline.Sub(now).Seconds() {
			b.mu.Unlock()
			return context.DeadlineExceeded
		}
	}
	w := &waiting{class: class, next: make(chan struct{}, 1)}
	before := b.first()
	w.place = b.lines[class.line()].PushBack(w)
	if before != nil && b.first() == w {
		before.wake()
	}
	return p.queue(ctx, b, w)
}

// queue waits until w is the next one and the bucket has room. The caller holds the
// lock of the bucket.
func (p *Pacer) queue(ctx context.Context, b *bucket, w *waiting) error {
	for {
		var due <-chan time.Time
		if b.first() == w {
			now := time.Now()
			p.settle(b, now)
			missing := p.needs(w.class) - b.tokens
			if missing <= rounding {
				b.tokens--
				b.leave(w)
				b.mu.Unlock()
				return nil
			}
			d := time.Duration(math.Ceil(missing / p.rate(b) * float64(time.Second)))
			if deadline, ok := ctx.Deadline(); ok && deadline.Sub(now) < d && ctx.Err() == nil {
				b.leave(w)
				b.mu.Unlock()
				return context.DeadlineExceeded
			}
			timer := time.NewTimer(d)
			defer timer.Stop()
			due = timer.C
		}
		b.mu.Unlock()
		var err error
		select {
		case <-due:
		case <-w.next:
		case <-ctx.Done():
			err = ctx.Err()
		}
		b.mu.Lock()
		if err != nil {
			b.leave(w)
			b.mu.Unlock()
			return err
		}
	}
}

func (w *waiting) wake() {
	select {
	case w.next <- struct{}{}:
	default:
	}
}

// leave takes w out of its line and tells who comes after.
func (b *bucket) leave(w *waiting) {
	was := b.first() == w
	b.lines[w.class.line()].Remove(w.place)
	if next := b.first(); was && next != nil {
		next.wake()
	}
}

// first is who goes next; nil when nobody waits.
func (b *bucket) first() *waiting {
	for i := classes - 1; i >= 0; i-- {
		if e := b.lines[i].Front(); e != nil {
			return e.Value.(*waiting)
		}
	}
	return nil
}

// waiters is how many go before somebody of this class who comes now.
func (b *bucket) waiters(class Class) (n int) {
	for i := class.line(); i < classes; i++ {
		n += b.lines[i].Len()
	}
	return n
}

// needs is what the bucket must hold for a request of this class: one token, and for
// the better classes a fifth of the burst before bulk calls take one, a tenth before
// ordinary ones do.
func (p *Pacer) needs(class Class) float64 {
	switch class {
	case ClassBulk:
		return float64(1 + p.burst/5)
	case ClassNormal:
		return float64(1 + p.burst/10)
	}
	return 1
}

// rate is how many tokens a second a bucket gets.
func (p *Pacer) rate(b *bucket) float64 { return p.perSecond / float64(int(1)<<b.halvings) }

// settle brings a bucket up to date, and undoes the halvings for which nothing has
// been refused long enough.
func (p *Pacer) settle(b *bucket, now time.Time) {
	for b.halvings > 0 && now.Sub(b.calm) >= p.time(recovery) {
		b.calm = b.calm.Add(p.time(recovery))
		p.fill(b, b.calm)
		b.halvings--
	}
	p.fill(b, now)
}

func (p *Pacer) fill(b *bucket, now time.Time) {
	if d := now.Sub(b.at); d > 0 {
		b.tokens = min(b.tokens+d.Seconds()*p.rate(b), float64(p.burst))
		b.at = now
	}
}

// Refused gives up the rest of the burst and halves the rate, down to an eighth,
// until nothing has been refused for the time of 60 requests. The portal has
// refused a request although the bucket had room, so somebody else fills it, too.
func (p *Pacer) Refused(portal string) {
	now := time.Now()
	b := p.enter(portal, now) // a full one for a portal that has been forgotten meanwhile
	defer b.mu.Unlock()
	p.settle(b, now)
	calm := now.Sub(b.calm)
	b.calm = now
	if calm < p.time(sameRefusals) {
		return
	}
	if b.tokens < float64(1+p.burst/10) {
		// Requests arrive later than they were let through, and not evenly, so some
		// come a little too early. Each refused one took a token here and none from
		// the portal, which leaves a margin; only refusals that go on slow down.
		if calm > p.time(fewRefusals) {
			b.edge = 0
		}
		if b.edge++; b.edge <= edgeRefusals {
			return
		}
	} else {
		b.tokens -= float64(int(b.tokens))
	}
	b.halvings = min(b.halvings+1, maxHalvings)
	if next := b.first(); next != nil {
		next.wake() // its wait is longer now
	}
}

// time is how long so many requests take at the full rate.
func (p *Pacer) time(requests int) time.Duration {
	return time.Duration(float64(requests) / p.perSecond * float64(time.Second))
}

// enter returns the bucket of a portal, a full one if there is none, and holds its
// lock.
func (p *Pacer) enter(portal string, now time.Time) *bucket {
	p.mu.RLock()
	if b := p.buckets[portal]; b != nil && now.Before(p.sweepDue) {
		b.mu.Lock() // before it can be dropped
		p.mu.RUnlock()
		return b
	}
	p.mu.RUnlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop(now)
	b := p.buckets[portal]
	if b == nil {
		b = &bucket{tokens: float64(p.burst), at: now}
		if p.spent {
			b.tokens = float64(p.burst / 5)
		}
		p.buckets[portal] = b
	}
	b.mu.Lock()
	return b
}

// drop forgets the buckets that are as good as none: full ones, at the full rate, of
// which no refusal counts any more. Portals that call no longer must not stay in
// memory for ever, whatever they were refused.
func (p *Pacer) drop(now time.Time) {
	if len(p.buckets) < max(p.sweepAt, 64) && now.Before(p.sweepDue) {
		return
	}
	kept := map[string]*bucket{} // a new map, because one keeps its room when entries are deleted
	for name, b := range p.buckets {
		b.mu.Lock()
		// Nothing is changed in a bucket of somebody else: tests in fake time that run side by side
		// have clocks that differ.
		full := b.tokens+now.Sub(b.at).Seconds()*p.rate(b) >= float64(p.burst)
		if b.first() != nil || !full || now.Sub(b.calm) < p.time(fewRefusals+b.halvings*recovery) {
			kept[name] = b
		}
		b.mu.Unlock()
	}
	p.buckets = kept
	p.sweepAt, p.sweepDue = 2*len(kept), now.Add(max(p.time(recovery), time.Second))
}

// pay asks the limiter for one attempt, unless that was done already.
func (c *Core) pay(ctx context.Context, cl *Call) error {
	if cl.paid {
		cl.paid = false
		return ctx.Err()
	}
	return c.wait(ctx)
}

// wait asks the limiter.
func (c *Core) wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil || c.config.Limiter == nil {
		return err
	}
	err := c.config.Limiter.Wait(ctx, c.portal.Name)
	if _, ok := ctx.Deadline(); ok && err != nil && ctx.Err() == nil {
		// The limiter knows that the deadline comes first.
		early := err
		err = secret.Hide(secret.Scrub(early.Error(), c.portal.Secrets), func(target error) bool {
			return target == context.DeadlineExceeded || errors.Is(early, target)
		})
	}
	return err
}
