package imbotv2_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/imbotv2"
)

// portalClient returns a portal and a client of it.
func portalClient(t *testing.T, opts ...imbottest.Option) (*imbottest.Portal, *imbotv2.Client) {
	t.Helper()
	portal := imbottest.NewPortal(opts...)
	t.Cleanup(portal.Close)
	client, err := imbotv2.NewClient(portal.Webhook("a-long-random-bot-token"), imbot.WithHTTPClient(portal.HTTPClient()), imbot.WithLimiter(nil))
	require.NoError(t, err)
	return portal, client
}

var echo = imbotv2.BotRegisterRequest{Code: "echo", Properties: imbotv2.BotProperties{Name: "Echo", Color: imbot.ColorMint}}

func TestEnsureBotRegistersOnceAndUpdatesWhatDiffers(t *testing.T) {
	t.Parallel()
	portal, c := portalClient(t)
	bot, err := imbotv2.EnsureBot(t.Context(), c, echo)
	require.NoError(t, err)
	require.Equal(t, imbotv2.EventModeFetch, bot.EventMode)
	calls := len(portal.Calls(""))
	again, err := imbotv2.EnsureBot(t.Context(), c, echo)
	require.NoError(t, err)
	require.Equal(t, bot, again)
	require.Equal(t, calls+1, len(portal.Calls("")), "one call when nothing differs")

	other := echo
	other.Properties.Name, other.IsHidden = "Parrot", imbot.Yes
	changed, err := imbotv2.EnsureBot(t.Context(), c, other)
	require.NoError(t, err)
	require.Equal(t, bot.ID, changed.ID)
	require.True(t, changed.IsHidden.Bool())
	require.Equal(t, "Parrot", portal.Name(bot.ID))
	require.JSONEq(t, fmt.Sprintf(`{"botId":%d,"fields":{"isHidden":"Y","properties":{"name":"Parrot","color":"MINT"}}}`, bot.ID),
		string(portal.Calls("imbot.v2.Bot.update")[0].Params))
	require.NoError(t, portal.Err())
}

func TestEnsureBotSaysWhatItCannotChange(t *testing.T) {
	t.Parallel()
	portal, c := portalClient(t)
	_, err := imbotv2.EnsureBot(t.Context(), c, echo)
	require.NoError(t, err)
	supervisor := echo
	supervisor.Type = imbotv2.BotTypeSupervisor
	_, err = imbotv2.EnsureBot(t.Context(), c, supervisor)
	require.ErrorIs(t, err, imbot.ErrInvalid)
	_, err = imbotv2.EnsureBot(t.Context(), c.WithBotToken("somebody-elses-token"), echo)
	require.ErrorIs(t, err, imbotv2.ErrBotCodeAlreadyTaken)
	require.NoError(t, portal.Err())
}

// A bot of the first generation with the same secret becomes one of the second: id and
// dialogs stay.
func TestEnsureBotTakesOverABotOfTheFirstGeneration(t *testing.T) {
	t.Parallel()
	portal, c := portalClient(t)
	id, err := c.Base().Bot.Register(t.Context(), imbot.BotRegisterRequest{Code: "echo", EventHandler: "https://bot.example.com/", Properties: imbot.BotProperties{Name: "Echo"}})
	require.NoError(t, err)
	bot, err := imbotv2.EnsureBot(t.Context(), c, echo)
	require.NoError(t, err)
	require.Equal(t, id, bot.ID)
	require.Equal(t, imbotv2.EventModeFetch, bot.EventMode)
	_, err = portal.Say(t.Context(), portal.AddUser("Anna", "I"), imbot.UserDialog(id), "hello")
	require.NoError(t, err)
	require.Len(t, portal.Queued(id), 2, "it joins, and hears")
	require.NoError(t, errors.Join(portal.Idle(t.Context()), portal.Err()), "nothing was posted")
}

func TestEnsureBotSaysThatABotStaysInTheFirstGeneration(t *testing.T) {
	t.Parallel()
	portal, c := portalClient(t)
	bot, err := imbotv2.EnsureBot(t.Context(), c, echo)
	require.NoError(t, err)
	answer := fmt.Sprintf(`{"result":{"bot":{"id":%d,"type":"bot","eventMode":"webhook"},"users":[{"id":1,"firstName":"Echo"}]}}`, bot.ID)
	portal.Fail("imbot.v2.Bot.register", imbottest.Fault{Status: 200, Body: answer})
	portal.Fail("imbot.v2.Bot.update", imbottest.Fault{Status: 200, Body: answer})
	_, err = imbotv2.EnsureBot(t.Context(), c, echo)
	require.ErrorIs(t, err, imbotv2.ErrStillV1)
}

func TestEnsureBotDoesNotBelieveThatABotHasChanged(t *testing.T) {
	t.Parallel()
	portal, c := portalClient(t, imbottest.WithOther(imbottest.DoubtV1ToFetch))
	_, err := c.Base().Bot.Register(t.Context(), imbot.BotRegisterRequest{Code: "echo", EventHandler: "https://bot.example.com/", Properties: imbot.BotProperties{Name: "Echo"}})
	require.NoError(t, err)
	for range 2 {
		_, err = imbotv2.EnsureBot(t.Context(), c, echo)
		require.ErrorIs(t, err, imbotv2.ErrStillV1, "at each start")
	}
	require.NoError(t, portal.Err())
}

func TestEnsureCommandsInOneRequestOrTwo(t *testing.T) {
	t.Parallel()
	portal, c := portalClient(t)
	bot, err := imbotv2.EnsureBot(t.Context(), c, echo)
	require.NoError(t, err)
	c = c.WithBot(bot.ID)
	var reqs []imbotv2.CommandRegisterRequest
	for n := range 20 {
		reqs = append(reqs, imbotv2.CommandRegisterRequest{Command: fmt.Sprint("c", n), Title: map[string]string{"en": fmt.Sprint("Command ", n)}})
	}
	requests := func() int {
		n := 0
		for _, call := range portal.Calls("") {
			if !call.Batch {
				n++
			}
		}
		return n
	}
	before := requests()
	commands, err := imbotv2.EnsureCommands(t.Context(), c, reqs, true)
	require.NoError(t, err)
	require.Len(t, commands, 20)
	require.Equal(t, "/c7", commands[7].Command)
	require.Equal(t, before+2, requests(), "the list and one batch")
	same, err := imbotv2.EnsureCommands(t.Context(), c, reqs, true)
	require.NoError(t, err)
	require.Equal(t, before+3, requests(), "the list")
	require.Equal(t, commands[3].ID, same[3].ID)

	reqs = reqs[:2]
	reqs[1].Title, reqs[1].Hidden = map[string]string{"en": "Another"}, imbot.Yes
	commands, err = imbotv2.EnsureCommands(t.Context(), c, reqs, true)
	require.NoError(t, err)
	require.True(t, commands[1].Hidden.Bool())
	there, err := c.Command.List(t.Context(), imbotv2.CommandListRequest{})
	require.NoError(t, err)
	require.Len(t, there, 2)
	require.Equal(t, "Another", there[1].Title)

	_, err = imbotv2.EnsureCommands(t.Context(), c, append(reqs, reqs[0]), false)
	require.ErrorIs(t, err, imbot.ErrInvalid)
	one, err := imbotv2.EnsureCommand(t.Context(), c, reqs[0])
	require.NoError(t, err)
	require.Equal(t, "/c0", one.Command)
	require.NoError(t, portal.Err())
}

func TestEnsureCommandsIsAboutTheBotOfTheRequests(t *testing.T) {
	t.Parallel()
	portal, c := portalClient(t)
	bot, err := imbotv2.EnsureBot(t.Context(), c, echo)
	require.NoError(t, err)
	other := echo
	other.Code = "other"
	second, err := imbotv2.EnsureBot(t.Context(), c, other)
	require.NoError(t, err)
	help := imbotv2.CommandRegisterRequest{Command: "help", Title: map[string]string{"en": "Help"}}
	first, err := imbotv2.EnsureCommand(t.Context(), c.WithBot(bot.ID), help)
	require.NoError(t, err)
	help.BotID = second.ID
	of, err := imbotv2.EnsureCommand(t.Context(), c.WithBot(bot.ID), help)
	require.NoError(t, err)
	require.Equal(t, second.ID, of.BotID)
	require.NotEqual(t, first.ID, of.ID)
	_, err = imbotv2.EnsureCommands(t.Context(), c, []imbotv2.CommandRegisterRequest{help}, true)
	require.NoError(t, err, "without a bot of the client")
	there, err := c.WithBot(bot.ID).Command.List(t.Context(), imbotv2.CommandListRequest{})
	require.NoError(t, err)
	require.Len(t, there, 1, "the other bot's command stays")
	mixed := help
	mixed.Command, mixed.BotID = "more", bot.ID
	_, err = imbotv2.EnsureCommands(t.Context(), c, []imbotv2.CommandRegisterRequest{help, mixed}, true)
	require.ErrorIs(t, err, imbot.ErrInvalid)
	require.NoError(t, portal.Err())
}

func TestRotateTokenWhateverBecomesOfTheAnswer(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]imbottest.Fault{
		"it arrives":                    {},
		"it is lost after the change":   {Cut: imbottest.AfterRun},
		"the request is lost before it": {Cut: imbottest.BeforeRun},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				portal := imbottest.NewPortal()
				defer portal.Close()
				c, err := imbotv2.NewClient(portal.Webhook("a-long-random-bot-token"), imbot.WithHTTPClient(portal.HTTPClient()))
				require.NoError(t, err)
				bot, err := imbotv2.EnsureBot(t.Context(), c, echo)
				require.NoError(t, err)
				if fault != (imbottest.Fault{}) {
					fault.Times = 1
					portal.Fail("imbot.v2.Bot.update", fault)
				}
				fresh, err := imbotv2.RotateToken(t.Context(), c, bot.ID, "the-next-token-of-it")
				require.NoError(t, err)
				_, err = fresh.Event.Get(t.Context(), imbotv2.EventGetRequest{BotID: bot.ID})
				require.NoError(t, err)
				_, err = c.Event.Get(t.Context(), imbotv2.EventGetRequest{BotID: bot.ID})
				require.ErrorIs(t, err, imbotv2.ErrBotOwnership)
			})
		})
	}
}

func TestRotateTokenKeepsTwoBotsApart(t *testing.T) {
	t.Parallel()
	_, c := portalClient(t)
	bot, err := imbotv2.EnsureBot(t.Context(), c, echo)
	require.NoError(t, err)
	other := echo
	other.Code = "other"
	_, err = imbotv2.EnsureBot(t.Context(), c.WithBotToken("the-token-of-another"), other)
	require.NoError(t, err)
	_, err = imbotv2.RotateToken(t.Context(), c, bot.ID, "the-token-of-another")
	require.ErrorIs(t, err, imbotv2.ErrBotTokenRotationFailed)
}

// A late transport loses the connection of the first update, which runs all the same, when the second one comes.
type late struct {
	http.RoundTripper

	first *http.Request
}

func (l *late) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, "/imbot.v2.Bot.update") {
		return l.RoundTripper.RoundTrip(r)
	}
	if l.first == nil {
		body, err := io.ReadAll(r.Body)
		l.first = r.Clone(context.Background())
		l.first.Body = io.NopCloser(bytes.NewReader(body))
		return nil, errors.Join(err, io.ErrUnexpectedEOF)
	}
	resp, err := l.RoundTripper.RoundTrip(l.first)
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	return l.RoundTripper.RoundTrip(r)
}

func TestRotateTokenThatHappensLate(t *testing.T) {
	t.Parallel()
	portal, c := portalClient(t)
	bot, err := imbotv2.EnsureBot(t.Context(), c, echo)
	require.NoError(t, err)
	c, err = imbotv2.NewClient(portal.Webhook("a-long-random-bot-token"), imbot.WithLimiter(nil),
		imbot.WithHTTPClient(&http.Client{Transport: &late{RoundTripper: portal.HTTPClient().Transport}}))
	require.NoError(t, err)
	fresh, err := imbotv2.RotateToken(t.Context(), c, bot.ID, "the-next-token-of-it")
	require.NoError(t, err)
	_, err = fresh.Event.Get(t.Context(), imbotv2.EventGetRequest{BotID: bot.ID})
	require.NoError(t, err)
}

func TestNoClient(t *testing.T) {
	t.Parallel()
	_, err := imbotv2.RotateToken(t.Context(), nil, 5, "the-next-token")
	require.ErrorIs(t, err, imbot.ErrInvalid)
	_, err = imbotv2.EnsureCommands(t.Context(), nil, nil, false)
	require.ErrorIs(t, err, imbot.ErrInvalid)
	imbotv2.KeepAction(t.Context(), nil, "chat5", imbotv2.ActionThinking)()
}

// The portal would take such a token, and no client could use the bot any more.
func TestRotateTokenKeepsTheBotWithinReach(t *testing.T) {
	t.Parallel()
	portal, c := portalClient(t)
	bot, err := imbotv2.EnsureBot(t.Context(), c, echo)
	require.NoError(t, err)
	for _, next := range []string{"a&b", "токен", "a b", "tail ", ""} {
		_, err = imbotv2.RotateToken(t.Context(), c, bot.ID, next)
		require.ErrorIs(t, err, imbot.ErrInvalid, "%q", next)
	}
	same, err := imbotv2.RotateToken(t.Context(), c, bot.ID, "a-long-random-bot-token")
	require.NoError(t, err, "the one that it has")
	_, err = same.Bot.Get(t.Context(), imbotv2.BotGetRequest{BotID: bot.ID})
	require.NoError(t, err)
	require.NoError(t, portal.Err())
}

// Thousands of sends whose answers get lost at random make as many messages.
func TestLostAnswersDoubleNothing(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]imbot.Option{"single": nil, "automatic batches": {imbot.WithAutoBatch()}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const sends = 4000
				portal := imbottest.NewPortal()
				defer portal.Close()
				opts := append([]imbot.Option{imbot.WithHTTPClient(portal.HTTPClient()), imbot.WithLimiter(imbot.NewLimiter(200, 50)),
					imbot.WithRetry(imbot.Retry{MaxAttempts: 10, MinBackoff: time.Second, MaxBackoff: time.Minute})}, opts...)
				c, err := imbotv2.NewClient(portal.Webhook("a-long-random-bot-token"), opts...)
				require.NoError(t, err)
				bot, err := imbotv2.EnsureBot(t.Context(), c, echo)
				require.NoError(t, err)
				c = c.WithBot(bot.ID)
				anna := portal.AddUser("Anna", "Ivanova")
				portal.Fail("imbot.v2.Chat.Message.send", imbottest.Fault{Cut: imbottest.AfterRun, Chance: 0.1, Times: -1})
				portal.Fail("batch", imbottest.Fault{Cut: imbottest.AfterRun, Chance: 0.1, Times: -1})
				requireOnce(t, portal, c, anna, sends)
			})
		})
	}
}

func TestLostAnswersOfABatchDoubleNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal()
		defer portal.Close()
		c, err := imbotv2.NewClient(portal.Webhook("a-long-random-bot-token"), imbot.WithHTTPClient(portal.HTTPClient()), imbot.WithLimiter(nil))
		require.NoError(t, err)
		bot, err := imbotv2.EnsureBot(t.Context(), c, echo)
		require.NoError(t, err)
		anna := portal.AddUser("Anna", "Ivanova")
		portal.Fail("batch", imbottest.Fault{Cut: imbottest.AfterRun, Chance: 0.2, Times: -1})
		for round := range 40 {
			b := imbot.NewBatch()
			var pending []*imbot.Pending[imbot.ID]
			for n := range 50 {
				pending = append(pending, imbot.Queue(b, imbotv2.MessageSendRequest{BotID: bot.ID, DialogID: imbot.UserDialog(anna), Message: fmt.Sprint("m", round*50+n)}))
			}
			_ = c.Base().DoBatch(t.Context(), b) // each call has an error of its own
			for _, p := range pending {
				_, err := p.Result()
				require.NoError(t, err)
			}
		}
		requireTexts(t, portal, anna, bot.ID, 2000)
	})
}

// requireOnce sends messages side by side and requires each to be there once.
func requireOnce(t *testing.T, portal *imbottest.Portal, c *imbotv2.Client, person imbot.ID, sends int) {
	t.Helper()
	todo := make(chan int)
	failed := make(chan error, 50)
	for range 50 {
		go func() {
			var errs []error
			for n := range todo {
				_, err := c.Message.Send(context.Background(), imbotv2.MessageSendRequest{DialogID: imbot.UserDialog(person), Message: fmt.Sprint("m", n)})
				errs = append(errs, err)
			}
			failed <- errors.Join(errs...)
		}()
	}
	for n := range sends {
		todo <- n
	}
	close(todo)
	for range 50 {
		require.NoError(t, <-failed)
	}
	requireTexts(t, portal, person, c.BotID(), sends)
}

func requireTexts(t *testing.T, portal *imbottest.Portal, person, bot imbot.ID, sends int) {
	t.Helper()
	seen := map[string]int{}
	for _, m := range portal.Messages(person, imbot.UserDialog(bot)) {
		seen[m.Text]++
	}
	require.Len(t, seen, sends)
	for text, n := range seen {
		require.Equal(t, 1, n, text)
	}
}
