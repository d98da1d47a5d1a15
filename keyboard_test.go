package imbot_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

// rich reads a part of the description of messages.
func rich(t testing.TB, path ...string) json.RawMessage {
	t.Helper()
	data, err := os.ReadFile("testdata/spec/messages.json")
	require.NoError(t, err)
	for _, name := range path {
		var o map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(data, &o))
		data = o[name]
	}
	return data
}

func TestKeyboardExample(t *testing.T) {
	k, ok := stable[imbot.Keyboard](t, rich(t, "keyboard", "example"))
	require.True(t, ok)
	require.Equal(t, imbot.Keyboard{Rows: [][]imbot.Button{
		{
			{Text: "Open site", Action: imbot.ActionLink("https://example.com/"), BGColor: "#29619b", TextColor: "#fff", Display: imbot.ButtonDisplayLine},
			{Text: "Echo", Action: imbot.ActionCommand{Command: "echo", Params: "test"}, Block: imbot.Yes, Display: imbot.ButtonDisplayLine, BGColorToken: imbot.ColorTokenPrimary},
		},
		{
			{Text: "Insert", Action: imbot.ActionPut("/help"), Context: imbot.ButtonContextDesktop, Display: imbot.ButtonDisplayBlock},
			{Text: "Call", Action: imbot.ActionCall("+15550100"), Display: imbot.ButtonDisplayBlock},
			{Text: "Off", Action: imbot.ActionLink("/company/"), Disabled: imbot.Yes, Width: 120, Display: imbot.ButtonDisplayBlock},
		},
	}}, k)
	data, err := json.Marshal(k)
	require.NoError(t, err)
	// The same, with the default said aloud where several buttons follow each other.
	require.JSONEq(t, `{"BUTTONS":[
		{"TEXT":"Open site","LINK":"https://example.com/","BG_COLOR":"#29619b","TEXT_COLOR":"#fff","DISPLAY":"LINE"},
		{"TEXT":"Echo","COMMAND":"echo","COMMAND_PARAMS":"test","BLOCK":"Y","DISPLAY":"LINE","BG_COLOR_TOKEN":"primary"},
		{"TYPE":"NEWLINE"},
		{"TEXT":"Insert","ACTION":"PUT","ACTION_VALUE":"/help","CONTEXT":"DESKTOP","DISPLAY":"BLOCK"},
		{"TEXT":"Call","ACTION":"CALL","ACTION_VALUE":"+15550100","DISPLAY":"BLOCK"},
		{"TEXT":"Off","LINK":"/company/","DISABLED":"Y","WIDTH":120,"DISPLAY":"BLOCK"}]}`, string(data))
}

func TestStoredButtonSurvives(t *testing.T) {
	stored := string(rich(t, "keyboard", "stored_button_example"))
	k, ok := stable[imbot.Keyboard](t, []byte("["+stored+"]"))
	require.True(t, ok)
	b := k.Rows[0][0]
	require.Equal(t, "Echo", b.Text)
	require.Equal(t, imbot.ActionCommand{Command: "echo", Params: "test"}, b.Action)
	data, err := json.Marshal(k)
	require.NoError(t, err)
	require.JSONEq(t, `{"BUTTONS":[`+stored+`]}`, string(data))
}

func TestMenuExample(t *testing.T) {
	example := rich(t, "menu", "example")
	m, ok := stable[imbot.Menu](t, example)
	require.True(t, ok)
	require.Equal(t, imbot.Menu{Items: []imbot.MenuItem{
		{Text: "Open site", Action: imbot.ActionLink("https://example.com/")},
		{Text: "Echo", Action: imbot.ActionCommand{Command: "echo", Params: "test"}},
		{Text: "Send text", Action: imbot.ActionSend("Done"), Context: imbot.ButtonContextMobile},
	}}, m)
	data, err := json.Marshal(m)
	require.NoError(t, err)
	require.JSONEq(t, string(example), string(data))
}

func TestKeyboardWrites(t *testing.T) {
	link := imbot.ActionLink("/x")
	tests := []struct {
		name string
		k    imbot.Keyboard
		want string
	}{
		{"a row of two stands side by side", imbot.Keyboard{Rows: [][]imbot.Button{{{Text: "A", Action: link}, {Text: "B", Action: link}}}},
			`{"BUTTONS":[{"TEXT":"A","LINK":"/x","DISPLAY":"LINE"},{"TEXT":"B","LINK":"/x","DISPLAY":"LINE"}]}`},
		{"a display that was chosen is kept", imbot.Keyboard{Rows: [][]imbot.Button{{{Text: "A", Action: link, Display: imbot.ButtonDisplayBlock}, {Text: "B", Action: link}}, {{Text: "C", Action: link, Display: imbot.ButtonDisplayLine}}}},
			`{"BUTTONS":[{"TEXT":"A","LINK":"/x","DISPLAY":"BLOCK"},{"TEXT":"B","LINK":"/x","DISPLAY":"LINE"},{"TYPE":"NEWLINE"},{"TEXT":"C","LINK":"/x","DISPLAY":"LINE"}]}`},
		{"empty rows are left out", imbot.Keyboard{Rows: [][]imbot.Button{{}, {{Text: "A", Action: link}}, nil, {}, {{Text: "B", Action: link}}, {}}},
			`{"BUTTONS":[{"TEXT":"A","LINK":"/x"},{"TYPE":"NEWLINE"},{"TEXT":"B","LINK":"/x"}]}`},
		{"nothing is what removes", imbot.Keyboard{Rows: [][]imbot.Button{{}}}, `"N"`},
		{"every field", imbot.Keyboard{Rows: [][]imbot.Button{{{Text: "A", Action: imbot.ActionApp{AppID: 13, Params: "p"}, Block: imbot.No, Disabled: imbot.No, Context: imbot.ButtonContextAll,
			Display: imbot.ButtonDisplayLine, Width: 1, BGColor: "#111", TextColor: "#222", OffBGColor: "#333", OffTextColor: "#444", BGColorToken: imbot.ColorTokenBase}}}},
			`{"BUTTONS":[{"TEXT":"A","APP_ID":13,"APP_PARAMS":"p","BLOCK":"N","DISABLED":"N","CONTEXT":"ALL","DISPLAY":"LINE","WIDTH":1,
				"BG_COLOR":"#111","TEXT_COLOR":"#222","OFF_BG_COLOR":"#333","OFF_TEXT_COLOR":"#444","BG_COLOR_TOKEN":"base"}]}`},
		{"every other action", imbot.Keyboard{Rows: [][]imbot.Button{{{Text: "A", Action: imbot.ActionCopy("a")}}, {{Text: "B", Action: imbot.ActionDialog(imbot.ChatDialog(5))}}}},
			`{"BUTTONS":[{"TEXT":"A","ACTION":"COPY","ACTION_VALUE":"a"},{"TYPE":"NEWLINE"},{"TEXT":"B","ACTION":"DIALOG","ACTION_VALUE":"chat5"}]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data, err := json.Marshal(tt.k)
			require.NoError(t, err)
			require.JSONEq(t, tt.want, string(data))
		})
	}
	_, err := json.Marshal(imbot.Keyboard{Rows: [][]imbot.Button{{{Text: "A", Action: &link}}}})
	require.ErrorContains(t, err, "by value")
}

// TestZeroIsSentWhereThePortalKeepsIt has every text field of keyboards and menus that
// the measured cases show with the text 0; what is refused stands in TestKeyboardRefuses.
func TestZeroIsSentWhereThePortalKeepsIt(t *testing.T) {
	buttons := func(b imbot.Button) any { return imbot.Keyboard{Rows: [][]imbot.Button{{b}}} }
	items := func(i imbot.MenuItem) any { return imbot.Menu{Items: []imbot.MenuItem{i}} }
	link := imbot.ActionLink("/x")
	for name, row := range map[string]struct {
		part any
		want string
	}{
		"a button between blanks":           {buttons(imbot.Button{Text: " 0 ", Action: link}), `{"TEXT":" 0 ","LINK":"/x"}`},
		"the command of a button":           {buttons(imbot.Button{Text: "A", Action: imbot.ActionCommand{Command: "0", Params: "1"}}), `{"TEXT":"A","COMMAND":"/0","COMMAND_PARAMS":"1"}`},
		"it has a slash already":            {buttons(imbot.Button{Text: "A", Action: imbot.ActionCommand{Command: "/0"}}), `{"TEXT":"A","COMMAND":"/0"}`},
		"a button's text to put":            {buttons(imbot.Button{Text: "A", Action: imbot.ActionPut("0")}), `{"TEXT":"A","ACTION":"PUT","ACTION_VALUE":"0"}`},
		"a button's application":            {buttons(imbot.Button{Text: "A", Action: imbot.ActionApp{AppID: 1, Params: "0"}}), `{"TEXT":"A","APP_ID":1,"APP_PARAMS":"0"}`},
		"a blank of Unicode":                {buttons(imbot.Button{Text: "\u00a0", Action: link}), `{"TEXT":"\u00a0","LINK":"/x"}`},
		"an item":                           {items(imbot.MenuItem{Text: "0", Action: link}), `{"TEXT":"0","LINK":"/x"}`},
		"the command of an item, all of it": {items(imbot.MenuItem{Text: "A", Action: imbot.ActionCommand{Command: "0", Params: "0"}}), `{"TEXT":"A","COMMAND":"0","COMMAND_PARAMS":"0"}`},
		"an item's text to send":            {items(imbot.MenuItem{Text: "A", Action: imbot.ActionSend("0")}), `{"TEXT":"A","ACTION":"SEND","ACTION_VALUE":"0"}`},
		"an item's application":             {items(imbot.MenuItem{Text: "A", Action: imbot.ActionApp{AppID: 1, Params: "0"}}), `{"TEXT":"A","APP_ID":1,"APP_PARAMS":"0"}`},
	} {
		t.Run(name, func(t *testing.T) {
			req, want := imbot.MessageAddRequest{DialogID: "27", Message: "0"}, `"MENU":{"ITEMS":[`+row.want+`]}`
			switch part := row.part.(type) {
			case imbot.Keyboard:
				req.Keyboard, want = &part, `"KEYBOARD":{"BUTTONS":[`+row.want+`]}`
			case imbot.Menu:
				req.Menu = &part
			}
			client, sent := mockClient(t, "imbot.message.add", 200, `{"result":1}`)
			_, err := client.Message.Add(t.Context(), req)
			require.NoError(t, err)
			require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","DIALOG_ID":"27","MESSAGE":"0",`+want+`}`, sent())
		})
	}
}

func TestKeyboardReads(t *testing.T) {
	a := imbot.Button{Text: "A", Action: imbot.ActionLink("/x")}
	one := imbot.Keyboard{Rows: [][]imbot.Button{{a}}}
	tests := []struct {
		name string
		json string
		want imbot.Keyboard
	}{
		{"an object", `{"BUTTONS":[{"TEXT":"A","LINK":"/x"}]}`, one},
		{"a bare list", `[{"TEXT":"A","LINK":"/x"}]`, one},
		{"an object as text", `"{\"BUTTONS\":[{\"TEXT\":\"A\",\"LINK\":\"/x\"}]}"`, one},
		{"a list as text", `" [{\"TEXT\":\"A\",\"LINK\":\"/x\"}]"`, one},
		{"a list with holes", `{"1":{"TEXT":"A","LINK":"/x"}}`, one},
		{"a list with holes inside", `{"BUTTONS":{"3":{"TEXT":"A","LINK":"/x"}}}`, one},
		{"entries that are none", `[1,null,"x",[],{"TEXT":"A","LINK":"/x"}]`, one},
		{"breaks at the ends and twice", `[{"TYPE":"NEWLINE"},{"TEXT":"A","LINK":"/x"},{"TYPE":"NEWLINE","BOT_ID":39},{"TYPE":"NEWLINE"},{"TEXT":"A","LINK":"/x"},{"TYPE":"NEWLINE"}]`, imbot.Keyboard{Rows: [][]imbot.Button{{a}, {a}}}},
		{"the first of several actions wins", `[{"TEXT":"A","COMMAND":"c","ACTION":"PUT","ACTION_VALUE":"p","LINK":"/x"}]`, one},
		{"a link that the portal skips", `[{"TEXT":"A","LINK":"ftp://x","APP_ID":"7","APP_PARAMS":"p"}]`, imbot.Keyboard{Rows: [][]imbot.Button{{{Text: "A", Action: imbot.ActionApp{AppID: 7, Params: "p"}}}}}},
		{"numbers and flags in other clothes", `[{"TEXT":"A","LINK":"/x","WIDTH":"120","DISABLED":true}]`, imbot.Keyboard{Rows: [][]imbot.Button{{{Text: "A", Action: imbot.ActionLink("/x"), Width: 120, Disabled: imbot.Yes}}}}},
		{"an empty list", `[]`, imbot.Keyboard{}},
		{"an empty object", `{}`, imbot.Keyboard{}},
		{"an object without buttons", `{"BUTTONS":null,"BOT_ID":39}`, imbot.Keyboard{}},
		{"nothing as text", `""`, imbot.Keyboard{}},
		{"the word for nothing", `"N"`, imbot.Keyboard{}},
		{"null", `null`, imbot.Keyboard{}},
		{"false", `false`, imbot.Keyboard{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := stable[imbot.Keyboard](t, []byte(tt.json))
			require.True(t, ok)
			require.Equal(t, tt.want, got)
		})
	}
	for _, bad := range []string{`1`, `true`, `"x"`, `"{"`, `"\"N\""`, `{"ITEMS":[]}`, `{"BUTTONS":"x"}`} {
		require.Error(t, json.Unmarshal([]byte(bad), new(imbot.Keyboard)), bad)
		require.Error(t, json.Unmarshal([]byte(bad), new(imbot.Attach)), bad)
	}
}

func TestUnknownButtonsSurvive(t *testing.T) {
	tests := []struct{ name, entry string }{
		{"an action of the portal's own", `{"TEXT":"A","ACTION":"LIVECHAT","ACTION_VALUE":"1"}`},
		{"a kind of tomorrow", `{"TYPE":"SLIDER","FROM":1,"TO":[1,{"x":"<y>"}]}`},
		{"a script", `{"TEXT":"A","FUNCTION":"alert()"}`},
		{"a known button with new members", `{"TEXT":"A","LINK":"/x","ICON":{"id":5},"WIDTH":"wide"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k, ok := stable[imbot.Keyboard](t, []byte(`{"BUTTONS":[`+tt.entry+`],"COLORS":{"BG_COLOR":"#fff"}}`))
			require.True(t, ok)
			client, sent := mockClient(t, "imbot.message.update", 200, `{"result":true}`)
			require.NoError(t, client.Message.Update(t.Context(), imbot.MessageUpdateRequest{MessageID: 1, Keyboard: &k}))
			require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","MESSAGE_ID":1,"KEYBOARD":{"BUTTONS":[`+tt.entry+`],"COLORS":{"BG_COLOR":"#fff"}}}`, sent())
			m, ok := stable[imbot.Menu](t, []byte(`{"ITEMS":[`+tt.entry+`],"BOT_ID":39}`))
			require.True(t, ok)
			data, err := json.Marshal(m)
			require.NoError(t, err)
			require.JSONEq(t, `{"ITEMS":[`+tt.entry+`],"BOT_ID":39}`, string(data))
		})
	}
}

func TestKeyboardRefuses(t *testing.T) {
	button := func(b imbot.Button) attempt {
		return try(imbot.MessageAddRequest{DialogID: "27", Message: "x", Keyboard: &imbot.Keyboard{Rows: [][]imbot.Button{{b}}}})
	}
	item := func(i imbot.MenuItem) attempt {
		return try(imbot.MessageAddRequest{DialogID: "27", Message: "x", Menu: &imbot.Menu{Items: []imbot.MenuItem{i}}})
	}
	link := imbot.ActionLink("/x")
	tests := []refusal{
		{"a button without text", button(imbot.Button{Action: link}), "without TEXT", imbot.ErrKeyboard},
		{"a button with a blank text", button(imbot.Button{Text: " ", Action: link}), "without TEXT", imbot.ErrKeyboard},
		{"a button with the text 0", button(imbot.Button{Text: "0", Action: link}), "without TEXT", imbot.ErrKeyboard},
		{"a button with a text of NUL", button(imbot.Button{Text: "\x00", Action: link}), "without TEXT", imbot.ErrKeyboard},
		{"parameters that are 0", button(imbot.Button{Text: "A", Action: imbot.ActionCommand{Command: "c", Params: "0"}}), "COMMAND_PARAMS", imbot.ErrKeyboard},
		{"parameters that are blank", button(imbot.Button{Text: "A", Action: imbot.ActionCommand{Command: "c", Params: " "}}), "COMMAND_PARAMS", imbot.ErrKeyboard},
		{"parameters of an application that are blank", button(imbot.Button{Text: "A", Action: imbot.ActionApp{AppID: 1, Params: "\n"}}), "APP_PARAMS", imbot.ErrKeyboard},
		{"a menu item with parameters that are blank", item(imbot.MenuItem{Text: "A", Action: imbot.ActionCommand{Command: "c", Params: "\t"}}), "COMMAND_PARAMS", imbot.ErrMenu},
		{"a button without action", button(imbot.Button{Text: "A"}), "no action", imbot.ErrKeyboard},
		{"an action by pointer", button(imbot.Button{Text: "A", Action: &link}), "by value", imbot.ErrKeyboard},
		{"an action by nil pointer", button(imbot.Button{Text: "A", Action: (*imbot.ActionApp)(nil)}), "by value", imbot.ErrKeyboard},
		{"an empty link", button(imbot.Button{Text: "A", Action: imbot.ActionLink("")}), "no action", imbot.ErrKeyboard},
		{"an empty text to send", button(imbot.Button{Text: "A", Action: imbot.ActionSend("")}), "no action", imbot.ErrKeyboard},
		{"a command without name", button(imbot.Button{Text: "A", Action: imbot.ActionCommand{Params: "x"}}), "no action", imbot.ErrKeyboard},
		{"a command that is a slash", button(imbot.Button{Text: "A", Action: imbot.ActionCommand{Command: "/"}}), "COMMAND", imbot.ErrKeyboard},
		{"a command of blanks", button(imbot.Button{Text: "A", Action: imbot.ActionCommand{Command: "/ "}}), "COMMAND", imbot.ErrKeyboard},
		{"a blank text to put", button(imbot.Button{Text: "A", Action: imbot.ActionPut(" \n")}), "no action", imbot.ErrKeyboard},
		{"an application without id", button(imbot.Button{Text: "A", Action: imbot.ActionApp{Params: "x"}}), "no action", imbot.ErrKeyboard},
		{"a link to elsewhere", button(imbot.Button{Text: "A", Action: imbot.ActionLink("ftp://example.com")}), "LINK", imbot.ErrKeyboard},
		{"a link in capitals", button(imbot.Button{Text: "A", Action: imbot.ActionLink("HTTPS://example.com")}), "LINK", imbot.ErrKeyboard},
		{"a background by name", button(imbot.Button{Text: "A", Action: link, BGColor: "red"}), "BG_COLOR", imbot.ErrWrongColor},
		{"a text colour of four digits", button(imbot.Button{Text: "A", Action: link, TextColor: "#ffff"}), "TEXT_COLOR", imbot.ErrWrongColor},
		{"a disabled background without #", button(imbot.Button{Text: "A", Action: link, OffBGColor: "ffffff"}), "OFF_BG_COLOR", imbot.ErrWrongColor},
		{"a disabled text colour that is an attachment's", button(imbot.Button{Text: "A", Action: link, OffTextColor: imbot.AttachColorTransparent}), "OFF_TEXT_COLOR", imbot.ErrWrongColor},
		{"an unknown colour token", button(imbot.Button{Text: "A", Action: link, BGColorToken: "gold"}), "BG_COLOR_TOKEN", ""},
		{"an unknown context", button(imbot.Button{Text: "A", Action: link, Context: "WATCH"}), "CONTEXT", ""},
		{"an unknown display", button(imbot.Button{Text: "A", Action: link, Display: "TABLE"}), "DISPLAY", ""},
		{"a flag that is none", button(imbot.Button{Text: "A", Action: link, Block: "maybe"}), "BLOCK", ""},
		{"another flag that is none", button(imbot.Button{Text: "A", Action: link, Disabled: "maybe"}), "DISABLED", ""},
		{"a width below nothing", button(imbot.Button{Text: "A", Action: link, Width: -1}), "WIDTH", imbot.ErrKeyboard},
		{"a text that is not UTF-8", button(imbot.Button{Text: "\xff", Action: link}), "UTF-8", ""},
		{"parameters that are not UTF-8", button(imbot.Button{Text: "A", Action: imbot.ActionCommand{Command: "c", Params: "\xff"}}), "UTF-8", ""},
		{"a menu item without text", item(imbot.MenuItem{Action: link}), "without TEXT", imbot.ErrMenu},
		{"a menu item without action", item(imbot.MenuItem{Text: "A"}), "no action", imbot.ErrMenu},
		{"a menu item with a command that is a slash", item(imbot.MenuItem{Text: "A", Action: imbot.ActionCommand{Command: "/"}}), "MENU: COMMAND", imbot.ErrMenu},
		{"a menu item with a link to elsewhere", item(imbot.MenuItem{Text: "A", Action: imbot.ActionLink("example.com")}), "LINK", imbot.ErrMenu},
		{"a menu item with an unknown context", item(imbot.MenuItem{Text: "A", Action: link, Context: "WATCH"}), "CONTEXT", ""},
		{"a menu item with a flag that is none", item(imbot.MenuItem{Text: "A", Action: link, Disabled: "maybe"}), "DISABLED", ""},
	}
	testRefused(t, tests)
}

func FuzzKeyboard(f *testing.F) {
	f.Add([]byte(rich(f, "keyboard", "example")))
	f.Add([]byte("[" + string(rich(f, "keyboard", "stored_button_example")) + "]"))
	f.Add([]byte(`{"BUTTONS":{"1":{"TEXT":"A","ACTION":"LIVECHAT","APP_ID":{}},"2":{"TYPE":"NEWLINE"}},"VOTE":"Y"}`))
	f.Add([]byte(`"[{\"TEXT\":1,\"COMMAND\":\"c\"}]"`))
	f.Add([]byte(`[{"TEXT":"A","LINK":"/x","DISPLAY":{}},{"TEXT":"B","LINK":"/x"}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		stable[imbot.Keyboard](t, data)
		stable[imbot.Menu](t, data)
	})
}
