package imbot

import (
	"context"

	"github.com/imbot-go/imbot/internal/slash"
)

// CommandService groups the methods that manage the slash commands of bots.
//
// Each method can also fail with [ErrAccessDenied] (a webhook call without a
// client id) and [ErrWrongAuthType].
type CommandService service

// CommandLang is the title of a command in one language.
type CommandLang struct {
	LanguageID string `json:"LANGUAGE_ID"` // two letters
	Title      string `json:"TITLE"`
	Params     string `json:"PARAMS,omitempty"` // hint about the parameters
}

// CommandRegisterRequest are the parameters of imbot.command.register.
type CommandRegisterRequest struct {
	Returns[ID]
	BotID           ID            `json:"BOT_ID,omitempty"`            // required here; see [Client.WithBot]
	Command         string        `json:"COMMAND,omitempty"`           // name without blanks, at most 255 characters; the portal takes a leading slash away
	EventCommandAdd string        `json:"EVENT_COMMAND_ADD,omitempty"` // URL for ONIMCOMMANDADD, for all commands of the application
	Lang            []CommandLang `json:"LANG,omitempty"`              // at least one
	Common          Flag          `json:"COMMON,omitempty"`            // default No: only where the bot is a member; Yes: in every chat; never changes later
	Hidden          Flag          `json:"HIDDEN,omitempty"`            // default No; Yes: not offered to people
	ExtranetSupport Flag          `json:"EXTRANET_SUPPORT,omitempty"`  // default No; Yes: for extranet users, too
}

// Method returns the name of the REST method.
func (CommandRegisterRequest) Method() string { return "imbot.command.register" }

// Repeatable is true: a repeat returns the same id.
func (CommandRegisterRequest) Repeatable() bool { return true }

func (r CommandRegisterRequest) botID() ID { return r.BotID }

// Check refuses what the portal would lose without a word.
func (r CommandRegisterRequest) Check() error {
	return checkAll(
		checkFlag("COMMON", r.Common),
		CommandUpdateFields{Command: r.Command, Hidden: r.Hidden, ExtranetSupport: r.ExtranetSupport, Lang: r.Lang}.check(),
	)
}

// CommandUpdateRequest are the parameters of imbot.command.update.
type CommandUpdateRequest struct {
	Returns[OK]
	CommandID ID                  `json:"COMMAND_ID,omitempty"`
	Fields    CommandUpdateFields `json:"FIELDS"`
}

// CommandUpdateFields are what imbot.command.update changes; zero fields are
// left as they are. At least one is needed.
type CommandUpdateFields struct {
	Command         string        `json:"COMMAND,omitempty"`           // new name; ignored by builds since April 2026
	EventCommandAdd string        `json:"EVENT_COMMAND_ADD,omitempty"` // for all commands of the application
	Hidden          Flag          `json:"HIDDEN,omitempty"`
	ExtranetSupport Flag          `json:"EXTRANET_SUPPORT,omitempty"`
	Lang            []CommandLang `json:"LANG,omitempty"` // replaces all titles
}

// Method returns the name of the REST method.
func (CommandUpdateRequest) Method() string { return "imbot.command.update" }

// Repeatable is true.
func (CommandUpdateRequest) Repeatable() bool { return true }

// Check refuses what the portal would lose without a word.
func (r CommandUpdateRequest) Check() error {
	f := r.Fields
	if f.Command == "" && f.EventCommandAdd == "" && f.Hidden == "" && f.ExtranetSupport == "" && len(f.Lang) == 0 {
		return invalid(ErrWrongRequest, "FIELDS is empty")
	}
	return f.check()
}

// maxCommand is the width of the portal's column.
const maxCommand = 255

// check refuses what registration and update lose alike.
func (f CommandUpdateFields) check() error {
	for _, l := range f.Lang {
		if e := checkAll(checkLanguage(l.LanguageID, l.Title), checkTexts("LANG: PARAMS", l.Params)); e != nil {
			return e
		}
	}
	if slash.HasBlank(f.Command) {
		return invalid(ErrCommand, "COMMAND %.40q has a blank, which would end it", f.Command)
	}
	return checkAll(
		checkText("COMMAND", f.Command, maxCommand),
		checkFlag("HIDDEN", f.Hidden),
		checkFlag("EXTRANET_SUPPORT", f.ExtranetSupport),
	)
}

// CommandUnregisterRequest are the parameters of imbot.command.unregister.
type CommandUnregisterRequest struct {
	Returns[OK]
	CommandID ID `json:"COMMAND_ID,omitempty"`
}

// Method returns the name of the REST method.
func (CommandUnregisterRequest) Method() string { return "imbot.command.unregister" }

// CommandAnswerRequest are the parameters of imbot.command.answer. Build one
// with [CommandAddEvent.Answer].
type CommandAnswerRequest struct {
	Returns[ID]
	CommandID  ID        `json:"COMMAND_ID,omitempty"` // or Command
	Command    string    `json:"COMMAND,omitempty"`    // name without slash; ignored with CommandID
	MessageID  ID        `json:"MESSAGE_ID,omitempty"` // the message with the command; the answer goes to its dialog
	Message    string    `json:"MESSAGE,omitempty"`    // BB code, at most 20,000 characters; the portal trims it
	Attach     *Attach   `json:"ATTACH,omitempty"`     // not in place of Message
	Keyboard   *Keyboard `json:"KEYBOARD,omitempty"`
	Menu       *Menu     `json:"MENU,omitempty"`        // in group chats only
	System     Flag      `json:"SYSTEM,omitempty"`      // default No; Yes: a system message with the bot's name before the text
	URLPreview Flag      `json:"URL_PREVIEW,omitempty"` // default Yes
	BotID      ID        `json:"BOT_ID,omitempty"`      // owner of the command, who answers; without it the portal drops the commands of Menu
}

// Method returns the name of the REST method.
func (CommandAnswerRequest) Method() string { return "imbot.command.answer" }

// Decode reads the id of the message; true instead is [ErrNotAnswered].
func (CommandAnswerRequest) Decode(result []byte) (ID, error) {
	if string(result) == "true" {
		return 0, ErrNotAnswered
	}
	return Returns[ID]{}.Decode(result)
}

func (r CommandAnswerRequest) botID() ID { return r.BotID }

// Check refuses what the portal would lose without a word.
func (r CommandAnswerRequest) Check() error {
	return checkAll(
		checkText("COMMAND", r.Command, 0),
		checkText("MESSAGE", r.Message, maxMessage),
		checkRich(r.Attach, r.Keyboard, r.Menu, false),
		checkFlag("SYSTEM", r.System),
		checkFlag("URL_PREVIEW", r.URLPreview),
	)
}

// Register registers a command of a bot and returns its id.
//
// A command with the same bot and name is returned as it is: titles and flags
// stay, only the handler URL is bound anew. An application has one handler URL
// for all its commands: the last registration or update wins.
//
// Repeatable. REST method: imbot.command.register. Errors, in the order of the
// portal's checks: [ErrBotID], [ErrAppID], [ErrFetchNotSupported],
// [ErrEventCommandAdd], [ErrCommand], [ErrLang], [ErrWrongRequest].
// Page: api-reference/chat-bots/outdated/commands/imbot-command-register.html
func (s *CommandService) Register(ctx context.Context, req CommandRegisterRequest) (ID, error) {
	return Do(ctx, s.client, req)
}

// Update changes a command. Whether it is common never changes, nor does its
// name since April 2026: a new name alone fails then with [ErrWrongRequest].
//
// Repeatable. REST method: imbot.command.update. Errors: [ErrCommandID],
// [ErrAppID], [ErrFetchNotSupported], [ErrEventCommandAdd], [ErrWrongRequest].
// Page: api-reference/chat-bots/outdated/commands/imbot-command-update.html
func (s *CommandService) Update(ctx context.Context, req CommandUpdateRequest) error {
	_, err := Do(ctx, s.client, req)
	return err
}

// Unregister deletes a command. A repeat fails with [ErrCommandID].
//
// REST method: imbot.command.unregister. Errors: [ErrCommandID], [ErrAppID],
// [ErrWrongRequest].
// Page: api-reference/chat-bots/outdated/commands/imbot-command-unregister.html
func (s *CommandService) Unregister(ctx context.Context, req CommandUnregisterRequest) error {
	_, err := Do(ctx, s.client, req)
	return err
}

// Answer answers a command in the name of the bot that owns it, and returns the
// message's id. Each call sends another message: when the outcome is unknown,
// the error matches [ErrOutcomeUnknown] and the call is not repeated.
//
// The event of a command gives the bot ten minutes to answer in that dialog,
// member or not. After that nothing is sent, although the
// portal answers true: that is [ErrNotAnswered]. Where the bot is no member, the
// answer is a system message with its name before the text.
//
// REST method: imbot.command.answer. Errors: [ErrNotAnswered], [ErrCommandID],
// [ErrAppID], [ErrMessageIDEmpty], [ErrMessageEmpty] (blank text),
// [ErrAttachOversize], [ErrAttach], [ErrKeyboardOversize], [ErrKeyboard],
// [ErrMenu], [ErrWrongRequest].
// Page: api-reference/chat-bots/outdated/commands/imbot-command-answer.html
func (s *CommandService) Answer(ctx context.Context, req CommandAnswerRequest) (ID, error) {
	return Do(ctx, s.client, req)
}
