package imbot_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func TestALockFileBelongsToItsOwner(t *testing.T) {
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
