package v1

import (
	"strings"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest/internal/world"
)

func dialogGet(c *world.Call) (any, *world.Refusal) {
	dialog := strings.ToLower(c.Params.Text("DIALOG_ID"))
	if !isDialog(dialog) {
		return nil, world.BadRequest("DIALOG_ID_EMPTY", "Dialog ID can't be empty")
	}
	w := c.World
	var chat *world.Chat
	if id, ok := imbot.DialogID(dialog).UserID(); ok {
		chat, _ = w.OpenPrivate(c.User, id)
	} else if id, ok := imbot.DialogID(dialog).ChatID(); ok {
		chat = w.Chats[id]
	}
	if chat == nil {
		return nil, world.BadRequest("ACCESS_ERROR", "You don't have access to this chat")
	}
	if chat.Member(c.User) == nil && chat.Kind != world.KindOpen {
		return nil, world.Forbidden("ACCESS_ERROR", "You don't have access to this chat")
	}
	return describeDialog(w, chat, c.User, dialog), nil
}

// dialogInfo is the answer of imbot.dialog.get.
type dialogInfo struct {
	ID               imbot.ID        `json:"id"`
	ParentChatID     int             `json:"parent_chat_id"`
	ParentMessageID  int             `json:"parent_message_id"`
	Name             string          `json:"name"`
	Description      string          `json:"description"`
	Owner            imbot.ID        `json:"owner"`
	Extranet         bool            `json:"extranet"`
	Avatar           string          `json:"avatar"`
	Color            string          `json:"color"`
	Type             string          `json:"type"`
	Counter          int             `json:"counter"`
	UserCounter      int             `json:"user_counter"`
	MessageCount     int             `json:"message_count"`
	UnreadID         imbot.ID        `json:"unread_id"`
	Restrictions     map[string]bool `json:"restrictions"`
	LastMessageID    imbot.ID        `json:"last_message_id"`
	LastID           imbot.ID        `json:"last_id"`
	MarkedID         imbot.ID        `json:"marked_id"`
	DiskFolderID     imbot.ID        `json:"disk_folder_id"`
	EntityType       string          `json:"entity_type"`
	EntityID         string          `json:"entity_id"`
	EntityData1      string          `json:"entity_data_1"`
	EntityData2      string          `json:"entity_data_2"`
	EntityData3      string          `json:"entity_data_3"`
	MuteList         []imbot.ID      `json:"mute_list"`
	DateCreate       string          `json:"date_create"`
	MessageType      string          `json:"message_type"`
	Public           string          `json:"public"`
	Role             string          `json:"role"`
	EntityLink       entityLink      `json:"entity_link"`
	TextFieldEnabled bool            `json:"text_field_enabled"`
	BackgroundID     *string         `json:"background_id"`
	Permissions      permissions     `json:"permissions"`
	IsNew            bool            `json:"is_new"`
	ReadedList       []reader        `json:"readed_list"`
	ManagerList      []imbot.ID      `json:"manager_list"`
	LastMessageViews views           `json:"last_message_views"`
	DialogID         string          `json:"dialog_id"`
}

type entityLink struct {
	Type string `json:"type"`
	URL  string `json:"url"`
	ID   string `json:"id"`
}

type permissions struct {
	ManageUsersAdd    string `json:"manage_users_add"`
	ManageUsersDelete string `json:"manage_users_delete"`
	ManageUI          string `json:"manage_ui"`
	ManageSettings    string `json:"manage_settings"`
	ManageMessages    string `json:"manage_messages"`
	CanPost           string `json:"can_post"`
}

type reader struct {
	UserID    imbot.ID `json:"user_id"`
	UserName  string   `json:"user_name"`
	MessageID imbot.ID `json:"message_id"`
	Date      *string  `json:"date"`
}

type viewer struct {
	UserID   imbot.ID `json:"user_id"`
	UserName string   `json:"user_name"`
	Date     string   `json:"date"`
}

type views struct {
	MessageID      imbot.ID `json:"message_id"`
	FirstViewers   []viewer `json:"first_viewers"`
	CountOfViewers int      `json:"count_of_viewers"`
}

// describeDialog is a chat as imbot.dialog.get answers it to a user. All members have read all
// messages.
func describeDialog(w *world.World, chat *world.Chat, user imbot.ID, dialog string) dialogInfo {
	info := dialogInfo{
		ID: chat.ID, Name: chat.Title, Description: chat.Description, Owner: chat.Owner, Avatar: chat.Avatar,
		Color: chat.Color.Hex(), Type: "chat", UserCounter: len(chat.Members), MessageCount: len(chat.Messages),
		LastMessageID: chat.LastMessageID(), LastID: chat.LastMessageID(), EntityType: chat.EntityType, EntityID: chat.EntityID,
		EntityData1: chat.EntityData[0], EntityData2: chat.EntityData[1], EntityData3: chat.EntityData[2],
		MuteList: []imbot.ID{}, DateCreate: chat.Created.Format(time.RFC3339), MessageType: chat.Kind,
		EntityLink: entityLink{Type: chat.EntityType, ID: chat.EntityID}, TextFieldEnabled: !chat.TextFieldOff, Extranet: w.HasExtranet(chat),
		Permissions: permissions{"member", "manager", "member", "owner", "member", "member"},
		ReadedList:  []reader{}, ManagerList: []imbot.ID{}, DialogID: dialog,
		LastMessageViews: views{MessageID: chat.LastMessageID(), FirstViewers: []viewer{}},
	}
	info.Restrictions = map[string]bool{}
	for _, name := range world.Restrictions {
		info.Restrictions[name] = !chat.Forbids(name)
	}
	switch chat.Kind {
	case world.KindOpen:
		info.Type = "open"
	case world.KindLines:
		info.Type = "lines"
	case world.KindPrivate:
		info.Type = "private"
		for _, m := range chat.Members {
			if m.User != user {
				info.Name = w.Users[m.User].Name()
			}
		}
	}
	info.Role = "guest"
	for _, m := range chat.Members {
		if m.Manager || m.User == chat.Owner {
			info.ManagerList = append(info.ManagerList, m.User)
		}
		if m.User != user {
			info.ReadedList = append(info.ReadedList, reader{UserID: m.User, UserName: w.Users[m.User].Name(), MessageID: chat.LastMessageID()})
			continue
		}
		switch {
		case m.User == chat.Owner:
			info.Role = "owner"
		case m.Manager:
			info.Role = "manager"
		default:
			info.Role = "member"
		}
	}
	if n := len(chat.Messages); n > 0 {
		last := chat.Messages[n-1]
		for _, m := range chat.Members {
			if m.User != last.AuthorID && len(info.LastMessageViews.FirstViewers) == 0 {
				info.LastMessageViews.FirstViewers = []viewer{{m.User, w.Users[m.User].Name(), last.Time.Format(time.RFC3339)}}
				info.LastMessageViews.CountOfViewers = len(chat.Members) - 2
			}
		}
	}
	return info
}
