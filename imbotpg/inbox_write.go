package imbotpg

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/imbot-go/imbot/driver"
)

const (
	mostGathered = 256     // in one statement: what waits is written together
	mostBytes    = 8 << 20 // of bodies in one
)

// gatherable is what waits to be written with others.
type gatherable interface {
	size() int
	over() error // of its context
	answer(error)
}

// gather writes what waits, together, until ctx ends.
func gather[T gatherable](ctx context.Context, from <-chan T, write func([]T) error) {
	var held []T // did not fit any more
	for {
		batch := held
		held = nil
		if len(batch) == 0 {
			select {
			case first := <-from:
				batch = append(batch, first)
			case <-ctx.Done():
				return
			}
		}
		size := batch[0].size()
	more:
		for len(batch) < mostGathered {
			select {
			case next := <-from:
				if size += next.size(); size > mostBytes {
					held = append(held, next)
					break more
				}
				batch = append(batch, next)
			default:
				break more
			}
		}
		batch = slices.DeleteFunc(batch, func(one T) bool {
			err := one.over()
			if err != nil {
				one.answer(err)
			}
			return err != nil
		})
		if len(batch) == 0 {
			continue
		}
		if err := write(batch); err != nil {
			for _, one := range batch {
				one.answer(err)
			}
		}
	}
}

// putting is an event that is put.
type putting struct {
	ctx       context.Context
	line, key string
	body      []byte
	fresh     bool
	done      chan error
}

func (p *putting) size() int        { return len(p.body) }
func (p *putting) over() error      { return p.ctx.Err() }
func (p *putting) answer(err error) { p.done <- err }

// putAll puts events in one statement, which waits for the disk. Keys and lines are in order, or two
// replicas would wait for each other. Writing nothing into a line that is there locks it, so that
// nobody takes it away as empty meanwhile.
func (b *Inbox) putAll(all []*putting) error {
	ctx, cancel := context.WithTimeout(context.Background(), workTime)
	defer cancel()
	var full []*putting
	var err error
	if slices.ContainsFunc(all, (*putting).isUnverified) {
		err = pgx.BeginFunc(ctx, b.db.pool, func(tx pgx.Tx) error {
			room, none, err := b.withRoom(ctx, tx, all)
			full = none
			if err != nil {
				return err
			}
			return b.insert(ctx, tx, room)
		})
	} else {
		err = b.insert(ctx, b.db.pool, all)
	}
	if err != nil {
		return err
	}
	for _, p := range all {
		if slices.Contains(full, p) {
			p.answer(driver.ErrLineFull)
			continue
		}
		p.answer(nil)
	}
	return nil
}

func (p *putting) isUnverified() bool { return strings.HasPrefix(p.line, "u") }

type querying interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func (b *Inbox) insert(ctx context.Context, q querying, batch []*putting) error {
	slices.SortStableFunc(batch, func(a, b *putting) int { return cmp.Compare(a.key, b.key) })
	var keys, lines []string
	var bodies [][]byte
	byKey := map[string]*putting{}
	for _, p := range batch {
		if byKey[p.key] != nil {
			continue // the first of them is fresh, if any
		}
		byKey[p.key] = p
		keys, lines, bodies = append(keys, p.key), append(lines, p.line), append(bodies, p.body)
	}
	if len(keys) == 0 {
		return nil
	}
	fresh, err := texts(q.Query(ctx, b.db.sql(`with item as (select * from unnest($1::text[], $2::text[], $3::bytea[]) with ordinality as t (key, line, body, n)),
		fresh as (insert into {}.seen (key, at) select key, 'infinity' from item order by key on conflict do nothing returning key),
		lines as (insert into {}.line as l (line) select distinct line from item join fresh using (key) order by line on conflict (line) do update set owner = l.owner where false)
		insert into {}.event (line, key, body) select line, key, body from item join fresh using (key) order by n returning key`), keys, lines, bodies))
	if err != nil {
		return err
	}
	for _, key := range fresh {
		byKey[key].fresh = true
	}
	return nil
}

// texts collects rows of one text.
func texts(rows pgx.Rows, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// withRoom tells the events of full lines from the others. Nobody else puts anything into these lines
// until the end of the transaction.
func (b *Inbox) withRoom(ctx context.Context, tx pgx.Tx, all []*putting) (room, full []*putting, err error) {
	var lines, keys []string
	for _, p := range all {
		if p.isUnverified() {
			lines, keys = append(lines, p.line), append(keys, p.key)
		}
	}
	slices.Sort(lines)
	lines = slices.Compact(lines)
	for _, line := range lines {
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtextextended($1, 1))`, b.db.options.Schema+" "+line); err != nil {
			return nil, nil, err
		}
	}
	waiting, err := texts(tx.Query(ctx, b.db.sql(`select line from {}.event where line = any ($1)`), lines))
	if err != nil {
		return nil, nil, err
	}
	seen, err := texts(tx.Query(ctx, b.db.sql(`select key from {}.seen where key = any ($1)`), keys))
	if err != nil {
		return nil, nil, err
	}
	count := map[string]int{}
	for _, line := range waiting {
		count[line]++
	}
	for _, p := range all {
		if p.isUnverified() && !slices.Contains(seen, p.key) {
			if count[p.line] >= driver.MostUnverified {
				full = append(full, p)
				continue
			}
			count[p.line]++
		}
		room = append(room, p)
	}
	return room, full, nil
}

// ending is an item that is done.
type ending struct {
	ctx              context.Context
	line             string
	id, owner, lease int64
	how              driver.InboxOutcome
	done             chan error
}

func (e *ending) size() int        { return 1 }
func (e *ending) over() error      { return e.ctx.Err() }
func (e *ending) answer(err error) { e.done <- err }

// endAll ends items in one transaction. Their lines are locked first, in order, and what follows is for
// those that are still held.
func (b *Inbox) endAll(all []*ending) error {
	ctx, cancel := context.WithTimeout(context.Background(), workTime)
	defer cancel()
	slices.SortFunc(all, func(a, b *ending) int { return cmp.Compare(a.line, b.line) })
	var lines []string
	var ids, owners, leases []int64
	var hows []int32
	for _, e := range all {
		lines, ids, owners, leases = append(lines, e.line), append(ids, e.id), append(owners, e.owner), append(leases, e.lease)
		hows = append(hows, int32(e.how)) //nolint:gosec // three of them
	}
	ours := map[int64]bool{}
	const of = `unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::int[]) t (line, id, owner, lease, how)`
	held := `select t.* from ` + of + ` join {}.line l on l.line = t.line and l.owner = t.owner and l.lease = t.lease`
	batch := transaction()
	batch.Queue(b.db.sql(`select t.id from `+of+` join {}.line l on l.line = t.line and l.owner = t.owner and l.lease = t.lease
		join {}.event e on e.id = t.id and e.line = t.line order by l.line for update of l`), lines, ids, owners, leases, hows).
		Query(func(rows pgx.Rows) error {
			found, err := pgx.CollectRows(rows, pgx.RowTo[int64])
			for _, id := range found {
				ours[id] = true
			}
			return err
		})
	batch.Queue(b.db.sql(`with held as (`+held+`),
		back as (update {}.event e set tries = greatest(tries - 1, 0) from held where e.id = held.id and held.how = 1),
		gone as (delete from {}.event e using held where e.id = held.id and held.how <> 1 returning e.*, held.how),
		dead as (insert into {}.dead (id, line, key, body, tries, at) select id, line, key, body, tries, at from gone where how = 2 on conflict do nothing)
		update {}.seen s set at = clock_timestamp() from gone where s.key = gone.key`), lines, ids, owners, leases, hows)
	batch.Queue(b.db.sql(`delete from {}.line l using (`+held+`) held where l.line = held.line and not exists (select from {}.event e where e.line = l.line)`),
		lines, ids, owners, leases, hows)
	batch.Queue(b.db.sql(`update {}.line l set owner = null, lease = null, since = clock_timestamp() from (`+held+`) held where l.line = held.line`),
		lines, ids, owners, leases, hows)
	batch.Queue("commit")
	if err := b.db.pool.SendBatch(ctx, batch).Close(); err != nil {
		return err
	}
	for _, e := range all {
		if !ours[e.id] {
			e.answer(driver.ErrTakenOver)
			continue
		}
		b.ended(e.lease)
		e.answer(nil)
	}
	return nil
}

// ended forgets an item of a lease.
func (b *Inbox) ended(lease int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.leases[lease]--; b.leases[lease] <= 0 {
		delete(b.leases, lease)
	}
}

// newLease names one Take. Random, so that none needs the server.
func newLease() int64 { return rand.Int64() } //nolint:gosec // it is no secret

func formatLease(owner, lease int64) string {
	return strconv.FormatInt(owner, 36) + "-" + strconv.FormatInt(lease, 36)
}

func parseLease(text string) (owner, lease int64, ok bool) {
	first, second, _ := strings.Cut(text, "-")
	owner, err := strconv.ParseInt(first, 36, 64)
	lease, errToo := strconv.ParseInt(second, 36, 64)
	return owner, lease, errors.Join(err, errToo) == nil
}
