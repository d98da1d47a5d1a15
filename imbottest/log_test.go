package imbottest_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

func TestExchanges(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	portal.Fail("imbot.chat.get", imbottest.Fault{Cut: imbottest.BeforeRun})
	for _, r := range []struct {
		says           string
		method, params string
		want           imbottest.Exchange
		sent, answer   string
	}{
		{"a call", "imbot.chat.updateTitle", `{"CLIENT_ID":"one","CHAT_ID":1001,"TITLE":"<i>"}`,
			imbottest.Exchange{Name: "imbot.chat.updateTitle", Done: true, Status: 200},
			"{\n  \"CHAT_ID\": 1001,\n  \"TITLE\": \"<i>\"\n}", "\"result\": true,"},
		{"a refused call", "imbot.message.add", `{"CLIENT_ID":"one"}`,
			imbottest.Exchange{Name: "imbot.message.add", Done: true, Status: 400, Error: "DIALOG_ID_EMPTY"},
			"[]", "{\n  \"error\": \"DIALOG_ID_EMPTY\",\n  \"error_description\": \"Dialog ID can't be empty\"\n}"},
		{"an application, with its hash", "imbot.app.register", `{"CLIENT_ID":"one","BOT_ID":103,"CODE":"f","IFRAME":"https://a.example.com/?CLIENT_ID=one&a=1","HASH":"short","LANG":[{"TITLE":"T"}]}`,
			imbottest.Exchange{Name: "imbot.app.register", Done: true, Status: 200},
			"\"IFRAME\": \"https://a.example.com/?CLIENT_ID=***&a=1\",\n  \"HASH\": \"***\",", "\"result\": 502,"},
		{"no such method", "imbot.no.such", ``,
			imbottest.Exchange{Name: "imbot.no.such", Done: true, Status: 404, Error: "ERROR_METHOD_NOT_FOUND"}, "", "Method not found!"},
	} {
		t.Run(r.says, func(t *testing.T) {
			_, _ = postTo(t, portal, portal.Webhook("").URL+r.method, "application/json", r.params)
			listed := portal.Exchanges(0, 1)
			require.Len(t, listed, 1)
			full, ok := portal.Exchange(listed[0].ID)
			require.True(t, ok)
			require.Contains(t, full.Sent, r.sent)
			require.Contains(t, full.Answer, r.answer)
			got := listed[0]
			require.NotZero(t, got.Time)
			require.NotZero(t, got.Duration)
			got.ID, got.Time, got.Duration = 0, r.want.Time, 0
			require.Equal(t, r.want, got)
		})
	}
	_, err := portal.HTTPClient().Post(portal.Webhook("").URL+"imbot.chat.get", "application/json", strings.NewReader("{}"))
	require.Error(t, err)
	cut := portal.Exchanges(0, 1)[0]
	require.Equal(t, "connection cut", cut.Error)
	require.Zero(t, cut.Status)
	_, ok := portal.Exchange(cut.ID + 1)
	require.False(t, ok)
	_, ok = portal.Exchange(0)
	require.False(t, ok)
	require.Empty(t, portal.Exchanges(1, 9))
	require.Empty(t, portal.Exchanges(0, 0))
	require.Equal(t, cut.ID, portal.Exchanges(cut.ID+5, 1)[0].ID)
	require.Equal(t, cut.ID-1, portal.Exchanges(cut.ID, 1)[0].ID)
}

func TestExchangesOfABatch(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	status, _ := postTo(t, portal, portal.Webhook("").URL+"batch", "application/json",
		`{"halt":0,"cmd":{"a":"imbot.chat.user.list?CLIENT_ID=one&CHAT_ID=1001","b":"imbot.no.such?x=1","c":"batch"}}`)
	require.Equal(t, 200, status)
	list := portal.Exchanges(0, 4)
	batch := list[3]
	require.Equal(t, "batch", batch.Name)
	require.Zero(t, batch.Batch)
	for i, want := range []string{"batch ERROR_BATCH_METHOD_NOT_ALLOWED", "imbot.no.such ERROR_METHOD_NOT_FOUND", "imbot.chat.user.list "} {
		require.Equal(t, batch.ID, list[i].Batch)
		require.Equal(t, want, list[i].Name+" "+list[i].Error)
	}
	full, _ := portal.Exchange(list[2].ID)
	require.Equal(t, "{\n  \"CHAT_ID\": \"1001\"\n}", full.Sent)
	require.Equal(t, "[\n  103,\n  101\n]", full.Answer)
}

func TestExchangeBeyondTheRateLimit(t *testing.T) {
	t.Parallel()
	portal := imbottest.NewPortal(imbottest.WithRateLimit(0.001, 1))
	defer portal.Close()
	for _, want := range []string{"", "QUERY_LIMIT_EXCEEDED"} {
		_, _ = postTo(t, portal, portal.Webhook("").URL+"profile", "application/json", "{}")
		require.Equal(t, want, portal.Exchanges(0, 1)[0].Error)
	}
	require.Len(t, portal.Calls(""), 1)
}

func TestExchangesThatAreNoCalls(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	hook := portal.Webhook("").URL
	for _, r := range []struct {
		says, path  string
		body        io.Reader
		name, fault string
	}{
		{"an address with too many parts", "a/b", http.NoBody, "/rest/ with 4 parts behind it", "ERROR_METHOD_NOT_FOUND"},
		{"an address without a method", "", http.NoBody, "/rest/ with 3 parts behind it", "ERROR_METHOD_NOT_FOUND"},
		{"a body that breaks off", "profile", iotest.ErrReader(io.ErrUnexpectedEOF), "profile", "HTTP 413"},
	} {
		t.Run(r.says, func(t *testing.T) {
			resp, err := portal.HTTPClient().Post(hook+r.path, "text/plain", r.body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			got := portal.Exchanges(0, 1)
			require.Len(t, got, 1)
			require.Equal(t, r.name+" "+r.fault, got[0].Name+" "+got[0].Error)
		})
	}
	require.Empty(t, portal.Calls("profile"))
}

func TestExchangesAreForgotten(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	for range 2100 {
		post(t, portal, "profile", "{}")
	}
	require.Len(t, portal.Exchanges(0, 9999), 2000)
	_, ok := portal.Exchange(1)
	require.False(t, ok)
	text := strings.Repeat("0123456789", 60_000)
	for range 30 {
		post(t, portal, "profile", `{"X":"`+text+`"}`)
	}
	require.Less(t, len(portal.Exchanges(0, 9999)), 2000, "large ones need the room")
	newest := portal.Exchanges(0, 1)[0]
	full, ok := portal.Exchange(newest.ID)
	require.True(t, ok)
	require.Contains(t, full.Sent, "7 … (about 570512 bytes more)")
	post(t, portal, "profile", `{"X":"`+text+text+`"}`)
	full, _ = portal.Exchange(newest.ID + 1)
	require.Equal(t, "(too large to be kept)", full.Sent)
}

// requestRecorder is a handler that keeps the requests it gets.
type requestRecorder struct {
	mu     sync.Mutex
	status int
	got    []string
}

func (b *requestRecorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got = append(b.got, r.URL.String()+" "+string(body))
	w.WriteHeader(b.status)
	_, _ = io.WriteString(w, `{"access_token":"abc","text":"done"}`)
}

func TestReplay(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	box := &requestRecorder{status: 200}
	portal.Serve(eventURL, box)
	_, err := portal.Say(t.Context(), anna, "103", "hi")
	require.NoError(t, err)
	require.NoError(t, portal.Idle(t.Context()))
	event := portal.Exchanges(0, 1)[0]
	require.Equal(t, "ONIMBOTMESSAGEADD", event.Name)
	require.Equal(t, eventURL, event.URL)
	require.True(t, event.Event)
	full, _ := portal.Exchange(event.ID)
	require.Contains(t, full.Sent, "\"application_token\": \"***\"")
	require.Contains(t, full.Sent, "\"MESSAGE\": \"hi\"")
	require.Equal(t, "{\n  \"access_token\": \"***\",\n  \"text\": \"done\"\n}", full.Answer)

	again, err := portal.Replay(t.Context(), event.ID)
	require.NoError(t, err)
	require.Equal(t, event.ID, again.Replay)
	require.Equal(t, 200, again.Status)
	require.Len(t, box.got, 3)
	require.Equal(t, box.got[1], box.got[2], "the same bytes at the same address")
	require.Contains(t, box.got[2], "application_token%5D=one")

	box.status = 500
	again, err = portal.Replay(t.Context(), again.ID)
	require.NoError(t, err, "a replay can be replayed")
	require.Equal(t, "HTTP 500", again.Error)
	require.Error(t, portal.Err())

	for _, id := range []int64{0, 1, 999} {
		_, err = portal.Replay(t.Context(), id)
		require.Error(t, err, "no event %d", id)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = portal.Replay(ctx, event.ID)
	require.ErrorIs(t, err, context.Canceled)
	portal.Close()
	_, err = portal.Replay(t.Context(), event.ID)
	require.Error(t, err)
}

func TestIdleWaitsForAReplay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal := newTestPortal(t)
		portal.Serve(eventURL, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(time.Second) }))
		require.NoError(t, portal.Open(t.Context(), anna, beta))
		require.NoError(t, portal.Idle(t.Context()))
		start := time.Now()
		go func() { _, _ = portal.Replay(t.Context(), portal.Exchanges(0, 1)[0].ID) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.NoError(t, portal.Idle(ctx))
		require.Equal(t, time.Second, time.Since(start))
	})
}

func TestLongNamesAreCut(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	post(t, portal, "batch", `{"cmd":["`+strings.Repeat("ä", 1000)+`"]}`)
	require.Equal(t, strings.Repeat("ä", 200), portal.Exchanges(0, 1)[0].Name)
}

func TestLargeAnswersNeedRoom(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	portal.Fail("profile", imbottest.Fault{Body: strings.Repeat("x", 1<<20), Times: -1})
	for range 40 {
		_, _ = postTo(t, portal, portal.Webhook("").URL+"profile", "application/json", "{}")
	}
	kept := len(portal.Exchanges(0, 9999))
	require.LessOrEqual(t, kept, 16, "16 MB")
	require.Greater(t, kept, 12)
}
