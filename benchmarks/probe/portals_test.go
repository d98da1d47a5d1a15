//go:build unix

package probe

import (
	"context"
	"net/http"
	"runtime"
	"runtime/metrics"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/imbot-go/imbot"
)

// TestPortals: an application on 1,000 portals answers ten events a second of each, five
// answers in a request when the burst is over.
func TestPortals(t *testing.T) {
	const portals, events, seconds = 1000, 10, 10
	app := manyPortals(imbot.WithHTTPClient(&http.Client{Transport: batchMemory{}}), imbot.WithLimiter(imbot.NewLimiter(perSecond, 20)), imbot.WithAutoBatch())
	clients := make([]*imbot.Client, portals)
	for i := range clients {
		clients[i] = portalOf(t, app, i)
	}
	form, token := sample(t)
	var answers sync.WaitGroup
	h := &imbot.EventHandler{Verifier: token, Queue: 10_000, OnMessage: func(_ context.Context, ev *imbot.MessageAddEvent) error {
		answers.Go(func() { // beside the callback, which would wait for half a second
			if _, err := clients[ev.Params.MessageID%portals].Message.Add(answering(t.Context()), ev.Reply(text)); err != nil {
				t.Error(err)
			}
		})
		return nil
	}}
	runtime.GC()
	cpu, waited, start := cpuTime(t), lockWait(), time.Now()
	const atOnce, total = 20, portals * events * seconds
	for at := 0; at < total; at += atOnce { // as they come in: several at a time
		var wg sync.WaitGroup
		for i := range atOnce {
			wg.Go(func() { post(t, h, variant(string(form), at+i)) })
		}
		wg.Wait()
		time.Sleep(time.Until(start.Add(time.Duration(at+atOnce) * time.Second / (portals * events))))
	}
	if err := h.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	answers.Wait()
	if handled := h.Stats().Handled; handled != total {
		t.Errorf("%d events handled", handled)
	}
	figure("portals cpu", float64(cpuTime(t)-cpu)/total)
	figure("portals wait", (lockWait()-waited)*1e9/total)
}

func cpuTime(t testing.TB) int64 {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		t.Fatal(err)
	}
	return use.Utime.Nano() + use.Stime.Nano()
}

// lockWait is how long goroutines have waited for locks, in seconds.
func lockWait() float64 {
	sample := []metrics.Sample{{Name: "/sync/mutex/wait/total:seconds"}}
	metrics.Read(sample)
	return sample[0].Value.Float64()
}
