package imbot_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

const twoBots = `"BOT":{"567":{"BOT_ID":"567","BOT_CODE":"A"},"571":{"BOT_ID":"571","BOT_CODE":"B"}}`

func messageAdd(t *testing.T, data string) *imbot.MessageAddEvent {
	t.Helper()
	return parseAs[*imbot.MessageAddEvent](t, "", `{"event":"ONIMBOTMESSAGEADD","data":{`+data+`},"auth":{"member_id":"m"}}`)
}

func joinChat(t *testing.T, data string) *imbot.JoinChatEvent {
	t.Helper()
	return parseAs[*imbot.JoinChatEvent](t, "", `{"event":"ONIMBOTJOINCHAT","data":{`+data+`},"auth":{"member_id":"m"}}`)
}

func TestTheBotOfAMessageIsTheAddressedOne(t *testing.T) {
	rows := map[string]struct {
		data string
		want imbot.EventBot
	}{
		"the second of two is addressed":    {twoBots + `,"PARAMS":{"TO_USER_ID":"571"}`, imbot.EventBot{BotID: 571, BotCode: "B"}},
		"the first of two is addressed":     {twoBots + `,"PARAMS":{"TO_USER_ID":"567"}`, imbot.EventBot{BotID: 567, BotCode: "A"}},
		"none of two is addressed":          {twoBots + `,"PARAMS":{"TO_USER_ID":"0"}`, imbot.EventBot{}},
		"a person is addressed, two listen": {twoBots + `,"PARAMS":{"TO_USER_ID":"27"}`, imbot.EventBot{}},
		"the only one needs no address":     {`"BOT":{"567":{"BOT_ID":"567","BOT_CODE":"A"}},"PARAMS":{"TO_USER_ID":"0"}`, imbot.EventBot{BotID: 567, BotCode: "A"}},
		"a bot without BOT_ID has its key":  {`"BOT":{"567":{"BOT_CODE":"A"}}`, imbot.EventBot{BotID: 567, BotCode: "A"}},
		"there is none":                     {`"PARAMS":{"TO_USER_ID":"571"}`, imbot.EventBot{}},
		"the map of bots is PHP's empty":    {`"BOT":[]`, imbot.EventBot{}},
		"the map of bots is a text":         {`"BOT":"567"`, imbot.EventBot{}},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			ev := messageAdd(t, row.data)
			require.Equal(t, row.want, ev.Bot())
			require.Equal(t, row.want.BotID, ev.Reply("hi").BotID)
		})
	}
	require.Len(t, messageAdd(t, twoBots).Bots, 2)
	require.Nil(t, messageAdd(t, `"BOT":[]`).Bots)
}

func TestABotHasItsOwnTokens(t *testing.T) {
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

func TestMentionedUsersComeAsMapOrList(t *testing.T) {
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
	require.Zero(t, messageAdd(t, `"PARAMS":{"FROM_USER_ID":"0"}`).User)
	require.Zero(t, messageAdd(t, `"PARAMS":{"FROM_USER_ID":"0"}`).AuthorID())
	require.Zero(t, joinChat(t, `"PARAMS":{"USER_ID":"0"},"USER":[]`).User)
	require.Zero(t, joinChat(t, `"PARAMS":{"USER_ID":"0"}`).Params.UserID)
	require.Zero(t, parseAs[*imbot.BotDeleteEvent](t, "", `{"event":"ONIMBOTDELETE","data":[]}`).BotID)
	require.Zero(t, parseAs[*imbot.BotDeleteEvent](t, "", `{"event":"ONIMBOTDELETE"}`).Time)
}

func TestJSONWithRealTypes(t *testing.T) {
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

func TestTheContentTypeSaysThatItIsJSON(t *testing.T) {
	const indented = "\n{\"event\":\"ONIMBOTDELETE\",\"data\":{\"BOT_ID\":567}}"
	for _, contentType := range []string{"application/json", "Application/JSON;charset=UTF-8", "application/vnd.portal+json"} {
		require.Equal(t, imbot.ID(567), parseAs[*imbot.BotDeleteEvent](t, contentType, indented).BotID)
	}
	_, err := imbot.ParseEvent(eventPost("application/json", goodEvent), trustAll{})
	require.Error(t, err, "a form that says it is JSON")
}

func TestTheNameOfAnEventMayBeInLowerCase(t *testing.T) {
	ev := parseAs[*imbot.BotDeleteEvent](t, formType, "event=onImBotDelete&data[BOT_ID]=567")
	require.Equal(t, "ONIMBOTDELETE", ev.Name)
	require.Equal(t, imbot.ID(567), ev.BotID)
}

func TestTheQueryBesideTheBodyIsIgnored(t *testing.T) {
	r := eventPost(formType, "event=ONIMBOTDELETE&data[BOT_ID]=567")
	r.URL.RawQuery = "event=ONIMBOTJOINCHAT&data[BOT_ID]=1&data[BOT_CODE]=evil&auth[domain]=evil.example"
	ev, err := imbot.ParseEvent(r, trustAll{})
	require.NoError(t, err)
	require.Equal(t, &imbot.BotDeleteEvent{EventMeta: imbot.EventMeta{Name: "ONIMBOTDELETE"}, BotID: 567}, withoutRaw(ev))
}

func TestAWebhooksBotIsVerifiedByItsClientID(t *testing.T) {
	_, events := eventSpec(t)
	hook := imbot.Webhook{URL: "https://example.bitrix24.com/rest/1/s3cr3t/", ClientID: "bot-secret-1"}
	for _, example := range events["ONIMBOTMESSAGEADD"].MoreExamples {
		ev, err := imbot.ParseEvent(eventPost(formType, example.Body), hook.Verifier())
		if example.Title[:len("private dialog, bot")] != "private dialog, bot" {
			require.Error(t, err, example.Title)
			continue
		}
		require.NoError(t, err)
		require.Zero(t, ev.(*imbot.MessageAddEvent).Bot().Auth.AccessToken)
		require.Equal(t, imbot.ID(567), ev.(*imbot.MessageAddEvent).Bot().BotID)
		return
	}
	require.Fail(t, "the spec has no example of a webhook's bot")
}

func TestMentioned(t *testing.T) {
	rows := map[string]struct {
		data string
		bot  imbot.ID
		want bool
	}{
		"the partner of a private dialog": {`"PARAMS":{"TO_USER_ID":"567","DIALOG_ID":"27"}`, 567, true},
		"the second of two mentioned":     {`"PARAMS":{"TO_USER_ID":"567","MENTIONED_LIST":{"567":"567","571":"571"}}`, 571, true},
		"another one":                     {`"PARAMS":{"TO_USER_ID":"567","MENTIONED_LIST":{"567":"567"}}`, 571, false},
		"nobody is asked for":             {`"PARAMS":{"TO_USER_ID":"0"}`, 0, false},
		"a supervisor that only listens":  {`"PARAMS":{"TO_USER_ID":"0","DIALOG_ID":"chat5"}`, 567, false},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) { require.Equal(t, row.want, messageAdd(t, row.data).Mentioned(row.bot)) })
	}
}

func TestKindsOfDialogs(t *testing.T) {
	rows := map[string]struct {
		params          string
		group, openLine bool
	}{
		"private dialog":                  {`"DIALOG_ID":"27","CHAT_TYPE":"P","MESSAGE_TYPE":"P"`, false, false},
		"group chat":                      {`"DIALOG_ID":"chat5","CHAT_TYPE":"C","MESSAGE_TYPE":"C"`, true, false},
		"open line by the type of chat":   {`"DIALOG_ID":"chat5","CHAT_TYPE":"L"`, true, true},
		"open line by the message's type": {`"DIALOG_ID":"chat5","MESSAGE_TYPE":"L"`, true, true},
		"open line by its tag":            {`"DIALOG_ID":"chat5","CHAT_ENTITY_TYPE":"LINES"`, true, true},
		"chat of another kind":            {`"DIALOG_ID":"sg7"`, true, false},
		"no dialog":                       {`"CHAT_TYPE":"P"`, false, false},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			message, join := messageAdd(t, `"PARAMS":{`+row.params+`}`), joinChat(t, `"PARAMS":{`+row.params+`}`)
			require.Equal(t, row.group, message.IsGroup())
			require.Equal(t, row.group, join.IsGroup())
			require.Equal(t, row.openLine, message.IsOpenLine())
			require.Equal(t, row.openLine, join.IsOpenLine())
		})
	}
}

func TestAuthors(t *testing.T) {
	rows := map[string]struct {
		data    string
		author  imbot.ID
		fromBot bool
	}{
		"a person":                     {twoBots + `,"PARAMS":{"FROM_USER_ID":"27","AUTHOR_ID":"28"},"USER":{"ID":"29","IS_BOT":"N"}`, 27, false},
		"only AUTHOR_ID names it":      {`"PARAMS":{"FROM_USER_ID":"0","AUTHOR_ID":"28"},"USER":{"ID":"29"}`, 28, false},
		"only USER names it":           {`"USER":{"ID":"29"}`, 29, false},
		"a bot by its flag":            {`"PARAMS":{"FROM_USER_ID":"30"},"USER":{"ID":"30","IS_BOT":"Y"}`, 30, true},
		"one of the bots of the event": {twoBots + `,"PARAMS":{"FROM_USER_ID":"571"}`, 571, true},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			ev := messageAdd(t, row.data)
			require.Equal(t, row.author, ev.AuthorID())
			require.Equal(t, row.fromBot, ev.FromBot())
		})
	}
}

func TestReplies(t *testing.T) {
	want := imbot.MessageAddRequest{BotID: 571, DialogID: "chat5", Message: "hi"}
	require.Equal(t, want, messageAdd(t, twoBots+`,"PARAMS":{"TO_USER_ID":"571","DIALOG_ID":"chat5"}`).Reply("hi"))
	join := joinChat(t, twoBots+`,"PARAMS":{"BOT_ID":"571","DIALOG_ID":"chat5"}`)
	require.Equal(t, want, join.Reply("hi"))
	require.Equal(t, "B", join.Bot().BotCode)
	require.Equal(t, want, joinChat(t, `"PARAMS":{"BOT_ID":"571","DIALOG_ID":"chat5"}`).Reply("hi"), "no BOT, but its id")
}

// An event without an author must not look like one of a bot without an id.
func TestNobodyIsNoBot(t *testing.T) {
	require.False(t, messageAdd(t, `"BOT":{"x":{"BOT_CODE":"A"}},"PARAMS":{"FROM_USER_ID":"0"}`).FromBot())
}
