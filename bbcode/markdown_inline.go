package bbcode

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// inline renders the text of a paragraph, a heading or a cell that stands
// inside the code outer (empty: none).
func (m *markdown) inline(text, outer string) string {
	p := inlineParser{markdown: m, text: strings.TrimSpace(text), last: -1}
	p.parse()
	return p.render(outer)
}

// An inlineParser is the algorithm of the CommonMark specification ("phase 2"):
// a list of nodes, in which runs of "*", "_" and "~~" wait for their other end,
// and a stack of open brackets. Every part of it takes time in proportion to
// the text.
type inlineParser struct {
	*markdown
	text     string
	pos      int
	plain    []byte // text that is not yet a node
	nodes    []inlineNode
	last     int // the last run that waits, -1 without one
	brackets []openBracket
	noLinks  int         // the first so many brackets hold a link and cannot begin another
	ticks    map[int]int // where the last run of n backticks begins, by n
}

type inlineNode struct {
	closes, opens       []string // codes before and behind the text, the inner ones first
	text                string   // BB code
	char                byte     // of a run
	n, length           int      // characters of the run that are left, and that it had
	canOpen, canClose   bool     // emphasis
	previous, following int      // the runs beside it that wait, -1 without one
}

type openBracket struct {
	node, last int // nodes: of the bracket itself, and of the last run before it
	text       int // where the text in brackets begins
	image      bool
}

func (p *inlineParser) parse() {
	for p.pos < len(p.text) {
		switch c := p.text[p.pos]; c {
		case '\\':
			p.backslash()
		case '`':
			p.codeSpan()
		case '*', '_', '~':
			p.run(c)
		case '!':
			if strings.HasPrefix(p.text[p.pos:], "![") {
				p.openBracket("![")
			} else {
				p.take(1)
			}
		case '[':
			p.openBracket("[")
		case ']':
			p.closeBracket()
		case '<':
			p.autolink()
		case '&':
			p.entity()
		case 'h', 'H':
			p.address()
		case '\n':
			p.plain = append(bytes.TrimRight(p.plain, " \t"), '\n')
			p.pos += 1 + indent(p.text[p.pos+1:])
		default:
			p.take(1)
		}
	}
	p.flush()
	p.emphasis(-1)
}

// take makes the next n bytes plain text.
func (p *inlineParser) take(n int) {
	p.plain = append(p.plain, p.text[p.pos:p.pos+n]...)
	p.pos += n
}

// flush makes a node of the plain text so far.
func (p *inlineParser) flush() {
	if len(p.plain) > 0 {
		p.nodes = append(p.nodes, inlineNode{text: escape(string(p.plain))})
		p.plain = p.plain[:0]
	}
}

func (p *inlineParser) add(n inlineNode) {
	p.flush()
	p.nodes = append(p.nodes, n)
}

func (p *inlineParser) backslash() {
	if p.pos++; p.pos == len(p.text) || !isASCIIPunct(p.text[p.pos]) && p.text[p.pos] != '\n' {
		p.plain = append(p.plain, '\\')
		return
	}
	if p.text[p.pos] != '\n' {
		p.take(1)
	}
}

func (p *inlineParser) codeSpan() {
	if p.ticks == nil {
		p.ticks = make(map[int]int)
		for i := 0; i < len(p.text); {
			n := runLength(p.text[i:], '`')
			p.ticks[n] = i
			i += max(n, 1)
		}
	}
	n := runLength(p.text[p.pos:], '`')
	if p.ticks[n] <= p.pos {
		p.take(n)
		return
	}
	start := p.pos + n
	for p.pos = start; ; {
		p.pos += strings.IndexByte(p.text[p.pos:], '`')
		length := runLength(p.text[p.pos:], '`')
		p.pos += length
		if length == n {
			break
		}
	}
	code := strings.ReplaceAll(p.text[start:p.pos-n], "\n", " ")
	if len(code) > 2 && code[0] == ' ' && code[len(code)-1] == ' ' && strings.TrimSpace(code) != "" {
		code = code[1 : len(code)-1]
	}
	p.add(inlineNode{opens: []string{"i"}})
	p.add(inlineNode{text: escape(code)})
	p.add(inlineNode{closes: []string{"i"}})
}

// run reads a run of "*", "_" or "~".
func (p *inlineParser) run(c byte) {
	n := runLength(p.text[p.pos:], c)
	if c == '~' && n != 2 {
		p.take(n)
		return
	}
	before, _ := utf8.DecodeLastRuneInString(p.text[:p.pos])
	after, _ := utf8.DecodeRuneInString(p.text[p.pos+n:])
	if p.pos == 0 {
		before = ' '
	}
	if p.pos+n == len(p.text) {
		after = ' '
	}
	left := !unicode.IsSpace(after) && (!isPunct(after) || unicode.IsSpace(before) || isPunct(before))
	right := !unicode.IsSpace(before) && (!isPunct(before) || unicode.IsSpace(after) || isPunct(after))
	node := inlineNode{char: c, n: n, length: n, canOpen: left, canClose: right, previous: p.last, following: -1}
	if c == '_' {
		node.canOpen = left && (!right || isPunct(before))
		node.canClose = right && (!left || isPunct(after))
	}
	p.pos += n
	p.add(node)
	at := len(p.nodes) - 1
	if p.last >= 0 {
		p.nodes[p.last].following = at
	}
	p.last = at
}

// emphasis matches the runs behind the one called bottom, and forgets them.
func (p *inlineParser) emphasis(bottom int) {
	type kind struct {
		char    byte
		canOpen bool
		length  int
	}
	floors := make(map[kind]int) // this run and those before it open nothing for such a closing run
	closer := p.last
	for closer >= 0 && closer > bottom && p.nodes[closer].previous > bottom {
		closer = p.nodes[closer].previous
	}
	if closer <= bottom {
		closer = -1
	}
	for closer >= 0 {
		c := &p.nodes[closer]
		if !c.canClose {
			closer = c.following
			continue
		}
		k := kind{c.char, c.canOpen, c.length % 3}
		floor, known := floors[k]
		if !known {
			floor = bottom
		}
		opener := c.previous
		for opener > floor && !matches(&p.nodes[opener], c) {
			opener = p.nodes[opener].previous
		}
		if opener <= floor {
			floors[k] = c.previous
			next := c.following
			if !c.canOpen {
				p.unlink(closer)
			}
			closer = next
			continue
		}
		o := &p.nodes[opener]
		n, code := 1, "i"
		if o.n > 1 && c.n > 1 {
			n, code = 2, "b"
			if c.char == '~' {
				code = "s"
			}
		}
		o.n, c.n = o.n-n, c.n-n
		o.opens = append(o.opens, code)
		c.closes = append(c.closes, code)
		o.following, c.previous = closer, opener // the runs between them stay text
		if o.n == 0 {
			p.unlink(opener)
		}
		if c.n == 0 {
			next := c.following
			p.unlink(closer)
			closer = next
		}
	}
	if p.last = bottom; bottom >= 0 {
		p.nodes[bottom].following = -1
	}
}

// matches reports whether two runs are the ends of one emphasis.
func matches(o, c *inlineNode) bool {
	if o.char != c.char || !o.canOpen {
		return false
	}
	return !(o.canClose || c.canOpen) || (o.length+c.length)%3 != 0 || o.length%3 == 0 && c.length%3 == 0
}

func (p *inlineParser) unlink(i int) {
	n := p.nodes[i]
	if n.previous >= 0 {
		p.nodes[n.previous].following = n.following
	}
	if n.following >= 0 {
		p.nodes[n.following].previous = n.previous
	}
}

// render writes the nodes, inside the code outer. A code inside one of its own
// kind is left out: bold in bold is bold.
func (p *inlineParser) render(outer string) string {
	var out strings.Builder
	open := map[string]int{outer: 1}
	for _, n := range p.nodes {
		for _, code := range n.closes {
			if open[code]--; open[code] == 0 {
				out.WriteString("[/" + code + "]")
			}
		}
		out.WriteString(n.text)
		for range n.n {
			out.WriteByte(n.char)
		}
		for _, code := range slices.Backward(n.opens) {
			if open[code]++; open[code] == 1 {
				out.WriteString("[" + code + "]")
			}
		}
	}
	return strings.TrimSpace(out.String())
}

// A link is searched for only so far; else a text full of "[" would be read anew
// for each of them.
const (
	maxLinkLength = 4096
	maxLinkParens = 32
	maxLabel      = 300
)

func (p *inlineParser) openBracket(mark string) {
	p.add(inlineNode{text: escape(mark)})
	p.pos += len(mark)
	p.brackets = append(p.brackets, openBracket{node: len(p.nodes) - 1, last: p.last, text: p.pos, image: mark == "!["})
}

// closeBracket makes a link or an image of the last open bracket, or text.
func (p *inlineParser) closeBracket() {
	if len(p.brackets) == 0 {
		p.take(1)
		return
	}
	b := p.brackets[len(p.brackets)-1]
	p.brackets = p.brackets[:len(p.brackets)-1]
	dead := !b.image && len(p.brackets) < p.noLinks
	p.noLinks = min(p.noLinks, len(p.brackets))
	if dead {
		p.take(1)
		return
	}
	address, end, ok := p.target(b)
	if !ok {
		p.take(1)
		return
	}
	label := p.text[b.text:p.pos]
	p.flush()
	p.emphasis(b.last)
	p.pos = end
	node := &p.nodes[b.node]
	address = unescapeMarkdown(address)
	switch {
	case b.image && isWeb(address):
		node.text = Image(address, ImageMedium)
		p.nodes = p.nodes[:b.node+1]
	case b.image:
		node.text = escape(strings.TrimSpace(unescapeMarkdown(label) + " (" + address + ")"))
		p.nodes = p.nodes[:b.node+1]
	case isWeb(address) && strings.TrimSpace(label) == "":
		node.text = Link(address, "")
		p.noLinks = len(p.brackets)
	case isWeb(address):
		// The text of the link is in the nodes behind the bracket: put the two
		// ends of the code around them.
		link := Link(address, "\x00")
		at := strings.IndexByte(link, 0)
		node.text = link[:at]
		p.add(inlineNode{text: link[at+1:]})
		p.noLinks = len(p.brackets)
	default:
		node.text = ""
		if address != "" {
			p.add(inlineNode{text: escape(" (" + address + ")")})
		}
	}
}

// target reads what follows the bracket at the parser: an address in
// parentheses, or a label of a reference, which may be the text itself.
func (p *inlineParser) target(b openBracket) (address string, end int, ok bool) {
	rest := p.text[p.pos+1:]
	rest = rest[:min(len(rest), maxLinkLength)]
	if address, n, ok := parseTarget(rest); ok {
		return address, p.pos + 1 + n, true
	}
	if len(p.references) == 0 {
		return "", 0, false
	}
	label, end := "", p.pos+1
	if strings.HasPrefix(rest, "[") {
		if n := strings.IndexByte(rest[:min(len(rest), maxLabel)], ']'); n > 0 {
			label, end = rest[1:n], end+n+1
		}
	}
	if label == "" && p.pos-b.text < maxLabel {
		label = p.text[b.text:p.pos]
	}
	address, ok = p.references[normalLabel(label)]
	return address, end, ok
}

// parseTarget reads (address "title").
func parseTarget(text string) (address string, n int, ok bool) {
	if text == "" || text[0] != '(' {
		return "", 0, false
	}
	rest := strings.TrimLeft(text[1:], " \n")
	if strings.HasPrefix(rest, "<") {
		end := strings.IndexAny(rest[1:], "<>\n") + 1
		if end == 0 || rest[end] != '>' {
			return "", 0, false
		}
		address, rest = rest[1:end], rest[end+1:]
	} else {
		end, ok := addressEnd(rest)
		if !ok {
			return "", 0, false
		}
		address, rest = rest[:end], rest[end:]
	}
	title := strings.TrimLeft(rest, " \n")
	if len(title) < len(rest) && title != "" && strings.ContainsRune("\"'(", rune(title[0])) {
		closer := title[0]
		if closer == '(' {
			closer = ')'
		}
		i := 1
		for i < len(title) && title[i] != closer {
			if title[i] == '\\' {
				i++
			}
			i++
		}
		if i >= len(title) {
			return "", 0, false
		}
		title = strings.TrimLeft(title[i+1:], " \n")
	}
	if !strings.HasPrefix(title, ")") {
		return "", 0, false
	}
	return address, len(text) - len(title) + 1, true
}

// addressEnd returns where an address without angle brackets ends: at a blank or
// at the parenthesis that none opened.
func addressEnd(text string) (end int, ok bool) {
	parens := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			i++
		case c == '(':
			if parens++; parens > maxLinkParens {
				return 0, false
			}
		case c == ')' && parens > 0:
			parens--
		case c == ')', c <= ' ':
			return i, parens == 0
		}
	}
	return 0, false
}

// autolink reads <https://example.com> and <name@example.com>; anything else in
// angle brackets is HTML and therefore text.
func (p *inlineParser) autolink() {
	near := p.text[p.pos:min(p.pos+maxLinkLength, len(p.text))]
	end := strings.IndexAny(near[1:], "<> \n") + 1
	if end < 2 || near[end] != '>' {
		p.take(1)
		return
	}
	switch address := near[1:end]; {
	case isWeb(address) && address[0] != '/' && len(p.brackets) == 0:
		p.add(inlineNode{text: Link(address, "")})
	case isWeb(address) && address[0] != '/', strings.Contains(address[1:], "@"), hasFoldPrefix(address, "mailto:"), hasFoldPrefix(address, "tel:"):
		p.plain = append(p.plain, address...)
	default:
		p.take(1)
		return
	}
	p.pos += end + 1
}

// address reads an address that stands in the text as it is, so that nothing in
// it is taken for Markdown. Behind an open bracket, which may begin a link, it
// stays text: no link may stand in a link.
func (p *inlineParser) address() {
	near := p.text[p.pos:min(p.pos+maxLinkLength, len(p.text))]
	if !hasFoldPrefix(near, "https://") && !hasFoldPrefix(near, "http://") || p.pos > 0 && isWordByte(p.text[p.pos-1]) {
		p.take(1)
		return
	}
	end := strings.IndexFunc(near, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune("<>\"`*[]|\\", r) || r == unicode.ReplacementChar
	})
	if end < 0 {
		end = len(near)
	}
	url := near[:end]
	for {
		short := strings.TrimRight(url, "?!.,:;_~'")
		if strings.HasSuffix(short, ")") && strings.Count(short, ")") > strings.Count(short, "(") {
			short = short[:len(short)-1]
		}
		if short == url {
			break
		}
		url = short
	}
	_, host, _ := strings.Cut(url, "://")
	switch {
	case host == "":
		p.take(1)
	case len(p.brackets) > 0:
		p.take(len(url))
	default:
		p.add(inlineNode{text: Link(url, "")})
		p.pos += len(url)
	}
}

// isWeb reports whether an address is one that a code can lead to.
func isWeb(address string) bool {
	return hasFoldPrefix(address, "https://") || hasFoldPrefix(address, "http://") || strings.HasPrefix(address, "/")
}

// unescapeMarkdown resolves backslashes and entities.
func unescapeMarkdown(text string) string {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text) && isASCIIPunct(text[i+1]):
			i++
		case c == '&':
			if meant, n := parseEntity(text[i:]); n > 0 {
				out.WriteString(meant)
				i += n - 1
				continue
			}
		}
		out.WriteByte(text[i])
	}
	return strings.TrimSpace(out.String())
}

// entity reads an entity like &amp;.
func (p *inlineParser) entity() {
	text, n := parseEntity(p.text[p.pos:])
	if n == 0 {
		p.take(1)
		return
	}
	p.plain = append(p.plain, text...)
	p.pos += n
}

// parseEntity reads the entity that a text begins with; n is zero without one.
// It knows the names that people write: the table of all of them, in package
// html, would add 70 KB to every program.
func parseEntity(text string) (meant string, n int) {
	const longest = 10
	end := strings.IndexByte(text[:min(len(text), longest)], ';')
	if end < 2 {
		return "", 0
	}
	name := text[1:end]
	if name[0] != '#' {
		if meant = namedEntity(name); meant == "" {
			return "", 0
		}
		return meant, end + 1
	}
	digits, base := name[1:], 10
	if hasFoldPrefix(digits, "x") {
		digits, base = digits[1:], 16
	}
	code, err := strconv.ParseUint(digits, base, 32)
	if err != nil {
		return "", 0
	}
	if code == 0 || code > utf8.MaxRune {
		code = utf8.RuneError
	}
	return string(rune(code)), end + 1
}

func namedEntity(name string) string {
	switch name {
	case "amp":
		return "&"
	case "lt":
		return "<"
	case "gt":
		return ">"
	case "quot":
		return "\""
	case "apos":
		return "'"
	case "nbsp":
		return "\u00a0"
	case "copy":
		return "©"
	case "reg":
		return "®"
	case "trade":
		return "™"
	case "hellip":
		return "…"
	case "ndash":
		return "–"
	case "mdash":
		return "—"
	case "lsquo":
		return "‘"
	case "rsquo":
		return "’"
	case "ldquo":
		return "“"
	case "rdquo":
		return "”"
	case "laquo":
		return "«"
	case "raquo":
		return "»"
	case "bull":
		return "•"
	case "middot":
		return "·"
	case "times":
		return "×"
	case "deg":
		return "°"
	case "plusmn":
		return "±"
	case "euro":
		return "€"
	case "pound":
		return "£"
	case "sect":
		return "§"
	case "larr":
		return "←"
	case "rarr":
		return "→"
	case "le":
		return "≤"
	case "ge":
		return "≥"
	case "ne":
		return "≠"
	}
	return ""
}

func runLength(text string, c byte) int {
	n := 0
	for n < len(text) && text[n] == c {
		n++
	}
	return n
}

func isASCIIPunct(c byte) bool { return c < utf8.RuneSelf && isPunct(rune(c)) }

func isPunct(r rune) bool {
	return r != utf8.RuneError && (unicode.IsPunct(r) || unicode.IsSymbol(r))
}

func isWordByte(c byte) bool { return isLetter(c) || c >= '0' && c <= '9' || c >= 0x80 }
