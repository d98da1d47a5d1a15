package imbotpg

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	cleanEvery   = time.Minute
	mostCleaned  = 10_000 // rows of a table in one step
	mostDead     = 10_000
	deadDays     = 30
	knownMinutes = 61 // see endEvents
)

// cleans cleans every minute until the function that it returns is called.
func (db *DB) cleans() (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		wait := rand.N(cleanEvery) // replicas that start together take turns
		for {
			select {
			case <-time.After(wait):
				_ = db.clean(ctx) // the next one may have more luck
				wait = cleanEvery
			case <-ctx.Done():
				return
			}
		}
	})
	return func() {
		cancel()
		wg.Wait()
	}
}

// What is old. A key of an event that waits is known as long as that does: none is deleted that is
// not older than the oldest event. The keys are arrays for the reason that those of takeLines are.
var old = []string{
	`delete from {}.seen where key = any(array(select key from {}.seen where at <
		least(clock_timestamp(), (select at from {}.event order by id limit 1)) - $2 * interval '1 minute' limit $1 for update skip locked))`,
	`delete from {}.dead where id in (
		(select id from {}.dead where buried < clock_timestamp() - $2 * interval '1 day' limit $1) union
		(select id from {}.dead order by buried desc, id desc limit $1 offset $3))`,
	`delete from {}.state where key = any(array(select key from {}.state where until <= clock_timestamp() limit $1 for update skip locked)) and until <= clock_timestamp()`,
	`delete from {}.hold where until <= clock_timestamp()`,
	`delete from {}.pace where at < extract(epoch from clock_timestamp()) - 86400`,
	`delete from {}.pacer where at < clock_timestamp() - interval '1 minute'`,
}

// clean deletes what is old, if nobody else does at the moment.
func (db *DB) clean(ctx context.Context) error {
	args := [][]any{{mostCleaned, knownMinutes}, {mostCleaned, deadDays, mostDead}, {mostCleaned}, nil, nil, nil}
	for i, statement := range old {
		for more := true; more; {
			err := pgx.BeginTxFunc(ctx, db.pool, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
				more = false
				var first bool
				err := tx.QueryRow(ctx, `select pg_try_advisory_xact_lock(hashtextextended('imbot clean ' || $1, 0)) from set_config('synchronous_commit', 'off', true)`, db.options.Schema).Scan(&first)
				if err != nil || !first {
					return err
				}
				tag, err := tx.Exec(ctx, db.sql(statement), args[i]...)
				more = tag.RowsAffected() >= mostCleaned
				return err
			})
			if err != nil {
				return failed("cleaning", err)
			}
		}
	}
	return nil
}
