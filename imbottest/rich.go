package imbottest

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/imbot-go/imbot"
)

// The parts that a message can have beside its text, in the order in which the
// portal reads them.
const (
	partAttach = iota
	partKeyboard
	partMenu
)

var partNames = [...]string{partAttach: "ATTACH", partKeyboard: "KEYBOARD", partMenu: "MENU"}

// parts are the parts of a message as the portal stores them; nil where there is none.
type parts [len(partNames)]*array

// newParts reads the parts of a new message. A value that PHP takes for false means that
// there is none. The sizes are checked of the kinds up to measured only; storable checks
// the others. Commands of the keyboard belong to bot, those of the menu to menuBot.
func (c *call) newParts(measured int, bot, menuBot imbot.ID) (found parts, fail *restError) {
	for kind, name := range partNames {
		v := c.params.get(name)
		if !truthy(v) {
			continue
		}
		if kind == partMenu {
			bot = menuBot
		}
		part := c.p.readPart(kind, v, bot)
		switch {
		case part == nil:
			return found, badRequest(name+"_ERROR", "Incorrect "+strings.ToLower(name)+" params")
		case kind <= measured && oversize(part):
			return found, badRequest(name+"_OVERSIZE", "You have exceeded the maximum allowable size of "+strings.ToLower(name))
		}
		found[kind] = part
	}
	return found, nil
}

// storable refuses a keyboard or menu that is too large to be stored, when its size was
// not checked before.
func (ps parts) storable() *restError {
	for _, kind := range []int{partKeyboard, partMenu} {
		if oversize(ps[kind]) {
			return badRequest("PARAM_"+partNames[kind]+"_ERROR", "The size of the parameter is too large")
		}
	}
	return nil
}

// maxPart is the number of characters below which the JSON of a part has to stay.
const maxPart = 60000

func oversize(part *array) bool {
	data, _ := json.Marshal(part) // PHP values can always be written
	return utf8.RuneCount(data) >= maxPart
}

// readPart returns what the portal stores of a parameter, which is an object with a list,
// the bare list, or either of them as JSON in a string. It is nil when nothing is usable.
func (p *world) readPart(kind int, v any, bot imbot.ID) *array {
	if s, ok := v.(string); ok {
		v, _ = parseJSON([]byte(s))
	}
	from, _ := v.(*array)
	var part *array
	switch kind {
	case partAttach:
		part = p.readAttach(from)
	case partKeyboard:
		part = readKeyboard(from, bot)
	case partMenu:
		part = readMenu(from, bot)
	}
	if part.len() == 0 {
		return nil
	}
	return part
}

// entries returns the objects of a list. The list is the named member of from, or from
// itself when there is no such member.
func entries(from *array, member string) []*array {
	if from.has(member) {
		from = from.array(member)
	}
	var found []*array
	for i := range from.len() {
		if entry := from.array(from.keys[i]); entry != nil {
			found = append(found, entry)
		}
	}
	return found
}

// add appends to a list.
func (a *array) add(v any) { a.set(strconv.Itoa(len(a.keys)), v) }

func number(id imbot.ID) json.Number { return json.Number(id.String()) }

// flag is Y when the member is exactly Y, else N.
func (a *array) flag(name string) string { return yesNo(a.get(name) == "Y") }

// oneOf is the value of a member when it is one of the values, else the first of these.
func (a *array) oneOf(name string, values ...string) string {
	for _, v := range values {
		if a.get(name) == v {
			return v
		}
	}
	return values[0]
}

// colorTokens are the values of COLOR_TOKEN; the first is the default.
var colorTokens = []string{"base", "primary", "secondary", "alert"}

var (
	hexColor = regexp.MustCompile(`^#[0-9a-fA-F]{3}([0-9a-fA-F]{3})?$`)
	link     = regexp.MustCompile(`^(/|https?://)`)
)

// decoded returns the parts as the types of package imbot.
func (ps parts) decoded() (a imbot.Attach, k imbot.Keyboard, m imbot.Menu) {
	attach, _ := mapStrings(ps[partAttach], func(s string) string { return strings.ReplaceAll(s, `\`, `\\`) }).(*array)
	for _, part := range []struct {
		stored *array
		into   json.Unmarshaler
	}{{attach, &a}, {ps[partKeyboard], &k}, {ps[partMenu], &m}} {
		if data, err := json.Marshal(part.stored); err == nil && part.stored.len() > 0 {
			_ = part.into.UnmarshalJSON(data) // can read everything that is stored
		}
	}
	return a, k, m
}

// mapStrings returns a copy of a value with all its strings changed.
func mapStrings(v any, change func(string) string) any {
	switch v := v.(type) {
	case string:
		return change(v)
	case *array:
		out := newArray()
		for i := range v.len() {
			out.set(v.keys[i], mapStrings(v.values[v.keys[i]], change))
		}
		return out
	}
	return v
}
