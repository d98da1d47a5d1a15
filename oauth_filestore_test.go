package imbot_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// privateDir is a directory that no other user may enter.
func privateDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o700))
	return dir
}

func TestFileStoreTakesMemberIDsForNoPaths(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	dir := filepath.Join(parent, "grants")
	s := imbot.NewFileStore(dir)
	for _, member := range []string{"../escape", "/etc/passwd", "a/b", "..", ".", "NUL", "swap.lock", "A", "a", "a\x00b", strings.Repeat("x", 5000)} {
		require.NoError(t, s.Swap(t.Context(), imbot.Grant{}, testGrant(member, "of "+member)), member)
	}
	for _, member := range []string{"../escape", "A", "a"} {
		g, err := s.Load(t.Context(), member)
		require.NoError(t, err)
		require.Equal(t, "of "+member, g.AccessToken)
	}
	outside, err := os.ReadDir(parent)
	require.NoError(t, err)
	require.Len(t, outside, 1)

	info, err := os.Stat(dir)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 11+1)
	for _, f := range files {
		info, err := f.Info()
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), f.Name())
	}
}

func TestFileStoreSurvivesACrash(t *testing.T) {
	t.Parallel()
	dir := privateDir(t)
	s := imbot.NewFileStore(dir)
	one, two := testGrant("m1", "one"), testGrant("m1", "two")
	require.NoError(t, s.Swap(t.Context(), imbot.Grant{}, one))
	names, err := filepath.Glob(filepath.Join(dir, "*.json"))
	require.NoError(t, err)
	require.Len(t, names, 1)
	left := strings.TrimSuffix(names[0], ".json") + ".tmp"
	require.NoError(t, os.WriteFile(left, []byte("half a gr"), 0o644))

	g, err := s.Load(t.Context(), "m1")
	require.NoError(t, err)
	require.Equal(t, "one", g.AccessToken)
	require.NoError(t, s.Swap(t.Context(), one, two))
	require.NoFileExists(t, left)
	info, err := os.Stat(names[0])
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	require.NoError(t, os.WriteFile(names[0], []byte(`{"member_id":"m2"}`), 0o600))
	_, err = s.Load(t.Context(), "m1")
	require.ErrorContains(t, err, "another portal")
	require.NoError(t, os.WriteFile(names[0], nil, 0o600))
	_, err = s.Load(t.Context(), "m1")
	require.Error(t, err)
	require.NotErrorIs(t, err, imbot.ErrNotFound)
}

func TestFileStoreLockExcludesAndObeysTheContext(t *testing.T) {
	t.Parallel()
	dir := privateDir(t)
	s, other := imbot.NewFileStore(dir).(imbot.TokenLocker), imbot.NewFileStore(dir).(imbot.TokenLocker)
	unlock, err := s.Lock(t.Context(), "m1")
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = other.Lock(ctx, "m1")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	free, err := other.Lock(t.Context(), "m2")
	require.NoError(t, err)
	free()
	unlock()
	free, err = other.Lock(t.Context(), "m1")
	require.NoError(t, err)
	free()
}

func TestALockFileBelongsToItsOwner(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "m1.lock")
	lock := func() func() {
		t.Helper()
		unlock, err := imbot.TryLockFile(path)
		require.NoError(t, err)
		return unlock
	}
	first := lock()
	require.NotNil(t, first)
	require.Nil(t, lock(), "somebody has it")

	old := time.Now().Add(-imbot.StaleLock - time.Second)
	require.NoError(t, os.Chtimes(path, old, old))
	require.Nil(t, lock(), "the stale one is removed")
	second := lock()
	require.NotNil(t, second)
	first()
	require.Nil(t, lock(), "who was too slow leaves the lock of another alone")
	second()
	third := lock()
	require.NotNil(t, third)
	third()
	third()
	left, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Empty(t, left)
}

// TestTwoProcessesRenewOnce runs itself twice more: both processes make 200
// calls over one expired token, with one file store.
func TestTwoProcessesRenewOnce(t *testing.T) {
	t.Parallel()
	if os.Getenv("RENEW_STORE") != "" {
		callOverAnExpiredToken(t)
		return
	}
	for name := range fileStores {
		t.Run(name, func(t *testing.T) { twoProcessesRenewOnce(t, name) })
	}
}

// fileStores are the ways in which a store of files locks.
var fileStores = map[string]func(dir string) imbot.TokenStore{"flock": imbot.NewFileStore, "lock files": imbot.NewLockFileStore}

func twoProcessesRenewOnce(t *testing.T, kind string) {
	var (
		mu       sync.Mutex
		renewals int
		waiting  = map[string]bool{} // processes whose token was refused
		both     = make(chan struct{})
		release  = sync.OnceFunc(func() { close(both) })
	)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/oauth/token/" {
			mu.Lock()
			renewals++
			mu.Unlock()
			_, _ = io.WriteString(w, `{"access_token":"new","refresh_token":"new-refresh","expires_in":3600,"member_id":"m1"}`)
			return
		}
		var body struct{ Auth string }
		_ = json.NewDecoder(r.Body).Decode(&body)
		if body.Auth == "new" {
			_, _ = io.WriteString(w, `{"result":true}`)
			return
		}
		mu.Lock()
		if waiting[r.UserAgent()] = true; len(waiting) == 2 {
			release()
		}
		mu.Unlock()
		<-both // now both want to renew
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":"expired_token"}`)
	}))
	defer server.Close()

	dir := privateDir(t)
	store := fileStores[kind](dir)
	require.NoError(t, store.Swap(t.Context(), imbot.Grant{}, imbot.Grant{
		MemberID: "m1", ClientEndpoint: server.URL + "/rest/", ServerEndpoint: server.URL + "/rest/", AccessToken: "old", RefreshToken: "old-refresh",
	}))
	var wg sync.WaitGroup
	for _, name := range []string{"one", "two"} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTwoProcessesRenewOnce$", "-test.count=1")
		cmd.Env = append(os.Environ(), "RENEW_STORE="+dir, "RENEW_LOCK="+kind, "RENEW_SERVER="+server.URL, "RENEW_NAME="+name)
		wg.Go(func() {
			defer release() // the other one must not wait for it
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("process %s: %v\n%s", name, err, out)
			}
		})
	}
	wg.Wait()
	require.Equal(t, 1, renewals)
	g, err := store.Load(t.Context(), "m1")
	require.NoError(t, err)
	require.Equal(t, "new-refresh", g.RefreshToken)
}

func callOverAnExpiredToken(t *testing.T) {
	app := &imbot.OAuthApp{
		ClientID: "x", ClientSecret: "y", Store: fileStores[os.Getenv("RENEW_LOCK")](os.Getenv("RENEW_STORE")), AuthServers: []string{os.Getenv("RENEW_SERVER")},
		Options: []imbot.Option{imbot.WithLimiter(nil), imbot.WithUserAgent(os.Getenv("RENEW_NAME"))},
	}
	client, err := app.Client(t.Context(), "m1")
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			if err := ping(t.Context(), client); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
