package imbotbolt_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/imbotbolt"
)

// A limit on the size of files is what a full disk is to the program, and needs no disk of its own.
func TestAFullDiskAcceptsNothingAndBreaksNothing(t *testing.T) {
	if path := os.Getenv("IMBOTBOLT_FULL"); path != "" {
		fillDisk(t, path)
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
	require.Len(t, take(t, db.Inbox(), 1<<20), accepted, "what was accepted, and nothing else")
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
		_, err := in.Put(t.Context(), driver.InboxItem{Key: n, Line: n, Body: make([]byte, 50_000)})
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
	fmt.Println("accepted", accepted)
}
