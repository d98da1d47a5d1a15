package imbotpg

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"math"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/internal/booking"
)

// Limiter is a limiter that replicas share, for [imbot.WithLimiter]. It asks the server once for a
// request, and not while one waits. While the server is away, or needs more than 100 ms, each replica
// takes its share of the rate in memory; slog.Default gets one WARN. The clock is that of the
// server.
type Limiter struct {
	db       *DB
	bookings *booking.Limiter
}

var (
	_ imbot.Limiter  = (*Limiter)(nil)
	_ driver.Refuser = (*Limiter)(nil)
	_ driver.Holder  = (*Limiter)(nil)
)

// Limiter returns a limiter with the rate of [imbot.NewLimiter]; all replicas have to name the same.
// A process needs one.
func (db *DB) Limiter(perSecond float64, burst int) *Limiter {
	perSecond, burst = booking.Rate(perSecond, burst)
	return &Limiter{db, booking.New(&pace{db: db, step: 1 / perSecond, burst: burst}, perSecond, burst, slog.Default)}
}

// Format implements [fmt.Formatter]; fmt would print what is behind the pointer for some verbs.
func (l *Limiter) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "imbotpg.Limiter") }

// Wait implements [imbot.Limiter].
func (l *Limiter) Wait(ctx context.Context, portal string) error { return l.bookings.Wait(ctx, portal) }

// Refused implements [driver.Refuser].
func (l *Limiter) Refused(portal string) { l.bookings.Refused(portal) }

// Hold implements [driver.Holder].
func (l *Limiter) Hold(ctx context.Context, scope, method string, until time.Time) error {
	_, err := l.db.exec(ctx, `insert into {}.hold as h (scope, method, until) values ($1, $2, $3)
		on conflict (scope, method) do update set until = greatest(h.until, excluded.until)`, scope, method, until)
	return failed("Limiter.Hold", err)
}

// Holds implements [driver.Holder].
func (l *Limiter) Holds(ctx context.Context, scope string) (map[string]time.Time, error) {
	holds := map[string]time.Time{}
	rows, err := l.db.pool.Query(ctx, l.db.sql(`select method, until from {}.hold where scope = $1 and until > $2`), scope, time.Now())
	if err == nil {
		var method string
		var until time.Time
		_, err = pgx.ForEachRow(rows, []any{&method, &until}, func() error { holds[method] = until; return nil })
	}
	return holds, failed("Limiter.Holds", err)
}

// pace is the table of the buckets. It is unlogged, so a booking writes nothing to the disk. It is
// empty after a crash of the server: what a portal has left then is not known, so a new bucket was
// used up when the server started.
type pace struct {
	db       *DB
	step     float64 // of one request, in seconds
	burst    int
	replicas atomic.Int64
	beat     atomic.Int64 // when this process was noted, in Unix nanoseconds
}

var _ booking.Engine = (*pace)(nil)

// A process is noted with a booking, when the last one is so old; who is not noted for long has gone.
const (
	beatTime = time.Second
	goneTime = 30 * time.Second
)

// The clock of a bucket is at; when the server's went back, tat and calm go with it. Halvings end one by
// one, each after the time of 60 requests without a refusal.
//
// A pooler for transactions may want the simple protocol, in which a number alone has no type.
const (
	step    = `$2::double precision`
	clock   = `extract(epoch from clock_timestamp())::double precision`
	back    = `least(0, ` + clock + ` - p.at)`
	settled = `greatest(0, p.halvings - greatest(0, floor((` + clock + ` - p.calm - ` + back + `) / (60 * ` + step + `))))`
	slow    = step + ` * 2 ^ ` + settled

	book = `insert into {}.pace as p (bucket, at, tat)
		values ($1, ` + clock + `, greatest(` + clock + ` + $5 * ` + step + `, extract(epoch from pg_postmaster_start_time())::double precision + $3::double precision * ` + step + `) + ` + step + `)
		on conflict (bucket) do update set at = ` + clock + `, calm = p.calm + ` + back + `, tat = greatest(
			p.tat + ` + back + `,
			least(p.tat + ` + back + ` + $6::double precision * ` + slow + `, ` + clock + ` + $3 * ` + slow + `),
			` + clock + ` + $5::double precision * ` + slow + `) + ` + slow + `
		returning greatest(0, p.tat - p.at - $4::double precision * ` + slow + `)`

	note = `with noted as (
			insert into {}.pacer (process, at) values ($7, clock_timestamp()) on conflict (process) do update set at = excluded.at
		), booked (d) as (` + book + `)
		select d, (select count(*) from {}.pacer where process <> $7 and at > clock_timestamp() - $8 * interval '1 second') + 1 from booked`

	refund = `update {}.pace as p set tat = p.tat - ` + slow + ` where bucket = $1`

	refused = `insert into {}.pace as p (bucket, at, tat, halvings, calm) values ($1, ` + clock + `, ` + clock + ` + 2 * $3 * ` + step + `, 1, ` + clock + `)
		on conflict (bucket) do update set at = ` + clock + `, calm = ` + clock + `,
			halvings = case when ` + again + ` then p.halvings else least(3, ` + settled + ` + 1) end,
			tat = case when ` + again + ` then p.tat + ` + back + ` else greatest(p.tat + ` + back + `, ` + clock + ` + $3 * ` + step + ` * 2 ^ least(3, ` + settled + ` + 1)) end`
	again = clock + ` - p.calm - ` + back + ` < 2 * ` + step
)

// Book implements [booking.Engine].
func (e *pace) Book(ctx context.Context, portal string, spare, room, sent int) (time.Duration, error) {
	args := []any{e.bucket(portal), e.step, e.burst, e.burst - spare, e.burst - room, sent}
	var d float64
	last, now := e.beat.Load(), time.Now().UnixNano()
	if now-last < int64(beatTime) || !e.beat.CompareAndSwap(last, now) {
		err := e.db.row(ctx, book, args, &d)
		return seconds(d), err
	}
	var n int64
	err := e.db.row(ctx, note, append(args, e.db.process, goneTime.Seconds()), &d, &n)
	if err != nil {
		e.beat.Store(last)
		return 0, err
	}
	e.replicas.Store(n)
	return seconds(d), nil
}

func seconds(d float64) time.Duration { return time.Duration(math.Ceil(d * float64(time.Second))) }

// Refund implements [booking.Engine].
func (e *pace) Refund(ctx context.Context, portal string) error {
	_, err := e.db.exec(ctx, refund, e.bucket(portal), e.step)
	return err
}

// Refused implements [booking.Engine].
func (e *pace) Refused(ctx context.Context, portal string) error {
	_, err := e.db.exec(ctx, refused, e.bucket(portal), e.step, e.burst)
	return err
}

// Replicas implements [booking.Engine].
func (e *pace) Replicas() int { return int(e.replicas.Load()) }

// bucket hashes a portal, because others choose its name.
func (e *pace) bucket(portal string) string {
	sum := sha256.Sum256([]byte(e.db.options.Egress + "\x00" + portal))
	return hex.EncodeToString(sum[:16])
}
