package rest

import (
	"strings"

	"github.com/imbot-go/imbot/internal/phpform"
)

const (
	maxJoin   = 32 << 10 // bytes of parameters; a longer call goes singly
	maxValues = 1000     // of one command: PHP's max_input_vars, beyond which it cuts
)

// command is that of the call in a batch; empty: it goes singly.
func (cl *Call) command() string {
	if cl.content != nil {
		return ""
	}
	return command(cl.method, cl.params)
}

// command writes a call as the command of a batch, "method?query": PHP reads the
// same from it as from the JSON of the call, except that everything is text. It
// is empty for a call of which this is not true.
func command(method string, params []byte) string {
	switch strings.ToLower(method) {
	case "batch", "upload", "download":
		return ""
	}
	if len(params) > maxJoin || hasNull(params) {
		return ""
	}
	root, err := phpform.ParseJSON(params)
	values := 0
	if err != nil || !expressible(root, &values) {
		return ""
	}
	if values == 0 {
		return method
	}
	return method + "?" + root.Encode()
}

// expressible reports whether a form can hold the tree, and no text of it would
// be taken for a reference.
func expressible(n phpform.Node, values *int) bool {
	for key, kid := range n.All() {
		switch {
		case !plainKey(key):
			return false
		case kid.IsMap():
			if kid.Len() == 0 || !expressible(kid, values) {
				return false
			}
		case hasReference(kid.Get()):
			return false
		default:
			if *values++; *values > maxValues {
				return false
			}
		}
	}
	return true
}

// plainKey reports whether a name means the same in brackets and without.
func plainKey(key string) bool {
	for i := range len(key) {
		switch c := key[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-':
		default:
			return false
		}
	}
	return key != ""
}

// hasReference reports whether the portal would replace part of a text inside a
// batch by the result of another command (livecheck: batch-references). It reads on from a name, whatever is
// glued to it, to the next white space, and looks for [x] anywhere in that word; half
// of a pair is enough here. There is no way to escape it.
func hasReference(s string) bool {
	for {
		i := strings.IndexByte(s, '$')
		if i < 0 {
			return false
		}
		if s = s[i+1:]; !beginsWithName(s) {
			continue
		}
		word := s
		if end := strings.IndexAny(s, " \t\n\f\r"); end >= 0 { // newer PHP ends it at a vertical tab, too
			word = s[:end]
		}
		if strings.IndexByte(word, '[') >= 0 {
			return true
		}
		s = s[len(word):] // a name inside the word would see less of it
	}
}

func beginsWithName(s string) bool {
	for _, name := range [...]string{"result", "error", "total", "next", "time"} {
		if len(s) >= len(name) && strings.EqualFold(s[:len(name)], name) {
			return true
		}
	}
	return false
}
