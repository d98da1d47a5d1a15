package imbot_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// TestErrorSamples reads every error that the documentation shows.
func TestErrorSamples(t *testing.T) {
	rest, err := filepath.Glob("testdata/rest/*.error.json")
	require.NoError(t, err)
	require.Len(t, rest, 25)
	system, err := filepath.Glob("testdata/errors/*.json")
	require.NoError(t, err)
	require.Len(t, system, 16)
	for _, file := range append(rest, system...) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			body, err := os.ReadFile(file)
			require.NoError(t, err)
			var sample struct {
				Code        imbot.ErrorCode `json:"error"`
				Description string          `json:"error_description"`
			}
			require.NoError(t, json.Unmarshal(body, &sample))
			status := 400
			if parts := strings.Split(filepath.Base(file), "."); parts[len(parts)-2] != "error" {
				status, err = strconv.Atoi(parts[len(parts)-2])
				require.NoError(t, err)
			}

			client, _ := mockClient(t, "imbot.chat.leave", status, string(body), imbot.WithRetry(imbot.Retry{MaxAttempts: 1}))
			err = client.Chat.Leave(t.Context(), imbot.ChatLeaveRequest{ChatID: 5})
			var e *imbot.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, sample.Code, e.Code)
			require.Equal(t, sample.Description, e.Description)
			require.Equal(t, status, e.StatusCode)
			require.Equal(t, "imbot.chat.leave", e.Method)
			require.NotErrorIs(t, err, imbot.ErrInvalid)
			if sample.Code != "" {
				require.ErrorIs(t, err, sample.Code)
				require.ErrorIs(t, err, imbot.ErrorCode(strings.ToLower(string(sample.Code))))
				require.Contains(t, knownCodes(t), strings.ToUpper(string(sample.Code)))
			}
			require.NotErrorIs(t, err, imbot.ErrorCode(""))
			require.NotErrorIs(t, err, imbot.ErrorCode("ANOTHER_CODE"))
		})
	}
}
