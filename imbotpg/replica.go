package imbotpg

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	rejoin   = 100 * time.Millisecond // after which a session that cannot be had is tried again
	tellRest = 100 * time.Millisecond // between two wake-ups of the others
)

// begin starts the replica, with which this process holds lines. Close ends it.
func (b *Inbox) begin() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.begun && b.check(b.live) == nil {
		b.begun = true
		b.wg.Go(b.run)
	}
}

// run keeps a session that holds the lock of the replica, because the others free what a replica holds
// whose lock they get, and gets their locks.
func (b *Inbox) run() {
	for again := false; b.check(b.live) == nil; again = true {
		conn, id, err := b.join()
		if err == nil {
			reaps := time.Now()
			if again { // all may have lost their sessions at once, and come back one by one
				reaps = reaps.Add(serverYouth)
			}
			b.isJoined()
			err = b.watch(conn, id, reaps)
		}
		wasJoined := b.lost(err)
		if conn != nil {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			_ = conn.Close(ctx)
			cancel()
		}
		if wasJoined {
			continue // at once, before another replica gets the lock
		}
		select {
		case <-time.After(rejoin):
		case <-b.live.Done():
		}
	}
}

// serverYouth is how long the replicas of a server that has started have to come back.
const serverYouth = 3 * time.Second

var errStillHeld = errors.New("the server has not noticed yet that the session of this process was lost")

// lockName names the lock of a replica: hashtextextended(lockName, id).
func (b *Inbox) lockName() string { return "imbot replica " + b.db.options.Schema }

// join connects, and locks the replica of this process: the one it had, if that is still there.
func (b *Inbox) join() (conn *pgx.Conn, id int64, err error) {
	ctx, cancel := context.WithTimeout(b.live, sessionTimeout)
	defer cancel()
	if conn, err = b.db.session(ctx); err != nil {
		return nil, 0, err
	}
	if _, err := conn.Exec(ctx, `listen `+b.channel()); err != nil {
		return conn, 0, err
	}
	b.mu.Lock()
	id = b.id
	b.mu.Unlock()
	if id != 0 {
		var got, there bool
		err := conn.QueryRow(ctx, `select pg_try_advisory_lock(hashtextextended($1, $2))`, b.lockName(), id).Scan(&got)
		if err == nil {
			err = conn.QueryRow(ctx, b.db.sql(`select exists (select from {}.replica where id = $1)`), id).Scan(&there)
		}
		switch {
		case err != nil || got && there:
			return conn, id, err
		case there:
			return conn, 0, errStillHeld
		}
		b.takenOver()
	}
	// Nobody sees the replica before it is locked.
	err = conn.QueryRow(ctx, b.db.sql(`with r as (insert into {}.replica (name) values ($1) returning id)
		select id, pg_try_advisory_lock(hashtextextended($2, id)) from r`), b.db.options.Name, b.lockName()).Scan(&id, nil)
	if err == nil {
		b.mu.Lock()
		b.id = id
		b.mu.Unlock()
	}
	return conn, id, err
}

// takenOver ends all that this process holds: its replica was thought dead.
func (b *Inbox) takenOver() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.id = 0
	for line, h := range b.held {
		close(h.lost)
		delete(b.held, line)
	}
}

func (b *Inbox) isJoined() {
	b.mu.Lock()
	b.joined, b.why = true, nil
	b.mu.Unlock()
	b.wake()
}

// lost notes that there is no session. What was held stays so until somebody else gets the lock.
func (b *Inbox) lost(why error) (wasJoined bool) {
	b.mu.Lock()
	wasJoined = b.joined
	b.joined, b.why, b.dirty = false, why, true
	b.mu.Unlock()
	b.wake()
	return wasJoined
}

// replica returns the replica that may take; 0: it has not joined yet. why: it cannot.
func (b *Inbox) replica() (id int64, dirty bool, why error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.joined {
		return 0, false, b.why
	}
	return b.id, b.dirty, nil
}

// watch looks for dead replicas until the session is lost.
func (b *Inbox) watch(conn *pgx.Conn, id int64, reaps time.Time) error {
	for {
		next := time.Now().Add(sessionLook)
		if err := b.look(conn, id, time.Now().After(reaps)); err != nil {
			return err
		}
		for {
			ctx, cancel := context.WithDeadline(b.live, next)
			_, err := conn.WaitForNotification(ctx)
			cancel()
			if err == nil {
				b.wake()
				continue
			}
			if b.live.Err() != nil || conn.IsClosed() {
				return err
			}
			break
		}
	}
}

var errNoReplica = errors.New("somebody has deleted the row of this process in table replica")

// look tries the locks of the other replicas, and frees what the dead held.
func (b *Inbox) look(conn *pgx.Conn, own int64, reaps bool) error {
	ctx, cancel := context.WithTimeout(b.live, sessionTimeout)
	defer cancel()
	rows, _ := conn.Query(ctx, b.db.sql(`select id, case when $3::boolean and id <> $2 and pg_postmaster_start_time() < clock_timestamp() - $4 * interval '1 second'
		then pg_try_advisory_lock(hashtextextended($1, id)) else false end from {}.replica`), b.lockName(), own, reaps, serverYouth.Seconds()) // its error is that of the rows
	var id int64
	var got, there bool
	var dead []int64
	others := 0
	_, err := pgx.ForEachRow(rows, []any{&id, &got}, func() error {
		there = there || id == own
		if got {
			dead = append(dead, id)
		} else {
			others++
		}
		return nil
	})
	if err == nil && !there {
		err = errNoReplica
	}
	b.mu.Lock()
	b.alone = others <= 1
	b.mu.Unlock()
	if err != nil || len(dead) == 0 {
		return err
	}
	batch := newBatch()
	batch.Queue(b.db.sql(`delete from {}.replica where id = any($1)`), dead)
	batch.Queue(b.db.sql(freeAll+`owner = any($1)`+thatAre), dead)
	if err := conn.SendBatch(ctx, batch).Close(); err != nil {
		return err
	}
	b.wake()
	_, err = conn.Exec(ctx, `select pg_advisory_unlock(hashtextextended($1, id)) from unnest($2::bigint[]) id`, b.lockName(), dead)
	return err
}

// What was free and is free again comes first. $1 are replicas.
const (
	freeAll = `with l as (select line from {}.line where `
	thatAre = ` order by line for update) update {}.line set owner = null, lease = null from l where line.line = l.line`
	// untried frees what nobody has begun to handle.
	untried = ` order by line for update) update {}.line set owner = null, lease = null, tries = greatest(tries - 1, 0) from l where line.line = l.line`
)

// What a crash has undone is held again, before somebody else takes it.
const holdAgain = `with l as (select l.line, k.lease from {}.line l join unnest($2::text[], $3::bigint[], $4::bigint[]) k (line, lease, id) using (line)
		where owner is null and exists (select from {}.event e where e.id = k.id) order by line for update of l)
	update {}.line set owner = $1, lease = l.lease, tries = tries + 1 from l where line.line = l.line`

// reconcile makes the server have as held by this process what that knows of: it may have forgotten a
// Take or a Done when it crashed, and the answer to a Take may have got lost. Done may go on beside; what
// it frees meanwhile is reconciled once more when it returns.
func (b *Inbox) reconcile(ctx context.Context, id int64) error {
	var lines []string
	var leases, ids []int64
	b.mu.Lock()
	for line, h := range b.held {
		lines, leases, ids = append(lines, line), append(leases, h.lease), append(ids, h.id)
		h.again = true
		b.held[line] = h
	}
	b.dirty = false
	b.mu.Unlock()
	batch := newBatch()
	batch.Queue(soon)
	batch.Queue(b.db.sql(freeAll+`owner = $1 and (line, lease) not in (select * from unnest($2::text[], $3::bigint[]))`+untried), id, lines, leases)
	batch.Queue(b.db.sql(holdAgain), id, lines, leases, ids)
	err := b.db.pool.SendBatch(ctx, batch).Close()
	if err != nil {
		b.mu.Lock()
		b.dirty = true
		b.mu.Unlock()
	}
	return err
}

// leave returns what this process holds, and tells the others.
func (b *Inbox) leave() error {
	b.mu.Lock()
	id := b.id
	b.mu.Unlock()
	if id == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(b.live, stepTime)
	defer cancel()
	batch := newBatch()
	batch.Queue(soon)
	batch.Queue(b.db.sql(freeAll+`owner = $1`+untried), id)
	batch.Queue(b.db.sql(`delete from {}.replica where id = $1`), id)
	batch.Queue(`select pg_notify($1, '')`, b.channel())
	err := b.db.pool.SendBatch(ctx, batch).Close()
	b.takenOver()
	return err
}

// wake has those look again who wait in Take.
func (b *Inbox) wake() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.changed)
	b.changed = make(chan struct{})
}

// wasPut wakes who waits in Take here, else those in other processes: all workers here are busy.
func (b *Inbox) wasPut() {
	b.wake()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting > 0 || b.alone || time.Since(b.told) < tellRest || b.check(b.live) != nil {
		return
	}
	b.told = time.Now()
	b.wg.Go(func() {
		ctx, cancel := context.WithTimeout(b.live, stepTime)
		defer cancel()
		_, _ = b.db.pool.Exec(ctx, `select pg_notify($1, '')`, b.channel()) // else they look by themselves
	})
}

// channel names what the replicas of a schema listen to. Its length is bounded.
func (b *Inbox) channel() string {
	sum := sha256.Sum256([]byte(b.db.options.Schema))
	return "imbot_" + hex.EncodeToString(sum[:8])
}
