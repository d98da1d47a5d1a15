package imbot_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func TestContextGetEvent(t *testing.T) {
	t.Parallel()
	ev := parseAs[*imbot.ContextGetEvent](t, formType, specBodies(t, "ONIMBOTCONTEXTGET")[0])
	require.Equal(t, imbot.ID(571), ev.Bot().BotID)
	require.Equal(t, imbot.ID(27), ev.Params.UserID)
	require.Equal(t, imbot.ID(571), ev.Params.ChatAuthorID)
	require.Equal(t, imbot.DialogID("27"), ev.Params.DialogID)
	require.Equal(t, "en", ev.Params.Language)
	require.Equal(t, "landing", ev.Params.Context.Get("source"))
	require.Equal(t, "42", ev.Params.Context.Get("item", "id"))
	require.Equal(t, []string{"source", "item"}, ev.Params.Context.Keys())
	require.Equal(t, "Test User", ev.User.Name)
	require.False(t, ev.IsGroup())
	require.False(t, ev.IsOpenLine())
	bare := parseAs[*imbot.ContextGetEvent](t, formType, "event=ONIMBOTCONTEXTGET")
	require.Empty(t, bare.Params.Context.Keys())
	require.Empty(t, bare.Params.Context.Get("x"))
}
