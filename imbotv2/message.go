package imbotv2

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"

	"github.com/imbot-go/imbot"
)

// MessageService groups the methods that send and change messages.
type MessageService service

// MessageSendRequest are the parameters of imbot.v2.Chat.Message.send.
type MessageSendRequest struct {
	BotID           imbot.ID
	DialogID        imbot.DialogID // of a person: opens the private dialog
	Message         string         // BB code, at most 20,000 characters; the portal trims it. Empty beside Attach only
	Attach          *imbot.Attach
	Keyboard        *imbot.Keyboard
	System          imbot.Flag // default No; Yes: a system message, which the bot cannot change
	URLPreview      imbot.Flag // default Yes
	SkipConnector   imbot.Flag // default No; Yes: not sent to the other side of an open line
	SilentConnector imbot.Flag // default No; Yes: sent there without a sound
	ReplyID         imbot.ID   // the message to quote, of the same chat
	TemplateID      string     // a lower-case UUID v4 that no other message has; default: made up for this call
}

// Method returns the name of the REST method.
func (MessageSendRequest) Method() string { return "imbot.v2.Chat.Message.send" }

// Repeatable is true, because of TemplateID, which a system message does not have.
func (r MessageSendRequest) Repeatable() bool { return r.System != imbot.Yes }

// Decode reads the result of a call.
func (MessageSendRequest) Decode(data []byte) (imbot.ID, error) {
	f, err := result(data)
	if err != nil {
		return 0, err
	}
	id := f.id("id")
	if id == 0 {
		return 0, errNoID
	}
	return id, nil
}

// MarshalJSON writes the parameters as the portal takes them. An empty TemplateID becomes a
// new one each time; a call is encoded once for all its attempts.
func (r MessageSendRequest) MarshalJSON() ([]byte, error) {
	keyboard, err := keyboardOf(r.Keyboard, r.BotID)
	if err != nil {
		return nil, err
	}
	if r.TemplateID == "" && r.System != imbot.Yes {
		r.TemplateID = newTemplateID()
	}
	type fields struct {
		Message         string          `json:"message,omitempty"`
		Attach          *imbot.Attach   `json:"attach,omitempty"`
		Keyboard        json.RawMessage `json:"keyboard,omitempty"`
		System          imbot.Flag      `json:"system,omitempty"`
		URLPreview      imbot.Flag      `json:"urlPreview,omitempty"`
		SkipConnector   imbot.Flag      `json:"skipConnector,omitempty"`
		SilentConnector imbot.Flag      `json:"silentConnector,omitempty"`
		ReplyID         imbot.ID        `json:"replyId,omitempty"`
		TemplateID      string          `json:"templateId,omitempty"`
	}
	return json.Marshal(struct {
		BotID    imbot.ID       `json:"botId,omitempty"`
		DialogID imbot.DialogID `json:"dialogId"`
		Fields   fields         `json:"fields"`
	}{r.BotID, r.DialogID, fields{
		r.Message, r.Attach, keyboard, r.System, r.URLPreview, r.SkipConnector, r.SilentConnector, r.ReplyID, r.TemplateID,
	}})
}

// Check refuses what the portal would lose without a word, or refuse itself.
func (r MessageSendRequest) Check() error {
	if r.TemplateID != "" && !isTemplateID.MatchString(r.TemplateID) {
		return refuse("", "templateId is no lower-case UUID of version 4, so the portal would not recognize the message")
	}
	return checkNew(r.DialogID, r.Message, r.Attach, r.Keyboard)
}

// To returns a copy for another dialog, which is another message: it has no TemplateID.
func (r MessageSendRequest) To(dialog imbot.DialogID) MessageSendRequest {
	r.DialogID, r.TemplateID = dialog, ""
	return r
}

// MessageUpdateRequest are the parameters of imbot.v2.Chat.Message.update. Nil leaves a text, an
// attachment or a keyboard as it is; an empty one of the last two removes it:
//
//	imbotv2.MessageUpdateRequest{MessageID: id, Keyboard: &imbot.Keyboard{}}
//
// At least one change is needed.
type MessageUpdateRequest struct {
	done
	BotID      imbot.ID
	MessageID  imbot.ID
	Message    *string // at most 20,000 characters, not blank: that might delete the message (livecheck: empty-deletes)
	Attach     *imbot.Attach
	Keyboard   *imbot.Keyboard // one that the portal cannot use is none, without an error (livecheck: keyboard-of-update)
	URLPreview imbot.Flag      // default Yes; with Message only
}

// Method returns the name of the REST method.
func (MessageUpdateRequest) Method() string { return "imbot.v2.Chat.Message.update" }

// Repeatable is true.
func (MessageUpdateRequest) Repeatable() bool { return true }

// MarshalJSON writes the parameters as the portal takes them.
func (r MessageUpdateRequest) MarshalJSON() ([]byte, error) {
	keyboard, err := keyboardOf(r.Keyboard, r.BotID)
	if err != nil {
		return nil, err
	}
	var attach json.RawMessage
	switch {
	case r.Attach == nil:
	case isEmpty(r.Attach):
		attach = json.RawMessage(`""`) // removes it; "N" does so with keyboards only
	default:
		if attach, err = json.Marshal(r.Attach); err != nil {
			return nil, err
		}
	}
	type fields struct {
		Message    *string         `json:"message,omitempty"`
		Attach     json.RawMessage `json:"attach,omitempty"`
		Keyboard   json.RawMessage `json:"keyboard,omitempty"`
		URLPreview imbot.Flag      `json:"urlPreview,omitempty"`
	}
	return json.Marshal(struct {
		BotID     imbot.ID `json:"botId,omitempty"`
		MessageID imbot.ID `json:"messageId"`
		Fields    fields   `json:"fields"`
	}{r.BotID, r.MessageID, fields{r.Message, attach, keyboard, r.URLPreview}})
}

// Check refuses what the portal would lose without a word, or refuse itself.
func (r MessageUpdateRequest) Check() error {
	switch {
	case r.Message == nil && r.URLPreview != "":
		return refuse("", "urlPreview needs message")
	case r.Message == nil && r.Attach == nil && r.Keyboard == nil:
		return refuse("", "nothing to change")
	case r.Message != nil && blank(*r.Message):
		return refuse(ErrEmptyMessage, "a blank message might delete it: use Delete")
	}
	text := ""
	if r.Message != nil {
		text = *r.Message
	}
	return cmp.Or(checkMessage(text), checkRich(r.Attach, r.Keyboard))
}

// MessageDeleteRequest are the parameters of imbot.v2.Chat.Message.delete.
type MessageDeleteRequest struct {
	done      `json:"-"`
	BotID     imbot.ID   `json:"botId,omitempty"`
	MessageID imbot.ID   `json:"messageId"`
	Complete  imbot.Flag `json:"complete,omitempty"` // default No: a notice stays; Yes: nothing stays
}

// Method returns the name of the REST method.
func (MessageDeleteRequest) Method() string { return "imbot.v2.Chat.Message.delete" }

// MarshalJSON leaves a No out, which is the default: were every text a yes (livecheck: flag-text), nothing
// of the message would stay.
func (r MessageDeleteRequest) MarshalJSON() ([]byte, error) {
	type plain MessageDeleteRequest
	if !r.Complete.Bool() {
		r.Complete = ""
	}
	return json.Marshal(plain(r))
}

// MessageReadRequest are the parameters of imbot.v2.Chat.Message.read.
type MessageReadRequest struct {
	BotID     imbot.ID       `json:"botId,omitempty"`
	DialogID  imbot.DialogID `json:"dialogId"`
	MessageID imbot.ID       `json:"messageId,omitempty"` // the last one that counts as read; 0: all
}

// Method returns the name of the REST method.
func (MessageReadRequest) Method() string { return "imbot.v2.Chat.Message.read" }

// Repeatable is true.
func (MessageReadRequest) Repeatable() bool { return true }

// Check refuses a request without a dialog.
func (r MessageReadRequest) Check() error { return checkDialog(r.DialogID) }

// Decode reads the result of a call.
func (MessageReadRequest) Decode(data []byte) (MessageReadResult, error) {
	f, err := result(data)
	if err != nil {
		return MessageReadResult{}, err
	}
	r := MessageReadResult{ChatID: f.id("chatId"), LastID: f.id("lastId"), Counter: f.num("counter"), ViewedMessages: f.ids("viewedMessages")}
	if r.ChatID == 0 {
		return MessageReadResult{}, errors.New("the result holds no chat")
	}
	return r, nil
}

// MessageReadResult says what is read.
type MessageReadResult struct {
	ChatID         imbot.ID
	LastID         imbot.ID // the last message that is read
	Counter        int      // unread ones that are left
	ViewedMessages []imbot.ID
}

// Send sends a message from the bot and returns the message's id.
//
// The portal answers a second call with the same TemplateID with the id of the first message, for
// 31 days. While the first is just being sent it refuses with [ErrMessageDuplicatedByUUID],
// which is waited out. A definite error uses the TemplateID up. When no attempt got an answer the
// message may be there all the same: set a TemplateID of your own if you want to send it
// again, and send the same one.
//
// Repeatable, but for a system message. REST method: imbot.v2.Chat.Message.send. Errors:
// [ErrBotTokenNotSpecified], [ErrBotIDRequired], [ErrBotNotFound], [ErrBotOwnership],
// [ErrAccessDenied] (the bot is not in the chat), [ErrEmptyMessage], [ErrSendingFailed],
// [ErrParamAttach], [ErrTooManyMessages], [ErrWrongUUID], [ErrReply], [imbot.ErrParamKeyboard].
// Page: api-reference/chat-bots/chat-bots-v2/imbot.v2/messages/chat-message-send.html
func (s *MessageService) Send(ctx context.Context, req MessageSendRequest) (imbot.ID, error) {
	req.BotID = (*service)(s).bot(req.BotID)
	id, err := imbot.Do(ctx, s.client.base, req)
	if err == nil {
		s.client.kept.sent(place{req.BotID, req.DialogID})
	}
	return id, err
}

// Update changes a message of the bot, of any age (livecheck: edit-time), in an open line any message
// (livecheck: line-edits). The bot gets the event of its own change.
//
// Repeatable. REST method: imbot.v2.Chat.Message.update. Errors: [ErrBotTokenNotSpecified],
// [ErrBotIDRequired], [ErrBotNotFound], [ErrBotOwnership], [ErrAccessDenied] (not the
// bot's, or not there), [ErrParamAttach].
// Page: api-reference/chat-bots/chat-bots-v2/imbot.v2/messages/chat-message-update.html
func (s *MessageService) Update(ctx context.Context, req MessageUpdateRequest) error {
	req.BotID = (*service)(s).bot(req.BotID)
	_, err := imbot.Do(ctx, s.client.base, req)
	return err
}

// Delete deletes a message of the bot, or of others in a chat that it administers. A second
// call gives an error.
//
// REST method: imbot.v2.Chat.Message.delete. Errors: [ErrBotTokenNotSpecified],
// [ErrBotIDRequired], [ErrBotNotFound], [ErrBotOwnership], [ErrAccessDenied] (not the bot's, or
// not there), [ErrCantEditMessage] (a system message).
// Page: api-reference/chat-bots/chat-bots-v2/imbot.v2/messages/chat-message-delete.html
func (s *MessageService) Delete(ctx context.Context, req MessageDeleteRequest) error {
	req.BotID = (*service)(s).bot(req.BotID)
	_, err := imbot.Do(ctx, s.client.base, req)
	return err
}

// Read marks messages as read by the bot.
//
// Repeatable. REST method: imbot.v2.Chat.Message.read. Errors: [ErrBotTokenNotSpecified],
// [ErrBotIDRequired], [ErrBotNotFound], [ErrBotOwnership], [ErrAccessDenied] (the bot is not in
// the chat), [ErrMessageNotFound].
// Page: api-reference/chat-bots/chat-bots-v2/imbot.v2/messages/chat-message-read.html
func (s *MessageService) Read(ctx context.Context, req MessageReadRequest) (MessageReadResult, error) {
	req.BotID = (*service)(s).bot(req.BotID)
	return imbot.Do(ctx, s.client.base, req)
}

// keyboardOf writes a keyboard with the bot that its commands are for, without which an update
// may lead them to another.
func keyboardOf(k *imbot.Keyboard, bot imbot.ID) (json.RawMessage, error) {
	if k == nil {
		return nil, nil
	}
	data, err := json.Marshal(k)
	if err != nil || bot == 0 || data[0] != '{' { // "N" removes it
		return data, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return nil, err
	}
	if members["BOT_ID"] == nil {
		members["BOT_ID"] = json.RawMessage(bot.String())
	}
	return json.Marshal(members)
}
