package imbot_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// png is the start of a picture; iVBORw0KGgo= on the wire.
var png = []byte("\x89PNG\r\n\x1a\n")

// documented returns the answer that the documentation of a method shows.
func documented(t *testing.T, method string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", "rest", method+".ok.json"))
	require.NoError(t, err)
	return string(body)
}

// attempt is a call that waits for a client.
type attempt struct {
	method string
	do     func(context.Context, *imbot.Client) (any, error)
}

func try[R any](req imbot.Request[R]) attempt {
	return attempt{req.Method(), func(ctx context.Context, client *imbot.Client) (any, error) {
		return imbot.Do(ctx, client, req)
	}}
}

func TestWithBot(t *testing.T) {
	tests := []struct {
		name    string
		attempt attempt
		want    string
	}{
		{"a request without BOT_ID gets it", try(imbot.ChatLeaveRequest{ChatID: 5}), `{"CLIENT_ID":"bot-secret-1","BOT_ID":7,"CHAT_ID":5}`},
		{"a request with BOT_ID keeps its own", try(imbot.ChatLeaveRequest{ChatID: 5, BotID: 8}), `{"CLIENT_ID":"bot-secret-1","BOT_ID":8,"CHAT_ID":5}`},
		{"a request that has no BOT_ID is left alone", try(imbot.AppUnregisterRequest{AppID: 13}), `{"CLIENT_ID":"bot-secret-1","APP_ID":13}`},
		{"a registration is left alone", try(imbot.BotRegisterRequest{Code: "x"}), `{"CLIENT_ID":"bot-secret-1","CODE":"x","PROPERTIES":{}}`},
		{"the list of bots is left alone", try(imbot.BotListRequest{}), `{"CLIENT_ID":"bot-secret-1"}`},
		{"a request without parameters gets it alone", try(imbot.BotUnregisterRequest{}), `{"CLIENT_ID":"bot-secret-1","BOT_ID":7}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client, sent := mockClient(t, tt.attempt.method, 200, `{"result":true}`)
			_, _ = tt.attempt.do(t.Context(), client.WithBot(7)) // the answer fits only some of them
			require.JSONEq(t, tt.want, sent())
		})
	}
}

func TestWithBotRewiresEveryService(t *testing.T) {
	ctx := t.Context()
	tests := []struct {
		method string
		do     func(*imbot.Client) error
	}{
		{"imbot.unregister", func(c *imbot.Client) error { return c.Bot.Unregister(ctx, imbot.BotUnregisterRequest{}) }},
		{"imbot.chat.leave", func(c *imbot.Client) error { return c.Chat.Leave(ctx, imbot.ChatLeaveRequest{}) }},
		{"imbot.app.register", func(c *imbot.Client) error {
			_, err := c.App.Register(ctx, imbot.AppRegisterRequest{})
			return err
		}},
		{"imbot.command.answer", func(c *imbot.Client) error {
			_, err := c.Command.Answer(ctx, imbot.CommandAnswerRequest{})
			return err
		}},
		{"imbot.message.add", func(c *imbot.Client) error {
			_, err := c.Message.Add(ctx, imbot.MessageAddRequest{})
			return err
		}},
	}
	for _, tt := range tests {
		t.Run(tt.method, func(t *testing.T) {
			client, sent := mockClient(t, tt.method, 200, `{"result":null}`)
			bound := client.WithBot(7).WithBot(9)
			require.Error(t, tt.do(bound))
			require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","BOT_ID":9}`, sent())
			require.Error(t, tt.do(client))
			require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1"}`, sent(), "WithBot has changed the client it was called on")
		})
	}
}

func TestWithBotLeavesCallAlone(t *testing.T) {
	client, sent := mockClient(t, "imbot.chat.leave", 200, `{"result":true}`)
	require.NoError(t, client.WithBot(7).Call(t.Context(), "imbot.chat.leave", map[string]any{"CHAT_ID": 5}, nil))
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","CHAT_ID":5}`, sent())
}

func ptr[T any](v T) *T { return &v }
