package imbottest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// samples is the folder of the documented answers.
const samples = "../testdata/rest/"

// withOurIDs replaces the ids of a documented request by those of the test portal.
var withOurIDs = strings.NewReplacer(`"BOT_ID":39`, `"BOT_ID":103`, `bot-secret-1`, `one`, `2725`, `1001`, `"COMMAND_ID":99`, `"COMMAND_ID":701`,
	`"APP_ID":13`, `"APP_ID":501`, `19880117`, `50001`, `33871`, `50001`, `33807`, `50001`,
	`"USER_ID":2`, `"USER_ID":101`, `"USER_ID":4`, `"USER_ID":103`, `"USERS":[1,2]`, `"USERS":[1,101]`, `"USERS":[3,4]`, `"USERS":[102,103]`)

// TestDocumentedRequestsHaveTheDocumentedAnswers makes each documented call and
// compares the shape of the answer.
func TestDocumentedRequestsHaveTheDocumentedAnswers(t *testing.T) {
	t.Parallel()
	sent := []string{`imbot.message.add {` + asAlpha + `,"DIALOG_ID":"chat1001","MESSAGE":"x"}`}
	files, err := filepath.Glob(samples + "*.ok.json")
	require.NoError(t, err)
	compared := 0
	for _, m := range readMethods(t) {
		before, ok := map[string][]string{
			"imbot.chat.get":         {`imbot.chat.add {` + asAlpha + `,"ENTITY_TYPE":"CHAT","ENTITY_ID":"13"}`},
			"imbot.dialog.get":       {`imbot.chat.add {` + asAlpha + `,"USERS":[1,101],"MESSAGE":"x","AVATAR":"iVBORw0KGgo="}`},
			"imbot.chat.updateColor": {`imbot.chat.updateColor {` + inTeam + `,"COLOR":"RED"}`},
			"imbot.message.update":   sent,
			"imbot.message.delete":   sent,
			"imbot.message.like":     sent,
			"imbot.command.answer":   {"say 103 /echo"},
			// The documented request registers the command that the test portal has already.
			"imbot.command.register": {`imbot.command.unregister {"CLIENT_ID":"one","COMMAND_ID":701}`},
		}[m.Method]
		if slices.Contains(alwaysFail, m.Method) {
			require.False(t, ok)
			require.NoFileExists(t, samples+m.Method+".ok.json")
			continue
		}
		file := samples + m.Method + ".ok.json"
		sampled := slices.Contains(files, file)
		if sampled {
			compared++
		}
		t.Run(m.Method, func(t *testing.T) {
			portal := newTestPortal(t)
			for _, step := range before {
				prepare(t, portal, step)
			}
			params, err := json.Marshal(m.ExampleRequest)
			require.NoError(t, err)
			request := withOurIDs.Replace(string(params))
			if m.Method == "imbot.dialog.get" { // needs a chat that the webhook's user sees
				request = `{"DIALOG_ID":"chat1002"}`
			}
			status, body := postTo(t, portal, portal.Webhook("").URL+m.Method, "application/json", request)
			require.Equal(t, http.StatusOK, status, "%s", body)
			var got struct{ Result json.RawMessage }
			require.NoError(t, json.Unmarshal(body, &got))
			require.Equal(t, shapeOf(t, string(m.ExampleResult)), shapeOf(t, string(got.Result)))
			if sampled {
				require.Equal(t, shapeOf(t, sample(t, file)), shapeOf(t, string(body)))
			}
		})
	}
	require.Len(t, files, compared, "samples of methods that are not documented")
}

// TestDocumentedErrors provokes each error of which there is a documented answer.
func TestDocumentedErrors(t *testing.T) {
	t.Parallel()
	const me = `"CLIENT_ID":"one","CHAT_ID":1001`
	const command = `"EVENT_COMMAND_ADD":"` + eventURL + `",` + titles
	calls := map[string]string{
		"imbot.register":           `"CLIENT_ID":"one",` + bindings,
		"imbot.update":             asAlpha + `,"FIELDS":{}`,
		"imbot.unregister":         `"CLIENT_ID":"one"`,
		"imbot.bot.list":           ``, // called by a browser
		"imbot.chat.add":           `"CLIENT_ID":"one"`,
		"imbot.chat.get":           `"DIALOG_ID":"chat1001"`,
		"imbot.chat.leave":         ``,
		"imbot.chat.sendTyping":    `"CLIENT_ID":"one"`,
		"imbot.chat.setManager":    `"CLIENT_ID":"two","CHAT_ID":1001,"USER_ID":101`,
		"imbot.chat.setOwner":      ``,
		"imbot.chat.updateAvatar":  me + `,"AVATAR":"x"`,
		"imbot.chat.updateColor":   me + `,"COLOR":"x"`,
		"imbot.chat.updateTitle":   me,
		"imbot.chat.user.add":      ``,
		"imbot.chat.user.delete":   me,
		"imbot.chat.user.list":     ``,
		"imbot.dialog.get":         ``,
		"imbot.message.add":        `"CLIENT_ID":"one","DIALOG_ID":101`,
		"imbot.message.update":     `"CLIENT_ID":"one"`,
		"imbot.message.delete":     `"CLIENT_ID":"one","MESSAGE_ID":50001`,
		"imbot.message.like":       `"CLIENT_ID":"one","MESSAGE_ID":50001,"ACTION":"minus"`,
		"imbot.command.register":   asAlpha + `,` + command,
		"imbot.command.unregister": `"CLIENT_ID":"one"`,
		"imbot.command.update":     `"CLIENT_ID":"one","COMMAND_ID":701,"FIELDS":{}`,
		"imbot.command.answer":     `"CLIENT_ID":"one","COMMAND":"echo","MESSAGE_ID":50001`,
	}
	statuses := map[string][]int{}
	for _, m := range readMethods(t) {
		for _, e := range m.fromServer() {
			statuses[m.Method+e.Code] = append(statuses[m.Method+e.Code], e.HTTP)
		}
	}
	files, err := filepath.Glob(samples + "*.error.json")
	require.NoError(t, err)
	require.Len(t, files, len(calls))
	for _, file := range files {
		method := strings.TrimSuffix(filepath.Base(file), ".error.json")
		t.Run(method, func(t *testing.T) {
			params, ok := calls[method]
			require.True(t, ok, "no call for it")
			call := checked{method: method, params: params, before: []string{"say 103 x"}, checks: []check{{act: veto("imbot.chat.add")}}}
			if method == "imbot.bot.list" {
				call.as = "browser"
			}
			status, body := call.call(t, call.checks)
			require.JSONEq(t, sample(t, file), string(body))
			var sent struct{ Error string }
			require.NoError(t, json.Unmarshal(body, &sent))
			require.Contains(t, statuses[method+sent.Error], status)
		})
	}
}

// TestBatchAnswersLookLikeTheDocumentedOnes is about the two documented batches
// whose commands fail; the third calls methods of other families.
func TestBatchAnswersLookLikeTheDocumentedOnes(t *testing.T) {
	t.Parallel()
	for name, halt := range map[string]int{"doc_batch_two_errors_halt0.json": 0, "doc_batch_error_halt1.json": 1} {
		t.Run(name, func(t *testing.T) {
			portal := newPortal(t, withoutBots)
			got := post(t, portal, "batch", fmt.Sprintf(`{"halt":%d,"cmd":{"get_user":"imbot.bot.list","get_department":"imbot.chat.get"}}`, halt))
			var want struct{ Result json.RawMessage }
			require.NoError(t, json.Unmarshal([]byte(sample(t, "../testdata/batch/"+name)), &want))
			require.Equal(t, shapeOf(t, string(want.Result)), shapeOf(t, got))
			require.Contains(t, got, `"insufficient_scope"`)
		})
	}
}

// shapeOf replaces the values of JSON by their types. A list becomes the set of the
// shapes of its elements, and all keys that are ids become one key.
func shapeOf(t *testing.T, data string) any {
	t.Helper()
	var v any
	require.NoError(t, json.Unmarshal([]byte(data), &v), data)
	return shape(v)
}

func shape(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out, byID := map[string]any{}, []any{}
		for k, v := range v {
			if strings.Trim(k, "0123456789") == "" {
				byID = append(byID, v)
				continue
			}
			out[k] = shape(v)
		}
		if len(byID) > 0 {
			out["#"] = shape(byID)
		}
		return out
	case []any:
		kinds := map[string]any{}
		for _, v := range v {
			kinds[fmt.Sprint(shape(v))] = shape(v)
		}
		return kinds
	case string:
		if _, err := time.Parse(time.RFC3339, v); err == nil {
			return "date"
		}
	}
	return fmt.Sprintf("%T", v)
}
