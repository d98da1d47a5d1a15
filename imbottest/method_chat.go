package imbottest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/imbot-go/imbot"
)

func chatMethods(name string) method {
	switch name {
	case "imbot.chat.add":
		return chatAdd
	case "imbot.chat.get":
		return chatGet
	case "imbot.chat.leave":
		return chatLeave
	case "imbot.chat.setowner":
		return chatSetOwner
	case "imbot.chat.setmanager":
		return chatSetManager
	case "imbot.chat.sendtyping":
		return chatSendTyping
	case "imbot.chat.updatetitle":
		return chatUpdateTitle
	case "imbot.chat.updatecolor":
		return chatUpdateColor
	case "imbot.chat.updateavatar":
		return chatUpdateAvatar
	case "imbot.chat.user.list":
		return chatUserList
	case "imbot.chat.user.add":
		return chatUserAdd
	case "imbot.chat.user.delete":
		return chatUserDelete
	case "imbot.dialog.get":
		return dialogGet
	}
	return nil
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
	if !p.isExtranet(c.user) { // the portal drops the tags of extranet users silently
		chat.entityType, chat.entityID = c.params.text("ENTITY_TYPE"), c.params.text("ENTITY_ID")
	}
	if color := imbot.Color(c.params.text("COLOR")); color.Hex() != "" {
		chat.color = color
	}
	if isImage(c.params.get("AVATAR")) {
		chat.avatar, chat.picture = c.avatarOf(chat), picture(c.params.get("AVATAR"))
	}
	p.join(chat, b.id, true, users...)
	if message := trimmedText(c.params.text("MESSAGE")); message != "" {
		p.store(chat, b.id, message, false)
	}
	return chat.id, nil
}

// chatAddUsers reads USERS. A value that is no list counts as an empty one, and elements
// that PHP takes for false are skipped.
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
				return nil, badRequest("INVALID_FORMAT", "Wrong format of USERS")
			}
		default:
			return nil, badRequest("INVALID_FORMAT", "Wrong format of USERS")
		}
		users = append(users, toID(v))
	}
	return users, nil
}

func chatGet(c *call) (any, *restError) {
	if c.user == 0 {
		return nil, forbidden("AUTHORIZE_ERROR", "You need to authorize")
	}
	if c.params.given("DIALOG_ID") {
		return dialogGet(c)
	}
	kind, id := c.params.text("ENTITY_TYPE"), c.params.text("ENTITY_ID")
	if !truthy(kind) || !truthy(id) {
		return nil, nil
	}
	for _, chatID := range sortedIDs(c.p.chats) { // the portal does not check whether the caller may see it
		if chat := c.p.chats[chatID]; chat.entityType == kind && chat.entityID == id {
			return struct{ ID imbot.ID }{chat.id}, nil
		}
	}
	return nil, nil
}

func chatLeave(c *call) (any, *restError) {
	id, fail := c.chatID()
	if fail != nil {
		return nil, fail
	}
	if fail := c.p.group(id).checkClosed("leave"); fail != nil {
		return nil, fail
	}
	b, fail := c.bot()
	if fail != nil {
		return nil, fail
	}
	user := c.params.id("USER_ID") // undocumented: with it the bot removes somebody else
	if user <= 0 {
		user = b.id
	}
	return c.remove(id, b.id, user)
}

// remove takes a user out of a chat, for imbot.chat.user.delete and imbot.chat.leave.
func (c *call) remove(id, by, user imbot.ID) (any, *restError) {
	chat := c.p.group(id)
	switch {
	case chat != nil && chat.owner == user && chat.forbids("leave_owner"):
		return nil, newError(http.StatusForbidden, "LEAVE_OWNER_FORBIDDEN", "The owner can't leave the chat")
	case c.denied():
		return nil, badRequest("ACCESS_DENIED_KICK", "You don't have permission to remove this user")
	case chat == nil || chat.member(user) == nil:
		return nil, badRequest("USER_NOT_FOUND", "User isn't a member of the chat")
	}
	if fail := chat.checkRemove(by, user); fail != nil {
		return nil, fail
	}
	c.p.leave(chat, user)
	return true, nil
}

func chatSetOwner(c *call) (any, *restError) {
	id, fail := c.chatID()
	if fail != nil {
		return nil, fail
	}
	user := c.params.id("USER_ID")
	if user <= 0 {
		return nil, badRequest("USER_ID_EMPTY", "User ID can't be empty")
	}
	b, fail := c.bot()
	if fail != nil {
		return nil, fail
	}
	chat := c.p.group(id)
	if fail := chat.checkClosed(""); fail != nil {
		return nil, fail
	}
	if chat == nil || chat.owner != b.id || chat.member(user) == nil || c.denied() {
		return nil, badRequest("WRONG_REQUEST", "Change owner can only owner and user must be member in chat")
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
		return nil, badRequest("USER_ID_EMPTY", "User ID can't be empty")
	}
	b, fail := c.bot()
	if fail != nil {
		return nil, fail
	}
	chat := c.p.group(id)
	if chat == nil || chat.owner != b.id || c.denied() {
		return nil, badRequest("WRONG_REQUEST", "Change manager can only owner and user must be member in chat")
	}
	if m := chat.member(user); m != nil { // for others nothing happens, and the answer is true as well
		m.manager = c.params.text("IS_MANAGER") != "N"
		c.p.noteDialog(chat)
	}
	return true, nil
}

func chatSendTyping(c *call) (any, *restError) {
	b, fail := c.bot()
	if fail != nil {
		return nil, fail
	}
	dialog := imbot.DialogID(strings.ToLower(c.params.text("DIALOG_ID")))
	if !isDialog(string(dialog)) {
		return nil, badRequest("DIALOG_ID_EMPTY", "Dialog ID can't be empty")
	}
	if chat := c.p.find(b.id, dialog); chat != nil && chat.member(b.id) != nil {
		c.p.startTyping(chat, b.id, typingTime)
	}
	return true, nil // whatever came of it
}

// maxTitle is the length in characters to which titles are cut.
const maxTitle = 255

func chatUpdateTitle(c *call) (any, *restError) {
	id, fail := c.chatID()
	if fail != nil {
		return nil, fail
	}
	title := trim(c.params.text("TITLE"))
	if !truthy(title) {
		return nil, badRequest("TITLE_EMPTY", "Title can't be empty")
	}
	b, fail := c.bot()
	if fail != nil {
		return nil, fail
	}
	chat := c.p.group(id)
	if fail := chat.checkClosedToBot(b, "rename"); fail != nil {
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

func chatUpdateColor(c *call) (any, *restError) {
	id, fail := c.chatID()
	if fail != nil {
		return nil, fail
	}
	if fail := c.p.group(id).checkPost(c.user); fail != nil {
		return nil, fail
	}
	color := imbot.Color(c.params.text("COLOR"))
	if color.Hex() == "" && color != "COPILOT" {
		return nil, badRequest("WRONG_COLOR", "This color currently unavailable")
	}
	b, fail := c.bot()
	if fail != nil {
		return nil, fail
	}
	chat := c.p.group(id)
	if chat == nil || chat.member(b.id) == nil || chat.color == color || c.denied() {
		return nil, badRequest("WRONG_REQUEST", "This color already set or chat isn't exists")
	}
	chat.color = color
	c.p.noteDialog(chat)
	return true, nil
}

func chatUpdateAvatar(c *call) (any, *restError) {
	id, fail := c.chatID()
	if fail != nil {
		return nil, fail
	}
	chat := c.p.group(id)
	if chat == nil { // the portal's PHP code throws an error then
		return nil, errPHP
	}
	if c.denied() {
		return nil, badRequest("ACCESS_DENIED", "You don't have permission to change the picture")
	}
	b, fail := c.bot()
	if fail != nil {
		return nil, fail
	}
	if fail := chat.checkClosedToBot(b, "avatar"); fail != nil {
		return nil, fail
	}
	if !isImage(c.params.get("AVATAR")) {
		return nil, badRequest("AVATAR_ERROR", "Avatar incorrect type")
	}
	if chat.member(b.id) == nil {
		return nil, badRequest("WRONG_REQUEST", "Chat isn't exists")
	}
	chat.avatar, chat.picture = c.avatarOf(chat), picture(c.params.get("AVATAR"))
	c.p.noteDialog(chat)
	return true, nil
}

func (c *call) avatarOf(chat *chat) string {
	return fmt.Sprintf("https://cdn.%s/avatars/%d.png", c.p.hooks.Host(), chat.id)
}

func chatUserList(c *call) (any, *restError) {
	id, fail := c.chatID()
	if fail != nil {
		return nil, fail
	}
	if fail := c.p.group(id).checkClosed(""); fail != nil {
		return nil, fail
	}
	b, fail := c.bot()
	if fail != nil {
		return nil, fail
	}
	users := []imbot.ID{}
	if chat := c.p.group(id); chat != nil && chat.member(b.id) != nil {
		for _, m := range chat.members {
			users = append(users, m.user)
		}
	}
	return users, nil
}

func chatUserAdd(c *call) (any, *restError) {
	id, fail := c.chatID()
	if fail != nil {
		return nil, fail
	}
	if fail := c.p.group(id).checkClosed("extend"); fail != nil {
		return nil, fail
	}
	b, fail := c.bot()
	if fail != nil {
		return nil, fail
	}
	var users []imbot.ID
	sent := c.params.get("USERS")
	if c.p.isExtranet(b.id) { // only for extranet bots the portal reads JSON and requires a list
		if s, ok := sent.(string); ok {
			sent, _ = parseJSON([]byte(s))
		}
		if _, ok := sent.(*array); !ok {
			return nil, badRequest("WRONG_REQUEST", "Users have to be a list")
		}
	}
	switch v := sent.(type) {
	case *array:
		for _, k := range v.keys {
			users = append(users, v.id(k))
		}
	default:
		users = append(users, toID(v))
	}
	users = c.p.onlyExisting(users)
	if len(users) == 0 {
		return nil, badRequest("EMPTY_USER_ID", "User ID not specified")
	}
	chat := c.p.group(id)
	if chat == nil || c.denied() {
		return nil, badRequest("ACCESS_DENIED_EXTEND", "You don't have permission to add users to this chat")
	}
	history := c.params.text("HIDE_HISTORY") == "" || c.params.text("HIDE_HISTORY") == "N"
	if chat.member(b.id) == nil { // the portal adds the bot, too
		chat.members = append(chat.members, &member{user: b.id})
		c.p.noteDialog(chat)
	}
	c.p.join(chat, b.id, history, users...)
	return true, nil
}

func chatUserDelete(c *call) (any, *restError) {
	id, fail := c.chatID()
	if fail != nil {
		return nil, fail
	}
	if fail := c.p.group(id).checkClosed("leave"); fail != nil {
		return nil, fail
	}
	b, fail := c.bot()
	if fail != nil {
		return nil, fail
	}
	user := c.params.id("USER_ID")
	if user <= 0 {
		return nil, badRequest("USER_ID_EMPTY", "User ID can't be empty")
	}
	return c.remove(id, b.id, user)
}

// chatID reads CHAT_ID, or its alias DIALOG_ID, which wins. There need not be a chat with
// this id.
func (c *call) chatID() (imbot.ID, *restError) {
	id := c.params.id("CHAT_ID")
	if c.params.given("DIALOG_ID") {
		dialog := strings.ToLower(c.params.text("DIALOG_ID"))
		if !isDialog(dialog) || toID(dialog) != 0 {
			return 0, badRequest("DIALOG_ID_EMPTY", "Dialog ID can't be empty")
		}
		id, _ = imbot.DialogID(dialog).ChatID()
	}
	if id <= 0 {
		return 0, badRequest("CHAT_ID_EMPTY", "Chat ID can't be empty")
	}
	return id, nil
}

var dialogPattern = regexp.MustCompile(`^(?i)([0-9]+|(chat|sg|crm)[0-9]+)$`)

func isDialog(s string) bool { return dialogPattern.MatchString(s) && s != "0" }

// denied reports whether [Portal.Deny] took the right to change chats from the user who
// calls.
func (c *call) denied() bool {
	u := c.p.users[c.user]
	return u != nil && u.denied
}
