package meminbox

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot/driver"
)

func put(t *testing.T, b *Inbox, key, line string) {
	t.Helper()
	fresh, err := b.Put(t.Context(), driver.InboxItem{Key: key, Line: line})
	require.NoError(t, err)
	require.True(t, fresh)
}

func take(t *testing.T, b *Inbox, key string, tries int) driver.InboxItem {
	t.Helper()
	items, err := b.Take(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, key, items[0].Key)
	require.Equal(t, tries, items[0].Tries)
	return items[0]
}

func lost(it driver.InboxItem) bool {
	select {
	case <-it.Lost:
		return true
	default:
		return false
	}
}

func TestWhatADeadProcessHeldIsFree(t *testing.T) {
	s := New()
	a, b := s.Open(), s.Open()
	put(t, a, "k", "l")
	it := take(t, a, "k", 1)
	a.Kill()
	require.False(t, lost(it))
	require.ErrorIs(t, a.Done(t.Context(), it, driver.InboxHandled), driver.ErrClosed)
	it = take(t, b, "k", 2)
	b.Lose()
	require.True(t, lost(it))
	require.ErrorIs(t, b.Done(t.Context(), it, driver.InboxHandled), driver.ErrTakenOver)
	take(t, b, "k", 3)
}

func TestAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, away := New(), errors.New("away")
		b := s.Open()
		waits := make(chan error, 1)
		go func() {
			_, err := b.Take(t.Context(), 1)
			waits <- err
		}()
		synctest.Wait()
		s.Fail(away)
		require.ErrorIs(t, <-waits, away)
		_, err := b.Put(t.Context(), driver.InboxItem{Key: "k", Line: "l"})
		require.ErrorIs(t, err, away)
		s.Hang()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = b.Put(ctx, driver.InboxItem{Key: "k", Line: "l"})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		s.Intercept(func(_ context.Context, _ string, do func() error) error { return errors.Join(do(), away) })
		_, err = b.Put(t.Context(), driver.InboxItem{Key: "k", Line: "l"})
		require.ErrorIs(t, err, away)
		_, err = b.Take(t.Context(), 1)
		require.ErrorIs(t, err, away)
		s.Fail(nil)
		fresh, err := b.Put(t.Context(), driver.InboxItem{Key: "k", Line: "l"})
		require.NoError(t, err)
		require.False(t, fresh, "only its answer got lost")
		take(t, b, "k", 2)
	})
}

func TestAKeyIsForgottenAfterAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New().Open()
		put(t, b, "k", "l")
		require.NoError(t, b.Done(t.Context(), take(t, b, "k", 1), driver.InboxHandled))
		time.Sleep(time.Hour - time.Nanosecond)
		fresh, err := b.Put(t.Context(), driver.InboxItem{Key: "k", Line: "l"})
		require.NoError(t, err)
		require.False(t, fresh)
		time.Sleep(time.Nanosecond)
		put(t, b, "k", "l")
	})
}

func TestWhatNoEngineNeedsToKeep(t *testing.T) {
	b := New().Open()
	for what, it := range map[string]driver.InboxItem{
		"no key":     {Line: "l"},
		"no line":    {Key: "k"},
		"a big body": {Key: "k", Line: "l", Body: make([]byte, mostBody+1)},
	} {
		_, err := b.Put(t.Context(), it)
		require.ErrorContains(t, err, "meminbox: the ", what)
	}
}
