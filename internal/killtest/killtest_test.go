package killtest

import (
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/internal/inboxrpc"
	"github.com/imbot-go/imbot/internal/meminbox"
)

// engine is an inbox that outlives the replicas, because the parent has it.
func engine(t *testing.T, cfg Config) Result {
	t.Helper()
	return engineOf(t, meminbox.New(), cfg)
}

func engineOf(t *testing.T, s *meminbox.Server, cfg Config) Result {
	t.Helper()
	return Run(t, cfg, func(t testing.TB) string {
		ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		t.Cleanup(func() { ln.Close() })
		go func() {
			for conn, err := ln.Accept(); err == nil; conn, err = ln.Accept() {
				go func() {
					b := s.Open()
					inboxrpc.Serve(conn, b)
					b.Kill()
				}()
			}
		}()
		return ln.Addr().String()
	}, func(t testing.TB, where string, h *imbot.EventHandler) {
		if os.Getenv(env) == "" {
			h.Inbox = s.Open()
			return
		}
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", where)
		require.NoError(t, err)
		h.Inbox = inboxrpc.New(conn)
	})
}

func TestKillsLoseNothing(t *testing.T) {
	r := engine(t, Config{Rounds: 3, Events: 300, Dialogs: 16, Workers: 2, Callback: 20 * time.Millisecond})
	require.LessOrEqual(t, r.BrokenOff, 3*64)
	require.Zero(t, r.Lost+r.Silent+r.OutOfOrder+r.Stuck+r.Refused)
	require.LessOrEqual(t, r.Twice, 3*2)
	require.NotEmpty(t, r.TakeOver)
}

func TestEachEventGoesToTwoReplicas(t *testing.T) {
	r := engine(t, Config{Rounds: 3, Events: 300, Replicas: 3, PostTo: 2, Dialogs: 16, Workers: 2, Callback: 20 * time.Millisecond})
	require.Zero(t, r.Lost+r.Silent+r.OutOfOrder+r.Stuck+r.Refused)
	require.LessOrEqual(t, r.Twice, 3*2)
	require.Less(t, r.TakeOver[len(r.TakeOver)-1], time.Second)
}

func TestReplicasDrain(t *testing.T) {
	halfway := 0
	r := engine(t, Config{Rounds: 2, Events: 300, Replicas: 2, Signal: syscall.SIGTERM, Halfway: func(int) { halfway++ }})
	require.Zero(t, r.Lost+r.Twice+r.OutOfOrder+r.Stuck)
	require.Equal(t, 2, halfway)
}

func TestTheEngineIsAway(t *testing.T) {
	s := meminbox.New()
	r := engineOf(t, s, Config{Rounds: 1, Events: 300, Dialogs: 16, Spare: true, Halfway: func(int) {
		s.Fail(errors.New("away"))
		time.Sleep(300 * time.Millisecond)
		s.Fail(nil)
	}})
	require.Equal(t, 300, r.Acknowledged)
	require.Zero(t, r.Lost+r.Twice+r.OutOfOrder+r.Stuck)
	require.Empty(t, r.TakeOver, "nobody was killed")
}

// What a handler in memory does has to be found, or nothing is.
func TestInMemoryTwoReplicasHandleTheSameEvents(t *testing.T) {
	r := inMemory(t, Config{Events: 100, Replicas: 2, PostTo: 2})
	require.Equal(t, 100, r.Acknowledged)
	require.Equal(t, 100, r.Twice)
	require.Equal(t, 100, r.Silent)
}

func TestInMemoryAKillLosesEvents(t *testing.T) {
	r := inMemory(t, Config{Rounds: 1, Events: 150, Workers: 1, Callback: 10 * time.Millisecond, giveUp: 2 * time.Second})
	require.Positive(t, r.Lost)
}

func inMemory(t *testing.T, cfg Config) Result {
	return Run(t, cfg, func(testing.TB) string { return "" }, func(testing.TB, string, *imbot.EventHandler) {})
}

func TestRates(t *testing.T) {
	memory, durable := Rates(t, 300*time.Millisecond, func(_ testing.TB, h *imbot.EventHandler) { h.Inbox = meminbox.New().Open() })
	require.Positive(t, memory.PerSecond*durable.PerSecond)
	require.Equal(t, "1234/s, p99 5.1ms", Rate{1234.4, 5123 * time.Microsecond}.String())
	require.InDelta(t, 2048, len(body(event{1, 2}, 16)), 256)
}
