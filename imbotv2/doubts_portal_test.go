package imbotv2_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/imbotv2"
)

// Nobody knows which way a real portal goes where no document tells, so a bot has to live with either.
func TestABotLivesWithEveryDoubt(t *testing.T) {
	t.Parallel()
	rows := map[string][]imbottest.Doubt{"none": nil, "all": imbottest.Doubts()}
	for _, d := range imbottest.Doubts() {
		rows[string(d)] = []imbottest.Doubt{d}
	}
	for name, others := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { liveWith(t, nil, imbottest.WithOther(others...)) })
			if len(others) != 1 || others[0] == imbottest.DoubtV2InBatch {
				synctest.Test(t, func(t *testing.T) { liveWith(t, []imbot.Option{imbot.WithAutoBatch()}, imbottest.WithOther(others...)) })
			}
		})
	}
}

// liveWith lets a bot do once whatever bots do, while 20 people talk to it.
func liveWith(t *testing.T, opts []imbot.Option, with ...imbottest.Option) {
	portal := imbottest.NewPortal(append(with, imbottest.WithRateLimit(1e6, 1e6))...)
	defer portal.Close()
	ctx := t.Context()
	c, err := imbotv2.NewClient(portal.Webhook("a-long-random-bot-token"), append(pollOptions(portal.HTTPClient().Transport), opts...)...)
	require.NoError(t, err)
	for r, err := range c.Bot.All(ctx, imbotv2.BotListRequest{}) {
		t.Fatal("there is no bot yet", r, err)
	}
	req := imbotv2.BotRegisterRequest{
		Code: "all", Type: imbotv2.BotTypeSupervisor, IsReactionsEnabled: imbot.Yes,
		Properties: imbotv2.BotProperties{Name: "All", LastName: "Round", Color: imbot.ColorLightBlue},
	}
	bot, err := imbotv2.EnsureBot(ctx, c, req)
	require.NoError(t, err)
	c = c.WithBot(bot.ID)
	ping := imbotv2.CommandRegisterRequest{Command: "ping", Title: map[string]string{"en": "Ping"}}
	first, err := imbotv2.EnsureCommand(ctx, c, ping)
	require.NoError(t, err)

	// A second start finds all of it.
	again, err := imbotv2.EnsureBot(ctx, c, req)
	require.NoError(t, err)
	require.Equal(t, bot, again)
	second, err := imbotv2.EnsureCommand(ctx, c, ping)
	require.NoError(t, err)
	require.Equal(t, first.ID, second.ID)
	found := 0
	for r, err := range c.Bot.All(ctx, imbotv2.BotListRequest{}) {
		require.NoError(t, err)
		require.Equal(t, "All", r.User.FirstName)
		found++
	}
	require.Equal(t, 1, found)

	polling, stop := context.WithCancel(ctx)
	ended := make(chan error, 2)
	defer func() { stop(); <-ended; <-ended }()
	h := &imbotv2.EventHandler{
		OnError: func(_ context.Context, ev imbot.Event, err error) { t.Errorf("%T: %v", ev, err) }, Logger: slog.New(slog.DiscardHandler),
		OnMessage: func(ctx context.Context, ev *imbotv2.MessageAddEvent) error {
			if len(ev.Message.FileIDs) > 0 {
				content, err := c.File.Read(ctx, ev.Message.FileIDs[0], 1<<20)
				if err != nil {
					return err
				}
				_, err = c.File.UploadFrom(ctx, bytes.NewReader(bytes.ToUpper(content)), imbotv2.FileUploadRequest{DialogID: ev.Dialog(), Name: "a.txt", Message: "louder"})
				return err
			}
			_, err := c.Message.Send(ctx, ev.Reply("You said: "+ev.Text()))
			return err
		},
		OnCommand: func(ctx context.Context, ev *imbotv2.CommandAddEvent) error {
			return c.Command.Answer(ctx, ev.Answer("pong"))
		},
	}
	go func() { ended <- imbotv2.Poll(polling, h, c) }()
	var mu sync.Mutex
	heard := map[string]int{} // by the person whose webhook it is
	go func() {
		ended <- imbotv2.PollUser(polling, &imbotv2.UserEventHandler{OnMessage: func(_ context.Context, ev *imbotv2.UserMessageAddEvent) error {
			mu.Lock()
			defer mu.Unlock()
			heard[ev.Message.Text]++
			return nil
		}}, c)
	}()
	synctest.Wait() // the person has subscribed

	var people []imbot.ID
	for i := range 20 {
		people = append(people, portal.AddUser("Anna", fmt.Sprint(i)))
	}
	toBot := imbot.UserDialog(bot.ID)
	var talks sync.WaitGroup
	for i, person := range people {
		talks.Go(func() {
			answer, err := portal.Ask(ctx, person, toBot, fmt.Sprint("hello ", i))
			if err != nil || answer.Plain() != fmt.Sprint("You said: hello ", i) {
				t.Errorf("person %d heard %q: %v", i, answer.Text, err)
			}
		})
	}
	talks.Wait()
	anna := people[0]
	answer, err := portal.Ask(ctx, anna, toBot, "/ping")
	require.NoError(t, err)
	require.Equal(t, "pong", answer.Plain())
	sent, err := portal.SayFile(ctx, anna, toBot, "a.txt", []byte("quiet"), "a file")
	require.NoError(t, err)
	answer, err = portal.WaitAnswer(ctx, anna, sent)
	require.NoError(t, err)
	require.Equal(t, "QUIET", string(answer.Files[0].Content))

	chat, err := c.Chat.Add(ctx, imbotv2.ChatAddRequest{Title: "Crew", UserIDs: append(people[:3:3], imbottest.Admin), Message: "Welcome"})
	require.NoError(t, err)
	require.Equal(t, "Crew", chat.Name)
	chat, err = c.Chat.Get(ctx, imbotv2.ChatGetRequest{DialogID: chat.DialogID})
	require.NoError(t, err)
	require.True(t, chat.TextFieldEnabled.Bool())
	users, err := c.Chat.ListUsers(ctx, imbotv2.ChatListUsersRequest{DialogID: chat.DialogID})
	require.NoError(t, err)
	require.Len(t, users, 5)
	id, err := c.Message.Send(ctx, imbotv2.MessageSendRequest{DialogID: chat.DialogID, Message: "one"})
	require.NoError(t, err)
	text := "two"
	require.NoError(t, c.Message.Update(ctx, imbotv2.MessageUpdateRequest{MessageID: id, Message: &text}))
	require.NoError(t, c.Message.AddReaction(ctx, imbotv2.MessageAddReactionRequest{MessageID: id, Reaction: imbotv2.ReactionLike}))
	got, err := c.Message.Get(ctx, imbotv2.MessageGetRequest{MessageID: id})
	require.NoError(t, err)
	require.Equal(t, "two", got.Message.Text)
	for _, beside := range []string{"", "see"} {
		forwarded, err := c.Message.Forward(ctx, imbotv2.MessageForwardRequest{DialogID: imbot.UserDialog(people[1]), Message: beside, ForwardIDs: []imbot.ID{id}})
		require.NoError(t, err)
		require.Len(t, forwarded.UUIDMap, 1)
		require.Equal(t, beside != "", forwarded.ID != 0)
	}
	for i := range 60 {
		id, err = c.Message.Send(ctx, imbotv2.MessageSendRequest{DialogID: chat.DialogID, Message: fmt.Sprint("line ", i)})
		require.NoError(t, err)
	}
	lines := 0
	for m, err := range c.Message.History(ctx, imbotv2.MessageGetContextRequest{MessageID: id}) {
		require.NoError(t, err)
		if strings.HasPrefix(m.Text, "line ") {
			lines++
			require.Equal(t, fmt.Sprint("line ", 59-lines), m.Text)
		}
	}
	require.Equal(t, 59, lines)
	require.NoError(t, c.Message.Delete(ctx, imbotv2.MessageDeleteRequest{MessageID: id, Complete: imbot.No}))
	deleted := portal.Messages(anna, chat.DialogID)
	require.Equal(t, id, deleted[len(deleted)-1].ID, "a notice stays")

	time.Sleep(time.Minute) // whatever would come twice has come
	for i, person := range people[1:] {
		answers := 0
		for _, m := range portal.Messages(person, toBot) {
			if strings.HasPrefix(m.Plain(), "You said: ") {
				answers++
			}
		}
		require.Equal(t, 1, answers, "person %d", i+1)
	}
	mu.Lock()
	for i := range 60 {
		require.Equal(t, 1, heard[fmt.Sprint("line ", i)], "line %d", i)
	}
	mu.Unlock()
	require.Empty(t, portal.Queued(bot.ID), "all is acknowledged")
	require.Empty(t, portal.Queued(imbottest.Admin))
	stop()
	require.NoError(t, errors.Join(<-ended, <-ended))
	close(ended)
	report, err := imbotv2.Diagnose(ctx, c, imbotv2.DiagnoseRequest{BotCode: "all"})
	require.NoError(t, err)
	require.Empty(t, report.Findings)
	fresh, err := imbotv2.RotateToken(ctx, c, bot.ID, "the-next-token")
	require.NoError(t, err)
	_, err = fresh.Message.Send(ctx, imbotv2.MessageSendRequest{DialogID: toBot, Message: "still me"})
	require.Error(t, err, "nobody talks to oneself")
	require.NoError(t, portal.Err())
}

// Two of the doubts are about whether a bot that is posted to can work at all. Of one there is a warning; of
// the other nothing comes, which nobody can see from here.
func TestABotThatIsPostedToLivesWithAllDoubtsButTwo(t *testing.T) {
	t.Parallel()
	for _, d := range imbottest.Doubts() {
		t.Run(string(d), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				heard := postTo(t, slog.New(slog.NewTextHandler(&log, nil)), d)
				switch d {
				case imbottest.DoubtApplicationToken:
					require.Zero(t, heard)
					require.Contains(t, log.String(), "the application token of the event is not the expected one")
				case imbottest.DoubtV2Posts:
					require.Zero(t, heard)
				default:
					require.Equal(t, 3, heard, log.String())
				}
			})
		})
	}
}

// postTo lets three people write to a bot that is posted to, and counts who is answered.
func postTo(t *testing.T, log *slog.Logger, other imbottest.Doubt) (answered int) {
	portal := imbottest.NewPortal(imbottest.WithOther(other))
	defer portal.Close()
	hook := portal.Webhook("a-long-random-bot-token")
	c, err := imbotv2.NewClient(hook, imbot.WithHTTPClient(portal.HTTPClient()), imbot.WithLimiter(nil))
	require.NoError(t, err)
	h := &imbotv2.EventHandler{Verifier: hook.Verifier(), Logger: log, OnMessage: func(ctx context.Context, ev *imbotv2.MessageAddEvent) error {
		_, err := c.Message.Send(ctx, ev.Reply("You said: "+ev.Text()))
		return err
	}}
	req := echo
	req.EventMode, req.WebhookURL = imbotv2.EventModeWebhook, "https://bot.example.com/events"
	portal.Serve(req.WebhookURL, h)
	bot, err := imbotv2.EnsureBot(t.Context(), c, req)
	require.NoError(t, err)
	for i := range 3 {
		ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
		answer, _ := portal.Ask(ctx, portal.AddUser("Anna", fmt.Sprint(i)), imbot.UserDialog(bot.ID), "hello")
		stop()
		if answer.Plain() == "You said: hello" {
			answered++
		}
	}
	require.NoError(t, portal.Idle(t.Context()))
	require.NoError(t, h.Shutdown(t.Context()))
	return answered
}
