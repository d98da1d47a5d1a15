package bbcode

import (
	"strconv"
	"strings"
)

// Markdown turns Markdown, as language models write it, into BB code. Headings
// become bold lines, code spans italics (a code block would stand on a line of
// its own), code fences code blocks, tables lines with " | " between the cells,
// tasks ☐ and ☑, images pictures, rules a line of dashes. Links keep their
// address where it is one the portal opens ("http://…", "https://…", "/…");
// any other stands behind the text. A line break in a paragraph stays one. HTML
// and everything that is not Markdown is text and goes through [Escape], so no
// answer of a model can mention anybody, send a command or begin with "/me". The
// address of a picture that stands alone shows the picture, as "![…](…)" does.
//
// The result may be longer than one message: see [Split].
func Markdown(text string) string {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "\uFFFD").Replace(strings.ToValidUTF8(text, "\uFFFD"))
	lines := strings.Split(text, "\n")
	fence := "" // in a code fence, tabs stay
	for i, line := range lines {
		switch {
		case fence != "":
			if endsFence(line, fence) {
				fence = ""
			}
		case isFence(line):
			fence = fenceOf(line)
		default:
			lines[i] = expandTabs(line)
		}
	}
	m := markdown{references: findReferences(lines)}
	return beginMessage(strings.Join(m.blocks(lines, 0), "\n\n"))
}

type markdown struct {
	references map[string]string // from labels to addresses
}

// maxNesting is how deep lists and quotes nest; deeper ones are text.
const maxNesting = 12

// blocks renders the blocks of some lines.
func (m *markdown) blocks(lines []string, depth int) []string {
	var out []string
	add := func(block string) {
		if block != "" {
			out = append(out, block)
		}
	}
	for i := 0; i < len(lines); {
		line := lines[i]
		var block string
		n := 1
		switch {
		case isBlank(line):
		case isFence(line):
			block, n = fencedCode(lines[i:])
		case indent(line) > 3:
			block, n = indentedCode(lines[i:])
		case isRule(line):
			block = "──────────"
		case headingLevel(line) > 0:
			title := strings.TrimSpace(lead(line)[headingLevel(line):])
			if cut := strings.TrimRight(title, "#"); cut == "" || strings.HasSuffix(cut, " ") {
				title = cut
			}
			block = m.heading(title)
		case depth < maxNesting && isQuote(line):
			block, n = m.quote(lines[i:], depth)
		case depth < maxNesting && isItem(line):
			block, n = m.list(lines[i:], depth)
		case isTable(lines[i:]):
			block, n = m.table(lines[i:])
		case isReference(line):
		default:
			block, n = m.paragraph(lines[i:], depth)
		}
		add(block)
		i += n
	}
	return out
}

func (m *markdown) heading(title string) string {
	if title = m.inline(title, "b"); title == "" {
		return ""
	}
	return Bold(title)
}

// paragraph renders the lines up to the next block; with a line of "=" or "-"
// below it is a heading.
func (m *markdown) paragraph(lines []string, depth int) (block string, n int) {
	text := []string{strings.TrimLeft(lines[0], " ")}
	for n = 1; n < len(lines); n++ {
		line := lines[n]
		if isUnderline(line) {
			return m.heading(strings.Join(text, "\n")), n + 1
		}
		if interrupts(line, depth) || isTable(lines[n:]) {
			break
		}
		text = append(text, strings.TrimLeft(line, " "))
	}
	return m.inline(strings.Join(text, "\n"), ""), n
}

// interrupts reports whether a line ends the paragraph before it.
func interrupts(line string, depth int) bool {
	if isBlank(line) || isFence(line) || isRule(line) || headingLevel(line) > 0 {
		return true
	}
	if depth >= maxNesting {
		return false
	}
	item, ok := parseItem(line)
	return isQuote(line) || ok && (!item.ordered || item.number == 1) && !isBlank(line[item.content:])
}

// quote renders a block quote; nested ones become one.
func (m *markdown) quote(lines []string, depth int) (block string, n int) {
	var inner []string
	for lazy := false; n < len(lines); n++ {
		line := lines[n]
		if isQuote(line) {
			line = strings.TrimLeft(line, " ")[1:]
			line = expandTabs(strings.TrimPrefix(line, " "))
			lazy = !interrupts(line, depth+1) || isQuote(line) || isItem(line)
		} else if !lazy || interrupts(line, depth) {
			break
		}
		inner = append(inner, line)
	}
	text := strings.Join(m.blocks(inner, depth+1), "\n\n")
	if text == "" {
		return "", n
	}
	mark := func(rest string) string {
		if strings.HasPrefix(rest, ">>") {
			return ""
		}
		return ">>"
	}
	return mark(text) + eachLine(text, mark), n
}

// list renders the items of a list, one a line.
func (m *markdown) list(lines []string, depth int) (block string, n int) {
	var items []string
	first, _ := parseItem(lines[0])
	for number := first.number; n < len(lines); number++ {
		item, ok := parseItem(lines[n])
		if !ok || item.ordered != first.ordered || isRule(lines[n]) {
			break
		}
		inner, used := itemLines(lines[n:], item, depth)
		n += used
		mark := "•"
		if item.ordered {
			mark = strconv.Itoa(number) + "."
		}
		if box, rest, ok := parseTask(inner[0]); ok {
			inner[0] = rest
			if mark += " " + box; !item.ordered {
				mark = box
			}
		}
		text := eachLine(strings.Join(m.blocks(inner, depth+1), "\n"), func(rest string) string {
			if rest == "" || rest[0] == '\n' || strings.HasPrefix(rest, ">>") {
				return ""
			}
			return "\t" // shown as four blanks
		})
		items = append(items, strings.TrimRight(mark+" "+text, " "))
		next := n
		for next < len(lines) && isBlank(lines[next]) {
			next++
		}
		if next < len(lines) && isItem(lines[next]) {
			n = next
		}
	}
	return strings.Join(items, "\n"), n
}

// itemLines returns the lines inside a list item and how many lines it has.
func itemLines(lines []string, item listItem, depth int) (inner []string, n int) {
	inner = []string{expandTabs(lines[0][item.content:])}
	content, end, fence := item.content, 1, fenceOf(inner[0])
	for n = 1; n < len(lines); n++ {
		line := lines[n]
		if isBlank(line) {
			inner = append(inner, "")
			continue
		}
		if indent(line) < content {
			line = expandTabs(line)
		}
		in := indent(line)
		switch {
		case in >= content:
			line = line[content:]
		case fence == "" && in >= item.indent+2 && isItem(line[in:]):
			// Models indent by two where the standard wants more.
			content, line = in, line[in:]
		case fence == "" && n == end && !interrupts(line, depth) && !isItem(line):
		default:
			return inner[:end], end
		}
		if fence == "" {
			fence = fenceOf(line)
		} else if endsFence(line, fence) {
			fence = ""
		}
		inner = append(inner, line)
		end = n + 1
	}
	return inner[:end], n
}

func parseTask(line string) (box, rest string, ok bool) {
	if len(line) < 4 || line[0] != '[' || line[2:4] != "] " {
		return "", line, false
	}
	switch line[1] {
	case ' ':
		return "☐", line[4:], true
	case 'x', 'X':
		return "☑", line[4:], true
	}
	return "", line, false
}

// table renders a table, one line for each row, the head in bold.
func (m *markdown) table(lines []string) (block string, n int) {
	columns := len(splitCells(lines[0]))
	var rows []string
	for n < len(lines) && (n < 2 || !interrupts(lines[n], 0)) {
		bold := n == 0
		cells := splitCells(lines[n])
		if n++; n == 2 {
			continue // the line below the head
		}
		cells = cells[:min(len(cells), columns)]
		for i, cell := range cells {
			if bold {
				cells[i] = m.heading(cell)
			} else {
				cells[i] = m.inline(cell, "")
			}
		}
		rows = append(rows, strings.Join(cells, " | "))
	}
	return strings.Join(rows, "\n"), n
}

func fencedCode(lines []string) (block string, n int) {
	in, fence := indent(lines[0]), fenceOf(lines[0])
	var code []string
	for n = 1; n < len(lines); n++ {
		line := lines[n]
		if endsFence(line, fence) {
			n++
			break
		}
		code = append(code, line[min(in, indent(line)):])
	}
	return codeBlock(code), n
}

func indentedCode(lines []string) (block string, n int) {
	var code []string
	for ; n < len(lines) && (isBlank(lines[n]) || indent(lines[n]) > 3); n++ {
		code = append(code, lines[n][min(4, indent(lines[n])):])
	}
	return codeBlock(code), n
}

func codeBlock(lines []string) string {
	for len(lines) > 0 && isBlank(lines[len(lines)-1]) {
		lines = lines[:len(lines)-1]
	}
	if len(lines) == 0 {
		return ""
	}
	return Code(strings.Join(lines, "\n"))
}

// expandTabs makes blanks of the tabs that a line begins with.
func expandTabs(line string) string {
	text := strings.TrimLeft(line, " \t")
	before := line[:len(line)-len(text)]
	if !strings.Contains(before, "\t") {
		return line
	}
	width := 0
	for _, c := range before {
		if width++; c == '\t' {
			width = (width + 3) / 4 * 4
		}
	}
	return strings.Repeat(" ", width) + text
}

// The functions below tell what begins at a line of Markdown. Only isTable looks
// at a second line.

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
