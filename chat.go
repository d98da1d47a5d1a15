package imbot

import (
	"context"
	"encoding/json"

	"github.com/imbot-go/imbot/internal/phpform"
)

// ChatService groups the methods that manage chats. In all of them BotID names
// the bot that acts; left zero, the portal picks any bot of the application
// (see [Client.WithBot]).
//
// Each method that takes a BotID can also fail with [ErrAccessDenied] (a webhook
// call without a client id), [ErrBotID] (unknown, or the application has none)
// and [ErrAppID] (a bot of another application). Where rights are concerned,
// current builds look at those of the user behind the token or webhook, not at
// the bot's.
type ChatService service

// ChatAddRequest are the parameters of imbot.chat.add.
type ChatAddRequest struct {
	Returns[ID]
	Type        ChatType `json:"TYPE,omitempty"`        // default ChatTypeChat
	Title       string   `json:"TITLE,omitempty"`       // at most 255 characters; generated when empty
	Description string   `json:"DESCRIPTION,omitempty"` //
	Color       Color    `json:"COLOR,omitempty"`       // in the mobile application
	Message     string   `json:"MESSAGE,omitempty"`     // the first message, at most 20,000 characters
	Users       []ID     `json:"USERS,omitempty"`       // members besides the bot
	Avatar      []byte   `json:"AVATAR,omitempty"`      // an image of at most 5000×5000 pixels; anything else is dropped without an error
	EntityType  string   `json:"ENTITY_TYPE,omitempty"` // free tag, sent back in events; ignored when the REST user is an extranet user
	EntityID    EntityID `json:"ENTITY_ID,omitempty"`   // free tag, as EntityType
	OwnerID     ID       `json:"OWNER_ID,omitempty"`    // ignored by the portal: the bot is the owner
	BotID       ID       `json:"BOT_ID,omitempty"`
}

// Method returns the name of the REST method.
func (ChatAddRequest) Method() string { return "imbot.chat.add" }

func (r ChatAddRequest) botID() ID { return r.BotID }

// Check refuses what the portal would lose without a word.
func (r ChatAddRequest) Check() error {
	return checkAll(
		checkOneOf("TYPE", r.Type, ChatTypeOpen, ChatTypeChat),
		checkText("TITLE", r.Title, maxTitle),
		checkColor(r.Color),
		checkText("MESSAGE", r.Message, maxMessage),
		checkTexts("DESCRIPTION", r.Description, "ENTITY_TYPE", r.EntityType, "ENTITY_ID", string(r.EntityID)),
	)
}

// ChatGetRequest are the parameters of imbot.chat.get.
type ChatGetRequest struct {
	Returns[ID]
	EntityType string   `json:"ENTITY_TYPE,omitempty"`
	EntityID   EntityID `json:"ENTITY_ID,omitempty"`
	BotID      ID       `json:"BOT_ID,omitempty"` // ignored by the portal
}

// Method returns the name of the REST method.
func (ChatGetRequest) Method() string { return "imbot.chat.get" }

// Repeatable is true.
func (ChatGetRequest) Repeatable() bool { return true }

// Decode reads {"ID": 5}; null (or PHP's empty list) is [ErrNotFound].
func (ChatGetRequest) Decode(result []byte) (ID, error) {
	if len(result) > 0 && result[0] != '{' {
		var id ID // older descriptions promise a bare id
		if err := json.Unmarshal(result, &id); err == nil && id != 0 {
			return id, nil
		}
		if s := string(result); s == "null" || s == "[]" || s == "false" {
			return 0, ErrNotFound
		}
	}
	chat, err := Returns[struct {
		ID ID `json:"ID"`
	}]{}.Decode(result)
	if err == nil && chat.ID == 0 {
		return 0, ErrNotFound
	}
	return chat.ID, err
}

func (r ChatGetRequest) botID() ID { return r.BotID }

// Check refuses what the portal would lose without a word.
func (r ChatGetRequest) Check() error {
	return checkTexts("ENTITY_TYPE", r.EntityType, "ENTITY_ID", string(r.EntityID))
}

// ChatLeaveRequest are the parameters of imbot.chat.leave.
type ChatLeaveRequest struct {
	Returns[OK]
	ChatID ID `json:"CHAT_ID,omitempty"`
	BotID  ID `json:"BOT_ID,omitempty"`
}

// Method returns the name of the REST method.
func (ChatLeaveRequest) Method() string { return "imbot.chat.leave" }

func (r ChatLeaveRequest) botID() ID { return r.BotID }

// ChatSetOwnerRequest are the parameters of imbot.chat.setOwner.
type ChatSetOwnerRequest struct {
	Returns[OK]
	ChatID ID `json:"CHAT_ID,omitempty"`
	UserID ID `json:"USER_ID,omitempty"` // a member
	BotID  ID `json:"BOT_ID,omitempty"`
}

// Method returns the name of the REST method.
func (ChatSetOwnerRequest) Method() string { return "imbot.chat.setOwner" }

func (r ChatSetOwnerRequest) botID() ID { return r.BotID }

// ChatSetManagerRequest are the parameters of imbot.chat.setManager.
type ChatSetManagerRequest struct {
	Returns[OK]
	ChatID    ID   `json:"CHAT_ID,omitempty"`
	UserID    ID   `json:"USER_ID,omitempty"`
	IsManager Flag `json:"IS_MANAGER,omitempty"` // default Yes; No revokes
	BotID     ID   `json:"BOT_ID,omitempty"`
}

// Method returns the name of the REST method.
func (ChatSetManagerRequest) Method() string { return "imbot.chat.setManager" }

// Repeatable is true.
func (ChatSetManagerRequest) Repeatable() bool { return true }

func (r ChatSetManagerRequest) botID() ID { return r.BotID }

// Check refuses what the portal would lose without a word.
func (r ChatSetManagerRequest) Check() error { return checkFlag("IS_MANAGER", r.IsManager) }

// ChatSendTypingRequest are the parameters of imbot.chat.sendTyping.
type ChatSendTypingRequest struct {
	Returns[OK]
	DialogID DialogID `json:"DIALOG_ID,omitempty"`
	BotID    ID       `json:"BOT_ID,omitempty"`
}

// Method returns the name of the REST method.
func (ChatSendTypingRequest) Method() string { return "imbot.chat.sendTyping" }

// Repeatable is true.
func (ChatSendTypingRequest) Repeatable() bool { return true }

func (r ChatSendTypingRequest) botID() ID { return r.BotID }

// Check refuses what the portal would lose without a word.
func (r ChatSendTypingRequest) Check() error { return checkTexts("DIALOG_ID", string(r.DialogID)) }

// ChatUpdateTitleRequest are the parameters of imbot.chat.updateTitle.
type ChatUpdateTitleRequest struct {
	Returns[OK]
	ChatID ID     `json:"CHAT_ID,omitempty"`
	Title  string `json:"TITLE,omitempty"` // at most 255 characters
	BotID  ID     `json:"BOT_ID,omitempty"`
}

// Method returns the name of the REST method.
func (ChatUpdateTitleRequest) Method() string { return "imbot.chat.updateTitle" }

// Repeatable is true.
func (ChatUpdateTitleRequest) Repeatable() bool { return true }

func (r ChatUpdateTitleRequest) botID() ID { return r.BotID }

// Check refuses what the portal would lose without a word.
func (r ChatUpdateTitleRequest) Check() error { return checkText("TITLE", r.Title, maxTitle) }

// ChatUpdateColorRequest are the parameters of imbot.chat.updateColor.
type ChatUpdateColorRequest struct {
	Returns[OK]
	ChatID ID    `json:"CHAT_ID,omitempty"`
	Color  Color `json:"COLOR,omitempty"`
	BotID  ID    `json:"BOT_ID,omitempty"`
}

// Method returns the name of the REST method.
func (ChatUpdateColorRequest) Method() string { return "imbot.chat.updateColor" }

func (r ChatUpdateColorRequest) botID() ID { return r.BotID }

// Check refuses what the portal would lose without a word.
func (r ChatUpdateColorRequest) Check() error { return checkColor(r.Color) }

// ChatUpdateAvatarRequest are the parameters of imbot.chat.updateAvatar.
type ChatUpdateAvatarRequest struct {
	Returns[OK]
	ChatID ID     `json:"CHAT_ID,omitempty"`
	Avatar []byte `json:"AVATAR,omitempty"` // an image of at most 5000×5000 pixels
	BotID  ID     `json:"BOT_ID,omitempty"`
}

// Method returns the name of the REST method.
func (ChatUpdateAvatarRequest) Method() string { return "imbot.chat.updateAvatar" }

// Repeatable is true.
func (ChatUpdateAvatarRequest) Repeatable() bool { return true }

func (r ChatUpdateAvatarRequest) botID() ID { return r.BotID }

// ChatListUsersRequest are the parameters of imbot.chat.user.list.
type ChatListUsersRequest struct {
	Returns[[]ID]
	ChatID ID `json:"CHAT_ID,omitempty"`
	BotID  ID `json:"BOT_ID,omitempty"`
}

// Method returns the name of the REST method.
func (ChatListUsersRequest) Method() string { return "imbot.chat.user.list" }

// Repeatable is true.
func (ChatListUsersRequest) Repeatable() bool { return true }

// Decode reads a list, also one that PHP sends as an object.
func (ChatListUsersRequest) Decode(result []byte) ([]ID, error) { return phpform.List[ID](result) }

func (r ChatListUsersRequest) botID() ID { return r.BotID }

// ChatAddUsersRequest are the parameters of imbot.chat.user.add.
type ChatAddUsersRequest struct {
	Returns[OK]
	ChatID      ID   `json:"CHAT_ID,omitempty"`
	Users       []ID `json:"USERS,omitempty"`
	HideHistory Flag `json:"HIDE_HISTORY,omitempty"` // documented default Yes; left out, current builds apply the chat's own setting
	BotID       ID   `json:"BOT_ID,omitempty"`
}

// Method returns the name of the REST method.
func (ChatAddUsersRequest) Method() string { return "imbot.chat.user.add" }

// Repeatable is true: who is a member already is no error.
func (ChatAddUsersRequest) Repeatable() bool { return true }

func (r ChatAddUsersRequest) botID() ID { return r.BotID }

// Check refuses what the portal would lose without a word.
func (r ChatAddUsersRequest) Check() error { return checkFlag("HIDE_HISTORY", r.HideHistory) }

// ChatDeleteUserRequest are the parameters of imbot.chat.user.delete.
type ChatDeleteUserRequest struct {
	Returns[OK]
	ChatID ID `json:"CHAT_ID,omitempty"`
	UserID ID `json:"USER_ID,omitempty"`
	BotID  ID `json:"BOT_ID,omitempty"`
}

// Method returns the name of the REST method.
func (ChatDeleteUserRequest) Method() string { return "imbot.chat.user.delete" }

func (r ChatDeleteUserRequest) botID() ID { return r.BotID }

// ChatGetDialogRequest are the parameters of imbot.dialog.get.
type ChatGetDialogRequest struct {
	Returns[Dialog]
	DialogID DialogID `json:"DIALOG_ID,omitempty"`
}

// Method returns the name of the REST method.
func (ChatGetDialogRequest) Method() string { return "imbot.dialog.get" }

// Repeatable is true.
func (ChatGetDialogRequest) Repeatable() bool { return true }

// Check refuses what the portal would lose without a word.
func (r ChatGetDialogRequest) Check() error { return checkTexts("DIALOG_ID", string(r.DialogID)) }

// Add creates a group chat of the bot, who becomes its owner and a member, and
// returns the chat's id. Each call creates another chat.
//
// REST method: imbot.chat.add. Errors: [ErrInvalidFormat], [ErrWrongRequest].
// [ErrUsersEmpty] is documented, but Users may be empty.
// Page: api-reference/chat-bots/outdated/chats/imbot-chat-add.html
func (s *ChatService) Add(ctx context.Context, req ChatAddRequest) (ID, error) {
	return Do(ctx, s.client, req)
}

// Get finds a chat by the tags it was given at creation. It fails with
// [ErrNotFound] when there is none, or when a tag is empty or "0". The portal
// searches the whole account without looking at rights, and picks any of
// several chats with the same tags.
//
// Repeatable. REST method: imbot.chat.get. Errors: [ErrNotFound],
// [ErrAuthorize], [ErrAccess].
// Page: api-reference/chat-bots/outdated/chats/imbot-chat-get.html
func (s *ChatService) Get(ctx context.Context, req ChatGetRequest) (ID, error) {
	return Do(ctx, s.client, req)
}

// Leave makes the bot leave a chat. A repeat fails: the bot is no member then.
//
// REST method: imbot.chat.leave. Errors: [ErrChatIDEmpty], [ErrAccess],
// [ErrLeaveOwnerForbidden], [ErrWrongRequest] or in its place one of the core's
// own: [ErrAccessDeniedKick], [ErrIMErrorKick], [ErrUserNotFound],
// [ErrUserInvitedFromStructure].
// Page: api-reference/chat-bots/outdated/chats/imbot-chat-leave.html
func (s *ChatService) Leave(ctx context.Context, req ChatLeaveRequest) error {
	_, err := Do(ctx, s.client, req)
	return err
}

// SetOwner hands a chat that the bot owns over to another member. It succeeds
// when the member is the owner already.
//
// REST method: imbot.chat.setOwner. Errors: [ErrChatIDEmpty], [ErrUserIDEmpty],
// [ErrAccess], [ErrWrongRequest].
// Page: api-reference/chat-bots/outdated/chats/imbot-chat-set-owner.html
func (s *ChatService) SetOwner(ctx context.Context, req ChatSetOwnerRequest) error {
	_, err := Do(ctx, s.client, req)
	return err
}

// SetManager makes a member a manager of the chat, or revokes that. The portal
// answers true for somebody who is no member, and changes nothing.
//
// Repeatable. REST method: imbot.chat.setManager. Errors: [ErrChatIDEmpty],
// [ErrUserIDEmpty], [ErrWrongRequest].
// Page: api-reference/chat-bots/outdated/chats/imbot-chat-set-manager.html
func (s *ChatService) SetManager(ctx context.Context, req ChatSetManagerRequest) error {
	_, err := Do(ctx, s.client, req)
	return err
}

// SendTyping shows that the bot is writing. The portal answers true for any
// well-formed dialog, whether it exists or not.
//
// Repeatable. REST method: imbot.chat.sendTyping. Errors: [ErrDialogIDEmpty].
// Page: api-reference/chat-bots/outdated/chats/imbot-chat-send-typing.html
func (s *ChatService) SendTyping(ctx context.Context, req ChatSendTypingRequest) error {
	_, err := Do(ctx, s.client, req)
	return err
}

// UpdateTitle renames a chat. The portal answers true also when it renamed
// nothing: no such chat, the bot is no member, or the title is the same.
//
// Repeatable. REST method: imbot.chat.updateTitle. Errors: [ErrChatIDEmpty],
// [ErrTitleEmpty] ("0" counts as empty), [ErrAccess], [ErrWrongRequest]
// (documented, never seen).
// Page: api-reference/chat-bots/outdated/chats/imbot-chat-update-title.html
func (s *ChatService) UpdateTitle(ctx context.Context, req ChatUpdateTitleRequest) error {
	_, err := Do(ctx, s.client, req)
	return err
}

// UpdateColor changes the colour of a chat. Setting the colour it already has
// fails with [ErrWrongRequest].
//
// REST method: imbot.chat.updateColor. Errors: [ErrChatIDEmpty], [ErrAccess],
// [ErrWrongColor], [ErrWrongRequest].
// Page: api-reference/chat-bots/outdated/chats/imbot-chat-update-color.html
func (s *ChatService) UpdateColor(ctx context.Context, req ChatUpdateColorRequest) error {
	_, err := Do(ctx, s.client, req)
	return err
}

// UpdateAvatar changes the picture of a chat. A chat that does not exist makes
// recent builds fail with HTTP 500 and no code.
//
// Repeatable. REST method: imbot.chat.updateAvatar. Errors: [ErrChatIDEmpty],
// [ErrAccessDenied] (with HTTP 400: the user behind the token or webhook may not),
// [ErrAccess], [ErrAvatar], [ErrWrongRequest].
// Page: api-reference/chat-bots/outdated/chats/imbot-chat-update-avatar.html
func (s *ChatService) UpdateAvatar(ctx context.Context, req ChatUpdateAvatarRequest) error {
	_, err := Do(ctx, s.client, req)
	return err
}

// ListUsers returns the ids of the members, bots included. A chat that does not
// exist, or that the bot cannot see, has an empty list and no error.
//
// Repeatable. REST method: imbot.chat.user.list. Errors: [ErrChatIDEmpty],
// [ErrAccess].
// Page: api-reference/chat-bots/outdated/chats/imbot-chat-user-list.html
func (s *ChatService) ListUsers(ctx context.Context, req ChatListUsersRequest) ([]ID, error) {
	return Do(ctx, s.client, req)
}

// AddUsers invites people to a chat. Members are left as they are; the bot is
// added, too, when it is none.
//
// Repeatable. REST method: imbot.chat.user.add. Errors: [ErrChatIDEmpty],
// [ErrAccess], [ErrWrongRequest] or in its place one of the core's own:
// [ErrAccessDeniedExtend], [ErrEmptyUserID].
// Page: api-reference/chat-bots/outdated/chats/imbot-chat-user-add.html
func (s *ChatService) AddUsers(ctx context.Context, req ChatAddUsersRequest) error {
	_, err := Do(ctx, s.client, req)
	return err
}

// DeleteUser removes a member from a chat. A repeat fails: who has left is no
// member.
//
// REST method: imbot.chat.user.delete. Errors: [ErrChatIDEmpty],
// [ErrUserIDEmpty], [ErrAccess], [ErrLeaveOwnerForbidden], [ErrWrongRequest] or
// in its place one of the core's own: [ErrAccessDeniedKick], [ErrIMErrorKick],
// [ErrUserNotFound], [ErrUserInvitedFromStructure].
// Page: api-reference/chat-bots/outdated/chats/imbot-chat-user-delete.html
func (s *ChatService) DeleteUser(ctx context.Context, req ChatDeleteUserRequest) error {
	_, err := Do(ctx, s.client, req)
	return err
}

// GetDialog describes a dialog as the user behind the token or webhook sees it,
// not as the bot does: role, counters and access are that user's.
//
// Repeatable. REST method: imbot.dialog.get. Errors: [ErrDialogIDEmpty],
// [ErrAccess] (HTTP 403: no access; HTTP 400: no such chat).
// Page: api-reference/chat-bots/outdated/chats/imbot-dialog-get.html
func (s *ChatService) GetDialog(ctx context.Context, req ChatGetDialogRequest) (Dialog, error) {
	return Do(ctx, s.client, req)
}

// maxTitle is the width of the portal's column; a longer title is cut.
const maxTitle = 255
