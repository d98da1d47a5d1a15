// Package poll is the one way events are fetched: the queues of many bots are read at
// their pace, up to fifty of one portal in one request, each event is handed over once in
// the order of its id, and acknowledged after its callback has returned.
//
// The package knows neither the wire nor the portal's errors. How queues are asked, what
// an answer means, and where events go, the caller tells.
package poll

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Config says how the queues of bots of type B are polled for events of type E. All
// fields but MaxAge are required.
type Config[B comparable, E any] struct {
	// Fetch asks the queues of up to fifty bots of one source in one request, and gives
	// an answer for each. It obeys ctx.
	Fetch func(ctx context.Context, asks []Ask[B]) []Answer[E]

	// Push hands an event over. done is called when its callback has returned, and not
	// at all when the event is given up. false: there is no room now. An error: there
	// never will be any, and polling ends.
	Push func(bot B, ev E, done func()) (bool, error)

	// Last is told why a bot's queue can never be polled again, and may return an event
	// about that, which is handed over. polled says whether it ever could. Ended is told
	// after that. Last must not call the Poller.
	Last  func(bot B, err error, polled bool) (ev E, ok bool)
	Ended func(bot B, err error)

	// Cut ends the contexts of callbacks that have not returned DrainTime after the end.
	Cut func() error

	Dialog     func(ev E) string // of an event that was handed over, for the log
	Logger     func() *slog.Logger
	Warm, Idle time.Duration // pauses between two polls: in a conversation, else
	MaxAge     time.Duration // older events are acknowledged and not handed over; 0: none is too old
}

// An Ask is one poll of one queue.
type Ask[B comparable] struct {
	Bot    B
	Offset int64 // acknowledges everything below; 0: nothing
	Limit  int   // events, at most
}

// An Answer is what a poll has brought.
type Answer[E any] struct {
	Items []Item[E]
	Next  int64 // offset of the next page, as the portal says; 0: unknown
	More  bool  // events may follow
	Err   error // nil: the poll was good
	Means Meaning
}

// An Item is an event in a queue.
type Item[E any] struct {
	ID    int64
	Date  time.Time // of the event; zero: unknown
	Event E
}

// Meaning is what the error of an [Answer] means for the queue.
type Meaning int

// The meanings of an error.
const (
	Wait      Meaning = iota // try later
	TooLong                  // the page was longer than an answer may be
	Unbatched                // the portal takes no polls in a batch
	End                      // this queue can never be polled again
)

const (
	mostInRequest = 50               // queues: commands that the portal takes in one batch
	usualPage     = 100              // events of all queues in one request: one may have 120 KB, an answer 16 MiB
	warmTime      = 30 * time.Second // how long a conversation is expected to go on after an event
	mostPause     = time.Minute      // between two polls that fail
	fullPause     = time.Second      // between two tries to hand an event over while there is no room
	halfRate      = time.Second      // per request of a portal: half of the 2 requests a second that it allows
	jitter        = 0.05             // of a pause, at most
	idleGrid      = 250 * time.Millisecond
)

// A Poller polls queues. Make it with [New].
type Poller[B comparable, E any] struct {
	cfg  Config[B, E]
	room chan struct{} // holds one when there may be room for an event again

	mu      sync.Mutex // guards all that follows, of all queues and units, too
	ctx     context.Context
	epoch   time.Time // when Run began
	bots    map[B]*queue[B, E]
	sources map[sourceKey]*source[B, E]
	units   map[string]int // of a portal
	rounds  int            // under way
	handed  int            // events whose callback runs or waits for its turn, also of queues that are polled no more
	changed chan struct{}  // closed at the next change of rounds, or of what is open; nil while nobody waits for one
	cancel  context.CancelCauseFunc
	stats   Stats
	notes   []func(context.Context) // for the log
}

// Stats counts what a [Poller] has done.
type Stats struct {
	Polls          int           // of single queues
	Requests       int           // that carried them
	Events         int           // handed over
	Duplicates     int           // shown again before they were acknowledged, and dropped
	Behind         time.Duration // age of the oldest event that is not handled
	Unacknowledged int           // events that were seen and are not acknowledged
}

// A source is a portal and the credentials that poll it.
type source[B comparable, E any] struct {
	key    sourceKey
	units  []*unit[B, E]
	single bool // it takes no polls in a batch
}

type sourceKey struct {
	portal  string
	account any
}

// A unit is the queues that one request polls. It has a timer and, while it polls, a
// goroutine.
type unit[B comparable, E any] struct {
	source *source[B, E]
	queues []*queue[B, E]
	timer  *time.Timer
	busy   bool // it is in a round
}

// A queue is that of one bot.
type queue[B comparable, E any] struct {
	bot    B
	unit   *unit[B, E]
	window window[E]
	rest   []Item[E] // fetched, open, and not handed over yet, oldest first
	most   int       // events that an answer has room for
	next   time.Time // of its next poll
	warm   time.Time // until then it is polled often
	more   bool      // the last page was full
	fails  int       // polls, in a row
	odd    bool      // the last page had events without a number
	held   bool      // open events fill the longest page: nothing new can be seen until one returns
	handed int       // events whose callback runs or waits for its turn
	gone   bool      // it is not polled any more,
	ended  error     // because of this: it never can be again
	frozen bool      // callbacks that return now were cut off
}

// New returns a Poller without queues.
func New[B comparable, E any](cfg Config[B, E]) *Poller[B, E] {
	return &Poller[B, E]{
		cfg: cfg, room: make(chan struct{}, 1),
		bots: map[B]*queue[B, E]{}, sources: map[sourceKey]*source[B, E]{}, units: map[string]int{},
	}
}

// Add polls one more queue, while Run runs or when it will. Bots of one portal and
// account travel in one request. false: it is polled already.
func (p *Poller[B, E]) Add(bot B, portal string, account any) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bots[bot] != nil {
		return false
	}
	q := &queue[B, E]{bot: bot, most: mostEvents, next: time.Now()}
	p.bots[bot] = q
	key := sourceKey{portal, account}
	s := p.sources[key]
	if s == nil {
		s = &source[B, E]{key: key}
		p.sources[key] = s
	}
	p.seat(s, q)
	return true
}

// seat puts a queue into the first unit of a source that has room.
func (p *Poller[B, E]) seat(s *source[B, E], q *queue[B, E]) {
	room := mostInRequest
	if s.single {
		room = 1
	}
	i := slices.IndexFunc(s.units, func(u *unit[B, E]) bool { return len(u.queues) < room })
	if i < 0 {
		i = len(s.units)
		s.units = append(s.units, &unit[B, E]{source: s})
		p.units[s.key.portal]++
	}
	q.unit = s.units[i]
	q.unit.queues = append(q.unit.queues, q)
	p.schedule(q.unit)
}

// Remove polls a queue no more. What it has shown and is not acknowledged comes again to
// whoever polls it next. false: it was not polled.
func (p *Poller[B, E]) Remove(bot B) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := p.bots[bot]
	if q == nil {
		return false
	}
	p.drop(q)
	return true
}

// drop takes a queue out.
func (p *Poller[B, E]) drop(q *queue[B, E]) {
	if q.gone {
		return
	}
	q.gone = true
	delete(p.bots, q.bot)
	u := q.unit
	u.queues = slices.DeleteFunc(u.queues, func(other *queue[B, E]) bool { return other == q })
	if len(u.queues) > 0 {
		return
	}
	s := u.source
	s.units = slices.DeleteFunc(s.units, func(other *unit[B, E]) bool { return other == u })
	if u.timer != nil {
		u.timer.Stop()
	}
	if p.units[s.key.portal]--; p.units[s.key.portal] == 0 {
		delete(p.units, s.key.portal)
	}
	if len(s.units) == 0 {
		delete(p.sources, s.key)
	}
}

// Run polls until ctx ends, or there will never again be room for events, which is the
// error. Then it waits for the callbacks and acknowledges what they have handled. The
// next Run begins anew.
func (p *Poller[B, E]) Run(ctx context.Context) error {
	p.mu.Lock()
	if p.ctx != nil {
		p.mu.Unlock()
		return errors.New("imbot: the poller runs already")
	}
	polling, cancel := context.WithCancelCause(ctx)
	p.ctx, p.cancel, p.epoch = polling, cancel, time.Now()
	units := 0
	for _, s := range p.sources {
		for _, u := range s.units {
			for _, q := range u.queues { // a thousand portals are not called at once
				q.next = time.Now().Add(min(time.Duration(units)*startPause, p.cfg.Idle))
			}
			units++
			p.schedule(u)
		}
	}
	p.mu.Unlock()

	<-polling.Done()
	var err error
	if ctx.Err() == nil {
		err = context.Cause(polling)
	}
	cancel(nil)
	if p.drain(ctx) {
		err = errors.Join(err, p.cfg.Cut())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ctx = nil
	for _, q := range p.bots {
		fresh := &queue[B, E]{bot: q.bot, unit: q.unit, most: mostEvents}
		q.unit.queues[slices.Index(q.unit.queues, q)] = fresh
		p.bots[q.bot] = fresh
	}
	return err
}

// startPause is between the first polls of two units.
const startPause = 5 * time.Millisecond

// Stats returns the counters.
func (p *Poller[B, E]) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	for _, q := range p.bots {
		s.Unacknowledged += len(q.window.seen)
		for _, item := range q.window.open {
			s.Behind = max(s.Behind, time.Since(item.date)) // by two clocks: never below zero
		}
	}
	return s
}

// schedule sets the timer of a unit to the time when one of its queues is due. It does
// nothing before Run, nor while the unit is in a round, which ends with a call of it.
func (p *Poller[B, E]) schedule(u *unit[B, E]) {
	if p.ctx == nil || p.ctx.Err() != nil || u.busy {
		return
	}
	var due time.Time
	for _, q := range u.queues {
		if !q.held && (due.IsZero() || q.next.Before(due)) {
			due = q.next
		}
	}
	switch {
	case due.IsZero():
		return // close wakes it
	case u.timer == nil:
		u.timer = time.AfterFunc(time.Until(due), func() { p.round(u) })
	default:
		u.timer.Reset(time.Until(due))
	}
}

// pause returns how long to wait between two polls of a queue.
func (p *Poller[B, E]) pause(q *queue[B, E], now time.Time) time.Duration {
	pause, shift := p.cfg.Idle, 0.0 // see after
	if now.Before(q.warm) {
		pause, shift = p.cfg.Warm, -rand.Float64()*jitter
	}
	if q.more {
		pause, shift = p.cfg.Warm, rand.Float64()*jitter // never less than the portal wants
	}
	pause = max(pause, time.Duration(p.units[q.unit.source.key.portal])*halfRate)
	return pause + time.Duration(float64(pause)*shift)
}

// after returns when a queue is polled next that was polled at a time. Idle ones of many
// portals go out at the same moments, four in a second: a process that wakes 200 times a
// second for one poll each uses three times as much of the processor.
func (p *Poller[B, E]) after(q *queue[B, E], began, now time.Time) time.Time {
	next := began.Add(p.pause(q, now))
	if now.Before(q.warm) || q.more {
		return next
	}
	return next.Add(idleGrid - next.Sub(p.epoch)%idleGrid)
}

// wake wakes those who wait for a change.
func (p *Poller[B, E]) wake() {
	if p.changed != nil {
		close(p.changed)
		p.changed = nil
	}
}

// change returns a channel that is closed at the next change.
func (p *Poller[B, E]) change() <-chan struct{} {
	if p.changed == nil {
		p.changed = make(chan struct{})
	}
	return p.changed
}
