package imbotv2

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// The tests of this file hold the package against the description of the methods: a method,
// a parameter, a field of an object or a code that is missing fails.

// left are the methods that have no type; [imbot.Client.Call] calls them.
var left = []string{"im.v2.Chat.Bot.sendContext"} // not documented

// fillings are requests with a value in every field, and what decodes their results.
var fillings = []struct {
	request interface{ Method() string }
	decode  func([]byte) (any, error)
}{
	{fullRegister, decoder(fullRegister)}, {fullUpdate, decoder(fullUpdate)}, {BotGetRequest{1, "a"}, decoder(BotGetRequest{})},
	{BotListRequest{BotTypeBot, 1, 1}, decoder(BotListRequest{})}, {BotUnregisterRequest{BotID: 1}, decoder(BotUnregisterRequest{})},
	{ChatGetRequest{1, "chat5"}, decoder(ChatGetRequest{})}, {ChatNotifyActionRequest{BotID: 1, DialogID: "chat5", Status: ActionThinking, Duration: time.Minute}, decoder(ChatNotifyActionRequest{})},
	{fullSend, decoder(fullSend)}, {fullChange, decoder(fullChange)}, {MessageDeleteRequest{BotID: 1, MessageID: 2, Complete: imbot.Yes}, decoder(MessageDeleteRequest{})},
	{MessageReadRequest{1, "chat5", 2}, decoder(MessageReadRequest{})},
	{fullCommand, decoder(fullCommand)}, {fullCommandUpdate, decoder(fullCommandUpdate)}, {CommandListRequest{1}, decoder(CommandListRequest{})},
	{CommandUnregisterRequest{BotID: 1, CommandID: 2}, decoder(CommandUnregisterRequest{})}, {fullAnswer, decoder(fullAnswer)},
	{FileUploadRequest{1, "chat5", "a.txt", []byte("a"), "b"}, decoder(FileUploadRequest{})}, {FileDownloadRequest{1, 2}, decoder(FileDownloadRequest{})},
	{EventGetRequest{1, 2, 3, true}, decoder(EventGetRequest{})}, {RevisionGetRequest{}, decoder(RevisionGetRequest{})},
	{fullChat, decoder(fullChat)}, {fullChatUpdate, decoder(fullChatUpdate)}, {ChatLeaveRequest{BotID: 1, DialogID: "chat5"}, decoder(ChatLeaveRequest{})},
	{ChatSetOwnerRequest{BotID: 1, DialogID: "chat5", UserID: 2}, decoder(ChatSetOwnerRequest{})},
	{ChatAddUsersRequest{BotID: 1, DialogID: "chat5", UserIDs: []imbot.ID{2}}, decoder(ChatAddUsersRequest{})},
	{ChatDeleteUserRequest{BotID: 1, DialogID: "chat5", UserID: 2}, decoder(ChatDeleteUserRequest{})},
	{ChatListUsersRequest{1, "chat5", 2, ByID, false}, decoder(ChatListUsersRequest{})}, {ChatListUsersRequest{1, "chat5", 2, ByLastMessage, true}, decoder(ChatListUsersRequest{})},
	{ChatListUsersRequest{1, "chat5", 2, ByUserID, false}, decoder(ChatListUsersRequest{})},
	{ChatAddManagersRequest{BotID: 1, DialogID: "chat5", UserIDs: []imbot.ID{2}}, decoder(ChatAddManagersRequest{})},
	{ChatDeleteManagersRequest{BotID: 1, DialogID: "chat5", UserIDs: []imbot.ID{2}}, decoder(ChatDeleteManagersRequest{})},
	{ChatSetTextFieldRequest{BotID: 1, DialogID: "chat5", Enabled: imbot.No}, decoder(ChatSetTextFieldRequest{})},
	{MessageForwardRequest{1, "chat5", "a", []imbot.ID{2}}, decoder(MessageForwardRequest{})}, {MessageGetRequest{1, 2}, decoder(MessageGetRequest{})},
	{MessageGetContextRequest{1, 2, 3}, decoder(MessageGetContextRequest{})},
	{MessageAddReactionRequest{BotID: 1, MessageID: 2, Reaction: ReactionLike}, decoder(MessageAddReactionRequest{})},
	{MessageDeleteReactionRequest{BotID: 1, MessageID: 2, Reaction: ReactionLike}, decoder(MessageDeleteReactionRequest{})},
	{UserEventSubscribeRequest{}, decoder(UserEventSubscribeRequest{})}, {UserEventUnsubscribeRequest{}, decoder(UserEventUnsubscribeRequest{})},
	{UserEventGetRequest{2, 3}, decoder(UserEventGetRequest{})},
	{UserFileUploadRequest{"chat5", "a.txt", []byte("a"), "b"}, decoder(UserFileUploadRequest{})}, {UserFileDownloadRequest{"chat5", 2}, decoder(UserFileDownloadRequest{})},
}

func decoder[R any](req imbot.Request[R]) func([]byte) (any, error) {
	return func(data []byte) (any, error) { return req.Decode(data) }
}

var (
	text         = "text"
	attach       = &imbot.Attach{Blocks: []imbot.Block{imbot.BlockMessage("a")}}
	keyboard     = &imbot.Keyboard{Rows: [][]imbot.Button{{{Text: "A", Action: imbot.ActionCommand{Command: "a"}}}}}
	fullRegister = BotRegisterRequest{
		Code: "a", Properties: fullProperties, Type: BotTypeBot, EventMode: EventModeWebhook, WebhookURL: "https://bot.example.com/", IsHidden: imbot.Yes,
		IsReactionsEnabled: imbot.No, IsSupportOpenline: imbot.Yes, BackgroundID: BackgroundMint,
	}
	fullProperties = BotProperties{"A", "B", "C", imbot.ColorLightBlue, imbot.GenderMale, []byte("png")}
	fullUpdate     = BotUpdateRequest{1, &fullProperties, EventModeWebhook, "https://bot.example.com/", imbot.Yes, imbot.No, imbot.Yes, BackgroundMint, "new-token"}
	fullSend       = MessageSendRequest{1, "chat5", "a", attach, keyboard, imbot.No, imbot.No, imbot.Yes, imbot.Yes, 7, "12345678-1234-4123-8123-123456789012"}
	fullChange     = MessageUpdateRequest{BotID: 1, MessageID: 2, Message: &text, Attach: attach, Keyboard: keyboard, URLPreview: imbot.No}
	fullCommand    = CommandRegisterRequest{1, "/a", map[string]string{"en": "A"}, map[string]string{"en": "x"}, imbot.Yes, imbot.No, imbot.Yes}
	fullChat       = ChatAddRequest{1, ChatTypeOpen, "A", "B", imbot.ColorLightBlue, []byte(pixel), []imbot.ID{2, 3}, 2, "C"}
	fullChatUpdate = ChatUpdateRequest{BotID: 1, DialogID: "chat5", Title: "A", Description: &text, Color: imbot.ColorMint, Avatar: []byte(pixel)}
	fullAnswer     = CommandAnswerRequest{BotID: 1, CommandID: 2, MessageID: 3, DialogID: "chat5", Message: "a", Attach: attach, Keyboard: keyboard, System: imbot.Yes, URLPreview: imbot.No}

	fullCommandUpdate = CommandUpdateRequest{1, 2, "a", map[string]*string{"en": &text, "de": nil}, map[string]*string{"en": &text}, imbot.Yes, imbot.No, imbot.Yes}
)

// pixel is a picture of one pixel.
const pixel = "GIF89a\x01\x00\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"

type specParam struct {
	Name   string
	Type   string
	Enum   []string
	Fields []specParam
}

type specMethod struct {
	Method string
	Doc    string
	Params []specParam
	Errors []struct{ Code string }
}

func readSpec[T any](t *testing.T, name string) (v T) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "spec", name))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &v))
	return v
}

func TestEveryMethodIsHereOrLeft(t *testing.T) {
	t.Parallel()
	var here, described []string
	for _, f := range fillings {
		here = append(here, f.request.Method())
	}
	for _, m := range readSpec[[]specMethod](t, "imbot-v2.json") {
		described = append(described, m.Method)
	}
	slices.Sort(here)
	require.ElementsMatch(t, described, append(slices.Compact(here), left...), "some are those of several requests")
}

// notSent are parameters that a request has no field for, and why.
var notSent = map[string]string{
	"botToken":          "comes from the credentials",
	"fields.botToken":   "of a new bot comes from the credentials",
	"fields.menu":       "is not documented",
	"fields.entityType": "is not documented",
	"fields.entityId":   "is not documented",
}

func TestEveryParameterIsSent(t *testing.T) {
	t.Parallel()
	methods := map[string]specMethod{}
	for _, m := range readSpec[[]specMethod](t, "imbot-v2.json") {
		methods[m.Method] = m
	}
	sent := map[string]map[string]bool{} // the paths of all requests of a method
	for _, f := range fillings {
		data, err := json.Marshal(f.request)
		require.NoError(t, err)
		var object map[string]any
		require.NoError(t, json.Unmarshal(data, &object))
		paths := sent[f.request.Method()]
		if paths == nil {
			paths = map[string]bool{}
			sent[f.request.Method()] = paths
		}
		var walk func(prefix string, object map[string]any)
		walk = func(prefix string, object map[string]any) {
			for name, value := range object {
				paths[prefix+name] = value != nil
				if inner, ok := value.(map[string]any); ok {
					walk(prefix+name+".", inner)
				}
			}
		}
		walk("", object)
	}
	for method, paths := range sent {
		var walk func(prefix string, params []specParam)
		walk = func(prefix string, params []specParam) {
			for _, p := range params {
				path := prefix + p.Name
				if _, out := notSent[path]; out && (path != "fields.botToken" || method != "imbot.v2.Bot.update") {
					continue
				}
				require.True(t, paths[path], "%s sends no %s: %v", method, path, paths)
				walk(path+".", p.Fields)
			}
		}
		walk("", methods[method].Params)
	}
}

func TestEveryDocumentedAnswerIsDecoded(t *testing.T) {
	t.Parallel()
	for _, f := range fillings {
		data, err := os.ReadFile(filepath.Join("testdata", "rest", f.request.Method()+".ok.json"))
		require.NoError(t, err)
		var answer struct{ Result json.RawMessage }
		require.NoError(t, json.Unmarshal(data, &answer))
		result, err := f.decode(answer.Result)
		require.NoError(t, err, f.request.Method())
		if _, ok := result.(imbot.OK); !ok {
			require.NotZero(t, result, f.request.Method())
		}
		for _, none := range []string{`null`, `false`, `[]`, `{}`, `"no"`} {
			if _, isPage := result.(EventGetResult); isPage || reflect.TypeOf(result).Kind() == reflect.Slice {
				continue // an empty list is one, too
			}
			if _, isList := result.(BotListResult); isList {
				continue
			}
			_, err := f.decode([]byte(none))
			require.Error(t, err, "%s %s", f.request.Method(), none)
		}
	}
}

// codes are the names of the constants by their codes, of this package and of imbot.
func codes(t *testing.T) map[string]string {
	t.Helper()
	names := map[string]string{}
	constant := regexp.MustCompile(`(?m)^\s+(Err\w+)\s+(?:imbot\.)?ErrorCode = "([^"]+)"`)
	for file, prefix := range map[string]string{"errors.go": "", "../errors.go": "imbot."} {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, found := range constant.FindAllStringSubmatch(string(data), -1) {
			names[strings.ToUpper(found[2])] = prefix + found[1]
		}
	}
	own, err := os.ReadFile("errors.go")
	require.NoError(t, err)
	for _, again := range regexp.MustCompile(`(?m)^\s+(Err\w+)\s+= imbot\.(Err\w+)$`).FindAllStringSubmatch(string(own), -1) {
		for code, name := range names {
			if name == "imbot."+again[2] {
				names[code] = again[1]
			}
		}
	}
	return names
}

func TestEveryCodeHasAConstant(t *testing.T) {
	t.Parallel()
	names := codes(t)
	for _, m := range readSpec[[]specMethod](t, "imbot-v2.json") {
		for _, e := range m.Errors {
			require.Contains(t, names, strings.ToUpper(e.Code), m.Method)
		}
	}
	type coded struct{ Code string }
	all := readSpec[struct {
		Index  []coded `json:"error_index"`
		Legacy []coded `json:"legacy_errors"`
		System []coded `json:"system_errors"`
	}](t, "imbot-v2-entities.json")
	for _, e := range slices.Concat(all.Index, all.Legacy, all.System) {
		require.Contains(t, names, strings.ToUpper(e.Code))
	}
}

// The comment of each method of a service names the REST method, its codes and its page.
func TestCommentsNameTheErrorsAndThePage(t *testing.T) {
	t.Parallel()
	comments := map[string]string{}
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		require.NoError(t, err)
		for _, decl := range parsed.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if ok && f.Recv != nil && f.Doc != nil && f.Name.IsExported() {
				if found := regexp.MustCompile(`REST\s+method:\s+([\w.]+)\.`).FindStringSubmatch(f.Doc.Text()); found != nil {
					comments[found[1]] += strings.Join(strings.Fields(f.Doc.Text()), " ")
				}
			}
		}
	}
	names := codes(t)
	for _, m := range readSpec[[]specMethod](t, "imbot-v2.json") {
		if slices.Contains(left, m.Method) {
			continue
		}
		comment := comments[m.Method]
		require.NotEmpty(t, comment, m.Method)
		require.Contains(t, comment, "Page: "+strings.TrimSuffix(m.Doc, ".md")+".html", m.Method)
		for _, e := range m.Errors {
			require.Contains(t, comment, "["+names[strings.ToUpper(e.Code)]+"]", m.Method)
		}
	}
}

// The documented reactions are constants, and no others.
func TestEveryReactionHasAConstant(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("reaction.go")
	require.NoError(t, err)
	var here []string
	for _, found := range regexp.MustCompile(`(?m)^\tReaction(\w+) +Reaction = "(\w+)"$`).FindAllStringSubmatch(string(source), -1) {
		require.Equal(t, found[1], strings.ToUpper(found[2][:1])+found[2][1:])
		here = append(here, found[2])
	}
	require.Len(t, here, 48)
	for _, m := range readSpec[[]specMethod](t, "imbot-v2.json") {
		for _, p := range m.Params {
			if p.Name == "reaction" {
				require.Equal(t, p.Enum, here, m.Method)
			}
		}
	}
	require.NoError(t, checkReaction("thumbsUp"), "the set is open")
}

// Every field of an object that the description has is decoded: an object with a value in each
// leaves no field of the type zero.
func TestEveryFieldOfAnEntityIsDecoded(t *testing.T) {
	t.Parallel()
	type entity struct {
		Name   string
		Fields []specParam
	}
	entities := map[string]entity{}
	for _, e := range readSpec[struct{ Entities []entity }](t, "imbot-v2-entities.json").Entities {
		entities[e.Name] = e
	}
	for name, decode := range map[string]func(fields) any{
		"User":    func(f fields) any { return f.user() },
		"Bot":     func(f fields) any { return f.bot() },
		"Chat":    func(f fields) any { return f.chat() },
		"Message": func(f fields) any { return f.message() },
		"File":    func(f fields) any { return f.file() },
		"Command": func(f fields) any { return f.command() },
	} {
		object := sampleOf(entities[name].Fields)
		if name == "Message" {
			params := sampleOf(entities["MessageParams"].Fields)
			params["ATTACH"] = []any{map[string]any{"BLOCKS": []any{map[string]any{"MESSAGE": "a"}}}}
			params["KEYBOARD"] = []any{map[string]any{"TYPE": "BUTTON", "TEXT": "A", "LINK": "/a"}}
			object["params"] = params
		}
		data, err := json.Marshal(object)
		require.NoError(t, err)
		f, err := result(data)
		require.NoError(t, err)
		entity := decode(f)
		requireFull(t, name, reflect.ValueOf(entity))
		if m, ok := entity.(Message); ok {
			require.Equal(t, imbot.Attach{Blocks: []imbot.Block{imbot.BlockMessage("a")}}, m.Attach())
			require.Equal(t, "A", m.Keyboard().Rows[0][0].Text)
			for _, p := range entities["MessageParams"].Fields {
				require.NotEmpty(t, m.Params.Get(p.Name)+strings.Join(m.Params.Keys(p.Name), ""), p.Name)
			}
		}
	}
	require.Zero(t, Message{}.Attach())
	require.Zero(t, Message{}.Keyboard())
}

// sampleOf makes an object with a value in each field.
func sampleOf(params []specParam) map[string]any {
	object := map[string]any{}
	for _, p := range params {
		object[p.Name] = sample(p)
	}
	return object
}

func sample(p specParam) any {
	dates := []string{"datetime", "date", "idle", "lastActivityDate", "mobileLastDate", "desktopLastDate", "absent"}
	switch {
	case slices.Contains(dates, p.Type), slices.Contains(dates, p.Name):
		return "2026-01-15T10:30:00+02:00"
	case p.Name == "ATTACH", p.Name == "KEYBOARD", p.Name == "botData", p.Name == "block", p.Name == "phones", p.Name == "viewerAttrs", p.Name == "mediaUrl", p.Name == "network", p.Name == "avatarHr":
		return map[string]any{"a": "b"}
	case p.Name == "firstViewers":
		return []any{map[string]any{"user_id": 1, "user_name": "A", "date": "2026-01-15T10:30:00+02:00"}}
	case len(p.Fields) > 0:
		return sampleOf(p.Fields)
	case strings.HasPrefix(p.Type, "array"):
		return []any{7}
	case strings.HasPrefix(p.Type, "int"), p.Name == "id":
		return "7"
	case strings.HasPrefix(p.Type, "bool"):
		return true
	}
	return "text"
}

func requireFull(t *testing.T, path string, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Pointer:
		require.False(t, v.IsNil(), path)
		requireFull(t, path, v.Elem())
	case reflect.Struct:
		if v.Type() != reflect.TypeFor[time.Time]() && v.Type() != reflect.TypeFor[imbot.RawEvent]() {
			for i := range v.NumField() {
				if v.Type().Field(i).IsExported() {
					requireFull(t, path+"."+v.Type().Field(i).Name, v.Field(i))
				}
			}
			return
		}
		require.False(t, v.IsZero(), path)
	default:
		require.False(t, v.IsZero(), path)
	}
}

// Other tests read what they find there, here and in imbottest.
func TestNoSampleOfTheDocumentationIsMissing(t *testing.T) {
	t.Parallel()
	samples, err := os.ReadDir("testdata/rest")
	require.NoError(t, err)
	require.Len(t, samples, 81)
}
