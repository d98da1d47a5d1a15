package imbot_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

// command is one command of a batch that was sent.
type command struct {
	key, method, query string
	params             url.Values
}

// commands reads the commands of a request in their order; ok is false when it
// is no batch.
func commands(t testing.TB, body string) []command {
	t.Helper()
	var sent struct {
		Halt json.Number     `json:"halt"`
		Cmd  json.RawMessage `json:"cmd"`
	}
	require.NoError(t, json.Unmarshal([]byte(body), &sent))
	if sent.Cmd == nil {
		return nil
	}
	require.Equal(t, "0", sent.Halt.String())
	dec := json.NewDecoder(bytes.NewReader(sent.Cmd))
	_, err := dec.Token()
	require.NoError(t, err)
	var cmds []command
	for dec.More() {
		k, err := dec.Token()
		require.NoError(t, err)
		v, err := dec.Token()
		require.NoError(t, err)
		c := command{key: k.(string)}
		c.method, c.query, _ = strings.Cut(v.(string), "?")
		c.params, err = url.ParseQuery(c.query)
		require.NoError(t, err)
		cmds = append(cmds, c)
	}
	return cmds
}

// batches is a portal that answers each command, and each single call, with
// what answer returns: a result, or an error when it begins with {"error". ""
// leaves a command out. fail, when set, answers whole batches first.
type batches struct {
	wire
	run  []string // MESSAGE of all calls that ran, in their order
	size []int    // commands of each request; 0: a single call
}

func newBatches(t testing.TB, answer func(message string, inBatch bool) string, fail func(n int) (*http.Response, error)) *batches {
	b := &batches{}
	b.answer = func(n int, r *http.Request) (*http.Response, error) {
		b.mu.Lock()
		defer b.mu.Unlock()
		body := b.bodies[n-1]
		cmds := commands(t, body)
		b.size = append(b.size, len(cmds))
		if fail != nil {
			if resp, err := fail(n); resp != nil || err != nil {
				return resp, err
			}
		}
		if len(cmds) == 0 {
			var p struct{ MESSAGE string }
			require.NoError(t, json.Unmarshal([]byte(body), &p))
			b.run = append(b.run, p.MESSAGE)
			a := answer(p.MESSAGE, false)
			if strings.HasPrefix(a, `{"error`) {
				return reply(400, a), nil
			}
			return reply(200, `{"result":`+a+`}`), nil
		}
		results, failures := map[string]json.RawMessage{}, map[string]json.RawMessage{}
		for _, c := range cmds {
			m := c.params.Get("MESSAGE")
			switch a := answer(m, true); {
			case a == "":
			case strings.HasPrefix(a, `{"error`), strings.HasPrefix(a, `"`):
				failures[c.key] = json.RawMessage(a)
			default:
				b.run = append(b.run, m)
				results[c.key] = json.RawMessage(a)
			}
		}
		php := func(m map[string]json.RawMessage) any {
			if len(m) == 0 {
				return []int{}
			}
			return m
		}
		out, err := json.Marshal(map[string]any{"result": map[string]any{
			"result": php(results), "result_error": php(failures), "result_total": []int{}, "result_next": []int{}, "result_time": []int{},
		}})
		require.NoError(t, err)
		return reply(200, string(out)), nil
	}
	return b
}

// sent returns the requests so far.
func (b *batches) sent() []*http.Request {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.requests)
}

func say(text string) imbot.MessageAddRequest {
	return imbot.MessageAddRequest{DialogID: "1", Message: text}
}

// ids answers every message m<n> with the id n+1.
func ids(message string, _ bool) string {
	var n int
	_, _ = fmt.Sscanf(message, "m%d", &n)
	return fmt.Sprint(n + 1)
}

func TestDoBatch(t *testing.T) {
	rt := newBatches(t, ids, nil)
	client := over(t, hook, rt)
	b := imbot.NewBatch()
	var pending []*imbot.Pending[imbot.ID]
	for i := range 120 {
		pending = append(pending, imbot.Queue(b, say(fmt.Sprintf("m%d", i))))
	}
	_, err := pending[0].Result()
	require.ErrorIs(t, err, imbot.ErrNotRun, "a result before the batch is done")

	require.NoError(t, client.DoBatch(t.Context(), b))
	for i, p := range pending {
		id, err := p.Result()
		require.NoError(t, err)
		require.Equal(t, imbot.ID(i+1), id)
		require.Equal(t, fmt.Sprintf("m%d", i), rt.run[i], "in the order of the queue")
	}
	require.Equal(t, []int{50, 50, 20}, rt.size)
	for _, c := range commands(t, rt.bodies[0]) {
		require.Regexp(t, "^[a-z]", c.key)
		require.Equal(t, "imbot.message.add", c.method)
		require.Equal(t, "bot-secret-1", c.params.Get("CLIENT_ID"))
	}

	require.ErrorIs(t, client.DoBatch(t.Context(), b), imbot.ErrInvalid, "it runs once")
	require.Len(t, rt.requests, 3)
	require.NoError(t, client.DoBatch(t.Context(), imbot.NewBatch()), "nothing to do")
}

func TestDoBatchOnAPortal(t *testing.T) {
	portal := imbottest.NewPortal()
	defer portal.Close()
	client := over(t, portal.Webhook("a-long-random-client-id"), portal.HTTPClient().Transport)
	first, err := client.Bot.Register(t.Context(), imbot.BotRegisterRequest{Code: "a", EventHandler: "https://bot.example.com/", Properties: imbot.BotProperties{Name: "A"}})
	require.NoError(t, err)
	bot, err := client.Bot.Register(t.Context(), imbot.BotRegisterRequest{Code: "b", EventHandler: "https://bot.example.com/", Properties: imbot.BotProperties{Name: "B"}})
	require.NoError(t, err)
	require.NotEqual(t, first, bot)
	client = client.WithBot(bot)
	anna := portal.AddUser("Anna", "Ivanova")

	b := imbot.NewBatch()
	text := "a+b & c=d? 100% [b]ü[/b] \"q\"\n#"
	sent := imbot.Queue(b, imbot.MessageAddRequest{DialogID: imbot.UserDialog(anna), Message: text})
	wrong := imbot.Queue(b, imbot.MessageAddRequest{DialogID: "chat4711", Message: "x"})
	refused := imbot.Queue(b, imbot.MessageAddRequest{DialogID: imbot.UserDialog(anna), Message: strings.Repeat("x", 20001)})
	chat := imbot.Queue(b, imbot.ChatAddRequest{Title: "Lunch", Users: []imbot.ID{anna}})
	require.NoError(t, client.DoBatch(t.Context(), b))

	_, err = sent.Result()
	require.NoError(t, err)
	messages := portal.Messages(anna, imbot.UserDialog(bot))
	require.Equal(t, text, messages[len(messages)-1].Text)
	require.Equal(t, bot, messages[len(messages)-1].AuthorID)
	_, err = wrong.Result()
	var e *imbot.Error
	require.ErrorAs(t, err, &e)
	require.True(t, e.InBatch)
	require.Zero(t, e.StatusCode)
	require.NotEmpty(t, e.Code)
	require.Equal(t, "imbot.message.add", e.Method)
	_, err = refused.Result()
	require.ErrorIs(t, err, imbot.ErrInvalid)
	id, err := chat.Result()
	require.NoError(t, err)
	users, err := client.Chat.ListUsers(t.Context(), imbot.ChatListUsersRequest{ChatID: id})
	require.NoError(t, err)
	require.Contains(t, users, anna)
	require.Len(t, portal.Calls("batch"), 1)
}

func TestTextIsNeverInterpretedInABatch(t *testing.T) {
	for _, text := range []string{
		"$result[c0]", "x $result[c0][y] z", "$RESULT[c0]", "$Next[a]", "$total[c0]", "$time[c0]", "$eRRor[c0]", "$$result[c0]", "$result[",
	} {
		rt := newBatches(t, ids, nil)
		client := over(t, hook, rt)
		b := imbot.NewBatch()
		for i := range 2 {
			imbot.Queue(b, say(fmt.Sprintf("m%d", i)))
		}
		odd := imbot.Queue(b, say(text))
		for i := range 3 {
			imbot.Queue(b, say(fmt.Sprintf("m%d", i)))
		}
		require.NoError(t, client.DoBatch(t.Context(), b))
		require.Equal(t, []int{2, 0, 3}, rt.size, text)
		require.Equal(t, []string{"m0", "m1", text, "m0", "m1", "m2"}, rt.run, "in its place in the order")
		_, err := odd.Result()
		require.NoError(t, err)
	}
	rt := newBatches(t, ids, nil)
	b := imbot.NewBatch()
	for _, text := range []string{"$result", "result[a]", "$ result[a]", "$res[a]", "$5 result[a]"} {
		imbot.Queue(b, say(text))
	}
	require.NoError(t, over(t, hook, rt).DoBatch(t.Context(), b))
	require.Equal(t, []int{5}, rt.size, "these mean nothing")
}

// params is a request with any parameters.
type params struct {
	imbot.Returns[json.RawMessage]
	body any
}

func (params) Method() string                 { return "imbot.any" }
func (p params) MarshalJSON() ([]byte, error) { return json.Marshal(p.body) }

func TestWhatAFormCannotExpressGoesSingly(t *testing.T) {
	many := make([]int, 1000)
	for name, tt := range map[string]struct {
		body   any
		single bool
	}{
		"booleans and numbers":   {map[string]any{"A": true, "B": false, "C": 1.5}, false},
		"a nested list":          {map[string]any{"A": []any{map[string]any{"B": []int{1, 2}}}}, false},
		"an empty text":          {map[string]any{"A": ""}, false},
		"nothing at all":         {map[string]any{}, false},
		"the word null in text":  {map[string]any{"A": "null \" null"}, false},
		"null":                   {map[string]any{"A": nil}, true},
		"null in a list":         {map[string]any{"A": []any{1, nil}}, true},
		"an empty list":          {map[string]any{"A": []int{}}, true},
		"an empty map inside":    {map[string]any{"A": map[string]any{"B": map[string]any{}, "C": 1}}, true},
		"a name with a bracket":  {map[string]any{"A": map[string]any{"B]": 1}}, true},
		"a name with a dot":      {map[string]any{"A.B": 1}, true},
		"an empty name":          {map[string]any{"A": map[string]any{"": 1}}, true},
		"a thousand values":      {map[string]any{"A": many[:999]}, false},
		"more than a thousand":   {map[string]any{"A": many}, true},
		"more than 32 KiB":       {map[string]any{"A": strings.Repeat("x", 33<<10)}, true},
		"a reference in a list":  {map[string]any{"A": []string{"x", "$result[a]"}}, true},
		"a name for a reference": {map[string]any{"$result[a]": 1}, true},
	} {
		t.Run(name, func(t *testing.T) {
			rt := newBatches(t, func(string, bool) string { return "1" }, nil)
			b := imbot.NewBatch()
			p := imbot.Queue(b, params{body: tt.body})
			require.NoError(t, over(t, hook, rt).DoBatch(t.Context(), b))
			_, err := p.Result()
			require.NoError(t, err)
			if tt.single {
				require.Equal(t, []int{0}, rt.size)
				return
			}
			require.Equal(t, []int{1}, rt.size)
		})
	}
}

func TestCommandsAreWhatPHPReads(t *testing.T) {
	rt := newBatches(t, func(string, bool) string { return "1" }, nil)
	b := imbot.NewBatch()
	imbot.Queue(b, params{body: json.RawMessage(`{"Z":true,"A":false,"L":["x",{"B":"y z"}],"N":1.50,"T":"ü+&=%"}`)})
	require.NoError(t, over(t, hook, rt).DoBatch(t.Context(), b))
	require.Equal(t, `{"halt":0,"cmd":{"c0":"imbot.any?CLIENT_ID=bot-secret-1&Z=1&A=0&L%5B0%5D=x&L%5B1%5D%5BB%5D=y+z&N=1.50&T=%C3%BC%2B%26%3D%25"}}`, rt.bodies[0])
}

func TestInvalidUTF8IsRefused(t *testing.T) {
	rt := newBatches(t, func(string, bool) string { return "1" }, nil)
	client := over(t, hook, rt)
	b := imbot.NewBatch()
	bad := imbot.Queue(b, params{body: map[string]string{"A": "x\xff"}})
	good := imbot.Queue(b, params{body: map[string]string{"A": `\ufffd � \\ufffd`}})
	require.NoError(t, client.DoBatch(t.Context(), b))
	_, err := bad.Result()
	require.ErrorIs(t, err, imbot.ErrInvalid)
	_, err = good.Result()
	require.NoError(t, err)
	require.Equal(t, `\ufffd � \\ufffd`, commands(t, rt.bodies[0])[0].params.Get("A"))
	require.ErrorIs(t, client.Call(t.Context(), "imbot.any", map[string]string{"A": "\xff"}, nil), imbot.ErrInvalid)
}

// messages are the requests m0, m1 … and counts how many were read.
func messages(n int, read *int) iter.Seq[imbot.MessageAddRequest] {
	return func(yield func(imbot.MessageAddRequest) bool) {
		for i := range n {
			*read++
			if !yield(say(fmt.Sprintf("m%d", i))) {
				return
			}
		}
	}
}

func TestDoAll(t *testing.T) {
	rt := newBatches(t, ids, nil)
	var read, i int
	for id, err := range imbot.DoAll(t.Context(), over(t, hook, rt), messages(170, &read)) {
		require.NoError(t, err)
		i++
		require.Equal(t, imbot.ID(i), id)
		ahead := (i + 49) / 50 * 50
		require.LessOrEqual(t, read, min(ahead, 170), "never more than one batch ahead")
		require.LessOrEqual(t, len(rt.run), min(ahead, 170))
	}
	require.Equal(t, 170, i)
	require.Equal(t, []int{50, 50, 50, 20}, rt.size)
	for range imbot.DoAll(t.Context(), over(t, hook, rt), messages(0, &read)) {
		t.Fatal("a result of nothing")
	}
}

func TestDoAllStopsWhenTheCallerBreaks(t *testing.T) {
	rt := newBatches(t, ids, nil)
	read, i := 0, 0
	for range imbot.DoAll(t.Context(), over(t, hook, rt), messages(1000, &read)) {
		if i++; i == 60 {
			break
		}
	}
	require.Equal(t, 100, read)
	require.Len(t, rt.run, 100)
}

func TestDoAllErrorsPerElementInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := newBatches(t, func(m string, _ bool) string {
			if m == "bad" {
				return `{"error":"ACCESS_ERROR","error_description":""}`
			}
			return ids(m, true)
		}, func(n int) (*http.Response, error) {
			if n == 5 {
				return nil, io.ErrUnexpectedEOF
			}
			return nil, nil
		})
		texts := []string{"m0", "m1", "$result[c0]", "m3", "bad", "x\xff", "m6"}
		for i := 7; i < 120; i++ {
			texts = append(texts, fmt.Sprintf("m%d", i))
		}
		i := 0
		for id, err := range imbot.DoAll(t.Context(), over(t, hook, rt), func(yield func(imbot.MessageAddRequest) bool) {
			for _, text := range texts {
				if !yield(say(text)) {
					return
				}
			}
		}) {
			switch {
			case texts[i] == "bad":
				require.ErrorIs(t, err, imbot.ErrAccess)
			case texts[i] == "x\xff":
				require.ErrorIs(t, err, imbot.ErrInvalid)
			case texts[i] == "$result[c0]":
				require.NoError(t, err)
			case i >= 100:
				require.ErrorIs(t, err, imbot.ErrOutcomeUnknown)
			default:
				require.NoError(t, err)
				require.Equal(t, imbot.ID(i+1), id)
			}
			i++
		}
		require.Equal(t, len(texts), i)
		require.Equal(t, []int{2, 0, 46, 50, 20}, rt.size)
		require.Equal(t, []string{"m0", "m1", "$result[c0]", "m3", "m6"}, rt.run[:5], "the order of execution")
	})
}

func TestDoAllEndsWithItsContext(t *testing.T) {
	rt := newBatches(t, ids, nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	read, fine, ended := 0, 0, 0
	for _, err := range imbot.DoAll(ctx, over(t, hook, rt), messages(1000, &read)) {
		switch {
		case err == nil:
			if fine++; fine == 50 {
				cancel()
			}
		case errors.Is(err, context.Canceled) && errors.Is(err, imbot.ErrNotRun):
			ended++
		}
	}
	require.Equal(t, 50, fine)
	require.Equal(t, 1, ended, "the caller is told that there was more")
	require.Equal(t, 51, read)

	ended = 0
	for _, err := range imbot.DoAll(ctx, over(t, hook, rt), messages(60, &read)) {
		require.ErrorIs(t, err, imbot.ErrNotRun)
		require.ErrorIs(t, err, context.Canceled)
		ended++
	}
	require.Equal(t, 1, ended)
	require.Len(t, rt.requests, 1)
}

// TestDoAllAhead: batches overlap, and nothing else changes.
func TestDoAllAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const messages = 20_000
		portal := &sight{bucket: bucket{last: time.Now()}, each: 50 * time.Millisecond}
		client := over(t, hook, portal, imbot.WithLimiter(imbot.NewLimiter(2, 50)))
		start, n := time.Now(), 0
		for id, err := range imbot.DoAll(t.Context(), client, numbered(messages), imbot.Ahead(8)) {
			require.NoError(t, err)
			require.Equal(t, imbot.ID(7), id)
			n++
		}
		took := time.Since(start)
		require.Equal(t, messages, n)
		best := (messages/50-40)*time.Second/2 + 2500*time.Millisecond // a fifth of the burst is for others
		t.Logf("%.1f %%", 100*best.Seconds()/took.Seconds())
		require.LessOrEqual(t, took.Seconds(), best.Seconds()/0.98)
		require.Zero(t, portal.refused)
	})
}

// TestDoAllAheadKeepsOrder: results in the order of the requests, and the calls to
// one dialog in theirs, whatever takes how long.
func TestDoAllAheadKeepsOrder(t *testing.T) {
	for name, dialog := range map[string]func(i int) imbot.DialogID{
		"a hundred dialogs": func(i int) imbot.DialogID { return imbot.UserDialog(imbot.ID(i*i%100 + 1)) },
		"one dialog":        func(int) imbot.DialogID { return "1" },
		"no dialog":         func(int) imbot.DialogID { return "" },
		"some without": func(i int) imbot.DialogID {
			if i%300 == 7 {
				return ""
			}
			return imbot.UserDialog(imbot.ID(i + 1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rt := newBatches(t, ids, nil)
				inner := rt.answer
				rt.answer = func(n int, r *http.Request) (*http.Response, error) {
					time.Sleep(time.Duration(n*7919%50) * time.Millisecond)
					return inner(n, r)
				}
				requests := func(yield func(imbot.MessageAddRequest) bool) {
					for i := range 2000 {
						if !yield(imbot.MessageAddRequest{DialogID: dialog(i), Message: fmt.Sprintf("m%d", i)}) {
							return
						}
					}
				}
				i := 0
				for id, err := range imbot.DoAll(t.Context(), over(t, hook, rt), requests, imbot.Ahead(8)) {
					require.NoError(t, err)
					i++
					require.Equal(t, imbot.ID(i), id)
				}
				require.Equal(t, 2000, i)
				last, barrier := map[imbot.DialogID]int{}, -1
				for _, text := range rt.run {
					var n int
					_, _ = fmt.Sscanf(text, "m%d", &n)
					d := dialog(n)
					require.GreaterOrEqual(t, n, last[d], "out of order in its dialog")
					last[d] = n
					if d == "" {
						for _, before := range last {
							require.LessOrEqual(t, before, n+50, "a call without a dialog waits for all before")
						}
						barrier = n
					}
					require.Greater(t, n, barrier-50)
				}
			})
		})
	}
}

func TestDoAllAheadWaitsForWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := slowly(newBatches(t, ids, nil), time.Second)
		start := time.Now()
		for range imbot.DoAll(t.Context(), over(t, hook, rt), numbered(10_000), imbot.Ahead(4)) {
			break
		}
		require.Len(t, rt.run, 200)
		require.Equal(t, time.Second, time.Since(start))
	})
}

func TestDoAllPanicsWhereItIsCalled(t *testing.T) {
	for _, ahead := range []int{1, 4} {
		client := over(t, hook, newBatches(t, ids, nil), imbot.WithObserver(func(context.Context, imbot.CallInfo) { panic("observer") }))
		require.PanicsWithValue(t, "observer", func() {
			for range imbot.DoAll(t.Context(), client, numbered(500), imbot.Ahead(ahead)) {
			}
		})
	}
}
