package imbottest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/imbot-go/imbot/bbcode"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

const equalButtons = `{"CLIENT_ID":"one","DIALOG_ID":"chat1001","MESSAGE":"choose",
	"ATTACH":{"COLOR":"#fff","BLOCKS":[{"MESSAGE":"<b>\\nx"}]},
	"KEYBOARD":[{"TEXT":"Go","COMMAND":"echo","COMMAND_PARAMS":"1","BLOCK":"Y"},{"TYPE":"NEWLINE"},{"TEXT":"Go","COMMAND":"echo","COMMAND_PARAMS":"2"}],
	"MENU":[{"TEXT":"<Tom> & \"Jerry\"","COMMAND":"echo","COMMAND_PARAMS":"3"}]}`

func TestWire(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	require.Equal(t, "50001", post(t, portal, "imbot.message.add", equalButtons))
	m := portal.History(anna, "chat1001", 0, 1)[0]
	attach, keyboard, menu := m.Wire()
	var buttons, items []map[string]any
	require.NoError(t, json.Unmarshal(keyboard, &buttons))
	require.Len(t, buttons, 3, "a row's end is an entry")
	require.Equal(t, map[string]any{"TYPE": "NEWLINE"}, buttons[1])
	require.Equal(t, "2", buttons[2]["COMMAND_PARAMS"])
	require.NoError(t, json.Unmarshal(menu, &items))
	require.Equal(t, `<Tom> & "Jerry"`, items[0]["TEXT"])
	require.Contains(t, string(attach), `"BLOCKS":[{"MESSAGE":"\u003cb\u003e\nx"}]`)

	require.Equal(t, "50002", post(t, portal, "imbot.message.add", `{"CLIENT_ID":"one","DIALOG_ID":"chat1001","MESSAGE":"x",
		"KEYBOARD":[{"TEXT":"&lt;","LINK":"/?a=1&b=\"2\""}],"MENU":[{"TEXT":"&lt;","LINK":"/?a&amp;b"},{"TEXT":"x","ACTION":"PUT","ACTION_VALUE":"&lt;"}]}`))
	_, keyboard, menu = portal.History(anna, "chat1001", 0, 1)[0].Wire()
	buttons, items = nil, nil
	require.NoError(t, json.Unmarshal(keyboard, &buttons))
	require.Equal(t, []any{"&lt;", `/?a=1&b="2"`}, []any{buttons[0]["TEXT"], buttons[0]["LINK"]}, "a button's text is not stored escaped")
	require.NoError(t, json.Unmarshal(menu, &items))
	require.Equal(t, []any{"&lt;", "/?a&amp;b", "&lt;"}, []any{items[0]["TEXT"], items[0]["LINK"], items[1]["ACTION_VALUE"]})

	attach, keyboard, menu = imbottest.Message{}.Wire()
	require.Equal(t, "null null null", fmt.Sprintf("%s %s %s", attach, keyboard, menu))
}

func TestPlainIsWhatPeopleRead(t *testing.T) {
	t.Parallel()
	rule := strings.Repeat("-", 54)
	portal := newTestPortal(t)
	for _, row := range []struct{ name, text, plain string }{
		{"entities are characters", "5 &gt; 3 &amp; 2 &lt; 4 &#39;x&#39; &copy;", "5 > 3 & 2 < 4 'x' &copy;"},
		{"each is resolved once", "&amp;lt;", "&lt;"},
		{"codes that they make are codes", "&#91;b&#93;x&#91;/b&#93;", "x"},
		{"but not in code", "[code]&lt;b&gt;[/code]", "&lt;b&gt;"},
		{"one spelling of the tag is a line break", "a<br />b<br>c", "a\nb<br>c"},
		{"/me loses four characters", "/me waves", "waves"},
		{"so does /menu", "/menu - the menu", "u - the menu"},
		{"/loud loses six", "/loud hello", "hello"},
		{"not within a text", "say /me", "say /me"},
		{"quoted lines lose their signs", "a\n>>b\n&gt;&gt;c\nd", "a\nb\nc\nd"},
		{"also behind a tag", "a<br />>>b", "a\nb"},
		{"a quoted message loses its dashes and brackets", rule + "\nAnna [12:00]\nhi\n" + rule + "\nyes", "Anna 12:00\nhi\nyes"},
		{"mentions are names, those that events lose, too", fmt.Sprintf("[USER=%d]Alpha[/USER], hi [user=%d][/user]", alpha, anna), "Alpha, hi Anna Ivanova"},
		{"an address stands behind its link", "[url=https://e.com/a]here[/url] https://e.com", "here (https://e.com/a) https://e.com"},
		{"what was escaped is there as it was typed", bbcode.Escape("/me &#91;b&#93; <br /> >>#### [user=1]x[/user] **"), "/me &#91;b&#93; <br /> >>#### [user=1]x[/user] **"},
		{"also for portals that read Markdown", bbcode.EscapeMarkdown("**a** _b_ [c](https://e.com/)"), "**a** _b_ [c](https://e.com/)"},
	} {
		t.Run(row.name, func(t *testing.T) {
			body, err := json.Marshal(map[string]string{"CLIENT_ID": "one", "DIALOG_ID": string(teamDialog), "MESSAGE": row.text})
			require.NoError(t, err)
			post(t, portal, "imbot.message.add", string(body))
			require.Equal(t, row.plain, portal.History(anna, teamDialog, 0, 1)[0].Plain())
		})
	}
}
