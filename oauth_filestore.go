package imbot

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"github.com/imbot-go/imbot/internal/files"
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
func NewFileStore(dir string) TokenStore { return &fileStore{directory(dir)} }

type fileStore struct{ dir files.Directory }

func directory(path string) files.Directory { return files.New(path, files.TryLock, fileError) }

// fileError is an error that tells which file, and nothing of what it holds.
func fileError(err error) error { return &Error{Description: "file store", cause: err} }

var (
	_ TokenLocker = (*fileStore)(nil)
	_ TokenLister = (*fileStore)(nil)
)

func (s *fileStore) Load(ctx context.Context, memberID string) (Grant, error) {
	path := s.dir.Name(memberID) + ".json"
	g, err := s.read(ctx, path)
	if err == nil && g.MemberID != memberID {
		return Grant{}, fileError(fmt.Errorf("%s: the grant of another portal", path))
	}
	return g, err
}

// read reads the grant in a file.
func (s *fileStore) read(ctx context.Context, path string) (Grant, error) {
	if err := ctx.Err(); err != nil {
		return Grant{}, err
	}
	if err := s.dir.Private(); err != nil {
		return Grant{}, err
	}
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Grant{}, ErrNotFound
	case err != nil:
		return Grant{}, fileError(err)
	}
	g, err := DecodeGrant(data)
	if err != nil {
		return Grant{}, fileError(fmt.Errorf("%s: %w", path, err))
	}
	return g, nil
}

func (s *fileStore) Swap(ctx context.Context, old, new Grant) error {
	memberID, err := swapKey(old, new)
	if err != nil {
		return err
	}
	unlock, err := s.dir.Change(ctx)
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
	name := s.dir.Name(memberID)
	if new == (Grant{}) {
		if err = os.Remove(name + ".json"); err == nil {
			_ = os.Remove(name + ".tmp") // the room for the next grant
		}
	} else {
		data := new.Encode()
		err = files.Replace(name+".json", name+".tmp", data)
		if err == nil && new.equal(old) {
			err = files.Overwrite(name+".tmp", make([]byte, roomFor(data)))
		}
	}
	if err == nil {
		err = files.Sync(s.dir.Path)
	}
	if err != nil {
		return fileError(err)
	}
	return nil
}

// Members implements [TokenLister]. It reads every file, because their names are hashes.
func (s *fileStore) Members(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		entries, err := os.ReadDir(s.dir.Path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			yield("", fileError(err))
			return
		}
		for _, file := range entries {
			if !files.IsOurs(file) || filepath.Ext(file.Name()) != ".json" {
				continue
			}
			g, err := s.read(ctx, filepath.Join(s.dir.Path, file.Name()))
			if errors.Is(err, ErrNotFound) { // removed meanwhile
				continue
			}
			if !yield(g.MemberID, err) || err != nil {
				return
			}
		}
	}
}

// Lock implements [TokenLocker]. It does not lock the file that Swap locks, because
// Swap is called while it is held.
func (s *fileStore) Lock(ctx context.Context, memberID string) (unlock func(), err error) {
	return s.dir.Lock(ctx, s.dir.Name(memberID)+".lock")
}

// roomFor is how many bytes are kept for the grant that comes after one.
func roomFor(data []byte) int { return 2*len(data) + 8<<10 }
