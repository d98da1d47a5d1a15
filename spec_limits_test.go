package imbot_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

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
