package imbottest

import (
	"net/http"
	"strings"
	"time"
)

// A Plan is a commercial plan of the cloud, as far as its rate limit goes.
type Plan string

// The two kinds of plans. Any other name counts as basic.
const (
	PlanBasic      Plan = "basic"      // 2 requests a second, 50 at once
	PlanEnterprise Plan = "enterprise" // 5 requests a second, 250 at once
)

// RateLimit returns the figures of a plan:
//
//	portal := imbottest.NewPortal(imbottest.WithRateLimit(imbottest.PlanEnterprise.RateLimit()))
func (p Plan) RateLimit() (perSecond float64, burst int) {
	if p == PlanEnterprise {
		return 5, 250
	}
	return 2, 50
}

// WithRateLimit lets the portal refuse calls with QUERY_LIMIT_EXCEEDED like the
// cloud does: each HTTP request fills a bucket by one, perSecond leak out of it,
// and above burst the portal refuses. A batch counts as one. [Plan.RateLimit] has
// the cloud's figures; without this option there is no limit.
func WithRateLimit(perSecond float64, burst int) Option {
	return func(p *Portal) { p.bucket = bucket{perSecond: perSecond, burst: float64(burst)} }
}

// WithOperatingLimit lets the portal refuse a method with OPERATION_TIME_LIMIT when
// it has run for so long during the last ten minutes, for one application or for
// the webhook. The cloud allows 480 seconds. The call that crosses the limit is still
// answered, and after ten minutes the oldest one is what is forgotten. Calls
// that fail, or take no more than 0.1 s, do not count, and a batch counts by its
// commands; so only a [Fault] with a Delay makes a portal in memory busy.
// Without this option there is no limit, but the time is counted and told.
func WithOperatingLimit(d time.Duration) Option { return func(p *Portal) { p.limit = d } }

// bucket is the cloud's leaky bucket; without a burst it never fills.
type bucket struct {
	perSecond float64
	burst     float64
	level     float64
	last      time.Time
}

// add counts one request and reports whether it fits.
func (b *bucket) add(now time.Time) bool {
	if b.burst <= 0 {
		return true
	}
	b.level = max(0, b.level-now.Sub(b.last).Seconds()*b.perSecond)
	b.last = now
	if b.level+1 > b.burst {
		return false
	}
	b.level++
	return true
}

// usage is the time that a method has run for an application, by minute.
type usage struct {
	minutes [10]struct {
		at  int64 // number of the minute
		ran time.Duration
	}
}

// negligible is the time above which a call counts.
const negligible = 100 * time.Millisecond

func (u *usage) add(now time.Time, d time.Duration) {
	minute := now.Unix() / 60
	m := &u.minutes[minute%int64(len(u.minutes))]
	if m.at != minute {
		m.at, m.ran = minute, 0
	}
	m.ran += d
}

// sum is what counts now, and when the oldest minute of it stops to.
func (u *usage) sum(now time.Time) (ran time.Duration, resetAt int64) {
	oldest := now.Unix() / 60
	first := oldest - int64(len(u.minutes))
	resetAt = now.Add(10 * time.Minute).Unix() // of nothing, too
	for _, m := range u.minutes {
		if m.at > first && m.ran > 0 {
			if ran += m.ran; m.at <= oldest {
				oldest, resetAt = m.at, (m.at+int64(len(u.minutes)))*60
			}
		}
	}
	return ran, resetAt
}

// usageKey names a method of an application, or of the webhook.
func (c *call) usageKey(name string) string {
	if c.app == nil {
		return strings.ToLower(name)
	}
	return c.app.id + " " + strings.ToLower(name)
}

// checkOperatingTime refuses a method that has run for too long.
func (c *call) checkOperatingTime(name string) *restError {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	if u := c.p.usages[c.usageKey(name)]; c.p.limit > 0 && u != nil {
		if ran, _ := u.sum(time.Now()); ran >= c.p.limit {
			return &restError{http.StatusTooManyRequests, "OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit."}
		}
	}
	return nil
}

// addOperatingTime counts a call that has run, and returns its time block.
func (c *call) addOperatingTime(name string, start time.Time) timing {
	t := timeBlock(start)
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	key, now := c.usageKey(name), time.Now()
	u := c.p.usages[key]
	if u == nil {
		u = new(usage)
		c.p.usages[key] = u
	}
	if d := now.Sub(start); d > negligible && !strings.EqualFold(name, "batch") {
		u.add(now, d)
	}
	ran, resetAt := u.sum(now)
	t.Operating, t.OperatingResetAt = ran.Seconds(), resetAt
	return t
}
