package imbotbolt_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/imbotbolt"
)

// together lets what is called go into one transaction, in that order, and calls during in the middle
// of it.
func together(t *testing.T, db *imbotbolt.DB, during func(), calls ...func()) {
	t.Helper()
	togetherUnless(t, db, func() error { during(); return nil }, calls...)
}

// togetherUnless makes the transaction once more if during fails, without what it waited for.
func togetherUnless(t *testing.T, db *imbotbolt.DB, during func() error, calls ...func()) {
	t.Helper()
	var err error
	goOn, until := make(chan struct{}), make(chan struct{})
	wait := func(c chan struct{}) func() {
		return func() { _ = db.Change(func() error { <-c; return err }) }
	}
	for _, call := range append([]func(){wait(goOn)}, append(calls, wait(until))...) {
		go call()
		synctest.Wait()
	}
	close(goOn)
	synctest.Wait()
	err = during()
	close(until)
	synctest.Wait()
}

// The handler gives a Put up after a second, and repeats it.
func TestAPutThatWasGivenUpGetsIntoItsLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := openFile(t, filepath.Join(t.TempDir(), "bot.db"), imbotbolt.Options{})
		in := db.Inbox()
		ctx, giveUp := context.WithCancel(t.Context())
		var fresh, first bool
		var err, claimErr error
		together(t, db, func() { giveUp(); synctest.Wait(); require.False(t, fresh) },
			func() { fresh, err = in.Put(ctx, driver.InboxItem{Key: "k", Line: "l"}) },
			func() { first, claimErr = db.Claims().Claim(ctx, "k") },
		)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, claimErr, context.Canceled)
		require.False(t, first)
		fresh, err = in.Put(t.Context(), driver.InboxItem{Key: "k", Line: "l"})
		require.NoError(t, err)
		require.False(t, fresh)
		require.Equal(t, "k", take(t, in, 9)[0].Key)
	})
}

func TestAChangeThatFailsTakesNoOtherWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := openFile(t, filepath.Join(t.TempDir(), "bot.db"), imbotbolt.Options{})
		in := db.Inbox()
		var errs [5]error
		together(t, db, func() {},
			func() { _, errs[0] = in.Put(t.Context(), driver.InboxItem{Key: "a", Line: "a"}) },
			func() { errs[1] = db.States().Swap(t.Context(), "", nil, []byte("x"), time.Hour) },
			func() { errs[2] = db.Change(func() error { return errors.New("no") }) },
			func() { errs[3] = db.Change(func() error { panic("a damaged page") }) },
			func() { _, errs[4] = in.Put(t.Context(), driver.InboxItem{Key: "b", Line: "b"}) },
		)
		require.NoError(t, errs[0])
		require.ErrorContains(t, errs[1], "imbotbolt: nothing was stored: key required")
		require.ErrorContains(t, errs[2], "imbotbolt: nothing was stored: no")
		require.ErrorContains(t, errs[3], "a damaged page")
		require.NoError(t, errs[4])
		items := take(t, in, 9)
		require.Len(t, items, 2)
		require.Equal(t, []string{"a", "b"}, []string{items[0].Key, items[1].Key})
	})
}

// The disk has refused to confirm what it has written all the same.
func TestATransactionThatOnlySeemedToFail(t *testing.T) {
	db := openFile(t, filepath.Join(t.TempDir(), "bot.db"), imbotbolt.Options{})
	in := db.Inbox()
	put(t, in, "a", "c")
	running := take(t, in, 1)[0]
	require.NoError(t, db.Unnoticed("b", "lineb", 1))
	writes := db.Writes()
	fresh, err := in.Put(t.Context(), driver.InboxItem{Key: "b", Line: "lineb"})
	require.NoError(t, err)
	require.False(t, fresh)
	require.Greater(t, db.Writes(), writes, "it is known only when it is on the disk")
	require.NoError(t, in.Done(t.Context(), running, driver.InboxHandled))
	require.ErrorIs(t, in.Done(t.Context(), running, driver.InboxHandled), driver.ErrTakenOver)
	items := take(t, in, 9)
	require.Len(t, items, 2)
	require.Equal(t, []string{"c", "b"}, []string{items[0].Key, items[1].Key})
	for _, it := range items {
		require.NoError(t, in.Done(t.Context(), it, driver.InboxHandled))
	}
	stats, err := in.InboxStats(t.Context())
	require.NoError(t, err)
	require.Zero(t, stats)
}

func TestWhatIsKnownIsNotWritten(t *testing.T) {
	db := openFile(t, filepath.Join(t.TempDir(), "bot.db"), imbotbolt.Options{})
	put(t, db.Inbox(), "k")
	first, err := db.Claims().Claim(t.Context(), "k")
	require.NoError(t, err)
	require.True(t, first)
	writes := db.Writes()
	fresh, err := db.Inbox().Put(t.Context(), driver.InboxItem{Key: "k", Line: "l"})
	require.NoError(t, err)
	require.False(t, fresh)
	first, err = db.Claims().Claim(t.Context(), "k")
	require.NoError(t, err)
	require.False(t, first)
	require.Equal(t, writes, db.Writes())
}

func TestCleaningKeepsPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := openFile(t, filepath.Join(t.TempDir(), "bot.db"), imbotbolt.Options{})
		require.NoError(t, db.Handled(4500))
		time.Sleep(119 * time.Minute)
		require.Equal(t, 4500, db.Rows("seen"))
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		require.Zero(t, db.Rows("seen"))
		require.Zero(t, db.Rows("seen-at"))
	})
}

func TestAClockThatWasWrong(t *testing.T) {
	const year = 365 * 24 * time.Hour
	for _, row := range []struct {
		name  string
		wrong time.Duration // by how much, in the process that stores
	}{
		{"it was an hour slow", -time.Hour},
		{"it was an hour fast", time.Hour},
		{"it was years fast", 10 * year},
	} {
		t.Run(row.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "bot.db")
			db, err := imbotbolt.Open(path, imbotbolt.Options{})
			require.NoError(t, err)
			db.SetClock(row.wrong)
			in := db.Inbox()
			put(t, in, "dead", "a", "waits")
			require.NoError(t, in.Done(t.Context(), take(t, in, 1)[0], driver.InboxBuried))
			require.NoError(t, in.Done(t.Context(), take(t, in, 1)[0], driver.InboxHandled))
			first, err := db.Claims().Claim(t.Context(), "c")
			require.NoError(t, err)
			require.True(t, first)
			require.NoError(t, db.States().Swap(t.Context(), "s", nil, []byte("x"), 90*time.Minute))
			require.NoError(t, db.Close())

			db = openFile(t, path, imbotbolt.Options{})
			in = db.Inbox()
			require.NoError(t, db.Clean(0))
			for _, key := range []string{"a", "waits"} {
				fresh, err := in.Put(t.Context(), driver.InboxItem{Key: key, Line: "x"})
				require.NoError(t, err)
				require.False(t, fresh, key)
			}
			first, err = db.Claims().Claim(t.Context(), "c")
			require.NoError(t, err)
			require.False(t, first)
			value, err := db.States().Load(t.Context(), "s")
			require.NoError(t, err)
			require.Equal(t, "x", string(value))
			require.NoError(t, db.Clean(2*time.Hour+time.Minute))
			require.Equal(t, 1, db.Rows("seen"), "only what waits is known")
			require.Zero(t, db.Rows("claim"))
			require.Equal(t, 1, db.Rows("dead"))
			require.NoError(t, db.Clean(30*24*time.Hour+2*time.Hour))
			require.Zero(t, db.Rows("dead"))
		})
	}
}

func TestARevivedEventIsKnownAsLongAsItWaits(t *testing.T) {
	db := openFile(t, filepath.Join(t.TempDir(), "bot.db"), imbotbolt.Options{})
	in := db.Inbox()
	put(t, in, "a")
	it := take(t, in, 1)[0]
	require.NoError(t, in.Done(t.Context(), it, driver.InboxBuried))
	require.NoError(t, in.Revive(t.Context(), it.ID))
	require.NoError(t, db.Clean(3*time.Hour))
	fresh, err := in.Put(t.Context(), driver.InboxItem{Key: "a", Line: "x"})
	require.NoError(t, err)
	require.False(t, fresh)
	require.NoError(t, in.Done(t.Context(), take(t, in, 1)[0], driver.InboxHandled))
	require.Equal(t, 1, db.Rows("seen"))
	require.NoError(t, db.Clean(3*time.Hour))
	require.Zero(t, db.Rows("seen"))
}

func TestDoneBesideClose(t *testing.T) {
	for _, row := range []struct {
		name           string
		closes, failed bool
		next           string
	}{
		{"the inbox stays open", false, false, "two"},
		{"the inbox is closed after the change, before it is on the disk", true, false, "two"},
		{"and then the disk fails", true, true, "one"},
		{"the disk fails while the inbox is open", false, true, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db := openFile(t, filepath.Join(t.TempDir(), "bot.db"), imbotbolt.Options{})
				a, b := db.Inbox(), db.Inbox()
				for _, key := range []string{"one", "two"} {
					_, err := a.Put(t.Context(), driver.InboxItem{Key: key, Line: "line"})
					require.NoError(t, err)
				}
				it := take(t, a, 1)[0]
				var items []driver.InboxItem
				var takeErr error
				go func() { items, takeErr = b.Take(t.Context(), 9) }()
				var errs [2]error
				end := func(i int) func() {
					return func() { errs[i] = a.Done(t.Context(), it, driver.InboxBuried) }
				}
				togetherUnless(t, db, func() error {
					require.NoError(t, a.Done(t.Context(), it, driver.InboxReturned), "too late")
					if row.closes {
						require.NoError(t, a.Close())
					}
					synctest.Wait()
					require.Nil(t, items, "nobody knows yet whether it is done")
					if row.failed {
						return db.FailNext()
					}
					return nil
				}, end(0), end(1))
				require.Equal(t, row.failed, errs[0] != nil && errs[1] != nil, "%v", errs)
				if row.next == "" {
					db.Recover()
					require.NoError(t, a.Done(t.Context(), it, driver.InboxReturned), "it still has it")
					synctest.Wait()
					require.NoError(t, takeErr)
					require.Len(t, items, 1)
					return
				}
				require.Equal(t, row.failed, takeErr != nil, "%v", takeErr)
				if row.failed {
					db.Recover()
					items = take(t, b, 9)
				}
				require.Len(t, items, 1)
				require.Equal(t, row.next, items[0].Key)
				stats, err := b.InboxStats(t.Context())
				require.NoError(t, err)
				if row.failed {
					require.Equal(t, driver.InboxStats{Waiting: 1, Running: 1, Oldest: stats.Oldest}, stats)
				} else {
					require.Equal(t, driver.InboxStats{Running: 1, Dead: 1, Oldest: stats.Oldest}, stats, "buried once")
				}
				require.NoError(t, b.Done(t.Context(), items[0], driver.InboxHandled))
			})
		})
	}
}

func TestTakeBesideClose(t *testing.T) {
	db := openFile(t, filepath.Join(t.TempDir(), "bot.db"), imbotbolt.Options{})
	a, b := db.Inbox(), db.Inbox()
	put(t, a, "one")
	var others []driver.InboxItem
	items, err := a.TakeAnd(t.Context(), func() {
		require.NoError(t, a.Close())
		others = take(t, b, 1)
	})
	require.ErrorIs(t, err, driver.ErrClosed)
	require.Empty(t, items, "somebody else has it")
	require.Len(t, others, 1)
	require.NoError(t, b.Done(t.Context(), others[0], driver.InboxHandled))
}

// Pages of the file get damaged while it is open.
func TestWhatCannotBeReadKeepsNothingElseBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bot.db")
	db := openFile(t, path, imbotbolt.Options{})
	in := db.Inbox()
	for _, key := range []string{"a", "b", "c", "d", "e", "f"} {
		_, err := in.Put(t.Context(), driver.InboxItem{Key: key, Line: key, Body: bytes.Repeat([]byte(key), 1500)})
		require.NoError(t, err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	good, err := os.ReadFile(path)
	require.NoError(t, err)
	page := os.Getpagesize()
	for at := 2 * page; at < len(good); at += page {
		if bytes.Contains(good[at:min(at+page, len(good))], []byte("aaaa")) {
			_, err := f.WriteAt([]byte{255, 255}, int64(at+8)) // what kind of page it is
			require.NoError(t, err)
		}
	}
	items := take(t, in, 9)
	require.NotEmpty(t, items)
	require.Equal(t, "f", items[len(items)-1].Key)
	left := 6 - len(items)
	require.Positive(t, left)
	_, err = in.Take(t.Context(), 9)
	require.ErrorContains(t, err, "the file is damaged")
	_, err = f.WriteAt(good[2*page:], int64(2*page))
	require.NoError(t, err)
	require.Len(t, take(t, in, 9), left)
}
