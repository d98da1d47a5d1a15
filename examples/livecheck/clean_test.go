package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

// when meddles with the calls of a method, by its end; n counts them from 1.
func when(method string, do func(n int, r *http.Request) (*http.Response, error)) func(int, *http.Request, *http.Response) (*http.Response, error) {
	n := 0
	return func(_ int, r *http.Request, resp *http.Response) (*http.Response, error) {
		if resp != nil || !strings.HasSuffix(r.URL.Path, method) {
			return nil, nil
		}
		n++
		return do(n, r)
	}
}

// requireNothingSeen looks at what the person sees.
func requireNothingSeen(t *testing.T, portal *imbottest.Portal) {
	t.Helper()
	for _, d := range portal.Dialogs(1) {
		require.Empty(t, written(portal, 1, d.ID))
	}
}

// A bot that is gone cannot delete what it wrote to a person.
func TestMessagesToAPersonAreGoneBeforeTheirBot(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		method string
		do     func(n int, r *http.Request) (*http.Response, error)
		again  bool // -clean is needed
	}{
		"batches do not work": {"/batch", func(int, *http.Request) (*http.Response, error) {
			return answers(403, `{"error":"ACCESS_DENIED","error_description":"Zq7"}`), nil
		}, false},
		"the batch of the deletions is not heard": {"/batch", func(n int, _ *http.Request) (*http.Response, error) {
			if n == 2 { // the first asks whether imbot.v2 works there
				return nil, errors.New("connection reset")
			}
			return nil, nil
		}, false},
		"the portal is busy when it is cleaned": {"Message.getContext", func(int, *http.Request) (*http.Response, error) {
			return answers(503, `{"error":"OVERLOAD_LIMIT","error_description":"Zq7"}`), nil
		}, true},
		"the chat cannot be read": {"Chat.get", func(int, *http.Request) (*http.Response, error) {
			return answers(400, `{"error":"ACCESS_DENIED"}`), nil
		}, true},
		"the chat does not tell its last message": {"Chat.get", func(int, *http.Request) (*http.Response, error) {
			return answers(200, `{"result":{"chat":{"id":5,"dialogId":"1","lastMessageId":null}}}`), nil
		}, false},
		"messages cannot be deleted": {"Message.delete", func(int, *http.Request) (*http.Response, error) {
			return answers(400, `{"error":"ACCESS_DENIED"}`), nil
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			portal := newPortal(t, imbottest.WithOther(map[bool][]imbottest.Doubt{true: {imbottest.DoubtV2InBatch}}[row.method == "Message.delete"]...))
			cfg, _ := newConfig(t, portal, "1", tierRead, tierPerson)
			victim := cfg
			victim.transport = &meddler{next: cfg.transport, with: when(row.method, row.do)}
			err := run(t.Context(), victim)
			if row.again {
				require.ErrorContains(t, err, "run it again with -clean: removing messages: refused: ")
				require.NotContains(t, err.Error(), marker)
				require.NoError(t, cleanUp(t.Context(), cfg))
			} else {
				require.NoError(t, err)
			}
			requireNothingLeft(t, portal)
			requireNothingSeen(t, portal)
			require.NoFileExists(t, cfg.journalPath)
		})
	}
}

// A portal goes on with a call whose line broke.
func TestABotThatComesLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal()
		defer portal.Close()
		cfg, _ := newConfig(t, portal, "1", tierRead, tierPerson)
		cfg.pace = time.Second
		victim := cfg
		victim.transport = &meddler{next: cfg.transport, with: func(_ int, r *http.Request, resp *http.Response) (*http.Response, error) {
			if resp == nil && strings.HasSuffix(r.URL.Path, "Bot.register") {
				body, err := io.ReadAll(r.Body)
				require.NoError(t, err)
				late := r.Clone(context.WithoutCancel(r.Context()))
				late.Body = io.NopCloser(bytes.NewReader(body))
				time.AfterFunc(4*time.Second, func() {
					_, err := cfg.transport.RoundTrip(late)
					assert.NoError(t, err)
				})
				return nil, errors.New("connection reset")
			}
			return nil, nil
		}}
		require.ErrorContains(t, run(t.Context(), victim), "run it again with -clean: a bot is still there")
		require.NoError(t, cleanUp(t.Context(), cfg))
		requireNothingLeft(t, portal)
	})
}

func TestAnInterruptDuringAQuestionRemovesAll(t *testing.T) {
	t.Parallel()
	for _, tier := range []tier{tierPerson, tierListen} {
		portal := newPortal(t)
		cfg, h := newConfig(t, portal, "1", tierRead, tier)
		cfg.yes = true
		nobody, _ := io.Pipe()
		cfg.in.Reset(nobody)
		ctx, interrupt := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- run(ctx, cfg) }()
		require.Eventually(t, func() bool {
			return strings.HasSuffix(h.seen(), "cannot say): ") || strings.HasSuffix(h.seen(), "press Enter. ")
		}, 10*time.Second, time.Millisecond)
		interrupt()
		require.ErrorIs(t, <-done, context.Canceled)
		require.Contains(t, h.seen(), "Interrupted")
		requireNothingLeft(t, portal)
		requireNothingSeen(t, portal)
		require.NoFileExists(t, cfg.journalPath)
	}
}

// What an interrupted call has made is known, because its answer is waited for.
func TestAnInterruptWaitsForAnAnswer(t *testing.T) {
	t.Parallel()
	portal := newPortal(t)
	cfg, _ := newConfig(t, portal, "1", tierRead, tierWrite)
	ctx, interrupt := context.WithCancel(t.Context())
	var asked error
	cfg.transport = &meddler{next: cfg.transport, with: when("Bot.register", func(_ int, r *http.Request) (*http.Response, error) {
		interrupt()
		asked = r.Context().Err()
		return nil, nil
	})}
	require.ErrorIs(t, run(ctx, cfg), context.Canceled)
	require.NoError(t, asked)
	requireNothingLeft(t, portal)
}

// Every second call is refused for want of time, so each takes two.
func TestCleaningHasCallsLeftOnABusyPortal(t *testing.T) {
	t.Parallel()
	for _, opts := range [][]imbottest.Option{nil, {imbottest.WithOther(imbottest.DoubtV2InBatch)}} {
		synctest.Test(t, func(t *testing.T) {
			portal := imbottest.NewPortal(opts...)
			defer portal.Close()
			cfg, h := newConfig(t, portal, "1", tierRead, tierWrite)
			cfg.retry = imbot.Retry{MaxAttempts: 2}
			calls := 0
			cfg.transport = &meddler{next: cfg.transport, with: func(n int, _ *http.Request, resp *http.Response) (*http.Response, error) {
				calls = n
				if n%2 == 1 && resp == nil {
					return answers(503, `{"error":"QUERY_LIMIT_EXCEEDED"}`), nil
				}
				return nil, nil
			}}
			require.NoError(t, run(t.Context(), cfg), h.seen())
			require.LessOrEqual(t, calls, mostCalls)
			require.Contains(t, h.seen(), "the calls of this run were used up")
			requireNothingLeft(t, portal)
			require.NoFileExists(t, cfg.journalPath)
		})
	}
}

// An error in the middle keeps nothing else from being removed.
func TestCleaningGoesOnAfterAnError(t *testing.T) {
	t.Parallel()
	portal := newPortal(t)
	cfg, _ := newConfig(t, portal, "1", tierRead, tierWrite)
	victim := cfg
	victim.transport = &meddler{next: cfg.transport, with: awayFrom(30)}
	require.Error(t, run(t.Context(), victim))
	bots := func() (n int) {
		for _, u := range portal.Users() {
			if u.Bot && !u.Gone {
				n++
			}
		}
		return n
	}
	require.Equal(t, 2, bots())
	victim.transport = &meddler{next: cfg.transport, with: when("Bot.get", func(n int, _ *http.Request) (*http.Response, error) {
		if n == 1 {
			return answers(503, `{"error":"OVERLOAD_LIMIT"}`), nil
		}
		return nil, nil
	})}
	require.ErrorContains(t, cleanUp(t.Context(), victim), "looking for a bot: refused: HTTP 503 OVERLOAD_LIMIT")
	require.Equal(t, 1, bots())
	require.NoError(t, cleanUp(t.Context(), cfg))
	requireNothingLeft(t, portal)
}

func TestABotOfTheFirstGenerationThatTheSecondDoesNotShow(t *testing.T) {
	t.Parallel()
	portal := newPortal(t)
	cfg, _ := newConfig(t, portal, "1", tierRead, tierWrite)
	victim := cfg
	v1 := false
	victim.transport = &meddler{next: cfg.transport, with: func(_ int, r *http.Request, resp *http.Response) (*http.Response, error) {
		if v1 {
			return nil, errors.New("no route to host")
		}
		v1 = resp != nil && strings.HasSuffix(r.URL.Path, "/imbot.register")
		return nil, nil
	}}
	require.Error(t, run(t.Context(), victim))
	j, err := readJournal(cfg.journalPath)
	require.NoError(t, err)
	hidden := []string{j.entries[len(j.entries)-1].Code}
	for _, u := range portal.Users() {
		if u.FirstName == botNameV1 {
			hidden = append(hidden, `"botId":`+u.ID.String())
		}
	}
	victim.transport = &meddler{next: cfg.transport, with: func(_ int, r *http.Request, resp *http.Response) (*http.Response, error) {
		if resp != nil || !strings.Contains(r.URL.Path, "v2.Bot.") {
			return nil, nil
		}
		body, err := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		for _, hidden := range hidden {
			if bytes.Contains(body, []byte(hidden)) {
				return answers(400, `{"error":"BOT_NOT_FOUND"}`), err
			}
		}
		return nil, err
	}}
	require.NoError(t, cleanUp(t.Context(), victim))
	requireNothingLeft(t, portal)
}

// A bot that owns a chat could delete what others wrote there.
func TestWhatAPersonWroteStays(t *testing.T) {
	t.Parallel()
	portal := newPortal(t)
	cfg, _ := newConfig(t, portal, "1", tierRead, tierListen)
	looked := false
	cfg.transport = &meddler{next: cfg.transport, with: when("Chat.User.delete", func(int, *http.Request) (*http.Response, error) {
		for _, d := range portal.Dialogs(1) {
			for _, m := range portal.Messages(1, d.ID) {
				looked = looked || m.AuthorID == 1 && !m.Deleted && strings.Contains(m.Text, "hello")
			}
		}
		return nil, nil
	})}
	require.NoError(t, run(t.Context(), cfg))
	require.True(t, looked)
}

func TestNoMoreCallsThanPromised(t *testing.T) {
	t.Parallel()
	w := &wire{next: &meddler{with: func(int, *http.Request, *http.Response) (*http.Response, error) { return answers(200, "{}"), nil }}}
	for n := range mostCalls + 1 {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://portal.example.com/", nil)
		require.NoError(t, err)
		resp, err := w.RoundTrip(r)
		if n == mostCalls {
			require.ErrorIs(t, err, errUsedUp)
			return
		}
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
	}
}

// The one who cleans need not be the one who was let in.
func TestCleaningWithTheWebhookOfSomebodyElse(t *testing.T) {
	t.Parallel()
	portal := newPortal(t)
	cfg, _ := newConfig(t, portal, "1", tierRead, tierListen)
	victim := cfg
	victim.transport = &meddler{next: cfg.transport, with: func(_ int, r *http.Request, resp *http.Response) (*http.Response, error) {
		if resp == nil && strings.HasSuffix(r.URL.Path, "Chat.User.delete") {
			return nil, errors.New("no route to host")
		}
		return nil, nil
	}}
	require.Error(t, run(t.Context(), victim))
	require.NotEmpty(t, portal.Dialogs(1))
	hook, err := portal.WebhookOf(portal.AddUser("Boris", ""), "")
	require.NoError(t, err)
	cfg.hook = hook.URL
	require.NoError(t, cleanUp(t.Context(), cfg))
	requireNothingLeft(t, portal)
	require.Empty(t, portal.Dialogs(1))
}

func TestAnInterruptBeforeTheFirstCall(t *testing.T) {
	t.Parallel()
	portal := newPortal(t)
	cfg, h := newConfig(t, portal, "1", tierRead, tierWrite)
	nobody, _ := io.Pipe()
	cfg.in.Reset(nobody)
	ctx, interrupt := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- run(ctx, cfg) }()
	require.Eventually(t, func() bool { return strings.HasSuffix(h.seen(), "(y/N) ") }, 10*time.Second, time.Millisecond)
	interrupt()
	require.ErrorContains(t, <-done, "interrupted")
	require.Empty(t, portal.Calls(""))
	require.NoFileExists(t, cfg.journalPath)
}
