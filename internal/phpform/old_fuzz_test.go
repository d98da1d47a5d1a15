package phpform

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func oldDump(n *oldNode) string {
	if n == nil {
		return "nil"
	}
	if !n.IsMap() {
		return strconv.Quote(n.Get())
	}
	var parts []string
	for _, key := range n.Keys() {
		parts = append(parts, key+":"+oldDump(n.At(key)))
	}
	return "{" + strings.Join(parts, " ") + "}"
}

func sameForm(t *testing.T, body []byte) {
	want, wantErr := oldParse(body)
	got, err := Parse(body)
	require.Equal(t, wantErr, err)
	require.Equal(t, oldDump(want), dump(got))
	require.Equal(t, want.Encode(), got.Encode())
}

func sameJSON(t *testing.T, body []byte) {
	want, wantErr := oldParseJSON(body)
	got, err := ParseJSON(body)
	require.Equal(t, wantErr, err)
	require.Equal(t, oldDump(want), dump(got))
	require.Equal(t, want.Encode(), got.Encode())
}

func FuzzParseAsBefore(f *testing.F) {
	for _, body := range samples(f) {
		f.Add(body)
	}
	for _, body := range []string{
		"a[]=1&a[][b]=2&a[9223372036854775807]=3&a[]=4",
		"a[b=1&a[b][c=2&a[ ]=3&.+[=%00&%41%zz%4",
		"a=1&a[b]=2&a=3&a[[c]]=4&]=5",
		"a[b]=1&a[c]=2&a=3&a[c]=4&a[c][d]=1&a[c][e]=2",
		"a[[b]=1&a[[c]=2&a%5bb%5D=1&a%5bc%5d=2&a%5bc%5D&a%5bc%5d&a[][b]=1&a[][c]=2",
		"a[b]x=1&a[c]x=2&a[%00b]=1&a[%00c]=1&a[b]%00=1&a[c]%00=2",
		"+a[b]=1&+a[c]=2&.[b]&.[c]&a.b+c[d]=1&a.b+c[e]=2",
		"%a[b]=1&%5[b]=2&%5[%5Bb]=1&%5[%5Bc]=1&%%5Ba%5D=1&%%5Bb%5D=2",
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(sameForm)
}

func FuzzParseJSONAsBefore(f *testing.F) {
	for file := range samples(f) {
		body, err := os.ReadFile(strings.TrimSuffix(file, ".form") + ".json")
		require.NoError(f, err)
		f.Add(body)
	}
	for _, body := range []string{
		`{"a":[1,null,true,{"b":[]}],"a":"\u00e9","c":null}`, `[[],{},"x",-1.5e3]`,
		`{"a":1}}`, `{"a":[1,]}`, `{"a" 1}`, `[1 2]`, `"x"`, `{"\ud83d\ude00":"\ud83d","b":"\udc00\ud83dx\u12g4\/\b"}`,
		"{\"\xff\":\"\xc3\",\"\u2028\":\"\x7f\"}", `[-0,0.1,1E+5,01]`, ` [ ] `, `{"a":{"b":1},"a":null,"a":{"c":tru}}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(sameJSON)
}

func TestRandomBodiesAsBefore(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 3))
		sameForm(t, randomForm(r))
		sameJSON(t, randomJSON(r, 1+r.IntN(2*maxLinear), 4))
	}
}
