package imbot_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func TestAServerThatNamesNoUserLetsNobodyTakeAPortalOver(t *testing.T) {
	c := newCloud()
	c.nameless = true
	store := imbot.NewMemoryStore()
	h, failures, _ := eventsOf(c.app(store))
	require.Equal(t, 200, post(t, h, c.issue("one.bitrix24.com", 1, appID).event("ONAPPINSTALL")))
	require.Empty(t, *failures)
	before := load(t, store)
	require.Zero(t, before.UserID)

	require.Equal(t, 200, post(t, h, c.issue("one.bitrix24.com", 2, appID).event("ONAPPUPDATE", "auth[application_token]", "his own")))
	require.Len(t, *failures, 1)
	require.Equal(t, string(before.Encode()), string(load(t, store).Encode()))
}

func TestAnUninstallationProvesNothingBeforeTheApplicationTokenIsKnown(t *testing.T) {
	c := newCloud()
	store := imbot.NewMemoryStore()
	g := c.issue("one.bitrix24.com", 1, appID).grant()
	g.ApplicationToken = ""
	require.NoError(t, store.Swap(t.Context(), imbot.Grant{}, g))
	app := c.app(store)
	app.OnUninstall = func(context.Context, imbot.Grant) error { t.Error("OnUninstall"); return nil }
	h, _, seen := eventsOf(app)
	visitor := c.issue("one.bitrix24.com", 5, appID)
	for _, token := range []string{"made up", ""} {
		require.Equal(t, 401, post(t, h, visitor.event("ONAPPUNINSTALL", "auth[application_token]", token)))
	}
	require.Empty(t, *seen)
	require.Equal(t, string(g.Encode()), string(load(t, store).Encode()))
	require.Empty(t, c.requests)
}
