package imbot_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// PHP writes numbers as text, a list with holes as an object and an empty
// object as a list. What is no result is an error all the same.

func TestResults(t *testing.T) {
	register := try(imbot.BotRegisterRequest{Code: "newbot"})
	list := try(imbot.BotListRequest{})
	get := try(imbot.ChatGetRequest{EntityType: "CHAT", EntityID: "13"})
	users := try(imbot.ChatListUsersRequest{ChatID: 5})
	typing := try(imbot.ChatSendTypingRequest{DialogID: "27"})
	echo, other := imbot.Bot{ID: 39, Name: "Echo", Code: "echo", OpenLine: imbot.No}, imbot.Bot{ID: 7, Name: "Other", Code: "other", OpenLine: imbot.Yes}
	tests := []struct {
		name    string
		attempt attempt
		result  string
		want    any
	}{
		{"an id as a number", register, `39`, imbot.ID(39)},
		{"an id as text", register, `"39"`, imbot.ID(39)},
		{"the id of a message as text", try(imbot.MessageAddRequest{Message: "x"}), `"19880117"`, imbot.ID(19880117)},
		{"the id of a chat as text", try(imbot.ChatAddRequest{}), `"2725"`, imbot.ID(2725)},
		{"the id of an application as text", try(imbot.AppRegisterRequest{}), `"13"`, imbot.ID(13)},
		{"no bots", list, `[]`, []imbot.Bot{}},
		{"bots by id, in the portal's order", list, `{"39":{"ID":39,"NAME":"Echo","CODE":"echo","OPENLINE":"N"},"7":{"ID":"7","NAME":"Other","CODE":"other","OPENLINE":"Y"}}`, []imbot.Bot{echo, other}},
		{"bots as a list", list, `[{"ID":39,"NAME":"Echo","CODE":"echo","OPENLINE":false}]`, []imbot.Bot{echo}},
		{"a bot without a code", list, `{"39":{"ID":39,"NAME":"Echo","CODE":null}}`, []imbot.Bot{{ID: 39, Name: "Echo"}}},
		{"a chat as an object", get, `{"ID":2725}`, imbot.ID(2725)},
		{"a chat with its id as text", get, `{"ID":"2725"}`, imbot.ID(2725)},
		{"a chat as a bare id", get, `2725`, imbot.ID(2725)},
		{"a chat as a bare id in text", get, `"2725"`, imbot.ID(2725)},
		{"users as numbers", users, `[1269,1271]`, []imbot.ID{1269, 1271}},
		{"users as text", users, `["1269","1271"]`, []imbot.ID{1269, 1271}},
		{"users as numbers and text", users, `[1269,"1271"]`, []imbot.ID{1269, 1271}},
		{"users as an object with holes", users, `{"0":1269,"2":"1271","17":5}`, []imbot.ID{1269, 1271, 5}},
		{"no users", users, `[]`, []imbot.ID{}},
		{"what is true", typing, `true`, imbot.OK{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client, _ := mockClient(t, tt.attempt.method, 200, `{"result":`+tt.result+`,"time":[]}`)
			result, err := tt.attempt.do(t.Context(), client)
			require.NoError(t, err)
			require.Equal(t, tt.want, result)
		})
	}
}

func TestNoResults(t *testing.T) {
	ids := []attempt{
		try(imbot.BotRegisterRequest{}), try(imbot.ChatAddRequest{}), try(imbot.AppRegisterRequest{}), try(imbot.MessageAddRequest{}),
	}
	oks := []attempt{
		try(imbot.BotUpdateRequest{Fields: imbot.BotUpdateFields{Code: "x"}}), try(imbot.BotUnregisterRequest{}),
		try(imbot.ChatLeaveRequest{}), try(imbot.ChatSetOwnerRequest{}), try(imbot.ChatSetManagerRequest{}), try(imbot.ChatSendTypingRequest{}),
		try(imbot.ChatUpdateTitleRequest{}), try(imbot.ChatUpdateColorRequest{}), try(imbot.ChatUpdateAvatarRequest{}), try(imbot.ChatAddUsersRequest{}),
		try(imbot.ChatDeleteUserRequest{}), try(imbot.AppUpdateRequest{Fields: imbot.AppUpdateFields{Hidden: imbot.Yes}}), try(imbot.AppUnregisterRequest{}),
	}
	lists := []attempt{try(imbot.BotListRequest{}), try(imbot.ChatListUsersRequest{})}
	dialog, get := []attempt{try(imbot.ChatGetDialogRequest{})}, []attempt{try(imbot.ChatGetRequest{})}
	tests := []struct {
		name     string
		attempts []attempt
		results  []string
		notFound bool
	}{
		{"no id", ids, []string{`null`, `false`, `0`, `"0"`, `""`, `true`, `[]`, `{}`, `"bot39"`, `39.5`, `[39]`}, false},
		{"not true", oks, []string{`null`, `false`, `0`, `1`, `"true"`, `"Y"`, `""`, `[]`, `{}`, `[true]`}, false},
		{"no list", lists, []string{`null`, `false`, `true`, `0`, `""`, `"1269"`, `[{}, []]`, `["anna"]`}, false},
		{"no dialog", dialog, []string{`null`, `[]`, `false`, `true`, `""`, `5`, `[{"id":5}]`}, false},
		{"no such chat", get, []string{`null`, `[]`, `false`, `{"ID":0}`, `{"ID":null}`, `{"ID":""}`}, true},
		{"no chat", get, []string{`true`, `"chat5"`, `[5]`, `{"ID":"chat5"}`, `{"ID":[]}`}, false},
	}
	for _, tt := range tests {
		for _, a := range tt.attempts {
			for _, result := range tt.results {
				t.Run(tt.name+": "+a.method+" "+result, func(t *testing.T) {
					client, _ := mockClient(t, a.method, 200, `{"result":`+result+`}`)
					_, err := a.do(t.Context(), client)
					var e *imbot.Error
					require.ErrorAs(t, err, &e)
					require.Equal(t, a.method, e.Method)
					require.Equal(t, http.StatusOK, e.StatusCode)
					require.Equal(t, 1, e.Attempts, "a definite answer was asked for again")
					require.NotErrorIs(t, err, imbot.ErrInvalid)
					require.NotErrorIs(t, err, imbot.ErrOutcomeUnknown)
					if tt.notFound {
						require.ErrorIs(t, err, imbot.ErrNotFound)
					} else {
						require.NotErrorIs(t, err, imbot.ErrNotFound)
					}
				})
			}
		}
	}
}

func TestDialogShapes(t *testing.T) {
	tests := []struct {
		name   string
		result string
		want   imbot.Dialog
	}{
		{"an empty object", `{}`, imbot.Dialog{}},
		{"lists in place of objects", `{"id":5,"restrictions":[],"permissions":[],"entity_link":[],"last_message_views":[],"public":[]}`, imbot.Dialog{ID: 5}},
		{"null in place of everything", `{"id":5,"name":null,"restrictions":null,"permissions":null,"entity_link":null,"last_message_views":null,"public":null,
			"mute_list":null,"manager_list":null,"readed_list":null,"background_id":null,"date_create":null,"counter":null,"extranet":null,"entity_id":null}`, imbot.Dialog{ID: 5}},
		{"false in place of everything", `{"id":5,"name":false,"restrictions":false,"mute_list":false,"readed_list":false,"background_id":false,"date_create":false,
			"counter":false,"entity_id":false,"avatar":false,"public":false,"last_message_views":false}`, imbot.Dialog{ID: 5}},
		{"empty text in place of everything", `{"id":5,"restrictions":"","permissions":"","mute_list":"","manager_list":"","readed_list":"","date_create":"","counter":"","public":""}`, imbot.Dialog{ID: 5}},
		{"a background", `{"id":5,"background_id":"azure"}`, imbot.Dialog{ID: 5, BackgroundID: "azure"}},
		{"a background as a number", `{"id":5,"background_id":3}`, imbot.Dialog{ID: 5, BackgroundID: "3"}},
		{"a public link", `{"id":5,"public":{"code":"abc","link":"https://portal.bitrix24.com/online/abc"}}`, imbot.Dialog{ID: 5, Public: imbot.DialogPublic{Code: "abc", Link: "https://portal.bitrix24.com/online/abc"}}},
		{"no public link", `{"id":5,"public":""}`, imbot.Dialog{ID: 5}},
		{"a chat of another entity", `{"id":5,"restrictions":{"path":"/crm/","path_title":"Deal"},"entity_id":13}`, imbot.Dialog{ID: 5, EntityID: "13", Restrictions: imbot.DialogRestrictions{Path: "/crm/", PathTitle: "Deal"}}},
		{"every number as text", `{"id":"5","parent_chat_id":"1","parent_message_id":"2","owner":"3","counter":"4","user_counter":"6","message_count":"7","unread_id":"8",
			"last_message_id":"9","last_id":"10","marked_id":"11","disk_folder_id":"12","mute_list":["13"],"manager_list":["14"],
			"readed_list":[{"user_id":"15","message_id":"16"}],"last_message_views":{"message_id":"17","count_of_viewers":"18","first_viewers":[{"user_id":"19"}]}}`,
			imbot.Dialog{
				ID: 5, ParentChatID: 1, ParentMessageID: 2, Owner: 3, Counter: 4, UserCounter: 6, MessageCount: 7, UnreadID: 8,
				LastMessageID: 9, LastID: 10, MarkedID: 11, DiskFolderID: 12, MuteList: []imbot.ID{13}, ManagerList: []imbot.ID{14},
				ReadedList:       []imbot.DialogReader{{UserID: 15, MessageID: 16}},
				LastMessageViews: imbot.DialogViews{MessageID: 17, CountOfViewers: 18, FirstViewers: []imbot.DialogReader{{UserID: 19}}},
			}},
		{"every number as a number", `{"id":5,"parent_chat_id":1,"parent_message_id":2,"owner":3,"counter":4,"user_counter":6,"message_count":7,"unread_id":8,
			"last_message_id":9,"last_id":10,"marked_id":11,"disk_folder_id":12}`,
			imbot.Dialog{
				ID: 5, ParentChatID: 1, ParentMessageID: 2, Owner: 3, Counter: 4, UserCounter: 6, MessageCount: 7, UnreadID: 8,
				LastMessageID: 9, LastID: 10, MarkedID: 11, DiskFolderID: 12,
			}},
		{"lists as objects", `{"id":5,"mute_list":{"1":13,"3":"14"},"manager_list":{"0":15},"readed_list":{"2":{"user_id":16}}}`,
			imbot.Dialog{ID: 5, MuteList: []imbot.ID{13, 14}, ManagerList: []imbot.ID{15}, ReadedList: []imbot.DialogReader{{UserID: 16}}}},
		{"every truth as a number or a letter", `{"id":5,"extranet":1,"text_field_enabled":"Y","is_new":"1","restrictions":{"avatar":1,"rename":"Y","extend":"true","call":true,"mute":0,"leave":"N","send":"0"}}`,
			imbot.Dialog{ID: 5, Extranet: true, TextFieldEnabled: true, IsNew: true, Restrictions: imbot.DialogRestrictions{Avatar: true, Rename: true, Extend: true, Call: true}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client, _ := mockClient(t, "imbot.dialog.get", 200, `{"result":`+tt.result+`}`)
			dialog, err := client.Chat.GetDialog(t.Context(), imbot.ChatGetDialogRequest{DialogID: "chat5"})
			require.NoError(t, err)
			require.Equal(t, tt.want, dialog)
		})
	}
}

// TestDialogReadsEveryField fills a Dialog with values that are all different
// and expects each in its place again.
func TestDialogReadsEveryField(t *testing.T) {
	for bit := range 7 { // two booleans differ in one of the rounds
		var want, got imbot.Dialog
		n := 0
		fill(t, reflect.ValueOf(&want).Elem(), &n, bit)
		body, err := json.Marshal(want)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(body, &got))
		require.Equal(t, want, got)
		require.Greater(t, n, 50)
		require.Less(t, n, 1<<7)
	}
}

// fill sets v to a value of its own, by the number of values before it.
func fill(t *testing.T, v reflect.Value, n *int, bit int) {
	t.Helper()
	*n++
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Date(2026, 1, 1, 0, 0, *n, 0, time.UTC)))
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), n, bit)
		}
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(t, v.Index(0), n, bit)
	case v.Kind() == reflect.String:
		v.SetString("text" + strconv.Itoa(*n))
	case v.CanInt():
		v.SetInt(int64(*n))
	case v.Kind() == reflect.Bool:
		v.SetBool(*n>>bit&1 == 1)
	default:
		t.Fatalf("no value for a %s", v.Type())
	}
}
