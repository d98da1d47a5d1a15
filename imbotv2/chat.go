package imbotv2

import (
	"context"
	"encoding/json"
	"time"

	"github.com/imbot-go/imbot"
)

// ChatService groups the methods about chats.
type ChatService service

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
func (ChatGetRequest) Decode(data []byte) (Chat, error) {
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
	Duration time.Duration // 1 s to 10 min, rounded up to seconds; default the portal's own
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
