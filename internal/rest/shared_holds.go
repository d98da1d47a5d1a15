package rest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"
)

const (
	hearEvery  = 30 * time.Second       // the least that a hold lasts for which the portal gives no time
	holderTime = 100 * time.Millisecond // what a call waits for the holder at most
)

// Holder is what a [Limiter] may be, too: see driver.Holder.
type Holder interface {
	Hold(ctx context.Context, scope, method string, until time.Time) error
	Holds(ctx context.Context, scope string) (map[string]time.Time, error)
}

// others are the processes that are told what the portal blocks. A call asks the holder for
// all, so no goroutine is needed that would need an end.
type others struct {
	holder Holder
	scope  string
	asking chan struct{} // holds one while a call asks
	next   time.Time     // when to ask again; zero: nobody has
	away   time.Time     // until when a holder that has failed is told nothing
}

// share makes the holds those of all processes with this limiter, if it can tell them.
func (h *Holds) share(l Limiter, p *Portal) {
	holder, ok := l.(Holder)
	if !ok || p.Tokens != nil && p.Application == "" {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.others == nil {
		who := p.Application
		if p.Tokens == nil {
			who = p.Root
		}
		sum := sha256.Sum256([]byte(who + "\x00" + p.Name))
		h.others = &others{holder: holder, scope: hex.EncodeToString(sum[:]), asking: make(chan struct{}, 1)}
	}
}

// hear asks what the others were told, if it is time. Calls that come meanwhile go on with
// what is known, unless nobody has ever asked.
func (h *Holds) hear(ctx context.Context) {
	o, first, due := h.due()
	if !due {
		return
	}
	select {
	case o.asking <- struct{}{}:
	default:
		if !first {
			return
		}
		select {
		case o.asking <- struct{}{}:
		case <-ctx.Done():
			return
		}
	}
	defer func() { <-o.asking }()
	if _, _, due = h.due(); !due {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, holderTime)
	defer cancel()
	held, err := o.holder.Holds(bounded, o.scope)
	if err != nil && ctx.Err() != nil {
		return // the next call asks: this one was in a hurry
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	o.next = now.Add(hearEvery)
	if err != nil {
		o.away = o.next
	}
	for method, until := range held {
		h.heard(method, until, now)
	}
}

func (h *Holds) due() (o *others, first, due bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if o = h.others; o == nil {
		return nil, false, false
	}
	return o, o.next.IsZero(), !time.Now().Before(o.next)
}

// heard takes a hold over. Its end is by another clock, so no hold is longer than one of our own.
func (h *Holds) heard(method string, until, now time.Time) {
	if most := now.Add(maxHold); until.After(most) {
		until = most
	}
	if !until.After(now) {
		return
	}
	if e := h.entry(method, now); e != nil && until.After(e.until) {
		e.until, e.set = until, now
		if until.After(h.last) {
			h.last = until
		}
	}
}

// tell tells the others until when a method is on hold; zero: they know. One that nobody can
// be told now, each learns by a refusal.
func (h *Holds) tell(ctx context.Context, method string, until time.Time) {
	h.mu.Lock()
	o := h.others
	skip := o == nil || until.IsZero() || time.Now().Before(o.away)
	h.mu.Unlock()
	if skip {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, holderTime)
	defer cancel()
	if err := o.holder.Hold(bounded, o.scope, method, until); err != nil && ctx.Err() == nil {
		h.mu.Lock()
		o.away = time.Now().Add(hearEvery)
		h.mu.Unlock()
	}
}

// block holds a method back that the portal has refused, here and in the other processes.
func (c *Core) block(ctx context.Context, method string, sent time.Time) {
	h := c.used().holds
	h.tell(ctx, method, h.refused(method, sent))
}
