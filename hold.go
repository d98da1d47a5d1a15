package imbot

import (
	"bytes"
	"context"
	"strconv"
	"sync"
	"time"
)

const (
	minHold  = 30 * time.Second
	maxHold  = 10 * time.Minute // the window over which the portal counts
	maxHolds = 256              // methods that are remembered
	tail     = 400              // bytes of an answer that hold its "time"
)

// holds keeps methods back that have used up their operating time; the others
// go on. The portal counts per method and application.
type holds struct {
	mu   sync.Mutex
	m    map[string]*hold
	last time.Time // when the last hold ends
}

type hold struct {
	until time.Time     // nothing is sent before
	set   time.Time     // when until was set
	grown time.Duration // the last hold that the portal gave no time for
	ran   time.Time     // the last success
	tail  []byte        // the end of its answer
}

// wait waits until a method is free, or returns at once when the deadline of
// ctx comes first.
func (h *holds) wait(ctx context.Context, method string) error {
	for {
		d := time.Until(h.end(method))
		if d <= 0 {
			return nil
		}
		if err := sleep(ctx, d); err != nil {
			return err
		}
	}
}

// end is when the hold of a method ends; zero when there is none.
func (h *holds) end(method string) time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e := h.m[method]; e != nil {
		return e.until
	}
	return time.Time{}
}

// ran keeps the end of the answer to a success, where the portal writes its
// "time": read only when the method is refused.
func (h *holds) ran(method string, answer []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.m[method]
	if e == nil {
		if e = h.add(method); e == nil {
			return
		}
	}
	e.grown, e.ran = 0, time.Now()
	e.tail = append(e.tail[:0], answer[max(0, len(answer)-tail):]...)
}

// resetAt is when the method's sum drops, as its last success said; by the
// portal's clock, so that ours need not agree with it.
func (e *hold) resetAt() time.Time {
	reset, finish := numberIn(e.tail, `"operating_reset_at"`), numberIn(e.tail, `"finish"`)
	if finish == 0 {
		finish = e.ran.Unix()
	}
	left := time.Duration(min(max(reset-finish, 0), int64(maxHold/time.Second))) * time.Second
	return e.ran.Add(left)
}

// refused holds a method back after the portal refused a call that was sent at
// the given time: until the sum drops, or else for a time that grows.
func (h *holds) refused(method string, sent time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.m[method]
	if e == nil {
		if e = h.add(method); e == nil {
			return
		}
	}
	if !e.set.Before(sent) {
		return // it was under way when another was refused
	}
	now := time.Now()
	e.set = now
	if e.until = e.resetAt(); !e.until.After(now) {
		e.grown = min(max(2*e.grown, minHold), maxHold)
		e.until = now.Add(e.grown)
	}
	if e.until.After(h.last) {
		h.last = e.until
	}
}

// holding reports whether a method is on hold; without a name, whether any is.
func (h *holds) holding(method string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	if !h.last.After(now) {
		return false
	}
	e := h.m[method]
	return method == "" || e != nil && e.until.After(now)
}

// add makes room for one more method; nil when there is none.
func (h *holds) add(method string) *hold {
	if len(h.m) >= maxHolds {
		now := time.Now()
		for name, e := range h.m {
			if !e.until.After(now) && now.Sub(e.ran) > maxHold {
				delete(h.m, name)
			}
		}
		if len(h.m) >= maxHolds {
			return nil
		}
	}
	if h.m == nil {
		h.m = map[string]*hold{}
	}
	e := new(hold)
	h.m[method] = e
	return e
}

// onHold is the error of a call that was not sent because its method had used up
// its operating time for longer than the context lasts.
func (c *core) onHold(cl *call, cause error) error {
	return interrupted(cl, &Error{Method: cl.method, Code: ErrOperationTimeLimit,
		Description: "not sent, the method has used up its operating time", Attempts: cl.attempts}, cause)
}

// numberIn finds the whole part of the last number with a quoted name in an
// answer: its "time" comes last. It spares decoding all of it.
func numberIn(answer []byte, name string) int64 {
	i := bytes.LastIndex(answer, []byte(name))
	if i < 0 {
		return 0
	}
	rest := bytes.TrimLeft(answer[i+len(name):], " \t\r\n:\"")
	end := 0
	for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
		end++
	}
	n, _ := strconv.ParseInt(string(rest[:end]), 10, 64) // 0 is the answer to anything else
	return n
}
