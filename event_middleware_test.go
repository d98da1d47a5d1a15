package imbot_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// noting is a middleware that notes when an event comes and goes.
func noting(to *[]string, name string) imbot.Middleware {
	return func(next imbot.Callback) imbot.Callback {
		return func(ctx context.Context, ev imbot.Event) error {
			*to = append(*to, name+" begins "+ev.Meta().Name)
			err := next(ctx, ev)
			*to = append(*to, name+" ends")
			return err
		}
	}
}

func TestTheFirstMiddlewareIsTheOutermostAroundEveryEvent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var got []string
		h := &imbot.EventHandler{
			Verifier: trustAll{}, Workers: 1,
			Middleware: []imbot.Middleware{noting(&got, "a"), noting(&got, "b")},
			OnMessage:  func(context.Context, *imbot.MessageAddEvent) error { got = append(got, "OnMessage"); return nil },
		}
		require.Equal(t, http.StatusOK, deliver(h, messageIn("27", "hi")))
		require.NoError(t, h.Idle(t.Context()))
		require.Equal(t, []string{"a begins ONIMBOTMESSAGEADD", "b begins ONIMBOTMESSAGEADD", "OnMessage", "b ends", "a ends"}, got)

		got = nil
		require.Equal(t, http.StatusOK, deliver(h, otherEvent), "without a callback")
		require.NoError(t, h.Idle(t.Context()))
		require.NoError(t, h.Handle(t.Context(), &imbot.BotDeleteEvent{EventMeta: imbot.EventMeta{Name: "BY HAND"}}))
		require.Equal(t, []string{"a begins ONIMBOTTOMORROW", "b begins ONIMBOTTOMORROW", "b ends", "a ends", "a begins BY HAND", "b begins BY HAND", "b ends", "a ends"}, got)
		require.Equal(t, http.StatusServiceUnavailable, deliver(&imbot.EventHandler{Middleware: h.Middleware, Verifier: panicVerifier{}}, otherEvent))
		require.Len(t, got, 8, "nothing runs around an event that is not accepted")
	})
}

type panicVerifier struct{}

func (panicVerifier) Verify(context.Context, *imbot.EventMeta) error { panic("boom") }

func TestMiddlewareMayAnswerItselfOrPassAValue(t *testing.T) {
	t.Parallel()
	type key struct{}
	var heard []any
	var class imbot.Class
	h := &imbot.EventHandler{
		Middleware: []imbot.Middleware{func(next imbot.Callback) imbot.Callback {
			return func(ctx context.Context, ev imbot.Event) error {
				class = imbot.ClassOf(ctx)
				if ev.AuthorID() == 666 {
					return errCallback
				}
				return next(context.WithValue(ctx, key{}, "value"), ev)
			}
		}},
		OnMessage: func(ctx context.Context, _ *imbot.MessageAddEvent) error {
			heard = append(heard, ctx.Value(key{}))
			return nil
		},
	}
	require.ErrorIs(t, h.Handle(t.Context(), &imbot.MessageAddEvent{User: imbot.EventUser{ID: 666}}), errCallback)
	require.NoError(t, h.Handle(t.Context(), &imbot.MessageAddEvent{User: imbot.EventUser{ID: 1}}))
	require.Equal(t, []any{"value"}, heard)
	require.Equal(t, imbot.ClassAnswer, class)
	require.NoError(t, h.Handle(imbot.WithClass(t.Context(), imbot.ClassBulk), &imbot.MessageAddEvent{}))
	require.Equal(t, imbot.ClassBulk, class, "who handles an event says how urgent it is")
}

func TestAMiddlewareThatPanicsIsToldLikeACallback(t *testing.T) {
	t.Parallel()
	rows := map[string]imbot.Middleware{
		"when it is made":   func(imbot.Callback) imbot.Callback { panic("boom") },
		"when it runs":      func(imbot.Callback) imbot.Callback { return func(context.Context, imbot.Event) error { panic("boom") } },
		"because it is nil": nil,
	}
	for name, broken := range rows {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var failures []error
				h := &imbot.EventHandler{
					Verifier: trustAll{}, Workers: 1, Middleware: []imbot.Middleware{broken}, Logger: logTo(new(bytes.Buffer)),
					OnError: func(_ context.Context, _ imbot.Event, err error) { failures = append(failures, err) },
				}
				for range 2 {
					require.Equal(t, http.StatusOK, deliver(h, otherEvent))
				}
				require.NoError(t, h.Shutdown(t.Context()))
				require.Len(t, failures, 2)
				require.ErrorContains(t, failures[1], "panic in an event callback")
			})
		})
	}
}

func TestAMiddlewareIsMadeOnce(t *testing.T) {
	t.Parallel()
	made := 0
	h := &imbot.EventHandler{Verifier: trustAll{}, Middleware: []imbot.Middleware{func(next imbot.Callback) imbot.Callback { made++; return next }}}
	require.NoError(t, h.Idle(t.Context()))
	for range 3 {
		require.NoError(t, h.Handle(t.Context(), &imbot.JoinChatEvent{}))
	}
	require.Equal(t, 1, made)
}

func TestLogEventsWritesOneRecordForEachEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := slog.Default()
		defer slog.SetDefault(before)
		for _, byDefault := range []bool{false, true} {
			var log bytes.Buffer
			logger := logTo(&log)
			if byDefault {
				slog.SetDefault(logger)
				logger = nil
			}
			h := &imbot.EventHandler{
				Verifier: trustAll{}, Workers: 1, Middleware: []imbot.Middleware{imbot.LogEvents(logger)}, Logger: slog.New(slog.DiscardHandler),
				OnMessage:  func(context.Context, *imbot.MessageAddEvent) error { time.Sleep(2 * time.Second); return errCallback },
				OnJoinChat: func(context.Context, *imbot.JoinChatEvent) error { panic("boom") },
			}
			for _, body := range []string{messageIn("chat5", marker) + "&data[PARAMS][FROM_USER_ID]=7&data[BOT][3][BOT_ID]=3&auth[member_id]=m1", otherEvent, joinEvent} {
				deliver(h, body)
				require.NoError(t, h.Idle(t.Context()))
			}
			lines := strings.Split(strings.TrimSpace(log.String()), "\n")
			require.Len(t, lines, 3, log.String())
			require.Contains(t, lines[0], `level=INFO msg="imbot: event" event=ONIMBOTMESSAGEADD portal=m1 bot=3 dialog=chat5 user=7 took=2s error="the callback's own error"`)
			require.NotContains(t, lines[0], marker)
			require.Contains(t, lines[1], `event=ONIMBOTTOMORROW dialog=27 took=0s`)
			require.NotContains(t, lines[1], "error")
			require.Contains(t, lines[2], `error="imbot: the callback did not return"`)
			require.NoError(t, h.Shutdown(t.Context()))
		}
	})
}

func TestALoggerThatPanicsFailsNoEvent(t *testing.T) {
	t.Parallel()
	h := &imbot.EventHandler{Middleware: []imbot.Middleware{imbot.LogEvents(slog.New(panicLog{}))}}
	require.NoError(t, h.Handle(t.Context(), &imbot.JoinChatEvent{}))
}

type panicLog struct{ slog.Handler }

func (panicLog) Enabled(context.Context, slog.Level) bool { panic("boom") }

func TestTheErrorRecordOfAHandlerSaysWhereItHappened(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		h := &imbot.EventHandler{
			Verifier: trustAll{}, Logger: logTo(&log),
			OnMessage: func(context.Context, *imbot.MessageAddEvent) error { return errCallback },
		}
		deliver(h, messageIn("chat5", "hi")+"&data[PARAMS][FROM_USER_ID]=7&data[BOT][3][BOT_ID]=3&auth[member_id]=m1")
		require.NoError(t, h.Shutdown(t.Context()))
		require.Contains(t, log.String(), `event=ONIMBOTMESSAGEADD portal=m1 bot=3 dialog=chat5 user=7 error="the callback's own error"`)
	})
}

func ExampleMiddleware() {
	onlyStaff := func(next imbot.Callback) imbot.Callback {
		return func(ctx context.Context, ev imbot.Event) error {
			if ev.AuthorID() != 1 {
				os.Stdout.WriteString("Staff only.\n")
				return nil
			}
			return next(ctx, ev)
		}
	}
	withoutTime := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == "took" {
			return slog.Attr{}
		}
		return a
	}
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
	h := &imbot.EventHandler{
		Middleware: []imbot.Middleware{imbot.LogEvents(logger), onlyStaff}, // in this order
		OnMessage: func(_ context.Context, ev *imbot.MessageAddEvent) error {
			os.Stdout.WriteString(ev.Text() + "\n")
			return nil
		},
	}
	for _, author := range []imbot.ID{1, 2} {
		ev := &imbot.MessageAddEvent{Params: imbot.MessageParams{DialogID: "chat5", FromUserID: author, Message: "hello"}}
		ev.Name = "ONIMBOTMESSAGEADD"
		_ = h.Handle(context.Background(), ev)
	}
	// Output:
	// hello
	// level=INFO msg="imbot: event" event=ONIMBOTMESSAGEADD dialog=chat5 user=1
	// Staff only.
	// level=INFO msg="imbot: event" event=ONIMBOTMESSAGEADD dialog=chat5 user=2
}
