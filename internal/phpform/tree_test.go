package phpform

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFormSet(t *testing.T) {
	t.Parallel()
	var f Form
	require.Equal(t, `{}`, dump(f.root()))
	f.Set("1", "a", "b")
	f.Set("2", "c")
	f.Set("3", "a", "d")
	require.Equal(t, `{a:{b:"1" d:"3"} c:"2"}`, dump(f.root()))
	f.Set("4", "a", "b")
	require.Equal(t, `{a:{b:"4" d:"3"} c:"2"}`, dump(f.root()), "a key that exists keeps its place")
	f.Set("5", "c", "e")
	require.Equal(t, `{a:{b:"4" d:"3"} c:{e:"5"}}`, dump(f.root()), "a text on the way becomes a map")
	f.Set("6", "a")
	require.Equal(t, `{a:"6" c:{e:"5"}}`, dump(f.root()), "a text replaces a map")
	require.Equal(t, "5", f.Get("c", "e"))
	require.Empty(t, f.Get("c", "f"))
}

func TestFormSetAcrossTheIndex(t *testing.T) {
	t.Parallel()
	var f Form
	for range 2 { // the second time each key is there
		for i := range 2 * maxLinear {
			f.Set(strconv.Itoa(i), "a", strconv.Itoa(i))
		}
	}
	require.Equal(t, 2*maxLinear, f.root().At("a").Len())
	f.Set("text", "a")
	require.Empty(t, f.b.index, "what is gone is in no index")
	f.Set("again", "a", "7")
	require.Equal(t, `{a:{7:"again"}}`, dump(f.root()))
}
