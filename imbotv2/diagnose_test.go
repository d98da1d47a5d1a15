package imbotv2_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/imbotv2"
)

func TestDiagnose(t *testing.T) {
	t.Parallel()
	webhook := echo
	webhook.EventMode, webhook.WebhookURL = imbotv2.EventModeWebhook, "https://bot.example.com/events"
	say := func(t *testing.T, portal *imbottest.Portal, bot imbot.ID) {
		t.Helper()
		_, err := portal.Say(t.Context(), portal.AddUser("Anna", "A"), imbot.UserDialog(bot), "hello")
		require.NoError(t, err)
	}
	for _, row := range []struct {
		name    string
		options []imbottest.Option
		bot     imbotv2.BotRegisterRequest
		v1      bool
		ask     imbotv2.DiagnoseRequest
		happens func(t *testing.T, portal *imbottest.Portal, c *imbotv2.Client, bot imbot.ID)
		problem string
		guess   bool
	}{
		{name: "all is well", bot: echo, ask: imbotv2.DiagnoseRequest{BotCode: "echo"}},
		{name: "no bot is asked for"},
		{name: "there is no bot", ask: imbotv2.DiagnoseRequest{BotCode: "echo"}, problem: `There is no bot with the code "echo"`},
		{name: "a portal before imbot.v2", happens: func(t *testing.T, portal *imbottest.Portal, _ *imbotv2.Client, _ imbot.ID) {
			t.Helper()
			portal.Fail("imbot.v2.Revision.get", imbottest.Fault{Code: "ERROR_METHOD_NOT_FOUND", Status: 404})
		}, problem: "does not know imbot.v2"},
		{name: "the scope is missing", options: []imbottest.Option{imbottest.WithScope("crm")}, problem: "lack the scope imbot"},
		{name: "the scope of people is missing", options: []imbottest.Option{imbottest.WithScope("imbot")}, problem: "lack the scope im,", guess: true},
		{name: "a fetch bot and a URL", bot: echo, ask: imbotv2.DiagnoseRequest{BotCode: "echo", WebhookURL: "https://bot.example.com/events"}, problem: "is in fetch mode"},
		{name: "a webhook bot and a program that polls", bot: webhook, ask: imbotv2.DiagnoseRequest{BotCode: "echo"}, problem: "is in webhook mode"},
		{name: "a bot of the first generation", v1: true, ask: imbotv2.DiagnoseRequest{BotCode: "echo"}, problem: "is in webhook mode"},
		{name: "events wait, and nobody polls", bot: echo, ask: imbotv2.DiagnoseRequest{BotCode: "echo"}, happens: func(t *testing.T, portal *imbottest.Portal, _ *imbotv2.Client, bot imbot.ID) {
			t.Helper()
			say(t, portal, bot)
			time.Sleep(3 * time.Hour)
		}, problem: "has waited for 3h0m0s: nobody polls it"},
		{name: "events wait for a moment", bot: echo, ask: imbotv2.DiagnoseRequest{BotCode: "echo"}, happens: func(t *testing.T, portal *imbottest.Portal, _ *imbotv2.Client, bot imbot.ID) {
			t.Helper()
			say(t, portal, bot)
		}},
		{name: "somebody else polls", bot: echo, ask: imbotv2.DiagnoseRequest{BotCode: "echo"}, happens: func(t *testing.T, portal *imbottest.Portal, c *imbotv2.Client, bot imbot.ID) {
			t.Helper()
			say(t, portal, bot)
			time.AfterFunc(2*time.Second, func() {
				page, err := c.WithBot(bot).Event.Get(t.Context(), imbotv2.EventGetRequest{})
				require.NoError(t, err)
				_, err = c.WithBot(bot).Event.Get(t.Context(), imbotv2.EventGetRequest{Offset: page.NextOffset})
				require.NoError(t, err)
			})
		}, problem: "Some program fetches the events", guess: true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				portal := imbottest.NewPortal(row.options...)
				defer portal.Close()
				c, err := imbotv2.NewClient(portal.Webhook("a-long-random-bot-token"), pollOptions(portal.HTTPClient().Transport)...)
				require.NoError(t, err)
				var bot imbot.ID
				switch {
				case row.v1:
					bot, err = c.Base().Bot.Register(t.Context(), imbot.BotRegisterRequest{Code: "echo", EventHandler: "https://bot.example.com/events", Properties: imbot.BotProperties{Name: "Echo"}})
					require.NoError(t, err)
				case row.bot.Code != "":
					registered, err := c.Bot.Register(t.Context(), row.bot)
					require.NoError(t, err)
					bot = registered.Bot.ID
				}
				if row.happens != nil {
					row.happens(t, portal, c, bot)
				}
				before := len(portal.Queued(bot))
				r, err := imbotv2.Diagnose(t.Context(), c, row.ask)
				require.NoError(t, err)
				var found []string
				for _, f := range r.Findings {
					if !strings.Contains(f.Problem, "handler URL") { // what the first generation's part has tests for
						found = append(found, f.Problem)
						require.Equal(t, row.guess, f.Guess)
						require.NotEmpty(t, f.Advice)
					}
				}
				if row.problem == "" {
					require.Empty(t, found)
					require.Equal(t, bot, r.BotID)
				} else {
					require.Len(t, found, 1, "%q", found)
					require.Contains(t, found[0], row.problem)
				}
				if !row.guess {
					require.Len(t, portal.Queued(bot), before, "nothing is acknowledged")
				}
				require.NotContains(t, r.String(), "a-long-random")
			})
		})
	}
}

func TestWithoutAClientThereIsAnError(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]*imbotv2.Client{"none": nil, "an empty one": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := imbotv2.Diagnose(t.Context(), c, imbotv2.DiagnoseRequest{})
			require.ErrorIs(t, err, imbot.ErrInvalid)
			_, err = imbotv2.EnsureBot(t.Context(), c, echo)
			require.ErrorIs(t, err, imbot.ErrInvalid)
		})
	}
}

func TestDiagnoseNamesAForeignBot(t *testing.T) {
	t.Parallel()
	portal, c := portalClient(t)
	_, err := imbotv2.EnsureBot(t.Context(), c, echo)
	require.NoError(t, err)
	other, err := imbotv2.NewClient(portal.Webhook("another-long-random-token"), imbot.WithHTTPClient(portal.HTTPClient()), imbot.WithLimiter(nil))
	require.NoError(t, err)
	r, err := imbotv2.Diagnose(t.Context(), other, imbotv2.DiagnoseRequest{BotCode: "echo"})
	require.NoError(t, err)
	require.Contains(t, r.String(), "echo")
	require.Len(t, r.Findings, 1)
}
