package imbottest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

// The tests of this file provoke every error code that the description of the
// REST methods calls one of the server, in the documented order of the checks.

// checked is a call that would succeed, and the mistakes that can be made with it.
type checked struct {
	method string
	params string   // of the right call
	before []string // calls that it needs, see row
	as     string   // who calls: the webhook when empty, or "browser"
	checks []check  // in the documented order, one for each documented error

	refused *imbottest.Portal // for calls that change nothing
}

// check is a mistake and the code that it has to get.
type check struct {
	code   string
	params string // laid over those of the right call; null takes a parameter away
	act    func(*testing.T, *imbottest.Portal)
	as     string // "browser" or "guest"
	name   string // for undoes
	undoes string // the name of a mistake that cannot be made together with this one
	except string // why it cannot be provoked
	large  bool   // so that it is made together with all the others only
}

// maxExceptions is how many checks may have a reason instead of a test.
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
	require.Len(t, methods, 38)
	return methods
}

// fromServer are the errors that a server sends.
func (m documentedMethod) fromServer() []documentedError {
	return slices.DeleteFunc(slices.Clone(m.Errors), func(e documentedError) bool { return e.Source != "server" && e.Source != "both" })
}

func allChecked() []checked {
	return slices.Concat(botChecks(), chatChecks(), memberChecks(), messageChecks(), commandChecks(), appChecks(), internalChecks())
}

func TestEveryDocumentedErrorInTheDocumentedOrder(t *testing.T) {
	tables := map[string]checked{}
	for _, c := range allChecked() {
		require.NotContains(t, tables, c.method)
		tables[c.method] = c
	}
	exceptions, codes, pairs := 0, 0, 0
	for _, documented := range readMethods(t) {
		c, ok := tables[documented.Method]
		require.True(t, ok, "%s is not in the tables", documented.Method)
		delete(tables, documented.Method)
		want := documented.fromServer()
		require.Equal(t, codesOf(want), c.codes(), "the checks of %s", c.method)
		codes += len(c.checks)
		for i, first := range c.checks {
			if first.except != "" {
				exceptions++
			}
			pairs += len(c.after(i))
		}
		t.Run(c.method, func(t *testing.T) {
			c.refused = c.world(t)
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
	require.Equal(t, 239, codes)
	require.Greater(t, pairs, 700, "most mistakes can be made together")
}

// alwaysFail are methods that have no good end on this portal.
var alwaysFail = []string{
	"imbot.dialog.vote", // only network bots of the vendor can be rated
	"imbot.support24.question.config.get", "imbot.support24.question.add", "imbot.support24.question.list", "imbot.support24.question.search",
	"imbot.network.question.add", "imbot.network.question.list", "imbot.network.question.search", // without the vendor's support
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

// after are the later mistakes that can be made together with the i-th.
func (c checked) after(i int) (later []int) {
	for j := i + 1; j < len(c.checks) && c.checks[i].except == ""; j++ {
		if second := c.checks[j]; second.except == "" && !second.large && !c.checks[i].excludes(second) {
			later = append(later, j)
		}
	}
	return later
}

// compatible are the mistakes from the i-th on that can be made at once, the
// earlier ones laid over the later ones.
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

// gets makes a call with mistakes and compares the error.
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

// world is where the call would succeed.
func (c checked) world(t *testing.T) *imbottest.Portal {
	t.Helper()
	portal := newWorld(t)
	for _, step := range c.before {
		prepare(t, portal, step)
	}
	return portal
}

// call makes the call, in a world of its own unless it is refused without a change
// of the world before.
func (c checked) call(t *testing.T, mistakes []check) (int, []byte) {
	t.Helper()
	portal := c.refused
	if portal == nil || len(mistakes) == 0 || slices.ContainsFunc(mistakes, func(m check) bool { return m.act != nil }) {
		portal = c.world(t)
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

// object reads the inside of a JSON object.
func object(t *testing.T, members string) map[string]any {
	t.Helper()
	out := map[string]any{}
	require.NoError(t, json.Unmarshal([]byte("{"+members+"}"), &out), members)
	return out
}

// overlay lays one object over another; null deletes.
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

// prepare is a step of [row].
func prepare(t *testing.T, portal *imbottest.Portal, step string) {
	t.Helper()
	name, params, _ := strings.Cut(step, " ")
	if name == "say" {
		dialog, text, _ := strings.Cut(params, " ")
		_, err := portal.Say(t.Context(), anna, imbot.DialogID(dialog), text)
		require.NoError(t, err)
		return
	}
	require.NotRegexp(t, "^[45].. ", post(t, portal, name, params), step)
}
