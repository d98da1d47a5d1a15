package imbotbolt_test

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/imbotbolt"
	"github.com/imbot-go/imbot/imbottest/storetest"
)

// process is an inbox that ends with its file.
type process struct {
	*imbotbolt.Inbox
	db *imbotbolt.DB
}

func (p process) Close() error { return errors.Join(p.Inbox.Close(), p.db.Close()) }

func keys(t testing.TB, b byte) *imbot.Keyring {
	t.Helper()
	ring, err := imbot.NewKeyring(bytes.Repeat([]byte{b}, 32))
	require.NoError(t, err)
	return ring
}

func openFile(t testing.TB, path string, o imbotbolt.Options) *imbotbolt.DB {
	t.Helper()
	db, err := imbotbolt.Open(path, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func TestKits(t *testing.T) {
	t.Parallel()
	for name, ring := range map[string]*imbot.Keyring{"plain": nil, "encrypted": keys(t, 1)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := openFile(t, filepath.Join(t.TempDir(), "bot.db"), imbotbolt.Options{Keys: ring})
			t.Run("tokens", func(t *testing.T) {
				storetest.TokenStore(t, func(testing.TB) imbot.TokenStore { return db.Tokens() })
			})
			t.Run("states", func(t *testing.T) {
				storetest.StateStore(t, func(testing.TB) driver.StateStore { return db.States() })
			})
			t.Run("claims", func(t *testing.T) {
				storetest.Claims(t, func(testing.TB) driver.Claims { return db.Claims() })
			})
			t.Run("inbox", func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "bot.db")
				storetest.Inbox(t, func(t testing.TB) driver.Inbox {
					db, err := imbotbolt.Open(path, imbotbolt.Options{Keys: ring})
					require.NoError(t, err)
					return process{db.Inbox(), db}
				}, storetest.Single())
			})
		})
	}
}

func TestKill(t *testing.T) {
	storetest.Kill(t, func(t testing.TB) string { return filepath.Join(t.TempDir(), "bot.db") },
		func(t testing.TB, path string) driver.Inbox {
			db, err := imbotbolt.Open(path, imbotbolt.Options{})
			require.NoError(t, err)
			return process{db.Inbox(), db}
		}, storetest.Single())
}

func TestAStateThatIsToLiveForEver(t *testing.T) {
	db := openFile(t, filepath.Join(t.TempDir(), "bot.db"), imbotbolt.Options{})
	require.NoError(t, db.States().Swap(t.Context(), "s", nil, []byte("x"), math.MaxInt64))
	require.NoError(t, db.Clean(time.Hour))
	value, err := db.States().Load(t.Context(), "s")
	require.NoError(t, err)
	require.Equal(t, "x", string(value))
}

func TestAStateThatIsChangedLivesOn(t *testing.T) {
	db := openFile(t, filepath.Join(t.TempDir(), "bot.db"), imbotbolt.Options{})
	require.NoError(t, db.States().Swap(t.Context(), "s", nil, []byte("x"), time.Hour))
	require.NoError(t, db.States().Swap(t.Context(), "s", []byte("x"), []byte("y"), 3*time.Hour))
	require.NoError(t, db.Clean(2*time.Hour))
	value, err := db.States().Load(t.Context(), "s")
	require.NoError(t, err)
	require.Equal(t, "y", string(value))
	require.NoError(t, db.Clean(4*time.Hour))
	require.Zero(t, db.Rows("state")+db.Rows("state-at"))
}

func TestNamesOfEventsHaveBounds(t *testing.T) {
	in := openFile(t, filepath.Join(t.TempDir(), "bot.db"), imbotbolt.Options{}).Inbox()
	put(t, in, strings.Repeat("z", 60))
	for _, name := range []string{"", "A", "a-b", "é", "a\x00", strings.Repeat("z", 65)} {
		_, err := in.Put(t.Context(), driver.InboxItem{Key: name, Line: "l"})
		require.ErrorContains(t, err, "Put: Key and Line are 1 to 64 letters", name)
		_, err = in.Put(t.Context(), driver.InboxItem{Key: "k", Line: name})
		require.ErrorContains(t, err, "Put: Key and Line are 1 to 64 letters", name)
	}
	fresh, err := in.Put(t.Context(), driver.InboxItem{Key: "k", Line: "l", Body: make([]byte, 5<<20+1)})
	require.ErrorContains(t, err, "Put: Body has 5242881 bytes, and may have 5 MiB")
	require.False(t, fresh)
}

func TestTriesAreForgottenWithTheirEvent(t *testing.T) {
	path := made(t, imbotbolt.Options{})
	killed := func() {
		require.NoError(t, os.WriteFile(path+".run", []byte("imbotrun\x00\x00\x00\x00\x00\x00\x00\x01"), 0o600))
	}
	for tries := range 3 {
		db, err := imbotbolt.Open(path, imbotbolt.Options{})
		require.NoError(t, err)
		it := take(t, db.Inbox(), 1)[0]
		require.Equal(t, 1+tries, it.Tries)
		require.NoError(t, db.Close()) // this one does not count
		killed()
	}
	db := openFile(t, path, imbotbolt.Options{})
	in := db.Inbox()
	for _, it := range take(t, in, 9) {
		require.NoError(t, in.Done(t.Context(), it, driver.InboxHandled))
	}
	require.Zero(t, db.Rows("tries"))
}

func TestTimeIsUpBeforeAnybodyCleans(t *testing.T) {
	db := openFile(t, filepath.Join(t.TempDir(), "bot.db"), imbotbolt.Options{})
	require.NoError(t, db.States().Swap(t.Context(), "s", nil, []byte("x"), time.Hour))
	for _, row := range []struct {
		later   time.Duration
		isFirst bool
	}{{0, true}, {time.Hour, false}, {time.Hour, true}, {0, false}} {
		db.SetClock(row.later)
		first, err := db.Claims().Claim(t.Context(), "c")
		require.NoError(t, err)
		require.Equal(t, row.isFirst, first)
	}
	_, err := db.States().Load(t.Context(), "s")
	require.ErrorIs(t, err, imbot.ErrNotFound)
	require.ErrorIs(t, db.States().Swap(t.Context(), "s", []byte("x"), []byte("y"), time.Hour), imbot.ErrConflict)
	require.NoError(t, db.States().Swap(t.Context(), "s", nil, []byte("y"), time.Hour))
	require.NoError(t, db.Clean(0))
	value, err := db.States().Load(t.Context(), "s")
	require.NoError(t, err)
	require.Equal(t, "y", string(value))
}
