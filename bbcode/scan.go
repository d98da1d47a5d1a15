package bbcode

import "strings"

// A token is one code as it stands in a text.
type token struct {
	start, end int // text[start:end]
	attr       int // where the attributes begin; end-1 without any
	kind       tokenKind
	name       string // in lower case
	pair       *token // the other end; nil for a stray one

	number int   // for Split: its index in the list of tokens
	mark   *mark // for Split: the opening mark made of it
}

type tokenKind uint8

const (
	single  tokenKind = iota // [br]: has no other end
	opening                  // [b]
	closing                  // [/b]
)

// attributes returns what stands between the name and the closing bracket.
func (t *token) attributes(text string) string {
	return strings.TrimSpace(strings.TrimPrefix(text[t.attr:t.end-1], "="))
}

// isText reports whether a code is shown as text because its other end is
// missing: one that would have changed how the text between the ends is read.
// Any other stray code vanishes.
func (t *token) isText() bool {
	if t.pair != nil || t.kind == single {
		return false
	}
	return t.name == "code" || t.name == "img" || t.name == "url" && t.kind == opening && t.attr < t.end-1
}

// codeForm says which forms of a code are read.
type codeForm struct {
	single        bool
	bare, valued  bool // [b], [size=8]
	blankOnly     bool // attributes begin with a blank: [img size=…]
	keepsTogether bool // Split does not cut it: of one link it would make two
}

// codeNames are the names that form knows.
const codeNames = "b i u s code size color user chat context dialog pch url send put call img icon timestamp disk attach rating like dislike br"

// form returns the form of a code; ok is false for what is not a code.
func form(name string) (f codeForm, ok bool) {
	switch name {
	case "b", "i", "u", "s", "code":
		return codeForm{bare: true}, true
	case "size", "color":
		return codeForm{valued: true}, true
	case "user", "chat", "context", "dialog", "pch":
		return codeForm{valued: true, keepsTogether: true}, true
	case "url", "send", "put", "call":
		return codeForm{bare: true, valued: true, keepsTogether: true}, true
	case "img":
		return codeForm{bare: true, blankOnly: true, keepsTogether: true}, true
	case "icon", "timestamp", "disk", "attach", "rating":
		return codeForm{single: true, valued: true}, true
	case "like", "dislike", "br":
		return codeForm{single: true, bare: true}, true
	}
	return codeForm{}, false
}

// scan finds the codes of a text in one pass. Inside [code]…[/code] nothing is
// a code. A closing code belongs to the last open one of its name.
func scan(text string) []*token {
	s := scanner{text: text, open: map[string][]*token{}}
	for i := 0; i < len(text); {
		at := strings.IndexAny(text[i:], "[#")
		if at < 0 {
			break
		}
		i += at
		found, ok := s.code(i)
		if !ok {
			i++
			continue
		}
		i = found.end
		t := s.keep(found)
		switch open := s.open[t.name]; {
		case t.kind == opening && t.name == "code":
			if end := s.codeEnd(t); end != nil {
				i = end.end
			}
		case t.kind == opening:
			s.open[t.name] = append(open, t)
		case t.kind == closing && len(open) > 0:
			t.pair, open[len(open)-1].pair = open[len(open)-1], t
			s.open[t.name] = open[:len(open)-1]
		}
	}
	return s.tokens
}

type scanner struct {
	text      string
	tokens    []*token
	room      []token // memory for the next tokens, allocated for many at a time
	open      map[string][]*token
	bracket   int  // the last answer of closeBracket
	noCodeEnd bool // no [/code] follows: do not search again
}

// keep adds a token to the list.
func (s *scanner) keep(t token) *token {
	if len(s.room) == cap(s.room) {
		s.room = make([]token, 0, min(len(s.tokens)+8, 1024))
	}
	s.room = append(s.room, t)
	kept := &s.room[len(s.room)-1]
	s.tokens = append(s.tokens, kept)
	return kept
}

// code reads the code at i.
func (s *scanner) code(i int) (t token, ok bool) {
	if s.text[i] == '#' {
		return token{start: i, end: i + 4, attr: i + 3, name: "br"}, hasFoldPrefix(s.text[i:], "#BR#")
	}
	t = token{start: i, kind: opening}
	i++
	if i < len(s.text) && s.text[i] == '/' {
		t.kind = closing
		i++
	}
	n := i
	for n < len(s.text) && n-i < 10 && isLetter(s.text[n]) {
		n++
	}
	t.name = strings.ToLower(s.text[i:n])
	f, ok := form(t.name)
	if !ok || n == len(s.text) {
		return t, false
	}
	t.attr = n
	switch c := s.text[n]; {
	case c == ']' && (f.bare || t.kind == closing):
		t.end = n + 1
	case t.kind == opening && (c == '=' && f.valued || c == ' ' && f.blankOnly):
		if t.end = s.closeBracket(n) + 1; t.end == 0 {
			return t, false
		}
	default:
		return t, false
	}
	if f.single {
		if t.kind == closing {
			return t, false
		}
		t.kind = single
	}
	return t, true
}

// closeBracket returns the next "]" at or behind i, -1 without one. It keeps its
// last answer and searches only behind it, so that a text of a million "[url="
// is read once.
func (s *scanner) closeBracket(i int) int {
	if s.bracket >= 0 && s.bracket < i {
		if s.bracket = strings.IndexByte(s.text[i:], ']'); s.bracket >= 0 {
			s.bracket += i
		}
	}
	return s.bracket
}

// codeEnd finds the [/code] that ends a code block.
func (s *scanner) codeEnd(t *token) *token {
	const end = "[/code]"
	for i := t.end; !s.noCodeEnd; i++ {
		at := strings.Index(s.text[i:], end[:2])
		if at < 0 {
			break
		}
		if i += at; hasFoldPrefix(s.text[i:], end) {
			t.pair = s.keep(token{start: i, end: i + len(end), attr: i + len(end) - 1, kind: closing, name: "code", pair: t})
			return t.pair
		}
	}
	s.noCodeEnd = true
	return nil
}

func hasFoldPrefix(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
