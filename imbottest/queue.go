package imbottest

import (
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// A QueuedEvent is an event in the queue of a bot or person that fetches its events.
type QueuedEvent struct {
	ID   int64
	Name string // "ONIMBOTV2MESSAGEADD"
}

// WithLateEvents lets a share of the fetched events, 0 to 1, become visible up to d later than
// their ids are given, as happens on real portals: then an event with a lower id is seen
// after one with a higher id.
func WithLateEvents(share float64, d time.Duration) Option {
	return func(p *Portal) { p.w.Late = world.LateEvents{Share: share, Most: max(d, 0)} }
}

// WithRevision sets the REST revision that imbot.v2.Revision.get tells; the default is 36. The
// portal does nothing else differently.
func WithRevision(n int) Option { return func(p *Portal) { p.w.Revision = n } }

// Queued returns what is in the queue of a bot that fetches its events, or of a person who
// does, by id: what was not acknowledged within a day, also what is not seen yet.
func (p *Portal) Queued(user imbot.ID) []QueuedEvent {
	p.w.Lock()
	defer p.w.Unlock()
	var q *world.Queue
	if b := p.w.Bots[user]; b != nil {
		q = &b.Queue
	} else if inbox := p.w.Inboxes[user]; inbox != nil {
		q = &inbox.Queue
	} else {
		return nil
	}
	q.DropOld(time.Now())
	var list []QueuedEvent
	for _, e := range q.Events {
		list = append(list, QueuedEvent{e.ID, e.Name})
	}
	return list
}
