package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"
)

const (
	minHold  = 30 * time.Second
	maxHold  = 10 * time.Minute // the window over which the portal counts (livecheck: operating-limit)
	maxHolds = 256              // methods that are remembered
)

// Holds keeps methods back that have used up their operating time; the others
// go on. The portal counts per method and application, so all clients of one share
// them. The zero value is ready.
type Holds struct {
	mu    sync.Mutex
	known []hold    // a few: a list takes a third of the memory of a map
	last  time.Time // when the last hold ends
	swept time.Time // when what is over was forgotten

	others *others // nil: nobody is told
}

type hold struct {
	method string

	until time.Time     // nothing is sent before
	set   time.Time     // when until was set
	grown time.Duration // the last hold that the portal gave no time for
	ran   time.Time     // the last success
	left  time.Duration // from then until the method's sum drops, as its answer said
}

// wait waits until a method is free, or returns at once when the deadline of
// ctx comes first.
func (h *Holds) wait(ctx context.Context, method string) error {
	for {
		end := h.end(method)
		if end.IsZero() { // as nearly always
			return nil
		}
		d := time.Until(end)
		if d <= 0 {
			return nil
		}
		if err := Sleep(ctx, d); err != nil {
			return err
		}
	}
}

// end is when the hold of a method ends; zero when there is none.
func (h *Holds) end(method string) time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e := h.find(method); e != nil {
		return e.until
	}
	return time.Time{}
}

// ran notes a success and what the "time" of its answer says about the next refusal.
func (h *Holds) ran(method string, timing []byte) {
	left, now := untilReset(timing), time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	if e := h.entry(method, now); e != nil {
		e.grown, e.ran, e.left = 0, now, left
	}
}

// untilReset is how long after the call the method's sum drops: by the portal's
// clock, so that ours need not agree with it.
func untilReset(timing []byte) time.Duration {
	finish, reset := seconds(timing, `"finish"`), seconds(timing, `"operating_reset_at"`)
	if finish <= 0 {
		finish = time.Now().Unix()
	}
	return min(max(time.Duration(reset-finish)*time.Second, 0), maxHold)
}

// seconds reads the whole part of a number, which may be quoted, by its name; 0: there
// is none. Portals differ in whether there are decimals (livecheck: time-numbers). It looks for the name
// only, because to read the whole "time" of each answer takes a twentieth of a call; in a text of it the
// quotes would be escaped.
func seconds(timing []byte, name string) (n int64) {
	_, value, _ := bytes.Cut(timing, []byte(name))
	value = bytes.TrimLeft(value, " \t\r\n:\"")
	for i, c := range value {
		if c < '0' || c > '9' || i >= 12 {
			break
		}
		n = 10*n + int64(c-'0')
	}
	return n
}

// refused holds a method back after the portal refused a call that was sent at
// the given time: until the sum drops, or else for a time that grows. It returns the
// end of a hold that is new.
func (h *Holds) refused(method string, sent time.Time) (until time.Time) {
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.entry(method, now)
	if e == nil || !e.set.Before(sent) {
		return time.Time{} // it was under way when another was refused
	}
	e.set = now
	if e.until = e.ran.Add(e.left); !e.until.After(now) {
		e.grown = min(max(2*e.grown, minHold), maxHold)
		e.until = now.Add(e.grown)
	}
	if e.until.After(h.last) {
		h.last = e.until
	}
	return e.until
}

// Idle reports whether no method is on hold.
func (h *Holds) Idle() bool { return !h.holding("") }

// holding reports whether a method is on hold; without a name, whether any is.
func (h *Holds) holding(method string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	if !h.last.After(now) {
		return false
	}
	e := h.find(method)
	return method == "" || e != nil && e.until.After(now)
}

// find returns what is known of a method; nil: nothing.
func (h *Holds) find(method string) *hold {
	for i := range h.known {
		if h.known[i].method == method {
			return &h.known[i]
		}
	}
	return nil
}

// entry is find, and makes room for a method; nil when there is none.
func (h *Holds) entry(method string, now time.Time) *hold {
	if now.Sub(h.swept) > maxHold || len(h.known) >= maxHolds && h.find(method) == nil {
		h.sweep(now)
	}
	e := h.find(method)
	if e == nil && len(h.known) < maxHolds {
		h.known = append(h.known, hold{method: method})
		e = &h.known[len(h.known)-1]
	}
	return e
}

// sweep forgets the methods for whose next refusal it makes no difference: the
// portal's window has passed since they ran and were held back.
func (h *Holds) sweep(now time.Time) {
	h.known = slices.Clone(slices.DeleteFunc(h.known, func(e hold) bool {
		return now.Sub(e.ran) > maxHold && now.Sub(e.until) > maxHold
	}))
	h.swept = now
}

// timing is what the "time" of an answer says; what it does not say is zero (livecheck: operating).
type timing struct {
	operating time.Duration // sum of the method over the last ten minutes
	resetAt   time.Time     // when that sum drops
}

func readTiming(raw json.RawMessage) timing {
	var read struct {
		Operating        json.Number `json:"operating"`
		OperatingResetAt json.Number `json:"operating_reset_at"`
	}
	_ = json.Unmarshal(raw, &read) // a member that cannot be read says nothing
	var t timing
	if s, err := read.Operating.Float64(); err == nil {
		t.operating = time.Duration(s * float64(time.Second))
	}
	if s, err := read.OperatingResetAt.Float64(); err == nil && s > 0 {
		t.resetAt = time.Unix(int64(s), 0)
	}
	return t
}

// Operating returns how much of its time budget the method has used, and when that
// sum drops. The sum of a batch stays 0, because the portal counts its calls by
// their methods: of them the one counts that is nearest to its limit (livecheck: batch-operating).
func (a Attempt) Operating() (used time.Duration, resetAt time.Time) {
	t := readTiming(a.answer.Time)
	used, resetAt = t.operating, t.resetAt
	if a.Batch == 0 {
		return used, resetAt
	}
	var r batchResult
	_ = r.read(a.answer.Result) // an answer that is no batch's has no times
	times, _ := keyed(r.times, a.Batch)
	for _, raw := range times {
		if t := readTiming(raw); t.operating > used {
			used, resetAt = t.operating, t.resetAt
		}
	}
	return used, resetAt
}
