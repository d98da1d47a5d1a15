package imbotbolt_test

import (
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/driver"
	"github.com/imbot-go/imbot/imbotbolt"
	"github.com/imbot-go/imbot/internal/killtest"
	"github.com/imbot-go/imbot/internal/meminbox"
)

// The log has the figures. They have to hold with IMBOT_LONG=1, on a machine without other work.
func TestHowFastEventsAreAccepted(t *testing.T) {
	memory, durable := killtest.Rates(t, 1500*time.Millisecond, func(t testing.TB, h *imbot.EventHandler) {
		h.Inbox = openFile(t, filepath.Join(t.TempDir(), "bot.db"), imbotbolt.Options{Keys: keys(t, 1)}).Inbox()
	})
	require.Positive(t, durable.PerSecond)
	if os.Getenv("IMBOT_LONG") != "" {
		require.GreaterOrEqual(t, durable.PerSecond, 0.2*memory.PerSecond)
		require.LessOrEqual(t, durable.P99, 100*time.Millisecond)
	}
}

func BenchmarkPut(b *testing.B) {
	for _, engine := range []struct {
		name string
		open func() driver.Inbox
	}{
		{"memory", func() driver.Inbox { return meminbox.New().Open() }},
		{"file", func() driver.Inbox {
			return openFile(b, filepath.Join(b.TempDir(), "bot.db"), imbotbolt.Options{}).Inbox()
		}},
		{"encrypted", func() driver.Inbox {
			return openFile(b, filepath.Join(b.TempDir(), "bot.db"), imbotbolt.Options{Keys: keys(b, 1)}).Inbox()
		}},
	} {
		b.Run(engine.name, func(b *testing.B) {
			in, body := engine.open(), make([]byte, 2048)
			var n atomic.Int64
			b.SetParallelism(8) // 16 clients on two cores
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					key := strconv.FormatInt(n.Add(1), 36)
					if _, err := in.Put(b.Context(), driver.InboxItem{Key: key, Line: key, Body: body}); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
