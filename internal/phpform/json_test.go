package phpform

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseJSON(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, body, want string }{
		{"an object is a map in its order", `{"b":"1","a":{"c":"2"}}`, `{b:"1" a:{c:"2"}}`},
		{"a list counts from zero", `{"a":["x",["y"]]}`, `{a:{0:"x" 1:{0:"y"}}}`},
		{"true and false are 1 and 0", `{"a":true,"b":false}`, `{a:"1" b:"0"}`},
		{"null is missing", `{"a":null,"b":[null,"x"]}`, `{b:{1:"x"}}`},
		{"numbers stay as written", `{"a":1.50,"b":-0,"c":1E+2,"d":12345678901234567890123}`, `{a:"1.50" b:"-0" c:"1E+2" d:"12345678901234567890123"}`},
		{"escapes are read", `{"a\u0062":"\u00e9\n"}`, `{ab:"é\n"}`},
		{"empty maps and lists are empty maps", `{"a":{},"b":[]}`, `{a:{} b:{}}`},
		{"PHP's empty object is a list", ` [] `, `{}`},
		{"keys are literal", `{"a.b":"1","a[b]":"2","":"3"}`, `{a.b:"1" a[b]:"2" :"3"}`},
		{"the last of two equal keys wins", `{"a":"1","b":"2","a":"3"}`, `{a:"3" b:"2"}`},
		{"a later map replaces and does not merge", `{"a":{"x":"1"},"a":{"y":"2"}}`, `{a:{y:"2"}}`},
		{"a later text replaces a map", `{"a":{"x":"1"},"a":"2"}`, `{a:"2"}`},
		{"a later null leaves nothing", `{"a":"1","a":null}`, `{a:{}}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			n, err := ParseJSON([]byte(test.body))
			require.NoError(t, err)
			require.Equal(t, test.want, dump(n))
		})
	}
}

func TestParseJSONRefuses(t *testing.T) {
	t.Parallel()
	nested := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }
	list := func(n int) string { return "[" + strings.Repeat("1,", n-1) + "1]" }
	_, err := ParseJSON([]byte(nested(MaxDepth + 1))) // a name and its brackets
	require.NoError(t, err)
	_, err = ParseJSON([]byte(list(MaxKeys)))
	require.NoError(t, err)

	for _, test := range []struct {
		name, body string
		want       error
	}{
		{"an empty body", "", ErrSyntax},
		{"a text", `"secret"`, ErrSyntax},
		{"null", "null", ErrSyntax},
		{"a number", "1", ErrSyntax},
		{"half an object", `{"secret":"x"`, ErrSyntax},
		{"half a key", `{"secret`, ErrSyntax},
		{"a key without a value", `{"secret":}`, ErrSyntax},
		{"a key that is no text", `{1:"secret"}`, ErrSyntax},
		{"a comma too many", `{"a":[1,]}`, ErrSyntax},
		{"the wrong bracket", `{"a":[1}`, ErrSyntax},
		{"two values", `{}{}`, ErrSyntax},
		{"a form", "secret=1", ErrSyntax},
		{"one level too many", nested(MaxDepth + 2), ErrDepth},
		{"10,000 levels", nested(10_000), ErrDepth},
		{"10,000 levels of lists", strings.Repeat("[", 10_000), ErrDepth},
		{"lists that never end", strings.Repeat("[", MaxDepth), ErrSyntax},
		{"one key too many", list(MaxKeys + 1), ErrKeys},
		{"a million values", list(1_000_000), ErrKeys},
		{"a million nulls", "[" + strings.Repeat("null,", 1_000_000) + "1]", ErrKeys},
		{"a million times the same key", "{" + strings.Repeat(`"a":1,`, 1_000_000) + `"a":1}`, ErrKeys},
	} {
		t.Run(test.name, func(t *testing.T) {
			n, err := ParseJSON([]byte(test.body))
			require.ErrorIs(t, err, test.want)
			require.NotContains(t, err.Error(), "secret")
			require.True(t, n.IsMissing())
		})
	}
}

// texts lists the texts of a decoded value by their quoted paths.
func texts(path string, v any, out map[string]string) {
	switch v := v.(type) {
	case Node:
		if !v.IsMap() {
			out[path] = v.Get()
		}
		for _, key := range v.Keys() {
			texts(path+strconv.Quote(key), v.At(key), out)
		}
	case map[string]any:
		for key, v := range v {
			texts(path+strconv.Quote(key), v, out)
		}
	case []any:
		for i, v := range v {
			texts(path+strconv.Quote(strconv.Itoa(i)), v, out)
		}
	case bool:
		out[path] = "0"
		if v {
			out[path] = "1"
		}
	case json.Number:
		out[path] = v.String()
	case string:
		out[path] = v
	}
}

// checkJSON holds the tree against what encoding/json reads, which must accept the
// same bodies and find the same texts.
func checkJSON(t *testing.T, body []byte) {
	n, err := ParseJSON(body)
	if errors.Is(err, ErrDepth) || errors.Is(err, ErrKeys) {
		require.True(t, n.IsMissing())
		return
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	valid := json.Valid(body) && dec.Decode(&v) == nil
	switch v.(type) {
	case map[string]any, []any:
	default:
		valid = false
	}
	require.Equal(t, valid, err == nil)
	if !valid {
		return
	}
	want, got := make(map[string]string), make(map[string]string)
	texts("", v, want)
	texts("", n, got)
	require.Equal(t, want, got)
	require.LessOrEqual(t, n.Size(), MostSize(body))
	requireFound(t, n)
}

func FuzzParseJSON(f *testing.F) {
	for file := range samples(f) {
		body, err := os.ReadFile(strings.TrimSuffix(file, ".form") + ".json")
		require.NoError(f, err)
		f.Add(body)
	}
	for _, body := range []string{
		`{"a":[1,null,true,{"b":[]}],"a":"\u00e9","c":null}`,
		`[[],{},"x",-1.5e3]`,
		`{"\ud83d\ude00":"\ud83d","b":"\udc00\ud83dx\u12g4\/\b"}`, `{"a":"\ud83d\ud83d\ude00\u00e9\"\\"}`,
		"{\"\xff\":\"\xc3\",\"\u2028\":\"\x7f\"}", `[-0,0.1,1E+5,01]`, ` [ ] `, `{"a":{"b":1},"a":null,"a":{"c":tru}}`,
		`{"a":1}}`, `{"a":[1,]}`, `{"a" 1}`, `[1 2]`, `"x"`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(checkJSON)
}

func TestParseRandomJSON(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 2))
		checkJSON(t, randomJSON(r, 1+r.IntN(2*maxLinear), 4))
	}
}

func randomJSON(r *rand.Rand, wide, depth int) []byte {
	if depth == 0 || r.IntN(3) == 0 && depth < 4 {
		return []byte([]string{`"x"`, `"\u0430\"y"`, "null", "true", "false", "-1.5e3", "0", `""`, `"\ud83d\ude00й"`}[r.IntN(9)])
	}
	open, closing := "{", "}"
	if r.IntN(3) == 0 {
		open, closing = "[", "]"
	}
	out := []byte(open)
	for i := range r.IntN(1 + 2*wide/depth) {
		if i > 0 {
			out = append(out, ", "...)
		}
		if open == "{" {
			out = append(out, strconv.Quote("k"+strconv.Itoa(r.IntN(wide)))+":"...)
		}
		out = append(out, randomJSON(r, min(wide, 20), depth-1)...)
	}
	return append(out, closing...)
}
