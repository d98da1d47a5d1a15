package phpform

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// members puts an object or list together again.
func members(body []byte) (all string, ok bool) {
	var out strings.Builder
	ok = Members(body, func(name, value []byte) bool {
		out.Write(name)
		out.WriteByte(' ')
		out.Write(value)
		out.WriteByte('\n')
		return true
	})
	return out.String(), ok
}

func TestMembers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, body, want string }{
		{"an object has names", ` { "a" : 1 , "b\"" :[ ] } `, `"a" 1` + "\n" + `"b\"" [ ]` + "\n"},
		{"a list has none", `[true,{"a":null},"x"]`, " true\n {\"a\":null}\n \"x\"\n"},
		{"a name may be there twice", `{"a":1,"a":2}`, "\"a\" 1\n\"a\" 2\n"},
		{"an empty one has no members", `{}`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, ok := members([]byte(test.body))
			require.True(t, ok)
			require.Equal(t, test.want, got)
		})
	}
	n := 0
	require.False(t, Members([]byte(`[1,2,3]`), func(_, _ []byte) bool { n++; return n < 2 }), "who stops has not read all")
	require.Equal(t, 2, n)
}

func TestAScannerGoesOverABodyOnce(t *testing.T) {
	t.Parallel()
	read := func(body string) (got []string, ok bool) {
		s := Scan([]byte(body))
		ok = s.Next('{') && s.Members(func(name []byte) bool {
			if s.Next('[') {
				return s.Members(func(name []byte) bool {
					value, ok := s.Value()
					got = append(got, string(name)+"."+string(value))
					return ok
				})
			}
			value, ok := s.Value()
			got = append(got, string(name)+"="+string(value))
			return ok
		}) && s.End()
		return got, ok
	}
	got, ok := read(` { "a" : [ 1 , {"b":[2]} ] , "c" : "d" } `)
	require.True(t, ok)
	require.Equal(t, []string{".1", `.{"b":[2]}`, `"c"="d"`}, got)
	for _, body := range []string{"", "1", "[]", `{"a":[1}`, `{"a":}`, `{"a":1}x`, `{"a":[1,]}`, `{"a":["\u12"]}`, `{"a":[` + strings.Repeat("[", 9_999) + strings.Repeat("]", 9_999) + `]}`} {
		_, ok := read(body)
		require.False(t, ok, "%.20s", body)
	}
}

// TestMembersThatAreDeep: as deep as encoding/json reads, and no deeper.
func TestMembersThatAreDeep(t *testing.T) {
	t.Parallel()
	for _, depth := range []int{10_000, 10_001, 2_000_000} {
		for _, body := range []string{
			strings.Repeat("[", depth) + strings.Repeat("]", depth),
			strings.Repeat(`{"":`, depth) + "1" + strings.Repeat("}", depth),
			strings.Repeat(`[`, depth),
		} {
			_, ok := members([]byte(body))
			require.Equal(t, json.Valid([]byte(body)), ok, depth)
		}
	}
}

// FuzzMembers holds the scanner against encoding/json.
func FuzzMembers(f *testing.F) {
	for _, body := range []string{
		``, ` `, `null`, `"x"`, `1`, `{}`, `[]`, `{"a":1}x`, `[1,]`, `{"a"}`, `{"a":}`, `{a:1}`, `{"a":1,}`, `[1}`, `{"a":1]`, `[,]`, `[nul]`, `[truefalse]`, `[fals`, `[nullx]`,
		`[0,-0,1.5,-1e5,1E+5,1e-05,12345678901234567890]`, `[01]`, `[-]`, `[1.]`, `[.5]`, `[1e]`, `[1e+]`, `[+1]`, `[-01]`, `[0x1]`, `[1 2]`,
		`["\"\\\/\b\f\n\r\t\u00e9\ud83d"]`, `["\x"]`, `["\u12g4"]`, `["\u12"]`, `["\`, `["a` + "\n" + `"]`, "[\"\x7f\xff\x00\"]", "[\"\xff\"]", "\t[\r\n1\x20]\n", "[1\v]", "\ufeff[]",
		`{"a":{"b":[{"c":"}]"}]}}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		all, ok := members(body)
		open := strings.TrimLeft(string(body), " \t\r\n")
		container := strings.HasPrefix(open, "{") || strings.HasPrefix(open, "[")
		require.Equal(t, container && json.Valid(body), ok)
		if !ok {
			return
		}
		var want strings.Builder
		dec := json.NewDecoder(strings.NewReader(open))
		first, err := dec.Token()
		require.NoError(t, err)
		for dec.More() {
			var name, value json.RawMessage
			if first == json.Delim('{') {
				from := dec.InputOffset()
				_, err := dec.Token()
				require.NoError(t, err)
				name = json.RawMessage(strings.TrimLeft(open[from:dec.InputOffset()], " \t\r\n,"))
			}
			require.NoError(t, dec.Decode(&value))
			want.WriteString(string(name) + " " + string(value) + "\n")
		}
		require.Equal(t, want.String(), all)
	})
}
