package world

import (
	"encoding/json"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
)

// The parts that a message can have beside its text, in the order in which the
// portal reads them.
const (
	PartAttach = iota
	PartKeyboard
	PartMenu
)

// PartNames are the names of the parts as parameters.
var PartNames = [...]string{PartAttach: "ATTACH", PartKeyboard: "KEYBOARD", PartMenu: "MENU"}

// Parts are the parts of a message as the portal stores them; nil where there is none.
type Parts [len(PartNames)]*php.Array

// maxPart is the number of characters below which the JSON of a part has to stay.
const maxPart = 60000

// Oversize reports whether a part is too large to be stored.
func Oversize(part *php.Array) bool {
	data, _ := json.Marshal(part) // PHP values can always be written
	return utf8.RuneCount(data) >= maxPart
}

// ReadPart returns what the portal stores of a parameter, which is an object with a list,
// the bare list, or either of them as JSON in a string. It is nil when nothing is usable.
func (w *World) ReadPart(kind int, v any, bot imbot.ID) *php.Array {
	if s, ok := v.(string); ok {
		v, _ = php.ParseJSON([]byte(s))
	}
	from, _ := v.(*php.Array)
	var part *php.Array
	switch kind {
	case PartAttach:
		part = w.readAttach(from)
	case PartKeyboard:
		part = readKeyboard(from, bot)
	case PartMenu:
		part = readMenu(from, bot)
	}
	if part.Len() == 0 {
		return nil
	}
	return part
}

// colorTokens are the values of COLOR_TOKEN; the first is the default.
var colorTokens = []string{"base", "primary", "secondary", "alert"}

var (
	hexColor = regexp.MustCompile(`^#[0-9a-fA-F]{3}([0-9a-fA-F]{3})?$`)
	link     = regexp.MustCompile(`^(/|https?://)`)
)

// Decoded returns the parts as the types of package imbot.
func (ps Parts) Decoded() (a imbot.Attach, k imbot.Keyboard, m imbot.Menu) {
	attach, _ := php.MapStrings(ps[PartAttach], func(s string) string { return strings.ReplaceAll(s, `\`, `\\`) }).(*php.Array)
	for _, part := range []struct {
		stored *php.Array
		into   json.Unmarshaler
	}{{attach, &a}, {ps[PartKeyboard], &k}, {ps[PartMenu], &m}} {
		if data, err := json.Marshal(part.stored); err == nil && part.stored.Len() > 0 {
			_ = part.into.UnmarshalJSON(data) // can read everything that is stored
		}
	}
	return a, k, m
}

// Wire returns the parts as JSON.
func (ps Parts) Wire() (attach, keyboard, menu json.RawMessage) {
	var wire [len(ps)]json.RawMessage
	for i, part := range ps {
		wire[i] = json.RawMessage("null")
		if part != nil {
			wire[i], _ = part.MarshalJSON() // PHP values can always be written
		}
	}
	return wire[PartAttach], wire[PartKeyboard], wire[PartMenu]
}
