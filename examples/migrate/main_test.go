package main

import (
	"bytes"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

func TestTheBotKeepsItsDialogs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		require.NoError(t, demo(t.Context(), &out))
		require.Equal(t, `bot 102 before, bot 102 after
Anna Ivanova: are you there?
Helper: first generation: are you there?
Anna Ivanova: and now?
Helper: second generation: and now?
`, out.String())
	})
}
