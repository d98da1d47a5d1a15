package phpform

import (
	"strconv"
	"strings"
)

// A tree is all values of a body in one list, the root first, and all their keys
// and texts in one string. A node holds no pointer, so the garbage collector has
// nothing to follow however many there are.
type tree struct {
	text  string
	size  int // of the memory behind text
	nodes []node
	index map[place]int32 // of the kids of maps with more than maxLinear
}

type node struct {
	seen  uint64 // of a map: the marks of its keys, so that most keys that it lacks need no search
	key   span
	value span  // of a map: its first kid and its last one, 0 when there is none
	next  int32 // the next kid of the same map, 0 after the last
	kids  int32 // how many a map has; isText
}

// isText stands in place of the number of kids.
const isText = -1

// A span is a part of the text.
type span struct{ from, to int32 }

// A place is where a kid is.
type place struct {
	parent int32
	key    string
}

// maxLinear is the number of keys up to which a map is searched one by one. Maps
// that portals send have less; an index is for those of others.
const maxLinear = 64

// Bytes of memory; what a kid takes in an index is between 50 and 100.
const (
	treeSize  = 56
	nodeSize  = 32
	indexSize = 100
)

func (t *tree) in(s span) string { return t.text[s.from:s.to] }

// find returns the kid with a key, 0 when there is none.
func find(text string, nodes []node, index map[place]int32, parent int32, key string) int32 {
	m := &nodes[parent]
	switch {
	case m.seen&mark(key) == 0: // as in every text
		return 0
	case m.kids > maxLinear:
		return index[place{parent, key}]
	}
	size := number(len(key))
	for at := m.value.from; at != 0; {
		n := &nodes[at]
		if n.key.to-n.key.from == size && text[n.key.from:n.key.to] == key {
			return at
		}
		at = n.next
	}
	return 0
}

// mark is one bit for a key; in the maps of events few keys share one.
func mark(key string) uint64 {
	if key == "" {
		return 1
	}
	sum := 11*uint(len(key)) + 7*uint(key[0]) + 9*uint(key[len(key)/2]) + uint(key[len(key)-1])
	return 1 << (sum % 64)
}

// A builder makes a tree. What was written becomes its text.
type builder struct {
	text  strings.Builder
	nodes []node
	index map[place]int32
}

// begin makes room for as much text as a body usually has, and for one node for
// each of its separators and some more, because some make maps.
func (b *builder) begin(text, separators int) {
	b.text.Grow(text)
	b.nodes = make([]node, 1, min(separators+separators/8, usualNodes)+4)
}

// usualNodes is for how many nodes there is room from the beginning, however many
// separators a body has.
const usualNodes = 256

// finish returns the root of the tree. Its text keeps little room to spare.
func (b *builder) finish() Node {
	text, size := b.text.String(), b.text.Cap()
	if b.index == nil && len(text) < size/4*3 { // an index would hold the text that was written
		text, size = strings.Clone(text), len(text)
	}
	return Node{tree: &tree{text, size, b.nodes, b.index}}
}

// in returns a part of what was written.
func (b *builder) in(s span) string { return b.text.String()[s.from:s.to] }

// since is all that was written since the text had a length.
func (b *builder) since(length int) span { return span{number(length), number(b.text.Len())} }

// write adds to the text.
func (b *builder) write(s []byte) span {
	length := b.text.Len()
	b.text.Write(s)
	return b.since(length)
}

func (b *builder) writeString(s string) span {
	length := b.text.Len()
	b.text.WriteString(s)
	return b.since(length)
}

// find returns the kid with a key, 0 when there is none.
func (b *builder) find(parent int32, key span) int32 {
	return find(b.text.String(), b.nodes, b.index, parent, b.in(key))
}

// child finds or makes the kid with a key.
func (b *builder) child(parent int32, key span) int32 {
	if at := b.find(parent, key); at != 0 {
		return at
	}
	return b.add(parent, key)
}

// add makes a kid, an empty map, with a key that is not there yet.
func (b *builder) add(parent int32, key span) int32 {
	at := number(len(b.nodes))
	b.nodes = append(b.nodes, node{key: key})
	m := &b.nodes[parent]
	m.seen |= mark(b.in(key))
	if m.kids == 0 {
		m.value.from = at
	} else {
		b.nodes[m.value.to].next = at
	}
	m.value.to = at
	if m.kids++; m.kids > maxLinear {
		b.enter(parent, at)
	}
	return at
}

// enter puts a new kid in the index, and the others of its map when it is the
// first that needs one.
func (b *builder) enter(parent, at int32) {
	if b.index == nil {
		b.index = make(map[place]int32)
	}
	if b.nodes[parent].kids == maxLinear+1 {
		at = b.nodes[parent].value.from
	}
	for ; at != 0; at = b.nodes[at].next {
		b.index[place{parent, b.in(b.nodes[at].key)}] = at
	}
}

// clear makes an empty map of a value.
func (b *builder) clear(at int32) {
	n := &b.nodes[at]
	if n.kids > maxLinear {
		for kid := n.value.from; kid != 0; kid = b.nodes[kid].next {
			delete(b.index, place{at, b.in(b.nodes[kid].key)})
		}
	}
	n.seen, n.value, n.kids = 0, span{}, 0
}

// setText makes a text of a value.
func (b *builder) setText(at int32, value span) {
	b.clear(at)
	b.nodes[at].value, b.nodes[at].kids = value, isText
}

// Form is a tree to fill. The zero Form is an empty map. It must not be copied
// once it is filled.
type Form struct{ b builder }

// Set puts a text at path, which has at least one key. Maps on the way are made, a
// text on the way becomes a map; a key that exists keeps its place. Keys are taken
// literally: "" does not append.
func (f *Form) Set(value string, path ...string) {
	at := int32(0)
	if f.b.nodes == nil {
		f.b.nodes = make([]node, 1)
	}
	for _, key := range path {
		if f.b.nodes[at].kids == isText {
			f.b.clear(at)
		}
		at = f.b.child(at, f.b.writeString(key))
	}
	f.b.setText(at, f.b.writeString(value))
}

// Get returns the text at path, "" when there is none or a map.
func (f *Form) Get(path ...string) string { return f.root().Get(path...) }

// Encode is [Node.Encode] of the whole.
func (f *Form) Encode() string { return f.root().Encode() }

func (f *Form) root() Node {
	if f.b.nodes == nil {
		return Node{tree: &tree{nodes: make([]node, 1)}}
	}
	return Node{tree: &tree{f.b.text.String(), f.b.text.Cap(), f.b.nodes, f.b.index}}
}

// number narrows a position; [MaxSize] bounds it.
func number(n int) int32 { return int32(n) } //nolint:gosec // see above

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
