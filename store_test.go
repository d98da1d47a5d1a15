package imbot_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func testGrant(member, access string) imbot.Grant {
	return imbot.Grant{
		MemberID: member, Domain: "portal.bitrix24.com", ClientEndpoint: "https://portal.bitrix24.com/rest/",
		ServerEndpoint: "https://oauth.bitrix.info/rest/", AccessToken: access, RefreshToken: "refresh-of-" + access,
		Expires: time.Now().Add(time.Hour), UserID: 1, Scope: "imbot", Status: "L", ApplicationToken: "s3cr3t-application",
		PreviousToken: "s3cr3t-previous", PreviousUntil: time.Unix(1771932585, 0).UTC(), Installs: "0123456789abcdef",
	}
}

// A database compares what it holds with Encode of what was decoded.
func TestAGrantFromBeforeANewFieldKeepsItsEncoding(t *testing.T) {
	const stored = `{"member_id":"m1","domain":"portal.bitrix24.com","client_endpoint":"https://portal.bitrix24.com/rest/",` +
		`"server_endpoint":"https://oauth.bitrix.info/rest/","access_token":"a","refresh_token":"b","expires":"2026-02-24T11:29:45Z",` +
		`"user_id":1,"scope":"imbot","status":"L","application_token":"c"}`
	g, err := imbot.DecodeGrant([]byte(stored))
	require.NoError(t, err)
	require.Equal(t, stored, string(g.Encode()))
	require.Equal(t, "c", g.ApplicationToken)
}

func TestGrantSurvivesEncoding(t *testing.T) {
	g := testGrant("m1", "s3cr3t-access")
	back, err := imbot.DecodeGrant(g.Encode())
	require.NoError(t, err)
	require.Equal(t, string(g.Encode()), string(back.Encode()))
	require.WithinDuration(t, g.Expires, back.Expires, time.Second)
	back.Expires = g.Expires
	require.True(t, g == back)

	for _, bad := range []string{"", "null", "[]", "{}", `{"access_token":"s3cr3t-access"}`, `"s3cr3t-access"`} {
		_, err := imbot.DecodeGrant([]byte(bad))
		require.Error(t, err, bad)
		require.NotContains(t, err.Error(), "s3cr3t")
	}
}

// Whoever sends an installation chooses the time in it.
func TestATimeThatJSONCannotHoldCostsNoGrant(t *testing.T) {
	g := testGrant("m1", "s3cr3t-access")
	for _, expires := range []time.Time{time.Unix(1<<61, 0), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)} {
		g.Expires = expires
		back, err := imbot.DecodeGrant(g.Encode())
		require.NoError(t, err)
		require.True(t, back.Expires.IsZero())
		require.Equal(t, g.AccessToken, back.AccessToken)
	}
	c := newCloud()
	store := imbot.NewFileStore(t.TempDir())
	h, failures, _ := eventsOf(c.app(store))
	var at []time.Time
	h.OnMessage = func(_ context.Context, ev *imbot.MessageAddEvent) error {
		_, err := json.Marshal(ev)
		at = append(at, ev.Time)
		return err
	}
	pair := c.issue("one.bitrix24.com", 1, appID)
	require.Equal(t, 200, post(t, h, pair.event("ONAPPINSTALL", "auth[expires]", "99999999999999")))
	require.Equal(t, pair.access, load(t, store).AccessToken)
	require.Equal(t, 200, post(t, h, pair.event("ONIMBOTMESSAGEADD", "ts", "9223372036854775807")))
	require.Equal(t, 200, post(t, h, pair.event("ONIMBOTMESSAGEADD", "ts", "253370764799")))
	require.Empty(t, *failures)
	require.Len(t, at, 2)
	require.True(t, at[0].IsZero())
	require.Equal(t, 9998, at[1].UTC().Year())
}

func TestGrantPrintsNoSecret(t *testing.T) {
	g := testGrant("m1", "s3cr3t-access")
	g.RefreshToken = "s3cr3t-refresh"
	js, err := json.Marshal(map[string]any{"value": g, "pointer": &g, "list": []imbot.Grant{g}})
	require.NoError(t, err)
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("grant", "value", g, "pointer", &g)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("grant", "value", g, "nested", struct{ G imbot.Grant }{g})
	for _, text := range []string{
		fmt.Sprintf("%v %+v %#v %s %q %x %d", g, g, g, g, g, g, g),
		fmt.Sprintf("%v %+v %#v", &g, []imbot.Grant{g}, struct{ G imbot.Grant }{g}),
		string(js), log.String(),
	} {
		require.NotContains(t, text, "s3cr3t")
		require.NotContains(t, text, fmt.Sprintf("%x", "s3cr3t"))
	}
}

// eachStore runs a test on every store of the package.
func eachStore(t *testing.T, test func(*testing.T, imbot.TokenStore)) {
	t.Run("in memory", func(t *testing.T) { test(t, imbot.NewMemoryStore()) })
	t.Run("in files", func(t *testing.T) { test(t, imbot.NewFileStore(filepath.Join(t.TempDir(), "grants"))) })
	t.Run("in files without flock", func(t *testing.T) { test(t, imbot.NewLockFileStore(filepath.Join(t.TempDir(), "grants"))) })
}

func TestStoreSwaps(t *testing.T) {
	eachStore(t, func(t *testing.T, s imbot.TokenStore) {
		ctx, none := t.Context(), imbot.Grant{}
		one, two := testGrant("m1", "one"), testGrant("m1", "two")
		load := func(member, access string) {
			t.Helper()
			g, err := s.Load(ctx, member)
			require.NoError(t, err)
			require.Equal(t, access, g.AccessToken)
		}
		_, err := s.Load(ctx, "m1")
		require.ErrorIs(t, err, imbot.ErrNotFound)
		require.ErrorIs(t, s.Swap(ctx, one, two), imbot.ErrConflict, "replacing what is not there")
		require.ErrorIs(t, s.Swap(ctx, one, none), imbot.ErrConflict, "deleting what is not there")

		require.NoError(t, s.Swap(ctx, none, one))
		load("m1", "one")
		require.ErrorIs(t, s.Swap(ctx, none, two), imbot.ErrConflict, "inserting over what is there")
		require.ErrorIs(t, s.Swap(ctx, two, one), imbot.ErrConflict, "replacing another grant")
		require.ErrorIs(t, s.Swap(ctx, two, none), imbot.ErrConflict, "deleting another grant")
		load("m1", "one")

		require.NoError(t, s.Swap(ctx, none, testGrant("m2", "other")), "another portal")
		require.NoError(t, s.Swap(ctx, one, two))
		load("m1", "two")
		load("m2", "other")
		stored, err := s.Load(ctx, "m1")
		require.NoError(t, err)
		require.NoError(t, s.Swap(ctx, stored, none), "what was loaded can be swapped")
		_, err = s.Load(ctx, "m1")
		require.ErrorIs(t, err, imbot.ErrNotFound)
		load("m2", "other")
	})
}

func TestStoresPrintNoSecret(t *testing.T) {
	eachStore(t, func(t *testing.T, s imbot.TokenStore) {
		require.NoError(t, s.Swap(t.Context(), imbot.Grant{}, testGrant("m1", "s3cr3t-access")))
		js, err := json.Marshal(s)
		require.NoError(t, err)
		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "store", s)
		require.NotContains(t, fmt.Sprintf("%v %+v %#v %s %s", s, s, s, js, log.String()), "s3cr3t")
	})
}

func TestStoreRefuses(t *testing.T) {
	eachStore(t, func(t *testing.T, s imbot.TokenStore) {
		ctx := t.Context()
		require.ErrorIs(t, s.Swap(ctx, imbot.Grant{}, imbot.Grant{}), imbot.ErrInvalid)
		require.ErrorIs(t, s.Swap(ctx, imbot.Grant{}, imbot.Grant{AccessToken: "x"}), imbot.ErrInvalid, "no member id")
		require.ErrorIs(t, s.Swap(ctx, testGrant("m1", "x"), testGrant("m2", "x")), imbot.ErrInvalid, "two portals")
		ended, cancel := context.WithCancel(ctx)
		cancel()
		require.ErrorIs(t, s.Swap(ended, imbot.Grant{}, testGrant("m1", "x")), context.Canceled)
		_, err := s.Load(ended, "m1")
		require.ErrorIs(t, err, context.Canceled)
	})
}

func TestStoreLetsOneOfManyWin(t *testing.T) {
	eachStore(t, func(t *testing.T, s imbot.TokenStore) {
		first := testGrant("m1", "first")
		require.NoError(t, s.Swap(t.Context(), imbot.Grant{}, first))
		var won, lost atomic.Int32
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				switch err := s.Swap(t.Context(), first, testGrant("m1", fmt.Sprint(i))); {
				case err == nil:
					won.Add(1)
				case errors.Is(err, imbot.ErrConflict):
					lost.Add(1)
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 1, won.Load())
		require.EqualValues(t, 19, lost.Load())
	})
}

func TestFileStoreTakesMemberIDsForNoPaths(t *testing.T) {
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
	dir := t.TempDir()
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
	type locker interface {
		Lock(ctx context.Context, memberID string) (func(), error)
	}
	dir := t.TempDir()
	s, other := imbot.NewFileStore(dir).(locker), imbot.NewFileStore(dir).(locker)
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

func TestTheErrorOfAStoreSaysWhatToRepair(t *testing.T) {
	damaged := t.TempDir()
	require.NoError(t, imbot.NewFileStore(damaged).Swap(t.Context(), imbot.Grant{}, testGrant(memberOne, "s3cr3t-access")))
	files, err := filepath.Glob(filepath.Join(damaged, "*.json"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	require.NoError(t, os.WriteFile(files[0], []byte(`{"access_token":"s3cr3t-access"`), 0o600))
	noDir := filepath.Join(files[0], "grants")
	for name, row := range map[string]struct {
		store imbot.TokenStore
		want  []string
		is    error
	}{
		"a damaged file":      {imbot.NewFileStore(damaged), []string{files[0], "not a grant: 31 bytes"}, nil},
		"no directory":        {imbot.NewFileStore(noDir), []string{noDir}, nil},
		"a database too slow": {&brokenStore{imbot.NewMemoryStore(), nil, func() error { return fmt.Errorf("s3cr3t: %w", context.DeadlineExceeded) }}, []string{"out of time"}, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud()
			_, err := imbot.ParseEvent(c.issue("one.bitrix24.com", 1, appID).event("ONAPPINSTALL"), c.app(row.store).Verifier())
			for _, want := range row.want {
				require.ErrorContains(t, err, want)
			}
			require.NotContains(t, err.Error(), "s3cr3t")
			if row.is != nil {
				require.ErrorIs(t, err, row.is)
			}
		})
	}
}
