package driver

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Inbox keeps accepted events until they are handled, for all processes that share it. An event is
// handled at least once. It must be safe for concurrent use.
//
// Put stores an item, which is durable when Put returns. Only its Key, Line and Body count. false:
// the key is known, also for an hour after Done, and nothing was stored; whoever got no answer asks
// again with the same key. What one caller has put before it puts the next stays in that order within
// a line. A line that begins with "u" holds what nobody has verified yet, and [MostUnverified] items
// at most: the next gets [ErrLineFull].
//
// Take waits until there is an item, or until ctx ends, and returns at most n, each of another line:
// the oldest of a line that nobody holds. Who takes an item holds its line until Done. Tries counts
// how often an item was taken, this time included. Lines take turns. What is taken is never lost with
// an error: it is returned, or free.
//
// Done ends the hold. Of what was taken by somebody else meanwhile it changes nothing, and returns
// [ErrTakenOver].
//
// Close returns what this process holds, with InboxReturned, so that others take it at once, and
// ends what waits in Take. What was put stays. Afterwards all methods return [ErrClosed], and another
// Close does nothing.
//
// What a process holds that dies is free for the others, without a wait for the longest callback,
// and no item whose Done was written is taken again.
type Inbox interface {
	Put(ctx context.Context, it InboxItem) (fresh bool, err error)
	Take(ctx context.Context, n int) ([]InboxItem, error)
	Done(ctx context.Context, it InboxItem, how InboxOutcome) error
	Close() error
}

// InboxItem is an event in an [Inbox]. It holds tokens, so every verb of fmt prints it masked.
type InboxItem struct {
	ID    string    // by Put: the engine's name of it, at most 64 letters [0-9a-z]
	Key   string    // the same for each delivery of an event; 1 to 64 letters [0-9a-z]
	Line  string    // items of a line are handled in order; 1 to 64 letters [0-9a-z]
	Lease string    // by Take: who holds the line
	Body  []byte    // up to 5 MiB
	Tries int       // by Take: how often it was taken
	At    time.Time // by Put: when, by the engine's clock

	// Lost is closed when the engine learns that another process may have taken the item. nil: that
	// cannot happen.
	Lost <-chan struct{}
}

// MostUnverified is how many items a line has at most that begins with "u".
const MostUnverified = 512

// The errors of an [Inbox] that it shares with all others.
var (
	ErrTakenOver = errors.New("imbot: another process has taken the event over")
	ErrClosed    = errors.New("imbot: the inbox is closed")
	ErrLineFull  = errors.New("imbot: too many events of this portal wait to be verified")
)

// InboxOutcome says what becomes of an item with [Inbox].Done.
type InboxOutcome int

// The outcomes.
const (
	InboxHandled  InboxOutcome = iota // it is forgotten, but for its key
	InboxReturned                     // it is the head of its line again, and the try does not count
	InboxBuried                       // it goes to the dead letters and its line goes on
)

// String is "handled", "returned" or "buried".
func (o InboxOutcome) String() string {
	if names := [...]string{"handled", "returned", "buried"}; o >= 0 && int(o) < len(names) {
		return names[o]
	}
	return fmt.Sprintf("InboxOutcome(%d)", int(o))
}

// Format implements [fmt.Formatter].
func (it InboxItem) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "InboxItem(%s, line %s, try %d, %d bytes)", it.ID, it.Line, it.Tries, len(it.Body))
}

// MarshalText implements [encoding.TextMarshaler], for loggers that write JSON.
func (it InboxItem) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%v", it), nil }

// DeadLetters is what an [Inbox] may be, too: it keeps what was buried, for 30 days and at most 10,000.
//
// Dead returns at most n of them, the oldest first. Revive puts one behind its line again, with no
// tries; Drop forgets it. Both return [ErrNoItem] for one that is not there.
type DeadLetters interface {
	Dead(ctx context.Context, n int) ([]InboxItem, error)
	Revive(ctx context.Context, id string) error
	Drop(ctx context.Context, id string) error
}

// ErrNoItem is the error of [DeadLetters] for an item that is not there.
var ErrNoItem = errors.New("imbot: no such dead letter")

// InboxStats counts the items of an [Inbox], those of all processes together.
type InboxStats struct {
	Waiting, Running, Dead int64
	Oldest                 time.Duration // since the oldest was put that waits or runs
}

// InboxMeter is what an [Inbox] may be, too.
type InboxMeter interface {
	InboxStats(ctx context.Context) (InboxStats, error)
}
