package imbot_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// Every test here runs in a bubble of testing/synctest, which fails it when a
// goroutine of the handler is left at the end.

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

func logTo(out *bytes.Buffer) *slog.Logger { return slog.New(slog.NewTextHandler(out, nil)) }

func TestTheAnswerDoesNotWaitForTheCallback(t *testing.T) {
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

func TestWithoutNumbers64RunAnd1024Wait(t *testing.T) {
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
			for i := range 64 + 1024 {
				require.Equal(t, http.StatusOK, deliver(h, messageIn(fmt.Sprint(i+1), "hi")))
			}
			require.Equal(t, http.StatusServiceUnavailable, deliver(h, messageIn("5000", "hi")))
			synctest.Wait()
			require.Len(t, running, 64)
			require.Equal(t, imbot.EventStats{Accepted: 1088, Dropped: 1, Queued: 1024}, h.Stats())
			close(release)
			require.NoError(t, h.Shutdown(t.Context()))
		})
	}
}

func TestTheContextOfACallbackIsNotThatOfItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		var got context.Context
		release := make(chan struct{})
		h := &imbot.EventHandler{Verifier: trustAll{}, OnMessage: func(ctx context.Context, _ *imbot.MessageAddEvent) error {
			<-release
			got = ctx
			return ctx.Err()
		}}
		request, end := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
		h.ServeHTTP(httptest.NewRecorder(), eventPost(formType, messageIn("27", "hi")).WithContext(request))
		end()
		close(release)
		require.NoError(t, h.Idle(t.Context()))
		require.Equal(t, imbot.EventStats{Accepted: 1, Handled: 1}, h.Stats())
		require.NoError(t, got.Err())
		require.Nil(t, got.Value(key{}))

		require.NoError(t, h.Shutdown(t.Context()))
		require.ErrorIs(t, got.Err(), context.Canceled, "the pool is over")
	})
}

func TestShutdownDrains(t *testing.T) {
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
