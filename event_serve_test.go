package imbot_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func TestServeRefusesToServeNothing(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()

	rows := map[string]struct {
		addr string
		h    *imbot.EventHandler
		text string
	}{
		"without a handler":       {"127.0.0.1:0", nil, "Verifier is nil"},
		"without a verifier":      {"127.0.0.1:0", &imbot.EventHandler{}, "Verifier is nil"},
		"without a client id":     {"127.0.0.1:0", &imbot.EventHandler{Verifier: imbot.Webhook{}.Verifier()}, "empty ClientID"},
		"at no address":           {"nowhere", &imbot.EventHandler{Verifier: trustAll{}}, "missing port"},
		"at an address of others": {taken.Addr().String(), &imbot.EventHandler{Verifier: trustAll{}}, "listen tcp"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			err := imbot.Serve(t.Context(), row.addr, row.h)
			require.ErrorContains(t, err, "imbot: Serve: ")
			require.ErrorContains(t, err, row.text)
		})
	}
}

func TestServeOnARealSocket(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	started, release := make(chan string, 1), make(chan struct{})
	h := &imbot.EventHandler{
		Verifier: imbot.ApplicationToken(goodToken), Logger: slog.New(slog.DiscardHandler),
		OnMessage: func(ctx context.Context, ev *imbot.MessageAddEvent) error {
			started <- ev.Params.Message
			<-release
			return ctx.Err()
		},
	}
	served := make(chan error, 1)
	go func() { served <- imbot.ServeListener(ctx, ln, h) }()

	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	post := func(body string) int {
		resp, err := client.Post("http://"+ln.Addr().String()+"/events?CLIENT_ID=x", formType, strings.NewReader(body))
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		return resp.StatusCode
	}
	require.Equal(t, http.StatusUnauthorized, post("event=ONIMBOTMESSAGEADD"))
	require.Equal(t, http.StatusBadRequest, post(""))
	require.Equal(t, http.StatusOK, post(goodEvent))
	require.Equal(t, "hello", <-started)

	cancel() // while the callback runs
	close(release)
	require.NoError(t, <-served)
	_, err = net.Dial("tcp", ln.Addr().String())
	require.Error(t, err, "nobody listens any more")
	require.Equal(t, imbot.EventStats{Accepted: 1, Handled: 1, Refused: 2}, h.Stats())
}

func TestServeEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- imbot.Serve(ctx, "127.0.0.1:0", &imbot.EventHandler{Verifier: trustAll{}}) }()
	cancel() // before or after it listens
	require.NoError(t, <-served)
}

// pipes is a net.Listener without a socket; it works in a bubble of synctest.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	close sync.Once
	fail  error // what Accept returns
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (m *pipes) Accept() (net.Conn, error) {
	if m.fail != nil {
		return nil, m.fail
	}
	select {
	case c := <-m.conns:
		return c, nil
	case <-m.done:
		return nil, net.ErrClosed
	}
}

func (m *pipes) Close() error   { m.close.Do(func() { close(m.done) }); return nil }
func (m *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (m *pipes) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	m.conns <- server
	return client, nil
}

// served is a handler behind Serve, in a bubble.
type served struct {
	*pipes
	handler *imbot.EventHandler
	stop    func()
	result  chan error
}

func serveInMemory(t *testing.T, onMessage func(context.Context, *imbot.MessageAddEvent) error) *served {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	s := &served{pipes: newPipes(), stop: cancel, result: make(chan error, 1)}
	s.handler = &imbot.EventHandler{
		Verifier: trustAll{}, Logger: slog.New(slog.DiscardHandler), OnMessage: onMessage,
	}
	go func() { s.result <- imbot.ServeListener(ctx, s.pipes, s.handler) }()
	return s
}

func (s *served) post(t *testing.T, body string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DialContext: s.dial, DisableKeepAlives: true}}
	resp, err := client.Post("http://bot.example/events", formType, strings.NewReader(body))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
}

// stall opens a connection, sends text and no more; the answer ends when the
// server hangs up.
func (s *served) stall(t *testing.T, text string) (answer <-chan string) {
	conn, err := s.dial(t.Context(), "", "")
	require.NoError(t, err)
	got := make(chan string, 1)
	go func() {
		_, _ = io.WriteString(conn, text)
		text, _ := io.ReadAll(conn)
		_ = conn.Close()
		got <- string(text)
	}()
	synctest.Wait()
	return got
}

const unfinished = "POST /events HTTP/1.1\r\nHost: bot.example\r\nContent-Length: 1000\r\n\r\nevent="

func TestServeDrainsForLessThanHalfAMinute(t *testing.T) {
	t.Parallel()
	rows := map[string]struct {
		needs, takes time.Duration
		text         string
	}{
		"nothing is under way":                   {0, 0, ""},
		"a callback that needs less is awaited":  {24 * time.Second, 24 * time.Second, ""},
		"a callback that needs more is given up": {time.Hour, 25 * time.Second, "0 events were dropped, 1 interrupted"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := serveInMemory(t, func(ctx context.Context, _ *imbot.MessageAddEvent) error {
					select {
					case <-time.After(row.needs):
						return nil
					case <-ctx.Done():
						return ctx.Err()
					}
				})
				s.post(t, messageIn("27", "hi"))
				synctest.Wait()
				start := time.Now()
				s.stop()
				err := <-s.result
				if row.text == "" {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, context.DeadlineExceeded)
					require.ErrorContains(t, err, row.text)
				}
				require.InDelta(t, row.takes.Seconds(), time.Since(start).Seconds(), 0.9) // net/http polls
			})
		})
	}
}

func TestASlowSenderDoesNotHoldUpTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := serveInMemory(t, nil)
		answer := s.stall(t, unfinished)
		start := time.Now()
		s.stop()
		require.NoError(t, <-s.result)
		<-answer
		require.Equal(t, 6*time.Second, time.Since(start), "the connection does not outlive Serve")
	})
}

func TestASlowSenderIsHungUpOn(t *testing.T) {
	t.Parallel()
	rows := map[string]struct {
		sends  string
		after  time.Duration
		answer string
	}{
		"who sends no request":     {"", 10 * time.Second, ""},
		"who sends half a header":  {"POST /events HTTP/1.1\r\nHost: bot", 10 * time.Second, ""},
		"who sends half of a body": {unfinished, 30 * time.Second, "HTTP/1.1 400 Bad Request\r\n"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := serveInMemory(t, nil)
				start := time.Now()
				answer := <-s.stall(t, row.sends)
				require.InDelta(t, row.after.Seconds(), time.Since(start).Seconds(), 0.9)
				require.True(t, strings.HasPrefix(answer, row.answer), answer)
				s.stop()
				require.NoError(t, <-s.result)
			})
		})
	}
}

func TestServeReportsABrokenListener(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		m := newPipes()
		m.fail = errors.New("the socket is gone")
		h := &imbot.EventHandler{Verifier: trustAll{}, Logger: logTo(&log)}
		require.Equal(t, http.StatusOK, deliver(h, deleteEvent))
		err := imbot.ServeListener(t.Context(), m, h)
		require.ErrorIs(t, err, m.fail)
		require.ErrorContains(t, err, "imbot: Serve: ")
		require.Equal(t, imbot.EventStats{Accepted: 1, Handled: 1}, h.Stats(), "what was accepted is handled")
		require.Empty(t, log.String())
	})
}

// Behind a server that has no time-out of its own, as that of http.ListenAndServe, a
// handler is as safe as behind Serve.
func TestASlowSenderIsHungUpOnBehindAnyServer(t *testing.T) {
	t.Parallel()
	app := &imbot.OAuthApp{ClientID: appID, ClientSecret: clientSecret, Store: imbot.NewMemoryStore()}
	for name, handler := range map[string]http.Handler{
		"an event handler": &imbot.EventHandler{Verifier: trustAll{}, Logger: slog.New(slog.DiscardHandler)},
		"an install page":  app.InstallPage(),
	} {
		for limits, row := range map[string]struct {
			server time.Duration // its ReadTimeout
			after  time.Duration
		}{
			"none":                 {0, 30 * time.Second},
			"one that is longer":   {time.Hour, 30 * time.Second},
			"one that is shorter":  {5 * time.Second, 5 * time.Second},
			"the one that we have": {30 * time.Second, 30 * time.Second},
		} {
			t.Run(name+", the server's time-out: "+limits, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m := newPipes()
					mux := http.NewServeMux()
					mux.Handle("/events", handler)
					srv := &http.Server{Handler: mux, ReadTimeout: row.server, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
					done := make(chan error, 1)
					go func() { done <- srv.Serve(m) }()
					start := time.Now()
					answer := <-(&served{pipes: m}).stall(t, unfinished)
					require.Equal(t, row.after, time.Since(start))
					require.True(t, strings.HasPrefix(answer, "HTTP/1.1 400 Bad Request\r\n"), answer)
					require.NoError(t, srv.Close())
					require.ErrorIs(t, <-done, http.ErrServerClosed)
				})
			})
		}
	}
}

// The time is for the body: a connection that is kept does not end with it.
func TestTheTimeOfABodyIsNotThatOfItsConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newPipes()
		h := &imbot.EventHandler{Verifier: trustAll{}}
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h.ServeHTTP(w, r)
			time.Sleep(time.Minute) // what is around the handler may go on
			require.NoError(t, r.Context().Err())
		})
		srv := &http.Server{Handler: handler, ReadHeaderTimeout: time.Hour}
		done := make(chan error, 1)
		go func() { done <- srv.Serve(m) }()
		dials := 0
		transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			dials++
			return m.dial(ctx, network, addr)
		}}
		for range 3 {
			resp, err := (&http.Client{Transport: transport}).Post("http://bot.example/events", formType, strings.NewReader(deleteEvent))
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Equal(t, http.StatusOK, resp.StatusCode)
			time.Sleep(10 * time.Minute)
		}
		require.Equal(t, 1, dials)
		transport.CloseIdleConnections()
		require.NoError(t, srv.Close())
		require.ErrorIs(t, <-done, http.ErrServerClosed)
		require.NoError(t, h.Shutdown(t.Context()))
	})
}
