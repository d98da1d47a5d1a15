package imbot_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// A bubble of testing/synctest fails its test when a goroutine of the handler is left
// at the end, so nearly every test here runs in one.

const (
	joinEvent   = "event=ONIMBOTJOINCHAT&data[PARAMS][DIALOG_ID]=27"
	deleteEvent = "event=ONIMBOTDELETE&data[BOT_ID]=567"
	otherEvent  = "event=ONIMBOTTOMORROW&data[PARAMS][DIALOG_ID]=27"
)

func messageIn(dialog, text string) string {
	return "event=ONIMBOTMESSAGEADD&data[PARAMS][DIALOG_ID]=" + dialog + "&data[PARAMS][MESSAGE]=" + text
}

// deliver posts a genuine event and returns the status.
func deliver(h *imbot.EventHandler, body string) int {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, eventPost(formType, body))
	return w.Code
}

func logTo(out io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(out, nil)) }

func TestTheAnswerDoesNotWaitForTheCallback(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release, running := make(chan struct{}), false
		h := &imbot.EventHandler{Verifier: trustAll{}, OnMessage: func(context.Context, *imbot.MessageAddEvent) error {
			running = true
			<-release
			return nil
		}}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, eventPost(formType, messageIn("27", "hi")))
		require.Equal(t, http.StatusOK, w.Code)
		require.Empty(t, w.Body.String())
		synctest.Wait()
		require.True(t, running)
		require.Equal(t, imbot.EventStats{Accepted: 1}, h.Stats())

		close(release)
		require.NoError(t, h.Idle(t.Context()))
		require.Equal(t, imbot.EventStats{Accepted: 1, Handled: 1}, h.Stats())
	})
}

func TestOrderHoldsWithinADialog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var got []string // of one dialog, so never written at the same time
		h := &imbot.EventHandler{
			Verifier: trustAll{},
			OnMessage: func(_ context.Context, ev *imbot.MessageAddEvent) error {
				time.Sleep(time.Duration(5-len(got)) * time.Second) // the first takes longest
				got = append(got, ev.Params.Message)
				return nil
			},
			OnEvent: func(_ context.Context, ev imbot.Event) error { got = append(got, ev.Meta().Name); return nil },
		}
		for i := range 3 {
			require.Equal(t, http.StatusOK, deliver(h, messageIn("27", fmt.Sprint(i))))
		}
		require.Equal(t, http.StatusOK, deliver(h, joinEvent))
		require.Equal(t, http.StatusOK, deliver(h, otherEvent), "also an event without a type has its place")
		require.NoError(t, h.Idle(t.Context()))
		require.Equal(t, []string{"0", "1", "2", "ONIMBOTJOINCHAT", "ONIMBOTTOMORROW"}, got)
	})
}

func TestDialogsGoSideBySide(t *testing.T) {
	t.Parallel()
	rows := map[string][]string{
		"two people":                    {messageIn("27", "a"), messageIn("28", "a")},
		"two group chats":               {messageIn("chat5", "a"), messageIn("chat6", "a")},
		"the same id in two portals":    {messageIn("27", "a") + "&auth[member_id]=x", messageIn("27", "a") + "&auth[member_id]=y"},
		"two messages without a dialog": {messageIn("", "a"), messageIn("", "b")},
	}
	for name, bodies := range rows {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &imbot.EventHandler{Verifier: trustAll{}, OnMessage: func(context.Context, *imbot.MessageAddEvent) error {
					time.Sleep(time.Minute)
					return nil
				}}
				start := time.Now()
				for _, body := range bodies {
					require.Equal(t, http.StatusOK, deliver(h, body))
				}
				require.NoError(t, h.Idle(t.Context()))
				require.Equal(t, time.Minute, time.Since(start))
			})
		})
	}
}

func TestAFullQueueIsToldToThePortalAndCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		release := make(chan struct{})
		h := &imbot.EventHandler{
			Verifier: trustAll{}, Workers: 1, Queue: 1, Logger: logTo(&log),
			OnMessage: func(context.Context, *imbot.MessageAddEvent) error { <-release; return nil },
		}
		require.Equal(t, http.StatusOK, deliver(h, messageIn("27", "runs")))
		require.Equal(t, http.StatusOK, deliver(h, messageIn("28", "waits")))
		require.Equal(t, http.StatusServiceUnavailable, deliver(h, messageIn("29", marker)))
		require.Equal(t, imbot.EventStats{Accepted: 2, Dropped: 1, Queued: 1}, h.Stats())
		require.Contains(t, log.String(), "imbot: event lost")
		require.Contains(t, log.String(), "queue is full")
		require.NotContains(t, log.String(), marker)

		close(release)
		require.NoError(t, h.Idle(t.Context()))
		require.Equal(t, http.StatusOK, deliver(h, messageIn("29", "again")))
		require.NoError(t, h.Idle(t.Context()))
		require.Equal(t, imbot.EventStats{Accepted: 3, Handled: 3, Dropped: 1}, h.Stats())
	})
}

// The clock of a bubble moves only while everything waits, so an answer that
// waited for the bot would show, and for ever if the bot is blocked.
func TestABlockedBotAnswersAThousandEventsAndLosesNone(t *testing.T) {
	t.Parallel()
	dialogs := map[string]func(i int) string{
		"of one dialog":           func(int) string { return "27" },
		"of as many dialogs":      func(i int) string { return fmt.Sprint("chat", i) },
		"of some dialogs in turn": func(i int) string { return fmt.Sprint("chat", i%7) },
	}
	for name, dialog := range dialogs {
		for queue, least := range map[int]int{0: 1000, 100: 100} { // the default takes them all
			t.Run(fmt.Sprint(name, ", queue ", queue), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					release := make(chan struct{})
					handled := make(chan imbot.ID, 1000)
					h := &imbot.EventHandler{
						Verifier: trustAll{}, Queue: queue, Logger: slog.New(slog.DiscardHandler),
						OnMessage: func(_ context.Context, ev *imbot.MessageAddEvent) error {
							<-release
							handled <- ev.Params.MessageID
							return nil
						},
					}
					start := time.Now()
					accepted := map[imbot.ID]bool{}
					for i := range 1000 {
						body := fmt.Sprintf("event=ONIMBOTMESSAGEADD&ts=1&data[PARAMS][DIALOG_ID]=%s&data[PARAMS][MESSAGE_ID]=%d", dialog(i), i+1)
						switch status := deliver(h, body); status {
						case http.StatusOK:
							accepted[imbot.ID(i+1)] = true
						default:
							require.Equal(t, http.StatusServiceUnavailable, status)
						}
					}
					require.Zero(t, time.Since(start))
					require.GreaterOrEqual(t, len(accepted), least)
					require.Equal(t, int64(len(accepted)), h.Stats().Accepted)

					close(release)
					require.NoError(t, h.Shutdown(t.Context()))
					close(handled)
					for id := range handled {
						require.True(t, accepted[id], "%d was refused, or handled twice", id)
						delete(accepted, id)
					}
					require.Empty(t, accepted, "answered with 200, but not handled")
				})
			})
		}
	}
}

func TestWithoutNumbers512RunAnd1024Wait(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, -1} {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			running := make(chan struct{}, 2000)
			h := &imbot.EventHandler{
				Verifier: trustAll{}, Workers: n, Queue: n, Logger: slog.New(slog.DiscardHandler),
				OnMessage: func(context.Context, *imbot.MessageAddEvent) error {
					running <- struct{}{}
					<-release
					return nil
				},
			}
			for i := range 512 + 1024 {
				require.Equal(t, http.StatusOK, deliver(h, messageIn(fmt.Sprint(i+1), "hi")))
			}
			require.Equal(t, http.StatusServiceUnavailable, deliver(h, messageIn("5000", "hi")))
			synctest.Wait()
			require.Len(t, running, 512)
			require.Equal(t, imbot.EventStats{Accepted: 1536, Dropped: 1, Queued: 1024}, h.Stats())
			close(release)
			require.NoError(t, h.Shutdown(t.Context()))
		})
	}
}

func TestTheContextOfACallbackEndsWithItAndNotWithItsRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		var got context.Context
		var during error
		release := make(chan struct{})
		h := &imbot.EventHandler{Verifier: trustAll{}, OnMessage: func(ctx context.Context, _ *imbot.MessageAddEvent) error {
			<-release
			got, during = ctx, ctx.Err()
			return nil
		}}
		request, end := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
		h.ServeHTTP(httptest.NewRecorder(), eventPost(formType, messageIn("27", "hi")).WithContext(request))
		end()
		close(release)
		require.NoError(t, h.Idle(t.Context()))
		require.Equal(t, imbot.EventStats{Accepted: 1, Handled: 1}, h.Stats())
		require.NoError(t, during)
		require.Nil(t, got.Value(key{}))
		require.ErrorIs(t, got.Err(), context.Canceled, "the callback has returned")
		require.NoError(t, h.Shutdown(t.Context()))
	})
}

func TestShutdownDrains(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &imbot.EventHandler{
			Verifier: trustAll{}, Workers: 1, Logger: slog.New(slog.DiscardHandler),
			OnMessage: func(ctx context.Context, _ *imbot.MessageAddEvent) error { time.Sleep(time.Second); return ctx.Err() },
		}
		for range 3 {
			require.Equal(t, http.StatusOK, deliver(h, messageIn("27", "hi")))
		}
		start := time.Now()
		done := make(chan error, 1)
		go func() { done <- h.Shutdown(t.Context()) }()
		synctest.Wait()
		require.Equal(t, http.StatusServiceUnavailable, deliver(h, messageIn("27", "late")))
		require.NoError(t, <-done)
		require.Equal(t, 3*time.Second, time.Since(start))
		require.Equal(t, imbot.EventStats{Accepted: 3, Handled: 3, Dropped: 1}, h.Stats())
		require.NoError(t, h.Shutdown(t.Context()), "once more")
	})
}

func TestShutdownGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var cause error
		h := &imbot.EventHandler{
			Verifier: trustAll{},
			OnMessage: func(ctx context.Context, _ *imbot.MessageAddEvent) error {
				<-ctx.Done()
				return ctx.Err()
			},
			OnError: func(_ context.Context, _ imbot.Event, err error) { cause = err },
		}
		for range 3 {
			require.Equal(t, http.StatusOK, deliver(h, messageIn("27", "hi")))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start := time.Now()
		err := h.Shutdown(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "2 events were dropped, 1 interrupted")
		require.Equal(t, 5*time.Second, time.Since(start))

		require.NoError(t, h.Idle(t.Context()))
		require.ErrorIs(t, cause, context.Canceled)
		require.Equal(t, imbot.EventStats{Accepted: 3, Failed: 1}, h.Stats(), "two were given up")
	})
}

func TestIdle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := &imbot.EventHandler{Verifier: trustAll{}, OnMessage: func(context.Context, *imbot.MessageAddEvent) error {
			time.Sleep(time.Minute)
			return nil
		}}
		require.NoError(t, h.Idle(t.Context()), "nothing has come yet")
		require.Equal(t, imbot.EventStats{}, h.Stats())
		deliver(h, messageIn("27", "first"))
		deliver(h, messageIn("27", "second"))

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, h.Idle(ctx), context.DeadlineExceeded)
		start := time.Now()
		require.NoError(t, h.Idle(t.Context()))
		require.Equal(t, 2*time.Minute-time.Second, time.Since(start))
	})
}

// calls notes which callback got which event.
type calls []string

func (c *calls) note(callback string, ev imbot.Event) error {
	*c = append(*c, callback+" "+ev.Meta().Name)
	return nil
}

// handler notes all calls, one at a time.
func (c *calls) handler() *imbot.EventHandler {
	return &imbot.EventHandler{
		Verifier: trustAll{}, Workers: 1,
		OnMessage:   func(_ context.Context, ev *imbot.MessageAddEvent) error { return c.note("OnMessage", ev) },
		OnJoinChat:  func(_ context.Context, ev *imbot.JoinChatEvent) error { return c.note("OnJoinChat", ev) },
		OnBotDelete: func(_ context.Context, ev *imbot.BotDeleteEvent) error { return c.note("OnBotDelete", ev) },
		OnEvent:     func(_ context.Context, ev imbot.Event) error { return c.note("OnEvent", ev) },
	}
}

func TestAnEventGoesToItsCallbackElseToOnEvent(t *testing.T) {
	t.Parallel()
	bodies := []string{messageIn("27", "hi"), joinEvent, deleteEvent, otherEvent}
	all := []string{"OnMessage ONIMBOTMESSAGEADD", "OnJoinChat ONIMBOTJOINCHAT", "OnBotDelete ONIMBOTDELETE", "OnEvent ONIMBOTTOMORROW"}
	rows := map[string]struct {
		change func(*imbot.EventHandler)
		want   []string
	}{
		"every callback is set": {func(*imbot.EventHandler) {}, all},
		"no OnMessage":          {func(h *imbot.EventHandler) { h.OnMessage = nil }, []string{"OnEvent ONIMBOTMESSAGEADD", all[1], all[2], all[3]}},
		"no OnJoinChat":         {func(h *imbot.EventHandler) { h.OnJoinChat = nil }, []string{all[0], "OnEvent ONIMBOTJOINCHAT", all[2], all[3]}},
		"no OnBotDelete":        {func(h *imbot.EventHandler) { h.OnBotDelete = nil }, []string{all[0], all[1], "OnEvent ONIMBOTDELETE", all[3]}},
		"no OnEvent":            {func(h *imbot.EventHandler) { h.OnEvent = nil }, all[:3]},
		"no callback at all": {func(h *imbot.EventHandler) {
			h.OnMessage, h.OnJoinChat, h.OnBotDelete, h.OnEvent = nil, nil, nil, nil
		}, nil},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got calls
				h := got.handler()
				row.change(h)
				for _, body := range bodies {
					require.Equal(t, http.StatusOK, deliver(h, body))
					require.NoError(t, h.Idle(t.Context())) // one by one: dialogs have no order among them
				}
				require.Equal(t, row.want, []string(got))
				require.Equal(t, imbot.EventStats{Accepted: 4, Handled: 4}, h.Stats())
			})
		})
	}
}

func TestHandlerCallsBackForEachKind(t *testing.T) {
	t.Parallel()
	var got []string
	note := func(ev imbot.Event) error {
		got = append(got, ev.Meta().Name)
		return nil
	}
	all := &imbot.EventHandler{
		Verifier: trustAll{}, Workers: 1,
		OnCommand:       func(_ context.Context, ev *imbot.CommandAddEvent) error { return note(ev) },
		OnMessageUpdate: func(_ context.Context, ev *imbot.MessageUpdateEvent) error { return note(ev) },
		OnMessageDelete: func(_ context.Context, ev *imbot.MessageDeleteEvent) error { return note(ev) },
		OnContext:       func(_ context.Context, ev *imbot.ContextGetEvent) error { return note(ev) },
		OnEvent: func(_ context.Context, ev imbot.Event) error {
			t.Errorf("%s came to OnEvent", ev.Meta().Name)
			return nil
		},
	}
	rest := &imbot.EventHandler{Verifier: trustAll{}, Workers: 1, OnEvent: func(_ context.Context, ev imbot.Event) error { return note(ev) }}
	names := []string{"ONIMCOMMANDADD", "ONIMBOTMESSAGEUPDATE", "ONIMBOTMESSAGEDELETE", "ONIMBOTCONTEXTGET"}
	for _, h := range []*imbot.EventHandler{all, rest} {
		got = nil
		for _, name := range names {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, eventPost(formType, "event="+name))
			require.Equal(t, http.StatusOK, w.Code)
			require.NoError(t, h.Idle(t.Context()))
		}
		require.Equal(t, names, got)
	}
}

func TestOnEventGetsTheTypedEvent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var got []imbot.Event
		h := &imbot.EventHandler{Verifier: trustAll{}, Workers: 1, OnEvent: func(_ context.Context, ev imbot.Event) error {
			got = append(got, ev)
			return nil
		}}
		for _, body := range []string{messageIn("27", "hi"), deleteEvent, otherEvent} {
			deliver(h, body)
			require.NoError(t, h.Idle(t.Context()))
		}
		require.Len(t, got, 3)
		require.IsType(t, &imbot.MessageAddEvent{}, got[0])
		require.Equal(t, imbot.ID(567), got[1].(*imbot.BotDeleteEvent).BotID)
		require.Equal(t, "27", got[2].(*imbot.UnknownEvent).Raw.Get("data", "PARAMS", "DIALOG_ID"))
	})
}

var errCallback = errors.New("the callback's own error")

func TestTheErrorOfACallbackGoesToOnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		type failure struct {
			name   string
			err    error
			ctxErr error
		}
		var got []failure
		h := &imbot.EventHandler{
			Verifier: trustAll{}, Workers: 1, Logger: logTo(&log),
			OnMessage: func(context.Context, *imbot.MessageAddEvent) error { return errCallback },
			OnError: func(ctx context.Context, ev imbot.Event, err error) {
				got = append(got, failure{ev.Meta().Name, err, ctx.Err()})
			},
		}
		deliver(h, messageIn("27", "hi"))
		deliver(h, deleteEvent)
		require.NoError(t, h.Shutdown(t.Context()))
		require.Equal(t, []failure{{"ONIMBOTMESSAGEADD", errCallback, nil}}, got, "the context of OnError has not ended with the callback's")
		require.Empty(t, log.String(), "OnError has it")
		require.Equal(t, imbot.EventStats{Accepted: 2, Handled: 1, Failed: 1}, h.Stats())
	})
}

func TestWithoutOnErrorTheLogGetsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log, byDefault bytes.Buffer
		before := slog.Default()
		defer slog.SetDefault(before)
		slog.SetDefault(logTo(&byDefault))

		fail := func(context.Context, *imbot.MessageAddEvent) error { return errCallback }
		for _, h := range []*imbot.EventHandler{
			{Verifier: trustAll{}, OnMessage: fail, Logger: logTo(&log)},
			{Verifier: trustAll{}, OnMessage: fail},
		} {
			deliver(h, messageIn("27", marker))
			require.NoError(t, h.Shutdown(t.Context()))
		}
		for _, text := range []string{log.String(), byDefault.String()} {
			require.Contains(t, text, "level=ERROR")
			require.Contains(t, text, errCallback.Error())
			require.Contains(t, text, "ONIMBOTMESSAGEADD")
			require.NotContains(t, text, marker)
		}
	})
}

func panicsWith(value any) { panic(value) }

func TestAPanicInACallbackEndsNothing(t *testing.T) {
	t.Parallel()
	boom := func(h *imbot.EventHandler, value any) {
		h.OnMessage = func(context.Context, *imbot.MessageAddEvent) error { panicsWith(value); return nil }
		h.OnJoinChat = func(context.Context, *imbot.JoinChatEvent) error { panicsWith(value); return nil }
		h.OnBotDelete = func(context.Context, *imbot.BotDeleteEvent) error { panicsWith(value); return nil }
		h.OnEvent = func(context.Context, imbot.Event) error { panicsWith(value); return nil }
	}
	rows := map[string]struct {
		body  string
		value any
		text  string
	}{
		"OnMessage":             {messageIn("27", "hi"), "boom", "boom"},
		"OnJoinChat":            {joinEvent, "boom", "boom"},
		"OnBotDelete":           {deleteEvent, "boom", "boom"},
		"OnEvent":               {otherEvent, "boom", "boom"},
		"with an error":         {messageIn("27", "hi"), errCallback, errCallback.Error()},
		"with nil":              {messageIn("27", "hi"), nil, "nil"},
		"with http's own value": {messageIn("27", "hi"), http.ErrAbortHandler, "abort"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				var got calls
				var failures []error
				h := got.handler()
				h.Logger = logTo(&log)
				h.OnError = func(_ context.Context, _ imbot.Event, err error) { failures = append(failures, err) }
				boom(h, row.value)
				require.Equal(t, http.StatusOK, deliver(h, row.body))
				require.NoError(t, h.Idle(t.Context()))
				require.Len(t, failures, 1)
				require.ErrorContains(t, failures[0], "panic in an event callback")
				require.ErrorContains(t, failures[0], row.text)
				require.Contains(t, log.String(), "stack=")
				require.Contains(t, log.String(), "panicsWith", "the stack leads to the culprit")

				h.OnMessage = got.handler().OnMessage
				require.Equal(t, http.StatusOK, deliver(h, messageIn("27", "next")))
				require.NoError(t, h.Shutdown(t.Context()))
				require.Equal(t, calls{"OnMessage ONIMBOTMESSAGEADD"}, got)
				require.Equal(t, imbot.EventStats{Accepted: 2, Handled: 1, Failed: 1}, h.Stats())
			})
		})
	}
}

func TestAPanicInOnErrorEndsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		h := &imbot.EventHandler{
			Verifier: trustAll{}, Logger: logTo(&log),
			OnMessage: func(_ context.Context, ev *imbot.MessageAddEvent) error {
				if ev.Params.Message == "next" {
					return nil
				}
				panic("first")
			},
			OnError: func(context.Context, imbot.Event, error) { panicsWith("second") },
		}
		deliver(h, messageIn("27", "hi"))
		deliver(h, messageIn("27", "next"))
		require.NoError(t, h.Shutdown(t.Context()))
		require.Contains(t, log.String(), "panic=first")
		require.Contains(t, log.String(), "panic=second")
		require.Equal(t, imbot.EventStats{Accepted: 2, Handled: 1, Failed: 1}, h.Stats())
	})
}

func TestNoHandlerPrintsASecret(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h := &imbot.EventHandler{
		Verifier: imbot.ApplicationToken("s3cr3t-03"), Logger: logTo(&log), Queue: 7777,
		OnMessage: func(context.Context, *imbot.MessageAddEvent) error { return errCallback },
	}
	for _, name := range []string{"ONIMBOTMESSAGEADD", "ONIMBOTDELETE"} {
		h.ServeHTTP(httptest.NewRecorder(), eventPost("", fmt.Sprintf(secretBody, name)))
	}
	require.NoError(t, h.Shutdown(t.Context()))
	require.Equal(t, int64(1), h.Stats().Failed)
	for _, v := range []any{h, reflect.ValueOf(h).Elem().Interface(), imbot.Webhook{ClientID: "s3cr3t-03"}.Verifier(), h.Stats()} {
		hidesSecrets(t, v)
	}
	require.Contains(t, fmt.Sprintf("%+v", h), "7777")

	h.ServeHTTP(httptest.NewRecorder(), eventPost("", fmt.Sprintf(secretBody, "ONIMBOTJOINCHAT"))) // lost
	h.ServeHTTP(httptest.NewRecorder(), eventPost("", strings.ReplaceAll(fmt.Sprintf(secretBody, "ONIMBOTMESSAGEADD"), "s3cr3t-03", "s3cr3t-98")))
	require.Equal(t, 3, strings.Count(log.String(), "\n"), log.String())
	require.NotContains(t, log.String(), "s3cr3t")
}

// BenchmarkEventHandler takes new messages all the way to their callback.
func BenchmarkEventHandler(b *testing.B) {
	body := readSample(b, "messageadd_private.form")
	h := &imbot.EventHandler{
		Verifier:  imbot.ApplicationToken("d00d01a5d00d01a5d00d01a5d00d01"),
		OnMessage: func(context.Context, *imbot.MessageAddEvent) error { return nil },
		Queue:     1 << 20,
	}
	r := eventPost(formType, body)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r.Body = io.NopCloser(strings.NewReader(body + fmt.Sprint("&data[PARAMS][MESSAGE_ID]=", i+1)))
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
	if err := h.Shutdown(b.Context()); err != nil {
		b.Fatal(err)
	}
}
