package imbotpg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/imbot-go/imbot/driver"
)

const (
	mostBody = 5 << 20
	lookTime = 250 * time.Millisecond // how often who waits in Take looks for what others have put
	workTime = 5 * time.Second        // for a transaction of an inbox
)

// Inbox keeps events; see [driver.Inbox]. Each is a replica of its own: what it has taken is free for
// the others when it is closed, or when the session of its process ends.
//
// An event whose row does not open with Options.Keys comes without a Body, so that an event handler
// buries and counts it.
type Inbox struct {
	db     *DB
	puts   chan *putting
	dones  chan *ending
	wake   chan struct{} // holds one when this process has put something or freed a line
	ctx    context.Context
	cancel context.CancelFunc
	works  sync.WaitGroup

	begun  sync.Once // the goroutines of Take: who only puts needs none
	taking sync.Mutex

	mu     sync.Mutex
	closed bool
	life   *life           // nil: it has no number yet
	alive  chan struct{}   // closed while life has its lock
	leases map[int64]int64 // items that are held, by the lease of their Take
	unsure bool            // lines may be held under a lease that is not in leases
}

var (
	_ driver.Inbox       = (*Inbox)(nil)
	_ driver.DeadLetters = (*Inbox)(nil)
	_ driver.InboxMeter  = (*Inbox)(nil)
)

// Inbox returns the events of the database. Close it, or the DB, at the end.
func (db *DB) Inbox() *Inbox {
	b := &Inbox{
		db: db, puts: make(chan *putting), dones: make(chan *ending), wake: make(chan struct{}, 1),
		alive: make(chan struct{}), leases: map[int64]int64{},
	}
	b.ctx, b.cancel = context.WithCancel(context.Background()) //nolint:gosec // Close cancels
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed {
		b.closed = true
		b.cancel()
		return b
	}
	db.inboxes = append(db.inboxes, b)
	for range 2 { // one gathers while the other waits for the disk
		b.works.Go(func() { gather(b.ctx, b.puts, b.putAll) })
	}
	b.works.Go(func() { gather(b.ctx, b.dones, b.endAll) })
	return b
}

// Format implements [fmt.Formatter].
func (b *Inbox) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "imbotpg.Inbox") }

// Put implements [driver.Inbox].
func (b *Inbox) Put(ctx context.Context, it driver.InboxItem) (fresh bool, err error) {
	switch {
	case !isName(it.Key) || !isName(it.Line):
		return false, errors.New("imbotpg: Put: Key and Line are 1 to 64 letters 0-9 a-z")
	case len(it.Body) > mostBody:
		return false, fmt.Errorf("imbotpg: Put: Body has %d bytes, and may have 5 MiB", len(it.Body))
	}
	p := &putting{ctx: ctx, line: it.Line, key: it.Key, body: b.db.options.Keys.Seal(eventContext(it.Key), it.Body), done: make(chan error, 1)}
	if err := ask(ctx, b, b.puts, p, p.done); err != nil {
		return false, failedUnless(err, "Put")
	}
	if p.fresh {
		b.hurry()
	}
	return p.fresh, nil
}

// Done implements [driver.Inbox].
func (b *Inbox) Done(ctx context.Context, it driver.InboxItem, how driver.InboxOutcome) error {
	if how < driver.InboxHandled || how > driver.InboxBuried {
		return fmt.Errorf("imbotpg: Done: %v is no outcome", how)
	}
	id, err := strconv.ParseInt(it.ID, 36, 64)
	owner, lease, ok := parseLease(it.Lease)
	if err != nil || !ok {
		return driver.ErrTakenOver
	}
	e := &ending{ctx: ctx, line: it.Line, id: id, owner: owner, lease: lease, how: how, done: make(chan error, 1)}
	if err := ask(ctx, b, b.dones, e, e.done); err != nil {
		return failedUnless(err, "Done")
	}
	b.hurry()
	return nil
}

// hurry wakes who waits in Take.
func (b *Inbox) hurry() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// ask hands something to a goroutine that gathers, and waits for the answer.
func ask[T any](ctx context.Context, b *Inbox, to chan<- T, what T, done <-chan error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if b.ctx.Err() != nil {
		return driver.ErrClosed
	}
	select {
	case to <- what:
	case <-ctx.Done():
		return ctx.Err()
	case <-b.ctx.Done():
		return driver.ErrClosed
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// failedUnless says what went wrong, unless it is an answer that the caller knows.
func failedUnless(err error, what string) error {
	for _, known := range []error{driver.ErrTakenOver, driver.ErrLineFull, driver.ErrClosed, driver.ErrNoItem, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, known) {
			return err
		}
	}
	return failed("Inbox."+what, err)
}

// Take implements [driver.Inbox].
func (b *Inbox) Take(ctx context.Context, n int) ([]driver.InboxItem, error) {
	b.begun.Do(func() {
		if b.ctx.Err() == nil {
			b.works.Go(b.live)
			b.works.Go(b.watch)
		}
	})
	tick := time.NewTicker(lookTime)
	defer tick.Stop()
	for {
		life, err := b.waitForLife(ctx)
		if err != nil {
			return nil, err
		}
		items, err := b.take(ctx, life, n)
		if err != nil || len(items) > 0 {
			return items, failedUnless(err, "Take")
		}
		select {
		case <-b.wake:
		case <-tick.C:
		case <-ctx.Done():
		case <-b.ctx.Done():
		}
	}
}

// take asks once. It finishes although ctx ends: what it has taken would be lost.
func (b *Inbox) take(ctx context.Context, life *life, n int) ([]driver.InboxItem, error) {
	b.taking.Lock()
	defer b.taking.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), workTime)
	defer cancel()
	lease := newLease()
	free, known := b.beginTake(lease)
	batch := transaction()
	if free { // a Take whose answer got lost
		batch.Queue(b.db.sql(`update {}.line set owner = null, lease = null where owner = $1 and lease <> all ($2)`), life.id, known)
	}
	// Two statements, because each sees what was committed before it: the lines first, then their heads.
	batch.Queue(b.db.sql(`with me as (select id from {}.replica where id = $1 for key share),
		free as (select line from {}.line where owner is null and exists (select from me) order by since limit $3 for update skip locked)
		update {}.line l set owner = $1, lease = $2 from free where l.line = free.line`), life.id, lease, n)
	var items []driver.InboxItem
	batch.Queue(b.db.sql(`with head as (select (select id from {}.event e where e.line = l.line order by id limit 1) id from {}.line l where l.owner = $1 and l.lease = $2)
		update {}.event e set tries = tries + 1 from head where e.id = head.id returning e.id, e.line, e.key, e.body, e.tries, e.at`), life.id, lease).
		Query(func(rows pgx.Rows) error {
			for rows.Next() {
				var it driver.InboxItem
				var id int64
				var body []byte
				if err := rows.Scan(&id, &it.Line, &it.Key, &body, &it.Tries, &it.At); err != nil {
					return err
				}
				it.ID, it.Lease, it.Lost = strconv.FormatInt(id, 36), formatLease(life.id, lease), life.lost
				it.Body = b.db.open(it.Key, body)
				items = append(items, it)
			}
			return rows.Err()
		})
	batch.Queue(b.db.sql(`delete from {}.line l where owner = $1 and lease = $2 and not exists (select from {}.event e where e.line = l.line)`), life.id, lease)
	batch.Queue("commit")
	err := b.db.pool.SendBatch(ctx, batch).Close()
	b.endTake(lease, int64(len(items)), err)
	if err != nil {
		return nil, err
	}
	return items, nil
}

// transaction begins one whose end need not be on the disk: a crash of the server brings what it has
// ended back, and loses nothing.
func transaction() *pgx.Batch {
	batch := &pgx.Batch{}
	batch.Queue("begin")
	batch.Queue("set local synchronous_commit = off")
	return batch
}

// beginTake notes a lease before anything is taken under it, and tells which others are known if some
// may not be.
func (b *Inbox) beginTake(lease int64) (free bool, known []int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	known = []int64{lease}
	for l := range b.leases {
		known = append(known, l)
	}
	return b.unsure, known
}

func (b *Inbox) endTake(lease, items int64, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.unsure = err != nil
	if items > 0 && err == nil {
		b.leases[lease] = items
	}
}

// open returns the body of a row; nil: it does not open.
func (db *DB) open(key string, row []byte) []byte {
	body, err := db.options.Keys.Open(eventContext(key), row)
	if err != nil {
		return nil
	}
	return bytes.Clone(body)
}

func eventContext(key string) string { return "event/" + key }

// Close implements [driver.Inbox]. The DB stays open.
func (b *Inbox) Close() error {
	b.mu.Lock()
	closed := b.closed
	b.closed = true
	b.mu.Unlock()
	if closed {
		return nil
	}
	b.begun.Do(func() {}) // nothing begins any more
	b.cancel()
	b.works.Wait()
	b.taking.Lock()
	defer b.taking.Unlock()
	b.mu.Lock()
	life := b.life
	b.life = nil
	b.mu.Unlock()
	if life == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), workTime)
	defer cancel()
	err := b.db.bequeath(ctx, life.id, true)
	if life.hold != nil {
		life.hold.release()
	}
	return failed("Inbox.Close", err)
}

// Dead implements [driver.DeadLetters].
func (b *Inbox) Dead(ctx context.Context, n int) ([]driver.InboxItem, error) {
	if err := b.check(ctx); err != nil {
		return nil, err
	}
	rows, err := b.db.pool.Query(ctx, b.db.sql(`select id, line, key, body, tries, at from {}.dead order by buried, id limit $1`), n)
	if err != nil {
		return nil, failedUnless(err, "Dead")
	}
	dead, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (it driver.InboxItem, err error) {
		var id int64
		var body []byte
		err = row.Scan(&id, &it.Line, &it.Key, &body, &it.Tries, &it.At)
		it.ID, it.Body = strconv.FormatInt(id, 36), b.db.open(it.Key, body)
		return it, err
	})
	return dead, failedUnless(err, "Dead")
}

// Revive implements [driver.DeadLetters].
func (b *Inbox) Revive(ctx context.Context, id string) error {
	err := b.exhume(ctx, id, `with d as (delete from {}.dead where id = $1 returning *),
		l as (insert into {}.line as l (line) select line from d on conflict (line) do update set owner = l.owner where false),
		s as (insert into {}.seen (key, at) select key, 'infinity' from d on conflict (key) do update set at = 'infinity')
		insert into {}.event (line, key, body, at) select line, key, body, at from d`)
	if err == nil {
		b.hurry()
	}
	return err
}

// Drop implements [driver.DeadLetters].
func (b *Inbox) Drop(ctx context.Context, id string) error {
	return b.exhume(ctx, id, `delete from {}.dead where id = $1`)
}

func (b *Inbox) exhume(ctx context.Context, id, statement string) error {
	if err := b.check(ctx); err != nil {
		return err
	}
	number, err := strconv.ParseInt(id, 36, 64)
	if err != nil {
		return driver.ErrNoItem
	}
	tag, err := b.db.pool.Exec(ctx, b.db.sql(statement), number)
	if err == nil && tag.RowsAffected() == 0 {
		err = driver.ErrNoItem
	}
	return failedUnless(err, "DeadLetters")
}

// InboxStats implements [driver.InboxMeter].
func (b *Inbox) InboxStats(ctx context.Context) (stats driver.InboxStats, err error) {
	if err := b.check(ctx); err != nil {
		return stats, err
	}
	var events int64
	var oldest float64
	err = b.db.pool.QueryRow(ctx, b.db.sql(`select (select count(*) from {}.event), (select count(*) from {}.line where owner is not null),
		(select count(*) from {}.dead), coalesce((select extract(epoch from clock_timestamp() - at) from {}.event order by id limit 1), 0)::float8`)).
		Scan(&events, &stats.Running, &stats.Dead, &oldest)
	stats.Waiting, stats.Oldest = max(events-stats.Running, 0), time.Duration(max(oldest, 0)*float64(time.Second))
	return stats, failedUnless(err, "InboxStats")
}

func (b *Inbox) check(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if b.ctx.Err() != nil {
		return driver.ErrClosed
	}
	return nil
}

// isName reports whether a text has 1 to 64 letters 0-9 a-z.
func isName(s string) bool {
	return len(s) > 0 && len(s) <= 64 && strings.Trim(s, "0123456789abcdefghijklmnopqrstuvwxyz") == ""
}
