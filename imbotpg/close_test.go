package imbotpg_test

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/imbotpg"
	"github.com/imbot-go/imbot/imbotpg/internal/pgtest"
)

// goroutines are those of the module and of its client, as they stand.
func goroutines() string {
	all := make([]byte, 1<<22)
	var ours []string
	for stack := range strings.SplitSeq(string(all[:runtime.Stack(all, true)]), "\n\n") {
		if strings.Contains(stack, "imbotpg.") || strings.Contains(stack, "jackc/") {
			ours = append(ours, stack)
		}
	}
	return strings.Join(ours, "\n\n")
}

// It is not parallel, so all goroutines are its own, once those of the test before have ended.
func TestCloseDoesNotWaitForAServerThatHangs(t *testing.T) {
	require.Eventually(t, func() bool { return goroutines() == "" }, 20*time.Second, time.Millisecond)
	s := pgtest.Start(t)
	ctx := context.Background() // of callers who trust that Close ends everything
	db, err := imbotpg.Open(ctx, s.DSN, imbotpg.Options{})
	require.NoError(t, err)
	in, idle := db.Inbox(), db.Inbox()
	mustPut(t, in, "1", "a")
	held := mustTake(t, in)
	_, err = db.Tokens().Lock(ctx, "portal")
	require.NoError(t, err)
	s.Freeze()
	var wg sync.WaitGroup
	asked := make(chan struct{}, 8)
	for _, f := range []func() error{
		func() error { return errorOf(in.Put(ctx, item("2", "b"))) },
		func() error { return in.Done(ctx, held, driver.InboxHandled) },
		func() error { return errorOf(in.Take(ctx, 1)) },
		func() error { return errorOf(idle.Take(ctx, 1)) },
		func() error { return errorOf(db.Tokens().Load(ctx, "portal")) },
		func() error { return db.States().Swap(ctx, "key", nil, []byte("1"), time.Hour) },
		func() error { return errorOf(db.Tokens().Lock(ctx, "another")) },
		func() error { return db.Leader().Lead(ctx, "name", func(context.Context) error { return nil }) },
	} {
		wg.Go(func() {
			asked <- struct{}{}
			require.Error(t, f())
		})
	}
	for range cap(asked) {
		<-asked
	}
	begun := time.Now()
	require.Error(t, db.Close(), "what was held could not be returned")
	took := time.Since(begun)
	t.Logf("closed after %v", took.Round(10*time.Millisecond))
	require.Less(t, took, 5*time.Second)
	wg.Wait()
	require.Less(t, time.Since(begun), 5*time.Second)
	require.Eventually(t, func() bool { return goroutines() == "" }, time.Second, time.Millisecond, "%s", goroutines())
}

func TestCloseDoesNotWaitForTheCallersPool(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	pool, err := pgxpool.New(t.Context(), s.DSN)
	require.NoError(t, err)
	defer pool.Close()
	db, err := imbotpg.OpenPool(t.Context(), pool, imbotpg.Options{})
	require.NoError(t, err)
	in := db.Inbox()
	mustPut(t, in, "1", "a")
	mustTake(t, in)
	goOn := s.Freeze()
	begun := time.Now()
	require.Error(t, db.Close())
	require.Less(t, time.Since(begun), 5*time.Second)
	goOn()
}
