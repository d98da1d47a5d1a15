package imbot_test

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

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

// requireSameEvent compares two events, however they were sent.
func requireSameEvent(t *testing.T, want, got imbot.Event, msg ...any) {
	t.Helper()
	wantFields, wantRaw := split(want)
	gotFields, gotRaw := split(got)
	require.Equal(t, wantRaw, gotRaw, msg...)
	require.Equal(t, wantFields, gotFields, msg...)
}

// split returns the fields of an event without what is raw, and that as text.
func split(ev imbot.Event) (fields any, raw []string) {
	v := reflect.New(reflect.TypeOf(ev).Elem()).Elem()
	v.Set(reflect.ValueOf(ev).Elem())
	raw = rawTexts(ev.Meta().Raw)
	v.FieldByName("Raw").SetZero()
	if c, ok := ev.(*imbot.ContextGetEvent); ok {
		raw = append(raw, rawTexts(c.Params.Context)...)
		v.FieldByName("Params").FieldByName("Context").SetZero()
	}
	return v.Interface(), raw
}

// rawTexts lists the texts in their order, each with its path.
func rawTexts(r imbot.RawEvent, path ...string) []string {
	keys := r.Keys(path...)
	if len(keys) == 0 {
		return []string{fmt.Sprintf("%q %q", path, r.Get(path...))}
	}
	var texts []string
	for _, key := range keys {
		texts = append(texts, rawTexts(r, append(path[:len(path):len(path)], key)...)...)
	}
	return texts
}

func TestASampleIsTheSameEventAsFormAndAsJSON(t *testing.T) {
	t.Parallel()
	forms, err := filepath.Glob(filepath.Join("testdata", "events", "*.form"))
	require.NoError(t, err)
	require.Len(t, forms, 11)
	for _, file := range forms {
		name := strings.TrimSuffix(filepath.Base(file), ".form")
		t.Run(name, func(t *testing.T) {
			form, json := readSample(t, name+".form"), readSample(t, name+".json")
			want := parseAs[imbot.Event](t, formType, form)
			requireSameEvent(t, want, parseAs[imbot.Event](t, "application/json; charset=utf-8", json))
			requireSameEvent(t, want, parseAs[imbot.Event](t, "", json), "a type is not needed to see that it is JSON")
			requireSameEvent(t, want, parseAs[imbot.Event](t, "", form))

			brackets := strings.NewReplacer("%5B", "[", "%5D", "]", "+", "%20").Replace(form)
			require.NotEqual(t, form, brackets)
			requireSameEvent(t, want, parseAs[imbot.Event](t, formType, brackets), "brackets may come unescaped")
		})
	}
}

func TestASampleWithoutATypeIsUnknownAndReadable(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
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
	t.Parallel()
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
	t.Parallel()
	want := &imbot.BotDeleteEvent{
		EventMeta: imbot.EventMeta{
			Name: "ONIMBOTDELETE", Time: time.Unix(1772090363, 0),
			Auth: sampleAuth(27, 1772093963, "0b02a069d00d01efd00d01efd00d01efd00d01efd00d01efd", "", "d00d01a0d00d01a0d00d01a0d00d01a0"),
		},
		BotID: 567, BotCode: "BOT",
	}
	require.Equal(t, want, withoutRaw(parseAs[*imbot.BotDeleteEvent](t, formType, readSample(t, "botdelete.form"))))
}

// Events that are not of bots reach the same handler when somebody binds them.
func TestOtherSamplesAreUnknownButVerified(t *testing.T) {
	t.Parallel()
	for name, token := range map[string]string{
		"doc_event_to_app": "d00d01f3d00d01f3d00d01f3d00d01f3", "doc_event_to_outgoing_webhook": "dummy0011xxxxxxxxxxxxxxxxxxxxxxx",
	} {
		body, err := os.ReadFile(filepath.Join("testdata", "install", name+".form"))
		require.NoError(t, err)
		ev, err := imbot.ParseEvent(eventPost(formType, string(body)), imbot.ApplicationToken(token))
		require.NoError(t, err)
		require.IsType(t, &imbot.UnknownEvent{}, ev)
		require.Equal(t, "ONCRMDEALADD", ev.Meta().Name)
		require.Equal(t, "7405", ev.Meta().Raw.Get("data", "FIELDS", "ID"))
	}
}

func TestNestedParamsAreInRaw(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"ONIMBOTMESSAGEADD", "ONIMBOTMESSAGEUPDATE", "ONIMCOMMANDADD"} {
		body := "event=" + name + "&data[PARAMS][MESSAGE]=outer&data[PARAMS][PARAMS][MESSAGE]=inner&data[PARAMS][PARAMS][IS_EDITED]=Y&data[PARAMS][PARAMS][FILE_ID][0]=5"
		ev, err := imbot.ParseEvent(eventPost(formType, body), trustAll{})
		require.NoError(t, err)
		raw := ev.Meta().Raw
		require.Equal(t, "outer", raw.Get("data", "PARAMS", "MESSAGE"))
		require.Equal(t, "Y", raw.Get("data", "PARAMS", "PARAMS", "IS_EDITED"))
		require.Equal(t, []string{"MESSAGE", "IS_EDITED", "FILE_ID"}, raw.Keys("data", "PARAMS", "PARAMS"))
		switch ev := ev.(type) {
		case *imbot.MessageAddEvent:
			require.Equal(t, "outer", ev.Params.Message)
		case *imbot.MessageUpdateEvent:
			require.Equal(t, "outer", ev.Params.Message)
		case *imbot.CommandAddEvent:
			require.Equal(t, "outer", ev.Params.Message)
		}
	}
}

func TestABotHasItsOwnTokens(t *testing.T) {
	t.Parallel()
	body := func(bot, top string) string {
		return `{"event":"ONIMBOTMESSAGEADD","data":{"BOT":{"567":` + bot + `}},"auth":` + top + `}`
	}
	const tokens = `"access_token":"a","refresh_token":"r","user_id":"567","expires":"1771932585"`
	own := imbot.EventAuth{AccessToken: "a", RefreshToken: "r", UserID: 567, Expires: time.Unix(1771932585, 0)}
	rows := map[string]struct {
		body     string
		bot, top imbot.EventAuth
	}{
		"the outer block has none": {
			body(`{`+tokens+`}`, `{"member_id":"m"}`), own, imbot.EventAuth{MemberID: "m"},
		},
		"the bot, registered through a webhook, has none": {
			body(`{"BOT_ID":"567","BOT_CODE":"A"}`, `{`+tokens+`}`), imbot.EventAuth{}, own,
		},
		"they stand in AUTH only": {
			body(`{"AUTH":{`+tokens+`}}`, `{}`), own, imbot.EventAuth{},
		},
		"there are none, but the portal is named": {
			body(`{"domain":"d"}`, `{"domain":"e"}`), imbot.EventAuth{Domain: "d"}, imbot.EventAuth{Domain: "e"},
		},
		"PHP's empty maps": {
			body(`{"domain":"d","AUTH":[]}`, `[]`), imbot.EventAuth{Domain: "d"}, imbot.EventAuth{},
		},
		"an expiry that is no time is none": {
			body(`{"expires":"soon"}`, `{"expires":"-1"}`), imbot.EventAuth{}, imbot.EventAuth{},
		},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			ev := parseAs[*imbot.MessageAddEvent](t, "", row.body)
			require.True(t, ev.Bot().Auth == row.bot, "%+v", ev.Bot()) // require would print masks
			require.True(t, ev.Auth == row.top, "%+v", ev.Auth)
		})
	}
}

func TestFilesAreKeyedByTheirIDs(t *testing.T) {
	t.Parallel()
	ev := messageAdd(t, `"PARAMS":{"FILES":{
		"901":{"id":"901","chatId":"5","date":"2026-02-24T13:19:39+01:00","type":"image","name":"a.png","extension":"png","size":"1234",
			"image":{"width":"640","height":"480"},"status":"done","progress":"100","authorId":"27","authorName":"Anna",
			"urlPreview":"https://p.example/1","urlShow":"https://p.example/2","urlDownload":"https://p.example/3"},
		"17":{"name":"b.txt","image":"0","date":"yesterday","size":"-"}}}`)
	date := time.Date(2026, 2, 24, 12, 19, 39, 0, time.UTC)
	require.True(t, date.Equal(ev.Params.Files[0].Date))
	ev.Params.Files[0].Date = date
	require.Equal(t, []imbot.EventFile{
		{
			ID: 901, ChatID: 5, Date: date, Type: "image", Name: "a.png", Extension: "png", Size: 1234, ImageWidth: 640, ImageHeight: 480,
			Status: "done", Progress: 100, AuthorID: 27, AuthorName: "Anna",
			URLPreview: "https://p.example/1", URLShow: "https://p.example/2", URLDownload: "https://p.example/3",
		},
		{ID: 17, Name: "b.txt"},
	}, ev.Params.Files, "in the order on the wire; what is odd is zero")
	require.Nil(t, messageAdd(t, `"PARAMS":{"FILES":[]}`).Params.Files)
}

func TestNamesComeAsPeopleReadThem(t *testing.T) {
	t.Parallel()
	escape := func(s string) string { // what a portal does
		for _, pair := range [][2]string{{"&amp;", "&amp;amp;"}, {"&lt;", "&amp;lt;"}, {"&gt;", "&amp;gt;"}, {"&quot;", "&amp;quot;"}, {"&#34;", "&amp;#34;"},
			{"&#39;", "&amp;#39;"}, {"<", "&lt;"}, {">", "&gt;"}, {`"`, "&quot;"}} {
			s = strings.ReplaceAll(s, pair[0], pair[1])
		}
		return s
	}
	parts := []string{"&", "&amp;", "&lt;", "&gt;", "&quot;", "&#39;", "&#34;", "&#039;", "&copy;", "<", ">", `"`, "'", "amp;", "lt;", "#", "Ann", " ", "ü", ";"}
	names := []string{`Anna "Ann" <x>`, "O'Neil & Sons", "&amp;lt;", ""}
	random := rand.New(rand.NewPCG(12, 7))
	for range 2000 {
		name := ""
		for range 1 + random.IntN(6) {
			name += parts[random.IntN(len(parts))]
		}
		names = append(names, name)
	}
	for _, event := range []string{"ONIMBOTMESSAGEADD", "ONIMBOTMESSAGEUPDATE", "ONIMCOMMANDADD", "ONIMBOTJOINCHAT", "ONIMBOTCONTEXTGET"} {
		for _, name := range names {
			form := url.Values{"event": {event}}
			for _, field := range []string{"NAME", "FIRST_NAME", "LAST_NAME", "WORK_POSITION"} {
				form.Set("data[USER]["+field+"]", escape(name))
			}
			ev := parseAs[imbot.Event](t, formType, form.Encode())
			var user imbot.EventUser
			switch ev := ev.(type) {
			case *imbot.MessageAddEvent:
				user = ev.User
			case *imbot.MessageUpdateEvent:
				user = ev.User
			case *imbot.CommandAddEvent:
				user = ev.User
			case *imbot.JoinChatEvent:
				user = ev.User
			case *imbot.ContextGetEvent:
				user = ev.User
			}
			require.Equal(t, imbot.EventUser{Name: name, FirstName: name, LastName: name, WorkPosition: name}, user)
			require.Equal(t, escape(name), ev.Meta().Raw.Get("data", "USER", "NAME"))
		}
	}
}

func TestMentionedUsersComeAsMapOrList(t *testing.T) {
	t.Parallel()
	rows := map[string]struct {
		list string
		want []imbot.ID
	}{
		"map by id":                   {`{"567":"567","27":"27"}`, []imbot.ID{567, 27}},
		"list":                        {`["567","27"]`, []imbot.ID{567, 27}},
		"list of numbers":             {`[567,27]`, []imbot.ID{567, 27}},
		"everybody has the id 0":      {`{"0":"0","567":"567"}`, []imbot.ID{567}},
		"what is no id is left out":   {`["all",{"a":"b"},null,"567"]`, []imbot.ID{567}},
		"PHP's empty map":             {`[]`, nil},
		"a text where a map is meant": {`"567"`, nil},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, row.want, messageAdd(t, `"PARAMS":{"MENTIONED_LIST":`+row.list+`}`).Params.MentionedList)
		})
	}
	form := parseAs[*imbot.MessageAddEvent](t, formType, "event=onImBotMessageAdd&data[PARAMS][MENTIONED_LIST][]=567&data[PARAMS][MENTIONED_LIST][]=27")
	require.Equal(t, []imbot.ID{567, 27}, form.Params.MentionedList)
	require.Equal(t, "ONIMBOTMESSAGEADD", form.Name, "the case of the name does not matter")
}

func TestAnEventWithoutAUser(t *testing.T) {
	t.Parallel()
	require.Zero(t, messageAdd(t, `"PARAMS":{"FROM_USER_ID":"0"}`).User)
	require.Zero(t, messageAdd(t, `"PARAMS":{"FROM_USER_ID":"0"}`).AuthorID())
	require.Zero(t, joinChat(t, `"PARAMS":{"USER_ID":"0"},"USER":[]`).User)
	require.Zero(t, joinChat(t, `"PARAMS":{"USER_ID":"0"}`).Params.UserID)
	require.Zero(t, parseAs[*imbot.BotDeleteEvent](t, "", `{"event":"ONIMBOTDELETE","data":[]}`).BotID)
	require.Zero(t, parseAs[*imbot.BotDeleteEvent](t, "", `{"event":"ONIMBOTDELETE"}`).Time)
}

func TestJSONWithRealTypes(t *testing.T) {
	t.Parallel()
	ev := parseAs[*imbot.MessageAddEvent](t, "application/vnd.portal+json", `{"event":"ONIMBOTMESSAGEADD","ts":1771928985,
		"data":{"BOT":{"567":{"BOT_ID":567,"BOT_CODE":"A","AUTH":null}},
			"PARAMS":{"MESSAGE":"1 < 2 😀","MESSAGE_ID":84331,"DIALOG_ID":27,"FROM_USER_ID":27,"TO_USER_ID":567,"PUSH":true,"SYSTEM":false,
				"CHAT_TITLE":null,"CHAT_ENTITY_ID":5,"CHAT_EXTRANET":"N","CONVERT":"Y"},
			"USER":null},
		"auth":{"application_token":12345,"user_id":27}}`)
	want := &imbot.MessageAddEvent{
		EventMeta: imbot.EventMeta{
			Name: "ONIMBOTMESSAGEADD", Time: time.Unix(1771928985, 0), Auth: imbot.EventAuth{ApplicationToken: "12345", UserID: 27},
		},
		Bots: []imbot.EventBot{{BotID: 567, BotCode: "A"}},
		Params: imbot.MessageParams{
			Message: "1 < 2 😀", MessageID: 84331, DialogID: "27", FromUserID: 27, ToUserID: 567, Push: imbot.Yes, System: imbot.No,
			ChatEntityID: "5", ChatExtranet: imbot.No, Convert: imbot.Yes,
		},
	}
	require.Equal(t, want, withoutRaw(ev))
}
