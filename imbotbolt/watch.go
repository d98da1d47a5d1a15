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

// look looks whether the file is as bbolt has it open. gone: somebody has removed it, or put another one
// in its place, and the next process would not find what is stored. err: somebody has cut it off; bbolt
// would fail in the middle, and keep its locks for ever.
func (db *DB) look() (gone, err error) {
	largest := db.size.Load() // before it is asked: others may make it larger
	info, err := os.Stat(db.path)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(info, db.file):
		return fmt.Errorf("imbotbolt: nothing was stored: %s was removed or replaced while it was open: end the program, and bring the file back", db.path), nil
	case err != nil:
		return nil, nil //nolint:nilerr // who may no longer ask has the file open all the same
	case info.Size() < largest:
		return nil, damaged(fmt.Errorf("it was cut off while it was open, and has %d of %d bytes", info.Size(), largest))
	}
	db.size.CompareAndSwap(largest, info.Size())
	return nil, nil
}
