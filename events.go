package imbot

import (
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/imbot-go/imbot/internal/secret"
)

// EventBot is a bot that an event is for.
type EventBot struct {
	BotID   ID
	BotCode string
	Auth    EventAuth // of the bot's own user; zero for a bot registered through a webhook
}

// EventUser is the person behind an event; zero when the portal names none.
type EventUser struct {
	ID           ID
	Name         string // as shown
	FirstName    string
	LastName     string
	WorkPosition string
	Gender       Gender
	IsBot        Flag // message events only, like the three below
	IsConnector  Flag // writes through an open line
	IsNetwork    Flag // of another portal
	IsExtranet   Flag
}

// EventFile is a file that came with a message.
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
	URLPreview  FileURL
	URLShow     FileURL
	URLDownload FileURL
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
	Message         string   // mentions of bots are cut out; a comma or blanks can be left in front
	MessageOriginal string   // with the mentions; empty when none was cut out
	MessageID       ID       //
	ID              ID       // as MessageID, of changed and deleted messages
	DialogID        DialogID // where to answer
	FromUserID      ID       // author
	ToUserID        ID       // the addressed bot: of a private dialog, or the first mentioned one; 0: none
	AuthorID        ID       // author
	MessageType     string   // as ChatType
	ChatType        string   // one letter: P private, C group, O open, L open line, X task or other …
	Language        string   // of the account, two letters
	TemplateID      string   // id given by the sender's program
	MentionedList   []ID     // mentioned users and bots
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

// Bot returns the bot that the message addresses, else the only one, else zero:
// then several bots of the application hear the message and none is meant.
func (ev *MessageAddEvent) Bot() EventBot { return addressedBot(ev.Bots, ev.Params.ToUserID) }

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

// Bot returns the bot that joined.
func (ev *JoinChatEvent) Bot() EventBot { return addressedBot(ev.Bots, ev.Params.BotID) }

// IsGroup reports whether the dialog is a chat rather than a private dialog.
func (ev *JoinChatEvent) IsGroup() bool { return isGroup(ev.Params.DialogID) }

// IsOpenLine reports whether the dialog is that of an open line.
func (ev *JoinChatEvent) IsOpenLine() bool {
	return isOpenLine(ev.Params.ChatType, ev.Params.MessageType, ev.Params.ChatEntityType)
}

// Reply returns a message from the bot to the dialog that it joined. It sends
// nothing; pass it to [MessageService.Add].
func (ev *JoinChatEvent) Reply(text string) MessageAddRequest {
	return MessageAddRequest{BotID: firstID(ev.Bot().BotID, ev.Params.BotID), DialogID: ev.Params.DialogID, Message: text}
}

// BotDeleteEvent (ONIMBOTDELETE): the bot is gone, by imbot.unregister or with
// its application.
type BotDeleteEvent struct {
	EventMeta
	BotID   ID
	BotCode string
}

// UnknownEvent is an event that this package has no type for; Raw has its data.
type UnknownEvent struct {
	EventMeta
}

func addressedBot(bots []EventBot, to ID) EventBot {
	for _, b := range bots {
		if b.BotID == to {
			return b
		}
	}
	if len(bots) == 1 {
		return bots[0]
	}
	return EventBot{}
}

func isGroup(d DialogID) bool {
	_, private := d.UserID()
	return d != "" && !private
}

func isOpenLine(chatType, messageType, entityType string) bool {
	return chatType == "L" || messageType == "L" || entityType == "LINES"
}

func firstID(ids ...ID) ID {
	for _, id := range ids {
		if id != 0 {
			return id
		}
	}
	return 0
}
