package imbot

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/imbot-go/imbot/internal/mention"
	"github.com/imbot-go/imbot/internal/secret"
)

// EventFile is a file that came with a message. Its addresses are for browsers of people who are
// logged in; a bot of either generation reads it by its ID:
//
//	imbotv2.From(client).File.Read(ctx, file.ID, 20<<20)
//
// That needs a portal with imbot.v2, others answer [ErrMethodNotFound].
type EventFile struct {
	ID          ID
	ChatID      ID
	Date        time.Time
	Type        string // "image", "video", "audio" or "file"
	Name        string
	Extension   string
	Size        int64 // bytes
	ImageWidth  int   // pixels; 0: no image
	ImageHeight int
	Status      string
	Progress    int // percent
	AuthorID    ID
	AuthorName  string
	URLPreview  FileURL // for browsers, as the two below it: a program reads a file by its id
	URLShow     FileURL
	URLDownload FileURL
}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (e *EventFile) Format(f fmt.State, verb rune) {
	type eventFile EventFile
	printPlain(f, verb, (*eventFile)(e))
}

// FileURL is the address of a file. It may carry a token, so only its host is
// printed; string(u) is the whole.
type FileURL string

// Format implements [fmt.Formatter]; no verb prints a secret.
func (u FileURL) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, secret.MaskURL(string(u))) }

// MarshalText implements [encoding.TextMarshaler] without the secret.
func (u FileURL) MarshalText() ([]byte, error) { return []byte(secret.MaskURL(string(u))), nil }

// LogValue implements [slog.LogValuer] without the secret.
func (u FileURL) LogValue() slog.Value { return slog.StringValue(secret.MaskURL(string(u))) }

// MessageParams describe a message of an event. The Chat… fields are those of
// group chats; ChatUserCount and ChatType come with private dialogs, too.
type MessageParams struct {
	Message         string   // in group chats without mentions, people's included: see the Text of the event (livecheck: mention-cut)
	MessageOriginal string   // with the mentions, in group chats only; portals differ in whether it comes without any (livecheck: message-original)
	MessageID       ID       //
	ID              ID       // as MessageID, of changed and deleted messages
	DialogID        DialogID // where to answer
	FromUserID      ID       // author
	ToUserID        ID       // of a private dialog the bot, else who is mentioned first, bot or not; 0: nobody
	AuthorID        ID       // author
	MessageType     string   // as ChatType
	ChatType        string   // one letter: P private, C group, O open, L open line, X task or other …
	Language        string   // of the account, two letters
	TemplateID      string   // id given by the sender's program
	MentionedList   []ID     // mentioned users and bots
	ReplyTo         Quoted   // message that this one answers; zero: none
	ComponentID     string   // how it is shown; see IsWhisper
	Files           []EventFile
	System          Flag
	PlatformContext string // "web" or "mobile"
	CommandContext  string // "TEXTAREA"

	ToChatID          ID // chat id, of a private dialog, too
	ChatID            ID
	ChatTitle         string
	ChatAuthorID      ID // owner of the chat
	ChatAvatar        ID // file id
	ChatColor         Color
	ChatUserCount     int
	ChatEntityType    string // tag of the chat, "LINES" for an open line
	ChatEntityID      EntityID
	ChatEntityData1   string
	ChatEntityData2   string
	ChatEntityData3   string
	ChatExtranet      Flag // somebody from outside is a member
	ChatPrevMessageID ID
	ChatParentID      ID     // chat that the chat belongs to
	ChatParentMID     ID     // message that the chat belongs to
	BotInChat         []ID   // bots of the chat; command events only
	ChatCanPost       string // lowest role that may write, "MEMBER"
	RID               ID     // the author in the member list
	IsManager         Flag   // the author is a manager of the chat

	// The portal's own business; mirrored for completeness.
	Push, PushImportant, RecentSkipAuthor, Convert, SkipCommand, SkipCounterIncrements Flag
	SilentConnector, SkipConnector, ImportantConnector, NoSessionOL, SkipURLIndex      Flag
	SkipUserCheck, RecentAdd                                                           Flag
	FakeRelation                                                                       int
}

// text is the text of a person, without the mention of the bot that is meant.
func (p MessageParams) text(bot ID) string {
	if p.MessageOriginal != "" {
		return mention.Without(p.MessageOriginal, int64(bot), false)
	}
	_, private := p.DialogID.UserID()
	return mention.Without(p.Message, int64(bot), !private) // in a group the portal has cut it, and leaves a comma
}

// mentions are those who are mentioned, in the order of the text as far as it is there.
func (p MessageParams) mentions() []ID {
	var ids []ID
	for _, text := range []string{p.MessageOriginal, p.Message} {
		for _, id := range mention.IDs(text) {
			ids = append(ids, ID(id))
		}
	}
	return append(ids, p.MentionedList...)
}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (p *MessageParams) Format(f fmt.State, verb rune) {
	type messageParams MessageParams
	printPlain(f, verb, (*messageParams)(p))
}

func (p MessageParams) mentioned(bot ID) bool {
	return bot != 0 && (bot == p.ToUserID || slices.Contains(p.mentions(), bot))
}

// addressed returns the bot that a message is for: the one that is mentioned first,
// else the only one, else zero.
func (p MessageParams) addressed(bots []EventBot) EventBot {
	for _, id := range append([]ID{p.ToUserID}, p.mentions()...) {
		for _, b := range bots {
			if id != 0 && b.BotID == id {
				return b
			}
		}
	}
	return addressedBot(bots, 0)
}

func (p MessageParams) author(user EventUser) ID { return cmp.Or(p.FromUserID, p.AuthorID, user.ID) }

// MessageAddEvent (ONIMBOTMESSAGEADD): somebody wrote to the bot. A bot gets
// every message of its private dialogs, in group chats those that mention it
// (a [BotTypeSupervisor] all), in open lines all with OpenLine. A message that
// is a registered command comes as a command event instead, and messages of
// bots never come.
type MessageAddEvent struct {
	EventMeta
	Bots   []EventBot // all bots of the application that are concerned, in one event
	Params MessageParams
	User   EventUser
}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (ev *MessageAddEvent) Format(f fmt.State, verb rune) {
	type messageAddEvent MessageAddEvent
	printPlain(f, verb, (*messageAddEvent)(ev))
}

// Bot returns the bot that the message addresses, the first mentioned of several,
// else the only one, else zero: then several bots of the application hear the message
// and none is meant.
func (ev *MessageAddEvent) Bot() EventBot { return ev.Params.addressed(ev.Bots) }

// Dialog returns where to answer.
func (ev *MessageAddEvent) Dialog() DialogID { return ev.Params.DialogID }

// ForBot returns the id of Bot.
func (ev *MessageAddEvent) ForBot() ID { return ev.Bot().BotID }

// Text returns what the person wrote to Bot: the message without the mention of that
// bot, and without the comma, colon or blanks in front that are left of it. Mentions
// of others stay, which the portal cuts out of Params.Message; BB codes stay, too, so
// for what a person reads of it there is bbcode.Plain.
func (ev *MessageAddEvent) Text() string { return ev.Params.text(ev.Bot().BotID) }

// Mentioned reports whether the message is meant for the bot: it mentions the
// bot, or stands in a private dialog with it.
func (ev *MessageAddEvent) Mentioned(bot ID) bool { return ev.Params.mentioned(bot) }

// IsGroup reports whether the dialog is a chat rather than a private dialog.
func (ev *MessageAddEvent) IsGroup() bool { return isGroup(ev.Params.DialogID) }

// IsOpenLine reports whether the dialog is that of an open line.
func (ev *MessageAddEvent) IsOpenLine() bool { return ev.Params.isOpenLine() }

// FromBot reports whether a bot wrote the message.
func (ev *MessageAddEvent) FromBot() bool { return fromBot(ev.Bots, ev.User, ev.AuthorID()) }

// AuthorID returns who wrote the message.
func (ev *MessageAddEvent) AuthorID() ID { return ev.Params.author(ev.User) }

// Reply returns a message from the addressed bot to the dialog of the event. It
// sends nothing; pass it to [MessageService.Add]. When Bot is zero, set its BotID:
// the portal would pick any bot of the application.
func (ev *MessageAddEvent) Reply(text string) MessageAddRequest {
	return MessageAddRequest{BotID: ev.Bot().BotID, DialogID: ev.Params.DialogID, Message: text}
}

// MessageUpdateEvent (ONIMBOTMESSAGEUPDATE): a message was changed in a dialog of
// the bot, under the rules of [MessageAddEvent]. Text is the new text.
// Builds before April 2026 forgot the handler of ordinary bots at registration;
// [BotService.Update] sets it there, too.
type MessageUpdateEvent struct {
	EventMeta
	Bots   []EventBot // all bots of the application that are concerned, in one event
	Params MessageParams
	User   EventUser // never in group chats; see AuthorID
}

// Format implements [fmt.Formatter]; no verb prints a secret.
func (ev *MessageUpdateEvent) Format(f fmt.State, verb rune) {
	type messageUpdateEvent MessageUpdateEvent
	printPlain(f, verb, (*messageUpdateEvent)(ev))
}

// Bot returns the bot that the message addresses, else the only one, else zero.
func (ev *MessageUpdateEvent) Bot() EventBot { return ev.Params.addressed(ev.Bots) }

// Dialog returns where to answer.
func (ev *MessageUpdateEvent) Dialog() DialogID { return ev.Params.DialogID }

// ForBot returns the id of Bot.
func (ev *MessageUpdateEvent) ForBot() ID { return ev.Bot().BotID }

// Text returns what the person wrote, as [MessageAddEvent.Text] does.
func (ev *MessageUpdateEvent) Text() string { return ev.Params.text(ev.Bot().BotID) }

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

// Format implements [fmt.Formatter]; no verb prints a secret.
func (ev *MessageDeleteEvent) Format(f fmt.State, verb rune) {
	type messageDeleteEvent MessageDeleteEvent
	printPlain(f, verb, (*messageDeleteEvent)(ev))
}

// Bot returns the bot that the message addressed, else the only one, else zero.
func (ev *MessageDeleteEvent) Bot() EventBot { return addressedBot(ev.Bots, ev.Params.ToUserID) }

// Dialog returns where to answer.
func (ev *MessageDeleteEvent) Dialog() DialogID { return ev.Params.DialogID }

// ForBot returns the id of Bot.
func (ev *MessageDeleteEvent) ForBot() ID { return ev.Bot().BotID }

// IsGroup reports whether the dialog is a chat rather than a private dialog.
func (ev *MessageDeleteEvent) IsGroup() bool { return isGroup(ev.Params.DialogID) }

// IsOpenLine reports whether the dialog is that of an open line.
func (ev *MessageDeleteEvent) IsOpenLine() bool { return ev.Params.isOpenLine() }

// FromBot reports whether a bot wrote the message.
func (ev *MessageDeleteEvent) FromBot() bool { return fromBot(ev.Bots, ev.User, ev.AuthorID()) }

// AuthorID returns who wrote the message.
func (ev *MessageDeleteEvent) AuthorID() ID { return ev.Params.author(ev.User) }
