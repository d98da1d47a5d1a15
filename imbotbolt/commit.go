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

	mostOld    = 1000                  // rows that one transaction cleans away
	cleanPause = 20 * time.Millisecond // before the next one, when there are more
)

var errClosed = fmt.Errorf("imbotbolt: the file is closed: %w", driver.ErrClosed)

// An op is a change that waits for the committer.
type op struct {
	ctx   context.Context
	do    func(*bbolt.Tx) error // may run more than once; a refusal and errNothing have changed nothing
	after func()                // run in the order of the changes, when they are on the disk; may be nil
	undo  func()                // run when it was not made; may be nil
	frees bool                  // it leaves room on the disk
	err   error
	out   bool // it has failed, and would let the others fail
	done  chan struct{}
}

// A refusal is the answer to one change, and is no reason to give the others up.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

// update makes a change, which is on the disk when update returns nil. When ctx ends meanwhile, the
// change may be made all the same: what do and after write is the committer's until update returns nil.
func (db *DB) update(ctx context.Context, do func(*bbolt.Tx) error, after func()) error {
	return db.ask(&op{ctx: ctx, after: after, do: func(tx *bbolt.Tx) error {
		if db.gone != nil {
			return refusal{db.gone}
		}
		return do(tx)
	}})
}

// ask has the committer make a change.
func (db *DB) ask(o *op) error {
	ctx := o.ctx
	if err := ctx.Err(); err != nil {
		return err
	}
	o.done = make(chan struct{})
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
	timer := time.NewTimer(cleanTime)
	defer timer.Stop()
	for {
		var ops []*op
		select {
		case o := <-db.ops:
			ops = db.more([]*op{o})
		case <-timer.C:
			timer.Reset(db.tidy())
			continue
		case <-db.closed:
			return
		}
		err := db.transact(ops)
		for _, o := range ops {
			if o.err == nil && err != nil {
				o.fails(err)
			}
			switch {
			case o.err == nil && o.after != nil:
				o.after()
			case o.err != nil && o.undo != nil:
				o.undo()
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

// transact makes changes together. One that fails takes no other one with it: the rest is made again
// without it.
func (db *DB) transact(ops []*op) error {
	for {
		var bad *op
		err := db.write(func(tx *bbolt.Tx) error { return db.apply(tx, ops, &bad) })
		switch {
		case bad != nil:
			bad.fails(err)
		case err == nil:
			db.unsure = false
			return nil
		case errors.Is(err, errNothing):
			return nil
		default:
			db.unsure = true
			if !freeOnly(ops, err) {
				return err
			}
		}
	}
}

func (db *DB) write(f func(*bbolt.Tx) error) (err error) {
	if db.gone, err = db.look(); err != nil {
		return err
	}
	return guard(func() error { return db.bolt.Update(f) })
}

func (o *op) fails(err error) {
	o.out, o.err = true, fmt.Errorf("imbotbolt: nothing was stored: %w", err)
}

// freeOnly is for a disk that is full: it lets those changes fail that need room, so that the others
// make some. false: there are not both.
func freeOnly(ops []*op, err error) bool {
	var free bool
	var need []*op
	for _, o := range ops {
		switch {
		case o.err != nil:
		case o.frees:
			free = true
		default:
			need = append(need, o)
		}
	}
	if !free || len(need) == 0 {
		return false
	}
	for _, o := range need {
		o.fails(err)
	}
	return true
}

// apply makes changes in a transaction. It leaves in bad which one has failed.
func (db *DB) apply(tx *bbolt.Tx, ops []*op, bad **op) error {
	changes := 0
	if db.unsure {
		changes++ // what was stored and seemed not to be is synced before anybody is told that it is known
		if err := db.queue.read(tx); err != nil {
			return err
		}
	}
	db.queue.begin()
	for _, o := range ops {
		if o.out {
			continue
		}
		if o.err = o.ctx.Err(); o.err != nil {
			continue
		}
		*bad = o
		err := o.do(tx)
		switch r := (refusal{}); {
		case errors.As(err, &r):
			o.err = err
		case err == nil:
			changes++
		case !errors.Is(err, errNothing):
			return err
		}
		*bad = nil
	}
	if changes == 0 {
		return errNothing
	}
	return nil
}

// errNothing rolls an empty transaction back, which saves a write to the disk.
var errNothing = errors.New("nothing is to be changed")

// tidy removes some of what is too old, and returns when to come again.
func (db *DB) tidy() time.Duration {
	n := 0
	err := db.write(func(tx *bbolt.Tx) (err error) {
		if n, err = db.clean(tx); n == 0 && err == nil {
			err = errNothing
		}
		return err
	})
	if n == mostOld && err == nil {
		return cleanPause
	}
	return cleanTime
}

// clean removes what is too old, and returns how many rows of a kind at most: mostOld, there may be
// more.
func (db *DB) clean(tx *bbolt.Tx) (most int, err error) {
	now := db.now()
	for _, one := range []func() (int, error){
		func() (int, error) { return seen.removeBefore(tx, now.Add(-keyTime)) },
		func() (int, error) { return claimed.removeBefore(tx, now.Add(-claimTime)) },
		func() (int, error) { return states.removeBefore(tx, now) },
		func() (int, error) { return db.queue.cleanDead(tx, now) },
	} {
		n, err := one()
		if err != nil {
			return 0, err
		}
		most = max(most, n)
	}
	return most, nil
}
