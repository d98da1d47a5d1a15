package imbotv2

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// A personsPortal has the queue of one person.
type personsPortal struct {
	mu         sync.Mutex
	subscribed int // how often
	events     []string
	lastID     int
	answer     func(method string) string // "": an honest one
	sent       []string
}

// happen puts an event into the queue.
func (p *personsPortal) happen(event, data string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lastID++
	p.events = append(p.events, fmt.Sprintf(`{"eventId":%d,"type":%q,"date":%q,"data":%s}`, p.lastID, event, time.Now().Format(time.RFC3339), data))
}

// state is what the portal knows: the events that are left, how often somebody has subscribed, and
// the first two calls.
func (p *personsPortal) state() (left, subscribed int, first []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.events), p.subscribed, append([]string(nil), p.sent[:min(2, len(p.sent))]...)
}

func (p *personsPortal) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var params struct{ Offset, Limit int }
	if err := json.Unmarshal(body, &params); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	method := path.Base(r.URL.Path)
	p.sent = append(p.sent, method+string(body))
	answer := ""
	if p.answer != nil {
		answer = p.answer(method)
	}
	switch {
	case answer != "":
	case method == "im.v2.Event.subscribe":
		p.subscribed++
		answer = `{"result":true}`
	case method == "im.v2.Event.get":
		first := p.lastID - len(p.events) + 1
		p.events = p.events[min(max(params.Offset-first, 0), len(p.events)):]
		page := p.events[:min(params.Limit, len(p.events))]
		answer = fmt.Sprintf(`{"result":{"events":[%s],"nextOffset":%d,"hasMore":%t}}`, strings.Join(page, ","), p.lastID+1, len(page) == params.Limit)
	default:
		answer = `{"error":"ERROR_METHOD_NOT_FOUND","error_description":""}`
	}
	return response(http.StatusOK, http.Header{"Content-Type": {"application/json"}}, strings.NewReader(answer), -1)
}

func (p *personsPortal) client(t *testing.T) *Client {
	t.Helper()
	c, err := NewClient(imbot.Webhook{URL: "https://" + strings.ToLower(path.Base(t.Name())) + ".bitrix24.com/rest/1/s3cr3t/"},
		imbot.WithHTTPClient(&http.Client{Transport: p}), imbot.WithLimiter(nil))
	require.NoError(t, err)
	return c
}

func TestPollUserHandsOverTheEventsOfAPerson(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		message, err := os.ReadFile("testdata/events/im_v2_events_0.json")
		require.NoError(t, err)
		p := &personsPortal{}
		const where = `"chat":{"dialogId":"chat5"},"user":{"id":1}`
		p.happen("ONIMV2MESSAGEADD", string(message))
		p.happen("ONIMV2MESSAGEUPDATE", `{"message":{"id":5012,"text":"new"},`+where+`}`)
		p.happen("ONIMV2MESSAGEDELETE", `{"messageId":5012,`+where+`}`)
		p.happen("ONIMV2REACTIONCHANGE", `{"reaction":"like","action":"add","message":{"id":7},`+where+`}`)
		p.happen("ONIMV2JOINCHAT", `{"dialogId":"chat5",`+where+`}`)
		p.happen("ONIMV2NEW", `{`+where+`}`)
		var heard []string
		hear := func(ev imbot.Event, text string) error {
			require.Equal(t, imbot.DialogID("chat5"), ev.Dialog())
			require.Equal(t, imbot.ID(1), ev.AuthorID())
			heard = append(heard, text)
			return nil
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() {
			ended <- PollUser(ctx, &UserEventHandler{
				OnMessage:       func(_ context.Context, ev *UserMessageAddEvent) error { return hear(ev, ev.Message.Text) },
				OnMessageUpdate: func(_ context.Context, ev *UserMessageUpdateEvent) error { return hear(ev, ev.Message.Text) },
				OnMessageDelete: func(_ context.Context, ev *UserMessageDeleteEvent) error { return hear(ev, "gone") },
				OnReaction:      func(_ context.Context, ev *UserReactionChangeEvent) error { return hear(ev, string(ev.Reaction)) },
				OnJoinChat:      func(_ context.Context, ev *UserJoinChatEvent) error { return hear(ev, "joined") },
				OnEvent: func(_ context.Context, ev imbot.Event) error {
					heard = append(heard, ev.Meta().Name)
					return nil
				},
			}, p.client(t).WithBot(5))
		}()
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, []string{"Hello everyone!", "new", "gone", "like", "joined", "ONIMV2NEW"}, heard, "in order, once")
		left, _, first := p.state()
		require.Zero(t, left, "all is acknowledged")
		require.Equal(t, []string{`im.v2.Event.subscribe{}`, `im.v2.Event.get{"limit":100}`}, first, "neither a bot nor its token")
		time.Sleep(2*time.Hour + time.Minute)
		synctest.Wait()
		_, subscribed, _ := p.state()
		require.Equal(t, 3, subscribed, "once an hour")
		cancel()
		require.NoError(t, <-ended)
	})
}

func TestPollUserEndsAndWaitsAsPollDoes(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		answer string
		times  int
		want   error // nil: it waits
	}{
		"scope":     {`{"error":"insufficient_scope","error_description":""}`, 1e9, imbot.ErrInsufficientScope},
		"old":       {`{"error":"ERROR_METHOD_NOT_FOUND","error_description":""}`, 1e9, imbot.ErrMethodNotFound},
		"trouble":   {`{"error":"INTERNAL_SERVER_ERROR","error_description":""}`, 3, nil},
		"gibberish": {`{"result":"?"}`, 3, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &personsPortal{}
				asked := 0
				p.answer = func(string) string {
					if asked++; asked <= row.times {
						return row.answer
					}
					return ""
				}
				p.happen("ONIMV2MESSAGEADD", `{"message":{"id":1},"chat":{"dialogId":"chat5"}}`)
				heard := 0
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				defer cancel()
				err := PollUser(ctx, &UserEventHandler{
					OnMessage: func(context.Context, *UserMessageAddEvent) error { heard++; return nil }, Logger: slog.New(slog.DiscardHandler),
				}, p.client(t))
				require.ErrorIs(t, err, row.want)
				require.Equal(t, row.want == nil, heard == 1)
				require.Equal(t, row.want == nil, ctx.Err() != nil)
			})
		})
	}
}

func TestPollUserThatCannotWork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &personsPortal{}
		c := p.client(t)
		require.ErrorIs(t, PollUser(t.Context(), nil, c), imbot.ErrInvalid)
		require.ErrorIs(t, PollUser(t.Context(), &UserEventHandler{}, nil), imbot.ErrInvalid)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- PollUser(ctx, &UserEventHandler{}, c) }()
		synctest.Wait()
		err := PollUser(t.Context(), &UserEventHandler{}, c)
		require.ErrorIs(t, err, imbot.ErrConflict)
		require.NotContains(t, err.Error(), "s3cr3t")
		cancel()
		require.NoError(t, <-ended)
	})
}

// What a callback returns goes to OnError, whose event is of its type.
func TestPollUserReportsErrors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &personsPortal{}
		p.happen("ONIMV2MESSAGEADD", `{"message":{"id":1},"chat":{"dialogId":"chat5"}}`)
		broken := errors.New("broken")
		ctx, cancel := context.WithCancel(t.Context())
		require.NoError(t, PollUser(ctx, &UserEventHandler{
			OnMessage: func(context.Context, *UserMessageAddEvent) error { return broken },
			OnError: func(_ context.Context, ev imbot.Event, err error) {
				require.IsType(t, &UserMessageAddEvent{}, ev)
				require.ErrorIs(t, err, broken)
				cancel()
			},
		}, p.client(t)))
		left, _, _ := p.state()
		require.Zero(t, left, "it counts as handled")
	})
}
