package imbotredis_test

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbotredis"
	"github.com/imbot-go/imbot/imbotredis/internal/redistest"
	"github.com/imbot-go/imbot/internal/killtest"
)

// Two processes that keep events in memory get each event; a claim says which of them handles it.
func TestEachEventIsHandledOnce(t *testing.T) {
	r := killtest.Run(t, killtest.Config{Replicas: 2, PostTo: 2, Events: 1000, Workers: 8, Callback: 2 * time.Millisecond},
		func(t testing.TB) string { return redistest.Start(t).Options.Addr },
		func(t testing.TB, where string, h *imbot.EventHandler) {
			c := redis.NewClient(&redis.Options{Network: "unix", Addr: where})
			t.Cleanup(func() { _ = c.Close() })
			db, err := imbotredis.Open(t.Context(), c, imbotredis.Options{})
			require.NoError(t, err)
			t.Cleanup(func() { _ = db.Close() })
			h.Claims = db.Claims()
		})
	require.Equal(t, 1000, r.Acknowledged)
	require.Zero(t, r.Lost+r.Twice+r.Refused)
}
