package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A program is the portal running, and what it has printed so far.
type program struct {
	t        *testing.T
	ctx      context.Context
	client   *http.Client
	out, log screen
}

// screen keeps what is printed, and says when there is more.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.more != nil {
		close(s.more)
		s.more = nil
	}
	return s.text.Write(b)
}

// shows waits until a text is there and returns all that was printed.
func (s *screen) shows(ctx context.Context, text string) (string, error) {
	for {
		s.mu.Lock()
		all := s.text.String()
		if strings.Contains(all, text) {
			s.mu.Unlock()
			return all, nil
		}
		if s.more == nil {
			s.more = make(chan struct{})
		}
		more := s.more
		s.mu.Unlock()
		select {
		case <-more:
		case <-ctx.Done():
			return all, fmt.Errorf("%q is not in %q", text, all)
		}
	}
}

// start runs the program until the test ends.
func start(t *testing.T, args ...string) *program {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	p := &program{t: t, ctx: ctx, client: http.DefaultClient}
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, args, &p.out, &p.log)
		fmt.Fprintf(&p.out, "ended: %v", err)
		ended <- err
	}()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	return p
}

// reads waits for a text on the standard output.
func (p *program) reads(text string) string {
	p.t.Helper()
	all, err := p.out.shows(p.ctx, text)
	require.NoError(p.t, err)
	return all
}

var parameter = regexp.MustCompile(`-d (?:'([^']*)'|(\S+))`)

// curl does what a printed line of curl does, with a parameter changed.
func (p *program) curl(line, name, value string) (answer string) {
	p.t.Helper()
	form := url.Values{}
	for _, d := range parameter.FindAllStringSubmatch(line, -1) {
		k, v, ok := strings.Cut(d[1]+d[2], "=")
		require.True(p.t, ok, d)
		form.Set(k, v)
	}
	if name != "" {
		require.True(p.t, form.Has(name), line)
		form.Set(name, value)
	}
	return p.post(strings.Fields(line)[1], "application/x-www-form-urlencoded", form.Encode())
}

func (p *program) post(address, contentType, body string) string {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.ctx, http.MethodPost, address, strings.NewReader(body))
	require.NoError(p.t, err)
	r.Header.Set("Content-Type", contentType)
	return p.do(r)
}

func (p *program) get(address string) string {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.ctx, http.MethodGet, address, nil)
	require.NoError(p.t, err)
	return p.do(r)
}

func (p *program) do(r *http.Request) string {
	p.t.Helper()
	resp, err := p.client.Do(r)
	require.NoError(p.t, err)
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(p.t, err)
	return string(answer)
}

// lines are the two of curl, and the address of the page.
func (p *program) lines() (page, register, send string) {
	p.t.Helper()
	for line := range strings.Lines(p.reads("Interrupt")) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "messenger"):
			page = strings.Fields(line)[1]
		case strings.Contains(line, "imbot.register"):
			register = line
		case strings.Contains(line, "imbot.message.add"):
			send = line
		}
	}
	return page, register, send
}

// The second generation, by the lines that are printed.
func TestABotWithoutAnAddress(t *testing.T) {
	p := start(t, "-addr", ":0")
	printed := p.reads("Interrupt")
	line := func(method string) string {
		return regexp.MustCompile(`(?m)^  curl \S+` + method + ` .*$`).FindString(printed)
	}
	require.Contains(t, p.curl(line(`imbot\.v2\.Bot\.register`), "", ""), `"id":103,"code":"my_v2_bot"`)
	page := strings.Fields(printed)[1]
	require.Contains(t, p.post(page+"api/say", "application/json", `{"user":1,"dialog":"103","text":"hello"}`), `"message"`)
	require.Contains(t, p.curl(line(`imbot\.v2\.Event\.get`), "botId", "103"), `"text":"hello"`)
}

// A bot in another language: nothing but HTTP and the lines that are printed.
func TestBotInAnyLanguage(t *testing.T) {
	p := start(t, "-addr", ":0", "-users", "Carla Rossi, Dmitri")
	page, register, send := p.lines()
	require.Contains(t, page, "http://127.0.0.1:", "without a host, only this machine reaches it")

	events := make(chan url.Values, 10)
	bot := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.ParseForm() == nil {
			events <- r.PostForm
		}
	}))
	defer bot.Close()
	require.Regexp(t, `"result":103\b`, p.curl(register, "EVENT_HANDLER", bot.URL))
	require.Regexp(t, `"result":\d+`, p.curl(send, "", ""))
	require.Equal(t, "ONIMBOTJOINCHAT", p.next(events).Get("event"))

	require.Contains(t, p.post(page+"api/say", "application/json", `{"user":1,"dialog":"103","text":"hello"}`), `"message"`)
	ev := p.next(events)
	require.Equal(t, "ONIMBOTMESSAGEADD", ev.Get("event"))
	require.Equal(t, "hello", ev.Get("data[PARAMS][MESSAGE]"))
	require.Equal(t, "my-bot-secret", ev.Get("auth[application_token]"))

	var seen struct{ Messages []struct{ Text string } }
	require.NoError(t, json.Unmarshal([]byte(p.get(page+"api/messages?user=1&dialog=103&before=0&limit=50")), &seen))
	require.Len(t, seen.Messages, 2)
	require.Equal(t, "[B]Hello![/B]", seen.Messages[0].Text)
	for _, name := range []string{"Portal Administrator", "Carla Rossi", "Dmitri", "My bot"} {
		require.Contains(t, p.get(page+"api/state?user=1"), name)
	}
}

func (p *program) next(events <-chan url.Values) url.Values {
	p.t.Helper()
	select {
	case ev := <-events:
		return ev
	case <-p.ctx.Done():
		require.NoError(p.t, p.ctx.Err(), "no event")
		return nil
	}
}

// trust makes a client that trusts the authority that was printed, and nothing else.
func (p *program) trust() {
	p.t.Helper()
	authorities := x509.NewCertPool()
	require.True(p.t, authorities.AppendCertsFromPEM([]byte(p.reads("Interrupt"))))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authorities, MinVersion: tls.VersionTLS12}}
	p.t.Cleanup(transport.CloseIdleConnections)
	p.client = &http.Client{Transport: transport}
}

func TestTLS(t *testing.T) {
	for _, addr := range []string{":0", "localhost:0", "0.0.0.0:0"} {
		t.Run(addr, func(t *testing.T) {
			p := start(t, "-addr", addr, "-tls")
			p.trust()
			page, register, send := p.lines()
			require.Regexp(t, "^https://", page)
			require.Contains(t, p.get(page+"api/state?user=1"), "Anna Ivanova")
			require.Contains(t, register, " --cacert authority.pem")
			require.Contains(t, p.curl(register, "", ""), `"result"`)
			require.Contains(t, p.curl(send, "", ""), `"result"`)
		})
	}
}

// line is the rest of a printed line that begins with a word.
func (p *program) line(word string) string {
	p.t.Helper()
	for line := range strings.Lines(p.reads("Interrupt")) {
		if rest, ok := strings.CutPrefix(line, word+" "); ok {
			return strings.TrimSpace(rest)
		}
	}
	require.Fail(p.t, "nothing begins with "+word)
	return ""
}

func TestOAuth(t *testing.T) {
	for _, args := range [][]string{nil, {"-tls"}} {
		t.Run(strings.Join(append(args, "-oauth"), " "), func(t *testing.T) {
			p := start(t, append(args, "-oauth", "-addr", ":0")...)
			if args != nil {
				p.trust()
			}
			id, _, installed := strings.Cut(p.line("application"), ",")
			require.True(t, installed)
			secret, server := p.line("secret"), p.line("server")
			var tokens map[string]any
			require.NoError(t, json.Unmarshal([]byte(p.line("tokens")), &tokens))
			endpoint := tokens["client_endpoint"].(string)
			require.Equal(t, server+"/rest/", tokens["server_endpoint"])
			require.Contains(t, p.get(endpoint+"app.info?auth="+tokens["access_token"].(string)), `"CODE":"local.portal"`)

			renewed := p.post(server+"/oauth/token/", "application/x-www-form-urlencoded", url.Values{
				"grant_type": {"refresh_token"}, "client_id": {id}, "client_secret": {secret}, "refresh_token": {tokens["refresh_token"].(string)},
			}.Encode())
			require.NoError(t, json.Unmarshal([]byte(renewed), &tokens))
			require.Contains(t, p.get(endpoint+"profile?auth="+tokens["access_token"].(string)), `"ADMIN":true`)

			events := make(chan url.Values, 1)
			handler := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if r.ParseForm() == nil {
					events <- r.PostForm
				}
			}))
			defer handler.Close()
			link, _, _ := strings.Cut(p.line("install"), "?")
			require.Contains(t, p.get(link), "Name the handler")
			require.Contains(t, p.get(link+"?handler="+handler.URL), "ONAPPINSTALL")
			ev := p.next(events)
			require.Equal(t, "ONAPPINSTALL", ev.Get("event"))
			require.Equal(t, p.line("event token"), ev.Get("auth[application_token]"))
			require.Contains(t, p.get(endpoint+"profile?auth="+ev.Get("auth[access_token]")), `"ADMIN":true`)
		})
	}
}

func TestHandlerOnLocalhostIsRefusedWithAHint(t *testing.T) {
	p := start(t, "-addr", "127.0.0.1:0")
	_, register, _ := p.lines()
	answer := p.curl(register, "EVENT_HANDLER", "http://localhost:9000/")
	require.Contains(t, answer, `"error":"EVENT_MESSAGE_ADD_ERROR"`)
	require.Contains(t, answer, "write http://127.0.0.1")
	_, err := p.log.shows(p.ctx, "imbot.register: EVENT_MESSAGE_ADD_ERROR: Wrong handler URL: ")
	require.NoError(t, err)
	_, err = p.log.shows(p.ctx, "write http://127.0.0.1")
	require.NoError(t, err)
}

// Web pages can let the browser call any method; what it is named stays text.
func TestTheTerminalObeysNobody(t *testing.T) {
	p := start(t, "-addr", ":0")
	page, _, _ := p.lines()
	p.get(page + "rest/a%1B%5B2Jb%0Ac%E2%80%AEd")
	log, err := p.log.shows(p.ctx, "NO_AUTH_FOUND")
	require.NoError(t, err)
	require.Contains(t, log, " a\uFFFD[2Jb\uFFFDc\uFFFDd: ")
	require.Equal(t, 1, strings.Count(log, "\n"))
}

func TestWhatTheFlagsDo(t *testing.T) {
	t.Run("a plan limits the rate", func(t *testing.T) {
		p := start(t, "-addr", ":0", "-plan", "basic", "-users", "3")
		page, _, send := p.lines()
		require.Contains(t, p.get(page+"api/state?user=1"), "Person 3")
		for i := 0; !strings.Contains(p.curl(send, "", ""), "QUERY_LIMIT_EXCEEDED"); i++ {
			require.Less(t, i, 1000)
		}
	})
	t.Run("faults come at random, with a seed", func(t *testing.T) {
		p := start(t, "-addr", ":0", "-faults", "1", "-seed", "7")
		require.Contains(t, p.reads("Interrupt"), "-seed 7")
		_, _, send := p.lines()
		for range 10 {
			ctx, cancel := context.WithTimeout(p.ctx, 100*time.Millisecond) // some come late
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.Fields(send)[1], nil)
			require.NoError(t, err)
			if resp, err := http.DefaultClient.Do(r); err == nil {
				answer, _ := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				require.NotContains(t, string(answer), "Client ID not specified", "what the call deserves")
			}
			cancel()
		}
	})
	t.Run("everybody reaches an address that says so", func(t *testing.T) {
		p := start(t, "-addr", "0.0.0.0:0")
		page, register, _ := p.lines()
		require.NotContains(t, page, "0.0.0.0")
		require.Contains(t, p.reads("Interrupt"), "acts as anybody")
		require.Contains(t, p.get(page+"api/state?user=1"), "Anna Ivanova")
		require.Contains(t, p.curl(register, "", ""), `"result"`)
	})
	t.Run("the portal leaves with the program", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		var out, log screen
		ended := make(chan error, 1)
		go func() { ended <- run(ctx, []string{"-addr", ":0"}, &out, &log) }()
		_, err := out.shows(ctx, "Interrupt")
		cancel()
		require.NoError(t, errors.Join(err, <-ended))
	})
}

func TestWhatCannotBeIsSaid(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	for _, row := range []struct {
		name, text string
		args       []string
	}{
		{"a port that is taken", "is taken by another program", []string{"-addr", listener.Addr().String()}},
		{"the same, open to others", "is taken by another program", []string{"-addr", "0.0.0.0:" + portOf(listener)}},
		{"an address without a port", "missing port", []string{"-addr", "127.0.0.1"}},
		{"a port that is none", "-addr 127.0.0.1:99999: ", []string{"-addr", "127.0.0.1:99999"}},
		{"one of those, open to others", "-addr 0.0.0.0:99999: ", []string{"-addr", "0.0.0.0:99999"}},
		{"an unknown plan", `there is no plan "free"`, []string{"-plan", "free"}},
		{"faults above all", "share from 0 to 1", []string{"-faults", "1.5"}},
		{"no number of faults", "share from 0 to 1", []string{"-faults", "NaN"}},
		{"fewer than no people", "from 0 to 1000", []string{"-users", "-1"}},
		{"a crowd", "from 0 to 1000", []string{"-users", "99999999999999999999"}},
		{"an application for others", "-oauth is for clients on this machine", []string{"-oauth", "-addr", "0.0.0.0:0"}},
		{"an argument", `what is "serve"`, []string{"serve"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			require.ErrorContains(t, run(ctx, row.args, io.Discard, io.Discard), row.text)
		})
	}
}

func portOf(l net.Listener) string {
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}
