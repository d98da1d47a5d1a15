package imbot_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

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

func TestOnEventGetsTheTypedEvent(t *testing.T) {
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
		require.Equal(t, []failure{{"ONIMBOTMESSAGEADD", errCallback, nil}}, got)
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
