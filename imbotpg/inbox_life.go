package imbotpg

import (
	"context"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/imbot-go/imbot/driver"
)

// A life is a number that a replica holds lines under. Its lock, which ends with the session, tells
// the others that it lives.
type life struct {
	id   int64
	hold *hold         // nil: the session is lost
	lost chan struct{} // closed when others have what it held
}

// young is how old a server has to be before anybody inherits: after its start everybody comes
// back, one a little later than the other.
const young = "3 s"

// waitForLife returns the life when it has its lock.
func (b *Inbox) waitForLife(ctx context.Context) (*life, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b.mu.Lock()
		alive, life, closed := b.alive, b.life, b.closed
		b.mu.Unlock()
		if closed {
			return nil, driver.ErrClosed
		}
		select {
		case <-alive:
			return life, nil
		default:
		}
		select {
		case <-alive:
		case <-ctx.Done():
		case <-b.ctx.Done():
		}
	}
}

// live keeps the replica alive until the inbox is closed.
func (b *Inbox) live() {
	for b.ctx.Err() == nil {
		hold, err := b.revive()
		if err != nil {
			pause(b.ctx, lookTime)
			continue
		}
		select {
		case <-hold.lost:
			b.mu.Lock()
			b.life.hold, b.unsure, b.alive = nil, true, make(chan struct{})
			b.mu.Unlock()
		case <-b.ctx.Done():
		}
	}
}

// revive gets the lock of the number that the replica has, if nobody has inherited it meanwhile, or
// else of a new one.
func (b *Inbox) revive() (*hold, error) {
	b.mu.Lock()
	old := b.life
	b.mu.Unlock()
	if old != nil {
		hold, err := b.db.sessions.acquire(b.ctx, replicaLock, strconv.FormatInt(old.id, 10), true)
		if err != nil {
			return nil, err
		}
		var there bool
		err = b.ask(func(ctx context.Context) error {
			return b.db.pool.QueryRow(ctx, b.db.sql(`select exists (select from {}.replica where id = $1)`), old.id).Scan(&there)
		})
		if err == nil && there {
			b.begin(old, hold)
			return hold, nil
		}
		hold.release()
		if err != nil {
			return nil, err
		}
		close(old.lost)
		b.mu.Lock()
		b.life = nil
		clear(b.leases)
		b.mu.Unlock()
	}
	fresh := &life{lost: make(chan struct{})}
	err := b.ask(func(ctx context.Context) error {
		return b.db.pool.QueryRow(ctx, `select nextval(pg_get_serial_sequence($1, 'id'))`, b.db.sql(`{}.replica`)).Scan(&fresh.id)
	})
	if err != nil {
		return nil, err
	}
	hold, err := b.db.sessions.acquire(b.ctx, replicaLock, strconv.FormatInt(fresh.id, 10), true)
	if err != nil {
		return nil, err
	}
	err = b.ask(func(ctx context.Context) error { // after the lock, or somebody inherits at once
		_, err := b.db.pool.Exec(ctx, b.db.sql(`insert into {}.replica (id, name) overriding system value values ($1, $2)`), fresh.id, b.db.options.Name)
		return err
	})
	if err != nil {
		hold.release()
		return nil, err
	}
	b.begin(fresh, hold)
	return hold, nil
}

const replicaLock = "replica"

func (b *Inbox) begin(l *life, h *hold) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l.hold = h
	b.life = l
	close(b.alive)
}

func (b *Inbox) ask(question func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(b.ctx, workTime)
	defer cancel()
	return question(ctx)
}

// watch waits for the lock of every other replica: who gets it inherits.
func (b *Inbox) watch() {
	watched := map[int64]context.CancelFunc{}
	over := make(chan int64)
	tick := time.NewTicker(lookTime)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case id := <-over:
			watched[id]()
			delete(watched, id)
			continue
		case <-b.ctx.Done():
			for range watched {
				<-over
			}
			return
		}
		others, err := b.others()
		if err != nil {
			continue
		}
		for _, id := range others {
			if watched[id] != nil {
				continue
			}
			ctx, cancel := context.WithCancel(b.ctx)
			watched[id] = cancel
			go func() { // over tells watch about its end
				b.inherit(ctx, id)
				over <- id
			}()
		}
	}
}

// others returns the replicas that may be inherited from: those of a server that is not young.
// Lines of numbers that nobody has are free.
func (b *Inbox) others() (others []int64, err error) {
	b.mu.Lock()
	var own int64
	if b.life != nil {
		own = b.life.id
	}
	b.mu.Unlock()
	err = b.ask(func(ctx context.Context) error {
		rows, err := b.db.pool.Query(ctx, b.db.sql(`select id from {}.replica where id <> $1 and clock_timestamp() - pg_postmaster_start_time() > interval '`+young+`'`), own)
		if err == nil {
			others, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		}
		return err
	})
	return others, err
}

// inherit waits for the lock of a replica, and frees what it held.
func (b *Inbox) inherit(ctx context.Context, id int64) {
	hold, err := b.db.sessions.acquire(ctx, replicaLock, strconv.FormatInt(id, 10), true)
	if err != nil {
		return
	}
	defer hold.release()
	var old bool
	err = b.ask(func(ctx context.Context) error {
		return b.db.pool.QueryRow(ctx, `select clock_timestamp() - pg_postmaster_start_time() > interval '`+young+`'`).Scan(&old)
	})
	if err != nil || !old {
		return // watch looks again
	}
	if b.ask(func(ctx context.Context) error { return b.db.bequeath(ctx, id, false) }) == nil {
		b.hurry()
	}
}

// bequeath frees what a replica held. Its row goes first: a Take under its number that is under way is
// waited for, and a later one finds no row. returned: it gives back what has not ended it.
func (db *DB) bequeath(ctx context.Context, id int64, returned bool) error {
	return pgx.BeginFunc(ctx, db.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, db.sql(`delete from {}.replica where id = $1`), id); err != nil {
			return err
		}
		if returned {
			if _, err := tx.Exec(ctx, db.sql(`update {}.event set tries = greatest(tries - 1, 0)
				where id = any (array(select (select id from {}.event e where e.line = l.line order by id limit 1) from {}.line l where owner = $1))`), id); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, db.sql(`update {}.line set owner = null, lease = null where owner = $1`), id)
		return err
	})
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
