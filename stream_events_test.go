package imbot_test

import (
	"context"
	"errors"
	"fmt"
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

// heard is what reached a bot: how often each dialog's question did.
type heard struct {
	mu        sync.Mutex
	questions map[imbot.DialogID]int
}

// answer streams an answer of 15 s to a question.
func (h *heard) answer(dialog imbot.DialogID, answer *imbot.Stream) error {
	h.mu.Lock()
	h.questions[dialog]++
	h.mu.Unlock()
	_, err := speak(answer, 15)
	return errors.Join(err, answer.Close())
}

// spoken is what speak writes.
func spoken(seconds int) string {
	var text strings.Builder
	for i := range 20 * seconds {
		fmt.Fprintf(&text, "word%d ", i)
	}
	return text.String()
}

// troubled are bots of both generations; each answers until ctx ends.
var troubled = map[string]func(t *testing.T, portal *imbottest.Portal, h *heard) (bot imbot.ID, done func()){
	"imbot": func(t *testing.T, portal *imbottest.Portal, h *heard) (imbot.ID, func()) {
		hook := portal.Webhook("a-long-random-client-id")
		client, err := imbot.NewClient(hook, imbot.WithHTTPClient(portal.HTTPClient()))
		require.NoError(t, err)
		handler := &imbot.EventHandler{Verifier: hook.Verifier(), OnMessage: func(ctx context.Context, ev *imbot.MessageAddEvent) error {
			req := ev.Reply("")
			req.Keyboard = stopButton
			return h.answer(ev.Dialog(), client.Message.Stream(ctx, req))
		}}
		portal.Serve("https://bot.example.com/", handler)
		bot, err := imbot.EnsureBot(t.Context(), client, imbot.BotRegisterRequest{
			Code: "writer", EventHandler: "https://bot.example.com/", Properties: imbot.BotProperties{Name: "Writer"}})
		require.NoError(t, err)
		return bot, func() {
			require.NoError(t, errors.Join(portal.Idle(t.Context()), handler.Shutdown(t.Context())))
			require.Zero(t, handler.Stats().Failed)
		}
	},
	"imbotv2": func(t *testing.T, portal *imbottest.Portal, h *heard) (imbot.ID, func()) {
		client, err := imbotv2.NewClient(portal.Webhook("a-long-random-bot-token"), imbot.WithHTTPClient(portal.HTTPClient()))
		require.NoError(t, err)
		bot, err := imbotv2.EnsureBot(t.Context(), client, imbotv2.BotRegisterRequest{Code: "writer", Properties: imbotv2.BotProperties{Name: "Writer"}})
		require.NoError(t, err)
		client = client.WithBot(bot.ID)
		handler := &imbotv2.EventHandler{OnMessage: func(ctx context.Context, ev *imbotv2.MessageAddEvent) error {
			req := ev.Reply("")
			req.Keyboard = stopButton
			return h.answer(ev.Dialog(), client.Message.Stream(ctx, req))
		}}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- imbotv2.Poll(ctx, handler, client) }()
		return bot.ID, func() {
			time.Sleep(time.Minute) // it asks at least every few seconds, also in trouble
			stop()
			require.NoError(t, <-ended)
			require.Zero(t, handler.Stats().Failed)
		}
	},
}

// A tenth of all that can go wrong between portal and bot does: posts, polls, calls, answers.
func TestEveryQuestionThatReachesTheBotIsAnsweredWhole(t *testing.T) {
	t.Parallel()
	seeds := uint64(10)
	if raceDetector {
		seeds = 2 // each takes seconds then
	}
	for name, begin := range troubled {
		for seed := range seeds {
			t.Run(fmt.Sprint(name, ", seed ", seed+1), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					portal := imbottest.NewPortal(imbottest.WithSeed(seed+1), imbottest.WithRateLimit(imbottest.PlanBasic.RateLimit()))
					defer portal.Close()
					h := &heard{questions: map[imbot.DialogID]int{}}
					bot, done := begin(t, portal, h)
					portal.Chaos(0.1)
					people := map[imbot.DialogID]imbot.ID{}
					for i := range 20 {
						person := portal.AddUser("Person", fmt.Sprint(i))
						people[imbot.UserDialog(person)] = person
						_, err := portal.Say(t.Context(), person, imbot.UserDialog(bot), "Tell me.")
						require.NoError(t, err)
						time.Sleep(300 * time.Millisecond)
					}
					done()
					if t.Logf("%d of 20 arrived", len(h.questions)); strings.HasPrefix(name, "imbotv2") {
						require.Len(t, h.questions, 20, "a bot that asks misses none")
					}
					require.Greater(t, len(h.questions), 10, "most of what is posted arrives")
					for dialog, times := range h.questions {
						require.Equal(t, 1, times)
						var last imbottest.Message
						for _, m := range portal.Messages(people[dialog], imbot.UserDialog(bot)) {
							if m.AuthorID == bot {
								last = m
							}
						}
						require.Equal(t, strings.TrimSpace(spoken(15)), last.Text)
						require.Empty(t, last.Keyboard.Rows)
					}
				})
			})
		}
	}
}
