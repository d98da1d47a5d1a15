package imbottest_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

// The world of the tables: who has which id.
const (
	anna  = 2 // member of the chat
	boris = 3 // not a member
	alpha = 4 // bot of application "one", owns the chat
	beta  = 5 // bot of application "two", not a member
	team  = 1001
	app   = 501 // chat application of alpha
	echo1 = 701 // command /echo of alpha
)

const bindings = `"EVENT_HANDLER":"https://bot.example.com/events"`

const titles = `"LANG":[{"LANGUAGE_ID":"en","TITLE":"Echo"}]`

func newWorld(t *testing.T) *imbottest.Portal {
	t.Helper()
	portal := imbottest.NewPortal()
	t.Cleanup(portal.Close)
	portal.Serve(eventURL, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	require.EqualValues(t, anna, portal.AddUser("Anna", "Ivanova"))
	require.EqualValues(t, boris, portal.AddUser("Boris", "Petrov"))
	for _, step := range []struct{ method, params, want string }{
		{"imbot.register", `{"CLIENT_ID":"one","CODE":"alpha",` + bindings + `,"PROPERTIES":{"NAME":"Alpha"}}`, "4"},
		{"imbot.register", `{"CLIENT_ID":"two","CODE":"beta",` + bindings + `,"PROPERTIES":{"NAME":"Beta"}}`, "5"},
		{"imbot.chat.add", `{"CLIENT_ID":"one","USERS":[2],"TITLE":"Team","COLOR":"MINT","ENTITY_TYPE":"CRM","ENTITY_ID":"7"}`, "1001"},
		{"imbot.app.register", `{"CLIENT_ID":"one","BOT_ID":4,"CODE":"help","JS_METHOD":"SEND","JS_PARAM":"/help","LANG":[{"LANGUAGE_ID":"en","TITLE":"Help"}]}`, "501"},
		{"imbot.command.register", `{"CLIENT_ID":"one","BOT_ID":4,"COMMAND":"echo","EVENT_COMMAND_ADD":"` + eventURL + `",` + titles + `}`, "701"},
	} {
		require.Equal(t, step.want, post(t, portal, step.method, step.params))
	}
	return portal
}

// post calls a method with a JSON body; the answer is the result as JSON, or the
// status and the code of an error.
func post(t *testing.T, portal *imbottest.Portal, method, params string) string {
	t.Helper()
	status, body := postTo(t, portal, portal.Webhook("").URL+method, "application/json", params)
	return outcome(t, status, body)
}

func postTo(t *testing.T, portal *imbottest.Portal, url, contentType, body string) (int, []byte) {
	t.Helper()
	resp, err := portal.HTTPClient().Post(url, contentType, strings.NewReader(body))
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, data
}

func outcome(t *testing.T, status int, body []byte) string {
	t.Helper()
	var env struct {
		Result json.RawMessage
		Error  string
		Time   json.RawMessage
	}
	require.NoError(t, json.Unmarshal(body, &env), "%s", body)
	if status != http.StatusOK {
		require.Nil(t, env.Time, "an error carries no time")
		return strconv.Itoa(status) + " " + env.Error
	}
	require.NotNil(t, env.Time)
	var compact bytes.Buffer
	require.NoError(t, json.Compact(&compact, env.Result))
	return compact.String()
}

// row is one sentence about a method. before are calls that have to succeed.
type row struct {
	says   string
	params string
	want   string
	before []string // "method params", or "say dialog text" for anna
}

func runTable(t *testing.T, method string, rows []row) {
	t.Helper()
	t.Run(method, func(t *testing.T) {
		for _, r := range rows {
			t.Run(r.says, func(t *testing.T) {
				portal := newWorld(t)
				for _, step := range r.before {
					prepare(t, portal, step)
				}
				require.Equal(t, r.want, post(t, portal, method, r.params))
			})
		}
	})
}
