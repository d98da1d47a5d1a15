package imbot

import (
	"cmp"
	"fmt"
)

// JoinChatParams describe how a bot came into a dialog.
type JoinChatParams struct {
	ChatType       string // one letter: P private, C group, O open, L open line, X task or other …
	MessageType    string // as ChatType
	BotID          ID
	UserID         ID       // who opened the dialog or added the bot; 0: nobody
	ToUserID       ID       // private: the bot, or the user when the bot wrote first
	FromUserID     ID       // private: the other side
	ChatID         ID       //
	ChatAuthorID   ID       // group: owner
	ChatEntityType string   // group: tag of the chat, "LINES" for an open line
	ChatEntityID   EntityID // group
	AccessHistory  Flag     // group: the bot sees older messages
	SilentJoin     Flag     // joined without a notice
	DialogID       DialogID // where to answer
	Language       string   // of the account, two letters
}

// JoinChatEvent (ONIMBOTJOINCHAT): a private dialog with the bot was opened for
// the first time, or the bot was added to a chat. It names exactly one bot.
type JoinChatEvent struct {
	EventMeta
	Bots   []EventBot
	Params JoinChatParams
	User   EventUser // without the Is… flags
}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (ev *JoinChatEvent) Format(f fmt.State, verb rune) {
	type joinChatEvent JoinChatEvent
	printPlain(f, verb, (*joinChatEvent)(ev))
}

// Bot returns the bot that joined.
func (ev *JoinChatEvent) Bot() EventBot { return addressedBot(ev.Bots, ev.Params.BotID) }

// Dialog returns where to answer.
func (ev *JoinChatEvent) Dialog() DialogID { return ev.Params.DialogID }

// ForBot returns the id of Bot, the bot that joined.
func (ev *JoinChatEvent) ForBot() ID { return cmp.Or(ev.Bot().BotID, ev.Params.BotID) }

// AuthorID returns who opened the dialog or added the bot; zero for nobody.
func (ev *JoinChatEvent) AuthorID() ID { return cmp.Or(ev.Params.UserID, ev.User.ID) }

// IsGroup reports whether the dialog is a chat rather than a private dialog.
func (ev *JoinChatEvent) IsGroup() bool { return isGroup(ev.Params.DialogID) }

// IsOpenLine reports whether the dialog is that of an open line.
func (ev *JoinChatEvent) IsOpenLine() bool {
	return isOpenLine(ev.Params.ChatType, ev.Params.MessageType, ev.Params.ChatEntityType)
}

// Reply returns a message from the bot to the dialog that it joined. It sends
// nothing; pass it to [MessageService.Add].
func (ev *JoinChatEvent) Reply(text string) MessageAddRequest {
	return MessageAddRequest{BotID: ev.ForBot(), DialogID: ev.Params.DialogID, Message: text}
}

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

// Format implements [fmt.Formatter]; no verb prints a secret.
func (p *ContextParams) Format(f fmt.State, verb rune) {
	type contextParams ContextParams
	printPlain(f, verb, (*contextParams)(p))
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

// Format implements [fmt.Formatter]; no verb prints a secret.
func (ev *ContextGetEvent) Format(f fmt.State, verb rune) {
	type contextGetEvent ContextGetEvent
	printPlain(f, verb, (*contextGetEvent)(ev))
}

// Bot returns the only bot of the event, else zero.
func (ev *ContextGetEvent) Bot() EventBot { return addressedBot(ev.Bots, 0) }

// Dialog returns where to answer.
func (ev *ContextGetEvent) Dialog() DialogID { return ev.Params.DialogID }

// ForBot returns the id of Bot.
func (ev *ContextGetEvent) ForBot() ID { return ev.Bot().BotID }

// AuthorID returns who opened the dialog.
func (ev *ContextGetEvent) AuthorID() ID { return cmp.Or(ev.Params.UserID, ev.User.ID) }

// IsGroup reports whether the dialog is a chat rather than a private dialog.
func (ev *ContextGetEvent) IsGroup() bool { return isGroup(ev.Params.DialogID) }

// IsOpenLine reports whether the dialog is that of an open line.
func (ev *ContextGetEvent) IsOpenLine() bool {
	return isOpenLine(ev.Params.ChatType, ev.Params.MessageType, ev.Params.ChatEntityType)
}

// BotDeleteEvent (ONIMBOTDELETE): the bot is gone, by imbot.unregister or with
// its application.
type BotDeleteEvent struct {
	EventMeta
	BotID   ID
	BotCode string
}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (ev *BotDeleteEvent) Format(f fmt.State, verb rune) {
	type botDeleteEvent BotDeleteEvent
	printPlain(f, verb, (*botDeleteEvent)(ev))
}

// ForBot returns the bot that is gone.
func (ev *BotDeleteEvent) ForBot() ID { return ev.BotID }
