package phpform

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// Members hands the names (with their quotes, as they are written) and values of a JSON
// object, or the values of a list, to each, until it returns false. They are parts of
// body. It reports whether all of body was read and is valid JSON, by the rules of
// [encoding/json.Valid]; only then what was handed out may be relied on.
//
// It reads body once. json.Valid and json.Unmarshal read it three times, and copy.
func Members(body []byte, each func(name, value []byte) bool) bool {
	s := Scanner{scanner: scanner{body: body}}
	return s.Members(func(name []byte) bool {
		value, ok := s.Value()
		return ok && each(name, value)
	}) && s.End()
}

// A Scanner goes over JSON once. What it hands out are parts of the body, and may be relied on
// when it has come to the end.
type Scanner struct {
	scanner

	depth int
}

// Scan returns a Scanner that stands in front of the only value of body.
func Scan(body []byte) *Scanner { return &Scanner{scanner: scanner{body: body}} }

// Members goes on behind an object or list that comes next. each gets the name of each member,
// with its quotes, as it is written, and has to go on behind the value. false: there is none, or
// each has said so.
func (s *Scanner) Members(each func(name []byte) bool) bool {
	if open := s.next(); open != '{' && open != '[' {
		return false
	}
	s.depth++
	ok := s.container(s.depth, each)
	s.depth--
	return ok
}

// Value goes on behind the value that comes next.
func (s *Scanner) Value() (value []byte, ok bool) {
	s.next()
	from := s.pos
	ok = s.value(s.depth)
	return s.body[from:s.pos:s.pos], ok
}

// Next reports whether what comes next begins with c.
func (s *Scanner) Next(c byte) bool { return s.next() == c }

// End reports whether nothing comes any more.
func (s *Scanner) End() bool {
	s.next()
	return s.pos == len(s.body)
}

// mostNested is the depth of values up to which encoding/json reads.
const mostNested = 10_000

// A scanner goes over JSON.
type scanner struct {
	body []byte
	pos  int // what stands before it is read
}

// next goes on to what is not white space, and returns it; 0 at the end.
func (s *scanner) next() byte {
	for ; s.pos < len(s.body); s.pos++ {
		if c := s.body[s.pos]; c > ' ' || c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
	}
	return 0
}

// skip goes on behind what comes next, if it is c.
func (s *scanner) skip(c byte) bool {
	if s.next() != c || s.pos == len(s.body) {
		return false
	}
	s.pos++
	return true
}

// container goes on behind an object or list; behind each value in it, if somebody asks, by
// what is asked.
func (s *scanner) container(depth int, each func(name []byte) bool) bool {
	if depth > mostNested {
		return false
	}
	closing := s.body[s.pos] + 2 // ASCII has '\' and '|' in between
	s.pos++
	if s.skip(closing) {
		return true
	}
	for {
		var name []byte
		if closing == '}' {
			s.next()
			from := s.pos
			if !s.skipText() {
				return false
			}
			name = s.body[from:s.pos]
			if !s.skip(':') {
				return false
			}
		}
		if each == nil {
			if !s.value(depth) {
				return false
			}
		} else if !each(name) {
			return false
		}
		if !s.skip(',') {
			return s.skip(closing)
		}
	}
}

// value goes on behind a value that comes next.
func (s *scanner) value(depth int) bool {
	switch s.next() {
	case '{', '[':
		return s.container(depth+1, nil)
	case '"':
		return s.skipText()
	case 'n':
		return s.word("null")
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	}
	size := numberSize(s.body[s.pos:])
	s.pos += size
	return size > 0
}

// word goes on behind a word.
func (s *scanner) word(word string) bool {
	if !bytes.HasPrefix(s.body[s.pos:], []byte(word)) {
		return false
	}
	s.pos += len(word)
	return true
}

// skipText goes on behind a string.
func (s *scanner) skipText() bool {
	b := s.body[s.pos:]
	if len(b) == 0 || b[0] != '"' {
		return false
	}
	for i := 1; ; {
		n, _ := plainText(b[i:])
		if i += n; i == len(b) {
			return false
		}
		switch c := b[i]; {
		case c == '"':
			s.pos += i + 1
			return true
		case c == '\\':
			_, size := escape(b[i:])
			if size == 0 {
				return false
			}
			i += size
		default:
			return false
		}
	}
}

// plainText returns how many bytes b begins with that mean themselves in a string, and
// whether they are known to be ASCII. It looks at eight at a time: what is below a blank,
// or zero after an xor with the byte that is looked for, borrows from its highest bit.
func plainText(b []byte) (n int, ascii bool) {
	const each, highest = 0x0101010101010101, 0x8080808080808080
	seen := uint64(0)
	for ; len(b)-n >= 8; n += 8 {
		w := binary.LittleEndian.Uint64(b[n:])
		seen |= w
		quote, slash := w^each*'"', w^each*'\\'
		if m := ((w-each*' ')&^w | (quote-each)&^quote | (slash-each)&^slash) & highest; m != 0 {
			return n + bits.TrailingZeros64(m)/8, seen&highest == 0 // what is wrong about m stands behind its first bit
		}
	}
	for ; n < len(b); n++ {
		c := b[n]
		if c < ' ' || c == '"' || c == '\\' {
			break
		}
		seen |= uint64(c)
	}
	return n, seen&highest == 0
}

// numberSize returns how long the number is that b begins with; 0: there is none.
func numberSize(b []byte) int {
	i := 0
	if i < len(b) && b[i] == '-' {
		i++
	}
	if i < len(b) && b[i] == '0' {
		i++
	} else if i = digits(b, i); i == 0 {
		return 0
	}
	if i < len(b) && b[i] == '.' {
		if i = digits(b, i+1); i == 0 {
			return 0
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		i = digits(b, i)
	}
	return i
}

// digits returns where the digits end that stand at i; 0: there are none.
func digits(b []byte, i int) int {
	from := i
	for i < len(b) && b[i] >= '0' && b[i] <= '9' {
		i++
	}
	if i == from {
		return 0
	}
	return i
}

// escape reads the escape that b begins with, and how long it is; 0: it is none. It may
// be one half of a pair.
func escape(b []byte) (r rune, size int) {
	if len(b) < 2 || b[0] != '\\' {
		return 0, 0
	}
	switch c := b[1]; c {
	case '"', '\\', '/':
		return rune(c), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		if len(b) < 6 {
			return 0, 0
		}
		for _, c := range b[2:6] {
			digit := unhex(c)
			if digit > 15 {
				return 0, 0
			}
			r = r<<4 | rune(digit)
		}
		return r, 6
	}
	return 0, 0
}
