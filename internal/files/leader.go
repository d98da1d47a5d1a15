package files

import (
	"context"
	"errors"
	"os"
	"time"
)

// A Leader chooses one of the processes of one machine by the lock of a file.
type Leader struct{ Directory }

const (
	leadLook = time.Second      // how often those who wait look
	leadHold = 15 * time.Second // how often who leads looks whether the file is still its own
)

// errLeadLost is why the context of f has ended.
var errLeadLost = errors.New("imbot: FileLeader: the lead is lost: its file was removed or replaced")

// Lead runs f while no other process does for the same name.
func (l Leader) Lead(ctx context.Context, name string, f func(context.Context) error) error {
	path := l.Name(name) + ".lead"
	for {
		unlock, err := l.await(ctx, path)
		if err != nil {
			return err
		}
		lost, err := l.hold(ctx, path, f)
		unlock()
		if !lost {
			return err
		}
	}
}

// await waits for the lock of a file.
func (l Leader) await(ctx context.Context, path string) (unlock func(), err error) {
	if err := l.Make(); err != nil {
		return nil, err
	}
	tick := time.NewTicker(leadLook)
	defer tick.Stop()
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		unlock, err := l.tryLock(path)
		if err != nil {
			return nil, l.fail(err)
		}
		if unlock != nil {
			if err := ctx.Err(); err != nil { // who led before may have left with the same context
				unlock()
				return nil, err
			}
			return unlock, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// hold runs f as long as the locked file is where others look for it.
func (l Leader) hold(ctx context.Context, path string, f func(context.Context) error) (lost bool, err error) {
	locked, err := os.Stat(path)
	if err != nil {
		return true, nil
	}
	leads, end := context.WithCancelCause(ctx)
	defer end(nil)
	done := make(chan error, 1)
	go func() {
		defer close(done) // also when f ends its goroutine
		done <- f(leads)
	}()
	tick := time.NewTicker(leadHold)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			return lost && ctx.Err() == nil, err
		case <-tick.C:
			now := time.Now()
			if file, err := os.Stat(path); err != nil || !os.SameFile(locked, file) || os.Chtimes(path, now, now) != nil { // a lock without flock goes stale
				lost = true
				end(errLeadLost)
			}
		}
	}
}
