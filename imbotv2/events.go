package imbotv2

import (
	"cmp"
	"slices"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/internal/mention"
	"github.com/imbot-go/imbot/internal/slash"
)

// EventBot is the bot that an event is for.
type EventBot struct {
	ID   imbot.ID
	Code string
	Auth imbot.EventAuth // of the bot's own user, in posted events of OAuth applications; else zero (livecheck: bot-auth-of-posts)
}

// BotEvent is what the events of bots have; it is embedded in each. Raw has all that was sent.
type BotEvent struct {
	imbot.EventMeta
	EventID  int64 // in the queue; 0 for a posted event
	Bot      EventBot
	Chat     Chat
	User     User   // who did it
	Language string // of the account, two letters

	replies *replies
}

// Dialog returns where to answer.
func (ev *BotEvent) Dialog() imbot.DialogID { return ev.Chat.DialogID }

// AuthorID returns who did it.
func (ev *BotEvent) AuthorID() imbot.ID { return ev.User.ID }

// ForBot returns the bot that the event is for.
func (ev *BotEvent) ForBot() imbot.ID { return ev.Bot.ID }

// BotAuth returns the tokens of the bot's own user, which [imbot.OAuthApp.ForEvent] takes when it
// has no grant.
func (ev *BotEvent) BotAuth() imbot.EventAuth { return ev.Bot.Auth }

// IsGroup reports whether the dialog is a chat rather than a private dialog.
func (ev *BotEvent) IsGroup() bool { return ev.Chat.IsGroup() }

// IsOpenLine reports whether the dialog is that of an open line.
func (ev *BotEvent) IsOpenLine() bool { return ev.Chat.IsOpenLine() }

// FromBot reports whether a bot did it, this one included.
func (ev *BotEvent) FromBot() bool {
	return ev.User.Bot.Bool() || ev.User.Type == UserTypeBot || ev.User.ID != 0 && ev.User.ID == ev.Bot.ID
}

// Reply returns a message from the bot to the dialog of the event. It sends nothing; pass it to
// [MessageService.Send], once: its TemplateID comes from the event and from how many
// replies were made before, so that an event which is handled twice is answered once. An
// event that a test has made by hand has none.
func (ev *BotEvent) Reply(text string) MessageSendRequest {
	return MessageSendRequest{BotID: ev.Bot.ID, DialogID: ev.Chat.DialogID, Message: text, TemplateID: ev.replies.next()}
}

// MessageAddEvent (ONIMBOTV2MESSAGEADD): somebody wrote to the bot. A bot hears what its
// [BotType] says. A message that is a command of the bot comes as a command event instead.
type MessageAddEvent struct {
	BotEvent
	Message            Message
	AdditionalMessages []Message // not documented further
}

// Text returns what the person wrote, without the mention of the bot, which portals leave in,
// and without the comma or colon behind it. BB codes stay, and portals put a link that was typed
// into [URL]: bbcode.Plain gives what a person reads, and bbcode.Escape of that may be sent.
func (ev *MessageAddEvent) Text() string { return textFor(ev.Message, ev.Bot) }

// Mentioned reports whether the message is meant for the bot: it mentions the bot, or stands
// in a private dialog.
func (ev *MessageAddEvent) Mentioned(bot imbot.ID) bool {
	return mentioned(&ev.BotEvent, ev.Message, bot)
}

// AuthorID returns who wrote the message.
func (ev *MessageAddEvent) AuthorID() imbot.ID { return cmp.Or(ev.Message.AuthorID, ev.User.ID) }

// FromBot reports whether a bot wrote the message, this one included.
func (ev *MessageAddEvent) FromBot() bool {
	return ev.BotEvent.FromBot() || fromThis(ev.Message, ev.Bot)
}

// Quote returns a Reply that quotes the message.
func (ev *MessageAddEvent) Quote(text string) MessageSendRequest {
	return quote(&ev.BotEvent, ev.Message, text)
}

// MessageUpdateEvent (ONIMBOTV2MESSAGEUPDATE): a message was changed, by the bot itself, too.
type MessageUpdateEvent struct {
	BotEvent
	Message            Message
	AdditionalMessages []Message // not documented further
}

// Text returns the new text, as [MessageAddEvent.Text] does.
func (ev *MessageUpdateEvent) Text() string { return textFor(ev.Message, ev.Bot) }

// Mentioned reports whether the message is meant for the bot.
func (ev *MessageUpdateEvent) Mentioned(bot imbot.ID) bool {
	return mentioned(&ev.BotEvent, ev.Message, bot)
}

// AuthorID returns who wrote the message.
func (ev *MessageUpdateEvent) AuthorID() imbot.ID { return cmp.Or(ev.Message.AuthorID, ev.User.ID) }

// FromBot reports whether the message is a bot's, this one included.
func (ev *MessageUpdateEvent) FromBot() bool {
	return ev.BotEvent.FromBot() || fromThis(ev.Message, ev.Bot)
}

// Quote returns a Reply that quotes the message.
func (ev *MessageUpdateEvent) Quote(text string) MessageSendRequest {
	return quote(&ev.BotEvent, ev.Message, text)
}

// MessageDeleteEvent (ONIMBOTV2MESSAGEDELETE): a message was deleted. Its text is not sent.
type MessageDeleteEvent struct {
	BotEvent
	MessageID imbot.ID
}

// JoinChatEvent (ONIMBOTV2JOINCHAT): the bot came into a chat or a private dialog, also into a
// chat that it made itself (livecheck: own-join); User is the bot then.
type JoinChatEvent struct {
	BotEvent
	DialogID imbot.DialogID
}

// Dialog returns where to answer.
func (ev *JoinChatEvent) Dialog() imbot.DialogID { return cmp.Or(ev.DialogID, ev.Chat.DialogID) }

// CommandCall is a command that somebody has given.
type CommandCall struct {
	ID      imbot.ID
	Command string         // with its slash
	Params  string         // what stands behind it
	Context CommandContext // how it was given
}

// CommandContext says how a command was given.
type CommandContext string

// How a command can be given.
const (
	ContextTextArea CommandContext = "textarea" // typed
	ContextKeyboard CommandContext = "keyboard" // by a button
	ContextMenu     CommandContext = "menu"
)

// CommandAddEvent (ONIMBOTV2COMMANDADD): somebody typed a command of the bot, or pressed a
// button with one. Of a button Message is the one that has it, which is the bot's own.
// Several commands in one message are several events; posted, only the first may come.
type CommandAddEvent struct {
	BotEvent
	Command CommandCall
	Message Message
}

// Text returns the parameters, without blanks at the ends.
func (ev *CommandAddEvent) Text() string { return mention.Trim(ev.Command.Params) }

// Args returns the parameters, split at blanks. "Two words", “two words” and «two words» are one.
func (ev *CommandAddEvent) Args() []string { return slash.Args(ev.Command.Params) }

// Pressed reports whether it was a button.
func (ev *CommandAddEvent) Pressed() bool { return ev.Command.Context == ContextKeyboard }

// Answer returns an answer to the command, for a chat where the bot is no member: it
// gives no id and can double, so elsewhere Reply is better. It sends nothing; pass it to
// [CommandService.Answer].
func (ev *CommandAddEvent) Answer(text string) CommandAnswerRequest {
	return CommandAnswerRequest{BotID: ev.Bot.ID, CommandID: ev.Command.ID, MessageID: ev.Message.ID, DialogID: ev.Chat.DialogID, Message: text}
}

// Quote returns a Reply that quotes the message of the command.
func (ev *CommandAddEvent) Quote(text string) MessageSendRequest {
	return quote(&ev.BotEvent, ev.Message, text)
}

// ReactionAction says what became of a reaction.
type ReactionAction string

// What can become of a reaction.
const (
	ReactionAdded   ReactionAction = "add"
	ReactionDeleted ReactionAction = "delete"
)

// ReactionChangeEvent (ONIMBOTV2REACTIONCHANGE): somebody reacted to a message, or took it back.
type ReactionChangeEvent struct {
	BotEvent
	Reaction Reaction
	Action   ReactionAction
	Message  Message
}

// Quote returns a Reply that quotes the message.
func (ev *ReactionChangeEvent) Quote(text string) MessageSendRequest {
	return quote(&ev.BotEvent, ev.Message, text)
}

// ContextGetEvent (ONIMBOTV2CONTEXTGET): somebody opened a dialog of the bot through a link with
// a context. Anybody can make such a link: do nothing that cannot be undone without asking.
type ContextGetEvent struct {
	BotEvent
	DialogID imbot.DialogID
	Context  imbot.RawEvent // what the link carries, as in Context.Get("item", "id")
}

// Dialog returns where to answer.
func (ev *ContextGetEvent) Dialog() imbot.DialogID { return cmp.Or(ev.DialogID, ev.Chat.DialogID) }

// BotDeleteEvent (ONIMBOTV2DELETE): the bot is gone. A bot that fetches cannot read it; [Poll]
// makes one when the portal does not know the bot any more.
type BotDeleteEvent struct{ BotEvent }

// UserEvent is what the events of a person have; it is embedded in each. They come by [PollUser], or
// among those of a bot by WithUserEvents of [EventGetRequest].
type UserEvent struct {
	imbot.EventMeta
	EventID  int64
	Chat     Chat
	User     User // who did it
	Language string
}

// Dialog returns where it happened.
func (ev *UserEvent) Dialog() imbot.DialogID { return ev.Chat.DialogID }

// AuthorID returns who did it.
func (ev *UserEvent) AuthorID() imbot.ID { return ev.User.ID }

// UserMessageAddEvent (ONIMV2MESSAGEADD): a message in a chat of the user.
type UserMessageAddEvent struct {
	UserEvent
	Message Message
}

// UserMessageUpdateEvent (ONIMV2MESSAGEUPDATE): one was changed.
type UserMessageUpdateEvent struct {
	UserEvent
	Message Message
}

// UserMessageDeleteEvent (ONIMV2MESSAGEDELETE): one was deleted.
type UserMessageDeleteEvent struct {
	UserEvent
	MessageID imbot.ID
}

// UserReactionChangeEvent (ONIMV2REACTIONCHANGE): somebody reacted to a message, or took it back.
type UserReactionChangeEvent struct {
	UserEvent
	Reaction Reaction
	Action   ReactionAction
	Message  Message
}

// UserJoinChatEvent (ONIMV2JOINCHAT): somebody was added to a chat of the user; User is who.
type UserJoinChatEvent struct {
	UserEvent
	DialogID imbot.DialogID
}

// Dialog returns the chat.
func (ev *UserJoinChatEvent) Dialog() imbot.DialogID { return cmp.Or(ev.DialogID, ev.Chat.DialogID) }

// dialogID reads where an event happened.
func (f fields) dialogID() imbot.DialogID {
	return cmp.Or(f.sub("chat").dialog("dialogId"), f.dialog("dialogId"))
}

func textFor(m Message, bot EventBot) string { return mention.Without(m.Text, int64(bot.ID), false) }

func mentioned(ev *BotEvent, m Message, bot imbot.ID) bool {
	if bot == 0 {
		return false
	}
	return bot == ev.Bot.ID && ev.Chat.DialogID != "" && !ev.IsGroup() || slices.Contains(mention.IDs(m.Text), int64(bot))
}

// fromThis reports whether a message is the bot's own.
func fromThis(m Message, bot EventBot) bool { return bot.ID != 0 && m.AuthorID == bot.ID }

func quote(ev *BotEvent, m Message, text string) MessageSendRequest {
	req := ev.Reply(text)
	req.ReplyID = m.ID
	return req
}

// decodeEvent makes the typed event of a body. It cannot fail: what is missing or odd is zero,
// and a name without a type is an [imbot.UnknownEvent]. seed is what strangers do not have.
func decodeEvent(meta imbot.EventMeta, eventID int64, seed []byte) imbot.Event {
	data := fields{meta.Raw}.sub("data")
	if len(data.Keys()) == 0 {
		return &imbot.UnknownEvent{EventMeta: meta}
	}
	chat := func() Chat {
		c := data.sub("chat").chat()
		c.DialogID = data.dialogID()
		return c
	}
	bot := func() BotEvent {
		ev := BotEvent{
			EventMeta: meta, EventID: eventID, Chat: chat(), User: data.sub("user").user(), Language: data.text("language"),
			Bot: EventBot{ID: data.sub("bot").id("id"), Code: data.sub("bot").text("code"), Auth: data.sub("bot", "auth").auth()},
		}
		ev.replies = newReplies(seed, &ev)
		return ev
	}
	user := func() UserEvent {
		return UserEvent{EventMeta: meta, EventID: eventID, Chat: chat(), User: data.sub("user").user(), Language: data.text("language")}
	}
	message := func() Message { return data.sub("message").message() }
	more := func() []Message { return list(data.sub("additionalMessages"), fields.message) }
	reaction, action := Reaction(data.text("reaction")), ReactionAction(data.text("action"))
	switch meta.Name {
	case "ONIMBOTV2MESSAGEADD":
		return &MessageAddEvent{bot(), message(), more()}
	case "ONIMBOTV2MESSAGEUPDATE":
		return &MessageUpdateEvent{bot(), message(), more()}
	case "ONIMBOTV2MESSAGEDELETE":
		return &MessageDeleteEvent{bot(), data.id("messageId")}
	case "ONIMBOTV2JOINCHAT":
		return &JoinChatEvent{bot(), data.dialog("dialogId")}
	case "ONIMBOTV2COMMANDADD":
		c := data.sub("command")
		call := CommandCall{ID: c.id("id"), Command: c.text("command"), Params: c.text("params"), Context: CommandContext(c.text("context"))}
		return &CommandAddEvent{bot(), call, message()}
	case "ONIMBOTV2REACTIONCHANGE":
		return &ReactionChangeEvent{bot(), reaction, action, message()}
	case "ONIMBOTV2CONTEXTGET":
		return &ContextGetEvent{bot(), data.dialog("dialogId"), data.At("context")}
	case "ONIMBOTV2DELETE":
		return &BotDeleteEvent{bot()}
	case "ONIMV2MESSAGEADD":
		return &UserMessageAddEvent{user(), message()}
	case "ONIMV2MESSAGEUPDATE":
		return &UserMessageUpdateEvent{user(), message()}
	case "ONIMV2MESSAGEDELETE":
		return &UserMessageDeleteEvent{user(), data.id("messageId")}
	case "ONIMV2REACTIONCHANGE":
		return &UserReactionChangeEvent{user(), reaction, action, message()}
	case "ONIMV2JOINCHAT":
		return &UserJoinChatEvent{user(), data.dialog("dialogId")}
	}
	return &imbot.UnknownEvent{EventMeta: meta}
}
