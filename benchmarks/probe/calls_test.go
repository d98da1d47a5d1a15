package probe

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
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

func contenders(t testing.TB, root string, transport http.RoundTripper) []contender {
	t.Helper()
	bare := &http.Client{Transport: transport}
	hc := &http.Client{Transport: transport, Timeout: time.Minute}
	client := newClientOf(t, root, imbot.WithHTTPClient(bare), imbot.WithLimiter(nil))
	rc := resty.NewWithClient(&http.Client{Transport: transport}).SetTimeout(time.Minute)
	sc := slack.New("token", slack.OptionHTTPClient(hc), slack.OptionAPIURL(root+"/"))
	tc, err := telego.NewBot("123456789:"+strings.Repeat("a", 35), telego.WithHTTPClient(hc), telego.WithAPIServer(root), telego.WithDiscardLogger())
	if err != nil {
		t.Fatal(err)
	}

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
		Time        struct {
			Start            float64 `json:"start"`
			Finish           float64 `json:"finish"`
			Duration         float64 `json:"duration"`
			Processing       float64 `json:"processing"`
			DateStart        string  `json:"date_start"`
			DateFinish       string  `json:"date_finish"`
			Operating        float64 `json:"operating"`
			OperatingResetAt int64   `json:"operating_reset_at"`
		} `json:"time"`
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
		{"bare", func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, 70*time.Second) // as imbot bounds each attempt
			defer cancel()
			return plain(ctx, bare)
		}},
		{"unbounded", func(ctx context.Context) error { return plain(ctx, bare) }},
		{"timeout", func(ctx context.Context) error { return plain(ctx, hc) }},
		{"imbot", func(ctx context.Context) error {
			id, err := client.Message.Add(ctx, imbot.MessageAddRequest{BotID: 39, DialogID: "chat5", Message: text})
			if err == nil && id != 11 {
				err = fmt.Errorf("id %d", id)
			}
			return err
		}},
		{"resty", func(ctx context.Context) error {
			var res result
			_, err := rc.R().SetContext(ctx).SetBody(body).SetResult(&res).Post(url)
			if err == nil && res.Result != 11 {
				err = fmt.Errorf("id %d", res.Result)
			}
			return err
		}},
		{"slack", func(ctx context.Context) error {
			_, _, err := sc.PostMessageContext(ctx, "C123ABC456", slack.MsgOptionText(text, false))
			return err
		}},
		{"telego", func(ctx context.Context) error {
			m, err := tc.SendMessage(ctx, &telego.SendMessageParams{ChatID: telego.ChatID{ID: 5}, Text: text})
			if err == nil && m.MessageID != 11 {
				err = fmt.Errorf("id %d", m.MessageID)
			}
			return err
		}},
	}
}

// TestCalls measures a message in each way, over loopback and in memory.
func TestCalls(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = io.WriteString(w, answerOf(r.URL.Path))
	}))
	defer server.Close()
	compare("loopback", contenders(t, server.URL, &http.Transport{MaxIdleConnsPerHost: 10}))
	compare("memory", contenders(t, "https://portal.example.com", memory{}))
}

// TestInstructions sends PROBE_N messages in memory as PROBE_WAY says, under a tool that
// counts what the processor does.
func TestInstructions(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("PROBE_N"))
	for _, c := range contenders(t, "https://portal.example.com", memory{}) {
		if c.name != os.Getenv("PROBE_WAY") {
			continue
		}
		for range n {
			if err := c.send(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// compare measures in turns, so that a busy moment does not hit only one. Each counts
// with its best time.
func compare(group string, list []contender) {
	const rounds = 15
	best := make([]testing.BenchmarkResult, len(list))
	for range rounds {
		for i, c := range list {
			if r := bench(c.send); best[i].N == 0 || r.NsPerOp() < best[i].NsPerOp() {
				best[i] = r
			}
		}
	}
	for i, c := range list {
		figure(group+" "+c.name+" ns", float64(best[i].T.Nanoseconds())/float64(best[i].N))
		figure(group+" "+c.name+" times", float64(best[i].NsPerOp())/float64(best[0].NsPerOp()))
		figure(group+" "+c.name+" bytes", float64(best[i].AllocedBytesPerOp()))
		figure(group+" "+c.name+" allocations", float64(best[i].AllocsPerOp()))
	}
}

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
