package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDemoFindsTheMistakes(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, demo(t.Context(), &out))
	before, after, found := strings.Cut(out.String(), "\nAfter:\n")
	require.True(t, found)
	for _, mistake := range []string{"ClientID has only 4 characters", `no bot with the code "support"`, "not https", "only this machine or network has", "does not answer from here"} {
		require.Contains(t, before, mistake)
	}
	for _, mended := range []string{"ClientID", "no bot", "does not answer"} {
		require.NotContains(t, after, mended)
	}
	require.Contains(t, after, "not https")
}
