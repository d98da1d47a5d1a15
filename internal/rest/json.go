package rest

import (
	"bytes"
	"encoding/json"

	"github.com/imbot-go/imbot/internal/phpform"
)

// hasNull reports whether some value in valid JSON is null.
func hasNull(value []byte) bool {
	switch {
	case !bytes.Contains(value, []byte("null")):
		return false
	case value[0] != '{' && value[0] != '[':
		return string(value) == "null"
	}
	return !phpform.Members(value, func(_, v []byte) bool { return !hasNull(v) })
}

// text reads a JSON string or scalar as text; anything else is empty.
func text(raw json.RawMessage) string {
	s, err := phpform.Scalar(raw)
	if err != nil {
		return ""
	}
	return s
}
