package imbot

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/imbot-go/imbot/internal/phpform"
)

const (
	maxJoin   = 32 << 10 // bytes of parameters; a longer call goes singly
	maxValues = 1000     // of one command: PHP's max_input_vars, beyond which it cuts
)

// command writes a call as the command of a batch, "method?query": PHP reads the
// same from it as from the JSON of the call, except that everything is text. It
// returns false for a call of which this is not true.
func command(method string, params []byte) (string, bool) {
	switch strings.ToLower(method) {
	case "batch", "upload", "download":
		return "", false
	}
	if len(params) > maxJoin || hasNull(params) {
		return "", false
	}
	root, err := phpform.ParseJSON(params)
	values := 0
	if err != nil || !expressible(root, &values) {
		return "", false
	}
	if values == 0 {
		return method, true
	}
	return method + "?" + root.Encode(), true
}

// hasNull reports whether some value is null, which a form cannot express: it
// could mean "make it empty". Outside of texts only null has an n.
func hasNull(object []byte) bool {
	if !bytes.Contains(object, []byte("null")) {
		return false
	}
	inText := false
	for i := 0; i < len(object); i++ {
		switch c := object[i]; {
		case c == '\\':
			i++
		case c == '"':
			inText = !inText
		case c == 'n' && !inText:
			return true
		}
	}
	return false
}

// expressible reports whether a form can hold the tree, and no text of it would
// be taken for a reference.
func expressible(n *phpform.Node, values *int) bool {
	for _, key := range n.Keys() {
		kid := n.At(key)
		switch {
		case !plainKey(key):
			return false
		case kid.IsMap():
			if len(kid.Keys()) == 0 || !expressible(kid, values) {
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
// batch by the result of another command. There is no way to escape it.
func hasReference(s string) bool {
	for {
		i := strings.IndexByte(s, '$')
		if i < 0 {
			return false
		}
		s = s[i+1:]
		for _, name := range [...]string{"result[", "next[", "total[", "time[", "error["} {
			if len(s) >= len(name) && strings.EqualFold(s[:len(name)], name) {
				return true
			}
		}
	}
}

// dialogOf names the dialog of a call: its calls keep their order.
func dialogOf(params []byte) string {
	var p struct {
		Dialog  json.RawMessage `json:"DIALOG_ID"`
		Chat    json.RawMessage `json:"CHAT_ID"`
		Message json.RawMessage `json:"MESSAGE_ID"`
	}
	_ = json.Unmarshal(params, &p) // what cannot be read has no dialog
	if id := text(p.Dialog); id != "" {
		return id
	}
	if id := text(p.Chat); id != "" {
		return "chat" + id
	}
	if id := text(p.Message); id != "" {
		return "message" + id
	}
	return ""
}
