package world

import (
	"regexp"
	"slices"
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
)

// readKeyboard stores a list of buttons.
func readKeyboard(from *php.Array, bot imbot.ID) *php.Array {
	buttons := php.NewArray()
	colors, vote := from.Array("COLORS"), from.Flag("VOTE")
	for _, entry := range php.Entries(from, "BUTTONS") {
		if b := readButton(entry, colors, vote, bot); b != nil {
			buttons.Add(b)
		}
	}
	return buttons
}

func readButton(from, colors *php.Array, vote string, bot imbot.ID) *php.Array {
	b := php.NewArray()
	if from.Text("TYPE") == "NEWLINE" {
		b.Set("TYPE", "NEWLINE")
		return b
	}
	b.Set("BOT_ID", php.Number(bot))
	b.Set("TYPE", "BUTTON")
	text, _ := from.Get("TEXT").(string) // a number is no text
	if blankOrZero(text) || !setAction(b, from, bot, buttonActions, blankOrZero) {
		return nil
	}
	b.Set("TEXT", php.Trim(text))
	b.Set("VOTE", vote)
	b.Set("BLOCK", from.Flag("BLOCK"))
	b.Set("WAIT", "N")
	b.Set("CONTEXT", from.OneOf("CONTEXT", "ALL", "MOBILE", "DESKTOP"))
	b.Set("DISABLED", from.Flag("DISABLED"))
	b.Set("DISPLAY", from.OneOf("DISPLAY", "BLOCK", "LINE"))
	if width := from.ID("WIDTH"); width > 0 {
		b.Set("WIDTH", php.Number(width))
	}
	for _, name := range []string{"BG_COLOR", "TEXT_COLOR", "OFF_BG_COLOR", "OFF_TEXT_COLOR"} {
		if color := from.Text(name); hexColor.MatchString(color) {
			b.Set(name, color)
		} else if color = colors.Text(name); hexColor.MatchString(color) {
			b.Set(name, color)
		}
	}
	b.Set("BG_COLOR_TOKEN", from.OneOf("BG_COLOR_TOKEN", colorTokens...))
	return b
}

// readMenu stores a list of items, whose texts it escapes for HTML.
func readMenu(from *php.Array, bot imbot.ID) *php.Array {
	items := php.NewArray()
	for _, entry := range php.Entries(from, "ITEMS") {
		item := php.NewArray()
		item.Set("BOT_ID", php.Number(bot))
		text, _ := entry.Get("TEXT").(string) // a number is no text
		if blank(text) || !setAction(item, entry, bot, itemActions, blank) {
			continue
		}
		item.Set("TEXT", escapeHTML.Replace(php.Trim(text)))
		item.Set("CONTEXT", entry.OneOf("CONTEXT", "ALL", "MOBILE", "DESKTOP"))
		item.Set("DISABLED", entry.Flag("DISABLED"))
		items.Add(item)
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
func setAction(to, from *php.Array, bot imbot.ID, actions *regexp.Regexp, lost func(string) bool) bool {
	switch action := from.Text("ACTION"); {
	case from.Has("FUNCTION"):
		return false
	case link.MatchString(from.Text("LINK")):
		to.Set("LINK", escapeHTML.Replace(from.Text("LINK")))
	case !lost(from.Text("APP_ID")):
		to.Set("APP_ID", php.Number(from.ID("APP_ID")))
		if params := from.Text("APP_PARAMS"); !blank(params) {
			to.Set("APP_PARAMS", params)
		}
	case actions.MatchString(action) && !blank(from.Text("ACTION_VALUE")):
		to.Set("ACTION", action)
		to.Set("ACTION_VALUE", from.Text("ACTION_VALUE"))
	case !lost(from.Text("COMMAND")) && bot > 0:
		params := from.Text("COMMAND_PARAMS")
		if lost(params) {
			params = ""
		}
		to.Set("COMMAND", strings.TrimPrefix(from.Text("COMMAND"), "/"))
		to.Set("COMMAND_PARAMS", params)
	default:
		return false
	}
	return true
}

func blank(text string) bool { return php.Trim(text) == "" }

func blankOrZero(text string) bool { return text == "0" || blank(text) }

// Unescaped returns a copy of a stored list with these members as they were sent.
func Unescaped(list *php.Array, names ...string) *php.Array {
	if list == nil {
		return nil
	}
	out := php.NewArray()
	for _, from := range php.Entries(list, "") {
		entry := php.NewArray()
		for _, name := range from.Keys {
			value := from.Get(name)
			if text, ok := value.(string); ok && slices.Contains(names, name) {
				value = unescapeHTML.Replace(text)
			}
			entry.Set(name, value)
		}
		out.Add(entry)
	}
	return out
}

// escapeHTML and unescapeHTML do what PHP's htmlspecialchars does to a text, and back.
var (
	escapeHTML   = strings.NewReplacer("&", "&amp;", `"`, "&quot;", "<", "&lt;", ">", "&gt;")
	unescapeHTML = strings.NewReplacer("&amp;", "&", "&quot;", `"`, "&lt;", "<", "&gt;", ">")
)
