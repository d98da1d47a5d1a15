package inbox

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot/internal/meminbox"
)

// Three replicas take the events of twenty dialogs, each posted to two of them, while the store fails, hangs and
// loses answers for moments, and one replica after another ends and is started anew.
func TestNothingIsLostMixedOrHandledTwiceInAStorm(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { storm(t, rand.New(rand.NewPCG(seed, 7))) })
		})
	}
}

func storm(t *testing.T, dice *rand.Rand) {
	server := meminbox.New()
	var mu sync.Mutex
	roll := func(n int) int { mu.Lock(); defer mu.Unlock(); return dice.IntN(n) }
	var handled []string
	running := map[string]bool{}
	start := func() *replica {
		r := newReplica(server, func(cfg *Config[string]) {
			cfg.Arrive, cfg.Workers = doubtful, 3
			cfg.Key = func(text string) string { return strings.TrimRight(text, "?!") }
			cfg.Patience, cfg.MaxTries = time.Hour, 1000 // an answer of Take that gets lost counts as a try
			cfg.Handle = func(_ context.Context, text string) error {
				line, _, _ := strings.Cut(text, "e")
				mu.Lock()
				beside := running[line]
				running[line] = true
				mu.Unlock()
				if beside {
					t.Error("two callbacks of one dialog:", text)
				}
				time.Sleep(time.Duration(roll(300)) * time.Millisecond)
				mu.Lock()
				running[line] = false
				handled = append(handled, strings.TrimRight(text, "?"))
				mu.Unlock()
				return nil
			}
		})
		go r.Run(t.Context())
		return r
	}
	replicas := []*replica{start(), start(), start()}
	var fleet sync.RWMutex
	over := make(chan struct{})
	weather := sync.WaitGroup{}
	weather.Go(func() { // outages
		for {
			select {
			case <-over:
				server.Fail(nil)
				return
			case <-time.After(time.Duration(roll(3000)) * time.Millisecond):
			}
			switch roll(4) {
			case 0:
				server.Fail(errAway)
			case 1:
				server.Hang()
			case 2:
				server.Intercept(func(_ context.Context, _ string, do func() error) error {
					if err := do(); err != nil || roll(2) == 0 {
						return err
					}
					return errAway
				})
			case 3:
				server.Fail(nil)
			}
			time.Sleep(time.Duration(roll(1500)) * time.Millisecond)
			server.Fail(nil)
		}
	})
	weather.Go(func() { // deploys
		for {
			select {
			case <-over:
				return
			case <-time.After(time.Duration(roll(4000)) * time.Millisecond):
			}
			i := roll(3)
			fresh := start()
			fleet.Lock()
			old := replicas[i]
			replicas[i] = fresh
			fleet.Unlock()
			require.NoError(t, old.Shutdown(t.Context()))
			require.Zero(t, old.held.Load())
		}
	})
	var people sync.WaitGroup
	for line := range 20 {
		people.Go(func() {
			for i := range 20 {
				text := fmt.Sprintf("l%de%02d", line, i)
				if roll(4) == 0 {
					text += "?" // verified late
				}
				for accepted := 0; accepted < 2; { // the portal's queue asks the next one
					fleet.RLock()
					r := replicas[roll(3)]
					fleet.RUnlock()
					if r.Receive(t.Context(), doubtful(text)) != nil {
						time.Sleep(50 * time.Millisecond) // all three may be full of what is not verified yet
						continue
					}
					accepted++
				}
				time.Sleep(time.Duration(roll(300)) * time.Millisecond)
			}
		})
	}
	people.Wait()
	close(over)
	weather.Wait()
	for _, r := range replicas {
		require.NoError(t, r.Idle(t.Context()))
	}
	for _, r := range replicas {
		r.shutdown(t)
	}
	require.Len(t, handled, 400, "%v", handled)
	for line := range 20 {
		of := ofLine(handled, fmt.Sprint("l", line))
		require.Len(t, of, 20, "%v", of)
	}
}
