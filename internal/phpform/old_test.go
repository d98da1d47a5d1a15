package phpform

// The parsers that were here before, for comparison.

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"net/url"
	"strconv"
	"strings"
)

// oldNode is one value of a form: a text, or a map whose keys keep their order on
// the wire. PHP has no lists: a list is a map with the keys "0", "1" and so on.
// The zero oldNode is an empty map. The methods that read accept a nil oldNode, which
// is a missing value, and may run at the same time.
type oldNode struct {
	text   string
	isText bool
	isList bool  // some key is an integer
	top    int64 // the largest integer key, once isList
	kids   []oldKid
	index  map[string]*oldNode // the kids by key, once there are many
}

type oldKid struct {
	key  string
	node *oldNode
}

// oldMaxLinear is the number of keys up to which a map is searched one by one,
// which is faster than an index for the maps that portals send.
const oldMaxLinear = 32

// At returns the value at path, nil when there is none. Without a path it is n.
func (n *oldNode) At(path ...string) *oldNode {
	for _, key := range path {
		if n == nil {
			return nil
		}
		n = n.find(key)
	}
	return n
}

// Get returns the text at path, "" when there is none or a map.
func (n *oldNode) Get(path ...string) string {
	if n = n.At(path...); n == nil {
		return ""
	}
	return n.text
}

// Keys returns the keys of a map in their order.
func (n *oldNode) Keys() []string {
	if n == nil || len(n.kids) == 0 {
		return nil
	}
	keys := make([]string, len(n.kids))
	for i, k := range n.kids {
		keys[i] = k.key
	}
	return keys
}

// IsMap reports whether n is a map; a missing value is none.
func (n *oldNode) IsMap() bool { return n != nil && !n.isText }

// Set puts a text at path. Maps on the way are made, a text on the way becomes
// a map; a key that exists keeps its place. Keys are taken literally: "" does
// not append.
func (n *oldNode) Set(value string, path ...string) {
	for _, key := range path {
		n.clearText()
		next := n.find(key)
		if next == nil {
			next = new(oldNode)
			n.add(key, next)
		}
		n = next
	}
	n.setText(value)
}

// Encode returns the tree as application/x-www-form-urlencoded, brackets
// escaped, in the order of the keys. As with PHP's http_build_query, empty maps
// vanish. Keys that brackets cannot express (an empty one, one with "]" inside
// a map) do not survive the way back.
func (n *oldNode) Encode() string {
	if n == nil {
		return ""
	}
	var out []byte
	for _, k := range n.kids {
		out = k.node.encode(out, url.QueryEscape(k.key))
	}
	return string(out)
}

func (n *oldNode) encode(out []byte, name string) []byte {
	if !n.isText {
		for _, k := range n.kids {
			out = k.node.encode(out, name+"%5B"+url.QueryEscape(k.key)+"%5D")
		}
		return out
	}
	if len(out) > 0 {
		out = append(out, '&')
	}
	out = append(out, name...)
	out = append(out, '=')
	return append(out, url.QueryEscape(n.text)...)
}

// find searches from the end: a form names the same parents again and again,
// and they are the last that were added.
func (n *oldNode) find(key string) *oldNode {
	if n.index != nil {
		return n.index[key]
	}
	for i := len(n.kids) - 1; i >= 0; i-- {
		if n.kids[i].key == key {
			return n.kids[i].node
		}
	}
	return nil
}

// add appends a key that is not there yet.
func (n *oldNode) add(key string, node *oldNode) {
	if n.kids == nil {
		n.kids = make([]oldKid, 0, 4)
	}
	n.kids = append(n.kids, oldKid{key, node})
	switch {
	case n.index != nil:
		n.index[key] = node
	case len(n.kids) > oldMaxLinear:
		n.index = make(map[string]*oldNode, 2*len(n.kids))
		for _, k := range n.kids {
			n.index[k.key] = k.node
		}
	}
	if i, ok := oldInteger(key); ok && (!n.isList || i > n.top) {
		n.isList, n.top = true, i
	}
}

// nextKey is the key that "[]" takes; ok is false when there is none left.
func (n *oldNode) nextKey() (key string, ok bool) {
	switch {
	case !n.isList:
		return "0", true
	case n.top == math.MaxInt64:
		return "", false
	}
	return strconv.FormatInt(n.top+1, 10), true
}

func (n *oldNode) setText(s string) { *n = oldNode{text: s, isText: true} }

// clearText makes a map of a text.
func (n *oldNode) clearText() {
	if n.isText {
		*n = oldNode{}
	}
}

// integer reads the keys that PHP keeps as integers: decimal, 64 bits, no plus,
// no leading zero, no minus zero.
func oldInteger(key string) (int64, bool) {
	digits := key
	if key != "" && key[0] == '-' {
		digits = key[1:]
	}
	if digits == "" || len(digits) > 19 || digits[0] < '0' || digits[0] > '9' || digits[0] == '0' && len(key) > 1 {
		return 0, false
	}
	i, err := strconv.ParseInt(key, 10, 64)
	return i, err == nil
}

// oldParse reads application/x-www-form-urlencoded as PHP does. Odd bodies are not
// errors: what PHP makes of them is what oldParse returns. The only errors are
// [ErrDepth] and [ErrKeys]. The time is linear in the body.
func oldParse(body []byte) (*oldNode, error) {
	var p oldParser
	p.text.Grow(len(body))
	p.block = min(bytes.Count(body, []byte("&"))+2, 64)
	root := new(oldNode)
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

type oldParser struct {
	text  strings.Builder // all names and values decoded; it never grows, so the tree shares it
	block int             // how many nodes to make at a time
	free  []oldNode
	keys  int
}

// register puts one pair in the tree, step by step like PHP.
func (p *oldParser) register(root *oldNode, name, value string) error {
	name = strings.TrimLeft(name, " ")
	name, _, _ = strings.Cut(name, "\x00") // names are C strings there
	key, rest := name, ""
	if i := strings.IndexByte(name, '['); i >= 0 {
		key, rest = name[:i], name[i:]
	}
	if key == "" {
		return nil
	}
	key = oldVariable(key)
	n := root
	for depth := 1; strings.HasPrefix(rest, "["); depth++ {
		if depth > MaxDepth {
			return ErrDepth
		}
		sub, after, ok := oldBracket(rest)
		if !ok {
			if depth == 1 { // no bracket at all; deeper, the rest is ignored
				key = oldVariable(name)
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
func oldBracket(s string) (key, after string, ok bool) {
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
func oldVariable(name string) string {
	name = strings.ReplaceAll(name, " ", "_")
	name = strings.ReplaceAll(name, ".", "_")
	return strings.ReplaceAll(name, "[", "_")
}

// child finds or makes the value of a key; it is nil when "[]" has no key left,
// a pair that PHP drops.
func (p *oldParser) child(n *oldNode, key string) *oldNode {
	if key == "" {
		next, ok := n.nextKey()
		if !ok {
			return nil
		}
		key = next
	} else if oldKid := n.find(key); oldKid != nil {
		return oldKid
	}
	if len(p.free) == 0 {
		p.free = make([]oldNode, p.block)
	}
	oldKid := &p.free[0]
	p.free = p.free[1:]
	n.add(key, oldKid)
	return oldKid
}

// unescape decodes like PHP's urldecode: a blank for a plus, a percent sign
// that does not escape stays.
func (p *oldParser) unescape(s []byte) string {
	start := p.text.Len()
	plain := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '+':
			p.text.Write(s[plain:i])
			p.text.WriteByte(' ')
			plain = i + 1
		case c == '%' && i+2 < len(s):
			hi, lo := oldUnhex(s[i+1]), oldUnhex(s[i+2])
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
func oldUnhex(c byte) byte {
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

// oldParseJSON reads a JSON object into the tree that its form would give: true is
// "1", false "0", null is missing, a number is the text that was sent, a list is
// a map with the keys "0", "1" and so on. A list in place of the object is read
// likewise, as PHP writes its empty objects so. Limits and order are those of
// [oldParse]; of a repeated key the last one wins.
func oldParseJSON(body []byte) (*oldNode, error) {
	p := oldJSONParser{dec: json.NewDecoder(bytes.NewReader(body))}
	p.dec.UseNumber()
	token, err := p.dec.Token()
	if err != nil {
		return nil, ErrSyntax
	}
	open, ok := token.(json.Delim)
	if !ok {
		return nil, ErrSyntax
	}
	root := new(oldNode)
	if err := p.fill(root, open, 0); err != nil {
		return nil, err
	}
	if _, err := p.dec.Token(); err != io.EOF {
		return nil, ErrSyntax
	}
	return root, nil
}

type oldJSONParser struct {
	dec  *json.Decoder
	keys int
}

// fill reads an object or a list, whose opening is read already, into an empty
// map. The form of its values has depth brackets.
func (p *oldJSONParser) fill(n *oldNode, open json.Delim, depth int) error {
	if depth > MaxDepth {
		return ErrDepth
	}
	for i := 0; p.dec.More(); i++ {
		key := strconv.Itoa(i)
		if open == '{' {
			token, err := p.dec.Token()
			if err != nil {
				return ErrSyntax
			}
			name, ok := token.(string)
			if !ok {
				return ErrSyntax
			}
			key = name
		}
		if p.keys++; p.keys > MaxKeys {
			return ErrKeys
		}
		token, err := p.dec.Token()
		if err != nil {
			return ErrSyntax
		}
		if err := p.set(n, key, token, depth); err != nil {
			return err
		}
	}
	if _, err := p.dec.Token(); err != nil {
		return ErrSyntax
	}
	return nil
}

func (p *oldJSONParser) set(n *oldNode, key string, token json.Token, depth int) error {
	oldKid := n.find(key)
	if oldKid == nil {
		if token == nil {
			return nil
		}
		oldKid = new(oldNode)
		n.add(key, oldKid)
	}
	*oldKid = oldNode{} // and stays so when a null replaces a value
	switch v := token.(type) {
	case json.Delim:
		return p.fill(oldKid, v, depth+1)
	case string:
		oldKid.setText(v)
	case json.Number:
		oldKid.setText(v.String())
	case bool:
		oldKid.setText("0")
		if v {
			oldKid.setText("1")
		}
	}
	return nil
}
