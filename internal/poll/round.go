package poll

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"
)

// round polls the queues of a unit that are due, hands their events over, and sets the
// timer for the next round. It is the goroutine of the unit.
func (p *Poller[B, E]) round(u *unit[B, E]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx == nil || p.ctx.Err() != nil || u.busy || len(u.queues) == 0 {
		return
	}
	if u.source.single && len(u.queues) > 1 {
		p.split(u)
		return
	}
	ctx := p.ctx
	p.rounds++
	u.busy = true
	defer func() {
		p.rounds--
		p.wake()
		u.busy = false
		p.schedule(u)
	}()

	began := time.Now()
	queues, asks := p.due(u, began)
	if len(asks) == 0 {
		return
	}
	p.mu.Unlock()
	answers := p.cfg.Fetch(ctx, asks)
	p.mu.Lock()

	p.stats.Requests++
	p.stats.Polls += len(asks)
	for i, q := range queues {
		if !q.gone && ctx.Err() == nil {
			p.take(q, asks[i], answers[i], began)
		}
	}
	p.log(ctx)
	for _, q := range queues {
		p.handOver(ctx, q)
	}
}

// due returns the queues of a unit that are to be polled now, and how. One whose time
// comes soon goes along, so that queues of one unit stay together.
func (p *Poller[B, E]) due(u *unit[B, E], now time.Time) (queues []*queue[B, E], asks []Ask[B]) {
	late := false // a timer that was set anew may have fired all the same
	for _, q := range u.queues {
		if !q.held && !q.next.After(now.Add(p.cfg.Warm)) {
			queues = append(queues, q)
			late = late || !q.next.After(now)
		}
	}
	if !late {
		return nil, nil
	}
	page := max(usualPage/max(len(queues), 1), 1)
	for _, q := range queues {
		ask := Ask[B]{Bot: q.bot, Offset: q.window.offset(), Limit: q.window.limit(page, q.most)}
		// Without an offset the portal may answer that an empty queue is empty from a
		// memory that is up to a minute old, with one it looks. It costs the portal more,
		// so an idle queue gets an offset only when there is something to acknowledge.
		if ask.Offset == q.window.floor && !now.Before(q.warm) && !q.more {
			ask.Offset = 0
		}
		asks = append(asks, ask)
	}
	return queues, asks
}

// take does what an answer tells it to.
func (p *Poller[B, E]) take(q *queue[B, E], ask Ask[B], answer Answer[E], began time.Time) {
	now := time.Now()
	if answer.Err != nil {
		p.fail(q, ask, answer, now)
		return
	}
	if q.fails > 0 {
		p.note(slog.LevelInfo, "imbot: polling works again", "bot", q.bot, "failed", q.fails)
		q.fails = 0
	}
	fresh, more := p.enter(q, ask, answer, began, now)
	if fresh > 0 {
		q.warm = now.Add(warmTime)
	}
	q.more = more
	q.next = p.after(q, began, now)
	if !more {
		q.most = mostEvents
		return
	}
	if lowest, open := q.window.lowestOpen(); open && fresh == 0 && q.window.limit(ask.Limit, q.most) <= ask.Limit {
		q.held = true
		p.note(slog.LevelWarn, "imbot: a callback that does not return keeps the queue of its bot from being read on: give callbacks a time-out",
			"bot", q.bot, "dialog", p.cfg.Dialog(q.window.open[lowest].event), "event", lowest)
	}
}

// enter notes the events of a page. Those that are new and not too old wait in the rest
// of the queue to be handed over.
func (p *Poller[B, E]) enter(q *queue[B, E], ask Ask[B], answer Answer[E], began, now time.Time) (fresh int, more bool) {
	items := answer.Items
	number(items, answer.Next)
	more = answer.More || len(items) >= ask.Limit
	var last int64
	if len(items) > 0 {
		last = items[len(items)-1].ID
	}
	q.window.passed(began, ask.Offset, len(items), last, more && len(items) > 0)
	tooOld, unnumbered := 0, 0
	for _, it := range items {
		if it.ID == 0 {
			unnumbered++
			continue
		}
		date := it.Date
		if date.IsZero() {
			date = now
		}
		if !q.window.enter(it.ID, now, openItem[E]{it.Event, date}) {
			p.stats.Duplicates++
			continue
		}
		fresh++
		if p.cfg.MaxAge > 0 && now.Sub(date) > p.cfg.MaxAge {
			q.window.close(it.ID)
			tooOld++
			continue
		}
		q.rest = append(q.rest, it)
	}
	if tooOld > 0 {
		p.note(slog.LevelInfo, "imbot: events that are too old are not handled", "bot", q.bot, "events", tooOld)
	}
	if unnumbered > 0 && !q.odd {
		p.note(slog.LevelWarn, "imbot: events without a number cannot be told apart and are not handled", "bot", q.bot, "events", unnumbered)
	}
	q.odd = unnumbered > 0
	return fresh, more
}

// fail does what the error of an answer tells it to.
func (p *Poller[B, E]) fail(q *queue[B, E], ask Ask[B], answer Answer[E], now time.Time) {
	switch means := answer.Means; {
	case means == End:
		p.end(q, answer.Err)
		return
	case means == Unbatched && !q.unit.source.single:
		q.unit.source.single = true
		p.note(slog.LevelWarn, "imbot: the portal takes no polls in a batch, so its bots are polled one by one, and less often", "portal", q.unit.source.key.portal, "error", answer.Err)
		return
	case means == Unbatched && len(q.unit.queues) > 1:
		return // another queue of this answer has said so
	case means == TooLong && ask.Limit > 1:
		q.most = ask.Limit / 2
		p.note(slog.LevelWarn, "imbot: a page of events is too long, the next one is shorter", "bot", q.bot, "events", q.most)
		q.next = now.Add(p.pause(q, now))
		return
	}
	if q.fails == 0 {
		p.note(slog.LevelWarn, "imbot: polling fails; the portal keeps the events", "bot", q.bot, "error", answer.Err)
	}
	q.fails++
	pause := p.pause(q, now)
	for range min(q.fails, 10) {
		pause = min(2*pause, max(mostPause, pause))
	}
	q.next = now.Add(pause + time.Duration(rand.Float64()*jitter*float64(pause)))
}

// end takes out a queue that can never be polled again.
func (p *Poller[B, E]) end(q *queue[B, E], err error) {
	p.note(slog.LevelError, "imbot: polling has ended", "bot", q.bot, "error", err)
	p.drop(q)
	q.ended, q.rest = err, nil
	if ev, ok := p.cfg.Last(q.bot, err, !q.window.good.IsZero()); ok {
		q.rest = append(q.rest, Item[E]{Event: ev})
	}
}

// split gives each queue of a unit a unit of its own.
func (p *Poller[B, E]) split(u *unit[B, E]) {
	own := u.queues[1:]
	u.queues = u.queues[:1:1]
	for i, q := range own {
		q.next = time.Now().Add(time.Duration(i+1) * halfRate)
		p.seat(u.source, q)
	}
	p.schedule(u)
}

// handOver hands over the events of a queue that wait for it, in their order, and waits
// for room. The lock is held at the beginning and the end.
func (p *Poller[B, E]) handOver(ctx context.Context, q *queue[B, E]) {
	for len(q.rest) > 0 && ctx.Err() == nil && (!q.gone || q.ended != nil) {
		it := q.rest[0]
		p.count(q, 1)
		p.mu.Unlock()
		ok, err := p.cfg.Push(q.bot, it.Event, func() { p.close(q, it.ID) })
		p.mu.Lock()
		if ok {
			p.stats.Events++
			q.rest = q.rest[1:]
			continue
		}
		p.count(q, -1)
		if err != nil {
			p.cancel(err)
			continue
		}
		p.mu.Unlock()
		wait(ctx, p.room, fullPause)
		p.mu.Lock()
	}
	if len(q.rest) == 0 {
		q.rest = nil
		p.tellRoom() // there may be more
	}
	if q.gone {
		p.wake() // Leave waits
	}
	if q.ended != nil {
		p.mu.Unlock()
		p.cfg.Ended(q.bot, q.ended)
		p.mu.Lock()
	}
}

// count counts events whose callback has not returned.
func (p *Poller[B, E]) count(q *queue[B, E], n int) {
	q.handed += n
	p.handed += n
}

// close notes that the callback of an event has returned.
func (p *Poller[B, E]) close(q *queue[B, E], id int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count(q, -1)
	p.wake()
	p.tellRoom()
	if q.frozen {
		return
	}
	q.window.close(id)
	if q.held {
		q.held = false
		p.schedule(q.unit)
	}
}

// tellRoom lets one of those who wait for room try again.
func (p *Poller[B, E]) tellRoom() {
	select {
	case p.room <- struct{}{}:
	default:
	}
}

// note keeps a line for the log until the lock is free: the logger is code of the user.
func (p *Poller[B, E]) note(level slog.Level, text string, attrs ...any) {
	p.notes = append(p.notes, func(ctx context.Context) { p.cfg.Logger().Log(ctx, level, text, attrs...) })
}

// log writes what was noted. It gives the lock up meanwhile.
func (p *Poller[B, E]) log(ctx context.Context) {
	notes := p.notes
	p.notes = nil
	if len(notes) == 0 {
		return
	}
	p.mu.Unlock()
	defer p.mu.Lock()
	for _, note := range notes {
		note(ctx)
	}
}

// wait waits for a change, for a time at most, or for the end of ctx.
func wait(ctx context.Context, changed <-chan struct{}, most time.Duration) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	case <-ctx.Done():
	}
}
