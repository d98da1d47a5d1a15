package phpform

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestListReadsWhatPHPMakesOfOne(t *testing.T) {
	for name, tc := range map[string]struct {
		data string
		want []int
		keys []string
	}{
		"a list":         {`[1,2]`, []int{1, 2}, nil},
		"an empty map":   {`[]`, []int{}, nil},
		"one with holes": {`{"5":1,"0":2}`, []int{1, 2}, []string{"5", "0"}},
	} {
		list, keys, err := Keyed[int]([]byte(tc.data))
		require.NoError(t, err, name)
		require.Equal(t, tc.want, list, name)
		require.Equal(t, tc.keys, keys, name)
	}
	for _, data := range []string{"", "null", "1", `{"a":"x"}`} {
		_, err := List[int]([]byte(data))
		require.Error(t, err, data)
	}
}
