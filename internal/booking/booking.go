// Package booking is the limiter that processes share through an engine: who is to send a request
// books a slot there, sleeps until it is due, and gives it to whoever waits in the best class then. An
// engine that is away is replaced by a share of the rate in memory.
//
// That takes one trip to the engine for a request, none while it waits, and no polling. A process
// books one slot at a time for a portal, so that no replica is served before another for long.
package booking

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/imbot-go/imbot/internal/rest"
)

// Engine keeps a bucket for each portal, by its own clock. A bucket is the time tat at which it will
// be empty again if nothing is booked; step is the time of one request, longer after refusals.
type Engine interface {
	// Book books a slot and tells how long it is until then:
	//
	//	tat = max(tat, min(tat + sent·step, now + burst·step), now + (burst − room)·step) + step
	//	slot = max(now, tat − (burst − spare)·step)
	//
	// So spare requests of the burst are left for those who spare less. After an outage sent is what
	// went past the engine, and room is what the others may have left of the burst; else there is room
	// for all of it.
	Book(ctx context.Context, portal string, spare, room, sent int) (time.Duration, error)

	// Refund gives a slot back that nobody has used: tat −= step.
	Refund(ctx context.Context, portal string) error

	// Refused is told that the portal has refused a request: step doubles, to eight times at most,
	// until nothing was refused for the time of 60 requests, and tat = now + burst·step. What comes
	// within the time of two requests is one refusal.
	Refused(ctx context.Context, portal string) error

	// Replicas is how many processes share the engine, as far as it knows; 0: it does not.
	Replicas() int
}

const (
	engineTime = 100 * time.Millisecond // for one question; one that takes longer is away
	firstTime  = 500 * time.Millisecond // until one that was away is asked again for the first time,
	awayTime   = 2 * time.Second        // doubled up to this
	fast       = 20                     // requests a second above which two slots are booked at a time
)

var errAway = errors.New("the engine is away")

// Limiter is an imbot.Limiter and a driver.Refuser.
type Limiter struct {
	engine    Engine
	perSecond float64
	burst     int
	logger    func() *slog.Logger

	mu      sync.Mutex
	portals map[string]*portal
	local   *rest.Pacer         // while the engine is away, and until the others must have learnt that it is back
	away    time.Time           // until when; zero: it is not
	pause   time.Duration       // until the engine is asked again
	asks    bool                // somebody looks whether it is back
	back    time.Time           // since when
	drained map[string]struct{} // portals whose bucket was set to what may be left since then
	sent    map[string]int      // requests to a portal that went past the engine, and it was not told yet
	crowd   crowd
}

// New returns a limiter with the rate of [rest.NewPacer], whose engine has the same.
func New(engine Engine, perSecond float64, burst int, logger func() *slog.Logger) *Limiter {
	perSecond, burst = Rate(perSecond, burst)
	return &Limiter{engine: engine, perSecond: perSecond, burst: burst, logger: logger, portals: map[string]*portal{}}
}

// Rate returns the rate that is meant: one that is not a positive number is 2, a burst below 1 is 1.
func Rate(perSecond float64, burst int) (float64, int) {
	if !(perSecond > 0) {
		perSecond = 2
	}
	return perSecond, max(burst, 1)
}

// A portal is what is going on with one. It is there while somebody waits or a slot is booked.
type portal struct {
	name   string
	lines  [3][]*waiting         // by class, the best one last
	booked map[*booking]struct{} // empty when nobody waits
}

// A booking is a slot that is being booked, or is booked.
type booking struct {
	class rest.Class
	due   time.Time     // zero: the engine has not answered yet
	vain  chan struct{} // closed when nobody waits any more
}

type waiting struct {
	class    rest.Class
	deadline time.Time // zero: none
	got      chan error
}

func line(c rest.Class) int { return int(c - rest.ClassBulk) }

// Wait returns when one more request may be sent to the portal, or with an error when ctx ends or
// its deadline would come first.
func (l *Limiter) Wait(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	pacer, asks := l.share()
	if pacer != nil {
		if err := pacer.Wait(ctx, name); err != nil || l.alone(name) {
			return err
		}
	}
	w := &waiting{class: rest.ClassOf(ctx), got: make(chan error, 1)}
	w.deadline, _ = ctx.Deadline()
	l.enter(name, w)
	var err error
	select {
	case err = <-w.got:
	case <-ctx.Done():
		if err = ctx.Err(); !l.leave(name, w) {
			err = <-w.got // its slot came at the same moment
		}
	}
	if asks {
		l.answered()
	}
	if errors.Is(err, errAway) {
		return l.Wait(ctx, name) // by the share
	}
	return err
}

// share returns the share of this process, if it has to keep to it: while the engine is away, and until
// all others must have learnt that it is back. asks: it is the caller who looks whether it is.
func (l *Limiter) share() (pacer *rest.Pacer, asks bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if l.away.IsZero() && now.Sub(l.back) > awayTime+2*engineTime {
		l.local = nil
	}
	if asks = !l.away.IsZero() && !l.asks && !now.Before(l.away); asks {
		l.asks = true
		return nil, true
	}
	return l.local, false
}

// alone reports whether the share is all that there is, and counts the request that goes past the
// engine then.
func (l *Limiter) alone(name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.away.IsZero() {
		return false
	}
	l.missed(name, 1)
	return true
}

// missed counts requests of which the engine does not know.
func (l *Limiter) missed(name string, n int) {
	if l.sent == nil {
		l.sent = map[string]int{}
	}
	l.sent[name] = min(l.sent[name]+n, l.burst)
}

// enter puts w into its line.
func (l *Limiter) enter(name string, w *waiting) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.portals[name]
	if p == nil {
		p = &portal{name: name, booked: map[*booking]struct{}{}}
		l.portals[name] = p
	}
	p.lines[line(w.class)] = append(p.lines[line(w.class)], w)
	l.tooLate(p)
	l.book(p)
}

// answered lets the next one look, unless the engine is back.
func (l *Limiter) answered() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asks = false
}

// leave takes w out of its line; false: it has got an answer.
func (l *Limiter) leave(name string, w *waiting) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.portals[name]
	if p == nil || !p.remove(w) {
		return false
	}
	l.tidy(p)
	return true
}

func (p *portal) remove(w *waiting) bool {
	row := &p.lines[line(w.class)]
	for i, other := range *row {
		if other == w {
			*row = append((*row)[:i:i], (*row)[i+1:]...)
			return true
		}
	}
	return false
}

// first is who goes next; nil: nobody waits.
func (p *portal) first() *waiting {
	for i := len(p.lines) - 1; i >= 0; i-- {
		if len(p.lines[i]) > 0 {
			return p.lines[i][0]
		}
	}
	return nil
}

// book books slots for those who wait, as many at a time as may be: one for whoever goes next, and
// one more when somebody of a better class comes, because more of the burst is his.
func (l *Limiter) book(p *portal) {
	most := 1
	if l.perSecond > fast {
		most = 2
	}
	for i := len(p.lines) - 1; i >= 0; i-- {
		if len(p.lines[i]) == 0 {
			continue
		}
		class, as := rest.ClassBulk+rest.Class(i), 0
		for b := range p.booked {
			if b.class >= class {
				as++
			}
		}
		for n := min(most, len(p.lines[i])); as < n; as++ {
			b := &booking{class: class, vain: make(chan struct{})}
			p.booked[b] = struct{}{}
			go l.run(p, b)
		}
		return
	}
}

// spare is how many requests of the burst a class leaves to the better ones; see [rest.Pacer].
func (l *Limiter) spare(class rest.Class) int {
	switch class {
	case rest.ClassBulk:
		return l.burst / 5
	case rest.ClassNormal:
		return l.burst / 10
	}
	return 0
}

// news is what the engine has to be told of a portal after an outage: how many requests went past it,
// and how much of the burst the others may have left. They kept to their shares, so a bucket is as full
// as bulk calls leave one.
func (l *Limiter) news(name string) (room, sent int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.away.IsZero() && time.Since(l.back).Seconds() > float64(l.burst)/l.perSecond {
		l.drained, l.sent = nil, nil // what was sent then has run off
	}
	sent = l.sent[name]
	delete(l.sent, name)
	if _, done := l.drained[name]; l.away.IsZero() && (done || l.drained == nil) {
		return l.burst, sent
	}
	if l.drained != nil {
		l.drained[name] = struct{}{}
	}
	return l.burst / 5, sent
}

// run books a slot, sleeps until it is due, and gives it away; or back, as soon as nobody waits any
// more. Nobody's context ends it: others may wait by then.
func (l *Limiter) run(p *portal, b *booking) {
	room, sent := l.news(p.name)
	asking, cancel := context.WithTimeout(context.Background(), engineTime)
	d, err := l.engine.Book(asking, p.name, l.spare(b.class), room, sent)
	cancel()
	if err != nil {
		l.isAway(p, b, sent, err)
		return
	}
	l.isBooked(p, b, d)
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-b.vain:
	}
	if !l.give(p, b) {
		refund, cancel := context.WithTimeout(context.Background(), engineTime)
		defer cancel()
		_ = l.engine.Refund(refund, p.name) // at worst a slot stays empty
	}
}

// give gives a slot to whoever goes next; false: it was given up.
func (l *Limiter) give(p *portal, b *booking) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, is := p.booked[b]; !is {
		return false
	}
	delete(p.booked, b)
	w := p.first()
	p.remove(w)
	w.got <- nil
	l.book(p)
	l.tidy(p)
	return true
}

// tidy gives up what is booked for nobody, and forgets a portal without anything.
func (l *Limiter) tidy(p *portal) {
	if p.first() != nil {
		return
	}
	for b := range p.booked {
		close(b.vain)
	}
	clear(p.booked)
	if l.portals[p.name] == p {
		delete(l.portals, p.name)
	}
}

// tooLate tells those whose deadline comes before the slot that they may get, as far as one is known: the
// first one that is due is for the best class, but a class better than those that have booked may
// get an earlier one.
func (l *Limiter) tooLate(p *portal) {
	var due time.Time
	best := rest.ClassBulk - 1
	for b := range p.booked {
		if b.due.IsZero() {
			continue
		}
		best = max(best, b.class)
		if due.IsZero() || b.due.Before(due) {
			due = b.due
		}
	}
	step := time.Duration(float64(time.Second) / l.perSecond)
	for i := len(p.lines) - 1; i >= 0; i-- {
		kept := p.lines[i][:0:0]
		for _, w := range p.lines[i] {
			if w.class <= best && !w.deadline.IsZero() && w.deadline.Before(due) {
				w.got <- context.DeadlineExceeded
				continue
			}
			kept = append(kept, w)
			due = due.Add(step)
		}
		p.lines[i] = kept
	}
}

// isBooked notes when a slot is due. The engine is not away.
func (l *Limiter) isBooked(p *portal, b *booking, d time.Duration) {
	told := l.engine.Replicas()
	l.mu.Lock()
	l.crowd.count(told)
	back := !l.away.IsZero()
	if back {
		l.away, l.back, l.drained = time.Time{}, time.Now(), map[string]struct{}{p.name: {}}
	}
	b.due = time.Now().Add(d)
	l.tooLate(p)
	l.tidy(p)
	l.mu.Unlock()
	if back {
		l.logger().Info("imbot: the shared limiter can be asked again")
	}
}

// A crowd is how many replicas there are. An engine that has forgotten everything counts those who have come
// back, so fewer are believed only after fewerTime: else each of them takes the whole rate for its share.
type crowd struct {
	n  int
	at time.Time // when there were so many last
}

const fewerTime = 15 * time.Second

// count notes what the engine says, 0 when it has not said anything.
func (c *crowd) count(n int) int {
	if now := time.Now(); n > 0 && (n >= c.n || now.Sub(c.at) > fewerTime) {
		c.n, c.at = n, now
	}
	if c.n == 0 {
		return 2
	}
	return c.n
}

// isAway sends all who wait to the share of this process.
func (l *Limiter) isAway(p *portal, b *booking, sent int, err error) {
	told := l.engine.Replicas()
	l.mu.Lock()
	replicas := l.crowd.count(told)
	delete(p.booked, b)
	l.missed(p.name, sent)
	first, now := l.away.IsZero(), time.Now()
	switch {
	case first:
		l.pause = firstTime
	case !now.Before(l.away): // not of those who had asked before
		l.pause = min(2*l.pause, awayTime)
	}
	l.away = now.Add(l.pause)
	if first && l.local == nil {
		l.local = rest.NewSpentPacer(l.perSecond/float64(replicas), l.burst/(2*replicas))
	}
	for _, p := range l.portals {
		for i, row := range p.lines {
			for _, w := range row {
				w.got <- errAway
			}
			p.lines[i] = nil
		}
		l.tidy(p)
	}
	l.mu.Unlock()
	if first {
		l.logger().Warn("imbot: the shared limiter cannot be asked, so this process takes its share of the rate", "replicas", replicas, "error", err)
	}
}

// Refused implements driver.Refuser.
func (l *Limiter) Refused(name string) {
	l.mu.Lock()
	pacer, away := l.local, !l.away.IsZero()
	l.mu.Unlock()
	if pacer != nil {
		pacer.Refused(name)
	}
	if away {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), engineTime)
	defer cancel()
	_ = l.engine.Refused(ctx, name) // the next refusal tells it
}
