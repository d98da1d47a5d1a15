package rest

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzEnvelope holds the reader of answers against encoding/json.
func FuzzEnvelope(f *testing.F) {
	for _, body := range []string{
		`{"result":11,"time":{"start":1.5,"x":[1,{"y":"}"}]}}`, `{"error":"A","error_description":"a \"b\" \\","argument":"ID"}`,
		" {\n\"result\" : [ ] , \"error\" :null\t} ", `{}`, `[]`, `{"result":{"a":[[],{}],"b":"\\\\"},"result":2}`, `{"result":"{\"result\":1}"}`,
		`null`, ``, `{"result":1`, `"x"`, `1`, `{"result":true}x`, `{"":1,"result":-1e5}`, "{\"result\":\"\xff\"}",
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		env, ok := readEnvelope(body)
		var want map[string]json.RawMessage
		if err := json.Unmarshal(body, &want); err != nil || want == nil {
			var list []json.RawMessage
			require.Equal(t, json.Unmarshal(body, &list) == nil && list != nil && len(list) == 0, ok)
			return
		}
		require.True(t, ok)
		require.Equal(t, want["result"], env.Result)
		require.Equal(t, want["time"], env.Time)
		require.Equal(t, want["error"], env.Error)
		require.Equal(t, want["error_description"], env.Description)
		require.Equal(t, want["argument"], env.Argument)
	})
}
