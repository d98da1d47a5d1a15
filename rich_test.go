package imbot_test

import (
	"bytes"
	"encoding/json"
	"html"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// measured is one of the cases in testdata/normalised: what a server made of a
// keyboard, menu or attachment.
type measured struct {
	Sent   map[string]any
	Stored any
	Error  string
}

func measurements(t *testing.T, name string) []measured {
	t.Helper()
	data, err := os.ReadFile("testdata/normalised/" + name + ".jsonl")
	require.NoError(t, err)
	var rows []measured
	for line := range bytes.Lines(data) {
		var m measured
		require.NoError(t, json.Unmarshal(line, &m))
		rows = append(rows, m)
	}
	require.Len(t, rows, 350)
	return rows
}

// richParts reads a part and returns the list that is written again, with the verdict
// of Check. It is known when nothing of it is passed on unread: that is never refused.
var richParts = map[string]func(*testing.T, any) (wire any, known bool, refused error){
	"keyboard": func(t *testing.T, v any) (any, bool, error) {
		k := reread[imbot.Keyboard](t, v)
		known := true
		for _, row := range k.Rows {
			for _, b := range row {
				known = known && b.Action != nil
			}
		}
		return listIn(reread[any](t, k)), known, imbot.MessageAddRequest{Keyboard: &k}.Check()
	},
	"menu": func(t *testing.T, v any) (any, bool, error) {
		m := reread[imbot.Menu](t, v)
		known := true
		for _, i := range m.Items {
			known = known && i.Action != nil
		}
		return listIn(reread[any](t, m)), known, imbot.MessageAddRequest{Menu: &m}.Check()
	},
	"attach": func(t *testing.T, v any) (any, bool, error) {
		a := reread[imbot.Attach](t, v)
		known := true
		for _, b := range a.Blocks {
			_, unknown := b.(imbot.BlockUnknown)
			known = known && !unknown
		}
		return listIn(reread[any](t, a)), known, imbot.MessageAddRequest{Attach: &a}.Check()
	},
}

// reread is a value as it comes out of JSON.
func reread[T any](t *testing.T, v any) (out T) {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &out), string(data))
	return out
}

// listIn is the list of buttons, items or blocks; a keyboard is stored without more.
// What only ends a row is left out.
func listIn(part any) any {
	if o, ok := part.(map[string]any); ok {
		for _, name := range []string{"BUTTONS", "ITEMS", "BLOCKS"} {
			if list, ok := o[name]; ok {
				part = list
			}
		}
	}
	list, _ := part.([]any)
	return slices.DeleteFunc(slices.Clone(list), func(v any) bool {
		o, ok := v.(map[string]any)
		return ok && o["TYPE"] == "NEWLINE"
	})
}

// TestWhatIsAcceptedIsKept holds that Check lets nothing through that a server loses:
// each text that it accepts is stored, but for blanks at its ends.
func TestWhatIsAcceptedIsKept(t *testing.T) {
	for name, read := range richParts {
		t.Run(name, func(t *testing.T) {
			accepted := 0
			for _, m := range measurements(t, name) {
				wire, known, refused := read(t, m.Sent)
				sent := listIn(m.Sent)
				if refused != nil || !known || !keeps(wire, sent) { // or it is sent in another way than was measured
					continue
				}
				accepted++
				if name == "attach" {
					sent = withoutEscapes(withoutDocumented(sent))
				}
				if !keeps(listIn(m.Stored), withoutSlashes(sent)) {
					t.Errorf("%v\n\tis stored as %v %s", m.Sent, m.Stored, m.Error)
				}
			}
			t.Logf("%d accepted", accepted)
			require.Greater(t, accepted, 100)
		})
	}
}

// TestStoredPartsLoseNothing reads what a server has stored, and writes it again.
func TestStoredPartsLoseNothing(t *testing.T) {
	for name, read := range richParts {
		t.Run(name, func(t *testing.T) {
			for _, m := range measurements(t, name) {
				if m.Error != "" {
					continue
				}
				stored := listIn(m.Stored)
				wire, _, _ := read(t, m.Stored)
				if name == "attach" { // whose texts are read as they are sent, not as they are stored
					wire, _, _ = read(t, withTexts(m.Stored, func(s string) string { return strings.ReplaceAll(s, `\`, `\\`) }))
					wire = withoutEscapes(wire)
				}
				if name == "keyboard" { // where 0 alone would be no command
					wire = withTexts(wire, func(s string) string { return strings.Replace(s, "/0", "0", 1) })
					stored = withTexts(stored, func(s string) string { return strings.Replace(s, "/0", "0", 1) })
				}
				if !keeps(wire, stored) || !keeps(stored, wire) {
					t.Errorf("%v\n\tis written as %v", stored, wire)
				}
			}
		})
	}
}

// withoutEscapes is what a server reads in the texts of an attachment.
func withoutEscapes(v any) any {
	return withTexts(v, func(s string) string {
		for _, pair := range [][2]string{{`\n`, "\n"}, {`\t`, "\t"}, {`\"`, `"`}, {`\\`, `\`}} {
			s = strings.ReplaceAll(s, pair[0], pair[1])
		}
		return s
	})
}

// withoutSlashes has commands as they are stored.
func withoutSlashes(list any) any {
	for _, v := range list.([]any) {
		if o, ok := v.(map[string]any); ok {
			if name, ok := o["COMMAND"].(string); ok {
				o["COMMAND"] = strings.TrimPrefix(name, "/")
			}
		}
	}
	return list
}

// withoutDocumented leaves out what the comments of the blocks say is not shown.
func withoutDocumented(blocks any) any {
	for _, b := range blocks.([]any) {
		o, _ := b.(map[string]any)
		if user, ok := o["USER"].(map[string]any); ok && (user["NETWORK_ID"] != nil || user["USER_ID"] != nil || user["CHAT_ID"] != nil || user["BOT_ID"] != nil) {
			delete(user, "LINK")
		}
		if link, ok := o["LINK"].(map[string]any); ok && link["HTML"] != nil {
			delete(link, "PREVIEW")
		}
	}
	return blocks
}

func withTexts(v any, change func(string) string) any {
	switch v := v.(type) {
	case string:
		return change(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = withTexts(v[i], change)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for k := range v {
			out[k] = withTexts(v[k], change)
		}
		return out
	}
	return v
}

// keeps reports whether all texts of one value are in another, in the same place.
func keeps(has, want any) bool {
	if list, ok := has.([]any); ok && len(list) == 1 { // a person is stored as a list of one
		if _, ok := want.([]any); !ok {
			has = list[0]
		}
	}
	switch want := want.(type) {
	case map[string]any:
		o, ok := has.(map[string]any)
		for k, v := range want {
			if !ok || !keeps(o[k], v) {
				return false
			}
		}
	case []any:
		list, ok := has.([]any)
		if !ok && len(want) == 1 {
			return keeps(has, want[0])
		}
		if len(list) != len(want) {
			return false
		}
		for i := range want {
			if !keeps(list[i], want[i]) {
				return false
			}
		}
	case string:
		s, _ := has.(string)
		return plainly(s) == plainly(want)
	}
	return true
}

// plainly is a text without what a server changes and people do not see.
func plainly(s string) string {
	s = strings.NewReplacer("\n", " ", "#BR#", "[BR]", "\u2060", "").Replace(html.UnescapeString(s))
	return strings.Trim(s, " \t\n\r\v\x00")
}
