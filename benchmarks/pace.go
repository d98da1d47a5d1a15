package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/imbot-go/imbot"
)

// The portal of all plans but Enterprise, in a time that runs faster.
const (
	perSecond = 2
	burst     = 50
	scale     = 20
	messages  = 20_000
	singly    = 500 // one by one takes too long for all
)

// leaky is a portal with a leaky bucket, whose commands take some time.
type leaky struct {
	execution time.Duration

	mu      sync.Mutex
	level   float64
	last    time.Time
	refused int
	asked   int
	got     map[string]int // by text
}

func (p *leaky) add() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.level = max(0, p.level-now.Sub(p.last).Seconds()*perSecond*scale)
	p.last = now
	p.asked++
	if p.level+1 > burst {
		p.refused++
		return false
	}
	p.level++
	return true
}

func (p *leaky) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	reply := func(status int, body string) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: -1}, nil
	}
	if !p.add() {
		return reply(503, `{"error":"QUERY_LIMIT_EXCEEDED","error_description":"Too many requests"}`)
	}
	var sent struct {
		MESSAGE string
		Cmd     map[string]string `json:"cmd"`
	}
	if err := json.Unmarshal(body, &sent); err != nil {
		return nil, err
	}
	if sent.Cmd == nil {
		time.Sleep(p.execution)
		p.note(sent.MESSAGE)
		return reply(200, `{"result":11}`)
	}
	time.Sleep(time.Duration(len(sent.Cmd)) * p.execution)
	results := map[string]int{}
	for key, command := range sent.Cmd {
		_, query, _ := strings.Cut(command, "?")
		v, err := url.ParseQuery(query)
		if err != nil {
			return nil, err
		}
		p.note(v.Get("MESSAGE"))
		results[key] = 11
	}
	answer, err := json.Marshal(map[string]any{"result": map[string]any{"result": results, "result_error": []int{}}})
	if err != nil {
		return nil, err
	}
	return reply(200, string(answer))
}

func (p *leaky) note(message string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got[message]++
}

// share is what was sent of what the bucket and the execution time allow to be
// sent in the same time: batches of fifty, begun as soon as there is room.
func (p *leaky) share(sent int, took time.Duration) float64 {
	begin := took - 50*p.execution
	return float64(sent) / (50 * (burst + perSecond*scale*begin.Seconds()))
}

func pace(out io.Writer) {
	fmt.Fprintf(out, "\n### Pace: a bucket of %d, leaking %d a second, time runs %d times as fast\n\n"+
		"| | execution of a command | messages | requests | refused | time (real) | a second (real) | of what is allowed | twice | lost |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n", burst, perSecond, scale)
	for _, execution := range []time.Duration{0, 50 * time.Millisecond} {
		for _, way := range []struct {
			name string
			n    int
			run  func(client *imbot.Client, n int)
			opts []imbot.Option
		}{
			{"one by one", singly, oneByOne, nil},
			{"DoAll", messages, doAll, nil},
			{"WithAutoBatch, all at once", messages, atOnce, []imbot.Option{imbot.WithAutoBatch()}},
		} {
			p := &leaky{execution: execution / scale, last: time.Now(), got: map[string]int{}}
			opts := append([]imbot.Option{imbot.WithHTTPClient(&http.Client{Transport: p}),
				imbot.WithLimiter(imbot.NewLimiter(perSecond*scale, burst)),
				imbot.WithRetry(imbot.Retry{MinBackoff: time.Second / scale})}, way.opts...)
			client := must(imbot.NewClient(imbot.Webhook{URL: "https://portal.example.com/rest/1/secret/", ClientID: "bot-secret-1"}, opts...))
			start := time.Now()
			way.run(client, way.n)
			took := time.Since(start)
			twice := 0
			for _, n := range p.got {
				if n > 1 {
					twice++
				}
			}
			real := scale * took
			fmt.Fprintf(out, "| %s | %v | %d | %d | %d | %.0f s | %.1f | %.1f %% | %d | %d |\n", way.name, execution, way.n, p.asked, p.refused,
				real.Seconds(), float64(way.n)/real.Seconds(), 100*p.share(way.n, took), twice, way.n-len(p.got))
		}
	}
}

func message(i int) imbot.MessageAddRequest {
	return imbot.MessageAddRequest{BotID: 39, DialogID: imbot.UserDialog(imbot.ID(i%5000 + 1)), Message: strconv.Itoa(i)}
}

func oneByOne(client *imbot.Client, n int) {
	for i := range n {
		must(client.Message.Add(context.Background(), message(i)))
	}
}

func doAll(client *imbot.Client, n int) {
	for _, err := range imbot.DoAll(context.Background(), client, func(yield func(imbot.MessageAddRequest) bool) {
		for i := range n {
			if !yield(message(i)) {
				return
			}
		}
	}) {
		if err != nil {
			panic(err)
		}
	}
}

func atOnce(client *imbot.Client, n int) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { must(client.Message.Add(context.Background(), message(i))) })
	}
	wg.Wait()
}
