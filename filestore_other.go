//go:build !unix || aix || solaris

package imbot

import (
	"errors"
	"io/fs"
	"os"
	"time"
)

// staleLock is the age at which a lock file counts as left behind by a process
// that died. No lock is held that long: a renewal ends before.
const staleLock = 3 * time.Minute

// tryLock makes a lock file and returns how to remove it, or nil when somebody
// else has made it.
func tryLock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		return func() { _ = os.Remove(path) }, f.Close()
	}
	info, statErr := os.Stat(path)
	switch {
	case statErr == nil && time.Since(info.ModTime()) > staleLock:
		// Of all who see it, one can rename it; the name is free then.
		aside := path + ".stale"
		if os.Rename(path, aside) == nil {
			_ = os.Remove(aside)
		}
		return nil, nil
	case errors.Is(err, fs.ErrExist), errors.Is(err, fs.ErrPermission) && statErr == nil:
		return nil, nil // on Windows a file that is being removed gives ErrPermission
	}
	return nil, err
}

// syncDir is for systems on which a directory can be synced.
func syncDir(string) error { return nil }
