package imbottest_test

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

func TestRateLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal(imbottest.WithRateLimit(2, 3))
		defer portal.Close()
		profile := func() string { return post(t, portal, "profile", `{}`)[:3] }
		for range 3 {
			require.Equal(t, `{"A`, profile())
		}
		require.Equal(t, "503 QUERY_LIMIT_EXCEEDED", post(t, portal, "profile", `{}`))
		time.Sleep(500 * time.Millisecond)
		require.Equal(t, `{"A`, profile(), "one has leaked out")
		require.Equal(t, "503", profile())
		require.Len(t, portal.Calls("profile"), 4, "the refused ones never came in")
	})
}

func TestPlansHaveTheirRateLimit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		plan             imbottest.Plan
		atOnce, eachTime int
	}{{imbottest.PlanBasic, 50, 2}, {imbottest.PlanEnterprise, 250, 5}, {"another", 50, 2}} {
		synctest.Test(t, func(t *testing.T) {
			portal := imbottest.NewPortal(imbottest.WithRateLimit(tt.plan.RateLimit()))
			defer portal.Close()
			for _, want := range []int{tt.atOnce, tt.eachTime} {
				n := 0
				for post(t, portal, "profile", `{}`) != "503 QUERY_LIMIT_EXCEEDED" {
					n++
				}
				require.Equal(t, want, n)
				time.Sleep(time.Second)
			}
		})
	}
}

// operating makes a call that takes this long, and returns the operating time that its
// answer tells and how long it is until that is reset.
func operating(t *testing.T, portal *imbottest.Portal, method string, took time.Duration) (seconds float64, reset time.Duration) {
	t.Helper()
	if took > 0 {
		portal.Fail(method, imbottest.Fault{Delay: took})
	}
	_, body := postTo(t, portal, portal.Webhook("").URL+method, "application/json", `{}`)
	var answer struct {
		Time struct {
			Operating        float64 `json:"operating"`
			OperatingResetAt int64   `json:"operating_reset_at"`
		} `json:"time"`
	}
	require.NoError(t, json.Unmarshal(body, &answer))
	return answer.Time.Operating, time.Until(time.Unix(answer.Time.OperatingResetAt, 0))
}

func TestOperatingTimeIsCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal()
		defer portal.Close()
		for _, step := range []struct {
			says   string
			method string
			took   time.Duration
			sum    float64
			reset  time.Duration
		}{
			{"what is quick does not count", "profile", 100 * time.Millisecond, 0, 10 * time.Minute},
			{"what is slow does, to the end of its tenth minute", "profile", 50 * time.Second, 50, 10*time.Minute - 50100*time.Millisecond},
			{"another method has a sum of its own", "imbot.bot.list", 2 * time.Second, 2, 10*time.Minute - 52100*time.Millisecond},
			{"it is a sum", "PROFILE", 9 * time.Minute, 590, 10*time.Second - 2100*time.Millisecond},
			{"of which the oldest minute is forgotten", "profile", 10 * time.Second, 550, 9*time.Minute - 2100*time.Millisecond},
		} {
			sum, reset := operating(t, portal, step.method, step.took)
			require.InDelta(t, step.sum, sum, 0.001, step.says)
			require.Equal(t, step.reset.Round(time.Second), reset.Round(time.Second), step.says)
		}
		portal.Fail("profile", imbottest.Fault{Delay: time.Minute, Code: "X"})
		require.Equal(t, "400 X", post(t, portal, "profile", `{}`))
		sum, _ := operating(t, portal, "profile", 0)
		require.InDelta(t, 550, sum, 0.001, "what fails does not count")
	})
}

func TestTheOperatingLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal(imbottest.WithOperatingLimit(480 * time.Second))
		defer portal.Close()
		sum, _ := operating(t, portal, "profile", 479*time.Second)
		require.EqualValues(t, 479, sum)
		sum, reset := operating(t, portal, "profile", 5*time.Second)
		require.EqualValues(t, 484, sum, "the call that crosses the limit is answered")
		require.Equal(t, "429 OPERATION_TIME_LIMIT", post(t, portal, "profile", `{}`))
		require.Equal(t, "[]", post(t, portal, "imbot.bot.list", `{}`), "other methods go on")
		require.JSONEq(t, `{"result":{"list":[]},"result_error":{"me":{"error":"OPERATION_TIME_LIMIT","error_description":"Method is blocked due to operation time limit."}},"result_total":[],"result_next":[]}`,
			withoutTimes(t, post(t, portal, "batch", `{"cmd":{"me":"profile","list":"imbot.bot.list"}}`)))
		time.Sleep(reset)
		require.Contains(t, post(t, portal, "profile", `{}`), `"ADMIN"`)
	})
}

func TestCommandsOfABatchCountForTheirMethods(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal()
		defer portal.Close()
		portal.Fail("profile", imbottest.Fault{Delay: 3 * time.Second, Times: 2})
		var result struct {
			Times map[string]struct {
				Operating float64 `json:"operating"`
			} `json:"result_time"`
		}
		require.NoError(t, json.Unmarshal([]byte(post(t, portal, "batch", `{"cmd":{"a":"profile","b":"profile","c":"imbot.bot.list"}}`)), &result))
		require.EqualValues(t, 3, result.Times["a"].Operating)
		require.EqualValues(t, 6, result.Times["b"].Operating)
		require.Zero(t, result.Times["c"].Operating)
		sum, _ := operating(t, portal, "batch", 0)
		require.Zero(t, sum)
	})
}

func withoutTimes(t *testing.T, batch string) string {
	t.Helper()
	var result map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(batch), &result))
	delete(result, "result_time")
	out, err := json.Marshal(result)
	require.NoError(t, err)
	return string(out)
}
