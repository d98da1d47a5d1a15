package rest

import (
	"context"
	"time"
)

// Verdict is what became of an item of [Core.SendOnce].
type Verdict int

// What becomes of an item, in the order of stream.Outcome.
const (
	NotSent Verdict = iota // it did not run, for no fault of its own
	Ran                    // there is a Result
	Failed                 // another try may succeed; maybe this one has run
	Refused                // no other try would
)

// SendOnce waits for the limiter, asks for items, and sends those that may travel
// together in one request, or the first one alone. It sends nothing again: landed is called
// when their Verdicts say what became of them. The request may take so long as load says.
// Without a call of landed there is an error, and nobody knows what ran if load was called.
func (c *Core) SendOnce(ctx context.Context, load func() (items []*Item, limit time.Duration), landed func()) error {
	ctx, _ = classify(ctx)
	return c.guarded(&c.portal.Secrets, func() error {
		start := time.Now()
		c.used().holds.hear(ctx)
		if err := c.wait(ctx); err != nil {
			return err
		}
		items, limit := load()
		if items = c.together(items); len(items) > 0 {
			ctx, cancel := context.WithTimeout(ctx, limit)
			defer cancel()
			c.sendTogether(ctx, items, time.Since(start))
		}
		landed()
		return nil
	})
}

// sendTogether sends items that the limiter has let through.
func (c *Core) sendTogether(ctx context.Context, items []*Item, waited time.Duration) {
	cl := items[0].call
	if len(items) > 1 {
		cl = c.batchCall(items)
	}
	cl.paid, cl.waited, cl.once = true, waited, true
	if len(items) == 1 {
		items[0].Result, items[0].Failure = c.send(ctx, cl)
	} else {
		_ = c.sendBatch(ctx, cl) // each item has its own failure
	}
	failedBefore := false
	for _, it := range items {
		it.Verdict = c.verdict(it, failedBefore)
		failedBefore = failedBefore || it.Failure != nil
	}
}

// together picks the items that go in one request. Those whose method is on hold do not.
func (c *Core) together(items []*Item) []*Item {
	var picked []*Item
	commands, room := c.used().size.now()
	for _, it := range items {
		if it.Later = c.used().holds.end(it.call.method); it.Later.After(time.Now()) {
			continue
		}
		it.Later = time.Time{}
		if len(picked) == 0 && (c.noBatch() || !c.rides(it)) {
			return []*Item{it}
		}
		if c.rides(it) && len(picked) < commands && (it.bytes() <= room || len(picked) == 0) {
			picked = append(picked, it)
			room -= it.bytes()
		}
	}
	return picked
}

// verdict judges an item that was sent. After another failure in the same batch its
// code may be that one's, so it decides nothing.
func (c *Core) verdict(it *Item, failedBefore bool) Verdict {
	f := it.Failure
	switch {
	case f == nil:
		return Ran
	case it.next == rejoin:
		return NotSent
	case f.is(operationTimeLimit):
		it.Later = c.used().holds.end(it.call.method)
		return NotSent
	case f.Kind == Invalid, f.Kind == Moved:
		return Refused
	case f.Kind != Answered, failedBefore, it.next == alone, f.Code == "" && f.StatusCode == 0 && !f.FromPortal:
		return Failed
	}
	if o := outcomeOf(f, true, connected); o == definite || o == stale {
		return Refused
	}
	return Failed
}

// GoesAlone reports whether the call cannot travel in a batch.
func (it *Item) GoesAlone() bool { return it.command == "" }
