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

// Calls that have to go by themselves take no room of the batch behind them.
func TestARefusedMethodTakesNoRoom(t *testing.T) {
	portal := &picky{}
	core := portal.core()
	core.config.AutoBatch, core.config.Dialog = true, func([]byte) string { return "" }
	core.used().size.refuse("bad")
	a := core.used().auto
	long := []byte(`{"TEXT":"` + strings.Repeat("a", 30<<10) + `"}`)
	a.mu.Lock()
	for i := range 60 {
		method, params := "bad", long
		if i%3 == 0 {
			method, params = "good", []byte(`{}`)
		}
		j := &waiter{Item: *NewItem(core.NewCall(method, params, Nature{})), turn: make(chan turn, 1)}
		l := &lane{}
		j.lane, j.place = l, l.calls.PushBack(j)
		q := a.queue(ClassNormal)
		q.pumping = true // nobody pumps
		l.of[ClassNormal.line()]++
		a.free(l)
	}
	require.Len(t, a.take(a.queue(ClassNormal), nil, 50, maxBatchBytes), 20)
	a.mu.Unlock()
}
