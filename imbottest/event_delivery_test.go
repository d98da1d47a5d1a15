package imbottest_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

func TestEventsOfADialogKeepTheirOrder(t *testing.T) {
	t.Parallel()
	portal, box := newMailboxPortal(t)
	for i := range 100 {
		_, err := portal.Say(t.Context(), anna, imbot.UserDialog(alpha), fmt.Sprint(i))
		require.NoError(t, err)
	}
	events := box.take(t, portal)
	require.Len(t, events, 101)
	for i, e := range events[1:] {
		require.Equal(t, fmt.Sprint(i), e.Get("data[PARAMS][MESSAGE]"))
	}
}

func TestAHandlerThatEndsItsGoroutineDoesNotStopTheDialog(t *testing.T) {
	t.Parallel()
	portal := imbottest.NewPortal()
	defer portal.Close()
	bot := registerBot(t, portal)
	seen := make(chan string, 9)
	portal.Serve(eventURL, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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

var errBroken = errors.New("broken")

func TestUndeliverableEvents(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		says, url string
		handler   http.HandlerFunc
		want      string
	}{
		{"nobody serves the address", "https://nobody.example.com/e?x=1", nil, "nothing serves https://nobody.example.com/e "},
		{"nobody listens on loopback", "http://127.0.0.1:1/e", nil, "http://127.0.0.1:1/e cannot be reached"},
		{"the handler answers badly", eventURL, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, eventURL + " answered 503"},
		{"the handler panics", eventURL, func(http.ResponseWriter, *http.Request) { panic(errBroken) }, "panicked: broken"},
		{"the handler gives up", eventURL, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "does not answer"},
	} {
		t.Run(tt.says, func(t *testing.T) {
			portal := newTestPortal(t)
			if tt.handler != nil {
				portal.Serve(tt.url, tt.handler)
			}
			require.Equal(t, "105", post(t, portal, "imbot.register", `{"CLIENT_ID":"a-secret","CODE":"x","EVENT_HANDLER":"`+tt.url+`","PROPERTIES":{"NAME":"x"}}`))
			require.NoError(t, portal.Open(t.Context(), anna, 105))
			require.NoError(t, portal.Idle(t.Context()))
			require.ErrorContains(t, portal.Err(), "ONIMBOTJOINCHAT: ")
			require.ErrorContains(t, portal.Err(), tt.want)
			require.NotContains(t, portal.Err().Error(), "a-secret")
		})
	}
}

// TestEventsThatNobodyTakes checks that the log says why an event did not arrive.
func TestEventsThatNobodyTakes(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	for says, r := range map[string]struct{ handler, clientID, want string }{
		"a bot that does not run":    {"http://" + listener.Addr().String(), "one", "refused"},
		"a bot on another machine":   {"http://192.0.2.1:80/", "one", "loopback addresses only"},
		"a client id that is no URL": {"http://127.0.0.1:9/", `a\u0001`, "is no URL"},
	} {
		t.Run(says, func(t *testing.T) {
			portal := imbottest.NewPortal()
			defer portal.Close()
			post(t, portal, "imbot.register", `{"CLIENT_ID":"`+r.clientID+`","CODE":"x","PROPERTIES":{"NAME":"X"},"EVENT_HANDLER":"`+r.handler+`"}`)
			require.NoError(t, portal.Open(t.Context(), imbottest.Admin, 101))
			require.NoError(t, portal.Idle(t.Context()))
			event := portal.Exchanges(0, 1)[0]
			require.Equal(t, "ONIMBOTJOINCHAT", event.Name)
			require.Contains(t, event.Error, r.want)
			require.Error(t, portal.Err())
		})
	}
}
