package imbot_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// These tests measure the heap of the whole program, so each has a process of its own.

// alone reports whether a test is the only one of its process. If not, it runs the test in
// one, and what that says becomes the result of this one.
func alone(t *testing.T) bool {
	t.Helper()
	if os.Getenv("IMBOT_TEST_ALONE") != "" {
		return true
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1", "-test.v")
	cmd.Env = append(os.Environ(), "IMBOT_TEST_ALONE=1")
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	require.NoError(t, err)
	require.Contains(t, string(out), "--- PASS: "+t.Name())
	return false
}

// mostAbove is how much memory strangers and a full queue may take together.
const mostAbove = 96 << 20

// heapNow is what is alive.
func heapNow() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC() // what was made during the first one counts as alive there
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// watchHeap calls measure again and again until the returned function is called, which
// gives the most that it has found.
func watchHeap() (most func() (alive, raw int64)) {
	stop, done := make(chan struct{}), make(chan struct{})
	var alive, raw int64
	go func() {
		defer close(done)
		for {
			var stats runtime.MemStats
			runtime.ReadMemStats(&stats)
			raw = max(raw, int64(stats.HeapAlloc))
			alive = max(alive, heapNow())
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return func() (int64, int64) { close(stop); <-done; return alive, raw }
}

// strangersBody is one without a token, as long as may be.
func strangersBody() []byte {
	const head = "event=ONIMBOTMESSAGEADD&data[PARAMS][MESSAGE]="
	return []byte(head + strings.Repeat("x", 4<<20-len(head)))
}

// strangers are n connections that send a body. It returns when each has sent it, but
// for the last byte if they are slow, or was refused; the connections end with the
// function that is returned.
func strangers(t *testing.T, addr string, n int, body []byte, slow bool) (end func()) {
	sent := body
	if slow {
		sent = body[:len(body)-1]
	}
	var sending, open sync.WaitGroup
	stop := make(chan struct{})
	for range n {
		sending.Add(1)
		open.Go(func() {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				t.Error(err)
				sending.Done()
				return
			}
			defer conn.Close()
			_, _ = fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: bot.example\r\nConnection: close\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", formType, len(body))
			_, _ = conn.Write(sent) // an error: it was refused
			if !slow {
				_, _ = io.Copy(io.Discard, conn)
			}
			sending.Done()
			<-stop
		})
	}
	sending.Wait()
	return func() { close(stop); open.Wait() }
}

// memoryHandler is a handler on a real socket that accepts goodToken.
func memoryHandler(t *testing.T, h *imbot.EventHandler) (post func(body string) int, addr string) {
	h.Verifier, h.Logger = imbot.ApplicationToken(goodToken), logTo(io.Discard)
	srv := httptest.NewServer(h) // no ReadTimeout, as with http.ListenAndServe
	t.Cleanup(srv.Close)
	return func(body string) int {
		resp, err := srv.Client().Post(srv.URL, formType, strings.NewReader(body))
		require.NoError(t, err)
		_ = resp.Body.Close()
		return resp.StatusCode
	}, srv.Listener.Addr().String()
}

var messageNumber atomic.Int64

// genuineOf is a genuine event with a text of so many bytes.
func genuineOf(text int) string {
	n := messageNumber.Add(1)
	return fmt.Sprintf("event=ONIMBOTMESSAGEADD&ts=1&data[PARAMS][DIALOG_ID]=%d&data[PARAMS][MESSAGE_ID]=%d&data[PARAMS][MESSAGE]=%s&auth[application_token]=%s",
		n, n, strings.Repeat("x", text), goodToken)
}

func TestStrangersTakeLittleMemoryAndKeepNobodyOut(t *testing.T) {
	if !alone(t) {
		return
	}
	for name, slow := range map[string]bool{"300 who stop before the end": true, "300 who send all": false} {
		t.Run(name, func(t *testing.T) {
			h := &imbot.EventHandler{OnMessage: func(context.Context, *imbot.MessageAddEvent) error { return nil }}
			post, addr := memoryHandler(t, h)
			require.Equal(t, http.StatusOK, post(genuineOf(10)))
			body := strangersBody()
			start := heapNow()
			most := watchHeap()
			end := make(chan func(), 1)
			go func() { end <- strangers(t, addr, 300, body, slow) }()
			accepted := int64(1)
			for over := false; !over; {
				select {
				case stop := <-end:
					end <- stop
					over = true
				default:
				}
				for _, text := range []int{10, 3_000, 30_000} {
					require.Equal(t, http.StatusOK, post(genuineOf(text)), "%d bytes", text)
					accepted++
				}
			}
			for _, text := range []int{100_000, 3 << 20} {
				require.Equal(t, http.StatusOK, post(genuineOf(text)), "%d bytes, while the slow ones hold what they have sent", text)
				accepted++
			}
			alive, raw := most()
			(<-end)()
			t.Logf("%d MiB alive, %d MiB with garbage above the start; %d genuine events", (alive-start)>>20, (raw-start)>>20, accepted)
			require.LessOrEqual(t, alive-start, int64(mostAbove)) // how much garbage waits depends on what other tests hold
			require.NoError(t, h.Shutdown(t.Context()))
			stats := h.Stats()
			require.Equal(t, accepted, stats.Accepted)
			require.Equal(t, accepted, stats.Handled)
			if slow {
				require.Positive(t, stats.Dropped, "those given up are counted")
				require.LessOrEqual(t, stats.Dropped+stats.Refused, int64(300))
			} else {
				require.Equal(t, int64(300), stats.Dropped+stats.Refused, "each is counted once")
			}
		})
	}
}

// longestEvents are genuine events that hold as much as may be, for what they are.
var longestEvents = map[string]func() string{
	"of 4 MiB of text": func() string { return genuineOf(4<<20 - 300) },
	"of 1 MiB of text": func() string { return genuineOf(1 << 20) },
	"of 9,000 files": func() string {
		var b strings.Builder
		for i := range 9_000 {
			fmt.Fprintf(&b, "data[PARAMS][FILES][%d]=&", i)
		}
		return b.String() + genuineOf(10)
	},
	"of 9,900 keys": func() string {
		var b strings.Builder
		for i := range 9_900 {
			fmt.Fprintf(&b, "%x&", i)
		}
		return b.String() + genuineOf(10)
	},
}

func TestAFullQueueOfTheLongestEventsTakesLittleMemory(t *testing.T) {
	if !alone(t) {
		return
	}
	for name, longest := range longestEvents {
		t.Run(name, func(t *testing.T) {
			release := make(chan struct{})
			h := &imbot.EventHandler{OnMessage: func(context.Context, *imbot.MessageAddEvent) error { <-release; return nil }}
			post, addr := memoryHandler(t, h)
			body := strangersBody()
			start := heapNow()
			full := 0
			for n := 0; full < 20; n++ {
				require.Less(t, n, 1024+512, "bytes fill the queue before events do")
				switch status := post(longest()); status {
				case http.StatusOK:
				case http.StatusServiceUnavailable:
					full++
				default:
					require.Fail(t, "unexpected", status)
				}
			}
			stats := h.Stats()
			require.Equal(t, int64(20), stats.Dropped)
			end := strangers(t, addr, 300, body, true)
			alive := heapNow()
			end()
			t.Logf("%d events, with 300 strangers: %d MiB alive above the start", stats.Accepted, (alive-start)>>20)
			require.LessOrEqual(t, alive-start, int64(mostAbove))

			close(release)
			require.NoError(t, h.Idle(t.Context()))
			require.Equal(t, http.StatusOK, post(genuineOf(10)), "there is room again")
			require.NoError(t, h.Shutdown(t.Context()))
			stats = h.Stats()
			require.Equal(t, stats.Accepted, stats.Handled)
		})
	}
}

func TestAUsualEventFillsTheQueueByNumber(t *testing.T) {
	if !alone(t) {
		return
	}
	usual := readSample(t, "messageadd_private.form")
	release := make(chan struct{})
	h := &imbot.EventHandler{Verifier: trustAll{}, Logger: logTo(io.Discard), OnMessage: func(context.Context, *imbot.MessageAddEvent) error { <-release; return nil }}
	start := heapNow()
	for i := range 512 + 1024 {
		require.Equal(t, http.StatusOK, deliver(h, usual+fmt.Sprintf("&data[PARAMS][DIALOG_ID]=%d&data[PARAMS][MESSAGE_ID]=%d", i+1, i+1)))
	}
	t.Logf("%d MiB", (heapNow()-start)>>20)
	require.Equal(t, http.StatusServiceUnavailable, deliver(h, usual+"&data[PARAMS][MESSAGE_ID]=5000"))
	close(release)
	require.NoError(t, h.Shutdown(t.Context()))
	require.Equal(t, int64(512+1024), h.Stats().Handled)
}

func TestQueueBytes(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	release := make(chan struct{})
	h := &imbot.EventHandler{
		Verifier: imbot.ApplicationToken(goodToken), Logger: logTo(&log), QueueBytes: 1 << 20,
		OnMessage: func(context.Context, *imbot.MessageAddEvent) error { <-release; return nil },
	}
	require.Equal(t, http.StatusOK, deliver(h, genuineOf(2<<20)), "one alone may hold more")
	require.Equal(t, http.StatusServiceUnavailable, deliver(h, genuineOf(10)))
	require.Equal(t, imbot.EventStats{Accepted: 1, Dropped: 1}, h.Stats())
	require.Contains(t, log.String(), "imbot: event lost")
	require.Contains(t, log.String(), "raise QueueBytes")
	close(release)
	require.NoError(t, h.Idle(t.Context()))
	for range 9 {
		require.Equal(t, http.StatusOK, deliver(h, genuineOf(100_000)))
	}
	require.NoError(t, h.Shutdown(t.Context()))
	require.Equal(t, int64(10), h.Stats().Handled)
}

// slowVerifier takes long for whoever has no token.
type slowVerifier struct{ release chan struct{} }

func (v slowVerifier) Verify(ctx context.Context, m *imbot.EventMeta) error {
	err := imbot.ApplicationToken(goodToken).Verify(ctx, m)
	if err != nil {
		<-v.release
	}
	return err
}

func TestStrangersWhoAreBeingVerifiedTakeLittleMemory(t *testing.T) {
	if !alone(t) {
		return
	}
	var manyKeys strings.Builder
	for i := range 9_900 {
		fmt.Fprintf(&manyKeys, "%x&", i)
	}
	for name, body := range map[string]string{"with long texts": string(strangersBody()), "with many keys": manyKeys.String() + "event=X"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &imbot.EventHandler{Verifier: slowVerifier{make(chan struct{})}, Logger: logTo(io.Discard)}
				start := heapNow()
				var strangers sync.WaitGroup
				for range 300 {
					strangers.Go(func() { deliver(h, body) })
				}
				synctest.Wait()
				begin := time.Now()
				for range 10 {
					require.Equal(t, http.StatusOK, deliver(h, genuineOf(3_000)))
				}
				require.Zero(t, time.Since(begin), "room for usual events is left")
				alive := heapNow() - start
				t.Logf("%d MiB alive above the start", alive>>20)
				require.LessOrEqual(t, alive, int64(32<<20))
				time.Sleep(10 * time.Second)
				close(h.Verifier.(slowVerifier).release)
				strangers.Wait()
				require.NoError(t, h.Shutdown(t.Context()))
				stats := h.Stats()
				require.Equal(t, int64(300), stats.Dropped+stats.Refused)
				require.Positive(t, stats.Refused)
				require.Equal(t, int64(10), stats.Handled)
			})
		})
	}
}
