package imbot

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

// NewFileStore returns a store that keeps each grant in a file of its own below
// dir, which is made when it is missing. Several processes of one machine may
// share dir; a network file system must have working file locks.
//
// Files have the mode 0600, dir 0700. A dir that is there already is refused when
// others may enter it: name one below it that is not. If the store has used it before,
// it is narrowed to 0700 instead, because a volume that is mounted or a backup that is
// played back may widen it. A file system that knows no modes has to be mounted so that
// it shows 0700; on Windows the access list is yours to set.
//
// A grant is written to another file, synced and renamed, so that a crash leaves the
// old grant or the new one. Swap(g, g) also keeps room for the next grant, so a disk
// that fills up while the token server is asked costs nothing either, as long as the
// file system writes in place (btrfs and ZFS do not). The names of the files are
// hashes of the member ids, which come from outside.
//
// A file that is damaged is refused, and the error names it, until somebody
// removes it and the application is installed again.
func NewFileStore(dir string) TokenStore { return newFileStore(dir, tryLock) }

func newFileStore(dir string, tryLock func(path string) (unlock func(), err error)) *fileStore {
	return &fileStore{dir: dir, turn: make(chan struct{}, 1), tryLock: tryLock}
}

type fileStore struct {
	dir     string
	turn    chan struct{} // has an element while a Swap of this process runs
	tryLock func(path string) (unlock func(), err error)
}

var _ TokenLocker = (*fileStore)(nil)

// fileError is an error that tells which file, and nothing of what it holds.
func fileError(err error) *Error { return &Error{Description: "file store", cause: err} }

// name is the path of a member's file, without its ending.
func (s *fileStore) name(memberID string) string {
	sum := sha256.Sum256([]byte(memberID))
	return filepath.Join(s.dir, hex.EncodeToString(sum[:]))
}

const swapLock = "swap.lock" // the file that Swap locks

// private sees to it that nobody else may enter the directory, if there is one.
func (s *fileStore) private() error {
	info, err := os.Stat(s.dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !othersMay(info) {
		return nil
	}
	var entries []fs.DirEntry
	if err == nil {
		entries, err = os.ReadDir(s.dir)
	}
	if err == nil {
		if slices.ContainsFunc(entries, isOurs) {
			err = os.Chmod(s.dir, 0o700) //nolint:gosec // a directory needs the bit to be entered
		} else {
			err = fmt.Errorf("others may enter %s, whose mode is %04o: name a directory below it that is not there yet, or chmod it to 0700", s.dir, info.Mode().Perm())
		}
	}
	if err != nil {
		return fileError(err)
	}
	return nil
}

// othersMay reports whether somebody beside the owner may do anything with a file or
// directory. On Windows its mode does not tell.
func othersMay(info fs.FileInfo) bool {
	return runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0
}

// isOurs reports whether a file is one that a store makes: of a member, or of all.
func isOurs(file fs.DirEntry) bool {
	return file.Name() == swapLock || strings.IndexByte(file.Name(), '.') == hex.EncodedLen(sha256.Size)
}

func (s *fileStore) Load(ctx context.Context, memberID string) (Grant, error) {
	if err := ctx.Err(); err != nil {
		return Grant{}, err
	}
	if err := s.private(); err != nil {
		return Grant{}, err
	}
	data, err := os.ReadFile(s.name(memberID) + ".json")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Grant{}, ErrNotFound
	case err != nil:
		return Grant{}, fileError(err)
	}
	g, err := DecodeGrant(data)
	if err == nil && g.MemberID != memberID {
		err = errors.New("the grant of another portal")
	}
	if err != nil {
		return Grant{}, fileError(fmt.Errorf("%s.json: %w", s.name(memberID), err))
	}
	return g, nil
}

func (s *fileStore) Swap(ctx context.Context, old, new Grant) error {
	memberID, err := swapKey(old, new)
	if err != nil {
		return err
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	unlock, err := s.lock(ctx, filepath.Join(s.dir, swapLock))
	if err != nil {
		return err
	}
	defer unlock()

	stored, err := s.Load(ctx, memberID)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if err := swappable(stored, old); err != nil {
		return err
	}
	name := s.name(memberID)
	if new == (Grant{}) {
		if err = os.Remove(name + ".json"); err == nil {
			_ = os.Remove(name + ".tmp") // the room for the next grant
		}
	} else {
		data := new.Encode()
		err = replaceFile(name+".json", name+".tmp", data)
		if err == nil && new.equal(old) {
			err = overwrite(name+".tmp", make([]byte, roomFor(data)))
		}
	}
	if err == nil {
		err = syncDir(s.dir)
	}
	if err != nil {
		return fileError(err)
	}
	return nil
}

// Lock implements [TokenLocker]. It does not lock the file that Swap locks, because
// Swap is called while it is held.
func (s *fileStore) Lock(ctx context.Context, memberID string) (unlock func(), err error) {
	return s.lock(ctx, s.name(memberID)+".lock")
}

func (s *fileStore) lock(ctx context.Context, path string) (unlock func(), err error) {
	if err := s.private(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, fileError(err)
	}
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		unlock, err := s.tryLock(path)
		if err != nil {
			return nil, fileError(err)
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

// replaceFile writes a file in one step. The caller holds the lock, so a temporary
// file that is there is the room that Swap(g, g) has kept, or left from a crash.
func replaceFile(path, temporary string, data []byte) error {
	if err := overwrite(temporary, data); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

// overwrite writes a file over what it holds, and only then cuts it, so that its room
// cannot go to somebody else. What others may read makes way, and so does a link.
func overwrite(path string, data []byte) error {
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

// roomFor is how many bytes are kept for the grant that comes after one.
func roomFor(data []byte) int { return 2*len(data) + 8<<10 }

// staleLock is the age at which a lock file counts as left behind by a process
// that died. No lock is held that long: a renewal ends before.
const staleLock = 4 * time.Minute

// tryLockFile makes a lock file and returns how to remove it, or nil when somebody
// else has made it. It is for systems without flock. The file names its owner, so that
// one whose lock counted as stale does not remove the lock of the next.
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
