package imbottest

import (
	"regexp"
	"slices"
	"strings"

	"github.com/imbot-go/imbot"
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
	text, _ := from.get("TEXT").(string) // a number is no text
	if blankOrZero(text) || !setAction(b, from, bot, buttonActions, blankOrZero) {
		return nil
	}
	b.set("TEXT", trim(text))
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

// readMenu stores a list of items, whose texts it escapes for HTML.
func readMenu(from *array, bot imbot.ID) *array {
	items := newArray()
	for _, entry := range entries(from, "ITEMS") {
		item := newArray()
		item.set("BOT_ID", number(bot))
		text, _ := entry.get("TEXT").(string) // a number is no text
		if blank(text) || !setAction(item, entry, bot, itemActions, blank) {
			continue
		}
		item.set("TEXT", escapeHTML.Replace(trim(text)))
		item.set("CONTEXT", entry.oneOf("CONTEXT", "ALL", "MOBILE", "DESKTOP"))
		item.set("DISABLED", entry.flag("DISABLED"))
		items.add(item)
	}
	return items
}

var (
	buttonActions = regexp.MustCompile(`^(PUT|SEND|COPY|CALL|DIALOG|LIVECHAT|HELP)$`)
	itemActions   = regexp.MustCompile(`^(PUT|SEND|COPY|CALL|DIALOG)$`)
)

// setAction stores the first kind of action that is usable, and reports whether there is
// one. lost tells which texts count as none: those of blanks, and in a keyboard "0", too.
// The portal drops everything that has a key FUNCTION.
func setAction(to, from *array, bot imbot.ID, actions *regexp.Regexp, lost func(string) bool) bool {
	switch action := from.text("ACTION"); {
	case from.has("FUNCTION"):
		return false
	case link.MatchString(from.text("LINK")):
		to.set("LINK", escapeHTML.Replace(from.text("LINK")))
	case !lost(from.text("APP_ID")):
		to.set("APP_ID", number(from.id("APP_ID")))
		if params := from.text("APP_PARAMS"); !blank(params) {
			to.set("APP_PARAMS", params)
		}
	case actions.MatchString(action) && !blank(from.text("ACTION_VALUE")):
		to.set("ACTION", action)
		to.set("ACTION_VALUE", from.text("ACTION_VALUE"))
	case !lost(from.text("COMMAND")) && bot > 0:
		params := from.text("COMMAND_PARAMS")
		if lost(params) {
			params = ""
		}
		to.set("COMMAND", strings.TrimPrefix(from.text("COMMAND"), "/"))
		to.set("COMMAND_PARAMS", params)
	default:
		return false
	}
	return true
}

func blank(text string) bool { return trim(text) == "" }

func blankOrZero(text string) bool { return text == "0" || blank(text) }

// unescaped returns a copy of a stored list with these members as they were sent.
func unescaped(list *array, names ...string) *array {
	if list == nil {
		return nil
	}
	out := newArray()
	for _, from := range entries(list, "") {
		entry := newArray()
		for _, name := range from.keys {
			value := from.get(name)
			if text, ok := value.(string); ok && slices.Contains(names, name) {
				value = unescapeHTML.Replace(text)
			}
			entry.set(name, value)
		}
		out.add(entry)
	}
	return out
}

// escapeHTML and unescapeHTML do what PHP's htmlspecialchars does to a text, and back.
var (
	escapeHTML   = strings.NewReplacer("&", "&amp;", `"`, "&quot;", "<", "&lt;", ">", "&gt;")
	unescapeHTML = strings.NewReplacer("&amp;", "&", "&quot;", `"`, "&lt;", "<", "&gt;", ">")
)
