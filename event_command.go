package imbot

import (
	"fmt"

	"github.com/imbot-go/imbot/internal/slash"
)

// EventCommand is one command of a [CommandAddEvent].
type EventCommand struct {
	EventBot              // who owns the command
	Command        string // name without slash
	CommandID      ID
	CommandParams  string // the text after the command and one blank; further blanks are there
	CommandContext string // "TEXTAREA": typed, "KEYBOARD": a button, "MENU": a menu item
	MessageID      ID     // the message with the command; of a button, the one with the keyboard
}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (c *EventCommand) Format(f fmt.State, verb rune) {
	type eventCommand EventCommand
	printPlain(f, verb, (*eventCommand)(c))
}

// Answer returns an answer to this command. It sends nothing; pass it to
// [CommandService.Answer] within ten minutes of the event.
func (c EventCommand) Answer(text string) CommandAnswerRequest {
	return CommandAnswerRequest{BotID: c.BotID, CommandID: c.CommandID, MessageID: c.MessageID, Message: text}
}

// CommandAddEvent (ONIMCOMMANDADD): somebody typed commands of the
// application's bots, at most ten in one message, or chose one with a button or
// menu item. With a button Params has little more than who and where.
type CommandAddEvent struct {
	EventMeta
	Commands []EventCommand
	Params   MessageParams
	User     EventUser // without the Is… flags
}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (ev *CommandAddEvent) Format(f fmt.State, verb rune) {
	type commandAddEvent CommandAddEvent
	printPlain(f, verb, (*commandAddEvent)(ev))
}

// Bot returns the bot of the first command.
func (ev *CommandAddEvent) Bot() EventBot { return ev.first().EventBot }

// Dialog returns where to answer.
func (ev *CommandAddEvent) Dialog() DialogID { return ev.Params.DialogID }

// ForBot returns the id of Bot.
func (ev *CommandAddEvent) ForBot() ID { return ev.Bot().BotID }

// Text returns the parameters of the first command, without blanks at the ends.
func (ev *CommandAddEvent) Text() string { return trimBlanks(ev.first().CommandParams) }

// Args returns the parameters of the first command, split at blanks. "Two words", “two words” and
// «two words» are one.
func (ev *CommandAddEvent) Args() []string { return slash.Args(ev.first().CommandParams) }

// IsGroup reports whether the dialog is a chat rather than a private dialog.
func (ev *CommandAddEvent) IsGroup() bool { return isGroup(ev.Params.DialogID) }

// IsOpenLine reports whether the dialog is that of an open line.
func (ev *CommandAddEvent) IsOpenLine() bool { return ev.Params.isOpenLine() }

// AuthorID returns who gave the command.
func (ev *CommandAddEvent) AuthorID() ID { return ev.Params.author(ev.User) }

// Answer returns an answer to the first command. It sends nothing; pass it to
// [CommandService.Answer] within ten minutes of the event.
func (ev *CommandAddEvent) Answer(text string) CommandAnswerRequest { return ev.first().Answer(text) }

func (ev *CommandAddEvent) first() EventCommand {
	if len(ev.Commands) == 0 {
		return EventCommand{}
	}
	return ev.Commands[0]
}
