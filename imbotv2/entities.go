package imbotv2

import (
	"cmp"
	"fmt"
	"time"

	"github.com/imbot-go/imbot"
)

// User is a person, or the account of a bot. Some answers have only ID, Active, Name, Bot and
// Type.
type User struct {
	ID             imbot.ID
	Active         imbot.Flag
	Name           string // as shown
	FirstName      string
	LastName       string
	WorkPosition   string
	Color          string // "#df532d", of the picture that stands for none
	Avatar         string // URL
	Gender         imbot.Gender
	Birthday       string     // "15-03", day and month
	Extranet       imbot.Flag // of another company
	Bot            imbot.Flag
	Connector      imbot.Flag // a guest of an open line
	ExternalAuthID string     // "default", "bot", "email", "replica" …
	Status         string     // "online", "dnd" …

	Idle             time.Time // since when; zero: not idle, and in events. So are the next three
	LastActivityDate time.Time
	MobileLastDate   time.Time
	DesktopLastDate  time.Time
	Absent           time.Time // since when; zero: not absent

	Departments []imbot.ID
	Phones      map[string]string // "workPhone", "personalMobile" …
	Type        UserType
	Website     string
	Email       string
	Network     imbot.RawEvent // not documented, like the next two; not in user events
	BotData     imbot.RawEvent
	AvatarHR    imbot.RawEvent

	Raw imbot.RawEvent // all of it
}

// UserType says what kind of account a user is. The set is open.
type UserType string

// The types of users.
const (
	UserTypeEmployee UserType = "employee"
	UserTypeExtranet UserType = "extranet"
	UserTypeEmail    UserType = "email"
	UserTypeCollaber UserType = "collaber"
	UserTypeBot      UserType = "bot"
	UserTypeUser     UserType = "user" // seen from portals, not documented
)

func (f fields) user() User {
	return User{
		ID: f.id("id"), Active: f.flag("active"), Name: f.text("name"), FirstName: f.text("firstName"), LastName: f.text("lastName"),
		WorkPosition: f.text("workPosition"), Color: f.text("color"), Avatar: f.text("avatar"), Gender: imbot.Gender(f.text("gender")),
		Birthday: f.text("birthday"), Extranet: f.flag("extranet"), Bot: f.flag("bot"), Connector: f.flag("connector"),
		ExternalAuthID: f.text("externalAuthId"), Status: f.text("status"), Idle: f.time("idle"), LastActivityDate: f.time("lastActivityDate"),
		MobileLastDate: f.time("mobileLastDate"), DesktopLastDate: f.time("desktopLastDate"), Absent: f.time("absent"),
		Departments: f.ids("departments"), Phones: f.texts("phones"), Type: UserType(f.text("type")), Website: f.text("website"),
		Email: f.text("email"), Network: f.At("network"), BotData: f.At("botData"), AvatarHR: f.At("avatarHr"),
		Raw: f.RawEvent,
	}
}

// firstUser reads the only user of a list.
func (f fields) firstUser(name string) User {
	for _, key := range f.Keys(name) {
		return f.sub(name, key).user()
	}
	return User{}
}

// Bot is a bot. What the owner alone gets is zero for others.
type Bot struct {
	ID                 imbot.ID
	Code               string
	Type               BotType
	IsHidden           imbot.Flag
	IsSupportOpenline  imbot.Flag
	IsReactionsEnabled imbot.Flag
	BackgroundID       Background // empty: the reader's own
	Language           string     // two letters

	ModuleID     string    // for the owner, like the five below: "rest"
	EventMode    EventMode //
	CountMessage int
	CountCommand int
	CountChat    int
	CountUser    int
	AppID        string // before revision 35

	Raw imbot.RawEvent // all of it
}

// Owned reports whether the bot is the caller's: only its owner is told the event mode.
func (b Bot) Owned() bool { return b.EventMode != "" }

// BotType says what a bot hears. The set is open.
type BotType string

// The types of bots.
const (
	BotTypeBot        BotType = "bot"        // private messages and those that mention it (the portal's default)
	BotTypeSupervisor BotType = "supervisor" // every message of its chats
	BotTypePersonal   BotType = "personal"   // every message of its chats; found only by who may use it
	BotTypeOpenline   BotType = "openline"   // as BotTypeBot; in open lines every message of the guest
	BotTypeNetwork    BotType = "network"    // named in an error text only
)

// EventMode says how a bot gets its events.
type EventMode string

// The modes. A change to webhook deletes what is in the queue.
const (
	EventModeFetch   EventMode = "fetch"   // it asks for them, see [Poll] (the portal's default)
	EventModeWebhook EventMode = "webhook" // the portal posts them to a URL
)

// Background is the picture behind a dialog with a bot.
type Background string

// The backgrounds; the portal takes another one for none.
const (
	BackgroundAzure      Background = "azure"
	BackgroundMint       Background = "mint"
	BackgroundSteel      Background = "steel"
	BackgroundSlate      Background = "slate"
	BackgroundTeal       Background = "teal"
	BackgroundCornflower Background = "cornflower"
	BackgroundSky        Background = "sky"
	BackgroundPeach      Background = "peach"
	BackgroundFrost      Background = "frost"
)

func (f fields) bot() Bot {
	return Bot{
		ID: f.id("id"), Code: f.text("code"), Type: BotType(f.text("type")), IsHidden: f.flag("isHidden"),
		IsSupportOpenline: f.flag("isSupportOpenline"), IsReactionsEnabled: f.flag("isReactionsEnabled"),
		BackgroundID: Background(f.phrase("backgroundId")), Language: f.text("language"), ModuleID: f.text("moduleId"),
		EventMode: EventMode(f.text("eventMode")), CountMessage: f.num("countMessage"), CountCommand: f.num("countCommand"),
		CountChat: f.num("countChat"), CountUser: f.num("countUser"), AppID: f.text("appId"), Raw: f.RawEvent,
	}
}

// Chat is a chat, a private dialog, or the chat of an open line. Events have the fields down to
// Avatar, and maybe more.
type Chat struct {
	ID                  imbot.ID       // also of a private dialog
	DialogID            imbot.DialogID // where to write
	Type                ChatType
	Name                string
	EntityType          string // what the chat belongs to: "LINES" for an open line
	Owner               imbot.ID
	Color               string // "#ab7761"
	Avatar              string // URL
	Description         string
	MessageType         string // one letter: P private, C group, O open, L open line …
	Extranet            imbot.Flag
	ContainsCollaber    imbot.Flag
	EntityID            imbot.EntityID
	EntityData1         string
	EntityData2         string
	EntityData3         string
	EntityLink          EntityLink
	DiskFolderID        imbot.ID // 0 until the first file
	Role                ChatRole // of the bot; RoleGuest: no member of an open chat
	Permissions         ChatPermissions
	HasManageCapability imbot.Flag
	CanHaveThreads      imbot.Flag
	MuteList            []imbot.ID
	ParentChatID        imbot.ID // of a thread
	ParentMessageID     imbot.ID
	IsNew               imbot.Flag // an open chat younger than a day
	TextFieldEnabled    imbot.Flag
	BackgroundID        Background

	DateCreate       time.Time // in answers, like all that follows
	LastMessageID    imbot.ID
	LastMessageViews LastMessageViews
	LastID           imbot.ID // the last message that the bot has read
	ManagerList      []imbot.ID
	MarkedID         imbot.ID // the message that the bot has marked as unread
	MessageCount     int
	Public           PublicLink
	UnreadID         imbot.ID
	UserCounter      int
	GuestCount       int

	Raw imbot.RawEvent // all of it
}

// IsGroup reports whether it is a chat rather than a private dialog.
func (c Chat) IsGroup() bool {
	_, private := c.DialogID.UserID()
	return c.DialogID != "" && !private
}

// IsOpenLine reports whether it is the chat of an open line.
func (c Chat) IsOpenLine() bool {
	return c.Type == ChatTypeLines || c.MessageType == "L" || c.EntityType == "LINES"
}

// ChatType says what kind of chat it is. The set is open; a bot makes the first two.
type ChatType string

// The types of chats.
const (
	ChatTypeChat           ChatType = "chat" // closed (the portal's default)
	ChatTypeOpen           ChatType = "open" // everybody may read and join
	ChatTypeChannel        ChatType = "channel"
	ChatTypeOpenChannel    ChatType = "openChannel"
	ChatTypeGeneralChannel ChatType = "generalChannel"
	ChatTypeCopilot        ChatType = "copilot"
	ChatTypeThread         ChatType = "thread"
	ChatTypePrivate        ChatType = "private" // in events only, like the next
	ChatTypeLines          ChatType = "lines"
)

// ChatRole is what somebody is in a chat, and the lowest role that may do something.
type ChatRole string

// The roles.
const (
	RoleOwner   ChatRole = "owner"
	RoleManager ChatRole = "manager"
	RoleMember  ChatRole = "member"
	RoleGuest   ChatRole = "guest"
	RoleNone    ChatRole = "none"
)

// EntityLink leads to what a chat belongs to.
type EntityLink struct{ Type, URL, ID string }

// ChatPermissions are the lowest roles that may do each; empty where the portal does not say.
type ChatPermissions struct {
	ManageUsersAdd           ChatRole
	ManageUsersDelete        ChatRole
	ManageUI                 ChatRole
	ManageSettings           ChatRole
	ManageMessages           ChatRole
	ManageMessagesAutoDelete ChatRole
	ManageGuestInvites       ChatRole
	ManageDelete             ChatRole
	CanPost                  ChatRole
}

// LastMessageViews says who has seen the last message.
type LastMessageViews struct {
	MessageID      imbot.ID
	FirstViewers   []Viewer
	CountOfViewers int
}

// Viewer is somebody who has seen a message.
type Viewer struct {
	UserID   imbot.ID
	UserName string
	Date     time.Time
}

// PublicLink is the address by which outsiders join a chat.
type PublicLink struct{ Code, Link string }

// Format implements [fmt.Formatter]; who has the code may join.
func (PublicLink) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, "imbotv2.PublicLink{***}") }

// MarshalText implements [encoding.TextMarshaler] without the code.
func (PublicLink) MarshalText() ([]byte, error) { return []byte("imbotv2.PublicLink{***}"), nil }

func (f fields) chat() Chat {
	views, public, can := f.embedded("lastMessageViews"), f.sub("public"), f.sub("permissions")
	role := func(name string) ChatRole { return ChatRole(can.text(name)) }
	return Chat{
		ID: f.id("id"), DialogID: f.dialog("dialogId"), Type: ChatType(f.text("type")), Name: f.text("name"), EntityType: f.text("entityType"),
		Owner: f.id("owner"), Color: f.text("color"), Avatar: f.text("avatar"), Description: f.text("description"),
		MessageType: f.text("messageType"), Extranet: f.flag("extranet"), ContainsCollaber: f.flag("containsCollaber"),
		EntityID: imbot.EntityID(f.text("entityId")), EntityData1: f.text("entityData1"), EntityData2: f.text("entityData2"),
		EntityData3:  f.text("entityData3"),
		EntityLink:   EntityLink{Type: f.Get("entityLink", "type"), URL: f.Get("entityLink", "url"), ID: f.Get("entityLink", "id")},
		DiskFolderID: f.id("diskFolderId"), Role: ChatRole(f.text("role")),
		Permissions: ChatPermissions{
			ManageUsersAdd: role("manageUsersAdd"), ManageUsersDelete: role("manageUsersDelete"), ManageUI: role("manageUi"),
			ManageSettings: role("manageSettings"), ManageMessages: role("manageMessages"),
			ManageMessagesAutoDelete: role("manageMessagesAutoDelete"), ManageGuestInvites: role("manageGuestInvites"),
			ManageDelete: role("manageDelete"), CanPost: role("canPost"),
		},
		HasManageCapability: f.flag("hasManageCapability"), CanHaveThreads: f.flag("canHaveThreads"), MuteList: f.ids("muteList"),
		ParentChatID: f.id("parentChatId"), ParentMessageID: f.id("parentMessageId"), IsNew: f.flag("isNew"),
		TextFieldEnabled: f.flag("textFieldEnabled"), BackgroundID: Background(f.phrase("backgroundId")),
		DateCreate: f.time("dateCreate"), LastMessageID: f.id("lastMessageId"),
		LastMessageViews: LastMessageViews{
			MessageID: views.id("messageId"), CountOfViewers: views.num("countOfViewers"),
			FirstViewers: list(views.sub("firstViewers"), func(v fields) Viewer {
				return Viewer{UserID: cmp.Or(v.id("userId"), v.id("user_id")), UserName: v.text("userName") + v.text("user_name"), Date: v.time("date")}
			}),
		},
		LastID: f.id("lastId"), ManagerList: f.ids("managerList"), MarkedID: f.id("markedId"), MessageCount: f.num("messageCount"),
		Public: PublicLink{Code: public.text("code"), Link: public.text("link")}, UnreadID: f.id("unreadId"),
		UserCounter: f.num("userCounter"), GuestCount: f.num("guestCount"), Raw: f.RawEvent,
	}
}

// Message is a message. Its text has BB codes; bbcode.Plain gives what a person reads of it.
type Message struct {
	ID             imbot.ID
	ChatID         imbot.ID
	AuthorID       imbot.ID // 0: a system message
	Date           time.Time
	Text           string // as the portal has made it: links in [URL], entities decoded; at most 20,000 characters (livecheck: links-wrapped, entities-decoded, me-kept)
	IsSystem       imbot.Flag
	UUID           string        // the sender's TemplateID
	Forward        ForwardedFrom // zero: not forwarded
	FileIDs        []imbot.ID
	ReplyID        imbot.ID // the message that this one answers
	ViewedByOthers imbot.Flag
	Unread         imbot.Flag     // by the bot; in answers, like Viewed
	Viewed         imbot.Flag     //
	Block          imbot.RawEvent // not documented
	Params         imbot.RawEvent // what comes with it, as in Params.Get("LIKE", "0"); the portal documents none of it (livecheck: message-params)

	Raw imbot.RawEvent // all of it
}

// ForwardedFrom is where a forwarded message comes from.
type ForwardedFrom struct {
	ID     string
	UserID imbot.ID
	ChatID imbot.ID
	Date   time.Time
}

// Attach returns the attachment as the portal has stored it, the empty one when there is none.
func (m Message) Attach() imbot.Attach {
	var a imbot.Attach
	attach := fields{m.Params.At("ATTACH")}
	if list := attach.Keys(); len(list) > 0 && list[0] == "0" && len(attach.Keys("0")) > 0 {
		attach = attach.sub("0") // a message has one
	}
	_ = attach.into(&a) // what cannot be read is none
	return a
}

// Keyboard returns the keyboard as the portal has stored it, the empty one when there is none.
func (m Message) Keyboard() imbot.Keyboard {
	var k imbot.Keyboard
	_ = fields{m.Params.At("KEYBOARD")}.into(&k) // what cannot be read is none
	return k
}

func (f fields) message() Message {
	from, params := f.sub("forward"), f.sub("params")
	return Message{
		ID: f.id("id"), ChatID: cmp.Or(f.id("chatId"), f.id("chat_id")), AuthorID: cmp.Or(f.id("authorId"), f.id("author_id")),
		Date: f.time("date"), Text: f.text("text"), IsSystem: f.flag("isSystem"), UUID: f.phrase("uuid"),
		Forward: ForwardedFrom{ID: from.text("id"), UserID: from.id("userId"), ChatID: from.id("chatId"), Date: from.time("date")},
		FileIDs: params.ids("FILE_ID"), ReplyID: params.id("REPLY_ID"), ViewedByOthers: f.flag("viewedByOthers"), Unread: f.flag("unread"),
		Viewed: f.flag("viewed"), Block: f.At("block"), Params: params.RawEvent, Raw: f.RawEvent,
	}
}

// File is a file of a chat. The shortest form has ID, ChatID, Name, Extension and Size. Its addresses are
// for browsers that are logged in; the program downloads by its id.
type File struct {
	ID              imbot.ID
	ChatID          imbot.ID
	Date            time.Time
	Type            FileType
	Name            string
	Extension       string // lower case
	Size            int64  // bytes
	ImageWidth      int    // pixels; 0: no picture
	ImageHeight     int
	Status          string // "done" after the upload
	Progress        int    // percent
	AuthorID        imbot.ID
	AuthorName      string
	URLPreview      imbot.FileURL
	URLShow         imbot.FileURL
	URLDownload     imbot.FileURL
	ViewerAttrs     imbot.RawEvent
	MediaURL        imbot.RawEvent // "preview" → size → address
	IsTranscribable imbot.Flag
	IsVideoNote     imbot.Flag
	IsVoiceNote     imbot.Flag

	Raw imbot.RawEvent // all of it
}

// FileType is what a file is shown as.
type FileType string

// The types of files.
const (
	FileTypeFile  FileType = "file"
	FileTypeImage FileType = "image"
	FileTypeVideo FileType = "video"
	FileTypeAudio FileType = "audio"
)

// Format implements [fmt.Formatter]; no verb prints a secret.
func (e *File) Format(f fmt.State, verb rune) {
	type file File
	printPlain(f, verb, (*file)(e))
}

func (f fields) file() File {
	return File{
		ID: f.id("id"), ChatID: f.id("chatId"), Date: f.time("date"), Type: FileType(f.text("type")), Name: f.text("name"),
		Extension: f.text("extension"), Size: int64(f.id("size")), ImageWidth: f.sub("image").num("width"), ImageHeight: f.sub("image").num("height"),
		Status: f.text("status"), Progress: f.num("progress"), AuthorID: f.id("authorId"), AuthorName: f.text("authorName"),
		URLPreview: f.fileURL("urlPreview"), URLShow: f.fileURL("urlShow"), URLDownload: f.fileURL("urlDownload"),
		ViewerAttrs: f.At("viewerAttrs"), MediaURL: f.At("mediaUrl"), IsTranscribable: f.flag("isTranscribable"),
		IsVideoNote: f.flag("isVideoNote"), IsVoiceNote: f.flag("isVoiceNote"), Raw: f.RawEvent,
	}
}

// Command is a slash command. Title, Params, Category and Context come from [CommandService.List]
// only, in the portal's language.
type Command struct {
	ID              imbot.ID
	BotID           imbot.ID
	Command         string // with its slash
	Common          imbot.Flag
	Hidden          imbot.Flag
	ExtranetSupport imbot.Flag
	Title           string
	Params          string
	Category        string // the bot's name
	Context         string

	Raw imbot.RawEvent // all of it
}

func (f fields) command() Command {
	return Command{
		ID: f.id("id"), BotID: f.id("botId"), Command: f.text("command"), Common: f.flag("common"), Hidden: f.flag("hidden"),
		ExtranetSupport: f.flag("extranetSupport"), Title: f.text("title"), Params: f.text("params"), Category: f.text("category"),
		Context: f.text("context"), Raw: f.RawEvent,
	}
}

// printPlain prints plain, which is a value whose type has a Format, converted to a type
// that has none. The types that hold secrets need one on their pointer: where a verb does not fit
// a pointer in a container, fmt prints all that it leads to and calls no method any more.
func printPlain(f fmt.State, verb rune, plain any) {
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), plain)
}
