package imbotredis_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbotredis"
	"github.com/imbot-go/imbot/imbotredis/internal/redistest"
)

const hour = 3600

// shift moves the times of a portal's bucket, as if the clock of the server had gone the other way.
func shift(t *testing.T, c *redis.Client, seconds float64) {
	t.Helper()
	for _, field := range []string{"tat", "calm", "at"} {
		require.NoError(t, c.HIncrByFloat(t.Context(), "{imbot:portal}:pace:", field, seconds).Err())
	}
}

func TestAClockThatJumpsAnHourStopsNobody(t *testing.T) {
	t.Parallel()
	s := redistest.Own(t)
	c, l := s.Client(t), open(t, s, imbotredis.Options{}).Limiter(2, 5)
	ctx := imbot.WithClass(t.Context(), imbot.ClassAnswer)
	wait := func() { require.NoError(t, l.Wait(ctx, "portal")) }
	wait()
	shift(t, c, hour)
	within(t, 2*time.Second, "the clock went back", func() { wait(); wait() })
	shift(t, c, -hour)
	within(t, time.Second, "the clock went on", wait)
}

func TestARefusalCountsAfterTheClockWentBack(t *testing.T) {
	t.Parallel()
	s := redistest.Own(t)
	c, l := s.Client(t), open(t, s, imbotredis.Options{}).Limiter(20, 5)
	halvings := func() string { return c.HGet(t.Context(), "{imbot:portal}:pace:", "halvings").Val() }
	l.Refused("portal")
	require.Equal(t, "1", halvings())
	shift(t, c, hour)
	require.NoError(t, l.Wait(t.Context(), "portal"))
	require.Eventually(t, func() bool { l.Refused("portal"); return halvings() == "2" }, 5*time.Second, 50*time.Millisecond)
}

func TestALeadIsTakenOverAlthoughTheClockWentBack(t *testing.T) {
	t.Parallel()
	s := redistest.Own(t)
	c := s.Client(t)
	require.NoError(t, c.Set(t.Context(), "{imbot}:lead:name", "of one who died", hour*time.Second).Err())
	within(t, 11*time.Second, "the lead lives for ten seconds", func() {
		require.NoError(t, open(t, s, imbotredis.Options{}).Leader().Lead(t.Context(), "name", func(context.Context) error { return nil }))
	})
}
