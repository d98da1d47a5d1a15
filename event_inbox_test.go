package imbot_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/imbotv2"
	"github.com/imbot-go/imbot/internal/meminbox"
)

func TestAnEventOutlivesItsProcess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := meminbox.New()
		first := server.Open()
		a := &imbot.EventHandler{Verifier: trustAll{}, Inbox: first, OnMessage: func(ctx context.Context, _ *imbot.MessageAddEvent) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		for _, text := range []string{"one", "two"} {
			require.Equal(t, http.StatusOK, deliver(a, messageIn("27", text)+"&ts=1&auth[access_token]=secret"))
		}
		synctest.Wait()
		first.Kill()

		var heard []string
		var log bytes.Buffer
		b := &imbot.EventHandler{
			Verifier: trustAll{}, Inbox: server.Open(), Logger: logTo(&log),
			Middleware: []imbot.Middleware{imbot.LogEvents(logTo(&log))},
			OnMessage: func(ctx context.Context, ev *imbot.MessageAddEvent) error {
				heard = append(heard, ev.Params.Message)
				require.Equal(t, "secret", ev.Auth.AccessToken)
				require.Equal(t, ev.Params.Message == "one", imbot.Redelivered(ctx))
				return nil
			},
		}
		working, stop := context.WithCancel(t.Context())
		ran := make(chan error)
		go func() { ran <- b.Run(working) }()
		synctest.Wait()
		require.Equal(t, []string{"one", "two"}, heard)
		require.Equal(t, imbot.EventStats{Handled: 2, Redelivered: 1}, b.Stats())
		stop()
		require.NoError(t, <-ran)
		require.Equal(t, http.StatusOK, deliver(b, messageIn("27", "two")+"&ts=1"), "it came again, an hour later at most")
		require.EqualValues(t, 1, b.Stats().Duplicate)
		require.NoError(t, b.Shutdown(t.Context()))
		require.Equal(t, http.StatusServiceUnavailable, deliver(b, messageIn("27", "three")))
		require.NotContains(t, log.String(), "secret")
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		require.Error(t, a.Shutdown(ended))
	})
}

func TestStatsTellWhatTheInboxDoes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server := meminbox.New()
		h := &imbot.EventHandler{Verifier: trustAll{}, Inbox: server.Open(), Logger: logTo(new(bytes.Buffer)), OnMessage: func(context.Context, *imbot.MessageAddEvent) error {
			time.Sleep(time.Minute)
			return nil
		}}
		require.Equal(t, http.StatusOK, deliver(h, messageIn("27", "one")))
		time.Sleep(10 * time.Second)
		require.Equal(t, imbot.EventStats{Accepted: 1, Stored: 1, Oldest: 10 * time.Second}, h.Stats())
		server.Fail(errors.New("away"))
		require.Equal(t, http.StatusOK, deliver(h, messageIn("28", "two")))
		synctest.Wait()
		require.True(t, h.Degraded())
		s := h.Stats()
		require.Equal(t, []int64{2, 1, 1, 1}, []int64{s.Accepted, s.Stored, s.Spooled, s.Queued})
		require.Positive(t, s.StoreErrors)
		server.Fail(nil)
		require.NoError(t, h.Idle(t.Context()))
		require.False(t, h.Degraded())
		require.NoError(t, h.Shutdown(t.Context()))
	})
}

// Old events are worked off by a server to which nobody has posted anything yet.
func TestAServerWorksAnInboxOff(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]func(*meminbox.Inbox, func()) (http.Handler, imbot.Shutdowner){
		"of the first generation": func(in *meminbox.Inbox, heard func()) (http.Handler, imbot.Shutdowner) {
			h := &imbot.EventHandler{Verifier: trustAll{}, Inbox: in, OnEvent: func(context.Context, imbot.Event) error { heard(); return nil }}
			return h, h
		},
		"of the second": func(in *meminbox.Inbox, heard func()) (http.Handler, imbot.Shutdowner) {
			h := &imbotv2.EventHandler{Verifier: trustAll{}, Inbox: in, OnMessage: func(context.Context, *imbotv2.MessageAddEvent) error { heard(); return nil }}
			return h, h
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := meminbox.New()
			in := server.Open()
			before := &imbot.EventHandler{Verifier: trustAll{}, Inbox: in, OnEvent: func(ctx context.Context, _ imbot.Event) error { <-ctx.Done(); return ctx.Err() }}
			require.Equal(t, http.StatusOK, deliver(before, "event=ONIMBOTV2MESSAGEADD&data[bot][id]=5&data[message][id]=2&data[chat][dialogId]=1&data[user][id]=1"))
			in.Kill()

			heard := make(chan struct{})
			h, events := handler(server.Open(), func() { close(heard) })
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error)
			go func() {
				ended <- imbot.Server{Addr: "127.0.0.1:0", Handler: h, Events: []imbot.Shutdowner{events}}.Run(ctx)
			}()
			<-heard
			stop()
			require.NoError(t, <-ended)
			over, cancel := context.WithCancel(t.Context())
			cancel()
			_ = before.Shutdown(over)
		})
	}
}

// At two calls a second 300 answers take two minutes. The bot is stopped in the middle, as a deploy
// does, and the next one goes on where it was.
func TestThreeHundredPeopleAreAnsweredThoughTheBotIsStopped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const people, handlerURL = 300, "https://bot.example.com/events"
		portal := imbottest.NewPortal()
		defer portal.Close()
		hook := portal.Webhook("a-long-random-client-id")
		client, err := imbot.NewClient(hook, imbot.WithHTTPClient(portal.HTTPClient()), imbot.WithLimiter(imbot.NewLimiter(2, 50)))
		require.NoError(t, err)
		bot, err := imbot.EnsureBot(t.Context(), client, imbot.BotRegisterRequest{Code: "echo", EventHandler: handlerURL, Properties: imbot.BotProperties{Name: "Echo"}})
		require.NoError(t, err)
		server := meminbox.New()
		start := func() *imbot.EventHandler {
			h := &imbot.EventHandler{Verifier: hook.Verifier(), Inbox: server.Open(), Logger: logTo(t.Output()), OnMessage: func(ctx context.Context, ev *imbot.MessageAddEvent) error {
				_, err := client.Message.Add(ctx, ev.Reply("You said: "+ev.Params.Message))
				return err
			}}
			portal.Serve(handlerURL, h)
			return h
		}
		stopped := start()
		ids := make([]imbot.ID, people)
		for i := range ids {
			ids[i] = portal.AddUser("Anna", fmt.Sprint(i))
			_, err := portal.Say(t.Context(), ids[i], imbot.UserDialog(bot), "hello")
			require.NoError(t, err)
		}
		require.NoError(t, portal.Idle(t.Context()))
		time.Sleep(30 * time.Second)
		drain, cancel := context.WithTimeout(t.Context(), 25*time.Second)
		defer cancel()
		require.Error(t, stopped.Shutdown(drain), "what was cut off is given back")
		require.Positive(t, stopped.Stats().Handled)
		require.Zero(t, stopped.Stats().Failed)

		next := start()
		go func() { _ = next.Run(t.Context()) }()
		require.NoError(t, next.Idle(t.Context()))
		for _, id := range ids {
			answers := 0
			for _, m := range portal.Messages(id, imbot.UserDialog(bot)) {
				if m.AuthorID == bot {
					answers++
				}
			}
			require.Equal(t, 1, answers)
		}
		require.NoError(t, next.Shutdown(t.Context()))
		require.NoError(t, portal.Err())
	})
}
