package imbot_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

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

const twoBots = `"BOT":{"567":{"BOT_ID":"567","BOT_CODE":"A"},"571":{"BOT_ID":"571","BOT_CODE":"B"}}`

func messageAdd(t *testing.T, data string) *imbot.MessageAddEvent {
	t.Helper()
	return parseAs[*imbot.MessageAddEvent](t, "", `{"event":"ONIMBOTMESSAGEADD","data":{`+data+`},"auth":{"member_id":"m"}}`)
}

func joinChat(t *testing.T, data string) *imbot.JoinChatEvent {
	t.Helper()
	return parseAs[*imbot.JoinChatEvent](t, "", `{"event":"ONIMBOTJOINCHAT","data":{`+data+`},"auth":{"member_id":"m"}}`)
}

func TestAWebhooksBotIsVerifiedByItsClientID(t *testing.T) {
	t.Parallel()
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

func TestKindsOfDialogs(t *testing.T) {
	t.Parallel()
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

// secretBody is the data of an event with a secret of its own at every place
// that has one; %s is the name.
const secretBody = `{"event":"%s","ts":"1771928985",
	"auth":{"access_token":"s3cr3t-01","refresh_token":"s3cr3t-02","application_token":"s3cr3t-03","domain":"portal.example","member_id":"member-1"},
	"data":{"BOT_ID":"567","BOT_CODE":"support",
		"BOT":{"567":{"BOT_ID":"567","BOT_CODE":"support","access_token":"s3cr3t-04","refresh_token":"s3cr3t-05","application_token":"s3cr3t-06",
				"client_id":"s3cr3t-07","AUTH":{"access_token":"s3cr3t-08"}},
			"571":{"AUTH":{"access_token":"s3cr3t-09","refresh_token":"s3cr3t-10","application_token":"s3cr3t-11","client_id":"s3cr3t-12"}}},
		"COMMAND":{"99":{"COMMAND":"echo","access_token":"s3cr3t-17","AUTH":{"access_token":"s3cr3t-18"}}},
		"PARAMS":{"MESSAGE":"visible text","CONTEXT":{"x":"s3cr3t-19"},"DIALOG_ID":"chat5","FILES":{"901":{"name":"visible.png",
			"urlPreview":"https://files.example/a?token=s3cr3t-13","urlShow":"https://user:s3cr3t-14@files.example/s3cr3t-15","urlDownload":"%%zz s3cr3t-16"}}}}}`

// printings are all the ways in which a value gets into a log by accident.
func printings(t *testing.T, v any) map[string]string {
	out := make(map[string]string)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		out[verb] = fmt.Sprintf(verb, v)
	}
	for _, verb := range []string{"%v", "%+v", "%#v"} { // go vet refuses the others here
		out[verb+" in a slice"] = fmt.Sprintf(verb, []any{v})
		out[verb+" in a map"] = fmt.Sprintf(verb, map[string]any{"k": v})
		out[verb+" in a struct"] = fmt.Sprintf(verb, struct{ V any }{v})
	}
	asJSON, _ := json.Marshal(v)
	out["json"] = string(asJSON)
	asJSON, _ = json.Marshal([]any{v})
	out["json in a list"] = string(asJSON)
	handlers := map[string]func(*bytes.Buffer) slog.Handler{
		"slog text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		"slog json": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	}
	for name, handler := range handlers {
		var b bytes.Buffer
		slog.New(handler(&b)).With("with", v).Info("text", "value", v, slog.Group("group", "value", v), "list", []any{v})
		require.NotEmpty(t, b.String())
		out[name] = b.String()
	}
	return out
}

func hidesSecrets(t *testing.T, v any) map[string]string {
	t.Helper()
	all := printings(t, v)
	for way, text := range all {
		for _, secret := range []string{"s3cr3t", hex.EncodeToString([]byte("s3cr3t")), "115 51 99 114"} {
			require.NotContains(t, strings.ToLower(text), secret, "%T printed as %s", v, way)
		}
	}
	return all
}

func TestNoEventPrintsASecret(t *testing.T) {
	t.Parallel()
	rows := map[string]string{
		"ONIMBOTMESSAGEADD":    "visible text",
		"ONIMBOTJOINCHAT":      "chat5",
		"ONIMBOTDELETE":        "support",
		"ONIMBOTMESSAGEUPDATE": "visible text",
		"ONIMBOTMESSAGEDELETE": "visible text",
		"ONIMCOMMANDADD":       "echo",
		"ONIMBOTCONTEXTGET":    "chat5",
		"ONIMBOTTOMORROW":      "portal.example",
	}
	for name, visible := range rows {
		t.Run(name, func(t *testing.T) {
			ev := parseAs[imbot.Event](t, "", fmt.Sprintf(secretBody, name))
			require.Equal(t, "s3cr3t-01", ev.Meta().Auth.AccessToken)
			require.Equal(t, "s3cr3t-16", strings.TrimPrefix(ev.Meta().Raw.Get("data", "PARAMS", "FILES", "901", "urlDownload"), "%zz "))
			for _, v := range []any{ev, reflect.ValueOf(ev).Elem().Interface()} {
				all := hidesSecrets(t, v)
				for _, way := range []string{"%v", "%+v", "%#v", "json", "slog json"} {
					require.Contains(t, all[way], visible, "%s: the mask is not on the whole event", way)
				}
			}
		})
	}
}

func TestNoPartOfAnEventPrintsASecret(t *testing.T) {
	t.Parallel()
	ev := parseAs[*imbot.MessageAddEvent](t, "", fmt.Sprintf(secretBody, "ONIMBOTMESSAGEADD"))
	file := ev.Params.Files[0]
	require.Equal(t, "https://files.example/a?token=s3cr3t-13", string(file.URLPreview), "a conversion has the whole")
	require.Equal(t, "s3cr3t-09", ev.Bots[1].Auth.AccessToken)
	_, err := imbot.ParseEvent(eventPost("", fmt.Sprintf(secretBody, "ONIMBOTDELETE")), imbot.ApplicationToken("s3cr3t-99"))
	require.Error(t, err)
	_, unreadable := imbot.ParseEvent(eventPost("", `{"s3cr3t":`), trustAll{})
	require.Error(t, unreadable)

	rows := map[string]struct {
		value   any
		visible string
	}{
		"EventMeta":               {ev.EventMeta, "portal.example"},
		"EventMeta, pointer":      {ev.Meta(), "portal.example"},
		"EventAuth":               {ev.Auth, "portal.example"},
		"EventAuth, pointer":      {&ev.Auth, "portal.example"},
		"EventAuth of a bot":      {ev.Bots[0].Auth, "imbot.EventAuth"},
		"EventBot":                {ev.Bots[0], "support"},
		"EventBot, pointer":       {&ev.Bots[1], "571"},
		"all bots":                {ev.Bots, "support"},
		"RawEvent":                {ev.Raw, "***"},
		"RawEvent, pointer":       {&ev.Raw, "***"},
		"MessageParams":           {ev.Params, "visible text"},
		"EventFile":               {file, "visible.png"},
		"EventFile, pointer":      {&file, "visible.png"},
		"FileURL with a token":    {file.URLPreview, "https://files.example/***"},
		"FileURL with a password": {file.URLShow, "https://files.example/***"},
		"FileURL that is none":    {file.URLDownload, "***"},
		"ApplicationToken":        {imbot.ApplicationToken("s3cr3t-99"), "***"},
		"EventError, not trusted": {err, ""},
		"EventError, unreadable":  {unreadable, ""},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			all := hidesSecrets(t, row.value)
			require.Contains(t, all["%v"], row.visible)
			require.Contains(t, all["json"], row.visible)
		})
	}
}
