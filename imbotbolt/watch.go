package imbotbolt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// resolve finds the file behind a path, so that neither a link nor the working directory, which may
// change, leads elsewhere later. A smaller file takes the place of the file, not that of a link.
func resolve(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if whole, err := filepath.Abs(path); err == nil {
		path = whole
	}
	return path
}

// watch notes which file is open.
func (db *DB) watch() (err error) {
	db.file, err = os.Stat(db.path)
	return err
}

// there refuses to store what the next process would not find, because somebody has removed the file, or
// put another one in its place.
func (db *DB) there() error {
	info, err := os.Stat(db.path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(info, db.file) {
		return fmt.Errorf("imbotbolt: nothing was stored: %s was removed or replaced while it was open: end the program, and bring the file back", db.path)
	}
	return nil
}

// whole refuses a file that somebody has cut off while it was open: bbolt would fail in the middle, and
// keep its locks for ever.
func (db *DB) whole() error {
	largest := db.size.Load() // before it is asked: others may make it larger
	info, err := os.Stat(db.path)
	if err != nil || !os.SameFile(info, db.file) {
		return nil //nolint:nilerr // what is open has lost its name, and nothing else
	}
	if info.Size() < largest {
		return damaged(fmt.Errorf("it was cut off while it was open, and has %d of %d bytes", info.Size(), largest))
	}
	db.size.CompareAndSwap(largest, info.Size())
	return nil
}
