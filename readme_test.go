package imbot_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	return string(text)
}

// The bot and its test in the README are those of the example, which runs.
func TestReadmeShowsTheExamplesOwnCode(t *testing.T) {
	for file, start := range map[string]string{
		"examples/pollecho/bot.go":       "// run finds",
		"examples/pollecho/bot_test.go":  "func TestEcho(",
		"examples/assistant/bot.go":      "// newBot finds",
		"examples/assistant/bot_test.go": "func TestAButton",
		"examples/echobot/bot.go":        "// newBot registers",
	} {
		code, err := os.ReadFile(file)
		require.NoError(t, err)
		_, after, found := strings.Cut(string(code), start)
		require.True(t, found, file)
		require.Contains(t, readme(t), "```go\n"+start+after+"```", file)
	}
}

// The README has one row for each request type, with the method of the service
// that sends it, and no other.
func TestReadmeListsTheMethods(t *testing.T) {
	var want []string
	for folder, client := range map[string]string{".": "client", "imbotv2": "client", "openlines": "lines"} {
		methods, requests := serviceMethodsIn(t, folder)
		for request, method := range requests {
			m := methods[request]
			want = append(want, "| "+method+" | `"+client+"."+strings.TrimSuffix(m.service, "Service")+"."+m.name+"` |")
		}
	}
	require.ElementsMatch(t, want, regexp.MustCompile(`(?m)^\| (?:im|imbot|imopenlines)\..*$`).FindAllString(readme(t), -1))
}
