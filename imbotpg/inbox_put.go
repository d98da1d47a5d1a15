package imbotpg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/imbot-go/imbot/driver"
)

// Put implements [driver.Inbox].
func (b *Inbox) Put(ctx context.Context, it driver.InboxItem) (fresh bool, err error) {
	switch {
	case !isName(it.Key) || !isName(it.Line):
		return false, errors.New("imbotpg: Put: Key and Line are 1 to 64 letters 0-9 a-z")
	case len(it.Body) > mostBody:
		return false, fmt.Errorf("imbotpg: Put: Body has %d bytes, and may have 5 MiB", len(it.Body))
	}
	if it.Body = b.db.options.Keys.Seal(eventContext(it.Key), it.Body); b.db.options.Keys == nil {
		it.Body = bytes.Clone(it.Body) // who gives up may change it before it is sent
	}
	fresh, err = b.puts.ask(ctx, &request[driver.InboxItem]{what: it, name: it.Key, size: len(it.Body)})
	if err != nil || fresh || !isUnverified(it.Line) {
		return fresh, err
	}
	known := false
	err = b.db.pool.QueryRow(ctx, b.db.sql(`select exists (select from {}.seen where key = $1)`), it.Key).Scan(&known)
	if err == nil && !known {
		return false, driver.ErrLineFull
	}
	return false, failed("Put", err)
}

// Lines are locked first, by all who lock some, and in their order, or two would wait for each other.
// Who holds the lock of a line sees all its events with the next statement, and gives its own higher
// numbers. The line of a key that is known may stay empty: Take deletes it.
const (
	lockLines = `insert into {}.line (line) select distinct line from unnest($1::text[]) l (line) order by line
		on conflict (line) do update set line = excluded.line where false`
	insertEvents = `with item as materialized (
			select i.*, {fits} as fits from unnest($1::text[], $2::text[], $3::bytea[]) with ordinality as i (line, key, body, n)
		), fresh as (
			insert into {}.seen (key, at) select key, clock_timestamp() from item where fits order by key on conflict do nothing returning key
		)
		insert into {}.event (line, key, body) select i.line, i.key, i.body from item i join fresh using (key) order by i.n returning key`
	fitsUnverified = `case when i.line like 'u%'
		then (select count(*) from {}.event e where e.line = i.line) + row_number() over (partition by i.line order by i.n) <= $4 else true end`
)

// store puts what was gathered. A connection that was broken before is no reason to fail.
func (b *Inbox) store(all []*request[driver.InboxItem]) {
	ctx, cancel := context.WithTimeout(b.live, stepTime)
	defer cancel()
	fresh, err := b.insert(ctx, all)
	if brokeOff(err) {
		fresh, err = b.insert(ctx, all)
	}
	for _, r := range all {
		r.ok, r.err = fresh[r.what.Key], failed("Put", err)
	}
	if len(fresh) > 0 {
		b.wasPut()
	}
}

func (b *Inbox) insert(ctx context.Context, all []*request[driver.InboxItem]) (fresh map[string]bool, err error) {
	lines, keys, bodies := make([]string, len(all)), make([]string, len(all)), make([][]byte, len(all))
	for i, r := range all {
		lines[i], keys[i], bodies[i] = r.what.Line, r.what.Key, r.what.Body
		if bodies[i] == nil {
			bodies[i] = []byte{} // nil is NULL
		}
	}
	fresh = map[string]bool{}
	batch, fits, args := newBatch(), "true", []any{lines, keys, bodies}
	if slices.ContainsFunc(lines, isUnverified) {
		batch.Queue(byIndex)
		fits, args = fitsUnverified, append(args, driver.MostUnverified)
	}
	batch.Queue(b.db.sql(lockLines), lines)
	batch.Queue(b.db.sql(strings.Replace(insertEvents, "{fits}", fits, 1)), args...).Query(func(rows pgx.Rows) error {
		var key string
		_, err := pgx.ForEachRow(rows, []any{&key}, func() error { fresh[key] = true; return nil })
		return err
	})
	if err := b.db.pool.SendBatch(ctx, batch).Close(); err != nil {
		return nil, err
	}
	return fresh, nil
}

// brokeOff reports whether an error is worth another try at once: the connection broke, or the server
// ended one of two that waited for each other.
func brokeOff(err error) bool {
	refused := (*pgconn.PgError)(nil)
	if errors.As(err, &refused) {
		return strings.HasPrefix(refused.Code, "40") || refused.Code == "57P01"
	}
	return err != nil && !errors.Is(err, context.DeadlineExceeded)
}

func isUnverified(line string) bool { return strings.HasPrefix(line, "u") }
