package imbottest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/internal/phpform"
	"github.com/stretchr/testify/require"
)

const eventURL = "https://bot.example.com/events"

// echo is a bot that repeats what people write.
type echo struct {
	client *imbot.Client
}

func (e *echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := make([]byte, r.ContentLength)
	_, _ = r.Body.Read(body)
	form, err := phpform.Parse(body)
	if err != nil || form.Get("event") != "ONIMBOTMESSAGEADD" {
		return
	}
	params := form.At("data", "PARAMS")
	_, err = e.client.Message.Add(r.Context(), imbot.MessageAddRequest{
		DialogID: imbot.DialogID(params.Get("DIALOG_ID")), Message: "you said: " + params.Get("MESSAGE"),
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// newEcho registers the bot and returns its id.
func newEcho(t *testing.T, portal *imbottest.Portal, url string, httpClient *http.Client) (imbot.ID, *echo) {
	t.Helper()
	client, err := imbot.NewClient(portal.Webhook("a-long-random-client-id"), imbot.WithHTTPClient(httpClient))
	require.NoError(t, err)
	id, err := client.Bot.Register(t.Context(), imbot.BotRegisterRequest{
		Code: "echo", EventHandler: url, Properties: imbot.BotProperties{Name: "Echo"},
	})
	require.NoError(t, err)
	return id, &echo{client: client}
}

func converse(t *testing.T, portal *imbottest.Portal, bot imbot.ID) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	anna, boris := portal.AddUser("Anna", "Ivanova"), portal.AddUser("Boris", "Petrov")

	answer, err := portal.Ask(ctx, anna, imbot.UserDialog(bot), "hello")
	require.NoError(t, err)
	require.Equal(t, "you said: hello", answer.Text)
	require.Equal(t, bot, answer.AuthorID)

	chat := portal.AddChat("Team", anna, boris, bot)
	_, err = portal.Say(ctx, anna, imbot.ChatDialog(chat), "not for the bot")
	require.NoError(t, err)
	answer, err = portal.Ask(ctx, boris, imbot.ChatDialog(chat), fmt.Sprintf("[USER=%d]Echo[/USER] , are you there?", bot))
	require.NoError(t, err)
	require.Equal(t, "you said: , are you there?", answer.Text)
	require.NoError(t, portal.Idle(ctx))
	require.Len(t, portal.Messages(anna, imbot.ChatDialog(chat)), 3)
	require.NoError(t, portal.Err())
}

func TestConversationInMemory(t *testing.T) {
	portal := imbottest.NewPortal()
	defer portal.Close()
	bot, handler := newEcho(t, portal, eventURL, portal.HTTPClient())
	portal.Serve(eventURL, handler)
	converse(t, portal, bot)
}

func TestConversationInsideSynctest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal()
		defer portal.Close()
		bot, handler := newEcho(t, portal, eventURL, portal.HTTPClient())
		portal.Serve(eventURL, handler)
		converse(t, portal, bot)
	})
}

func TestConversationOverLoopback(t *testing.T) {
	portal := imbottest.NewPortal()
	defer portal.Close()
	require.NoError(t, portal.Listen("127.0.0.1:0"))
	require.Regexp(t, `^http://127\.0\.0\.1:\d+/rest/1/`, portal.Webhook("x").URL)

	var handler *echo // set before the first event
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	defer server.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	bot, h := newEcho(t, portal, server.URL+"/events", &http.Client{Transport: transport})
	handler = h
	converse(t, portal, bot)
}

func TestListen(t *testing.T) {
	portal := imbottest.NewPortal()
	defer portal.Close()
	require.ErrorContains(t, portal.Listen("0.0.0.0:0"), "not a loopback address")
	require.ErrorContains(t, portal.Listen(":0"), "not a loopback address")
	require.Error(t, portal.Listen("nonsense"))
	require.NoError(t, portal.Listen("[::1]:0"))
	require.ErrorContains(t, portal.Listen("127.0.0.1:0"), "already")

	portal.Close()
	require.ErrorContains(t, portal.Listen("127.0.0.1:0"), "closed")
	portal.Close() // once more does no harm
}

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
	<-entered // the greeting event; the message waits behind it
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

func TestAskEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal()
		defer portal.Close()
		bot, _ := newEcho(t, portal, eventURL, portal.HTTPClient())
		portal.Serve(eventURL, http.NotFoundHandler())
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		_, err := portal.Ask(ctx, portal.AddUser("Anna", "Ivanova"), imbot.UserDialog(bot), "hello")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "ONIMBOTMESSAGEADD: "+eventURL+" answered 404", "the reason")
		require.Equal(t, time.Minute, time.Since(start))
		_, err = portal.Say(ctx, 2, imbot.UserDialog(bot), "hello")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, portal.Open(ctx, 2, bot), context.DeadlineExceeded)
		require.ErrorIs(t, portal.Invite(ctx, 2, 1), context.DeadlineExceeded)
	})
}

func TestWhatPeopleCannotDo(t *testing.T) {
	portal := newWorld(t)
	ctx := t.Context()
	say := func(user imbot.ID, dialog imbot.DialogID, text string) error {
		_, err := portal.Say(ctx, user, dialog, text)
		return err
	}
	require.ErrorContains(t, say(99, "4", "x"), "no user 99")
	require.ErrorContains(t, say(alpha, "2", "x"), "is a bot")
	require.ErrorContains(t, say(anna, "4", " \n"), "empty")
	require.ErrorContains(t, say(anna, "99", "x"), "no dialog with user 99")
	require.ErrorContains(t, say(anna, "2", "x"), "no dialog with user 2")
	require.ErrorContains(t, say(anna, "chat9", "x"), `no dialog "chat9"`)
	require.ErrorContains(t, say(anna, "nonsense", "x"), `no dialog "nonsense"`)
	require.ErrorContains(t, say(boris, "chat1001", "x"), "not a member")
	require.ErrorContains(t, portal.Invite(ctx, boris, team, boris), "not a member")
	require.ErrorContains(t, portal.Invite(ctx, anna, team, 99), "exist")
	require.ErrorContains(t, portal.Kick(ctx, anna, team, alpha), "may not")
	require.ErrorContains(t, portal.Kick(ctx, anna, team, boris), "not a member")
	require.NoError(t, portal.Kick(ctx, anna, team, anna))
	require.Nil(t, portal.Messages(anna, "chat1001"))
	require.Nil(t, portal.Messages(anna, "4"))
	require.Empty(t, portal.Name(99))
	require.Equal(t, "Anna Ivanova", portal.Name(anna))
	require.NoError(t, portal.Err())
}

func TestOpenChatsAreOpen(t *testing.T) {
	portal := newWorld(t)
	require.Equal(t, "1002", post(t, portal, "imbot.chat.add", `{"CLIENT_ID":"one","TYPE":"OPEN","MESSAGE":"welcome"}`))
	require.Len(t, portal.Messages(boris, imbot.ChatDialog(1002)), 1)
	_, err := portal.Say(t.Context(), boris, imbot.ChatDialog(1002), "hi")
	require.NoError(t, err)
	require.Equal(t, "[4,3]", post(t, portal, "imbot.chat.user.list", `{"CLIENT_ID":"one","CHAT_ID":1002}`))
}

func TestManyAtOnce(t *testing.T) {
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
