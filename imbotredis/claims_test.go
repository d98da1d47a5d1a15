package imbotredis_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/imbotredis"
	"github.com/imbot-go/imbot/imbotredis/internal/redistest"
	"github.com/imbot-go/imbot/internal/killtest"
)

// noted are claims that write down when they fail, for the parent of their process.
type noted struct {
	driver.Claims
	file string
}

func (n noted) Claim(ctx context.Context, key string) (bool, error) {
	first, err := n.Claims.Claim(ctx, key)
	if err != nil {
		_ = os.WriteFile(n.file, []byte(err.Error()), 0o600)
	}
	return first, err
}

// Two processes that keep events in memory get each event; a claim says which of them handles it.
func TestEachEventIsHandledOnce(t *testing.T) {
	var file string
	r := killtest.Run(t, killtest.Config{Replicas: 2, PostTo: 2, Events: 1000, Workers: 8, Callback: 2 * time.Millisecond},
		func(t testing.TB) string {
			addr := redistest.Own(t).Options.Addr
			file = addr + ".failed"
			return addr
		},
		func(t testing.TB, where string, h *imbot.EventHandler) {
			c := redis.NewClient(&redis.Options{Network: "unix", Addr: where})
			t.Cleanup(func() { _ = c.Close() })
			db, err := imbotredis.Open(t.Context(), c, imbotredis.Options{})
			require.NoError(t, err)
			t.Cleanup(func() { _ = db.Close() })
			h.Claims = noted{db.Claims(), where + ".failed"}
		})
	require.Equal(t, 1000, r.Acknowledged)
	require.Zero(t, r.Lost+r.Refused)
	if why, err := os.ReadFile(file); err == nil && r.Twice > 0 {
		t.Skipf("the machine is too busy: the server had 250 ms for a claim (%s), and then each process decides for itself", why)
	}
	require.Zero(t, r.Twice)
}
