package imbot_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// typist counts the typing notices that a portal gets.
func typist(t *testing.T, answer string) (client *imbot.Client, notices func() int32) {
	var sent atomic.Int32
	w := new(wire)
	w.answer = func(n int, r *http.Request) (*http.Response, error) {
		w.mu.Lock()
		body := w.bodies[n-1]
		w.mu.Unlock()
		switch {
		case strings.HasSuffix(r.URL.Path, "imbot.chat.sendTyping"):
			sent.Add(1)
			return reply(200, answer), nil
		case strings.HasSuffix(r.URL.Path, "imbot.message.add"):
			switch {
			case strings.Contains(body, "refused"):
				return reply(400, `{"error":"MESSAGE_EMPTY"}`), nil
			case strings.Contains(body, "lost"):
				return nil, io.EOF
			}
			return reply(200, `{"result":7}`), nil
		case strings.HasSuffix(r.URL.Path, "batch"):
			if strings.Contains(body, "refused") {
				return reply(200, `{"result":{"result":{"c0":true},"result_error":{"c1":{"error":"MESSAGE_EMPTY"}}}}`), nil
			}
			return reply(200, `{"result":{"result":{"c0":true,"c1":7}}}`), nil
		}
		return reply(200, `{"result":true}`), nil
	}
	return over(t, hook, w), sent.Load
}

func TestKeepTyping(t *testing.T) {
	const dialog = imbot.DialogID("chat5")
	say := func(t *testing.T, c *imbot.Client, req imbot.MessageAddRequest) {
		t.Helper()
		req.Message = "hi"
		_, err := c.Message.Add(t.Context(), req)
		require.NoError(t, err)
	}
	for _, row := range []struct {
		name string
		end  func(t *testing.T, client *imbot.Client, stop, cancel func())
		ends bool
	}{
		{"ends with stop", func(_ *testing.T, _ *imbot.Client, stop, _ func()) { stop(); stop() }, true},
		{"ends with its context", func(_ *testing.T, _ *imbot.Client, _, cancel func()) { cancel() }, true},
		{"ends with the first message to the dialog", func(t *testing.T, c *imbot.Client, _, _ func()) {
			say(t, c.WithBot(39), imbot.MessageAddRequest{DialogID: dialog})
		}, true},
		{"ends with a message that names the bot", func(t *testing.T, c *imbot.Client, _, _ func()) {
			say(t, c, imbot.MessageAddRequest{BotID: 39, DialogID: dialog})
		}, true},
		{"goes on after a message of another bot", func(t *testing.T, c *imbot.Client, _, _ func()) {
			say(t, c, imbot.MessageAddRequest{BotID: 40, DialogID: dialog})
		}, false},
		{"goes on after a message to another dialog", func(t *testing.T, c *imbot.Client, _, _ func()) {
			say(t, c, imbot.MessageAddRequest{BotID: 39, DialogID: "chat6"})
		}, false},
		{"ends with a message by pointer", func(t *testing.T, c *imbot.Client, _, _ func()) {
			_, err := imbot.Do(t.Context(), c, &imbot.MessageAddRequest{BotID: 39, DialogID: dialog, Message: "hi"})
			require.NoError(t, err)
		}, true},
		{"ends with a message by Call", func(t *testing.T, c *imbot.Client, _, _ func()) {
			require.NoError(t, c.Call(t.Context(), "imbot.message.add", map[string]any{"bot_id": "39", "dialog_id": dialog, "message": "hi"}, nil))
		}, true},
		{"ends with a message in a batch", func(t *testing.T, c *imbot.Client, _, _ func()) {
			b := imbot.NewBatch()
			imbot.Queue(b, imbot.ChatSendTypingRequest{DialogID: "chat6"})
			imbot.Queue(b, imbot.MessageAddRequest{BotID: 39, DialogID: dialog, Message: "hi"})
			require.NoError(t, c.DoBatch(t.Context(), b))
		}, true},
		{"goes on after a message that the portal refused", func(t *testing.T, c *imbot.Client, _, _ func()) {
			_, err := c.Message.Add(t.Context(), imbot.MessageAddRequest{BotID: 39, DialogID: dialog, Message: "refused"})
			require.Error(t, err)
		}, false},
		{"goes on after a message refused in a batch", func(t *testing.T, c *imbot.Client, _, _ func()) {
			b := imbot.NewBatch()
			imbot.Queue(b, imbot.ChatSendTypingRequest{DialogID: "chat6"})
			refused := imbot.Queue(b, imbot.MessageAddRequest{BotID: 39, DialogID: dialog, Message: "refused"})
			require.NoError(t, c.DoBatch(t.Context(), b))
			_, err := refused.Result()
			require.Error(t, err)
		}, false},
		{"goes on while nobody knows whether the message was sent", func(t *testing.T, c *imbot.Client, _, _ func()) {
			_, err := c.Message.Add(t.Context(), imbot.MessageAddRequest{BotID: 39, DialogID: dialog, Message: "lost"})
			require.ErrorIs(t, err, imbot.ErrOutcomeUnknown)
		}, false},
		{"goes on after other calls", func(t *testing.T, c *imbot.Client, _, _ func()) { require.NoError(t, ping(t.Context(), c)) }, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, notices := typist(t, `{"result":true}`)
				ctx, cancel := context.WithCancel(t.Context())
				stop := imbot.KeepTyping(ctx, client.WithBot(39), dialog)
				synctest.Wait()
				require.EqualValues(t, 1, notices(), "at once")
				time.Sleep(20 * time.Second)
				require.EqualValues(t, 3, notices(), "about every eight seconds")
				row.end(t, client, stop, cancel)
				time.Sleep(time.Minute)
				if row.ends {
					require.EqualValues(t, 3, notices())
				} else {
					require.Greater(t, notices(), int32(8))
				}
				stop()
				cancel()
			})
		})
	}
	t.Run("ends when the portal refuses", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			client, notices := typist(t, `{"error":"BOT_ID_ERROR"}`)
			stop := imbot.KeepTyping(t.Context(), client, dialog)
			time.Sleep(time.Minute)
			require.EqualValues(t, 1, notices())
			stop()
		})
	})
	t.Run("goes on after a broken connection", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			client, notices := typist(t, `<html>`)
			stop := imbot.KeepTyping(t.Context(), client, dialog)
			time.Sleep(5 * time.Minute)
			require.Greater(t, notices(), int32(8))
			stop()
		})
	})
}
