package imbot

import (
	"context"
	"strings"
)

// MessageService groups the methods that send and change messages.
type MessageService service

// MessageAddRequest are the parameters of imbot.message.add.
type MessageAddRequest struct {
	Returns[ID]
	BotID         ID        `json:"BOT_ID,omitempty"`
	DialogID      DialogID  `json:"DIALOG_ID,omitempty"`    // not needed with FromUserID and ToUserID
	FromUserID    ID        `json:"FROM_USER_ID,omitempty"` // with ToUserID: a system message in the private dialog of the two
	ToUserID      ID        `json:"TO_USER_ID,omitempty"`   // see FromUserID
	Message       string    `json:"MESSAGE,omitempty"`      // BB code, at most 20,000 characters; the portal trims it
	Attach        *Attach   `json:"ATTACH,omitempty"`       // not in place of Message
	Keyboard      *Keyboard `json:"KEYBOARD,omitempty"`
	Menu          *Menu     `json:"MENU,omitempty"`
	System        Flag      `json:"SYSTEM,omitempty"`         // default No; Yes: a system message, in a chat with the bot's name before the text
	URLPreview    Flag      `json:"URL_PREVIEW,omitempty"`    // default Yes
	SkipConnector Flag      `json:"SKIP_CONNECTOR,omitempty"` // default No; Yes: not sent to the other side of an open line
}

// Method returns the name of the REST method.
func (MessageAddRequest) Method() string { return "imbot.message.add" }

func (r MessageAddRequest) botID() ID { return r.BotID }

// Check refuses what the portal would lose without a word.
func (r MessageAddRequest) Check() error {
	return checkAll(
		checkTexts("DIALOG_ID", string(r.DialogID)),
		checkText("MESSAGE", r.Message, maxMessage),
		checkRich(r.Attach, r.Keyboard, r.Menu, false),
		checkFlag("SYSTEM", r.System),
		checkFlag("URL_PREVIEW", r.URLPreview),
		checkFlag("SKIP_CONNECTOR", r.SkipConnector),
	)
}

// MessageUpdateRequest are the parameters of imbot.message.update. Nil leaves a
// text, attachment, keyboard or menu as it is; an empty one of the last three
// removes it:
//
//	imbot.MessageUpdateRequest{MessageID: id, Keyboard: &imbot.Keyboard{}}
//
// At least one change is needed.
type MessageUpdateRequest struct {
	Returns[OK]
	BotID         ID        `json:"BOT_ID,omitempty"`
	MessageID     ID        `json:"MESSAGE_ID,omitempty"`
	Message       *string   `json:"MESSAGE,omitempty"` // at most 20,000 characters; not empty, blank or only line breaks, which would delete the message
	Attach        *Attach   `json:"ATTACH,omitempty"`
	Keyboard      *Keyboard `json:"KEYBOARD,omitempty"`
	Menu          *Menu     `json:"MENU,omitempty"`
	URLPreview    Flag      `json:"URL_PREVIEW,omitempty"`    // default Yes; with Message only
	SkipConnector Flag      `json:"SKIP_CONNECTOR,omitempty"` // default No; with Message only; Yes: not sent to the other side of an open line
}

// Method returns the name of the REST method.
func (MessageUpdateRequest) Method() string { return "imbot.message.update" }

// Repeatable is true.
func (MessageUpdateRequest) Repeatable() bool { return true }

func (r MessageUpdateRequest) botID() ID { return r.BotID }

// Check refuses what the portal would lose without a word.
func (r MessageUpdateRequest) Check() error {
	switch {
	case r.Message == nil && (r.URLPreview != "" || r.SkipConnector != ""):
		return invalid("", "URL_PREVIEW and SKIP_CONNECTOR need MESSAGE: the portal would ignore them")
	case r.Message == nil && r.Attach == nil && r.Keyboard == nil && r.Menu == nil:
		return invalid("", "nothing to change: the portal would answer true without looking for the message")
	case r.Message != nil && trimmedAway(textBreaks.Replace(*r.Message)):
		return invalid(ErrMessageEmpty, "a MESSAGE of nothing but blanks and line breaks would delete the message: use Delete")
	}
	return checkAll(
		checkText("MESSAGE", deref(r.Message), maxMessage),
		checkRich(r.Attach, r.Keyboard, r.Menu, true),
		checkFlag("URL_PREVIEW", r.URLPreview),
		checkFlag("SKIP_CONNECTOR", r.SkipConnector),
	)
}

// textBreaks makes line breaks of the codes that the portal replaces before it looks
// whether a text is empty. Other spellings are text.
var textBreaks = strings.NewReplacer("[BR]", "\n", "[br]", "\n", "#BR#", "\n")

// MessageDeleteRequest are the parameters of imbot.message.delete.
type MessageDeleteRequest struct {
	Returns[OK]
	BotID     ID   `json:"BOT_ID,omitempty"`
	MessageID ID   `json:"MESSAGE_ID,omitempty"`
	Complete  Flag `json:"COMPLETE,omitempty"` // default No: a notice stays; Yes: nothing stays
}

// Method returns the name of the REST method.
func (MessageDeleteRequest) Method() string { return "imbot.message.delete" }

func (r MessageDeleteRequest) botID() ID { return r.BotID }

// Check refuses what the portal would lose without a word.
func (r MessageDeleteRequest) Check() error { return checkFlag("COMPLETE", r.Complete) }

// LikeAction says what becomes of a like.
type LikeAction string

// What can become of a like.
const (
	LikeAuto  LikeAction = "auto"  // the other way round (the portal's default)
	LikePlus  LikeAction = "plus"  // set
	LikeMinus LikeAction = "minus" // removed
)

// MessageLikeRequest are the parameters of imbot.message.like.
type MessageLikeRequest struct {
	Returns[OK]
	BotID     ID         `json:"BOT_ID,omitempty"`
	MessageID ID         `json:"MESSAGE_ID,omitempty"`
	Action    LikeAction `json:"ACTION,omitempty"` // default LikeAuto
}

// Method returns the name of the REST method.
func (MessageLikeRequest) Method() string { return "imbot.message.like" }

func (r MessageLikeRequest) botID() ID { return r.BotID }

// Check refuses what the portal would lose without a word.
func (r MessageLikeRequest) Check() error {
	return checkOneOf("ACTION", r.Action, LikeAuto, LikePlus, LikeMinus)
}

// Add sends a message from the bot and returns the message's id. Each call
// sends another message: when the outcome is unknown, the error matches
// [ErrOutcomeUnknown] and the call is not repeated.
//
// Commands in the text are not executed, and bots get no event for messages of
// bots. The portal's core reports what it could not store with codes of its own.
//
// REST method: imbot.message.add. Errors: [ErrAccessDenied], [ErrBotID],
// [ErrAppID], [ErrDialogIDEmpty], [ErrMessageEmpty] (blank text, also with an
// attachment), [ErrAttachOversize], [ErrAttach], [ErrKeyboard], [ErrMenu], and
// [ErrWrongRequest] or in its place [ErrChatID] (no such chat), [ErrCanceled]
// (the bot may not write there), [ErrNoAccess] (private dialog not allowed),
// [ErrWrongSender], [ErrFromOtherModule], [ErrParamKeyboard] and [ErrParamMenu]
// (too large; documented as [ErrKeyboardOversize] and [ErrMenuOversize]).
// Page: api-reference/chat-bots/outdated/messages/imbot-message-add.html
func (s *MessageService) Add(ctx context.Context, req MessageAddRequest) (ID, error) {
	return Do(ctx, s.client, req)
}

// Update changes a message of the bot that is at most three days old. People do
// not see that it was changed.
//
// Attachment, keyboard, menu and text are changed one after the other: when one
// of them fails, those before it stay changed.
//
// Repeatable. REST method: imbot.message.update. Errors: [ErrAccessDenied],
// [ErrBotID], [ErrAppID], [ErrMessageID], [ErrCantEditMessage],
// [ErrAttachOversize], [ErrAttach], [ErrKeyboardOversize], [ErrKeyboard],
// [ErrMenuOversize], [ErrMenu].
// Page: api-reference/chat-bots/outdated/messages/imbot-message-update.html
func (s *MessageService) Update(ctx context.Context, req MessageUpdateRequest) error {
	_, err := Do(ctx, s.client, req)
	return err
}

// Delete deletes a message of the bot, of any age. A repeat fails with
// [ErrCantEditMessage].
//
// REST method: imbot.message.delete. Errors: [ErrAccessDenied], [ErrBotID],
// [ErrAppID], [ErrMessageID], [ErrCantEditMessage].
// Page: api-reference/chat-bots/outdated/messages/imbot-message-delete.html
func (s *MessageService) Delete(ctx context.Context, req MessageDeleteRequest) error {
	_, err := Do(ctx, s.client, req)
	return err
}

// Like sets or removes the bot's like on a message. Nothing tells which way
// LikeAuto went; with the others a repeat fails with [ErrWithoutChanges].
//
// REST method: imbot.message.like. Errors: [ErrAccessDenied], [ErrBotID],
// [ErrAppID], [ErrMessageID], [ErrWithoutChanges] (already so, or no access to
// the message).
// Page: api-reference/chat-bots/outdated/messages/imbot-message-like.html
func (s *MessageService) Like(ctx context.Context, req MessageLikeRequest) error {
	_, err := Do(ctx, s.client, req)
	return err
}
