package imbot_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

const formType = "application/x-www-form-urlencoded"

// trustAll is a verifier for tests about what comes after it.
type trustAll struct{}

func (trustAll) Verify(context.Context, *imbot.EventMeta) error { return nil }

// eventPost is the portal's request; the type of the body may be empty.
func eventPost(contentType, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/events?CLIENT_ID=from-the-query", strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return r
}

// parseAs parses a genuine event that must be of type E.
func parseAs[E imbot.Event](t *testing.T, contentType, body string) E {
	t.Helper()
	ev, err := imbot.ParseEvent(eventPost(contentType, body), trustAll{})
	require.NoError(t, err)
	typed, ok := ev.(E)
	require.Truef(t, ok, "it is a %T", ev)
	return typed
}

func readSample(t testing.TB, name string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", "events", name))
	require.NoError(t, err)
	return string(body)
}

// withoutRaw cuts off the whole body, which no test writes down.
func withoutRaw(ev imbot.Event) imbot.Event {
	ev.Meta().Raw = imbot.RawEvent{}
	return ev
}

func TestASampleIsTheSameEventAsFormAndAsJSON(t *testing.T) {
	forms, err := filepath.Glob(filepath.Join("testdata", "events", "*.form"))
	require.NoError(t, err)
	require.Len(t, forms, 11)
	for _, file := range forms {
		name := strings.TrimSuffix(filepath.Base(file), ".form")
		t.Run(name, func(t *testing.T) {
			form, json := readSample(t, name+".form"), readSample(t, name+".json")
			want := parseAs[imbot.Event](t, formType, form)
			require.Equal(t, want, parseAs[imbot.Event](t, "application/json; charset=utf-8", json))
			require.Equal(t, want, parseAs[imbot.Event](t, "", json), "a type is not needed to see that it is JSON")
			require.Equal(t, want, parseAs[imbot.Event](t, "", form))

			brackets := strings.NewReplacer("%5B", "[", "%5D", "]", "+", "%20").Replace(form)
			require.NotEqual(t, form, brackets)
			require.Equal(t, want, parseAs[imbot.Event](t, formType, brackets), "brackets may come unescaped")
		})
	}
}

func TestASampleWithoutATypeIsUnknownAndReadable(t *testing.T) {
	rows := []struct {
		sample, name, want string
		path               []string
	}{
		{"messageupdate_private", "ONIMBOTMESSAGEUPDATE", "571", []string{"data", "BOT", "571", "BOT_ID"}},
		{"messageupdate_group", "ONIMBOTMESSAGEUPDATE", "chat1157", []string{"data", "PARAMS", "DIALOG_ID"}},
		{"messagedelete_private", "ONIMBOTMESSAGEDELETE", "27", []string{"data", "PARAMS", "DIALOG_ID"}},
		{"messagedelete_group", "ONIMBOTMESSAGEDELETE", "chat1157", []string{"data", "PARAMS", "DIALOG_ID"}},
		{"commandadd_textarea_private", "ONIMCOMMANDADD", "imbot", []string{"auth", "scope"}},
		{"commandadd_textarea_group", "ONIMCOMMANDADD", "imbot", []string{"auth", "scope"}},
	}
	for _, row := range rows {
		t.Run(row.sample, func(t *testing.T) {
			body := strings.Replace(readSample(t, row.sample+".form"), row.name, "ONIMBOTTOMORROW", 1)
			ev := parseAs[*imbot.UnknownEvent](t, formType, body)
			require.Equal(t, "ONIMBOTTOMORROW", ev.Name)
			require.Equal(t, row.want, ev.Raw.Get(row.path...))
			require.Equal(t, []string{"event", "event_handler_id", "data", "ts", "auth"}, ev.Raw.Keys())
			require.Empty(t, ev.Raw.Get("data"), "a map has no text")
			require.Empty(t, ev.Raw.Get("no", "such", "path"))
			require.Empty(t, ev.Raw.Keys("no", "such", "path"))
		})
	}
	require.Empty(t, imbot.RawEvent{}.Get("event"))
	require.Empty(t, imbot.RawEvent{}.Keys())
}

// sampleAuth is what the blocks of the samples have in common.
func sampleAuth(user imbot.ID, expires int64, access, refresh, application string) imbot.EventAuth {
	return imbot.EventAuth{
		AccessToken: access, RefreshToken: refresh, ApplicationToken: application,
		UserID: user, Expires: time.Unix(expires, 0), Scope: "imbot", Status: "F",
		Domain: "example.bitrix24.com", MemberID: "d00d019bd00d019bd00d019bd00d019b",
		ClientEndpoint: "https://example.bitrix24.com/rest/", ServerEndpoint: "https://oauth.bitrix.info/rest/",
	}
}

func sampleBotAuth(bot imbot.ID, expires int64, access, refresh string) imbot.EventAuth {
	a := sampleAuth(bot, expires, access, refresh, "d00d01a0d00d01a0d00d01a0d00d01a0")
	a.ClientID = "d00d019ed00d019ed00d019ed00d019e"
	return a
}

func TestMessageAddSamplesFieldByField(t *testing.T) {
	author := imbot.EventUser{
		ID: 27, Name: "Test User", FirstName: "Test", LastName: "User", Gender: imbot.GenderFemale,
		IsBot: imbot.No, IsConnector: imbot.No, IsNetwork: imbot.No, IsExtranet: imbot.No,
	}
	rows := map[string]*imbot.MessageAddEvent{
		"messageadd_private.form": {
			EventMeta: imbot.EventMeta{
				Name: "ONIMBOTMESSAGEADD", Time: time.Unix(1771928985, 0),
				Auth: sampleAuth(27, 1771932585, "a98b9d69d00d01a2d00d01a2d00d01a2d00d01a2d00",
					"990ac569d00d01a4d00d01a4d00d01a4d00d01a4d00d01", "d00d01a5d00d01a5d00d01a5d00d01"),
			},
			Bots: []imbot.EventBot{{BotID: 567, BotCode: "BOT1", Auth: sampleBotAuth(567, 1771932585,
				"a98b9d69d00d0199d00d0199d00d0199d00d0199d00d", "d00d019dd00d019dd00d019dd00d019d")}},
			Params: imbot.MessageParams{
				Message: "Hello", MessageID: 84331, DialogID: "27", FromUserID: 27, ToUserID: 567, AuthorID: 27,
				MessageType: "P", ChatType: "P", Language: "en", TemplateID: "00000000-0000-4000-8000-000000000421",
				System: imbot.No, PlatformContext: "web", CommandContext: "TEXTAREA", ToChatID: 1407, ChatUserCount: 2,
				Push: imbot.Yes, PushImportant: imbot.No, RecentSkipAuthor: imbot.No, Convert: imbot.No, SkipCommand: imbot.No,
				SkipCounterIncrements: imbot.No, SilentConnector: imbot.No, SkipConnector: imbot.No, ImportantConnector: imbot.No,
				NoSessionOL: imbot.No, SkipURLIndex: imbot.No,
			},
			User: author,
		},
		"messageadd_group_mention.form": {
			EventMeta: imbot.EventMeta{
				Name: "ONIMBOTMESSAGEADD", Time: time.Unix(1771940028, 0),
				Auth: sampleAuth(27, 1771943628, "ccb69d69d00d01abd00d01abd00d01abd00d01abd00d01abd00d01abd00d01abd00d01",
					"bc35c569d00d01add00d01add00d01add00d01add00d01add00d01add00d01add00d01", "d00d01a0d00d01a0d00d01a0d00d01a0"),
			},
			Bots: []imbot.EventBot{{BotID: 567, BotCode: "BOT1", Auth: sampleBotAuth(567, 1771943628,
				"ccb69d69d00d01a7d00d01a7d00d01a7d00d01a7d00d01a7d00d01a7d00d01a7d00d01",
				"bc35c569d00d01a9d00d01a9d00d01a9d00d01a9d00d01a9d00d01a9d00d01a9d00d01")}},
			Params: imbot.MessageParams{
				Message: ", how to set up the left menu", MessageOriginal: "[USER=567]NewBot[/USER] , how to set up the left menu",
				MessageID: 84351, DialogID: "chat1157", FromUserID: 27, ToUserID: 567, AuthorID: 27,
				MessageType: "C", ChatType: "C", Language: "en", TemplateID: "00000000-0000-4000-8000-000000000333",
				MentionedList: []imbot.ID{567}, System: imbot.No, PlatformContext: "web", CommandContext: "TEXTAREA",
				ToChatID: 1157, ChatID: 1157, ChatTitle: "Brown Chat #18", ChatAuthorID: 27, ChatColor: imbot.ColorBrown,
				ChatUserCount: 2, ChatEntityType: "THREAD", ChatExtranet: imbot.No, ChatPrevMessageID: 80961,
				ChatCanPost: "MEMBER", RID: 27, IsManager: imbot.No,
				Push: imbot.Yes, PushImportant: imbot.No, RecentSkipAuthor: imbot.No, Convert: imbot.No, SkipCommand: imbot.No,
				SkipCounterIncrements: imbot.No, SilentConnector: imbot.No, SkipConnector: imbot.No, ImportantConnector: imbot.No,
				NoSessionOL: imbot.No, SkipURLIndex: imbot.No,
			},
			User: author,
		},
	}
	for name, want := range rows {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, want, withoutRaw(parseAs[*imbot.MessageAddEvent](t, formType, readSample(t, name))))
		})
	}
}

func TestJoinChatSamplesFieldByField(t *testing.T) {
	user := imbot.EventUser{ID: 27, Name: "Test User", FirstName: "Test", LastName: "User", Gender: imbot.GenderFemale}
	rows := map[string]*imbot.JoinChatEvent{
		"joinchat_private.form": {
			EventMeta: imbot.EventMeta{
				Name: "ONIMBOTJOINCHAT", Time: time.Unix(1772090839, 0),
				Auth: sampleAuth(27, 1772094439, "e703a069d00d01d3d00d01d3d00d01d3d00d01d3d00d01d3d0", "", "d00d01a0d00d01a0d00d01a0d00d01a0"),
			},
			Bots: []imbot.EventBot{{BotID: 571, BotCode: "BOT", Auth: sampleBotAuth(571, 1772094439,
				"e703a069d00d01cfd00d01cfd00d01cfd00d01cfd00", "d782c769d00d01d1d00d01d1d00d01d1d00d01d1d00d01d1d")}},
			Params: imbot.JoinChatParams{
				ChatType: "P", MessageType: "P", BotID: 571, UserID: 27, ToUserID: 27, FromUserID: 571, DialogID: "27", Language: "de",
			},
			User: user,
		},
		"joinchat_group.form": {
			EventMeta: imbot.EventMeta{
				Name: "ONIMBOTJOINCHAT", Time: time.Unix(1772094525, 0),
				Auth: sampleAuth(27, 1772098126, "4e12a069d00d01d9d00d01d9d00d01d9d00d01d9d00d01d9d00d01d", "", "d00d01a0d00d01a0d00d01a0d00d01a0"),
			},
			Bots: []imbot.EventBot{{BotID: 571, BotCode: "BOT", Auth: sampleBotAuth(571, 1772098125,
				"4d12a069d00d01d5d00d01d5d00d01d5d00d01d5d00d01d5d", "3d91c769d00d01d7d00d01d7d00d01d7d00d01d7d00d01")}},
			Params: imbot.JoinChatParams{
				ChatType: "C", MessageType: "C", BotID: 571, UserID: 27, ChatID: 1157, ChatAuthorID: 27, ChatEntityType: "THREAD",
				AccessHistory: imbot.Yes, DialogID: "chat1157", Language: "de",
			},
			User: user,
		},
	}
	for name, want := range rows {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, want, withoutRaw(parseAs[*imbot.JoinChatEvent](t, formType, readSample(t, name))))
		})
	}
}

func TestBotDeleteSampleFieldByField(t *testing.T) {
	want := &imbot.BotDeleteEvent{
		EventMeta: imbot.EventMeta{
			Name: "ONIMBOTDELETE", Time: time.Unix(1772090363, 0),
			Auth: sampleAuth(27, 1772093963, "0b02a069d00d01efd00d01efd00d01efd00d01efd00d01efd", "", "d00d01a0d00d01a0d00d01a0d00d01a0"),
		},
		BotID: 567, BotCode: "BOT",
	}
	require.Equal(t, want, withoutRaw(parseAs[*imbot.BotDeleteEvent](t, formType, readSample(t, "botdelete.form"))))
}
