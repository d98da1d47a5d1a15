package rest

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot/internal/phpform"
)

// FuzzBatchEncoding proves that every valid text arrives byte for byte, whether
// it travels inside a batch or not.
func FuzzBatchEncoding(f *testing.F) {
	for _, s := range []string{
		"", "hello", "a+b & c=d?#100%", "%41%", "ü – 漢字 😀", "\u0000\n\r\t", "[b]x[/b] [0]", "\ufffd", `\ufffd`, `\\ufffd`, "<>&\u2028\u2029",
		"$result[c0]", "$RESULT[a", "$ $result", "$$next[", "null", `"null"`, "a=b;c", "\x7f", "'\"`", " x ", "\xff",
	} {
		f.Add(s)
	}
	c := New(Config{HTTP: &http.Client{}})
	f.Fuzz(func(t *testing.T, s string) {
		params, named, failed := Encode(map[string]any{"DIALOG_ID": s, "MESSAGE": s}, "message")
		if failed != nil {
			require.Equal(t, Invalid, failed.Kind)
			require.False(t, utf8.ValidString(s))
			return
		}
		require.True(t, named)
		require.True(t, utf8.ValidString(s))
		params = Splice([]byte(`"CLIENT_ID":"secret-1","BOT_ID":39,`), params)
		it := NewItem(c.NewCall("imbot.message.add", params, false))
		if it.command == "" {
			require.True(t, len(params) > maxJoin || strings.Contains(s, "$"))
			var sent map[string]any
			require.NoError(t, json.Unmarshal(params, &sent))
			require.Equal(t, s, sent["MESSAGE"])
			return
		}
		require.NotRegexp(t, `(?i)\$(result|next|total|time|error)\[`, s)
		body := c.batchCall([]*Item{it}).params
		var sent struct {
			Halt int               `json:"halt"`
			Cmd  map[string]string `json:"cmd"`
		}
		require.NoError(t, json.Unmarshal(body, &sent))
		require.Len(t, sent.Cmd, 1)
		method, query, _ := strings.Cut(sent.Cmd[key(0)], "?")
		require.Equal(t, "imbot.message.add", method)
		require.Equal(t, -1, strings.IndexFunc(query, func(r rune) bool {
			return r >= utf8.RuneSelf || !strings.ContainsRune("%&=+-._~", r) && !plainKey(string(r))
		}), "what would need escaping anywhere: %s", query)
		form, err := phpform.Parse([]byte(query))
		require.NoError(t, err)
		require.ElementsMatch(t, []string{"BOT_ID", "CLIENT_ID", "DIALOG_ID", "MESSAGE"}, form.Keys())
		require.Equal(t, s, form.Get("MESSAGE"))
		require.Equal(t, s, form.Get("DIALOG_ID"))
		require.Equal(t, "39", form.Get("BOT_ID"))
		require.Equal(t, "secret-1", form.Get("CLIENT_ID"))
	})
}
