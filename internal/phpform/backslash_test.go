package phpform

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzBackslashes(f *testing.F) {
	for _, s := range []string{"", `C:\new\temp`, `\\n`, `\`, `\"`, "a\nb\\", `\\\t`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		encoded, err := json.Marshal(s)
		require.NoError(t, err)
		var clean, sent string
		require.NoError(t, json.Unmarshal(encoded, &clean))
		require.NoError(t, json.Unmarshal(ProtectBackslashes(encoded), &sent))
		read := ReadBackslashes(sent)
		if !strings.Contains(clean, apart) {
			require.Equal(t, clean, read, "what was written reads the same")
		}
	})
}
