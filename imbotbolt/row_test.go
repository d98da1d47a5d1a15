package imbotbolt

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func FuzzDecode(f *testing.F) {
	whole := row{line: "line", key: "key", at: time.Unix(1, 2), body: []byte("body")}.encode()
	f.Add(whole)
	f.Add(whole[:len(whole)-4])
	f.Add(whole[:15])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := decode(raw)
		if err != nil {
			require.Empty(t, r.body, "what is damaged is not handed over")
			require.True(t, r.line == "" || isName(r.line))
			return
		}
		require.True(t, isName(r.line) && isName(r.key))
		require.Equal(t, raw, r.encode())
	})
}
