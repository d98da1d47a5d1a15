package seal

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func newKey(b byte) []byte { return bytes.Repeat([]byte{b}, KeySize) }

func ring(t testing.TB, keys ...[]byte) *Ring {
	t.Helper()
	r, err := NewRing(keys...)
	require.NoError(t, err)
	return r
}

func TestWhatIsSealedOpens(t *testing.T) {
	t.Parallel()
	old, both := ring(t, newKey(1)), ring(t, newKey(2), newKey(1))
	for _, plain := range [][]byte{nil, {0}, []byte("s3cr3t"), bytes.Repeat([]byte("x"), 1<<20)} {
		sealed := old.Seal("grants/m1", plain)
		opened, err := both.Open("grants/m1", sealed)
		require.NoError(t, err)
		require.True(t, bytes.Equal(plain, opened))
		require.Len(t, sealed, header+12+len(plain)+16)
		require.NotEqual(t, sealed, old.Seal("grants/m1", plain), "a nonce of its own")
		_, err = old.Open("grants/m1", both.Seal("grants/m1", plain))
		require.ErrorContains(t, err, "a key that is not there", "the first key seals")
	}
}

func TestWhatIsNotRightDoesNotOpen(t *testing.T) {
	t.Parallel()
	r := ring(t, newKey(1))
	sealed := r.Seal("grants/m1", []byte("s3cr3t"))
	for name, row := range map[string]struct {
		context string
		sealed  []byte
		want    string
	}{
		"another row":             {"grants/m2", sealed, "another place"},
		"no context":              {"", sealed, "another place"},
		"a text that breaks off":  {"grants/m1", sealed[:len(sealed)-1], "damaged"},
		"a header alone":          {"grants/m1", sealed[:header], "damaged"},
		"a text that is not one":  {"grants/m1", sealed[:header-1], "4 bytes are not sealed"},
		"nothing":                 {"grants/m1", nil, "0 bytes are not sealed"},
		"what was never sealed":   {"grants/m1", []byte(`{"member_id":"m1"}`), "the first byte is 123"},
		"a context in the header": {"m1", append(bytes.Clone(sealed[:header]), append([]byte("grants/"), sealed[header:]...)...), "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := r.Open(row.context, row.sealed)
			require.ErrorContains(t, err, row.want)
			require.NotContains(t, err.Error(), "s3cr3t")
		})
	}
	for i := range sealed {
		for bit := range 8 {
			changed := bytes.Clone(sealed)
			changed[i] ^= 1 << bit
			_, err := r.Open("grants/m1", changed)
			require.Error(t, err, "byte %d", i)
		}
	}
}

func TestARingNeedsKeys(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		keys [][]byte
		want string
	}{
		"none":          {nil, "no key"},
		"a short one":   {[][]byte{newKey(1), []byte("s3cr3t")}, "key 1 has 6 bytes instead of 32"},
		"hex of one":    {[][]byte{bytes.Repeat([]byte("a"), 64)}, "key 0 has 64 bytes"},
		"one of zeros":  {[][]byte{make([]byte, KeySize)}, "zeros"},
		"one that is 0": {[][]byte{nil}, "key 0 has 0 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := NewRing(row.keys...)
			require.ErrorContains(t, err, row.want)
			require.NotContains(t, err.Error(), "s3cr3t")
		})
	}
}

func FuzzOpen(f *testing.F) {
	r := ring(f, newKey(1))
	f.Add("grants/m1", r.Seal("grants/m1", []byte("text")))
	f.Add("", []byte{version})
	f.Fuzz(func(t *testing.T, context string, data []byte) {
		plain, err := r.Open(context, data)
		if err == nil {
			again, err := r.Open(context, r.Seal(context, plain))
			require.NoError(t, err)
			require.True(t, bytes.Equal(plain, again))
		}
		opened, err := r.Open(context, r.Seal(context, data))
		require.NoError(t, err)
		require.True(t, bytes.Equal(data, opened))
	})
}
