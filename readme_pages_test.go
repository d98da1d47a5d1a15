package imbot_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The Russian README is the beginning of the English one: the same code in the same order.
func TestTheRussianReadmeShowsTheSameCode(t *testing.T) {
	t.Parallel()
	russian, err := os.ReadFile("README.ru.md")
	require.NoError(t, err)
	beginning, _, found := strings.Cut(readme(t), "\n## Which generation?")
	require.True(t, found)
	fences := regexp.MustCompile("(?ms)^```.*?^```$")
	require.Len(t, fences.FindAllString(beginning, -1), 7)
	require.Equal(t, fences.FindAllString(beginning, -1), fences.FindAllString(string(russian), -1))
}

// Each example has a row, with the lines of its code as TestBotsAreShort counts them.
func TestTheListOfExamplesIsWhole(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("examples/README.md")
	require.NoError(t, err)
	files, err := filepath.Glob("examples/*/*.go")
	require.NoError(t, err)
	lines := map[string]int{}
	for _, file := range files {
		if !strings.HasSuffix(file, "_test.go") {
			lines[filepath.Base(filepath.Dir(file))] += len(codeLines(t, file))
		}
	}
	want := []string{}
	for name, n := range lines {
		want = append(want, fmt.Sprintf("| [%s](%s) | %d |", name, name, n))
	}
	require.NotEmpty(t, want)
	require.ElementsMatch(t, want, regexp.MustCompile(`(?m)^\| \[\w+\]\(\w+\) \| \d+ \|`).FindAllString(string(text), -1))
}

// What the pages of the project link to in the project is there.
func TestLinksOfPagesLeadSomewhere(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{"*.md", "*/*.md", "llms.txt"} {
		pages, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, pages)
		for _, page := range pages {
			text, err := os.ReadFile(page)
			require.NoError(t, err)
			for _, link := range regexp.MustCompile(`\]\(([^)\s#:]+)(?:#[^)]*)?\)`).FindAllStringSubmatch(string(text), -1) {
				_, err := os.Stat(filepath.Join(filepath.Dir(page), link[1]))
				require.NoError(t, err, page)
			}
		}
	}
}
