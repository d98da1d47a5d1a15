package imbotredis_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbotredis"
	"github.com/imbot-go/imbot/imbotredis/internal/redistest"
	"github.com/imbot-go/imbot/internal/killtest"
)

// trips counts the questions about buckets, and those whose answer came so late that the server counts
// as away.
type trips struct {
	atomic.Int64
	late atomic.Int64
}

func (n *trips) DialHook(next redis.DialHook) redis.DialHook { return next }
func (n *trips) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (n *trips) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		for _, arg := range cmd.Args() {
			if key, is := arg.(string); is && strings.Contains(key, "}:pace:") {
				n.Add(1)
				begun := time.Now()
				defer func() {
					if time.Since(begun) > 80*time.Millisecond {
						n.late.Add(1)
					}
				}()
			}
		}
		return next(ctx, cmd)
	}
}

// send starts four replicas of a server, and counts what they ask it.
func send(t *testing.T, s *redistest.Server, perSecond float64, burst int) (*killtest.Senders, *trips) {
	t.Helper()
	n := &trips{}
	return killtest.Send(t, perSecond, burst, func() imbot.Limiter {
		c := s.Client(t)
		c.AddHook(n)
		db, err := imbotredis.Open(t.Context(), c, imbotredis.Options{})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, db.Close()) })
		return db.Limiter(perSecond, burst)
	}), n
}

// burstTime is how long the burst of bulk lasts and a little more.
func burstTime(t *testing.T, f *killtest.Senders, burst int) {
	t.Helper()
	require.Eventually(t, func() bool { return f.Passed.Load() >= int64(burst-burst/5) }, 20*time.Second, 10*time.Millisecond)
}

func TestFourReplicasUseTheWholeRateOfAPortalAndNoMore(t *testing.T) {
	for _, row := range []struct {
		perSecond float64
		burst     int
	}{{2, 50}, {20, 50}, {50, 250}} {
		t.Run(fmt.Sprint(row.perSecond, " a second"), func(t *testing.T) {
			t.Parallel()
			f, n := send(t, redistest.Own(t), row.perSecond, row.burst)
			burstTime(t, f, row.burst)
			begun, before, asked := time.Now(), f.Passed.Load(), n.Load()
			time.Sleep(killtest.Long(5 * time.Second))
			passed, trips, took := float64(f.Passed.Load()-before), float64(n.Load()-asked), time.Since(begun).Seconds()
			f.End()
			t.Logf("%.0f a second: %.1f %% of the rate in %.0f s, %.3f trips a request, %d refused", row.perSecond, 100*passed/took/row.perSecond, took, trips/passed, f.Refused.Load())
			if late := n.late.Load(); late > 0 && passed+1 < 0.95*row.perSecond*took {
				t.Skipf("the machine is too busy: %d answers of the server took about 100 ms", late)
			}
			require.GreaterOrEqual(t, passed+1, 0.95*row.perSecond*took)
			require.LessOrEqual(t, trips-4, 1.05*passed)
			require.Less(t, f.Refused.Load(), killtest.Burst())
		})
	}
}

func TestAServerThatGoesAwayBringsNoBurstOfRefusals(t *testing.T) {
	for name, away := range map[string]func(s *redistest.Server) (back func()){
		"it is killed": func(s *redistest.Server) func() { s.Kill(); return s.Start },
		"it hangs":     func(s *redistest.Server) func() { s.Hang(); return s.GoOn },
		"it has lost its buckets": func(s *redistest.Server) func() {
			s.Kill()
			s.Forget()
			return s.Start
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const perSecond, burst = 20, 50
			s := redistest.Own(t)
			f, _ := send(t, s, perSecond, burst)
			burstTime(t, f, burst)
			part := killtest.Long(9*time.Second) / 3
			count := func() float64 { return f.Rate(perSecond, part) }
			with := count()
			back := away(s)
			without := count()
			back()
			again := count()
			f.End()
			t.Logf("%.0f %% of the rate, %.0f %% without the server, %.0f %% after it is back; %d refused", with, without, again, f.Refused.Load())
			require.Less(t, f.Refused.Load(), killtest.Burst())
			require.Greater(t, without, 50.0)
			require.Greater(t, again, 50.0)
		})
	}
}

func TestAnAnswerGoesBeforeTheBulkOfFourReplicas(t *testing.T) {
	t.Parallel()
	f, _ := send(t, redistest.Own(t), 2, 50)
	burstTime(t, f, 50)
	for _, client := range f.Clients {
		begun := time.Now()
		require.NoError(t, client.Call(imbot.WithClass(t.Context(), imbot.ClassAnswer), "profile", nil, nil))
		took := time.Since(begun)
		t.Logf("an answer waited %v", took.Round(time.Millisecond))
		require.Less(t, took, time.Second)
	}
}
