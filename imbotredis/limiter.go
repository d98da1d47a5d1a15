package imbotredis

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/internal/booking"
)

// Limiter is the rate limit that all processes share which open it, one trip for a request. While the
// server is away each takes its share of the rate. It also tells them what a portal has blocked.
type Limiter struct {
	*booking.Limiter

	db *DB
}

var (
	_ imbot.Limiter  = (*Limiter)(nil)
	_ driver.Refuser = (*Limiter)(nil)
	_ driver.Holder  = (*Limiter)(nil)
)

// Limiter returns a limiter with the rate of [imbot.NewLimiter]. All processes have to give the same.
func (db *DB) Limiter(perSecond float64, burst int) *Limiter {
	perSecond, burst = booking.Rate(perSecond, burst)
	db.beats.Do(func() { db.works.Go(db.beat) })
	return &Limiter{booking.New(buckets{db, perSecond, burst}, perSecond, burst, slog.Default), db}
}

// Format implements [fmt.Formatter]; fmt would print what is behind the pointer for some verbs.
func (l *Limiter) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "imbotredis.Limiter") }

// buckets are what booking books in.
type buckets struct {
	db        *DB
	perSecond float64
	burst     int
}

// bucket is what the three scripts begin with: the time, the bucket, and what of its halvings is left.
// When the clock of the server went back, tat and calm go with it, or nobody would be served until then.
const bucket = `
local time = redis.call('time')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local base, burst = 1 / tonumber(ARGV[1]), tonumber(ARGV[2])
local stored = redis.call('hmget', KEYS[1], 'tat', 'halvings', 'calm', 'at')
local back = math.min(now - (tonumber(stored[4]) or now), 0)
local tat, halvings, calm = (tonumber(stored[1]) or 0) + back, tonumber(stored[2]) or 0, (tonumber(stored[3]) or 0) + back
while halvings > 0 and now - calm >= 60 * base do
	halvings, calm = halvings - 1, calm + 60 * base
end
local function store()
	redis.call('hset', KEYS[1], 'tat', string.format('%.6f', tat), 'halvings', halvings, 'calm', string.format('%.6f', calm), 'at', string.format('%.6f', now))
	redis.call('pexpire', KEYS[1], math.ceil((math.max(tat - now, 0) + (halvings + 1) * 60 * base + 1) * 1000))
end
local step = base * 2 ^ halvings
`

var (
	book = redis.NewScript(bucket + `
local full = now + burst * step
tat = math.max(tat, math.min(tat + ARGV[5] * step, full), full - ARGV[4] * step) + step
store()
return math.ceil(math.max(tat - (burst - tonumber(ARGV[3])) * step - now, 0) * 1000000)`)
	refund = redis.NewScript(bucket + `
if tat > now then
	tat = tat - step
	store()
end
return 0`)
	refused = redis.NewScript(bucket + `
if now - calm < 2 * base then return 0 end
halvings, calm = math.min(halvings + 1, 3), now
tat = now + burst * base * 2 ^ halvings
store()
return 0`)
)

func (b buckets) run(ctx context.Context, script *redis.Script, portal string, args ...any) (int64, error) {
	args = append([]any{strconv.FormatFloat(b.perSecond, 'g', -1, 64), b.burst}, args...)
	return ask(ctx, func() (int64, error) {
		return script.Run(ctx, b.db.client, []string{b.db.portalKey(portal)}, args...).Int64()
	})
}

// Book implements [booking.Engine].
func (b buckets) Book(ctx context.Context, portal string, spare, room, sent int) (time.Duration, error) {
	us, err := b.run(ctx, book, portal, spare, room, sent)
	return time.Duration(us) * time.Microsecond, err
}

// Refund implements [booking.Engine].
func (b buckets) Refund(ctx context.Context, portal string) error {
	_, err := b.run(ctx, refund, portal)
	return err
}

// Refused implements [booking.Engine].
func (b buckets) Refused(ctx context.Context, portal string) error {
	_, err := b.run(ctx, refused, portal)
	return err
}

// Replicas implements [booking.Engine].
func (b buckets) Replicas() int {
	b.db.mu.Lock()
	defer b.db.mu.Unlock()
	return b.db.replicas
}

const (
	beatTime = 2 * time.Second
	deadTime = 10 * time.Second // without a beat
)

var beats = redis.NewScript(`
local time = redis.call('time')
redis.call('zadd', KEYS[1], time[1], ARGV[1])
redis.call('zremrangebyscore', KEYS[1], '-inf', time[1] - ARGV[2])
redis.call('expire', KEYS[1], 4 * ARGV[2])
return redis.call('zcard', KEYS[1])`)

// beat tells the others that this process lives, and counts them, until the DB is closed.
func (db *DB) beat() {
	name, key := rand.Text(), db.key("replicas", db.options.Egress) // others have a bucket of their own
	for {
		asking, cancel := context.WithTimeout(db.ctx, time.Second)
		n, err := ask(asking, func() (int, error) {
			return beats.Run(asking, db.client, []string{key}, name, int(deadTime.Seconds())).Int()
		})
		cancel()
		if err == nil {
			db.mu.Lock()
			db.replicas = n
			db.mu.Unlock()
		}
		if pause(db.ctx, beatTime); db.ctx.Err() != nil {
			break
		}
	}
	leaving, cancel := context.WithTimeout(context.WithoutCancel(db.ctx), time.Second)
	defer cancel()
	_, _ = ask(leaving, func() (int64, error) { return db.client.ZRem(leaving, key, name).Result() }) // else it counts for a while
}

// hold keeps the later of two times.
var hold = redis.NewScript(`
local stored = tonumber(redis.call('hget', KEYS[1], ARGV[1])) or 0
local untilTime = math.max(stored, tonumber(ARGV[2]))
redis.call('hset', KEYS[1], ARGV[1], string.format('%.0f', untilTime))
if redis.call('pttl', KEYS[1]) < tonumber(ARGV[3]) then redis.call('pexpire', KEYS[1], ARGV[3]) end
return 0`)

// Hold implements [driver.Holder].
func (l *Limiter) Hold(ctx context.Context, scope, method string, until time.Time) error {
	left := time.Until(until)
	if left <= 0 {
		return ctx.Err()
	}
	_, err := ask(ctx, func() (int, error) {
		return hold.Run(ctx, l.db.client, []string{l.db.key("hold", scope)}, method, until.UnixMilli(), millis(left)).Int()
	})
	return failed("Limiter.Hold", err)
}

// Holds implements [driver.Holder].
func (l *Limiter) Holds(ctx context.Context, scope string) (map[string]time.Time, error) {
	stored, err := ask(ctx, func() (map[string]string, error) { return l.db.client.HGetAll(ctx, l.db.key("hold", scope)).Result() })
	if err != nil {
		return nil, failed("Limiter.Holds", err)
	}
	held := map[string]time.Time{}
	for method, text := range stored {
		if ms, err := strconv.ParseInt(text, 10, 64); err == nil && time.UnixMilli(ms).After(time.Now()) {
			held[method] = time.UnixMilli(ms)
		}
	}
	return held, nil
}
