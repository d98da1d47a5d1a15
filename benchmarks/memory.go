package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
)

// batchMemory answers batches of any size without a socket.
type batchMemory struct{}

func (batchMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
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
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(out.String())), ContentLength: -1}, nil
}

// inUse is the memory that the program holds, what is not collected included.
func inUse() float64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapInuse + m.StackInuse)
}

func memoryUse(out io.Writer) {
	const n = 1_000_000
	hook := imbot.Webhook{URL: "https://portal.example.com/rest/1/secret/", ClientID: "bot-secret-1"}
	client := must(imbot.NewClient(hook, imbot.WithHTTPClient(&http.Client{Transport: batchMemory{}}), imbot.WithLimiter(nil)))
	runtime.GC()
	start, most := inUse(), 0.0
	began := time.Now()
	i := 0
	for _, err := range imbot.DoAll(context.Background(), client, func(yield func(imbot.MessageAddRequest) bool) {
		for i := range n {
			if !yield(imbot.MessageAddRequest{BotID: 39, DialogID: imbot.UserDialog(imbot.ID(i)), Message: text}) {
				return
			}
		}
	}) {
		if err != nil {
			panic(err)
		}
		if i++; i%1000 == 0 {
			most = max(most, inUse())
		}
	}
	took := time.Since(began)

	const clients = 10_000
	all := make([]*imbot.Client, clients)
	before := heap()
	for i := range all {
		hook.URL = fmt.Sprintf("https://portal-%d.example.com/rest/1/secret/", i)
		all[i] = must(imbot.NewClient(hook, imbot.WithAutoBatch()))
	}
	each := (heap() - before) / clients
	runtime.KeepAlive(all)
	fmt.Fprintf(out, "\n### Memory\n\n| | |\n|---|--:|\n"+
		"| %d requests through DoAll: most memory above the start | %.1f MiB |\n"+
		"| … time for each | %.1f µs |\n"+
		"| one of %d portal clients in one process | %.1f KiB |\n"+
		"| a message event that waits for its callback | %.1f KiB |\n",
		n, (most-start)/(1<<20), float64(took.Microseconds())/n, clients, each/1024, waitingEvent()/1024)
}

// waitingEvent is what a message event of 3.8 KB takes while it waits behind others,
// in bytes.
func waitingEvent() float64 {
	body := string(must(os.ReadFile("../testdata/events/messageadd_private.form")))
	token := imbot.ApplicationToken(must(url.ParseQuery(body)).Get("auth[application_token]"))
	const n = 4000
	goOn := make(chan struct{})
	h := &imbot.EventHandler{Verifier: token, Workers: 1, Queue: n, OnMessage: func(context.Context, *imbot.MessageAddEvent) error {
		<-goOn
		return nil
	}}
	post := func(i int) {
		other := strings.NewReplacer("MESSAGE_ID%5D=84331", fmt.Sprintf("MESSAGE_ID%%5D=%d", 10_000+i), "DIALOG_ID%5D=27", fmt.Sprintf("DIALOG_ID%%5D=%d", i)).Replace(body)
		r := must(http.NewRequestWithContext(context.Background(), http.MethodPost, "https://bot.example.com/events", strings.NewReader(other)))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != http.StatusOK {
			panic(w.Body)
		}
	}
	post(n) // makes what the handler has once
	before := heap()
	for i := range n {
		post(i)
	}
	each := (heap() - before) / n
	close(goOn)
	if err := h.Shutdown(context.Background()); err != nil {
		panic(err)
	}
	return each
}

// heap is the memory that is reachable.
func heap() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}
