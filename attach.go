package imbot

// Attach is an attachment: blocks in a coloured frame below the text of a
// message. It is not part of push notifications, e-mails and XMPP copies, so the
// text has to stand alone. The limit is that of a [Keyboard].
//
// BB code works in texts and grid values, with the codes b, i, u, s, url, user,
// chat, send, put, call and br only.
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
	NetworkID  string     `json:"NETWORK_ID,omitempty"`

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
	HTML      string `json:"HTML,omitempty"`    // in place of Desc and Preview
	Preview   string `json:"PREVIEW,omitempty"` // address of the picture
	Width     int    `json:"WIDTH,omitempty"`   // of the picture, pixels
	Height    int    `json:"HEIGHT,omitempty"`  // of the picture, pixels
	UserID    ID     `json:"USER_ID,omitempty"`
	ChatID    ID     `json:"CHAT_ID,omitempty"`
	NetworkID string `json:"NETWORK_ID,omitempty"`

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

func (a *Attach) check() error {
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
		checkLinks(ErrAttach, "USER: LINK", b.Link, "USER: AVATAR", b.Avatar),
		checkOneOf("USER: AVATAR_TYPE", b.AvatarType, AvatarTypeUser, AvatarTypeChat, AvatarTypeBot),
		checkTexts("USER: NAME", b.Name, "USER: NETWORK_ID", b.NetworkID, "USER", b.rest),
	)
}

func (b BlockLink) check() error {
	if b.Link == "" && (trimmedAway(b.Name) || b.NetworkID == "" && b.UserID == 0 && b.ChatID == 0) {
		return invalid(ErrAttach, "LINK without LINK")
	}
	return checkAll(
		checkLinks(ErrAttach, "LINK: LINK", b.Link, "LINK: PREVIEW", b.Preview),
		checkTexts("LINK: NAME", b.Name, "LINK: DESC", b.Desc, "LINK: HTML", b.HTML, "LINK: NETWORK_ID", b.NetworkID, "LINK", b.rest),
	)
}

func (i GridItem) check() error {
	if trimmedAway(i.Name) && trimmedAway(i.Value) && i.Display != GridDisplayLine {
		return invalid(ErrAttach, "GRID without NAME and VALUE")
	}
	return checkAll(
		checkLinks(ErrAttach, "GRID: LINK", i.Link),
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
		checkLinks(ErrAttach, "IMAGE: LINK", i.Link, "IMAGE: PREVIEW", i.Preview),
		checkTexts("IMAGE: NAME", i.Name, "IMAGE", i.rest),
	)
}

func (i FileItem) check() error {
	if i.Link == "" {
		return invalid(ErrAttach, "FILE without LINK")
	}
	return checkAll(checkLinks(ErrAttach, "FILE: LINK", i.Link), checkTexts("FILE: NAME", i.Name, "FILE", i.rest))
}
