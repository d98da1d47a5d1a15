package phpform

import (
	"bytes"
	"errors"
	"math"
	"strconv"
	"strings"
)

// The limits of a body.
const (
	// MaxDepth is the number of brackets after a name: PHP's
	// max_input_nesting_level. PHP drops what is deeper.
	MaxDepth = 64
	// MaxKeys bounds the names of a body, repeated ones included, together with
	// the maps that they make. PHP's max_input_vars, 1000 where nobody raised
	// it, cuts without a word; events stay far below that.
	MaxKeys = 10_000
	// MaxSize is in bytes, and far beyond any body: who reads one sets a bound of his own.
	MaxSize = 128 << 20
)

// What is wrong with a body. The errors never quote it: it holds secrets.
var (
	ErrDepth  = errors.New("phpform: nested too deep")
	ErrKeys   = errors.New("phpform: too many keys")
	ErrSize   = errors.New("phpform: too long")
	ErrSyntax = errors.New("phpform: not a JSON object")
)

// Parse reads application/x-www-form-urlencoded as PHP does. Odd bodies are not
// errors: what PHP makes of them is what Parse returns. The only errors are
// [ErrDepth], [ErrKeys] and [ErrSize]. The time is linear in the body.
func Parse(body []byte) (Node, error) {
	if len(body) > MaxSize {
		return Node{}, ErrSize
	}
	var p parser
	p.begin(len(body)/9*5, bytes.Count(body, []byte("&"))) // half of a body is names of maps, again and again
	for len(body) > 0 {
		at, size, err := p.name(body)
		if err != nil {
			return Node{}, err
		}
		if body = body[size:]; len(body) > 0 && body[0] == '=' {
			body = body[1:]
		}
		if at != 0 {
			var text span
			text, size = p.unescape(body)
			p.setText(at, text)
		} else if size = bytes.IndexByte(body, '&'); size < 0 {
			size = len(body)
		}
		body = body[min(size+1, len(body)):]
	}
	return p.finish(), nil
}

type parser struct {
	builder

	keys  int
	lists map[int32]list // of the maps that something was appended to

	// The names of a map mostly follow one another and differ only in their last key.
	before []byte // the last name as it was sent, up to its last key; nil: that does not say the map
	parent int32  // the map of the last key
}

// A list knows the largest integer key of a map.
type list struct {
	top  int64
	some bool // there is one
}

// name reads the name that body begins with. at is the value that it names, 0 when
// PHP drops the pair; size is how long the name is.
func (p *parser) name(body []byte) (at int32, size int, err error) {
	if key, size := p.likeBefore(body); size > 0 {
		at, err = p.value(p.parent, p.write(body[len(p.before):][:key]))
		return at, size, err
	}
	for size < len(body) && body[size] != '&' && body[size] != '=' {
		size++
	}
	if size > 0 {
		at, err = p.register(body[:size])
	}
	return at, size, err
}

// likeBefore reads a name with the map of the name before and a plain last key. It
// returns how long that key is, and how long the name is; 0: it is no such name.
func (p *parser) likeBefore(body []byte) (key, size int) {
	if len(p.before) == 0 || !bytes.HasPrefix(body, p.before) {
		return 0, 0
	}
	size = len(p.before)
	for size < len(body) && isPlain(body[size]) {
		size++
	}
	key = size - len(p.before)
	switch rest := body[size:]; {
	case key == 0:
		return 0, 0
	case len(rest) >= 3 && rest[0] == '%' && rest[1] == '5' && rest[2]|0x20 == 'd':
		size += 3
	case len(rest) >= 1 && rest[0] == ']':
		size++
	default:
		return 0, 0
	}
	if size < len(body) && body[size] != '=' && body[size] != '&' {
		return 0, 0
	}
	return key, size
}

// isPlain reports whether a byte means itself wherever it stands in a key. It does
// not for some that do.
func isPlain(c byte) bool {
	return c >= '_' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-'
}

// register puts one name in the tree, step by step like PHP.
func (p *parser) register(raw []byte) (at int32, err error) {
	p.before = nil
	decoded, _ := p.unescape(raw)
	name := strings.TrimLeft(p.in(decoded), " ")
	start := decoded.to - number(len(name))     // of the name in the text
	name, _, isCut := strings.Cut(name, "\x00") // names are C strings there
	end := strings.IndexByte(name, '[')
	if end < 0 {
		end = len(name)
	}
	if end == 0 {
		return 0, nil
	}
	parent, key, appends := int32(0), p.variable(start, name[:end]), false
	for depth := 1; end < len(name) && name[end] == '['; depth++ {
		if depth > MaxDepth {
			return 0, ErrDepth
		}
		sub, size := bracket(name[end:])
		if size == 0 {
			if depth == 1 { // no bracket at all; deeper, the rest is ignored
				key = p.variable(start, name)
			}
			break
		}
		if parent = p.kid(parent, key); parent == 0 {
			return 0, nil
		}
		if m := &p.nodes[parent]; m.kids <= 0 {
			p.keys++
			p.clear(parent)
		}
		from := start + number(end) + 1
		key = span{from, from + number(len(sub))}
		appends = appends || sub == ""
		end += size
	}
	if parent != 0 && end == len(name) && !isCut && !appends && strings.IndexByte(p.in(key), '[') < 0 {
		p.before, p.parent = raw[:lastKey(raw)], parent
	}
	return p.value(parent, key)
}

// value counts a name, and finds or makes its value.
func (p *parser) value(parent int32, key span) (at int32, err error) {
	at = p.kid(parent, key)
	if p.keys++; p.keys > MaxKeys {
		return 0, ErrKeys
	}
	return at, nil
}

// bracket reads the bracket that s begins with; size is 0 when it stays open. The
// key "" appends: PHP reads "[]" and a single blank so.
func bracket(s string) (key string, size int) {
	blank := 1
	if len(s) > 1 && strings.IndexByte(" \t\n\v\f\r", s[1]) >= 0 {
		blank = 2
	}
	switch end := strings.IndexByte(s, ']'); end {
	case -1:
		return "", 0
	case blank:
		return "", end + 1
	default:
		return s[1:end], end + 1
	}
}

// lastKey returns where the last key of a name begins, behind its bracket.
func lastKey(raw []byte) int {
	for i := len(raw) - 1; i >= 0; i-- {
		switch {
		case raw[i] == '[':
			return i + 1
		case raw[i] == '%' && i+2 < len(raw) && raw[i+1] == '5' && raw[i+2]|0x20 == 'b':
			return i + 3
		}
	}
	return 0
}

// variable replaces what the name of a PHP variable cannot hold. The name begins at
// start in the text.
func (p *parser) variable(start int32, name string) span {
	if !strings.ContainsAny(name, " .[") {
		return span{start, start + number(len(name))}
	}
	length := p.text.Len()
	for i := range len(name) {
		c := name[i]
		if c == ' ' || c == '.' || c == '[' {
			c = '_'
		}
		p.text.WriteByte(c)
	}
	return p.since(length)
}

// kid finds or makes the value of a key; it is 0 when "[]" has no key left, a pair
// that PHP drops.
func (p *parser) kid(parent int32, key span) int32 {
	if key.from < key.to {
		at := p.child(parent, key)
		if p.lists != nil {
			if l, ok := p.lists[parent]; ok {
				p.lists[parent] = l.with(p.in(key))
			}
		}
		return at
	}
	l, ok := p.lists[parent]
	if !ok {
		for at := p.nodes[parent].value.from; at != 0; at = p.nodes[at].next {
			l = l.with(p.in(p.nodes[at].key))
		}
	}
	switch {
	case !l.some:
		l = list{0, true}
	case l.top == math.MaxInt64:
		return 0
	default:
		l.top++
	}
	if p.lists == nil {
		p.lists = make(map[int32]list)
	}
	p.lists[parent] = l
	return p.add(parent, p.writeString(strconv.FormatInt(l.top, 10)))
}

// with is the list with one key more.
func (l list) with(key string) list {
	if i, ok := integer(key); ok && (!l.some || i > l.top) {
		return list{i, true}
	}
	return l
}

// setText makes a text of a value.
func (p *parser) setText(at int32, text span) {
	if p.lists != nil {
		delete(p.lists, at)
	}
	p.builder.setText(at, text)
}

// unescape decodes like PHP's urldecode, as far as an ampersand: a blank for a plus,
// a percent sign that does not escape stays. It returns how much of s that was.
func (p *parser) unescape(s []byte) (text span, size int) {
	start := p.text.Len()
	for plain, i := 0, 0; ; { // what stands between them is written as it is
		for i < len(s) && s[i] > '+' {
			i++
		}
		if i == len(s) || s[i] == '&' {
			p.text.Write(s[plain:i])
			return p.since(start), i
		}
		escape, c := 1, s[i]
		switch {
		case c == '+':
			c = ' '
		case c == '%' && i+2 < len(s) && unhex(s[i+1])|unhex(s[i+2]) <= 15:
			escape, c = 3, unhex(s[i+1])<<4|unhex(s[i+2])
		default:
			i++
			continue
		}
		p.text.Write(s[plain:i])
		p.text.WriteByte(c)
		i += escape
		plain = i
	}
}

// unhex returns the value of a hex digit, 16 for anything else.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 16
}
