package imbottest_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

// The ids that newV2Portal adds to those of the test portal.
const (
	gamma    = 105 // bot of token "three", fetches its events
	crew     = 1002
	help     = 702   // command /help of gamma
	hello2   = 50001 // message of gamma
	overhead = 50002 // system message of gamma
)

const crewDialog = imbot.DialogID("chat1002")

const (
	asGamma = `"botToken":"three","botId":105`
	inCrew  = asGamma + `,"dialogId":"chat1002"`
)

// v2Steps make gamma, its chat with Anna, a command and two messages.
var v2Steps = []string{
	`imbot.v2.Bot.register {"fields":{"botToken":"three","code":"gamma","properties":{"name":"Gamma"}}}`,
	`imbot.chat.add {"CLIENT_ID":"three","BOT_ID":105,"USERS":[101],"TITLE":"Crew","COLOR":"MINT"}`,
	`imbot.v2.Command.register {` + asGamma + `,"fields":{"command":"help","title":{"en":"Help"},"params":{"en":"topic"}}}`,
	`imbot.v2.Chat.Message.send {` + inCrew + `,"fields":{"message":"hello"}}`,
	`imbot.v2.Chat.Message.send {` + inCrew + `,"fields":{"message":"notice","system":true}}`,
}

// newV2Portal is newTestPortal with a bot of the second generation.
func newV2Portal(t *testing.T) *imbottest.Portal {
	t.Helper()
	portal := newTestPortal(t)
	for _, step := range v2Steps {
		prepare(t, portal, step)
	}
	return portal
}

// readV2 returns the methods with their codes.
func readV2(t *testing.T) map[string][]string {
	t.Helper()
	data, err := os.ReadFile("../imbotv2/testdata/spec/imbot-v2.json")
	require.NoError(t, err)
	var methods []struct {
		Method string
		Errors []struct {
			Code string
			HTTP int
		}
	}
	require.NoError(t, json.Unmarshal(data, &methods))
	codes := map[string][]string{}
	for _, m := range methods {
		codes[m.Method] = []string{}
		for _, e := range m.Errors {
			require.Equal(t, http.StatusBadRequest, e.HTTP)
			codes[m.Method] = append(codes[m.Method], e.Code)
		}
	}
	require.Len(t, codes, 40)
	return codes
}

// TestEveryErrorOfTheSecondGeneration provokes each documented error, and makes two
// mistakes at once to see that the checks come in the order of the server: token, bot, other
// parameters (code 100), and what belongs to the method.
func TestEveryErrorOfTheSecondGeneration(t *testing.T) {
	t.Parallel()
	tables := map[string]checked{}
	for _, c := range v2Checks() {
		c.before = slices.Concat(v2Steps, c.before)
		tables[c.method] = c
	}
	for method, documented := range readV2(t) {
		c, ok := tables[method]
		require.True(t, ok, "%s is not in the tables", method)
		provoked := slices.DeleteFunc(c.codes(), func(code string) bool { return code == "100" }) // a code of the whole system
		slices.Sort(provoked)
		require.ElementsMatch(t, documented, slices.Compact(provoked), "the checks of %s", method)
		t.Run(method, func(t *testing.T) {
			c.shared = c.newPortal(t)
			status, body := c.call(t, nil)
			require.Equal(t, http.StatusOK, status, "the right call: %s", body)
			for i, first := range c.checks {
				if first.except != "" {
					continue
				}
				want := documentedError{Code: first.code, HTTP: http.StatusBadRequest}
				t.Run(first.code+" "+first.params, func(t *testing.T) {
					require.NoError(t, c.gets(t, want, first))
					for _, j := range c.after(i) {
						require.NoError(t, c.gets(t, want, c.checks[j], first), "before %s", c.checks[j].code)
					}
				})
			}
		})
	}
}

// v2Checks has for each method a right call and the mistakes in the order of the checks.
func v2Checks() []checked {
	const (
		asSeer   = `"botToken":"three","botId":106`
		byServer = "the codes of imbot.v2.File.upload are more likely: TestAPersonsFilesFailAsDocumented"
	)
	seer := []string{ // a supervisor, and a message of a dialog that is none of its
		`imbot.v2.Bot.register {"fields":{"botToken":"three","code":"seer","type":"supervisor","properties":{"name":"Seer"}}}`,
		`imbot.v2.Chat.User.add {` + inCrew + `,"userIds":[106]}`, `say 1 hi`,
	}
	private := []string{`imbot.v2.Chat.Message.send {` + asGamma + `,"dialogId":"101","fields":{"message":"x"}}`}
	file := []string{`imbot.v2.File.upload {` + inCrew + `,"fields":{"name":"a.txt","content":"YQ=="}}`}
	after := func(steps []string, c checked) checked { c.before = steps; return c }
	bot := []check{
		{code: "BOT_TOKEN_NOT_SPECIFIED", params: `"botToken":null`}, {code: "BOT_ID_REQUIRED", params: `"botId":null`},
		{code: "BOT_NOT_FOUND", params: `"botId":99`}, {code: "BOT_OWNERSHIP_ERROR", params: `"botId":103`},
	}
	owned := func(method, params string, checks ...check) checked {
		return checked{method: "imbot.v2." + method, params: params, checks: slices.Concat(bot, checks)}
	}
	dialog := func(code, id string) check { return check{code: code, params: `"dialogId":"` + id + `"`} }
	missing := func(name string) check { return check{code: "100", params: `"` + name + `":null`} }
	field := func(code, members string) check { return check{code: code, params: `"fields":{` + members + `}`} }
	refused := func(code, method string) check { return check{code: code, act: veto("imbot.v2." + method)} }
	avatars := []check{
		field("BOT_AVATAR_INCORRECT_TYPE", `"properties":{"avatar":"dGV4dA=="}`),
		field("BOT_AVATAR_INCORRECT_SIZE", `"properties":{"avatar":"`+png(5001)+`"}`),
	}
	return []checked{
		{method: "imbot.v2.Bot.register", params: `"fields":{"botToken":"new","code":"new","type":"bot","eventMode":"webhook",` +
			`"webhookUrl":"` + eventURL + `","properties":{"name":"New","avatar":"` + png(5000) + `"}}`, checks: slices.Concat([]check{
			field("BOT_TOKEN_NOT_SPECIFIED", `"botToken":null`), field("BOT_TOKEN_INVALID_LENGTH", `"botToken":"`+long(41)+`"`),
			field("BOT_CODE_REQUIRED", `"code":null`), field("BOT_PROPERTIES_REQUIRED", `"properties":null`),
			field("BOT_INVALID_EVENT_MODE", `"eventMode":"push"`), field("BOT_WEBHOOK_URL_REQUIRED", `"webhookUrl":null`),
			field("BOT_CODE_ALREADY_TAKEN", `"code":"alpha"`), {code: "BOT_LIMIT_EXCEEDED", act: hundredBots, name: "full"},
			field("BOT_INVALID_TYPE", `"type":"human"`), field("BOT_INVALID_CALLBACK", `"webhookUrl":"ftp://bot.example.com/"`),
		}, avatars, []check{{code: "BOT_REGISTER_FAILED", act: veto("imbot.v2.Bot.register"), undoes: "full"}})},
		owned("Bot.update", asGamma+`,"fields":{"eventMode":"webhook","webhookUrl":"`+eventURL+`","botToken":"four","properties":{"name":"G"}}`, slices.Concat([]check{
			missing("fields"), field("BOT_INVALID_EVENT_MODE", `"eventMode":"push"`),
		}, avatars, []check{
			field("BOT_TOKEN_ROTATION_FAILED", `"botToken":"one"`), field("BOT_TOKEN_ROTATION_FAILED", `"botToken":"`+long(41)+`"`),
			field("BOT_INVALID_CALLBACK", `"webhookUrl":"bot.example.com"`),
		})...),
		{method: "imbot.v2.Bot.get", params: asGamma, checks: []check{
			bot[0], {code: "PARAMS_REQUIRED", params: `"botId":null,"code":null`}, {code: "BOT_NOT_FOUND", params: `"botId":99`},
			{code: "BOT_NOT_FOUND", params: `"botId":null,"code":"nobody"`},
		}},
		{method: "imbot.v2.Bot.list", params: `"botToken":"three"`, checks: bot[:1]},
		owned("Bot.unregister", asGamma, refused("BOT_UNREGISTER_FAILED", "Bot.unregister")),
		owned("Chat.get", inCrew, missing("dialogId"), check{code: "CHAT_NOT_FOUND", params: `"dialogId":"chat99"`},
			check{code: "ACCESS_DENIED", params: `"dialogId":"chat1001"`}),
		owned("Chat.InputAction.notify", inCrew, missing("dialogId"), check{code: "ACCESS_DENIED", params: `"dialogId":"chat1001"`}),
		owned("Chat.Message.send", inCrew+`,"fields":{"message":"x"}`, missing("dialogId"), check{code: "100", params: `"dialogId":1002`},
			check{code: "ACCESS_DENIED", params: `"dialogId":"chat1001"`}, field("EMPTY_MESSAGE", `"message":["x"]`),
			field("PARAM_ATTACH_ERROR", `"attach":[{"COFFEE":1}]`), check{code: "PARAM_ATTACH_ERROR", params: `"fields":{"attach":[{"MESSAGE":"` + long(60_000) + `"}]}`, large: true},
			field("PARAM_KEYBOARD_ERROR", `"keyboard":[{"TEXT":" "}]`), field("TOO_MANY_MESSAGES", `"forwardIds":{`+manyUUIDs(101)+`}`),
			field("WRONG_UUID", `"forwardIds":{"x":50001}`), field("ACCESS_DENIED", `"forwardIds":{"`+aUUID+`":99}`), field("EMPTY_MESSAGE", `"message":" \n"`),
			field("REPLY_ERROR", `"replyId":99`), refused("SENDING_FAILED", "Chat.Message.send")),
		owned("Chat.Message.update", asGamma+`,"messageId":50001,"fields":{"message":"y"}`, missing("messageId"), missing("fields"),
			check{code: "ACCESS_DENIED", params: `"messageId":99`}, check{code: "ACCESS_DENIED", params: `"messageId":50002`},
			check{code: "PARAM_ATTACH_ERROR", params: `"fields":{"attach":{"BLOCKS":[{"MESSAGE":"` + long(60_000) + `"}]}}`, large: true}),
		owned("Chat.Message.delete", asGamma+`,"messageId":50001`, missing("messageId"), check{code: "ACCESS_DENIED", params: `"messageId":99`},
			check{code: "CANT_EDIT_MESSAGE", params: `"messageId":50002`}),
		owned("Chat.Message.read", inCrew, missing("dialogId"), check{code: "ACCESS_DENIED", params: `"dialogId":"chat1001"`},
			check{code: "MESSAGE_NOT_FOUND", params: `"messageId":99`}),
		owned("Command.register", asGamma+`,"fields":{"command":"new","title":{"en":"New"}}`, missing("fields"),
			field("COMMAND_NAME_INVALID", `"command":["new"]`), field("COMMAND_REQUIRED", `"command":null`),
			field("COMMAND_TITLE_REQUIRED", `"title":null`), refused("COMMAND_REGISTER_FAILED", "Command.register")),
		otherCommand(owned("Command.update", asGamma+`,"commandId":702,"fields":{"command":"ask","title":{"en":"Ask"}}`, missing("commandId"), missing("fields"),
			check{code: "COMMAND_NOT_FOUND", params: `"commandId":701`}, field("COMMAND_NAME_INVALID", `"command":["ask"]`),
			field("COMMAND_NAME_EMPTY", `"command":""`), field("COMMAND_ALREADY_EXISTS", `"command":"other"`), field("COMMAND_TITLE_INVALID", `"title":"Ask"`))),
		owned("Command.list", asGamma),
		owned("Command.unregister", asGamma+`,"commandId":702`, missing("commandId"), check{code: "COMMAND_NOT_FOUND", params: `"commandId":701`}),
		owned("Command.answer", inCrew+`,"commandId":702,"messageId":50001,"fields":{"message":"x"}`, missing("commandId"), missing("messageId"), missing("dialogId"),
			check{code: "COMMAND_ANSWER_FAILED", params: `"commandId":701`}, check{code: "COMMAND_ANSWER_FAILED", params: `"dialogId":"chat1001"`},
			check{code: "COMMAND_ANSWER_FAILED", params: `"messageId":99`}, field("COMMAND_ANSWER_FAILED", `"message":" "`)),
		owned("Event.get", asGamma, check{code: "SCOPE_ERROR", except: "needs a portal with fewer scopes: TestEventsOfPeopleNeedTheirScope"},
			check{code: "AUTH_ERROR", except: "every call has a user here"}, check{code: "USER_NOT_SUBSCRIBED", params: `"withUserEvents":true`}),
		{method: "imbot.v2.Revision.get"},
		owned("Chat.add", asGamma, check{code: "ACCESS_DENIED", act: denyAdmin}, refused("CREATION_ERROR", "Chat.add")),
		after(private, owned("Chat.update", inCrew+`,"fields":{"title":"x"}`, missing("dialogId"), dialog("CHAT_NOT_FOUND", "chat99"),
			dialog("ACCESS_DENIED", "chat1001"), dialog("WRONG_MESSAGE_TYPE", "101"))),
		after(private, owned("Chat.leave", inCrew, missing("dialogId"), dialog("ACCESS_DENIED", "chat1001"), dialog("ACCESS_DENIED", "101"))),
		after(private, owned("Chat.setOwner", inCrew+`,"userId":101`, missing("userId"), missing("dialogId"), dialog("CHAT_NOT_FOUND", "chat99"),
			dialog("ACCESS_DENIED", "chat1001"), dialog("ACCESS_DENIED", "101"))),
		owned("Chat.User.add", inCrew+`,"userIds":[102]`, missing("dialogId"), dialog("CHAT_NOT_FOUND", "chat99"), dialog("ACCESS_DENIED", "chat1001")),
		owned("Chat.User.delete", inCrew+`,"userId":101`, missing("userId"), missing("dialogId"), dialog("ACCESS_DENIED", "chat1001")),
		owned("Chat.User.list", inCrew, missing("dialogId"), dialog("ACCESS_DENIED", "chat1001")),
		after(private, owned("Chat.Manager.add", inCrew+`,"userIds":[101]`, missing("dialogId"), dialog("CHAT_NOT_FOUND", "chat99"),
			dialog("ACCESS_DENIED", "chat1001"), dialog("WRONG_MESSAGE_TYPE", "101"), check{code: "EMPTY_USER_IDS", params: `"userIds":[]`})),
		after(private, owned("Chat.Manager.delete", inCrew+`,"userIds":[101]`, missing("dialogId"), dialog("CHAT_NOT_FOUND", "chat99"),
			dialog("ACCESS_DENIED", "chat1001"), dialog("WRONG_MESSAGE_TYPE", "101"), check{code: "EMPTY_USER_IDS", params: `"userIds":null`})),
		after(seer, owned("Chat.Message.get", asSeer+`,"messageId":50001`, missing("messageId"), check{code: "BOT_TYPE_NOT_ALLOWED", params: `"botId":105`})),
		after(seer, owned("Chat.Message.getContext", asSeer+`,"messageId":50001`, missing("messageId"), check{code: "BOT_TYPE_NOT_ALLOWED", params: `"botId":105`},
			check{code: "MESSAGE_NOT_FOUND", params: `"messageId":99`}, check{code: "MESSAGE_ACCESS_DENIED", params: `"messageId":50003`})),
		owned("Chat.Message.Reaction.add", asGamma+`,"messageId":50001,"reaction":"like"`, missing("messageId"), missing("reaction"),
			check{code: "ACCESS_DENIED", params: `"messageId":99`}, check{code: "REACTION_NOT_FOUND", params: `"reaction":"Like"`},
			check{code: "REACTION_ALREADY_SET", act: likeFirst}),
		owned("Chat.Message.Reaction.delete", asGamma+`,"messageId":50001,"reaction":"like"`, missing("messageId"), missing("reaction"),
			check{code: "ACCESS_DENIED", params: `"messageId":99`}, check{code: "REACTION_NOT_FOUND", params: `"reaction":""`}),
		owned("Chat.TextField.enabled", inCrew+`,"enabled":"N"`, missing("dialogId"), dialog("ACCESS_DENIED", "chat1001")),
		owned("File.upload", inCrew+`,"fields":{"name":"a.txt","content":"YQ=="}`, missing("fields"), missing("dialogId"),
			field("FILE_EMPTY", `"content":""`), field("FILE_EMPTY", `"name":"0"`), check{code: "FILE_TOO_LARGE", except: "TestAFileThatIsTooLarge"},
			field("FILE_INVALID_CONTENT", `"content":"data:,a"`), check{code: "FILE_UPLOAD_FAILED", act: removeDrive},
			check{code: "FILE_FOLDER_ERROR", act: veto("imbot.v2.File.upload"), name: "folder"},
			check{code: "FILE_SEND_FAILED", act: veto("imbot.v2.Chat.Message.send"), undoes: "folder"}),
		after(file, owned("File.download", asGamma+`,"fileId":9001`, missing("fileId"), check{code: "DISK_NOT_INSTALLED", act: removeDrive},
			check{code: "FILE_NOT_FOUND", params: `"fileId":99`}, check{code: "FILE_ACCESS_ERROR", act: leaveCrew})),
		{method: "im.v2.Event.subscribe"}, {method: "im.v2.Event.unsubscribe"}, {method: "im.v2.Event.get"},
		after([]string{`imbot.v2.Chat.User.add {` + inCrew + `,"userIds":[1]}`}, checked{method: "im.v2.File.upload", params: `"dialogId":"chat1002","fields":{"name":"a.txt","content":"YQ=="}`, checks: []check{
			missing("dialogId"), missing("fields"), dialog("CHAT_NOT_FOUND", "chat99"), dialog("ACCESS_DENIED", "chat1001"),
			field("FILE_EMPTY", `"content":""`), {code: "FILE_TOO_LARGE", except: "TestAFileThatIsTooLarge"}, field("FILE_INVALID_CONTENT", `"content":"%"`),
			{code: "FILE_UPLOAD_FAILED", act: removeDrive}, {code: "FILE_FOLDER_ERROR", act: veto("im.v2.File.upload"), name: "folder"},
			{code: "FILE_SEND_FAILED", act: veto("imbot.v2.Chat.Message.send"), undoes: "folder"},
			{code: "FOLDER_ERROR", except: byServer}, {code: "UPLOAD_FAILED", except: byServer}, {code: "SEND_FAILED", except: byServer},
		}}),
		after(append([]string{`imbot.v2.Chat.User.add {` + inCrew + `,"userIds":[1]}`}, file...), checked{method: "im.v2.File.download", params: `"dialogId":"chat1002","fileId":9001`, checks: []check{
			missing("fileId"), {code: "DISK_NOT_INSTALLED", act: removeDrive}, {code: "FILE_NOT_FOUND", params: `"fileId":99`},
			{code: "FILE_ACCESS_ERROR", act: adminLeavesCrew}, {code: "ACCESS_DENIED", except: byServer},
		}}),
		{method: "im.v2.Chat.Bot.sendContext", params: `"dialogId":"105","context":{"a":1}`, checks: []check{missing("dialogId"), {code: "BOT_CONTEXT_ERROR", params: `"context":"a"`}}},
	}
}

func otherCommand(c checked) checked {
	c.before = []string{`imbot.v2.Command.register {` + asGamma + `,"fields":{"command":"other","hidden":true}}`}
	return c
}

// hundredBots registers as many bots of the token "new" as an application may have.
func hundredBots(t *testing.T, portal *imbottest.Portal) {
	for i := range 100 {
		prepare(t, portal, `imbot.v2.Bot.register {"fields":{"botToken":"new","code":"`+long(i+1)+`","properties":{"name":"B"}}}`)
	}
}

// png is the beginning of a picture that is as wide.
func png(width uint32) string {
	data := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), make([]byte, 8)...)
	binary.BigEndian.PutUint32(data[16:], width)
	return base64.StdEncoding.EncodeToString(data)
}

func denyAdmin(t *testing.T, portal *imbottest.Portal) { require.NoError(t, portal.Deny(1)) }

func removeDrive(_ *testing.T, portal *imbottest.Portal) { portal.RemoveDrive() }

func likeFirst(t *testing.T, portal *imbottest.Portal) {
	prepare(t, portal, `imbot.v2.Chat.Message.Reaction.add {`+asGamma+`,"messageId":50001,"reaction":"like"}`)
}

func leaveCrew(t *testing.T, portal *imbottest.Portal) {
	prepare(t, portal, `imbot.v2.Chat.leave {`+inCrew+`}`)
}

func adminLeavesCrew(t *testing.T, portal *imbottest.Portal) {
	prepare(t, portal, `imbot.v2.Chat.User.delete {`+inCrew+`,"userId":1}`)
}

// manyUUIDs are the members of an object with as many keys.
func manyUUIDs(n int) string {
	var members []string
	for i := range n {
		members = append(members, fmt.Sprintf(`"00000000-0000-4000-8000-%012d":50001`, i))
	}
	return strings.Join(members, ",")
}

func TestEventsOfPeopleNeedTheirScope(t *testing.T) {
	t.Parallel()
	portal := newPortal(t, imbottest.WithScope("imbot"))
	prepare(t, portal, `imbot.v2.Bot.register {"fields":{"botToken":"three","code":"gamma","properties":{"name":"Gamma"}}}`)
	require.Equal(t, "400 SCOPE_ERROR", post(t, portal, "imbot.v2.Event.get", `{"botToken":"three","botId":101,"withUserEvents":true}`))
}

// The documentation has codes of its own for files of people.
func TestAPersonsFilesFailAsDocumented(t *testing.T) {
	t.Parallel()
	const send = `im.v2.File.upload {"dialogId":"chat1002","fields":{"name":"a.txt","content":"YQ=="}}`
	for code, row := range map[string]struct {
		act  func(*testing.T, *imbottest.Portal)
		call string
	}{
		"FOLDER_ERROR":  {veto("im.v2.File.upload"), send},
		"UPLOAD_FAILED": {removeDrive, send},
		"SEND_FAILED":   {veto("imbot.v2.Chat.Message.send"), send},
		"ACCESS_DENIED": {adminLeavesCrew, `im.v2.File.download {"fileId":9001}`},
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			portal := newTestPortal(t, imbottest.WithOther(imbottest.DoubtFileCodes))
			for _, step := range slices.Concat(v2Steps, []string{
				`imbot.v2.Chat.User.add {` + inCrew + `,"userIds":[1]}`, `imbot.v2.File.upload {` + inCrew + `,"fields":{"name":"a.txt","content":"YQ=="}}`,
			}) {
				prepare(t, portal, step)
			}
			row.act(t, portal)
			method, params, _ := strings.Cut(row.call, " ")
			require.Equal(t, "400 "+code, post(t, portal, method, params))
		})
	}
}
