package imbotv2

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"

	"github.com/imbot-go/imbot"
)

// MessageForwardRequest are the parameters of imbot.v2.Chat.Message.send that forward messages.
type MessageForwardRequest struct {
	BotID      imbot.ID
	DialogID   imbot.DialogID // where to
	Message    string         // what the bot says beside them; BB code, at most 20,000 characters
	ForwardIDs []imbot.ID     // 1 to 100 messages of chats that the bot is in
}

const maxForwards = 100 // in one call

// Method returns the name of the REST method.
func (MessageForwardRequest) Method() string { return "imbot.v2.Chat.Message.send" }

// Repeatable is true: each message of the call has a UUID.
func (MessageForwardRequest) Repeatable() bool { return true }

// MarshalJSON writes the parameters as the portal takes them, with new UUIDs each time; a call is
// encoded once for all its attempts. The UUIDs of messages begin with their numbers: an object is
// written, and read, in the order of its keys.
func (r MessageForwardRequest) MarshalJSON() ([]byte, error) {
	forwards := make(map[string]imbot.ID, len(r.ForwardIDs))
	for i, id := range r.ForwardIDs {
		var random [16]byte
		_, _ = rand.Read(random[:]) // never fails
		random[0] = byte(i)         // below 100
		forwards[templateID(random)] = id
	}
	type fields struct {
		Message    string              `json:"message,omitempty"`
		TemplateID string              `json:"templateId,omitempty"`
		ForwardIDs map[string]imbot.ID `json:"forwardIds"`
	}
	f := fields{Message: r.Message, ForwardIDs: forwards}
	if !blank(r.Message) {
		f.TemplateID = newTemplateID()
	}
	return json.Marshal(struct {
		BotID    imbot.ID       `json:"botId,omitempty"`
		DialogID imbot.DialogID `json:"dialogId"`
		Fields   fields         `json:"fields"`
	}{r.BotID, r.DialogID, f})
}

// Check refuses what the portal would lose without a word, or refuse itself.
func (r MessageForwardRequest) Check() error {
	switch {
	case len(r.ForwardIDs) == 0:
		return refuse(ErrEmptyMessage, "forwardIds is empty")
	case len(r.ForwardIDs) > maxForwards:
		return refuse(ErrTooManyMessages, "forwardIds has %d messages, the portal takes %d", len(r.ForwardIDs), maxForwards)
	}
	seen := make(map[imbot.ID]bool, len(r.ForwardIDs))
	for _, id := range r.ForwardIDs {
		if id <= 0 || seen[id] {
			return refuse("", "forwardIds has the message %d twice, or it is none", id)
		}
		seen[id] = true
	}
	return cmp.Or(checkDialog(r.DialogID), checkMessage(r.Message))
}

// Decode reads the result of a call.
func (MessageForwardRequest) Decode(data []byte) (MessageForwardResult, error) {
	f, err := result(data)
	if err != nil {
		return MessageForwardResult{}, err
	}
	r := MessageForwardResult{ID: f.id("id")}
	for _, uuid := range f.Keys("uuidMap") {
		if r.UUIDMap == nil {
			r.UUIDMap = map[string]imbot.ID{}
		}
		r.UUIDMap[uuid] = idOf(f.Get("uuidMap", uuid))
	}
	if r.ID == 0 && len(r.UUIDMap) == 0 {
		return MessageForwardResult{}, errNoID
	}
	return r, nil
}

// MessageForwardResult says which messages were sent.
type MessageForwardResult struct {
	ID      imbot.ID            // of Message; 0 without one
	UUIDMap map[string]imbot.ID // the forwarded ones: sorted by the keys they are in the order of ForwardIDs. May be empty beside a Message that was sent again
}

// Forward forwards messages to a dialog, in their order. Where and by whom they were written stays
// with them, see Message.Forward. What [MessageService.Send] says about calls that are repeated
// holds for each of them.
//
// Repeatable. REST method: imbot.v2.Chat.Message.send. Errors: those of [MessageService.Send];
// [ErrAccessDenied] also when the bot is not in the chat of a message to forward.
// Page: api-reference/chat-bots/chat-bots-v2/imbot.v2/messages/chat-message-send.html
func (s *MessageService) Forward(ctx context.Context, req MessageForwardRequest) (MessageForwardResult, error) {
	req.BotID = (*service)(s).bot(req.BotID)
	r, err := imbot.Do(ctx, s.client.base, req)
	if err == nil {
		s.client.kept.sent(place{req.BotID, req.DialogID})
	}
	return r, err
}
