package probe

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/imbot-go/imbot"
)

// TestMemory measures what is kept for each of many, in bytes, and the most that a
// stream of requests takes.
func TestMemory(t *testing.T) {
	figure("memory client", each(2000, func(i int) any {
		return newClientOf(t, fmt.Sprintf("https://portal-%d.example.com", i), imbot.WithAutoBatch())
	}))
	app := manyPortals(imbot.WithHTTPClient(&http.Client{Transport: memory{}}))
	figure("memory portal", each(2000, func(i int) any {
		client := portalOf(t, app, i)
		if _, err := client.Message.Add(t.Context(), to(5, text)); err != nil {
			t.Fatal(err)
		}
		return client
	}))
	figure("memory event", waitingEvent(t))
	figure("memory stream", mostOfAStream(t))
}

// each is the memory that each of n takes.
func each(n int, make1 func(i int) any) float64 {
	all := make([]any, n)
	make1(n) // makes what all have in common
	before := heap()
	for i := range all {
		all[i] = make1(i)
	}
	each := (heap() - before) / float64(n)
	runtime.KeepAlive(all)
	return each
}

// heap is the memory that is reachable, when no cleanup of what has died frees any more.
func heap() float64 {
	for last := uint64(1 << 62); ; {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		if m.HeapAlloc+4096 > last {
			return float64(m.HeapAlloc)
		}
		last = m.HeapAlloc
	}
}

// anyGrant is a store in which every portal is.
type anyGrant struct{}

func (anyGrant) Load(_ context.Context, id string) (imbot.Grant, error) {
	root := "https://" + id + ".bitrix24.com/rest/"
	return imbot.DecodeGrant(imbot.Grant{
		MemberID: id, Domain: id + ".bitrix24.com", ClientEndpoint: root, ServerEndpoint: "https://oauth.bitrix.info/rest/",
		AccessToken: id + strings.Repeat("a", 38), RefreshToken: id + strings.Repeat("r", 38), Expires: time.Now().Add(time.Hour),
		UserID: 1, Scope: "im,imbot", Status: "L", ApplicationToken: id,
	}.Encode())
}

func (anyGrant) Swap(context.Context, imbot.Grant, imbot.Grant) error { return nil }

func manyPortals(opts ...imbot.Option) *imbot.OAuthApp {
	return &imbot.OAuthApp{ClientID: "app.1", ClientSecret: "a secret", Store: anyGrant{}, Options: opts}
}

func portalOf(t testing.TB, app *imbot.OAuthApp, i int) *imbot.Client {
	t.Helper()
	client, err := app.Client(t.Context(), fmt.Sprintf("%032d", i))
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// waitingEvent is what a message event of 3.8 KB takes while it waits behind others.
func waitingEvent(t testing.TB) float64 {
	form, token := sample(t)
	const n = 4000
	goOn := make(chan struct{})
	h := &imbot.EventHandler{Verifier: token, Workers: 1, Queue: n + 1, OnMessage: func(context.Context, *imbot.MessageAddEvent) error {
		<-goOn
		return nil
	}}
	kept := each(n, func(i int) any { post(t, h, variant(string(form), i)); return nil })
	close(goOn)
	if err := h.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	return kept
}

// variant is the sample as another message in another dialog.
func variant(form string, i int) string {
	before, rest, _ := strings.Cut(form, "DIALOG_ID%5D=27")
	between, after, _ := strings.Cut(rest, "MESSAGE_ID%5D=84331")
	return before + "DIALOG_ID%5D=" + strconv.Itoa(i+1) + between + "MESSAGE_ID%5D=" + strconv.Itoa(100_000+i) + after
}

func post(t testing.TB, h http.Handler, body string) {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "https://bot.example.com/events", strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := &status{header: http.Header{}}
	if h.ServeHTTP(w, r); w.code != 0 && w.code != http.StatusOK {
		t.Errorf("the handler said %d", w.code)
	}
}

// status is a http.ResponseWriter that keeps nothing else.
type status struct {
	header http.Header
	code   int
}

func (s *status) Header() http.Header         { return s.header }
func (s *status) WriteHeader(code int)        { s.code = code }
func (s *status) Write(p []byte) (int, error) { return len(p), nil }

// batchMemory answers batches of any size without a socket.
type batchMemory struct{}

func (batchMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if !strings.HasSuffix(r.URL.Path, "/batch") {
		return reply(200, bitrixAnswer), nil
	}
	var out strings.Builder
	out.WriteString(`{"result":{"result":{`)
	for i := range strings.Count(string(body), "imbot.message.add?") {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString(`"c` + strconv.Itoa(i) + `":11`)
	}
	out.WriteString(`},"result_error":[],"result_total":[],"result_next":[],"result_time":[]}}`)
	return reply(200, out.String()), nil
}

// mostOfAStream is the most that the program takes above its start while 300,000
// requests go through DoAll, what is not collected yet included.
func mostOfAStream(t testing.TB) float64 {
	client := newClient(t, imbot.WithHTTPClient(&http.Client{Transport: batchMemory{}}), imbot.WithLimiter(nil))
	inUse := func() float64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapInuse + m.StackInuse)
	}
	heap()
	start, most, i := inUse(), 0.0, 0
	for _, err := range fastDoAll(t.Context(), client, numbered(300_000)) {
		if err != nil {
			t.Fatal(err)
		}
		if i++; i%1000 == 0 {
			most = max(most, inUse())
		}
	}
	return most - start
}
