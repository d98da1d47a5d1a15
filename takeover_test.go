package imbot_test

import (
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
