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

// queueTime is how long an event stays in a queue.
const queueTime = 24 * time.Hour

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
func (w *World) DropOld(b *Bot, now time.Time) {
	for len(b.Queue) > 0 && now.Sub(b.Queue[0].Date) > queueTime {
		w.DropFirst(b, "older than a day")
	}
}

// DropFirst removes the first event of a queue: it is acknowledged, or gone for a reason.
func (w *World) DropFirst(b *Bot, reason string) {
	b.Queue[0].left(reason)
	b.Queue = b.Queue[1:]
}

// enqueue puts an event into the queue of a bot.
func (w *World) enqueue(b *Bot, name string, data *php.Array) {
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
	b.Queue = append(b.Queue, e)
	b.EmptyUntil = time.Time{}
	w.Notify()
}
