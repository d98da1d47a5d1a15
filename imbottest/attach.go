package imbottest

import (
	"regexp"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
)

// readAttach returns the attachment that the portal stores: its usable blocks. It is
// nil when there is none.
func (p *world) readAttach(from *array) *array {
	blocks, description := newArray(), attachText(from.get("DESCRIPTION"))
	for _, entry := range entries(from, "BLOCKS") {
		for _, b := range readBlock(entry) {
			blocks.add(b)
			if entry.array("MESSAGE").text("AS_DESCRIPTION") == "Y" && b.has("MESSAGE") {
				description = b.text("MESSAGE")
			}
		}
	}
	if blocks.len() == 0 {
		return nil
	}
	palette := imbot.Colors()
	color := from.text("COLOR")
	switch {
	case color == imbot.AttachColorTransparent:
		color = "transparent"
	case !hexColor.MatchString(color):
		color = palette[int(p.lastMsg)%len(palette)].Hex() // a real portal draws one by chance
	}
	out := newArray()
	out.set("ID", number(imbot.ID(time.Now().Unix())))
	out.set("BLOCKS", blocks)
	out.set("DESCRIPTION", trim(oneLine.Replace(description)))
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
	case "USER", "LINK", "RICH_LINK": // each element becomes a block of its own, with a list of one
		list = each(map[string]func(entry) bool{"USER": entry.user, "LINK": entry.page, "RICH_LINK": entry.richPage}[kind])
		for _, k := range list.keys {
			one := newArray()
			one.add(list.values[k])
			values = append(values, one)
		}
		return values
	case "MESSAGE":
		if object, ok := v.(*array); ok {
			v = object.get("TEXT")
		}
		if text := trim(lineBreaks.Replace(attachText(v))); text != "" {
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

var (
	lineBreaks = strings.NewReplacer("#BR#", "[BR]")
	oneLine    = strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ")
)

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

// label copies a NAME, trimmed and without line breaks.
func (e entry) label() bool {
	s := trim(oneLine.Replace(attachText(e.from.get("NAME"))))
	if s != "" {
		e.to.set("NAME", s)
	}
	return s != ""
}

// network copies the id of a user of another portal, of which the portal keeps the first
// character and a number.
func (e entry) network() bool {
	m := networkID.FindStringSubmatch(trim(e.from.text("NETWORK_ID")))
	if m == nil {
		return false
	}
	e.to.set("NETWORK_ID", m[1]+toID(m[2]).String())
	return true
}

var networkID = regexp.MustCompile(`(?s)^(.)([0-9]*)`)

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
	name := oneLine.Replace(attachText(e.from.get("NAME")))
	if blank(name) {
		return false
	}
	e.to.set("NAME", name) // not trimmed, unlike other names
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
	e.to.set("AVATAR_TYPE", e.from.oneOf("AVATAR_TYPE", types...))
	return true
}

// target copies where a link leads, to an address or, with a name, to a user or chat,
// and reports whether it leads anywhere. Beside a user or chat every LINK is kept.
func (e entry) target() bool {
	if e.from.given("NAME") {
		e.to.set("NAME", "")
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
		size, given := newArray(), e.from.array("PREVIEW_SIZE")
		for _, name := range []string{"HEIGHT", "WIDTH"} {
			size.set(name, number(max(0, given.id(name))))
		}
		e.to.set("PREVIEW_SIZE", size)
	default:
		e.link("EXTRA_IMAGE")
	}
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
	e.to.set("DISPLAY", display)
	e.to.set("NAME", "")
	value := trim(lineBreaks.Replace(attachText(e.from.get("VALUE"))))
	e.to.set("VALUE", value)
	if !e.label() && value == "" && display != "LINE" {
		return false
	}
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
	if name := trim(attachText(e.from.get("NAME"))); name != "" {
		e.to.set("NAME", name) // with its line breaks, unlike other names
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
