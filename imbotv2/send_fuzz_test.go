package imbotv2_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/imbotv2"
)

// FuzzSend holds that a portal sees the same message whether it comes alone, as JSON, or in a
// batch, where it travels as a query in a form.
func FuzzSend(f *testing.F) {
	portal := imbottest.NewPortal(imbottest.WithRateLimit(1e6, 1e6))
	f.Cleanup(portal.Close)
	client, err := imbotv2.NewClient(portal.Webhook("a-long-random-bot-token"), imbot.WithHTTPClient(portal.HTTPClient()), imbot.WithLimiter(imbot.NewLimiter(1e6, 1e6)))
	require.NoError(f, err)
	bot, err := imbotv2.EnsureBot(f.Context(), client, imbotv2.BotRegisterRequest{Code: "fuzz", Properties: imbotv2.BotProperties{Name: "Fuzz"}})
	require.NoError(f, err)
	client = client.WithBot(bot.ID)
	dialog := imbot.UserDialog(portal.AddUser("Anna", "Ivanova"))
	for _, seed := range []string{"hello", "a=b&c[d]=e", "$result[0]", "%24result[x]", "+ %2B", "[USER=1]Anna[/USER]", "0", "N", "\u2028\x7f", `{"a":[1]}`} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, text, block string) {
		if !utf8.ValidString(text) || !utf8.ValidString(block) || strings.TrimSpace(text) == "" || len(text)+len(block) > 2000 {
			t.Skip("refused before sending, or more than a portal takes")
		}
		req := imbotv2.MessageSendRequest{
			BotID: bot.ID, DialogID: dialog, Message: text, TemplateID: "12345678-1234-4123-8123-123456789012",
			Attach: &imbot.Attach{Blocks: []imbot.Block{imbot.BlockMessage("-" + block)}},
		}
		if req.Check() != nil {
			t.Skip("refused before sending")
		}
		before := len(portal.Calls(req.Method()))
		_, alone := client.Message.Send(t.Context(), req)
		batch := imbot.NewBatch()
		inside := imbot.Queue[imbot.ID](batch, req)
		require.NoError(t, client.Base().DoBatch(t.Context(), batch))
		_, err := inside.Result()
		require.Equal(t, alone == nil, err == nil, "%v, in a batch %v", alone, err)
		calls := portal.Calls(req.Method())[before:]
		require.Len(t, calls, 2)
		if !strings.Contains(text+block, "$result") { // what would be read as a reference goes alone
			require.True(t, calls[1].Batch)
		}
		require.Equal(t, leaves(t, calls[0].Params), leaves(t, calls[1].Params))
	})
}

// leaves lists what parameters hold, each by its path and as the text that it is in a query.
func leaves(t *testing.T, params []byte) map[string]string {
	decoder := json.NewDecoder(bytes.NewReader(params))
	decoder.UseNumber()
	var all any
	require.NoError(t, decoder.Decode(&all))
	found := map[string]string{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, sub := range v {
				walk(path+"/"+name, sub)
			}
		case []any:
			for i, sub := range v {
				walk(fmt.Sprint(path, "/", i), sub)
			}
		default:
			found[path] = fmt.Sprint(v)
		}
	}
	walk("", all)
	return found
}
