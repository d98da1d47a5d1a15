package imbot_test

import (
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// codeLines are the lines of a file that have code, without package clause and imports. Comments
// and blank lines are none, and a line is what gofmt makes of it.
func codeLines(t *testing.T, name string) map[int]bool {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, name, text, parser.ImportsOnly)
	require.NoError(t, err)
	head := parsed.Name.End()
	for _, d := range parsed.Decls {
		head = d.End()
	}
	file := fset.AddFile(name, -1, len(text))
	var s scanner.Scanner
	s.Init(file, text, nil, 0)
	lines := map[int]bool{}
	for {
		pos, tok, literal := s.Scan()
		switch {
		case tok == token.EOF:
			return lines
		case tok == token.SEMICOLON && literal == "\n": // not written
		case file.Line(pos) > fset.Position(head).Line:
			for i := range 1 + strings.Count(literal, "\n") { // a text may have several
				lines[file.Line(pos)+i] = true
			}
		}
	}
}

// What a bot costs its author, who writes all of its file: the bot with its types and texts, from
// credentials to events. Only main and the demo are elsewhere.
func TestBotsAreShort(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		bot, file string
		most      int
	}{
		{"repeats what people write, and polls", "examples/pollecho/bot.go", 27},
		{"an assistant with a Stop button", "examples/assistant/bot.go", 42},
		{"the same, and polls", "examples/assistant/poll.go", 28},
		{"pizza: a dialogue with two commands, which survives a restart", "examples/order/bot.go", 62},
		{"an open line with a CRM, which survives a restart", "examples/openline/bot.go", 70},
	} {
		t.Run(row.bot, func(t *testing.T) {
			text, err := os.ReadFile(row.file)
			require.NoError(t, err)
			for _, line := range strings.Split(string(text), "\n") {
				require.LessOrEqual(t, utf8.RuneCountInString(strings.ReplaceAll(line, "\t", "    ")), 150, line)
			}
			lines := len(codeLines(t, row.file))
			t.Logf("%d of at most %d: %s", lines, row.most, row.file)
			require.LessOrEqual(t, lines, row.most)
			require.Positive(t, lines)
		})
	}
}

// However many commands a bot has: two lines beside their table, one that gives it to the handler
// and one for the portal.
func TestATableOfCommandsCostsTwoLines(t *testing.T) {
	t.Parallel()
	const name = "examples/commands/bot.go"
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, nil, 0)
	require.NoError(t, err)
	beside, tables := map[int]bool{}, 0
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if table, is := n.Rhs[0].(*ast.CompositeLit); is && types.ExprString(table.Type) == "imbot.SlashCommands" {
				tables++
				return false
			}
		case *ast.Ident:
			if n.Name == "commands" {
				beside[fset.Position(n.Pos()).Line] = true
			}
		}
		return true
	})
	require.Equal(t, 1, tables)
	require.NotEmpty(t, beside)
	require.LessOrEqual(t, len(beside), 2)
}
