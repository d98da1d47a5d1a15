package imbotv2

import (
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// V1-TO-V2.md is made from the facts in testdata and the names in both packages:
//
//	IMBOT_WRITE=1 go test -run FromV1ToV2 ./imbotv2
func TestThePageFromV1ToV2(t *testing.T) {
	t.Parallel()
	facts, err := os.ReadFile("testdata/v1-to-v2.md")
	require.NoError(t, err)
	first, second := calls(t, ".."), calls(t, ".")
	var page strings.Builder
	page.WriteString(pageHead)
	rows := 0
	for _, table := range []string{"## Methods\n", "## Events\n"} {
		_, body, found := strings.Cut(string(facts), table)
		require.True(t, found)
		body, _, _ = strings.Cut(body, "\n## ")
		page.WriteString(table + "\n| package imbot | package imbotv2 | what changes |\n|---|---|---|\n")
		for line := range strings.Lines(body) {
			cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
			if len(cells) != 3 || strings.HasPrefix(cells[0], " v1") || strings.HasPrefix(cells[0], "---") {
				continue
			}
			rows++
			page.WriteString("| " + inGo(t, first, cells[0]) + " | " + inGo(t, second, cells[1]) + " | " + plain(cells[2]) + " |\n")
		}
		page.WriteString("\n")
	}
	require.Equal(t, 40, rows)
	page.WriteString(pageFoot)
	if os.Getenv("IMBOT_WRITE") != "" {
		require.NoError(t, os.WriteFile("V1-TO-V2.md", []byte(page.String()), 0o600))
	}
	written, err := os.ReadFile("V1-TO-V2.md")
	require.NoError(t, err)
	require.Equal(t, page.String(), string(written), "IMBOT_WRITE=1 go test -run FromV1ToV2 ./imbotv2")
}

const pageHead = `# From the first generation to the second

A bot keeps its id and its dialogs when it keeps its code and its secret, which is ` + "`Webhook.ClientID`" + ` here and
` + "`Webhook.BotToken`" + ` there. ` + "[examples/migrate](../examples/migrate)" + ` does it on a portal in memory. On a real one:

1. Leave the program of the first generation running, and start that of the second. Its ` + "`imbotv2.EnsureBot`" + `, with the
   same code, sets the event mode: from there on the portal keeps the events for ` + "`Poll`" + ` and posts none. When the portal
   leaves the bot as it is, the error is ` + "`ErrStillV1`" + `, and the old program goes on: register one with another code then,
   and unregister the old one when people have found the new.
2. Stop the program of the first generation. What is posted to one that was stopped before is lost.

A bot that is to be called afterwards, at a ` + "`WebhookURL`" + `, fetches first all the same.

In the code, ` + "`Poll`" + ` takes the place of ` + "`Serve`" + `, without an address and a ` + "`Verifier`" + `; a table of ` + "`SlashCommands`" + `
stays, with ` + "`h.Commands.Ensure(ctx, client)`" + ` before it. Events have ` + "`Text`, `Dialog`, `Reply`, `Files`, `Args`" + ` and
` + "`OpenLine`" + ` in both; what was in ` + "`ev.Params`" + ` is in ` + "`ev.Message`, `ev.Chat` and `ev.User`" + `, and ` + "`client.Reply`" + `
answers every event.

Both generations work side by side: ` + "`imbotv2.From(client)`" + ` is a client of the second for a bot of the first, to send
files for instance. But a bot gets its events in one of the forms only.

`

const pageFoot = `A message of the second generation may be sent again when its answer got lost, and appears once; one of the first may
not. So a bot that must not say anything twice has a reason of its own to go.
`

var (
	wire = regexp.MustCompile("`[^`]+`")
	tags = regexp.MustCompile(" ?\\((?:`(?:server|live|new)`[;,]? ?)+\\)|`(?:server|live|new)`: ?")
)

// plain leaves out where a fact comes from.
func plain(text string) string {
	text = tags.ReplaceAllString(strings.TrimSpace(text), "")
	for _, tag := range []string{" (`server`; text-stage.md)", " (`server`; files.md)"} {
		text = strings.ReplaceAll(text, tag, "")
	}
	text = strings.ReplaceAll(text, ": `server`)", ")")
	return text
}

// inGo puts the calls and types of a package behind the names of the wire.
func inGo(t *testing.T, names map[string]string, cell string) string {
	t.Helper()
	cell = strings.TrimSpace(cell)
	if cell == "–" {
		return "–"
	}
	prefix := ""
	return wire.ReplaceAllStringFunc(cell, func(quoted string) string {
		name := strings.Trim(quoted, "`")
		if short, cut := strings.CutPrefix(name, "."); cut { // as the one before, but for its end
			name = prefix + short
		}
		prefix = name[:strings.LastIndexByte(name, '.')+1]
		call, known := names[name]
		if !known {
			return quoted
		}
		return "`" + call + "`"
	})
}

// calls are the Go names of methods and events in a package, by their names on the wire.
func calls(t *testing.T, dir string) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	requests, services := map[string][]string{}, map[string]string{}
	found := map[string]string{}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		require.NoError(t, err)
		for _, decl := range file.Decls {
			f, is := decl.(*ast.FuncDecl)
			if !is || f.Recv == nil {
				continue
			}
			receiver := nameOf(f.Recv.List[0].Type)
			if f.Name.Name == "Method" && len(f.Body.List) == 1 {
				if r, is := f.Body.List[0].(*ast.ReturnStmt); is {
					if text, is := r.Results[0].(*ast.BasicLit); is {
						method, _ := strconv.Unquote(text.Value)
						if ast.IsExported(receiver) {
							requests[method] = append(requests[method], receiver)
						}
					}
				}
			}
			if family, is := strings.CutSuffix(receiver, "Service"); is && f.Name.IsExported() {
				for _, p := range f.Type.Params.List {
					if request := nameOf(p.Type); strings.HasSuffix(request, "Request") && services[request] == "" {
						services[request] = "client." + family + "." + f.Name.Name
					}
				}
			}
		}
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, m := range regexp.MustCompile(`case "(ON[A-Z0-9]+)":\s+(?:[a-z].*\s+)*?return &(\w+Event)`).FindAllStringSubmatch(string(text), -1) {
			found[m[1]] = m[2]
		}
	}
	for method, all := range requests {
		for i, request := range all {
			all[i] = cmp.Or(services[request], request)
		}
		found[method] = strings.Join(all, "`, `")
	}
	return found
}

func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return nameOf(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}
