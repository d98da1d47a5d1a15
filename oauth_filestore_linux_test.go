package imbot_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// TestAFullDiskCostsNoGrant runs itself once more, in name spaces where it may mount a
// small disk in memory, also when it is not root.
func TestAFullDiskCostsNoGrant(t *testing.T) {
	t.Parallel()
	disk := os.Getenv("DISK_STORE")
	if disk == "" {
		cmd := again(t.Context(), t, t.TempDir())
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		}
		out, err := cmd.CombinedOutput()
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOSPC) || strings.Contains(string(out), "--- SKIP: ") {
			t.Skip("no disk to fill up, because this system lets only root mount one: ", err)
		}
		require.NoError(t, err, "%s", out)
		require.Contains(t, string(out), "--- PASS: "+t.Name())
		return
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=256k,mode=0700"); err != nil {
		t.Skip(err)
	}
	ballast := filepath.Join(disk, "ballast")
	// fill takes all but some bytes of the disk.
	fill := func(left int64) {
		f, err := os.Create(ballast)
		require.NoError(t, err)
		for err == nil {
			_, err = f.Write(make([]byte, 4096))
		}
		require.ErrorIs(t, err, syscall.ENOSPC)
		info, err := f.Stat()
		require.NoError(t, err)
		require.NoError(t, f.Truncate(info.Size()-left))
		require.NoError(t, f.Close())
	}
	c := newCloud()
	store := imbot.NewFileStore(filepath.Join(disk, "grants"))
	require.NoError(t, store.Swap(t.Context(), imbot.Grant{}, c.issue("one.bitrix24.com", 1, appID).grant()))
	client, err := c.app(store).Client(t.Context(), memberOne)
	require.NoError(t, err)
	fails := func(with error) {
		t.Helper()
		c.expire()
		before := load(t, store).RefreshToken
		asked := c.asked(tokenURL)
		err := ping(t.Context(), client)
		require.ErrorIs(t, err, with)
		require.ErrorContains(t, err, "the token store ")
		require.NotErrorIs(t, err, imbot.ErrReinstall)
		require.NotContains(t, err.Error(), "s3cr3t")
		require.Equal(t, asked, c.asked(tokenURL))
		require.Equal(t, before, load(t, store).RefreshToken)
	}

	// Full before the token server is asked.
	process := func() {
		client, err = c.app(store).Client(t.Context(), memberOne)
		require.NoError(t, err)
	}
	fill(0)
	for range 100 {
		process() // that has not failed before
		fails(syscall.ENOSPC)
	}
	fill(8192) // the grant and no room for the next
	process()
	fails(syscall.ENOSPC)
	require.NoError(t, os.Remove(ballast))
	process()
	require.NoError(t, ping(t.Context(), client), "the grant has lived on")
	require.Equal(t, "s3cr3t-refresh-2", load(t, store).RefreshToken)

	// Full while the token server is asked: the next grant has its room already.
	c.expire()
	c.fail = onToken(func() { fill(0) })
	require.NoError(t, ping(t.Context(), client))
	c.fail = nil
	require.Equal(t, 2, c.asked(tokenURL))
	again, err := c.app(imbot.NewFileStore(filepath.Join(disk, "grants"))).Client(t.Context(), memberOne)
	require.NoError(t, err)
	require.NoError(t, ping(t.Context(), again), "what is on the disk is whole")
	require.NoError(t, os.Remove(ballast))

	// A disk that only reads.
	require.NoError(t, syscall.Mount("", disk, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	fails(syscall.EROFS)
	require.NoError(t, syscall.Mount("", disk, "", syscall.MS_REMOUNT, ""))
	require.NoError(t, ping(t.Context(), client))
}
