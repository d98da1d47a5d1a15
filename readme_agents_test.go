package imbot_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// For programs that write bots: what they read has to be right, because nobody looks.
var forAgents = []string{"AGENTS.md", "llms.txt"}

// inFences are the packages that a fence may use without an import.
var inFences = map[string]string{
	"context": "context", "errors": "errors", "fmt": "fmt", "io": "io", "http": "net/http", "os": "os", "slog": "log/slog",
	"strings": "strings", "testing": "testing", "synctest": "testing/synctest", "time": "time",
	"require": "github.com/stretchr/testify/require",
	"imbot":   module, "imbotv2": module + "/imbotv2", "openlines": module + "/openlines", "bbcode": module + "/bbcode", "imbottest": module + "/imbottest",
}

// readersOwn is what the text calls the reader's own.
const readersOwn = "ctx context.Context, hook imbot.Webhook, client *imbot.Client, bot imbot.ID, url string, " +
	"ask func(ctx context.Context, question string, answer io.Writer) error"

// program makes a file of a fence, which is declarations, or statements that may end in a return.
func program(t *testing.T, fence string) string {
	t.Helper()
	decls, statements := fence, "func _("+readersOwn+") error {\n"+fence+"\nreturn nil\n}\n"
	file, err := parser.ParseFile(token.NewFileSet(), "", "package fence\n"+decls, 0)
	if err != nil {
		decls = statements
		file, err = parser.ParseFile(token.NewFileSet(), "", "package fence\n"+decls, 0)
	}
	require.NoError(t, err, fence)
	imports := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && x.Obj == nil && inFences[x.Name] != "" {
				imports[x.Name] = inFences[x.Name]
			}
		}
		return true
	})
	var head strings.Builder
	for name, path := range imports {
		fmt.Fprintf(&head, "import %s %q\n", name, path)
	}
	return "package fence\n" + head.String() + decls
}

// The fences of one text are one package.
func TestWhatAgentsReadCompiles(t *testing.T) {
	t.Parallel()
	root, err := os.Getwd()
	require.NoError(t, err)
	dir, overlay, build := t.TempDir(), map[string]string{}, []string{"build"}
	for _, name := range forAgents {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		fences := regexp.MustCompile("(?ms)^```go\n(.*?)^```$").FindAllStringSubmatch(string(text), -1)
		require.Equal(t, 2*len(fences), strings.Count("\n"+string(text), "\n```"), "%s: each is of Go", name)
		folder := "fences_of_" + strings.ReplaceAll(name, ".", "_")
		for i, fence := range fences {
			file := filepath.Join(dir, fmt.Sprint(folder, i, ".go"))
			require.NoError(t, os.WriteFile(file, []byte(program(t, fence[1])), 0o600))
			overlay[filepath.Join(root, folder, fmt.Sprint("fence", i, ".go"))] = file
		}
		if len(fences) > 0 {
			build = append(build, "./"+folder)
		}
	}
	require.GreaterOrEqual(t, len(overlay), 6)
	replace, err := json.Marshal(map[string]any{"Replace": overlay})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "overlay.json"), replace, 0o600))
	build = slices.Insert(build, 1, "-o", os.DevNull, "-overlay", filepath.Join(dir, "overlay.json"))
	out, err := exec.CommandContext(t.Context(), "go", build...).CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func TestWhatAgentsReadIsShortLeadsSomewhereAndHasNoSecret(t *testing.T) {
	t.Parallel()
	for _, name := range forAgents {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		text := string(data)
		require.LessOrEqual(t, strings.Count(text, "\n"), 150, name)
		require.NotRegexp(t, `/rest/\d+/\w|(?i:(client_?id|token|secret)["=: ]+\w{16})`, text, name)
		links := regexp.MustCompile(`\]\(([^)#]+)[^)]*\)`).FindAllStringSubmatch(text, -1)
		require.NotEmpty(t, links, name)
		for _, link := range links {
			if !strings.Contains(link[1], "://") {
				_, err := os.Stat(link[1])
				require.NoError(t, err, name)
			}
		}
	}
	index, err := os.ReadFile("llms.txt")
	require.NoError(t, err)
	for folder := range packages(t) {
		if public := folder != "." && !strings.Contains(folder, "internal") && folder != "imbottest/interop"; public {
			require.Contains(t, string(index), folder+"/", "%s is not in the index", folder)
		}
	}
}
