package phpform

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNodeReads(t *testing.T) {
	n, err := Parse([]byte("a[b]=1&a[c]=2&d=3&e="))
	require.NoError(t, err)
	require.Same(t, n, n.At())
	require.Equal(t, []string{"a", "d", "e"}, n.Keys())
	require.Equal(t, []string{"b", "c"}, n.At("a").Keys())
	require.Equal(t, "2", n.Get("a", "c"))
	require.Equal(t, "2", n.At("a").Get("c"))
	require.Empty(t, n.Get("a"), "a map has no text")
	require.True(t, n.IsMap())
	require.True(t, n.At("a").IsMap())
	require.False(t, n.At("d").IsMap())
	require.Nil(t, n.At("d").Keys())
	require.NotNil(t, n.At("e"), "an empty text is not a missing one")
	require.Nil(t, n.At("x"))
	require.Nil(t, n.At("a", "x", "y"))
	require.Nil(t, n.At("d", "x"), "a text has no keys")
}

func TestNilNode(t *testing.T) {
	var n *Node
	require.Nil(t, n.At())
	require.Nil(t, n.At("a", "b"))
	require.Empty(t, n.Get())
	require.Empty(t, n.Get("a"))
	require.Nil(t, n.Keys())
	require.False(t, n.IsMap())
	require.Empty(t, n.Encode())
}

func TestSet(t *testing.T) {
	var n Node
	require.True(t, n.IsMap())
	n.Set("1", "a", "b")
	n.Set("2", "c")
	n.Set("3", "a", "d")
	require.Equal(t, `{a:{b:"1" d:"3"} c:"2"}`, dump(&n))
	n.Set("4", "a", "b")
	require.Equal(t, `{a:{b:"4" d:"3"} c:"2"}`, dump(&n), "a key that exists keeps its place")
	n.Set("5", "c", "e")
	require.Equal(t, `{a:{b:"4" d:"3"} c:{e:"5"}}`, dump(&n), "a text on the way becomes a map")
	n.Set("6", "a")
	require.Equal(t, `{a:"6" c:{e:"5"}}`, dump(&n), "a text replaces a map")
	n.At("c").Set("7")
	require.Equal(t, `{a:"6" c:"7"}`, dump(&n), "no path means the node itself")
}

func TestEncode(t *testing.T) {
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
			var n Node
			n.Set(test.text, test.path...)
			require.Equal(t, test.want, n.Encode())
			back, err := Parse([]byte(n.Encode()))
			require.NoError(t, err)
			require.Equal(t, dump(&n), dump(back))
		})
	}
}

func TestEncodeLeavesOutEmptyMaps(t *testing.T) {
	n, err := ParseJSON([]byte(`{"a":{},"b":"1","c":[{},[]],"d":{"e":"2"},"f":[]}`))
	require.NoError(t, err)
	require.Equal(t, "b=1&d%5Be%5D=2", n.Encode())
	require.Empty(t, new(Node).Encode())
}
