package imbot

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/imbot-go/imbot/internal/phpform"
)

// Attach is an attachment: blocks in a coloured frame below the text of a
// message. It is not part of push notifications, e-mails and XMPP copies, so the
// text has to stand alone. The limit is that of a [Keyboard].
//
// BB code works in texts and grid values, with the codes b, i, u, s, url, user,
// chat, send, put, call and br only.
//
// The portal cannot keep a backslash before the letters n and t, as in C:\new: this
// package puts an invisible character between them (U+2060). In an address, which it
// would break, such a backslash is refused.
//
// The empty Attach removes the attachment of a message in
// [MessageService.Update]; everywhere else it is refused.
type Attach struct {
	Blocks     []Block
	Color      string     // "#29619b" or "#fff", or one of the AttachColor constants; without it the portal picks any colour
	ColorToken ColorToken // default ColorTokenBase
	ID         ID         // accepted, but the portal stores a number of its own

	rest string // members that have no field
}

// Colours of an [Attach] beside #rgb and #rrggbb.
const (
	AttachColorNormal      = "#aac337"
	AttachColorAttention   = "#e8a441"
	AttachColorProblem     = "#df532d"
	AttachColorTransparent = "TRANSPARENT"
	AttachColorChat        = "CHAT" // that of the chat; recent builds take any colour instead
)

// Block is one block of an [Attach]: one of the types whose name begins with
// Block, used by value. Blocks that came from the portal keep the members that
// have no field here.
type Block interface{ block() }

// BlockUser is a person, chat or bot with an avatar. Name is required. The first
// of NetworkID, UserID, ChatID, BotID and Link that is set is where it leads.
type BlockUser struct {
	Name       string     `json:"NAME,omitempty"`
	Avatar     string     `json:"AVATAR,omitempty"` // address of the picture
	AvatarType AvatarType `json:"AVATAR_TYPE,omitempty"`
	Link       string     `json:"LINK,omitempty"`
	UserID     ID         `json:"USER_ID,omitempty"`
	ChatID     ID         `json:"CHAT_ID,omitempty"`
	BotID      ID         `json:"BOT_ID,omitempty"`
	NetworkID  string     `json:"NETWORK_ID,omitempty"` // one letter and a number, "n12"

	rest string
}

// AvatarType is the shape of the avatar of a [BlockUser]. The default follows
// where the block leads.
type AvatarType string

// The types of an avatar.
const (
	AvatarTypeUser AvatarType = "USER"
	AvatarTypeChat AvatarType = "CHAT"
	AvatarTypeBot  AvatarType = "BOT"
)

// BlockLink is a link with a description and a picture. Link is required, or
// Name with NetworkID, UserID or ChatID.
type BlockLink struct {
	Link      string `json:"LINK,omitempty"`
	Name      string `json:"NAME,omitempty"`
	Desc      string `json:"DESC,omitempty"`
	HTML      string `json:"HTML,omitempty"`    // in place of Preview
	Preview   string `json:"PREVIEW,omitempty"` // address of the picture
	Width     int    `json:"WIDTH,omitempty"`   // of the picture, pixels
	Height    int    `json:"HEIGHT,omitempty"`  // of the picture, pixels
	UserID    ID     `json:"USER_ID,omitempty"`
	ChatID    ID     `json:"CHAT_ID,omitempty"`
	NetworkID string `json:"NETWORK_ID,omitempty"` // one letter and a number, "n12"

	rest string
}

// BlockMessage is a text; "#BR#" in it breaks the line.
type BlockMessage string

// BlockDelimiter is a horizontal line.
type BlockDelimiter struct {
	Size  int    `json:"SIZE"`            // pixels, default 200
	Color string `json:"COLOR,omitempty"` // "#c6c6c6" or "#ccc"

	rest string
}

// BlockGrid is a list of names and values.
type BlockGrid []GridItem

// GridItem is one entry of a [BlockGrid]. Name or Value is required, except with
// GridDisplayLine.
type GridItem struct {
	Name       string      `json:"NAME,omitempty"`
	Value      string      `json:"VALUE,omitempty"`
	Display    GridDisplay `json:"DISPLAY,omitempty"` // default GridDisplayBlock
	Width      int         `json:"WIDTH,omitempty"`   // pixels
	Height     int         `json:"HEIGHT,omitempty"`  // pixels
	Color      string      `json:"COLOR,omitempty"`   // "#29619b" or "#fff"
	ColorToken ColorToken  `json:"COLOR_TOKEN,omitempty"`
	Link       string      `json:"LINK,omitempty"`
	UserID     ID          `json:"USER_ID,omitempty"`
	ChatID     ID          `json:"CHAT_ID,omitempty"`

	rest string
}

// GridDisplay says how an entry of a [BlockGrid] stands.
type GridDisplay string

// How an entry stands.
const (
	GridDisplayBlock GridDisplay = "BLOCK" // the value below the name
	GridDisplayLine  GridDisplay = "LINE"  // entries side by side; on phones one below the other
	GridDisplayRow   GridDisplay = "ROW"   // the value beside the name
	GridDisplayTable GridDisplay = "TABLE" // columns; some programs show it as GridDisplayRow
)

// BlockImage is one picture or several.
type BlockImage []ImageItem

// ImageItem is one picture of a [BlockImage]. Link is required.
type ImageItem struct {
	Link    string `json:"LINK,omitempty"`
	Name    string `json:"NAME,omitempty"`
	Preview string `json:"PREVIEW,omitempty"` // address of a smaller picture
	Width   int    `json:"WIDTH,omitempty"`   // pixels
	Height  int    `json:"HEIGHT,omitempty"`  // pixels

	rest string
}

// BlockFile is one file or several.
type BlockFile []FileItem

// FileItem is one file of a [BlockFile]. Link is required.
type FileItem struct {
	Link string `json:"LINK,omitempty"`
	Name string `json:"NAME,omitempty"`
	Size int64  `json:"SIZE,omitempty"` // bytes

	rest string
}

// BlockUnknown is a block that has no type here, as JSON: an object with the
// kind as its one member. It is sent as it is.
type BlockUnknown string

func (BlockUser) block()      {}
func (BlockLink) block()      {}
func (BlockMessage) block()   {}
func (BlockDelimiter) block() {}
func (BlockGrid) block()      {}
func (BlockImage) block()     {}
func (BlockFile) block()      {}
func (BlockUnknown) block()   {}

func (a *Attach) empty() bool {
	return len(a.Blocks) == 0 && a.Color == "" && a.ColorToken == "" && a.ID == 0
}

// Check refuses what the portal would lose without a word. Requests that have an
// attachment call it.
func (a *Attach) Check() error {
	if a == nil || a.empty() {
		return nil
	}
	if len(a.Blocks) == 0 {
		return invalid(ErrAttach, "ATTACH has no blocks")
	}
	for _, b := range a.Blocks {
		if e := checkBlock(b); e != nil {
			return e
		}
	}
	if a.Color != AttachColorTransparent && a.Color != AttachColorChat {
		if e := checkHexColor("ATTACH: COLOR", a.Color); e != nil {
			return e
		}
	}
	return checkAll(checkToken("ATTACH: COLOR_TOKEN", a.ColorToken), checkTexts("ATTACH", a.rest))
}

// checkBlock refuses what the portal drops.
func checkBlock(b Block) error {
	switch b := b.(type) {
	case BlockUser:
		return b.check()
	case BlockLink:
		return b.check()
	case BlockMessage:
		if trimmedAway(string(b)) {
			return invalid(ErrAttach, "MESSAGE is empty")
		}
		return checkTexts("MESSAGE", string(b))
	case BlockDelimiter:
		return checkAll(checkHexColor("DELIMITER: COLOR", b.Color), checkTexts("DELIMITER", b.rest))
	case BlockGrid:
		return checkItems("GRID", b)
	case BlockImage:
		return checkItems("IMAGE", b)
	case BlockFile:
		return checkItems("FILE", b)
	case BlockUnknown:
		return checkJSON(ErrAttach, "ATTACH: a BlockUnknown", []byte(b))
	}
	return invalid(ErrAttach, "ATTACH: %T is not a block: use it by value", b)
}

func checkItems[T interface{ check() error }](field string, items []T) error {
	if len(items) == 0 {
		return invalid(ErrAttach, "%s is empty", field)
	}
	for _, item := range items {
		if e := item.check(); e != nil {
			return e
		}
	}
	return nil
}

func (b BlockUser) check() error {
	if trimmedAway(b.Name) {
		return invalid(ErrAttach, "USER without NAME")
	}
	return checkAll(
		checkAddresses("USER: LINK", b.Link, "USER: AVATAR", b.Avatar),
		checkNetworkID("USER: NETWORK_ID", b.NetworkID),
		checkOneOf("USER: AVATAR_TYPE", b.AvatarType, AvatarTypeUser, AvatarTypeChat, AvatarTypeBot),
		checkTexts("USER: NAME", b.Name, "USER", b.rest),
	)
}

func (b BlockLink) check() error {
	if b.Link == "" && (trimmedAway(b.Name) || b.NetworkID == "" && b.UserID == 0 && b.ChatID == 0) {
		return invalid(ErrAttach, "LINK without LINK")
	}
	return checkAll(
		checkAddresses("LINK: LINK", b.Link, "LINK: PREVIEW", b.Preview),
		checkNetworkID("LINK: NETWORK_ID", b.NetworkID),
		checkTexts("LINK: NAME", b.Name, "LINK: DESC", b.Desc, "LINK: HTML", b.HTML, "LINK", b.rest),
	)
}

func (i GridItem) check() error {
	if trimmedAway(i.Name) && trimmedAway(i.Value) && i.Display != GridDisplayLine {
		return invalid(ErrAttach, "GRID without NAME and VALUE")
	}
	return checkAll(
		checkAddresses("GRID: LINK", i.Link),
		checkHexColor("GRID: COLOR", i.Color),
		checkToken("GRID: COLOR_TOKEN", i.ColorToken),
		checkOneOf("GRID: DISPLAY", i.Display, GridDisplayBlock, GridDisplayLine, GridDisplayRow, GridDisplayTable),
		checkTexts("GRID: NAME", i.Name, "GRID: VALUE", i.Value, "GRID", i.rest),
	)
}

func (i ImageItem) check() error {
	if i.Link == "" {
		return invalid(ErrAttach, "IMAGE without LINK")
	}
	return checkAll(
		checkAddresses("IMAGE: LINK", i.Link, "IMAGE: PREVIEW", i.Preview),
		checkTexts("IMAGE: NAME", i.Name, "IMAGE", i.rest),
	)
}

func (i FileItem) check() error {
	if i.Link == "" {
		return invalid(ErrAttach, "FILE without LINK")
	}
	return checkAll(checkAddresses("FILE: LINK", i.Link), checkTexts("FILE: NAME", i.Name, "FILE", i.rest))
}

// checkAddresses checks pairs of field and address.
func checkAddresses(pairs ...string) error {
	for i := 0; i+1 < len(pairs); i += 2 {
		if strings.Contains(pairs[i+1], `\n`) || strings.Contains(pairs[i+1], `\t`) {
			return invalid(ErrAttach, "%s has a backslash before n or t, of which the portal would make a break: write %%5C", pairs[i])
		}
		if e := checkLink(ErrAttach, pairs[i], pairs[i+1]); e != nil {
			return e
		}
	}
	return nil
}

var networkID = regexp.MustCompile(`^[a-zA-Z][0-9]+$`)

// checkNetworkID refuses what the portal cuts down to one letter and a number.
func checkNetworkID(field, s string) error {
	if s != "" && !networkID.MatchString(s) {
		return invalid(ErrAttach, "%s %.20q is not one letter and a number", field, s)
	}
	return nil
}

// marshalTexts encodes a block's fields with protected backslashes, and adds the
// members that have no field as they came.
func marshalTexts(fields any, rest string) ([]byte, error) {
	data, err := json.Marshal(fields)
	if err != nil {
		return nil, err
	}
	return withRest(phpform.ProtectBackslashes(data), rest)
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
func (o object) takeText(name string) string { return phpform.ReadBackslashes(o.take(name)) }

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
// \\ are read as the portal reads them: one kind after the other, in this order.
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
	if a.Color == "transparent" { // as the portal keeps it, but does not take it
		a.Color = AttachColorTransparent
	}
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
	entry, _ = json.Marshal(entry) // so that equal blocks are equal texts; it was JSON before
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
