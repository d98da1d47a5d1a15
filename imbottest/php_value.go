package imbottest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/imbot-go/imbot"
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

// texts are the members that are no arrays, as texts.
func (a *array) texts() []string {
	var list []string
	for _, k := range a.keys {
		if _, nested := a.values[k].(*array); !nested {
			list = append(list, text(a.values[k]))
		}
	}
	return list
}

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
		return numberText(v)
	case bool:
		if v {
			return "1"
		}
	}
	return ""
}

// trim is PHP's: other blanks of Unicode are text.
func trim(s string) string { return strings.Trim(s, " \t\n\r\v\x00") }

// numberText is a number of JSON as PHP writes it: an integer as it is, everything else as
// a float with 14 digits, so that 2.0 and 2e0 are "2" and 1e15 is "1.0E+15".
func numberText(n json.Number) string {
	if _, err := strconv.ParseInt(n.String(), 10, 64); err == nil {
		return n.String()
	}
	f, err := n.Float64()
	if err != nil {
		return n.String()
	}
	const precision = 14
	digits, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'E', precision-1, 64), "E")
	switch e, _ := strconv.Atoi(exponent); {
	case f == 0, -4 <= e && e < precision:
		plain := strconv.FormatFloat(f, 'f', max(0, precision-1-e), 64)
		if strings.Contains(plain, ".") {
			plain = strings.TrimRight(strings.TrimRight(plain, "0"), ".")
		}
		return plain
	default:
		digits = strings.TrimRight(digits, "0")
		if strings.HasSuffix(digits, ".") {
			digits += "0"
		}
		return fmt.Sprintf("%sE%+d", digits, e)
	}
}

// toID is PHP's cast to int, except that a text with anything else than digits is 0.
func toID(v any) imbot.ID {
	if n, ok := v.(json.Number); ok {
		if f, err := n.Float64(); err == nil && f != math.Trunc(f) {
			v = json.Number(strconv.FormatFloat(math.Trunc(f), 'f', 0, 64))
		}
	}
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
