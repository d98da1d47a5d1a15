package phpform

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// ParseJSON reads a JSON object into the tree that its form would give: true is
// "1", false "0", null is missing, a number is the text that was sent, a list is
// a map with the keys "0", "1" and so on. A list in place of the object is read
// likewise, as PHP writes its empty objects so. Limits and order are those of
// [Parse]; of a repeated key the last one wins.
func ParseJSON(body []byte) (Node, error) {
	if len(body) > MaxSize {
		return Node{}, ErrSize
	}
	p := jsonParser{scanner: scanner{body: body}}
	if open := p.next(); open != '{' && open != '[' {
		return Node{}, ErrSyntax
	}
	p.begin(len(body)/5*4, bytes.Count(body, []byte(",")))
	if err := p.fill(0, 0); err != nil {
		return Node{}, err
	}
	if p.next(); p.pos < len(body) {
		return Node{}, ErrSyntax
	}
	return p.finish(), nil
}

type jsonParser struct {
	builder
	scanner

	keys int
}

// fill reads an object or a list into an empty map. The form of its values has
// depth brackets.
func (p *jsonParser) fill(parent int32, depth int) error {
	if depth > MaxDepth {
		return ErrDepth
	}
	closing := byte(']')
	if p.body[p.pos] == '{' {
		closing = '}'
	}
	p.pos++
	if p.skip(closing) {
		return nil
	}
	for i := 0; ; i++ {
		var err error
		if closing == '}' {
			err = p.member(parent, depth)
		} else {
			err = p.element(parent, i, depth)
		}
		switch {
		case err != nil:
			return err
		case p.skip(','):
		case p.skip(closing):
			return nil
		default:
			return ErrSyntax
		}
	}
}

func (p *jsonParser) member(parent int32, depth int) error {
	key, ok := p.quoted()
	if !ok {
		return ErrSyntax
	}
	if p.keys++; p.keys > MaxKeys {
		return ErrKeys
	}
	if !p.skip(':') {
		return ErrSyntax
	}
	at := p.find(parent, key)
	if p.next() == 'n' && at == 0 {
		return p.literal("null")
	}
	if at == 0 {
		at = p.add(parent, key)
	} else {
		p.clear(at) // and it stays so when null replaces a value
	}
	return p.value(at, depth)
}

func (p *jsonParser) element(parent int32, i, depth int) error {
	if p.keys++; p.keys > MaxKeys {
		return ErrKeys
	}
	if p.next() == 'n' {
		return p.literal("null")
	}
	return p.value(p.add(parent, p.writeString(strconv.Itoa(i))), depth)
}

// value reads a value into an empty map.
func (p *jsonParser) value(at int32, depth int) error {
	switch p.next() {
	case '{', '[':
		return p.fill(at, depth+1)
	case '"':
		text, ok := p.quoted()
		if !ok {
			return ErrSyntax
		}
		p.setText(at, text)
		return nil
	case 'n':
		return p.literal("null")
	case 't':
		p.setText(at, p.writeString("1"))
		return p.literal("true")
	case 'f':
		p.setText(at, p.writeString("0"))
		return p.literal("false")
	}
	number := p.body[p.pos:]
	number = number[:numberSize(number)]
	if len(number) == 0 {
		return ErrSyntax
	}
	p.setText(at, p.write(number))
	p.pos += len(number)
	return nil
}

func (p *jsonParser) literal(word string) error {
	if !p.word(word) {
		return ErrSyntax
	}
	return nil
}

// quoted reads a string that comes next. As in encoding/json, what is not UTF-8
// becomes U+FFFD.
func (p *jsonParser) quoted() (text span, ok bool) {
	if !p.skip('"') {
		return span{}, false
	}
	for s, start := p.body[p.pos:], p.text.Len(); ; {
		n, ascii := plainText(s)
		if ascii || utf8.Valid(s[:n]) {
			p.text.Write(s[:n])
		} else {
			for _, r := range string(s[:n]) {
				p.text.WriteRune(r)
			}
		}
		if n == len(s) {
			return span{}, false
		}
		if s[n] == '"' {
			p.pos = len(p.body) - len(s) + n + 1
			return p.since(start), true
		}
		s = s[n:]
		size := p.unescape(s)
		if size == 0 {
			return span{}, false
		}
		s = s[size:]
	}
}

// unescape writes what the escape that s begins with stands for, and returns how
// long it is; 0: it is none.
func (p *jsonParser) unescape(s []byte) (size int) {
	r, size := escape(s)
	if size == 0 {
		return 0
	}
	if utf16.IsSurrogate(r) {
		low, lowSize := escape(s[size:])
		if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
			size += lowSize
		}
	}
	p.text.WriteRune(r)
	return size
}

// Scalar reads a JSON string, number or true as text. null and false are empty,
// as PHP writes them into a form.
func Scalar(data []byte) (string, error) {
	switch {
	case len(data) == 0:
		return "", errors.New("imbot: a value is missing")
	case data[0] == '"':
		var s string
		err := json.Unmarshal(data, &s)
		return s, err
	case string(data) == "null", string(data) == "false":
		return "", nil
	case data[0] == '[', data[0] == '{':
		return "", fmt.Errorf("imbot: %.40s is not a scalar", data)
	}
	return string(data), nil
}
