package imbotv2

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// An oddPortal answers polls, also as no portal should: what the portal in memory never does.
type oddPortal struct {
	name     string // of the host
	limiter  imbot.Limiter
	mu       sync.Mutex
	queues   map[string][]string                              // events as JSON, by bot
	tokens   map[string]string                                // of bots, "": any
	refuse   func(bot string, batch bool) (code, text string) // "": it does not
	raw      func(bot string) string                          // a result; "": an honest one
	batch    trip                                             // what each batch is answered; zero: honestly
	requests []string                                         // method and commands
	lastID   int

	// of an application on several portals, by host
	bots   map[string][]int  // in fetch mode; the one in webhook mode and the foreign one are there anyway
	hosts  map[string]int    // requests
	broken map[string]string // codes of all answers
}

// bots is the answer to Bot.list.
func bots(ids []int) string {
	list := []string{`{"id":900,"code":"w","eventMode":"webhook"}`, `{"id":901,"code":"f"}`}
	for _, id := range ids {
		list = append(list, fmt.Sprintf(`{"id":%d,"code":"b%d","eventMode":"fetch"}`, id, id))
	}
	return `{"bots":[` + strings.Join(list, ",") + `],"users":[],"hasNextPage":false}`
}

// trip is the answer to a request.
type trip struct {
	status int
	body   string
}

var oddPortals atomic.Int64

func newOddPortal() *oddPortal {
	return &oddPortal{
		name: fmt.Sprint("odd", oddPortals.Add(1)), limiter: imbot.NewLimiter(2, 50),
		queues: map[string][]string{}, tokens: map[string]string{},
		bots: map[string][]int{}, hosts: map[string]int{}, broken: map[string]string{},
	}
}

// say puts a message into the queue of a bot.
func (p *oddPortal) say(bot, dialog, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lastID++
	p.queues[bot] = append(p.queues[bot], fmt.Sprintf(`{"eventId":%d,"type":"ONIMBOTV2MESSAGEADD","date":%q,"data":{"bot":{"id":%s,"code":"b"},"chat":{"dialogId":%q,"id":5},"message":{"id":%d,"text":%q,"authorId":1},"user":{"id":1,"name":"A"}}}`,
		p.lastID, time.Now().Format(time.RFC3339), bot, dialog, p.lastID+1000, text))
}

// RoundTrip implements [http.RoundTripper].
func (p *oddPortal) RoundTrip(r *http.Request) (*http.Response, error) {
	defer func() { _ = r.Body.Close() }()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var params struct {
		BotID    json.Number       `json:"botId"`
		BotToken string            `json:"botToken"`
		Offset   int               `json:"offset"`
		Limit    int               `json:"limit"`
		Cmd      map[string]string `json:"cmd"`
	}
	if err := json.Unmarshal(body, &params); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	method := strings.TrimSuffix(path.Base(r.URL.Path), ".json")
	p.hosts[r.URL.Host]++
	if code := p.broken[r.URL.Host]; code != "" {
		p.mu.Unlock()
		time.Sleep(20 * time.Second) // it takes its time, too
		p.mu.Lock()
		return answer(r, http.StatusBadRequest, fmt.Sprintf(`{"error":%q,"error_description":"broken"}`, code)), nil
	}
	switch method {
	case "batch":
		if p.batch.status != 0 {
			return answer(r, p.batch.status, p.batch.body), nil
		}
	case "imbot.message.add":
		return answer(r, http.StatusOK, `{"result":1}`), nil
	case "imbot.v2.Bot.list":
		return answer(r, http.StatusOK, `{"result":`+bots(p.bots[r.URL.Host])+`}`), nil
	default:
		p.requests = append(p.requests, method)
		result, code := p.get(params.BotID.String(), params.BotToken, params.Offset, params.Limit, false)
		if code != "" {
			return answer(r, http.StatusBadRequest, code), nil
		}
		return answer(r, http.StatusOK, `{"result":`+result+`}`), nil
	}
	p.requests = append(p.requests, fmt.Sprint("batch of ", len(params.Cmd)))
	results, errs := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	for name, command := range params.Cmd {
		_, query, _ := strings.Cut(command, "?")
		form, err := url.ParseQuery(query)
		if err != nil {
			return nil, err
		}
		result, code := p.get(form.Get("botId"), form.Get("botToken"), number(form.Get("offset")), number(form.Get("limit")), true)
		if code != "" {
			errs[name] = json.RawMessage(code)
		} else {
			results[name] = json.RawMessage(result)
		}
	}
	text, err := json.Marshal(map[string]any{"result": map[string]any{"result": results, "result_error": errs, "result_total": []int{}, "result_next": []int{}, "result_time": []int{}}})
	return answer(r, http.StatusOK, string(text)), err
}

// get reads a queue. failed is an error as JSON.
func (p *oddPortal) get(bot, token string, offset, limit int, batch bool) (result, failed string) {
	if p.refuse != nil {
		if code, text := p.refuse(bot, batch); code != "" {
			return "", fmt.Sprintf(`{"error":%q,"error_description":%q}`, code, text)
		}
	}
	if want := p.tokens[bot]; want != "" && want != token {
		return "", `{"error":"BOT_OWNERSHIP_ERROR","error_description":"not the token of this bot"}`
	}
	if p.raw != nil {
		if result := p.raw(bot); result != "" {
			return result, ""
		}
	}
	p.queues[bot] = slices.DeleteFunc(p.queues[bot], func(ev string) bool { return numberOf(ev) < offset })
	page := p.queues[bot][:min(len(p.queues[bot]), limit)]
	next := offset
	if len(page) > 0 {
		next = numberOf(page[len(page)-1]) + 1
	}
	return fmt.Sprintf(`{"events":[%s],"nextOffset":%d,"hasMore":%t}`, strings.Join(page, ","), next, len(page) == limit), ""
}

// asked returns the requests since the last call.
func (p *oddPortal) asked() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	requests := p.requests
	p.requests = nil
	return requests
}

func (p *oddPortal) left(bot string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.queues[bot])
}

func answer(r *http.Request, status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Request: r, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewBufferString(body)), ContentLength: int64(len(body)),
	}
}

func number(s string) int { n, _ := strconv.Atoi(cmp.Or(s, "0")); return n }

func numberOf(event string) int {
	id := 0
	_, _ = fmt.Sscanf(event, `{"eventId":%d`, &id)
	return id
}

// options are those of its clients. The shared limiter brings the buckets of all portals up to
// date at times, so it must not serve bubbles whose clocks differ.
func (p *oddPortal) options() []imbot.Option {
	return []imbot.Option{imbot.WithHTTPClient(&http.Client{Transport: p}), imbot.WithLimiter(p.limiter)}
}

// client returns a client over the portal. Each portal has a host of its own, because the bots
// that are polled go by host.
func (p *oddPortal) client(t *testing.T, token string) *Client {
	t.Helper()
	hook := imbot.Webhook{URL: "https://" + p.name + ".test/rest/1/secret0/", BotToken: token}
	c, err := NewClient(hook, p.options()...)
	require.NoError(t, err)
	return c
}
