package world

import (
	"math/rand/v2"
	"time"

	"github.com/imbot-go/imbot/imbottest/internal/php"
)

// How bots of the second generation get their events.
const (
	ModeFetch   = "fetch"
	ModeWebhook = "webhook"
)

// queueTime is how long an event stays in a queue (livecheck: queue-day).
const queueTime = 24 * time.Hour

// Queue are events that wait for somebody to fetch them, by id.
type Queue struct {
	Events     []Queued
	EmptyUntil time.Time // until when the portal remembers that the queue was empty
}

// Inbox are the events of a person, for im.v2.Event.
type Inbox struct {
	Subscribed bool
	Queue      Queue
}

// Queued is an event in a queue.
type Queued struct {
	ID      int64
	Name    string
	Date    time.Time
	Visible time.Time // from when on it is shown; ids are given before
	Data    *php.Array
	left    func(reason string) // see Hooks
}

// LateEvents is what the option WithLateEvents says.
type LateEvents struct {
	Share  float64
	Most   time.Duration
	random *rand.Rand
}

// DropOld removes the events that are older than a day.
func (q *Queue) DropOld(now time.Time) {
	for len(q.Events) > 0 && now.Sub(q.Events[0].Date) > queueTime {
		q.dropFirst("older than a day")
	}
}

// Acknowledge removes all below an offset, also what nobody has seen yet.
func (q *Queue) Acknowledge(offset int64) {
	for len(q.Events) > 0 && q.Events[0].ID < offset {
		q.dropFirst("")
	}
	q.EmptyUntil = time.Time{}
}

// Clear deletes a queue.
func (q *Queue) Clear() {
	for len(q.Events) > 0 {
		q.dropFirst("the queue is deleted")
	}
}

// dropFirst removes the first event: it is acknowledged, or gone for a reason.
func (q *Queue) dropFirst(reason string) {
	q.Events[0].left(reason)
	q.Events = q.Events[1:]
}

// enqueue puts an event into a queue.
func (w *World) enqueue(q *Queue, name string, data *php.Array) {
	now := time.Now()
	w.lastEvent++
	e := Queued{ID: w.lastEvent, Name: name, Date: now, Visible: now, Data: data}
	if w.Late.Share > 0 {
		if w.Late.random == nil {
			w.Late.random = rand.New(rand.NewPCG(w.Seed, 0))
		}
		if w.Late.random.Float64() < w.Late.Share {
			e.Visible = now.Add(time.Duration(w.Late.random.Int64N(int64(w.Late.Most) + 1)))
		}
	}
	e.left = w.Hooks.Queued(name, data)
	q.Events = append(q.Events, e)
	q.EmptyUntil = time.Time{}
	w.Notify()
}
