// Package phpform reads and writes form bodies the way PHP does: names with
// brackets become a tree.
package phpform

import (
	"bytes"
	"math"
	"net/url"
	"strconv"
)

// Node is one value of a form: a text, or a map whose keys keep their order on
// the wire. PHP has no lists: a list is a map with the keys "0", "1" and so on.
// The zero Node is an empty map. The methods that read accept a nil Node, which
// is a missing value, and may run at the same time.
type Node struct {
	text   string
	isText bool
	isList bool  // some key is an integer
	top    int64 // the largest integer key, once isList
	kids   []kid
	index  map[string]*Node // the kids by key, once there are many
}

type kid struct {
	key  string
	node *Node
}

// maxLinear is the number of keys up to which a map is searched one by one,
// which is faster than an index for the maps that portals send.
const maxLinear = 32

// At returns the value at path, nil when there is none. Without a path it is n.
func (n *Node) At(path ...string) *Node {
	for _, key := range path {
		if n == nil {
			return nil
		}
		n = n.find(key)
	}
	return n
}

// Get returns the text at path, "" when there is none or a map.
func (n *Node) Get(path ...string) string {
	if n = n.At(path...); n == nil {
		return ""
	}
	return n.text
}

// Keys returns the keys of a map in their order.
func (n *Node) Keys() []string {
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
func (n *Node) IsMap() bool { return n != nil && !n.isText }

// Len returns how many keys a map has.
func (n *Node) Len() int {
	if n == nil {
		return 0
	}
	return len(n.kids)
}

// What a tree takes beside its texts, in bytes: a Node and the text of its key, which
// JSON allocates, one of kids, and what an index has for one.
const (
	nodeSize  = 64 + 16
	kidSize   = 24
	indexSize = 64
)

// Size returns how many bytes of memory a tree takes beside its texts. These are part
// of the body that it was read from, so together they take no more than that.
func (n *Node) Size() int {
	size := nodeSize + kidSize*cap(n.kids) + indexSize*len(n.index)
	for _, k := range n.kids {
		size += k.node.Size()
	}
	return size
}

// MostSize returns what [Node.Size] can be at most for the tree of a body.
func MostSize(body []byte) int {
	nodes := 2 // the root, and what stands in front of the first separator
	for _, separator := range []string{"&", "[", "%5B", "%5b", ",", "{"} {
		nodes += bytes.Count(body, []byte(separator))
	}
	return min(nodes, MaxKeys+MaxDepth) * (nodeSize + 4*kidSize + indexSize) // a map has room for four kids at first
}

// Set puts a text at path. Maps on the way are made, a text on the way becomes
// a map; a key that exists keeps its place. Keys are taken literally: "" does
// not append.
func (n *Node) Set(value string, path ...string) {
	for _, key := range path {
		n.clearText()
		next := n.find(key)
		if next == nil {
			next = new(Node)
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
func (n *Node) Encode() string {
	if n == nil {
		return ""
	}
	var out []byte
	for _, k := range n.kids {
		out = k.node.encode(out, url.QueryEscape(k.key))
	}
	return string(out)
}

func (n *Node) encode(out []byte, name string) []byte {
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
func (n *Node) find(key string) *Node {
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
func (n *Node) add(key string, node *Node) {
	if n.kids == nil {
		n.kids = make([]kid, 0, 4)
	}
	n.kids = append(n.kids, kid{key, node})
	switch {
	case n.index != nil:
		n.index[key] = node
	case len(n.kids) > maxLinear:
		n.index = make(map[string]*Node, 2*len(n.kids))
		for _, k := range n.kids {
			n.index[k.key] = k.node
		}
	}
	if i, ok := integer(key); ok && (!n.isList || i > n.top) {
		n.isList, n.top = true, i
	}
}

// nextKey is the key that "[]" takes; ok is false when there is none left.
func (n *Node) nextKey() (key string, ok bool) {
	switch {
	case !n.isList:
		return "0", true
	case n.top == math.MaxInt64:
		return "", false
	}
	return strconv.FormatInt(n.top+1, 10), true
}

func (n *Node) setText(s string) { *n = Node{text: s, isText: true} }

// clearText makes a map of a text.
func (n *Node) clearText() {
	if n.isText {
		*n = Node{}
	}
}

// integer reads the keys that PHP keeps as integers: decimal, 64 bits, no plus,
// no leading zero, no minus zero.
func integer(key string) (int64, bool) {
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
