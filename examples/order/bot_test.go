package main

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

// wire is a connection to the portal that can be cut, after which a bot is as good as killed.
type wire struct {
	http.RoundTripper
	cut atomic.Bool
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if w.cut.Load() {
		return nil, errors.New("no portal")
	}
	return w.RoundTripper.RoundTrip(r)
}

// shop lets Anna talk to the bot in fake time.
func shop(t *testing.T, talk func(ask func(text, answer string), kill func())) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal()
		defer portal.Close()
		ctx, end := context.WithTimeout(t.Context(), 24*time.Hour)
		defer end()
		dir := filepath.Join(t.TempDir(), "states")
		start := func() (w *wire, stop func() error) {
			w, ended := &wire{RoundTripper: portal.HTTPClient().Transport}, make(chan error, 1)
			ctx, cancel := context.WithCancel(ctx)
			go func() {
				ended <- run(ctx, portal.Webhook("a-random-token"), dir, imbot.WithHTTPClient(&http.Client{Transport: w}))
			}()
			return w, func() error { cancel(); return <-ended }
		}
		w, stop := start()
		defer func() { require.NoError(t, errors.Join(stop(), portal.Err())) }()
		bot, err := portal.WaitBot(ctx, "pizza")
		require.NoError(t, err)
		time.Sleep(time.Minute) // its commands are there
		anna := portal.AddUser("Anna", "Ivanova")
		talk(func(text, want string) {
			answer, err := portal.Ask(ctx, anna, imbot.UserDialog(bot), text)
			require.NoError(t, err)
			require.Equal(t, want, answer.Plain(), text)
		}, func() {
			w.cut.Store(true)
			_ = stop() // it may say that the portal is gone
			w, stop = start()
		})
	})
}

func TestAnOrder(t *testing.T) {
	shop(t, func(ask func(text, answer string), _ func()) {
		ask("hello", "/order brings you a pizza.")
		ask("/order", "Which size: small, medium, large?")
		ask("huge", "There is small, medium, large.")
		ask(" Large", "And where to?")
		ask("[b]Room 7[/b], https://maps.example.com/7 [[i][/i]b]now[[i][/i]/b]",
			"A large pizza is on its way to Room 7, https://maps.example.com/7 [b]now[/b].") // read, then escaped
		ask("thanks", "/order brings you a pizza.")
	})
}

func TestAnOrderIsForgotten(t *testing.T) {
	shop(t, func(ask func(text, answer string), _ func()) {
		ask("/order", "Which size: small, medium, large?")
		ask("/cancel", "Forgotten.")
		ask("small", "/order brings you a pizza.")
		ask("/order", "Which size: small, medium, large?")
		time.Sleep(31 * time.Minute)
		ask("small", "/order brings you a pizza.")
	})
}

// The bot ends without a word to the portal, so what it handled last comes again.
func TestWhatWasHandledBeforeTheBotWasKilledIsNotTakenTwice(t *testing.T) {
	shop(t, func(ask func(text, answer string), kill func()) {
		ask("/order", "Which size: small, medium, large?")
		time.Sleep(time.Minute) // acknowledged
		ask("small", "And where to?")
		kill()
		time.Sleep(time.Minute)
		ask("Room 7", "A small pizza is on its way to Room 7.")
		kill()
		time.Sleep(time.Minute)
		ask("thanks", "/order brings you a pizza.")
	})
}
