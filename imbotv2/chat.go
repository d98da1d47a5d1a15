package imbotv2

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/imbot-go/imbot"
)

// ChatService groups the methods about chats.
type ChatService service

// ChatAddRequest are the parameters of imbot.v2.Chat.add.
type ChatAddRequest struct {
	BotID       imbot.ID
	Type        ChatType // ChatTypeChat (default) or ChatTypeOpen
	Title       string
	Description string
	Color       imbot.Color // default the portal's choice; LIGHT_BLUE, because portals may not read lightBlue (livecheck: colour-spelling)
	Avatar      []byte      // a picture
	UserIDs     []imbot.ID  // who is in it beside the bot and the owner
	OwnerID     imbot.ID    // default the bot; the portal does not look whether there is such a user
	Message     string      // the first one; not documented any more (livecheck: chat-first-message)
}

// Method returns the name of the REST method.
func (ChatAddRequest) Method() string { return "imbot.v2.Chat.add" }

// Decode reads the result of a call.
func (ChatAddRequest) Decode(data []byte) (Chat, error) { return decodeChat(data) }

// MarshalJSON writes the parameters as the portal takes them.
func (r ChatAddRequest) MarshalJSON() ([]byte, error) {
	type fields struct {
		Type        ChatType    `json:"type,omitempty"`
		Title       string      `json:"title,omitempty"`
		Description string      `json:"description,omitempty"`
		Color       imbot.Color `json:"color,omitempty"`
		Avatar      []byte      `json:"avatar,omitempty"`
		UserIDs     []imbot.ID  `json:"userIds,omitempty"`
		OwnerID     imbot.ID    `json:"ownerId,omitempty"`
		Message     string      `json:"message,omitempty"`
	}
	return json.Marshal(struct {
		BotID  imbot.ID `json:"botId,omitempty"`
		Fields fields   `json:"fields"`
	}{r.BotID, fields{r.Type, r.Title, r.Description, r.Color, r.Avatar, r.UserIDs, r.OwnerID, r.Message}})
}

// Check refuses what the portal would lose without a word.
func (r ChatAddRequest) Check() error {
	switch {
	case r.Type != "" && r.Type != ChatTypeChat && r.Type != ChatTypeOpen:
		return refuse("", "type %.20q: a bot makes only ChatTypeChat and ChatTypeOpen", string(r.Type))
	case r.OwnerID < 0:
		return refuse("", "ownerId %d is no user", r.OwnerID)
	}
	return cmp.Or(checkUsers(r.UserIDs), checkChat(r.Color, r.Avatar), checkMessage(r.Message))
}

// ChatGetRequest are the parameters of imbot.v2.Chat.get.
type ChatGetRequest struct {
	BotID    imbot.ID       `json:"botId,omitempty"`
	DialogID imbot.DialogID `json:"dialogId"`
}

// Method returns the name of the REST method.
func (ChatGetRequest) Method() string { return "imbot.v2.Chat.get" }

// Repeatable is true.
func (ChatGetRequest) Repeatable() bool { return true }

// Check refuses a request without a dialog.
func (r ChatGetRequest) Check() error { return checkDialog(r.DialogID) }

// Decode reads the result of a call.
func (ChatGetRequest) Decode(data []byte) (Chat, error) { return decodeChat(data) }

// ChatUpdateRequest are the parameters of imbot.v2.Chat.update. What is zero stays; at least one
// change is needed.
type ChatUpdateRequest struct {
	done
	BotID       imbot.ID
	DialogID    imbot.DialogID // of a group chat that the bot owns
	Title       string
	Description *string // empty removes it
	Color       imbot.Color
	Avatar      []byte // a picture
}

// Method returns the name of the REST method.
func (ChatUpdateRequest) Method() string { return "imbot.v2.Chat.update" }

// Repeatable is true.
func (ChatUpdateRequest) Repeatable() bool { return true }

// MarshalJSON writes the parameters as the portal takes them.
func (r ChatUpdateRequest) MarshalJSON() ([]byte, error) {
	type fields struct {
		Title       string      `json:"title,omitempty"`
		Description *string     `json:"description,omitempty"`
		Color       imbot.Color `json:"color,omitempty"`
		Avatar      []byte      `json:"avatar,omitempty"`
	}
	return json.Marshal(struct {
		BotID    imbot.ID       `json:"botId,omitempty"`
		DialogID imbot.DialogID `json:"dialogId"`
		Fields   fields         `json:"fields"`
	}{r.BotID, r.DialogID, fields{r.Title, r.Description, r.Color, r.Avatar}})
}

// Check refuses what the portal would lose without a word, or refuse itself.
func (r ChatUpdateRequest) Check() error {
	if r.Title == "" && r.Description == nil && r.Color == "" && len(r.Avatar) == 0 {
		return refuse("", "nothing to change")
	}
	return cmp.Or(checkGroup(r.DialogID), checkChat(r.Color, r.Avatar))
}

// ChatLeaveRequest are the parameters of imbot.v2.Chat.leave.
type ChatLeaveRequest struct {
	done     `json:"-"`
	BotID    imbot.ID       `json:"botId,omitempty"`
	DialogID imbot.DialogID `json:"dialogId"` // of a group chat
}

// Method returns the name of the REST method.
func (ChatLeaveRequest) Method() string { return "imbot.v2.Chat.leave" }

// Check refuses a private dialog, which nobody can leave.
func (r ChatLeaveRequest) Check() error { return checkGroup(r.DialogID) }

// ChatSetOwnerRequest are the parameters of imbot.v2.Chat.setOwner.
type ChatSetOwnerRequest struct {
	done     `json:"-"`
	BotID    imbot.ID       `json:"botId,omitempty"`
	DialogID imbot.DialogID `json:"dialogId"` // of a group chat
	UserID   imbot.ID       `json:"userId"`   // the portal does not look whether there is such a user
}

// Method returns the name of the REST method.
func (ChatSetOwnerRequest) Method() string { return "imbot.v2.Chat.setOwner" }

// Check refuses what would leave the chat without an owner.
func (r ChatSetOwnerRequest) Check() error {
	return cmp.Or(checkGroup(r.DialogID), checkID("userId", r.UserID))
}

// ActionStatus is what people see that a bot does.
type ActionStatus string

// What a bot can be seen to do. The client words it in the reader's language.
const (
	ActionTyping      ActionStatus = "" // it writes
	ActionThinking    ActionStatus = "IMBOT_AGENT_ACTION_THINKING"
	ActionSearching   ActionStatus = "IMBOT_AGENT_ACTION_SEARCHING"
	ActionGenerating  ActionStatus = "IMBOT_AGENT_ACTION_GENERATING"
	ActionAnalyzing   ActionStatus = "IMBOT_AGENT_ACTION_ANALYZING"
	ActionProcessing  ActionStatus = "IMBOT_AGENT_ACTION_PROCESSING"
	ActionTranslating ActionStatus = "IMBOT_AGENT_ACTION_TRANSLATING"
	ActionConnecting  ActionStatus = "IMBOT_AGENT_ACTION_CONNECTING"
	ActionChecking    ActionStatus = "IMBOT_AGENT_ACTION_CHECKING"
	ActionCalculating ActionStatus = "IMBOT_AGENT_ACTION_CALCULATING"
	ActionReadingDocs ActionStatus = "IMBOT_AGENT_ACTION_READING_DOCS"
	ActionComposing   ActionStatus = "IMBOT_AGENT_ACTION_COMPOSING"
)

// ChatNotifyActionRequest are the parameters of imbot.v2.Chat.InputAction.notify.
type ChatNotifyActionRequest struct {
	done
	BotID    imbot.ID
	DialogID imbot.DialogID
	Status   ActionStatus
	Duration time.Duration // 1 s to 10 min, rounded up to seconds; default the portal's own (livecheck: action-time)
}

// Method returns the name of the REST method.
func (ChatNotifyActionRequest) Method() string { return "imbot.v2.Chat.InputAction.notify" }

// Repeatable is true.
func (ChatNotifyActionRequest) Repeatable() bool { return true }

// MarshalJSON writes the parameters as the portal takes them.
func (r ChatNotifyActionRequest) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		BotID    imbot.ID       `json:"botId,omitempty"`
		DialogID imbot.DialogID `json:"dialogId"`
		Status   ActionStatus   `json:"statusMessageCode,omitempty"`
		Duration int64          `json:"duration,omitempty"`
	}{r.BotID, r.DialogID, r.Status, int64((r.Duration + time.Second - 1) / time.Second)})
}

// Check refuses what the portal would lose without a word.
func (r ChatNotifyActionRequest) Check() error {
	if r.Duration != 0 && (r.Duration < time.Second || r.Duration > 10*time.Minute) {
		return refuse("", "duration %v is not between 1 s and 10 min", r.Duration)
	}
	return checkDialog(r.DialogID)
}

// ChatSetTextFieldRequest are the parameters of imbot.v2.Chat.TextField.enabled.
type ChatSetTextFieldRequest struct {
	done     `json:"-"`
	BotID    imbot.ID       `json:"botId,omitempty"`
	DialogID imbot.DialogID `json:"dialogId"`
	Enabled  imbot.Flag     `json:"enabled"` // required; No: people can only press buttons
}

// Method returns the name of the REST method.
func (ChatSetTextFieldRequest) Method() string { return "imbot.v2.Chat.TextField.enabled" }

// Repeatable is true.
func (ChatSetTextFieldRequest) Repeatable() bool { return true }

// Check refuses what the portal would take for Yes.
func (r ChatSetTextFieldRequest) Check() error {
	if r.Enabled != imbot.Yes && r.Enabled != imbot.No {
		return refuse("", "enabled is neither Yes nor No: the portal would enable the field")
	}
	return checkDialog(r.DialogID)
}

// Add makes a group chat that the bot owns, unless OwnerID names somebody else. The bot gets a
// JoinChatEvent for it. A call that got no answer is not repeated: the chat may be there.
//
// REST method: imbot.v2.Chat.add. Errors: [ErrBotTokenNotSpecified], [ErrBotIDRequired],
// [ErrBotNotFound], [ErrBotOwnership], [ErrAccessDenied] (the bot may not make chats), [ErrCreation].
// Page: api-reference/chat-bots/chat-bots-v2/imbot.v2/chats/chat-add.html
func (s *ChatService) Add(ctx context.Context, req ChatAddRequest) (Chat, error) {
	req.BotID = (*service)(s).bot(req.BotID)
	return imbot.Do(ctx, s.client.base, req)
}

// Get returns a chat or private dialog. Open chats can be read without being a member.
//
// Repeatable. REST method: imbot.v2.Chat.get. Errors: [ErrBotTokenNotSpecified],
// [ErrBotIDRequired], [ErrBotNotFound], [ErrBotOwnership], [ErrChatNotFound],
// [ErrAccessDenied].
// Page: api-reference/chat-bots/chat-bots-v2/imbot.v2/chats/chat-get.html
func (s *ChatService) Get(ctx context.Context, req ChatGetRequest) (Chat, error) {
	req.BotID = (*service)(s).bot(req.BotID)
	return imbot.Do(ctx, s.client.base, req)
}

// Update changes a group chat that the bot owns, whatever Chat.Permissions say.
//
// Repeatable. REST method: imbot.v2.Chat.update. Errors: [ErrBotTokenNotSpecified],
// [ErrBotIDRequired], [ErrBotNotFound], [ErrBotOwnership], [ErrChatNotFound], [ErrAccessDenied]
// (the bot is not the owner), [ErrWrongMessageType] (no group chat).
// Page: api-reference/chat-bots/chat-bots-v2/imbot.v2/chats/chat-update.html
func (s *ChatService) Update(ctx context.Context, req ChatUpdateRequest) error {
	req.BotID = (*service)(s).bot(req.BotID)
	_, err := imbot.Do(ctx, s.client.base, req)
	return err
}

// Leave takes the bot out of a group chat. A second call gives an error.
//
// REST method: imbot.v2.Chat.leave. Errors: [ErrBotTokenNotSpecified], [ErrBotIDRequired],
// [ErrBotNotFound], [ErrBotOwnership], [ErrAccessDenied] (the bot is not in the chat).
// Page: api-reference/chat-bots/chat-bots-v2/imbot.v2/chats/chat-leave.html
func (s *ChatService) Leave(ctx context.Context, req ChatLeaveRequest) error {
	req.BotID = (*service)(s).bot(req.BotID)
	_, err := imbot.Do(ctx, s.client.base, req)
	return err
}

// SetOwner gives a group chat to somebody else. The bot stays a manager, and cannot take it back.
// Not for chats of open lines.
//
// REST method: imbot.v2.Chat.setOwner. Errors: [ErrBotTokenNotSpecified], [ErrBotIDRequired],
// [ErrBotNotFound], [ErrBotOwnership], [ErrChatNotFound], [ErrAccessDenied] (the bot is not the owner,
// nor a manager where Chat.Permissions.ManageSettings lets those).
// Page: api-reference/chat-bots/chat-bots-v2/imbot.v2/chats/chat-set-owner.html
func (s *ChatService) SetOwner(ctx context.Context, req ChatSetOwnerRequest) error {
	req.BotID = (*service)(s).bot(req.BotID)
	_, err := imbot.Do(ctx, s.client.base, req)
	return err
}

// NotifyAction shows what the bot does, until its next message or for Duration. Nothing ends it
// earlier, and the portal answers true whatever became of it. [KeepAction] keeps it up.
//
// Repeatable. REST method: imbot.v2.Chat.InputAction.notify. Errors: [ErrBotTokenNotSpecified],
// [ErrBotIDRequired], [ErrBotNotFound], [ErrBotOwnership], [ErrAccessDenied] (the bot is not in
// the chat).
// Page: api-reference/chat-bots/chat-bots-v2/imbot.v2/ui/chat-input-action-notify.html
func (s *ChatService) NotifyAction(ctx context.Context, req ChatNotifyActionRequest) error {
	req.BotID = (*service)(s).bot(req.BotID)
	_, err := imbot.Do(ctx, s.client.base, req)
	return err
}

// SetTextField shows or hides the field where people write. In private dialogs it works since
// revision 34.
//
// Repeatable. REST method: imbot.v2.Chat.TextField.enabled. Errors: [ErrBotTokenNotSpecified],
// [ErrBotIDRequired], [ErrBotNotFound], [ErrBotOwnership], [ErrAccessDenied] (the bot is not in
// the chat).
// Page: api-reference/chat-bots/chat-bots-v2/imbot.v2/ui/chat-text-field-enabled.html
func (s *ChatService) SetTextField(ctx context.Context, req ChatSetTextFieldRequest) error {
	req.BotID = (*service)(s).bot(req.BotID)
	_, err := imbot.Do(ctx, s.client.base, req)
	return err
}

// decodeChat reads a chat; the users beside it are not read, they are the bot (livecheck: chat-add-users).
func decodeChat(data []byte) (Chat, error) {
	f, err := result(data)
	if err != nil {
		return Chat{}, err
	}
	c := f.sub("chat").chat()
	if c.ID == 0 {
		return Chat{}, errNoID
	}
	return c, nil
}

// checkChat checks what a chat looks like.
func checkChat(color imbot.Color, avatar []byte) error {
	switch {
	case color != "" && color.Hex() == "":
		return refuse("", "color %.20q is not one of imbot.Colors()", string(color))
	case bytes.HasPrefix(avatar, []byte("data:")):
		return refuse("", "avatar is a data URL: it has to be the picture's own bytes")
	case len(avatar) > 0 && !strings.HasPrefix(http.DetectContentType(avatar), "image/"):
		return refuse("", "avatar is no picture: the portal would remove the one that is there")
	}
	return nil
}
