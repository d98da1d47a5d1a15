package imbot

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/imbot-go/imbot/internal/phpform"
)

// RawEvent is the whole body of an event, for what the SDK has no field for. It
// prints nothing: the body holds tokens.
type RawEvent struct{ root phpform.Node }

// Get returns the text at a path, as in Get("data", "PARAMS", "MESSAGE"). It is
// empty when the path is missing or leads to a map.
func (r RawEvent) Get(path ...string) string { return r.root.Get(path...) }

// Keys returns the names below a path, in the order on the wire. A list has the
// names "0", "1" and so on.
func (r RawEvent) Keys(path ...string) []string { return r.root.At(path...).Keys() }

// At returns what is below a path, as Get and Keys see it from there.
func (r RawEvent) At(path ...string) RawEvent { return RawEvent{r.root.At(path...)} }

// UnmarshalJSON implements [encoding/json.Unmarshaler]: a JSON object is read as its form
// would be, with at most 10,000 keys in at most 64 levels.
func (r *RawEvent) UnmarshalJSON(data []byte) error {
	root, err := phpform.ParseJSON(data)
	if err != nil {
		return fmt.Errorf("imbot: RawEvent: %w", err)
	}
	r.root = root
	return nil
}

const maskedRaw = "imbot.RawEvent{***}"

// Format implements [fmt.Formatter]; no verb prints a secret.
func (r RawEvent) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, maskedRaw) }

// MarshalText implements [encoding.TextMarshaler] without the secrets.
func (r RawEvent) MarshalText() ([]byte, error) { return []byte(maskedRaw), nil }

// LogValue implements [slog.LogValuer] without the secrets.
func (r RawEvent) LogValue() slog.Value { return slog.StringValue(maskedRaw) }

// fields reads the members of one map of an event; what is missing is zero.
type fields struct{ phpform.Node }

func (f fields) sub(path ...string) fields   { return fields{f.At(path...)} }
func (f fields) text(name string) string     { return f.Get(name) }
func (f fields) id(name string) ID           { return parseID(f.Get(name)) }
func (f fields) num(name string) int         { return int(parseID(f.Get(name))) }
func (f fields) flag(name string) Flag       { return parseFlag(f.Get(name)) }
func (f fields) dialog(name string) DialogID { return DialogID(f.Get(name)) }
func (f fields) fileURL(name string) FileURL { return FileURL(f.Get(name)) }

// unix reads seconds since 1970.
func (f fields) unix(name string) time.Time { return unixTime(parseID(f.Get(name))) }

// unixTime returns a time in seconds since 1970; zero for none, and from the year
// 9999 on: JSON has no later ones, so one could be neither printed nor stored.
func unixTime(s ID) time.Time {
	if s <= 0 || s >= 253370764800 {
		return time.Time{}
	}
	return time.Unix(int64(s), 0)
}

// ids reads a map or list of ids by its values.
func (f fields) ids() []ID {
	var ids []ID
	for _, kid := range f.All() {
		if id := parseID(kid.Get()); id != 0 {
			ids = append(slices.Grow(ids, f.Len()-len(ids)), id)
		}
	}
	return ids
}

func (f fields) auth() EventAuth {
	return EventAuth{
		AccessToken: f.text("access_token"), RefreshToken: f.text("refresh_token"),
		ApplicationToken: f.text("application_token"), ClientID: f.text("client_id"),
		UserID: f.id("user_id"), Expires: f.unix("expires"), Scope: f.text("scope"), Status: f.text("status"),
		Domain: f.text("domain"), MemberID: f.text("member_id"),
		ClientEndpoint: f.text("client_endpoint"), ServerEndpoint: f.text("server_endpoint"),
	}
}

// bots reads data[BOT], a map keyed by bot id.
func (f fields) bots() []EventBot {
	if f.Len() == 0 {
		return nil
	}
	bots := make([]EventBot, 0, f.Len())
	for id, kid := range f.All() {
		bot := fields{kid}.bot()
		bot.BotID = cmp.Or(bot.BotID, parseID(id))
		bots = append(bots, bot)
	}
	return bots
}

// bot reads one bot. Its tokens stand beside the other keys and once more in
// AUTH.
func (f fields) bot() EventBot {
	auth := f.auth()
	if again := f.sub("AUTH"); auth.AccessToken == "" && again.Len() > 0 {
		auth = again.auth()
	}
	return EventBot{BotID: f.id("BOT_ID"), BotCode: f.text("BOT_CODE"), Auth: auth}
}

// commands reads data[COMMAND], a map keyed by command id.
func (f fields) commands() []EventCommand {
	if f.Len() == 0 {
		return nil
	}
	commands := make([]EventCommand, 0, f.Len())
	for id, kid := range f.All() {
		c := fields{kid}
		commands = append(commands, EventCommand{
			EventBot: c.bot(), Command: c.text("COMMAND"), CommandID: cmp.Or(c.id("COMMAND_ID"), parseID(id)), CommandParams: c.text("COMMAND_PARAMS"),
			CommandContext: c.text("COMMAND_CONTEXT"), MessageID: c.id("MESSAGE_ID"),
		})
	}
	return commands
}

// realName undoes what the portal does to names: it escapes <, > and double quotes for
// HTML, and an ampersand only where an entity would begin with it. So nothing else is
// an entity here.
func realName(s string) string {
	if !strings.Contains(s, "&") { // Replace would copy it
		return s
	}
	return nameEntities.Replace(s)
}

var nameEntities = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">", "&quot;", `"`)

func (f fields) user() EventUser {
	return EventUser{
		ID: f.id("ID"), Name: realName(f.text("NAME")), FirstName: realName(f.text("FIRST_NAME")), LastName: realName(f.text("LAST_NAME")),
		WorkPosition: realName(f.text("WORK_POSITION")), Gender: Gender(f.text("GENDER")),
		IsBot: f.flag("IS_BOT"), IsConnector: f.flag("IS_CONNECTOR"), IsNetwork: f.flag("IS_NETWORK"), IsExtranet: f.flag("IS_EXTRANET"),
	}
}

func (f fields) files() []EventFile {
	if f.Len() == 0 {
		return nil
	}
	files := make([]EventFile, 0, f.Len())
	for id, kid := range f.All() {
		e := fields{kid}
		image := e.sub("image")
		file := EventFile{
			ID: cmp.Or(e.id("id"), parseID(id)), ChatID: e.id("chatId"), Type: e.text("type"), Name: e.text("name"), Extension: e.text("extension"),
			Size: int64(e.id("size")), ImageWidth: image.num("width"), ImageHeight: image.num("height"),
			Status: e.text("status"), Progress: e.num("progress"), AuthorID: e.id("authorId"), AuthorName: e.text("authorName"),
			URLPreview: e.fileURL("urlPreview"), URLShow: e.fileURL("urlShow"), URLDownload: e.fileURL("urlDownload"),
		}
		file.Date, _ = time.Parse(time.RFC3339, e.text("date")) // zero when it is missing
		files = append(files, file)
	}
	return files
}

// quoted reads the message that another one answers, of which some portals tell the id alone.
func (f fields) quoted() Quoted {
	m := f.sub("REPLY_MESSAGE")
	return Quoted{
		MessageID: cmp.Or(m.id("ID"), m.id("id"), f.sub("PARAMS").id("REPLY_ID")),
		AuthorID:  cmp.Or(m.id("AUTHOR_ID"), m.id("authorId"), m.id("author_id")),
		Text:      cmp.Or(m.text("MESSAGE"), m.text("TEXT"), m.text("text")),
	}
}

// storedFiles reads the ids of files from the stored parameters of a message.
func (f fields) storedFiles() []EventFile {
	stored := f.sub("PARAMS", "FILE_ID")
	if id := parseID(stored.Get()); id != 0 {
		return []EventFile{{ID: id}}
	}
	var files []EventFile
	for _, id := range stored.ids() {
		files = append(slices.Grow(files, stored.Len()-len(files)), EventFile{ID: id})
	}
	return files
}

func (f fields) message() MessageParams {
	var p MessageParams
	for key, kid := range f.All() { // once, because the fields are many
		text := kid.Get()
		switch key {
		case "MESSAGE":
			p.Message = text
		case "MESSAGE_ORIGINAL":
			p.MessageOriginal = text
		case "MESSAGE_ID":
			p.MessageID = parseID(text)
		case "DIALOG_ID":
			p.DialogID = DialogID(text)
		case "FROM_USER_ID":
			p.FromUserID = parseID(text)
		case "TO_USER_ID":
			p.ToUserID = parseID(text)
		case "AUTHOR_ID":
			p.AuthorID = parseID(text)
		case "MESSAGE_TYPE":
			p.MessageType = text
		case "CHAT_TYPE":
			p.ChatType = text
		case "LANGUAGE":
			p.Language = text
		case "TEMPLATE_ID":
			p.TemplateID = text
		case "MENTIONED_LIST":
			p.MentionedList = fields{kid}.ids()
		case "FILES":
			p.Files = fields{kid}.files()
		case "SYSTEM":
			p.System = parseFlag(text)
		case "PLATFORM_CONTEXT":
			p.PlatformContext = text
		case "COMMAND_CONTEXT":
			p.CommandContext = text
		case "TO_CHAT_ID":
			p.ToChatID = parseID(text)
		case "CHAT_ID":
			p.ChatID = parseID(text)
		case "CHAT_TITLE":
			p.ChatTitle = text
		case "CHAT_AUTHOR_ID":
			p.ChatAuthorID = parseID(text)
		case "CHAT_AVATAR":
			p.ChatAvatar = parseID(text)
		case "CHAT_COLOR":
			p.ChatColor = Color(text)
		case "CHAT_USER_COUNT":
			p.ChatUserCount = int(parseID(text))
		case "CHAT_ENTITY_TYPE":
			p.ChatEntityType = text
		case "CHAT_ENTITY_ID":
			p.ChatEntityID = EntityID(text)
		case "CHAT_ENTITY_DATA_1":
			p.ChatEntityData1 = text
		case "CHAT_ENTITY_DATA_2":
			p.ChatEntityData2 = text
		case "CHAT_ENTITY_DATA_3":
			p.ChatEntityData3 = text
		case "CHAT_EXTRANET":
			p.ChatExtranet = parseFlag(text)
		case "CHAT_PREV_MESSAGE_ID":
			p.ChatPrevMessageID = parseID(text)
		case "CHAT_CAN_POST":
			p.ChatCanPost = text
		case "RID":
			p.RID = parseID(text)
		case "IS_MANAGER":
			p.IsManager = parseFlag(text)
		case "PUSH":
			p.Push = parseFlag(text)
		case "PUSH_IMPORTANT":
			p.PushImportant = parseFlag(text)
		case "RECENT_SKIP_AUTHOR":
			p.RecentSkipAuthor = parseFlag(text)
		case "CONVERT":
			p.Convert = parseFlag(text)
		case "SKIP_COMMAND":
			p.SkipCommand = parseFlag(text)
		case "SKIP_COUNTER_INCREMENTS":
			p.SkipCounterIncrements = parseFlag(text)
		case "SILENT_CONNECTOR":
			p.SilentConnector = parseFlag(text)
		case "SKIP_CONNECTOR":
			p.SkipConnector = parseFlag(text)
		case "IMPORTANT_CONNECTOR":
			p.ImportantConnector = parseFlag(text)
		case "NO_SESSION_OL":
			p.NoSessionOL = parseFlag(text)
		case "FAKE_RELATION":
			p.FakeRelation = int(parseID(text))
		case "SKIP_URL_INDEX":
			p.SkipURLIndex = parseFlag(text)
		case "ID":
			p.ID = parseID(text)
		case "CHAT_PARENT_ID":
			p.ChatParentID = parseID(text)
		case "CHAT_PARENT_MID":
			p.ChatParentMID = parseID(text)
		case "BOT_IN_CHAT":
			p.BotInChat = fields{kid}.ids()
		case "SKIP_USER_CHECK":
			p.SkipUserCheck = parseFlag(text)
		case "RECENT_ADD":
			p.RecentAdd = parseFlag(text)
		case "REPLY_MESSAGE":
			p.ReplyTo = f.quoted()
		case "PARAMS":
			p.ReplyTo = f.quoted()
			p.ComponentID = kid.Get("COMPONENT_ID")
		}
	}
	if len(p.Files) == 0 {
		p.Files = f.storedFiles()
	}
	return p
}

func (f fields) join() JoinChatParams {
	return JoinChatParams{
		ChatType: f.text("CHAT_TYPE"), MessageType: f.text("MESSAGE_TYPE"), BotID: f.id("BOT_ID"), UserID: f.id("USER_ID"),
		ToUserID: f.id("TO_USER_ID"), FromUserID: f.id("FROM_USER_ID"), ChatID: f.id("CHAT_ID"), ChatAuthorID: f.id("CHAT_AUTHOR_ID"),
		ChatEntityType: f.text("CHAT_ENTITY_TYPE"), ChatEntityID: EntityID(f.text("CHAT_ENTITY_ID")),
		AccessHistory: f.flag("ACCESS_HISTORY"), SilentJoin: f.flag("SILENT_JOIN"), DialogID: f.dialog("DIALOG_ID"), Language: f.text("LANGUAGE"),
	}
}

func (f fields) context() ContextParams {
	return ContextParams{
		ChatType: f.text("CHAT_TYPE"), MessageType: f.text("MESSAGE_TYPE"), UserID: f.id("USER_ID"), ChatAuthorID: f.id("CHAT_AUTHOR_ID"),
		ChatEntityType: f.text("CHAT_ENTITY_TYPE"), ChatEntityID: EntityID(f.text("CHAT_ENTITY_ID")),
		Context: RawEvent{f.At("CONTEXT")}, DialogID: f.dialog("DIALOG_ID"), Language: f.text("LANGUAGE"),
	}
}

// decodeEvent makes the typed event of a body. It cannot fail: what is missing
// or odd is zero, and a name without a type is an UnknownEvent.
func decodeEvent(meta EventMeta) Event {
	data := fields{meta.Raw.root}.sub("data")
	switch meta.Name {
	case "ONIMBOTMESSAGEADD":
		return &MessageAddEvent{EventMeta: meta, Bots: data.sub("BOT").bots(), Params: data.sub("PARAMS").message(), User: data.sub("USER").user()}
	case "ONIMBOTMESSAGEUPDATE":
		return &MessageUpdateEvent{EventMeta: meta, Bots: data.sub("BOT").bots(), Params: data.sub("PARAMS").message(), User: data.sub("USER").user()}
	case "ONIMBOTMESSAGEDELETE":
		return &MessageDeleteEvent{EventMeta: meta, Bots: data.sub("BOT").bots(), Params: data.sub("PARAMS").message(), User: data.sub("USER").user()}
	case "ONIMCOMMANDADD":
		return &CommandAddEvent{EventMeta: meta, Commands: data.sub("COMMAND").commands(), Params: data.sub("PARAMS").message(), User: data.sub("USER").user()}
	case "ONIMBOTCONTEXTGET":
		return &ContextGetEvent{EventMeta: meta, Bots: data.sub("BOT").bots(), Params: data.sub("PARAMS").context(), User: data.sub("USER").user()}
	case "ONIMBOTJOINCHAT":
		return &JoinChatEvent{EventMeta: meta, Bots: data.sub("BOT").bots(), Params: data.sub("PARAMS").join(), User: data.sub("USER").user()}
	case "ONIMBOTDELETE":
		return &BotDeleteEvent{EventMeta: meta, BotID: data.id("BOT_ID"), BotCode: data.text("BOT_CODE")}
	case "ONAPPINSTALL":
		return &AppInstallEvent{EventMeta: meta, Version: data.text("VERSION"), Active: data.flag("ACTIVE"), Installed: data.flag("INSTALLED"), LanguageID: data.text("LANGUAGE_ID")}
	case "ONAPPUPDATE":
		return &AppUpdateEvent{EventMeta: meta, Version: data.text("VERSION"), PreviousVersion: data.text("PREVIOUS_VERSION"), LanguageID: data.text("LANGUAGE_ID")}
	case "ONAPPUNINSTALL":
		return &AppUninstallEvent{EventMeta: meta, LanguageID: data.text("LANGUAGE_ID"), Clean: data.flag("CLEAN")}
	}
	return &UnknownEvent{EventMeta: meta}
}
