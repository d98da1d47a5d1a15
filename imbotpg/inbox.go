package imbotpg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/imbot-go/imbot/driver"
)

const (
	inboxLook = 250 * time.Millisecond // how often Take looks for what other processes have put
	stepTime  = 3 * time.Second        // for one step of the server
	grace     = 250 * time.Millisecond // for a step that has begun when the context of Take ends
	mostBody  = 5 << 20
)

// Inbox keeps events; see [driver.Inbox]. Put is one synchronous commit for all who put at that
// moment. What is taken and done is committed without a wait for the disk: a crash of the server brings
// some of it back, and events are handled again that it had in hand, but none is lost.
//
// What a process held that dies is free for the others within about 300 ms, that of a machine that
// vanishes after about 11 s. A process learns that others may have taken what it holds, and ends
// those callbacks, when it comes back after such a time. After the restart of a server nothing of a dead
// process is free in the first 3 s.
//
// An event that does not open with Options.Keys comes without a Body, so that an event handler
// buries and counts it.
type Inbox struct {
	db     *DB
	puts   *gatherer[driver.InboxItem]
	ends   *gatherer[ending]
	taking chan struct{} // holds one while no Take asks the server
	closed chan struct{}
	once   sync.Once
	err    error // of Close

	live context.Context // of the replica
	end  context.CancelFunc
	wg   sync.WaitGroup

	mu      sync.Mutex
	begun   bool               // the replica was started
	id      int64              // of the replica; 0: it has none
	joined  bool               // its session is there
	why     error              // it is not
	alone   bool               // no other replica was seen
	lease   int64              // the last one
	held    map[string]holding // by line
	dirty   bool               // the server may have lines as held by this process that it does not know of
	changed chan struct{}      // closed when Take has to look again
	waiting int                // who waits in Take
	told    time.Time          // when the others were woken
}

// holding is a line that this process holds.
type holding struct {
	id, lease int64 // of the item, and of the Take
	lost      chan struct{}
	again     bool // it was reconciled
}

// ending is an item that is done.
type ending struct {
	line             string
	owner, lease, id int64
	how              driver.InboxOutcome
}

var (
	_ driver.Inbox       = (*Inbox)(nil)
	_ driver.DeadLetters = (*Inbox)(nil)
	_ driver.InboxMeter  = (*Inbox)(nil)
)

// Inbox returns the events of the database, as one process has them. Close it, or the DB, at the
// end.
func (db *DB) Inbox() *Inbox {
	b := &Inbox{
		db: db, taking: make(chan struct{}, 1), closed: make(chan struct{}),
		held: map[string]holding{}, changed: make(chan struct{}),
	}
	b.taking <- struct{}{}
	b.live, b.end = context.WithCancel(context.Background())
	b.puts, b.ends = newGatherer(2, b.store), newGatherer(1, b.finish) // while one waits for the disk the other gathers
	db.mu.Lock()
	closed := db.closed
	db.inboxes = append(db.inboxes, b)
	db.mu.Unlock()
	if closed {
		_ = b.Close() // it has nothing yet
	}
	return b
}

// Format implements [fmt.Formatter].
func (b *Inbox) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "imbotpg.Inbox") }

// check returns why a method must not be called any more.
func (b *Inbox) check(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-b.closed:
		return driver.ErrClosed
	default:
		return nil
	}
}

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
	ctx, cancel := context.WithTimeout(context.Background(), stepTime)
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
	batch, fits, args := &pgx.Batch{}, "true", []any{lines, keys, bodies}
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
	step, cancel := lenient(ctx)
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
func lenient(ctx context.Context) (context.Context, context.CancelFunc) {
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
	return step, func() { stop(); cancel() }
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
	takeLines   = `update {}.line set owner = $1, lease = $2, tries = tries + 1 where line in (
			select line from {}.line where owner is null and exists (select from {}.replica where id = $1)
			order by since limit $3 for update skip locked)`
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
	batch := &pgx.Batch{}
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

// Done implements [driver.Inbox].
func (b *Inbox) Done(ctx context.Context, it driver.InboxItem, how driver.InboxOutcome) error {
	if how < driver.InboxHandled || how > driver.InboxBuried {
		return fmt.Errorf("imbotpg: Done: %v is no outcome", how)
	}
	e := ending{line: it.Line, how: how}
	var errs [2]error
	e.owner, e.lease, errs[0] = parseLease(it.Lease)
	e.id, errs[1] = strconv.ParseInt(it.ID, 36, 64)
	if errors.Join(errs[:]...) != nil {
		return driver.ErrTakenOver
	}
	ok, err := b.ends.ask(ctx, &request[ending]{what: e, name: it.Line})
	if err != nil {
		return err
	}
	b.forgets(e, !ok)
	if !ok {
		return driver.ErrTakenOver
	}
	return nil
}

// forgets notes that a line is not held any more.
func (b *Inbox) forgets(e ending, lost bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if h, is := b.held[e.line]; is && b.id == e.owner && h.lease == e.lease {
		delete(b.held, e.line)
		b.dirty = b.dirty || h.again
		if lost {
			close(h.lost)
		}
	}
}

const (
	doneItems = `unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::integer[]) as d (line, owner, lease, id, how)`
	isHeld    = `l.line = d.line and l.owner = d.owner and l.lease = d.lease`
	lockHeld  = `select d.id from {}.line l, ` + doneItems + ` where ` + isHeld + ` order by l.line for update of l`
	// A key is known for an hour after its event is done: cleaning adds the minute that is not written here.
	endEvents = `with gone as (
			delete from {}.event e using {}.line l, ` + doneItems + ` where ` + isHeld + ` and e.id = d.id and d.how <> 1
			returning e.*, l.tries, d.how
		), buried as (
			insert into {}.dead (id, line, key, body, tries, at) select id, line, key, body, tries, at from gone where how = 2
		)
		update {}.seen s set at = clock_timestamp() from gone g where s.key = g.key and g.at < clock_timestamp() - interval '1 minute'`
	endLines = `delete from {}.line l using ` + doneItems + ` where ` + isHeld + ` and not exists (select from {}.event e where e.line = l.line)`
	// Lines take turns.
	freeLines = `update {}.line l set owner = null, lease = null, since = clock_timestamp(),
			tries = case when d.how = 1 then greatest(l.tries - 1, 0) else 0 end
		from ` + doneItems + ` where ` + isHeld
)

// finish ends what was gathered; what is not held any more is not ok.
func (b *Inbox) finish(all []*request[ending]) {
	ctx, cancel := context.WithTimeout(context.Background(), stepTime)
	defer cancel()
	var lines []string
	var owners, leases, ids []int64
	var hows []int32
	for _, r := range all {
		e := r.what
		lines, owners, leases, ids = append(lines, e.line), append(owners, e.owner), append(leases, e.lease), append(ids, e.id)
		hows = append(hows, int32(e.how)) //nolint:gosec // one of three
	}
	args := []any{lines, owners, leases, ids, hows}
	ended, left := map[int64]bool{}, false
	batch := &pgx.Batch{}
	batch.Queue(soon)
	batch.Queue(b.db.sql(lockHeld), args...).Query(func(rows pgx.Rows) error {
		var id int64
		_, err := pgx.ForEachRow(rows, []any{&id}, func() error { ended[id] = true; return nil })
		return err
	})
	batch.Queue(b.db.sql(endEvents), args...)
	batch.Queue(b.db.sql(endLines), args...)
	batch.Queue(b.db.sql(freeLines), args...).Exec(func(tag pgconn.CommandTag) error {
		left = tag.RowsAffected() > 0
		return nil
	})
	err := failed("Done", b.db.pool.SendBatch(ctx, batch).Close())
	for _, r := range all {
		r.ok, r.err = ended[r.what.id], err
	}
	if err == nil && left {
		b.wake()
	}
}

// Close implements [driver.Inbox]. The DB stays open. When the server cannot be reached, what this
// process holds is free all the same, but the try counts; Close says so.
func (b *Inbox) Close() error {
	b.once.Do(func() {
		close(b.closed)
		b.puts.close()
		b.ends.close()
		<-b.taking
		b.err = failed("Close", b.leave())
		b.taking <- struct{}{} // for who waits there
		b.end()
		b.wg.Wait()
		b.db.mu.Lock()
		defer b.db.mu.Unlock()
		b.db.inboxes = slices.DeleteFunc(b.db.inboxes, func(other *Inbox) bool { return other == b })
	})
	return b.err
}

func eventContext(key string) string { return "event/" + key }

func leaseName(owner, lease int64) string {
	return strconv.FormatInt(owner, 36) + "." + strconv.FormatInt(lease, 36)
}

func parseLease(name string) (owner, lease int64, err error) {
	before, after, _ := strings.Cut(name, ".")
	var errs [2]error
	owner, errs[0] = strconv.ParseInt(before, 36, 64)
	lease, errs[1] = strconv.ParseInt(after, 36, 64)
	return owner, lease, errors.Join(errs[:]...)
}

// isName reports whether a text has 1 to 64 letters 0-9 a-z.
func isName(s string) bool {
	return len(s) > 0 && len(s) <= 64 && strings.Trim(s, "0123456789abcdefghijklmnopqrstuvwxyz") == ""
}

func isUnverified(line string) bool { return strings.HasPrefix(line, "u") }
