package imbot_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// certificate is one that clients of trusting take.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	return server.TLS.Certificates[0], pool
}

// serve hands every connection to handle, which may do with it what it likes.
func serve(t *testing.T, handle func(net.Conn)) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer func() { _ = conn.Close() }()
				_ = conn.SetDeadline(time.Now().Add(time.Minute))
				handle(conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		wg.Wait()
	})
	return ln.Addr().String()
}

// fast is a retry of three attempts that come one after the other.
var fast = imbot.WithRetry(imbot.Retry{MaxAttempts: 3, MinBackoff: time.Nanosecond, MaxBackoff: time.Nanosecond})

// TestARequestThatWasReadIsNotSentAgain uses servers that read a message over TLS
// and then break the rules.
func TestARequestThatWasReadIsNotSentAgain(t *testing.T) {
	t.Parallel()
	cert, pool := certificate(t)
	const half = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"result\":"
	for name, breakOff := range map[string]func(secure *tls.Conn, raw net.Conn){
		"plain bytes": func(_ *tls.Conn, raw net.Conn) { _, _ = io.WriteString(raw, "HTTP/1.1 400 Bad Request\r\n\r\n") },
		"zero bytes":  func(_ *tls.Conn, raw net.Conn) { _, _ = raw.Write(make([]byte, 64)) },
		"an oversized record": func(_ *tls.Conn, raw net.Conn) {
			_, _ = raw.Write(append([]byte{23, 3, 3, 0xff, 0xff}, make([]byte, 64)...))
		},
		"half an answer, then rubbish":  func(s *tls.Conn, raw net.Conn) { _, _ = io.WriteString(s, half); _, _ = raw.Write(make([]byte, 64)) },
		"half an answer, then the end":  func(s *tls.Conn, raw net.Conn) { _, _ = io.WriteString(s, half) },
		"the end of the connection":     func(*tls.Conn, net.Conn) {},
		"a reset":                       func(_ *tls.Conn, raw net.Conn) { _ = raw.(*net.TCPConn).SetLinger(0) },
		"rubbish in place of an answer": func(s *tls.Conn, _ net.Conn) { _, _ = io.WriteString(s, "\x00\x01\x02\r\n\r\n") },
	} {
		var posts atomic.Int32
		addr := serve(t, func(conn net.Conn) {
			secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{cert}})
			req, err := http.ReadRequest(bufio.NewReader(secure))
			if err != nil {
				return
			}
			if _, err := io.Copy(io.Discard, req.Body); err == nil {
				posts.Add(1)
			}
			breakOff(secure, conn)
		})
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
		auth := imbot.Webhook{URL: "https://" + addr + "/rest/1/s3cr3t/", ClientID: "bot-secret-1"}
		for way, send := range waysToSend {
			t.Run(name+", "+way, func(t *testing.T) {
				posts.Store(0)
				opts := []imbot.Option{fast}
				if way == "automatic batches" {
					opts = append(opts, imbot.WithAutoBatch())
				}
				var requests []imbot.MessageAddRequest
				for i := range 3 {
					requests = append(requests, to(i+1, "hi"))
				}
				for _, err := range send(t.Context(), over(t, auth, transport, opts...), requests, 0) {
					require.ErrorIs(t, err, imbot.ErrOutcomeUnknown)
				}
				require.LessOrEqual(t, posts.Load(), int32(len(requests)))
				if way != "automatic batches" {
					require.Equal(t, int32(1), posts.Load())
				}
			})
		}
		t.Run(name+", alone", func(t *testing.T) {
			posts.Store(0)
			_, err := over(t, auth, transport, fast).Message.Add(t.Context(), say("hi"))
			require.ErrorIs(t, err, imbot.ErrOutcomeUnknown)
			require.NotContains(t, err.Error(), "s3cr3t")
			require.Equal(t, int32(1), posts.Load())
		})
		transport.CloseIdleConnections()
	}
}

// barrier is a proxy that lets nobody through, or a server with which no handshake
// succeeds.
type barrier struct {
	proxy  bool
	handle func(net.Conn)
}

func barriers(cert tls.Certificate) map[string]barrier {
	proxy := func(answer string) func(net.Conn) {
		return func(conn net.Conn) {
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				_, _ = io.WriteString(conn, answer)
			}
		}
	}
	hello := func(conn net.Conn) { _, _ = conn.Read(make([]byte, 4096)) } // of the client
	return map[string]barrier{
		"a proxy that forbids it":           {true, proxy("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")},
		"a proxy that wants a password":     {true, proxy("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")},
		"a proxy that reaches nobody":       {true, proxy("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")},
		"a proxy that is busy":              {true, proxy("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")},
		"a proxy that hangs up":             {true, proxy("")},
		"a proxy that breaks off":           {true, proxy("HTTP/1.1 200 Conn")},
		"a proxy that talks rubbish":        {true, proxy("\x00\x01\x02\r\n\r\n")},
		"a proxy whose tunnel ends":         {true, proxy("HTTP/1.1 200 OK\r\n\r\n")},
		"a handshake that ends":             {false, hello},
		"a handshake that is reset":         {false, func(conn net.Conn) { hello(conn); _ = conn.(*net.TCPConn).SetLinger(0) }},
		"a handshake that ends in an alert": {false, func(conn net.Conn) { hello(conn); _, _ = conn.Write([]byte{21, 3, 3, 0, 2, 2, 40}) }},
		"a handshake with somebody else": {false, func(conn net.Conn) {
			_ = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{cert}}).Handshake()
		}},
		"a server that speaks no TLS":         {false, func(conn net.Conn) { hello(conn); _, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\n\r\n") }},
		"a server that talks rubbish at once": {false, func(conn net.Conn) { _, _ = conn.Write(make([]byte, 64)); hello(conn) }},
	}
}

func TestARequestThatNeverLeftIsSentAgain(t *testing.T) {
	t.Parallel()
	cert, _ := certificate(t)
	for name, tt := range barriers(cert) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var connections atomic.Int32
			addr := serve(t, func(conn net.Conn) {
				connections.Add(1)
				tt.handle(conn)
			})
			transport, root := &http.Transport{}, "https://"+addr
			if tt.proxy {
				transport.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: addr})
				root = "https://portal.bitrix24.com"
			}
			auth := imbot.Webhook{URL: root + "/rest/1/s3cr3t/", ClientID: "bot-secret-1"}
			_, err := over(t, auth, transport, fast).Message.Add(t.Context(), say("hi"))
			var e *imbot.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, 3, e.Attempts, "%v", err)
			require.Equal(t, int32(3), connections.Load())
			require.NotErrorIs(t, err, imbot.ErrOutcomeUnknown)
			require.ErrorContains(t, err, "not sent")
			require.NotContains(t, err.Error(), "s3cr3t")

			b := imbot.NewBatch()
			p := imbot.Queue(b, say("hi"))
			require.Error(t, over(t, auth, transport, fast).DoBatch(t.Context(), b))
			_, err = p.Result()
			require.ErrorIs(t, err, imbot.ErrNotRun)
		})
	}
}

// breaker is a connection that ends when so many bytes have gone through it.
type breaker struct {
	net.Conn
	left *atomic.Int64
	how  int
	late bool // only what the server writes counts, so that requests arrive whole
}

func (b *breaker) Read(p []byte) (int, error) {
	if b.late {
		return b.Conn.Read(p)
	}
	if n := b.left.Load(); n > 0 && int64(len(p)) > n {
		p = p[:n]
	}
	n, err := b.Conn.Read(p)
	return n, b.spend(n, err)
}

func (b *breaker) Write(p []byte) (int, error) {
	n := len(p)
	if left := b.left.Load(); int64(n) > left {
		n = int(max(left, 0))
	}
	if n > 0 {
		if _, err := b.Conn.Write(p[:n]); err != nil {
			return 0, err
		}
	}
	return n, b.spend(n, nil)
}

var errBroken = errors.New("broken on purpose")

// spend takes bytes off, and breaks the connection when none is left.
func (b *breaker) spend(n int, err error) error {
	if b.left.Add(-int64(n)) > 0 || err != nil {
		return err
	}
	switch b.how {
	case 1:
		_ = b.Conn.(*net.TCPConn).SetLinger(0) // a reset
	case 2:
		_, _ = io.WriteString(b.Conn, "HTTP/1.1 400 Bad Request\r\n\r\n")
	case 3:
		_, _ = b.Conn.Write(make([]byte, 40))
	}
	_ = b.Conn.Close()
	return errBroken
}

// breakingListener breaks two of three connections somewhere.
type breakingListener struct {
	net.Listener
	mu      sync.Mutex
	rand    *rand.Rand
	within  int64 // bytes of both ways together
	answers int64 // bytes that the server writes
}

func (l *breakingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rand.IntN(3) == 0 {
		return conn, nil
	}
	left := new(atomic.Int64)
	b := &breaker{Conn: conn, left: left, how: l.rand.IntN(4), late: l.rand.IntN(2) == 0}
	if left.Store(1 + l.rand.Int64N(l.within)); b.late {
		left.Store(1 + l.rand.Int64N(l.answers))
	}
	return b, nil
}

var (
	brokenSeed  = flag.Uint64("broken.seed", 1, "where TestConnectionsThatBreakAnywhere breaks them")
	brokenCalls = flag.Int("broken.calls", 10_000, "how many calls TestConnectionsThatBreakAnywhere makes")
)

// TestConnectionsThatBreakAnywhere sends calls that must not be repeated to a
// portal whose connections break at any byte, in either direction.
func TestConnectionsThatBreakAnywhere(t *testing.T) {
	for name, secure := range map[string]bool{"TLS": true, "HTTP": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			breakAnywhere(t, secure, *brokenCalls/2)
		})
	}
}

func breakAnywhere(t *testing.T, secure bool, calls int) {
	if testing.Short() {
		calls /= 10
	}
	var mu sync.Mutex
	runs := map[string]int{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // it broke off: nothing runs
		}
		mu.Lock()
		defer mu.Unlock()
		if cmds := commands(t, string(body)); len(cmds) > 0 {
			var results []string
			for _, c := range cmds {
				runs[c.params.Get("MESSAGE")]++
				results = append(results, fmt.Sprintf("%q:%d", c.key, 7))
			}
			_, _ = fmt.Fprintf(w, `{"result":{"result":{%s},"result_error":[]}}`, strings.Join(results, ","))
			return
		}
		_, message, _ := strings.Cut(string(body), `"MESSAGE":"`)
		message, _, _ = strings.Cut(message, `"`)
		runs[message]++
		_, _ = io.WriteString(w, `{"result":7}`)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	breaking := &breakingListener{Listener: server.Listener, rand: rand.New(rand.NewPCG(*brokenSeed, 0)), within: 1}
	server.Listener = breaking
	if secure {
		server.StartTLS()
	} else {
		server.Start()
	}
	defer server.Close()

	errs := map[string]error{}
	send := func(way string, do func(context.Context, *imbot.Client, []imbot.MessageAddRequest) []error, n int) {
		transport := server.Client().Transport.(*http.Transport).Clone()
		transport.DisableKeepAlives = true // each request meets another connection
		transport.MaxConnsPerHost = 16
		defer transport.CloseIdleConnections()
		opts := []imbot.Option{imbot.WithRetry(imbot.Retry{MaxAttempts: 4, MinBackoff: time.Nanosecond, MaxBackoff: time.Nanosecond})}
		if way == "automatic batches" {
			opts = append(opts, imbot.WithAutoBatch())
		}
		client := over(t, imbot.Webhook{URL: server.URL + "/rest/1/s3cr3t/", ClientID: "bot-secret-1"}, transport, opts...)
		within := int64(1000) // a call and its answer, both ways together
		if way != "alone" {
			within = 10_000 // fifty of them
		}
		answers := int64(1000)
		if secure {
			within, answers = within+4000, answers+2000 // and the handshake
		}
		breaking.mu.Lock()
		breaking.within, breaking.answers = within, answers
		breaking.mu.Unlock()
		var requests []imbot.MessageAddRequest
		for i := range n {
			requests = append(requests, to(i%97+1, fmt.Sprintf("%s %d", way, i)))
		}
		for i, err := range do(t.Context(), client, requests) {
			errs[requests[i].Message] = err
		}
	}
	for way, do := range waysToSend {
		send(way, func(ctx context.Context, c *imbot.Client, r []imbot.MessageAddRequest) []error {
			return do(ctx, c, r, 0)
		}, calls/3)
	}
	send("alone", func(ctx context.Context, c *imbot.Client, requests []imbot.MessageAddRequest) []error {
		errs := make([]error, len(requests))
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				for j := i; j < len(requests); j += 16 {
					_, errs[j] = c.Message.Add(ctx, requests[j])
				}
			})
		}
		wg.Wait()
		return errs
	}, calls-calls/3*3+calls/10)

	mu.Lock()
	defer mu.Unlock()
	ran, failed, unknown, lost := 0, 0, 0, map[string]int{} // lost: ran, by way, and the answer did not arrive
	for message, err := range errs {
		var e *imbot.Error
		switch n := runs[message]; {
		case err == nil:
			ran++
			require.Equal(t, 1, n, "%s succeeded", message)
		case errors.Is(err, imbot.ErrOutcomeUnknown):
			unknown++
			lost[strings.TrimRight(message, "0123456789")] += n
			require.LessOrEqual(t, n, 1, "%s ran twice", message)
		default:
			failed++
			require.ErrorAs(t, err, &e)
			require.Zero(t, n, "%s ran and is reported as not run: %v", message, err)
			require.Contains(t, []int{0, 4}, e.Attempts, "%s was given up early: %v", message, err)
		}
	}
	require.Equal(t, len(errs), ran+failed+unknown)
	require.Positive(t, ran)
	require.Positive(t, unknown)
	if !testing.Short() { // a tenth of the calls may miss a way: what holds for each call is asked above
		require.Len(t, lost, 4)
		for way, n := range lost {
			require.Positive(t, n, "no call %swas run without its answer", way)
		}
	}
	require.True(t, slices.Max(slices.Collect(maps.Values(runs))) == 1)
	t.Logf("%d calls: %d ran, %d were never sent, %d are unknown", len(errs), ran, failed, unknown)
}
