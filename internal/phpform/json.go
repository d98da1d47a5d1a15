package phpform

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// ParseJSON reads a JSON object into the tree that its form would give: true is
// "1", false "0", null is missing, a number is the text that was sent, a list is
// a map with the keys "0", "1" and so on. A list in place of the object is read
// likewise, as PHP writes its empty objects so. Limits and order are those of
// [Parse]; of a repeated key the last one wins.
func ParseJSON(body []byte) (*Node, error) {
	// The way through a body that is valid needs no checks and, unlike json.Decoder,
	// no copy of the body.
	p := jsonParser{rest: bytes.TrimLeft(body, jsonSpace)}
	if len(p.rest) == 0 || p.rest[0] != '{' && p.rest[0] != '[' || !json.Valid(body) {
		return nil, ErrSyntax
	}
	root := new(Node)
	if err := p.fill(root, 0); err != nil {
		return nil, err
	}
	return root, nil
}

const jsonSpace = " \t\r\n"

// jsonParser goes through valid JSON. rest begins with a token.
type jsonParser struct {
	rest []byte
	keys int
}

// skip goes on behind the first n bytes and the space after them.
func (p *jsonParser) skip(n int) { p.rest = bytes.TrimLeft(p.rest[n:], jsonSpace) }

// fill reads an object or a list into an empty map. The form of its values has depth
// brackets.
func (p *jsonParser) fill(n *Node, depth int) error {
	if depth > MaxDepth {
		return ErrDepth
	}
	isObject := p.rest[0] == '{'
	p.skip(1)
	for i := 0; p.rest[0] != '}' && p.rest[0] != ']'; i++ {
		if p.rest[0] == ',' {
			p.skip(1)
		}
		key := strconv.Itoa(i)
		if isObject {
			key = p.text()
			p.skip(1) // the colon
		}
		if p.keys++; p.keys > MaxKeys {
			return ErrKeys
		}
		if err := p.set(n, key, depth); err != nil {
			return err
		}
	}
	p.skip(1)
	return nil
}

// set reads the value of a key.
func (p *jsonParser) set(n *Node, key string, depth int) error {
	kid := n.find(key)
	if kid == nil {
		if p.rest[0] == 'n' {
			p.word()
			return nil
		}
		kid = new(Node)
		n.add(key, kid)
	}
	*kid = Node{} // and stays so when a null replaces a value
	switch p.rest[0] {
	case '{', '[':
		return p.fill(kid, depth+1)
	case '"':
		kid.setText(p.text())
	case 'n':
		p.word()
	case 't':
		p.word()
		kid.setText("1")
	case 'f':
		p.word()
		kid.setText("0")
	default:
		kid.setText(p.word())
	}
	return nil
}

// text reads a string.
func (p *jsonParser) text() string {
	end, plain := 1, true
	for ; p.rest[end] != '"'; end++ {
		if p.rest[end] == '\\' {
			plain = false
			end++
		}
	}
	quoted := p.rest[:end+1]
	p.skip(len(quoted))
	if inside := quoted[1:end]; plain && utf8.Valid(inside) {
		return string(inside)
	}
	var s string
	_ = json.Unmarshal(quoted, &s) // cannot fail: the body is valid
	return s
}

// word reads a number, true, false or null.
func (p *jsonParser) word() string {
	end := bytes.IndexAny(p.rest, jsonSpace+",]}")
	word := string(p.rest[:end])
	p.skip(end)
	return word
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
