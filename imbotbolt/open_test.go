package imbotbolt_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/imbotbolt"
)

func put(t testing.TB, in *imbotbolt.Inbox, keys ...string) {
	t.Helper()
	for _, key := range keys {
		fresh, err := in.Put(t.Context(), driver.InboxItem{Key: key, Line: "line" + key, Body: []byte("secret of " + key)})
		require.NoError(t, err)
		require.True(t, fresh)
	}
}

func take(t testing.TB, in *imbotbolt.Inbox, n int) []driver.InboxItem {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	items, err := in.Take(ctx, n)
	require.NoError(t, err)
	return items
}

// made is a file with two events and a grant that no process has open.
func made(t *testing.T, o imbotbolt.Options) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "bot.db")
	db, err := imbotbolt.Open(path, o)
	require.NoError(t, err)
	put(t, db.Inbox(), "a", "b")
	require.NoError(t, db.Tokens().Swap(t.Context(), imbot.Grant{}, imbot.Grant{MemberID: "m1", AccessToken: "secret"}))
	require.NoError(t, db.Close())
	return path
}

func TestOpenSaysWhatToDo(t *testing.T) {
	defer imbotbolt.WaitLess(50 * time.Millisecond)()
	for _, row := range []struct {
		name, text string
		first      imbotbolt.Options
		then       imbotbolt.Options
		spoil      func(t *testing.T, path string)
	}{
		{"another process has the file", fmt.Sprintf("process %d has it open: one process at a time may", os.Getpid()), imbotbolt.Options{}, imbotbolt.Options{}, func(t *testing.T, path string) {
			openFile(t, path, imbotbolt.Options{})
		}},
		{"it was written by a newer version", "newer version of this package: use that one", imbotbolt.Options{}, imbotbolt.Options{}, func(t *testing.T, path string) {
			db, err := imbotbolt.Open(path, imbotbolt.Options{})
			require.NoError(t, err)
			require.NoError(t, db.Rewrite("meta", func(k, v []byte) []byte {
				if string(k) == "version" {
					return []byte{2}
				}
				return v
			}))
			require.NoError(t, db.Close())
		}},
		{"the key is another one", "Options.Keys do not open it", imbotbolt.Options{Keys: keys(t, 1)}, imbotbolt.Options{Keys: keys(t, 2)}, nil},
		{"there is no key", "it is encrypted: give Options.Keys", imbotbolt.Options{Keys: keys(t, 1)}, imbotbolt.Options{}, nil},
		{"there is a key for a plain file", "it is not encrypted", imbotbolt.Options{}, imbotbolt.Options{Keys: keys(t, 1)}, nil},
		{"its head is damaged", "the file is damaged", imbotbolt.Options{}, imbotbolt.Options{}, func(t *testing.T, path string) {
			raw, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path, append(bytes.Repeat([]byte{7}, 2*os.Getpagesize()), raw[2*os.Getpagesize():]...), 0o600))
		}},
		{"it is cut off", "the file is damaged", imbotbolt.Options{}, imbotbolt.Options{}, func(t *testing.T, path string) {
			require.NoError(t, os.Truncate(path, 3*int64(os.Getpagesize())))
		}},
		{"it is another file", "the file is damaged, or is none of this package", imbotbolt.Options{}, imbotbolt.Options{}, func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path, []byte(strings.Repeat("a picture of a cat", 9999)), 0o600))
		}},
		{"it is of another program", "belongs to another program", imbotbolt.Options{}, imbotbolt.Options{}, func(t *testing.T, path string) {
			require.NoError(t, os.Remove(path))
			other, err := bbolt.Open(path, 0o600, nil)
			require.NoError(t, err)
			require.NoError(t, other.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("cats")); return err }))
			require.NoError(t, other.Close())
		}},
		{"it is a folder", "is a directory", imbotbolt.Options{}, imbotbolt.Options{}, func(t *testing.T, path string) {
			require.NoError(t, os.Remove(path))
			require.NoError(t, os.Mkdir(path, 0o700))
		}},
		{"its folder is missing", "no such file or directory", imbotbolt.Options{}, imbotbolt.Options{}, func(t *testing.T, path string) {
			require.NoError(t, os.RemoveAll(filepath.Dir(path)))
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			path := made(t, row.first)
			if row.spoil != nil {
				row.spoil(t, path)
			}
			_, err := imbotbolt.Open(path, row.then)
			require.ErrorContains(t, err, row.text)
			require.ErrorContains(t, err, "imbotbolt: "+path)
			require.NotContains(t, err.Error(), "secret")
			require.Equal(t, strings.Contains(row.text, "file is"), strings.Contains(err.Error(), "damaged"), "%v", err)
		})
	}
}

// A file that is refused is left as it is, though it is mostly free.
func TestTheFileOfAnotherProgramIsNotMadeSmaller(t *testing.T) {
	defer imbotbolt.WasteLess(1 << 20)()
	path := filepath.Join(t.TempDir(), "cats.db")
	other, err := bbolt.Open(path, 0o640, nil)
	require.NoError(t, err)
	require.NoError(t, other.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucket([]byte("cats"))
		require.NoError(t, err)
		return b.Put([]byte("cat"), make([]byte, 4<<20))
	}))
	require.NoError(t, other.Update(func(tx *bbolt.Tx) error { return tx.Bucket([]byte("cats")).Delete([]byte("cat")) }))
	require.NoError(t, other.Close())
	before, err := os.Stat(path)
	require.NoError(t, err)
	_, err = imbotbolt.Open(path, imbotbolt.Options{})
	require.ErrorContains(t, err, "belongs to another program")
	after, err := os.Stat(path)
	require.NoError(t, err)
	require.True(t, os.SameFile(before, after))
	require.Equal(t, before.Size(), after.Size())
}

func TestANewProgramWaitsForTheOldOne(t *testing.T) {
	path := made(t, imbotbolt.Options{})
	old, err := imbotbolt.Open(path, imbotbolt.Options{})
	require.NoError(t, err)
	in := old.Inbox()
	running := take(t, in, 1)[0]
	opened := make(chan error)
	go func() {
		db, err := imbotbolt.Open(path, imbotbolt.Options{})
		if err == nil {
			err = db.Close()
		}
		opened <- err
	}()
	select {
	case err := <-opened:
		t.Fatal("it did not wait", err)
	case <-time.After(100 * time.Millisecond):
	}
	require.NoError(t, old.Close())
	require.NoError(t, <-opened)
	require.NoError(t, old.Close(), "again")
	_, err = old.Inbox().Put(t.Context(), driver.InboxItem{Key: "k", Line: "l"})
	require.ErrorIs(t, err, driver.ErrClosed)
	for _, how := range []driver.InboxOutcome{driver.InboxHandled, driver.InboxReturned, driver.InboxBuried} {
		require.ErrorIs(t, in.Done(t.Context(), running, how), driver.ErrClosed)
	}
	_, err = old.States().Load(t.Context(), "k")
	require.ErrorIs(t, err, driver.ErrClosed)
}

func TestKeysAreReplaced(t *testing.T) {
	path := made(t, imbotbolt.Options{Keys: keys(t, 1)})
	both, err := imbot.NewKeyring(bytes.Repeat([]byte{2}, 32), bytes.Repeat([]byte{1}, 32))
	require.NoError(t, err)
	db, err := imbotbolt.Open(path, imbotbolt.Options{Keys: both})
	require.NoError(t, err)
	put(t, db.Inbox(), "c")
	require.NoError(t, db.Close())
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NotContains(t, string(raw), "secret")

	db = openFile(t, path, imbotbolt.Options{Keys: keys(t, 2)}) // the old key is gone too early
	in := db.Inbox()
	items := take(t, in, 9)
	require.Len(t, items, 3, "no event is dropped")
	require.Equal(t, []string{"", "", "secret of c"}, []string{string(items[0].Body), string(items[1].Body), string(items[2].Body)})
	_, err = db.Tokens().Load(t.Context(), "m1")
	require.Error(t, err)
	require.NotErrorIs(t, err, imbot.ErrNotFound)
}

// An event that cannot be read is handed over without a body, and its handler buries it.
func TestADamagedRowIsBuriedAndHoldsNobodyUp(t *testing.T) {
	for name, spoil := range map[string]func(key, value []byte) []byte{
		"in its body":    func(_, v []byte) []byte { v[len(v)-1]++; return v },
		"in its sum":     func(_, v []byte) []byte { v[2]++; return v },
		"in its line":    func(_, v []byte) []byte { v[14] = 'X'; return v },
		"in its version": func(_, v []byte) []byte { v[0] = 9; return v },
		"by being short": func(_, v []byte) []byte { return v[:3] },
		"by being gone":  func(_, _ []byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			path := made(t, imbotbolt.Options{})
			db, err := imbotbolt.Open(path, imbotbolt.Options{})
			require.NoError(t, err)
			require.NoError(t, db.Rewrite("event", func(k, v []byte) []byte {
				if k[7] == 1 {
					return spoil(k, v)
				}
				return v
			}))
			require.NoError(t, db.Close())

			db = openFile(t, path, imbotbolt.Options{})
			in := db.Inbox()
			stats, err := in.InboxStats(t.Context())
			require.NoError(t, err)
			require.Positive(t, stats.Oldest, "that of the other one")
			heard := make(chan string, 9)
			h := &imbot.EventHandler{Verifier: imbot.ApplicationToken("token"), Inbox: in, Logger: quiet(), OnEvent: func(_ context.Context, ev imbot.Event) error {
				heard <- ev.Meta().Name
				return nil
			}}
			ctx, stop := context.WithCancel(t.Context())
			ran := make(chan error)
			go func() { ran <- h.Run(ctx) }()
			require.NoError(t, h.Idle(t.Context()))
			stop()
			require.NoError(t, <-ran)
			require.EqualValues(t, 2, h.Stats().Buried, "the other one is no event either")
			dead, err := in.Dead(t.Context(), 9)
			require.NoError(t, err)
			require.Len(t, dead, 2)
			for _, it := range dead {
				require.NoError(t, in.Drop(t.Context(), it.ID))
			}
			stats, err = in.InboxStats(t.Context())
			require.NoError(t, err)
			require.Zero(t, stats)
			require.NoError(t, h.Shutdown(t.Context()))
		})
	}
}

func TestAFileThatIsMostlyFreeGetsSmaller(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there it keeps its size")
	}
	defer imbotbolt.WasteLess(8 << 20)()
	path := filepath.Join(t.TempDir(), "bot.db")
	db, err := imbotbolt.Open(path, imbotbolt.Options{})
	require.NoError(t, err)
	in := db.Inbox()
	for i := range 30 {
		n := fmt.Sprintf("k%d", i)
		_, err := in.Put(t.Context(), driver.InboxItem{Key: n, Line: n, Body: make([]byte, 1<<20)})
		require.NoError(t, err)
	}
	for _, it := range take(t, in, 29) {
		require.NoError(t, in.Done(t.Context(), it, driver.InboxHandled))
	}
	require.NoError(t, db.Close())
	before, err := os.Stat(path)
	require.NoError(t, err)
	db = openFile(t, path, imbotbolt.Options{})
	after, err := os.Stat(path)
	require.NoError(t, err)
	require.Less(t, after.Size(), before.Size()/4)
	in = db.Inbox()
	require.Equal(t, "k29", take(t, in, 9)[0].Key)
	fresh, err := in.Put(t.Context(), driver.InboxItem{Key: "k1", Line: "k1"})
	require.NoError(t, err)
	require.False(t, fresh)
}

func TestWhatIsOldIsForgotten(t *testing.T) {
	db := openFile(t, filepath.Join(t.TempDir(), "bot.db"), imbotbolt.Options{})
	in := db.Inbox()
	again := func(key string) bool {
		t.Helper()
		fresh, err := in.Put(t.Context(), driver.InboxItem{Key: key, Line: "x" + key})
		require.NoError(t, err)
		return fresh
	}
	put(t, in, "a", "b", "c")
	items := take(t, in, 2)
	require.NoError(t, in.Done(t.Context(), items[0], driver.InboxHandled))
	require.NoError(t, in.Done(t.Context(), items[1], driver.InboxBuried))
	require.NoError(t, db.States().Swap(t.Context(), "s", nil, []byte("x"), time.Hour))
	first, err := db.Claims().Claim(t.Context(), "a")
	require.NoError(t, err)
	require.True(t, first)

	require.NoError(t, db.Clean(110*time.Minute))
	require.False(t, again("a"))
	require.NoError(t, db.Clean(121*time.Minute))
	require.True(t, again("a"))
	require.True(t, again("b"))
	require.False(t, again("c"), "it waits")
	require.NoError(t, db.Clean(29*24*time.Hour))
	dead, err := in.Dead(t.Context(), 9)
	require.NoError(t, err)
	require.Len(t, dead, 1)
	require.NoError(t, db.Clean(31*24*time.Hour))
	stats, err := in.InboxStats(t.Context())
	require.NoError(t, err)
	require.Zero(t, stats.Dead)
	require.EqualValues(t, 3, stats.Waiting)
	first, err = db.Claims().Claim(t.Context(), "a")
	require.NoError(t, err)
	require.True(t, first)
	_, err = db.States().Load(t.Context(), "s")
	require.ErrorIs(t, err, imbot.ErrNotFound)
}

func TestNothingPrintsWhatIsStored(t *testing.T) {
	db := openFile(t, filepath.Join(t.TempDir(), "bot.db"), imbotbolt.Options{Keys: keys(t, 'K')})
	put(t, db.Inbox(), "a")
	item := take(t, db.Inbox(), 1)[0]
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{db, db.Inbox(), db.Tokens(), db.States(), db.Claims(), item, &item, imbotbolt.Options{Keys: keys(t, 'K')}} {
			text := fmt.Sprintf(verb, v)
			require.NotContains(t, text, "secret")
			require.NotContains(t, text, "KKKK")
			require.NotContains(t, text, "4b4b4b4b")
			require.Less(t, len(text), 150, "%T", v)
		}
	}
}
