package phpform

import (
	"math"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// dump writes a tree readably: {a:"1" b:{0:"2"}}.
func dump(n *Node) string {
	if n == nil {
		return "nil"
	}
	if !n.IsMap() {
		return strconv.Quote(n.Get())
	}
	var parts []string
	for _, key := range n.Keys() {
		parts = append(parts, key+":"+dump(n.At(key)))
	}
	return "{" + strings.Join(parts, " ") + "}"
}

func TestParse(t *testing.T) {
	deepest := "a" + strings.Repeat("[b]", MaxDepth)
	for _, test := range []struct{ name, body, want string }{
		{"an empty body is an empty map", "", `{}`},
		{"pairs keep their order", "b=1&a=2", `{b:"1" a:"2"}`},
		{"brackets nest", "a[b][c]=1&a[d]=2", `{a:{b:{c:"1"} d:"2"}}`},
		{"brackets may be escaped in either case", "a%5Bb%5D%5bc%5d=1", `{a:{b:{c:"1"}}}`},
		{"maps may be interleaved and keep their place", "a[x]=1&b=2&a[y]=3", `{a:{x:"1" y:"3"} b:"2"}`},
		{"the last of two equal names wins, in the place of the first", "a=1&b=2&a=3", `{a:"3" b:"2"}`},
		{"a map replaces a text", "a=1&b=2&a[c]=3", `{a:{c:"3"} b:"2"}`},
		{"a text replaces a map", "a[c]=3&b=2&a=1", `{a:"1" b:"2"}`},
		{"a map replaces a text further down", "a[b]=1&a[b][c]=2", `{a:{b:{c:"2"}}}`},
		{"a name without an equals sign has an empty value", "a&b=&c[d]", `{a:"" b:"" c:{d:""}}`},
		{"only the first equals sign separates", "a==b=c", `{a:"=b=c"}`},
		{"only the ampersand separates pairs", "a;b=1;c=2", `{a;b:"1;c=2"}`},
		{"empty pairs are skipped", "&&a=1&&b=2&", `{a:"1" b:"2"}`},
		{"empty names are skipped", "=1&+=2&%00a=3&[b]=4&[=5", `{}`},

		{"plus and %20 are blanks", "a=b+c%20d", `{a:"b c d"}`},
		{"an escaped plus is a plus", "a=1%2B1", `{a:"1+1"}`},
		{"bad escapes stay as they are", "a=%zz%4&b=%&c=100%&d=%%41", `{a:"%zz%4" b:"%" c:"100%" d:"%A"}`},
		{"an escape is not read twice", "a=%2541", `{a:"%41"}`},
		{"an escaped ampersand and equals sign are text", "a%3D%26b=%26%3D", `{a=&b:"&="}`},
		{"bytes that are not UTF-8 stay", "a=%ff\xfe", `{a:"\xff\xfe"}`},

		{"dots and blanks of a name become underscores", "a.b+c=1", `{a_b_c:"1"}`},
		{"dots and blanks inside brackets stay", "a.b[c.d+e]=1", `{a_b:{c.d e:"1"}}`},
		{"blanks before a name are cut", "++a=1", `{a:"1"}`},
		{"a name ends at a zero byte", "a%00b=1&c[d%00]=2", `{a:"1" c_d:"2"}`},
		{"a zero byte in a value stays", "a=%00", `{a:"\x00"}`},

		{"an open bracket is an underscore", "a[b=1&a[=2&x[y.z[q+w=3", `{a_b:"1" a_:"2" x_y_z_q_w:"3"}`},
		{"an open bracket after a closed one is ignored", "a[x][b=1&a[y.z][=2", `{a:{x:"1" y.z:"2"}}`},
		{"an open bracket after empty ones is ignored", "a[][b=1", `{a:{0:"1"}}`},
		{"a bracket ends at the first closing one", "a[[b]]=1&c[d[e]=2", `{a:{[b:"1"} c:{d[e:"2"}}`},
		{"text after a closing bracket is ignored", "a[b]c=1&d[e]f[g]=2", `{a:{b:"1"} d:{e:"2"}}`},
		{"a closing bracket alone is text", "a]b=1", `{a]b:"1"}`},

		{"empty brackets count from zero", "a[]=1&a[]=2", `{a:{0:"1" 1:"2"}}`},
		{"empty brackets go on above the largest index", "a[7]=1&a[3]=2&a[]=3", `{a:{7:"1" 3:"2" 8:"3"}}`},
		{"empty brackets go on above a negative index", "a[-5]=1&a[]=2", `{a:{-5:"1" -4:"2"}}`},
		{"empty brackets make maps", "a[][x]=1&a[][x]=2", `{a:{0:{x:"1"} 1:{x:"2"}}}`},
		{"a blank in brackets counts as none", "a[+]=1&a[%09]=2", `{a:{0:"1" 1:"2"}}`},
		{"two blanks are a key, and so is a blank before text", "a[++]=1&a[+b]=2", `{a:{  :"1"  b:"2"}}`},
		{"keys that only look like integers do not count", "a[07]=1&a[-0]=2&a[1.5]=3&a[+9]=4&a[]=5", `{a:{07:"1" -0:"2" 1.5:"3"  9:"4" 0:"5"}}`},
		{"a text forgets the indices of the map it replaces", "a[5]=1&a=2&a[]=3", `{a:{0:"3"}}`},
		{"a huge index is just a key", "a[2147483647]=1&a[]=2", `{a:{2147483647:"1" 2147483648:"2"}}`},
		{"nothing goes above the largest index", "a[9223372036854775807]=1&a[]=2&a[][x]=3", `{a:{9223372036854775807:"1"}}`},
		{"an index beyond 64 bits is text", "a[9223372036854775808]=1&a[]=2", `{a:{9223372036854775808:"1" 0:"2"}}`},
		{"the smallest index counts", "a[-9223372036854775808]=1&a[]=2", `{a:{-9223372036854775808:"1" -9223372036854775807:"2"}}`},
		{"the deepest name is read", deepest + "=1", `{a:` + strings.Repeat("{b:", MaxDepth) + `"1"` + strings.Repeat("}", MaxDepth) + `}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			n, err := Parse([]byte(test.body))
			require.NoError(t, err)
			require.Equal(t, test.want, dump(n))
		})
	}
}

// The bodies below would hang or be killed if anything were not linear.
func TestParseRefuses(t *testing.T) {
	repeat := func(s string, n int) []byte { return []byte(strings.Repeat(s, n)) }
	numbered := func(format string, n int) []byte {
		var b []byte
		for i := range n {
			b = append(b, strings.ReplaceAll(format, "#", strconv.Itoa(i))...)
		}
		return b
	}
	for _, test := range []struct {
		name string
		body []byte
		want error
	}{
		{"one bracket too many", []byte("a" + strings.Repeat("[b]", MaxDepth+1)), ErrDepth},
		{"one open bracket too many", []byte("a" + strings.Repeat("[b]", MaxDepth) + "["), ErrDepth},
		{"10,000 brackets", []byte("a" + strings.Repeat("[b]", 10_000) + "=1"), ErrDepth},
		{"10,000 empty brackets", []byte("a" + strings.Repeat("%5B%5D", 10_000) + "=1"), ErrDepth},
		{"one key too many", numbered("k#=1&", MaxKeys+1), ErrKeys},
		{"one key too many in a map, which is a key itself", numbered("a[k#]=1&", MaxKeys), ErrKeys},
		{"a million keys", numbered("k#=1&", 1_000_000), ErrKeys},
		{"a million keys of one map", numbered("a[k#]=1&", 1_000_000), ErrKeys},
		{"a million appended values", repeat("a[]=1&", 1_000_000), ErrKeys},
		{"a million times the same key", repeat("a=1&", 1_000_000), ErrKeys},
		{"few names that make many maps", repeat("a"+strings.Repeat("[]", MaxDepth)+"&", 200), ErrKeys},
		{"a key that is text and map in turn", repeat("a[b][c]=1&a=1&", 5_000), ErrKeys},
	} {
		t.Run(test.name, func(t *testing.T) {
			n, err := Parse(test.body)
			require.ErrorIs(t, err, test.want)
			require.Nil(t, n)
		})
	}
}

// Anything that is not linear would never come to the end of these.
func TestParseLarge(t *testing.T) {
	for _, test := range []struct {
		name, start, unit string
		size, keys        int
	}{
		{"32 MiB of one value", "a=", "x", 32 << 20, 1},
		{"escapes", "a=", "%41", 4 << 20, 1},
		{"one long name", "", "x", 4 << 20, 1},
		{"broken escapes", "a=", "%", 4 << 20, 1},
		{"open brackets", "a", "[", 4 << 20, 1},
		{"closing brackets", "a[", "]", 4 << 20, 1},
		{"blanks before a name", "", "+", 4 << 20, 0},
		{"separators", "", "&", 4 << 20, 0},
		{"values without a name", "", "=&", 4 << 20, 0},
		{"digits as a key", "a[", "1", 4 << 20, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			body := test.start + strings.Repeat(test.unit, test.size/len(test.unit))
			n, err := Parse([]byte(body))
			require.NoError(t, err)
			require.Len(t, n.Keys(), test.keys)
		})
	}
}

func TestParseFullMap(t *testing.T) {
	var body []byte
	for i := range MaxKeys - 1 { // the map is the last key
		body = append(body, "a[k"+strconv.Itoa(i)+"]="+strconv.Itoa(i)+"&"...)
	}
	n, err := Parse(body)
	require.NoError(t, err)
	keys := n.At("a").Keys()
	require.Len(t, keys, MaxKeys-1)
	for i, key := range keys {
		if want := strconv.Itoa(i); key != "k"+want || n.Get("a", key) != want {
			t.Fatalf("key %d is %q: %q", i, key, n.Get("a", key))
		}
	}
	require.Empty(t, n.Get("a", "k"))
}

// The index of a large map must see what a small map saw before it had one.
func TestParseAcrossTheIndex(t *testing.T) {
	for size := maxLinear - 1; size <= maxLinear+2; size++ {
		var body string
		for i := range size {
			body += "a[" + strconv.Itoa(i) + "]=old&"
		}
		body += "a[0]=new&a[" + strconv.Itoa(size-1) + "]=new&a[]=next"
		n, err := Parse([]byte(body))
		require.NoError(t, err)
		a := n.At("a")
		require.Len(t, a.Keys(), size+1)
		require.Equal(t, "new", a.Get("0"))
		require.Equal(t, "old", a.Get("1"))
		require.Equal(t, "new", a.Get(strconv.Itoa(size-1)))
		require.Equal(t, "next", a.Get(strconv.Itoa(size)))
	}
}

func TestParseKeepsNoHoldOfTheBody(t *testing.T) {
	body := []byte("a[b]=cd")
	n, err := Parse(body)
	require.NoError(t, err)
	for i := range body {
		body[i] = 'x'
	}
	require.Equal(t, `{a:{b:"cd"}}`, dump(n))
}

// samples returns the bodies of the documented events: their forms by name.
func samples(t testing.TB) map[string][]byte {
	files, err := filepath.Glob("../../testdata/events/*.form")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	bodies := make(map[string][]byte)
	for _, file := range files {
		body, err := os.ReadFile(file)
		require.NoError(t, err)
		bodies[file] = body
	}
	return bodies
}

func TestSamples(t *testing.T) {
	for file, body := range samples(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			form, err := Parse(body)
			require.NoError(t, err)
			require.Equal(t, strings.TrimSpace(string(body)), form.Encode())

			body, err := os.ReadFile(strings.TrimSuffix(file, ".form") + ".json")
			require.NoError(t, err)
			tree, err := ParseJSON(body)
			require.NoError(t, err)
			require.Equal(t, form.Encode(), tree.Encode())
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, body := range samples(f) {
		f.Add(body)
	}
	for _, body := range []string{
		"a[]=1&a[][b]=2&a[" + strconv.Itoa(math.MaxInt64) + "]=3&a[]=4",
		"a[b=1&a[b][c=2&a[ ]=3&.+[=%00&%41%zz%4",
		"a=1&a[b]=2&a=3&a[[c]]=4&]=5",
		"a" + strings.Repeat("[]", MaxDepth+1),
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		n, err := Parse(body)
		if err != nil {
			require.Nil(t, n)
			return
		}
		again, err := Parse([]byte(n.Encode()))
		require.NoError(t, err)
		require.Equal(t, dump(n), dump(again))
	})
}

func BenchmarkParse(b *testing.B) {
	body, err := os.ReadFile("../../testdata/events/messageadd_private.form")
	require.NoError(b, err)
	text := string(body)
	b.Run("phpform", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Parse(body); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("url", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := url.ParseQuery(text); err != nil {
				b.Fatal(err)
			}
		}
	})
}
