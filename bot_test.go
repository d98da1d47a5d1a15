package imbot_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func TestBotRegister(t *testing.T) {
	client, sent := mockClient(t, "imbot.register", 200, documented(t, "imbot.register"))
	id, err := client.Bot.Register(t.Context(), imbot.BotRegisterRequest{
		Code: "newbot", Type: imbot.BotTypeSupervisor, OpenLine: imbot.No,
		EventMessageAdd: "https://bot.example.com/1", EventMessageUpdate: "https://bot.example.com/2", EventMessageDelete: "https://bot.example.com/3",
		EventWelcomeMessage: "https://bot.example.com/4", EventBotDelete: "https://bot.example.com/5",
		Properties: imbot.BotProperties{
			Name: "New", LastName: "Bot", Color: imbot.ColorMint, Email: "bot@example.com", PersonalBirthday: "2026-02-24",
			WorkPosition: "My <first> bot", PersonalWWW: "https://example.com", PersonalGender: imbot.GenderFemale, PersonalPhoto: png,
		},
	})
	require.NoError(t, err)
	require.Equal(t, imbot.ID(39), id)
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","CODE":"newbot","TYPE":"S","OPENLINE":"N",
		"EVENT_MESSAGE_ADD":"https://bot.example.com/1","EVENT_MESSAGE_UPDATE":"https://bot.example.com/2","EVENT_MESSAGE_DELETE":"https://bot.example.com/3",
		"EVENT_WELCOME_MESSAGE":"https://bot.example.com/4","EVENT_BOT_DELETE":"https://bot.example.com/5",
		"PROPERTIES":{"NAME":"New","LAST_NAME":"Bot","COLOR":"MINT","EMAIL":"bot@example.com","PERSONAL_BIRTHDAY":"2026-02-24",
			"WORK_POSITION":"My <first> bot","PERSONAL_WWW":"https://example.com","PERSONAL_GENDER":"F","PERSONAL_PHOTO":"iVBORw0KGgo="}}`, sent())
}

func TestBotRegisterWithOneHandler(t *testing.T) {
	client, sent := mockClient(t, "imbot.register", 200, documented(t, "imbot.register"))
	_, err := client.Bot.Register(t.Context(), imbot.BotRegisterRequest{
		Code: "newbot", EventHandler: "https://bot.example.com/events?a=1&b=2", Properties: imbot.BotProperties{Name: "NewBot"},
	})
	require.NoError(t, err)
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","CODE":"newbot","EVENT_HANDLER":"https://bot.example.com/events?a=1&b=2","PROPERTIES":{"NAME":"NewBot"}}`, sent())
}

func TestBotUpdate(t *testing.T) {
	client, sent := mockClient(t, "imbot.update", 200, documented(t, "imbot.update"))
	err := client.Bot.Update(t.Context(), imbot.BotUpdateRequest{BotID: 39, Fields: imbot.BotUpdateFields{
		Code:            "otherbot",
		EventMessageAdd: "https://bot.example.com/1", EventMessageUpdate: "https://bot.example.com/2", EventMessageDelete: "https://bot.example.com/3",
		EventWelcomeMessage: "https://bot.example.com/4", EventBotDelete: "https://bot.example.com/5",
		Properties: &imbot.BotPropertiesUpdate{
			Name: ptr("Updated"), LastName: ptr("Bot"), Color: imbot.ColorGraphite, Email: ptr("bot@example.com"), PersonalBirthday: ptr("2026-02-24"),
			WorkPosition: ptr("Helper"), PersonalWWW: ptr("https://example.com"), PersonalGender: ptr(imbot.GenderMale), PersonalPhoto: png,
		},
	}})
	require.NoError(t, err)
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","BOT_ID":39,"FIELDS":{"CODE":"otherbot",
		"EVENT_MESSAGE_ADD":"https://bot.example.com/1","EVENT_MESSAGE_UPDATE":"https://bot.example.com/2","EVENT_MESSAGE_DELETE":"https://bot.example.com/3",
		"EVENT_WELCOME_MESSAGE":"https://bot.example.com/4","EVENT_BOT_DELETE":"https://bot.example.com/5",
		"PROPERTIES":{"NAME":"Updated","LAST_NAME":"Bot","COLOR":"GRAPHITE","EMAIL":"bot@example.com","PERSONAL_BIRTHDAY":"2026-02-24",
			"WORK_POSITION":"Helper","PERSONAL_WWW":"https://example.com","PERSONAL_GENDER":"M","PERSONAL_PHOTO":"iVBORw0KGgo="}}}`, sent())
}

func TestBotUpdateSendsOnlyWhatIsSet(t *testing.T) {
	empty := new(string)
	tests := []struct {
		name   string
		fields imbot.BotUpdateFields
		want   string
	}{
		{"what is nil is left as it is", imbot.BotUpdateFields{Properties: &imbot.BotPropertiesUpdate{LastName: ptr("Bot")}}, `{"PROPERTIES":{"LAST_NAME":"Bot"}}`},
		{"a code alone is enough", imbot.BotUpdateFields{Code: "otherbot"}, `{"CODE":"otherbot"}`},
		{"one handler alone is enough", imbot.BotUpdateFields{EventHandler: "https://bot.example.com/events"}, `{"EVENT_HANDLER":"https://bot.example.com/events"}`},
		{"what is empty is cleared", imbot.BotUpdateFields{Properties: &imbot.BotPropertiesUpdate{
			Name: empty, LastName: empty, Email: empty, PersonalBirthday: empty, WorkPosition: empty, PersonalWWW: empty, PersonalGender: new(imbot.Gender),
		}}, `{"PROPERTIES":{"NAME":"","LAST_NAME":"","EMAIL":"","PERSONAL_BIRTHDAY":"","WORK_POSITION":"","PERSONAL_WWW":"","PERSONAL_GENDER":""}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client, sent := mockClient(t, "imbot.update", 200, documented(t, "imbot.update"))
			require.NoError(t, client.Bot.Update(t.Context(), imbot.BotUpdateRequest{BotID: 39, Fields: tt.fields}))
			require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","BOT_ID":39,"FIELDS":`+tt.want+`}`, sent())
		})
	}
}

func TestBotUnregister(t *testing.T) {
	client, sent := mockClient(t, "imbot.unregister", 200, documented(t, "imbot.unregister"))
	require.NoError(t, client.Bot.Unregister(t.Context(), imbot.BotUnregisterRequest{BotID: 39}))
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","BOT_ID":39}`, sent())
}

func TestBotList(t *testing.T) {
	client, sent := mockClient(t, "imbot.bot.list", 200, documented(t, "imbot.bot.list"))
	bots, err := client.Bot.List(t.Context(), imbot.BotListRequest{})
	require.NoError(t, err)
	require.Equal(t, []imbot.Bot{{ID: 39, Name: "NewBot", Code: "newbot", OpenLine: imbot.No}}, bots)
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1"}`, sent())
}

func TestBotListOfOddShape(t *testing.T) {
	for name, row := range map[string]struct {
		result string
		want   []imbot.Bot // nil: an error
	}{
		"a list":                        {`[{"ID":"39","NAME":"A"}]`, []imbot.Bot{{ID: 39, Name: "A"}}},
		"none":                          {`[]`, []imbot.Bot{}},
		"no id beside its key":          {`{"39":{"NAME":"A"},"40":{"ID":null,"CODE":"b"}}`, []imbot.Bot{{ID: 39, Name: "A"}, {ID: 40, Code: "b"}}},
		"a name as it stands in a page": {`{"39":{"ID":39,"NAME":"Tim &quot;&amp;lt;&quot; &lt;x&gt; & &copy; &#39;"}}`, []imbot.Bot{{ID: 39, Name: `Tim "&lt;" <x> & &copy; &#39;`}}},
		"no id in a list":               {`[{"NAME":"A"}]`, nil},
		"no id, and a key that is none": {`{"a":{"NAME":"A"}}`, nil},
		"the id 0":                      {`{"0":{"ID":0}}`, nil},
		"an id below":                   {`{"39":{"ID":-1}}`, nil},
		"an id that is a text":          {`{"39":{"ID":"x"}}`, nil},
		"null in the map":               {`{"39":null}`, nil},
		"null in the list":              {`[null]`, nil},
		"false in the map":              {`{"39":false}`, nil},
		"a list in the map":             {`{"39":[]}`, nil},
		"names in the map":              {`{"39":"A"}`, nil},
		"one bot in place of the map":   {`{"ID":39,"NAME":"A"}`, nil},
		"the map one step further in":   {`{"bots":[{"ID":39}]}`, nil},
		"null":                          {`null`, nil},
		"false":                         {`false`, nil},
		"a number":                      {`5`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			client, _ := mockClient(t, "imbot.bot.list", 200, `{"result":`+row.result+`}`)
			bots, err := client.Bot.List(t.Context(), imbot.BotListRequest{})
			if row.want == nil {
				require.Error(t, err)
				require.Empty(t, bots)
				return
			}
			require.NoError(t, err)
			require.Equal(t, row.want, bots)
		})
	}
}
