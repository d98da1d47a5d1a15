package imbotpg

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/imbot-go/imbot/driver"
)

const (
	inboxLook = 250 * time.Millisecond // how often Take looks for what other processes have put
	stepTime  = 3 * time.Second        // for one step of the server
	grace     = 250 * time.Millisecond // for a step that has begun when the context of Take ends
	mostBody  = 5 << 20
)

// Inbox keeps events; see [driver.Inbox]. Put is one synchronous commit for all who put at that
// moment. What is taken and done is committed without a wait for the disk: a crash of the server brings
// some of it back, and events are handled again that it had in hand, but none is lost.
//
// What a process held that dies is free for the others within about 300 ms, that of a machine that
// vanishes after about 11 s. A process learns that others may have taken what it holds, and ends
// those callbacks, when it comes back after such a time. After the restart of a server nothing of a dead
// process is free in the first 3 s.
//
// An event that does not open with Options.Keys comes without a Body, so that an event handler
// buries and counts it.
type Inbox struct {
	db     *DB
	puts   *gatherer[driver.InboxItem]
	ends   *gatherer[ending]
	taking chan struct{} // holds one while no Take asks the server
	closed chan struct{}
	once   sync.Once

	live context.Context // of all it asks the server
	end  context.CancelFunc
	wg   sync.WaitGroup

	mu      sync.Mutex
	begun   bool               // the replica was started
	id      int64              // of the replica; 0: it has none
	joined  bool               // its session is there
	why     error              // it is not
	alone   bool               // no other replica was seen
	lease   int64              // the last one
	held    map[string]holding // by line
	dirty   bool               // the server may have lines as held by this process that it does not know of
	changed chan struct{}      // closed when Take has to look again
	waiting int                // who waits in Take
	told    time.Time          // when the others were woken
}

// holding is a line that this process holds.
type holding struct {
	id, lease int64 // of the item, and of the Take
	lost      chan struct{}
	again     bool // it was reconciled
}

var (
	_ driver.Inbox       = (*Inbox)(nil)
	_ driver.DeadLetters = (*Inbox)(nil)
	_ driver.InboxMeter  = (*Inbox)(nil)
)

// Inbox returns the events of the database, as one process has them. Close it, or the DB, at the
// end.
func (db *DB) Inbox() *Inbox {
	b := &Inbox{
		db: db, taking: make(chan struct{}, 1), closed: make(chan struct{}),
		held: map[string]holding{}, changed: make(chan struct{}),
	}
	b.taking <- struct{}{}
	b.live, b.end = context.WithCancel(db.live)
	b.puts, b.ends = newGatherer(2, b.store), newGatherer(1, b.finish) // while one waits for the disk the other gathers
	db.mu.Lock()
	closed := db.closed
	db.inboxes = append(db.inboxes, b)
	db.mu.Unlock()
	if closed {
		_ = b.Close() // it has nothing yet
	}
	return b
}

// Format implements [fmt.Formatter].
func (b *Inbox) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "imbotpg.Inbox") }

// check returns why a method must not be called any more.
func (b *Inbox) check(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-b.closed:
		return driver.ErrClosed
	default:
		return nil
	}
}

// Close implements [driver.Inbox]. The DB stays open. When the server cannot be reached, what this
// process holds is free all the same, but the try counts; Close says so.
func (b *Inbox) Close() (err error) {
	b.once.Do(func() {
		close(b.closed)
		defer time.AfterFunc(closeTime, b.end).Stop()
		b.puts.close()
		b.ends.close()
		<-b.taking
		err = failed("Close", b.leave())
		b.taking <- struct{}{} // for who waits there
		b.end()
		b.wg.Wait()
		b.db.mu.Lock()
		defer b.db.mu.Unlock()
		b.db.inboxes = slices.DeleteFunc(b.db.inboxes, func(other *Inbox) bool { return other == b })
	})
	return err
}

func eventContext(key string) string { return "event/" + key }

// isName reports whether a text has 1 to 64 letters 0-9 a-z.
func isName(s string) bool {
	return len(s) > 0 && len(s) <= 64 && strings.Trim(s, "0123456789abcdefghijklmnopqrstuvwxyz") == ""
}
