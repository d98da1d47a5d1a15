package phpform

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// same requires that two values read alike.
func same(t testing.TB, want, got Node, path string) {
	t.Helper()
	require.Equal(t, want.IsMap(), got.IsMap(), path)
	require.Equal(t, want.Get(), got.Get(), path)
	require.Equal(t, want.Keys(), got.Keys(), path)
	for key, kid := range want.All() {
		same(t, kid, got.At(key), path+"/"+key)
	}
}

func TestPackKeepsAllOfATree(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"a form":                  "event=X&data[PARAMS][MESSAGE]=a%00b%ff&data[BOT][5][BOT_ID]=5",
		"nothing":                 "{}",
		"empty maps, odd keys":    `{"a":{},"":{"]":"1","a[b":[]},"list":["x",null,{"y":""}]}`,
		"as deep as may be":       strings.Repeat(`{"a":`, MaxDepth+1) + "1" + strings.Repeat("}", MaxDepth+1),
		"as many keys as may be":  "[" + strings.Repeat("1,", MaxKeys-1) + "1]",
		"a form as deep as it is": "a" + strings.Repeat("[a]", MaxDepth) + "=1",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parse := Parse
			if body[0] == '{' || body[0] == '[' {
				parse = ParseJSON
			}
			want, err := parse([]byte(body))
			require.NoError(t, err)
			got, err := Unpack(want.Pack(nil))
			require.NoError(t, err)
			same(t, want, got, "")
		})
	}
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 3))
		want, err := ParseJSON(randomJSON(r, 1+r.IntN(8), 4))
		require.NoError(t, err)
		got, err := Unpack(want.Pack(nil))
		require.NoError(t, err)
		same(t, want, got, fmt.Sprint(seed))
	}
}

func TestUnpackRefuses(t *testing.T) {
	t.Parallel()
	key := func(s string) string { return string(PackText(nil, s)) }
	for name, row := range map[string]struct {
		packed string
		want   error
	}{
		"nothing":                     {"", ErrSyntax},
		"a text":                      {"\x00\x01a", ErrSyntax},
		"something behind it":         {"\x01\x01", ErrSyntax},
		"a key that is missing":       {"\x02", ErrSyntax},
		"a value that is missing":     {"\x02" + key("a"), ErrSyntax},
		"a text that breaks off":      {"\x02" + key("a") + "\x00\x05abc", ErrSyntax},
		"a length without end":        {strings.Repeat("\xff", 20), ErrSyntax},
		"a key of more than there is": {"\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", ErrSyntax},
		"more keys than there is":     {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01" + key("a") + "\x01", ErrSyntax},
		"the same key twice":          {"\x03" + key("a") + "\x01" + key("a") + "\x01", ErrSyntax},
		"deeper than may be":          {strings.Repeat("\x02"+key("a"), 100) + "\x01", ErrDepth},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Unpack([]byte(row.packed))
			require.ErrorIs(t, err, row.want)
		})
	}
	_, err := Unpack(make([]byte, MaxSize+1))
	require.ErrorIs(t, err, ErrSize)
}

func FuzzUnpack(f *testing.F) {
	for _, body := range []string{`{"a":{},"":{"]":"1"},"list":["x",{"y":""}]}`, "{}", "[" + strings.Repeat("1,", 20) + "1]"} {
		n, err := ParseJSON([]byte(body))
		require.NoError(f, err)
		f.Add(n.Pack(nil))
	}
	f.Add([]byte("\x03\x01a\x01\x01a\x01"))
	f.Fuzz(func(t *testing.T, packed []byte) {
		n, err := Unpack(packed)
		if err != nil {
			return
		}
		again, err := Unpack(n.Pack(nil))
		require.NoError(t, err)
		same(t, n, again, "")
	})
}
