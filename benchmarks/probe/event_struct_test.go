package probe

import "github.com/imbot-go/imbot"

// A typedEvent has the fields of a message event in the types of the SDK, for
// encoding/json.
type typedEvent struct {
	Name string    `json:"event"`
	Time imbot.ID  `json:"ts"`
	Auth typedAuth `json:"auth"`
	Data struct {
		Bots   map[string]typedBot `json:"BOT"`
		Params typedParams         `json:"PARAMS"`
		User   typedUser           `json:"USER"`
	} `json:"data"`
}

type typedBot struct {
	typedAuth
	BotID   imbot.ID  `json:"BOT_ID"`
	BotCode string    `json:"BOT_CODE"`
	Again   typedAuth `json:"AUTH"`
}

type typedAuth struct {
	AccessToken      string   `json:"access_token"`
	RefreshToken     string   `json:"refresh_token"`
	ApplicationToken string   `json:"application_token"`
	ClientID         string   `json:"client_id"`
	UserID           imbot.ID `json:"user_id"`
	Expires          imbot.ID `json:"expires"`
	Scope            string   `json:"scope"`
	Status           string   `json:"status"`
	Domain           string   `json:"domain"`
	MemberID         string   `json:"member_id"`
	ClientEndpoint   string   `json:"client_endpoint"`
	ServerEndpoint   string   `json:"server_endpoint"`
}

type typedParams struct {
	Message               string              `json:"MESSAGE"`
	MessageOriginal       string              `json:"MESSAGE_ORIGINAL"`
	MessageID             imbot.ID            `json:"MESSAGE_ID"`
	DialogID              imbot.DialogID      `json:"DIALOG_ID"`
	FromUserID            imbot.ID            `json:"FROM_USER_ID"`
	ToUserID              imbot.ID            `json:"TO_USER_ID"`
	AuthorID              imbot.ID            `json:"AUTHOR_ID"`
	MessageType           string              `json:"MESSAGE_TYPE"`
	ChatType              string              `json:"CHAT_TYPE"`
	Language              string              `json:"LANGUAGE"`
	TemplateID            string              `json:"TEMPLATE_ID"`
	MentionedList         map[string]imbot.ID `json:"MENTIONED_LIST"`
	System                imbot.Flag          `json:"SYSTEM"`
	PlatformContext       string              `json:"PLATFORM_CONTEXT"`
	CommandContext        string              `json:"COMMAND_CONTEXT"`
	ToChatID              imbot.ID            `json:"TO_CHAT_ID"`
	ChatID                imbot.ID            `json:"CHAT_ID"`
	ChatTitle             string              `json:"CHAT_TITLE"`
	ChatAuthorID          imbot.ID            `json:"CHAT_AUTHOR_ID"`
	ChatAvatar            imbot.ID            `json:"CHAT_AVATAR"`
	ChatColor             imbot.Color         `json:"CHAT_COLOR"`
	ChatUserCount         int                 `json:"CHAT_USER_COUNT,string"`
	ChatEntityType        string              `json:"CHAT_ENTITY_TYPE"`
	ChatEntityID          imbot.EntityID      `json:"CHAT_ENTITY_ID"`
	ChatEntityData1       string              `json:"CHAT_ENTITY_DATA_1"`
	ChatEntityData2       string              `json:"CHAT_ENTITY_DATA_2"`
	ChatEntityData3       string              `json:"CHAT_ENTITY_DATA_3"`
	ChatExtranet          imbot.Flag          `json:"CHAT_EXTRANET"`
	ChatPrevMessageID     imbot.ID            `json:"CHAT_PREV_MESSAGE_ID"`
	ChatCanPost           string              `json:"CHAT_CAN_POST"`
	RID                   imbot.ID            `json:"RID"`
	IsManager             imbot.Flag          `json:"IS_MANAGER"`
	Push                  imbot.Flag          `json:"PUSH"`
	PushImportant         imbot.Flag          `json:"PUSH_IMPORTANT"`
	RecentSkipAuthor      imbot.Flag          `json:"RECENT_SKIP_AUTHOR"`
	Convert               imbot.Flag          `json:"CONVERT"`
	SkipCommand           imbot.Flag          `json:"SKIP_COMMAND"`
	SkipCounterIncrements imbot.Flag          `json:"SKIP_COUNTER_INCREMENTS"`
	SilentConnector       imbot.Flag          `json:"SILENT_CONNECTOR"`
	SkipConnector         imbot.Flag          `json:"SKIP_CONNECTOR"`
	ImportantConnector    imbot.Flag          `json:"IMPORTANT_CONNECTOR"`
	NoSessionOL           imbot.Flag          `json:"NO_SESSION_OL"`
	FakeRelation          int                 `json:"FAKE_RELATION,string"`
	SkipURLIndex          imbot.Flag          `json:"SKIP_URL_INDEX"`
	ID                    imbot.ID            `json:"ID"`
	ChatParentID          imbot.ID            `json:"CHAT_PARENT_ID"`
	ChatParentMID         imbot.ID            `json:"CHAT_PARENT_MID"`
	BotInChat             map[string]imbot.ID `json:"BOT_IN_CHAT"`
	SkipUserCheck         imbot.Flag          `json:"SKIP_USER_CHECK"`
	RecentAdd             imbot.Flag          `json:"RECENT_ADD"`
}

type typedUser struct {
	ID           imbot.ID     `json:"ID"`
	Name         string       `json:"NAME"`
	FirstName    string       `json:"FIRST_NAME"`
	LastName     string       `json:"LAST_NAME"`
	WorkPosition string       `json:"WORK_POSITION"`
	Gender       imbot.Gender `json:"GENDER"`
	IsBot        imbot.Flag   `json:"IS_BOT"`
	IsConnector  imbot.Flag   `json:"IS_CONNECTOR"`
	IsNetwork    imbot.Flag   `json:"IS_NETWORK"`
	IsExtranet   imbot.Flag   `json:"IS_EXTRANET"`
}
