package imbotredis

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	grantLife = 30 * time.Second
	grantLook = 50 * time.Millisecond
)

// lockTimes say how long a lock lives without its holder, how often that renews it, and how often
// those look who wait.
type lockTimes struct{ life, renew, look time.Duration }

// A lock is a key that holds a random text and ends by itself when its holder does not renew it.
type lock struct {
	lost    chan struct{} // closed when it may be somebody else's
	release func()        // gives it back; the second time does nothing
}

var (
	renewLock = redis.NewScript(`
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('pexpire', KEYS[1], ARGV[2])`)
	freeLock = redis.NewScript(`
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('del', KEYS[1])`)
)

// lock waits for a lock.
func (db *DB) lock(ctx context.Context, key string, times lockTimes) (*lock, error) {
	token := rand.Text()
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		begun := time.Now()
		got, err := db.client.SetNX(ctx, key, token, times.life).Result()
		if err != nil {
			return nil, err
		}
		if got {
			return db.hold(ctx, key, token, times, begun), nil
		}
		pause(ctx, times.look)
	}
}

// hold renews a lock until it is released.
func (db *DB) hold(ctx context.Context, key, token string, times lockTimes, begun time.Time) *lock {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l := &lock{lost: make(chan struct{})}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		db.renew(ctx, key, token, times, begun)
		if ctx.Err() == nil {
			close(l.lost)
		}
	}()
	l.release = sync.OnceFunc(func() {
		cancel()
		<-ended
		freeing, stop := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer stop()
		_ = freeLock.Run(freeing, db.client, []string{key}, token).Err() // else it ends by itself
	})
	return l
}

// renew returns when ctx ends, or when the lock is lost: it is somebody else's, or so close to its end
// that it soon may be.
func (db *DB) renew(ctx context.Context, key, token string, times lockTimes, last time.Time) {
	end := times.life * 4 / 5
	for wait := times.renew; ; wait = min(times.renew, time.Second) {
		pause(ctx, min(wait, time.Until(last.Add(end))))
		if ctx.Err() != nil {
			return
		}
		begun := time.Now()
		asking, cancel := context.WithDeadline(ctx, last.Add(end))
		ours, err := renewLock.Run(asking, db.client, []string{key}, token, millis(times.life)).Int()
		cancel()
		switch {
		case err == nil && ours == 0, time.Since(last) >= end:
			return
		case err == nil:
			last = begun
			pause(ctx, times.renew-min(times.renew, time.Second))
		}
	}
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
