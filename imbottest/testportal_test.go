package imbottest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

// The ids on the test portal.
const (
	anna  = 101 // member of the chat
	boris = 102 // not a member
	alpha = 103 // bot of application "one", owns the chat
	beta  = 104 // bot of application "two", not a member
	team  = 1001
	app   = 501 // chat application of alpha
	echo1 = 701 // command /echo of alpha
)

const eventURL = "https://bot.example.com/events"

const bindings = `"EVENT_HANDLER":"https://bot.example.com/events"`

const titles = `"LANG":[{"LANGUAGE_ID":"en","TITLE":"Echo"}]`

const (
	me     = `"CLIENT_ID":"one"`
	mine   = `"CLIENT_ID":"one","MESSAGE_ID":50001`
	button = `{"TEXT":"Go","LINK":"/go"}`
	text   = `{"MESSAGE":"x"}`
)

const asAlpha = `"CLIENT_ID":"one","BOT_ID":103`

const inTeam = asAlpha + `,"CHAT_ID":1001`

const teamDialog = imbot.DialogID("chat1001")

// newTestPortal returns the portal that most tests use: two people, two bots of two
// applications, and a chat, a command and a chat application of the first bot.
func newTestPortal(t *testing.T, opts ...imbottest.Option) *imbottest.Portal {
	t.Helper()
	portal := imbottest.NewPortal(opts...)
	t.Cleanup(portal.Close)
	portal.Serve(eventURL, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	require.EqualValues(t, anna, portal.AddUser("Anna", "Ivanova"))
	require.EqualValues(t, boris, portal.AddUser("Boris", "Petrov"))
	for _, step := range []struct{ method, params, want string }{
		{"imbot.register", `{"CLIENT_ID":"one","CODE":"alpha",` + bindings + `,"PROPERTIES":{"NAME":"Alpha"}}`, "103"},
		{"imbot.register", `{"CLIENT_ID":"two","CODE":"beta",` + bindings + `,"PROPERTIES":{"NAME":"Beta"}}`, "104"},
		{"imbot.chat.add", `{"CLIENT_ID":"one","USERS":[101],"TITLE":"Team","COLOR":"MINT","ENTITY_TYPE":"CRM","ENTITY_ID":"7"}`, "1001"},
		{"imbot.app.register", `{"CLIENT_ID":"one","BOT_ID":103,"CODE":"help","JS_METHOD":"SEND","JS_PARAM":"/help","LANG":[{"LANGUAGE_ID":"en","TITLE":"Help"}]}`, "501"},
		{"imbot.command.register", `{"CLIENT_ID":"one","BOT_ID":103,"COMMAND":"echo","EVENT_COMMAND_ADD":"` + eventURL + `",` + titles + `}`, "701"},
	} {
		require.Equal(t, step.want, post(t, portal, step.method, step.params))
	}
	return portal
}

// newMailboxPortal is newTestPortal with a mailbox that keeps the events for the bots.
func newMailboxPortal(t *testing.T) (*imbottest.Portal, *mailbox) {
	t.Helper()
	portal, box := newTestPortal(t), &mailbox{}
	require.NoError(t, portal.Idle(t.Context()))
	portal.Serve(eventURL, box)
	return portal, box
}

func newPortal(t *testing.T, opts ...imbottest.Option) *imbottest.Portal {
	t.Helper()
	portal := imbottest.NewPortal(opts...)
	t.Cleanup(portal.Close)
	return portal
}

// post calls a method with a JSON body. It returns the result as JSON, or the status and
// the code of an error.
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

// row is one statement about a method: what these parameters are answered with, after
// other calls.
type row struct {
	says   string
	params string
	want   string
	before []string // steps, see prepare
}

func runTable(t *testing.T, method string, rows []row) {
	t.Helper()
	t.Run(method, func(t *testing.T) {
		for _, r := range rows {
			t.Run(r.says, func(t *testing.T) {
				portal := newTestPortal(t)
				for _, step := range r.before {
					prepare(t, portal, step)
				}
				require.Equal(t, r.want, post(t, portal, method, r.params))
			})
		}
	})
}

// prepare does a step: a call, "method params", that has to succeed, a message of anna, "say
// dialog text", or a guest of hers, "guest bot".
func prepare(t *testing.T, portal *imbottest.Portal, step string) {
	t.Helper()
	name, params, _ := strings.Cut(step, " ")
	if name == "say" {
		dialog, text, _ := strings.Cut(params, " ")
		_, err := portal.Say(t.Context(), anna, imbot.DialogID(dialog), text)
		require.NoError(t, err)
		return
	}
	if name == "guest" {
		bot, err := strconv.ParseInt(params, 10, 64)
		require.NoError(t, err)
		_, _, err = portal.AddGuest(t.Context(), "Greta", imbot.ID(bot), anna)
		require.NoError(t, err)
		return
	}
	require.NotRegexp(t, "^[45].. ", post(t, portal, name, params), step)
}

func register(code, client, kind string) string {
	return fmt.Sprintf(`{"CLIENT_ID":%q,"CODE":%q,"TYPE":%q,%s,"PROPERTIES":{"NAME":%q}}`, client, code, kind, bindings, code)
}

func long(n int) string { return strings.Repeat("x", n) }

func say(t *testing.T, portal *imbottest.Portal) imbottest.Message {
	m, err := portal.Say(t.Context(), anna, "1", "hi")
	require.NoError(t, err)
	return m
}

func lastOf(portal *imbottest.Portal, dialog imbot.DialogID) imbottest.Message {
	seen := portal.Messages(anna, dialog)
	return seen[len(seen)-1]
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return string(data)
}

func sample(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(data)
}

// mailbox is a handler that keeps the events it gets.
type mailbox struct {
	mu     sync.Mutex
	bodies []string
	urls   []string
}

func (m *mailbox) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bodies = append(m.bodies, string(body))
	m.urls = append(m.urls, r.URL.String())
}

// take waits until all events have arrived, and takes them out of the mailbox.
func (m *mailbox) take(t *testing.T, portal *imbottest.Portal) []url.Values {
	t.Helper()
	require.NoError(t, portal.Idle(t.Context()))
	m.mu.Lock()
	defer m.mu.Unlock()
	var events []url.Values
	for _, body := range m.bodies {
		values, err := url.ParseQuery(body)
		require.NoError(t, err)
		events = append(events, values)
	}
	m.bodies = nil
	return events
}

func (m *mailbox) last(t *testing.T, portal *imbottest.Portal) string {
	t.Helper()
	require.NoError(t, portal.Idle(t.Context()))
	m.mu.Lock()
	defer m.mu.Unlock()
	require.NotEmpty(t, m.bodies)
	return m.bodies[len(m.bodies)-1]
}

func names(events []url.Values) []string {
	var out []string
	for _, e := range events {
		out = append(out, strings.TrimPrefix(e.Get("event"), "ONIMBOT"))
	}
	return out
}

func registerBot(t *testing.T, portal *imbottest.Portal) imbot.ID {
	client, err := imbot.NewClient(portal.Webhook("a-long-random-client-id"), imbot.WithHTTPClient(portal.HTTPClient()))
	require.NoError(t, err)
	bot, err := client.Bot.Register(t.Context(), imbot.BotRegisterRequest{Code: "x", EventHandler: eventURL, Properties: imbot.BotProperties{Name: "X"}})
	require.NoError(t, err)
	return bot
}
