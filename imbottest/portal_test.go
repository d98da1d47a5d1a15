package imbottest_test

import (
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

func TestCloseLeavesNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	portal := imbottest.NewPortal()
	require.NoError(t, portal.Listen("127.0.0.1:0"))
	transport := &http.Transport{}
	client := &http.Client{Transport: transport}
	entered := make(chan struct{})
	bot, _ := newEcho(t, portal, eventURL, client)
	portal.Serve(eventURL, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	}))
	anna := portal.AddUser("Anna", "Ivanova")
	asked := make(chan error)
	go func() {
		_, err := portal.Ask(t.Context(), anna, imbot.UserDialog(bot), "hello")
		asked <- err
	}()
	<-entered // the handler works on ONIMBOTJOINCHAT, and the message waits in the queue
	portal.Fail("profile", imbottest.Fault{Delay: time.Hour})
	slow := make(chan error)
	go func() {
		resp, err := client.Get(portal.Webhook("").URL + "profile")
		if err == nil {
			_ = resp.Body.Close()
		}
		slow <- err
	}()
	require.Eventually(t, func() bool { return len(portal.Calls("profile")) == 1 }, time.Minute, time.Millisecond)
	portal.Close()
	require.ErrorContains(t, <-asked, "closed")
	require.Error(t, <-slow)
	transport.CloseIdleConnections()
	for deadline := time.Now().Add(time.Minute); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("goroutines left:\n%s", stacks[:runtime.Stack(stacks, true)])
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	portal := imbottest.NewPortal()
	defer portal.Close()
	client, err := imbot.NewClient(portal.Webhook("a-long-random-client-id"), imbot.WithHTTPClient(portal.HTTPClient()), imbot.WithLimiter(nil))
	require.NoError(t, err)
	bot, err := client.Bot.Register(t.Context(), imbot.BotRegisterRequest{Code: "echo", EventHandler: eventURL, Properties: imbot.BotProperties{Name: "Echo"}})
	require.NoError(t, err)
	portal.Serve(eventURL, &echo{client: client})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			user := portal.AddUser("Some", "Body")
			for i := range 10 {
				answer, err := portal.Ask(t.Context(), user, imbot.UserDialog(bot), fmt.Sprint(i))
				if err != nil || answer.Text != fmt.Sprint("you said: ", i) {
					t.Errorf("%v: %v", answer, err)
				}
			}
			_ = portal.AddChat("", user, bot)
			_ = portal.Calls("")
			_ = portal.Err()
		})
	}
	wg.Wait()
	require.NoError(t, portal.Idle(t.Context()))
	require.NoError(t, portal.Err())
	require.Len(t, portal.Calls("imbot.message.add"), 200)
}

// BenchmarkPortal measures a call of the SDK that a portal answers in memory.
func BenchmarkPortal(b *testing.B) {
	portal := imbottest.NewPortal()
	defer portal.Close()
	client, err := imbot.NewClient(portal.Webhook("a-long-random-client-id"), imbot.WithHTTPClient(portal.HTTPClient()), imbot.WithLimiter(nil))
	require.NoError(b, err)
	_, err = client.Bot.Register(b.Context(), imbot.BotRegisterRequest{Code: "x", EventHandler: "https://bot.example.com/", Properties: imbot.BotProperties{Name: "X"}})
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		if err := client.Chat.SendTyping(b.Context(), imbot.ChatSendTypingRequest{DialogID: "1"}); err != nil {
			b.Fatal(err)
		}
	}
}

// Express reads small keys of a form as places in a list, so a bot that is right on a
// portal would fail here.
func TestIDsOfPeopleAndBotsBeginAt101(t *testing.T) {
	t.Parallel()
	portal := newPortal(t)
	require.EqualValues(t, 1, imbottest.Admin)
	require.Equal(t, "Portal Administrator", portal.Name(imbottest.Admin))
	require.EqualValues(t, 101, portal.AddUser("Anna", "Ivanova"))
	require.EqualValues(t, 102, registerBot(t, portal))
	require.EqualValues(t, 103, portal.AddUser("Boris", "Petrov"))
}
