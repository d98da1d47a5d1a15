package inbox

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestADeliveryIsHandledOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(nil)
		for range 3 {
			require.NoError(t, j.Receive(t.Context(), genuine("", "same")))
			require.NoError(t, j.Receive(t.Context(), genuine("", "")))
		}
		require.NoError(t, j.Shutdown(t.Context()))
		require.ElementsMatch(t, []string{"same", "", "", ""}, j.handled, "without a key nothing tells events apart")
		require.Equal(t, Stats{Accepted: 6, Handled: 4, Duplicate: 2}, j.Stats())
	})
}

// slowMemory gives others the time to ask, too, before it answers.
type slowMemory struct{ Memory }

func (m slowMemory) Seen(ctx context.Context, key string) (bool, error) {
	seen, err := m.Memory.Seen(ctx, key)
	for range 1000 {
		runtime.Gosched()
	}
	return seen, err
}

func TestDeliveriesAtTheSameTimeAreHandledOnce(t *testing.T) {
	t.Parallel()
	j := newJournal(func(cfg *Config[string]) {
		cfg.Seen = slowMemory{NewMemory(10)}
		cfg.Handle = func(context.Context, string) error { return nil }
	})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { _ = j.Receive(t.Context(), genuine("", "same")) })
	}
	wg.Wait()
	require.NoError(t, j.Shutdown(t.Context()))
	require.Equal(t, []string{"same"}, j.handled)
	require.Equal(t, Stats{Accepted: 20, Handled: 1, Duplicate: 19}, j.Stats())
}

// brokenMemory fails, or hangs until its caller gives up.
type brokenMemory struct{ hangs bool }

func (m brokenMemory) fail(ctx context.Context) error {
	if m.hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	return errors.New("down")
}

func (m brokenMemory) Seen(ctx context.Context, _ string) (bool, error) { return false, m.fail(ctx) }
func (m brokenMemory) Mark(ctx context.Context, _ string) error         { return m.fail(ctx) }

func TestABrokenMemoryLetsEventsThrough(t *testing.T) {
	t.Parallel()
	for name, memory := range map[string]brokenMemory{"it fails": {}, "it hangs": {hangs: true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := newJournal(func(cfg *Config[string]) { cfg.Seen = memory })
				start := time.Now()
				for range 2 {
					require.NoError(t, j.Receive(t.Context(), genuine("line", "same")))
				}
				require.LessOrEqual(t, time.Since(start), 2*seenTime)
				require.NoError(t, j.Shutdown(t.Context()))
				require.Equal(t, []string{"same", "same"}, j.handled)
				require.Contains(t, j.log.String(), "cannot be asked")
				require.Contains(t, j.log.String(), "cannot mark")
			})
		})
	}
}

// obedientMemory fails when its caller has given up.
type obedientMemory struct{ Memory }

func (m obedientMemory) Mark(ctx context.Context, key string) error {
	return errors.Join(ctx.Err(), m.Memory.Mark(ctx, key))
}

func TestAnEventIsMarkedAlthoughItsSenderHasHungUp(t *testing.T) {
	t.Parallel()
	j := newJournal(func(cfg *Config[string]) {
		cfg.Seen = obedientMemory{cfg.Seen}
		cfg.Handle = func(context.Context, string) error { return nil }
	})
	ctx, hangUp := context.WithCancel(t.Context())
	hangUp()
	require.NoError(t, j.Receive(ctx, genuine("line", "text")))
	require.NoError(t, j.Shutdown(t.Context()))
	require.Empty(t, j.log.String())
}

func TestAForgedCopyDoesNotMakeTheGenuineEventADuplicate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(nil)
		forged := Verdict{Later: func(context.Context) error { return errForged }}
		fine := Verdict{Later: func(context.Context) error { return nil }}
		for _, v := range []Verdict{forged, fine, fine, forged} {
			require.NoError(t, j.Receive(t.Context(), arrival("line", "text", v)))
			require.NoError(t, j.Idle(t.Context()))
		}
		require.Equal(t, []string{"text"}, j.handled)
		require.Equal(t, []string{"text: forged"}, j.failed)
		require.Equal(t, Stats{Accepted: 4, Handled: 1, Failed: 1, Duplicate: 2}, j.Stats(), "what was handled is not verified again")
	})
}

func TestMemoryKeepsTheLastKeys(t *testing.T) {
	t.Parallel()
	m := NewMemory(0)
	for _, key := range []string{"a", "b", "c"} {
		require.NoError(t, m.Mark(t.Context(), key))
	}
	for key, want := range map[string]bool{"a": false, "c": true} {
		seen, err := m.Seen(t.Context(), key)
		require.NoError(t, err)
		require.Equal(t, want, seen, "%s: at least one key is kept, at most two", key)
	}
}
