package imbot

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"time"
)

// staleLock is the age at which a lock file counts as left behind by a process
// that died. No lock is held that long: a renewal ends before.
const staleLock = 3 * time.Minute

// tryLockFile makes a lock file and returns how to remove it, or nil when somebody
// else has made it. It is for systems without flock. The file names its owner:
// who was so slow that his lock was taken away must not remove that of another.
func tryLockFile(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		owner := rand.Text()
		_, err = f.WriteString(owner)
		if err = errors.Join(err, f.Close()); err != nil {
			_ = os.Remove(path)
			return nil, err
		}
		return func() { removeLock(path, func(aside string) bool { return ownedBy(aside, owner) }) }, nil
	}
	info, statErr := os.Stat(path)
	switch {
	case statErr == nil && isStale(info):
		removeLock(path, func(aside string) bool {
			info, err := os.Stat(aside)
			return err == nil && isStale(info)
		})
		return nil, nil
	case errors.Is(err, fs.ErrExist), errors.Is(err, fs.ErrPermission) && statErr == nil:
		return nil, nil // on Windows a file that is being removed gives ErrPermission
	}
	return nil, err
}

func isStale(lock fs.FileInfo) bool { return time.Since(lock.ModTime()) > staleLock }

func ownedBy(path, owner string) bool {
	data, err := os.ReadFile(path)
	return err == nil && string(data) == owner
}

// removeLock removes a lock file if it is the one that is meant. Only a file that
// is put aside is nobody else's any more; another's is put back.
func removeLock(path string, meant func(path string) bool) {
	if !meant(path) {
		return
	}
	aside := path + "." + rand.Text()
	if os.Rename(path, aside) != nil {
		return
	}
	if !meant(aside) {
		_ = os.Link(aside, path) // fails where a third one was faster
	}
	_ = os.Remove(aside)
}
