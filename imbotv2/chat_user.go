package imbotv2

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/internal/phpform"
)

// ChatAddUsersRequest are the parameters of imbot.v2.Chat.User.add.
type ChatAddUsersRequest struct {
	done     `json:"-"`
	BotID    imbot.ID       `json:"botId,omitempty"`
	DialogID imbot.DialogID `json:"dialogId"` // of a group chat
	UserIDs  []imbot.ID     `json:"userIds"`
}

// Method returns the name of the REST method.
func (ChatAddUsersRequest) Method() string { return "imbot.v2.Chat.User.add" }

// Repeatable is true.
func (ChatAddUsersRequest) Repeatable() bool { return true }

// Check refuses what the portal would do nothing for, and answer with true.
func (r ChatAddUsersRequest) Check() error { return checkMembers(r.DialogID, r.UserIDs) }

// ChatDeleteUserRequest are the parameters of imbot.v2.Chat.User.delete.
type ChatDeleteUserRequest struct {
	done     `json:"-"`
	BotID    imbot.ID       `json:"botId,omitempty"`
	DialogID imbot.DialogID `json:"dialogId"` // of a group chat
	UserID   imbot.ID       `json:"userId"`
}

// Method returns the name of the REST method.
func (ChatDeleteUserRequest) Method() string { return "imbot.v2.Chat.User.delete" }

// Repeatable is true.
func (ChatDeleteUserRequest) Repeatable() bool { return true }

// Check refuses what the portal would do nothing for, and answer with true.
func (r ChatDeleteUserRequest) Check() error {
	return cmp.Or(checkGroup(r.DialogID), checkID("userId", r.UserID))
}

// UserOrder is what the users of a chat are ordered by.
type UserOrder string

// The orders.
const (
	ByID          UserOrder = "id"
	ByLastMessage UserOrder = "lastSendMessageId"
	ByUserID      UserOrder = "userId"
)

// ChatListUsersRequest are the parameters of imbot.v2.Chat.User.list.
type ChatListUsersRequest struct {
	BotID      imbot.ID
	DialogID   imbot.DialogID
	Limit      int       // 1 to 200, default 50
	OrderBy    UserOrder // default the portal's own
	Descending bool      // with OrderBy only
}

// Method returns the name of the REST method.
func (ChatListUsersRequest) Method() string { return "imbot.v2.Chat.User.list" }

// Repeatable is true.
func (ChatListUsersRequest) Repeatable() bool { return true }

// MarshalJSON writes the parameters as the portal takes them.
func (r ChatListUsersRequest) MarshalJSON() ([]byte, error) {
	var order map[UserOrder]string
	if r.OrderBy != "" {
		order = map[UserOrder]string{r.OrderBy: "ASC"}
		if r.Descending {
			order[r.OrderBy] = "DESC"
		}
	}
	return json.Marshal(struct {
		BotID    imbot.ID             `json:"botId,omitempty"`
		DialogID imbot.DialogID       `json:"dialogId"`
		Order    map[UserOrder]string `json:"order,omitempty"`
		Limit    int                  `json:"limit,omitempty"`
	}{r.BotID, r.DialogID, order, r.Limit})
}

// Check refuses what the portal would replace without a word.
func (r ChatListUsersRequest) Check() error {
	switch {
	case r.Limit < 0 || r.Limit > maxUsers:
		return refuse("", "limit %d is not between 1 and %d", r.Limit, maxUsers)
	case r.OrderBy == "" && r.Descending:
		return refuse("", "Descending needs OrderBy")
	case r.OrderBy != "" && !slices.Contains([]UserOrder{ByID, ByLastMessage, ByUserID}, r.OrderBy):
		return refuse("", "order %.20q is not known to the portal", string(r.OrderBy))
	}
	return checkDialog(r.DialogID)
}

const maxUsers = 200 // of one list

// Decode reads the result of a call, which is the bare list, or an object that has it (livecheck: user-list).
func (ChatListUsersRequest) Decode(data []byte) ([]User, error) {
	list := data
	if !phpform.Members(data, func(name, value []byte) bool {
		if string(name) == `"users"` {
			list = value
		}
		return true
	}) {
		return nil, errNoList
	}
	users, err := listOf(list, fields.user)
	if err == nil && slices.ContainsFunc(users, func(u User) bool { return u.ID == 0 }) {
		err = errNoID
	}
	return users, err
}

// ChatAddManagersRequest are the parameters of imbot.v2.Chat.Manager.add.
type ChatAddManagersRequest struct {
	done     `json:"-"`
	BotID    imbot.ID       `json:"botId,omitempty"`
	DialogID imbot.DialogID `json:"dialogId"` // of a group chat
	UserIDs  []imbot.ID     `json:"userIds"`  // who is not in the chat is left out
}

// Method returns the name of the REST method.
func (ChatAddManagersRequest) Method() string { return "imbot.v2.Chat.Manager.add" }

// Repeatable is true.
func (ChatAddManagersRequest) Repeatable() bool { return true }

// Check refuses what the portal would refuse.
func (r ChatAddManagersRequest) Check() error { return checkMembers(r.DialogID, r.UserIDs) }

// ChatDeleteManagersRequest are the parameters of imbot.v2.Chat.Manager.delete.
type ChatDeleteManagersRequest struct {
	done     `json:"-"`
	BotID    imbot.ID       `json:"botId,omitempty"`
	DialogID imbot.DialogID `json:"dialogId"` // of a group chat
	UserIDs  []imbot.ID     `json:"userIds"`  // who is not in the chat is left out
}

// Method returns the name of the REST method.
func (ChatDeleteManagersRequest) Method() string { return "imbot.v2.Chat.Manager.delete" }

// Repeatable is true.
func (ChatDeleteManagersRequest) Repeatable() bool { return true }

// Check refuses what the portal would refuse.
func (r ChatDeleteManagersRequest) Check() error { return checkMembers(r.DialogID, r.UserIDs) }

// AddUsers brings people or bots into a group chat. Who is unknown, inactive or there already is
// left out, so no error does not mean that anybody came.
//
// Repeatable. REST method: imbot.v2.Chat.User.add. Errors: [ErrBotTokenNotSpecified],
// [ErrBotIDRequired], [ErrBotNotFound], [ErrBotOwnership], [ErrChatNotFound], [ErrAccessDenied] (the
// bot is not in the chat, or less than Chat.Permissions.ManageUsersAdd says).
// Page: api-reference/chat-bots/chat-bots-v2/imbot.v2/chats/chat-user-add.html
func (s *ChatService) AddUsers(ctx context.Context, req ChatAddUsersRequest) error {
	req.BotID = (*service)(s).bot(req.BotID)
	_, err := imbot.Do(ctx, s.client.base, req)
	return err
}

// DeleteUser takes one out of a chat, also one who is not there.
//
// Repeatable. REST method: imbot.v2.Chat.User.delete. Errors: [ErrBotTokenNotSpecified],
// [ErrBotIDRequired], [ErrBotNotFound], [ErrBotOwnership], [ErrAccessDenied] (the bot is not in the
// chat, or less than Chat.Permissions.ManageUsersDelete says).
// Page: api-reference/chat-bots/chat-bots-v2/imbot.v2/chats/chat-user-delete.html
func (s *ChatService) DeleteUser(ctx context.Context, req ChatDeleteUserRequest) error {
	req.BotID = (*service)(s).bot(req.BotID)
	_, err := imbot.Do(ctx, s.client.base, req)
	return err
}

// ListUsers returns who is in a chat. There are no pages: of more than 200 the rest cannot be
// read.
//
// Repeatable. REST method: imbot.v2.Chat.User.list. Errors: [ErrBotTokenNotSpecified],
// [ErrBotIDRequired], [ErrBotNotFound], [ErrBotOwnership], [ErrAccessDenied] (the bot is not in the
// chat).
// Page: api-reference/chat-bots/chat-bots-v2/imbot.v2/chats/chat-user-list.html
func (s *ChatService) ListUsers(ctx context.Context, req ChatListUsersRequest) ([]User, error) {
	req.BotID = (*service)(s).bot(req.BotID)
	return imbot.Do(ctx, s.client.base, req)
}

// AddManagers makes users of a group chat its managers. No error does not mean that anybody
// became one. Not for chats of open lines, collabs and tasks.
//
// Repeatable. REST method: imbot.v2.Chat.Manager.add. Errors: [ErrBotTokenNotSpecified],
// [ErrBotIDRequired], [ErrBotNotFound], [ErrBotOwnership], [ErrEmptyUserIDs], [ErrAccessDenied] (the
// bot is not in the chat, or less than Chat.Permissions.ManageSettings says), [ErrChatNotFound],
// [ErrWrongMessageType] (no group chat).
// Page: api-reference/chat-bots/chat-bots-v2/imbot.v2/chats/chat-manager-add.html
func (s *ChatService) AddManagers(ctx context.Context, req ChatAddManagersRequest) error {
	req.BotID = (*service)(s).bot(req.BotID)
	_, err := imbot.Do(ctx, s.client.base, req)
	return err
}

// DeleteManagers makes managers of a group chat members again. The owner stays the owner.
//
// Repeatable. REST method: imbot.v2.Chat.Manager.delete. Errors: [ErrBotTokenNotSpecified],
// [ErrBotIDRequired], [ErrBotNotFound], [ErrBotOwnership], [ErrEmptyUserIDs], [ErrAccessDenied] (the
// bot is not in the chat, or less than Chat.Permissions.ManageSettings says), [ErrChatNotFound],
// [ErrWrongMessageType] (no group chat).
// Page: api-reference/chat-bots/chat-bots-v2/imbot.v2/chats/chat-manager-delete.html
func (s *ChatService) DeleteManagers(ctx context.Context, req ChatDeleteManagersRequest) error {
	req.BotID = (*service)(s).bot(req.BotID)
	_, err := imbot.Do(ctx, s.client.base, req)
	return err
}
