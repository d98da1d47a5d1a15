package imbotpg_test

import (
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbotpg"
	"github.com/imbot-go/imbot/imbotpg/internal/pgtest"
	"github.com/imbot-go/imbot/internal/killtest"
)

// startServer starts one in whose youth nobody is taken for dead.
func startServer(t testing.TB) string {
	t.Helper()
	s := pgtest.Start(t)
	s.Exec(`select pg_sleep(3)`)
	return s.DSN
}

// fill gives a handler the inbox of a replica.
func fill(t testing.TB, dsn string, h *imbot.EventHandler) {
	t.Helper()
	db, err := imbotpg.Open(t.Context(), dsn, imbotpg.Options{Keys: keys(t, 'k')})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	h.Inbox = db.Inbox()
}

// killed is what must hold where replicas are killed, each with that many workers.
func killed(t *testing.T, r killtest.Result, workers int) {
	t.Helper()
	require.Zero(t, r.Lost, "lost")
	require.LessOrEqual(t, r.Twice, r.Rounds*workers, "twice")
	require.Zero(t, r.Silent, "silent")
	require.Zero(t, r.Stuck, "stuck")
}

func TestTwoReplicasOfWhichOneIsKilled(t *testing.T) {
	r := killtest.Run(t, killtest.Config{Replicas: 2, Rounds: 10, Events: 5000}, startServer, fill)
	killed(t, r, 8)
	require.Zero(t, r.OutOfOrder)
	require.Less(t, r.TakeOver[len(r.TakeOver)-1], time.Second)
}

func TestFourReplicasOfWhichOneIsKilled(t *testing.T) {
	r := killtest.Run(t, killtest.Config{Replicas: 4, Rounds: 10, Events: 5000}, startServer, fill)
	killed(t, r, 8)
	require.Zero(t, r.OutOfOrder)
}

func TestEachEventIsPostedToTwoReplicas(t *testing.T) {
	r := killtest.Run(t, killtest.Config{Replicas: 2, PostTo: 2, Events: 1000}, startServer, fill)
	require.Zero(t, r.Lost+r.Twice+r.Stuck)
}

func TestEachEventIsPostedToTwoOfFourReplicasAndOneIsKilled(t *testing.T) {
	r := killtest.Run(t, killtest.Config{Replicas: 4, PostTo: 2, Rounds: 10, Events: 5000}, startServer, fill)
	killed(t, r, 8)
}

func TestAReplicaThatIsStoppedLosesAndRepeatsNothing(t *testing.T) {
	r := killtest.Run(t, killtest.Config{Replicas: 2, Rounds: 6, Events: 2000, Signal: syscall.SIGTERM}, startServer, fill)
	require.Zero(t, r.Lost+r.Twice+r.OutOfOrder+r.Stuck)
}

// crashed posts to replicas whose server is away for 1.5 s.
func crashed(t *testing.T, replicas int) killtest.Result {
	t.Helper()
	var s *pgtest.Server
	r := killtest.Run(t, killtest.Config{Replicas: replicas, Rounds: 1, Events: 12_000, Spare: true, Halfway: func(int) {
		s.StopHard()
		time.Sleep(1500 * time.Millisecond)
		s.Start()
	}}, func(t testing.TB) string { s = pgtest.Start(t); return s.DSN }, func(t testing.TB, dsn string, h *imbot.EventHandler) {
		h.Queue = 1 << 15 // the portal does not wait
		fill(t, dsn, h)
	})
	require.Zero(t, r.Lost+r.Stuck+r.Refused) // what was written last comes back, unsaid
	return r
}

func TestAServerThatIsStoppedHardLosesNothing(t *testing.T) {
	require.Zero(t, crashed(t, 1).OutOfOrder)
}

func TestAServerOfTwoThatIsStoppedHardLosesNothing(t *testing.T) {
	crashed(t, 2)
}

func TestAnEventThatEndsItsProcessIsBuried(t *testing.T) {
	r := killtest.Poison(t, startServer, fill)
	require.Equal(t, killtest.Poisoned{Starts: 5, Handled: map[string]int{"0 1": 1, "1 0": 1, "2 0": 1, "3 0": 1, "4 0": 1}}, r)
}

func TestHowFastEventsAreAccepted(t *testing.T) {
	s := pgtest.Start(t)
	each := 1500 * time.Millisecond
	if os.Getenv("IMBOT_LONG") != "" {
		each *= 4
	}
	memory, durable := killtest.Rates(t, each, func(t testing.TB, h *imbot.EventHandler) { fill(t, s.DSN, h) })
	require.Positive(t, durable.PerSecond)
	if os.Getenv("IMBOT_LONG") != "" {
		require.GreaterOrEqual(t, durable.PerSecond, 0.12*memory.PerSecond)
		require.LessOrEqual(t, durable.P99, 100*time.Millisecond)
	}
}
