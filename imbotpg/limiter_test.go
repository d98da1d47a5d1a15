package imbotpg_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbotpg"
	"github.com/imbot-go/imbot/imbotpg/internal/pgtest"
	"github.com/imbot-go/imbot/internal/killtest"
)

// trips counts the statements about pace.
type trips struct{ atomic.Int64 }

func (n *trips) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}
func (n *trips) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (n *trips) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}

func (n *trips) TraceBatchQuery(_ context.Context, _ *pgx.Conn, q pgx.TraceBatchQueryData) {
	if strings.Contains(q.SQL, ".pace") {
		n.Add(1)
	}
}
func (n *trips) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// send starts four replicas of a server, and counts what they ask it.
func send(t *testing.T, s *pgtest.Server, perSecond float64, burst int) (*killtest.Senders, *trips) {
	t.Helper()
	n := &trips{}
	return killtest.Send(t, perSecond, burst, func() imbot.Limiter {
		config, err := pgxpool.ParseConfig(s.DSN)
		require.NoError(t, err)
		config.ConnConfig.Tracer = n
		pool, err := pgxpool.NewWithConfig(t.Context(), config)
		require.NoError(t, err)
		t.Cleanup(pool.Close)
		db, err := imbotpg.OpenPool(t.Context(), pool, imbotpg.Options{})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, db.Close()) })
		return db.Limiter(perSecond, burst)
	}), n
}

func TestFourReplicasUseTheWholeRateOfAPortalAndNoMore(t *testing.T) {
	for _, row := range []struct {
		perSecond float64
		burst     int
	}{{2, 50}, {20, 50}, {50, 250}} {
		t.Run(fmt.Sprint(row.perSecond, " a second"), func(t *testing.T) {
			t.Parallel()
			f, n := send(t, pgtest.Start(t), row.perSecond, row.burst)
			time.Sleep(time.Second + time.Duration(float64(row.burst)/5/row.perSecond*float64(time.Second))) // the server is new, so the bucket is empty
			begun, before, asked := time.Now(), f.Passed.Load(), n.Load()
			time.Sleep(killtest.Long(4 * time.Second))
			passed, trips, took := float64(f.Passed.Load()-before), float64(n.Load()-asked), time.Since(begun).Seconds()
			f.End()
			t.Logf("%.0f a second: %.1f %% of the rate in %.0f s, %.3f trips a request, %d refused", row.perSecond, 100*passed/took/row.perSecond, took, trips/passed, f.Refused.Load())
			require.GreaterOrEqual(t, passed+1, 0.95*row.perSecond*took)
			require.LessOrEqual(t, trips-4, 1.05*passed)
			require.GreaterOrEqual(t, trips+4, 0.95*passed)
			require.Less(t, f.Refused.Load(), killtest.Burst())
		})
	}
}

func TestAServerThatGoesAwayBringsNoBurstOfRefusals(t *testing.T) {
	t.Parallel()
	const perSecond, burst = 20, 50
	s := pgtest.Start(t)
	f, _ := send(t, s, perSecond, burst)
	part := killtest.Long(9*time.Second) / 3
	count := func() float64 { return f.Rate(perSecond, part) }
	with := count()
	s.StopHard()
	without := count()
	s.Start()
	again := count()
	f.End()
	t.Logf("%.0f %% of the rate, %.0f %% without the server, %.0f %% after it is back; %d refused", with, without, again, f.Refused.Load())
	require.Less(t, f.Refused.Load(), killtest.Burst())
	require.Greater(t, without, 50.0)
	require.Greater(t, again, 60.0)
}

func TestAnAnswerGoesBeforeTheBulkOfFourReplicas(t *testing.T) {
	t.Parallel()
	f, _ := send(t, pgtest.Start(t), 5, 50)
	time.Sleep(time.Second)
	for _, client := range f.Clients {
		begun := time.Now()
		require.NoError(t, client.Call(imbot.WithClass(t.Context(), imbot.ClassAnswer), "profile", nil, nil))
		took := time.Since(begun)
		t.Logf("an answer waited %v", took.Round(time.Millisecond))
		require.Less(t, took, time.Second)
	}
}

// paced is a limiter, what it needs for a request of a portal, and what its table says of that.
func paced(t *testing.T, s *pgtest.Server, perSecond float64, burst int) (l *imbotpg.Limiter, wait func() time.Duration) {
	t.Helper()
	l = open(t, s, imbotpg.Options{}).Limiter(perSecond, burst)
	return l, func() time.Duration {
		begun := time.Now()
		require.NoError(t, l.Wait(imbot.WithClass(t.Context(), imbot.ClassAnswer), "portal"))
		return time.Since(begun)
	}
}

func TestAClockThatJumpsAnHourStopsNobody(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	_, wait := paced(t, s, 2, 5)
	wait()
	s.Exec(`update imbot.pace set at = at + 3600, tat = tat + 3600, calm = calm + 3600`) // the clock has gone back
	require.Less(t, wait()+wait(), 2*time.Second)
	s.Exec(`update imbot.pace set at = at - 3600, tat = tat - 3600, calm = calm - 3600`)
	require.Less(t, wait(), time.Second)
}

func TestAfterACrashOfTheServerNoBurstIsLeft(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	_, wait := paced(t, s, 2, 100)
	s.Exec(`update imbot.pace set tat = 0`)
	wait()
	s.StopHard()
	s.Start()
	require.Eventually(t, func() bool { wait(); return s.Query(`select count(*) from imbot.pace`) == 1 }, 10*time.Second, 100*time.Millisecond)
	require.Equal(t, 1, s.Query(`select count(*) from imbot.pace where tat - at > 90 / 2`), "most of the burst counts as used")
}

func TestRefusalsSlowAllDownUntilTheyEnd(t *testing.T) {
	t.Parallel()
	s := pgtest.Start(t)
	l, wait := paced(t, s, 20, 10)
	halvings := func() int { return s.Query(`select halvings from imbot.pace`) }
	l.Refused("portal")
	require.Equal(t, 1, halvings(), "the first call was refused")
	l.Refused("portal")
	require.Equal(t, 1, halvings(), "two refusals at a time are one")
	for range 5 {
		s.Exec(`update imbot.pace set calm = calm - 1`)
		l.Refused("portal")
	}
	require.Equal(t, 3, halvings(), "an eighth is the least")
	wait()
	slow := wait()
	require.Greater(t, slow, 300*time.Millisecond, "an eighth of 20 a second")
	s.Exec(`update imbot.pace set calm = calm - 9, tat = at`) // three times the time of 60 requests
	require.Less(t, wait()+wait(), 100*time.Millisecond)
}
