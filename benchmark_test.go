package imbot_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// memory answers every request from memory, as the portal documents it.
type memory struct{}

const addAnswer = `{"result":11,"time":{"start":1728626400.123,"finish":1728626400.234,"duration":0.111,` +
	`"processing":0.045,"date_start":"2024-10-11T10:00:00+03:00","date_finish":"2024-10-11T10:00:00+03:00",` +
	`"operating_reset_at":1762349466,"operating":0.123}}`

func (memory) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode:    http.StatusOK,
		Header:        http.Header{"Content-Type": {"application/json; charset=utf-8"}},
		Body:          io.NopCloser(strings.NewReader(addAnswer)),
		ContentLength: int64(len(addAnswer)),
		Request:       r,
	}, nil
}

var benchMessage = imbot.MessageAddRequest{BotID: 39, DialogID: "chat5", Message: "Hello, [B]Anna[/B]! Your order is on its way."}

// BenchmarkCall is one call through the package. It may take at most 1.6 times
// as long as BenchmarkBare and 41 allocations.
func BenchmarkCall(b *testing.B) {
	client := over(b, hook, memory{})
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		id, err := client.Message.Add(ctx, benchMessage)
		if err != nil || id != 11 {
			b.Fatal(id, err)
		}
	}
}

// BenchmarkBare does the same with net/http and encoding/json alone.
func BenchmarkBare(b *testing.B) {
	client := &http.Client{Transport: memory{}}
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		id, err := bareAdd(ctx, client)
		if err != nil || id != 11 {
			b.Fatal(id, err)
		}
	}
}

type bareMessage struct {
	ClientID string `json:"CLIENT_ID"`
	BotID    int64  `json:"BOT_ID"`
	DialogID string `json:"DIALOG_ID"`
	Message  string `json:"MESSAGE"`
}

type bareAnswer struct {
	Result      int64  `json:"result"`
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

func bareAdd(ctx context.Context, client *http.Client) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, 70*time.Second)
	defer cancel()
	body, err := json.Marshal(bareMessage{ClientID: hook.ClientID, BotID: int64(benchMessage.BotID), DialogID: string(benchMessage.DialogID), Message: benchMessage.Message})
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, hookURL+"imbot.message.add", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "bare")
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return 0, err
	}
	var ans bareAnswer
	if err := json.Unmarshal(data, &ans); err != nil {
		return 0, err
	}
	if ans.Error != "" || resp.StatusCode != http.StatusOK {
		return 0, errors.New(ans.Error)
	}
	return ans.Result, nil
}

func TestAllocationsOfACall(t *testing.T) {
	client := over(t, hook, memory{})
	allocs := testing.AllocsPerRun(100, func() {
		_, err := client.Message.Add(context.Background(), benchMessage)
		require.NoError(t, err)
	})
	t.Logf("%.0f allocations", allocs)
	most := 41.0
	if raceDetector {
		most = 58 // with it a sync.Pool forgets things on purpose
	}
	require.LessOrEqual(t, allocs, most)
}

func TestAllocationsOfAnEvent(t *testing.T) {
	for contentType, name := range map[string]string{formType: "messageadd_private.form", "application/json": "messageadd_private.json"} {
		body := readSample(t, name)
		allocs := testing.AllocsPerRun(100, func() {
			_, err := imbot.ParseEvent(eventPost(contentType, body), trustAll{})
			require.NoError(t, err)
		})
		request := testing.AllocsPerRun(100, func() { eventPost(contentType, body) })
		t.Logf("%s: %.0f allocations", name, allocs-request)
		require.LessOrEqual(t, allocs-request, 16.0)
	}
}
