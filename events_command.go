package imbot

import "slices"

// EventCommand is one command of a [CommandAddEvent].
type EventCommand struct {
	EventBot              // who owns the command
	Command        string // name without slash
	CommandID      ID
	CommandParams  string // the text after the command
	CommandContext string // "TEXTAREA": typed, "KEYBOARD": a button, "MENU": a menu item
	MessageID      ID     // the message with the command; of a button, the one with the keyboard
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

// Bot returns the bot of the first command.
func (ev *CommandAddEvent) Bot() EventBot { return ev.first().EventBot }

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

// MessageUpdateEvent (ONIMBOTMESSAGEUPDATE): a message was changed in a dialog of
// the bot, under the rules of [MessageAddEvent]. Params.Message is the new text.
// Builds before April 2026 forgot the handler of ordinary bots at registration;
// [BotService.Update] sets it there, too.
type MessageUpdateEvent struct {
	EventMeta
	Bots   []EventBot // all bots of the application that are concerned, in one event
	Params MessageParams
	User   EventUser // never in group chats; see AuthorID
}

// Bot returns the bot that the message addresses, else the only one, else zero.
func (ev *MessageUpdateEvent) Bot() EventBot { return addressedBot(ev.Bots, ev.Params.ToUserID) }

// Mentioned reports whether the message is meant for the bot: it mentions the
// bot, or stands in a private dialog with it.
func (ev *MessageUpdateEvent) Mentioned(bot ID) bool { return ev.Params.mentioned(bot) }

// IsGroup reports whether the dialog is a chat rather than a private dialog.
func (ev *MessageUpdateEvent) IsGroup() bool { return isGroup(ev.Params.DialogID) }

// IsOpenLine reports whether the dialog is that of an open line.
func (ev *MessageUpdateEvent) IsOpenLine() bool { return ev.Params.isOpenLine() }

// FromBot reports whether a bot wrote the message.
func (ev *MessageUpdateEvent) FromBot() bool { return fromBot(ev.Bots, ev.User, ev.AuthorID()) }

// AuthorID returns who wrote the message.
func (ev *MessageUpdateEvent) AuthorID() ID { return ev.Params.author(ev.User) }

// MessageDeleteEvent (ONIMBOTMESSAGEDELETE): a message was deleted in a dialog of
// the bot, under the rules of [MessageUpdateEvent]. Params.Message is the
// portal's notice; the text of the message is not sent.
type MessageDeleteEvent struct {
	EventMeta
	Bots   []EventBot // all bots of the application that are concerned, in one event
	Params MessageParams
	User   EventUser // never in group chats; see AuthorID
}

// Bot returns the bot that the message addressed, else the only one, else zero.
func (ev *MessageDeleteEvent) Bot() EventBot { return addressedBot(ev.Bots, ev.Params.ToUserID) }

// IsGroup reports whether the dialog is a chat rather than a private dialog.
func (ev *MessageDeleteEvent) IsGroup() bool { return isGroup(ev.Params.DialogID) }

// IsOpenLine reports whether the dialog is that of an open line.
func (ev *MessageDeleteEvent) IsOpenLine() bool { return ev.Params.isOpenLine() }

// FromBot reports whether a bot wrote the message.
func (ev *MessageDeleteEvent) FromBot() bool { return fromBot(ev.Bots, ev.User, ev.AuthorID()) }

// AuthorID returns who wrote the message.
func (ev *MessageDeleteEvent) AuthorID() ID { return ev.Params.author(ev.User) }

// ContextParams say who opened a dialog with a context.
type ContextParams struct {
	ChatType       string // one letter: P private, C group, O open, L open line, X task or other …
	MessageType    string // as ChatType
	UserID         ID     // who opened the link
	ChatAuthorID   ID     // owner of the chat
	ChatEntityType string // tag of the chat, "LINES" for an open line
	ChatEntityID   EntityID
	Context        RawEvent // what the link carries, as in Context.Get("item", "id"); anybody can make such a link
	DialogID       DialogID // where to answer
	Language       string   // of the account, two letters
}

// ContextGetEvent (ONIMBOTCONTEXTGET): somebody opened a dialog of the bot
// through a link with a context. It comes to an EventHandler URL without being
// asked for, from builds since July 2025.
type ContextGetEvent struct {
	EventMeta
	Bots   []EventBot // all bots of the application in that dialog
	Params ContextParams
	User   EventUser // without the Is… flags
}

// Bot returns the only bot of the event, else zero.
func (ev *ContextGetEvent) Bot() EventBot { return addressedBot(ev.Bots, 0) }

// IsGroup reports whether the dialog is a chat rather than a private dialog.
func (ev *ContextGetEvent) IsGroup() bool { return isGroup(ev.Params.DialogID) }

// IsOpenLine reports whether the dialog is that of an open line.
func (ev *ContextGetEvent) IsOpenLine() bool {
	return isOpenLine(ev.Params.ChatType, ev.Params.MessageType, ev.Params.ChatEntityType)
}

func (p MessageParams) isOpenLine() bool {
	return isOpenLine(p.ChatType, p.MessageType, p.ChatEntityType)
}

func (p MessageParams) mentioned(bot ID) bool {
	return bot != 0 && (bot == p.ToUserID || slices.Contains(p.MentionedList, bot))
}

func (p MessageParams) author(user EventUser) ID { return firstID(p.FromUserID, p.AuthorID, user.ID) }

func fromBot(bots []EventBot, user EventUser, author ID) bool {
	return user.IsBot.Bool() || author != 0 && slices.ContainsFunc(bots, func(b EventBot) bool { return b.BotID == author })
}
