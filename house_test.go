package imbot_test

import (
	"bytes"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/imbot-go/imbot"

// mayImport is the house: for each folder the folders of the module that it may
// import, tests aside. "." is the root. A new package gets a row here.
var mayImport = map[string][]string{
	"examples/*":          {"imbottest/messenger", "imbottest", "imbotv2", "openlines", ".", "bbcode"},
	"imbottest/messenger": {"imbottest", "imbottest/internal/textstage", ".", "bbcode"},
	"imbottest/interop":   {}, // it runs examples/portal as a program
	"imbottest/storetest": {".", "driver", "internal/inboxrpc"},
	"imbottest": {
		"imbottest/internal/v1", "imbottest/internal/v2", "imbottest/internal/world", "imbottest/internal/php",
		"imbottest/internal/textstage", ".", "bbcode", "internal/phpform",
	},
	"imbotv2":           {".", "driver", "internal/rest", "internal/inbox", "internal/poll", "internal/mention", "internal/slash", "internal/phpform"},
	"openlines":         {"."},
	".":                 {"bbcode", "driver", "internal/rest", "internal/inbox", "internal/serve", "internal/stream", "internal/phpform", "internal/mention", "internal/secret", "internal/files", "internal/states", "internal/slash", "internal/seal", "internal/probe"},
	"bbcode":            {},
	"driver":            {},
	"internal/rest":     {"internal/dispatch", "internal/phpform", "internal/secret"},
	"internal/inbox":    {"driver", "internal/dispatch", "internal/phpform", "internal/secret"},
	"internal/booking":  {"internal/rest"}, // for the modules of engines
	"internal/inboxrpc": {"driver"},
	"internal/killtest": {".", "internal/serve", "driver", "imbottest"},
	"internal/meminbox": {"driver"},
	"internal/poll":     {},
	"internal/dispatch": {},
	"internal/files":    {},
	"internal/mention":  {},
	"internal/probe":    {},
	"internal/phpform":  {},
	"internal/seal":     {},
	"internal/secret":   {},
	"internal/serve":    {},
	"internal/slash":    {},
	"internal/states":   {"internal/files"},
	"internal/stream":   {},

	"imbottest/internal/v1":        {"imbottest/internal/world", "imbottest/internal/php", "."},
	"imbottest/internal/v2":        {"imbottest/internal/world", "imbottest/internal/php", "."},
	"imbottest/internal/world":     {"imbottest/internal/php", "imbottest/internal/textstage", ".", "internal/phpform"},
	"imbottest/internal/php":       {"."},
	"imbottest/internal/textstage": {},
}

// What the root package may have at most, tests aside. A number is raised when a
// feature brings words for authors of bots, not to make room for mechanism.
const (
	mostFiles      = 60
	mostLines      = 10_500
	mostTypes      = 165 // exported
	mostInterfaces = 15  // exported, those among the types
	mostFunctions  = 15  // exported, as "go doc" lists them: without methods and constructors
)

func TestImportsGoOneWay(t *testing.T) {
	seen := map[string]bool{}
	for folder, files := range packages(t) {
		row := folder
		if strings.HasPrefix(folder, "examples/") {
			row = "examples/*"
		}
		allowed, known := mayImport[row]
		require.True(t, known, "%s: say in mayImport what it may import", folder)
		seen[row] = true
		for name, file := range files {
			for _, spec := range file.Imports {
				imported, err := strconv.Unquote(spec.Path.Value)
				require.NoError(t, err)
				if imported == module {
					require.Contains(t, allowed, ".", name)
				} else if inside, ours := strings.CutPrefix(imported, module+"/"); ours {
					require.Contains(t, allowed, inside, name)
				}
			}
		}
	}
	for row := range mayImport {
		require.True(t, seen[row], "%s is in mayImport and nowhere else", row)
	}
}

func TestTheRootStaysSmall(t *testing.T) {
	fset := token.NewFileSet()
	var files []*ast.File
	lines := 0
	for name := range packages(t)["."] {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		lines += bytes.Count(text, []byte("\n"))
		file, err := parser.ParseFile(fset, name, text, parser.ParseComments)
		require.NoError(t, err)
		files = append(files, file)
	}
	root, err := doc.NewFromFiles(fset, files, module)
	require.NoError(t, err)
	interfaces := 0
	for _, typ := range root.Types {
		for _, spec := range typ.Decl.Specs {
			if _, is := spec.(*ast.TypeSpec).Type.(*ast.InterfaceType); is {
				interfaces++
			}
		}
	}
	for _, row := range []struct {
		what      string
		has, most int
	}{
		{"files", len(files), mostFiles},
		{"lines", lines, mostLines},
		{"types", len(root.Types), mostTypes},
		{"interfaces", interfaces, mostInterfaces},
		{"functions", len(root.Funcs), mostFunctions},
	} {
		t.Run(row.what, func(t *testing.T) {
			t.Logf("%d of at most %d", row.has, row.most)
			require.LessOrEqual(t, row.has, row.most)
		})
	}
}

// Engines are modules of their own, so that a bot without them downloads and links none.
func TestTheRootNeedsNoEngine(t *testing.T) {
	mod, err := os.ReadFile("go.mod")
	require.NoError(t, err)
	for _, engine := range []string{"bbolt", "pgx", "go-redis", "opentelemetry"} {
		require.NotContains(t, string(mod), engine)
	}
}

// packages are the imports of the module's files, without tests, by folder and
// path. A folder with a go.mod of its own is another module.
func packages(t *testing.T) map[string]map[string]*ast.File {
	t.Helper()
	found := map[string]map[string]*ast.File{}
	require.NoError(t, filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != ".":
			_, err := os.Stat(filepath.Join(name, "go.mod"))
			if base := entry.Name(); err == nil || base == "testdata" || base[0] == '.' || base[0] == '_' {
				return fs.SkipDir
			}
		case strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go"):
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
			if err != nil {
				return err
			}
			name = filepath.ToSlash(name)
			folder := path.Dir(name)
			if found[folder] == nil {
				found[folder] = map[string]*ast.File{}
			}
			found[folder][name] = file
		}
		return nil
	}))
	return found
}

// The compiler holds what a request is only where it is told, so it has to be told of all.
func TestWhatRequestsAreIsHeldByTheCompiler(t *testing.T) {
	kinds := map[string]string{"Check": "Checker", "Repeatable": "Repeater", "Secrets": "Secretive"}
	for folder, prefix := range map[string]string{".": "", "imbotv2": "imbot.", "openlines": "imbot."} {
		told, err := os.ReadFile(filepath.Join(folder, "request_kinds.go"))
		require.NoError(t, err)
		found := 0
		for name := range packages(t)[folder] {
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			for _, decl := range file.Decls {
				method, is := decl.(*ast.FuncDecl)
				if !is || method.Recv == nil || kinds[method.Name.Name] == "" {
					continue
				}
				found++
				value := types.ExprString(method.Recv.List[0].Type) + "{}"
				if value[0] == '*' {
					value = "(" + strings.TrimSuffix(value, "{}") + ")(nil)"
				}
				require.Contains(t, string(told), "\t_ "+prefix+kinds[method.Name.Name]+" = "+value+"\n",
					"%s: write this line into request_kinds.go", name)
			}
		}
		require.Greater(t, found, 10)
	}
}
