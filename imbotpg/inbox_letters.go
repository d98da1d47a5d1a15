package imbotpg

import (
	"context"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/imbot-go/imbot/driver"
)

// Dead implements [driver.DeadLetters].
func (b *Inbox) Dead(ctx context.Context, n int) ([]driver.InboxItem, error) {
	if err := b.check(ctx); err != nil {
		return nil, err
	}
	rows, _ := b.db.pool.Query(ctx, b.db.sql(`select id, key, line, body, tries, at from {}.dead order by buried, id limit $1`), max(n, 0)) // its error is that of the rows
	dead, err := b.db.items(rows)
	return dead, failed("Dead", err)
}

// Revive implements [driver.DeadLetters].
func (b *Inbox) Revive(ctx context.Context, id string) error {
	if err := b.check(ctx); err != nil {
		return err
	}
	number, err := strconv.ParseInt(id, 36, 64)
	if err != nil {
		return driver.ErrNoItem
	}
	batch, found := newBatch(), false
	batch.Queue(b.db.sql(`insert into {}.line (line) select line from {}.dead where id = $1
		on conflict (line) do update set line = excluded.line where false`), number)
	batch.Queue(b.db.sql(`with d as (delete from {}.dead where id = $1 returning *), known as (
			insert into {}.seen (key, at) select key, clock_timestamp() from d on conflict (key) do update set at = excluded.at
		)
		insert into {}.event (line, key, body) select line, key, body from d`), number).Exec(func(tag pgconn.CommandTag) error {
		found = tag.RowsAffected() == 1
		return nil
	})
	if err := b.db.pool.SendBatch(ctx, batch).Close(); err != nil {
		return failed("Revive", err)
	}
	if !found {
		return driver.ErrNoItem
	}
	b.wasPut()
	return nil
}

// Drop implements [driver.DeadLetters].
func (b *Inbox) Drop(ctx context.Context, id string) error {
	if err := b.check(ctx); err != nil {
		return err
	}
	number, err := strconv.ParseInt(id, 36, 64)
	if err != nil {
		return driver.ErrNoItem
	}
	tag, err := b.db.exec(ctx, `delete from {}.dead where id = $1`, number)
	if err == nil && tag.RowsAffected() == 0 {
		return driver.ErrNoItem
	}
	return failed("Drop", err)
}

// InboxStats implements [driver.InboxMeter].
func (b *Inbox) InboxStats(ctx context.Context) (s driver.InboxStats, err error) {
	if err := b.check(ctx); err != nil {
		return s, err
	}
	var all int64
	var oldest *float64
	err = b.db.pool.QueryRow(ctx, b.db.sql(`select (select count(*) from {}.event), (select count(*) from {}.line where owner is not null),
		(select count(*) from {}.dead), extract(epoch from clock_timestamp() - (select at from {}.event order by id limit 1))::double precision`)).
		Scan(&all, &s.Running, &s.Dead, &oldest)
	s.Waiting = all - s.Running
	if oldest != nil {
		s.Oldest = max(time.Duration(*oldest*float64(time.Second)), time.Microsecond)
	}
	return s, failed("InboxStats", err)
}
