package imbottest_test

import (
	"encoding/json"
	"fmt"
	"testing"

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
