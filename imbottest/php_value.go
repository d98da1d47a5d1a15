package imbottest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/internal/phpform"
)

// A PHP value is one of nil, bool, json.Number, string and *array.

// array is PHP's array: a map that keeps its order and is a list when its keys
// happen to be 0 to n-1.
type array struct {
	keys   []string
	values map[string]any
}

func newArray() *array { return &array{values: map[string]any{}} }

func (a *array) get(key string) any {
	if a == nil {
		return nil
	}
	return a.values[key]
}

func (a *array) has(key string) bool {
	if a == nil {
		return false
	}
	_, ok := a.values[key]
	return ok
}

func (a *array) set(key string, value any) {
	if _, ok := a.values[key]; !ok {
		a.keys = append(a.keys, key)
	}
	a.values[key] = value
}

func (a *array) remove(key string) {
	if _, ok := a.values[key]; !ok {
		return
	}
	delete(a.values, key)
	for i, k := range a.keys {
		if k == key {
			a.keys = append(a.keys[:i:i], a.keys[i+1:]...)
			return
		}
	}
}

func (a *array) len() int {
	if a == nil {
		return 0
	}
	return len(a.keys)
}

// array returns the array at key, nil when there is none.
func (a *array) array(key string) *array {
	child, _ := a.get(key).(*array)
	return child
}

func (a *array) text(key string) string { return text(a.get(key)) }

func (a *array) id(key string) imbot.ID { return toID(a.get(key)) }

// given is PHP's isset: null does not count.
func (a *array) given(key string) bool { return a.get(key) != nil }

func (a *array) isList() bool {
	for i, k := range a.keys {
		if k != strconv.Itoa(i) {
			return false
		}
	}
	return true
}

// MarshalJSON writes what PHP's json_encode does: an empty array is a list.
func (a *array) MarshalJSON() ([]byte, error) { return a.appendJSON(nil) }

// appendJSON writes nested arrays itself, because encoding/json would parse the output of
// each nested MarshalJSON again.
func (a *array) appendJSON(out []byte) ([]byte, error) {
	if a == nil {
		return append(out, "[]"...), nil
	}
	list, brackets := a.isList(), "{}"
	if list {
		brackets = "[]"
	}
	out = append(out, brackets[0])
	for i, k := range a.keys {
		if i > 0 {
			out = append(out, ',')
		}
		if !list {
			key, err := json.Marshal(k)
			if err != nil {
				return nil, err
			}
			out = append(append(out, key...), ':')
		}
		var err error
		if child, ok := a.values[k].(*array); ok {
			out, err = child.appendJSON(out)
		} else {
			var value []byte
			value, err = json.Marshal(a.values[k])
			out = append(out, value...)
		}
		if err != nil {
			return nil, err
		}
	}
	return append(out, brackets[1]), nil
}

// text is PHP's conversion to a string. An array, which PHP refuses to convert, is "".
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		if v {
			return "1"
		}
	}
	return ""
}

// trim is PHP's: other blanks of Unicode are text.
func trim(s string) string { return strings.Trim(s, " \t\n\r\v\x00") }

// toID is PHP's cast to int, except that a text with anything else than digits is 0.
func toID(v any) imbot.ID {
	n, err := strconv.ParseInt(strings.TrimSpace(text(v)), 10, 64)
	if err != nil {
		return 0
	}
	return imbot.ID(n)
}

// truthy is PHP's cast to bool.
func truthy(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case string:
		return v != "" && v != "0"
	case json.Number:
		n, err := v.Float64()
		return err != nil || n != 0
	case *array:
		return v.len() > 0
	}
	return false
}

// maxDepth is how deep the portal lets JSON be nested.
const maxDepth = 512

var errDepth = errors.New("nested too deeply")

// parseJSON reads one JSON value and keeps the order of keys.
func parseJSON(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	v, err := readJSON(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("text after the value")
	}
	return v, nil
}

func readJSON(d *json.Decoder, depth int) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return token, nil
	}
	if depth >= maxDepth {
		return nil, errDepth
	}
	a := newArray()
	for i := 0; d.More(); i++ {
		key := strconv.Itoa(i)
		if delim == '{' {
			name, err := d.Token()
			if err != nil {
				return nil, err
			}
			key = fmt.Sprint(name)
		}
		v, err := readJSON(d, depth+1)
		if err != nil {
			return nil, err
		}
		a.set(key, v)
	}
	_, err = d.Token() // the closing bracket
	return a, err
}

// toValue turns a result of a method into the PHP value that the portal sends.
func toValue(result any) (any, error) {
	data, err := json.Marshal(result)
	if err != nil {
		return nil, err
	}
	return parseJSON(data)
}

// parseForm reads a form. One that cannot be read counts as empty, as in PHP.
func parseForm(data []byte) *array {
	node, err := phpform.Parse(data)
	if err != nil {
		return newArray()
	}
	return fromForm(node)
}

func fromForm(node *phpform.Node) *array {
	a := newArray()
	for _, k := range node.Keys() {
		if child := node.At(k); child.IsMap() {
			a.set(k, fromForm(child))
		} else {
			a.set(k, child.Get())
		}
	}
	return a
}

// upperKeys copies the members of an array with their names in upper case. That is for
// the names of parameters, whose case the portal ignores. Of two equal names the later
// one wins.
func upperKeys(into, a *array) {
	if a == nil {
		return
	}
	for _, k := range a.keys {
		into.set(strings.ToUpper(k), a.values[k])
	}
}
