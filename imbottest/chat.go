package imbottest

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
)

// The kinds of chats, the letters of CHAT_TYPE.
const (
	kindPrivate = "P"
	kindChat    = "C"
	kindOpen    = "O"
)

// chat is a group chat or a private dialog, which has a chat id, too.
type chat struct {
	id          imbot.ID
	kind        string
	title       string
	description string
	color       imbot.Color
	avatar      string // address of the picture
	entityType  string
	entityID    string
	entityData  [3]string
	operators   []imbot.ID // of an open line
	restricted  []string   // see Restrict
	general     bool
	textOff     bool // the field for new messages
	owner       imbot.ID
	created     time.Time
	members     []*member // in order of their joining
	messages    []*message
	typing      map[imbot.ID]*time.Timer // who writes
	picture     []byte
	answers     map[imbot.ID]time.Time // until when a bot may answer commands
}

// member is somebody in a chat.
type member struct {
	user    imbot.ID
	manager bool
	since   imbot.ID // sees messages behind this one
}

// pair names a private dialog, the smaller id first.
type pair [2]imbot.ID

func pairOf(a, b imbot.ID) pair { return pair{min(a, b), max(a, b)} }

func (c *chat) member(user imbot.ID) *member {
	for _, m := range c.members {
		if m.user == user {
			return m
		}
	}
	return nil
}

func (c *chat) drop(user imbot.ID) {
	c.members = slices.DeleteFunc(c.members, func(m *member) bool { return m.user == user })
	if c.owner != user {
		return
	}
	c.owner = 0
	for _, m := range c.members { // a manager inherits, else who joined first
		if c.owner == 0 || m.manager && !c.member(c.owner).manager {
			c.owner = m.user
		}
	}
}

func (c *chat) last() imbot.ID {
	if n := len(c.messages); n > 0 {
		return c.messages[n-1].ID
	}
	return 0
}

func chatMethods(name string) method {
	switch name {
	case "imbot.chat.add":
		return chatAdd
	case "imbot.chat.get":
		return chatGet
	case "imbot.dialog.get":
		return dialogGet
	case "imbot.chat.setowner":
		return chatSetOwner
	case "imbot.chat.setmanager":
		return chatSetManager
	case "imbot.chat.updatecolor":
		return chatUpdateColor
	case "imbot.chat.updatetitle":
		return chatUpdateTitle
	case "imbot.chat.updateavatar":
		return chatUpdateAvatar
	case "imbot.chat.sendtyping":
		return chatSendTyping
	}
	return memberMethods(name)
}

func chatAdd(c *call) (any, *restError) {
	users, fail := chatAddUsers(c.params.get("USERS"))
	if fail != nil {
		return nil, fail
	}
	b, fail := c.bot()
	if fail != nil {
		return nil, fail
	}
	if fail := c.vetoed("Chat can't be created"); fail != nil {
		return nil, fail
	}
	p := c.p
	kind := kindChat
	if c.params.text("TYPE") == string(imbot.ChatTypeOpen) {
		kind = kindOpen
	}
	chat := p.addChat(kind, c.params.text("TITLE"), b.id)
	chat.description = c.params.text("DESCRIPTION")
	if !p.isExtranet(c.user) { // for them the tags are dropped silently
		chat.entityType, chat.entityID = c.params.text("ENTITY_TYPE"), c.params.text("ENTITY_ID")
	}
	if color := imbot.Color(c.params.text("COLOR")); color.Hex() != "" {
		chat.color = color
	}
	if isImage(c.params.get("AVATAR")) {
		chat.avatar, chat.picture = c.avatarOf(chat), picture(c.params.get("AVATAR"))
	}
	p.join(chat, b.id, true, users...)
	if message := strings.TrimSpace(c.params.text("MESSAGE")); message != "" {
		p.store(chat, b.id, message, false)
	}
	return chat.id, nil
}

// chatAddUsers reads USERS: what is no list is none, what is falsy is skipped.
func chatAddUsers(v any) ([]imbot.ID, *restError) {
	if s, ok := v.(string); ok {
		v, _ = parseJSON([]byte(s))
	}
	list, _ := v.(*array)
	var users []imbot.ID
	for i := range list.len() {
		v := list.values[list.keys[i]]
		if !truthy(v) {
			continue
		}
		switch v := v.(type) {
		case string:
		case json.Number:
			if _, err := v.Int64(); err != nil {
				return nil, wrong("INVALID_FORMAT", "Wrong format of USERS")
			}
		default:
			return nil, wrong("INVALID_FORMAT", "Wrong format of USERS")
		}
		users = append(users, toID(v))
	}
	return users, nil
}

// addChat makes a group chat with its owner as only member; the lock is held.
func (p *Portal) addChat(kind, title string, owner imbot.ID) *chat {
	p.lastChat++
	colors := imbot.Colors()
	color := colors[int(p.lastChat)%len(colors)]
	if title == "" {
		title = fmt.Sprintf("%.1s%s Chat #%d", color, strings.ToLower(strings.ReplaceAll(string(color)[1:], "_", " ")), p.lastChat)
	}
	chat := &chat{id: p.lastChat, kind: kind, title: title, color: color, owner: owner, created: time.Now()}
	chat.members = []*member{{user: owner}}
	p.chats[chat.id] = chat
	p.noteDialog(chat)
	return chat
}

// chatID reads CHAT_ID or its alias DIALOG_ID, which wins. The result is
// positive; whether there is such a chat is another question.
func (c *call) chatID() (imbot.ID, *restError) {
	id := c.params.id("CHAT_ID")
	if c.params.given("DIALOG_ID") {
		dialog := strings.ToLower(c.params.text("DIALOG_ID"))
		if !isDialog(dialog) || toID(dialog) != 0 {
			return 0, wrong("DIALOG_ID_EMPTY", "Dialog ID can't be empty")
		}
		id, _ = imbot.DialogID(dialog).ChatID()
	}
	if id <= 0 {
		return 0, wrong("CHAT_ID_EMPTY", "Chat ID can't be empty")
	}
	return id, nil
}

// group is a group chat, nil when there is none with this id.
func (p *Portal) group(id imbot.ID) *chat {
	if chat := p.chats[id]; chat != nil && chat.kind != kindPrivate {
		return chat
	}
	return nil
}

var dialogPattern = regexp.MustCompile(`^(?i)([0-9]+|(chat|sg|crm)[0-9]+)$`)

func isDialog(s string) bool { return dialogPattern.MatchString(s) && s != "0" }

func chatSetOwner(c *call) (any, *restError) {
	id, fail := c.chatID()
	if fail != nil {
		return nil, fail
	}
	user := c.params.id("USER_ID")
	if user <= 0 {
		return nil, wrong("USER_ID_EMPTY", "User ID can't be empty")
	}
	b, fail := c.bot()
	if fail != nil {
		return nil, fail
	}
	chat := c.p.group(id)
	if fail := chat.closedTo(""); fail != nil {
		return nil, fail
	}
	if chat == nil || chat.owner != b.id || chat.member(user) == nil || c.denied() {
		return nil, wrong("WRONG_REQUEST", "Change owner can only owner and user must be member in chat")
	}
	chat.owner = user
	c.p.noteDialog(chat)
	return true, nil
}

func chatSetManager(c *call) (any, *restError) {
	id, fail := c.chatID()
	if fail != nil {
		return nil, fail
	}
	user := c.params.id("USER_ID")
	if user <= 0 {
		return nil, wrong("USER_ID_EMPTY", "User ID can't be empty")
	}
	b, fail := c.bot()
	if fail != nil {
		return nil, fail
	}
	chat := c.p.group(id)
	if chat == nil || chat.owner != b.id || c.denied() {
		return nil, wrong("WRONG_REQUEST", "Change manager can only owner and user must be member in chat")
	}
	if m := chat.member(user); m != nil { // true for strangers, too
		m.manager = c.params.text("IS_MANAGER") != "N"
		c.p.noteDialog(chat)
	}
	return true, nil
}

func chatUpdateColor(c *call) (any, *restError) {
	id, fail := c.chatID()
	if fail != nil {
		return nil, fail
	}
	if fail := c.p.group(id).mayPost(c.user); fail != nil {
		return nil, fail
	}
	color := imbot.Color(c.params.text("COLOR"))
	if color.Hex() == "" && color != "COPILOT" {
		return nil, wrong("WRONG_COLOR", "This color currently unavailable")
	}
	b, fail := c.bot()
	if fail != nil {
		return nil, fail
	}
	chat := c.p.group(id)
	if chat == nil || chat.member(b.id) == nil || chat.color == color || c.denied() {
		return nil, wrong("WRONG_REQUEST", "This color already set or chat isn't exists")
	}
	chat.color = color
	c.p.noteDialog(chat)
	return true, nil
}

// maxTitle is the length to which titles are cut.
const maxTitle = 255

func chatUpdateTitle(c *call) (any, *restError) {
	id, fail := c.chatID()
	if fail != nil {
		return nil, fail
	}
	title := strings.TrimSpace(c.params.text("TITLE"))
	if !truthy(title) {
		return nil, wrong("TITLE_EMPTY", "Title can't be empty")
	}
	b, fail := c.bot()
	if fail != nil {
		return nil, fail
	}
	chat := c.p.group(id)
	if fail := chat.closedToBot(b, "rename"); fail != nil {
		return nil, fail
	}
	if runes := []rune(title); len(runes) > maxTitle {
		title = string(runes[:maxTitle])
	}
	if chat != nil && chat.member(b.id) != nil {
		chat.title = title
		c.p.noteDialog(chat)
	}
	return true, nil // whatever came of it
}

func chatUpdateAvatar(c *call) (any, *restError) {
	id, fail := c.chatID()
	if fail != nil {
		return nil, fail
	}
	chat := c.p.group(id)
	if chat == nil { // PHP breaks at that
		return nil, errPHP
	}
	if c.denied() {
		return nil, wrong("ACCESS_DENIED", "You don't have permission to change the picture")
	}
	b, fail := c.bot()
	if fail != nil {
		return nil, fail
	}
	if fail := chat.closedToBot(b, "avatar"); fail != nil {
		return nil, fail
	}
	if !isImage(c.params.get("AVATAR")) {
		return nil, wrong("AVATAR_ERROR", "Avatar incorrect type")
	}
	if chat.member(b.id) == nil {
		return nil, wrong("WRONG_REQUEST", "Chat isn't exists")
	}
	chat.avatar, chat.picture = c.avatarOf(chat), picture(c.params.get("AVATAR"))
	c.p.noteDialog(chat)
	return true, nil
}

func (c *call) avatarOf(chat *chat) string {
	return fmt.Sprintf("https://cdn.%s/avatars/%d.png", c.p.host, chat.id)
}

// maxImage is the size of a picture in pixels, both ways. Only PNG is measured.
const maxImage = 5000

// isImage accepts base64 and the pair of a file name and base64.
func isImage(v any) bool {
	if file, ok := v.(*array); ok {
		v = file.get("1")
	}
	data, err := base64.StdEncoding.DecodeString(text(v))
	if err != nil || !strings.HasPrefix(http.DetectContentType(data), "image/") {
		return false
	}
	if http.DetectContentType(data) == "image/png" && len(data) >= 24 {
		width, height := binary.BigEndian.Uint32(data[16:]), binary.BigEndian.Uint32(data[20:])
		return width <= maxImage && height <= maxImage
	}
	return true
}

func chatSendTyping(c *call) (any, *restError) {
	b, fail := c.bot()
	if fail != nil {
		return nil, fail
	}
	dialog := imbot.DialogID(strings.ToLower(c.params.text("DIALOG_ID")))
	if !isDialog(string(dialog)) {
		return nil, wrong("DIALOG_ID_EMPTY", "Dialog ID can't be empty")
	}
	if chat := c.p.find(b.id, dialog); chat != nil && chat.member(b.id) != nil {
		c.p.startTyping(chat, b.id)
	}
	return true, nil // whatever came of it
}
