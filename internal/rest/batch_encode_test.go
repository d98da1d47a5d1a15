package rest

import (
	"encoding/json"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot/internal/phpform"
)

// touched is the server's rule as the documentation of the wire has it: a name in
// any case and the run behind it up to white space is a reference when the run
// holds a pair of brackets that is not empty.
func touched(s string) bool {
	for _, run := range runs.FindAllString(s, -1) {
		if brackets.MatchString(run) {
			return true
		}
	}
	return false
}

var (
	runs     = regexp.MustCompile(`\$(?i:result|error|total|next|time)[^ \t\n\v\f\r]*`)
	brackets = regexp.MustCompile(`\[[^\]]+\]`)
)

func TestReferencesInTexts(t *testing.T) {
	for name, row := range map[string]struct {
		text string
		want bool
	}{
		"a result":                                  {"$result[c0]", true},
		"a code behind the name":                    {"$total:[b]120[/b]", true},
		"a longer word":                             {"$errors[email]", true},
		"a longer word inside a text":               {"see $results[c0] here", true},
		"capital letters":                           {"$NEXT[a]", true},
		"two in one word":                           {"$time$x[a]", true},
		"the second word of two":                    {"$time is $timeout[x]", true},
		"the name alone":                            {"$result", false},
		"brackets in the next word":                 {"$total [b]120[/b]", false},
		"brackets in the next line":                 {"$total\n[b]120[/b]", false},
		"brackets before the name":                  {"[b]$total", false},
		"empty brackets":                            {"$total[]", true},
		"half of a pair":                            {"$total[a ]", true},
		"a price":                                   {"$5[x]", false},
		"no dollar":                                 {"result[c0]", false},
		"a pair that is closed by another one":      {"$total[[]", true},
		"a name that is broken up":                  {"$\u2060total[a]", false},
		"a no-break space, which ends no word":      {"$total\u00a0[a]", true},
		"a vertical tab, which ends it or does not": {"$total\v[a]", true},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, row.want, hasReference(row.text)) })
	}
	require.False(t, hasReference(strings.Repeat("$total", 1<<17)+" "+strings.Repeat("$", 1<<20)), "and that in no time")
}

// TestNoReferenceTravelsInABatch holds that of texts that are full of them none
// that the server would touch goes into a batch, and not too many others stay out.
func TestNoReferenceTravelsInABatch(t *testing.T) {
	const texts = 100_000
	parts := []string{"$", "$result", "$Error", "$total", "$NEXT", "$time", "s", "out", "[", "]", "[]", "[c0]", "[b]", "[/b]", "x", "5", ":", "$$",
		" ", "\n", "\t", "\v", "\f", "\u00a0", "\u0085", "ü", "result[c0]", "\u2060"}
	random := rand.New(rand.NewPCG(12, 53))
	travel, torn, shy := 0, 0, 0
	for range texts {
		var b strings.Builder
		for range 1 + random.IntN(8) {
			b.WriteString(parts[random.IntN(len(parts))])
		}
		s := b.String()
		params, _, failed := Encode(map[string]string{"MESSAGE": s}, "message")
		require.Nil(t, failed)
		switch inside := command("imbot.message.add", params) != ""; {
		case inside && touched(s):
			torn++
			t.Errorf("the portal would put a result into %q", s)
		case inside:
			travel++
		case !touched(s):
			shy++
		}
	}
	require.Zero(t, torn)
	require.Greater(t, travel, texts/2)
	require.Less(t, shy, texts/10, "those that only half of a pair, an empty pair or a vertical tab keeps out")
}

// FuzzBatchEncoding proves that every valid text arrives byte for byte, whether
// it travels inside a batch or not.
func FuzzBatchEncoding(f *testing.F) {
	for _, s := range []string{
		"", "hello", "a+b & c=d?#100%", "%41%", "ü – 漢字 😀", "\u0000\n\r\t", "[b]x[/b] [0]", "\ufffd", `\ufffd`, `\\ufffd`, "<>&\u2028\u2029",
		"$result[c0]", "$RESULT[a", "$ $result", "$$next[", "$total:[b]120[/b]", "$errors[email]", "see $results[c0] here", "$time [x]", "$next[]", "$Timeout]x[y]", "null", `"null"`, "a=b;c", "\x7f", "'\"`", " x ", "\xff",
	} {
		f.Add(s)
	}
	c := New(new(Config), new(Portal))
	f.Fuzz(func(t *testing.T, s string) {
		params, named, failed := Encode(map[string]any{"DIALOG_ID": s, "MESSAGE": s}, "message")
		if failed != nil {
			require.Equal(t, Invalid, failed.Kind)
			require.False(t, utf8.ValidString(s))
			return
		}
		require.True(t, named.Has(0))
		require.True(t, utf8.ValidString(s))
		params = Splice([]byte(`"CLIENT_ID":"secret-1","BOT_ID":39,`), params)
		it := NewItem(c.NewCall("imbot.message.add", params, Nature{}))
		if it.command == "" {
			require.True(t, len(params) > maxJoin || strings.Contains(s, "$"))
			var sent map[string]any
			require.NoError(t, json.Unmarshal(params, &sent))
			require.Equal(t, s, sent["MESSAGE"])
			return
		}
		require.False(t, touched(s), "the portal would put a result into %q", s)
		body := c.batchCall([]*Item{it}).params
		var sent struct {
			Halt int               `json:"halt"`
			Cmd  map[string]string `json:"cmd"`
		}
		require.NoError(t, json.Unmarshal(body, &sent))
		require.Len(t, sent.Cmd, 1)
		method, query, _ := strings.Cut(sent.Cmd["c0"], "?")
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
