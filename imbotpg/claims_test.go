package imbotpg_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbotpg"
	"github.com/imbot-go/imbot/imbotpg/internal/pgtest"
	"github.com/imbot-go/imbot/imbottest"
)

func TestOfTwoReplicasWithClaimsOneHandlesAnEvent(t *testing.T) {
	t.Parallel()
	const events = 200
	s := pgtest.Start(t)
	portal := imbottest.NewPortal()
	t.Cleanup(portal.Close)
	hook := portal.Webhook("a-long-random-secret")
	client, err := imbot.NewClient(hook, imbot.WithHTTPClient(portal.HTTPClient()), imbot.WithLimiter(nil))
	require.NoError(t, err)
	var handled atomic.Int32
	var replicas []*imbot.EventHandler
	for range 2 {
		replicas = append(replicas, &imbot.EventHandler{Verifier: hook.Verifier(), Claims: open(t, s, imbotpg.Options{}).Claims(), OnMessage: func(context.Context, *imbot.MessageAddEvent) error {
			handled.Add(1)
			return nil
		}})
	}
	portal.Serve("https://bot.example.com/events", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		var both sync.WaitGroup
		for _, h := range replicas {
			both.Go(func() {
				again := r.Clone(r.Context())
				again.Body = io.NopCloser(bytes.NewReader(body))
				answer := httptest.NewRecorder()
				h.ServeHTTP(answer, again)
				assert.Equal(t, http.StatusOK, answer.Code)
			})
		}
		both.Wait()
		w.WriteHeader(http.StatusOK)
	}))
	bot, err := client.Bot.Register(t.Context(), imbot.BotRegisterRequest{Code: "echo", EventHandler: "https://bot.example.com/events", Properties: imbot.BotProperties{Name: "Echo"}})
	require.NoError(t, err)
	anna := portal.AddUser("Anna", "Ivanova")
	for i := range events {
		_, err := portal.Say(t.Context(), anna, imbot.UserDialog(bot), fmt.Sprint("hello ", i))
		require.NoError(t, err)
	}
	require.NoError(t, portal.Idle(t.Context()))
	for _, h := range replicas {
		require.NoError(t, h.Idle(t.Context()))
	}
	t.Logf("%d events, each posted to both replicas: %d handled", events, handled.Load())
	require.EqualValues(t, events, handled.Load())
}
