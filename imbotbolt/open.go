package imbotbolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.etcd.io/bbolt"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/internal/files"
)

// Options say how a file is opened.
type Options struct {
	// Keys encrypt what is stored. A file is encrypted from its beginning or not at all. nil: it is not.
	// The old key stays behind a new one until a month has gone by and each portal was called: what only
	// the old one opens is kept, but neither handled nor found.
	Keys *imbot.Keyring
}

const fileVersion = 1

// Tests have less of these.
var (
	lockTime       = 10 * time.Second // in which a process ends that has the file
	wasteful int64 = 64 << 20         // bytes that are free before a file is made smaller
)

// DB is an open file.
type DB struct {
	path   string
	file   os.FileInfo  // what path named at Open
	size   atomic.Int64 // the largest that the file was: it never shrinks
	gone   error        // why nothing is stored any more; only for the committer
	bolt   *bbolt.DB
	keys   *imbot.Keyring
	unlock func()
	begun  time.Time
	wall   time.Time // what the clock said then: a clock that jumps later changes nothing

	ops    chan *op
	closed chan struct{} // by Close
	ended  chan struct{} // the committer has ended
	unsure bool          // a transaction has failed, and may be on the disk all the same; only for the committer
	once   sync.Once
	err    error // of Close

	queue  queue
	grants locks
}

// Open opens a file, or makes it. It waits ten seconds for a process that has it. Close the result
// when nothing uses it any more.
//
// It fails with a text that says what to do: when another process has the file, when it was written by
// a newer version or another program, when Keys are not those that it was encrypted with, when it is
// damaged.
func Open(path string, o Options) (*DB, error) {
	now := time.Now()
	db := &DB{
		path: resolve(path), keys: o.Keys, begun: now, wall: now.Round(0),
		ops: make(chan *op), closed: make(chan struct{}), ended: make(chan struct{}),
	}
	err := db.lock()
	if err == nil {
		err = db.open()
		if err != nil {
			db.unlock()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("imbotbolt: %s: %w", path, err)
	}
	go db.commit()
	return db, nil
}

// lock waits for the process that has the file. The lock of bbolt would be on a file that Open may
// replace by a smaller one.
func (db *DB) lock() error {
	db.unlock = func() {}
	if runtime.GOOS == "windows" {
		return nil // bbolt locks its file, and nothing is replaced
	}
	for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		unlock, err := files.TryLock(db.path + ".lock")
		switch {
		case err != nil:
			return err
		case unlock != nil:
			db.unlock = unlock
			_ = os.WriteFile(db.path+".lock", []byte(strconv.Itoa(os.Getpid())), 0o600) // it only tells others
			return nil
		case time.Since(begun) > lockTime:
			return db.inUse()
		}
	}
}

func (db *DB) inUse() error {
	pid, err := os.ReadFile(db.path + ".lock")
	who := "another process"
	if err == nil && len(pid) > 0 {
		who = "process " + strings.TrimSpace(string(pid))
	}
	return fmt.Errorf("%s has it open: one process at a time may; end that one, or use package imbotpg for several", who)
}

func (db *DB) open() (err error) {
	if db.bolt, err = openFile(db.path); err != nil {
		return err
	}
	defer func() {
		if err != nil && db.bolt != nil {
			_ = db.bolt.Close()
		}
	}()
	if err := guard(func() error { return db.bolt.View(ours) }); err != nil {
		return err
	}
	if err := errors.Join(db.shrink(), db.watch()); err != nil {
		return err
	}
	if err := guard(func() error { return db.bolt.Update(db.prepare) }); err != nil && !errors.Is(err, errNothing) {
		return err
	}
	return db.load()
}

// openFile opens a file, which may be damaged.
func openFile(path string) (b *bbolt.DB, err error) {
	err = guard(func() (err error) {
		b, err = bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockTime, FreelistType: bbolt.FreelistMapType})
		if errors.Is(err, bbolt.ErrTimeout) { //nolint:staticcheck // its new name is in a package of errors that says the same
			return errors.New("another process has it open")
		}
		if err != nil {
			return ofBolt(err)
		}
		return b.View(func(tx *bbolt.Tx) error {
			info, err := os.Stat(path)
			if err == nil && info.Size() < tx.Size() {
				err = damaged(fmt.Errorf("it has %d of %d bytes", info.Size(), tx.Size()))
			}
			return err
		})
	})
	if err != nil && b != nil {
		_ = b.Close()
	}
	return b, err
}

// ofBolt tells a file that bbolt cannot read from one that the system does not give it.
func ofBolt(err error) error {
	var path *fs.PathError
	var number syscall.Errno
	if errors.As(err, &path) || errors.As(err, &number) {
		return err
	}
	return damaged(err)
}

func damaged(err error) error {
	return fmt.Errorf("the file is damaged, or is none of this package: bring back a copy, or move it away: %w", err)
}

// guard turns a panic of bbolt into an error: it panics when it finds what cannot be.
func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true)) // a file that was cut off
	defer func() {
		if p := recover(); p != nil {
			err = damaged(fmt.Errorf("%v", p))
		}
	}()
	return f()
}

// shrink replaces a file of which more than half is free.
func (db *DB) shrink() error {
	var size int64
	err := db.bolt.View(func(tx *bbolt.Tx) error { size = tx.Size(); return nil })
	free := int64(db.bolt.Stats().FreePageN) * int64(db.bolt.Info().PageSize)
	if err != nil || free < wasteful || free < size/2 || runtime.GOOS == "windows" {
		return err
	}
	small := db.path + ".small"
	if err := os.Remove(small); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	err = db.copyTo(small)
	if err == nil {
		err = os.Rename(small, db.path)
	}
	if err != nil {
		_ = os.Remove(small)
		return nil //nolint:nilerr // the disk is full: the large one serves as well
	}
	_ = db.bolt.Close()
	if err := files.Sync(filepath.Dir(db.path)); err != nil {
		return err
	}
	db.bolt, err = openFile(db.path)
	return err
}

func (db *DB) copyTo(path string) error {
	to, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		return err
	}
	return errors.Join(guard(func() error { return bbolt.Compact(to, db.bolt, 1<<20) }), to.Sync(), to.Close())
}

// The buckets. Those that end with "-at" have the keys of another one by time; see aged.
var (
	inMeta   = []byte("meta")
	inEvents = []byte("event")                         // by number
	inTries  = []byte("tries")                         // how often an event has ended its process, by number
	inGrants = []byte("grant")                         // by member id
	buried   = aged{[]byte("dead"), []byte("dead-at")} // by number
	seen     = aged{[]byte("seen"), []byte("seen-at")} // by digest of a key; without a time until it is done
	claimed  = aged{[]byte("claim"), []byte("claim-at")}
	states   = aged{[]byte("state"), []byte("state-at")} // by when it ends
)

// ours refuses a file that this version cannot read, before anything of it is changed.
func ours(tx *bbolt.Tx) error {
	meta := tx.Bucket(inMeta)
	if meta == nil {
		if first, _ := tx.Cursor().First(); first != nil {
			return errors.New("it belongs to another program: name a file that is not there yet")
		}
		return nil
	}
	if version := meta.Get([]byte("version")); version != nil && (len(version) != 1 || version[0] > fileVersion) {
		return errors.New("it was written by a newer version of this package: use that one")
	}
	return nil
}

// prepare makes the buckets. A file that is as it should be is not written, because the disk may be full.
func (db *DB) prepare(tx *bbolt.Tx) error {
	changed := false
	for _, name := range [][]byte{inMeta, inEvents, inTries, inGrants, buried.name, buried.at, seen.name, seen.at, claimed.name, claimed.at, states.name, states.at} {
		changed = changed || tx.Bucket(name) == nil
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	meta := tx.Bucket(inMeta)
	if meta.Get([]byte("version")) == nil {
		if err := meta.Put([]byte("version"), []byte{fileVersion}); err != nil {
			return err
		}
	}
	renewed, err := db.checkKeys(meta)
	if err == nil && !changed && !renewed {
		err = errNothing
	}
	return err
}

// checkKeys refuses keys that open nothing of the file. A text of its own proves that; it is sealed
// anew each time, because the key that has sealed it may leave the ring.
func (db *DB) checkKeys(meta *bbolt.Bucket) (renewed bool, err error) {
	const known = "imbot"
	proof := meta.Get([]byte("keys"))
	plain, err := db.keys.Open("meta keys", proof)
	switch {
	case proof == nil:
	case db.keys == nil && string(proof) != known:
		return false, errors.New("it is encrypted: give Options.Keys")
	case db.keys != nil && string(proof) == known:
		return false, errors.New("it is not encrypted: begin a new file, or leave Options.Keys out")
	case err != nil || string(plain) != known:
		return false, errors.New("Options.Keys do not open it: give the key that it was encrypted with, too")
	}
	sealed := db.keys.Seal("meta keys", []byte(known))
	if seal := 5; len(proof) >= seal && bytes.Equal(proof[:seal], sealed[:seal]) { // by the same key
		return false, nil
	}
	return true, meta.Put([]byte("keys"), sealed)
}

// Close ends what this process does with the file. What is being stored is finished; what runs, or
// waits in an Inbox, stays there for the next Open.
func (db *DB) Close() error {
	db.once.Do(func() {
		close(db.closed)
		<-db.ended
		db.err = errors.Join(db.queue.end(), db.bolt.Close())
		db.unlock()
	})
	return db.err
}

// Format implements [fmt.Formatter].
func (db *DB) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "imbotbolt.DB("+db.path+")") }

// now is the time by a clock that does not jump while the file is open.
func (db *DB) now() time.Time { return db.wall.Add(time.Since(db.begun)) }

func timeKey(at time.Time, key []byte) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(at.UnixNano())), key...)
}

func timeOf(key []byte) time.Time {
	if len(key) < 8 {
		return time.Time{}
	}
	return time.Unix(0, int64(binary.BigEndian.Uint64(key))) //nolint:gosec // timeKey has made it
}

// aged is a bucket with values that begin with a time, and one with the same keys by that time, so that
// what is old is found. Values of seen have no time, which saves a write of a page.
type aged struct{ name, at []byte }

// get returns a value without its time, or nil.
func (a aged) get(tx *bbolt.Tx, key []byte) (value []byte, at time.Time) {
	value = tx.Bucket(a.name).Get(key)
	if len(value) < 8 {
		return nil, time.Time{}
	}
	return value[8:], timeOf(value)
}

func (a aged) put(tx *bbolt.Tx, key []byte, at time.Time, value []byte) error {
	if err := a.remove(tx, key); err != nil {
		return err
	}
	if err := tx.Bucket(a.at).Put(timeKey(at, key), nil); err != nil {
		return err
	}
	return tx.Bucket(a.name).Put(key, append(timeKey(at, nil), value...))
}

func (a aged) remove(tx *bbolt.Tx, key []byte) error {
	old := tx.Bucket(a.name).Get(key)
	if len(old) < 8 {
		return nil
	}
	if err := tx.Bucket(a.at).Delete(append(bytes.Clone(old[:8]), key...)); err != nil {
		return err
	}
	return tx.Bucket(a.name).Delete(key)
}

// removeBefore removes some of the keys whose time is up, and returns how many.
func (a aged) removeBefore(tx *bbolt.Tx, end time.Time) (int, error) {
	var old [][]byte
	c := tx.Bucket(a.at).Cursor()
	for k, _ := c.First(); k != nil && len(old) < mostOld && timeOf(k).Before(end); k, _ = c.Next() {
		old = append(old, bytes.Clone(k))
	}
	for _, k := range old {
		if err := errors.Join(tx.Bucket(a.name).Delete(k[8:]), tx.Bucket(a.at).Delete(k)); err != nil {
			return 0, err
		}
	}
	return len(old), nil
}

// notAfter sets times to now that are to come, because the clock was wrong then: nothing is to be kept
// for years. It reports whether there were any.
func (a aged) notAfter(tx *bbolt.Tx, now time.Time) (were bool, err error) {
	var ahead [][]byte
	c := tx.Bucket(a.at).Cursor()
	for k, _ := c.Seek(timeKey(now.Add(1), nil)); k != nil; k, _ = c.Next() {
		ahead = append(ahead, bytes.Clone(k))
	}
	for _, k := range ahead {
		if value, _ := a.get(tx, k[8:]); value != nil {
			if err := tx.Bucket(a.name).Put(k[8:], append(timeKey(now, nil), value...)); err != nil {
				return false, err
			}
		}
		if err := errors.Join(tx.Bucket(a.at).Delete(k), tx.Bucket(a.at).Put(timeKey(now, k[8:]), nil)); err != nil {
			return false, err
		}
	}
	return len(ahead) > 0, nil
}

// view reads. An ended context is obeyed, and a damaged page is an error.
func (db *DB) view(ctx context.Context, f func(*bbolt.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-db.closed:
		return errClosed
	default:
	}
	if _, err := db.look(); err != nil {
		return err
	}
	err := guard(func() error { return db.bolt.View(f) })
	if errors.Is(err, bbolt.ErrDatabaseNotOpen) { //nolint:staticcheck // as above
		err = errClosed // meanwhile
	}
	return err
}
