package messenger_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/imbottest/messenger"
	"github.com/stretchr/testify/require"
)

// pipe is an [http.ResponseWriter] whose body is read while it is written.
type pipe struct {
	*io.PipeWriter
	header http.Header
	status chan int
	stall  *time.Timer
}

func (p pipe) Header() http.Header { return p.header }

func (p pipe) WriteHeader(status int) { p.status <- status }
func (p pipe) Flush()                 {}

func (p pipe) SetWriteDeadline(t time.Time) error {
	p.stall.Reset(time.Until(t))
	return nil
}

// stream reads the stream of changes of one person.
type stream struct {
	t    testing.TB
	in   *bufio.Reader
	ends chan struct{}
	stop func()
}

func openStream(w *testPage, user imbot.ID, after int64, lastID string) *stream {
	ctx, cancel := context.WithCancel(w.t.Context())
	r := httptest.NewRequest("GET", fmt.Sprintf("http://localhost/api/events?user=%d&after=%d", user, after), nil).WithContext(ctx)
	if lastID != "" {
		r.Header.Set("Last-Event-ID", lastID)
	}
	in, out := io.Pipe()
	stall := time.AfterFunc(time.Hour, func() { _ = out.CloseWithError(os.ErrDeadlineExceeded) })
	answer := pipe{out, http.Header{}, make(chan int, 1), stall}
	s := &stream{w.t, bufio.NewReader(in), make(chan struct{}), cancel}
	go func() {
		defer close(s.ends)
		defer func() { _ = out.Close() }()
		w.page.ServeHTTP(answer, r)
	}()
	w.t.Cleanup(func() {
		cancel()
		_ = in.Close()
		<-s.ends
		stall.Stop()
	})
	require.Equal(w.t, 200, <-answer.status)
	require.Equal(w.t, "text/event-stream; charset=utf-8", answer.header.Get("Content-Type"))
	require.Equal(w.t, ": hello", s.block())
	return s
}

// block returns the next event or comment, "" at the end of the stream.
func (s *stream) block() string {
	s.t.Helper()
	var lines []string
	for {
		line, err := s.in.ReadString('\n')
		if line = strings.TrimSuffix(line, "\n"); err != nil || line == "" {
			return strings.Join(lines, "\n")
		}
		lines = append(lines, line)
	}
}

// event returns the name and the data of the next event, without those of exchanges.
func (s *stream) event() string {
	s.t.Helper()
	for {
		lines := strings.Split(s.block(), "\n")
		if len(lines) == 3 && lines[1] != "event: exchange" {
			require.Regexp(s.t, `^id: \d+$`, lines[0])
			return strings.TrimPrefix(lines[1], "event: ") + " " + strings.TrimPrefix(lines[2], "data: ")
		}
		if len(lines) != 3 {
			return lines[0]
		}
	}
}

func TestStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newTestPage(t)
		s := openStream(w, anna, w.portal.Changed(), "")
		w.post("api/say", `{"user":102,"dialog":"1","text":"not for Anna"}`)
		w.post("api/say", `{"user":102,"dialog":"101","text":"for Anna"}`)
		require.Contains(t, s.event(), `dialog {"id":"102","chat":1002,"type":"private","title":"Boris Petrov",`)
		event := s.event()
		require.Contains(t, event, `message {"dialog":"102","message":{"id":50002,"chat":1002,"dialog":"102","author":102,"text":"for Anna",`)
		w.post("api/react", `{"user":101,"message":50002,"reaction":"like"}`)
		require.Contains(t, s.event(), `"reactions":[{"user":101,"code":"like"}]`)
		w.ok(imbot.Do(t.Context(), w.client, imbot.ChatAddRequest{Title: "Team", Users: []imbot.ID{anna}}))
		require.Contains(t, s.event(), `dialog {"id":"chat1003"`)
		_, err := imbot.Do(t.Context(), w.client, imbot.ChatSendTypingRequest{DialogID: "chat1003"})
		require.NoError(t, err)
		require.Equal(t, `typing {"dialog":"chat1003","on":true,"user":103}`, s.event())
		_, err = imbot.Do(t.Context(), w.client, imbot.ChatDeleteUserRequest{ChatID: 1003, UserID: anna})
		require.NoError(t, err)
		require.Equal(t, `left {"dialog":"chat1003"}`, s.event())
		_, err = imbot.Do(t.Context(), w.client, imbot.CommandUnregisterRequest{CommandID: 701})
		require.NoError(t, err)
		require.Equal(t, `help {"dialog":""}`, s.event())
		w.post("api/user", `{"first":"Clara"}`)
		require.Contains(t, s.event(), `user {"id":104,"name":"Clara",`)
		w.ok(imbot.Do(t.Context(), w.client, imbot.MessageAddRequest{DialogID: "101", Message: "x"}))
		require.Contains(t, s.event(), `dialog {"id":"103"`)
		require.Contains(t, s.event(), `"text":"x"`)
		_, err = imbot.Do(t.Context(), w.client, imbot.MessageDeleteRequest{MessageID: 50003, Complete: imbot.Yes})
		require.NoError(t, err)
		require.Contains(t, s.event(), `"deleted":true,"gone":true`)
	})
}

func TestStreamTellsOfExchanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // in a bubble the call is over before the stream's gatherTime is
		w := newTestPage(t)
		s := openStream(w, anna, w.portal.Changed(), "")
		w.ok(0, w.client.Call(t.Context(), "profile", nil, nil))
		require.Regexp(t, `^id: \d+
event: exchange
data: \{"id":\d+,"kind":"call","name":"profile","time":".*","ms":[0-9.]+,"done":true,"status":200,"error":"","batch":false,"parent":0,"url":"","replay":0,"polls":0,"fetched":false\}$`, s.block())
	})
}

func TestStreamGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newTestPage(t)
		w.post("api/say", `{"user":102,"dialog":"101","text":"one"}`)
		changed := w.portal.Changed()
		w.post("api/say", `{"user":102,"dialog":"101","text":"two"}`)
		require.Contains(t, openStream(w, anna, 0, fmt.Sprint(changed)).event(), `"text":"two"`, "the last event wins over after")
		for _, lastID := range []string{"999999", "-1", fmt.Sprint(newTestPage(t).portal.Changed())} {
			s := openStream(w, anna, changed, lastID)
			require.Equal(t, "reset {}", s.event())
			w.post("api/say", `{"user":102,"dialog":"101","text":"three"}`)
			require.Contains(t, s.event(), `"text":"three"`, "after a reset it goes on with what is new")
		}
		s := openStream(w, anna, 0, "")
		w.post("api/say", `{"user":102,"dialog":"101","text":"four"}`)
		require.Contains(t, s.event(), `"text":"four"`, "without a number it begins now")
	})
}

func TestStreamGathers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newTestPage(t)
		s := openStream(w, anna, w.portal.Changed(), "")
		start := time.Now()
		flushes, last := 0, time.Time{}
		go func() {
			for range 400 {
				_, _ = w.portal.Say(t.Context(), boris, "101", "x")
				time.Sleep(5 * time.Millisecond)
			}
		}()
		for messages := 0; messages < 400; {
			if strings.Contains(s.event(), "message {") {
				messages++
			}
			if now := time.Now(); now != last {
				flushes, last = flushes+1, now
			}
		}
		require.Less(t, time.Since(start), 2300*time.Millisecond)
		require.LessOrEqual(t, flushes, 14, "two seconds of 200 messages each")
		require.Greater(t, flushes, 8)

		time.Sleep(time.Second)
		start = time.Now()
		require.Equal(t, ": still here", s.event())
		require.Equal(t, ": still here", s.event())
		require.LessOrEqual(t, time.Since(start), 30*time.Second)
		require.Greater(t, time.Since(start), 20*time.Second)
		_, err := imbot.Do(t.Context(), w.client, imbot.ChatAddRequest{Title: "Team", Users: []imbot.ID{anna}})
		require.NoError(t, err)
		_ = s.event()
		start = time.Now()
		_, err = imbot.Do(t.Context(), w.client, imbot.ChatSendTypingRequest{DialogID: "chat1002"})
		require.NoError(t, err)
		require.Contains(t, s.event(), `"on":true`)
		require.Contains(t, s.event(), `"on":false`, "by itself")
		require.Less(t, time.Since(start), 11*time.Second)
		s.stop()
		<-s.ends
	})
}

func TestStreamEndsForAPageThatDoesNotRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newTestPage(t)
		s := openStream(w, anna, w.portal.Changed(), "")
		start := time.Now()
		_, err := w.portal.Say(t.Context(), boris, "101", "x")
		require.NoError(t, err)
		<-s.ends
		require.Less(t, time.Since(start), time.Minute)
	})
}

func TestClosingThePortalEndsStreams(t *testing.T) {
	before := runtime.NumGoroutine()
	portal := imbottest.NewPortal()
	portal.Mount(messenger.Handler(portal))
	require.NoError(t, portal.Listen("127.0.0.1:0"))
	transport := &http.Transport{}
	var streams []io.ReadCloser
	for range 5 {
		resp, err := (&http.Client{Transport: transport}).Get(strings.TrimSuffix(portal.Endpoint(), "rest/") + "api/events?user=1&after=0")
		require.NoError(t, err)
		require.Equal(t, 200, resp.StatusCode)
		line, err := bufio.NewReader(resp.Body).ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, ": hello\n", line)
		streams = append(streams, resp.Body)
	}
	require.NoError(t, portal.Idle(t.Context()), "streams are nothing that ends")
	portal.Close()
	for _, s := range streams {
		_, _ = io.Copy(io.Discard, s)
		_ = s.Close()
	}
	transport.CloseIdleConnections()
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+1 }, time.Minute, time.Millisecond, "one is that of Eventually")

	w := newTestPage(t)
	s := openStream(w, anna, w.portal.Changed(), "")
	w.portal.Close()
	require.Empty(t, s.block())
	<-s.ends
}
