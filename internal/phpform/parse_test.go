package phpform

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// dump writes a tree readably: {a:"1" b:{0:"2"}}.
func dump(n Node) string {
	if n.IsMissing() {
		return "nil"
	}
	if !n.IsMap() {
		return strconv.Quote(n.Get())
	}
	var parts []string
	for key, kid := range n.All() {
		parts = append(parts, key+":"+dump(kid))
	}
	return "{" + strings.Join(parts, " ") + "}"
}

func TestParse(t *testing.T) {
	t.Parallel()
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
		{"a name ends at a zero byte, whatever stands behind it", "a[b]%00[c]=1&a[b]%00[d]=2&a[e]\x00[f]=3&a[e]\x00[g]=4", `{a:{b:"2" e:"4"}}`},
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
	t.Parallel()
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
			require.True(t, n.IsMissing())
		})
	}
}

// Anything that is not linear would never come to the end of these.
func TestParseLarge(t *testing.T) {
	t.Parallel()
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

func TestParseTooLong(t *testing.T) {
	t.Parallel()
	body := make([]byte, MaxSize+1)
	for _, parse := range []func([]byte) (Node, error){Parse, ParseJSON} {
		n, err := parse(body)
		require.ErrorIs(t, err, ErrSize)
		require.True(t, n.IsMissing())
	}
}

func TestParseFullMap(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
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
	t.Parallel()
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
	t.Parallel()
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

// checkForm holds the tree of a form against itself: written and read again, and
// read with every name escaped, which goes another way through the parser.
func checkForm(t *testing.T, body []byte) {
	n, err := Parse(body)
	escaped, escapedErr := Parse(escapeNames(body))
	require.Equal(t, escapedErr, err)
	require.Equal(t, dump(escaped), dump(n))
	if err != nil {
		require.True(t, n.IsMissing())
		return
	}
	again, err := Parse([]byte(n.Encode()))
	require.NoError(t, err)
	require.Equal(t, dump(n), dump(again))
	require.LessOrEqual(t, n.Size(), MostSize(body))
	requireFound(t, n)
}

// escapeNames escapes each byte of each name that is not escaped.
func escapeNames(body []byte) []byte {
	var out []byte
	for i, pair := range bytes.Split(body, []byte("&")) {
		if i > 0 {
			out = append(out, '&')
		}
		name, value, hasValue := bytes.Cut(pair, []byte("="))
		for i := 0; i < len(name); i++ {
			switch c := name[i]; {
			case c == '+':
				out = append(out, "%20"...)
			case c == '%' && i+2 < len(name) && unhex(name[i+1])|unhex(name[i+2]) <= 15:
				out = append(out, name[i:i+3]...)
				i += 2
			default:
				out = fmt.Appendf(out, "%%%02x", c)
			}
		}
		if hasValue {
			out = append(append(out, '='), value...)
		}
	}
	return out
}

// requireFound: each key finds its value.
func requireFound(t *testing.T, n Node) {
	for key, kid := range n.All() {
		if n.At(key) != kid {
			t.Fatalf("%q does not find its value", key)
		}
		requireFound(t, kid)
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
		"a[b]=1&a[c]=2&a=3&a[c]=4&a[c][d]=1&a[c][e]=2",
		"a[[b]=1&a[[c]=2&a%5bb%5D=1&a%5bc%5d=2&a%5bc%5D&a%5bc%5d&a[][b]=1&a[][c]=2",
		"a[b]x=1&a[c]x=2&a[%00b]=1&a[%00c]=1&a[b]%00=1&a[c]%00=2",
		"+a[b]=1&+a[c]=2&.[b]&.[c]&a.b+c[d]=1&a.b+c[e]=2",
		strings.Repeat("a", 4000) + ".b", "a[b]%00[c]=1&a[b]%00[d]=2",
		"%a[b]=1&%5[b]=2&%5[%5Bb]=1&%5[%5Bc]=1&%%5Ba%5D=1&%%5Bb%5D=2",
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(checkForm)
}

// A fuzzer makes no large maps by itself, nor many names in a row that differ in
// their last key.
func TestParseRandomForms(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		checkForm(t, randomForm(rand.New(rand.NewPCG(seed, 1))))
	}
}

func randomForm(r *rand.Rand) []byte {
	wide := 1 + r.IntN(1+r.IntN(2*maxLinear))
	open, closing := []string{"[", "%5B", "%5b"}, []string{"]", "%5D", "%5d"}
	key := func() string {
		switch k := strconv.Itoa(r.IntN(wide)); r.IntN(12) {
		case 0:
			return ""
		case 1:
			return fmt.Sprintf("%%%X%s", k[0], k[1:])
		case 2:
			return "b.c " + k
		case 3:
			return "[" + k
		case 4, 5, 6:
			return "k" + k
		default:
			return k
		}
	}
	var body []byte
	name, last := "a", ""
	for range r.IntN(400) {
		if r.IntN(4) == 0 {
			name, last = "a"+strconv.Itoa(r.IntN(3)), ""
			for range r.IntN(1 + r.IntN(5)) {
				name += open[r.IntN(3)] + key() + closing[r.IntN(3)]
			}
		}
		if r.IntN(8) > 0 {
			last = open[r.IntN(3)] + key() + append(closing, closing[0]+"x", "")[r.IntN(15)/3]
		}
		body = append(body, name+last+[]string{"=", "=v+%41", ""}[r.IntN(3)]+"&"...)
	}
	return body
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

// BenchmarkParseHostile: a body takes no longer for each of its bytes when it has
// more of them, whatever its shape.
func BenchmarkParseHostile(b *testing.B) {
	long := strings.Repeat("x", 380)
	for _, row := range []struct {
		name             string
		start, part, end string
		parts            int // with which a body has almost as many keys as it may have
	}{
		{"siblings with one prefix", "", "a[prefix%05d]=1&", "", 9_900},
		{"siblings with one long prefix", "", "a[" + long + "%05d]=1&", "", 9_900},
		{"siblings with one escaped prefix", "", "a[%%61" + long + "%05d]=1&", "", 9_900},
		{"deep maps", "", "a" + strings.Repeat("[b]", MaxDepth-1) + "[k%05d]=1&", "", 9_900},
		{"text and map in turn", "", "a[k]=%d&a=1&", "", 3_300},
		{"appended", "", "a[]=%d&", "", 9_900},
		{"appended to maps", "", "a[%d][]=1&", "", 4_900},
		{"JSON: siblings with one prefix", "{", `"prefix%05d":1,`, `"":1}`, 9_900},
		{"JSON: siblings with one long prefix", "{", `"` + long + `%05d":1,`, `"":1}`, 9_900},
		{"JSON: a deep list", strings.Repeat("[", MaxDepth), "%d,", "1" + strings.Repeat("]", MaxDepth), 9_900},
		{"JSON: the same key", "{", `"a":{"b":%d},`, `"":1}`, 4_900},
		{"JSON: escapes", `{"a":"`, `\ud83d\ude00%d\n`, `"}`, 200_000},
	} {
		for _, share := range []int{4, 2, 1} {
			body := []byte(row.start)
			for i := range row.parts / share {
				body = fmt.Appendf(body, row.part, i)
			}
			body = append(body, row.end...)
			b.Run(fmt.Sprintf("%s/%d times", row.name, row.parts/share), func(b *testing.B) {
				b.SetBytes(int64(len(body)))
				for b.Loop() {
					parse := Parse
					if body[0] == '{' || body[0] == '[' {
						parse = ParseJSON
					}
					if _, err := parse(body); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
