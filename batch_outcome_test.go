package imbot_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func TestBatchAnswersInEveryShape(t *testing.T) {
	for name, body := range map[string]string{
		"maps":              `{"result":{"c0":5,"c1":6},"result_error":{},"result_time":{}}`,
		"empty lists":       `{"result":{"c0":5,"c1":6},"result_error":[],"result_total":[],"result_next":[],"result_time":[]}`,
		"a list of results": `{"result":[5,6],"result_error":[]}`,
		"numbers for keys":  `{"result":{"1":6,"0":5},"result_error":null,"result_time":false}`,
		"nothing else":      `{"result":{"c1":6,"c0":5}}`,
	} {
		t.Run(name, func(t *testing.T) {
			b := imbot.NewBatch()
			first, second := imbot.Queue(b, say("a")), imbot.Queue(b, say("b"))
			require.NoError(t, over(t, hook, always(200, `{"result":`+body+`}`)).DoBatch(t.Context(), b))
			id, err := first.Result()
			require.NoError(t, err)
			require.Equal(t, imbot.ID(5), id)
			id, err = second.Result()
			require.NoError(t, err)
			require.Equal(t, imbot.ID(6), id)
		})
	}
	for _, body := range []string{`5`, `"x"`, `[]`, `{}`, `{"result":7}`, `{"result":{},"result_error":"x"}`} {
		b := imbot.NewBatch()
		p := imbot.Queue(b, say("a"))
		err := over(t, hook, always(200, `{"result":`+body+`}`)).DoBatch(t.Context(), b)
		require.ErrorIs(t, err, imbot.ErrOutcomeUnknown, body)
		_, err = p.Result()
		require.ErrorIs(t, err, imbot.ErrOutcomeUnknown, body)
	}
}

func TestBatchSamples(t *testing.T) {
	for _, file := range []string{"batch_operation_time_limit_inside_200", "doc_batch_two_errors_halt0", "derived_php_empty_variants"} {
		body, err := os.ReadFile("testdata/batch/" + file + ".json")
		require.NoError(t, err)
		body = []byte(strings.NewReplacer("592dcd1e-cd14-410f-bab5-76b3ede717dd", "c0", "get_user", "c0", "get_department", "c1").Replace(string(body)))
		b := imbot.NewBatch()
		p := imbot.Queue(b, say("a"))
		require.NoError(t, over(t, hook, always(200, string(body)), imbot.WithRetry(imbot.Retry{MaxAttempts: 1})).DoBatch(t.Context(), b))
		_, err = p.Result()
		var e *imbot.Error
		require.ErrorAs(t, err, &e)
		require.True(t, e.InBatch)
		want := map[string]imbot.ErrorCode{"batch_operation_time_limit_inside_200": imbot.ErrOperationTimeLimit, "doc_batch_two_errors_halt0": imbot.ErrInsufficientScope}[file]
		require.Equal(t, want, e.Code)
		require.Equal(t, want == "", errors.Is(err, imbot.ErrNotRun))
	}
}

func TestErrorsInsideABatch(t *testing.T) {
	fail := map[string]string{
		"scope":  `{"error":"insufficient_scope","error_description":""}`,
		"bare":   `"ACCESS_DENIED"`,
		"text":   `"something went wrong"`,
		"number": `{"error":100,"error_description":"x bot-secret-1 x"}`,
		"crash":  `{"error":"0","error_description":"boom"}`,
		"gone":   ``,
	}
	rt := newBatches(t, func(m string, _ bool) string {
		if a, ok := fail[m]; ok {
			return a
		}
		return "1"
	}, nil)
	b := imbot.NewBatch()
	results := map[string]*imbot.Pending[imbot.ID]{}
	for _, m := range []string{"crash", "scope", "bare", "text", "number", "gone", "fine"} {
		results[m] = imbot.Queue(b, say(m))
	}
	require.NoError(t, over(t, hook, rt).DoBatch(t.Context(), b))
	code := func(m string) *imbot.Error {
		_, err := results[m].Result()
		var e *imbot.Error
		require.ErrorAs(t, err, &e)
		require.True(t, e.InBatch)
		require.Zero(t, e.StatusCode)
		require.Equal(t, 1, e.Attempts)
		require.NotContains(t, err.Error(), "bot-secret-1")
		return e
	}
	require.Equal(t, imbot.ErrInsufficientScope, code("scope").Code)
	require.Equal(t, imbot.ErrAccessDenied, code("bare").Code)
	require.Equal(t, "something went wrong", code("text").Description)
	require.ErrorIs(t, code("number"), imbot.Err100)
	require.ErrorIs(t, code("crash"), imbot.ErrOutcomeUnknown)
	require.ErrorIs(t, code("gone"), imbot.ErrNotRun)
	_, err := results["fine"].Result()
	require.NoError(t, err)
	require.Len(t, rt.requests, 1)
}

func TestTimeLimitInsideABatchIsWaitedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		rt := newBatches(t, func(m string, _ bool) string {
			if m == "m1" && time.Since(start) < 20*time.Second {
				return timeLimit
			}
			return ids(m, true)
		}, nil)
		b := imbot.NewBatch()
		var last *imbot.Pending[imbot.ID]
		for i := range 3 {
			p := imbot.Queue(b, say(fmt.Sprintf("m%d", i)))
			if i == 1 {
				last = p
			}
		}
		require.NoError(t, over(t, hook, rt).DoBatch(t.Context(), b))
		id, err := last.Result()
		require.NoError(t, err)
		require.Equal(t, imbot.ID(2), id)
		require.Equal(t, []int{3, 0}, rt.size, "sent again alone")
		require.Equal(t, []string{"m0", "m2", "m1"}, rt.run, "the later one has run before")
		require.Equal(t, 30*time.Second, time.Since(start))
	})
}

func TestCodesAfterAFailedCommandAreNoReasonToRepeat(t *testing.T) {
	for _, repeatable := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			rt := newBatches(t, func(m string, inBatch bool) string {
				switch {
				case !inBatch:
					return "1"
				case m == "bad":
					return `{"error":"QUERY_LIMIT_EXCEEDED","error_description":""}`
				case m == "stale":
					return `{"error":"QUERY_LIMIT_EXCEEDED","error_description":""}`
				}
				return "1"
			}, nil)
			b := imbot.NewBatch()
			first := imbot.Queue(b, message{say("bad"), repeatable})
			second := imbot.Queue(b, message{say("stale"), repeatable})
			require.NoError(t, over(t, hook, rt).DoBatch(t.Context(), b))
			_, err := first.Result()
			require.NoError(t, err, "its own code: refused before it ran")
			_, err = second.Result()
			require.ErrorIs(t, err, imbot.ErrQueryLimitExceeded)
			require.Equal(t, []string{"bad"}, rt.run)
		})
	}
}

// message is a message that may be repeated or not.
type message struct {
	imbot.MessageAddRequest
	repeatable bool
}

func (m message) Repeatable() bool             { return m.repeatable }
func (m message) MarshalJSON() ([]byte, error) { return json.Marshal(m.MessageAddRequest) }

func TestCommandsBeyondTheEndAreResent(t *testing.T) {
	short := 0
	rt := newBatches(t, func(m string, _ bool) string {
		if short++; short > 10 {
			return `{"error":"ERROR_BATCH_LENGTH_EXCEEDED","error_description":"Max batch length exceeded"}`
		}
		return ids(m, true)
	}, func(int) (*http.Response, error) { short = 0; return nil, nil })
	b := imbot.NewBatch()
	var pending []*imbot.Pending[imbot.ID]
	for i := range 32 {
		pending = append(pending, imbot.Queue(b, say(fmt.Sprintf("m%d", i))))
	}
	require.NoError(t, over(t, hook, rt).DoBatch(t.Context(), b))
	for i, p := range pending {
		id, err := p.Result()
		require.NoError(t, err)
		require.Equal(t, imbot.ID(i+1), id)
		require.Equal(t, fmt.Sprintf("m%d", i), rt.run[i])
	}
	require.Equal(t, []int{32, 10, 11, 2}, rt.size, "what the portal ran is the size of the next")
}

func TestBatchRefusedForItsLength(t *testing.T) {
	rt := &batches{}
	rt = newBatches(t, ids, func(int) (*http.Response, error) {
		if rt.size[len(rt.size)-1] > 10 {
			return reply(400, `{"error":"ERROR_BATCH_LENGTH_EXCEEDED","error_description":"Max batch length exceeded"}`), nil
		}
		return nil, nil
	})
	b := imbot.NewBatch()
	var pending []*imbot.Pending[imbot.ID]
	for i := range 20 {
		pending = append(pending, imbot.Queue(b, say(fmt.Sprintf("m%d", i))))
	}
	require.NoError(t, over(t, hook, rt).DoBatch(t.Context(), b))
	for i, p := range pending {
		id, err := p.Result()
		require.NoError(t, err)
		require.Equal(t, imbot.ID(i+1), id)
	}
	require.Equal(t, []int{20, 10, 10}, rt.size)
}

func TestUnknownOutcomeOfABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := newBatches(t, ids, func(n int) (*http.Response, error) {
			if n == 1 {
				return nil, io.ErrUnexpectedEOF
			}
			return nil, nil
		})
		client := over(t, hook, rt)
		b := imbot.NewBatch()
		var pending []*imbot.Pending[imbot.ID]
		for i := range 60 {
			pending = append(pending, imbot.Queue(b, message{say(fmt.Sprintf("m%d", i)), i%10 == 0}))
		}
		require.ErrorIs(t, client.DoBatch(t.Context(), b), imbot.ErrOutcomeUnknown)
		for i, p := range pending {
			_, err := p.Result()
			if i < 50 && i%10 != 0 {
				require.ErrorIs(t, err, imbot.ErrOutcomeUnknown)
				require.ErrorIs(t, err, io.ErrUnexpectedEOF)
				continue
			}
			require.NoError(t, err)
		}
		require.Equal(t, []int{50, 0, 0, 0, 0, 0, 10}, rt.size, "what is safe to repeat goes singly, the next batch is sent")
	})
}

func TestRefusedBatchIsSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := newBatches(t, ids, func(n int) (*http.Response, error) {
			if n < 3 {
				return reply(503, queryLimit), nil
			}
			return nil, nil
		})
		b := imbot.NewBatch()
		p := imbot.Queue(b, say("m7"))
		require.NoError(t, over(t, hook, rt).DoBatch(t.Context(), b))
		id, err := p.Result()
		require.NoError(t, err)
		require.Equal(t, imbot.ID(8), id)
		require.Equal(t, []int{1, 1, 1}, rt.size)
	})
}

func TestBatchRefusedForGood(t *testing.T) {
	rt := newBatches(t, ids, func(int) (*http.Response, error) {
		return reply(401, `{"error":"INVALID_CREDENTIALS","error_description":"x"}`), nil
	})
	b := imbot.NewBatch()
	var pending []*imbot.Pending[imbot.ID]
	for i := range 60 {
		pending = append(pending, imbot.Queue(b, say(fmt.Sprintf("m%d", i))))
	}
	require.ErrorIs(t, over(t, hook, rt).DoBatch(t.Context(), b), imbot.ErrInvalidCredentials)
	for i, p := range pending {
		_, err := p.Result()
		require.ErrorIs(t, err, imbot.ErrNotRun)
		require.ErrorIs(t, err, imbot.ErrInvalidCredentials)
		var e *imbot.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, i < 50, e.InBatch)
	}
	require.Len(t, rt.requests, 1)
}

func TestBatchWithAnEndedContext(t *testing.T) {
	rt := newBatches(t, ids, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := imbot.NewBatch()
	p := imbot.Queue(b, say("m1"))
	require.ErrorIs(t, over(t, hook, rt).DoBatch(ctx, b), context.Canceled)
	_, err := p.Result()
	require.ErrorIs(t, err, imbot.ErrNotRun)
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, rt.requests)
}

func TestSlowBatchesGetSmaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		perCommand := time.Second
		refuse := false
		rt := newBatches(t, ids, func(int) (*http.Response, error) {
			if refuse {
				return reply(401, `{"error":"INVALID_CREDENTIALS"}`), nil
			}
			return nil, nil
		})
		inner := rt.answer
		rt.answer = func(n int, r *http.Request) (*http.Response, error) {
			time.Sleep(time.Duration(strings.Count(rt.bodies[n-1], "imbot.message.add")) * perCommand)
			return inner(n, r)
		}
		client := over(t, hook, rt)
		batch := func(n int) []int {
			before := len(rt.size)
			b := imbot.NewBatch()
			for i := range n {
				imbot.Queue(b, say(fmt.Sprintf("m%d", i)))
			}
			err := client.DoBatch(t.Context(), b)
			require.Equal(t, refuse, err != nil)
			return rt.size[before:]
		}
		require.Equal(t, []int{50, 25, 12, 12, 1}, batch(100))
		perCommand, refuse = 0, true
		require.Equal(t, []int{12}, batch(12))
		refuse = false
		require.Equal(t, []int{12, 13, 14, 15, 16}, batch(70), "a fast refusal is no sign of a fast portal")
	})
}
