package imbotredis

import (
	"context"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// lockTimes say how long a lock lives without its holder, how often that renews it, and how often
// those look who wait or got no answer.
type lockTimes struct{ life, renew, look time.Duration }

var (
	leadTimes  = lockTimes{life: 10 * time.Second, renew: 3 * time.Second, look: 500 * time.Millisecond}
	grantTimes = lockTimes{life: 30 * time.Second, renew: 10 * time.Second, look: 50 * time.Millisecond}
)

// takeKey takes a key for whoever has the token. Once more does no harm: go-redis repeats a question
// whose answer got lost. A key that outlives its life does so because the clock of the server went
// back: from then on it lives no longer than others.
var takeKey = redis.NewScript(`
local holder = redis.call('get', KEYS[1])
if holder and holder ~= ARGV[1] then
	if redis.call('pttl', KEYS[1]) > tonumber(ARGV[2]) then redis.call('pexpire', KEYS[1], ARGV[2]) end
	return 0
end
redis.call('set', KEYS[1], ARGV[1], 'px', ARGV[2])
return 1`)

var freeKey = redis.NewScript(`
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('del', KEYS[1])`)

// take takes a key for a token, or keeps it.
func (db *DB) take(ctx context.Context, key, token string, life time.Duration) (bool, error) {
	return ask(ctx, func() (bool, error) { return takeKey.Run(ctx, db.client, []string{key}, token, millis(life)).Bool() })
}

// free gives a key back.
func (db *DB) free(ctx context.Context, key, token string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_, _ = ask(ctx, func() (int, error) { return freeKey.Run(ctx, db.client, []string{key}, token).Int() }) // else it ends by itself
}

// lock waits for a key, and tells since when it is held at least.
func (db *DB) lock(ctx context.Context, key, token string, times lockTimes) (since time.Time, err error) {
	for ctx.Err() == nil {
		since = time.Now()
		got, err := db.take(ctx, key, token, times.life)
		if err != nil {
			db.free(ctx, key, token) // the answer may have got lost
			return time.Time{}, err
		}
		if got {
			return since, nil
		}
		pause(ctx, times.look)
	}
	return time.Time{}, ctx.Err()
}

// hold renews a lock until it is released. lost is called when it is somebody else's, or so close to
// its end that it soon may be.
func (db *DB) hold(ctx context.Context, key, token string, times lockTimes, since time.Time, lost func()) (release func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if db.renew(ctx, key, token, times, since); ctx.Err() == nil {
			lost()
		}
	}()
	return sync.OnceFunc(func() {
		cancel()
		<-ended
		db.free(ctx, key, token)
	})
}

// renew returns when the lock is lost, or ctx ends.
func (db *DB) renew(ctx context.Context, key, token string, times lockTimes, since time.Time) {
	for wait := times.renew; ctx.Err() == nil; {
		end := since.Add(times.life * 4 / 5)
		pause(ctx, min(wait, time.Until(end)))
		begun := time.Now()
		asking, cancel := context.WithTimeout(ctx, min(times.renew, end.Sub(begun)))
		got, err := db.take(asking, key, token, times.life)
		cancel()
		switch {
		case err == nil && got:
			since, wait = begun, times.renew
		case err == nil, !time.Now().Before(end):
			return
		default:
			wait = times.look
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
