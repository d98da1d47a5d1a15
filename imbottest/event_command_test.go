package imbottest_test

import (
	"strings"
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/stretchr/testify/require"
)

func TestEachApplicationHearsItsCommands(t *testing.T) {
	t.Parallel()
	portal, box := newMailboxPortal(t)
	method, params, _ := strings.Cut(newCommand("two", 104, "echo", `,"COMMON":"Y"`), " ")
	require.Equal(t, "702", post(t, portal, method, params))
	_, err := portal.Say(t.Context(), anna, imbot.ChatDialog(team), "/echo x")
	require.NoError(t, err)
	events := box.take(t, portal)
	require.Len(t, events, 2)
	for i, want := range []struct{ client, bot, id string }{{"one", "103", "701"}, {"two", "104", "702"}} {
		require.Equal(t, want.client, events[i].Get("auth[application_token]"))
		require.Equal(t, want.bot, events[i].Get("data[COMMAND]["+want.id+"][BOT_ID]"))
		require.Equal(t, "TEXTAREA", events[i].Get("data[COMMAND]["+want.id+"][COMMAND_CONTEXT]"))
	}
	require.False(t, events[0].Has("data[COMMAND][702][BOT_ID]"))
}
