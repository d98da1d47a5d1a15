package killtest

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/imbot-go/imbot"
)

// Poisoned is what came of [Poison].
type Poisoned struct {
	Starts  int            // of the callback that ends its process
	Handled map[string]int // how often each of the others was handled, by dialog and number
	Stuck   int            // items in the inbox when everybody has gone
}

// Poison posts four messages of people, one whose callback ends its process each time, and one behind that,
// and starts the process again and again until the others are handled. For start and fill see [Run].
func Poison(t *testing.T, start func(testing.TB) string, fill func(t testing.TB, where string, h *imbot.EventHandler)) Poisoned {
	t.Helper()
	const callback = 400 * time.Millisecond
	serveIfReplica(t, func(t testing.TB, where string, h *imbot.EventHandler) {
		fill(t, where, h)
		write := h.OnMessage
		h.OnMessage = func(ctx context.Context, ev *imbot.MessageAddEvent) error {
			if strings.HasPrefix(ev.Params.Message, "0 0 ") {
				time.AfterFunc(callback/4, func() { os.Exit(9) })
			}
			return write(ctx, ev)
		}
	})
	o := orders{Test: t.Name(), Store: start(t), Journal: filepath.Join(t.TempDir(), "journal"), Workers: 8, Callback: callback}
	r := startReplica(t, o)
	alive := func() {
		select {
		case <-r.ended:
			r = startReplica(t, o)
		case <-time.After(10 * look):
		}
	}
	until := time.Now().Add(2 * patience)
	for _, e := range []event{{1, 0}, {2, 0}, {3, 0}, {4, 0}, {0, 0}, {0, 1}} {
		for send(t.Context(), new(http.Client), r.addr, body(e, 5)) != http.StatusOK && time.Now().Before(until) {
			alive()
		}
	}
	var result Poisoned
	for time.Now().Before(until) {
		alive()
		result = Poisoned{Handled: map[string]int{}}
		for _, l := range read(t, o.Journal) {
			switch {
			case l.event == event{}:
				result.Starts++ // none ends
			case l.what == "end":
				result.Handled[l.event.String()]++
			}
		}
		if len(result.Handled) == 5 {
			break
		}
	}
	if err := r.end(syscall.SIGTERM); err != nil {
		t.Errorf("a replica that was told to end did not drain: %v\n%s", err, r.said())
	}
	result.Stuck = stuck(t, o.Store, fill)
	return result
}
