package imbotpg

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	cleanTime = time.Minute
	mostOld   = 10_000 // rows that are removed at a time
	mostDead  = 10_000
)

// clean removes what is old, until ctx ends.
func (db *DB) clean(ctx context.Context) {
	tick := time.NewTicker(cleanTime)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_ = db.cleanOnce(ctx) // there is a next time
		case <-ctx.Done():
			return
		}
	}
}

// cleanOnce does it in one of the processes at a time.
func (db *DB) cleanOnce(ctx context.Context) error {
	return pgx.BeginFunc(ctx, db.pool, func(tx pgx.Tx) error {
		var mine bool
		err := tx.QueryRow(ctx, `select pg_try_advisory_xact_lock(hashtextextended('imbot clean ' || $1, 0))`, db.options.Schema).Scan(&mine)
		if err != nil || !mine {
			return err
		}
		for _, statement := range []string{
			`delete from {}.seen where key = any (array(select key from {}.seen where at < clock_timestamp() - interval '1 hour' limit $1))`,
			`delete from {}.state where key = any (array(select key from {}.state where until < clock_timestamp() limit $1))`,
			`delete from {}.hold where ctid = any (array(select ctid from {}.hold where until < clock_timestamp() limit $1))`,
			`delete from {}.dead where id = any (array(select id from {}.dead where buried < clock_timestamp() - interval '30 days' limit $1))`,
		} {
			if _, err := tx.Exec(ctx, db.sql(statement), mostOld); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, db.sql(`delete from {}.dead where id = any (array(select id from {}.dead order by buried desc, id desc offset $1 limit $2))`), mostDead, mostOld)
		return err
	})
}
