package main

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDemoPrintsTheCounters(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, demo(t.Context(), &out))
	var vars map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &vars))
	require.Positive(t, vars["seconds"])
	require.Positive(t, vars["waited_seconds"])
	require.InDelta(t, 0.15, vars["operating_seconds"].(map[string]any)["imbot.chat.add"], 0.1)
	delete(vars, "operating_seconds")
	delete(vars, "seconds")
	delete(vars, "waited_seconds")
	require.Equal(t, map[string]any{
		"requests":   map[string]any{"batch": 2., "imbot.chat.add": 1., "imbot.message.add": 3., "imbot.register": 1.},
		"errors":     map[string]any{"CHAT_ID": 1., "QUERY_LIMIT_EXCEEDED": 1.},
		"in_batches": 99.,
		"repeats":    1.,
	}, vars)
}
