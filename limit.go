package imbot

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limiter keeps the calls to a portal within its rate limit.
//
// Wait returns when one more request may be sent to the portal (its host; for
// clients of an [OAuthApp] its member id, which outlives a renaming), or with an
// error when ctx ends or its deadline would come first. A limiter may also have
//
//	Refused(portal string)
//
// which is called when the portal refuses a request all the same.
type Limiter interface {
	Wait(ctx context.Context, portal string) error
}

// NewLimiter returns a limiter in memory: each portal has a bucket that lets
// burst requests through at once and perSecond afterwards. Bitrix24 allows 2 and
// 50, the Enterprise plan 5 and 250, counted for all calls from one address to
// one portal: share the limiter between clients.
func NewLimiter(perSecond float64, burst int) Limiter {
	return &limiter{perSecond: rate.Limit(perSecond), burst: max(burst, 1), buckets: map[string]*rate.Limiter{}}
}

// sharedLimiter is the default of all clients of the process.
var sharedLimiter = NewLimiter(2, 50)

type limiter struct {
	perSecond rate.Limit
	burst     int

	mu      sync.Mutex
	buckets map[string]*rate.Limiter
	sweep   int // number of buckets at which full ones are dropped
}

func (l *limiter) Wait(ctx context.Context, portal string) error {
	err := l.bucket(portal).Wait(ctx)
	if err != nil && ctx.Err() == nil {
		return context.DeadlineExceeded // the bucket knows that the deadline comes first
	}
	return err
}

// bucket returns the bucket of a portal. A full bucket is as good as none, so
// that thousands of portals do not stay in memory for ever.
func (l *limiter) bucket(portal string) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buckets[portal]
	if b != nil {
		return b
	}
	if len(l.buckets) >= max(l.sweep, 64) {
		now := time.Now()
		for name, b := range l.buckets {
			if b.TokensAt(now) >= float64(l.burst) {
				delete(l.buckets, name)
			}
		}
		l.sweep = 2 * len(l.buckets)
	}
	b = rate.NewLimiter(l.perSecond, l.burst)
	l.buckets[portal] = b
	return b
}
