package imbot_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func TestOneLeadsAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "leads")
		var leading, most atomic.Int32
		work := func(context.Context) error {
			most.Store(max(most.Load(), leading.Add(1)))
			time.Sleep(10 * time.Second)
			leading.Add(-1)
			return nil
		}
		ended := make(chan error)
		for range 3 {
			go func() { ended <- imbot.FileLeader(dir).Lead(t.Context(), "portal", work) }()
		}
		go func() {
			ended <- imbot.FileLeader(dir).Lead(t.Context(), "another", func(context.Context) error { return nil })
		}()
		begun := time.Now()
		require.NoError(t, <-ended)
		require.Less(t, time.Since(begun), 10*time.Second, "another name has another leader")
		for range 3 {
			require.NoError(t, <-ended)
		}
		require.EqualValues(t, 1, most.Load())
		require.Less(t, time.Since(begun), 33*time.Second)
	})
}

func TestLeadReturnsWhatItsFunctionDoes(t *testing.T) {
	t.Parallel()
	failed := errors.New("failed")
	err := imbot.FileLeader(t.TempDir()+"/leads").Lead(t.Context(), "portal", func(context.Context) error { return failed })
	require.Equal(t, failed, err)
	err = imbot.FileLeader(t.TempDir()+"/leads").Lead(t.Context(), "portal", func(context.Context) error { runtime.Goexit(); return nil })
	require.NoError(t, err)
}

func TestWhoWaitsForTheLeadLeavesWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := imbot.FileLeader(filepath.Join(t.TempDir(), "leads"))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 2)
		go func() {
			ended <- l.Lead(ctx, "portal", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		}()
		synctest.Wait()
		go func() { ended <- l.Lead(ctx, "portal", neverLeads) }()
		time.Sleep(5 * time.Second)
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
		require.ErrorIs(t, <-ended, context.Canceled)
	})
}

func neverLeads(context.Context) error { return errors.New("it led") }

func TestALeadThatComesWithTheEndIsGivenBack(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	dir := filepath.Join(t.TempDir(), "leads")
	l := imbot.NewLeaderOf(dir, func(path string) (func(), error) {
		defer cancel() // as when who led before leaves with the same context
		return imbot.TryLockFile(path)
	})
	require.Equal(t, context.Canceled, l.Lead(ctx, "portal", neverLeads))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left, "the lock is free")
}

func TestALeadWhoseFileIsGoneIsLostAndWonAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "leads")
		runs := 0
		err := imbot.FileLeader(dir).Lead(t.Context(), "portal", func(ctx context.Context) error {
			if runs++; runs == 2 {
				return nil
			}
			require.NoError(t, os.RemoveAll(dir))
			<-ctx.Done()
			require.ErrorContains(t, context.Cause(ctx), "the lead is lost")
			return ctx.Err()
		})
		require.NoError(t, err)
		require.Equal(t, 2, runs)
	})
}

func TestLeadSaysWhichDirectoryItCannotUse(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.ErrorContains(t, imbot.FileLeader(filepath.Join(file, "leads")).Lead(t.Context(), "portal", neverLeads), file)
}
