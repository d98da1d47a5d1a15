package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

// meddler changes what the portal answers to a call, or answers in its place. nil: nothing is changed.
type meddler struct {
	next  http.RoundTripper
	calls int // one at a time
	with  func(n int, r *http.Request, resp *http.Response) (*http.Response, error)
}

func (m *meddler) RoundTrip(r *http.Request) (*http.Response, error) {
	m.calls++
	if resp, err := m.with(m.calls, r, nil); resp != nil || err != nil {
		return resp, err
	}
	resp, err := m.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	other, err := m.with(m.calls, r, resp)
	if other == nil {
		other = resp
	}
	return other, err
}

// awayFrom is a portal that is gone from a call on.
func awayFrom(call int) func(int, *http.Request, *http.Response) (*http.Response, error) {
	return func(n int, _ *http.Request, _ *http.Response) (*http.Response, error) {
		if n >= call {
			return nil, errors.New("no route to host")
		}
		return nil, nil
	}
}

func answers(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body))}
}

func TestTheReportSaysWhatCouldNotBeAsked(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		opts  []imbottest.Option
		set   func(*testing.T, *imbottest.Portal) imbot.Webhook
		says  string
		count int // of facts about which it says so, at least
	}{
		"the webhook lacks the scope": {
			opts: []imbottest.Option{imbottest.WithScope("crm")}, says: "not asked: refused: HTTP 401 insufficient_scope", count: 20,
		},
		"no bot can be made": {
			set: func(t *testing.T, p *imbottest.Portal) imbot.Webhook {
				require.NoError(t, p.Veto("imbot.v2.Bot.register"))
				return p.Webhook("")
			},
			says: "not asked: refused: HTTP 400 BOT_REGISTER_FAILED", count: 20,
		},
		"who owns the webhook is no administrator and may make no chat": {
			set: func(t *testing.T, p *imbottest.Portal) imbot.Webhook {
				anna := p.AddUser("Anna", "")
				require.NoError(t, p.Deny(anna))
				hook, err := p.WebhookOf(anna, "")
				require.NoError(t, err)
				return hook
			},
			says: "not asked: refused: HTTP 400 ACCESS_DENIED", count: 15,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			portal := newPortal(t, row.opts...)
			hook := portal.Webhook("")
			if row.set != nil {
				hook = row.set(t, portal)
			}
			cfg, h := newConfig(t, portal, "1", tierRead, tierWrite)
			cfg.hook = hook.URL
			require.NoError(t, run(t.Context(), cfg))
			require.GreaterOrEqual(t, strings.Count(h.seen(), row.says+" |"), row.count, h.seen())
			requireNothingLeft(t, portal)
			require.NoFileExists(t, cfg.journalPath)
		})
	}
}

func TestABoxWithoutTheSecondGeneration(t *testing.T) {
	t.Parallel()
	portal := newPortal(t)
	cfg, h := newConfig(t, portal, "1", tierRead, tierWrite)
	cfg.transport = &meddler{next: cfg.transport, with: func(_ int, r *http.Request, _ *http.Response) (*http.Response, error) {
		if strings.Contains(r.URL.Path, "imbot.v2.") {
			return answers(404, `{"error":"ERROR_METHOD_NOT_FOUND","error_description":"Method not found!"}`), nil
		}
		return nil, nil
	}}
	require.NoError(t, run(t.Context(), cfg))
	require.Contains(t, h.seen(), "| templateid | a lower-case templateId that is sent twice is one message | not asked: refused: HTTP 404 ERROR_METHOD_NOT_FOUND |")
	require.Contains(t, h.seen(), "| status-auth | a wrong webhook secret is refused with HTTP 401 | as assumed: HTTP 401 |")
	requireNothingLeft(t, portal)
}

func TestAPortalThatGoesAwayInTheMiddle(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 12, 30, 45} {
		portal := newPortal(t)
		cfg, h := newConfig(t, portal, "1", tierRead, tierWrite)
		victim := cfg
		victim.transport = &meddler{next: cfg.transport, with: awayFrom(n)}
		err := run(t.Context(), victim)
		require.Contains(t, h.seen(), "not asked: the portal did not answer |")
		if n > 10 {
			require.ErrorContains(t, err, "run it again with -clean")
			require.NoError(t, cleanUp(t.Context(), cfg))
		}
		requireNothingLeft(t, portal)
		require.NoFileExists(t, cfg.journalPath)
	}
}

func TestAPortalThatIsRenamedInTheMiddle(t *testing.T) {
	t.Parallel()
	portal := newPortal(t)
	cfg, _ := newConfig(t, portal, "1", tierRead, tierWrite)
	victim := cfg
	victim.transport = &meddler{next: cfg.transport, with: func(call int, _ *http.Request, resp *http.Response) (*http.Response, error) {
		if call == 30 && resp == nil {
			return nil, portal.Rename("renamed.imbottest.example")
		}
		return nil, nil
	}}
	if err := run(t.Context(), victim); err != nil {
		cfg.hook = portal.Webhook("").URL
		require.NoError(t, cleanUp(t.Context(), cfg))
	}
	requireNothingLeft(t, portal)
	require.NoFileExists(t, cfg.journalPath)
}

func TestOneCallASecondWhateverThePortalAllows(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		opt  imbottest.Option
		tier tier
		most time.Duration
	}{
		"only looking":                    {imbottest.WithRateLimit(2, 50), tierRead, 20 * time.Second},
		"making things":                   {imbottest.WithRateLimit(2, 50), tierWrite, 90 * time.Second},
		"somebody else uses the limit up": {imbottest.WithRateLimit(0.5, 20), tierWrite, 5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				portal := imbottest.NewPortal(row.opt)
				defer portal.Close()
				cfg, h := newConfig(t, portal, "1", tierRead, row.tier)
				cfg.pace, cfg.retry = time.Second, imbot.Retry{MaxAttempts: 2}
				began, calls := time.Now(), 0
				cfg.transport = &meddler{next: cfg.transport, with: func(n int, _ *http.Request, _ *http.Response) (*http.Response, error) {
					calls = n
					require.GreaterOrEqual(t, time.Since(began), time.Duration(n-1)*time.Second)
					return nil, nil
				}}
				err := run(t.Context(), cfg)
				took := time.Since(began)
				require.Less(t, took, row.most, h.seen())
				require.LessOrEqual(t, calls, mostCalls)
				t.Logf("%d calls in %s", calls, took)
				if err != nil {
					require.ErrorContains(t, err, "run it again with -clean")
					time.Sleep(11 * time.Minute)
					require.NoError(t, cleanUp(t.Context(), cfg))
				}
				requireNothingLeft(t, portal)
			})
		})
	}
}

func TestTwoAtTheSameTime(t *testing.T) {
	t.Parallel()
	portal := newPortal(t)
	first, _ := newConfig(t, portal, "1", tierRead, tierWrite)
	second, _ := newConfig(t, portal, "1", tierRead, tierWrite)
	third := second
	third.journalPath = first.journalPath
	transport := first.transport
	first.transport = &meddler{next: transport, with: func(n int, _ *http.Request, resp *http.Response) (*http.Response, error) {
		if n == 25 && resp == nil {
			require.ErrorContains(t, run(t.Context(), third), "another livecheck runs")
			require.NoError(t, run(t.Context(), second))
		}
		return nil, nil
	}}
	require.NoError(t, run(t.Context(), first))
	requireNothingLeft(t, portal)
}

// zeros makes the same codes each time.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestABotOfSomebodyElseIsNeverTouched(t *testing.T) {
	t.Parallel()
	portal := newPortal(t)
	client, err := imbot.NewClient(portal.Webhook("somebody-else"), imbot.WithHTTPClient(portal.HTTPClient()))
	require.NoError(t, err)
	err = client.Call(t.Context(), "imbot.v2.Bot.register", fields{"fields": fields{
		"code": codeStart + strings.Repeat("0", 32), "properties": fields{"name": "Theirs"},
	}}, nil)
	require.NoError(t, err)
	cfg, h := newConfig(t, portal, "1", tierRead, tierWrite)
	cfg.random = zeros{}
	require.NoError(t, run(t.Context(), cfg))
	require.Contains(t, h.seen(), "the portal has a bot with the code of this run")
	require.Contains(t, calledMethods(portal), "imbot.v2.Bot.get")
	for _, method := range []string{"imbot.register", "imbot.v2.Bot.unregister", "imbot.v2.Chat.add"} {
		require.NotContains(t, calledMethods(portal), method)
	}
}

func calledMethods(portal *imbottest.Portal) (methods []string) {
	for _, c := range portal.Calls("") {
		methods = append(methods, c.Method)
	}
	return methods
}

func TestAnInterruptRemovesAll(t *testing.T) {
	t.Parallel()
	portal := newPortal(t)
	cfg, h := newConfig(t, portal, "1", tierRead, tierWrite)
	ctx, interrupt := context.WithCancel(t.Context())
	cfg.transport = &meddler{next: cfg.transport, with: func(n int, _ *http.Request, _ *http.Response) (*http.Response, error) {
		if n == 40 {
			interrupt()
		}
		return nil, nil
	}}
	require.ErrorIs(t, run(ctx, cfg), context.Canceled)
	require.Contains(t, h.seen(), "not asked: interrupted |")
	requireNothingLeft(t, portal)
	require.NoFileExists(t, cfg.journalPath)
}

func TestNobodySaysYes(t *testing.T) {
	t.Parallel()
	portal := newPortal(t)
	cfg, h := newConfig(t, portal, "1", tierRead, tierWrite)
	cfg.in.Reset(strings.NewReader("\n"))
	require.ErrorIs(t, run(t.Context(), cfg), errStopped)
	require.Contains(t, h.seen(), "make a hidden bot, one of the first generation")
	require.Empty(t, portal.Calls(""))
	cfg.in.Reset(strings.NewReader(""))
	require.ErrorContains(t, run(t.Context(), cfg), "take -yes")
}

func TestAnAnswerThatIsNoneIsSaidToBe(t *testing.T) {
	t.Parallel()
	cfg, h := newConfig(t, newPortal(t), "", tierRead, tierPerson)
	cfg.in.Reset(strings.NewReader("y\n" + strings.Repeat("bold\n4\n1\n", 10)))
	require.NoError(t, run(t.Context(), cfg))
	require.Equal(t, 10, strings.Count(h.seen(), "What do you see?"), "each question once")
	require.Equal(t, 20, strings.Count(h.seen(), "It has to be from 1 to 3. Number (Enter: I cannot say): "))
	require.Equal(t, "as assumed", reported(h.seen())["markdown-bold"])
}

func TestTheJournalOfAnotherPortal(t *testing.T) {
	t.Parallel()
	portal, other := newPortal(t), newPortal(t)
	cfg, _ := newConfig(t, portal, "1", tierRead, tierWrite)
	victim := cfg
	victim.transport = &meddler{next: cfg.transport, with: awayFrom(60)}
	require.Error(t, run(t.Context(), victim))
	wrong, _ := newConfig(t, other, "1", tierRead)
	wrong.journalPath = cfg.journalPath
	require.ErrorContains(t, cleanUp(t.Context(), wrong), "it was made for another one")
	require.FileExists(t, cfg.journalPath)
	require.NoError(t, cleanUp(t.Context(), cfg))
	requireNothingLeft(t, portal)
}

func TestJournalsThatAreNone(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ text, says string }{
		"an empty file":  {"", "nothing was made"},
		"something else": {"{\"a\":1}\n", "no journal of livecheck"},
		"not even JSON":  {"hello\n", "no journal of livecheck"},
		"a cut head":     {`{"secret":"ab`, "no journal of livecheck"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "journal")
			require.NoError(t, os.WriteFile(path, []byte(row.text), 0o600))
			_, err := readJournal(path)
			require.ErrorContains(t, err, row.says)
		})
	}
	cfg, h := newConfig(t, newPortal(t), "1", tierRead)
	require.NoError(t, cleanUp(t.Context(), cfg))
	require.Contains(t, h.seen(), "so nothing is left of a run in this directory")
}

// marker stands in everything that a portal says.
const marker = "Zq7"

// marked puts it into all texts of an answer but those that a program has to understand.
func marked(v any, key string) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = marked(v[k], k)
		}
	case []any:
		for i := range v {
			v[i] = marked(v[i], key)
		}
	case string:
		switch key {
		case "error", "eventMode", "textFieldEnabled", "type", "dialogId":
			return v
		}
		return v + marker
	}
	return v
}

func TestNoWordOfThePortalIsShownAnywhere(t *testing.T) {
	t.Parallel()
	for _, tier := range []tier{tierWrite, tierPerson, tierListen} {
		portal := newPortal(t)
		cfg, h := newConfig(t, portal, "3", tierRead, tier)
		cfg.keep = filepath.Join(t.TempDir(), "result.json")
		u := strings.Split(strings.Trim(cfg.hook, "/"), "/")
		secret, host := u[len(u)-1], u[2]
		var journal []byte
		cfg.transport = &meddler{next: cfg.transport, with: func(n int, _ *http.Request, resp *http.Response) (*http.Response, error) {
			if data, err := os.ReadFile(cfg.journalPath); err == nil {
				journal = data
			}
			if resp == nil {
				return nil, nil
			}
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			var v any
			d := json.NewDecoder(bytes.NewReader(body))
			d.UseNumber()
			if d.Decode(&v) == nil {
				body, err = json.Marshal(marked(v, ""))
				require.NoError(t, err)
			}
			resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			resp.Header.Set("X-"+marker, marker)
			resp.Header.Set("X-Ratelimit-Remaining", marker)
			resp.Header.Del("Content-Length")
			return resp, nil
		}}
		require.NoError(t, run(t.Context(), cfg), h.seen())
		requireNothingLeft(t, portal)
		kept, err := os.ReadFile(cfg.keep)
		require.NoError(t, err)
		require.NotEmpty(t, journal)
		for name, text := range map[string]string{"screen and report": h.seen(), "journal": string(journal), "result": string(kept)} {
			require.NotContains(t, text, marker, name)
			require.NotContains(t, text, secret, name)
			require.NotContains(t, text, host, name)
		}
		var head head
		require.NoError(t, json.NewDecoder(bytes.NewReader(journal)).Decode(&head))
		require.NotContains(t, h.seen()+string(kept), head.Secret)
	}
}

func TestOnlyCodesAreShown(t *testing.T) {
	t.Parallel()
	for code, says := range map[imbot.ErrorCode]note{
		"BOT_NOT_FOUND": "refused: HTTP 400 BOT_NOT_FOUND", "insufficient_scope": "refused: HTTP 400 insufficient_scope", "100": "refused: HTTP 400 100",
		"MAIN_CONTROLLER_22001": "refused: HTTP 400 MAIN_CONTROLLER_22001",
		"Anna Smith":            "refused: HTTP 400 another code", "portal.example.com": "refused: HTTP 400 another code", "https://portal.example.com/": "refused: HTTP 400 another code",
		"anna": "refused: HTTP 400 another code", "3f2a9c0d5e7b1a4c": "refused: HTTP 400 another code", "12345678": "refused: HTTP 400 another code",
	} {
		require.Equal(t, says, refusal(&imbot.Error{StatusCode: 400, Code: code, Description: marker}))
	}
}

func TestNothingOfAPostIsKept(t *testing.T) {
	t.Parallel()
	m := &mailbox{secret: "s", path: "p", came: make(chan struct{})}
	post := func(target, kind, body string) int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		w := httptest.NewRecorder()
		m.ServeHTTP(w, r)
		return w.Code
	}
	require.Equal(t, http.StatusNotFound, post("/?livecheck=guessed", "application/json", "{}"))
	require.Empty(t, m.posts)
	post("/?livecheck=p", "application/x-www-form-urlencoded", "event=ONIMBOTV2MESSAGEADD&auth[application_token]="+marker+"&data[message][text]="+marker)
	post("/?livecheck=p", "application/json", `{"event":"ONIMBOTV2MESSAGEADD","auth":{"application_token":"`+marker+`"},"data":{"message":{"text":"`+marker+`"}}}`)
	require.Len(t, m.posts, 2)
	require.NotContains(t, fmt.Sprintf("%+v", m.posts), marker)
}

// What is logged is the library's business; it must not reach the screen.
func TestNothingIsLogged(t *testing.T) {
	var log bytes.Buffer
	defer slog.SetDefault(slog.Default())
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	cfg, _ := newConfig(t, newPortal(t), "1", tierRead, tierWrite)
	require.NoError(t, run(t.Context(), cfg))
	require.Empty(t, log.String())
}
