// Package files keeps files that processes of one machine share: private, replaced in one
// step, changed by one at a time. It is what is behind the file stores and the file leader.
package files

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// A Locker takes the lock of a file and returns how to give it back, or nil when somebody
// else has it.
type Locker = func(path string) (unlock func(), err error)

// A Directory holds the files of a store, which processes of one machine share.
type Directory struct {
	Path string

	turn    chan struct{} // has an element while a change of this process runs
	tryLock Locker
	fail    func(error) error
}

// New returns a directory, which need not be there. What goes wrong with a file is told by
// way of fail; the end of a context is not.
func New(path string, tryLock Locker, fail func(error) error) Directory {
	return Directory{Path: path, turn: make(chan struct{}, 1), tryLock: tryLock, fail: fail}
}

// Name is the path of the file of a key, without its ending.
func (d Directory) Name(key string) string {
	sum := sha256.Sum256([]byte(key))
	return filepath.Join(d.Path, hex.EncodeToString(sum[:]))
}

const swapLock = "swap.lock" // the file that a change locks

// Private sees to it that nobody else may enter the directory, if there is one.
func (d Directory) Private() error {
	info, err := os.Stat(d.Path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !othersMay(info) {
		return nil
	}
	var entries []fs.DirEntry
	if err == nil {
		entries, err = os.ReadDir(d.Path)
	}
	if err == nil {
		if slices.ContainsFunc(entries, IsOurs) {
			err = os.Chmod(d.Path, 0o700) //nolint:gosec // a directory needs the bit to be entered
		} else {
			err = fmt.Errorf("others may enter %s, whose mode is %04o: name a directory below it that is not there yet, or chmod it to 0700", d.Path, info.Mode().Perm())
		}
	}
	if err != nil {
		return d.fail(err)
	}
	return nil
}

// othersMay reports whether somebody beside the owner may do anything with a file or
// directory. On Windows its mode does not tell.
func othersMay(info fs.FileInfo) bool {
	return runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0
}

// IsOurs reports whether a file is one that a store makes: of a key, or of all.
func IsOurs(file fs.DirEntry) bool {
	return file.Name() == swapLock || strings.IndexByte(file.Name(), '.') == hex.EncodedLen(sha256.Size)
}

// Change waits until nobody else changes the directory, in this process or another.
func (d Directory) Change(ctx context.Context) (end func(), err error) {
	select {
	case d.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	unlock, err := d.Lock(ctx, filepath.Join(d.Path, swapLock))
	if err != nil {
		<-d.turn
		return nil, err
	}
	return func() { unlock(); <-d.turn }, nil
}

// Make makes the directory if it is missing.
func (d Directory) Make() error {
	if err := d.Private(); err != nil {
		return err
	}
	if err := os.MkdirAll(d.Path, 0o700); err != nil {
		return d.fail(err)
	}
	return nil
}

// Lock waits for the lock of a file.
func (d Directory) Lock(ctx context.Context, path string) (unlock func(), err error) {
	if err := d.Make(); err != nil {
		return nil, err
	}
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		unlock, err := d.tryLock(path)
		if err != nil {
			return nil, d.fail(err)
		}
		if unlock != nil {
			return unlock, nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		}
	}
}

// Replace writes a file in one step. The caller holds the lock, so a temporary
// file that is there is room that was kept, or left from a crash.
func Replace(path, temporary string, data []byte) error {
	if err := Overwrite(temporary, data); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

// Overwrite writes a file over what it holds, and only then cuts it, so that its room
// cannot go to somebody else. What others may read makes way, and so does a link.
func Overwrite(path string, data []byte) error {
	if info, err := os.Lstat(path); err == nil && othersMay(info) {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if _, err = f.Write(data); err == nil {
		err = f.Truncate(int64(len(data)))
	}
	return errors.Join(err, f.Sync(), f.Close())
}

// StaleLock is the age at which a lock file counts as left behind by a process
// that died. No lock is held that long: a renewal ends before.
const StaleLock = 4 * time.Minute

// TryLockFile makes a lock file and returns how to remove it, or nil when somebody
// else has made it. It is for systems without flock. The file names its owner, so that
// one whose lock counted as stale does not remove the lock of the next.
func TryLockFile(path string) (unlock func(), err error) {
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

func isStale(lock fs.FileInfo) bool { return time.Since(lock.ModTime()) > StaleLock }

func ownedBy(path, owner string) bool {
	data, err := os.ReadFile(path)
	return err == nil && string(data) == owner
}

// removeLock removes a lock file if it is the one that is meant. Somebody may replace
// it between the look and the removal, so it is renamed and looked at once more; the
// lock of another is put back.
func removeLock(path string, meant func(path string) bool) {
	if !meant(path) {
		return
	}
	aside := path + "." + rand.Text()
	if os.Rename(path, aside) != nil {
		return
	}
	if !meant(aside) {
		_ = os.Link(aside, path) // fails if somebody has made a new lock meanwhile
	}
	_ = os.Remove(aside)
}
