package imbottest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

// addWith sends a message of alpha to the chat, with one more parameter.
func addWith(t *testing.T, portal *imbottest.Portal, param, value string) string {
	t.Helper()
	return post(t, portal, "imbot.message.add", fmt.Sprintf(`{%s,"DIALOG_ID":"chat1001","MESSAGE":"x",%q:%s}`, me, param, value))
}

// runStored sends a parameter with a value and compares the entries that the portal
// stores. rows have a name, the value, and the entries that are expected, "" for an error;
// rest are the members that an entry has when the row does not say otherwise.
func runStored(t *testing.T, param, rest string, pick func(imbottest.Message) any, rows [][3]string) {
	t.Helper()
	for _, r := range rows {
		t.Run(param+": "+r[0], func(t *testing.T) {
			portal := newTestPortal(t)
			got := addWith(t, portal, param, r[1])
			if r[2] == "" {
				require.Equal(t, "400 "+param+"_ERROR", got)
				return
			}
			require.Equal(t, "50001", got)
			var want, stored []map[string]any
			require.NoError(t, json.Unmarshal([]byte(r[2]), &want))
			for _, entry := range want {
				if entry["TYPE"] != "NEWLINE" {
					var defaults map[string]any
					require.NoError(t, json.Unmarshal([]byte(rest), &defaults))
					for k, v := range defaults {
						if _, ok := entry[k]; !ok {
							entry[k] = v
						}
					}
				}
			}
			require.NoError(t, json.Unmarshal([]byte(jsonOf(t, pick(lastOf(portal, "chat1001")))), &stored))
			require.Equal(t, want, stored)
		})
	}
}

func memberOf(t *testing.T, v any, name string) any {
	t.Helper()
	var object map[string]any
	require.NoError(t, json.Unmarshal([]byte(jsonOf(t, v)), &object))
	return object[name]
}

func TestStoredKeyboards(t *testing.T) {
	t.Parallel()
	const rest = `{"BOT_ID":103,"TYPE":"BUTTON","TEXT":"A","VOTE":"N","BLOCK":"N","WAIT":"N","CONTEXT":"ALL","DISABLED":"N","DISPLAY":"BLOCK","BG_COLOR_TOKEN":"base"}`
	runStored(t, "KEYBOARD", rest, func(m imbottest.Message) any { return memberOf(t, m.Keyboard, "BUTTONS") }, [][3]string{
		{"an object", `{"BUTTONS":[{"TEXT":"A","LINK":"/a"}]}`, `[{"LINK":"/a"}]`},
		{"a bare list", `[{"TEXT":" A ","LINK":"https://a.example"}]`, `[{"LINK":"https://a.example"}]`},
		{"a string of an object", `"{\"BUTTONS\":[{\"TEXT\":\"A\",\"LINK\":\"/a\"}]}"`, `[{"LINK":"/a"}]`},
		{"a string of a list", `"[{\"TEXT\":\"A\",\"LINK\":\"/a\"}]"`, `[{"LINK":"/a"}]`},
		{"N is no keyboard here", `"N"`, ``},
		{"a number is none", `5`, ``},
		{"BUTTONS has to be a list", `{"BUTTONS":"x"}`, ``},
		{"what is no button is dropped", `["x",5,null,{"TEXT":"A","LINK":"/a"}]`, `[{"LINK":"/a"}]`},
		{"no text, no button", `[{"LINK":"/a"}]`, ``},
		{"blanks are no text", `[{"TEXT":"  ","LINK":"/a"}]`, ``},
		{"nor is 0", `[{"TEXT":"0","LINK":"/a"}]`, ``},
		{"nor a number", `[{"TEXT":5,"LINK":"/a"}]`, ``},
		{"no action, no button", `[{"TEXT":"A"}]`, ``},
		{"FUNCTION spoils a button", `[{"TEXT":"A","LINK":"/a","FUNCTION":"f"}]`, ``},
		{"the link wins", `[{"TEXT":"A","LINK":"http://a","APP_ID":1,"ACTION":"PUT","ACTION_VALUE":"x","COMMAND":"c"}]`, `[{"LINK":"http://a"}]`},
		{"unless it is none", `[{"TEXT":"A","LINK":"mailto:a","APP_ID":1,"APP_PARAMS":"p"}]`, `[{"APP_ID":1,"APP_PARAMS":"p"}]`},
		{"then the action", `[{"TEXT":"A","APP_ID":0,"ACTION":"PUT","ACTION_VALUE":"x","COMMAND":"c"}]`, `[{"ACTION":"PUT","ACTION_VALUE":"x"}]`},
		{"which needs a value", `[{"TEXT":"A","ACTION":"SEND","ACTION_VALUE":"","COMMAND":"/c"}]`, `[{"COMMAND":"c"}]`},
		{"and to be known", `[{"TEXT":"A","ACTION":"JUMP","ACTION_VALUE":"x"}]`, ``},
		{"a command with parameters", `[{"TEXT":"A","COMMAND":"c","COMMAND_PARAMS":"p","BLOCK":"Y"}]`, `[{"COMMAND":"c","COMMAND_PARAMS":"p","BLOCK":"Y"}]`},
		{"what a button can have", `[{"TEXT":"A","LINK":"/","DISABLED":"Y","CONTEXT":"MOBILE","DISPLAY":"LINE","WIDTH":"120","BG_COLOR":"#fff","TEXT_COLOR":"#123456","OFF_BG_COLOR":"#000","OFF_TEXT_COLOR":"#aaa","BG_COLOR_TOKEN":"alert"}]`,
			`[{"LINK":"/","DISABLED":"Y","CONTEXT":"MOBILE","DISPLAY":"LINE","WIDTH":120,"BG_COLOR":"#fff","TEXT_COLOR":"#123456","OFF_BG_COLOR":"#000","OFF_TEXT_COLOR":"#aaa","BG_COLOR_TOKEN":"alert"}]`},
		{"what it cannot", `[{"TEXT":"A","LINK":"/","DISABLED":true,"BLOCK":"y","CONTEXT":"x","DISPLAY":"x","WIDTH":-1,"BG_COLOR":"red","TEXT_COLOR":"#12","BG_COLOR_TOKEN":"x","MORE":1}]`, `[{"LINK":"/"}]`},
		{"no width", `[{"TEXT":"A","LINK":"/","WIDTH":0}]`, `[{"LINK":"/"}]`},
		{"colours and votes of the keyboard", `{"VOTE":"Y","COLORS":{"BG_COLOR":"#fff","TEXT_COLOR":"x"},"BUTTONS":[{"TEXT":"A","LINK":"/","BG_COLOR":"#000"},{"TEXT":"A","LINK":"/"}]}`,
			`[{"LINK":"/","VOTE":"Y","BG_COLOR":"#000"},{"LINK":"/","VOTE":"Y","BG_COLOR":"#fff"}]`},
		{"links are escaped", `[{"TEXT":"A","LINK":"/?a=1&b=<\"2\">'"}]`, `[{"LINK":"/?a=1&amp;b=&lt;&quot;2&quot;&gt;'"}]`},
		{"0 is no command, but a slash saves it", `[{"TEXT":"A","COMMAND":"0"},{"TEXT":"A","COMMAND":"/0"}]`, `[{"COMMAND":"/0"}]`}, // as the SDK writes it again
		{"parameters keep their blanks", `[{"TEXT":"A","COMMAND":"c","COMMAND_PARAMS":" a  b "}]`, `[{"COMMAND":"c","COMMAND_PARAMS":" a  b "}]`},
		{"blanks alone are no parameters, nor is 0", `[{"TEXT":"A","COMMAND":"c","COMMAND_PARAMS":" \n"},{"TEXT":"A","COMMAND":"c","COMMAND_PARAMS":"0"}]`, `[{"COMMAND":"c"},{"COMMAND":"c"}]`},
		{"rows", `[{"TEXT":"A","LINK":"/"},{"TYPE":"NEWLINE","TEXT":"x"},{"TEXT":"A","LINK":"/","TYPE":"x"}]`, `[{"LINK":"/"},{"TYPE":"NEWLINE"},{"LINK":"/"}]`},
	})
}

func TestStoredMenus(t *testing.T) {
	t.Parallel()
	const rest = `{"BOT_ID":103,"TEXT":"A","CONTEXT":"ALL","DISABLED":"N"}`
	runStored(t, "MENU", rest, func(m imbottest.Message) any { return memberOf(t, m.Menu, "ITEMS") }, [][3]string{
		{"an object", `{"ITEMS":[{"TEXT":"A","LINK":"/a"}]}`, `[{"LINK":"/a"}]`},
		{"a string of a list", `"[{\"TEXT\":\"A\",\"LINK\":\"/a\"}]"`, `[{"LINK":"/a"}]`},
		{"N is no menu here", `"N"`, ``},
		{"no text, no item", `[{"LINK":"/a"},{"TEXT":"A"}]`, ``},
		{"FUNCTION spoils an item", `[{"TEXT":"A","LINK":"/a","FUNCTION":""}]`, ``},
		{"a new line is no item", `[{"TYPE":"NEWLINE"}]`, ``},
		{"texts are escaped", `[{"TEXT":"<b> & \"c\"","COMMAND":"c"}]`, `[{"TEXT":"&lt;b&gt; &amp; &quot;c&quot;","COMMAND":"c"}]`},
		{"links are escaped", `[{"TEXT":"A","LINK":"/?a&b"}]`, `[{"LINK":"/?a&amp;b"}]`},
		{"actions of keyboards only are none", `[{"TEXT":"A","ACTION":"HELP","ACTION_VALUE":"x"},{"TEXT":"A","ACTION":"LIVECHAT","ACTION_VALUE":"x"}]`, ``},
		{"0 is kept", `[{"TEXT":"0","COMMAND":"0","COMMAND_PARAMS":"0"},{"TEXT":"0","APP_ID":"0"}]`, `[{"TEXT":"0","COMMAND":"0","COMMAND_PARAMS":"0"},{"TEXT":"0","APP_ID":0}]`},
		{"what an item can have", `[{"TEXT":"A","ACTION":"CALL","ACTION_VALUE":"+1","CONTEXT":"DESKTOP","DISABLED":"Y","WIDTH":5}]`, `[{"ACTION":"CALL","ACTION_VALUE":"+1","CONTEXT":"DESKTOP","DISABLED":"Y"}]`},
	})
}

func TestPartsOfNewMessages(t *testing.T) {
	t.Parallel()
	const to = me + `,"DIALOG_ID":101,"MESSAGE":"x"`
	huge := `[{"TEXT":"` + long(60000) + `","LINK":"/"}]`
	runTable(t, "imbot.message.add", []row{
		{"the text comes first", `{` + me + `,"DIALOG_ID":101,"ATTACH":[{}]}`, "400 MESSAGE_EMPTY", nil},
		{"then the size of the attachment", `{` + to + `,"ATTACH":[{"MESSAGE":"` + long(60000) + `"}],"KEYBOARD":"N"}`, "400 ATTACH_OVERSIZE", nil},
		{"then its content", `{` + to + `,"ATTACH":"N","KEYBOARD":"N"}`, "400 ATTACH_ERROR", nil},
		{"then the keyboard", `{` + to + `,"KEYBOARD":[{}],"MENU":"N"}`, "400 KEYBOARD_ERROR", nil},
		{"then the menu", `{` + to + `,"KEYBOARD":` + huge + `,"MENU":"N"}`, "400 MENU_ERROR", nil},
		{"a keyboard too large fails when it is stored", `{` + to + `,"KEYBOARD":` + huge + `,"MENU":` + huge + `}`, "400 PARAM_KEYBOARD_ERROR", nil},
		{"so does a menu", `{` + to + `,"MENU":` + huge + `}`, "400 PARAM_MENU_ERROR", nil},
		{"and the chat comes after them", `{` + me + `,"DIALOG_ID":"chat9","MESSAGE":"x","MENU":` + huge + `}`, "400 PARAM_MENU_ERROR", nil},
		{"empty ones are none", `{` + to + `,"ATTACH":[],"KEYBOARD":"","MENU":0}`, "50001", nil},
		{"a new line alone is a keyboard", `{` + to + `,"KEYBOARD":[{"TYPE":"NEWLINE"}]}`, "50001", nil},
		{"one character less will do", `{` + to + `,"ATTACH":[{"MESSAGE":"` + long(59900) + `"}]}`, "50001", nil},
		{"characters count, not bytes", `{` + to + `,"ATTACH":[{"MESSAGE":"ж` + long(59890) + `жжжжжжжж"}]}`, "50001", nil},
	})
}

// TestNormalisedLikeTheServer sends what a server was sent, and compares what is stored, or
// the error, with what that server made of it.
func TestNormalisedLikeTheServer(t *testing.T) {
	t.Parallel()
	for i, name := range []string{"attach", "keyboard", "menu"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile("../testdata/normalised/" + name + ".jsonl")
			require.NoError(t, err)
			portal, rows := newTestPortal(t), 0
			for line := range bytes.Lines(data) {
				var row struct {
					Sent   json.RawMessage
					Stored any
					Error  string
				}
				require.NoError(t, json.Unmarshal(line, &row))
				rows++
				got := addWith(t, portal, strings.ToUpper(name), string(row.Sent))
				if row.Error != "" {
					require.Equal(t, "400 "+row.Error, got, "%s", row.Sent)
					continue
				}
				require.Regexp(t, "^5", got, "%s", row.Sent)
				attach, keyboard, menu := portal.History(anna, "chat1001", 0, 1)[0].Stored()
				var stored any
				require.NoError(t, json.Unmarshal([]json.RawMessage{attach, keyboard, menu}[i], &stored))
				require.Equal(t, row.Stored, likeMeasured(t, stored, row.Stored), "%s", row.Sent)
			}
			require.Equal(t, 350, rows)
		})
	}
}

// likeMeasured puts in place what the measurements leave out: whose bot it is, when an
// attachment was stored, and which colour was drawn by chance.
func likeMeasured(t *testing.T, stored, want any) any {
	t.Helper()
	switch stored := stored.(type) {
	case map[string]any:
		require.Positive(t, stored["ID"])
		delete(stored, "ID")
		if want.(map[string]any)["COLOR"] == "#RANDOM" {
			require.Regexp(t, "^#[0-9a-f]{6}$", stored["COLOR"])
			stored["COLOR"] = "#RANDOM"
		}
	case []any:
		for _, entry := range stored {
			if entry := entry.(map[string]any); entry["TYPE"] != "NEWLINE" {
				require.EqualValues(t, alpha, entry["BOT_ID"])
				entry["BOT_ID"] = 7.0
			}
		}
	}
	return stored
}

// FuzzStoredParts checks that a keyboard, menu or attachment which the portal has stored can be
// sent again, by the types of the SDK, and is stored the same.
func FuzzStoredParts(f *testing.F) {
	for _, seed := range []string{
		`[{"TEXT":"A","LINK":"/a"},{"TYPE":"NEWLINE"},{"TEXT":"B","COMMAND":"b","DISPLAY":"LINE"}]`,
		`[{"MESSAGE":"a\\nb\\\\n"},{"USER":[{"NAME":"A\\","LINK":"/"},{"NAME":"B","CHAT_ID":1}]},{"DELIMITER":true}]`,
		`{"BLOCKS":[{"GRID":[{"NAME":"N","VALUE":"#BR#"}]},{"RICH_LINK":{"LINK":"/","DESC":"\\"}},{"IMAGE":{"LINK":"/"}},{"LINK":{"LINK":"/\\"}}]}`,
		`{"ITEMS":[{"TEXT":"A","ACTION":"PUT","ACTION_VALUE":"x"}],"BUTTONS":[{"TEXT":"A","ACTION":"HELP","ACTION_VALUE":"x"}]}`,
		`[{"TEXT":"A","COMMAND":"/0","COMMAND_PARAMS":" 0"},{"TEXT":"&lt;","LINK":"/?a&b"},{"TEXT":" A","COMMAND":"c","COMMAND_PARAMS":" "}]`,
		`[{"LINK":{"NAME":" A ","LINK":"ftp://x","USER_ID":1}},{"USER":{"NAME":" A\nB ","NETWORK_ID":"network12"}},{"IMAGE":{"LINK":"/","NAME":"a\nb"}},{"LINK":{"NAME":"","LINK":"/"}}]`,
		`[{"TEXT":"A","APP_ID":"x"}]`,
		`[{"TEXT":"A","APP_ID":"0"},{"TEXT":"0","COMMAND":"0","COMMAND_PARAMS":"0"}]`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if !json.Valid([]byte(value)) {
			return
		}
		portal := newTestPortal(t)
		for _, param := range []string{"ATTACH", "KEYBOARD", "MENU"} {
			if got := addWith(t, portal, param, value); got[0] != '5' { // an error, no id of a message
				continue
			}
			first := lastOf(portal, "chat1001")
			attach, keyboard, menu := first.Wire() // where nothing is escaped, unlike in Keyboard and Menu
			if takenOnce.Match(attach) || takenOnce.Match(keyboard) || takenOnce.Match(menu) {
				continue
			}
			again := map[string]string{
				"ATTACH":   jsonOf(t, first.Attach),
				"KEYBOARD": jsonOf(t, rereadAs[imbot.Keyboard](t, keyboard)),
				"MENU":     jsonOf(t, rereadAs[imbot.Menu](t, menu)),
			}[param]
			if again == `"N"` { // the SDK sends this for no keyboard, and for one without buttons
				continue
			}
			require.NotRegexp(t, "^4", addWith(t, portal, param, again), again)
			second := lastOf(portal, "chat1001")
			first.Attach.ID, second.Attach.ID = 0, 0 // the time, which can differ
			require.Equal(t, jsonOf(t, first.Attach), jsonOf(t, second.Attach))
			require.Equal(t, jsonOf(t, first.Keyboard), jsonOf(t, second.Keyboard))
			require.Equal(t, jsonOf(t, first.Menu), jsonOf(t, second.Menu))
		}
	})
}

// takenOnce finds what a server makes of a value and would not take again: the text 0 that
// had blanks around it, an application's id that was no number, a name of blanks that lets a link lead to a user, and a command
// that began with two slashes or was nothing but one.
var takenOnce = regexp.MustCompile(`"TEXT":"0"|"APP_ID":0\b|"NAME":"","(NETWORK|USER|CHAT)_ID"|"COMMAND":"(/|( |\\[nrt]|\\u0000|\\u000b)*")`)

func rereadAs[T any](t *testing.T, data []byte) (v T) {
	t.Helper()
	require.NoError(t, json.Unmarshal(data, &v))
	return v
}
