package imbotbolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"github.com/imbot-go/imbot/driver"
)

// A queue is what is known in memory about the events of the file: which wait in which line. Numbers
// get into their line in the committer, so that two callers do not swap places.
type queue struct {
	mu      sync.Mutex
	lines   map[string]*line
	ready   []*line        // that nobody holds; who waits longest comes first
	pending map[string]int // events of lines in the transaction that is being made; only for the committer
	changed chan struct{}  // closed when something may be taken that could not before, and by Close
	leases  uint64
	last    uint64 // the highest number that ever was in a line
	running int64
	waiting int64
	dead    int64

	run   *os.File // the numbers of what runs, in slots of eight bytes behind the head
	slots int      // that there are
	spare []int    // that are not taken
}

// A line is the events of a line, the oldest first. It is there while it has some.
type line struct {
	name   string
	ids    []uint64
	holder *Inbox // nil: nobody
	lease  uint64
	slot   int
	ending bool // the end of the head is being written: until that is told the line stays with its holder, though that may be closed
}

// A hold is what one Take has of a line.
type hold struct {
	line  *line
	id    uint64
	lease uint64
	slot  int
}

const (
	runHead  = "imbotrun"
	runSlots = 1024 // for which room is made at once: the disk may be full later
)

// load reads which events the file has. Those that ran when the last process died have ended it, or
// were there when it ended: the try counts.
func (db *DB) load() error {
	q := &db.queue
	q.lines, q.pending, q.changed = map[string]*line{}, map[string]int{}, make(chan struct{})
	raw, err := q.openRun(db.path + ".run")
	if err != nil {
		return err
	}
	err = guard(func() error {
		return db.bolt.Update(func(tx *bbolt.Tx) error {
			events, tries := tx.Bucket(inEvents), tx.Bucket(inTries)
			changed := false
			for _, id := range ran(raw) {
				if events.Get(number(id)) == nil {
					continue
				}
				changed = true
				if err := tries.Put(number(id), number(numberOf(tries.Get(number(id)))+1)); err != nil {
					return err
				}
			}
			now := db.now()
			for _, a := range []aged{seen, claimed, buried} {
				were, err := a.notAfter(tx, now)
				if err != nil {
					return err
				}
				changed = changed || were
			}
			if err := q.read(tx); err != nil || changed {
				return err
			}
			return errNothing
		})
	})
	if err == nil || errors.Is(err, errNothing) {
		err = q.clearRun(raw)
	}
	if err != nil {
		_ = q.run.Close()
	}
	return err
}

// read puts those events of the file into their lines that are in none. At first these are all, later
// what a transaction has stored that seemed to fail.
func (q *queue) read(tx *bbolt.Tx) error {
	q.mu.Lock()
	last := q.last
	q.dead = int64(tx.Bucket(buried.name).Stats().KeyN)
	q.mu.Unlock()
	c := tx.Bucket(inEvents).Cursor()
	for k, raw := c.Seek(number(last + 1)); k != nil; k, raw = c.Next() {
		r, err := decode(raw)
		if err != nil && r.line == "" {
			r.line = "damaged" + strconv.FormatUint(numberOf(k), 36) // of its own, so that it holds nobody up
		}
		q.add(r.line, numberOf(k))
	}
	return nil
}

// openRun reads the file that tells what ran when the last process ended.
func (q *queue) openRun(path string) (raw []byte, err error) {
	q.run, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if raw, err = io.ReadAll(q.run); err != nil {
		_ = q.run.Close()
	}
	return raw, err
}

// ran returns the numbers in that file. Another file tells nothing.
func ran(raw []byte) (ids []uint64) {
	rest, ours := bytes.CutPrefix(raw, []byte(runHead))
	for ; ours && len(rest) >= 8; rest = rest[8:] {
		if id := numberOf(rest[:8]); id != 0 {
			ids = append(ids, id)
		}
	}
	return ids
}

// clearRun writes that nothing runs, unless that is what it says.
func (q *queue) clearRun(raw []byte) error {
	clean := append([]byte(runHead), make([]byte, max(8*runSlots, len(raw)-len(runHead)))...)
	if bytes.Equal(raw, clean) {
		return nil
	}
	_, err := q.run.WriteAt(clean, 0)
	return err
}

// note writes that an event runs, 0: that none does. It is not synced: it is to outlive the process,
// not the machine.
func (q *queue) note(slot int, id uint64) error {
	var raw [8]byte
	binary.BigEndian.PutUint64(raw[:], id)
	_, err := q.run.WriteAt(raw[:], int64(len(runHead)+8*slot))
	return err
}

// end is for a DB that is closed: what ran was not ended by its event.
func (q *queue) end() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, l := range q.lines {
		if l.holder != nil {
			q.release(l)
		}
	}
	return q.run.Close()
}

// begin is for a transaction that is about to be made.
func (q *queue) begin() { clear(q.pending) }

// room reports whether a line of unverified events has room for one more, which is stored then.
func (q *queue) room(name string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := q.pending[name]
	if l := q.lines[name]; l != nil {
		n += len(l.ids)
	}
	if n >= driver.MostUnverified {
		return false
	}
	q.pending[name]++
	return true
}

// add puts an event that is stored behind its line.
func (q *queue) add(name string, id uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting++
	q.last = max(q.last, id)
	l := q.lines[name]
	if l == nil {
		l = &line{name: name}
		q.lines[name] = l
		q.ready = append(q.ready, l)
		q.tell()
	}
	l.ids = append(l.ids, id)
}

func (q *queue) tell() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// hold holds at most n lines for an inbox. None: changed is closed when it is time to look again.
func (q *queue) hold(b *Inbox, n int) (held []hold, changed <-chan struct{}, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if b.closed {
		return nil, nil, driver.ErrClosed
	}
	for len(held) < n && len(q.ready) > 0 {
		l := q.ready[0]
		q.ready[0], q.ready = nil, q.ready[1:]
		q.leases++
		l.holder, l.lease, l.slot = b, q.leases, q.slot()
		held = append(held, hold{l, l.ids[0], l.lease, l.slot})
		q.running++
		q.waiting--
	}
	return held, q.changed, nil
}

// slot takes a slot.
func (q *queue) slot() int {
	if last := len(q.spare) - 1; last >= 0 {
		slot := q.spare[last]
		q.spare = q.spare[:last]
		return slot
	}
	q.slots++
	return q.slots - 1
}

// start notes that what was taken runs now. It fails when that was given back meanwhile, by a Close.
func (q *queue) start(b *Inbox, held []hold) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, h := range held {
		if h.line.holder != b || h.line.lease != h.lease {
			return driver.ErrClosed
		}
	}
	for _, h := range held {
		if err := q.note(h.slot, h.id); err != nil {
			return fmt.Errorf("imbotbolt: Take: %w", err)
		}
	}
	return nil
}

// held finds what an inbox holds. It keeps that while its end is being written, if it ends.
func (q *queue) held(b *Inbox, it driver.InboxItem, ends bool) (hold, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lines[it.Line]
	if l == nil || l.holder != b || strconv.FormatUint(l.lease, 36) != it.Lease || strconv.FormatUint(l.ids[0], 36) != it.ID {
		return hold{}, false
	}
	l.ending = l.ending || ends
	return hold{l, l.ids[0], l.lease, l.slot}, true
}

// free gives a line back as it was, unless its head is being ended.
func (q *queue) free(h hold) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if l := h.line; l.holder != nil && l.lease == h.lease && !l.ending {
		q.giveBack(l)
	}
}

// notDone is for the head of a line whose end could not be written.
func (q *queue) notDone(h hold) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if l := h.line; l.holder != nil && l.lease == h.lease {
		l.ending = false
		if l.holder.closed {
			q.giveBack(l)
		}
	}
}

// giveBack lets others take a line. The caller holds the lock.
func (q *queue) giveBack(l *line) {
	q.release(l)
	q.waiting++
	q.ready = append(q.ready, l)
	q.tell()
}

// release ends the hold of a line. The caller holds the lock.
func (q *queue) release(l *line) {
	_ = q.note(l.slot, 0) // at worst a try counts that should not
	q.spare = append(q.spare, l.slot)
	l.holder, l.ending = nil, false
	q.running--
}

// done takes the head of a line out, which is on the disk already.
func (q *queue) done(h hold) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := h.line
	if q.lines[l.name] != l || l.lease != h.lease || l.holder == nil {
		return // another Done of it was first
	}
	q.release(l)
	if l.ids = l.ids[1:]; len(l.ids) == 0 {
		delete(q.lines, l.name)
		return
	}
	q.ready = append(q.ready, l)
	q.tell()
}

func (q *queue) check(b *Inbox) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if b.closed {
		return driver.ErrClosed
	}
	return nil
}

// close gives back what an inbox holds.
func (q *queue) close(b *Inbox) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if b.closed {
		return
	}
	b.closed = true
	for _, l := range q.lines {
		if l.holder == b && !l.ending {
			q.giveBack(l)
		}
	}
	q.tell()
}

// count counts dead letters.
func (q *queue) count(n int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.dead += n
}

func (q *queue) stats() driver.InboxStats {
	q.mu.Lock()
	defer q.mu.Unlock()
	return driver.InboxStats{Waiting: q.waiting, Running: q.running, Dead: q.dead}
}

// cleanDead removes some of the dead letters that are too old or too many, and returns how many.
func (q *queue) cleanDead(tx *bbolt.Tx, now time.Time) (int, error) {
	q.mu.Lock()
	extra := q.dead - mostDead
	q.mu.Unlock()
	var old [][]byte
	c := tx.Bucket(buried.at).Cursor()
	for k, _ := c.First(); k != nil && len(old) < mostOld; k, _ = c.Next() {
		if int64(len(old)) >= extra && !timeOf(k).Before(now.Add(-deadTime)) {
			break
		}
		old = append(old, bytes.Clone(k[8:]))
	}
	for _, k := range old {
		if err := buried.remove(tx, k); err != nil {
			return 0, err
		}
	}
	tx.OnCommit(func() { q.count(-int64(len(old))) })
	return len(old), nil
}
