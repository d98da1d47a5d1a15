package phpform

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNodeReads(t *testing.T) {
	t.Parallel()
	n, err := Parse([]byte("a[b]=1&a[c]=2&d=3&e="))
	require.NoError(t, err)
	require.Equal(t, n, n.At())
	require.Equal(t, []string{"a", "d", "e"}, n.Keys())
	require.Equal(t, []string{"b", "c"}, n.At("a").Keys())
	require.Equal(t, "2", n.Get("a", "c"))
	require.Equal(t, "2", n.At("a").Get("c"))
	require.Empty(t, n.Get("a"), "a map has no text")
	require.True(t, n.IsMap())
	require.True(t, n.At("a").IsMap())
	require.False(t, n.At("d").IsMap())
	require.Nil(t, n.At("d").Keys())
	require.False(t, n.At("e").IsMissing(), "an empty text is not a missing one")
	require.True(t, n.At("x").IsMissing())
	require.True(t, n.At("a", "x", "y").IsMissing())
	require.True(t, n.At("d", "x").IsMissing(), "a text has no keys")
}

func TestATextThatWasAMapHasNoKeys(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"a[b]=1&a[c]=2&a=3", `{"a":{"b":1,"c":2},"a":3}`} {
		parse := Parse
		if body[0] == '{' {
			parse = ParseJSON
		}
		n, err := parse([]byte(body))
		require.NoError(t, err)
		require.Equal(t, "3", n.Get("a"))
		require.True(t, n.At("a", "b").IsMissing())
		require.True(t, n.At("a", "c").IsMissing())
	}
}

func TestMissingNode(t *testing.T) {
	t.Parallel()
	var n Node
	require.True(t, n.IsMissing())
	require.True(t, n.At().IsMissing())
	require.True(t, n.At("a", "b").IsMissing())
	require.Empty(t, n.Get())
	require.Empty(t, n.Get("a"))
	require.Nil(t, n.Keys())
	require.Zero(t, n.Len())
	require.Zero(t, n.Size())
	require.False(t, n.IsMap())
	require.Empty(t, n.Encode())
	for range n.All() {
		require.Fail(t, "a missing value has no keys")
	}
}

func TestAllStopsWhenItIsTold(t *testing.T) {
	t.Parallel()
	n, err := Parse([]byte("a=1&b=2&c=3"))
	require.NoError(t, err)
	var keys []string
	for key, kid := range n.All() {
		keys = append(keys, key+kid.Get())
		if key == "b" {
			break
		}
	}
	require.Equal(t, []string{"a1", "b2"}, keys)
	require.Equal(t, 3, n.Len())
}

func TestEncode(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		path []string
		text string
		want string
	}{
		{"brackets are escaped", []string{"a", "b", "0"}, "v", "a%5Bb%5D%5B0%5D=v"},
		{"a blank is a plus", []string{"a", "b c"}, "d e", "a%5Bb+c%5D=d+e"},
		{"a plus is escaped", []string{"a"}, "1+1", "a=1%2B1"},
		{"what separates is escaped", []string{"a&b"}, "c=d&e%", "a%26b=c%3Dd%26e%25"},
		{"bytes that are not UTF-8 stay", []string{"a"}, "\xffé", "a=%FF%C3%A9"},
		{"an empty text is written", []string{"a"}, "", "a="},
	} {
		t.Run(test.name, func(t *testing.T) {
			var form Form
			form.Set(test.text, test.path...)
			require.Equal(t, test.want, form.Encode())
			back, err := Parse([]byte(form.Encode()))
			require.NoError(t, err)
			require.Equal(t, dump(form.root()), dump(back))
		})
	}
}

func TestEncodeLeavesOutEmptyMaps(t *testing.T) {
	t.Parallel()
	n, err := ParseJSON([]byte(`{"a":{},"b":"1","c":[{},[]],"d":{"e":"2"},"f":[]}`))
	require.NoError(t, err)
	require.Equal(t, "b=1&d%5Be%5D=2", n.Encode())
	require.Empty(t, new(Form).Encode())
}

func TestTheSizeOfATreeIsWhatItTakes(t *testing.T) { // not in parallel: it measures the heap of the process
	many := func(n int, pair string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, pair, i)
		}
		return b.String()
	}
	for name, body := range map[string]string{
		"a long text":           "a=" + strings.Repeat("x", 1<<20),
		"a long text, escaped":  "a=" + strings.Repeat("%D0%B0", 1<<18),
		"many keys":             many(MaxKeys-1, "%x&"),
		"many maps":             many(MaxKeys/2-1, "%x[]&"),
		"many maps, escaped":    many(MaxKeys/2-1, "%x%%5Ba%%5D&"),
		"deep maps":             many(150, "%x"+strings.Repeat("[a]", MaxDepth-2)+"&"),
		"an event":              many(30, "data[PARAMS][A_KEY_OF_SOME_LENGTH%d]=and its value&"),
		"JSON: a long text":     `{"a":"` + strings.Repeat("x", 1<<20) + `"}`,
		"JSON: a text, escaped": `{"a":"` + strings.Repeat(`\u0430`, 1<<18) + `"}`,
		"JSON: broken UTF-8":    `{"a":"` + strings.Repeat("\xff", 1<<18) + `"}`,
		"JSON: many keys":       "{" + many(MaxKeys-1, `"%x":"1",`) + `"z":1}`,
		"JSON: many lists":      `{"a":[` + strings.Repeat("[],", MaxKeys-2) + `1]}`,
		"JSON: many objects":    `{"a":[` + strings.Repeat(`{"a":1},`, MaxKeys/2-2) + `1]}`,
	} {
		t.Run(name, func(t *testing.T) {
			data := []byte(body)
			parse := Parse
			if data[0] == '{' {
				parse = ParseJSON
			}
			before := heap()
			n, err := parse(data)
			require.NoError(t, err)
			took := heap() - before
			const rounding = 40 << 10 // of the allocator, to pages; of an index, to powers of two
			require.LessOrEqual(t, took, n.Size()+rounding)
			require.LessOrEqual(t, n.Size(), MostSize(data))
			require.LessOrEqual(t, n.Size(), 2*took+rounding, "and not much more")
			runtime.KeepAlive(data)
			runtime.KeepAlive(n)
		})
	}
}

// heap returns how many bytes are in use.
func heap() int {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}
