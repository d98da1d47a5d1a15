package imbot_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func TestChatAdd(t *testing.T) {
	client, sent := mockClient(t, "imbot.chat.add", 200, documented(t, "imbot.chat.add"))
	id, err := client.Chat.Add(t.Context(), imbot.ChatAddRequest{
		Type: imbot.ChatTypeOpen, Title: "My chat", Description: "Very important", Color: imbot.ColorPink, Message: "Welcome",
		Users: []imbot.ID{1, 2}, Avatar: png, EntityType: "CHAT", EntityID: "13", OwnerID: 39, BotID: 39,
	})
	require.NoError(t, err)
	require.Equal(t, imbot.ID(2725), id)
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","TYPE":"OPEN","TITLE":"My chat","DESCRIPTION":"Very important","COLOR":"PINK","MESSAGE":"Welcome",
		"USERS":[1,2],"AVATAR":"iVBORw0KGgo=","ENTITY_TYPE":"CHAT","ENTITY_ID":"13","OWNER_ID":39,"BOT_ID":39}`, sent())
}

func TestChatGet(t *testing.T) {
	client, sent := mockClient(t, "imbot.chat.get", 200, documented(t, "imbot.chat.get"))
	id, err := client.Chat.Get(t.Context(), imbot.ChatGetRequest{EntityType: "CHAT", EntityID: "13", BotID: 39})
	require.NoError(t, err)
	require.Equal(t, imbot.ID(2725), id)
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","ENTITY_TYPE":"CHAT","ENTITY_ID":"13","BOT_ID":39}`, sent())
}

func TestChatLeave(t *testing.T) {
	client, sent := mockClient(t, "imbot.chat.leave", 200, documented(t, "imbot.chat.leave"))
	require.NoError(t, client.Chat.Leave(t.Context(), imbot.ChatLeaveRequest{ChatID: 2725, BotID: 39}))
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","CHAT_ID":2725,"BOT_ID":39}`, sent())
}

func TestChatSetOwner(t *testing.T) {
	client, sent := mockClient(t, "imbot.chat.setOwner", 200, documented(t, "imbot.chat.setOwner"))
	require.NoError(t, client.Chat.SetOwner(t.Context(), imbot.ChatSetOwnerRequest{ChatID: 2725, UserID: 2, BotID: 39}))
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","CHAT_ID":2725,"USER_ID":2,"BOT_ID":39}`, sent())
}

func TestChatSetManager(t *testing.T) {
	client, sent := mockClient(t, "imbot.chat.setManager", 200, documented(t, "imbot.chat.setManager"))
	require.NoError(t, client.Chat.SetManager(t.Context(), imbot.ChatSetManagerRequest{ChatID: 2725, UserID: 2, IsManager: imbot.No, BotID: 39}))
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","CHAT_ID":2725,"USER_ID":2,"IS_MANAGER":"N","BOT_ID":39}`, sent())
}

func TestChatSendTyping(t *testing.T) {
	client, sent := mockClient(t, "imbot.chat.sendTyping", 200, documented(t, "imbot.chat.sendTyping"))
	require.NoError(t, client.Chat.SendTyping(t.Context(), imbot.ChatSendTypingRequest{DialogID: imbot.UserDialog(27), BotID: 39}))
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","DIALOG_ID":"27","BOT_ID":39}`, sent())
}

func TestChatUpdateTitle(t *testing.T) {
	client, sent := mockClient(t, "imbot.chat.updateTitle", 200, documented(t, "imbot.chat.updateTitle"))
	require.NoError(t, client.Chat.UpdateTitle(t.Context(), imbot.ChatUpdateTitleRequest{ChatID: 2725, Title: "Новое имя", BotID: 39}))
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","CHAT_ID":2725,"TITLE":"Новое имя","BOT_ID":39}`, sent())
}

func TestChatUpdateColor(t *testing.T) {
	client, sent := mockClient(t, "imbot.chat.updateColor", 200, documented(t, "imbot.chat.updateColor"))
	require.NoError(t, client.Chat.UpdateColor(t.Context(), imbot.ChatUpdateColorRequest{ChatID: 2725, Color: imbot.ColorLightBlue, BotID: 39}))
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","CHAT_ID":2725,"COLOR":"LIGHT_BLUE","BOT_ID":39}`, sent())
}

func TestChatUpdateAvatar(t *testing.T) {
	client, sent := mockClient(t, "imbot.chat.updateAvatar", 200, documented(t, "imbot.chat.updateAvatar"))
	require.NoError(t, client.Chat.UpdateAvatar(t.Context(), imbot.ChatUpdateAvatarRequest{ChatID: 2725, Avatar: png, BotID: 39}))
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","CHAT_ID":2725,"AVATAR":"iVBORw0KGgo=","BOT_ID":39}`, sent())
}

func TestChatListUsers(t *testing.T) {
	client, sent := mockClient(t, "imbot.chat.user.list", 200, documented(t, "imbot.chat.user.list"))
	users, err := client.Chat.ListUsers(t.Context(), imbot.ChatListUsersRequest{ChatID: 2725, BotID: 39})
	require.NoError(t, err)
	require.Equal(t, []imbot.ID{1269, 1271, 1291}, users)
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","CHAT_ID":2725,"BOT_ID":39}`, sent())
}

func TestChatAddUsers(t *testing.T) {
	client, sent := mockClient(t, "imbot.chat.user.add", 200, documented(t, "imbot.chat.user.add"))
	require.NoError(t, client.Chat.AddUsers(t.Context(), imbot.ChatAddUsersRequest{ChatID: 2725, Users: []imbot.ID{3, 4}, HideHistory: imbot.No, BotID: 39}))
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","CHAT_ID":2725,"USERS":[3,4],"HIDE_HISTORY":"N","BOT_ID":39}`, sent())
}

func TestChatDeleteUser(t *testing.T) {
	client, sent := mockClient(t, "imbot.chat.user.delete", 200, documented(t, "imbot.chat.user.delete"))
	require.NoError(t, client.Chat.DeleteUser(t.Context(), imbot.ChatDeleteUserRequest{ChatID: 2725, UserID: 4, BotID: 39}))
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","CHAT_ID":2725,"USER_ID":4,"BOT_ID":39}`, sent())
}

func TestChatGetDialog(t *testing.T) {
	client, sent := mockClient(t, "imbot.dialog.get", 200, documented(t, "imbot.dialog.get"))
	dialog, err := client.Chat.GetDialog(t.Context(), imbot.ChatGetDialogRequest{DialogID: imbot.ChatDialog(2725)})
	require.NoError(t, err)
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","DIALOG_ID":"chat2725"}`, sent())

	require.True(t, dialog.DateCreate.Equal(time.Date(2026, 2, 24, 11, 19, 39, 0, time.UTC)), dialog.DateCreate)
	require.Len(t, dialog.LastMessageViews.FirstViewers, 1)
	require.True(t, dialog.LastMessageViews.FirstViewers[0].Date.Equal(time.Date(2026, 2, 24, 13, 41, 17, 0, time.UTC)))
	dialog.DateCreate, dialog.LastMessageViews.FirstViewers[0].Date = time.Time{}, time.Time{} // two equal times may differ in their zone
	require.Equal(t, imbot.Dialog{
		ID: 2725, Name: "New Chat Name", Description: "Important News", Owner: 1291,
		Avatar: "https://cdn.example.bitrix24.com/b13743910/resize_cache/33079/d00d01fad00d01fad00d01fad00d01fa/im/708/d00d01fbd00d01fbd00d01fbd00d01fb/dummyfilename0001xxxxxxxxxxxxxxx",
		Color:  "#f76187", Type: "chat", UserCounter: 2, MessageCount: 11,
		Restrictions:  imbot.DialogRestrictions{Avatar: true, Rename: true, Extend: true, Call: true, Mute: true, Leave: true, LeaveOwner: true, Send: true, UserList: true},
		LastMessageID: 33807, LastID: 33807, EntityType: "CHAT", EntityID: "13", MuteList: []imbot.ID{},
		MessageType: "C", Role: "member", EntityLink: imbot.DialogEntityLink{Type: "CHAT", ID: "13"}, TextFieldEnabled: true,
		Permissions: imbot.DialogPermissions{
			ManageUsersAdd: "member", ManageUsersDelete: "manager", ManageUI: "member", ManageSettings: "owner", ManageMessages: "member", CanPost: "member",
		},
		ReadedList:       []imbot.DialogReader{{UserID: 1291, UserName: "MyBot", MessageID: 33807}},
		ManagerList:      []imbot.ID{1291},
		LastMessageViews: imbot.DialogViews{MessageID: 33807, FirstViewers: []imbot.DialogReader{{UserID: 1271, UserName: "Employee"}}},
		DialogID:         "chat2725",
	}, dialog)
}
