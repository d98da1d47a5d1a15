package nethttp

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

func TestBothAnswerTheSame(t *testing.T) {
	for name, bot := range map[string]func(context.Context, imbot.Webhook, string) (http.Handler, error){
		"before": func(ctx context.Context, hook imbot.Webhook, url string) (http.Handler, error) {
			return before(ctx, hook.URL, hook.ClientID, url)
		},
		"after": func(ctx context.Context, hook imbot.Webhook, url string) (http.Handler, error) {
			return after(ctx, hook, url)
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			portal := imbottest.NewPortal()
			defer portal.Close()
			require.NoError(t, portal.Listen("127.0.0.1:0"))
			const url = "https://bot.example.com/events"
			handler, err := bot(ctx, portal.Webhook("a-random-client-id"), url)
			require.NoError(t, err)
			portal.Serve(url, handler)
			id, err := portal.WaitBot(ctx, "echo")
			require.NoError(t, err)
			answer, err := portal.Ask(ctx, portal.AddUser("Anna", "Ivanova"), imbot.UserDialog(id), "hello")
			require.NoError(t, err)
			require.Equal(t, "You said: hello", answer.Plain())
		})
	}
}
