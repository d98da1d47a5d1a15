package bbcode

import (
	"strconv"
	"strings"
)

// What a line of Markdown begins. None of these looks at another line, except
// isTable.

func isBlank(line string) bool { return strings.TrimSpace(line) == "" }

func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// lead returns a line without its indentation, empty if that makes it code.
func lead(line string) string {
	if indent(line) > 3 {
		return ""
	}
	return strings.TrimLeft(line, " ")
}

func isQuote(line string) bool { return strings.HasPrefix(lead(line), ">") }

func isItem(line string) bool {
	_, ok := parseItem(line)
	return ok && !isRule(line)
}

// headingLevel returns the number of "#", 0 if the line is no heading.
func headingLevel(line string) int {
	text := lead(line)
	rest := strings.TrimLeft(text, "#")
	n := len(text) - len(rest)
	if n > 6 || rest != "" && rest[0] != ' ' && rest[0] != '\t' {
		return 0
	}
	return n
}

// isUnderline reports whether a line makes a heading of the paragraph above.
func isUnderline(line string) bool {
	text := strings.TrimRight(lead(line), " \t")
	return text != "" && (strings.Trim(text, "=") == "" || strings.Trim(text, "-") == "")
}

func isRule(line string) bool {
	text := lead(line)
	if text == "" || !strings.ContainsRune("-*_", rune(text[0])) {
		return false
	}
	return strings.Count(text, text[:1]) >= 3 && strings.Trim(text, text[:1]+" \t") == ""
}

// fenceOf returns the fence that a line begins, empty without one.
func fenceOf(line string) string {
	text := lead(line)
	if text == "" || text[0] != '`' && text[0] != '~' {
		return ""
	}
	n := runLength(text, text[0])
	if n < 3 || text[0] == '`' && strings.Contains(text[n:], "`") {
		return ""
	}
	return text[:n]
}

func isFence(line string) bool { return fenceOf(line) != "" }

func endsFence(line, fence string) bool {
	text := strings.TrimRight(lead(line), " \t")
	return strings.HasPrefix(text, fence) && strings.Trim(text, fence[:1]) == ""
}

type listItem struct {
	ordered         bool
	number          int
	indent, content int // where the mark and the content begin
}

// parseItem reads the mark of a list item.
func parseItem(line string) (item listItem, ok bool) {
	text := lead(line)
	if text == "" {
		return item, false
	}
	item.indent = len(line) - len(text)
	mark := 1
	if !strings.ContainsRune("-*+", rune(text[0])) {
		digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
		if digits == 0 || digits > 9 || digits == len(text) || text[digits] != '.' && text[digits] != ')' {
			return item, false
		}
		item.ordered = true
		item.number, _ = strconv.Atoi(text[:digits])
		mark = digits + 1
	}
	rest := text[mark:]
	if rest != "" && rest[0] != ' ' && rest[0] != '\t' {
		return item, false
	}
	item.content = item.indent + mark
	if blanks := indent(rest); blanks > 0 && blanks < len(rest) && blanks < 5 {
		item.content += blanks
	} else if rest != "" {
		item.content++
	}
	return item, true
}

// isTable reports whether a table begins: a line of cells and below it as many
// cells of dashes.
func isTable(lines []string) bool {
	if len(lines) < 2 || !strings.Contains(lines[0], "|") || strings.Trim(lines[1], " \t|:-") != "" || !strings.Contains(lines[1], "-") {
		return false
	}
	cells := splitCells(lines[1])
	for _, cell := range cells {
		if dashes := strings.TrimSuffix(strings.TrimPrefix(cell, ":"), ":"); dashes == "" || strings.Trim(dashes, "-") != "" {
			return false
		}
	}
	return len(cells) == len(splitCells(lines[0]))
}

// splitCells returns the cells of a line of a table.
func splitCells(line string) []string {
	line = strings.TrimPrefix(strings.TrimSpace(line), "|")
	var cells []string
	var cell strings.Builder
	for i := 0; i < len(line); i++ {
		switch {
		case strings.HasPrefix(line[i:], `\|`):
			cell.WriteByte('|')
			i++
		case line[i] == '\\' && i+1 < len(line):
			cell.WriteString(line[i : i+2])
			i++
		case line[i] == '|':
			cells = append(cells, strings.TrimSpace(cell.String()))
			cell.Reset()
		default:
			cell.WriteByte(line[i])
		}
	}
	if rest := strings.TrimSpace(cell.String()); rest != "" || len(cells) == 0 {
		cells = append(cells, rest)
	}
	return cells
}

// parseReference reads a line that gives a label its address.
func parseReference(line string) (label, address string, ok bool) {
	text := lead(line)
	end := strings.Index(text, "]:")
	if end < 2 || text[0] != '[' || text[1] == '^' || strings.ContainsAny(text[1:end], "[]") {
		return "", "", false
	}
	rest := strings.TrimSpace(text[end+2:])
	address, title, _ := strings.Cut(rest, " ")
	if title = strings.TrimSpace(title); title != "" && !strings.ContainsRune("\"'(", rune(title[0])) {
		return "", "", false
	}
	if address = strings.Trim(address, "<>"); address == "" {
		return "", "", false
	}
	return normalLabel(text[1:end]), address, true
}

func isReference(line string) bool {
	_, _, ok := parseReference(line)
	return ok
}

// findReferences collects the labels of a text; the first of a name counts.
func findReferences(lines []string) map[string]string {
	references := make(map[string]string)
	fence := false
	for _, line := range lines {
		line = strings.TrimLeft(line, " >")
		if isFence(line) {
			fence = !fence
		}
		if label, address, ok := parseReference(line); ok && !fence {
			if _, known := references[label]; !known {
				references[label] = address
			}
		}
	}
	return references
}

func normalLabel(label string) string {
	return strings.ToLower(strings.Join(strings.Fields(label), " "))
}
