package rest

import (
	"bytes"
	"encoding/json"
	"iter"

	"github.com/imbot-go/imbot/internal/phpform"
)

// members yields the names (with their quotes, as they are written) and values of
// a JSON object, and the values of a list without names. The JSON must be valid.
// Names and values are parts of it: other than with json.Unmarshal nothing is
// copied and read twice, which makes up a tenth of a call.
func members(container []byte) iter.Seq2[[]byte, json.RawMessage] {
	return func(yield func([]byte, json.RawMessage) bool) {
		at := skipBlank(container, 0)
		named := container[at] == '{'
		for at = skipBlank(container, at+1); container[at] != '}' && container[at] != ']'; {
			var name []byte
			if named {
				end := skipText(container, at)
				name = container[at:end]
				at = skipBlank(container, skipBlank(container, end)+1) // behind the colon
			}
			end := skipValue(container, at)
			if !yield(name, container[at:end:end]) {
				return
			}
			if at = skipBlank(container, end); container[at] == ',' {
				at = skipBlank(container, at+1)
			}
		}
	}
}

// skipBlank, skipText and skipValue return where what begins at i ends in valid
// JSON.
func skipBlank(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

func skipText(b []byte, i int) int {
	for i++; ; {
		i += bytes.IndexByte(b[i:], '"')
		slashes := 0
		for b[i-1-slashes] == '\\' {
			slashes++
		}
		if i++; slashes%2 == 0 {
			return i
		}
	}
}

func skipValue(b []byte, i int) int {
	for depth := 0; ; {
		switch b[i] {
		case '"':
			i = skipText(b, i)
		case '{', '[':
			depth++
			i++
			continue
		case '}', ']':
			depth--
			i++
		case ' ', '\n', '\r', '\t', ',', ':':
			i++
			continue
		default: // a number or a word
			for i < len(b) && bytes.IndexByte([]byte(" \n\r\t,]}"), b[i]) < 0 {
				i++
			}
		}
		if depth == 0 {
			return i
		}
	}
}

// hasNull reports whether some value is null.
func hasNull(value json.RawMessage) bool {
	switch {
	case !bytes.Contains(value, []byte("null")):
		return false
	case value[0] != '{' && value[0] != '[':
		return string(value) == "null"
	}
	for _, v := range members(value) {
		if hasNull(v) {
			return true
		}
	}
	return false
}

// text reads a JSON string or scalar as text; anything else is empty.
func text(raw json.RawMessage) string {
	s, err := phpform.Scalar(raw)
	if err != nil {
		return ""
	}
	return s
}
