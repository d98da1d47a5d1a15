package imbot

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/imbot-go/imbot/internal/phpform"
)

// Dialog describes a conversation as one user sees it; see
// [ChatService.GetDialog]. What the portal leaves out is zero.
type Dialog struct {
	ID               ID                 `json:"id"` // chat id; private dialogs have one, too
	ParentChatID     ID                 `json:"parent_chat_id"`
	ParentMessageID  ID                 `json:"parent_message_id"`
	Name             string             `json:"name"`
	Description      string             `json:"description"`
	Owner            ID                 `json:"owner"`
	Extranet         bool               `json:"extranet"`
	Avatar           string             `json:"avatar"`  // URL
	Color            string             `json:"color"`   // "#f76187"
	Type             string             `json:"type"`    // "chat", "open", "lines", "private" and similar
	Counter          int                `json:"counter"` // unread messages
	UserCounter      int                `json:"user_counter"`
	MessageCount     int                `json:"message_count"`
	UnreadID         ID                 `json:"unread_id"`
	Restrictions     DialogRestrictions `json:"restrictions"`
	LastMessageID    ID                 `json:"last_message_id"`
	LastID           ID                 `json:"last_id"`
	MarkedID         ID                 `json:"marked_id"`
	DiskFolderID     ID                 `json:"disk_folder_id"`
	EntityType       string             `json:"entity_type"`
	EntityID         EntityID           `json:"entity_id"`
	EntityData1      string             `json:"entity_data_1"`
	EntityData2      string             `json:"entity_data_2"`
	EntityData3      string             `json:"entity_data_3"`
	MuteList         []ID               `json:"mute_list"`
	DateCreate       time.Time          `json:"date_create"`
	MessageType      string             `json:"message_type"` // one letter: P private, C group, O open, L open line, X task …
	Public           DialogPublic       `json:"public"`
	Role             string             `json:"role"` // "owner", "manager", "member" or "guest"
	EntityLink       DialogEntityLink   `json:"entity_link"`
	TextFieldEnabled bool               `json:"text_field_enabled"`
	BackgroundID     string             `json:"background_id"`
	Permissions      DialogPermissions  `json:"permissions"`
	IsNew            bool               `json:"is_new"`
	ReadedList       []DialogReader     `json:"readed_list"`
	ManagerList      []ID               `json:"manager_list"`
	LastMessageViews DialogViews        `json:"last_message_views"`
	DialogID         DialogID           `json:"dialog_id"` // as it was asked for
}

// DialogRestrictions say what the kind of chat allows.
type DialogRestrictions struct {
	Avatar     bool   `json:"avatar"`
	Rename     bool   `json:"rename"`
	Extend     bool   `json:"extend"`
	Call       bool   `json:"call"`
	Mute       bool   `json:"mute"`
	Leave      bool   `json:"leave"`
	LeaveOwner bool   `json:"leave_owner"`
	Send       bool   `json:"send"`
	UserList   bool   `json:"user_list"`
	Path       string `json:"path"`       // chats of other entities
	PathTitle  string `json:"path_title"` // chats of other entities
}

// DialogPublic is the public link of a chat; zero when it has none.
type DialogPublic struct {
	Code string `json:"code"`
	Link string `json:"link"`
}

// DialogEntityLink leads to what the chat belongs to.
type DialogEntityLink struct {
	Type string `json:"type"`
	URL  string `json:"url"`
	ID   string `json:"id"`
}

// DialogPermissions name the lowest role that may do a thing.
type DialogPermissions struct {
	ManageUsersAdd    string `json:"manage_users_add"`
	ManageUsersDelete string `json:"manage_users_delete"`
	ManageUI          string `json:"manage_ui"`
	ManageSettings    string `json:"manage_settings"`
	ManageMessages    string `json:"manage_messages"`
	CanPost           string `json:"can_post"`
}

// DialogReader is somebody who has read up to a message.
type DialogReader struct {
	UserID    ID        `json:"user_id"`
	UserName  string    `json:"user_name"`
	MessageID ID        `json:"message_id"` // zero in DialogViews
	Date      time.Time `json:"date"`       // zero when unknown
}

// DialogViews say who has seen the last message.
type DialogViews struct {
	MessageID      ID             `json:"message_id"`
	FirstViewers   []DialogReader `json:"first_viewers"`
	CountOfViewers int            `json:"count_of_viewers"`
}

// UnmarshalJSON reads what the portal makes of a dialog: numbers as text, [] or
// null for an object, an object for a list.
func (d *Dialog) UnmarshalJSON(data []byte) error {
	var o object
	if err := json.Unmarshal(data, &o); err != nil || o == nil {
		return fmt.Errorf("imbot: a dialog must be an object")
	}
	rest, link, public := o.object("restrictions"), o.object("entity_link"), o.object("public")
	perm, views := o.object("permissions"), o.object("last_message_views")
	*d = Dialog{
		ID: o.id("id"), ParentChatID: o.id("parent_chat_id"), ParentMessageID: o.id("parent_message_id"),
		Name: o.text("name"), Description: o.text("description"), Owner: o.id("owner"), Extranet: o.bool("extranet"),
		Avatar: o.text("avatar"), Color: o.text("color"), Type: o.text("type"), Counter: o.int("counter"),
		UserCounter: o.int("user_counter"), MessageCount: o.int("message_count"), UnreadID: o.id("unread_id"),
		Restrictions: DialogRestrictions{
			Avatar: rest.bool("avatar"), Rename: rest.bool("rename"), Extend: rest.bool("extend"), Call: rest.bool("call"),
			Mute: rest.bool("mute"), Leave: rest.bool("leave"), LeaveOwner: rest.bool("leave_owner"), Send: rest.bool("send"),
			UserList: rest.bool("user_list"), Path: rest.text("path"), PathTitle: rest.text("path_title"),
		},
		LastMessageID: o.id("last_message_id"), LastID: o.id("last_id"), MarkedID: o.id("marked_id"),
		DiskFolderID: o.id("disk_folder_id"), EntityType: o.text("entity_type"), EntityID: EntityID(o.text("entity_id")),
		EntityData1: o.text("entity_data_1"), EntityData2: o.text("entity_data_2"), EntityData3: o.text("entity_data_3"),
		MuteList: o.ids("mute_list"), DateCreate: o.time("date_create"), MessageType: o.text("message_type"),
		Public: DialogPublic{Code: public.text("code"), Link: public.text("link")}, Role: o.text("role"),
		EntityLink:       DialogEntityLink{Type: link.text("type"), URL: link.text("url"), ID: link.text("id")},
		TextFieldEnabled: o.bool("text_field_enabled"), BackgroundID: o.text("background_id"),
		Permissions: DialogPermissions{
			ManageUsersAdd: perm.text("manage_users_add"), ManageUsersDelete: perm.text("manage_users_delete"),
			ManageUI: perm.text("manage_ui"), ManageSettings: perm.text("manage_settings"),
			ManageMessages: perm.text("manage_messages"), CanPost: perm.text("can_post"),
		},
		IsNew: o.bool("is_new"), ReadedList: o.readers("readed_list"), ManagerList: o.ids("manager_list"),
		LastMessageViews: DialogViews{
			MessageID: views.id("message_id"), FirstViewers: views.readers("first_viewers"), CountOfViewers: views.int("count_of_viewers"),
		},
		DialogID: DialogID(o.text("dialog_id")),
	}
	return nil
}

// object reads members of a JSON object without minding PHP's shapes: what is
// missing or of another kind is zero.
type object map[string]json.RawMessage

func (o object) text(name string) string { return jsonText(o[name]) }

func (o object) id(name string) ID { return parseID(o.text(name)) }

func (o object) bool(name string) bool { return parseFlag(o.text(name)).Bool() }

func (o object) int(name string) int {
	n, _ := strconv.Atoi(o.text(name)) // 0 is the answer to text that is no number
	return n
}

func (o object) time(name string) time.Time {
	t, _ := time.Parse(time.RFC3339, o.text(name)) // the zero time is the answer to other text
	return t
}

func (o object) object(name string) object {
	var inner object
	if json.Unmarshal(o[name], &inner) != nil {
		return nil
	}
	return inner
}

func (o object) ids(name string) []ID {
	list, err := phpform.List[ID](o[name])
	if err != nil {
		return nil
	}
	return list
}

func (o object) readers(name string) []DialogReader {
	list, err := phpform.List[object](o[name])
	if err != nil {
		return nil
	}
	readers := make([]DialogReader, len(list))
	for i, r := range list {
		readers[i] = DialogReader{UserID: r.id("user_id"), UserName: r.text("user_name"), MessageID: r.id("message_id"), Date: r.time("date")}
	}
	return readers
}
