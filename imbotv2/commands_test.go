package imbotv2_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/imbotv2"
)

func nothing(context.Context, *imbotv2.CommandAddEvent) error { return nil }

// pizzeria is a table as a bot has it.
func pizzeria() imbotv2.SlashCommands {
	return imbotv2.SlashCommands{
		{
			Name: "order", Title: "Order a pizza", Params: "size", Run: nothing,
			Titles: map[string]string{"de": "Pizza bestellen"}, ParamsByLanguage: map[string]string{"de": "Größe"},
		},
		{Name: "menu", Title: "What there is", Common: true, Extranet: true, Run: nothing},
		{Name: "close", Title: "Close", Hidden: true, Run: nothing},
	}
}

// withCommands returns a portal with a bot, and the bot's client.
func withCommands(t *testing.T) (*imbottest.Portal, *imbotv2.Client) {
	t.Helper()
	portal, c := portalClient(t)
	bot, err := imbotv2.EnsureBot(t.Context(), c, echo)
	require.NoError(t, err)
	return portal, c.WithBot(bot.ID)
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

func TestEnsureTakesOneRequestWhenNothingDiffers(t *testing.T) {
	t.Parallel()
	portal, c := withCommands(t)
	var commands imbotv2.SlashCommands
	for n := range 20 {
		commands = append(commands, imbotv2.SlashCommand{Name: fmt.Sprint("c", n), Title: fmt.Sprint("Command ", n), Titles: map[string]string{"de": "Befehl"}, Run: nothing})
	}
	for start, most := range []int{2, 1, 1} {
		before := requests(portal)
		require.NoError(t, commands.Ensure(t.Context(), c))
		require.Equal(t, most, requests(portal)-before, "start %d", start)
	}
	require.NoError(t, portal.Err())
}

func TestEnsureMakesTheCommandsThoseOfTheTable(t *testing.T) {
	t.Parallel()
	portal, c := withCommands(t)
	old := pizzeria()
	old[0].Name, old[1].Common, old[1].Params, old[2].Hidden = "old", false, "gone", false
	require.NoError(t, old.Ensure(t.Context(), c))
	require.NoError(t, pizzeria().Ensure(t.Context(), c))
	there, err := c.Command.List(t.Context(), imbotv2.CommandListRequest{})
	require.NoError(t, err)
	byName := map[string]imbotv2.Command{}
	for _, cmd := range there {
		byName[cmd.Command] = cmd
	}
	require.Len(t, byName, 3)
	require.Equal(t, "Order a pizza", byName["/order"].Title)
	require.Equal(t, "size", byName["/order"].Params)
	require.True(t, byName["/menu"].Common.Bool())
	require.True(t, byName["/menu"].ExtranetSupport.Bool())
	require.Empty(t, byName["/menu"].Params)
	require.True(t, byName["/close"].Hidden.Bool())
	require.NoError(t, portal.Err())
}

// Two programs of a new version start at once, and both drop what the old one had.
func TestEnsureWhileAnotherProgramPrunes(t *testing.T) {
	t.Parallel()
	portal, c := withCommands(t)
	require.NoError(t, pizzeria().Ensure(t.Context(), c))
	portal.Fail("imbot.v2.Command.unregister", imbottest.Fault{Status: 400, Code: "COMMAND_NOT_FOUND", Times: 2})
	require.NoError(t, pizzeria()[:1].Ensure(t.Context(), c))
	portal.Fail("imbot.v2.Command.unregister", imbottest.Fault{Status: 400, Code: "BOT_OWNERSHIP_ERROR", Times: 1})
	require.ErrorIs(t, pizzeria()[:1].Ensure(t.Context(), c), imbotv2.ErrBotOwnership)
}

func TestEnsureSurvivesALostAnswer(t *testing.T) {
	t.Parallel()
	portal, c := withCommands(t)
	old := pizzeria()
	old[0].Name = "old"
	require.NoError(t, old.Ensure(t.Context(), c))
	portal.Fail("batch", imbottest.Fault{Cut: imbottest.AfterRun, Times: 1})
	require.NoError(t, pizzeria().Ensure(t.Context(), c))
	there, err := c.Command.List(t.Context(), imbotv2.CommandListRequest{})
	require.NoError(t, err)
	require.Len(t, there, 3)
	portal.Fail("batch", imbottest.Fault{Status: 403, Code: "insufficient_scope", Times: 1})
	err = old.Ensure(t.Context(), c)
	require.ErrorIs(t, err, imbot.ErrInsufficientScope)
	require.NotContains(t, err.Error(), "\n", "once for all commands")
}

func TestEnsureRefusesATableBeforeItIsSent(t *testing.T) {
	t.Parallel()
	portal, c := withCommands(t)
	row := func(with func(*imbotv2.SlashCommand)) imbotv2.SlashCommands {
		t := pizzeria()
		with(&t[1])
		return t
	}
	before := requests(portal)
	for want, table := range map[string]imbotv2.SlashCommands{
		"slash":          row(func(c *imbotv2.SlashCommand) { c.Name = "/menu" }),
		"blank":          row(func(c *imbotv2.SlashCommand) { c.Name = "the menu" }),
		"command 2":      row(func(c *imbotv2.SlashCommand) { c.Name = "" }),
		"twice":          row(func(c *imbotv2.SlashCommand) { c.Name = "ORDER" }),
		"no Title":       row(func(c *imbotv2.SlashCommand) { c.Title = "" }),
		"no Run":         row(func(c *imbotv2.SlashCommand) { c.Run = nil }),
		"two titles":     row(func(c *imbotv2.SlashCommand) { c.Titles = map[string]string{"en": "x"} }),
		"no language":    row(func(c *imbotv2.SlashCommand) { c.Titles = map[string]string{"eng": "x"} }),
		"without a titl": row(func(c *imbotv2.SlashCommand) { c.ParamsByLanguage = map[string]string{"fr": "x"} }),
	} {
		err := table.Ensure(t.Context(), c)
		require.ErrorIs(t, err, imbot.ErrInvalid, want)
		require.ErrorContains(t, err, want)
	}
	err := pizzeria().Ensure(t.Context(), c.WithBot(0))
	require.ErrorIs(t, err, imbot.ErrInvalid)
	require.ErrorContains(t, err, "WithBot")
	require.Equal(t, before, requests(portal))
}

func TestHelpOfACommandTable(t *testing.T) {
	t.Parallel()
	require.Equal(t, "[send=/order]/order[/send] size – Order a pizza\n[send=/menu]/menu[/send] – What there is", pizzeria().Help("fr"))
	require.Contains(t, pizzeria().Help("de"), "Größe – Pizza bestellen\n")
}

func TestTheParametersOfACommand(t *testing.T) {
	t.Parallel()
	ev := &imbotv2.CommandAddEvent{Command: imbotv2.CommandCall{Params: ` large "two words" «и ещё»`}}
	require.Equal(t, []string{"large", "two words", "и ещё"}, ev.Args())
}
