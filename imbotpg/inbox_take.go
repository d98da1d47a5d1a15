package imbotpg

import (
	"context"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/imbot-go/imbot/driver"
)

// Take implements [driver.Inbox].
func (b *Inbox) Take(ctx context.Context, n int) ([]driver.InboxItem, error) {
	if err := b.check(ctx); err != nil || n < 1 {
		return nil, err
	}
	b.begin()
	for sure := true; ; {
		changed := b.waits(1)
		items, again, err := b.takeNow(ctx, n, sure)
		if len(items) > 0 || err != nil {
			b.waits(-1)
			return items, err
		}
		if !again {
			sure, err = b.sleep(ctx, changed)
		}
		b.waits(-1)
		if err != nil {
			return nil, err
		}
	}
}

// waits counts who is in Take, and returns what is closed at the next change.
func (b *Inbox) waits(more int) <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting += more
	return b.changed
}

// sleep waits until Take has to look again; woken: there is something.
func (b *Inbox) sleep(ctx context.Context, changed <-chan struct{}) (woken bool, err error) {
	timer := time.NewTimer(inboxLook)
	defer timer.Stop()
	select {
	case <-changed:
		return true, nil
	case <-timer.C:
		return false, nil
	case <-ctx.Done():
		return false, ctx.Err()
	case <-b.closed:
		return false, driver.ErrClosed
	}
}

// takeNow takes what is there. One Take of a process at a time does, so that it is known what the server
// should have as held by the process. sure: something is there, probably.
func (b *Inbox) takeNow(ctx context.Context, n int, sure bool) (items []driver.InboxItem, again bool, err error) {
	select {
	case <-b.taking:
		defer func() { b.taking <- struct{}{} }()
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
	if err := b.check(ctx); err != nil {
		return nil, false, err
	}
	step, cancel := b.lenient(ctx)
	defer cancel()
	id, dirty, why := b.replica()
	switch {
	case why != nil:
		return nil, false, failed("Take", why)
	case id == 0:
		return nil, false, nil
	case dirty:
		err = b.reconcile(step, id)
	case !sure:
		found := false
		err = b.db.pool.QueryRow(step, b.db.sql(`select exists (select from {}.line where owner is null)`)).Scan(&found)
		if err == nil && !found {
			return nil, false, nil
		}
	}
	if err == nil {
		items, again, err = b.hold(step, id, n)
	}
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil && ctx.Err() == nil {
		err = failed("Take", err)
	}
	return items, again, err
}

// lenient is a context for a step that begins with ctx, and may go on for a moment when that ends:
// a connection is closed whose question is called off.
func (b *Inbox) lenient(ctx context.Context) (context.Context, context.CancelFunc) {
	step, cancel := context.WithTimeout(context.WithoutCancel(ctx), stepTime)
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-step.Done():
		}
	})
	end := context.AfterFunc(b.live, cancel)
	return step, func() { stop(); end(); cancel() }
}

// The server keeps the plan of a statement, also one that it made while the tables were empty. Each has
// to find its rows by an index.
const (
	byIndex = `select set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)`
	// soon has no wait for the disk.
	soon = byIndex + `, set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true), set_config('synchronous_commit', 'off', true)`
)

// What is read must be asked for after the lines are locked, with a statement of its own, which
// sees what was committed before that. The replica is locked against those who think it is dead.
const (
	lockReplica = `select from {}.replica where id = $1 for key share`
	// An array is made once. A list after "in" may be made again for each line, by a plan for few lines, and is
	// of other lines then, because those that are taken are skipped.
	takeLines = `update {}.line set owner = $1, lease = $2, tries = tries + 1 where line = any(array(
			select line from {}.line where owner is null and exists (select from {}.replica where id = $1)
			order by since limit $3 for update skip locked))`
	heads = `select e.id, e.key, l.line, e.body, l.tries, e.at from {}.line l
		cross join lateral (select * from {}.event where line = l.line order by id limit 1) e
		where l.owner = $1 and l.lease = $2 order by l.since`
	dropEmpty = `delete from {}.line l where owner = $1 and lease = $2 and not exists (select from {}.event e where e.line = l.line)`
)

// hold takes lines and returns the heads. again: some were taken that were empty.
func (b *Inbox) hold(ctx context.Context, id int64, n int) (items []driver.InboxItem, again bool, err error) {
	b.mu.Lock()
	b.lease++
	lease := b.lease
	b.mu.Unlock()
	batch := newBatch()
	batch.Queue(soon)
	batch.Queue(b.db.sql(lockReplica), id)
	batch.Queue(b.db.sql(takeLines), id, lease, n).Exec(func(tag pgconn.CommandTag) error {
		again = tag.RowsAffected() > 0
		return nil
	})
	batch.Queue(b.db.sql(heads), id, lease).Query(func(rows pgx.Rows) (err error) {
		items, err = b.db.items(rows)
		return err
	})
	batch.Queue(b.db.sql(dropEmpty), id, lease)
	err = b.db.pool.SendBatch(ctx, batch).Close()
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.dirty = true
		return nil, false, err
	}
	if id != b.id { // who has taken it over has freed all this, too
		return nil, true, nil
	}
	for i := range items {
		if h, is := b.held[items[i].Line]; is { // the server has forgotten that
			close(h.lost)
		}
		lost := make(chan struct{})
		items[i].Lost = lost
		items[i].Lease = leaseName(id, lease)
		number, _ := strconv.ParseInt(items[i].ID, 36, 64) // which is the server's
		b.held[items[i].Line] = holding{id: number, lease: lease, lost: lost}
	}
	return items, again, nil
}

// items reads rows of id, key, line, body, tries and at. A body that does not open is left out.
func (db *DB) items(rows pgx.Rows) ([]driver.InboxItem, error) {
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (it driver.InboxItem, err error) {
		var id int64
		var sealed []byte
		if err := row.Scan(&id, &it.Key, &it.Line, &sealed, &it.Tries, &it.At); err != nil {
			return it, err
		}
		it.ID = strconv.FormatInt(id, 36)
		if it.Body, err = db.options.Keys.Open(eventContext(it.Key), sealed); err != nil {
			it.Body = nil
		}
		return it, nil
	})
}
