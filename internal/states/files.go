package states

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/imbot-go/imbot/internal/files"
)

// NewFiles returns a store that keeps the states in a directory.
func NewFiles(dir files.Directory, errs Errors) *Files { return &Files{dir: dir, errs: errs} }

// Files keeps each state in a file of its own.
type Files struct {
	errs   Errors
	dir    files.Directory
	mu     sync.Mutex
	others []string  // files that sweep has not looked at yet
	listed time.Time // when it has listed them
}

const (
	stateEnding = ".state"
	stateTime   = time.RFC3339Nano // when a state ends: the first line of its file
)

// Load implements driver.StateStore.
func (s *Files) Load(ctx context.Context, key string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := s.dir.Private(); err != nil {
		return nil, err
	}
	value, err := s.read(s.dir.Name(key) + stateEnding)
	if err != nil && !errors.Is(err, s.errs.NotFound) {
		return nil, s.errs.File(err)
	}
	return value, err
}

// read returns what a file holds, or NotFound when its time is up.
func (s *Files) read(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, s.errs.NotFound
	}
	if err != nil {
		return nil, err
	}
	line, value, _ := bytes.Cut(data, []byte("\n"))
	until, err := time.Parse(stateTime, string(line))
	if err != nil {
		return nil, fmt.Errorf("%s: its first line is not the time at which the state ends; remove the file", path)
	}
	if !time.Now().Before(until) {
		return nil, s.errs.NotFound
	}
	return value, nil
}

// Swap implements driver.StateStore.
func (s *Files) Swap(ctx context.Context, key string, old, new []byte, ttl time.Duration) error {
	end, err := s.dir.Change(ctx)
	if err != nil {
		return err
	}
	defer end()
	stored, err := s.Load(ctx, key)
	found := err == nil
	if err != nil && !errors.Is(err, s.errs.NotFound) {
		return err
	}
	if found != (old != nil) || !bytes.Equal(stored, old) {
		return s.errs.Conflict
	}
	name := s.dir.Name(key)
	if new == nil {
		if err = os.Remove(name + stateEnding); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	} else {
		until := time.Now().Add(ttl).AppendFormat(nil, stateTime)
		err = files.Replace(name+stateEnding, name+".tmp", append(append(until, '\n'), new...))
	}
	if err == nil {
		s.sweep()
		err = files.Sync(s.dir.Path)
	}
	if err != nil {
		return s.errs.File(err)
	}
	return nil
}

// sweep looks at some of the other files and removes those whose time is up. A file that
// cannot be read stays, for a person to look at.
func (s *Files) sweep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.others) == 0 && time.Since(s.listed) > time.Minute {
		s.listed = time.Now()
		entries, _ := os.ReadDir(s.dir.Path)
		for _, file := range entries {
			if strings.HasSuffix(file.Name(), stateEnding) {
				s.others = append(s.others, filepath.Join(s.dir.Path, file.Name()))
			}
		}
	}
	for range min(3, len(s.others)) {
		path := s.others[0]
		s.others = s.others[1:]
		if _, err := s.read(path); errors.Is(err, s.errs.NotFound) {
			_ = os.Remove(path)
		}
	}
}
