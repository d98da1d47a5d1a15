package imbot

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// The portal interprets \n, \t, \" and \\ inside the texts of an attachment. So
// every backslash is doubled on the way out, and reading interprets what the
// portal does: what was written reads the same.

// marshalTexts encodes a block's fields with doubled backslashes, and adds the
// members that have no field as they came.
func marshalTexts(fields any, rest string) ([]byte, error) {
	data, err := json.Marshal(fields)
	if err != nil {
		return nil, err
	}
	// Of the escapes that the encoder writes only that of a backslash has two.
	data = bytes.ReplaceAll(data, []byte(`\\`), []byte(`\\\\`))
	return withRest(data, rest)
}

// marshalBlock encodes a block under the name of its kind.
func marshalBlock(kind string, fields any, rest string) ([]byte, error) {
	data, err := marshalTexts(fields, rest)
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]json.RawMessage{kind: data})
}

func marshalItems[T any](kind string, items []T) ([]byte, error) {
	if items == nil {
		items = []T{}
	}
	return json.Marshal(map[string][]T{kind: items})
}

// takeText is take for a text in which the portal interprets backslashes.
func (o object) takeText(name string) string {
	s := o.take(name)
	if !strings.Contains(s, `\`) {
		return s
	}
	return strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\"`, `"`, `\\`, `\`).Replace(s)
}

// MarshalJSON writes the form that the portal takes; the empty attachment is "N".
func (a Attach) MarshalJSON() ([]byte, error) {
	if a.empty() {
		return []byte(removed), nil
	}
	for _, b := range a.Blocks {
		switch b.(type) {
		case BlockUser, BlockLink, BlockMessage, BlockDelimiter, BlockGrid, BlockImage, BlockFile, BlockUnknown:
		default:
			return nil, fmt.Errorf("imbot: %T is not a block: use it by value", b)
		}
	}
	blocks := a.Blocks
	if blocks == nil {
		blocks = []Block{}
	}
	data, err := json.Marshal(struct {
		ID         ID         `json:"ID,omitempty"`
		Color      string     `json:"COLOR,omitempty"`
		ColorToken ColorToken `json:"COLOR_TOKEN,omitempty"`
		Blocks     []Block    `json:"BLOCKS"`
	}{a.ID, a.Color, a.ColorToken, blocks})
	if err != nil {
		return nil, err
	}
	return withRest(data, a.rest)
}

// MarshalJSON writes the block under its kind.
func (b BlockUser) MarshalJSON() ([]byte, error) {
	type fields BlockUser
	return marshalBlock("USER", fields(b), b.rest)
}

// MarshalJSON writes the block under its kind.
func (b BlockLink) MarshalJSON() ([]byte, error) {
	type fields BlockLink
	return marshalBlock("LINK", fields(b), b.rest)
}

// MarshalJSON writes the block under its kind.
func (b BlockMessage) MarshalJSON() ([]byte, error) { return marshalBlock("MESSAGE", string(b), "") }

// MarshalJSON writes the block under its kind.
func (b BlockDelimiter) MarshalJSON() ([]byte, error) {
	type fields BlockDelimiter
	if b.Size <= 0 {
		b.Size = delimiterSize // an empty object would get lost in a batch
	}
	return marshalBlock("DELIMITER", fields(b), b.rest)
}

// MarshalJSON writes the block under its kind.
func (b BlockGrid) MarshalJSON() ([]byte, error) { return marshalItems("GRID", b) }

// MarshalJSON writes the block under its kind.
func (b BlockImage) MarshalJSON() ([]byte, error) { return marshalItems("IMAGE", b) }

// MarshalJSON writes the block under its kind.
func (b BlockFile) MarshalJSON() ([]byte, error) { return marshalItems("FILE", b) }

// MarshalJSON writes the JSON of the block.
func (b BlockUnknown) MarshalJSON() ([]byte, error) { return []byte(b), nil }

// MarshalJSON writes an entry of a grid.
func (i GridItem) MarshalJSON() ([]byte, error) {
	type fields GridItem
	return marshalTexts(fields(i), i.rest)
}

// MarshalJSON writes one picture.
func (i ImageItem) MarshalJSON() ([]byte, error) {
	type fields ImageItem
	return marshalTexts(fields(i), i.rest)
}

// MarshalJSON writes one file.
func (i FileItem) MarshalJSON() ([]byte, error) {
	type fields FileItem
	return marshalTexts(fields(i), i.rest)
}

// delimiterSize is the portal's default.
const delimiterSize = 200

// UnmarshalJSON reads every form that the portal takes: an object with BLOCKS, a
// bare list, a JSON string of either, "N", "", null or []. In texts, \n, \t, \" and
// \\ are read as the portal reads them; MarshalJSON writes two backslashes for one.
func (a *Attach) UnmarshalJSON(data []byte) error {
	entries, o, err := richList(data, "BLOCKS")
	if err != nil {
		return err
	}
	*a = Attach{}
	for _, entry := range entries {
		a.Blocks = append(a.Blocks, readBlock(entry)...)
	}
	if len(a.Blocks) == 0 {
		return nil
	}
	a.ID, a.Color, a.ColorToken = o.takeID("ID"), o.take("COLOR"), ColorToken(o.take("COLOR_TOKEN"))
	a.rest = o.rest()
	return nil
}

// readBlock reads one entry of BLOCKS. A list of people or of links is as many
// blocks. What is not exactly one kind in a known form stays as it is.
func readBlock(entry json.RawMessage) []Block {
	var kinds object
	if json.Unmarshal(entry, &kinds) == nil && len(kinds) == 1 {
		for kind, value := range kinds {
			if blocks, ok := readKind(kind, value); ok {
				return blocks
			}
		}
	}
	entry, _ = json.Marshal(entry) // the one spelling of it; it was JSON before
	return []Block{BlockUnknown(entry)}
}

func readKind(kind string, value json.RawMessage) (blocks []Block, ok bool) {
	one := func(b Block, ok bool) ([]Block, bool) { return []Block{b}, ok }
	switch kind {
	case "USER":
		users, ok := readItems(value, readUser)
		for _, u := range users {
			blocks = append(blocks, u)
		}
		return blocks, ok
	case "LINK":
		links, ok := readItems(value, readLink)
		for _, l := range links {
			blocks = append(blocks, l)
		}
		return blocks, ok
	case "MESSAGE":
		if value[0] != '"' {
			return nil, false
		}
		o := object{kind: value}
		return one(BlockMessage(o.takeText(kind)), true)
	case "DELIMITER":
		b, ok := readDelimiter(value)
		return one(b, ok)
	case "GRID":
		if value[0] != '[' { // the portal takes a list only
			return nil, false
		}
		items, ok := readItems(value, readGridItem)
		return one(BlockGrid(items), ok)
	case "IMAGE":
		items, ok := readItems(value, readImageItem)
		return one(BlockImage(items), ok)
	case "FILE":
		items, ok := readItems(value, readFileItem)
		return one(BlockFile(items), ok)
	}
	return nil, false
}

// readItems reads an object or a list of objects.
func readItems[T any](value json.RawMessage, read func(object) T) ([]T, bool) {
	list := []json.RawMessage{value}
	if value[0] == '[' {
		if json.Unmarshal(value, &list) != nil {
			return nil, false
		}
	}
	items := make([]T, len(list))
	for i, entry := range list {
		var o object
		if json.Unmarshal(entry, &o) != nil || o == nil {
			return nil, false
		}
		items[i] = read(o)
	}
	return items, len(items) > 0
}

func readUser(o object) BlockUser {
	b := BlockUser{
		Name: o.takeText("NAME"), Avatar: o.takeText("AVATAR"), AvatarType: AvatarType(o.takeText("AVATAR_TYPE")), Link: o.takeText("LINK"),
		UserID: o.takeID("USER_ID"), ChatID: o.takeID("CHAT_ID"), BotID: o.takeID("BOT_ID"), NetworkID: o.takeText("NETWORK_ID"),
	}
	b.rest = o.rest()
	return b
}

func readLink(o object) BlockLink {
	b := BlockLink{
		Link: o.takeText("LINK"), Name: o.takeText("NAME"), Desc: o.takeText("DESC"), HTML: o.takeText("HTML"), Preview: o.takeText("PREVIEW"),
		Width: o.takeSize("WIDTH"), Height: o.takeSize("HEIGHT"),
		UserID: o.takeID("USER_ID"), ChatID: o.takeID("CHAT_ID"), NetworkID: o.takeText("NETWORK_ID"),
	}
	b.rest = o.rest()
	return b
}

// readDelimiter reads an object, or true for the defaults.
func readDelimiter(value json.RawMessage) (b BlockDelimiter, ok bool) {
	var o object
	if string(value) != "true" && string(value) != "[]" && (json.Unmarshal(value, &o) != nil || o == nil) {
		return b, false
	}
	b = BlockDelimiter{Size: o.takeSize("SIZE"), Color: o.takeText("COLOR")}
	if o["SIZE"] != nil {
		return b, false
	}
	if b.Size <= 0 {
		b.Size = delimiterSize
	}
	b.rest = o.rest()
	return b, true
}

func readGridItem(o object) GridItem {
	i := GridItem{
		Name: o.takeText("NAME"), Value: o.takeText("VALUE"), Display: GridDisplay(o.takeText("DISPLAY")),
		Width: o.takeSize("WIDTH"), Height: o.takeSize("HEIGHT"), Color: o.takeText("COLOR"), ColorToken: ColorToken(o.takeText("COLOR_TOKEN")),
		Link: o.takeText("LINK"), UserID: o.takeID("USER_ID"), ChatID: o.takeID("CHAT_ID"),
	}
	i.rest = o.rest()
	return i
}

func readImageItem(o object) ImageItem {
	i := ImageItem{
		Link: o.takeText("LINK"), Name: o.takeText("NAME"), Preview: o.takeText("PREVIEW"), Width: o.takeSize("WIDTH"), Height: o.takeSize("HEIGHT"),
	}
	i.rest = o.rest()
	return i
}

func readFileItem(o object) FileItem {
	i := FileItem{Link: o.takeText("LINK"), Name: o.takeText("NAME"), Size: o.takeInt("SIZE")}
	i.rest = o.rest()
	return i
}
