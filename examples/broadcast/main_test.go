package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// The demo starts itself again: in a test that is the test binary.
func TestMain(m *testing.M) {
	if os.Getenv("BROADCAST_DEMO") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestKilledAndResumed(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, demo(t.Context(), &out, 3_000))
	require.Equal(t, `first run: killed
second run: sent 1950, failed 0, sent or failed before 1000, in doubt 50
in doubt: users 1003 to 1052
of 3000 people 2958 got it once, 0 twice, 0 with another name than their own
`, out.String(), "of those in doubt, 8 got it and 42 did not")
}
