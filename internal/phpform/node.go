// Package phpform reads and writes form bodies the way PHP does: names with
// brackets become a tree.
package phpform

import (
	"bytes"
	"iter"
	"net/url"
	"unicode/utf8"
)

// Node is one value of a form: a text, or a map whose keys keep their order on
// the wire. PHP has no lists: a list is a map with the keys "0", "1" and so on.
// The zero Node is a missing value. Nodes are read only and may be read at the
// same time.
type Node struct {
	tree *tree
	at   int32 // among the nodes of the tree
}

// At returns the value at path, the zero Node when there is none. Without a path
// it is n.
func (n Node) At(path ...string) Node {
	if n.tree == nil {
		return n
	}
	for _, key := range path {
		if n.at = find(n.tree.text, n.tree.nodes, n.tree.index, n.at, key); n.at == 0 { // no kid is the root
			return Node{}
		}
	}
	return n
}

// Get returns the text at path, "" when there is none or a map.
func (n Node) Get(path ...string) string {
	if n = n.At(path...); n.tree == nil || n.IsMap() {
		return ""
	}
	return n.tree.in(n.tree.nodes[n.at].value)
}

// All returns the keys of a map with their values, in their order.
func (n Node) All() iter.Seq2[string, Node] {
	return func(yield func(string, Node) bool) {
		if n.Len() == 0 {
			return
		}
		for at := n.tree.nodes[n.at].value.from; at != 0; at = n.tree.nodes[at].next {
			if !yield(n.tree.in(n.tree.nodes[at].key), Node{n.tree, at}) {
				return
			}
		}
	}
}

// Keys returns the keys of a map in their order.
func (n Node) Keys() []string {
	if n.Len() == 0 {
		return nil
	}
	keys := make([]string, 0, n.Len())
	for key := range n.All() {
		keys = append(keys, key)
	}
	return keys
}

// Len returns how many keys a map has.
func (n Node) Len() int {
	if !n.IsMap() {
		return 0
	}
	return int(n.tree.nodes[n.at].kids)
}

// IsMap reports whether n is a map; a missing value is none.
func (n Node) IsMap() bool { return n.tree != nil && n.tree.nodes[n.at].kids != isText }

// IsMissing reports whether there is no such value.
func (n Node) IsMissing() bool { return n.tree == nil }

// Size returns how many bytes of memory the whole tree of n takes.
func (n Node) Size() int {
	if n.tree == nil {
		return 0
	}
	return treeSize + n.tree.size + nodeSize*cap(n.tree.nodes) + indexSize*len(n.tree.index)
}

// MostSize returns what [Node.Size] can be at most for the tree of a body.
func MostSize(body []byte) int {
	count := func(s string) int { return bytes.Count(body, []byte(s)) }
	brackets := count("%") // to count what has three bytes takes as long as to parse
	if brackets > usualNodes*4 {
		brackets = count("%5B") + count("%5b")
	}
	// 8: the root, what stands in front of the first separator, and some to spare
	nodes := 8 + count("&") + count(",") + count("{") + count("[") + brackets
	text := 3*len(body) + 64 // names may stand there twice, and there may be room to spare
	if !utf8.Valid(body) {
		text += len(body) // in JSON, each byte that is no text becomes three
	}
	return treeSize + text + min(nodes, MaxKeys+MaxDepth)*(2*nodeSize+indexSize)
}

// Encode returns the tree as application/x-www-form-urlencoded, brackets
// escaped, in the order of the keys. As with PHP's http_build_query, empty maps
// vanish. Keys that brackets cannot express (an empty one, one with "]" inside
// a map) do not survive the way back.
func (n Node) Encode() string {
	var out, name []byte
	for key, kid := range n.All() {
		name = append(name[:0], url.QueryEscape(key)...)
		out = kid.encode(out, name)
	}
	return string(out)
}

func (n Node) encode(out, name []byte) []byte {
	if n.IsMap() {
		outside := len(name)
		for key, kid := range n.All() {
			name = append(name[:outside], "%5B"...)
			name = append(name, url.QueryEscape(key)...)
			name = append(name, "%5D"...)
			out = kid.encode(out, name)
		}
		return out
	}
	if len(out) > 0 {
		out = append(out, '&')
	}
	out = append(out, name...)
	out = append(out, '=')
	return append(out, url.QueryEscape(n.Get())...)
}
