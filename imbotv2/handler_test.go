package imbotv2

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// postedTo posts the body of an event, of a bot whose token is "token".
func postedTo(t *testing.T, h http.Handler, body string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body+"&ts=1&auth[application_token]=customtoken"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	require.Equal(t, http.StatusOK, w.Code)
}

func TestMiddlewareIsAroundPostedFetchedAndHandledEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var heard []string
		var log bytes.Buffer
		h := &EventHandler{
			Verifier: imbot.Webhook{BotToken: "token"}.Verifier(), Workers: 1, Logger: slog.New(slog.NewTextHandler(&log, nil)),
			Middleware: []imbot.Middleware{func(next imbot.Callback) imbot.Callback {
				heard = append(heard, "made")
				return func(ctx context.Context, ev imbot.Event) error {
					heard = append(heard, "around "+ev.AuthorID().String())
					require.IsType(t, &MessageAddEvent{}, ev)
					require.Equal(t, imbot.ClassAnswer, imbot.ClassOf(ctx))
					return next(ctx, ev)
				}
			}},
			OnMessage: func(_ context.Context, ev *MessageAddEvent) error {
				heard = append(heard, ev.Text())
				return errors.New("no")
			},
		}
		postedTo(t, h, "event=ONIMBOTV2MESSAGEADD&data[bot][id]=5&data[message][id]=2&data[message][text]=posted&data[chat][dialogId]=1&data[user][id]=1")
		postedTo(t, h, "event=ONIMBOTV2MESSAGEADD&data[bot][id]=5&data[message][id]=3&data[message][text]=by a bot&data[chat][dialogId]=1&data[user][id]=9&data[user][bot]=Y")
		require.NoError(t, h.Idle(t.Context()))
		fetched := &MessageAddEvent{BotEvent: BotEvent{Bot: EventBot{ID: 5}, User: User{ID: 2}, Chat: Chat{DialogID: "2"}}, Message: Message{Text: "fetched"}}
		ok, err := h.push(botKey{}, 1, fetched, func() {})
		require.True(t, ok)
		require.NoError(t, err)
		require.NoError(t, h.Idle(t.Context()))
		require.Error(t, h.Handle(t.Context(), &MessageAddEvent{BotEvent: BotEvent{User: User{ID: 3}}, Message: Message{Text: "by hand"}}))
		require.Equal(t, []string{"made", "around 1", "posted", "around 2", "fetched", "around 3", "by hand"}, heard)
		require.NoError(t, h.Shutdown(t.Context()))
		require.Contains(t, log.String(), "bot=5 dialog=1 user=1 error=no")
		require.Contains(t, log.String(), "bot=5 dialog=2 user=2 error=no")
	})
}

// A fetched and a posted question of one dialog are stopped by a press that has come in either way.
func TestInterruptOfPostedAndFetchedEvents(t *testing.T) {
	t.Parallel()
	question := func() *MessageAddEvent {
		ev := &MessageAddEvent{BotEvent: BotEvent{Bot: EventBot{ID: 5}, User: User{ID: 1}, Chat: Chat{DialogID: "chat7"}}}
		ev.Auth.MemberID = "m1"
		return ev
	}
	const posted = "&data[bot][id]=5&data[chat][dialogId]=chat7&data[user][id]=1&auth[member_id]=m1"
	press := &CommandAddEvent{BotEvent: question().BotEvent, Command: CommandCall{Command: "/stop"}}
	ways := map[string]func(*testing.T, *EventHandler, bool){
		"posted": func(t *testing.T, h *EventHandler, stop bool) {
			if stop {
				postedTo(t, h, "event=ONIMBOTV2COMMANDADD&data[command][command]=/stop&data[message][id]=3"+posted)
				return
			}
			postedTo(t, h, "event=ONIMBOTV2MESSAGEADD&data[message][id]=2"+posted)
		},
		"fetched": func(t *testing.T, h *EventHandler, stop bool) {
			var ev imbot.Event = question()
			if stop {
				ev = press
			}
			ok, err := h.push(botKey{portal: "m1", id: 5}, 1, ev, func() {})
			require.True(t, ok)
			require.NoError(t, err)
		},
	}
	for asked, ask := range ways {
		for pressed, stop := range ways {
			t.Run(asked+", stopped by one that was "+pressed, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var cause, seen error
					h := &EventHandler{Verifier: imbot.Webhook{BotToken: "token"}.Verifier(), Workers: 1}
					h.Beside = func(ev imbot.Event) bool { _, is := ev.(*CommandAddEvent); return is }
					h.Middleware = []imbot.Middleware{func(next imbot.Callback) imbot.Callback {
						return func(ctx context.Context, ev imbot.Event) error {
							err := next(ctx, ev)
							if err != nil {
								seen = err
							}
							return err
						}
					}}
					h.OnMessage = func(ctx context.Context, _ *MessageAddEvent) error {
						<-ctx.Done()
						cause = context.Cause(ctx)
						return ctx.Err()
					}
					h.OnCommand = func(_ context.Context, ev *CommandAddEvent) error {
						require.True(t, h.Interrupt(ev))
						return nil
					}
					ask(t, h, false)
					synctest.Wait()
					stop(t, h, true)
					require.NoError(t, h.Idle(t.Context()))
					require.Equal(t, imbot.ErrInterrupted, cause)
					require.NoError(t, seen, "middleware hears of no error, either")
					require.False(t, h.Interrupt(press))
					require.NoError(t, h.Shutdown(t.Context()))
					require.Equal(t, imbot.EventStats{Accepted: 2, Handled: 2}, h.Stats())
				})
			})
		}
	}
}

func TestGoIsAwaitedByShutdown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var told error
		h := &EventHandler{OnError: func(_ context.Context, _ imbot.Event, err error) { told = err }}
		ran := false
		require.NoError(t, h.Go(t.Context(), &JoinChatEvent{}, func(context.Context) error {
			time.Sleep(time.Minute)
			ran = true
			return errors.New("no")
		}))
		require.NoError(t, h.Shutdown(t.Context()))
		require.True(t, ran)
		require.EqualError(t, told, "no")
		require.ErrorIs(t, h.Go(t.Context(), &JoinChatEvent{}, nil), imbot.ErrClosed)
	})
}

func TestServeEndsAllThatTheHandlerHas(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	h := &EventHandler{Verifier: imbot.Webhook{BotToken: "token"}.Verifier()}
	require.NoError(t, Serve(ctx, "127.0.0.1:0", h))
	require.ErrorIs(t, h.Go(t.Context(), &JoinChatEvent{}, nil), imbot.ErrClosed)
	require.ErrorContains(t, Serve(ctx, "127.0.0.1:0", &EventHandler{}), "Verifier is nil")
	require.ErrorContains(t, Serve(ctx, "127.0.0.1:0", nil), "Verifier is nil")
}

// An id that a portal gives again is another event, which an inbox must not take for the one it has handled.
func TestAFetchedEventIsKnownByItsIDAndTime(t *testing.T) {
	t.Parallel()
	key := func(date string) string {
		var item EventItem
		require.NoError(t, json.Unmarshal([]byte(`{"eventId":7,"type":"ONIMBOTV2MESSAGEADD","date":"`+date+`","data":{"message":{"id":5}}}`), &item))
		return itemOf(botKey{portal: "portal.example.com", id: 101}, item.event("portal.example.com", nil), nil).Key
	}
	first := key("2026-01-15T10:30:00+02:00")
	require.Equal(t, first, key("2026-01-15T08:30:00+00:00"), "told in another time zone")
	require.NotEqual(t, first, key("2026-01-15T10:30:01+02:00"))
}
