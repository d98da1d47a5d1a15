package imbot_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The bot and its test in the README are those of the example, which runs.
func TestReadmeShowsTheExamplesOwnCode(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for file, start := range map[string]string{
		"examples/echobot/bot.go":      "// newBot registers",
		"examples/echobot/bot_test.go": "func TestEcho(",
	} {
		code, err := os.ReadFile(file)
		require.NoError(t, err)
		_, after, found := strings.Cut(string(code), start)
		require.True(t, found, file)
		require.Contains(t, string(readme), "```go\n"+start+after+"```", file)
	}
}
