package imbot

import "context"

// MessageService groups the methods that send and change messages.
type MessageService service

// MessageAddRequest are the parameters of imbot.message.add.
type MessageAddRequest struct {
	Returns[ID]
	BotID         ID       `json:"BOT_ID,omitempty"`
	DialogID      DialogID `json:"DIALOG_ID,omitempty"`      // not needed with FromUserID and ToUserID
	FromUserID    ID       `json:"FROM_USER_ID,omitempty"`   // with ToUserID: a system message in the private dialog of the two
	ToUserID      ID       `json:"TO_USER_ID,omitempty"`     // see FromUserID
	Message       string   `json:"MESSAGE,omitempty"`        // BB code, at most 20,000 characters; the portal trims it
	System        Flag     `json:"SYSTEM,omitempty"`         // default No; Yes: a system message, in a chat with the bot's name before the text
	URLPreview    Flag     `json:"URL_PREVIEW,omitempty"`    // default Yes
	SkipConnector Flag     `json:"SKIP_CONNECTOR,omitempty"` // default No; Yes: not sent to the other side of an open line
}

// Method returns the name of the REST method.
func (MessageAddRequest) Method() string { return "imbot.message.add" }

func (r MessageAddRequest) botID() ID { return r.BotID }

func (r MessageAddRequest) check() *Error {
	return checkAll(
		checkTexts("DIALOG_ID", string(r.DialogID)),
		checkText("MESSAGE", r.Message, maxMessage),
		checkFlag("SYSTEM", r.System),
		checkFlag("URL_PREVIEW", r.URLPreview),
		checkFlag("SKIP_CONNECTOR", r.SkipConnector),
	)
}

// Add sends a message from the bot and returns the message's id. Each call
// sends another message: when the outcome is unknown, the error matches
// [ErrOutcomeUnknown] and the call is not repeated.
//
// Commands in the text are not executed, and bots get no event for messages of
// bots. The portal's core reports what it could not store with codes of its own.
//
// REST method: imbot.message.add. Errors: [ErrAccessDenied], [ErrBotID],
// [ErrAppID], [ErrDialogIDEmpty], [ErrMessageEmpty] (blank text), and
// [ErrWrongRequest] or in its place [ErrChatID] (no such chat), [ErrCanceled]
// (the bot may not write there), [ErrNoAccess] (private dialog not allowed),
// [ErrWrongSender], [ErrFromOtherModule].
func (s *MessageService) Add(ctx context.Context, req MessageAddRequest) (ID, error) {
	return Do(ctx, s.client, req)
}
