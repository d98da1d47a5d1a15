package imbotpg_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/imbotpg"
	"github.com/imbot-go/imbot/imbotpg/internal/pgtest"
)

func item(key, line string) driver.InboxItem {
	return driver.InboxItem{Key: key, Line: line, Body: []byte("body of " + key)}
}

func mustPut(t testing.TB, in driver.Inbox, key, line string) {
	t.Helper()
	fresh, err := in.Put(t.Context(), item(key, line))
	require.NoError(t, err)
	require.True(t, fresh)
}

// mustTake takes one item, and waits for it longer than anything lasts.
func mustTake(t testing.TB, in driver.Inbox) driver.InboxItem {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		items, err := in.Take(ctx, 1)
		if err == nil {
			return items[0]
		}
		require.NoError(t, ctx.Err(), "Take: %v", err) // a server that is away is no end
	}
}

// one reads one value.
func one[T any](t testing.TB, s *pgtest.Server, query string, args ...any) (v T) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.DSN)
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	require.NoError(t, conn.QueryRow(t.Context(), query, args...).Scan(&v))
	return v
}

const endSessions = `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'imbot locks'`

// The server keeps the plan of the sixth Take, which is for a table without a page.
func TestAPlanForNoLinesTakesAsManyAsAreAskedFor(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	in := openInbox(t, s.DSN+" pool_max_conns=1", imbotpg.Options{})
	mustPut(t, in, "a", "a")
	require.NoError(t, in.Done(t.Context(), mustTake(t, in), driver.InboxHandled))
	s.Exec(`vacuum imbot.line`)
	for range 7 {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		_, err := in.Take(ctx, 1)
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
	for i := range 20 {
		mustPut(t, in, fmt.Sprint(i), fmt.Sprint(i))
	}
	items, err := in.Take(t.Context(), 2)
	require.NoError(t, err)
	require.Len(t, items, 2)
}

func TestWhatTheServerHasAsHeldUnknowinglyIsFree(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	in := open(t, s, imbotpg.Options{}).Inbox()
	mustPut(t, in, "1", "a")
	mustPut(t, in, "2", "b")
	held := mustTake(t, in)
	require.Equal(t, "1", held.Key)
	// As after a Take whose answer got lost, and the session with it.
	s.Exec(`update imbot.line set owner = (select max(id) from imbot.replica), lease = 99, tries = 1 where line = 'b'`)
	s.Exec(endSessions)
	it := mustTake(t, in)
	require.Equal(t, "2", it.Key)
	require.Equal(t, 1, it.Tries, "nobody has begun with it")
	require.NoError(t, in.Done(t.Context(), held, driver.InboxHandled), "what is known is held on")
	require.NoError(t, in.Done(t.Context(), it, driver.InboxHandled))
}

func TestWhatTheServerHasForgottenIsHeldOn(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	in := open(t, s, imbotpg.Options{}).Inbox()
	mustPut(t, in, "1", "a")
	mustPut(t, in, "2", "a")
	held := mustTake(t, in)
	const session = `select coalesce(max(pid), 0) from pg_locks where locktype = 'advisory' and granted`
	before := one[int](t, s, session)
	// As a crash does that undoes the Take.
	s.Exec(`update imbot.line set owner = null, lease = null, tries = 0`)
	s.Exec(endSessions)
	require.Eventually(t, func() bool {
		now := one[int](t, s, session)
		return now != 0 && now != before
	}, 30*time.Second, 10*time.Millisecond)
	mustPut(t, in, "3", "b")
	it := mustTake(t, in)
	require.Equal(t, "3", it.Key)
	require.NoError(t, in.Done(t.Context(), it, driver.InboxHandled))
	require.Equal(t, 1, one[int](t, s, `select tries from imbot.line where owner is not null`))
	require.NoError(t, in.Done(t.Context(), held, driver.InboxHandled))
	require.Equal(t, "2", mustTake(t, in).Key)
}

func TestWhoWasTakenForDeadLearnsIt(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	a, b := open(t, s, imbotpg.Options{}).Inbox(), open(t, s, imbotpg.Options{}).Inbox()
	mustPut(t, a, "1", "a")
	lost := mustTake(t, a)
	// As another replica does that gets its lock.
	s.Exec(`delete from imbot.replica`)
	s.Exec(`update imbot.line set owner = null, lease = null`)
	s.Exec(endSessions)
	it := mustTake(t, b)
	require.Equal(t, 2, it.Tries)
	select {
	case <-lost.Lost:
	case <-time.After(30 * time.Second):
		require.Fail(t, "Lost stays open")
	}
	require.ErrorIs(t, a.Done(t.Context(), lost, driver.InboxHandled), driver.ErrTakenOver)
	require.NoError(t, b.Done(t.Context(), it, driver.InboxHandled))
	mustPut(t, b, "2", "b")
	require.Equal(t, "2", mustTake(t, a).Key, "it goes on under another number")
}

func TestALostSessionAloneIsNoDeath(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	in := open(t, s, imbotpg.Options{}).Inbox()
	mustPut(t, in, "1", "a")
	it := mustTake(t, in)
	replica := one[int64](t, s, `select id from imbot.replica`)
	for range 5 {
		s.Exec(endSessions)
		require.Eventually(t, func() bool {
			return one[int64](t, s, `select count(*) from pg_locks where locktype = 'advisory' and granted`) == 1
		}, 30*time.Second, 10*time.Millisecond)
	}
	require.Equal(t, replica, one[int64](t, s, `select id from imbot.replica`))
	select {
	case <-it.Lost:
		require.Fail(t, "it is held on")
	default:
	}
	require.NoError(t, in.Done(t.Context(), it, driver.InboxHandled))
}

func TestAServerThatOnlyReadsTakesNothingIn(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	in := open(t, s, imbotpg.Options{}).Inbox()
	mustPut(t, in, "1", "a")
	s.ReadOnly(true)
	require.Eventually(t, func() bool {
		_, err := in.Put(t.Context(), item("2", "a"))
		return err != nil && strings.Contains(err.Error(), "read-only")
	}, 30*time.Second, 10*time.Millisecond)
	_, err := in.Take(t.Context(), 1)
	require.ErrorContains(t, err, "read-only")
	s.ReadOnly(false)
	require.Equal(t, "1", mustTake(t, in).Key)
	require.Eventually(t, func() bool {
		_, err := in.Put(t.Context(), item("3", "a"))
		return err == nil
	}, 30*time.Second, 10*time.Millisecond)
}

func TestWhatDoesNotOpenComesWithoutABody(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	in := open(t, s, imbotpg.Options{Keys: keys(t, 'a')}).Inbox()
	for i, damage := range []string{
		`update imbot.event set body = '\x00'`,
		`update imbot.event set body = set_byte(body, 40, get_byte(body, 40) # 1)`,
		`update imbot.event set key = key || 'x'`,
	} {
		mustPut(t, in, fmt.Sprint(i), "a")
		s.Exec(damage)
		it := mustTake(t, in)
		require.Nil(t, it.Body, damage)
		require.NoError(t, in.Done(t.Context(), it, driver.InboxBuried))
	}
	dead, err := in.Dead(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, dead, 3)
	mustPut(t, in, "whole", "a")
	require.Equal(t, "body of whole", string(mustTake(t, in).Body))
	require.Zero(t, one[int](t, s, `select count(*)::int from imbot.event where position('body of'::bytea in body) > 0`))
}

func TestCleaningKeepsWhatIsNeeded(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	db := open(t, s, imbotpg.Options{})
	in := db.Inbox()
	mustPut(t, in, "waits", "a")
	s.Exec(`update imbot.event set at = at - interval '5 hours'`)
	s.Exec(`update imbot.seen set at = at - interval '5 hours'`)
	s.Exec(`insert into imbot.seen (key, at) select 'old' || i, clock_timestamp() - interval '7 hours' from generate_series(1, 25000) i`)
	s.Exec(`insert into imbot.seen (key, at) select 'young' || i, clock_timestamp() - interval '59 minutes' from generate_series(1, 10) i`)
	s.Exec(`insert into imbot.dead (id, line, key, body, tries, at, buried) select i, 'a', 'k' || i, '', 1, clock_timestamp(), clock_timestamp() - interval '1 day' * (i % 40) from generate_series(1, 15000) i`)
	s.Exec(`insert into imbot.state (key, body, until) values ('old', '', clock_timestamp()), ('young', '', clock_timestamp() + interval '1 minute')`)
	require.NoError(t, db.Clean(t.Context()))
	require.Equal(t, 11, one[int](t, s, `select count(*)::int from imbot.seen`))
	require.Equal(t, 10_000, one[int](t, s, `select count(*)::int from imbot.dead`))
	require.Zero(t, one[int](t, s, `select count(*)::int from imbot.dead where buried < clock_timestamp() - interval '30 days'`))
	require.Equal(t, "young", one[string](t, s, `select key from imbot.state`))
	fresh, err := in.Put(t.Context(), item("waits", "a"))
	require.NoError(t, err)
	require.False(t, fresh)
	// An hour begins with Done.
	require.NoError(t, in.Done(t.Context(), mustTake(t, in), driver.InboxHandled))
	require.NoError(t, db.Clean(t.Context()))
	fresh, err = in.Put(t.Context(), item("waits", "a"))
	require.NoError(t, err)
	require.False(t, fresh)
}

func TestReplicasDoNotWaitForEachOtherInACircle(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	o := imbotpg.Options{}
	inboxes := []*imbotpg.Inbox{open(t, s, o).Inbox(), open(t, s, o).Inbox()}
	const putters, each = 24, 40
	var wg sync.WaitGroup
	for p := range putters {
		wg.Go(func() {
			for i := range each { // of each key two, in lines that all use
				_, err := inboxes[p%2].Put(t.Context(), item(fmt.Sprint(p/2, "x", i), fmt.Sprint("line", (p*7+i*5)%9)))
				require.NoError(t, err)
			}
		})
	}
	handled := 0
	for handled < putters*each/2 {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		in := inboxes[handled%2]
		items, err := in.Take(ctx, 9)
		cancel()
		require.NoError(t, err)
		for _, it := range items {
			wg.Go(func() { require.NoError(t, in.Done(t.Context(), it, driver.InboxHandled)) })
		}
		handled += len(items)
	}
	wg.Wait()
	require.Zero(t, one[int64](t, s, `select sum(deadlocks)::bigint from pg_stat_database`))
	require.Zero(t, one[int64](t, s, `select count(*) from imbot.line where owner is not null`))
}

func TestWhoseWorkersAreBusyTellsTheOthers(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	a, b := open(t, s, imbotpg.Options{}).Inbox(), open(t, s, imbotpg.Options{}).Inbox()
	for i, in := range []*imbotpg.Inbox{a, b} { // both are replicas
		mustPut(t, in, fmt.Sprint("first", i), fmt.Sprint("a", i))
		mustTake(t, in)
	}
	conn, err := pgx.Connect(t.Context(), s.DSN)
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.Background()) }()
	_, err = conn.Exec(t.Context(), `listen `+a.Channel())
	require.NoError(t, err)
	heard := func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		_, err := conn.WaitForNotification(ctx)
		return err == nil
	}
	n := 0
	require.Eventually(t, func() bool { // it has to learn of the other first
		n++
		mustPut(t, a, fmt.Sprint("n", n), "b")
		return heard()
	}, 30*time.Second, 10*time.Millisecond)
	for heard() {
	}
	require.NoError(t, b.Close())
	require.True(t, heard(), "Close tells, too")
}

func TestAPoolOfOneConnectionIsEnough(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	s.DSN += " pool_max_conns=1"
	in := open(t, s, imbotpg.Options{}).Inbox()
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() { mustPut(t, in, fmt.Sprint(i), fmt.Sprint("line", i%7)) })
	}
	for range 100 {
		require.NoError(t, in.Done(t.Context(), mustTake(t, in), driver.InboxHandled))
	}
	wg.Wait()
}

func TestCloseWhileTheServerIsAwaySaysSo(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	a := open(t, s, imbotpg.Options{}).Inbox()
	db, err := imbotpg.Open(t.Context(), s.DSN, imbotpg.Options{})
	require.NoError(t, err)
	b := db.Inbox()
	mustPut(t, b, "1", "a")
	mustTake(t, b)
	s.Exec(`checkpoint`) // or a crash forgets the try
	s.StopHard()
	require.ErrorContains(t, db.Close(), "Close")
	_, err = b.Put(t.Context(), item("2", "a"))
	require.ErrorIs(t, err, driver.ErrClosed)
	_, err = db.Inbox().Take(t.Context(), 1)
	require.ErrorIs(t, err, driver.ErrClosed)
	s.Start()
	require.Equal(t, 2, mustTake(t, a).Tries, "it is free all the same, when the server is no more young")
}

func TestNobodyIsTakenForDeadTooEarly(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	in := open(t, s, imbotpg.Options{}).Inbox()
	dead := func(key string) driver.InboxItem { // what a replica held that is dead
		t.Helper()
		mustPut(t, in, key, key)
		s.Exec(`insert into imbot.replica (id, name) overriding system value values (999, 'dead')`)
		s.Exec(`update imbot.line set owner = 999, lease = 1, tries = 1 where line = $1`, key)
		it := mustTake(t, in)
		require.Equal(t, key, it.Key)
		require.Equal(t, 2, it.Tries)
		return it
	}
	mustPut(t, in, "0", "a")
	held := mustTake(t, in) // so it is a replica
	it := dead("1")
	require.GreaterOrEqual(t, one[float64](t, s, `select extract(epoch from clock_timestamp() - pg_postmaster_start_time())::double precision`), 3.0)
	begun := time.Now()
	s.Exec(endSessions)
	require.NoError(t, in.Done(t.Context(), it, driver.InboxHandled))
	dead("2")
	require.GreaterOrEqual(t, time.Since(begun), 3*time.Second, "others may have lost their sessions, too")
	dead("3")
	require.NoError(t, in.Done(t.Context(), held, driver.InboxHandled))
}
