package byname

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

func TestBothSayTheSame(t *testing.T) {
	for name, greet := range map[string]func(*testing.T, imbot.Webhook, imbot.DialogID) error{
		"before": func(t *testing.T, hook imbot.Webhook, to imbot.DialogID) error {
			return before(t.Context(), hook.URL, hook.BotToken, string(to))
		},
		"after": func(t *testing.T, hook imbot.Webhook, to imbot.DialogID) error { return after(t.Context(), hook, to) },
	} {
		t.Run(name, func(t *testing.T) {
			portal := imbottest.NewPortal()
			defer portal.Close()
			require.NoError(t, portal.Listen("127.0.0.1:0"))
			anna := portal.AddUser("Anna", "Ivanova")
			hook := portal.Webhook("")
			hook.BotToken = "a-random-token"
			require.NoError(t, greet(t, hook, imbot.UserDialog(anna)))
			bot, err := portal.WaitBot(t.Context(), "greeter")
			require.NoError(t, err)
			messages := portal.Messages(anna, imbot.UserDialog(bot))
			require.NotEmpty(t, messages)
			require.Equal(t, "Hello!", messages[len(messages)-1].Plain())
		})
	}
}
