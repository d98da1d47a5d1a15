package imbottest_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	const add = `{"CLIENT_ID":"one","TITLE":"x"}`
	for _, tt := range []struct {
		says  string
		fault imbottest.Fault
		want  string
		ran   bool
	}{
		{"a code is 400", imbottest.Fault{Code: "WRONG_REQUEST"}, `400 {"error":"WRONG_REQUEST","error_description":""}`, false},
		{"a status and a code", imbottest.Fault{Status: 429, Code: "OPERATION_TIME_LIMIT", Description: "busy"}, `429 {"error":"OPERATION_TIME_LIMIT","error_description":"busy"}`, false},
		{"a page", imbottest.Fault{Status: 502, Body: "<html>"}, `502 <html>`, false},
		{"a status alone has no body", imbottest.Fault{Status: 500}, `500 `, false},
		{"a body alone is 200", imbottest.Fault{Body: `{"result":`}, `200 {"result":`, false},
		{"cut before it ran", imbottest.Fault{Cut: imbottest.BeforeRun}, "EOF", false},
		{"cut after it ran", imbottest.Fault{Cut: imbottest.AfterRun}, "EOF", true},
		{"a page after it ran", imbottest.Fault{Cut: imbottest.AfterRun, Status: 504, Body: "<html>"}, "504 <html>", true},
		{"a code after it ran", imbottest.Fault{Cut: imbottest.AfterRun, Code: "X"}, `400 {"error":"X","error_description":""}`, true},
	} {
		t.Run(tt.says, func(t *testing.T) {
			portal := newTestPortal(t)
			portal.Fail("imbot.chat.add", tt.fault)
			send := func() string {
				resp, err := portal.HTTPClient().Post(portal.Webhook("").URL+"imbot.chat.add", "application/json", strings.NewReader(add))
				if err != nil {
					require.ErrorIs(t, err, io.EOF)
					return "EOF"
				}
				defer func() { _ = resp.Body.Close() }()
				body, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				return fmt.Sprint(resp.StatusCode, " ", string(body))
			}
			require.Equal(t, tt.want, send())
			next := `200 {"result":1002,`
			if tt.ran {
				next = `200 {"result":1003,`
			}
			require.Contains(t, send(), next, "the fault befalls one call")
			require.Len(t, portal.Calls("imbot.chat.add"), 3)
		})
	}
	t.Run("several times, every method", func(t *testing.T) {
		portal := newTestPortal(t)
		portal.Fail("", imbottest.Fault{Code: "X", Times: 2})
		require.Equal(t, "400 X", post(t, portal, "profile", `{}`))
		require.Equal(t, "400 X", post(t, portal, "imbot.bot.list", `{}`))
		require.NotEqual(t, "400 X", post(t, portal, "profile", `{}`))
	})
	t.Run("for ever", func(t *testing.T) {
		portal := newTestPortal(t)
		portal.Fail("profile", imbottest.Fault{Code: "X", Times: -1})
		for range 5 {
			require.Equal(t, "400 X", post(t, portal, "profile", `{}`))
		}
	})
}

func TestATruncatedAnswer(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	require.NoError(t, portal.Listen("127.0.0.1:0"))
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	for _, client := range []*http.Client{portal.HTTPClient(), {Transport: transport}} {
		portal.Fail("imbot.chat.add", imbottest.Fault{Cut: imbottest.AfterRun, Body: `{"result":10`})
		resp, err := client.Post(portal.Webhook("").URL+"imbot.chat.add", "application/json", strings.NewReader(`{"CLIENT_ID":"one"}`))
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, resp.StatusCode)
		require.EqualValues(t, 13, resp.ContentLength)
		body, err := io.ReadAll(resp.Body)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.Equal(t, `{"result":10`, string(body))
		require.NoError(t, resp.Body.Close())
	}
	require.Equal(t, "1004", post(t, portal, "imbot.chat.add", `{"CLIENT_ID":"one"}`), "both calls ran")
}

func TestDelaysObeyTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal()
		defer portal.Close()
		portal.Fail("profile", imbottest.Fault{Delay: time.Minute, Times: 2})
		start := time.Now()
		post(t, portal, "profile", `{}`)
		require.Equal(t, time.Minute, time.Since(start))

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, portal.Webhook("").URL+"profile", nil)
		require.NoError(t, err)
		_, err = portal.HTTPClient().Do(r)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Minute+time.Second, time.Since(start))
	})
}

func TestOneFaultInsideTheClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal()
		defer portal.Close()
		bot, _ := newEcho(t, portal, eventURL, portal.HTTPClient())
		client, err := imbot.NewClient(portal.Webhook("a-long-random-client-id"), imbot.WithHTTPClient(portal.HTTPClient()))
		require.NoError(t, err)
		anna := portal.AddUser("Anna", "Ivanova")
		send := func() error {
			_, err := client.WithBot(bot).Message.Add(t.Context(), imbot.MessageAddRequest{DialogID: imbot.UserDialog(anna), Message: "x"})
			return err
		}
		portal.Fail("imbot.message.add", imbottest.Fault{Status: 503, Code: "QUERY_LIMIT_EXCEEDED"})
		require.NoError(t, send(), "refused before it ran, so repeated")
		portal.Fail("imbot.message.add", imbottest.Fault{Cut: imbottest.AfterRun})
		require.ErrorIs(t, send(), imbot.ErrOutcomeUnknown)
		require.Len(t, portal.Messages(anna, imbot.UserDialog(bot)), 2)
	})
}

func TestWhichCallsAFaultBefalls(t *testing.T) {
	t.Parallel()
	type faults map[string]imbottest.Fault
	for _, tt := range []struct {
		says   string
		faults faults
		calls  string // one letter for each call: p for profile, l for imbot.bot.list
		want   string // for each call the code of its answer, - for none
	}{
		{"the next one", faults{"profile": {Code: "X"}}, "lppp", "-X--"},
		{"the n-th one", faults{"profile": {Code: "X", Nth: 3}}, "plpplp", "---X--"},
		{"from the n-th one on", faults{"profile": {Code: "X", Nth: 2, Times: 2}}, "ppppp", "-XX--"},
		{"a name with a star", faults{"imbot.BOT.*": {Code: "X", Times: -1}}, "plpl", "-X-X"},
		{"every call", faults{"": {Code: "X", Times: -1}}, "pl", "XX"},
		{"no call for the name of an event", faults{"ON*": {Delay: 1, Times: -1}, "": {Code: "X"}}, "pl", "X-"},
		{"an expired token passes a webhook by", faults{"": {Expire: true}}, "pl", "--"},
	} {
		t.Run(tt.says, func(t *testing.T) {
			portal := newTestPortal(t)
			for name, f := range tt.faults {
				portal.Fail(name, f)
			}
			got := ""
			for _, c := range tt.calls {
				method := map[rune]string{'p': "profile", 'l': "imbot.bot.list"}[c]
				if post(t, portal, method, `{}`) == "400 X" {
					got += "X"
				} else {
					got += "-"
				}
			}
			require.Equal(t, tt.want, got)
			require.NoError(t, portal.Err())
		})
	}
}

func TestFaultsAreTakenInTheirOrderAndCountTogether(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	portal.Fail("profile", imbottest.Fault{Code: "A"})
	portal.Fail("profile", imbottest.Fault{Code: "B", Nth: 3})
	portal.Fail("profile", imbottest.Fault{Code: "C", Nth: 3})
	var got []string
	for range 5 {
		answer, _, _ := strings.Cut(post(t, portal, "profile", `{}`), `{`)
		got = append(got, answer)
	}
	require.Equal(t, []string{"400 A", "", "400 B", "400 C", ""}, got)
}

func TestAFaultThatCannotHappenIsAProblem(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]imbottest.Fault{
		"ONIMBOTMESSAGEADD": {Code: "X"}, "imbot.message.add": {Duplicate: true}, "oauth/token": {Expire: true}, "profile": {}, "ON*": {Rename: true},
	} {
		portal := newTestPortal(t)
		portal.Fail(name, f)
		require.ErrorContains(t, portal.Err(), "cannot befall")
	}
}

func TestTheSameSeedBringsTheSameFaults(t *testing.T) {
	t.Parallel()
	run := func(opts ...imbottest.Option) (string, uint64) {
		portal := imbottest.NewPortal(opts...)
		defer portal.Close()
		portal.Fail("profile", imbottest.Fault{Code: "A", Chance: 0.2, Times: -1})
		portal.Fail("profile", imbottest.Fault{Code: "B", Chance: 0.2, Times: 5})
		out := ""
		for range 300 {
			out += strings.TrimPrefix(post(t, portal, "profile", `{}`)[:5], "400 ")[:1]
		}
		return out, portal.Seed()
	}
	first, seed := run()
	again, _ := run(imbottest.WithSeed(seed))
	other, _ := run(imbottest.WithSeed(seed + 1))
	require.Equal(t, first, again)
	require.NotEqual(t, first, other)
	require.InDelta(t, 60, strings.Count(first, "A"), 35)
	require.Equal(t, 5, strings.Count(first, "B"))
}

func TestWhatCanGoWrongInsideABatch(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		says  string
		fault imbottest.Fault
		want  string
		next  string // the answer of the next call
	}{
		{"a code", imbottest.Fault{Code: "X"}, `"error":"X"`, "1002"},
		{"a code after it ran", imbottest.Fault{Code: "X", Cut: imbottest.AfterRun}, `"error":"X"`, "1003"},
		{"a body with an error", imbottest.Fault{Status: 502, Body: `{"error":"Y","error_description":"why"}`}, `{"error":"Y","error_description":"why"}`, "1002"},
		{"a body with a result", imbottest.Fault{Body: `{"result":{"x":[]}}`}, `"result":{"a":{"x":[]}},"result_error":[],"result_total":[],"result_next":[]`, "1002"},
		{"a body with a page", imbottest.Fault{Body: `{"result":[7],"next":1,"total":2}`}, `"result_total":{"a":2},"result_next":{"a":1}`, "1002"},
		{"a body after it ran", imbottest.Fault{Cut: imbottest.AfterRun, Status: 500, Body: `{"error":"Y"}`}, `"error":"Y"`, "1003"},
		{"a command has no connection to cut", imbottest.Fault{Cut: imbottest.AfterRun, Body: `{"error":"Y"}`}, `"a":1002`, "cut"},
		{"no page of a proxy", imbottest.Fault{Status: 502, Body: `{}`}, `"a":1002`, "502 "},
	} {
		t.Run(tt.says, func(t *testing.T) {
			portal := newTestPortal(t)
			portal.Fail("imbot.chat.add", tt.fault)
			require.Contains(t, post(t, portal, "batch", `{"cmd":{"a":"imbot.chat.add?CLIENT_ID=one"}}`), tt.want)
			if tt.next == "cut" {
				resp, err := portal.HTTPClient().Post(portal.Webhook("").URL+"imbot.chat.add", "application/json", strings.NewReader(`{"CLIENT_ID":"one"}`))
				require.NoError(t, err)
				defer func() { _ = resp.Body.Close() }()
				_, err = io.ReadAll(resp.Body)
				require.ErrorIs(t, err, io.ErrUnexpectedEOF)
				return
			}
			require.Equal(t, tt.next, post(t, portal, "imbot.chat.add", `{"CLIENT_ID":"one"}`), "a fault that passes it by waits for a call")
		})
	}
}

func TestALateAnswerComesAfterTheMethodHasRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal()
		defer portal.Close()
		client, err := imbot.NewClient(portal.Webhook("a-long-random-client-id"),
			imbot.WithHTTPClient(&http.Client{Transport: portal.HTTPClient().Transport, Timeout: 10 * time.Second}))
		require.NoError(t, err)
		bot, err := client.Bot.Register(t.Context(), imbot.BotRegisterRequest{Code: "x", EventHandler: eventURL, Properties: imbot.BotProperties{Name: "X"}})
		require.NoError(t, err)
		anna := portal.AddUser("Anna", "Ivanova")
		for _, tt := range []struct {
			fault imbottest.Fault
			ran   int
		}{{imbottest.Fault{Delay: time.Minute}, 0}, {imbottest.Fault{Late: time.Minute}, 1}} {
			portal.Fail("imbot.message.add", tt.fault)
			_, err = client.Message.Add(t.Context(), imbot.MessageAddRequest{BotID: bot, DialogID: imbot.UserDialog(anna), Message: "x"})
			require.ErrorIs(t, err, imbot.ErrOutcomeUnknown)
			require.Len(t, portal.Messages(anna, imbot.UserDialog(bot)), tt.ran)
		}
	})
}

func TestATokenEndsForAllCallsOfItsApplication(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	auth := portal.OAuth("local.1")
	token, err := auth.Tokens.Token()
	require.NoError(t, err)
	call := func() string {
		status, body := postTo(t, portal, auth.Endpoint+"profile", "application/json", `{"auth":"`+token.AccessToken+`"}`)
		return outcome(t, status, body)
	}
	portal.Fail("profile", imbottest.Fault{Expire: true, Nth: 2})
	require.Contains(t, call(), `"ADMIN"`)
	require.Equal(t, "401 expired_token", call())
	require.Equal(t, "401 expired_token", call(), "it is the token that has ended, not the call")
	fresh, err := auth.Tokens.Token()
	require.NoError(t, err)
	require.NotEqual(t, token.AccessToken, fresh.AccessToken)
}

func TestThePortalRenamesItself(t *testing.T) {
	t.Parallel()
	for _, listens := range []bool{false, true} {
		portal := imbottest.NewPortal()
		defer portal.Close()
		if listens {
			require.NoError(t, portal.Listen("127.0.0.1:0"))
		}
		hook := portal.Webhook("one").URL
		portal.Fail("profile", imbottest.Fault{Rename: true})
		resp, err := portal.HTTPClient().Transport.RoundTrip(httptest.NewRequest(http.MethodPost, hook+"profile", nil))
		require.NoError(t, err)
		require.Equal(t, http.StatusFound, resp.StatusCode)
		require.NotEqual(t, hook, portal.Webhook("one").URL)
		require.Equal(t, portal.Webhook("one").URL+"profile", resp.Header.Get("Location"))
		status, _ := postTo(t, portal, resp.Header.Get("Location"), "application/json", `{}`)
		require.Equal(t, http.StatusOK, status)
		require.NoError(t, resp.Body.Close())
	}
}

// textRecorder is a handler that keeps the texts of messages.
type textRecorder struct {
	mu    sync.Mutex
	texts []string
	hung  int // how many requests had a context that had ended
}

func (b *textRecorder) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.texts = append(b.texts, r.PostForm.Get("data[PARAMS][MESSAGE]"))
	if r.Context().Err() != nil {
		b.hung++
	}
}

func (b *textRecorder) take() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer func() { b.texts = nil }()
	return strings.Join(b.texts, "")
}

func TestFaultsOfEvents(t *testing.T) {
	t.Parallel()
	const add = "ONIMBOTMESSAGEADD"
	for _, tt := range []struct {
		says   string
		name   string
		faults []imbottest.Fault
		want   string // the texts that arrive when a, b and c are said
		took   time.Duration
		hung   int
	}{
		{"none", add, nil, "abc", 0, 0},
		{"twice", add, []imbottest.Fault{{Duplicate: true, Nth: 2}}, "abbc", 0, 0},
		{"twice, and the second time behind the next", add, []imbottest.Fault{{Duplicate: true, Reorder: true}}, "abac", 0, 0},
		{"twice, and the second time lost", add, []imbottest.Fault{{Duplicate: true, Cut: imbottest.BeforeRun}}, "abc", 0, 0},
		{"in another order", add, []imbottest.Fault{{Reorder: true}}, "bac", 0, 0},
		{"all of them", "ON*", []imbottest.Fault{{Reorder: true, Times: -1}}, "bac", time.Second, 0},
		{"the last one is overtaken by nothing", add, []imbottest.Fault{{Reorder: true, Nth: 3}}, "abc", time.Second, 0},
		{"lost", add, []imbottest.Fault{{Cut: imbottest.BeforeRun, Nth: 2}}, "ac", 0, 0},
		{"the portal hangs up", add, []imbottest.Fault{{Cut: imbottest.AfterRun, Nth: 2}}, "abc", 0, 1},
		{"slowly", add, []imbottest.Fault{{Delay: time.Minute}}, "abc", time.Minute, 0},
		{"a slow handler", add, []imbottest.Fault{{Late: time.Minute, Times: 2}}, "abc", 2 * time.Minute, 0},
		{"another event", "ONIMBOTMESSAGEDELETE", []imbottest.Fault{{Cut: imbottest.BeforeRun}}, "abc", 0, 0},
	} {
		t.Run(tt.says, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				portal := imbottest.NewPortal()
				defer portal.Close()
				bot := registerBot(t, portal)
				box := &textRecorder{}
				portal.Serve(eventURL, box)
				anna := portal.AddUser("Anna", "Ivanova")
				require.NoError(t, portal.Open(t.Context(), anna, bot))
				require.NoError(t, portal.Idle(t.Context()))
				box.take()
				for _, f := range tt.faults {
					portal.Fail(tt.name, f)
				}
				start := time.Now()
				for _, text := range []string{"a", "b", "c"} {
					_, err := portal.Say(t.Context(), anna, imbot.UserDialog(bot), text)
					require.NoError(t, err)
				}
				require.NoError(t, portal.Idle(t.Context()))
				require.Equal(t, tt.want, box.take())
				require.Equal(t, tt.hung, box.hung)
				require.Equal(t, tt.took, time.Since(start).Truncate(time.Second))
				require.NoError(t, portal.Err())
			})
		})
	}
}

func TestThePortalHangsUpOnASocket(t *testing.T) {
	t.Parallel()
	portal := imbottest.NewPortal()
	defer portal.Close()
	gone := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		if r.PostForm.Get("event") == "ONIMBOTMESSAGEADD" {
			<-r.Context().Done()
			gone <- r.PostForm.Get("data[PARAMS][MESSAGE]")
		}
	}))
	defer server.Close()
	client, err := imbot.NewClient(portal.Webhook("a-long-random-client-id"), imbot.WithHTTPClient(portal.HTTPClient()))
	require.NoError(t, err)
	bot, err := client.Bot.Register(t.Context(), imbot.BotRegisterRequest{Code: "x", EventHandler: server.URL, Properties: imbot.BotProperties{Name: "X"}})
	require.NoError(t, err)
	portal.Fail("ONIMBOTMESSAGEADD", imbottest.Fault{Cut: imbottest.AfterRun})
	_, err = portal.Say(t.Context(), portal.AddUser("Anna", "Ivanova"), imbot.UserDialog(bot), "hello")
	require.NoError(t, err)
	select {
	case text := <-gone:
		require.Equal(t, "hello", text)
	case <-time.After(time.Minute):
		require.Fail(t, "the handler was not at work")
	}
	require.NoError(t, portal.Idle(t.Context()))
	require.NoError(t, portal.Err())
}

func TestChaosIsAMixtureOfAllFaults(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal(imbottest.WithSeed(1))
		defer portal.Close()
		bot := registerBot(t, portal)
		box := &textRecorder{}
		portal.Serve(eventURL, box)
		anna := portal.AddUser("Anna", "Ivanova")
		portal.Chaos(0.5)
		for range 500 {
			_, err := portal.Say(t.Context(), anna, imbot.UserDialog(bot), "x")
			require.NoError(t, err)
		}
		require.NoError(t, portal.Idle(t.Context()))
		require.InDelta(t, 500, len(box.take()), 100, "some are lost and some come twice")
		require.NotZero(t, box.hung)
		kinds := map[string]int{}
		for range 500 {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, portal.Webhook("").URL+"imbot.bot.list", nil)
			require.NoError(t, err)
			start := time.Now()
			resp, err := portal.HTTPClient().Do(r)
			switch {
			case err != nil:
				kinds["cut"]++
				continue
			case time.Since(start) > time.Second:
				kinds["slow"]++
			case resp.ContentLength == 11:
				kinds["half"]++
			default:
				kinds[resp.Status]++
			}
			require.NoError(t, resp.Body.Close())
		}
		require.InDelta(t, 250, kinds["200 OK"], 100, "%v", kinds)
		for _, kind := range []string{"cut", "slow", "half", "502 Bad Gateway", "503 Service Unavailable", "500 Internal Server Error"} {
			require.NotZero(t, kinds[kind], kind)
		}
		require.NoError(t, portal.Err())
	})
}

func TestChaosBefallsTheShareThatItIsTold(t *testing.T) {
	t.Parallel()
	for _, r := range []struct {
		says string
		rate float64
		want float64 // how many of 1000 calls
	}{
		{"none", 0, 0},
		{"less than none", -1, 0},
		{"no number", math.NaN(), 0},
		{"a tenth", 0.1, 91}, // not 100: the calls are those of a webhook, which one of the eleven faults does not fit
		{"half", 0.5, 455},
		{"all", 1, 1000},
		{"more than all", 2, 1000},
	} {
		t.Run(r.says, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				portal := imbottest.NewPortal(imbottest.WithSeed(1))
				defer portal.Close()
				portal.Chaos(0.7)
				portal.Chaos(r.rate) // replaces the 0.7
				for _, method := range []string{"imbot.bot.list", "imopenlines.bot.session.finish"} {
					wrong := 0.0
					for range 1000 {
						before := time.Now()
						resp, err := portal.HTTPClient().Get(portal.Webhook("").URL + method)
						if err != nil {
							wrong++
							continue
						}
						body, err := io.ReadAll(resp.Body)
						if err != nil || time.Since(before) > time.Second || resp.StatusCode >= 500 || body[0] != '{' {
							wrong++
						}
						require.NoError(t, resp.Body.Close())
					}
					require.InDelta(t, r.want, wrong, 40, method)
				}
			})
		})
	}
}

func TestFaultsInsideABatch(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	portal.Fail("imbot.chat.add", imbottest.Fault{Code: "OPERATION_TIME_LIMIT", Description: "busy"})
	got := post(t, portal, "batch", `{"cmd":{"a":"imbot.chat.add?CLIENT_ID=one","b":"imbot.chat.add?CLIENT_ID=one"}}`)
	require.Equal(t, `{"a":{"error":"OPERATION_TIME_LIMIT","error_description":"busy"}}`, partOf(t, got, "result_error"))
	require.Equal(t, `{"b":1002}`, partOf(t, got, "result"))
}
