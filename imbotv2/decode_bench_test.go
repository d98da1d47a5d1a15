package imbotv2

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// messagePage is a page of so many message events as a portal writes them: the documented data, other ids and texts.
func messagePage(tb testing.TB, n int) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "events", "fetch_data_messageadd.json"))
	require.NoError(tb, err)
	var page strings.Builder
	page.WriteString(`{"events":[`)
	for i := range n {
		var event map[string]map[string]json.RawMessage
		_ = json.Unmarshal(data, &event) // "language" is no object
		event["message"]["id"] = json.RawMessage(fmt.Sprint(5000 + i))
		event["message"]["text"], _ = json.Marshal(strings.Repeat("Привет, когда будет готов отчёт? See https://example.com/a?b=1&c=2\n", 1+i%3))
		event["chat"]["dialogId"] = json.RawMessage(fmt.Sprintf(`"chat%d"`, i%7))
		delete(event["user"], "idle") // false is no time for encoding/json, nor an object
		delete(event["user"], "absent")
		delete(event["user"], "phones")
		delete(event, "language")
		one, err := json.Marshal(event)
		require.NoError(tb, err)
		_, _ = fmt.Fprintf(&page, `{"eventId":%d,"type":"ONIMBOTV2MESSAGEADD","date":"2026-01-15T10:30:00+02:00","data":%s,"language":"en"}}`, 100+i, one[:len(one)-1])
		if i < n-1 {
			page.WriteByte(',')
		}
	}
	_, _ = fmt.Fprintf(&page, `],"nextOffset":%d,"hasMore":true}`, 100+n)
	return []byte(page.String())
}

// plainPage has the fields of a page of message events in the types that encoding/json reads
// fastest.
type plainPage struct {
	Events []struct {
		EventID int64     `json:"eventId"`
		Type    string    `json:"type"`
		Date    time.Time `json:"date"`
		Data    struct {
			Bot struct {
				ID   int64  `json:"id"`
				Code string `json:"code"`
				Auth *struct {
					AccessToken string `json:"access_token"`
				} `json:"auth"`
			} `json:"bot"`
			Message struct {
				ID       int64     `json:"id"`
				ChatID   int64     `json:"chatId"`
				AuthorID int64     `json:"authorId"`
				Date     time.Time `json:"date"`
				Text     string    `json:"text"`
				IsSystem bool      `json:"isSystem"`
				UUID     string    `json:"uuid"`
				Forward  *struct {
					ID     string    `json:"id"`
					UserID int64     `json:"userId"`
					ChatID int64     `json:"chatId"`
					Date   time.Time `json:"date"`
				} `json:"forward"`
				Params         json.RawMessage `json:"params"`
				ViewedByOthers bool            `json:"viewedByOthers"`
				Unread         bool            `json:"unread"`
				Viewed         bool            `json:"viewed"`
				Block          json.RawMessage `json:"block"`
			} `json:"message"`
			AdditionalMessages []json.RawMessage `json:"additionalMessages"`
			Chat               struct {
				ID               int64  `json:"id"`
				DialogID         string `json:"dialogId"`
				Type             string `json:"type"`
				Name             string `json:"name"`
				EntityType       string `json:"entityType"`
				Owner            int64  `json:"owner"`
				Color            string `json:"color"`
				Avatar           string `json:"avatar"`
				Description      string `json:"description"`
				MessageType      string `json:"messageType"`
				Extranet         bool   `json:"extranet"`
				ContainsCollaber bool   `json:"containsCollaber"`
				EntityID         string `json:"entityId"`
				EntityData1      string `json:"entityData1"`
				EntityData2      string `json:"entityData2"`
				EntityData3      string `json:"entityData3"`
				EntityLink       struct {
					Type string `json:"type"`
					URL  string `json:"url"`
					ID   string `json:"id"`
				} `json:"entityLink"`
				DiskFolderID int64  `json:"diskFolderId"`
				Role         string `json:"role"`
				Permissions  struct {
					ManageUsersAdd           string `json:"manageUsersAdd"`
					ManageUsersDelete        string `json:"manageUsersDelete"`
					ManageUI                 string `json:"manageUi"`
					ManageSettings           string `json:"manageSettings"`
					ManageMessages           string `json:"manageMessages"`
					ManageMessagesAutoDelete string `json:"manageMessagesAutoDelete"`
					ManageGuestInvites       string `json:"manageGuestInvites"`
					ManageDelete             string `json:"manageDelete"`
					CanPost                  string `json:"canPost"`
				} `json:"permissions"`
				HasManageCapability bool      `json:"hasManageCapability"`
				CanHaveThreads      bool      `json:"canHaveThreads"`
				MuteList            []int64   `json:"muteList"`
				ParentChatID        int64     `json:"parentChatId"`
				ParentMessageID     int64     `json:"parentMessageId"`
				IsNew               bool      `json:"isNew"`
				TextFieldEnabled    bool      `json:"textFieldEnabled"`
				BackgroundID        string    `json:"backgroundId"`
				DateCreate          time.Time `json:"dateCreate"`
				LastMessageID       int64     `json:"lastMessageId"`
				LastMessageViews    struct {
					MessageID      int64 `json:"messageId"`
					CountOfViewers int   `json:"countOfViewers"`
				} `json:"lastMessageViews"`
				LastID       int64   `json:"lastId"`
				ManagerList  []int64 `json:"managerList"`
				MarkedID     int64   `json:"markedId"`
				MessageCount int     `json:"messageCount"`
				Public       struct {
					Code string `json:"code"`
					Link string `json:"link"`
				} `json:"public"`
				UnreadID    int64 `json:"unreadId"`
				UserCounter int   `json:"userCounter"`
				GuestCount  int   `json:"guestCount"`
			} `json:"chat"`
			User struct {
				ID               int64             `json:"id"`
				Active           bool              `json:"active"`
				Name             string            `json:"name"`
				FirstName        string            `json:"firstName"`
				LastName         string            `json:"lastName"`
				WorkPosition     string            `json:"workPosition"`
				Color            string            `json:"color"`
				Avatar           string            `json:"avatar"`
				Gender           string            `json:"gender"`
				Birthday         string            `json:"birthday"`
				Extranet         bool              `json:"extranet"`
				Bot              bool              `json:"bot"`
				Connector        bool              `json:"connector"`
				ExternalAuthID   string            `json:"externalAuthId"`
				Status           string            `json:"status"`
				Idle             time.Time         `json:"idle"`
				LastActivityDate time.Time         `json:"lastActivityDate"`
				MobileLastDate   time.Time         `json:"mobileLastDate"`
				DesktopLastDate  time.Time         `json:"desktopLastDate"`
				Absent           time.Time         `json:"absent"`
				Departments      []int64           `json:"departments"`
				Phones           map[string]string `json:"phones"`
				Type             string            `json:"type"`
				Website          string            `json:"website"`
				Email            string            `json:"email"`
				Network          json.RawMessage   `json:"network"`
				BotData          json.RawMessage   `json:"botData"`
				AvatarHR         json.RawMessage   `json:"avatarHr"`
			} `json:"user"`
			Language string `json:"language"`
		} `json:"data"`
	} `json:"events"`
	NextOffset int64 `json:"nextOffset"`
	HasMore    bool  `json:"hasMore"`
}

// readPage reads a page as a poller does.
func readPage(tb testing.TB, page []byte, seed []byte) []imbot.Event {
	r, err := EventGetRequest{}.Decode(page)
	if err != nil {
		tb.Fatal(err)
	}
	events := make([]imbot.Event, 0, len(r.Events))
	for _, item := range r.Events {
		events = append(events, item.event("portal.example", seed))
	}
	return events
}

func readPlainPage(tb testing.TB, page []byte) (r plainPage) {
	if err := json.Unmarshal(page, &r); err != nil {
		tb.Fatal(err)
	}
	return r
}

// Both read the same: what the benchmark compares is comparable.
func TestAPageInPlainTypesTellsTheSame(t *testing.T) {
	t.Parallel()
	page := messagePage(t, 100)
	plain, events := readPlainPage(t, page), readPage(t, page, nil)
	require.Len(t, events, 100)
	for i, ev := range events {
		want, got := plain.Events[i].Data, ev.(*MessageAddEvent)
		require.Equal(t, want.Message.Text, got.Message.Text)
		require.EqualValues(t, want.Message.ID, got.Message.ID)
		require.EqualValues(t, want.Chat.DialogID, got.Chat.DialogID)
		require.Equal(t, want.User.LastActivityDate, got.User.LastActivityDate)
		require.Equal(t, want.Language, got.Language)
		require.Equal(t, plain.Events[i].EventID, got.EventID)
	}
}

// A page of 100 message events into types, beside encoding/json into structs with the same
// fields. ×json is the ratio of what a page usually takes: the medians.
func BenchmarkAPageOfMessages(b *testing.B) {
	page, seed := messagePage(b, 100), []byte(strings.Repeat("s", 32))
	b.SetBytes(int64(len(page)))
	b.ReportAllocs()
	var ours, theirs []time.Duration
	for b.Loop() {
		began := time.Now()
		readPage(b, page, seed)
		between := time.Now()
		readPlainPage(b, page)
		ours, theirs = append(ours, between.Sub(began)), append(theirs, time.Since(between))
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	b.ReportMetric(float64(ours[len(ours)/2])/float64(theirs[len(theirs)/2]), "×json")
}
