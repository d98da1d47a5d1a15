package imbot_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/imbot-go/imbot"
)

// These tests are about code of the user that panics, or ends its goroutine, in
// goroutines of the SDK, where that would end the program.

// endings are the two ways not to return.
var endings = map[string]func(){"panics": func() { panicsWith("boom " + webhookSecret) }, "ends its goroutine": runtime.Goexit}

// A culprit is all that a user may plug into a client. One of it goes wrong when armed is
// set, once.
type culprit struct {
	imbot.Limiter
	http.RoundTripper
	armed string // "limiter", "observer", …
	ends  func()
	once  sync.Once
	batch bool // not before a batch
	sleep atomic.Bool
	done  atomic.Bool
}

func (c *culprit) strike(who string) {
	if c.armed == who && !c.sleep.Load() {
		c.once.Do(func() {
			c.done.Store(true)
			c.ends()
		})
	}
}

func (c *culprit) Wait(ctx context.Context, portal string) error {
	c.strike("limiter")
	return c.Limiter.Wait(ctx, portal)
}

func (c *culprit) RoundTrip(r *http.Request) (*http.Response, error) {
	if !c.batch || strings.HasSuffix(r.URL.Path, "/batch") {
		c.strike("transport")
	}
	return c.RoundTripper.RoundTrip(r)
}

func (c *culprit) observe(_ context.Context, info imbot.CallInfo) {
	if !c.batch || info.Batch > 0 {
		c.strike("observer")
	}
}

func (c *culprit) Token() (*oauth2.Token, error) {
	c.strike("tokens")
	return &oauth2.Token{AccessToken: accessToken}, nil
}

// A wildHandler is a slog.Handler that panics, or ends the goroutine, at every record.
type wildHandler struct {
	slog.Handler
	ends func()
}

func (h wildHandler) Enabled(context.Context, slog.Level) bool  { return true }
func (h wildHandler) Handle(context.Context, slog.Record) error { h.ends(); return nil }
func (h wildHandler) WithAttrs([]slog.Attr) slog.Handler        { return h }
func (h wildHandler) WithGroup(string) slog.Handler             { return h }
func wildLogger() *slog.Logger {
	return slog.New(wildHandler{slog.DiscardHandler, func() { panicsWith("logger") }})
}
func (c *culprit) client(t *testing.T, rt http.RoundTripper, opts ...imbot.Option) *imbot.Client {
	c.RoundTripper, c.Limiter = rt, imbot.NewLimiter(2, 50)
	var auth imbot.Auth = secretHook
	if c.armed == "tokens" {
		auth = oauth(c)
	}
	return over(t, auth, c, append(opts, imbot.WithLimiter(c), imbot.WithObserver(c.observe))...)
}

func TestAutomaticBatchesSurviveCodeOfTheUser(t *testing.T) {
	t.Parallel()
	for way, ends := range endings {
		for who, row := range map[string]struct {
			ran bool // the batch, before it
		}{
			"limiter":   {false},
			"tokens":    {false},
			"transport": {true},
			"observer":  {true},
		} {
			t.Run("a "+who+" that "+way, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var log bytes.Buffer
					guilty := &culprit{armed: who, ends: ends, batch: true}
					rt := slowly(newBatches(t, ids, nil), 100*time.Millisecond)
					logger := slog.New(slog.NewTextHandler(&log, nil))
					client := guilty.client(t, rt, imbot.WithAutoBatch(), imbot.WithLogger(logger))
					guilty.sleep.Store(true)
					results := make([]error, 20)
					var calls sync.WaitGroup
					call := func(i int) {
						calls.Go(func() {
							results[i] = errors.New("the goroutine of the caller has ended")
							_, results[i] = client.Message.Add(t.Context(), to(i/2+1, fmt.Sprint("m", i)))
						})
					}
					call(0) // alone, in the goroutine of its caller
					time.Sleep(10 * time.Millisecond)
					guilty.sleep.Store(false)
					for i := 1; i < len(results); i++ {
						call(i)
					}
					calls.Wait()
					require.True(t, guilty.done.Load(), "it did strike")

					failed := 0
					for i, err := range results {
						if err == nil {
							continue
						}
						failed++
						require.Equal(t, row.ran, errors.Is(err, imbot.ErrOutcomeUnknown), "%d: %v", i, err)
						if !row.ran {
							require.NotContains(t, rt.run, fmt.Sprint("m", i))
						}
						require.Contains(t, err.Error(), "code of the user")
						require.True(t, who == "tokens" || !strings.Contains(err.Error(), webhookSecret), "what the client knows as a secret is not told")
					}
					require.Positive(t, failed)
					for i := range results {
						if results[i] == nil {
							require.Contains(t, rt.run, fmt.Sprint("m", i))
						}
					}
					if way == "panics" {
						require.Contains(t, log.String(), "level=ERROR")
						require.Contains(t, log.String(), "panicsWith", "the stack leads to the culprit")
						require.True(t, who == "tokens" || !strings.Contains(log.String(), webhookSecret))
					}

					for i := range 20 { // no lane is held up, and the pump runs
						calls.Go(func() {
							_, err := client.Message.Add(t.Context(), to(i/2+1, fmt.Sprint("m", 100+i)))
							require.NoError(t, err)
						})
					}
					calls.Wait()
				})
			})
		}
	}
}

// A panic in the goroutine of the caller is the caller's; it holds nobody else up.
func TestAPanicOfTheCallersGoroutineHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	for way, ends := range endings {
		for _, who := range []string{"transport", "observer", "tokens"} {
			for kind, opts := range map[string][]imbot.Option{"": nil, " with automatic batches": {imbot.WithAutoBatch()}} {
				t.Run("a "+who+" that "+way+kind, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						guilty := &culprit{armed: who, ends: ends}
						client := guilty.client(t, newBatches(t, ids, nil), opts...)
						done := make(chan any)
						go func() {
							defer func() { done <- recover() }()
							_, _ = client.Message.Add(t.Context(), to(1, "m1"))
							t.Error("it returned")
						}()
						thrown := <-done
						require.Equal(t, way == "panics", thrown != nil)
						for i := range 3 {
							_, err := client.Message.Add(t.Context(), to(1, fmt.Sprint("m", i)))
							require.NoError(t, err)
						}
					})
				})
			}
		}
	}
}

func TestALoggerThatPanicsLosesItsRecordAndNothingElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rt := slowly(newBatches(t, ids, nil), 100*time.Millisecond)
		guilty := &culprit{armed: "observer", ends: endings["panics"], batch: true}
		client := guilty.client(t, rt, imbot.WithAutoBatch(), imbot.WithLogger(wildLogger().With("a", 1).WithGroup("g")))
		var calls sync.WaitGroup
		var failed atomic.Int64
		for i := range 20 {
			calls.Go(func() {
				if _, err := client.Message.Add(t.Context(), to(i+1, fmt.Sprint("m", i))); err != nil {
					failed.Add(1)
				}
			})
		}
		calls.Wait()
		require.Positive(t, failed.Load(), "those in the batch of the observer")
		_, err := client.Message.Add(t.Context(), to(1, "m1"))
		require.NoError(t, err)
	})
}

func TestKeepTypingSurvivesCodeOfTheUser(t *testing.T) {
	t.Parallel()
	for way, ends := range endings {
		for _, who := range []string{"limiter", "transport", "observer", "tokens"} {
			for kind, opts := range map[string][]imbot.Option{"": nil, " with automatic batches": {imbot.WithAutoBatch()}} {
				t.Run("a "+who+" that "+way+kind, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						var log bytes.Buffer
						guilty := &culprit{armed: who, ends: ends}
						client := guilty.client(t, always(200, `{"result":true}`), append(opts, imbot.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))...)
						stop := imbot.KeepTyping(t.Context(), client, "chat5")
						synctest.Wait()
						require.True(t, guilty.done.Load())
						stop()
						if way == "panics" {
							require.Contains(t, log.String(), "level=ERROR")
							require.Contains(t, log.String(), "boom")
							require.Contains(t, log.String(), "panicsWith")
						}
						require.True(t, who == "tokens" || !strings.Contains(log.String(), webhookSecret))
						require.NoError(t, client.Chat.SendTyping(t.Context(), imbot.ChatSendTypingRequest{DialogID: "chat5"}))
						stop = imbot.KeepTyping(t.Context(), client, "chat5")
						synctest.Wait()
						stop()
					})
				})
			}
		}
	}
}

// wildVerifier and wildClaims go wrong at an event with the text "first".
type wildVerifier struct{ ends func() }

func (v wildVerifier) Verify(_ context.Context, m *imbot.EventMeta) error {
	if m.Raw.Get("data", "PARAMS", "MESSAGE") == "first" {
		v.ends()
	}
	return nil
}

type wildClaims struct{ claim func() }

func (c *wildClaims) Claim(context.Context, string) (bool, error) { c.claim(); return true, nil }
func (c *wildClaims) Release(context.Context, string) error       { return nil }

func onceOnly(do func()) func() {
	var once sync.Once
	return func() { once.Do(do) }
}

// An event of which code of the user makes a mess is counted, and the next is handled.
func TestEventsAreCountedWhateverCodeOfTheUserDoes(t *testing.T) {
	t.Parallel()
	first := messageIn("27", "first") + "&ts=1&data[PARAMS][MESSAGE_ID]=1"
	next := messageIn("27", "next") + "&ts=2&data[PARAMS][MESSAGE_ID]=2"
	refuse := func(h *imbot.EventHandler) { h.Verifier = imbot.ApplicationToken("another") }
	for way, ends := range endings {
		panics := way == "panics"
		rows := map[string]struct {
			change func(*imbot.EventHandler)
			status int // 0: none, because the goroutine of the request has ended
			want   imbot.EventStats
		}{
			"a Verifier": {func(h *imbot.EventHandler) { h.Verifier = wildVerifier{ends} }, 503, imbot.EventStats{Refused: 1}},
			"Claims": {func(h *imbot.EventHandler) { h.Claims = &wildClaims{onceOnly(ends)} }, 200,
				imbot.EventStats{Accepted: 1, Handled: 1}},
			"a callback": {func(h *imbot.EventHandler) {
				h.OnMessage = func(context.Context, *imbot.MessageAddEvent) error { onceOnly(ends)(); return nil }
			}, 200, imbot.EventStats{Accepted: 1, Failed: 1}},
			"OnError": {func(h *imbot.EventHandler) {
				h.OnMessage = func(context.Context, *imbot.MessageAddEvent) error { return errCallback }
				h.OnError = func(context.Context, imbot.Event, error) { ends() }
			}, 200, imbot.EventStats{Accepted: 1, Failed: 1}},
			"a Logger, with a callback that panics": {func(h *imbot.EventHandler) {
				h.Logger = slog.New(wildHandler{slog.DiscardHandler, ends})
				h.OnMessage = func(context.Context, *imbot.MessageAddEvent) error { panicsWith("callback"); return nil }
			}, 200, imbot.EventStats{Accepted: 1, Failed: 1}},
			"a Logger, with a refusal": {func(h *imbot.EventHandler) {
				h.Logger = slog.New(wildHandler{slog.DiscardHandler, ends})
				refuse(h)
			}, 401, imbot.EventStats{Refused: 1}},
		}
		for name, row := range rows {
			t.Run(name+" that "+way, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var log bytes.Buffer
					var handled []string
					h := &imbot.EventHandler{Verifier: trustAll{}, Logger: logTo(&log), OnMessage: func(_ context.Context, ev *imbot.MessageAddEvent) error {
						handled = append(handled, ev.Params.Message)
						return nil
					}}
					note := h.OnMessage
					row.change(h)
					w, returned := httptest.NewRecorder(), false
					served := make(chan struct{})
					go func() {
						defer close(served)
						h.ServeHTTP(w, eventPost(formType, first))
						returned = true
					}()
					<-served
					require.NoError(t, h.Idle(t.Context()))
					if panics || returned {
						require.True(t, returned)
						require.Equal(t, row.status, w.Code)
					}
					if want := row.want; !panics && name == "Claims" {
						want = imbot.EventStats{Dropped: 1}
						require.Equal(t, want, h.Stats())
					} else {
						require.Equal(t, want, h.Stats())
					}
					if !strings.HasPrefix(name, "a Logger") {
						require.Contains(t, log.String(), "stack=")
					}

					h.Verifier, h.OnMessage = trustAll{}, note
					require.Equal(t, http.StatusOK, deliver(h, next))
					require.NoError(t, h.Shutdown(t.Context()))
					require.True(t, slices.Contains(handled, "next"))
				})
			})
		}
	}
}
