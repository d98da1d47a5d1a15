package imbot

import "context"

// Reply answers an event, whatever it is and of either generation, and returns the id of the
// message: the first command of a [CommandAddEvent] as a command is answered, all else with a
// message of the bot that the event is for, or of [Client.WithBot] when it is for none or for
// several; without either the portal picks one. For a keyboard or an attachment there is the event's own Reply or Answer.
//
// An event about the application has no dialog: the error is [ErrInvalid]. Each call sends
// another message; for the second generation the Reply of its client does not.
//
// REST methods: imbot.message.add, imbot.command.answer; see [MessageService.Add] and
// [CommandService.Answer] for errors.
func (c *Client) Reply(ctx context.Context, ev Event, text string) (ID, error) {
	if ev.Dialog() == "" {
		return 0, invalid(ErrDialogIDEmpty, "Reply: the event %s has no dialog", ev.Meta().Name)
	}
	if command, is := ev.(*CommandAddEvent); is {
		return c.Command.Answer(ctx, command.Answer(text))
	}
	return c.Message.Add(ctx, MessageAddRequest{BotID: ev.ForBot(), DialogID: ev.Dialog(), Message: text})
}

// Reply returns a message from the addressed bot to the dialog of the event, as
// [MessageAddEvent.Reply] does. It sends nothing.
func (ev *MessageUpdateEvent) Reply(text string) MessageAddRequest {
	return MessageAddRequest{BotID: ev.ForBot(), DialogID: ev.Dialog(), Message: text}
}

// Reply returns a message from the addressed bot to the dialog of the event, as
// [MessageAddEvent.Reply] does. It sends nothing.
func (ev *MessageDeleteEvent) Reply(text string) MessageAddRequest {
	return MessageAddRequest{BotID: ev.ForBot(), DialogID: ev.Dialog(), Message: text}
}

// Reply returns a message from the bot to the dialog of the event, as [MessageAddEvent.Reply]
// does. It sends nothing.
func (ev *ContextGetEvent) Reply(text string) MessageAddRequest {
	return MessageAddRequest{BotID: ev.ForBot(), DialogID: ev.Dialog(), Message: text}
}

// Quoted is the message that another one answers.
type Quoted struct {
	MessageID ID
	AuthorID  ID     // 0 where the portal tells the id alone
	Text      string // empty where the portal tells the id alone
}

// ReplyTo returns the message that this one answers; false for none.
func (ev *MessageAddEvent) ReplyTo() (Quoted, bool) { return ev.Params.replyTo() }

// ReplyTo returns the message that this one answers; false for none.
func (ev *MessageUpdateEvent) ReplyTo() (Quoted, bool) { return ev.Params.replyTo() }

// ReplyTo returns the message that the one with the command answers; false for none.
func (ev *CommandAddEvent) ReplyTo() (Quoted, bool) { return ev.Params.replyTo() }

func (p MessageParams) replyTo() (Quoted, bool) { return p.ReplyTo, p.ReplyTo.MessageID != 0 }

// whisper is the component of what operators tell each other.
const whisper = "HiddenMessage"

// IsWhisper reports whether operators of an open line write among themselves: the guest does
// not see it, and sees what a bot answers. So answer no whisper aloud.
func (ev *MessageAddEvent) IsWhisper() bool { return ev.Params.ComponentID == whisper }

// IsWhisper reports whether operators write among themselves; see [MessageAddEvent.IsWhisper].
func (ev *MessageUpdateEvent) IsWhisper() bool { return ev.Params.ComponentID == whisper }

// IsWhisper reports whether operators write among themselves; see [MessageAddEvent.IsWhisper].
func (ev *CommandAddEvent) IsWhisper() bool { return ev.Params.ComponentID == whisper }

// Files returns the files of the message. Of some events the portal tells their ids alone. A file
// is read by its id with the File service of package imbotv2; its addresses are for browsers.
func (ev *MessageAddEvent) Files() []EventFile { return ev.Params.Files }

// Files returns the files of the message, as [MessageAddEvent.Files] does.
func (ev *MessageUpdateEvent) Files() []EventFile { return ev.Params.Files }
