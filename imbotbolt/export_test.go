package imbotbolt

import (
	"context"
	"errors"
	"time"

	"go.etcd.io/bbolt"

	"github.com/imbot-go/imbot/driver"
)

// WaitLess lets Open wait for d only, until restore is called.
func WaitLess(d time.Duration) (restore func()) {
	before := lockTime
	lockTime = d
	return func() { lockTime = before }
}

// WasteLess lets Open make a file smaller of which n bytes are free, until restore is called.
func WasteLess(n int64) (restore func()) {
	before := wasteful
	wasteful = n
	return func() { wasteful = before }
}

// Clean cleans as the committer does every minute, as if so much time had gone by.
func (db *DB) Clean(later time.Duration) error {
	wall := db.wall
	db.wall = wall.Add(later)
	defer func() { db.wall = wall }()
	for n := mostOld; n == mostOld; {
		err := db.bolt.Update(func(tx *bbolt.Tx) (err error) { n, err = db.clean(tx); return err })
		if err != nil {
			return err
		}
	}
	return nil
}

// SetClock lets the clock of an open file go wrong by d.
func (db *DB) SetClock(d time.Duration) { db.wall = db.wall.Add(d) }

// Change makes a change of the file in the committer, beside others.
func (db *DB) Change(do func() error) error {
	return db.update(context.Background(), func(*bbolt.Tx) error { return do() }, nil)
}

// Handled stores n keys of events that were handled now.
func (db *DB) Handled(n int) error {
	return db.bolt.Update(func(tx *bbolt.Tx) error {
		for i := range n {
			if err := errors.Join(tx.Bucket(seen.name).Put(number(uint64(i)), []byte{1}), tx.Bucket(seen.at).Put(timeKey(db.now(), number(uint64(i))), nil)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Rows counts the rows of a bucket.
func (db *DB) Rows(bucket string) (n int) {
	_ = db.bolt.View(func(tx *bbolt.Tx) error { n = tx.Bucket([]byte(bucket)).Stats().KeyN; return nil })
	return n
}

// Unnoticed stores an event and forgets another one, in a transaction that seems to fail.
func (db *DB) Unnoticed(key, line string, forget uint64) error {
	return db.bolt.Update(func(tx *bbolt.Tx) error {
		db.unsure = true
		id, _ := tx.Bucket(inEvents).NextSequence()
		_ = tx.Bucket(seen.name).Put(digest(key), []byte{1})
		_ = tx.Bucket(inEvents).Delete(number(forget))
		return tx.Bucket(inEvents).Put(number(id), row{line: line, key: key, at: db.now()}.encode())
	})
}

// Rewrite changes the raw rows of a bucket.
func (db *DB) Rewrite(bucket string, change func(key, value []byte) []byte) error {
	return db.bolt.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte(bucket))
		rows := map[string][]byte{}
		_ = b.ForEach(func(k, v []byte) error { rows[string(k)] = change(k, append([]byte{}, v...)); return nil })
		for k, v := range rows {
			if err := b.Put([]byte(k), v); err != nil {
				return err
			}
		}
		return nil
	})
}

// FailNext lets transactions fail from now on, and returns an error for the one that is being made.
func (db *DB) FailNext() error {
	db.size.Store(1 << 60) // the file is not as large
	return errors.New("the disk fails")
}

// Writes tells how many transactions were written.
func (db *DB) Writes() (n int) {
	_ = db.bolt.View(func(tx *bbolt.Tx) error { n = tx.ID(); return nil })
	return n
}

// Recover lets them succeed again.
func (db *DB) Recover() { db.size.Store(0) }

// TakeAnd is Take, with something that comes in between.
func (b *Inbox) TakeAnd(ctx context.Context, between func()) ([]driver.InboxItem, error) {
	held, _, err := b.db.queue.hold(b, 1)
	if err != nil {
		return nil, err
	}
	between()
	return b.read(ctx, held)
}
