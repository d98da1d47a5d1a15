package killtest

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

// Senders are four replicas that send as much bulk as they may, each with eight senders, to a portal
// that refuses what is above its rate.
type Senders struct {
	Passed, Refused atomic.Int64
	Clients         []*imbot.Client // of the replicas

	stop    context.CancelFunc
	running sync.WaitGroup
}

// Send starts them. open opens the limiter of a replica.
func Send(t *testing.T, perSecond float64, burst int, open func() imbot.Limiter) *Senders {
	t.Helper()
	portal := imbottest.NewPortal(imbottest.WithRateLimit(perSecond, burst))
	t.Cleanup(portal.Close)
	hook := portal.Webhook("a-long-random-secret")
	s := &Senders{}
	ctx, stop := context.WithCancel(imbot.WithClass(t.Context(), imbot.ClassBulk))
	s.stop = stop
	for range 4 {
		client, err := imbot.NewClient(hook, imbot.WithHTTPClient(portal.HTTPClient()), imbot.WithLimiter(open()), imbot.WithObserver(s.observe))
		require.NoError(t, err)
		s.Clients = append(s.Clients, client)
		for range 8 {
			s.running.Go(func() {
				for ctx.Err() == nil {
					_ = client.Call(ctx, "profile", nil, nil)
				}
			})
		}
	}
	t.Cleanup(s.End) // before what open has opened is closed
	return s
}

func (s *Senders) observe(_ context.Context, c imbot.CallInfo) {
	switch {
	case errors.Is(c.Err, imbot.ErrQueryLimitExceeded):
		s.Refused.Add(1)
	case c.Err == nil:
		s.Passed.Add(1)
	}
}

// End stops them.
func (s *Senders) End() {
	s.stop()
	s.running.Wait()
}

// Rate returns how much of a rate they use in so long, in percent.
func (s *Senders) Rate(perSecond float64, d time.Duration) float64 {
	begun, before := time.Now(), s.Passed.Load()
	time.Sleep(d)
	return 100 * float64(s.Passed.Load()-before) / time.Since(begun).Seconds() / perSecond
}

// Long is how long something is measured: a minute with IMBOT_LONG.
func Long(short time.Duration) time.Duration {
	if os.Getenv("IMBOT_LONG") != "" {
		return time.Minute
	}
	return short
}

// Burst is how many refusals are too many: one with IMBOT_LONG. Otherwise the machine does other things, too,
// and requests that are late come together.
func Burst() int64 {
	if os.Getenv("IMBOT_LONG") != "" {
		return 1
	}
	return 3
}
