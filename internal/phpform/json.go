package phpform

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// ParseJSON reads a JSON object into the tree that its form would give: true is
// "1", false "0", null is missing, a number is the text that was sent, a list is
// a map with the keys "0", "1" and so on. A list in place of the object is read
// likewise, as PHP writes its empty objects so. Limits and order are those of
// [Parse]; of a repeated key the last one wins.
func ParseJSON(body []byte) (*Node, error) {
	p := jsonParser{dec: json.NewDecoder(bytes.NewReader(body))}
	p.dec.UseNumber()
	token, err := p.dec.Token()
	if err != nil {
		return nil, ErrSyntax
	}
	open, ok := token.(json.Delim)
	if !ok {
		return nil, ErrSyntax
	}
	root := new(Node)
	if err := p.fill(root, open, 0); err != nil {
		return nil, err
	}
	if _, err := p.dec.Token(); err != io.EOF {
		return nil, ErrSyntax
	}
	return root, nil
}

type jsonParser struct {
	dec  *json.Decoder
	keys int
}

// fill reads an object or a list, whose opening is read already, into an empty
// map. The form of its values has depth brackets.
func (p *jsonParser) fill(n *Node, open json.Delim, depth int) error {
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

func (p *jsonParser) set(n *Node, key string, token json.Token, depth int) error {
	kid := n.find(key)
	if kid == nil {
		if token == nil {
			return nil
		}
		kid = new(Node)
		n.add(key, kid)
	}
	*kid = Node{} // and stays so when a null replaces a value
	switch v := token.(type) {
	case json.Delim:
		return p.fill(kid, v, depth+1)
	case string:
		kid.setText(v)
	case json.Number:
		kid.setText(v.String())
	case bool:
		kid.setText("0")
		if v {
			kid.setText("1")
		}
	}
	return nil
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
