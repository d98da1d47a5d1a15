package phpform

import (
	"bytes"
	"errors"
	"strings"
)

// The limits of a body. Its size is bounded by who reads it.
const (
	// MaxDepth is the number of brackets after a name: PHP's
	// max_input_nesting_level. PHP drops what is deeper.
	MaxDepth = 64
	// MaxKeys bounds the names of a body, repeated ones included, together with
	// the maps that they make. PHP's max_input_vars, 1000 where nobody raised
	// it, cuts without a word; events stay far below that.
	MaxKeys = 10_000
)

// What is wrong with a body. The errors never quote it: it holds secrets.
var (
	ErrDepth  = errors.New("phpform: nested too deep")
	ErrKeys   = errors.New("phpform: too many keys")
	ErrSyntax = errors.New("phpform: not a JSON object")
)

// Parse reads application/x-www-form-urlencoded as PHP does. Odd bodies are not
// errors: what PHP makes of them is what Parse returns. The only errors are
// [ErrDepth] and [ErrKeys]. The time is linear in the body.
func Parse(body []byte) (*Node, error) {
	var p parser
	p.text.Grow(len(body))
	p.block = min(bytes.Count(body, []byte("&"))+2, 64)
	root := new(Node)
	for len(body) > 0 {
		var pair []byte
		pair, body, _ = bytes.Cut(body, []byte("&"))
		name, value, _ := bytes.Cut(pair, []byte("="))
		if len(name) == 0 {
			continue
		}
		if err := p.register(root, p.unescape(name), p.unescape(value)); err != nil {
			return nil, err
		}
	}
	return root, nil
}

type parser struct {
	text  strings.Builder // all names and values decoded; it never grows, so the tree shares it
	block int             // how many nodes to make at a time
	free  []Node
	keys  int
}

// register puts one pair in the tree, step by step like PHP.
func (p *parser) register(root *Node, name, value string) error {
	name = strings.TrimLeft(name, " ")
	name, _, _ = strings.Cut(name, "\x00") // names are C strings there
	key, rest := name, ""
	if i := strings.IndexByte(name, '['); i >= 0 {
		key, rest = name[:i], name[i:]
	}
	if key == "" {
		return nil
	}
	key = variable(key)
	n := root
	for depth := 1; strings.HasPrefix(rest, "["); depth++ {
		if depth > MaxDepth {
			return ErrDepth
		}
		sub, after, ok := bracket(rest)
		if !ok {
			if depth == 1 { // no bracket at all; deeper, the rest is ignored
				key = variable(name)
			}
			break
		}
		if n = p.child(n, key); n == nil {
			return nil
		}
		if n.isText || len(n.kids) == 0 {
			p.keys++
			n.clearText()
		}
		key, rest = sub, after
	}
	if n = p.child(n, key); n != nil {
		n.setText(value)
	}
	if p.keys++; p.keys > MaxKeys {
		return ErrKeys
	}
	return nil
}

// bracket cuts the bracket that s begins with; ok is false when it stays open.
// The key "" appends: PHP reads "[]" and a single blank so.
func bracket(s string) (key, after string, ok bool) {
	s = s[1:]
	blank := 0
	if s != "" && strings.IndexByte(" \t\n\v\f\r", s[0]) >= 0 {
		blank = 1
	}
	end := strings.IndexByte(s, ']')
	switch {
	case end < 0:
		return "", "", false
	case end == blank:
		return "", s[end+1:], true
	}
	return s[:end], s[end+1:], true
}

// variable replaces what the name of a PHP variable cannot hold.
func variable(name string) string {
	name = strings.ReplaceAll(name, " ", "_")
	name = strings.ReplaceAll(name, ".", "_")
	return strings.ReplaceAll(name, "[", "_")
}

// child finds or makes the value of a key; it is nil when "[]" has no key left,
// a pair that PHP drops.
func (p *parser) child(n *Node, key string) *Node {
	if key == "" {
		next, ok := n.nextKey()
		if !ok {
			return nil
		}
		key = next
	} else if kid := n.find(key); kid != nil {
		return kid
	}
	if len(p.free) == 0 {
		p.free = make([]Node, p.block)
	}
	kid := &p.free[0]
	p.free = p.free[1:]
	n.add(key, kid)
	return kid
}

// unescape decodes like PHP's urldecode: a blank for a plus, a percent sign
// that does not escape stays.
func (p *parser) unescape(s []byte) string {
	start := p.text.Len()
	plain := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '+':
			p.text.Write(s[plain:i])
			p.text.WriteByte(' ')
			plain = i + 1
		case c == '%' && i+2 < len(s):
			hi, lo := unhex(s[i+1]), unhex(s[i+2])
			if hi|lo > 15 {
				continue
			}
			p.text.Write(s[plain:i])
			p.text.WriteByte(hi<<4 | lo)
			i += 2
			plain = i + 1
		}
	}
	p.text.Write(s[plain:])
	return p.text.String()[start:]
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
