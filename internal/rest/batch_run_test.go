package rest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A picky portal runs the method good everywhere and the method bad only by itself.
type picky struct {
	whole    bool // a batch with bad in it is refused as a whole
	most     int  // commands that it looks at; 0: all
	requests []string
	classes  []Class // of requests, by the limiter
}

func (p *picky) Wait(ctx context.Context, _ string) error {
	p.classes = append(p.classes, ClassOf(ctx))
	return ctx.Err()
}

func (p *picky) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	answer := func(status int, body string) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	}
	method := strings.TrimPrefix(r.URL.Path, "/rest/")
	if method != "batch" {
		p.requests = append(p.requests, method)
		return answer(200, `{"result":true}`)
	}
	var params struct{ Cmd map[string]string }
	if err := json.Unmarshal(body, &params); err != nil {
		return nil, err
	}
	p.requests = append(p.requests, fmt.Sprint(len(params.Cmd)))
	const notAllowed = `{"error":"ERROR_BATCH_METHOD_NOT_ALLOWED","error_description":"x"}`
	results, errs := map[string]bool{}, map[string]json.RawMessage{}
	for i := range len(params.Cmd) {
		key := fmt.Sprint("c", i)
		switch method, _, _ := strings.Cut(params.Cmd[key], "?"); {
		case p.most > 0 && i >= p.most:
			errs[key] = json.RawMessage(`{"error":"ERROR_BATCH_LENGTH_EXCEEDED","error_description":"x"}`)
		case method == "good":
			results[key] = true
		case p.whole:
			return answer(405, notAllowed)
		default:
			errs[key] = json.RawMessage(notAllowed)
		}
	}
	text, err := json.Marshal(map[string]any{"result": map[string]any{"result": results, "result_error": errs}})
	if err != nil {
		return nil, err
	}
	return answer(200, string(text))
}

func (p *picky) core() *Core {
	return New(&Config{Transport: p, Limiter: p, Header: HeaderOf("test"), Retry: Retry{MaxAttempts: 4}}, &Portal{Root: "https://portal.example/rest/"})
}

// items are calls of a method.
func items(c *Core, n int, method string, nature Nature) (all []*Item) {
	for range n {
		all = append(all, NewItem(c.NewCall(method, []byte(`{}`), nature)))
	}
	return all
}

func TestRunWithAMethodThatIsRefusedInABatch(t *testing.T) {
	bad := func(n int) []string { return slices.Repeat([]string{"bad"}, n) }
	for name, row := range map[string]struct {
		portal    picky
		bad, good int
		want      []string
	}{
		"by itself, the others together": {picky{}, 3, 3, slices.Concat([]string{"6"}, bad(3))},
		"in a batch that is cut off, which is cut where it ended": {picky{most: 10}, 10, 40,
			slices.Concat([]string{"50"}, bad(10), []string{"10", "11", "10", "10"})},
		"with the whole batch": {picky{whole: true}, 1, 2, []string{"3", "bad", "good", "good"}},
	} {
		t.Run(name, func(t *testing.T) {
			core := row.portal.core()
			todo := append(items(core, row.bad, "bad", Nature{}), items(core, row.good, "good", Nature{})...)
			require.Nil(t, core.Run(t.Context(), todo))
			for i, it := range todo {
				require.Nil(t, it.Failure, i)
				require.True(t, it.call.method == "good" || it.call.attempts == 1, "what was refused was no attempt")
			}
			require.Equal(t, row.want, row.portal.requests)
		})
	}
}

func TestABatchedRequestGoesInABatchOrNotAtAll(t *testing.T) {
	for _, whole := range []bool{false, true} {
		portal := &picky{whole: whole}
		core := portal.core()
		for range 2 {
			todo := items(core, 2, "bad", Nature{Batched: true})
			require.Nil(t, core.Run(t.Context(), todo))
			for _, it := range todo {
				require.True(t, it.Failure.is(batchMethodNotAllowed))
				require.Equal(t, NotRun, it.Failure.Kind)
				require.Zero(t, it.Failure.Attempts)
			}
			require.Equal(t, []string{"2"}, portal.requests, "the second time it is known")
		}
	}
}

func TestABatchedRequestGoesSinglyWhereThatEndsSoon(t *testing.T) {
	for name, params := range map[string]string{"it cannot travel": `{"TEXT":"$result[x]"}`, "batch is on hold": `{}`} {
		t.Run(name, func(t *testing.T) {
			portal := &picky{}
			core := portal.core()
			if params == `{}` {
				core.used().holds.refused("batch", time.Now())
			}
			it := NewItem(core.NewCall("good", []byte(params), Nature{Batched: true}))
			require.Nil(t, core.Run(t.Context(), []*Item{it}))
			require.Nil(t, it.Failure)
			require.Equal(t, []string{"good"}, portal.requests)
		})
	}
}

func TestARefusedMethodIsTriedAgainAfterAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		portal := &picky{}
		core := portal.core()
		run := func() []string {
			portal.requests = nil
			require.Nil(t, core.Run(t.Context(), append(items(core, 1, "good", Nature{}), items(core, 1, "bad", Nature{})...)))
			return portal.requests
		}
		require.Equal(t, []string{"2", "bad"}, run())
		require.Equal(t, maxBatch, core.BatchSize(), "that says nothing about how long batches may be")
		require.Equal(t, []string{"1", "bad"}, run())
		time.Sleep(batchPause)
		require.Equal(t, []string{"2", "bad"}, run())
	})
}

func TestSendOnceWithAMethodThatIsRefusedInABatch(t *testing.T) {
	for _, row := range []struct {
		first, second string
		want          []string
	}{{"bad", "good", []string{"bad"}}, {"good", "bad", []string{"good"}}} {
		portal := &picky{}
		core := portal.core()
		core.used().size.refuse("bad")
		both := append(items(core, 1, row.first, Nature{}), items(core, 1, row.second, Nature{})...)
		require.NoError(t, core.SendOnce(t.Context(), func() ([]*Item, time.Duration) { return both, time.Minute }, func() {}))
		require.Equal(t, row.want, portal.requests)
		require.Equal(t, []Verdict{Ran, NotSent}, []Verdict{both[0].Verdict, both[1].Verdict})
	}
}

func TestRequestsOfACallbackCountSingly(t *testing.T) {
	portal := &picky{}
	core := portal.core()
	require.Nil(t, core.Run(WithAnswers(t.Context()), items(core, 50, "bad", Nature{})))
	require.Equal(t, append(slices.Repeat([]Class{ClassAnswer}, 20), slices.Repeat([]Class{ClassNormal}, 31)...), portal.classes)
}

func TestTheEndOfAContextBetweenARefusedBatchAndItsCalls(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	portal := &picky{}
	core := portal.core()
	core.config.Watcher = watcher(cancel)
	todo := items(core, 3, "bad", Nature{})
	require.NotNil(t, core.Run(ctx, todo))
	for _, it := range todo {
		require.Equal(t, NotRun, it.Failure.Kind)
		require.ErrorIs(t, it.Failure, context.Canceled)
	}
	require.Equal(t, []string{"3"}, portal.requests)
}

// A watcher is called after each request.
type watcher func()

func (w watcher) Report(context.Context, Attempt) { w() }
func (watcher) Panicked(string, []byte)           {}

// line puts calls into an automatic batch that nobody sends, each into a lane of its own.
func line(c *Core, class Class, calls ...*Item) *queue {
	a := c.used().auto
	q := a.queue(class)
	q.pumping = true
	for _, it := range calls {
		l := &lane{}
		j := &waiter{Item: *it, class: class, lane: l, turn: make(chan turn, 1)}
		j.place = l.calls.PushBack(j)
		l.of[class.line()]++
		a.free(l)
	}
	return q
}

// Calls that have to go by themselves take no room of the batch behind them, and carry none.
func TestARefusedMethodInAnAutomaticBatch(t *testing.T) {
	core := (&picky{}).core()
	core.config.AutoBatch = true
	core.used().size.refuse("bad")
	a := core.used().auto
	for range 20 {
		long := core.NewCall("bad", []byte(`{"TEXT":"`+strings.Repeat("a", 30<<10)+`"}`), Nature{})
		line(core, ClassNormal, append(items(core, 1, "good", Nature{}), NewItem(long), NewItem(long))...)
	}
	require.Len(t, a.take(a.queue(ClassNormal), nil, 50, maxBatchBytes), 20)

	for range len(a.recent.answer) {
		a.recent.add(ClassAnswer)
	}
	line(core, ClassBulk, items(core, 5, "good", Nature{})...)
	answers := line(core, ClassAnswer, append(items(core, 1, "bad", Nature{}), items(core, 1, "good", Nature{})...)...)
	require.Len(t, a.load(answers), 1, "an answer by itself")
	require.Len(t, a.load(answers), 6, "one with a broadcast behind it")
}
