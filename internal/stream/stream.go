package stream

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
)

// Board is the keyboard of a message.
type Board int

// What keyboard a message has.
const (
	NoBoard Board = iota
	Growing       // that of an answer that grows
	Final         // that of one that is finished
)

// Op is something to be sent for a stream, and then what became of it.
type Op[C any] struct {
	Calls C
	Kind  Kind
	N     int   // which message, from 0; with Add and Update
	ID    int64 // of the message, for Update; the sender sets it for Add
	Text  string
	Board Board
	Turn  bool // Update changes the keyboard, too

	Outcome Outcome
	Err     error     // of one that was Failed or Refused
	Later   time.Time // of one that was NotSent: not before
	Alone   bool      // it cannot travel with others

	stream *Stream[C]
}

// Kind says what an Op does.
type Kind int

// What an Op does.
const (
	Notice Kind = iota // that the bot writes
	Add
	Update
)

// Outcome says what became of an Op.
type Outcome int

// What becomes of an Op.
const (
	NotSent Outcome = iota
	Ran
	Failed  // another try may succeed; maybe this one has run
	Refused // no other try would
)

// Stream is one text that grows. Its fields are guarded by the lock of the set; those of
// the second part belong to the request that it is in while it is busy.
type Stream[C any] struct {
	set   *Set[C]
	ctx   context.Context
	calls C

	text   strings.Builder
	listed bool          // in Set.streams
	busy   bool          // in a request
	closed bool          // Close was called
	final  bool          // … before the request it is in
	over   bool          // nothing more is sent
	err    error         // why nothing more is sent
	done   chan struct{} // closed when over

	shown    int       // so much of the text has been sent, or was tried to; -1: send again
	next     time.Time // not before: the next change, the first message or the last changes
	notice   time.Time // the next one; zero: none any more
	last     time.Time // when something was sent
	requests int       // so far
	failures int       // of the first message or the last changes, one after the other
	doubt    bool      // an attempt to add the next message may have run

	boards   [Final + 1]bool // which keyboards there are
	stopped  string          // follows the text
	sending  string          // the text of this request
	rendered string          // that of parts
	parts    []string
	messages []message
}

// message is one that is shown.
type message struct {
	id    int64
	text  string
	board Board
	stale bool // nobody knows what it shows
}

// New returns a stream. keyboard says that it has one while it grows, notices that people
// are shown that the bot writes.
func (s *Set[C]) New(ctx context.Context, calls C, keyboard, notices bool) *Stream[C] {
	st := &Stream[C]{set: s, ctx: ctx, calls: calls, done: make(chan struct{})}
	if st.boards[Growing] = keyboard; notices {
		st.notice = time.Now().Add(noticeAfter)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.look(st)
	return st
}

// ErrClosed is what becomes of a Write after Close.
var ErrClosed = errors.New("write after Close")

// Write appends to the text. It waits for nothing.
func (st *Stream[C]) Write(p string) (int, error) {
	st.set.mu.Lock()
	defer st.set.mu.Unlock()
	switch {
	case st.err != nil:
		return 0, st.err
	case st.closed:
		return 0, ErrClosed
	case st.ctx.Err() != nil:
		return 0, context.Cause(st.ctx)
	case p == "":
		return 0, nil
	}
	if len(st.messages) == 0 && st.text.Len() == 0 {
		st.next = time.Now().Add(firstAfter)
	}
	idle := st.shown == st.text.Len()
	st.text.WriteString(p)
	if idle && !st.busy {
		st.set.look(st)
	}
	return len(p), nil
}

// Close shows the rest and returns when all is shown or cannot be. stopped follows the
// text if the context has ended; final says that the last message gets a keyboard. A
// second Close waits and returns the same.
func (st *Stream[C]) Close(stopped string, final bool) error {
	set := st.set
	set.mu.Lock()
	if !st.closed && !st.over {
		st.closed = true
		if st.ctx.Err() != nil { // asked here: a context tells others of its end in no order
			st.stopped = stopped
		}
		st.boards[Final] = final
		st.failures, st.notice = 0, time.Time{}
		st.next = time.Now().Add(gather)
		if !st.busy && st.stopped == "" && st.rendered == whole(st.text.String()) {
			if st.final = true; len(st.missing()) == 0 {
				st.end(nil) // all is there
			}
		}
		set.look(st)
	}
	set.mu.Unlock()
	select {
	case <-st.done:
	case <-st.ctx.Done():
		timer := time.NewTimer(patience)
		defer timer.Stop()
		select {
		case <-st.done:
		case <-timer.C:
			set.mu.Lock()
			st.end(fmt.Errorf("not all of the answer is shown: %w", context.Cause(st.ctx)))
			set.again()
			set.mu.Unlock()
		}
	}
	set.mu.Lock()
	defer set.mu.Unlock()
	return st.err
}

// IDs returns the ids of the messages, in their order.
func (st *Stream[C]) IDs() []int64 {
	st.set.mu.Lock()
	defer st.set.mu.Unlock()
	ids := make([]int64, len(st.messages))
	for i, m := range st.messages {
		ids[i] = m.id
	}
	return ids
}

// due returns when something is to be sent next, zero for never, and in which kind of request.
func (st *Stream[C]) due() (at time.Time, kind int) {
	switch {
	case st.busy || st.over:
		return time.Time{}, change
	case st.closed:
		return st.next, urgent
	case st.shown == st.text.Len() || st.givesUp():
		if len(st.messages) > 0 || st.text.Len() > 0 || st.ctx.Err() != nil {
			return time.Time{}, change
		}
		return st.notice, change
	case len(st.messages) == 0:
		return st.next, urgent
	}
	return st.next, change
}

// givesUp reports whether there is no first message after all tries. Close tries again.
func (st *Stream[C]) givesUp() bool { return st.failures >= tries }

// rank is the place in a request that has no room for all.
func (st *Stream[C]) rank() int {
	switch {
	case st.closed:
		return 0
	case len(st.messages) > 0:
		return 3
	case st.text.Len() > 0:
		return 1
	}
	return 2
}

// plan returns what has to be sent so that the portal shows the text.
func (st *Stream[C]) plan() []*Op[C] {
	if !st.final && st.sending == "" {
		return []*Op[C]{{Calls: st.calls, Kind: Notice, stream: st}}
	}
	text := whole(st.sending)
	if st.final && st.stopped != "" && strings.TrimSpace(text) != "" {
		text = strings.TrimRightFunc(text, unicode.IsSpace) + st.stopped
	}
	if text != st.rendered {
		st.rendered, st.parts = text, st.set.way.Render(text)
	}
	return st.missing()
}

// missing compares the messages with the parts of the text. At most one message is added
// at a time: were one refused and the next not, their order would be lost.
func (st *Stream[C]) missing() (ops []*Op[C]) {
	parts, board := st.parts, Final
	if !st.final {
		parts, board = ready(parts, len(st.messages)), Growing
	}
	if !st.boards[board] {
		board = NoBoard
	}
	for n := range max(len(parts), len(st.messages)) {
		op := &Op[C]{Calls: st.calls, Kind: Update, N: n, stream: st}
		switch {
		case n < len(parts):
			op.Text = parts[n]
		case !st.final:
			continue // it may be needed again
		default:
			op.Text = "…" // the text has become shorter, and a message cannot be taken back
		}
		if n == len(parts)-1 {
			op.Board = board
		}
		if n == len(st.messages) {
			op.Kind = Add
			return append(ops, op)
		}
		if m := st.messages[n]; m.stale || m.text != op.Text || m.board != op.Board {
			op.ID, op.Turn = m.id, m.stale || m.board != op.Board
			ops = append(ops, op)
		}
	}
	return ops
}

// landed takes note of what became of a request.
func (st *Stream[C]) landed(now time.Time, all []*Op[C], err error) {
	if st.busy, st.sending = false, ""; st.over {
		return
	}
	var (
		sent, added, alone, unsent bool
		wait                       time.Time
		failure                    *Op[C]
	)
	for _, op := range all {
		if op.stream != st {
			continue
		}
		alone = alone || op.Alone
		switch {
		case op.Outcome == NotSent:
			unsent, wait = true, later(wait, op.Later)
			continue
		case op.Kind == Notice:
			if st.notice = now.Add(noticeEvery); op.Outcome == Refused {
				st.notice = time.Time{}
			}
		case op.Outcome == Refused:
			st.end(op.Err)
			return
		case op.Outcome == Failed && op.Kind == Add:
			failure, st.doubt = op, true
		case op.Outcome == Failed:
			failure = op
		case op.Kind == Add:
			st.messages = append(st.messages, message{id: op.ID, text: op.Text, board: op.Board, stale: st.doubt})
			st.doubt, added = false, true
		default:
			st.messages[op.N] = message{id: op.ID, text: op.Text, board: op.Board}
		}
		sent = true
	}
	if sent {
		st.requests++
		st.last = now
	}
	gap := min(minGap<<min(st.requests/slowerAfter, 8), maxGap)
	if alone {
		gap = max(gap, aloneGap)
	}
	switch {
	case unsent && err != nil: // nobody knows what ran
		st.doubt = true
		st.failed(now, err)
	case failure != nil && (failure.Kind == Add || st.final):
		st.failed(now, failure.Err)
	case unsent && st.text.Len() == 0 && !st.closed:
		st.notice = later(now, wait)
	case unsent: // the rest as soon as possible
		st.shown, st.next = -1, later(now, wait)
	case st.final:
		st.failures = 0
		if st.next = now; len(st.missing()) == 0 {
			st.end(nil)
		}
	case st.closed: // meanwhile: its last changes are due
	case sent && len(st.messages) > 0:
		if st.next, st.failures = now.Add(gap), 0; added && len(st.missing()) > 0 {
			st.shown = -1 // the text has become more than two messages at once
		}
	}
}

// failed takes note of a request that did not do what it should.
func (st *Stream[C]) failed(now time.Time, err error) {
	st.busy = false
	if st.closed && !st.final { // what failed was an earlier change
		st.next = now
		return
	}
	st.failures++
	st.shown = -1
	st.next = now.Add(againAfter << min(st.failures-1, 4))
	switch {
	case st.text.Len() == 0 && !st.closed:
		st.notice, st.failures, st.shown = now.Add(noticeEvery), 0, 0
	case st.closed && st.failures >= tries:
		st.end(err)
	case len(st.messages) > 0 && !st.closed:
		st.failures, st.next = 0, now.Add(max(minGap, time.Until(st.next)))
	}
}

// end ends the stream.
func (st *Stream[C]) end(err error) {
	if !st.over {
		st.over, st.err = true, err
		close(st.done)
	}
}
