package imbot_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/driver"
)

type pizza struct{ Step, Size string }

// wrote is the event of a person who writes to the bot.
func wrote(person imbot.ID, dialog imbot.DialogID) imbot.Event {
	ev := &imbot.MessageAddEvent{Bots: []imbot.EventBot{{BotID: 5}}}
	ev.Params.FromUserID, ev.Params.DialogID, ev.Params.ToUserID = person, dialog, 5
	return ev
}

// step is one event of a dialogue: it returns the state that was found, and leaves another.
func step(t *testing.T, s *imbot.State[pizza], ev imbot.Event, leave pizza) (found pizza) {
	t.Helper()
	require.NoError(t, s.Do(t.Context(), ev, func(p *pizza) error {
		found, *p = *p, leave
		return nil
	}))
	return found
}

func TestStateLastsFromOneEventToTheNext(t *testing.T) {
	t.Parallel()
	s := &imbot.State[pizza]{Name: "pizza"}
	anna := wrote(7, "chat12")
	require.Zero(t, step(t, s, anna, pizza{Step: "size"}), "no dialogue yet")
	require.Equal(t, pizza{Step: "size"}, step(t, s, anna, pizza{"address", "big"}))
	require.Zero(t, step(t, s, wrote(8, "chat12"), pizza{}), "another person")
	require.Zero(t, step(t, s, wrote(7, "7"), pizza{}), "another dialog")
	require.Equal(t, pizza{"address", "big"}, step(t, s, anna, pizza{}), "and the end of it")
	require.Zero(t, step(t, s, anna, pizza{}))
}

func TestStateCanBelongToAllOfADialog(t *testing.T) {
	t.Parallel()
	s := &imbot.State[pizza]{Name: "pizza", Key: imbot.PerDialog}
	step(t, s, wrote(7, "chat12"), pizza{Step: "size"})
	require.Equal(t, pizza{Step: "size"}, step(t, s, wrote(8, "chat12"), pizza{}))
}

func TestStatesOfTwoNamesShareAStore(t *testing.T) {
	t.Parallel()
	store := imbot.NewStateStore()
	pizzas, orders := &imbot.State[pizza]{Name: "pizza", Store: store}, &imbot.State[pizza]{Name: "order", Store: store}
	step(t, pizzas, wrote(7, "7"), pizza{Step: "size"})
	require.Zero(t, step(t, orders, wrote(7, "7"), pizza{}))
}

func TestNothingIsStoredWhenTheStepFails(t *testing.T) {
	t.Parallel()
	s := &imbot.State[pizza]{Name: "pizza"}
	failed := errors.New("no dough")
	err := s.Do(t.Context(), wrote(7, "7"), func(p *pizza) error {
		p.Step = "size"
		return failed
	})
	require.Equal(t, failed, err)
	require.Zero(t, step(t, s, wrote(7, "7"), pizza{}))
}

func TestStateEndsAfterItsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &imbot.State[pizza]{Name: "pizza", TTL: time.Minute}
		ev := wrote(7, "7")
		step(t, s, ev, pizza{Step: "size"})
		time.Sleep(time.Minute - 1)
		require.NotZero(t, step(t, s, ev, pizza{Step: "address"}), "and its time begins anew")
		time.Sleep(time.Minute - 1)
		require.NotZero(t, step(t, s, ev, pizza{Step: "address"}), "which nothing has changed")
		time.Sleep(time.Nanosecond)
		require.Zero(t, step(t, s, ev, pizza{}))
	})
}

func TestAStateThatNoLongerDecodesBeginsAnew(t *testing.T) {
	t.Parallel()
	store := imbot.NewStateStore()
	old := &imbot.State[string]{Name: "pizza", Store: store}
	require.NoError(t, old.Do(t.Context(), wrote(7, "7"), func(s *string) error { *s = "size"; return nil }))
	s := &imbot.State[pizza]{Name: "pizza", Store: store}
	require.Zero(t, step(t, s, wrote(7, "7"), pizza{Step: "size"}))
	require.Equal(t, pizza{Step: "size"}, step(t, s, wrote(7, "7"), pizza{}))
}

func TestTheSlowerOfTwoProcessesOverwritesNothing(t *testing.T) {
	t.Parallel()
	s := &imbot.State[pizza]{Name: "pizza"}
	ev, runs := wrote(7, "7"), 0
	err := s.Do(t.Context(), ev, func(p *pizza) error {
		runs++
		p.Step = "slow"
		step(t, s, ev, pizza{Step: "fast"}) // as another process would
		return nil
	})
	require.ErrorIs(t, err, imbot.ErrConflict)
	require.Equal(t, 1, runs)
	require.Equal(t, pizza{Step: "fast"}, step(t, s, ev, pizza{}))
}

func TestStateSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	nothing := func(*pizza) error { return nil }
	require.ErrorIs(t, (&imbot.State[pizza]{}).Do(t.Context(), wrote(7, "7"), nothing), imbot.ErrInvalid)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, (&imbot.State[pizza]{Name: "pizza"}).Do(ended, wrote(7, "7"), nothing), context.Canceled)
	unable := &imbot.State[func()]{Name: "pizza"}
	require.ErrorContains(t, unable.Do(t.Context(), wrote(7, "7"), func(*func()) error { return nil }), "State pizza: json")
}

// stateStores are the stores of this package.
func stateStores(t *testing.T) map[string]driver.StateStore {
	return map[string]driver.StateStore{
		"in memory": imbot.NewStateStore(),
		"in files":  imbot.NewFileStates(filepath.Join(t.TempDir(), "states")),
	}
}

func TestStateStoresSwap(t *testing.T) {
	t.Parallel()
	const ttl = time.Hour
	for name, store := range stateStores(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, key := t.Context(), strings.Repeat("0f", 32)
			_, err := store.Load(ctx, key)
			require.ErrorIs(t, err, imbot.ErrNotFound)
			require.ErrorIs(t, store.Swap(ctx, key, []byte("a"), []byte("b"), ttl), imbot.ErrConflict, "there is nothing to replace")
			require.ErrorIs(t, store.Swap(ctx, key, []byte("a"), nil, ttl), imbot.ErrConflict, "nor to delete")
			require.NoError(t, store.Swap(ctx, key, nil, nil, ttl))
			require.NoError(t, store.Swap(ctx, key, nil, []byte("a\nb\x00"), ttl))
			require.ErrorIs(t, store.Swap(ctx, key, nil, []byte("c"), ttl), imbot.ErrConflict, "it is there")
			require.ErrorIs(t, store.Swap(ctx, key, []byte("x"), []byte("c"), ttl), imbot.ErrConflict, "it is another")
			got, err := store.Load(ctx, key)
			require.NoError(t, err)
			require.Equal(t, "a\nb\x00", string(got))
			require.NoError(t, store.Swap(ctx, key, got, []byte("c"), ttl))
			require.NoError(t, store.Swap(ctx, key, []byte("c"), nil, ttl))
			_, err = store.Load(ctx, key)
			require.ErrorIs(t, err, imbot.ErrNotFound)
		})
	}
}

func TestStateStoresForgetWhatHasEnded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for name, store := range stateStores(t) {
			ctx, key := t.Context(), strings.Repeat("0f", 32)
			require.NoError(t, store.Swap(ctx, key, nil, []byte("a"), time.Minute), name)
			time.Sleep(time.Minute)
			_, err := store.Load(ctx, key)
			require.ErrorIs(t, err, imbot.ErrNotFound, name)
			require.NoError(t, store.Swap(ctx, key, nil, []byte("b"), time.Minute), name)
		}
	})
}

func TestOneOfManySwapsWins(t *testing.T) {
	t.Parallel()
	for name, store := range stateStores(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			won := make(chan error, 8)
			for n := range cap(won) {
				go func() { won <- store.Swap(t.Context(), strings.Repeat("0f", 32), nil, fmt.Append(nil, n), time.Hour) }()
			}
			wins := 0
			for range cap(won) {
				if err := <-won; err == nil {
					wins++
				} else {
					require.ErrorIs(t, err, imbot.ErrConflict)
				}
			}
			require.Equal(t, 1, wins)
		})
	}
}

func TestFileStatesRemoveWhatHasEnded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "states")
		store := imbot.NewFileStates(dir)
		key := func(n int) string { return fmt.Sprintf("%064x", n) }
		for n := range 30 {
			require.NoError(t, store.Swap(t.Context(), key(n), nil, []byte("a"), time.Minute))
		}
		time.Sleep(2 * time.Minute)
		for n := range 15 {
			require.NoError(t, store.Swap(t.Context(), key(100+n), nil, []byte("a"), time.Hour))
		}
		left, err := filepath.Glob(filepath.Join(dir, "*.state"))
		require.NoError(t, err)
		require.Len(t, left, 15)
	})
}

func TestADamagedStateFileIsNamed(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "states")
	store, key := imbot.NewFileStates(dir), strings.Repeat("0f", 32)
	require.NoError(t, store.Swap(t.Context(), key, nil, []byte("a"), time.Hour))
	files, err := filepath.Glob(filepath.Join(dir, "*.state"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(files[0], []byte("not a time\nsecret"), 0o600))
	_, err = store.Load(t.Context(), key)
	require.ErrorContains(t, err, files[0])
	require.NotContains(t, err.Error(), "secret")
}

// 10,000 dialogues are less than 10 MiB, and nothing of them is left after their time.
func TestStatesInMemoryAreSmallAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &imbot.State[pizza]{Name: "pizza"}
		before := heapAfterGC()
		for n := range 10_000 {
			step(t, s, wrote(imbot.ID(n+1), "chat12"), pizza{"address", strings.Repeat("x", 100)})
		}
		held := heapAfterGC() - before
		t.Logf("10,000 states hold %d KiB", held>>10)
		require.Less(t, held, int64(10<<20))
		time.Sleep(time.Hour)
		step(t, s, wrote(1, "7"), pizza{})
		require.Less(t, heapAfterGC()-before, int64(1<<20))
		runtime.KeepAlive(s)
	})
}

func heapAfterGC() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
