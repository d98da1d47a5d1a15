package openlines

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/imbot-go/imbot"
)

// SessionService groups the methods about conversations.
type SessionService service

// SessionCallOperatorRequest are the parameters of imopenlines.bot.session.operator.
type SessionCallOperatorRequest struct {
	imbot.Returns[imbot.OK]
	ChatID imbot.ID `json:"CHAT_ID,omitempty"`
}

// Method returns the name of the REST method.
func (SessionCallOperatorRequest) Method() string { return "imopenlines.bot.session.operator" }

// Repeatable is true: see Ran.
func (SessionCallOperatorRequest) Repeatable() bool { return true }

// Ran says which code means that an attempt before has taken the conversation from the bot.
func (SessionCallOperatorRequest) Ran(code imbot.ErrorCode) bool { return same(code, ErrWrongChat) }

// SessionSendRequest are the parameters of imopenlines.bot.session.message.send: a text, or the
// greeting of the line.
type SessionSendRequest struct {
	imbot.Returns[imbot.OK]
	ChatID   imbot.ID
	Message  string     // not "0", which the portal takes for none
	Greeting imbot.Flag // default No; Yes: the greeting of the line's settings, in place of Message
}

// Method returns the name of the REST method.
func (SessionSendRequest) Method() string { return "imopenlines.bot.session.message.send" }

// MarshalJSON writes the parameters as the portal takes them.
func (r SessionSendRequest) MarshalJSON() ([]byte, error) {
	name := "DEFAULT"
	if r.Greeting.Bool() {
		name = "WELCOME"
	}
	return json.Marshal(struct {
		ChatID  imbot.ID `json:"CHAT_ID,omitempty"`
		Name    string   `json:"NAME"`
		Message string   `json:"MESSAGE,omitempty"`
	}{r.ChatID, name, r.Message})
}

// Check refuses what the portal would lose without a word.
func (r SessionSendRequest) Check() error {
	switch greeting := r.Greeting.Bool(); {
	case greeting && r.Message != "":
		return refuse("", "MESSAGE beside a greeting would be ignored")
	case !greeting && r.Message == "":
		return refuse(imbot.ErrMessageEmpty, "neither a MESSAGE nor the greeting: the portal would send nothing")
	case r.Message == "0":
		return refuse(imbot.ErrMessageEmpty, `a MESSAGE of "0" would not be sent`)
	}
	return cmp.Or(checkFlag("Greeting", r.Greeting), checkText("MESSAGE", r.Message))
}

// SessionTransferRequest are the parameters of imopenlines.bot.session.transfer: to a person, or to
// a line.
type SessionTransferRequest struct {
	imbot.Returns[imbot.OK]
	ChatID imbot.ID   `json:"CHAT_ID,omitempty"`
	UserID imbot.ID   `json:"USER_ID,omitempty"`
	LineID imbot.ID   `json:"QUEUE_ID,omitempty"`
	Leave  imbot.Flag `json:"LEAVE,omitempty"` // default No; Yes: the bot leaves the chat; without effect where the line goes on
}

// Method returns the name of the REST method.
func (SessionTransferRequest) Method() string { return "imopenlines.bot.session.transfer" }

// Check refuses what the portal would lose without a word.
func (r SessionTransferRequest) Check() error {
	return cmp.Or(
		checkOneOfIDs(ErrTransferIDEmpty, "USER_ID", r.UserID, "QUEUE_ID", r.LineID),
		checkFlag("LEAVE", r.Leave),
	)
}

// SessionFinishRequest are the parameters of imopenlines.bot.session.finish.
type SessionFinishRequest struct {
	imbot.Returns[imbot.OK]
	ChatID imbot.ID `json:"CHAT_ID,omitempty"`
}

// Method returns the name of the REST method.
func (SessionFinishRequest) Method() string { return "imopenlines.bot.session.finish" }

// Repeatable is true.
func (SessionFinishRequest) Repeatable() bool { return true }

// SessionGetRequest are the parameters of imopenlines.dialog.get: a chat, or one of its
// conversations.
type SessionGetRequest struct {
	ChatID    imbot.ID `json:"CHAT_ID,omitempty"`
	SessionID imbot.ID `json:"SESSION_ID,omitempty"`
}

// Method returns the name of the REST method.
func (SessionGetRequest) Method() string { return "imopenlines.dialog.get" }

// Repeatable is true.
func (SessionGetRequest) Repeatable() bool { return true }

// Check refuses what the portal would lose without a word.
func (r SessionGetRequest) Check() error {
	return checkOneOfIDs(imbot.ErrAccess, "CHAT_ID", r.ChatID, "SESSION_ID", r.SessionID)
}

// Dialog is the chat of an open line.
type Dialog struct {
	ChatID     imbot.ID
	DialogID   imbot.DialogID // for messages of the bot
	Name       string
	OwnerID    imbot.ID // who holds the conversation, a bot or a person; 0: nobody
	ManagerIDs []imbot.ID
	OpenLine   imbot.OpenLine // with the last conversation
	Raw        imbot.RawEvent // all fields, as in Raw.Get("date_create")
}

// Decode reads the result of a call.
func (SessionGetRequest) Decode(data []byte) (Dialog, error) {
	f, err := object(data)
	if err != nil {
		return Dialog{}, err
	}
	d := Dialog{
		ChatID: f.id("id"), DialogID: imbot.DialogID(f.Get("dialog_id")), Name: f.Get("name"), OwnerID: f.id("owner"),
		ManagerIDs: f.ids("manager_list"), Raw: f.RawEvent,
	}
	if d.ChatID == 0 {
		return Dialog{}, errNoID
	}
	d.DialogID = cmp.Or(d.DialogID, imbot.ChatDialog(d.ChatID))
	told := imbot.MessageAddEvent{Params: imbot.MessageParams{ // an event tells it in the same texts
		ChatType: "L", ChatID: d.ChatID, ChatEntityID: imbot.EntityID(f.Get("entity_id")),
		ChatEntityData1: f.Get("entity_data_1"), ChatEntityData2: f.Get("entity_data_2"),
	}}
	d.OpenLine, _ = told.OpenLine()
	return d, nil
}

// SessionHistoryRequest are the parameters of imopenlines.session.history.get: a conversation, or a
// chat, whose newest is meant.
type SessionHistoryRequest struct {
	SessionID imbot.ID `json:"SESSION_ID,omitempty"`
	ChatID    imbot.ID `json:"CHAT_ID,omitempty"`
}

// Method returns the name of the REST method.
func (SessionHistoryRequest) Method() string { return "imopenlines.session.history.get" }

// Repeatable is true.
func (SessionHistoryRequest) Repeatable() bool { return true }

// Check refuses what the portal would lose without a word.
func (r SessionHistoryRequest) Check() error {
	return checkOneOfIDs(ErrMissingRequiredParam, "SESSION_ID", r.SessionID, "CHAT_ID", r.ChatID)
}

// Message is a message of a conversation.
type Message struct {
	ID       imbot.ID
	ChatID   imbot.ID
	AuthorID imbot.ID // 0: nobody, a notice of the line
	Date     time.Time
	Text     string
	FileIDs  []imbot.ID
	Raw      imbot.RawEvent // all fields, as in Raw.Get("params", "class")
}

// Decode reads the messages, in the order of their ids.
func (SessionHistoryRequest) Decode(data []byte) ([]Message, error) {
	var history struct{ Message json.RawMessage }
	if err := json.Unmarshal(data, &history); err != nil {
		return nil, err
	}
	all, err := objects(history.Message, "id")
	if err != nil {
		return nil, err
	}
	messages := make([]Message, 0, len(all))
	for _, f := range all {
		messages = append(messages, Message{
			ID: f.id("id"), ChatID: f.id("chatid"), AuthorID: f.id("senderid"), Date: f.time("date"), Text: f.Get("text"),
			FileIDs: fields{f.At("params")}.ids("fileId"), Raw: f.RawEvent,
		})
	}
	return messages, nil
}

// CallOperator takes the conversation from the bot and offers it to the operators of the line.
//
// Nobody asks whose bot holds it. The bot leaves the chat, unless the line says that it stays until the
// end. With nobody in the queue it succeeds all the same: the guest gets what the line says
// when nobody answers. Where the last conversation is over, the call may begin a new one.
//
// Repeatable: when an attempt may have run, [ErrWrongChat] of the next says that it has.
// REST method: imopenlines.bot.session.operator. Errors: [imbot.ErrWrongAuthType],
// [imbot.ErrChatIDEmpty], [ErrWrongChat].
// Page: api-reference/imopenlines/openlines/chat-bots/imopenlines-bot-session-operator.html
func (s *SessionService) CallOperator(ctx context.Context, req SessionCallOperatorRequest) error {
	_, err := imbot.Do(ctx, s.client, req)
	return err
}

// Send puts a message of the line, not of the bot, into the conversation: a text, or the line's
// greeting. To speak as the bot, send a message to the dialog of the chat.
//
// The message has no author and no id, so it cannot be changed. The portal answers true whatever
// became of it, for a chat that does not exist, too. It may begin a new conversation where
// the last one is over.
//
// REST method: imopenlines.bot.session.message.send. Errors: [imbot.ErrWrongAuthType],
// [imbot.ErrChatIDEmpty].
// Page: api-reference/imopenlines/openlines/chat-bots/imopenlines-bot-session-message-send.html
func (s *SessionService) Send(ctx context.Context, req SessionSendRequest) error {
	_, err := imbot.Do(ctx, s.client, req)
	return err
}

// transferAgain is how long a transfer waits for another one of the same chat to end.
const transferAgain = time.Second

// Transfer hands the conversation to a person, or to another line.
//
// A person gets it at once, without being asked, and other employees are removed from the chat. The
// line's own bot leaves then, too, whatever Leave says, unless the line says that it stays until the
// end. Of a line, everybody but the guest and the calling bot is removed, and its operators are
// asked. Nobody checks that the bot holds the conversation, or that the line is active.
//
// [ErrOperatorWrong] also means that another transfer of the chat is running, so the call is made
// once more after a second; in a batch it is not.
//
// REST method: imopenlines.bot.session.transfer. Errors: [imbot.ErrWrongAuthType],
// [imbot.ErrChatIDEmpty], [imbot.ErrUserIDEmpty], [ErrQueueIDEmpty], [ErrTransferIDEmpty],
// [imbot.ErrAccessDenied] (a webhook without a client id), [imbot.ErrBotID], [ErrOperatorWrong] (a
// bot, a guest, somebody from outside or dismissed; no such line, chat or conversation).
// Page: api-reference/imopenlines/openlines/chat-bots/imopenlines-bot-session-transfer.html
func (s *SessionService) Transfer(ctx context.Context, req SessionTransferRequest) error {
	_, err := imbot.Do(ctx, s.client, req)
	if !errors.Is(err, ErrOperatorWrong) {
		return err
	}
	wait := time.NewTimer(transferAgain)
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return err
	case <-wait.C:
	}
	_, err = imbot.Do(ctx, s.client, req)
	return err
}

// Finish ends the conversation; the guest gets the closing words of the line, and may be asked for
// a vote.
//
// It takes the conversation from a person, too, and removes that person from the chat: [SessionService.Get]
// tells the owner. The portal answers true for a conversation that is over and for a chat that
// does not exist.
//
// Repeatable. REST method: imopenlines.bot.session.finish. Errors: [imbot.ErrWrongAuthType],
// [imbot.ErrChatIDEmpty], [imbot.ErrAccessDenied] (a webhook without a client id), [imbot.ErrBotID].
// Page: api-reference/imopenlines/openlines/chat-bots/imopenlines-bot-session-finish.html
func (s *SessionService) Finish(ctx context.Context, req SessionFinishRequest) error {
	_, err := imbot.Do(ctx, s.client, req)
	return err
}

// Get returns the chat of an open line and who holds the conversation.
//
// It is read by the user of the webhook or token, not by the bot: that user has to be in
// the chat, or may join conversations of the line.
//
// Repeatable. REST method: imopenlines.dialog.get. Errors: [ErrIMNotInstalled], [imbot.ErrAccess]
// (no such chat, none of an open line, or not allowed).
// Page: api-reference/imopenlines/openlines/sessions/imopenlines-dialog-get.html
func (s *SessionService) Get(ctx context.Context, req SessionGetRequest) (Dialog, error) {
	return imbot.Do(ctx, s.client, req)
}

// History returns all messages of a conversation in the order of their ids. There are no pages: a
// long conversation comes whole.
//
// It is read by the user of the webhook or token, not by the bot.
//
// Repeatable. REST method: imopenlines.session.history.get. Errors: [ErrMissingRequiredParam],
// [ErrInvalidSessionID], [imbot.ErrAccessDenied] (no such conversation, or not allowed).
// Page: api-reference/imopenlines/openlines/sessions/imopenlines-session-history-get.html
func (s *SessionService) History(ctx context.Context, req SessionHistoryRequest) ([]Message, error) {
	return imbot.Do(ctx, s.client, req)
}
