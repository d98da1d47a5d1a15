package poll

import (
	"context"
	"slices"
	"sync"
	"time"
)

// How long the end may take.
const (
	DrainTime = 30 * time.Second // for callbacks
	lastTime  = 10 * time.Second // for the last look at queues, and again for their acknowledgement
)

// drain waits for the rounds under way and the callbacks, also those of queues that are
// polled no more, and finishes all queues. It reports whether callbacks hang.
func (p *Poller[B, E]) drain(ctx context.Context) (hung bool) {
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), DrainTime)
	defer cancel()
	p.mu.Lock()
	for p.rounds > 0 { // they obey the context that has ended
		changed := p.change()
		p.mu.Unlock()
		<-changed
		p.mu.Lock()
	}
	var units [][]*queue[B, E]
	for _, s := range p.sources {
		for _, u := range s.units {
			if u.timer != nil {
				u.timer.Stop()
			}
			units = append(units, slices.Clone(u.queues))
		}
	}
	p.mu.Unlock()
	var all sync.WaitGroup
	for _, queues := range units {
		all.Go(func() { p.finish(ctx, queues) })
	}
	all.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.await(patience, &p.handed)
	return p.handed > 0
}

// await waits until a number of events whose callbacks have not returned is zero.
func (p *Poller[B, E]) await(ctx context.Context, handed *int) {
	for *handed > 0 && ctx.Err() == nil {
		changed := p.change()
		p.mu.Unlock()
		wait(ctx, changed, DrainTime)
		p.mu.Lock()
	}
}

// Leave polls a queue no more, waits for its callbacks, and acknowledges what they have
// handled.
func (p *Poller[B, E]) Leave(ctx context.Context, bot B) {
	p.mu.Lock()
	q := p.bots[bot]
	if q != nil {
		p.drop(q)
	}
	p.mu.Unlock()
	if q != nil {
		p.finish(ctx, []*queue[B, E]{q})
	}
}

// finish acknowledges what the callbacks of queues of one unit have handled that are not
// polled any more. It waits for these callbacks. Then it looks once more, when
// everything is settled, without acknowledging: what is new there counts as open and
// stays with the portal, as does the rest when the portal does not answer. The end of ctx
// ends nothing here.
func (p *Poller[B, E]) finish(ctx context.Context, queues []*queue[B, E]) {
	ctx = context.WithoutCancel(ctx)
	patience, cancel := context.WithTimeout(ctx, DrainTime)
	defer cancel()
	p.mu.Lock()
	defer p.mu.Unlock()
	var settled time.Time
	for _, q := range queues {
		p.await(patience, &q.handed)
		q.frozen = q.handed > 0 // what is cut off later is not handled
		if at := q.window.settled(); at.After(settled) {
			settled = at
		}
	}
	p.mu.Unlock()
	time.Sleep(time.Until(settled)) // at most Settle
	p.mu.Lock()

	var asks []Ask[B]
	asked := map[B]*queue[B, E]{}
	for _, q := range queues {
		if len(q.window.seen) > len(q.window.open) {
			asked[q.bot] = q
			asks = append(asks, Ask[B]{Bot: q.bot, Limit: q.window.limit(max(usualPage/len(queues), 1), q.most)})
		}
	}
	p.last(ctx, asked, asks, func(q *queue[B, E], ask Ask[B], answer Answer[E], began time.Time) {
		p.enter(q, ask, answer, began, time.Now())
	})
	asks = nil
	for _, q := range asked {
		if offset := q.window.offset(); offset > q.window.floor {
			asks = append(asks, Ask[B]{Bot: q.bot, Offset: offset, Limit: 1})
		}
	}
	p.last(ctx, asked, asks, func(q *queue[B, E], ask Ask[B], _ Answer[E], began time.Time) {
		q.window.passed(began, ask.Offset, 0, 0, false)
	})
	p.log(ctx)
}

// last polls queues that are polled no more, and calls good with each good answer. The
// lock is held at the beginning and the end.
func (p *Poller[B, E]) last(ctx context.Context, asked map[B]*queue[B, E], asks []Ask[B], good func(*queue[B, E], Ask[B], Answer[E], time.Time)) {
	ctx, cancel := context.WithTimeout(ctx, lastTime)
	defer cancel()
	for len(asks) > 0 {
		n := len(asks)
		if asked[asks[0].Bot].unit.source.single {
			n = 1
		}
		began := time.Now()
		p.mu.Unlock()
		answers := p.cfg.Fetch(ctx, asks[:n])
		p.mu.Lock()
		p.stats.Requests++
		p.stats.Polls += n
		for i, answer := range answers {
			if answer.Err == nil {
				good(asked[asks[i].Bot], asks[i], answer, began)
			}
		}
		asks = asks[n:]
	}
}
