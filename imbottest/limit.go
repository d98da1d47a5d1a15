package imbottest

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// A Plan is a commercial plan of the cloud. Here it stands for a rate limit.
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

// WithRateLimit lets the portal refuse calls with QUERY_LIMIT_EXCEEDED as the cloud
// does. It is a leaky bucket: each HTTP request adds one, perSecond leak out, and a
// request that does not fit below burst is refused. A batch counts as one request.
// [Plan.RateLimit] has the cloud's figures; without this option there is no limit.
func WithRateLimit(perSecond float64, burst int) Option {
	return func(p *Portal) { p.bucket = bucket{perSecond: perSecond, burst: float64(burst)} }
}

// WithOperatingLimit lets the portal refuse a method with OPERATION_TIME_LIMIT when
// its calls, of one application or of the webhook, have run for d during the last ten
// minutes. The cloud allows 480 seconds (livecheck: operating-limit). The call that crosses the limit is still
// answered; a call stops to count after ten minutes. Calls that fail, or take no more
// than 0.1 s, do not count, and of a batch each command counts for its method. So on
// this portal only a [Fault] with a Delay uses time up. Without this option there is no
// limit, but the time is counted and stands in the answers.
func WithOperatingLimit(d time.Duration) Option { return func(p *Portal) { p.limit = d } }

// bucket is the leaky bucket of the rate limit; with burst 0 there is no limit.
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

// tellBudget sets the headers that tell how many requests are left, on a portal that has them.
func (p *Portal) tellBudget(h http.Header) {
	p.w.Lock()
	defer p.w.Unlock()
	if !p.w.Differs(world.DoubtLimitHeaders) {
		return
	}
	burst := p.bucket.burst
	if burst <= 0 {
		_, basic := PlanBasic.RateLimit()
		burst = float64(basic)
	}
	h.Set("X-RateLimit-Limit", strconv.Itoa(int(burst)))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(int(burst-p.bucket.level)))
}

// usage is how long a method has run for an application, in each of the last ten
// minutes.
type usage struct {
	minutes [10]struct {
		at  int64 // which minute: Unix time divided by 60
		ran time.Duration
	}
}

// negligible is how long a call may run without counting.
const negligible = 100 * time.Millisecond

func (u *usage) add(now time.Time, d time.Duration) {
	minute := now.Unix() / 60
	m := &u.minutes[minute%int64(len(u.minutes))]
	if m.at != minute {
		m.at, m.ran = minute, 0
	}
	m.ran += d
}

// sum returns how much time counts now, and the Unix time at which its oldest minute
// stops to count.
func (u *usage) sum(now time.Time) (ran time.Duration, resetAt int64) {
	oldest := now.Unix() / 60
	first := oldest - int64(len(u.minutes))
	resetAt = now.Add(10 * time.Minute).Unix() // the portal sends it even when nothing counts
	for _, m := range u.minutes {
		if m.at > first && m.ran > 0 {
			if ran += m.ran; m.at <= oldest {
				oldest, resetAt = m.at, (m.at+int64(len(u.minutes)))*60
			}
		}
	}
	return ran, resetAt
}

// usageKey is the key in usages for a method and the caller's application, or the
// webhook.
func (c *call) usageKey(name string) string {
	if c.App == nil {
		return strings.ToLower(name)
	}
	return c.App.ID + " " + strings.ToLower(name)
}

// checkOperatingTime refuses a method whose calls have used the operating time up.
func (c *call) checkOperatingTime(name string) *world.Refusal {
	c.p.w.Lock()
	defer c.p.w.Unlock()
	if u := c.p.usages[c.usageKey(name)]; c.p.limit > 0 && u != nil {
		if ran, _ := u.sum(time.Now()); ran >= c.p.limit {
			return world.NewRefusal(http.StatusTooManyRequests, "OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit.")
		}
	}
	return nil
}

// addOperatingTime counts a call that has run since start, and returns its time block. It tells
// the operating time unless about says otherwise.
func (c *call) addOperatingTime(name string, start time.Time, about world.Doubt) timing {
	t := timeBlock(start)
	c.p.w.Lock()
	defer c.p.w.Unlock()
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
	if !c.p.w.Differs(about) {
		t.operating = &operating{Ran: ran.Seconds(), ResetAt: resetAt}
	}
	if c.p.w.Differs(world.DoubtTimeNumbers) {
		return t.whole()
	}
	return t
}
