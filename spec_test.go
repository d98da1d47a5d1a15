package imbot_test

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// The tests of this file hold the request types against the description of the
// REST methods: a method, a parameter or a limit that is missing fails.

// wrapped are the request types.
func wrapped() map[string]wrapping {
	all := map[string]wrapping{}
	for _, w := range []wrapping{
		wrap(imbot.BotRegisterRequest{}), wrap(imbot.BotUpdateRequest{}), wrap(imbot.BotUnregisterRequest{}), wrap(imbot.BotListRequest{}),
		wrap(imbot.ChatAddRequest{}), wrap(imbot.ChatGetRequest{}), wrap(imbot.ChatLeaveRequest{}), wrap(imbot.ChatSetOwnerRequest{}),
		wrap(imbot.ChatSetManagerRequest{}), wrap(imbot.ChatSendTypingRequest{}), wrap(imbot.ChatUpdateTitleRequest{}),
		wrap(imbot.ChatUpdateColorRequest{}), wrap(imbot.ChatUpdateAvatarRequest{}), wrap(imbot.ChatListUsersRequest{}),
		wrap(imbot.ChatAddUsersRequest{}), wrap(imbot.ChatDeleteUserRequest{}), wrap(imbot.ChatGetDialogRequest{}),
		wrap(imbot.AppRegisterRequest{}), wrap(imbot.AppUpdateRequest{}), wrap(imbot.AppUnregisterRequest{}),
		wrap(imbot.MessageAddRequest{}), wrap(imbot.MessageUpdateRequest{}), wrap(imbot.MessageDeleteRequest{}), wrap(imbot.MessageLikeRequest{}),
		wrap(imbot.CommandRegisterRequest{}), wrap(imbot.CommandUpdateRequest{}), wrap(imbot.CommandUnregisterRequest{}), wrap(imbot.CommandAnswerRequest{}),
	} {
		all[w.method] = w
	}
	return all
}

// outside are the undocumented methods, with the reason why they stay out.
var outside = map[string]string{
	"imbot.sendTyping":                    "private: the old name of imbot.chat.sendTyping",
	"imbot.dialog.vote":                   "rates open lines of the vendor's own network",
	"imbot.chat.updateTextFieldEnabled":   "may vanish without notice",
	"imbot.support24.question.config.get": "works in a browser session only",
	"imbot.support24.question.add":        "works in a browser session only",
	"imbot.support24.question.list":       "works in a browser session only",
	"imbot.support24.question.search":     "works in a browser session only",
	"imbot.network.question.add":          "works in a browser session only",
	"imbot.network.question.list":         "works in a browser session only",
	"imbot.network.question.search":       "works in a browser session only",
}

// undocumented parameters that the requests have all the same: an older
// description of the methods named them, or the portal loses something without.
var undocumented = map[string][]string{
	"imbot.chat.add":       {"OWNER_ID"},
	"imbot.chat.get":       {"BOT_ID"},
	"imbot.app.update":     {"FIELDS.HIDDEN"},
	"imbot.command.answer": {"BOT_ID"},
}

// wrapping is a request type of the package.
type wrapping struct {
	method     string
	request    reflect.Type
	result     reflect.Type
	repeatable bool
	// send makes a request of JSON parameters and sends it.
	send func(ctx context.Context, client *imbot.Client, params []byte) (any, error)
}

func wrap[R any, Q imbot.Request[R]](zero Q) wrapping {
	r, ok := any(zero).(interface{ Repeatable() bool })
	return wrapping{
		method: zero.Method(), request: reflect.TypeFor[Q](), result: reflect.TypeFor[R](), repeatable: ok && r.Repeatable(),
		send: func(ctx context.Context, client *imbot.Client, params []byte) (any, error) {
			var req Q
			if err := json.Unmarshal(params, &req); err != nil {
				return nil, err
			}
			return imbot.Do[R](ctx, client, req)
		},
	}
}

type specMethod struct {
	Method      string
	Documented  bool
	Doc         string // the page's source, below the root of the documentation
	Idempotency string
	Params      []specParam
	Result      struct {
		Type   string
		Fields []specParam
	}
	Errors []struct {
		Code, When string
		Others     []string `json:"wire_code_may_be"`
	}
	ExampleRequest map[string]any  `json:"example_request"`
	ExampleResult  json.RawMessage `json:"example_result"`
}

type specParam struct {
	Name, Type string
	Documented *bool
	MaxLength  int `json:"max_length"`
	Min        int
	Enum       []string
	Fields     []specParam
}

func readSpec(t *testing.T) []specMethod {
	t.Helper()
	data, err := os.ReadFile("testdata/spec/imbot-v1.json")
	require.NoError(t, err)
	var spec []specMethod
	require.NoError(t, json.Unmarshal(data, &spec))
	require.NotEmpty(t, spec)
	return spec
}

// forEachWrapped runs a test for every method that the package has.
func forEachWrapped(t *testing.T, test func(*testing.T, specMethod, wrapping)) {
	t.Helper()
	all, seen := wrapped(), 0
	for _, m := range readSpec(t) {
		if w, ok := all[m.Method]; ok {
			seen++
			t.Run(m.Method, func(t *testing.T) { test(t, m, w) })
		}
	}
	require.Equal(t, len(all), seen, "a request type has a method that the spec does not know")
}

// params returns the documented parameters by path ("FIELDS.CODE"), and the
// undocumented ones. CLIENT_ID is added by the client.
func (m specMethod) params() (documented map[string]specParam, rest []string) {
	documented = map[string]specParam{}
	var walk func(prefix string, params []specParam)
	walk = func(prefix string, params []specParam) {
		for _, p := range params {
			switch {
			case prefix+p.Name == "CLIENT_ID":
			case p.Documented != nil && !*p.Documented:
				rest = append(rest, prefix+p.Name)
			default:
				documented[prefix+p.Name] = p
				walk(prefix+p.Name+".", p.Fields)
			}
		}
	}
	walk("", m.Params)
	return documented, rest
}

// jsonNames returns the names of a type's members by path.
func jsonNames(typ reflect.Type, prefix string) []string {
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || typ.Implements(reflect.TypeFor[json.Marshaler]()) {
		return nil // a value, or a type with a form of its own
	}
	var names []string
	for i := range typ.NumField() {
		if f := typ.Field(i); !f.Anonymous { // Returns has no members
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			names = append(append(names, prefix+name), jsonNames(f.Type, prefix+name+".")...)
		}
	}
	return names
}

func TestSpecMethods(t *testing.T) {
	all := wrapped()
	known := map[string]bool{}
	for _, m := range readSpec(t) {
		known[m.Method] = true
		_, isWrapped := all[m.Method]
		_, isOutside := outside[m.Method]
		require.Equal(t, m.Documented, !isOutside, "%s: outside are the undocumented methods", m.Method)
		require.Equal(t, m.Documented, isWrapped, "%s is documented and missing, or neither", m.Method)
	}
	for method := range outside {
		require.True(t, known[method], method)
	}
}

func TestSpecParameters(t *testing.T) {
	forEachWrapped(t, func(t *testing.T, m specMethod, w wrapping) {
		documented, rest := m.params()
		want := slices.Collect(maps.Keys(documented))
		for _, name := range undocumented[m.Method] {
			require.Contains(t, rest, name, "it is documented now")
			want = append(want, name)
		}
		require.ElementsMatch(t, want, jsonNames(w.request, ""))
	})
}

// TestSpecZeroRequests holds that what is not set is not sent: a zero that is
// sent is a value for the portal.
func TestSpecZeroRequests(t *testing.T) {
	forEachWrapped(t, func(t *testing.T, m specMethod, w wrapping) {
		want := `{}`
		for _, name := range []string{"PROPERTIES", "FIELDS"} { // required; the portal reports an empty one
			if slices.Contains(jsonNames(w.request, ""), name) {
				want = `{"` + name + `":{}}`
			}
		}
		require.JSONEq(t, want, string(toJSON(t, reflect.Zero(w.request).Interface())))
	})
}

func TestSpecRepeatable(t *testing.T) {
	forEachWrapped(t, func(t *testing.T, m specMethod, w wrapping) {
		want := strings.HasPrefix(m.Idempotency, "Safe to repeat") || strings.HasPrefix(m.Idempotency, "Read-only")
		if m.Method == "imbot.chat.setOwner" {
			want = false // a repeat fails: the bot is no owner then
		}
		require.Equal(t, want, w.repeatable, m.Idempotency)
	})
}

// TestSpecExamples sends every documented example and reads its result.
func TestSpecExamples(t *testing.T) {
	forEachWrapped(t, func(t *testing.T, m specMethod, w wrapping) {
		example := maps.Clone(m.ExampleRequest)
		client, sent := mockClient(t, m.Method, 200, `{"result":`+string(m.ExampleResult)+`}`)
		result, err := w.send(t.Context(), client, toJSON(t, example))
		require.NoError(t, err)
		example["CLIENT_ID"] = "bot-secret-1"
		require.JSONEq(t, string(toJSON(t, example)), sent())

		require.IsType(t, reflect.Zero(w.result).Interface(), result)
		switch m.Result.Type {
		case "true":
			require.Equal(t, imbot.OK{}, result)
		case "int", "[]int":
			require.JSONEq(t, string(m.ExampleResult), string(toJSON(t, result)))
		case "object":
			testObject(t, m, w.result, result)
		default:
			t.Fatalf("the spec has a new type of result: %s", m.Result.Type)
		}
	})
}

// testObject holds the members of a result against the spec.
func testObject(t *testing.T, m specMethod, typ reflect.Type, result any) {
	t.Helper()
	if id, ok := result.(imbot.ID); ok {
		require.JSONEq(t, string(m.ExampleResult), `{"ID":`+id.String()+`}`)
		return
	}
	var fields, got []string
	for _, f := range m.Result.Fields {
		fields = append(fields, f.Name)
	}
	names := jsonNames(typ, "")
	for _, name := range names {
		if !strings.Contains(name, ".") {
			got = append(got, name)
		}
	}
	require.ElementsMatch(t, fields, got)

	// What the example holds deeper inside.
	var example map[string]any
	require.NoError(t, json.Unmarshal(m.ExampleResult, &example))
	var walk func(prefix string, v any)
	walk = func(prefix string, v any) {
		switch v := v.(type) {
		case []any:
			for _, element := range v {
				walk(prefix, element)
			}
		case map[string]any:
			for name, inner := range v {
				require.Contains(t, names, prefix+name)
				walk(prefix+name+".", inner)
			}
		}
	}
	if typ.Kind() == reflect.Slice { // a map by id on the wire
		for _, entry := range example {
			walk("", entry)
		}
		return
	}
	walk("", example)
}

func TestSpecWithBot(t *testing.T) {
	forEachWrapped(t, func(t *testing.T, m specMethod, w wrapping) {
		example := maps.Clone(m.ExampleRequest)
		delete(example, "BOT_ID")
		client, sent := mockClient(t, m.Method, 200, `{"result":`+string(m.ExampleResult)+`}`)
		_, err := w.send(t.Context(), client.WithBot(7), toJSON(t, example))
		require.NoError(t, err)
		var params map[string]any
		require.NoError(t, json.Unmarshal([]byte(sent()), &params))
		if slices.Contains(jsonNames(w.request, ""), "BOT_ID") {
			require.InDelta(t, 7, params["BOT_ID"], 0)
		} else {
			require.NotContains(t, params, "BOT_ID")
		}
	})
}

func toJSON(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return data
}

// TestSpecLimits holds that every limit of the spec is refused before sending
// on one side and sent on the other.
func TestSpecLimits(t *testing.T) {
	checked := 0
	forEachWrapped(t, func(t *testing.T, m specMethod, w wrapping) {
		documented, _ := m.params()
		for path, p := range documented {
			good, bad := valuesFor(p)
			checked += len(good)
			for _, value := range good {
				client, sent := mockClient(t, m.Method, 200, `{"result":`+string(m.ExampleResult)+`}`)
				_, err := w.send(t.Context(), client, m.exampleWith(t, path, value))
				require.NoError(t, err, "%s: %v", path, value)
				require.NotEmpty(t, sent())
			}
			for _, value := range bad {
				client, sent := mockClient(t, m.Method, 200, `{"result":`+string(m.ExampleResult)+`}`)
				_, err := w.send(t.Context(), client, m.exampleWith(t, path, value))
				require.ErrorIs(t, err, imbot.ErrInvalid, "%s: %v", path, value)
				require.Contains(t, err.Error(), p.Name)
				require.Empty(t, sent())
			}
		}
	})
	require.Greater(t, checked, 100, "the spec hardly names a limit: has its shape changed?")
}

// valuesFor returns values within and outside the limits of a parameter.
func valuesFor(p specParam) (good, bad []any) {
	letter := "я" // two bytes: the limits count characters
	if p.Name == "LANGUAGE_ID" {
		letter = "d"
	}
	if p.MaxLength > 0 {
		good = append(good, strings.Repeat(letter, p.MaxLength))
		bad = append(bad, strings.Repeat(letter, p.MaxLength+1))
	}
	if p.Min > 0 {
		good = append(good, p.Min)
		bad = append(bad, p.Min-1, -p.Min)
	}
	for _, value := range p.Enum {
		good = append(good, value)
	}
	if p.Type == "bool-YN" {
		good = append(good, "Y", "N")
	}
	if p.Enum != nil || p.Type == "bool-YN" {
		bad = append(bad, "no such value")
	}
	return good, bad
}

// exampleWith returns the documented example with one parameter changed, and
// what cannot stand beside it taken out.
func (m specMethod) exampleWith(t *testing.T, path string, value any) []byte {
	t.Helper()
	var params map[string]any
	require.NoError(t, json.Unmarshal(toJSON(t, m.ExampleRequest), &params)) // a copy, all the way down
	inner := params
	steps := strings.Split(path, ".")
	name := steps[len(steps)-1]
	for _, step := range steps[:len(steps)-1] {
		switch next := inner[step].(type) {
		case map[string]any:
			inner = next
		case []any:
			inner = next[0].(map[string]any)
		default:
			t.Fatalf("the example of %s has no %s", m.Method, step)
		}
	}
	inner[name] = value
	switch {
	case strings.HasPrefix(name, "IFRAME"):
		delete(inner, "JS_METHOD")
		delete(inner, "JS_PARAM")
	case value == "SUPPORT":
		inner["JS_PARAM"] = strings.Repeat("0", 32)
	case value == "CALL" && name == "JS_METHOD":
		inner["JS_PARAM"] = "+15550109999"
	}
	return toJSON(t, params)
}
