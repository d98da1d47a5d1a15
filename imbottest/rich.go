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
func (p *Portal) readPart(kind int, v any, bot imbot.ID) *array {
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

var (
	hexColor = regexp.MustCompile(`^#[0-9a-fA-F]{3}([0-9a-fA-F]{3})?$`)
	link     = regexp.MustCompile(`^(/|https?://)`)
)

// readKeyboard stores a list of buttons.
func readKeyboard(from *array, bot imbot.ID) *array {
	buttons := newArray()
	colors, vote := from.array("COLORS"), from.flag("VOTE")
	for _, entry := range entries(from, "BUTTONS") {
		if b := readButton(entry, colors, vote, bot); b != nil {
			buttons.add(b)
		}
	}
	return buttons
}

func readButton(from, colors *array, vote string, bot imbot.ID) *array {
	b := newArray()
	if from.text("TYPE") == "NEWLINE" {
		b.set("TYPE", "NEWLINE")
		return b
	}
	b.set("BOT_ID", number(bot))
	b.set("TYPE", "BUTTON")
	text := buttonText(from)
	if text == "" || !setAction(b, from, bot) {
		return nil
	}
	b.set("TEXT", text)
	b.set("VOTE", vote)
	b.set("BLOCK", from.flag("BLOCK"))
	b.set("WAIT", "N")
	b.set("CONTEXT", from.oneOf("CONTEXT", "ALL", "MOBILE", "DESKTOP"))
	b.set("DISABLED", from.flag("DISABLED"))
	b.set("DISPLAY", from.oneOf("DISPLAY", "BLOCK", "LINE"))
	if width := from.id("WIDTH"); width > 0 {
		b.set("WIDTH", number(width))
	}
	for _, name := range []string{"BG_COLOR", "TEXT_COLOR", "OFF_BG_COLOR", "OFF_TEXT_COLOR"} {
		if color := from.text(name); hexColor.MatchString(color) {
			b.set(name, color)
		} else if color = colors.text(name); hexColor.MatchString(color) {
			b.set(name, color)
		}
	}
	b.set("BG_COLOR_TOKEN", from.oneOf("BG_COLOR_TOKEN", colorTokens...))
	return b
}

// colorTokens are the values of COLOR_TOKEN; the first is the default.
var colorTokens = []string{"base", "primary", "secondary", "alert"}

// buttonText is the text of a button or item. Like a real portal it takes a number, and
// the text "0", for no text.
func buttonText(from *array) string {
	text, _ := from.get("TEXT").(string)
	if text = strings.TrimSpace(text); text == "0" {
		return ""
	}
	return text
}

// setAction stores the first kind of action that is usable, and reports whether there is
// one. The portal drops every button that has a key FUNCTION.
func setAction(to, from *array, bot imbot.ID) bool {
	command := strings.TrimPrefix(from.text("COMMAND"), "/")
	switch action := from.text("ACTION"); {
	case from.has("FUNCTION"):
		return false
	case link.MatchString(from.text("LINK")):
		to.set("LINK", from.text("LINK"))
	case from.id("APP_ID") > 0:
		to.set("APP_ID", number(from.id("APP_ID")))
		to.set("APP_PARAMS", from.text("APP_PARAMS"))
	case actions.MatchString(action) && strings.TrimSpace(from.text("ACTION_VALUE")) != "":
		to.set("ACTION", action)
		to.set("ACTION_VALUE", from.text("ACTION_VALUE"))
	case command != "" && bot > 0:
		to.set("COMMAND", command)
		to.set("COMMAND_PARAMS", from.text("COMMAND_PARAMS"))
	default:
		return false
	}
	return true
}

var actions = regexp.MustCompile(`^(PUT|SEND|COPY|CALL|DIALOG|LIVECHAT|HELP)$`)

// readMenu stores a list of items, whose texts it escapes for HTML.
func readMenu(from *array, bot imbot.ID) *array {
	items := newArray()
	for _, entry := range entries(from, "ITEMS") {
		item := newArray()
		item.set("BOT_ID", number(bot))
		text := buttonText(entry)
		if text == "" || !setAction(item, entry, bot) {
			continue
		}
		item.set("TEXT", escapeHTML.Replace(text))
		item.set("CONTEXT", entry.oneOf("CONTEXT", "ALL", "MOBILE", "DESKTOP"))
		item.set("DISABLED", entry.flag("DISABLED"))
		items.add(item)
	}
	return items
}

var escapeHTML = strings.NewReplacer("&", "&amp;", `"`, "&quot;", "<", "&lt;", ">", "&gt;")

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
