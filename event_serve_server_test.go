package imbot_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbotv2"
)

// part is a Shutdowner that says when it ends.
type part struct {
	name     string
	order    chan<- string
	err      error
	degraded atomic.Bool
}

func (p *part) Shutdown(ctx context.Context) error {
	p.order <- p.name
	return errors.Join(p.err, ctx.Err())
}

func (p *part) Degraded() bool { return p.degraded.Load() }

// whole is a handler that is a Shutdowner, too.
type whole struct {
	http.Handler
	*part
}

func TestAServerRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	routes, good := http.NewServeMux(), &imbot.EventHandler{Verifier: trustAll{}}
	for name, row := range map[string]struct {
		server imbot.Server
		text   string
	}{
		"nothing to serve":           {imbot.Server{}, "Server.Handler is nil"},
		"a linger beyond the drain":  {imbot.Server{Handler: good, Linger: 25 * time.Second}, "Server.Drain, 25s, has to be longer"},
		"a negative linger":          {imbot.Server{Handler: good, Linger: -1}, "Server.Linger"},
		"a negative drain":           {imbot.Server{Handler: good, Drain: -1}, "Server.Drain"},
		"a hole in the row":          {imbot.Server{Handler: good, Events: []imbot.Shutdowner{good, nil}}, "Server.Events[1] is nil"},
		"a handler that trusts none": {imbot.Server{Handler: &imbot.EventHandler{}, Events: []imbot.Shutdowner{good}}, "Verifier is nil"},
		"events that trust none":     {imbot.Server{Handler: routes, Events: []imbot.Shutdowner{&imbot.EventHandler{}}}, "Verifier is nil"},
		"no address":                 {imbot.Server{Handler: good, Addr: "nowhere"}, "missing port"},
	} {
		t.Run(name, func(t *testing.T) {
			err := row.server.Run(t.Context())
			require.ErrorContains(t, err, "imbot: Server.Run: ")
			require.ErrorContains(t, err, row.text)
		})
	}
}

func TestAServerSaysWhetherItIsReady(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m, order := newPipes(), make(chan string, 2)
		first, second := &part{name: "first", order: order, err: errors.New("too late")}, &part{name: "second", order: order}
		ctx, stop := context.WithCancel(t.Context())
		result := make(chan error, 1)
		routes := http.NewServeMux()
		routes.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "mine: "+r.Method) })
		server := imbot.Server{Handler: routes, Events: []imbot.Shutdowner{first, second}, Linger: 5 * time.Second}
		go func() { result <- server.RunOn(ctx, m) }()
		ask := func(method, path string) string {
			t.Helper()
			r, err := http.NewRequestWithContext(t.Context(), method, "http://bot.example"+path, nil)
			require.NoError(t, err)
			resp, err := (&http.Transport{DialContext: m.dial, DisableKeepAlives: true}).RoundTrip(r)
			require.NoError(t, err)
			text, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			return resp.Status + ": " + string(text)
		}
		require.Equal(t, "200 OK: ok\n", ask("GET", "/healthz"))
		require.Equal(t, "200 OK: ok\n", ask("GET", "/readyz"))
		require.Equal(t, "200 OK: ", ask("HEAD", "/readyz"))
		second.degraded.Store(true)
		require.Equal(t, "200 OK: degraded\n", ask("GET", "/readyz"))
		require.Equal(t, "200 OK: mine: POST", ask("POST", "/healthz"))
		require.Equal(t, "200 OK: mine: GET", ask("GET", "/ready"))

		start := time.Now()
		stop()
		synctest.Wait()
		require.Equal(t, "503 Service Unavailable: stopping\n", ask("GET", "/readyz"), "from the first moment of the end")
		require.Equal(t, "200 OK: ok\n", ask("GET", "/healthz"))
		time.Sleep(4900 * time.Millisecond)
		require.Equal(t, "200 OK: mine: POST", ask("POST", "/events"), "the load balancer has not noticed yet")
		require.ErrorIs(t, <-result, first.err)
		require.InDelta(t, 5, time.Since(start).Seconds(), 0.9)
		require.Equal(t, []string{"first", "second"}, []string{<-order, <-order})
	})
}

func TestAServerEndsItsHandlerUnlessThereIsARow(t *testing.T) {
	t.Parallel()
	order := make(chan string, 9)
	handler := whole{http.NotFoundHandler(), &part{name: "handler", order: order}}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, imbot.Server{Addr: "127.0.0.1:0", Handler: handler}.Run(ctx))
	require.Equal(t, "handler", <-order)
	bot := &imbotv2.EventHandler{Verifier: trustAll{}}
	require.NoError(t, imbot.Server{Addr: "127.0.0.1:0", Handler: handler,
		Events: []imbot.Shutdowner{bot, &part{name: "row", order: order}}}.Run(ctx))
	require.Equal(t, "row", <-order)
	require.Empty(t, order)
}

func TestAServerOnARealSocketFreesIt(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	bot := &imbot.EventHandler{Verifier: trustAll{}, Logger: slog.New(slog.DiscardHandler)}
	go func() { result <- imbot.Server{Handler: bot}.RunOn(ctx, ln) }()
	resp, err := http.Get("http://" + ln.Addr().String() + "/healthz")
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	cancel()
	require.NoError(t, <-result)
	again, err := net.Listen("tcp", ln.Addr().String())
	require.NoError(t, err, "the port is free")
	require.NoError(t, again.Close())
	require.Equal(t, http.StatusServiceUnavailable, deliver(bot, deleteEvent), "it was ended")
}

// A monitor, or a person, looks whether the address works.
func TestWhoLooksAtTheAddressMakesNoWarning(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h := &imbot.EventHandler{Verifier: trustAll{}, Logger: logTo(&log)}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/events", nil))
	require.Equal(t, http.StatusMethodNotAllowed, w.Code)
	require.Empty(t, log.String())
	require.Equal(t, http.StatusBadRequest, deliver(h, ""))
	require.Contains(t, log.String(), "WARN")
}
