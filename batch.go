package imbot

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"

	"github.com/imbot-go/imbot/internal/rest"
)

// A Batch gathers calls that travel together: up to fifty in one HTTP request,
// which the portal counts as one. Fill it with [Queue], send it with
// [Client.DoBatch], then ask each [Pending] for its result.
type Batch struct {
	noPrint // its requests may have secrets

	mu    sync.Mutex
	calls []*queued
	done  bool
}

// queued is one call of a Batch.
type queued struct {
	method string
	req    any
	item   atomic.Pointer[item] // nil until the batch is done
}

// NewBatch returns an empty batch.
func NewBatch() *Batch { return new(Batch) }

// Pending is the result of a queued call, once the batch is done.
type Pending[R any] struct {
	call *queued
	req  Request[R]
}

// Queue appends a request to a batch. It is encoded and checked when the batch
// is sent; a request that is refused then does not stop the others.
func Queue[R any](b *Batch, req Request[R]) *Pending[R] {
	q := &queued{method: methodOf(req), req: req}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls = append(b.calls, q)
	return &Pending[R]{call: q, req: req}
}

// Result returns what became of the call: its result; its error, with InBatch
// set; or an error that matches [ErrNotRun], as before [Client.DoBatch].
func (p *Pending[R]) Result() (R, error) {
	it := p.call.item.Load()
	if it == nil {
		it = &item{refused: &Error{Method: p.call.method, Description: "the batch was not sent", kind: ErrNotRun}}
	}
	return resultOf(p.req, it)
}

// Format implements [fmt.Formatter]; no verb prints the request, which may have secrets.
func (p Pending[R]) Format(f fmt.State, _ rune) {
	method := ""
	if p.call != nil {
		method = p.call.method
	}
	_, _ = fmt.Fprintf(f, "imbot.Pending(%s)", method)
}

// item is a call on its way through a batch, or the reason why it is on none.
type item struct {
	*rest.Item
	refused error
}

func (c *Client) newItem(method string, req any) *item {
	cl, err := c.newCall(method, req)
	if err != nil {
		return &item{refused: err}
	}
	return &item{Item: rest.NewItem(cl)}
}

// run sends the items that are not refused, in their order. The error is that of
// the first batch that failed as a whole.
func (c *Client) run(ctx context.Context, items []*item) error {
	todo := make([]*rest.Item, 0, len(items))
	for _, it := range items {
		if it.refused == nil {
			todo = append(todo, it.Item)
		}
	}
	if f := c.rest.Run(ctx, todo); f != nil {
		return failure(f)
	}
	return nil
}

func resultOf[R any](req Request[R], it *item) (R, error) {
	var none R
	switch {
	case it.refused != nil:
		return none, it.refused
	case it.Failure != nil:
		return none, failure(it.Failure)
	}
	r, err := req.Decode(it.Result)
	if err != nil {
		return none, undecodable(it.Call(), err)
	}
	return r, nil
}

// DoBatch sends a batch, in the order of the queue and only once: a second time
// is [ErrInvalid]. More than fifty calls, or 900 KB, are split. A call that fails
// does not stop those after it.
//
// Some calls go singly, in their place in the order: those with text that the
// portal would interpret inside a batch ($result[…] and its kin), those that a
// form cannot express (null, an empty list or map, more than 1000 values) and
// those of more than 32 KiB. The order is kept; with the default limiter each of
// them costs as much as fifty others.
//
// The error is about the batch as a whole: it was refused, or its answer got
// lost. What became of each call is in its [Pending]:
//
//   - refused as a whole (the rate limit, a token, a connection that was not made): the
//     batch is sent again like a call, see [Retry]; in the end its calls and all
//     after them get [ErrNotRun];
//   - batch itself is refused (it has used up its operating time, a firewall forbids
//     it, the portal does not know it, an administrator has to confirm it, a server in
//     front finds it too long): its calls go again in smaller ones, or singly and
//     nothing in a batch for ten minutes. The limiter sets their pace;
//   - the portal does not run the method of a call in a batch (livecheck: v2-in-batch): that
//     call goes singly, as others of the method do for ten minutes. Later calls of its batch
//     have run before it then;
//   - the answer got lost: the batch is not repeated. Calls that are safe to
//     repeat are sent again, singly; the others get [ErrOutcomeUnknown], up to
//     fifty at a time. Batches after it are sent;
//   - one call refused for its operating time: it is waited for and sent again,
//     alone. Later calls of its batch have run before it then.
//
// The errors of calls have no StatusCode. After another call of the batch has
// failed, the portal may put the code of the earlier failure in the place of the
// real one: take it as a hint.
func (c *Client) DoBatch(ctx context.Context, b *Batch) error {
	b.mu.Lock()
	calls, done := b.calls, b.done
	b.done = true
	b.mu.Unlock()
	if done {
		return invalid("", "DoBatch: the batch was sent before")
	}
	items := make([]*item, len(calls))
	for i, q := range calls {
		items[i] = c.newItem(q.method, q.req)
	}
	err := c.run(ctx, items)
	for i, q := range calls {
		q.item.Store(items[i])
	}
	return err
}

// DoAll sends a stream of requests in batches and returns their results in the
// same order, one for each request, in constant memory:
//
//	for id, err := range imbot.DoAll(ctx, client, requests) { … }
//
// It reads fifty requests, sends them as [Client.DoBatch] does (singly, where that
// does), hands out their results and only then goes on. So it is never more than
// one batch ahead of what the caller has consumed, and a program that dies leaves no
// more than one batch in doubt. The price is speed: requests never overlap, so that
// the portal waits while the caller works, and the other way round; see [Ahead].
//
// Its calls are [ClassBulk], in a callback, too, unless ctx is from [WithClass]: whoever
// waits for an answer goes first.
//
// An error belongs to its request and does not stop the stream. Only the end of
// ctx does: the next request and those that were read already get [ErrNotRun],
// and no more are read. When the caller breaks, nothing more is read or sent, and
// DoAll returns when what is under way is over.
func DoAll[R any, Q Request[R]](ctx context.Context, c *Client, requests iter.Seq[Q], opts ...DoAllOption) iter.Seq2[R, error] {
	ahead := 1
	for _, opt := range opts {
		opt(&ahead)
	}
	if !rest.HasClass(ctx) {
		ctx = WithClass(ctx, ClassBulk)
	}
	return func(yield func(R, error) bool) {
		rest.InBatches(ctx, c.rest, ahead, requests,
			func(req Q) (*rest.Item, error) {
				it := c.newItem(methodOf(req), req)
				return it.Item, it.refused
			},
			func(req Q, it *rest.Item, refused error) bool {
				return yield(resultOf[R](req, &item{it, refused}))
			})
	}
}

// DoAllOption changes how [DoAll] works.
type DoAllOption func(ahead *int)

// Ahead lets [DoAll] have up to k batches on the way at a time (default 1), so that
// slow commands do not leave the rate of the portal unused. Up to 50·k calls are in
// doubt then when the program dies. Calls to one dialog (DIALOG_ID, else CHAT_ID,
// else MESSAGE_ID) keep their order all the same: a batch waits for those before it
// that are about one of its dialogs. One with a call that names no dialog waits for
// all before it, and all after it wait for that one.
func Ahead(k int) DoAllOption { return func(ahead *int) { *ahead = max(k, 1) } }
