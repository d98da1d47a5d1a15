package poll

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Settle is how long an event stays unacknowledged after it was first seen. The portal
// numbers events before it shows them, so one with a lower number may appear after one
// with a higher number was read, and an acknowledgement would delete it unseen. Events
// were seen to appear up to 2.55 s late; nobody has measured it on a live portal yet
// (livecheck: late-ids).
const Settle = 3 * time.Second

// A window is what is known about the queue of one bot: which of its events were seen,
// which of these are open, and so how much may be acknowledged. The portal keeps the
// rest, and that is the only store.
type window[E any] struct {
	seen    []entry               // and not acknowledged, by id
	open    map[int64]openItem[E] // of these, those whose callback has not returned
	past    []int64               // acknowledged last, by id: a queue that shows them again must not run them again
	page    int                   // events in the longest page: so many are remembered in past
	floor   int64                 // the offset of the last good poll that had one; 0: none had
	good    time.Time             // when the last good poll began; zero: there was none
	covered int64                 // the highest id that it would have shown
}

type entry struct {
	id int64
	at time.Time // when the answer came that showed it first
}

// openItem is what the log and the statistics speak of.
type openItem[E any] struct {
	event E
	date  time.Time // of the event; when it was seen, if it has none
}

// offset returns what the next poll may acknowledge: one above the highest event that
// the last good poll leaves settled, but never above an open one. A good poll settles an
// event when it began at least Settle after the event was first seen and would have shown
// everything below it. (The clock alone settles nothing: what became visible since the
// last poll would be deleted unseen.) 0: there is nothing to acknowledge yet.
func (w *window[E]) offset() int64 {
	offset := w.floor
	for _, e := range slices.Backward(w.seen) {
		if e.id <= w.covered && w.good.Sub(e.at) >= Settle {
			offset = max(offset, e.id+1)
			break
		}
	}
	if lowest, ok := w.lowestOpen(); ok {
		offset = min(offset, lowest)
	}
	return offset
}

// lowestOpen returns the lowest event whose callback has not returned.
func (w *window[E]) lowestOpen() (id int64, ok bool) {
	if len(w.open) == 0 {
		return 0, false
	}
	for _, e := range w.seen {
		if _, ok := w.open[e.id]; ok {
			return e.id, true
		}
	}
	return 0, false
}

// passed notes a good poll, which has acknowledged what is below its offset.
// last is the highest id of its page, more whether events may follow that one.
func (w *window[E]) passed(began time.Time, offset int64, events int, last int64, more bool) {
	w.good, w.covered, w.page = began, math.MaxInt64, max(w.page, events)
	if more {
		w.covered = last
	}
	if offset == 0 {
		return
	}
	w.floor = offset
	n, _ := w.find(offset)
	for _, e := range w.seen[:n] {
		at, _ := slices.BinarySearch(w.past, e.id)
		w.past = slices.Insert(w.past, at, e.id)
	}
	if w.seen = slices.Delete(w.seen, 0, n); len(w.seen) == 0 {
		w.seen = nil // an idle bot holds no memory
	}
	if extra := len(w.past) - w.page; extra > 0 {
		w.past = slices.Clone(w.past[extra:])
	}
}

// enter notes an event that a page shows, and reports whether it is new. It is open
// then.
func (w *window[E]) enter(id int64, at time.Time, item openItem[E]) bool {
	i, known := w.find(id)
	if known {
		return false
	}
	if _, known := slices.BinarySearch(w.past, id); known {
		return false
	}
	w.seen = slices.Insert(w.seen, i, entry{id, at})
	if w.open == nil {
		w.open = map[int64]openItem[E]{}
	}
	w.open[id] = item
	if id < w.floor { // it came very late, or the queue has begun again: nothing is known of what stands below
		w.floor = 0
	}
	return true
}

// close notes that the callback of an event has returned.
func (w *window[E]) close(id int64) {
	if delete(w.open, id); len(w.open) == 0 {
		w.open = nil
	}
}

// find returns where an id is in seen, or belongs.
func (w *window[E]) find(id int64) (int, bool) {
	return slices.BinarySearchFunc(w.seen, id, func(e entry, id int64) int { return cmp.Compare(e.id, id) })
}

// settled returns when the youngest event of the window may be settled by a poll.
func (w *window[E]) settled() time.Time {
	var last time.Time
	for _, e := range w.seen {
		if e.at.After(last) {
			last = e.at
		}
	}
	return last.Add(Settle)
}

// mostEvents is the longest page that the portal gives.
const mostEvents = 1000

// limit returns how many events to ask for, so that at least half of a usual page can be
// new: what is not acknowledged is shown again. base is a usual page, most what the
// portal's answers have room for.
func (w *window[E]) limit(base, most int) int {
	limit := base
	for limit < len(w.seen)+(base+1)/2 && limit < mostEvents {
		limit *= 2
	}
	return max(min(limit, most, mostEvents), 1)
}

// number gives ids to the events of a page that have none that can be read, and puts the
// page in order. The portal shows ids in ascending order, so such an event stands just
// below the one after it, the last one just below next, the offset of the next page.
// When that does not help either, its id is 0: it is left out, and the portal deletes it
// together with those around it.
func number[E any](items []Item[E], next int64) {
	for i := range slices.Backward(items) {
		it := &items[i]
		if it.ID <= 0 || it.ID == math.MaxInt64 { // no id; an offset one above has no room
			it.ID = max(next-1, 0)
		}
		next = it.ID
	}
	slices.SortStableFunc(items, func(a, b Item[E]) int { return cmp.Compare(a.ID, b.ID) })
}
