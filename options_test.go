package imbot_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// watched returns an option and the records that it makes a client leave.
func watched() (imbot.Option, *[]imbot.CallInfo) {
	var infos []imbot.CallInfo
	return imbot.WithObserver(func(_ context.Context, info imbot.CallInfo) { infos = append(infos, info) }), &infos
}

func TestObserverSeesEveryAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := &wire{answer: func(n int, _ *http.Request) (*http.Response, error) {
			time.Sleep(time.Duration(n) * 100 * time.Millisecond)
			switch n {
			case 1:
				return nil, io.EOF
			case 2:
				return reply(503, queryLimit), nil
			}
			return reply(200, `{"result":true,"time":{"start":1,"operating":1.25,"operating_reset_at":1762349466}}`), nil
		}}
		observer, infos := watched()
		limiter := imbot.WithLimiter(imbot.NewLimiter(0.1, 1))
		_, err := imbot.Do(t.Context(), over(t, hook, rt, observer, limiter), job{repeatable: true})
		require.NoError(t, err)
		require.Len(t, *infos, 3)

		first, second, third := (*infos)[0], (*infos)[1], (*infos)[2]
		require.ErrorIs(t, first.Err, io.EOF)
		require.NotErrorIs(t, first.Err, imbot.ErrOutcomeUnknown, "a repeatable call goes on")
		require.ErrorIs(t, second.Err, imbot.ErrQueryLimitExceeded)
		require.NoError(t, third.Err)
		for i, info := range *infos {
			require.Equal(t, "imbot.job", info.Method)
			require.Equal(t, i+1, info.Attempt)
			require.Equal(t, []int{0, 503, 200}[i], info.StatusCode)
			require.Equal(t, time.Duration(i+1)*100*time.Millisecond, info.Duration)
		}
		require.Zero(t, first.Waited)
		require.Greater(t, second.Waited, 8*time.Second, "for the limiter")
		require.LessOrEqual(t, second.Waited, 10*time.Second)
		require.Zero(t, first.Operating)
		require.Zero(t, second.OperatingResetAt)
		require.Equal(t, 1250*time.Millisecond, third.Operating)
		require.True(t, third.OperatingResetAt.Equal(time.Unix(1762349466, 0)))
	})
}

func TestObserverGetsTheFinishedError(t *testing.T) {
	observer, infos := watched()
	err := over(t, hook, failing(io.EOF), observer).Call(t.Context(), "imbot.message.add", nil, nil)
	require.Equal(t, err, (*infos)[0].Err)
	require.ErrorIs(t, (*infos)[0].Err, imbot.ErrOutcomeUnknown)
}

// TestObserversErrorStaysAsItWas: an observer may hand it to another goroutine.
func TestObserversErrorStaysAsItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		observer, infos := watched()
		err := over(t, hook, always(503, queryLimit), observer).Call(ctx, "profile", nil, nil)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, (*infos)[0].Err, imbot.ErrQueryLimitExceeded)
		require.NotErrorIs(t, (*infos)[0].Err, context.DeadlineExceeded)
	})
}

func TestObserverHearsNothingOfWhatIsNotSent(t *testing.T) {
	observer, infos := watched()
	client := over(t, hook, always(200, `{"result":true}`), observer)
	require.Error(t, client.Call(t.Context(), "not a method", nil, nil))
	require.Error(t, client.Call(t.Context(), "profile", []int{1}, nil))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Error(t, client.Call(ctx, "profile", nil, nil))
	require.Empty(t, *infos)
}

func TestObserverGetsTheContextOfTheCall(t *testing.T) {
	type key struct{}
	var got any
	observer := imbot.WithObserver(func(ctx context.Context, _ imbot.CallInfo) { got = ctx.Value(key{}) })
	ctx := context.WithValue(t.Context(), key{}, "trace-7")
	require.NoError(t, over(t, hook, always(200, `{"result":true}`), observer).Call(ctx, "profile", nil, nil))
	require.Equal(t, "trace-7", got)
}

func TestOperating(t *testing.T) {
	reset := time.Unix(1762349466, 0)
	for name, tt := range map[string]struct {
		body  string
		used  time.Duration
		until time.Time
	}{
		"as documented":           {`{"result":1,"time":{"start":1728626400.123,"operating":0.123,"operating_reset_at":1762349466}}`, 123 * time.Millisecond, reset},
		"as text":                 {`{"result":1,"time":{"operating":"0.5","operating_reset_at":"1762349466"}}`, 500 * time.Millisecond, reset},
		"a whole number":          {`{"result":1,"time":{"operating":7,"operating_reset_at":1762349466}}`, 7 * time.Second, reset},
		"zero":                    {`{"result":1,"time":{"operating":0,"operating_reset_at":0}}`, 0, time.Time{}},
		"off, as on a box":        {`{"result":1,"time":{"start":1}}`, 0, time.Time{}},
		"no time":                 {`{"result":1}`, 0, time.Time{}},
		"null":                    {`{"result":1,"time":null}`, 0, time.Time{}},
		"an empty PHP array":      {`{"result":1,"time":[]}`, 0, time.Time{}},
		"of an unexpected type":   {`{"result":1,"time":{"operating":{},"operating_reset_at":[]}}`, 0, time.Time{}},
		"a text that is no time":  {`{"result":1,"time":{"operating":"","operating_reset_at":"soon"}}`, 0, time.Time{}},
		"none in an error answer": {`{"error":"BOT_ID_ERROR","time":{"operating":5}}`, 0, time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			observer, infos := watched()
			err := over(t, hook, always(200, tt.body), observer).Call(t.Context(), "profile", nil, nil)
			require.Equal(t, strings.Contains(tt.body, "error"), err != nil)
			require.Len(t, *infos, 1)
			require.Equal(t, tt.used, (*infos)[0].Operating)
			require.True(t, tt.until.Equal((*infos)[0].OperatingResetAt), "%v", (*infos)[0].OperatingResetAt)
		})
	}
}

func TestOperatingOfABatch(t *testing.T) {
	for name, tt := range map[string]struct {
		times string
		used  time.Duration
		until int64
	}{
		"the greatest, not their sum":     {`{"c0":{"operating":2,"operating_reset_at":200},"c1":{"operating":7.5,"operating_reset_at":300},"c2":{"operating":7,"operating_reset_at":400}}`, 7500 * time.Millisecond, 300},
		"nothing is known of some":        {`{"c0":{"start":1},"c1":{"operating":"1","operating_reset_at":300}}`, time.Second, 300},
		"nothing was used":                {`{"c0":{"operating":0,"operating_reset_at":300}}`, 0, 100},
		"a list, as PHP makes of numbers": {`[{"operating":3,"operating_reset_at":300}]`, 3 * time.Second, 300},
		"all have failed":                 {`[]`, 0, 100},
		"garbage":                         {`"x"`, 0, 100},
	} {
		t.Run(name, func(t *testing.T) {
			observer, infos := watched()
			body := `{"result":{"result":{"c0":1,"c1":1,"c2":1},"result_error":[],"result_time":` + tt.times + `},"time":{"operating":0,"operating_reset_at":100}}`
			batch := imbot.NewBatch()
			for range 3 {
				imbot.Queue(batch, job{})
			}
			require.NoError(t, over(t, hook, always(200, body), observer).DoBatch(t.Context(), batch))
			require.Equal(t, tt.used, (*infos)[0].Operating)
			require.Equal(t, tt.until, (*infos)[0].OperatingResetAt.Unix())
		})
	}
}

func TestOneRecordForEachAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		logger := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
		rt := &wire{answer: func(n int, _ *http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			if n < 3 {
				return reply(503, queryLimit), nil
			}
			return reply(200, `{"result":true}`), nil
		}}
		require.NoError(t, over(t, hook, rt, imbot.WithLogger(logger)).Call(t.Context(), "imbot.bot.list", map[string]string{"X": "parameter"}, nil))

		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		require.Len(t, lines, 3)
		for i, line := range lines {
			var record map[string]any
			require.NoError(t, json.Unmarshal([]byte(line), &record))
			delete(record, "time")
			want := map[string]any{"level": "DEBUG", "msg": "imbot call", "method": "imbot.bot.list",
				"attempt": float64(i + 1), "status": 200.0, "took": float64(time.Second), "waited": 0.0}
			if i < 2 {
				want["status"], want["code"] = 503.0, "QUERY_LIMIT_EXCEEDED"
			}
			require.Equal(t, want, record, "method, attempt, status, code and duration; no URL, no parameter")
		}
	})
}

func TestLogIsSilentAboveDebug(t *testing.T) {
	var out bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&out, nil))
	require.Error(t, over(t, hook, always(500, ""), imbot.WithLogger(logger)).Call(t.Context(), "profile", nil, nil))
	require.Empty(t, out.String(), "errors are returned, not logged")
}

func TestUserAgent(t *testing.T) {
	rt := always(200, `{"result":true}`)
	require.NoError(t, over(t, hook, rt, imbot.WithUserAgent("shop/7 (+https://shop.example.com)")).Call(t.Context(), "profile", nil, nil))
	require.Equal(t, []string{"shop/7 (+https://shop.example.com)"}, rt.requests[0].Header.Values("User-Agent"))
}
