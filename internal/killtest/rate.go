package killtest

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/imbot-go/imbot"
)

// Rate is how fast a handler accepts events.
type Rate struct {
	PerSecond float64
	P99       time.Duration // in which 99 of 100 events are acknowledged
}

// String is one line.
func (r Rate) String() string {
	return fmt.Sprintf("%.0f/s, p99 %v", r.PerSecond, r.P99.Round(100*time.Microsecond))
}

// Rates measures a handler that keeps events in memory, and one that fill has given an Inbox: by turns,
// because the machine has other work, too. Each has 16 clients that post events of 2 kB, for each
// in all; callbacks run beside, and do nothing.
func Rates(t *testing.T, each time.Duration, fill func(t testing.TB, h *imbot.EventHandler)) (memory, durable Rate) {
	t.Helper()
	var times [2][]time.Duration
	events := 0
	for range 3 {
		for i, fill := range []func(t testing.TB, h *imbot.EventHandler){func(testing.TB, *imbot.EventHandler) {}, fill} {
			took := accept(t, each/3, &events, fill)
			times[i] = append(times[i], took...)
		}
	}
	for i := range times {
		slices.Sort(times[i])
	}
	rate := func(took []time.Duration) Rate {
		return Rate{float64(len(took)) / each.Seconds(), took[len(took)*99/100]}
	}
	memory, durable = rate(times[0]), rate(times[1])
	t.Logf("accepted in memory: %v; with the inbox: %v; %.2f of it", memory, durable, durable.PerSecond/memory.PerSecond)
	return memory, durable
}

const clients = 16

// accept returns how long each event took that a handler acknowledged.
func accept(t *testing.T, lasting time.Duration, events *int, fill func(t testing.TB, h *imbot.EventHandler)) []time.Duration {
	t.Helper()
	h := &imbot.EventHandler{
		Verifier: trusting{}, Queue: 1 << 20, QueueBytes: 1 << 30, Logger: slog.New(slog.DiscardHandler),
		OnMessage: func(context.Context, *imbot.MessageAddEvent) error { return nil },
	}
	fill(t, h)
	server := httptest.NewServer(h)
	defer server.Close()
	var mu sync.Mutex
	var all []time.Duration
	first := *events
	end := time.Now().Add(lasting)
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			var own []time.Duration
			n := 0
			for ; time.Now().Before(end); n++ {
				text := body(event{c*8 + n%8, first + n}, 8*clients)
				begun := time.Now()
				if status := send(t.Context(), client, server.Listener.Addr().String(), text); status != http.StatusOK {
					t.Errorf("an event was not accepted: %d", status)
					return
				}
				own = append(own, time.Since(begun))
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, own...)
			*events = max(*events, first+n)
		})
	}
	wg.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := h.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	return all
}
