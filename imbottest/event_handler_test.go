package imbottest_test

import (
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/stretchr/testify/require"
)

func TestTheLastHandlerWinsForAllBotsOfAnApplication(t *testing.T) {
	t.Parallel()
	portal, box := newMailboxPortal(t)
	other := &mailbox{}
	portal.Serve("https://other.example.com/?a=b", other)
	require.Equal(t, `"103"`, post(t, portal, "imbot.register",
		`{"CLIENT_ID":"two","CODE":"alpha","EVENT_HANDLER":"https://other.example.com/?a=b","PROPERTIES":{"NAME":"x"}}`))
	for _, bot := range []imbot.ID{alpha, beta} {
		_, err := portal.Say(t.Context(), anna, imbot.UserDialog(bot), "hi")
		require.NoError(t, err)
	}
	require.Equal(t, []string{"JOINCHAT", "MESSAGEADD"}, names(box.take(t, portal)), "alpha belongs to one, whose handler stays")
	require.Equal(t, []string{"JOINCHAT", "MESSAGEADD"}, names(other.take(t, portal)), "beta belongs to two")
	require.Equal(t, eventURL+"?CLIENT_ID=one", box.urls[0])
	require.Equal(t, "https://other.example.com/?a=b&CLIENT_ID=two", other.urls[0])
}
