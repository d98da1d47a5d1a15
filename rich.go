package imbot

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/imbot-go/imbot/internal/mention"
	"github.com/imbot-go/imbot/internal/phpform"
)

// What keyboards, menus and attachments have in common.

// ColorToken is a colour that follows the reader's theme.
type ColorToken string

// The colour tokens.
const (
	ColorTokenPrimary   ColorToken = "primary"
	ColorTokenSecondary ColorToken = "secondary"
	ColorTokenAlert     ColorToken = "alert"
	ColorTokenBase      ColorToken = "base" // the portal's default
)

// removed is what the portal takes for "remove it" in an update. An empty object
// would get lost in a batch.
const removed = `"N"`

// richList finds the list in one of the forms that the portal takes: an object
// with the list as one member, the bare list, or a JSON string of either. What
// stands beside the list is returned, too. Nothing and "N" are an empty list.
func richList(data []byte, name string) ([]json.RawMessage, object, error) {
	data = bytes.TrimSpace(data)
	if len(data) > 0 && data[0] == '"' {
		var s string
		if err := json.Unmarshal(data, &s); err != nil {
			return nil, nil, err
		}
		s = strings.TrimSpace(s)
		if s == "" || s == "N" {
			return nil, nil, nil
		}
		if s[0] != '[' && s[0] != '{' || !json.Valid([]byte(s)) {
			return nil, nil, fmt.Errorf("imbot: the text of %s is not JSON", name)
		}
		data = []byte(s)
	}
	switch {
	case string(data) == "null", string(data) == "false":
		return nil, nil, nil
	case len(data) > 0 && data[0] == '[':
		list, err := phpform.List[json.RawMessage](data)
		return list, nil, err
	case len(data) == 0 || data[0] != '{':
		return nil, nil, fmt.Errorf("imbot: %.20s is neither a list nor an object with %s", data, name)
	}
	var o object
	if err := json.Unmarshal(data, &o); err != nil {
		return nil, nil, err
	}
	list, ok := o[name]
	if !ok {
		for key := range o { // a list with holes
			if _, err := strconv.Atoi(key); err != nil {
				return nil, nil, fmt.Errorf("imbot: an object without %s", name)
			}
		}
		all, err := phpform.List[json.RawMessage](data)
		return all, nil, err
	}
	delete(o, name)
	if string(list) == "null" {
		return nil, o, nil
	}
	all, err := phpform.List[json.RawMessage](list)
	return all, o, err
}

// take removes a scalar member and returns its text; another value stays.
func (o object) take(name string) string {
	s, err := phpform.Scalar(o[name])
	if err != nil {
		return ""
	}
	delete(o, name)
	return s
}

func (o object) takeFlag(name string) Flag { return parseFlag(o.take(name)) }

// takeInt removes a number and returns it; what is not a number stays, unless it
// is one of PHP's words for nothing.
func (o object) takeInt(name string) int64 {
	s, err := phpform.Scalar(o[name])
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err == nil || s == "" {
		delete(o, name)
		return n
	}
	return 0
}

func (o object) takeID(name string) ID { return ID(o.takeInt(name)) }

func (o object) takeSize(name string) int { return int(o.takeInt(name)) }

// rest is what is left after all members that have a field were taken, as JSON.
// It is kept beside the fields, so that it goes out again.
func (o object) rest() string {
	if len(o) == 0 {
		return ""
	}
	data, err := json.Marshal(o)
	if err != nil {
		return ""
	}
	return string(data)
}

// withRest adds the members that have no field to an object.
func withRest(data []byte, rest string) ([]byte, error) {
	if rest == "" {
		return data, nil
	}
	var all, known object
	if err := json.Unmarshal([]byte(rest), &all); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &known); err != nil {
		return nil, err
	}
	for name, value := range known {
		all[name] = value
	}
	return json.Marshal(all)
}

func marshalList(name string, list []json.RawMessage, rest string) ([]byte, error) {
	data, err := json.Marshal(map[string][]json.RawMessage{name: list})
	if err != nil {
		return nil, err
	}
	return withRest(data, rest)
}

var hexColor = regexp.MustCompile(`^#[0-9a-fA-F]{3}([0-9a-fA-F]{3})?$`)

// checkHexColor refuses colours that the portal ignores.
func checkHexColor(field, s string) error {
	if s != "" && !hexColor.MatchString(s) {
		return invalid(ErrWrongColor, "%s %.20q is not #rgb or #rrggbb", field, s)
	}
	return nil
}

func checkToken(field string, t ColorToken) error {
	return checkOneOf(field, t, ColorTokenPrimary, ColorTokenSecondary, ColorTokenAlert, ColorTokenBase)
}

func isLink(s string) bool {
	return strings.HasPrefix(s, "/") || strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://")
}

// checkLink refuses addresses that the portal drops.
func checkLink(code ErrorCode, field, s string) error {
	if s != "" && !isLink(s) {
		return invalid(code, "%s %.20q does not start with /, http:// or https://", field, s)
	}
	return checkTexts(field, s)
}

// trimmedAway reports whether the portal's trimming leaves nothing of a text.
func trimmedAway(s string) bool { return trimBlanks(s) == "" }

// trimBlanks trims as the portal does; other blanks of Unicode are text.
func trimBlanks(s string) string { return mention.Trim(s) }

func checkJSON(code ErrorCode, field string, raw []byte) error {
	if !utf8.Valid(raw) || !json.Valid(raw) {
		return invalid(code, "%s is not JSON", field)
	}
	return nil
}

// checkRich checks what comes with a message. Where there is nothing to remove,
// empty ones are refused.
func checkRich(a *Attach, k *Keyboard, m *Menu, canRemove bool) error {
	if !canRemove {
		switch {
		case a != nil && a.empty():
			return invalid(ErrAttach, "ATTACH has no blocks")
		case k != nil && k.empty():
			return invalid(ErrKeyboard, "KEYBOARD has no buttons")
		case m != nil && m.empty():
			return invalid(ErrMenu, "MENU has no items")
		}
	}
	return checkAll(a.Check(), k.Check(), m.check())
}
