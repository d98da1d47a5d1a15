package v1

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

func chatMethods(name string) world.Method {
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

func chatAdd(c *world.Call) (any, *world.Refusal) {
	users, fail := chatAddUsers(c.Params.Get("USERS"))
	if fail != nil {
		return nil, fail
	}
	b, fail := botOf(c)
	if fail != nil {
		return nil, fail
	}
	if fail := c.Vetoed("Chat can't be created"); fail != nil {
		return nil, fail
	}
	w := c.World
	kind := world.KindChat
	if c.Params.Text("TYPE") == string(imbot.ChatTypeOpen) {
		kind = world.KindOpen
	}
	chat := w.AddChat(kind, c.Params.Text("TITLE"), b.ID)
	chat.Description = c.Params.Text("DESCRIPTION")
	if !w.IsExtranet(c.User) { // the portal drops the tags of extranet users silently
		chat.EntityType, chat.EntityID = c.Params.Text("ENTITY_TYPE"), c.Params.Text("ENTITY_ID")
	}
	if color := imbot.Color(c.Params.Text("COLOR")); color.Hex() != "" {
		chat.Color = color
	}
	if world.IsImage(c.Params.Get("AVATAR")) {
		chat.Avatar, chat.Picture = c.World.AvatarURL(chat), world.Picture(c.Params.Get("AVATAR"))
	}
	w.Join(chat, b.ID, true, users...)
	if message := world.TrimmedText(c.Params.Text("MESSAGE")); message != "" {
		w.Store(chat, world.Message{AuthorID: b.ID, Text: message})
	}
	return chat.ID, nil
}

// chatAddUsers reads USERS. A value that is no list counts as an empty one, and elements
// that PHP takes for false are skipped.
func chatAddUsers(v any) ([]imbot.ID, *world.Refusal) {
	if s, ok := v.(string); ok {
		v, _ = php.ParseJSON([]byte(s))
	}
	list, _ := v.(*php.Array)
	var users []imbot.ID
	for i := range list.Len() {
		v := list.Values[list.Keys[i]]
		if !php.Truthy(v) {
			continue
		}
		switch v := v.(type) {
		case string:
		case json.Number:
			if _, err := v.Int64(); err != nil {
				return nil, world.BadRequest("INVALID_FORMAT", "Wrong format of USERS")
			}
		default:
			return nil, world.BadRequest("INVALID_FORMAT", "Wrong format of USERS")
		}
		users = append(users, php.ToID(v))
	}
	return users, nil
}

func chatGet(c *world.Call) (any, *world.Refusal) {
	if c.User == 0 {
		return nil, world.Forbidden("AUTHORIZE_ERROR", "You need to authorize")
	}
	if c.Params.Given("DIALOG_ID") {
		return dialogGet(c)
	}
	kind, id := c.Params.Text("ENTITY_TYPE"), c.Params.Text("ENTITY_ID")
	if !php.Truthy(kind) || !php.Truthy(id) {
		return nil, nil
	}
	for _, chatID := range world.SortedIDs(c.World.Chats) { // the portal does not check whether the caller may see it
		if chat := c.World.Chats[chatID]; chat.EntityType == kind && chat.EntityID == id {
			return struct{ ID imbot.ID }{chat.ID}, nil
		}
	}
	return nil, nil
}

func chatLeave(c *world.Call) (any, *world.Refusal) {
	id, fail := chatID(c)
	if fail != nil {
		return nil, fail
	}
	if fail := c.World.Group(id).CheckClosed("leave"); fail != nil {
		return nil, fail
	}
	b, fail := botOf(c)
	if fail != nil {
		return nil, fail
	}
	user := c.Params.ID("USER_ID") // undocumented: with it the bot removes somebody else
	if user <= 0 {
		user = b.ID
	}
	return remove(c, id, b.ID, user)
}

// remove takes a user out of a chat, for imbot.chat.user.delete and imbot.chat.leave.
func remove(c *world.Call, id, by, user imbot.ID) (any, *world.Refusal) {
	chat := c.World.Group(id)
	switch {
	case chat != nil && chat.Owner == user && chat.Forbids("leave_owner"):
		return nil, world.NewRefusal(http.StatusForbidden, "LEAVE_OWNER_FORBIDDEN", "The owner can't leave the chat")
	case c.Denied():
		return nil, world.BadRequest("ACCESS_DENIED_KICK", "You don't have permission to remove this user")
	case chat == nil || chat.Member(user) == nil:
		return nil, world.BadRequest("USER_NOT_FOUND", "User isn't a member of the chat")
	}
	if fail := chat.CheckRemove(by, user); fail != nil {
		return nil, fail
	}
	c.World.Leave(chat, user)
	return true, nil
}

func chatSetOwner(c *world.Call) (any, *world.Refusal) {
	id, fail := chatID(c)
	if fail != nil {
		return nil, fail
	}
	user := c.Params.ID("USER_ID")
	if user <= 0 {
		return nil, world.BadRequest("USER_ID_EMPTY", "User ID can't be empty")
	}
	b, fail := botOf(c)
	if fail != nil {
		return nil, fail
	}
	chat := c.World.Group(id)
	if fail := chat.CheckClosed(""); fail != nil {
		return nil, fail
	}
	if chat == nil || chat.Owner != b.ID || chat.Member(user) == nil || c.Denied() {
		return nil, world.BadRequest("WRONG_REQUEST", "Change owner can only owner and user must be member in chat")
	}
	chat.Owner = user
	c.World.NoteDialog(chat)
	return true, nil
}

func chatSetManager(c *world.Call) (any, *world.Refusal) {
	id, fail := chatID(c)
	if fail != nil {
		return nil, fail
	}
	user := c.Params.ID("USER_ID")
	if user <= 0 {
		return nil, world.BadRequest("USER_ID_EMPTY", "User ID can't be empty")
	}
	b, fail := botOf(c)
	if fail != nil {
		return nil, fail
	}
	chat := c.World.Group(id)
	if chat == nil || chat.Owner != b.ID || c.Denied() {
		return nil, world.BadRequest("WRONG_REQUEST", "Change manager can only owner and user must be member in chat")
	}
	if m := chat.Member(user); m != nil { // for others nothing happens, and the answer is true as well
		m.Manager = c.Params.Text("IS_MANAGER") != "N"
		c.World.NoteDialog(chat)
	}
	return true, nil
}

func chatSendTyping(c *world.Call) (any, *world.Refusal) {
	b, fail := botOf(c)
	if fail != nil {
		return nil, fail
	}
	dialog := imbot.DialogID(strings.ToLower(c.Params.Text("DIALOG_ID")))
	if !isDialog(string(dialog)) {
		return nil, world.BadRequest("DIALOG_ID_EMPTY", "Dialog ID can't be empty")
	}
	if chat := c.World.Find(b.ID, dialog); chat != nil && chat.Member(b.ID) != nil {
		c.World.StartTyping(chat, b.ID, world.TypingTime)
	}
	return true, nil // whatever came of it
}

func chatUpdateTitle(c *world.Call) (any, *world.Refusal) {
	id, fail := chatID(c)
	if fail != nil {
		return nil, fail
	}
	title := php.Trim(c.Params.Text("TITLE"))
	if !php.Truthy(title) {
		return nil, world.BadRequest("TITLE_EMPTY", "Title can't be empty")
	}
	b, fail := botOf(c)
	if fail != nil {
		return nil, fail
	}
	chat := c.World.Group(id)
	if fail := chat.CheckClosedToBot(b, "rename"); fail != nil {
		return nil, fail
	}
	if chat != nil && chat.Member(b.ID) != nil {
		chat.Title = world.CutTitle(title)
		c.World.NoteDialog(chat)
	}
	return true, nil // whatever came of it
}

func chatUpdateColor(c *world.Call) (any, *world.Refusal) {
	id, fail := chatID(c)
	if fail != nil {
		return nil, fail
	}
	if fail := c.World.Group(id).CheckPost(c.User); fail != nil {
		return nil, fail
	}
	color := imbot.Color(c.Params.Text("COLOR"))
	if color.Hex() == "" && color != "COPILOT" {
		return nil, world.BadRequest("WRONG_COLOR", "This color currently unavailable")
	}
	b, fail := botOf(c)
	if fail != nil {
		return nil, fail
	}
	chat := c.World.Group(id)
	if chat == nil || chat.Member(b.ID) == nil || chat.Color == color || c.Denied() {
		return nil, world.BadRequest("WRONG_REQUEST", "This color already set or chat isn't exists")
	}
	chat.Color = color
	c.World.NoteDialog(chat)
	return true, nil
}

func chatUpdateAvatar(c *world.Call) (any, *world.Refusal) {
	id, fail := chatID(c)
	if fail != nil {
		return nil, fail
	}
	chat := c.World.Group(id)
	if chat == nil { // the portal's PHP code throws an error then
		return nil, world.ErrPHP
	}
	if c.Denied() {
		return nil, world.BadRequest("ACCESS_DENIED", "You don't have permission to change the picture")
	}
	b, fail := botOf(c)
	if fail != nil {
		return nil, fail
	}
	if fail := chat.CheckClosedToBot(b, "avatar"); fail != nil {
		return nil, fail
	}
	if !world.IsImage(c.Params.Get("AVATAR")) {
		return nil, world.BadRequest("AVATAR_ERROR", "Avatar incorrect type")
	}
	if chat.Member(b.ID) == nil {
		return nil, world.BadRequest("WRONG_REQUEST", "Chat isn't exists")
	}
	chat.Avatar, chat.Picture = c.World.AvatarURL(chat), world.Picture(c.Params.Get("AVATAR"))
	c.World.NoteDialog(chat)
	return true, nil
}

func chatUserList(c *world.Call) (any, *world.Refusal) {
	id, fail := chatID(c)
	if fail != nil {
		return nil, fail
	}
	if fail := c.World.Group(id).CheckClosed(""); fail != nil {
		return nil, fail
	}
	b, fail := botOf(c)
	if fail != nil {
		return nil, fail
	}
	users := []imbot.ID{}
	if chat := c.World.Group(id); chat != nil && chat.Member(b.ID) != nil {
		for _, m := range chat.Members {
			users = append(users, m.User)
		}
	}
	return users, nil
}

func chatUserAdd(c *world.Call) (any, *world.Refusal) {
	id, fail := chatID(c)
	if fail != nil {
		return nil, fail
	}
	if fail := c.World.Group(id).CheckClosed("extend"); fail != nil {
		return nil, fail
	}
	b, fail := botOf(c)
	if fail != nil {
		return nil, fail
	}
	var users []imbot.ID
	sent := c.Params.Get("USERS")
	if c.World.IsExtranet(b.ID) { // only for extranet bots the portal reads JSON and requires a list
		if s, ok := sent.(string); ok {
			sent, _ = php.ParseJSON([]byte(s))
		}
		if _, ok := sent.(*php.Array); !ok {
			return nil, world.BadRequest("WRONG_REQUEST", "Users have to be a list")
		}
	}
	switch v := sent.(type) {
	case *php.Array:
		for _, k := range v.Keys {
			users = append(users, v.ID(k))
		}
	default:
		users = append(users, php.ToID(v))
	}
	users = c.World.OnlyExisting(users)
	if len(users) == 0 {
		return nil, world.BadRequest("EMPTY_USER_ID", "User ID not specified")
	}
	chat := c.World.Group(id)
	if chat == nil || c.Denied() {
		return nil, world.BadRequest("ACCESS_DENIED_EXTEND", "You don't have permission to add users to this chat")
	}
	history := c.Params.Text("HIDE_HISTORY") == "" || c.Params.Text("HIDE_HISTORY") == "N"
	if chat.Member(b.ID) == nil { // the portal adds the bot, too
		chat.Members = append(chat.Members, &world.Member{User: b.ID})
		c.World.NoteDialog(chat)
	}
	c.World.Join(chat, b.ID, history, users...)
	return true, nil
}

func chatUserDelete(c *world.Call) (any, *world.Refusal) {
	id, fail := chatID(c)
	if fail != nil {
		return nil, fail
	}
	if fail := c.World.Group(id).CheckClosed("leave"); fail != nil {
		return nil, fail
	}
	b, fail := botOf(c)
	if fail != nil {
		return nil, fail
	}
	user := c.Params.ID("USER_ID")
	if user <= 0 {
		return nil, world.BadRequest("USER_ID_EMPTY", "User ID can't be empty")
	}
	return remove(c, id, b.ID, user)
}

// chatID reads CHAT_ID, or its alias DIALOG_ID, which wins. There need not be a chat with
// this id.
func chatID(c *world.Call) (imbot.ID, *world.Refusal) {
	id := c.Params.ID("CHAT_ID")
	if c.Params.Given("DIALOG_ID") {
		dialog := strings.ToLower(c.Params.Text("DIALOG_ID"))
		if !isDialog(dialog) || php.ToID(dialog) != 0 {
			return 0, world.BadRequest("DIALOG_ID_EMPTY", "Dialog ID can't be empty")
		}
		id, _ = imbot.DialogID(dialog).ChatID()
	}
	if id <= 0 {
		return 0, world.BadRequest("CHAT_ID_EMPTY", "Chat ID can't be empty")
	}
	return id, nil
}

var dialogPattern = regexp.MustCompile(`^(?i)([0-9]+|(chat|sg|crm)[0-9]+)$`)

func isDialog(s string) bool { return dialogPattern.MatchString(s) && s != "0" }
