package imbotpg_test

import (
	"context"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/imbotpg"
	"github.com/imbot-go/imbot/imbotpg/internal/pgtest"
)

// network is one between here and a server, which passes nothing on from hang to goOn.
func network(t *testing.T, s *pgtest.Server) (dsn string, hang func() (goOn func())) {
	t.Helper()
	_, rest, isOurs := strings.Cut(s.DSN, "host=")
	if !isOurs {
		t.Skip("it needs a server of its own")
	}
	dir, _, _ := strings.Cut(rest, " ")
	ln, err := new(net.ListenConfig).Listen(t.Context(), "unix", filepath.Join(t.TempDir(), ".s.PGSQL.5432"))
	require.NoError(t, err)
	var hangs sync.RWMutex
	var wg sync.WaitGroup
	pass := func(to, from net.Conn) {
		defer func() { _ = to.Close() }()
		for buf := make([]byte, 1<<16); ; {
			n, err := from.Read(buf)
			hangs.RLock()
			_, failed := to.Write(buf[:n])
			hangs.RUnlock()
			if err != nil || failed != nil {
				return
			}
		}
	}
	wg.Go(func() {
		for near, err := ln.Accept(); err == nil; near, err = ln.Accept() {
			far, err := new(net.Dialer).DialContext(context.Background(), "unix", filepath.Join(dir, ".s.PGSQL.5432"))
			if err != nil {
				_ = near.Close()
				continue
			}
			wg.Go(func() { pass(near, far) })
			wg.Go(func() { pass(far, near) })
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		wg.Wait()
	})
	return "user=postgres dbname=postgres host=" + filepath.Dir(ln.Addr().String()), func() func() {
		hangs.Lock()
		goOn := sync.OnceFunc(hangs.Unlock)
		t.Cleanup(goOn)
		return goOn
	}
}

func TestContextsAreObeyedWhileTheServerHangs(t *testing.T) {
	t.Parallel()
	dsn, hang := network(t, pgtest.Start(t))
	db, err := imbotpg.Open(t.Context(), dsn, imbotpg.Options{})
	require.NoError(t, err)
	in := db.Inbox()
	mustPut(t, in, "1", "a")
	mustPut(t, in, "2", "b")
	held := mustTake(t, in)
	shortly := func(f func(ctx context.Context) error) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		begun := time.Now()
		require.ErrorIs(t, f(ctx), context.DeadlineExceeded)
		require.Less(t, time.Since(begun), 2*time.Second)
	}
	goOn := hang()
	shortly(func(ctx context.Context) error { _, err := in.Put(ctx, item("3", "c")); return err })
	shortly(func(ctx context.Context) error { _, err := in.Take(ctx, 1); return err })
	shortly(func(ctx context.Context) error { return in.Done(ctx, held, driver.InboxHandled) })
	shortly(func(ctx context.Context) error { _, err := in.InboxStats(ctx); return err })
	shortly(func(ctx context.Context) error { _, err := imbotpg.Open(ctx, dsn, imbotpg.Options{}); return err })
	goOn()
	require.Eventually(t, func() bool { // none of it was lost, or done twice
		_, err := in.Put(t.Context(), item("3", "c"))
		return err == nil
	}, 30*time.Second, 10*time.Millisecond)
	if err := in.Done(t.Context(), held, driver.InboxHandled); err != nil {
		require.ErrorIs(t, err, driver.ErrTakenOver) // the first was written, and its answer given up
	}
	keys := map[string]bool{}
	for len(keys) < 2 {
		it := mustTake(t, in)
		require.False(t, keys[it.Key] || it.Key == "1", "%s comes twice", it.Key)
		keys[it.Key] = true
	}
	goOn = hang()
	begun := time.Now()
	require.Error(t, in.Close())
	require.Less(t, time.Since(begun), 5*time.Second)
	goOn()
	require.NoError(t, db.Close())
}
