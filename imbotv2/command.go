package imbotv2

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/internal/slash"
)

// CommandService groups the methods about slash commands.
type CommandService service

// CommandRegisterRequest are the parameters of imbot.v2.Command.register.
type CommandRegisterRequest struct {
	BotID           imbot.ID
	Command         string            // required; a slash in front is cut off
	Title           map[string]string // by two-letter language; required unless Hidden
	Params          map[string]string // what to write behind it, by language
	Common          imbot.Flag        // default No; Yes: in every chat, also without the bot
	Hidden          imbot.Flag        // default No; Yes: not in the list, for buttons
	ExtranetSupport imbot.Flag        // default No
}

// Method returns the name of the REST method.
func (CommandRegisterRequest) Method() string { return "imbot.v2.Command.register" }

// Repeatable is true.
func (CommandRegisterRequest) Repeatable() bool { return true }

// Decode reads the result of a call.
func (CommandRegisterRequest) Decode(data []byte) (Command, error) { return decodeCommand(data) }

// MarshalJSON writes the parameters as the portal takes them.
func (r CommandRegisterRequest) MarshalJSON() ([]byte, error) {
	type fields struct {
		Command         string            `json:"command"`
		Title           map[string]string `json:"title,omitempty"`
		Params          map[string]string `json:"params,omitempty"`
		Common          imbot.Flag        `json:"common,omitempty"`
		Hidden          imbot.Flag        `json:"hidden,omitempty"`
		ExtranetSupport imbot.Flag        `json:"extranetSupport,omitempty"`
	}
	return json.Marshal(struct {
		BotID  imbot.ID `json:"botId,omitempty"`
		Fields fields   `json:"fields"`
	}{r.BotID, fields{commandName(r.Command), r.Title, r.Params, r.Common, r.Hidden, r.ExtranetSupport}})
}

// Check refuses what the portal would lose without a word, or refuse itself.
func (r CommandRegisterRequest) Check() error {
	switch {
	case blank(commandName(r.Command)):
		return refuse(ErrCommandRequired, "command is empty")
	case slash.HasBlank(r.Command):
		return refuse(ErrCommandNameInvalid, "command %.40q has a blank, which would end it", r.Command)
	case r.Hidden != imbot.Yes && len(r.Title) == 0:
		return refuse(ErrCommandTitleRequired, "title is empty, and the command is not hidden")
	}
	return checkLanguages(r.Title, r.Params)
}

// CommandUpdateRequest are the parameters of imbot.v2.Command.update. What is zero stays, and
// so does a language that is not in a map; nil in a map removes its language, and then the
// request does not travel in a batch.
type CommandUpdateRequest struct {
	BotID           imbot.ID
	CommandID       imbot.ID
	Command         string
	Title           map[string]*string
	Params          map[string]*string // only of languages that are in Title, too
	Common          imbot.Flag
	Hidden          imbot.Flag
	ExtranetSupport imbot.Flag
}

// Method returns the name of the REST method.
func (CommandUpdateRequest) Method() string { return "imbot.v2.Command.update" }

// Repeatable is true.
func (CommandUpdateRequest) Repeatable() bool { return true }

// Decode reads the result of a call.
func (CommandUpdateRequest) Decode(data []byte) (Command, error) { return decodeCommand(data) }

// MarshalJSON writes the parameters as the portal takes them.
func (r CommandUpdateRequest) MarshalJSON() ([]byte, error) {
	type fields struct {
		Command         string             `json:"command,omitempty"`
		Title           map[string]*string `json:"title,omitempty"`
		Params          map[string]*string `json:"params,omitempty"`
		Common          imbot.Flag         `json:"common,omitempty"`
		Hidden          imbot.Flag         `json:"hidden,omitempty"`
		ExtranetSupport imbot.Flag         `json:"extranetSupport,omitempty"`
	}
	return json.Marshal(struct {
		BotID     imbot.ID `json:"botId,omitempty"`
		CommandID imbot.ID `json:"commandId"`
		Fields    fields   `json:"fields"`
	}{r.BotID, r.CommandID, fields{commandName(r.Command), r.Title, r.Params, r.Common, r.Hidden, r.ExtranetSupport}})
}

// Check refuses what the portal would lose without a word, or refuse itself.
func (r CommandUpdateRequest) Check() error {
	if r.Command == "" && len(r.Title) == 0 && len(r.Params) == 0 && r.Common == "" && r.Hidden == "" && r.ExtranetSupport == "" {
		return refuse("", "nothing to change")
	}
	if r.Command != "" && blank(commandName(r.Command)) {
		return refuse(ErrCommandNameEmpty, "command is blank")
	}
	if slash.HasBlank(r.Command) {
		return refuse(ErrCommandNameInvalid, "command %.40q has a blank, which would end it", r.Command)
	}
	return checkLanguages(r.Title, r.Params)
}

// CommandListRequest are the parameters of imbot.v2.Command.list.
type CommandListRequest struct {
	BotID imbot.ID `json:"botId,omitempty"`
}

// Method returns the name of the REST method.
func (CommandListRequest) Method() string { return "imbot.v2.Command.list" }

// Repeatable is true.
func (CommandListRequest) Repeatable() bool { return true }

// Decode reads the result of a call.
func (CommandListRequest) Decode(data []byte) ([]Command, error) {
	f, err := result(data)
	if err != nil {
		return nil, err
	}
	var own []Command
	for _, c := range list(f.sub("commands"), fields.command) {
		if c.ID != 0 && c.BotID != 0 { // not one of the messenger's own, whose ids are texts
			own = append(own, c)
		}
	}
	return own, nil
}

// CommandUnregisterRequest are the parameters of imbot.v2.Command.unregister.
type CommandUnregisterRequest struct {
	done      `json:"-"`
	BotID     imbot.ID `json:"botId,omitempty"`
	CommandID imbot.ID `json:"commandId"`
}

// Method returns the name of the REST method.
func (CommandUnregisterRequest) Method() string { return "imbot.v2.Command.unregister" }

// Repeatable is true.
func (CommandUnregisterRequest) Repeatable() bool { return true }

// Ran says which code means that an attempt before has removed the command.
func (CommandUnregisterRequest) Ran(code imbot.ErrorCode) bool { return same(code, ErrCommandNotFound) }

// CommandAnswerRequest are the parameters of imbot.v2.Command.answer.
type CommandAnswerRequest struct {
	done
	BotID      imbot.ID
	CommandID  imbot.ID
	MessageID  imbot.ID
	DialogID   imbot.DialogID
	Message    string // as of [MessageSendRequest]
	Attach     *imbot.Attach
	Keyboard   *imbot.Keyboard
	System     imbot.Flag
	URLPreview imbot.Flag
}

// Method returns the name of the REST method.
func (CommandAnswerRequest) Method() string { return "imbot.v2.Command.answer" }

// MarshalJSON writes the parameters as the portal takes them.
func (r CommandAnswerRequest) MarshalJSON() ([]byte, error) {
	keyboard, err := keyboardOf(r.Keyboard, r.BotID)
	if err != nil {
		return nil, err
	}
	type fields struct {
		Message    string          `json:"message,omitempty"`
		Attach     *imbot.Attach   `json:"attach,omitempty"`
		Keyboard   json.RawMessage `json:"keyboard,omitempty"`
		System     imbot.Flag      `json:"system,omitempty"`
		URLPreview imbot.Flag      `json:"urlPreview,omitempty"`
	}
	return json.Marshal(struct {
		BotID     imbot.ID       `json:"botId,omitempty"`
		CommandID imbot.ID       `json:"commandId"`
		MessageID imbot.ID       `json:"messageId"`
		DialogID  imbot.DialogID `json:"dialogId"`
		Fields    fields         `json:"fields"`
	}{r.BotID, r.CommandID, r.MessageID, r.DialogID, fields{r.Message, r.Attach, keyboard, r.System, r.URLPreview}})
}

// Check refuses what the portal would lose without a word, or refuse itself.
func (r CommandAnswerRequest) Check() error {
	return checkNew(r.DialogID, r.Message, r.Attach, r.Keyboard)
}

// Register registers a slash command, or returns the one of this name unchanged:
// [EnsureCommands] brings them up to date.
//
// Repeatable. REST method: imbot.v2.Command.register. Errors: [ErrBotTokenNotSpecified],
// [ErrBotIDRequired], [ErrBotNotFound], [ErrBotOwnership], [ErrCommandNameInvalid],
// [ErrCommandRequired], [ErrCommandTitleRequired], [ErrCommandRegisterFailed].
// Page: api-reference/chat-bots/chat-bots-v2/imbot.v2/commands/command-register.html
func (s *CommandService) Register(ctx context.Context, req CommandRegisterRequest) (Command, error) {
	req.BotID = (*service)(s).bot(req.BotID)
	return imbot.Do(ctx, s.client.base, req)
}

// Update changes a slash command.
//
// Repeatable. REST method: imbot.v2.Command.update. Errors: [ErrBotTokenNotSpecified],
// [ErrBotIDRequired], [ErrBotNotFound], [ErrBotOwnership], [ErrCommandNotFound],
// [ErrCommandNameEmpty], [ErrCommandNameInvalid], [ErrCommandAlreadyExists],
// [ErrCommandTitleInvalid].
// Page: api-reference/chat-bots/chat-bots-v2/imbot.v2/commands/command-update.html
func (s *CommandService) Update(ctx context.Context, req CommandUpdateRequest) (Command, error) {
	req.BotID = (*service)(s).bot(req.BotID)
	return imbot.Do(ctx, s.client.base, req)
}

// List returns the bot's commands, with texts in the portal's language only. The messenger's
// own, which portals add, are left out (livecheck: built-in-commands).
//
// Repeatable. REST method: imbot.v2.Command.list. Errors: [ErrBotTokenNotSpecified],
// [ErrBotIDRequired], [ErrBotNotFound], [ErrBotOwnership].
// Page: api-reference/chat-bots/chat-bots-v2/imbot.v2/commands/command-list.html
func (s *CommandService) List(ctx context.Context, req CommandListRequest) ([]Command, error) {
	req.BotID = (*service)(s).bot(req.BotID)
	return imbot.Do(ctx, s.client.base, req)
}

// Unregister removes a slash command.
//
// Repeatable. REST method: imbot.v2.Command.unregister. Errors: [ErrBotTokenNotSpecified],
// [ErrBotIDRequired], [ErrBotNotFound], [ErrBotOwnership], [ErrCommandNotFound].
// Page: api-reference/chat-bots/chat-bots-v2/imbot.v2/commands/command-unregister.html
func (s *CommandService) Unregister(ctx context.Context, req CommandUnregisterRequest) error {
	req.BotID = (*service)(s).bot(req.BotID)
	_, err := imbot.Do(ctx, s.client.base, req)
	return err
}

// Answer answers a command, for a while also where the bot is no member of the chat; there it
// stands as a system line with the bot's name. It gives no id, and a second call is a second
// message: where the bot is a member, [MessageService.Send] is better.
//
// REST method: imbot.v2.Command.answer. Errors: [ErrBotTokenNotSpecified], [ErrBotIDRequired],
// [ErrBotNotFound], [ErrBotOwnership], [ErrCommandAnswerFailed].
// Page: api-reference/chat-bots/chat-bots-v2/imbot.v2/commands/command-answer.html
func (s *CommandService) Answer(ctx context.Context, req CommandAnswerRequest) error {
	req.BotID = (*service)(s).bot(req.BotID)
	_, err := imbot.Do(ctx, s.client.base, req)
	return err
}

func decodeCommand(data []byte) (Command, error) {
	f, err := result(data)
	if err != nil {
		return Command{}, err
	}
	c := f.sub("command").command()
	if c.ID == 0 {
		return Command{}, errNoID
	}
	return c, nil
}

// commandName cuts off the slash, which the portal writes and does not take.
func commandName(s string) string { return strings.TrimPrefix(s, "/") }

// checkLanguages checks texts by language.
func checkLanguages[T any](titles, params map[string]T) error {
	for language := range params {
		if _, ok := titles[language]; !ok {
			return refuse("", "params of the language %.5q without a title of it: the portal would ignore them", language)
		}
	}
	for language := range titles {
		if len(language) != 2 || strings.Trim(language, "abcdefghijklmnopqrstuvwxyz") != "" {
			return refuse("", "%.5q is no language of two small letters", language)
		}
	}
	return nil
}
