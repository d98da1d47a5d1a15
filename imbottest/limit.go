package imbottest

import "time"

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
