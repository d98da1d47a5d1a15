package imbotbolt

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/imbot-go/imbot/driver"
)

const (
	mostOps   = 512 // changes in one transaction: a write to the disk takes as long for one
	cleanTime = time.Minute
	mostOld   = 1000 // rows that one transaction cleans away
)

var errClosed = fmt.Errorf("imbotbolt: the file is closed: %w", driver.ErrClosed)

// An op is a change that waits for the committer.
type op struct {
	ctx   context.Context
	do    func(*bbolt.Tx) error // an error that is a refusal has changed nothing
	after func()                // run in the order of the changes, when they are on the disk; may be nil
	err   error
	done  chan struct{}
}

// A refusal is the answer to one change, and is no reason to give the others up.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

// update makes a change, which is on the disk when update returns nil. When ctx ends meanwhile, the
// change may be made all the same.
func (db *DB) update(ctx context.Context, do func(*bbolt.Tx) error, after func()) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	o := &op{ctx: ctx, do: do, after: after, done: make(chan struct{})}
	select {
	case db.ops <- o:
	case <-ctx.Done():
		return ctx.Err()
	case <-db.closed:
		return errClosed
	}
	select {
	case <-o.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	if r := (refusal{}); errors.As(o.err, &r) {
		return r.error
	}
	return o.err
}

// commit is the committer: it takes what waits into one transaction, again and again.
func (db *DB) commit() {
	defer close(db.ended)
	tick := time.NewTicker(cleanTime)
	defer tick.Stop()
	for {
		var ops []*op
		select {
		case o := <-db.ops:
			ops = db.more([]*op{o})
		case <-tick.C:
			_ = guard(func() error { return db.bolt.Update(db.clean) }) // there is a next time
			continue
		case <-db.closed:
			return
		}
		err := guard(func() error { return db.transact(ops) })
		for _, o := range ops {
			switch {
			case o.err == nil && err != nil:
				o.err = fmt.Errorf("imbotbolt: nothing was stored: %w", err)
			case o.err == nil && o.after != nil:
				o.after()
			}
			close(o.done)
		}
	}
}

// more adds what waits already.
func (db *DB) more(ops []*op) []*op {
	for len(ops) < mostOps {
		select {
		case o := <-db.ops:
			ops = append(ops, o)
		default:
			return ops
		}
	}
	return ops
}

// transact makes changes together.
func (db *DB) transact(ops []*op) error {
	db.queue.begin()
	return db.bolt.Update(func(tx *bbolt.Tx) error {
		changes := 0
		for _, o := range ops {
			if o.err = o.ctx.Err(); o.err != nil {
				continue
			}
			err := o.do(tx)
			if r := (refusal{}); errors.As(err, &r) {
				o.err = err
				continue
			}
			if err != nil {
				return err
			}
			changes++
		}
		if changes == 0 {
			return errNothing
		}
		return nil
	})
}

// errNothing rolls an empty transaction back, which saves a write to the disk.
var errNothing = errors.New("nothing is to be changed")

// clean removes what is too old.
func (db *DB) clean(tx *bbolt.Tx) error {
	now := db.now()
	return errors.Join(
		seen.removeBefore(tx, now.Add(-keyTime), mostOld),
		claimed.removeBefore(tx, now.Add(-claimTime), mostOld),
		states.removeBefore(tx, now, mostOld),
		db.queue.cleanDead(tx, now),
	)
}
