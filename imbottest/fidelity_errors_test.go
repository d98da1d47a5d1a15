package imbottest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"reflect"
	"slices"
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

// The tests of this file provoke every error that testdata/spec says a server sends. They
// also make two mistakes at once, to find out whether the portal makes its checks in the
// documented order.

// checked is a call that would succeed, and the mistakes that can be made with it.
type checked struct {
	method string
	params string   // of the right call
	before []string // calls that have to come before, see row
	as     string   // who calls: "" for the webhook, or "browser"
	checks []check  // one for each documented error, in the documented order

	shared *imbottest.Portal // for all calls that are refused, because those change nothing
}

// check is a check that the portal makes: a mistake, and the error that it has to get.
type check struct {
	code   string
	params string // replace those of the right call; null takes a parameter away
	act    func(*testing.T, *imbottest.Portal)
	as     string // "browser" or "guest"
	name   string // by which the undoes of another check names this one
	undoes string // the name of a check that cannot fail when this one does
	except string // the reason why it cannot be provoked
	large  bool   // its parameters are large, so it is not combined with each other mistake
}

// maxExceptions is how many checks may have a reason (except) instead of a test.
const maxExceptions = 5

type documentedError struct {
	Code, Source, When string
	HTTP               int
	Others             []string `json:"wire_code_may_be"`
}

func (e documentedError) String() string { return fmt.Sprintf("%d %s (%s)", e.HTTP, e.Code, e.When) }

type documentedMethod struct {
	Method         string
	Errors         []documentedError
	ExampleRequest map[string]any  `json:"example_request"`
	ExampleResult  json.RawMessage `json:"example_result"`
}

func readMethods(t *testing.T) []documentedMethod {
	t.Helper()
	data, err := os.ReadFile("../testdata/spec/imbot-v1.json")
	require.NoError(t, err)
	var methods []documentedMethod
	require.NoError(t, json.Unmarshal(data, &methods))
	require.NotEmpty(t, methods)
	return methods
}

// fromServer returns the documented errors that a server sends.
func (m documentedMethod) fromServer() []documentedError {
	return slices.DeleteFunc(slices.Clone(m.Errors), func(e documentedError) bool { return e.Source != "server" && e.Source != "both" })
}

func allChecked() []checked {
	return slices.Concat(botChecks(), chatChecks(), memberChecks(), messageChecks(), commandChecks(), appChecks(), internalChecks())
}

func TestEveryDocumentedErrorInTheDocumentedOrder(t *testing.T) {
	t.Parallel()
	tables := map[string]checked{}
	for _, c := range allChecked() {
		require.NotContains(t, tables, c.method)
		tables[c.method] = c
	}
	exceptions, pairs, possible := 0, 0, 0
	for _, documented := range readMethods(t) {
		c, ok := tables[documented.Method]
		require.True(t, ok, "%s is not in the tables", documented.Method)
		delete(tables, documented.Method)
		want := documented.fromServer()
		require.Equal(t, codesOf(want), c.codes(), "the checks of %s", c.method)
		possible += len(c.checks) * (len(c.checks) - 1) / 2
		for i, first := range c.checks {
			if first.except != "" {
				exceptions++
			}
			pairs += len(c.after(i))
		}
		t.Run(c.method, func(t *testing.T) {
			c.shared = c.newPortal(t)
			t.Run("the right call succeeds", func(t *testing.T) {
				if status, body := c.call(t, nil); status != http.StatusOK {
					require.Contains(t, alwaysFail, c.method, "%d %s", status, body)
				}
			})
			for i, first := range c.checks {
				if first.except != "" {
					continue
				}
				t.Run(want[i].String(), func(t *testing.T) {
					require.NoError(t, c.gets(t, want[i], first))
				})
				for _, j := range c.after(i) {
					t.Run(want[i].String()+" before "+want[j].String(), func(t *testing.T) {
						require.NoError(t, c.gets(t, want[i], c.checks[j], first))
					})
				}
			}
			t.Run("one mistake corrected after the other", func(t *testing.T) {
				for i := range c.checks {
					if all := c.compatible(i); len(all) > 1 {
						require.NoError(t, c.gets(t, want[i], all...))
					}
				}
			})
		})
	}
	require.Empty(t, tables, "methods that are not documented")
	require.LessOrEqual(t, exceptions, maxExceptions)
	require.Greater(t, 6*pairs, 5*possible, "of two mistakes, most can be made together")
}

// alwaysFail are methods that cannot succeed on this portal.
var alwaysFail = []string{
	"imbot.dialog.vote", // needs a network bot of the vendor
	"imbot.support24.question.config.get", "imbot.support24.question.add", "imbot.support24.question.list", "imbot.support24.question.search",
	"imbot.network.question.add", "imbot.network.question.list", "imbot.network.question.search", // need the bot of the vendor's support
}

func codesOf(errors []documentedError) (codes []string) {
	for _, e := range errors {
		codes = append(codes, e.Code)
	}
	return codes
}

func (c checked) codes() (codes []string) {
	for _, check := range c.checks {
		codes = append(codes, check.code)
	}
	return codes
}

// after returns the later mistakes that can be made together with the i-th, by index.
func (c checked) after(i int) (later []int) {
	for j := i + 1; j < len(c.checks) && c.checks[i].except == ""; j++ {
		if second := c.checks[j]; second.except == "" && !second.large && !c.checks[i].excludes(second) {
			later = append(later, j)
		}
	}
	return later
}

// compatible returns the i-th mistake and all later ones that can be made at once. The
// later ones come first, because call lets later elements win.
func (c checked) compatible(i int) (all []check) {
	if c.checks[i].except != "" {
		return nil
	}
	all = []check{c.checks[i]}
	for _, later := range c.checks[i+1:] {
		if later.except == "" && !slices.ContainsFunc(all, func(earlier check) bool { return earlier.excludes(later) }) {
			all = slices.Insert(all, 0, later)
		}
	}
	return all
}

// gets makes a call with mistakes and compares its error with the documented one.
func (c checked) gets(t *testing.T, want documentedError, mistakes ...check) error {
	t.Helper()
	status, body := c.call(t, mistakes)
	var got struct {
		Error       string
		Description *string `json:"error_description"`
		Result      any
	}
	require.NoError(t, json.Unmarshal(body, &got), "%s", body)
	switch {
	case status != want.HTTP, got.Error != want.Code && !slices.Contains(want.Others, got.Error):
		return fmt.Errorf("got %d %s", status, body)
	case got.Description == nil || *got.Description == "":
		return fmt.Errorf("no description: %s", body)
	}
	return nil
}

// newPortal returns a portal on which the right call succeeds.
func (c checked) newPortal(t *testing.T) *imbottest.Portal {
	t.Helper()
	portal := newTestPortal(t)
	for _, step := range c.before {
		prepare(t, portal, step)
	}
	return portal
}

// call makes the call with mistakes. A call that may succeed, or for which the portal has
// to be changed, gets a portal of its own; the others use the shared one.
func (c checked) call(t *testing.T, mistakes []check) (int, []byte) {
	t.Helper()
	portal := c.shared
	if portal == nil || len(mistakes) == 0 || slices.ContainsFunc(mistakes, func(m check) bool { return m.act != nil }) {
		portal = c.newPortal(t)
	}
	params, as := object(t, c.params), c.as
	for _, m := range mistakes {
		overlay(params, object(t, m.params))
		if m.act != nil {
			m.act(t, portal)
		}
		if m.as != "" {
			as = m.as
		}
	}
	address := portal.Webhook("").URL
	if as == "browser" || as == "guest" {
		sessid, err := portal.Session(map[string]imbot.ID{"browser": imbottest.Admin, "guest": 0}[as])
		require.NoError(t, err)
		params["sessid"], address = sessid, portal.OAuth("local.1").Endpoint
	}
	data, err := json.Marshal(params)
	require.NoError(t, err)
	return postTo(t, portal, address+c.method, "application/json", string(data))
}

// excludes reports whether two mistakes cannot be made at once: they need
// different values of one parameter, or callers, or one of them undoes the other.
func (c check) excludes(other check) bool {
	if c.as != "" && other.as != "" || c.undoes != "" && c.undoes == other.name || other.undoes != "" && other.undoes == c.name {
		return true
	}
	mine, others := map[string]any{}, map[string]any{}
	if c.params != "" && json.Unmarshal([]byte("{"+c.params+"}"), &mine) != nil ||
		other.params != "" && json.Unmarshal([]byte("{"+other.params+"}"), &others) != nil {
		panic("a mistake is no JSON: " + c.params + other.params)
	}
	return clash(mine, others)
}

func clash(a, b map[string]any) bool {
	for k, v := range a {
		w, both := b[k]
		inA, okA := v.(map[string]any)
		inB, okB := w.(map[string]any)
		switch {
		case !both:
		case okA && okB:
			if clash(inA, inB) {
				return true
			}
		case !reflect.DeepEqual(v, w):
			return true
		}
	}
	return false
}

// object parses the members of a JSON object.
func object(t *testing.T, members string) map[string]any {
	t.Helper()
	out := map[string]any{}
	require.NoError(t, json.Unmarshal([]byte("{"+members+"}"), &out), members)
	return out
}

// overlay copies the members of top into base; null deletes a member.
func overlay(base, top map[string]any) {
	for k, v := range top {
		under, ok := base[k].(map[string]any)
		over, both := v.(map[string]any)
		switch {
		case v == nil:
			delete(base, k)
		case ok && both:
			under = maps.Clone(under)
			overlay(under, over)
			base[k] = under
		default:
			base[k] = v
		}
	}
}

// Checks that many methods make.
var (
	inBrowser = check{code: "WRONG_AUTH_TYPE", as: "browser"}
	noClient  = check{code: "ACCESS_DENIED", params: `"CLIENT_ID":null`}
	noBot     = check{code: "BOT_ID_ERROR", params: `"BOT_ID":99`}
	notMyBot  = check{code: "APP_ID_ERROR", params: `"BOT_ID":104`}
	badAlias  = check{code: "DIALOG_ID_EMPTY", params: `"DIALOG_ID":"101"`}
	noChat    = check{code: "CHAT_ID_EMPTY", params: `"CHAT_ID":0`}
	noUser    = check{code: "USER_ID_EMPTY", params: `"USER_ID":0`}
	general   = check{code: "ACCESS_ERROR", act: makeGeneral}
)

// adminsChat makes chat1002, with the administrator as member.
var adminsChat = []string{`imbot.chat.add {"CLIENT_ID":"one","USERS":[1]}`}

func makeGeneral(t *testing.T, portal *imbottest.Portal) {
	require.NoError(t, portal.MakeGeneral(team))
}

// closeGeneral makes the chat the general one and lets nobody write there.
func closeGeneral(t *testing.T, portal *imbottest.Portal) {
	makeGeneral(t, portal)
	restrict("send")(t, portal)
}

func restrict(names ...string) func(*testing.T, *imbottest.Portal) {
	return func(t *testing.T, portal *imbottest.Portal) { require.NoError(t, portal.Restrict(team, names...)) }
}

// deny takes the right to change chats from the administrator, who owns the webhook.
func deny(t *testing.T, portal *imbottest.Portal) { require.NoError(t, portal.Deny(imbottest.Admin)) }

// leaveTeam lets the bot leave its chat.
func leaveTeam(t *testing.T, portal *imbottest.Portal) {
	require.Equal(t, "true", post(t, portal, "imbot.chat.leave", `{`+inTeam+`}`))
}

func veto(method string) func(*testing.T, *imbottest.Portal) {
	return func(t *testing.T, portal *imbottest.Portal) { require.NoError(t, portal.Veto(method)) }
}

func fetching(t *testing.T, portal *imbottest.Portal) { require.NoError(t, portal.MakeFetching(alpha)) }

const url6 = `"EVENT_MESSAGE_ADD":"https://bot.example.com","EVENT_MESSAGE_UPDATE":"https://bot.example.com","EVENT_MESSAGE_DELETE":"https://bot.example.com",` +
	`"EVENT_CONTEXT_GET":"https://bot.example.com","EVENT_WELCOME_MESSAGE":"https://bot.example.com","EVENT_BOT_DELETE":"https://bot.example.com"`

// registered returns a step that registers bots of an application; more is added to
// PROPERTIES.
func registered(client, more string, codes ...string) func(*testing.T, *imbottest.Portal) {
	return func(t *testing.T, portal *imbottest.Portal) {
		for _, code := range codes {
			post(t, portal, "imbot.register", fmt.Sprintf(`{"CLIENT_ID":%q,"CODE":%q,%s,"PROPERTIES":{"NAME":"x"%s}}`, client, code, bindings, more))
		}
	}
}

func botChecks() []checked {
	return []checked{
		{method: "imbot.register", params: `"CLIENT_ID":"one","CODE":"new",` + url6 + `,"PROPERTIES":{"NAME":"New"}`, checks: []check{
			inBrowser, noClient,
			{code: "EVENT_MESSAGE_ADD_ERROR", params: `"EVENT_MESSAGE_ADD":null`},
			{code: "EVENT_MESSAGE_UPDATE_ERROR", params: `"EVENT_MESSAGE_UPDATE":"x"`},
			{code: "EVENT_MESSAGE_DELETE_ERROR", params: `"EVENT_MESSAGE_DELETE":"x"`},
			{code: "EVENT_CONTEXT_GET_ERROR", params: `"EVENT_CONTEXT_GET":"x"`},
			{code: "EVENT_WELCOME_MESSAGE_ERROR", params: `"EVENT_WELCOME_MESSAGE":null`},
			{code: "EVENT_BOT_DELETE_ERROR", params: `"EVENT_BOT_DELETE":null`},
			{code: "CODE_ERROR", params: `"CODE":""`},
			{code: "MAX_COUNT_ERROR", act: registered("one", "", "b", "c", "d", "e")},
			{code: "NAME_ERROR", params: `"PROPERTIES":{"NAME":null}`},
			{code: "WRONG_REQUEST", params: `"PROPERTIES":{"EMAIL":"taken@example.com"}`, act: registered("two", `,"EMAIL":"taken@example.com"`, "taken")},
		}},
		{method: "imbot.unregister", params: asAlpha, checks: []check{
			inBrowser, noClient, noBot, notMyBot,
			{code: "WRONG_REQUEST", act: veto("imbot.unregister")},
		}},
		{method: "imbot.update", params: asAlpha + `,"FIELDS":{"CODE":"new"}`, checks: []check{
			inBrowser, noClient, noBot, notMyBot,
			{code: "FETCH_NOT_SUPPORTED", act: fetching},
			{code: "EVENT_MESSAGE_ADD_ERROR", params: `"FIELDS":{"EVENT_MESSAGE_ADD":"x"}`},
			{code: "EVENT_MESSAGE_UPDATE_ERROR", params: `"FIELDS":{"EVENT_MESSAGE_UPDATE":"x"}`},
			{code: "EVENT_MESSAGE_DELETE_ERROR", params: `"FIELDS":{"EVENT_MESSAGE_DELETE":"x"}`},
			{code: "EVENT_CONTEXT_GET_ERROR", params: `"FIELDS":{"EVENT_CONTEXT_GET":"x"}`},
			{code: "EVENT_WELCOME_MESSAGE_ERROR", params: `"FIELDS":{"EVENT_WELCOME_MESSAGE":"x"}`},
			{code: "EVENT_BOT_DELETE_ERROR", params: `"FIELDS":{"EVENT_BOT_DELETE":"x"}`},
			{code: "NAME_ERROR", params: `"FIELDS":{"PROPERTIES":{"NAME":"","LAST_NAME":""}}`},
			{code: "WRONG_REQUEST", params: `"FIELDS":{"CODE":""}`},
		}},
		{method: "imbot.bot.list", checks: []check{inBrowser}},
	}
}

func chatChecks() []checked {
	return []checked{
		{method: "imbot.chat.add", params: asAlpha + `,"USERS":[101]`, checks: []check{
			{code: "INVALID_FORMAT", params: `"USERS":[true]`}, noClient, noBot, notMyBot,
			{code: "WRONG_REQUEST", act: veto("imbot.chat.add")},
		}},
		{method: "imbot.chat.get", params: `"DIALOG_ID":"chat1002"`, before: adminsChat, checks: []check{
			{code: "AUTHORIZE_ERROR", as: "guest"},
			{code: "DIALOG_ID_EMPTY", params: `"DIALOG_ID":"x"`},
			{code: "ACCESS_ERROR", params: `"DIALOG_ID":"chat1001"`},
			{code: "ACCESS_ERROR", params: `"DIALOG_ID":"chat9999"`},
		}},
		{method: "imbot.dialog.get", params: `"DIALOG_ID":"chat1002"`, before: adminsChat, checks: []check{
			{code: "DIALOG_ID_EMPTY", params: `"DIALOG_ID":null`},
			{code: "ACCESS_ERROR", params: `"DIALOG_ID":"chat1001"`},
			{code: "ACCESS_ERROR", params: `"DIALOG_ID":"chat9999"`},
		}},
		{method: "imbot.dialog.vote", params: `"MESSAGE_ID":50001,"DIALOG_ID":"chat1002"`, before: adminsChat, checks: []check{
			{code: "MESSAGE_ID_EMPTY", params: `"MESSAGE_ID":null`},
			{code: "DIALOG_ID_EMPTY", params: `"DIALOG_ID":null`},
			{code: "ACCESS_ERROR", params: `"DIALOG_ID":"chat1001"`},
			{code: "WITHOUT_CHANGES"},
		}},
		{method: "imbot.chat.setOwner", params: inTeam + `,"USER_ID":101`, checks: []check{
			badAlias, noChat, noUser, noClient, noBot, notMyBot, general,
			{code: "WRONG_REQUEST", act: deny},
		}},
		{method: "imbot.chat.setManager", params: inTeam + `,"USER_ID":101`, checks: []check{
			badAlias, noChat, noUser, noClient, noBot, notMyBot,
			{code: "WRONG_REQUEST", act: deny},
		}},
		{method: "imbot.chat.updateColor", params: inTeam + `,"COLOR":"RED"`, checks: []check{
			badAlias, noChat,
			{code: "ACCESS_ERROR", act: closeGeneral},
			{code: "WRONG_COLOR", params: `"COLOR":"red"`},
			noClient, noBot, notMyBot,
			{code: "WRONG_REQUEST", act: deny},
		}},
		{method: "imbot.chat.updateTitle", params: inTeam + `,"TITLE":"x"`, checks: []check{
			badAlias, noChat,
			{code: "TITLE_EMPTY", params: `"TITLE":" "`},
			noClient, noBot, notMyBot,
			{code: "ACCESS_ERROR", act: closeGeneral},
			{code: "ACCESS_ERROR", act: restrict("rename")},
		}},
		{method: "imbot.chat.updateAvatar", params: inTeam + `,"AVATAR":"iVBORw0KGgo="`, checks: []check{
			badAlias, noChat,
			{code: "ACCESS_DENIED", act: deny},
			noClient, noBot, notMyBot,
			{code: "ACCESS_ERROR", act: closeGeneral},
			{code: "ACCESS_ERROR", act: restrict("avatar")},
			{code: "AVATAR_ERROR", params: `"AVATAR":"aGVsbG8="`},
			{code: "AVATAR_ERROR", params: `"AVATAR":"iVBORw0KGgoAAAANSUhEUgAAE4kAAAAB"`},
			{code: "WRONG_REQUEST", act: leaveTeam},
		}},
		{method: "imbot.chat.sendTyping", params: asAlpha + `,"DIALOG_ID":"chat1001"`, checks: typingChecks},
		{method: "imbot.sendTyping", params: asAlpha + `,"DIALOG_ID":"chat1001"`, checks: typingChecks},
		{method: "imbot.chat.updateTextFieldEnabled", params: inTeam + `,"TEXT_FIELD_ENABLED":"N"`, checks: []check{
			badAlias, noChat,
			{code: "TEXT_FIELD_ENABLED_EMPTY", params: `"TEXT_FIELD_ENABLED":null`},
			noClient, noBot, notMyBot,
			{code: "ACCESS_ERROR", act: leaveTeam},
		}},
	}
}

var typingChecks = []check{noClient, noBot, notMyBot, {code: "DIALOG_ID_EMPTY", params: `"DIALOG_ID":null`}}

func memberChecks() []checked {
	return []checked{
		{method: "imbot.chat.user.add", params: inTeam + `,"USERS":[102]`, checks: []check{
			badAlias, noChat, general,
			{code: "ACCESS_ERROR", act: restrict("extend")},
			noClient, noBot, notMyBot,
			{code: "WRONG_REQUEST", params: `"USERS":102`, act: func(t *testing.T, portal *imbottest.Portal) { require.NoError(t, portal.MakeExtranet(alpha)) }},
			{code: "WRONG_REQUEST", act: deny},
		}},
		{method: "imbot.chat.user.delete", params: inTeam + `,"USER_ID":101`, checks: []check{
			badAlias, noChat, general,
			{code: "ACCESS_ERROR", act: restrict("leave")},
			noClient, noBot, notMyBot, noUser,
			{code: "ACCESS_ERROR", params: `"USER_ID":103`, act: restrict("leave_owner")},
			{code: "WRONG_REQUEST", act: deny},
		}},
		{method: "imbot.chat.leave", params: inTeam, checks: []check{
			badAlias, noChat, general,
			{code: "ACCESS_ERROR", act: restrict("leave")},
			noClient, noBot, notMyBot,
			{code: "ACCESS_ERROR", act: restrict("leave_owner"), name: "the owner stays"},
			{code: "WRONG_REQUEST", act: leaveTeam, undoes: "the owner stays"}, // a bot that has left no longer owns the chat
		}},
		{method: "imbot.chat.user.list", params: inTeam, checks: []check{
			badAlias, noChat, general, noClient, noBot, notMyBot,
		}},
	}
}

func appChecks() []checked {
	const code, frame = `"CODE":"foreign"`, `"IFRAME":"https://bot.example.com/","HASH":"h"`
	foreign := []string{`imbot.app.register {"CLIENT_ID":"two","BOT_ID":104,` + code + `,` + frame + `,` + titles + `}`}
	const own = `"CLIENT_ID":"one","APP_ID":501`
	noApp, notMyApp := check{code: "CHAT_APP_ID_ERROR", params: `"APP_ID":9`}, check{code: "APP_ID_ERROR", params: `"APP_ID":502`}
	return []checked{
		{method: "imbot.app.register", params: asAlpha + `,` + code + `,` + frame + `,` + titles, checks: []check{
			inBrowser, noClient,
			{code: "CODE_ERROR", params: `"CODE":null`},
			{code: "IFRAME_HTTPS", params: `"IFRAME":"http://bot.example.com/"`},
			{code: "HASH_ERROR", params: `"HASH":null`},
			{code: "PARAMS_ERROR", params: `"IFRAME":null,"HASH":"not asked for then"`},
			noBot, notMyBot,
			{code: "LANG_ERROR", params: `"LANG":null`},
			{code: "WRONG_REQUEST", act: veto("imbot.app.register")},
		}},
		{method: "imbot.app.unregister", params: own, before: foreign, checks: []check{
			inBrowser, noClient, noApp, notMyApp,
			{code: "WRONG_REQUEST", act: veto("imbot.app.unregister")},
		}},
		{method: "imbot.app.update", params: own + `,"FIELDS":{"HIDDEN":"Y"}`, before: foreign, checks: []check{
			inBrowser, noClient, noApp, notMyApp,
			{code: "IFRAME_HTTPS", params: `"FIELDS":{"IFRAME":"http://bot.example.com/"}`},
			{code: "WRONG_REQUEST", act: veto("imbot.app.update")},
		}},
	}
}

var (
	hugeButton   = `[{"LINK":"/","TEXT":"` + long(60000) + `"}]`
	hugeAttach   = check{code: "ATTACH_OVERSIZE", large: true, params: `"ATTACH":[{"MESSAGE":"` + long(60000) + `"}]`}
	hugeKeyboard = check{code: "KEYBOARD_OVERSIZE", large: true, params: `"KEYBOARD":` + hugeButton}
	hugeMenu     = check{code: "MENU_OVERSIZE", large: true, params: `"MENU":` + hugeButton}
	badAttach    = check{code: "ATTACH_ERROR", params: `"ATTACH":[{}]`}
	badKeyboard  = check{code: "KEYBOARD_ERROR", params: `"KEYBOARD":[{}]`}
	badMenu      = check{code: "MENU_ERROR", params: `"MENU":[{}]`}
)

func messageChecks() []checked {
	sent := []string{`imbot.message.add {` + asAlpha + `,"DIALOG_ID":"chat1001","MESSAGE":"x"}`}
	noMessage := check{code: "MESSAGE_ID_ERROR", params: `"MESSAGE_ID":0`}
	lowerCase := badMenu
	lowerCase.code = "menu_ERROR"
	return []checked{
		{method: "imbot.message.add", params: asAlpha + `,"DIALOG_ID":"chat1001","MESSAGE":"x"`, checks: []check{
			noClient, noBot, notMyBot,
			{code: "DIALOG_ID_EMPTY", params: `"DIALOG_ID":null`},
			{code: "MESSAGE_EMPTY", params: `"MESSAGE":5`},
			hugeAttach, badAttach, badKeyboard, badMenu,
			{code: "WRONG_REQUEST", act: restrict("send")},
		}},
		{method: "imbot.message.delete", params: asAlpha + `,"MESSAGE_ID":50001`, before: sent, checks: []check{
			noClient, noBot, notMyBot, noMessage,
			{code: "CANT_EDIT_MESSAGE", act: leaveTeam},
		}},
		{method: "imbot.message.update", params: asAlpha + `,"MESSAGE_ID":50001,"MESSAGE":"y"`, before: sent, checks: []check{
			noClient, noBot, notMyBot, noMessage,
			{code: "CANT_EDIT_MESSAGE", act: leaveTeam},
			hugeAttach, badAttach, hugeKeyboard, badKeyboard, hugeMenu, lowerCase,
		}},
		{method: "imbot.message.like", params: asAlpha + `,"MESSAGE_ID":50001`, before: sent, checks: []check{
			noClient, noBot, notMyBot, noMessage,
			{code: "WITHOUT_CHANGES", params: `"ACTION":"minus"`},
		}},
	}
}

func commandChecks() []checked {
	handler := `"EVENT_COMMAND_ADD":"https://bot.example.com"`
	method, params := "imbot.command.register", `{"CLIENT_ID":"two","BOT_ID":104,"COMMAND":"foreign",`+handler+`,`+titles+`}`
	foreign := []string{method + " " + params}
	const own = `"CLIENT_ID":"one","COMMAND_ID":701`
	noCommand, notMyCommand := check{code: "COMMAND_ID_ERROR", params: `"COMMAND_ID":9`}, check{code: "APP_ID_ERROR", params: `"COMMAND_ID":702`}
	return []checked{
		{method: method, params: asAlpha + `,"COMMAND":"new",` + handler + `,` + titles, checks: []check{
			inBrowser, noClient, noBot, notMyBot,
			{code: "FETCH_NOT_SUPPORTED", act: fetching},
			{code: "EVENT_COMMAND_ADD_ERROR", params: `"EVENT_COMMAND_ADD":null`},
			{code: "COMMAND_ERROR", params: `"COMMAND":"/"`},
			{code: "LANG_ERROR", params: `"LANG":[]`},
			{code: "WRONG_REQUEST", act: veto(method)},
		}},
		{method: "imbot.command.unregister", params: own, before: foreign, checks: []check{
			inBrowser, noClient, noCommand, notMyCommand,
			{code: "WRONG_REQUEST", act: veto("imbot.command.unregister")},
		}},
		{method: "imbot.command.update", params: own + `,"FIELDS":{"HIDDEN":"Y"}`, before: foreign, checks: []check{
			inBrowser, noClient, noCommand, notMyCommand,
			{code: "FETCH_NOT_SUPPORTED", act: fetching},
			{code: "EVENT_COMMAND_ADD_ERROR", params: `"FIELDS":{"EVENT_COMMAND_ADD":"x"}`},
			{code: "WRONG_REQUEST", params: `"FIELDS":{"HIDDEN":""}`},
		}},
		{method: "imbot.command.answer", params: own + `,"MESSAGE_ID":50001,"MESSAGE":"x"`, before: append([]string{"say 103 /echo"}, foreign...), checks: []check{
			inBrowser, noClient, noCommand, notMyCommand,
			{code: "MESSAGE_ID_EMPTY", params: `"MESSAGE_ID":"x"`},
			{code: "MESSAGE_EMPTY", params: `"MESSAGE":" "`},
			hugeAttach, badAttach, hugeKeyboard, badKeyboard, badMenu,
			{code: "WRONG_REQUEST", params: `"COMMAND_ID":null`},
		}},
	}
}

func internalChecks() []checked {
	byWebhook, missing := check{code: "WRONG_AUTH_TYPE", as: "webhook"}, check{code: "WRONG_REQUEST"}
	refused := check{code: "ACCESS_DENIED", except: "the portal has no bot of the vendor's support: the call ends before"}
	var all []checked
	for _, name := range []string{"support24.question.config.get", "support24.question.list", "support24.question.search", "network.question.list", "network.question.search"} {
		all = append(all, checked{method: "imbot." + name, as: "browser", checks: []check{byWebhook, missing}})
	}
	for _, name := range []string{"support24.question.add", "network.question.add"} {
		all = append(all, checked{method: "imbot." + name, as: "browser", checks: []check{byWebhook, missing, refused}})
	}
	return all
}
