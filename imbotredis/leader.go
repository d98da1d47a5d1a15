package imbotredis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/imbot-go/imbot/driver"
)

// Leader lets one process at a time do something. After a kill the next one leads within eleven
// seconds; who cannot renew the lead for eight seconds has lost it. A fail-over to a server that has
// not got the lead yet lets two lead for three seconds.
type Leader struct{ db *DB }

var _ driver.Leader = (*Leader)(nil)

// Leader returns the leader, for the poller of imbotv2 and for whatever else one replica does.
func (db *DB) Leader() *Leader { return &Leader{db} }

// Format implements [fmt.Formatter]; fmt would print what is behind the pointer for some verbs.
func (l *Leader) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "imbotredis.Leader") }

// errLeadLost is why the context of f has ended.
var errLeadLost = errors.New("imbotredis: the lead is lost: it could not be renewed")

// Lead implements [driver.Leader]. A server that is away is waited for; one that refuses is an error.
func (l *Leader) Lead(ctx context.Context, name string, f func(context.Context) error) error {
	key, token := l.db.key("lead", name), rand.Text()
	for {
		since, err := l.db.lock(ctx, key, token, leadTimes)
		if err != nil {
			if ctx.Err() == nil && isAway(err) {
				pause(ctx, leadTimes.look)
				continue
			}
			return failed("Leader.Lead", err)
		}
		lost, err := l.lead(ctx, key, token, since, f)
		if !lost || ctx.Err() != nil {
			return err
		}
	}
}

// isAway reports whether it helps to wait: no answer has come, or the server starts or changes.
func isAway(err error) bool {
	if errors.Is(err, redis.ErrClosed) {
		return false
	}
	var refused redis.Error
	if !errors.As(err, &refused) {
		return true
	}
	for _, prefix := range []string{"LOADING", "CLUSTERDOWN", "MASTERDOWN", "READONLY", "TRYAGAIN", "NOREPLICAS"} {
		if redis.HasErrorPrefix(err, prefix) {
			return true
		}
	}
	return false
}

// lead runs f until it returns. Its context ends when the lead is lost.
func (l *Leader) lead(ctx context.Context, key, token string, since time.Time, f func(context.Context) error) (lost bool, err error) {
	leads, end := context.WithCancelCause(ctx)
	defer end(nil)
	release := l.db.hold(ctx, key, token, leadTimes, since, func() { end(errLeadLost) })
	defer release()
	err = f(leads)
	return errors.Is(context.Cause(leads), errLeadLost), err
}
