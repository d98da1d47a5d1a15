package main

import (
	"bytes"
	"encoding/json"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

func TestDemoPrintsTheCounters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		require.NoError(t, demo(t.Context(), &out))
		var vars map[string]any
		require.NoError(t, json.Unmarshal(out.Bytes(), &vars))
		require.InDelta(t, 0.089, vars["waited_seconds"], 0.002, "after the refusal the limiter gives room, to answers first; the pause before the repeat is random")
		delete(vars, "waited_seconds")
		require.Equal(t, map[string]any{
			"requests":          map[string]any{"batch": 2., "imbot.chat.add": 1., "imbot.message.add": 3., "imbot.register": 1.},
			"errors":            map[string]any{"CHAT_ID": 1., "QUERY_LIMIT_EXCEEDED": 1.},
			"operating_seconds": map[string]any{"imbot.chat.add": 0.15},
			"seconds":           0.15,
			"in_batches":        99.,
			"repeats":           1.,
		}, vars)
	})
}
