package inbox

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot/internal/dispatch"
)

func TestAPushedEventIsDoneAfterItsCallback(t *testing.T) {
	t.Parallel()
	for name, callback := range map[string]func() error{
		"that returns":            func() error { return nil },
		"that fails":              func() error { return errForged },
		"that panics":             func() error { panic("oops") },
		"that ends its goroutine": func() error { runtime.Goexit(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				j := newJournal(func(cfg *Config[string]) {
					cfg.Handle = func(context.Context, string) error { time.Sleep(time.Second); return callback() }
				})
				var done atomic.Int32
				for i := range 2 { // the same one again: whoever pushes knows what was seen
					ok, err := j.Push("line", 10, "text", func() { done.Add(1) }, nil)
					require.True(t, ok)
					require.NoError(t, err)
					time.Sleep(999 * time.Millisecond)
					require.EqualValues(t, i, done.Load())
					time.Sleep(2 * time.Millisecond)
					require.EqualValues(t, i+1, done.Load())
				}
				require.EqualValues(t, 2, j.Stats().Accepted)
				require.Zero(t, j.held.Load())
			})
		})
	}
}

func TestAPushWithoutRoomIsToldSo(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Config[string]){
		"in events": func(cfg *Config[string]) { cfg.Workers, cfg.Queue = 1, 2 },
		"in bytes":  func(cfg *Config[string]) { cfg.Bytes = 30 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				j := newJournal(change)
				var done atomic.Int32
				push := func() (bool, error) { return j.Push("line", 10, "text", func() { done.Add(1) }, nil) }
				for i := range 3 {
					ok, err := push()
					require.True(t, ok, i)
					require.NoError(t, err)
				}
				ok, err := push()
				require.False(t, ok)
				require.NoError(t, err)
				require.Zero(t, j.Stats().Dropped, "it is not lost")
				time.Sleep(1100 * time.Millisecond)
				ok, err = push()
				require.True(t, ok)
				require.NoError(t, err)

				ended, cancel := context.WithCancel(t.Context())
				cancel()
				require.ErrorIs(t, j.Shutdown(ended), context.Canceled)
				ok, err = push()
				require.False(t, ok)
				require.True(t, errors.Is(err, dispatch.ErrClosed), fmt.Sprint(err))
				time.Sleep(time.Minute)
				require.EqualValues(t, 2, done.Load(), "what is given up is not done")
			})
		})
	}
}
