package php

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// maxDepth is how deep the portal lets JSON be nested.
const maxDepth = 512

var errDepth = errors.New("nested too deeply")

// ParseJSON reads one JSON value and keeps the order of keys.
func ParseJSON(data []byte) (any, error) {
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
	a := NewArray()
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
		a.Set(key, v)
	}
	_, err = d.Token() // the closing bracket
	return a, err
}

// ToValue turns a result of a method into the PHP value that the portal sends.
func ToValue(result any) (any, error) {
	data, err := json.Marshal(result)
	if err != nil {
		return nil, err
	}
	return ParseJSON(data)
}
