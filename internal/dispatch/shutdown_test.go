package dispatch

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestShutdownDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(2, 100)
		var contexts []context.Context
		var early []error
		for range 10 {
			require.NoError(t, p.Submit("a", func(ctx context.Context) {
				time.Sleep(time.Second)
				contexts = append(contexts, ctx) // one key: no two at once
				early = append(early, ctx.Err())
			}))
		}
		done := make(chan error, 3)
		for range 3 {
			go func() { done <- p.Shutdown(t.Context()) }()
		}
		synctest.Wait()
		require.ErrorIs(t, p.Submit("b", nil), ErrClosed)
		require.ErrorIs(t, p.Submit("", nil), ErrClosed)
		for range 3 {
			require.NoError(t, <-done)
		}
		require.Len(t, contexts, 10)
		require.Equal(t, make([]error, 10), early, "the context lives while work is drained")
		for _, ctx := range contexts {
			require.Equal(t, contexts[0], ctx, "one context for all work")
			require.ErrorIs(t, ctx.Err(), context.Canceled, "it ends with the drain")
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		require.NoError(t, p.Shutdown(ended), "it is drained already")
		require.ErrorIs(t, p.Submit("a", nil), ErrClosed)
		requireEmpty(t, p)
	})
}

func TestShutdownInterruptsWhenItsContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(2, 100)
		var j journal
		work := func(ctx context.Context) {
			select {
			case <-ctx.Done():
				time.Sleep(time.Minute) // unwinds slowly
				j.note("interrupted")
			case <-time.After(time.Hour):
				j.note("done")
			}
		}
		for _, key := range []string{"a", "a", "a", "b", "c", "", ""} {
			require.NoError(t, p.Submit(key, work))
		}
		start := time.Now()
		patient := make(chan error, 1)
		go func() { patient <- p.Shutdown(t.Context()) }()
		short, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		err := p.Shutdown(short)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.EqualError(t, err, "5 events were dropped, 2 interrupted: context deadline exceeded")
		require.Equal(t, 10*time.Second, time.Since(start), "running work is not waited for")
		require.Equal(t, err, p.Shutdown(short), "the loss is counted once")
		require.Zero(t, p.Queued())
		require.Empty(t, j.read())

		require.Equal(t, err, <-patient, "the other call waited for the interrupted work and tells of the loss")
		require.Equal(t, 70*time.Second, time.Since(start))
		require.Equal(t, []string{"interrupted", "interrupted"}, j.read())
		require.Equal(t, err, p.Shutdown(t.Context()), "a later call tells of it, too")
		require.ErrorIs(t, p.Submit("a", work), ErrClosed)
		requireEmpty(t, p)
	})
}

func TestShutdownWithAnEndedContextDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		require.NoError(t, New(1, 1).Shutdown(ended), "an idle pool has nothing to lose")

		p := New(1, 10)
		var interrupted bool
		require.NoError(t, p.Submit("a", func(ctx context.Context) { <-ctx.Done(); interrupted = true }))
		start := time.Now()
		err := p.Shutdown(ended)
		require.ErrorIs(t, err, context.Canceled)
		require.EqualError(t, err, "0 events were dropped, 1 interrupted: context canceled")
		require.Zero(t, time.Since(start))
		require.NoError(t, p.Idle(t.Context()))
		require.True(t, interrupted)
		requireEmpty(t, p)
	})
}

// A lateContext has ended, and does something before it says why.
type lateContext struct {
	context.Context
	meanwhile func()
}

func (c lateContext) Err() error {
	c.meanwhile()
	return c.Context.Err()
}

func TestShutdownDrainedInTheMomentItsContextEndsLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(1, 10)
		release := make(chan struct{})
		require.NoError(t, p.Submit("a", func(context.Context) { <-release }))
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		require.NoError(t, p.Shutdown(lateContext{ended, func() { close(release); synctest.Wait() }}))
		requireEmpty(t, p)
	})
}

func TestHandedWorkIsNotRefusedBeforeTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New(1, 0)
		var j journal
		require.NoError(t, p.Submit("a", j.noting("submitted", time.Second)))
		require.ErrorIs(t, p.Submit("a", nil), ErrFull)
		p.Hand("a", j.noting("without room", time.Second))
		p.Close()
		require.ErrorIs(t, p.Submit("b", nil), ErrClosed)
		p.Hand("b", j.noting("after Close", time.Second))
		require.Equal(t, 2, p.Queued())
		require.NoError(t, p.Idle(t.Context()))
		p.Hand("c", j.noting("in an idle pool", time.Second))
		require.NoError(t, p.Shutdown(t.Context()))
		p.Hand("d", j.noting("after Shutdown", time.Second))
		synctest.Wait()
		require.Equal(t, []string{"submitted", "after Close", "without room", "in an idle pool"}, j.read(), "keys take turns")
		requireEmpty(t, p)
	})
}
