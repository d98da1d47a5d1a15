package imbottest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// notOfBots are documented methods of open lines that no bot needs and the portal does not have.
var notOfBots = []string{
	"imopenlines.session.open", "imopenlines.session.start", "imopenlines.crm.message.add",
	"imopenlines.network.join", "imopenlines.network.message.add", "imopenlines.revision.get",
}

// lineSteps make bot 105, which serves line 31, and guest 106 in chat1002 with conversation 301.
var lineSteps = []string{"imbot.register " + register("line", "three", "O"), "guest 105"}

const inLine = `"CLIENT_ID":"three","CHAT_ID":1002`

// lineChecks has for each method a right call and the mistakes in the order of the checks.
func lineChecks() []checked {
	nobodysBot := check{code: "BOT_ID_ERROR", params: `"CLIENT_ID":"nobody"`}
	return []checked{
		{method: "imopenlines.bot.session.operator", params: `"CHAT_ID":1002`, checks: []check{
			inBrowser, noChat, {code: "WRONG_CHAT", params: `"CHAT_ID":1001`}}},
		{method: "imopenlines.bot.session.message.send", params: `"CHAT_ID":1002,"NAME":"DEFAULT","MESSAGE":"x"`, checks: []check{inBrowser, noChat}},
		{method: "imopenlines.bot.session.transfer", params: inLine + `,"USER_ID":102`, checks: []check{
			inBrowser, noChat, noUser, {code: "QUEUE_ID_EMPTY", params: `"USER_ID":null,"QUEUE_ID":"x"`},
			{code: "TRANSFER_ID_EMPTY", params: `"USER_ID":null`}, noClient, nobodysBot, {code: "OPERATOR_WRONG", params: `"USER_ID":105`}}},
		{method: "imopenlines.bot.session.finish", params: inLine, checks: []check{inBrowser, noChat, noClient, nobodysBot}},
		{method: "imopenlines.dialog.get", params: `"CHAT_ID":1002`, checks: []check{
			{code: "IM_NOT_INSTALLED", except: "every portal here has a messenger"}, {code: "ACCESS_ERROR", params: `"CHAT_ID":1001`}}},
		{method: "imopenlines.session.history.get", params: `"CHAT_ID":1002`, checks: []check{
			{code: "MISSING_REQUIRED_PARAM", params: `"CHAT_ID":null`}, {code: "INVALID_SESSION_ID", params: `"CHAT_ID":1001`},
			{code: "ACCESS_DENIED", params: `"CHAT_ID":1002,"SESSION_ID":99`}}},
		{method: "imopenlines.config.list.get", params: `"PARAMS":{"select":["ID"]}`, checks: []check{{code: "INVALID_FORMAT", params: `"PARAMS":{"select":"ID"}`}}},
		{method: "imopenlines.config.get", params: `"CONFIG_ID":31`, checks: []check{{code: "CONFIG_ID_EMPTY", params: `"CONFIG_ID":"x"`}}},
		{method: "imopenlines.config.update", params: `"CONFIG_ID":31,"PARAMS":{"ACTIVE":"N"}`, checks: []check{
			{code: "CONFIG_ID_EMPTY", params: `"CONFIG_ID":null`}, {code: "CONFIG_WRONG_USER_PERMISSION", as: "guest"}}},
	}
}

func readLineMethods(t *testing.T) map[string]documentedMethod {
	t.Helper()
	data, err := os.ReadFile("../openlines/testdata/spec/imopenlines.json")
	require.NoError(t, err)
	var all []documentedMethod
	require.NoError(t, json.Unmarshal(data, &all))
	methods := map[string]documentedMethod{}
	for _, m := range all {
		methods[m.Method] = m
	}
	for _, name := range notOfBots {
		require.Contains(t, methods, name)
		delete(methods, name)
	}
	return methods
}

func TestEveryErrorOfOpenLinesInTheDocumentedOrder(t *testing.T) {
	t.Parallel()
	methods := readLineMethods(t)
	for _, c := range lineChecks() {
		documented, ok := methods[c.method]
		require.True(t, ok, c.method)
		delete(methods, c.method)
		require.Equal(t, codesOf(documented.Errors), c.codes(), "the checks of %s", c.method)
		c.before = lineSteps
		t.Run(c.method, func(t *testing.T) {
			c.shared = c.newPortal(t)
			status, body := c.call(t, nil)
			require.Equal(t, http.StatusOK, status, "the right call: %s", body)
			for i, first := range c.checks {
				if first.except != "" {
					continue
				}
				t.Run(documented.Errors[i].String(), func(t *testing.T) {
					require.NoError(t, c.gets(t, documented.Errors[i], first))
					for _, j := range c.after(i) {
						require.NoError(t, c.gets(t, documented.Errors[i], c.checks[j], first), "before %s", c.checks[j].code)
					}
				})
			}
		})
	}
	require.Empty(t, methods, "methods without checks")
}

// withLineIDs replaces the ids of a documented request by those of lineSteps.
var withLineIDs = strings.NewReplacer(`"CHAT_ID":112`, `"CHAT_ID":1002`, `"CHAT_ID":1777`, `"CHAT_ID":1002`, `"SESSION_ID":321`, `"SESSION_ID":301`,
	`"CONFIG_ID":22`, `"CONFIG_ID":31`, `"USER_ID":12`, `"USER_ID":102`, `bot-secret-1`, `three`, `"WELCOME_BOT_ID":39`, `"WELCOME_BOT_ID":105`)

func TestDocumentedRequestsOfOpenLinesHaveTheDocumentedAnswers(t *testing.T) {
	t.Parallel()
	for name, m := range readLineMethods(t) {
		t.Run(name, func(t *testing.T) {
			portal := newTestPortal(t)
			for _, step := range lineSteps {
				prepare(t, portal, step)
			}
			_, err := portal.Say(t.Context(), 106, "chat1002", "hello")
			require.NoError(t, err)
			request, err := json.Marshal(m.ExampleRequest)
			require.NoError(t, err)
			got := post(t, portal, name, withLineIDs.Replace(string(request)))
			require.NotRegexp(t, "^[45].. ", got)
			var want, found any
			require.NoError(t, json.Unmarshal(m.ExampleResult, &want))
			require.NoError(t, json.Unmarshal([]byte(got), &found))
			requireAll(t, "result", want, found)
		})
	}
}

// requireAll compares an answer with a shortened one: what that has is there, of the same type.
// Members whose names are ids stand for all such members.
func requireAll(t *testing.T, path string, want, got any) {
	t.Helper()
	switch want := want.(type) {
	case map[string]any:
		if path == "result.message.#.params" {
			return // empty, because the portal has no files
		}
		members, is := got.(map[string]any)
		require.True(t, is, "%s is %v", path, got)
		for name, value := range want {
			if strings.Trim(name, "0123456789") != "" && !strings.HasPrefix(name, "chat1") {
				require.Contains(t, members, name, path)
				requireAll(t, path+"."+name, value, members[name])
				continue
			}
			require.NotEmpty(t, members, path)
			for _, member := range members {
				if list, empty := member.([]any); !empty || len(list) > 0 {
					requireAll(t, path+".#", value, member)
				}
			}
		}
	case []any:
		list, is := got.([]any)
		require.True(t, is, "%s is %v", path, got)
		for _, value := range want {
			require.NotEmpty(t, list, path)
			requireAll(t, path+"[]", value, list[0])
		}
	default:
		require.Equal(t, fmt.Sprintf("%T", want), fmt.Sprintf("%T", got), path)
	}
}
