package rest

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/imbot-go/imbot/internal/secret"
)

// Pacer is a limiter in memory: each portal has a bucket that lets a burst of
// requests through at once and so many a second afterwards.
type Pacer struct {
	perSecond rate.Limit
	burst     int

	mu      sync.Mutex
	buckets map[string]*bucket
	// Buckets that are as good as none are dropped when there are so many, or at
	// the next request after this time.
	sweepAt  int
	sweepDue time.Time
}

// NewPacer returns a pacer. A rate that is not a positive number is 2, a burst
// below 1 is 1.
func NewPacer(perSecond float64, burst int) *Pacer {
	if !(perSecond > 0) {
		perSecond = 2
	}
	return &Pacer{perSecond: rate.Limit(perSecond), burst: max(burst, 1), buckets: map[string]*bucket{}}
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
	rate     *rate.Limiter
	turn     chan struct{}
	waiting  int
	halvings int
	calm     time.Time // since when nothing was refused
	edge     int       // refusals of late while the bucket had no room
}

// Wait returns when one more request may be sent to the portal, or with an error
// when ctx ends or its deadline would come first.
func (l *Pacer) Wait(ctx context.Context, portal string) error {
	b, err := l.enter(ctx, portal)
	defer l.leave(b)
	if err != nil {
		return err
	}
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-b.turn }()
	err = b.rate.Wait(ctx)
	if err != nil && ctx.Err() == nil {
		return context.DeadlineExceeded // the bucket knows that the deadline comes first
	}
	return err
}

// Refused gives up the rest of the burst and halves the rate, down to an eighth,
// until nothing has been refused for the time of 60 requests. The portal has
// refused a request although the bucket had room, so somebody else fills it, too.
func (l *Pacer) Refused(portal string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, b := time.Now(), l.bucket(portal)
	calm := now.Sub(b.calm)
	b.calm = now
	if calm < l.time(sameRefusals) {
		return
	}
	room := b.rate.TokensAt(now)
	if room < float64(1+l.burst/10) {
		// Requests arrive later than they were let through, and not evenly, so some
		// come a little too early. Each refused one took a token here and none from
		// the portal, which leaves a margin; only refusals that go on slow down.
		if calm > l.time(fewRefusals) {
			b.edge = 0
		}
		if b.edge++; b.edge <= edgeRefusals {
			return
		}
	} else {
		b.rate.ReserveN(now, int(room))
	}
	b.halvings = min(b.halvings+1, maxHalvings)
	b.rate.SetLimitAt(now, l.perSecond/rate.Limit(int(1)<<b.halvings))
}

// time is how long so many requests take at the full rate.
func (l *Pacer) time(requests int) time.Duration {
	return time.Duration(float64(requests) / float64(l.perSecond) * float64(time.Second))
}

// bucket returns the bucket of a portal, a full one if there is none.
func (l *Pacer) bucket(portal string) *bucket {
	b := l.buckets[portal]
	if b == nil {
		b = &bucket{rate: rate.NewLimiter(l.perSecond, l.burst), turn: make(chan struct{}, 1)}
		l.buckets[portal] = b
	}
	return b
}

// enter counts one more who waits for a portal. It returns an error when the
// deadline comes before all those in front have had their turn.
func (l *Pacer) enter(ctx context.Context, portal string) (*bucket, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.drop(now)
	b := l.bucket(portal)
	l.recover(b, now)
	b.waiting++
	deadline, ok := ctx.Deadline()
	if missing := float64(b.waiting) - b.rate.TokensAt(now); ok && b.waiting > 1 &&
		missing/float64(b.rate.Limit()) > deadline.Sub(now).Seconds() {
		return b, context.DeadlineExceeded
	}
	return b, nil
}

func (l *Pacer) leave(b *bucket) {
	l.mu.Lock()
	b.waiting--
	l.mu.Unlock()
}

// recover undoes the halvings for which nothing has been refused long enough.
func (l *Pacer) recover(b *bucket, now time.Time) {
	for b.halvings > 0 && now.Sub(b.calm) >= l.time(recovery) {
		b.halvings--
		b.calm = b.calm.Add(l.time(recovery))
		b.rate.SetLimitAt(now, l.perSecond/rate.Limit(int(1)<<b.halvings))
	}
}

// drop forgets the buckets that are as good as none: full ones, at the full rate, of
// which no refusal counts any more. Portals that call no longer must not stay in
// memory for ever, whatever they were refused.
func (l *Pacer) drop(now time.Time) {
	if len(l.buckets) < max(l.sweepAt, 64) && now.Before(l.sweepDue) {
		return
	}
	kept := map[string]*bucket{} // a new map, because one keeps its room when entries are deleted
	for name, b := range l.buckets {
		l.recover(b, now)
		if b.waiting > 0 || b.halvings > 0 || now.Sub(b.calm) < l.time(fewRefusals) || b.rate.TokensAt(now) < float64(l.burst) {
			kept[name] = b
		}
	}
	l.buckets = kept
	l.sweepAt, l.sweepDue = 2*len(kept), now.Add(max(l.time(recovery), time.Second))
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
	err := c.config.Limiter.Wait(ctx, c.config.Portal)
	if _, ok := ctx.Deadline(); ok && err != nil && ctx.Err() == nil {
		// The limiter knows that the deadline comes first.
		early := err
		err = secret.Hide(secret.Scrub(early.Error(), c.config.Secrets), func(target error) bool {
			return target == context.DeadlineExceeded || errors.Is(early, target)
		})
	}
	return err
}
