package imbotpg

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/imbot-go/imbot/driver"
)

// ending is an item that is done.
type ending struct {
	line             string
	owner, lease, id int64
	how              driver.InboxOutcome
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
	ctx, cancel := context.WithTimeout(b.live, stepTime)
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
	batch := newBatch()
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
