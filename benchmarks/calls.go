package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-resty/resty/v2"
	"github.com/mymmrac/telego"
	"github.com/slack-go/slack"

	"github.com/imbot-go/imbot"
)

const text = "Hello, Anna! Your order is on its way."

// What the three services answer.
const (
	bitrixAnswer = `{"result":11,"time":{"start":1728626400.123,"finish":1728626400.234,"duration":0.111,` +
		`"processing":0.045,"date_start":"2024-10-11T10:00:00+03:00","date_finish":"2024-10-11T10:00:00+03:00",` +
		`"operating_reset_at":1762349466,"operating":0.123}}`
	slackAnswer  = `{"ok":true,"channel":"C123ABC456","ts":"1503435956.000247","message":{"text":"` + text + `","username":"bot","type":"message","ts":"1503435956.000247"}}`
	telegoAnswer = `{"ok":true,"result":{"message_id":11,"from":{"id":39,"is_bot":true,"first_name":"bot"},"chat":{"id":5,"type":"private"},"date":1503435956,"text":"` + text + `"}}`
)

func answerOf(path string) string {
	switch {
	case strings.HasSuffix(path, "chat.postMessage"):
		return slackAnswer
	case strings.HasSuffix(path, "sendMessage"):
		return telegoAnswer
	}
	return bitrixAnswer
}

// memory answers without a socket.
type memory struct{}

func (memory) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	answer := answerOf(r.URL.Path)
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header:        http.Header{"Content-Type": {"application/json; charset=utf-8"}},
		Body:          io.NopCloser(strings.NewReader(answer)),
		ContentLength: int64(len(answer)),
	}, nil
}

// contender is one way to send a message.
type contender struct {
	name string
	send func(context.Context) error
}

func contenders(root string, transport http.RoundTripper) []contender {
	bare := &http.Client{Transport: transport}
	hc := &http.Client{Transport: transport, Timeout: time.Minute} // as a program needs it; imbot bounds each attempt by itself
	client := must(imbot.NewClient(imbot.Webhook{URL: root + "/rest/1/secret/", ClientID: "bot-secret-1"},
		imbot.WithHTTPClient(bare), imbot.WithLimiter(nil)))
	rc := resty.NewWithClient(&http.Client{Transport: transport}).SetTimeout(time.Minute)
	sc := slack.New("token", slack.OptionHTTPClient(hc), slack.OptionAPIURL(root+"/"))
	tc := must(telego.NewBot("123456789:"+strings.Repeat("a", 35), telego.WithHTTPClient(hc), telego.WithAPIServer(root), telego.WithDiscardLogger()))

	type params struct {
		BotID    int    `json:"BOT_ID"`
		ClientID string `json:"CLIENT_ID"`
		DialogID string `json:"DIALOG_ID"`
		Message  string `json:"MESSAGE"`
	}
	type result struct {
		Result      int    `json:"result"`
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	url := root + "/rest/1/secret/imbot.message.add"
	body := params{39, "bot-secret-1", "chat5", text}
	plain := func(ctx context.Context, hc *http.Client) error {
		data, err := json.Marshal(body)
		if err != nil {
			return err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(data))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := hc.Do(req)
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		data, err = io.ReadAll(resp.Body)
		if err != nil {
			return err
		}
		var res result
		if err := json.Unmarshal(data, &res); err != nil || res.Error != "" || res.Result != 11 {
			return fmt.Errorf("%w %s", err, res.Error)
		}
		return nil
	}
	return []contender{
		{"net/http + encoding/json", func(ctx context.Context) error { return plain(ctx, bare) }},
		{"the same with a Timeout", func(ctx context.Context) error { return plain(ctx, hc) }},
		{"imbot Message.Add", func(ctx context.Context) error {
			id, err := client.Message.Add(ctx, imbot.MessageAddRequest{BotID: 39, DialogID: "chat5", Message: text})
			if err == nil && id != 11 {
				err = fmt.Errorf("id %d", id)
			}
			return err
		}},
		{"resty, with a Timeout", func(ctx context.Context) error {
			var res result
			_, err := rc.R().SetContext(ctx).SetBody(body).SetResult(&res).Post(url)
			if err == nil && res.Result != 11 {
				err = fmt.Errorf("id %d", res.Result)
			}
			return err
		}},
		{"slack-go/slack PostMessage, with a Timeout", func(ctx context.Context) error {
			_, _, err := sc.PostMessageContext(ctx, "C123ABC456", slack.MsgOptionText(text, false))
			return err
		}},
		{"mymmrac/telego SendMessage, with a Timeout", func(ctx context.Context) error {
			m, err := tc.SendMessage(ctx, &telego.SendMessageParams{ChatID: telego.ChatID{ID: 5}, Text: text})
			if err == nil && m.MessageID != 11 {
				err = fmt.Errorf("id %d", m.MessageID)
			}
			return err
		}},
	}
}

func calls(out io.Writer) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = io.WriteString(w, answerOf(r.URL.Path))
	}))
	defer server.Close()
	for _, way := range []struct {
		name, root string
		transport  http.RoundTripper
	}{
		{"loopback", server.URL, &http.Transport{MaxIdleConnsPerHost: 10}},
		{"in memory", "https://portal.example.com", memory{}},
	} {
		fmt.Fprintf(out, "\n### One call, %s\n\n| | time | × | bytes | allocations |\n|---|--:|--:|--:|--:|\n", way.name)
		list := contenders(way.root, way.transport)
		best := make([]testing.BenchmarkResult, len(list))
		for range rounds { // in turns, so that a busy moment does not hit only one
			for i, c := range list {
				r := bench(c.send)
				if best[i].N == 0 || r.NsPerOp() < best[i].NsPerOp() {
					best[i] = r
				}
			}
		}
		for i, c := range list {
			r := best[i]
			fmt.Fprintf(out, "| %s | %.1f µs | %.2f | %d | %d |\n", c.name, float64(r.NsPerOp())/1e3,
				float64(r.NsPerOp())/float64(best[0].NsPerOp()), r.AllocedBytesPerOp(), r.AllocsPerOp())
		}
	}
}

// rounds is how often each thing is measured, for a fifth of a second; the best
// counts.
const rounds = 25

func bench(f func(context.Context) error) testing.BenchmarkResult {
	return testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := f(context.Background()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
