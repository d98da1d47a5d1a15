package bbcode

import (
	"strings"
	"unicode"
)

// Limits that keep a link from being searched for in the whole text.
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
		// Link around nothing but what follows.
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
// it is taken for Markdown. In brackets, which may be a link, it is text.
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

func isWordByte(c byte) bool { return isLetter(c) || c >= '0' && c <= '9' || c >= 0x80 }
