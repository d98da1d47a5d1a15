package imbotbolt_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbotbolt"
	"github.com/imbot-go/imbot/internal/killtest"
)

func startFile(t testing.TB) string { t.Helper(); return filepath.Join(t.TempDir(), "bot.db") }

func fill(t testing.TB, path string, h *imbot.EventHandler) {
	t.Helper()
	db, err := imbotbolt.Open(path, imbotbolt.Options{Keys: keys(t, 1)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	h.Inbox = db.Inbox()
}

func TestABotThatIsKilledLosesNothing(t *testing.T) {
	const rounds, workers = 15, 8
	r := killtest.Run(t, killtest.Config{Rounds: rounds, Workers: workers, Events: 5000}, startFile, fill)
	require.Zero(t, r.Lost)
	require.LessOrEqual(t, r.Twice, rounds*workers)
	require.Zero(t, r.Silent)
	require.Zero(t, r.OutOfOrder)
	require.Zero(t, r.Stuck)
}

func TestABotThatIsStoppedLosesAndRepeatsNothing(t *testing.T) {
	r := killtest.Run(t, killtest.Config{Rounds: 6, Events: 2000, Signal: syscall.SIGTERM}, startFile, fill)
	require.Zero(t, r.Lost+r.Twice+r.OutOfOrder+r.Stuck)
}

func TestAnEventThatEndsItsProcessIsBuried(t *testing.T) {
	r := killtest.Poison(t, startFile, fill)
	require.Equal(t, killtest.Poisoned{Starts: 5, Handled: map[string]int{"0 1": 1, "1 0": 1, "2 0": 1, "3 0": 1, "4 0": 1}}, r)
}
