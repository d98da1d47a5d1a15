package imbottest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

// What the scripts below are made of: gamma fetches its events and reads what everybody writes,
// and the next bot has the id 103.
const (
	asReader = `"botToken":"three","botId":102`
	withAnna = asReader + `,"dialogId":"101"`
	getIt    = `imbot.v2.Chat.Message.get {` + asReader + `,"messageId":50001}`
	old      = `imbot.register {"CLIENT_ID":"three","CODE":"old",` + bindings + `,"PROPERTIES":{"NAME":"Old"}}`
	lower    = `"templateId":"0fb8a5d2-2b3c-4d5e-8f90-a1b2c3d4e5f6"`
	upper    = `"templateId":"0FB8A5D2-2B3C-4D5E-8F90-A1B2C3D4E5F6"`
	anUpload = `imbot.v2.File.upload {` + withAnna + `,"fields":{"name":"a.txt","content":"YQ=="}}`
)

func send(fields string) string {
	return `imbot.v2.Chat.Message.send {` + withAnna + `,"fields":{` + fields + `}}`
}

func update(fields string) string {
	return `imbot.v2.Chat.Message.update {` + asReader + `,"messageId":50001,"fields":{` + fields + `}}`
}

func updateBot(fields string) string {
	return `imbot.v2.Bot.update {` + asReader + `,"fields":{` + fields + `}}`
}

func posted(code string) string {
	return `imbot.v2.Bot.register {"fields":{"botToken":"three","code":"` + code + `","type":"personal","eventMode":"webhook","webhookUrl":"` + eventURL + `","properties":{"name":"P"}}}`
}

// doubtRows has for each fact a script, what is to be found in the answer to its last step, and
// what a portal says there in the likely way and in the other.
var doubtRows = []struct {
	about         imbottest.Doubt
	says          string
	script        []string
	find          string
	likely, other string
}{
	{imbottest.DoubtV2InBatch, "the second generation runs in batches", []string{`batch {"cmd":["imbot.v2.Revision.get"]}`}, `"error":"(\w+)"`, "", "ERROR_BATCH_METHOD_NOT_ALLOWED"},
	{
		imbottest.DoubtBatchReferences, "its commands may refer to each other",
		[]string{`batch {"cmd":{"a":"imbot.v2.Chat.Message.send?botToken=three&botId=102&dialogId=101&fields[message]=x","b":"imbot.v2.Chat.Message.get?botToken=three&botId=102&messageId=$result[a][id]"}}`},
		`"error":"(\w+)"`, "", "MESSAGE_NOT_FOUND",
	},
	{imbottest.DoubtTimeNumbers, "times have fractions of seconds", []string{`server.time {}`}, `"(?:start|finish)":\d+(\.)`, ".", ""},
	{imbottest.DoubtOperating, "a call tells the operating time", []string{`server.time {}`}, `"(operating)":`, "operating", ""},
	{imbottest.DoubtBatchOperating, "a command of a batch tells the operating time", []string{`batch {"cmd":["server.time"]}`}, `"result_time":\[{[^}]*"(operating)":`, "operating", ""},
	{imbottest.DoubtLimitHeaders, "no header tells how many requests are left", []string{`server.time {}`}, `X-Ratelimit-Limit:\[50\] X-Ratelimit-Remaining:\[(50)\]`, "", "50"},
	{imbottest.DoubtStatusAuth, "a wrong secret is 401", []string{"wrong secret"}, `^(\d+) .*INVALID_CREDENTIALS`, "401", "403"},
	{imbottest.DoubtStatusScope, "a foreign scope is 401", []string{`user.current {}`}, `^(\d+)`, "401", "403"},
	{imbottest.DoubtStatusMethod, "an error of a method is 400", []string{`imbot.v2.Bot.get {"botToken":"three","botId":999}`}, `^(\d+)`, "400", "403"},
	{imbottest.DoubtTemplateID, "the same UUID is the same message", []string{send(`"message":"a",` + lower), send(`"message":"a",` + lower)}, `"id":(\d+)`, "50001", "50002"},
	{imbottest.DoubtTemplateIDUpper, "a UUID in upper case is none", []string{send(`"message":"a",` + upper), send(`"message":"a",` + upper)}, `"id":(\d+)`, "50002", "50001"},
	{imbottest.DoubtUUIDMapEmpty, "an empty map is a list", []string{send(`"message":"a"`)}, `"uuidMap":(..)`, "[]", "{}"},
	{imbottest.DoubtFlagText, `"N" is no`, []string{updateBot(`"isHidden":"N"`)}, `"isHidden":(\w+)`, "false", "true"},
	{imbottest.DoubtFlagBool, "true is yes", []string{updateBot(`"isHidden":true`)}, `"isHidden":(\w+)`, "true", "false"},
	{imbottest.DoubtColourSpelling, "a colour may be in camel case", []string{updateBot(`"properties":{"color":"lightBlue"}`)}, `"color":"(#\w+)"`, strings.ToLower(imbot.ColorLightBlue.Hex()), "#df532d"},
	{imbottest.DoubtTextFieldEnabled, "a chat has its flag as a text", []string{send(`"message":"a"`), `imbot.v2.Chat.get {` + withAnna + `}`}, `"textFieldEnabled":("?\w+)`, `"Y`, "true"},
	{imbottest.DoubtLastMessageViews, "a chat has its views as a text", []string{send(`"message":"a"`), `imbot.v2.Chat.get {` + withAnna + `}`}, `"lastMessageViews":(.)`, `"`, "{"},
	{
		imbottest.DoubtPropertiesPartial, "a property that is left out is emptied",
		[]string{updateBot(`"properties":{"name":"Gamma","lastName":"Ray"}`), updateBot(`"properties":{"workPosition":"Tester"}`)}, `"name":"(Gamma[^"]*)"`, "Gamma", "Gamma Ray",
	},
	{imbottest.DoubtBackgroundNull, "null keeps the background", []string{updateBot(`"backgroundId":"mint"`), updateBot(`"backgroundId":null`)}, `"backgroundId":("?\w+)`, `"mint`, "null"},
	{
		imbottest.DoubtRegisterAgain, "a bot that is registered again keeps its name",
		[]string{`imbot.v2.Bot.register {"fields":{"botToken":"three","code":"gamma","properties":{"name":"New"}}}`}, `"firstName":"(\w+)"`, "Gamma", "New",
	},
	{imbottest.DoubtUnknownBotType, "there is no bot of an unknown type", []string{`imbot.v2.Bot.list {"botToken":"three","filter":{"type":"robot"}}`}, `"bots":(\[.)`, "[]", "[{"},
	{imbottest.DoubtTextCut, "six characters too many are not cut", []string{send(`"message":"` + long(20003) + `"`), "length"}, `(\d+)`, "20003", "20006"},
	{imbottest.DoubtEntitiesDecoded, "an entity is a character", []string{send(`"message":"a &lt; b"`), getIt}, `"text":"a (\S+) b"`, `\u003c`, `\u0026lt;`},
	{imbottest.DoubtMeKept, "a text begins with /me", []string{send(`"message":"/me waves"`), getIt}, `"text":"([^"]*)"`, "/me waves", "waves"},
	{imbottest.DoubtLinksWrapped, "an address is a link", []string{send(`"message":"https://example.com"`), getIt}, `"text":"([^"]*)"`, "[URL]https://example.com[/URL]", "https://example.com"},
	{
		imbottest.DoubtSQLWords, "words of SQL stay whole",
		[]string{`imbot.message.add {"CLIENT_ID":"three","BOT_ID":102,"DIALOG_ID":"101","MESSAGE":"Select an item from it"}`, getIt}, `"text":"([^"]*)"`, "Select an item from it", "Sel ect an item fr om it",
	},
	{imbottest.DoubtEmptyDeletes, "an empty text deletes", []string{send(`"message":"a"`), update(`"message":""`)}, `"(?:error":"|result":{")(\w+)`, "result", "EMPTY_MESSAGE"},
	{imbottest.DoubtKeyboardOfUpdate, "an unusable keyboard is none", []string{send(`"message":"a"`), update(`"keyboard":[{}]`)}, `"(?:error":"|result":{")(\w+)`, "result", "KEYBOARD_ERROR"},
	{imbottest.DoubtChatFirstMessage, "a chat begins with its message", []string{`imbot.v2.Chat.add {` + asReader + `,"fields":{"title":"T","message":"hi"}}`}, `"lastMessageId":(\d+)`, "50001", "0"},
	{imbottest.DoubtFileNameUnique, "no two files have one name", []string{anUpload, anUpload}, `"name":"(a[^"]*)"`, "a (1).txt", "a.txt"},
	{imbottest.DoubtFileCodes, "a person's file fails as a bot's does", []string{anUpload, `im.v2.File.download {"fileId":9001}`}, `"error":"(\w+)"`, "FILE_ACCESS_ERROR", "ACCESS_DENIED"},
	{imbottest.DoubtFileObject, "an upload answers the file", []string{anUpload}, `"file":({|null)`, "{", "null"},
	{imbottest.DoubtBuiltInCommands, "a list has commands of the messenger", []string{`imbot.v2.Command.list {` + asReader + `}`}, `"id":"(def0)"`, "def0", ""},
	{imbottest.DoubtEmptyList, "no bots are an empty list", []string{`imbot.v2.Bot.list {"botToken":"nobody"}`}, `"bots":([^,]+),`, "[]", "null"},
	{imbottest.DoubtUserList, "the members of a chat are a list", []string{send(`"message":"a"`), `imbot.v2.Chat.User.list {` + withAnna + `}`}, `"result":(.)`, "[", "{"},
	{imbottest.DoubtQueueOffset, "an empty queue keeps the offset", []string{`imbot.v2.Event.get {` + asReader + `,"offset":777}`}, `"nextOffset":(\d+)`, "777", "0"},
	{
		imbottest.DoubtOwnJoin, "a bot hears that it is in its own chat",
		[]string{`imbot.v2.Chat.add {` + asReader + `,"fields":{"title":"T"}}`, `imbot.v2.Event.get {` + asReader + `}`}, `"type":"(ONIMBOT\w+)"`, "ONIMBOTV2JOINCHAT", "",
	},
	{
		imbottest.DoubtV1ToFetch, "a bot of the first generation can begin to fetch",
		[]string{old, `imbot.v2.Bot.update {"botToken":"three","botId":103,"fields":{"eventMode":"fetch"}}`, "say 103 hi", `imbot.v2.Event.get {"botToken":"three","botId":103}`},
		`"type":"(ONIMBOT\w+)"`, "ONIMBOTV2JOINCHAT", "",
	},
	{
		imbottest.DoubtSharedOwner, "the first generation acts for bots of the second",
		[]string{`imbot.message.add {"CLIENT_ID":"three","BOT_ID":102,"DIALOG_ID":"101","MESSAGE":"x"}`}, `"error":"(\w+)"`, "", "APP_ID_ERROR",
	},
	{
		imbottest.DoubtApplicationToken, "a post tells the owner",
		[]string{posted("p"), "say 103 hi", "posts"}, `application_token\]=(customthree|[0-9a-f]{32}\b)`, "customthree", "62060f42f767c55992e2f504e857e65e",
	},
	{imbottest.DoubtV2Posts, "an address without a client id is posted to", []string{posted("p"), "say 103 hi", "posts"}, `event=(ONIMBOTV2\w+)`, "ONIMBOTV2JOINCHAT", ""},
	{imbottest.DoubtPostsPerBot, "each bot has its post", []string{posted("p"), posted("q"), "group 101 103 104", "say chat1001 hi", "posts"}, `(?s)MESSAGEADD.*(MESSAGEADD)`, "MESSAGEADD", ""},
	{imbottest.DoubtPostHeaders, "no header signs a post", []string{posted("p"), "say 103 hi", "posts"}, `(signed) application/`, "", "signed"},
	{imbottest.DoubtPostForm, "a post is a form", []string{posted("p"), "say 103 hi", "posts"}, `application/([\w-]+)`, "x-www-form-urlencoded", "json"},
	{
		imbottest.DoubtMentionCut, "the first generation gets no mentions",
		[]string{old, "group 101 103", "say chat1001 [USER=103]Old[/USER] hi", "posts"}, `\[PARAMS\]\[MESSAGE\]=([^&]*)&`, "hi", "[USER=103]Old[/USER] hi",
	},
	{
		imbottest.DoubtMessageOriginal, "the first generation gets the text with its mentions beside",
		[]string{old, "group 101 103", "say chat1001 [USER=103]Old[/USER] hi", "posts"}, `\[(MESSAGE_ORIGINAL)\]`, "MESSAGE_ORIGINAL", "",
	},
}

func TestTheOtherWays(t *testing.T) {
	t.Parallel()
	var about []imbottest.Doubt
	for _, r := range doubtRows {
		about = append(about, r.about)
		t.Run(r.says, func(t *testing.T) {
			t.Parallel()
			find := func(opts ...imbottest.Option) (found string) {
				if m := regexp.MustCompile(r.find).FindStringSubmatch(runScript(t, opts, r.script)); m != nil {
					found = m[1]
				}
				return found
			}
			require.Equal(t, r.likely, find())
			require.Equal(t, r.other, find(imbottest.WithOther(r.about)))
		})
	}
	require.Equal(t, imbottest.Doubts(), about, "each doubt has a row")
}

func TestADoubtThatDoesNotExistIsReported(t *testing.T) {
	t.Parallel()
	require.NoError(t, newPortal(t, imbottest.WithOther(imbottest.Doubts()...)).Err())
	require.ErrorContains(t, newPortal(t, imbottest.WithOther("full-moon")).Err(), `there is no doubt "full-moon"`)
}

// runScript does the steps on a portal of its own and returns what the last one shows: an answer
// with its status and headers, the posts to bots, or the length of the last message.
func runScript(t *testing.T, opts []imbottest.Option, script []string) (shown string) {
	t.Helper()
	portal, posts := newPortal(t, opts...), make(chan string, 10)
	portal.Serve(eventURL, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, _ := url.QueryUnescape(string(body))
		posts <- strings.TrimSpace(r.Header.Get("X-Signature")+" "+r.Header.Get("Content-Type")) + " " + form
	}))
	require.EqualValues(t, anna, portal.AddUser("Anna", "Ivanova"))
	prepare(t, portal, `imbot.v2.Bot.register {"fields":{"botToken":"three","code":"gamma","type":"personal","properties":{"name":"Gamma"}}}`)
	for _, step := range script {
		switch name, params, _ := strings.Cut(step, " "); name {
		case "say":
			prepare(t, portal, step)
		case "group":
			var members []imbot.ID
			for _, id := range strings.Fields(params) {
				n, err := strconv.ParseInt(id, 10, 64)
				require.NoError(t, err)
				members = append(members, imbot.ID(n))
			}
			portal.AddChat("Group", members...)
		case "posts":
			require.NoError(t, portal.Idle(t.Context()))
			for shown = ""; len(posts) > 0; {
				shown += <-posts + "\n"
			}
		case "length":
			shown = strconv.Itoa(len(lastOf(portal, "102").Text))
		case "wrong":
			name, params = "profile", "{}"
			fallthrough
		default:
			address := portal.Webhook("").URL
			if step == "wrong secret" {
				address = strings.TrimSuffix(address, "/") + "0/"
			}
			resp, err := portal.HTTPClient().Post(address+name, "application/json", strings.NewReader(params))
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			shown = fmt.Sprint(resp.StatusCode, " ", string(body), " ", resp.Header)
		}
	}
	return shown
}
