package imbottest

import (
	"strings"
	"time"

	"github.com/imbot-go/imbot"
)

func dialogGet(c *call) (any, *restError) {
	dialog := strings.ToLower(c.params.text("DIALOG_ID"))
	if !isDialog(dialog) {
		return nil, badRequest("DIALOG_ID_EMPTY", "Dialog ID can't be empty")
	}
	p := c.p
	var chat *chat
	if id, ok := imbot.DialogID(dialog).UserID(); ok {
		chat, _ = p.openPrivate(c.user, id)
	} else if id, ok := imbot.DialogID(dialog).ChatID(); ok {
		chat = p.chats[id]
	}
	if chat == nil {
		return nil, badRequest("ACCESS_ERROR", "You don't have access to this chat")
	}
	if chat.member(c.user) == nil && chat.kind != kindOpen {
		return nil, forbidden("ACCESS_ERROR", "You don't have access to this chat")
	}
	return p.describe(chat, c.user, dialog), nil
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

// describe is a chat as imbot.dialog.get answers it to a user. All members have read all
// messages.
func (p *world) describe(chat *chat, user imbot.ID, dialog string) dialogInfo {
	info := dialogInfo{
		ID: chat.id, Name: chat.title, Description: chat.description, Owner: chat.owner, Avatar: chat.avatar,
		Color: chat.color.Hex(), Type: "chat", UserCounter: len(chat.members), MessageCount: len(chat.messages),
		LastMessageID: chat.lastMessageID(), LastID: chat.lastMessageID(), EntityType: chat.entityType, EntityID: chat.entityID,
		EntityData1: chat.entityData[0], EntityData2: chat.entityData[1], EntityData3: chat.entityData[2],
		MuteList: []imbot.ID{}, DateCreate: chat.created.Format(time.RFC3339), MessageType: chat.kind,
		EntityLink: entityLink{Type: chat.entityType, ID: chat.entityID}, TextFieldEnabled: !chat.textFieldOff, Extranet: p.hasExtranet(chat),
		Permissions: permissions{"member", "manager", "member", "owner", "member", "member"},
		ReadedList:  []reader{}, ManagerList: []imbot.ID{}, DialogID: dialog,
		LastMessageViews: views{MessageID: chat.lastMessageID(), FirstViewers: []viewer{}},
	}
	info.Restrictions = map[string]bool{}
	for _, name := range restrictions {
		info.Restrictions[name] = !chat.forbids(name)
	}
	switch chat.kind {
	case kindOpen:
		info.Type = "open"
	case kindLines:
		info.Type = "lines"
	case kindPrivate:
		info.Type = "private"
		for _, m := range chat.members {
			if m.user != user {
				info.Name = p.users[m.user].name()
			}
		}
	}
	info.Role = "guest"
	for _, m := range chat.members {
		if m.manager || m.user == chat.owner {
			info.ManagerList = append(info.ManagerList, m.user)
		}
		if m.user != user {
			info.ReadedList = append(info.ReadedList, reader{UserID: m.user, UserName: p.users[m.user].name(), MessageID: chat.lastMessageID()})
			continue
		}
		switch {
		case m.user == chat.owner:
			info.Role = "owner"
		case m.manager:
			info.Role = "manager"
		default:
			info.Role = "member"
		}
	}
	if n := len(chat.messages); n > 0 {
		last := chat.messages[n-1]
		for _, m := range chat.members {
			if m.user != last.AuthorID && len(info.LastMessageViews.FirstViewers) == 0 {
				info.LastMessageViews.FirstViewers = []viewer{{m.user, p.users[m.user].name(), last.Time.Format(time.RFC3339)}}
				info.LastMessageViews.CountOfViewers = len(chat.members) - 2
			}
		}
	}
	return info
}
