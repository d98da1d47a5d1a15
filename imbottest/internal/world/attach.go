package world

import (
	"regexp"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
)

// readAttach returns the attachment that the portal stores: its usable blocks. It is
// nil when there is none.
func (w *World) readAttach(from *php.Array) *php.Array {
	blocks, description := php.NewArray(), attachText(from.Get("DESCRIPTION"))
	for _, entry := range php.Entries(from, "BLOCKS") {
		for _, b := range readBlock(entry) {
			blocks.Add(b)
			if entry.Array("MESSAGE").Text("AS_DESCRIPTION") == "Y" && b.Has("MESSAGE") {
				description = b.Text("MESSAGE")
			}
		}
	}
	if blocks.Len() == 0 {
		return nil
	}
	palette := imbot.Colors()
	color := from.Text("COLOR")
	switch {
	case color == imbot.AttachColorTransparent:
		color = "transparent"
	case !hexColor.MatchString(color):
		color = palette[int(w.lastMsg)%len(palette)].Hex() // a real portal draws one by chance
	}
	out := php.NewArray()
	out.Set("ID", php.Number(imbot.ID(time.Now().Unix())))
	out.Set("BLOCKS", blocks)
	out.Set("DESCRIPTION", php.Trim(oneLine.Replace(description)))
	out.Set("COLOR", color)
	out.Set("COLOR_TOKEN", from.OneOf("COLOR_TOKEN", colorTokens...))
	return out
}

// readBlock reads one entry of BLOCKS. Of the kinds below, only the first one that the
// entry has is looked at.
func readBlock(from *php.Array) []*php.Array {
	for _, kind := range []string{"USER", "LINK", "RICH_LINK", "MESSAGE", "GRID", "IMAGE", "FILE", "DELIMITER"} {
		v := from.Get(kind)
		if v == nil {
			continue
		}
		var blocks []*php.Array
		for _, value := range readKind(kind, v) {
			b := php.NewArray()
			b.Set(kind, value)
			blocks = append(blocks, b)
		}
		return blocks
	}
	return nil
}

// readKind returns the values of the blocks that an entry of this kind becomes.
func readKind(kind string, v any) (values []any) {
	each := func(read func(entry) bool) *php.Array {
		list := php.NewArray()
		for _, from := range items(v) {
			if e := (entry{from, php.NewArray()}); read(e) {
				list.Add(e.to)
			}
		}
		return list
	}
	list := php.NewArray()
	switch kind {
	case "USER", "LINK", "RICH_LINK": // each element becomes a block of its own, with a list of one
		list = each(map[string]func(entry) bool{"USER": entry.user, "LINK": entry.page, "RICH_LINK": entry.richPage}[kind])
		for _, k := range list.Keys {
			one := php.NewArray()
			one.Add(list.Values[k])
			values = append(values, one)
		}
		return values
	case "MESSAGE":
		if object, ok := v.(*php.Array); ok {
			v = object.Get("TEXT")
		}
		if text := php.Trim(lineBreaks.Replace(attachText(v))); text != "" {
			return []any{text}
		}
	case "DELIMITER":
		if php.Truthy(v) {
			object, _ := v.(*php.Array)
			e := entry{object, php.NewArray()}
			if !e.number("SIZE") {
				e.to.Set("SIZE", php.Number(delimiterSize))
			}
			e.color("COLOR")
			return []any{e.to}
		}
	case "GRID":
		if object, ok := v.(*php.Array); ok && object.IsList() {
			list = each(entry.gridItem)
		}
	case "IMAGE":
		list = each(entry.image)
	case "FILE":
		list = each(entry.file)
	}
	if list.Len() > 0 {
		return []any{list}
	}
	return nil
}

// items returns the objects of a list; a single object counts as a list of one.
func items(v any) []*php.Array {
	a, _ := v.(*php.Array)
	if a.Len() > 0 && !a.IsList() {
		return []*php.Array{a}
	}
	return php.Entries(a, "")
}

// delimiterSize is the default length of a line in pixels.
const delimiterSize = 200

var (
	lineBreaks = strings.NewReplacer("#BR#", "[BR]")
	oneLine    = strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ")
)

// attachText converts to text and replaces backslash escapes, as the portal does in
// attachments: one kind after the other, so that a doubled backslash does not protect an n.
func attachText(v any) string {
	s := php.Text(v)
	for _, pair := range [...][2]string{{`\n`, "\n"}, {`\t`, "\t"}, {`\"`, `"`}, {`\\`, `\`}} {
		s = strings.ReplaceAll(s, pair[0], pair[1])
	}
	return s
}

// entry is an object of an attachment as it was sent (from) and as it is stored (to).
// Its methods copy what is usable and report whether there was any.
type entry struct{ from, to *php.Array }

func (e entry) text(name string) bool {
	s := attachText(e.from.Get(name))
	if s != "" {
		e.to.Set(name, s)
	}
	return s != ""
}

// label copies a NAME, trimmed and without line breaks.
func (e entry) label() bool {
	s := php.Trim(oneLine.Replace(attachText(e.from.Get("NAME"))))
	if s != "" {
		e.to.Set("NAME", s)
	}
	return s != ""
}

// network copies the id of a user of another portal, of which the portal keeps the first
// character and a number.
func (e entry) network() bool {
	m := networkID.FindStringSubmatch(php.Trim(e.from.Text("NETWORK_ID")))
	if m == nil {
		return false
	}
	e.to.Set("NETWORK_ID", m[1]+php.ToID(m[2]).String())
	return true
}

var networkID = regexp.MustCompile(`(?s)^(.)([0-9]*)`)

func (e entry) link(name string) bool {
	return link.MatchString(e.from.Text(name)) && e.text(name)
}

func (e entry) number(name string) bool {
	n := e.from.ID(name)
	if n > 0 {
		e.to.Set(name, php.Number(n))
	}
	return n > 0
}

func (e entry) color(name string) {
	if color := e.from.Text(name); hexColor.MatchString(color) {
		e.to.Set(name, color)
	}
}

func (e entry) user() bool {
	name := oneLine.Replace(attachText(e.from.Get("NAME")))
	if blank(name) {
		return false
	}
	e.to.Set("NAME", name) // not trimmed, unlike other names
	e.link("AVATAR")
	types := []string{"USER", "CHAT", "BOT"}
	switch { // the default of AVATAR_TYPE depends on what the name leads to
	case e.network(), e.number("USER_ID"):
	case e.number("CHAT_ID"):
		types = []string{"CHAT", "USER", "BOT"}
	case e.number("BOT_ID"):
		types = []string{"BOT", "USER", "CHAT"}
	default:
		e.link("LINK")
	}
	e.to.Set("AVATAR_TYPE", e.from.OneOf("AVATAR_TYPE", types...))
	return true
}

// target copies where a link leads, to an address or, with a name, to a user or chat,
// and reports whether it leads anywhere. Beside a user or chat every LINK is kept.
func (e entry) target() bool {
	if e.from.Given("NAME") {
		e.to.Set("NAME", "")
		e.label()
		if e.network() || e.number("USER_ID") || e.number("CHAT_ID") {
			e.text("LINK")
			return true
		}
	}
	return e.link("LINK")
}

func (e entry) page() bool {
	if !e.target() {
		return false
	}
	e.text("DESC")
	if !e.text("HTML") && e.link("PREVIEW") {
		e.number("WIDTH")
		e.number("HEIGHT")
	}
	return true
}

func (e entry) richPage() bool {
	if !e.target() {
		return false
	}
	e.text("DESC")
	switch {
	case e.text("HTML"):
	case e.link("PREVIEW"):
		size, given := php.NewArray(), e.from.Array("PREVIEW_SIZE")
		for _, name := range []string{"HEIGHT", "WIDTH"} {
			size.Set(name, php.Number(max(0, given.ID(name))))
		}
		e.to.Set("PREVIEW_SIZE", size)
	default:
		e.link("EXTRA_IMAGE")
	}
	return true
}

func (e entry) gridItem() bool {
	display := e.from.OneOf("DISPLAY", "BLOCK", "LINE", "ROW", "TABLE", "COLUMN", "CARD")
	switch display {
	case "COLUMN":
		display = "ROW"
	case "CARD":
		display = "LINE"
	}
	e.to.Set("DISPLAY", display)
	e.to.Set("NAME", "")
	value := php.Trim(lineBreaks.Replace(attachText(e.from.Get("VALUE"))))
	e.to.Set("VALUE", value)
	if !e.label() && value == "" && display != "LINE" {
		return false
	}
	e.number("WIDTH")
	e.number("HEIGHT")
	e.color("COLOR")
	e.to.Set("COLOR_TOKEN", e.from.OneOf("COLOR_TOKEN", colorTokens...))
	e.link("LINK")
	e.number("USER_ID")
	e.number("CHAT_ID")
	return true
}

func (e entry) image() bool {
	if !e.link("LINK") {
		return false
	}
	if name := php.Trim(attachText(e.from.Get("NAME"))); name != "" {
		e.to.Set("NAME", name) // with its line breaks, unlike other names
	}
	e.link("PREVIEW")
	e.number("WIDTH")
	e.number("HEIGHT")
	return true
}

func (e entry) file() bool {
	if !e.link("LINK") {
		return false
	}
	e.label()
	e.number("SIZE")
	return true
}
