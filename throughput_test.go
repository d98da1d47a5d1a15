package imbot_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// bucket is the portal's own: it refuses what does not fit.
type bucket struct {
	mu             sync.Mutex
	level          float64
	last           time.Time
	asked, refused int
}

func (b *bucket) fits() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.level = max(0, b.level-2*now.Sub(b.last).Seconds())
	b.last = now
	b.asked++
	if b.level+1 > 50 {
		b.refused++
		return false
	}
	b.level++
	return true
}

// Thousands of messages at once take no longer than the portal's bucket and the
// time of their execution make them.
func TestAutoBatchUsesWhatThePortalAllows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const (
			messages  = 5000
			execution = 50 * time.Millisecond
		)
		portal := &bucket{last: time.Now()}
		rt := newBatches(t, ids, nil)
		inner := rt.answer
		rt.answer = func(n int, r *http.Request) (*http.Response, error) {
			if !portal.fits() {
				return reply(503, queryLimit), nil
			}
			rt.mu.Lock()
			commands := strings.Count(rt.bodies[n-1], "imbot.message.add?")
			rt.mu.Unlock()
			time.Sleep(time.Duration(max(commands, 1)) * execution)
			return inner(n, r)
		}
		client := over(t, hook, rt, imbot.WithAutoBatch(), imbot.WithLimiter(imbot.NewLimiter(2, 50)))
		start := time.Now()
		var wg sync.WaitGroup
		for i := range messages {
			wg.Go(func() {
				id, err := client.Message.Add(t.Context(), to(i%2500, fmt.Sprintf("m%d", i)))
				require.NoError(t, err)
				require.Equal(t, imbot.ID(i+1), id)
			})
		}
		wg.Wait()
		took := time.Since(start)
		best := 50*execution + (messages/50-50)*time.Second/2
		require.LessOrEqual(t, took.Seconds(), best.Seconds()/0.95)
		require.LessOrEqual(t, portal.refused, 2)
		got := map[string]int{}
		for _, text := range rt.run {
			got[text]++
		}
		require.Len(t, got, messages, "none lost")
		require.Len(t, rt.run, messages, "none twice")
	})
}
