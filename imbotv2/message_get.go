package imbotv2

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/internal/phpform"
)

// MessageGetRequest are the parameters of imbot.v2.Chat.Message.get.
type MessageGetRequest struct {
	BotID     imbot.ID `json:"botId,omitempty"`
	MessageID imbot.ID `json:"messageId"`
}

// Method returns the name of the REST method.
func (MessageGetRequest) Method() string { return "imbot.v2.Chat.Message.get" }

// Repeatable is true.
func (MessageGetRequest) Repeatable() bool { return true }

// Check refuses a request without a message.
func (r MessageGetRequest) Check() error { return checkID("messageId", r.MessageID) }

// Decode reads the result of a call.
func (MessageGetRequest) Decode(data []byte) (MessageResult, error) {
	f, err := result(data)
	if err != nil {
		return MessageResult{}, err
	}
	r := MessageResult{Message: f.sub("message").message(), User: f.sub("user").user()}
	if r.Message.ID == 0 {
		return MessageResult{}, errNoID
	}
	return r, nil
}

// MessageResult is a message with its author.
type MessageResult struct {
	Message Message
	User    User
}

// MessageGetContextRequest are the parameters of imbot.v2.Chat.Message.getContext.
type MessageGetContextRequest struct {
	BotID     imbot.ID `json:"botId,omitempty"`
	MessageID imbot.ID `json:"messageId"`       // the one in the middle
	Range     int      `json:"range,omitempty"` // messages on each side, 1 to 50 (default)
}

// Method returns the name of the REST method.
func (MessageGetContextRequest) Method() string { return "imbot.v2.Chat.Message.getContext" }

// Repeatable is true.
func (MessageGetContextRequest) Repeatable() bool { return true }

// Check refuses a request without a message, and a range that the portal would replace.
func (r MessageGetContextRequest) Check() error {
	if r.Range < 0 || r.Range > maxRange {
		return refuse("", "range %d is not between 1 and %d", r.Range, maxRange)
	}
	return checkID("messageId", r.MessageID)
}

const maxRange = 50 // on each side

// Decode reads the result of a call.
func (MessageGetContextRequest) Decode(data []byte) (MessageContext, error) {
	var r MessageContext
	var failed error
	ok := phpform.Members(data, func(name, value []byte) bool {
		switch string(name) {
		case `"messages"`:
			r.Messages, failed = listOf(value, fields.message)
		case `"users"`:
			r.Users, failed = listOf(value, fields.user)
		case `"hasPrevPage"`:
			r.HasPrevPage = flagOf(scalar(value)).Bool()
		case `"hasNextPage"`:
			r.HasNextPage = flagOf(scalar(value)).Bool()
		}
		return failed == nil
	})
	if !ok || len(r.Messages) == 0 {
		return MessageContext{}, cmp.Or(failed, errors.New("the result holds no messages"))
	}
	if slices.ContainsFunc(r.Messages, func(m Message) bool { return m.ID <= 0 }) {
		return MessageContext{}, errNoID
	}
	return r, nil
}

// MessageContext are the messages around one, the oldest first, with their authors.
type MessageContext struct {
	Messages    []Message
	Users       []User
	HasPrevPage bool // older ones
	HasNextPage bool // newer ones
}

// Get returns a message of a chat of the bot, which must be of BotTypeSupervisor or
// BotTypePersonal.
//
// Repeatable. REST method: imbot.v2.Chat.Message.get. Errors: [ErrBotTokenNotSpecified],
// [ErrBotIDRequired], [ErrBotNotFound], [ErrBotOwnership], [ErrBotTypeNotAllowed].
// Page: api-reference/chat-bots/chat-bots-v2/imbot.v2/messages/chat-message-get.html
func (s *MessageService) Get(ctx context.Context, req MessageGetRequest) (MessageResult, error) {
	req.BotID = (*service)(s).bot(req.BotID)
	return imbot.Do(ctx, s.client.base, req)
}

// GetContext returns a message with those before and behind it, for bots as of
// [MessageService.Get]. Pages overlap: [MessageService.History] reads a chat backwards.
//
// Repeatable. REST method: imbot.v2.Chat.Message.getContext. Errors: [ErrBotTokenNotSpecified],
// [ErrBotIDRequired], [ErrBotNotFound], [ErrBotOwnership], [ErrBotTypeNotAllowed],
// [ErrMessageNotFound], [ErrMessageAccessDenied] (the bot is not in the chat, or does not see that
// far back).
// Page: api-reference/chat-bots/chat-bots-v2/imbot.v2/messages/chat-message-get-context.html
func (s *MessageService) GetContext(ctx context.Context, req MessageGetContextRequest) (MessageContext, error) {
	req.BotID = (*service)(s).bot(req.BotID)
	return imbot.Do(ctx, s.client.base, req)
}

// History returns the messages before one, each once, the newest first, back to the first that
// the bot may see. It ends there, or with an error. It keeps one page in memory, however long the
// chat is.
func (s *MessageService) History(ctx context.Context, req MessageGetContextRequest) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		for {
			page, err := s.GetContext(ctx, req)
			if err != nil {
				yield(Message{}, err)
				return
			}
			slices.SortFunc(page.Messages, func(a, b Message) int { return cmp.Compare(b.ID, a.ID) })
			last := req.MessageID
			for _, m := range page.Messages {
				if m.ID >= last { // newer ones, and what was there before
					continue
				}
				if last = m.ID; !yield(m, nil) {
					return
				}
			}
			if last == req.MessageID || !page.HasPrevPage {
				return
			}
			req.MessageID = last
		}
	}
}
