//go:build unix

package imbot_test

import (
	"context"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func TestADirectoryThatOthersMayEnter(t *testing.T) {
	t.Parallel()
	mode := func(path string) os.FileMode {
		t.Helper()
		info, err := os.Stat(path)
		require.NoError(t, err)
		return info.Mode().Perm()
	}
	for name, newStore := range fileStores {
		t.Run("is refused: "+name, func(t *testing.T) {
			for _, wide := range []os.FileMode{0o755, 0o750, 0o711, 0o702} {
				dir := t.TempDir()
				require.NoError(t, os.Chmod(dir, wide))
				store := newStore(dir)
				_, err := store.Load(t.Context(), "m1")
				_, lock := store.(imbot.TokenLocker).Lock(t.Context(), "m1")
				for _, err := range []error{err, lock, store.Swap(t.Context(), imbot.Grant{}, testGrant("m1", "one"))} {
					require.ErrorContains(t, err, dir)
					require.ErrorContains(t, err, "others may enter")
					require.NotErrorIs(t, err, imbot.ErrNotFound)
				}
				require.Equal(t, wide, mode(dir), "it may be somebody else's, so it is left alone")
				left, err := os.ReadDir(dir)
				require.NoError(t, err)
				require.Empty(t, left)

				below := newStore(filepath.Join(dir, "grants"))
				require.NoError(t, below.Swap(t.Context(), imbot.Grant{}, testGrant("m1", "one")))
				require.EqualValues(t, 0o700, mode(filepath.Join(dir, "grants")))
			}
		})
		t.Run("is narrowed when the store has used it: "+name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "grants")
			one, two := testGrant("m1", "one"), testGrant("m1", "two")
			require.NoError(t, newStore(dir).Swap(t.Context(), imbot.Grant{}, one))
			for _, use := range []func(store imbot.TokenStore) error{
				func(store imbot.TokenStore) error { _, err := store.Load(t.Context(), "m1"); return err },
				func(store imbot.TokenStore) error { return store.Swap(t.Context(), one, two) },
				func(store imbot.TokenStore) error {
					unlock, err := store.(imbot.TokenLocker).Lock(t.Context(), "m1")
					if err == nil {
						unlock()
					}
					return err
				},
			} {
				require.NoError(t, os.Chmod(dir, 0o777))
				require.NoError(t, use(newStore(dir)))
				require.EqualValues(t, 0o700, mode(dir))
			}

			dir = filepath.Join(t.TempDir(), "grants")
			require.NoError(t, newStore(dir).Swap(t.Context(), imbot.Grant{}, one))
			require.NoError(t, newStore(dir).Swap(t.Context(), one, imbot.Grant{}))
			require.NoError(t, os.Chmod(dir, 0o755))
			_, err := newStore(dir).Load(t.Context(), "m1")
			if name == "flock" { // whose file stays
				require.ErrorIs(t, err, imbot.ErrNotFound)
				require.EqualValues(t, 0o700, mode(dir))
			} else {
				require.ErrorContains(t, err, "others may enter", "it is empty, so it may be anybody's")
			}
		})
	}
}

func TestTheRoomForTheNextGrant(t *testing.T) {
	t.Parallel()
	dir := privateDir(t)
	s := imbot.NewFileStore(dir)
	one, two := testGrant("m1", "one"), testGrant("m1", "two")
	files := func(pattern string) []string {
		t.Helper()
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		require.NoError(t, err)
		return names
	}
	require.NoError(t, s.Swap(t.Context(), imbot.Grant{}, one))
	require.Empty(t, files("*.tmp"))
	for range 2 {
		require.NoError(t, s.Swap(t.Context(), one, one))
		require.Len(t, files("*.tmp"), 1)
	}
	room, err := os.Stat(files("*.tmp")[0])
	require.NoError(t, err)
	require.Greater(t, room.Size(), int64(2*len(one.Encode())))
	require.EqualValues(t, 0o600, room.Mode().Perm())

	require.NoError(t, s.Swap(t.Context(), one, two))
	require.Empty(t, files("*.tmp"), "it is used")
	data, err := os.ReadFile(files("*.json")[0])
	require.NoError(t, err)
	require.Equal(t, string(two.Encode()), string(data), "and nothing of it is left")

	require.NoError(t, s.Swap(t.Context(), two, two))
	require.NoError(t, s.Swap(t.Context(), two, imbot.Grant{}))
	require.Empty(t, files("*.tmp"))
	require.Empty(t, files("*.json"))

	// Through a link nothing is written.
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	require.NoError(t, os.WriteFile(elsewhere, []byte("of somebody"), 0o600))
	require.NoError(t, s.Swap(t.Context(), imbot.Grant{}, one))
	require.NoError(t, os.Symlink(elsewhere, strings.TrimSuffix(files("*.json")[0], ".json")+".tmp"))
	require.NoError(t, s.Swap(t.Context(), one, two))
	data, err = os.ReadFile(elsewhere)
	require.NoError(t, err)
	require.Equal(t, "of somebody", string(data))
	require.Equal(t, "two", func() string { g, _ := s.Load(t.Context(), "m1"); return g.AccessToken }())
}

// again runs the test t in a process of its own, with a directory for a store.
func again(ctx context.Context, t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1", "-test.v")
	cmd.Env = append(os.Environ(), "DISK_STORE="+dir)
	return cmd
}

// mayWrite bounds how far a file of this process may be written.
func mayWrite(t *testing.T, bytes uint64) {
	t.Helper()
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit))
	limit.Cur = min(limit.Max, bytes)
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit))
}

func TestAFileThatCannotBeWrittenCostsNoGrant(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("DISK_STORE")
	if dir == "" {
		out, err := again(t.Context(), t, filepath.Join(t.TempDir(), "grants")).CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Contains(t, string(out), "--- PASS: "+t.Name())
		return
	}
	signal.Ignore(syscall.SIGXFSZ) // a write beyond the limit is to fail, not to kill
	c := newCloud()
	store := imbot.NewFileStore(dir)
	require.NoError(t, store.Swap(t.Context(), imbot.Grant{}, c.issue("one.bitrix24.com", 1, appID).grant()))
	client, err := c.app(store).Client(t.Context(), memberOne)
	require.NoError(t, err)
	c.expire()
	for _, bytes := range []uint64{0, 100, 4000} { // nothing, half a grant, a grant and no room for another
		mayWrite(t, bytes)
		err = ping(t.Context(), client)
		mayWrite(t, 1<<60)
		require.ErrorIs(t, err, syscall.EFBIG)
		require.ErrorContains(t, err, dir, "it says where")
		require.NotContains(t, err.Error(), "s3cr3t")
		require.Equal(t, "s3cr3t-refresh-1", load(t, store).RefreshToken)
	}
	require.Zero(t, c.asked(tokenURL))
	require.NoError(t, ping(t.Context(), client))
	require.Equal(t, "s3cr3t-refresh-2", load(t, store).RefreshToken)
}
