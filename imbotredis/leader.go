package imbotredis

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/imbot-go/imbot/driver"
)

// Leader lets one process at a time do something. After a kill the next one leads within eleven
// seconds; who cannot renew the lead for eight seconds has lost it.
type Leader struct{ db *DB }

var _ driver.Leader = (*Leader)(nil)

// Leader returns the leader, for the poller of imbotv2 and for whatever else one replica does.
func (db *DB) Leader() *Leader { return &Leader{db} }

const (
	leadLife  = 10 * time.Second
	leadRenew = 3 * time.Second
	leadLook  = time.Second
)

// errLeadLost is why the context of f has ended.
var errLeadLost = errors.New("imbotredis: the lead is lost: it could not be renewed")

// Lead implements [driver.Leader]. A server that is away is waited for; one that refuses is an error.
func (l *Leader) Lead(ctx context.Context, name string, f func(context.Context) error) error {
	for {
		h, err := l.db.lock(ctx, l.db.key("lead", name), lockTimes{life: leadLife, renew: leadRenew, look: leadLook})
		if err != nil {
			if ctx.Err() == nil && isAway(err) {
				pause(ctx, leadLook)
				continue
			}
			return failed("Leader.Lead", err)
		}
		lost, err := lead(ctx, h, f)
		if !lost || ctx.Err() != nil {
			return err
		}
	}
}

// isAway reports whether it helps to wait: no answer has come, or the server starts.
func isAway(err error) bool {
	var refused redis.Error
	return !errors.As(err, &refused) || redis.HasErrorPrefix(err, "LOADING") || redis.HasErrorPrefix(err, "CLUSTERDOWN") || redis.HasErrorPrefix(err, "MASTERDOWN")
}

// lead runs f until it returns. Its context ends when the lead is lost.
func lead(ctx context.Context, h *lock, f func(context.Context) error) (lost bool, err error) {
	defer h.release()
	leads, end := context.WithCancelCause(ctx)
	defer end(nil)
	done := make(chan error, 1)
	go func() {
		defer close(done) // also when f ends its goroutine
		done <- f(leads)
	}()
	select {
	case err := <-done:
		return false, err
	case <-h.lost:
		end(errLeadLost)
		return true, <-done
	}
}
