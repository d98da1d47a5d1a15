package imbotbolt

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"github.com/imbot-go/imbot/driver"
)

const (
	keyTime  = 2 * time.Hour // how long a key is known after Done: an hour, and another by which a clock may jump between two runs
	deadTime = 30 * 24 * time.Hour
	mostDead = 10_000
	mostBody = 5 << 20
)

// Inbox keeps events; see [driver.Inbox]. It belongs to one process: what it has taken is free at the
// next Open when that dies.
//
// An event whose row is damaged, or does not open with Options.Keys, comes without a Body, so that an
// event handler buries and counts it.
type Inbox struct {
	db     *DB
	closed bool // guarded by that of the queue
}

var (
	_ driver.Inbox       = (*Inbox)(nil)
	_ driver.DeadLetters = (*Inbox)(nil)
	_ driver.InboxMeter  = (*Inbox)(nil)
)

// Inbox returns the events of the file. Close it, or the DB, at the end.
func (db *DB) Inbox() *Inbox { return &Inbox{db: db} }

// Format implements [fmt.Formatter].
func (b *Inbox) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "imbotbolt.Inbox") }

// Put implements [driver.Inbox].
func (b *Inbox) Put(ctx context.Context, it driver.InboxItem) (fresh bool, err error) {
	switch {
	case !isName(it.Key) || !isName(it.Line):
		return false, errors.New("imbotbolt: Put: Key and Line are 1 to 64 letters 0-9 a-z")
	case len(it.Body) > mostBody:
		return false, fmt.Errorf("imbotbolt: Put: Body has %d bytes, and may have 5 MiB", len(it.Body))
	}
	if err := b.check(ctx); err != nil {
		return false, err
	}
	db, q := b.db, &b.db.queue
	var id uint64 // 0: the key is known
	raw := row{line: it.Line, key: it.Key, at: db.now(), body: db.keys.Seal("event "+it.Key, it.Body)}.encode()
	err = db.update(ctx, func(tx *bbolt.Tx) error {
		id = 0
		known := tx.Bucket(seen.name)
		if known.Get(digest(it.Key)) != nil {
			return errNothing
		}
		if strings.HasPrefix(it.Line, "u") && !q.room(it.Line) {
			return refusal{driver.ErrLineFull}
		}
		events := tx.Bucket(inEvents)
		next, err := events.NextSequence()
		if err != nil {
			return err
		}
		if err := known.Put(digest(it.Key), []byte{1}); err != nil {
			return err
		}
		id = next
		return events.Put(number(id), raw)
	}, func() {
		if id != 0 {
			q.add(it.Line, id)
		}
	})
	if err != nil {
		return false, err
	}
	return id != 0, nil
}

// Take implements [driver.Inbox].
func (b *Inbox) Take(ctx context.Context, n int) ([]driver.InboxItem, error) {
	q := &b.db.queue
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		held, changed, err := q.hold(b, n)
		if err != nil {
			return nil, err
		}
		if len(held) > 0 {
			return b.read(ctx, held)
		}
		select {
		case <-changed:
		case <-ctx.Done():
		case <-b.db.closed:
			return nil, errClosed
		}
	}
}

// read reads the events that were taken, and notes that they run. One that cannot be read, because the
// disk fails, is free again and keeps no other one back.
func (b *Inbox) read(ctx context.Context, held []hold) (items []driver.InboxItem, err error) {
	var runs []hold
	for _, h := range held {
		it, bad := b.readOne(ctx, h)
		if bad != nil {
			err = bad
			b.db.queue.free(h)
			continue
		}
		items, runs = append(items, it), append(runs, h)
	}
	if len(runs) == 0 {
		return nil, err
	}
	if err := b.db.queue.start(b, runs); err != nil {
		for _, h := range runs {
			b.db.queue.free(h)
		}
		return nil, err
	}
	return items, nil
}

func (b *Inbox) readOne(ctx context.Context, h hold) (it driver.InboxItem, err error) {
	err = b.db.view(context.WithoutCancel(ctx), func(tx *bbolt.Tx) error {
		r, err := decode(tx.Bucket(inEvents).Get(number(h.id)))
		if err != nil {
			r.line = h.line.name
		}
		it = b.db.item(h.id, r)
		it.Lease = strconv.FormatUint(h.lease, 36)
		it.Tries = 1 + int(numberOf(tx.Bucket(inTries).Get(number(h.id)))) //nolint:gosec // a few
		return nil
	})
	return it, err
}

// item is a row as its user sees it. A body that does not open is left out.
func (db *DB) item(id uint64, r row) driver.InboxItem {
	body, err := db.keys.Open("event "+r.key, r.body)
	if err != nil {
		body = nil
	}
	return driver.InboxItem{ID: strconv.FormatUint(id, 36), Key: r.key, Line: r.line, Body: bytes.Clone(body), At: r.at}
}

// Done implements [driver.Inbox].
func (b *Inbox) Done(ctx context.Context, it driver.InboxItem, how driver.InboxOutcome) error {
	if err := b.check(ctx); err != nil {
		return err
	}
	q := &b.db.queue
	h, ok := q.held(b, it, false)
	switch {
	case !ok:
		return driver.ErrTakenOver
	case how == driver.InboxReturned:
		q.free(h)
		return nil
	case how != driver.InboxHandled && how != driver.InboxBuried:
		return fmt.Errorf("imbotbolt: Done: %v is no outcome", how)
	}
	var dead int64
	return b.db.ask(&op{ctx: ctx, frees: how == driver.InboxHandled, do: func(tx *bbolt.Tx) error {
		dead = 0
		if _, ok := q.held(b, it, true); !ok {
			return refusal{driver.ErrTakenOver} // the inbox was closed meanwhile, or another Done was first
		}
		events, key := tx.Bucket(inEvents), number(h.id)
		raw := bytes.Clone(events.Get(key))
		if raw == nil {
			return nil // a transaction has done it that seemed to fail
		}
		now := b.db.now()
		if how == driver.InboxBuried {
			tries := 1 + numberOf(tx.Bucket(inTries).Get(key))
			if err := buried.put(tx, key, now, append(number(tries), raw...)); err != nil {
				return err
			}
			dead = 1
		}
		if it.Key != "" {
			if err := tx.Bucket(seen.at).Put(timeKey(now, digest(it.Key)), nil); err != nil {
				return err
			}
		}
		return errors.Join(events.Delete(key), tx.Bucket(inTries).Delete(key))
	}, after: func() {
		q.done(h)
		q.count(dead)
	}, undo: func() { q.notDone(h) }})
}

// Close implements [driver.Inbox]. The DB stays open.
func (b *Inbox) Close() error {
	b.db.queue.close(b)
	return nil
}

func (b *Inbox) check(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-b.db.closed:
		return errClosed
	default:
		return b.db.queue.check(b)
	}
}

// Dead implements [driver.DeadLetters].
func (b *Inbox) Dead(ctx context.Context, n int) (dead []driver.InboxItem, err error) {
	if err := b.check(ctx); err != nil {
		return nil, err
	}
	err = b.db.view(ctx, func(tx *bbolt.Tx) error {
		c := tx.Bucket(buried.at).Cursor()
		for k, _ := c.First(); k != nil && len(dead) < n; k, _ = c.Next() {
			tries, raw, _ := unearth(tx, k[8:])
			r, _ := decode(raw)
			it := b.db.item(numberOf(k[8:]), r)
			it.Tries = tries
			dead = append(dead, it)
		}
		return nil
	})
	return dead, err
}

// Revive implements [driver.DeadLetters].
func (b *Inbox) Revive(ctx context.Context, id string) error {
	q := &b.db.queue
	var r row
	var next uint64
	return b.exhume(ctx, id, func(tx *bbolt.Tx, raw []byte, at time.Time) (err error) {
		if r, err = decode(raw); err != nil {
			return refusal{errors.New("imbotbolt: Revive: the row is damaged")}
		}
		if next, err = tx.Bucket(inEvents).NextSequence(); err != nil {
			return err
		}
		return errors.Join( // its key is known for as long as it waits
			tx.Bucket(seen.name).Put(digest(r.key), []byte{1}),
			tx.Bucket(seen.at).Delete(timeKey(at, digest(r.key))),
			tx.Bucket(inEvents).Put(number(next), raw),
		)
	}, func() { q.add(r.line, next) })
}

// Drop implements [driver.DeadLetters].
func (b *Inbox) Drop(ctx context.Context, id string) error {
	return b.exhume(ctx, id, func(*bbolt.Tx, []byte, time.Time) error { return nil }, func() {})
}

// exhume takes a dead letter out.
func (b *Inbox) exhume(ctx context.Context, id string, do func(tx *bbolt.Tx, raw []byte, at time.Time) error, after func()) error {
	if err := b.check(ctx); err != nil {
		return err
	}
	n, err := strconv.ParseUint(id, 36, 64)
	if err != nil {
		return driver.ErrNoItem
	}
	return b.db.update(ctx, func(tx *bbolt.Tx) error {
		_, raw, at := unearth(tx, number(n))
		if at.IsZero() {
			return refusal{driver.ErrNoItem}
		}
		if err := do(tx, raw, at); err != nil {
			return err
		}
		return buried.remove(tx, number(n))
	}, func() {
		b.db.queue.count(-1)
		after()
	})
}

// InboxStats implements [driver.InboxMeter].
func (b *Inbox) InboxStats(ctx context.Context) (driver.InboxStats, error) {
	if err := b.check(ctx); err != nil {
		return driver.InboxStats{}, err
	}
	stats := b.db.queue.stats()
	err := b.db.view(ctx, func(tx *bbolt.Tx) error {
		c := tx.Bucket(inEvents).Cursor()
		for k, raw := c.First(); k != nil; k, raw = c.Next() {
			if r, err := decode(raw); err == nil { // a damaged one has no time
				stats.Oldest = max(b.db.now().Sub(r.at), 0)
				break
			}
		}
		return nil
	})
	return stats, err
}

// unearth returns a copy of a dead letter, which has its tries in front, and when it was buried; zero:
// there is none.
func unearth(tx *bbolt.Tx, key []byte) (tries int, event []byte, at time.Time) {
	raw, at := buried.get(tx, key)
	if len(raw) < 8 {
		return 0, nil, at
	}
	return int(numberOf(raw[:8])), bytes.Clone(raw[8:]), at //nolint:gosec // a few
}

// digest is a short name of a key: each event has one in the file for hours.
func digest(key string) []byte {
	sum := sha256.Sum256([]byte(key))
	return sum[:16]
}

// A row is an event as it is stored: a version, a sum of what follows, and that.
type row struct {
	line, key string
	at        time.Time
	body      []byte
}

const rowVersion = 1

var errRow = errors.New("the row is damaged")

func (r row) encode() []byte {
	rest := timeKey(r.at, nil)
	for _, text := range []string{r.line, r.key} {
		rest = append(append(rest, byte(len(text))), text...) //nolint:gosec // isName: at most 64
	}
	rest = append(rest, r.body...)
	return append(binary.BigEndian.AppendUint32([]byte{rowVersion}, crc32.ChecksumIEEE(rest)), rest...)
}

// decode reads a row. Of a damaged one it returns what it can.
func decode(raw []byte) (r row, err error) {
	if len(raw) < 5+8+2 || raw[0] != rowVersion {
		return r, errRow
	}
	rest := raw[5:]
	if crc32.ChecksumIEEE(rest) != binary.BigEndian.Uint32(raw[1:]) {
		err = errRow
	}
	r.at, rest = timeOf(rest), rest[8:]
	for _, to := range []*string{&r.line, &r.key} {
		if len(rest) == 0 || len(rest) <= int(rest[0]) {
			return row{}, errRow
		}
		*to, rest = string(rest[1:][:rest[0]]), rest[1+int(rest[0]):]
		if !isName(*to) {
			return row{}, errRow
		}
	}
	if err == nil {
		r.body = rest
	}
	return r, err
}

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func numberOf(b []byte) uint64 {
	if len(b) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

// isName reports whether a text has 1 to 64 letters 0-9 a-z.
func isName(s string) bool {
	return len(s) > 0 && len(s) <= 64 && strings.Trim(s, "0123456789abcdefghijklmnopqrstuvwxyz") == ""
}
