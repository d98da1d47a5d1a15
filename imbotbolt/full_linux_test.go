package imbotbolt_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/imbotbolt"
)

// A limit on the size of files is what a full disk is to the program, and needs no disk of its own.
func TestAFullDiskAcceptsNothingAndBreaksNothing(t *testing.T) {
	if path := os.Getenv("IMBOTBOLT_FULL"); path != "" {
		synctest.Test(t, func(t *testing.T) { fillDisk(t, path) })
		return
	}
	path := filepath.Join(t.TempDir(), "bot.db")
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAFullDiskAcceptsNothingAndBreaksNothing$")
	cmd.Env = append(os.Environ(), "IMBOTBOLT_FULL="+path)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	var accepted int
	_, err = fmt.Sscanf(string(out), "accepted %d", &accepted)
	require.NoError(t, err, "%s", out)
	db := openFile(t, path, imbotbolt.Options{})
	require.Equal(t, accepted, len(take(t, db.Inbox(), 1<<20)), "what was accepted, and nothing else") //nolint:testifylint // it would print them
}

func fillDisk(t *testing.T, path string) {
	t.Helper()
	db, err := imbotbolt.Open(path, imbotbolt.Options{})
	require.NoError(t, err)
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit))
	setSize := func(most uint64) {
		require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: most, Max: limit.Max}))
	}
	setSize(2 << 20)
	in, accepted, refused := db.Inbox(), 0, 0
	store := func() error {
		n := fmt.Sprintf("k%d", accepted+refused)
		fresh, err := in.Put(t.Context(), driver.InboxItem{Key: n, Line: n, Body: make([]byte, 50_000)})
		require.Equal(t, err == nil, fresh)
		return err
	}
	for refused < 5 {
		if store() != nil {
			refused++
			continue
		}
		accepted++
	}
	require.Greater(t, accepted, 10)
	running := take(t, in, 10)
	var stored, done error
	together(t, db, func() {}, func() { stored = store() }, func() { done = in.Done(t.Context(), running[0], driver.InboxHandled) })
	require.Error(t, stored)
	require.NoError(t, done, "it leaves room")
	refused++
	for _, it := range running[1:] {
		require.NoError(t, in.Done(t.Context(), it, driver.InboxHandled))
	}
	for range 3 {
		require.NoError(t, store(), "there is the room that was left")
		accepted++
	}
	require.NoError(t, db.Close())
	setSize(0)
	db, err = imbotbolt.Open(path, imbotbolt.Options{})
	require.NoError(t, err, "a bot starts while the disk is full")
	in = db.Inbox()
	require.Error(t, store())
	refused++
	setSize(limit.Cur)
	for range 10 {
		require.NoError(t, store(), "there is room again")
		accepted++
	}
	require.NoError(t, db.Close())
	fmt.Println("accepted", accepted-len(running))
}
