package v1

import (
	"slices"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/php"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

// seesLine reports whether a user may look at the chats of an open line: an operator, a member
// of the chat or the administrator.
func seesLine(chat *world.Chat, user imbot.ID) bool {
	return user == world.Admin || chat.Member(user) != nil || slices.Contains(chat.Session().Line.Operators, user)
}

// lineDialogGet finds a chat by the first parameter that is given, as the user who calls.
func lineDialogGet(c *world.Call) (any, *world.Refusal) {
	w := c.World
	var chat *world.Chat
	switch params := c.Params; {
	case params.Given("CHAT_ID"):
		chat = w.Chats[params.ID("CHAT_ID")]
	case params.Given("DIALOG_ID"):
		id, _ := imbot.DialogID(params.Text("DIALOG_ID")).ChatID()
		chat = w.Chats[id]
	case params.Given("SESSION_ID"):
		if s := w.Sessions[params.ID("SESSION_ID")]; s != nil {
			chat = s.Chat
		}
	case params.Given("USER_CODE"):
		code := strings.TrimPrefix(params.Text("USER_CODE"), "imol|")
		for _, id := range world.SortedIDs(w.Chats) {
			if found := w.Chats[id]; found.Kind == world.KindLines && found.EntityID == code {
				chat = found
			}
		}
	}
	if chat == nil || chat.Kind != world.KindLines || !seesLine(chat, c.User) {
		return nil, world.BadRequest("ACCESS_ERROR", "You don't have access to this chat")
	}
	return describeDialog(w, chat, c.User, string(imbot.ChatDialog(chat.ID))), nil
}

// sessionHistory is a whole conversation, as the user who calls.
func sessionHistory(c *world.Call) (any, *world.Refusal) {
	w := c.World
	var s *world.Session
	switch {
	case !php.Truthy(c.Params.Get("SESSION_ID")) && !php.Truthy(c.Params.Get("CHAT_ID")):
		return nil, world.BadRequest("MISSING_REQUIRED_PARAM", "SESSION_ID or CHAT_ID has to be given")
	case php.Truthy(c.Params.Get("SESSION_ID")):
		if c.Params.ID("SESSION_ID") <= 0 {
			return nil, errNoSession
		}
		s = w.Sessions[c.Params.ID("SESSION_ID")]
	default:
		chat := w.Chats[c.Params.ID("CHAT_ID")]
		if chat == nil || chat.Session() == nil {
			return nil, errNoSession
		}
		s = chat.Session()
	}
	if s == nil || !seesLine(s.Chat, c.User) {
		return nil, world.BadRequest("ACCESS_DENIED", "You don't have access to this conversation")
	}
	return history(w, s), nil
}

var errNoSession = world.BadRequest("INVALID_SESSION_ID", "There is no such conversation")

// history is a conversation as imopenlines.session.history.get answers it.
func history(w *world.World, s *world.Session) *php.Array {
	dialog := string(imbot.ChatDialog(s.Chat.ID))
	messages, list, users, members := php.NewArray(), php.NewArray(), php.NewArray(), php.NewArray()
	for _, m := range s.Messages() {
		params := php.NewArray()
		if m.Whisper {
			params.Set("componentId", world.ComponentWhisper)
		}
		if m.ReplyTo != 0 {
			params.Set("replyId", m.ReplyTo.String())
		}
		entry := php.Object("id", m.ID.String(), "chatid", m.ChatID.String(), "senderid", m.AuthorID.String(), "recipientid", dialog,
			"date", m.Time.Format(time.RFC3339), "text", m.Text, "params", params)
		messages.Set(m.ID.String(), entry)
		list.Add(m.ID.String())
		if u := w.Users[m.AuthorID]; u != nil && !users.Has(u.ID.String()) {
			users.Set(u.ID.String(), php.Object("id", u.ID.String(), "name", u.Name(), "bot", u.IsBot, "connector", u.IsConnector))
		}
	}
	for _, m := range s.Chat.Members {
		members.Add(m.User.String())
	}
	ofDialog, inChat, chats := php.NewArray(), php.NewArray(), php.NewArray()
	ofDialog.Set(dialog, list)
	inChat.Set(s.Chat.ID.String(), members)
	chats.Set(s.Chat.ID.String(), php.Object("id", s.Chat.ID.String(), "name", s.Chat.Title, "owner", s.Chat.Owner.String(), "type", "lines",
		"entityType", s.Chat.EntityType, "entityId", s.Chat.EntityID, "entityData1", s.Chat.EntityData[0]))
	return php.Object("chatId", s.Chat.ID, "canJoin", "Y", "canVoteHead", "N", "sessionId", s.ID, "sessionVoteHead", 0, "sessionCommentHead", nil,
		"userId", dialog, "message", messages, "usersMessage", ofDialog, "users", users, "openlines", php.NewArray(), "userInGroup", php.NewArray(),
		"woUserInGroup", php.NewArray(), "chat", chats, "userBlockChat", php.NewArray(), "userInChat", inChat, "files", php.NewArray())
}
