package bbcode

import (
	"bytes"
	"slices"
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
	noLinks  int         // the brackets below begin no link: there is one inside them
	ticks    map[int]int // where the last run of so many backticks is
}

type inlineNode struct {
	closes, opens       []string // codes before and behind the text, the inner ones first
	text                string   // BB code
	char                byte     // of a run
	n, length           int      // characters left of it and at first
	canOpen, canClose   bool
	previous, following int // runs
}

type openBracket struct {
	node, last int // the node of the bracket, the last run before it
	text       int // where its text begins
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
	floors := make(map[kind]int) // below, there is nothing for this kind of run
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
		o.following, c.previous = closer, opener // what is between waits no more
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

// render writes the nodes. A code inside one of its own kind is left out.
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

func (p *inlineParser) entity() {
	text, n := parseEntity(p.text[p.pos:])
	if n == 0 {
		p.take(1)
		return
	}
	p.plain = append(p.plain, text...)
	p.pos += n
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
