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

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// eachStore runs a test on every store of the package.
func eachStore(t *testing.T, test func(*testing.T, imbot.TokenStore)) {
	t.Run("in memory", func(t *testing.T) { test(t, imbot.NewMemoryStore()) })
	t.Run("in files", func(t *testing.T) { test(t, imbot.NewFileStore(filepath.Join(t.TempDir(), "grants"))) })
	t.Run("in files without flock", func(t *testing.T) { test(t, imbot.NewLockFileStore(filepath.Join(t.TempDir(), "grants"))) })
}

func TestStoreSwaps(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
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
	t.Parallel()
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
	t.Parallel()
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

func TestTheErrorOfAStoreSaysWhatToRepair(t *testing.T) {
	t.Parallel()
	damaged := privateDir(t)
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
