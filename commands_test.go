package imbot_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

func nothing(context.Context, *imbot.CommandAddEvent) error { return nil }

// pizzeria is a table as a bot has it.
func pizzeria() imbot.SlashCommands {
	return imbot.SlashCommands{
		{Name: "order", Title: "Order a pizza", Params: "size", Run: nothing, Lang: []imbot.CommandLang{{LanguageID: "de", Title: "Pizza bestellen", Params: "Größe"}}},
		{Name: "menu", Title: "What there is", Extranet: true, Run: nothing},
		{Name: "close", Title: "Close", Hidden: true, Run: nothing},
	}
}

// withCommands returns a portal with a bot, and the bot's client.
func withCommands(t *testing.T) (*imbottest.Portal, *imbot.Client) {
	t.Helper()
	portal, client := onPortal(t, "one-long-client-id")
	bot, err := imbot.EnsureBot(t.Context(), client, supportBot())
	require.NoError(t, err)
	return portal, client.WithBot(bot)
}

// requests counts the HTTP requests that a portal has had.
func requests(portal *imbottest.Portal) (n int) {
	for _, call := range portal.Calls("") {
		if !call.Batch {
			n++
		}
	}
	return n
}

// shown are the commands that a person can give to a bot.
func shown(portal *imbottest.Portal, bot imbot.ID) map[string]imbottest.Command {
	byName := map[string]imbottest.Command{}
	for _, c := range portal.Commands(portal.AddUser("Anna", "I"), imbot.UserDialog(bot)) {
		c.ID = 0
		byName[c.Name] = c
	}
	return byName
}

func TestEnsureTakesTwoRequestsForTwentyCommands(t *testing.T) {
	t.Parallel()
	portal, client := withCommands(t)
	var commands imbot.SlashCommands
	for n := range 20 {
		commands = append(commands, imbot.SlashCommand{Name: fmt.Sprint("c", n), Title: fmt.Sprint("Command ", n), Run: nothing})
	}
	for start := range 3 {
		before := requests(portal)
		require.NoError(t, commands.Ensure(t.Context(), client, handlerURL))
		require.Equal(t, 2, requests(portal)-before, "start %d", start)
		require.Len(t, shown(portal, client.BotID()), 20)
	}
	require.NoError(t, portal.Err())
}

func TestEnsureTakesTwoRequestsForFortyNine(t *testing.T) {
	t.Parallel()
	portal, client := withCommands(t)
	var commands imbot.SlashCommands
	for n := range 60 {
		commands = append(commands, imbot.SlashCommand{Name: fmt.Sprint("c", n), Title: "C", Run: nothing})
	}
	for _, row := range []struct{ commands, requests int }{{49, 2}, {60, 4}, {49, 3}, {1, 2}, {0, 2}} {
		before := requests(portal)
		require.NoError(t, commands[:row.commands].Ensure(t.Context(), client, handlerURL))
		require.Equal(t, row.requests, requests(portal)-before, "%d commands", row.commands)
		require.Len(t, shown(portal, client.BotID()), row.commands)
	}
	require.NoError(t, portal.Err())
}

func TestEnsureMakesTheCommandsThoseOfTheTable(t *testing.T) {
	t.Parallel()
	portal, client := withCommands(t)
	other, err := imbot.EnsureBot(t.Context(), client, imbot.BotRegisterRequest{Code: "other", EventHandler: handlerURL, Properties: imbot.BotProperties{Name: "Other"}})
	require.NoError(t, err)
	for _, c := range []imbot.CommandRegisterRequest{
		{Command: "old"}, {Command: "menu", Common: imbot.Yes}, {Command: "close"}, {BotID: other, Command: "old"},
	} {
		c.EventCommandAdd, c.Lang = handlerURL, []imbot.CommandLang{{LanguageID: "en", Title: "Old"}}
		_, err := client.Command.Register(t.Context(), c)
		require.NoError(t, err)
	}
	require.NoError(t, pizzeria().Ensure(t.Context(), client, handlerURL))
	bot := client.BotID()
	require.Equal(t, map[string]imbottest.Command{
		"order": {Bot: bot, Name: "order", Title: "Order a pizza", Params: "size"},
		"menu":  {Bot: bot, Name: "menu", Title: "What there is"},
		"close": {Bot: bot, Name: "close", Title: "Close", Hidden: true},
	}, shown(portal, bot))
	require.Contains(t, shown(portal, other), "old", "it is another bot's")

	table := pizzeria()
	table[0].Common, table[2].Extranet = true, true
	require.NoError(t, table.Ensure(t.Context(), client, handlerURL))
	require.True(t, shown(portal, bot)["order"].Common)
	calls := portal.Calls("imbot.command.update")
	require.Contains(t, string(calls[len(calls)-1].Params), `"EXTRANET_SUPPORT":"Y"`)
	made := len(portal.Calls("imbot.command.unregister"))
	require.NoError(t, table.Ensure(t.Context(), client, handlerURL))
	require.Len(t, portal.Calls("imbot.command.unregister"), made, "what is common already stays as it is")
	require.NoError(t, portal.Err())
}

func TestEnsureOnAPortalThatDoesNotListCommands(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"ERROR_METHOD_NOT_FOUND", "BOT_NOT_FOUND", "BOT_OWNERSHIP_ERROR"} {
		portal, client := withCommands(t)
		_, err := imbot.EnsureCommand(t.Context(), client, imbot.CommandRegisterRequest{Command: "old", EventCommandAdd: handlerURL, Lang: []imbot.CommandLang{{LanguageID: "en", Title: "Old"}}})
		require.NoError(t, err)
		portal.Fail("imbot.v2.Command.list", imbottest.Fault{Status: 400, Code: code})
		require.NoError(t, pizzeria().Ensure(t.Context(), client, handlerURL), code)
		require.Len(t, shown(portal, client.BotID()), 4, "nothing is unregistered")
		require.NoError(t, portal.Err())
	}
}

func TestEnsureTellsWhatWasRefused(t *testing.T) {
	t.Parallel()
	portal, client := withCommands(t)
	portal.Fail("imbot.command.register", imbottest.Fault{Status: 400, Code: "WRONG_REQUEST", Times: 1})
	err := pizzeria().Ensure(t.Context(), client, handlerURL)
	require.ErrorIs(t, err, imbot.ErrWrongRequest)
	require.ErrorContains(t, err, `"order": imbot`)
	require.Empty(t, portal.Calls("imbot.command.update"), "what is not registered is not brought up to date")
	portal.Fail("imbot.v2.Command.list", imbottest.Fault{Status: 400, Code: "WRONG_LICENSE", Times: 1})
	require.ErrorIs(t, pizzeria().Ensure(t.Context(), client, handlerURL), imbot.ErrWrongLicense)
	portal.Fail("batch", imbottest.Fault{Status: 403, Code: "insufficient_scope", Times: 1})
	err = pizzeria().Ensure(t.Context(), client, handlerURL)
	require.ErrorIs(t, err, imbot.ErrInsufficientScope)
	require.NotContains(t, err.Error(), "\n", "once for all commands")
	require.NoError(t, pizzeria().Ensure(t.Context(), client, handlerURL))
}

// Two programs of a new version start at once, and both drop what the old one had.
func TestEnsureWhileAnotherProgramPrunes(t *testing.T) {
	t.Parallel()
	portal, client := withCommands(t)
	require.NoError(t, pizzeria().Ensure(t.Context(), client, handlerURL))
	portal.Fail("imbot.command.unregister", imbottest.Fault{Status: 400, Code: "COMMAND_ID_ERROR", Times: 2})
	require.NoError(t, pizzeria()[:1].Ensure(t.Context(), client, handlerURL))
	require.Len(t, portal.Calls("imbot.command.unregister"), 2)
	portal.Fail("imbot.command.unregister", imbottest.Fault{Status: 400, Code: "ACCESS_DENIED", Times: 1})
	require.ErrorIs(t, pizzeria()[:1].Ensure(t.Context(), client, handlerURL), imbot.ErrAccessDenied)
}

func TestEnsureSurvivesALostAnswer(t *testing.T) {
	t.Parallel()
	portal, client := withCommands(t)
	portal.Fail("batch", imbottest.Fault{Cut: imbottest.AfterRun, Times: 1})
	require.NoError(t, pizzeria().Ensure(t.Context(), client, handlerURL))
	require.Len(t, shown(portal, client.BotID()), 3)
}

func TestEnsureRefusesATableBeforeItIsSent(t *testing.T) {
	t.Parallel()
	w := &wire{answer: func(int, *http.Request) (*http.Response, error) { return reply(200, `{"result":true}`), nil }}
	client := over(t, imbot.Webhook{URL: hookURL, ClientID: "bot-secret-1"}, w)
	row := func(with func(*imbot.SlashCommand)) imbot.SlashCommands {
		t := pizzeria()
		with(&t[1])
		return t
	}
	for name, c := range map[string]struct {
		table  imbot.SlashCommands
		client *imbot.Client
		want   string
	}{
		"no bot":                {pizzeria(), client, "WithBot"},
		"a slash in a name":     {row(func(c *imbot.SlashCommand) { c.Name = "/menu" }), client.WithBot(39), "slash"},
		"a blank in a name":     {row(func(c *imbot.SlashCommand) { c.Name = "the menu" }), client.WithBot(39), "blank"},
		"no name":               {row(func(c *imbot.SlashCommand) { c.Name = "" }), client.WithBot(39), "command 2"},
		"a name twice":          {row(func(c *imbot.SlashCommand) { c.Name = "Order" }), client.WithBot(39), "twice"},
		"no title":              {row(func(c *imbot.SlashCommand) { c.Title = "" }), client.WithBot(39), "Title"},
		"nothing to run":        {row(func(c *imbot.SlashCommand) { c.Run = nil }), client.WithBot(39), "Run"},
		"an English title more": {row(func(c *imbot.SlashCommand) { c.Lang = []imbot.CommandLang{{LanguageID: "en", Title: "x"}} }), client.WithBot(39), "en"},
		"no language":           {row(func(c *imbot.SlashCommand) { c.Lang = []imbot.CommandLang{{Title: "x"}} }), client.WithBot(39), "LANGUAGE_ID"},
		"a name too long":       {row(func(c *imbot.SlashCommand) { c.Name = strings.Repeat("x", 256) }), client.WithBot(39), "COMMAND"},
	} {
		err := c.table.Ensure(t.Context(), c.client, handlerURL)
		require.ErrorIs(t, err, imbot.ErrInvalid, name)
		require.ErrorContains(t, err, c.want, name)
	}
	require.Empty(t, w.bodies)
}

func TestHelpOfACommandTable(t *testing.T) {
	t.Parallel()
	require.Equal(t, "[send=/order]/order[/send] size – Order a pizza\n[send=/menu]/menu[/send] – What there is", pizzeria().Help("en"))
	require.Equal(t, pizzeria().Help("en"), pizzeria().Help(""))
	require.Contains(t, pizzeria().Help("DE"), "Größe – Pizza bestellen\n")
	require.NotContains(t, imbot.SlashCommands{{Name: "a", Title: "[b]x[/b]", Params: "[i]"}}.Help("en"), "[b]")
	require.Empty(t, imbot.SlashCommands(nil).Help("en"))
}

// given is the body of an event with commands.
func given(dialog string, names ...string) string {
	body := "event=ONIMCOMMANDADD&data[PARAMS][DIALOG_ID]=" + dialog
	for i, name := range names {
		body += fmt.Sprintf("&data[COMMAND][%d][COMMAND]=%s&data[COMMAND][%[1]d][COMMAND_ID]=%[1]d", i+1, name)
	}
	return body
}

func TestCommandsRunEachWithItsOwnEvent(t *testing.T) {
	t.Parallel()
	var ran []string
	runs := func(err error) func(context.Context, *imbot.CommandAddEvent) error {
		return func(_ context.Context, ev *imbot.CommandAddEvent) error {
			require.Len(t, ev.Commands, 1)
			require.Equal(t, imbot.DialogID("27"), ev.Dialog())
			ran = append(ran, fmt.Sprint(ev.Commands[0].Command, ev.Answer("").CommandID))
			return err
		}
	}
	no, never := errors.New("no pizza"), errors.New("no menu")
	var failed []error
	h := &imbot.EventHandler{Verifier: trustAll{}, OnError: func(_ context.Context, _ imbot.Event, err error) { failed = append(failed, err) }}
	h.Commands = imbot.SlashCommands{{Name: "Order", Run: runs(no)}, {Name: "menu", Run: runs(never)}, {Name: "idle"}}
	h.OnEvent = runAny(&ran)
	require.Equal(t, http.StatusOK, deliver(h, given("27", "ORDER", "menu", "pay", "order")))
	require.NoError(t, h.Idle(t.Context()))
	require.Equal(t, []string{"ORDER1", "menu2", "order4"}, ran)
	require.Len(t, failed, 1)
	require.ErrorIs(t, failed[0], no)
	require.ErrorIs(t, failed[0], never)
	require.ErrorContains(t, failed[0], `"pay" is not in EventHandler.Commands`)

	other := &imbot.EventHandler{Commands: h.Commands, OnCommand: runs(nil)}
	ran = nil
	require.NoError(t, other.Handle(t.Context(), &imbot.CommandAddEvent{
		Params: imbot.MessageParams{DialogID: "27"}, Commands: []imbot.EventCommand{{Command: "pay", CommandID: 1}, {Command: "idle", CommandID: 2}},
	}))
	require.Equal(t, []string{"pay1", "idle2"}, ran, "OnCommand has what is not in the table")
	require.NoError(t, h.Handle(t.Context(), &imbot.CommandAddEvent{}), "OnEvent has what has no command")
	require.Equal(t, "event", ran[len(ran)-1])
}

func runAny(ran *[]string) func(context.Context, imbot.Event) error {
	return func(context.Context, imbot.Event) error {
		*ran = append(*ran, "event")
		return nil
	}
}

func TestCommandsEndWithTheirContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	cause, ran := errors.New("enough"), 0
	h := &imbot.EventHandler{Commands: imbot.SlashCommands{{Name: "a", Run: func(context.Context, *imbot.CommandAddEvent) error {
		ran++
		cancel(cause)
		return nil
	}}}}
	err := h.Handle(ctx, &imbot.CommandAddEvent{Commands: []imbot.EventCommand{{Command: "a"}, {Command: "a"}}})
	require.ErrorIs(t, err, cause)
	require.Equal(t, 1, ran)
}

func TestACommandThatInterruptsIsAStopButton(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start, again := time.Now(), make(chan time.Duration, 1)
		var took time.Duration
		h := &imbot.EventHandler{Verifier: trustAll{}, Workers: 1, OnError: func(_ context.Context, _ imbot.Event, err error) { t.Error(err) }}
		h.OnMessage = func(ctx context.Context, _ *imbot.MessageAddEvent) error {
			select {
			case <-ctx.Done():
			case <-time.After(time.Minute):
			}
			took = time.Since(start)
			return ctx.Err()
		}
		h.Commands = imbot.SlashCommands{
			{Name: "stop", Interrupts: true},
			{Name: "state", Beside: true, Run: func(context.Context, *imbot.CommandAddEvent) error {
				again <- time.Since(start)
				return nil
			}},
			{Name: "order", Run: nothing},
		}
		require.Equal(t, http.StatusOK, deliver(h, messageIn("27", "question")))
		time.Sleep(5 * time.Second)
		for _, body := range []string{given("27", "order"), given("28", "stop"), given("27", "state")} {
			require.Equal(t, http.StatusOK, deliver(h, body))
			synctest.Wait()
		}
		require.Equal(t, 5*time.Second, <-again, "beside the answer")
		require.Zero(t, took, "another dialog's Stop ends nothing")
		time.Sleep(time.Second)
		require.Equal(t, http.StatusOK, deliver(h, given("27", "order", "Stop")))
		require.NoError(t, h.Shutdown(t.Context()))
		require.Equal(t, 6*time.Second, took)
		require.EqualValues(t, 5, h.Stats().Handled)
		require.Zero(t, h.Stats().Failed)
	})
}

func TestBesideIsAskedWhereNoCommandIs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		h := &imbot.EventHandler{Verifier: trustAll{}, Commands: imbot.SlashCommands{{Name: "stop", Interrupts: true}, {Name: "order", Run: nothing}}}
		h.Beside = func(ev imbot.Event) bool {
			asked = append(asked, ev.Meta().Name)
			return false
		}
		for _, body := range []string{messageIn("27", "x"), given("27", "stop"), given("27", "order")} {
			require.Equal(t, http.StatusOK, deliver(h, body))
		}
		require.NoError(t, h.Shutdown(t.Context()))
		require.Equal(t, []string{"ONIMBOTMESSAGEADD", "ONIMCOMMANDADD"}, asked)
	})
}

// The event of a press has to name the dialog as that of the message did.
func TestAStopButtonOnThePortal(t *testing.T) {
	t.Parallel()
	portal, client := withCommands(t)
	bot := &imbot.EventHandler{Verifier: imbot.Webhook{ClientID: "one-long-client-id"}.Verifier(), Commands: imbot.SlashCommands{
		{Name: "stop", Title: "Stop the answer", Hidden: true, Interrupts: true},
	}}
	bot.OnMessage = func(ctx context.Context, ev *imbot.MessageAddEvent) error {
		req := ev.Reply("Thinking")
		req.Keyboard = &imbot.Keyboard{Rows: [][]imbot.Button{{{Text: "Stop", Action: imbot.ActionCommand{Command: "stop"}}}}}
		_, err := client.Message.Add(ctx, req)
		<-ctx.Done()
		return errors.Join(err, ctx.Err())
	}
	portal.Serve(handlerURL, bot)
	require.NoError(t, bot.Commands.Ensure(t.Context(), client, handlerURL))
	anna := portal.AddUser("Anna", "I")
	team := imbot.ChatDialog(portal.AddChat("Team", anna, client.BotID()))
	mention := fmt.Sprintf("[USER=%d]Support[/USER] why?", client.BotID())
	for dialog, text := range map[imbot.DialogID]string{imbot.UserDialog(client.BotID()): "why?", team: mention} {
		answer, err := portal.Ask(t.Context(), anna, dialog, text)
		require.NoError(t, err)
		require.NoError(t, portal.Press(t.Context(), anna, answer, "Stop"))
		require.NoError(t, errors.Join(portal.Idle(t.Context()), bot.Idle(t.Context())))
	}
	require.NoError(t, portal.Err())
	require.Zero(t, bot.Stats().Failed)
}
