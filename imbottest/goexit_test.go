package imbottest_test

import (
	"context"
	"net/http"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

const goexitURL = "https://bot.example.com/events"

func goexitBot(t *testing.T, portal *imbottest.Portal) imbot.ID {
	client, err := imbot.NewClient(portal.Webhook("a-long-random-client-id"), imbot.WithHTTPClient(portal.HTTPClient()))
	require.NoError(t, err)
	bot, err := client.Bot.Register(t.Context(), imbot.BotRegisterRequest{Code: "x", EventHandler: goexitURL, Properties: imbot.BotProperties{Name: "X"}})
	require.NoError(t, err)
	return bot
}

func TestAHandlerThatEndsItsGoroutineDoesNotStopTheDialog(t *testing.T) {
	portal := imbottest.NewPortal()
	defer portal.Close()
	bot := goexitBot(t, portal)
	seen := make(chan string, 9)
	portal.Serve(goexitURL, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen <- r.FormValue("event")
		runtime.Goexit()
	}))
	anna := portal.AddUser("Anna", "Ivanova")
	for range 2 {
		_, err := portal.Say(t.Context(), anna, imbot.UserDialog(bot), "hello")
		require.NoError(t, err)
	}
	require.NoError(t, portal.Idle(t.Context()))
	require.Len(t, seen, 3, "one join and two messages")
	require.ErrorContains(t, portal.Err(), "ended its goroutine")
}

func TestAskEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal()
		defer portal.Close()
		bot := goexitBot(t, portal)
		portal.Serve(goexitURL, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		start := time.Now()
		_, err := portal.Ask(t.Context(), portal.AddUser("Anna", "Ivanova"), imbot.UserDialog(bot), "hello")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Minute, time.Since(start))
	})
}
