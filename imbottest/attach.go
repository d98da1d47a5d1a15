package imbottest

import (
	"strings"
	"time"

	"github.com/imbot-go/imbot"
)

// readAttach returns the attachment that the portal stores: its usable blocks. It is
// nil when there is none.
func (p *Portal) readAttach(from *array) *array {
	blocks := newArray()
	for _, entry := range entries(from, "BLOCKS") {
		for _, b := range readBlock(entry) {
			blocks.add(b)
		}
	}
	if blocks.len() == 0 {
		return nil
	}
	palette := imbot.Colors()
	color := from.text("COLOR")
	if color != imbot.AttachColorTransparent && !hexColor.MatchString(color) {
		color = palette[int(p.lastMsg)%len(palette)].Hex() // a real portal draws one by chance
	}
	out := newArray()
	out.set("ID", number(imbot.ID(time.Now().Unix())))
	out.set("BLOCKS", blocks)
	if text := attachText(from.get("DESCRIPTION")); text != "" {
		out.set("DESCRIPTION", strings.Join(strings.Fields(text), " "))
	}
	out.set("COLOR", color)
	out.set("COLOR_TOKEN", from.oneOf("COLOR_TOKEN", colorTokens...))
	return out
}

// readBlock reads one entry of BLOCKS. Of the kinds below, only the first one that the
// entry has is looked at.
func readBlock(from *array) []*array {
	for _, kind := range []string{"USER", "LINK", "RICH_LINK", "MESSAGE", "GRID", "IMAGE", "FILE", "DELIMITER"} {
		v := from.get(kind)
		if v == nil {
			continue
		}
		var blocks []*array
		for _, value := range readKind(kind, v) {
			b := newArray()
			b.set(kind, value)
			blocks = append(blocks, b)
		}
		return blocks
	}
	return nil
}

// readKind returns the values of the blocks that an entry of this kind becomes.
func readKind(kind string, v any) (values []any) {
	each := func(read func(entry) bool) *array {
		list := newArray()
		for _, from := range items(v) {
			if e := (entry{from, newArray()}); read(e) {
				list.add(e.to)
			}
		}
		return list
	}
	list := newArray()
	switch kind {
	case "USER", "LINK", "RICH_LINK": // each element becomes a block of its own
		list = each(map[string]func(entry) bool{"USER": entry.user, "LINK": entry.page, "RICH_LINK": entry.richPage}[kind])
		for _, k := range list.keys {
			values = append(values, list.values[k])
		}
		return values
	case "MESSAGE":
		if object, ok := v.(*array); ok {
			v = object.get("TEXT")
		}
		if text := lineBreaks.Replace(attachText(v)); text != "" {
			return []any{text}
		}
	case "DELIMITER":
		if truthy(v) {
			object, _ := v.(*array)
			e := entry{object, newArray()}
			if !e.number("SIZE") {
				e.to.set("SIZE", number(delimiterSize))
			}
			e.color("COLOR")
			return []any{e.to}
		}
	case "GRID":
		if object, ok := v.(*array); ok && object.isList() {
			list = each(entry.gridItem)
		}
	case "IMAGE":
		list = each(entry.image)
	case "FILE":
		list = each(entry.file)
	}
	if list.len() > 0 {
		return []any{list}
	}
	return nil
}

// items returns the objects of a list; a single object counts as a list of one.
func items(v any) []*array {
	a, _ := v.(*array)
	if a.len() > 0 && !a.isList() {
		return []*array{a}
	}
	return entries(a, "")
}

// delimiterSize is the default length of a line in pixels.
const delimiterSize = 200

var lineBreaks = strings.NewReplacer("#BR#", "[BR]")

// attachText converts to text and replaces backslash escapes, as the portal does in
// attachments: one kind after the other, so that a doubled backslash does not protect an n.
func attachText(v any) string {
	s := text(v)
	for _, pair := range [...][2]string{{`\n`, "\n"}, {`\t`, "\t"}, {`\"`, `"`}, {`\\`, `\`}} {
		s = strings.ReplaceAll(s, pair[0], pair[1])
	}
	return s
}

// entry is an object of an attachment as it was sent (from) and as it is stored (to).
// Its methods copy what is usable and report whether there was any.
type entry struct{ from, to *array }

func (e entry) text(name string) bool {
	s := attachText(e.from.get(name))
	if s != "" {
		e.to.set(name, s)
	}
	return s != ""
}

func (e entry) link(name string) bool {
	return link.MatchString(e.from.text(name)) && e.text(name)
}

func (e entry) number(name string) bool {
	n := e.from.id(name)
	if n > 0 {
		e.to.set(name, number(n))
	}
	return n > 0
}

func (e entry) color(name string) {
	if color := e.from.text(name); hexColor.MatchString(color) {
		e.to.set(name, color)
	}
}

func (e entry) user() bool {
	if !e.text("NAME") {
		return false
	}
	e.link("AVATAR")
	types := []string{"USER", "CHAT", "BOT"}
	switch { // the default of AVATAR_TYPE depends on what the name leads to
	case e.text("NETWORK_ID"), e.number("USER_ID"):
	case e.number("CHAT_ID"):
		types = []string{"CHAT", "USER", "BOT"}
	case e.number("BOT_ID"):
		types = []string{"BOT", "USER", "CHAT"}
	default:
		e.link("LINK")
	}
	e.to.set("AVATAR_TYPE", e.from.oneOf("AVATAR_TYPE", types...))
	return true
}

// target copies where a link leads, to an address or, with a name, to a user or chat,
// and reports whether it leads anywhere.
func (e entry) target() bool {
	named := e.text("NAME")
	leads := e.text("NETWORK_ID") || e.number("USER_ID") || e.number("CHAT_ID")
	return e.link("LINK") || named && leads
}

func (e entry) page() bool {
	if !e.target() {
		return false
	}
	if e.text("HTML") {
		return true
	}
	e.text("DESC")
	if e.link("PREVIEW") {
		e.number("WIDTH")
		e.number("HEIGHT")
	}
	return true
}

func (e entry) richPage() bool {
	if !e.target() {
		return false
	}
	if e.text("HTML") {
		return true
	}
	e.text("DESC")
	if !e.link("PREVIEW") {
		e.link("EXTRA_IMAGE")
		return true
	}
	size, given := newArray(), e.from.array("PREVIEW_SIZE")
	for _, name := range []string{"HEIGHT", "WIDTH"} {
		size.set(name, number(max(0, given.id(name))))
	}
	e.to.set("PREVIEW_SIZE", size)
	return true
}

func (e entry) gridItem() bool {
	display := e.from.oneOf("DISPLAY", "BLOCK", "LINE", "ROW", "TABLE", "COLUMN", "CARD")
	switch display {
	case "COLUMN":
		display = "ROW"
	case "CARD":
		display = "LINE"
	}
	named := e.text("NAME")
	if value := lineBreaks.Replace(attachText(e.from.get("VALUE"))); value != "" {
		e.to.set("VALUE", value)
	} else if !named && display != "LINE" {
		return false
	}
	e.to.set("DISPLAY", display)
	e.number("WIDTH")
	e.number("HEIGHT")
	e.color("COLOR")
	e.to.set("COLOR_TOKEN", e.from.oneOf("COLOR_TOKEN", colorTokens...))
	e.link("LINK")
	e.number("USER_ID")
	e.number("CHAT_ID")
	return true
}

func (e entry) image() bool {
	if !e.link("LINK") {
		return false
	}
	e.text("NAME")
	e.link("PREVIEW")
	e.number("WIDTH")
	e.number("HEIGHT")
	return true
}

func (e entry) file() bool {
	if !e.link("LINK") {
		return false
	}
	e.text("NAME")
	e.number("SIZE")
	return true
}
