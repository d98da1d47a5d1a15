package imbottest_test

import (
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

func TestStoredAttachments(t *testing.T) {
	t.Parallel()
	pick := func(m imbottest.Message) any { return m.Attach.Blocks }
	runStored(t, "ATTACH", `{}`, pick, [][3]string{
		{"an object", `{"BLOCKS":[{"MESSAGE":"x"}]}`, `[{"MESSAGE":"x"}]`},
		{"a bare list", `[{"MESSAGE":5}]`, `[{"MESSAGE":"5"}]`},
		{"a string of an object", `"{\"BLOCKS\":[{\"MESSAGE\":\"x\"}]}"`, `[{"MESSAGE":"x"}]`},
		{"N is no attachment here", `"N"`, ``},
		{"an object without blocks", `{"COLOR":"#fff"}`, ``},
		{"HTML is no block", `[{"HTML":"<b>"}]`, ``},
		{"one kind counts", `[{"DELIMITER":{},"MESSAGE":"x","FILE":{"LINK":"/"}}]`, `[{"MESSAGE":"x"}]`},
		{"even when it is unusable", `[{"MESSAGE":"","DELIMITER":{"SIZE":5}}]`, ``},
		{"a text may be an object", `[{"MESSAGE":{"TEXT":"a#BR#b","AS_DESCRIPTION":"Y"}}]`, `[{"MESSAGE":"a[BR]b"}]`},
		{"blanks alone are no text", `[{"MESSAGE":" \n\u0000"},{"GRID":[{"NAME":"\t","VALUE":" "}]},{"USER":{"NAME":"\\n"}}]`, ``},
		{"texts are trimmed, but for a person's name", `[{"MESSAGE":" a\u00a0 "},{"USER":{"NAME":" A\nB "}},{"FILE":{"LINK":"/","NAME":" a\r\nb\n"}},{"IMAGE":{"LINK":"/","NAME":"a\nb "}}]`,
			`[{"MESSAGE":"a\u00a0"},{"USER":{"NAME":" A B ","AVATAR_TYPE":"USER"}},{"FILE":[{"LINK":"/","NAME":"a b"}]},{"IMAGE":[{"LINK":"/","NAME":"a\nb"}]}]`},
		{"ids of other portals", `[{"USER":{"NAME":"A","NETWORK_ID":"n12"}},{"LINK":{"NAME":"A","NETWORK_ID":"network12"}}]`,
			`[{"USER":{"NAME":"A","NETWORK_ID":"n12","AVATAR_TYPE":"USER"}},{"LINK":{"NAME":"A","NETWORK_ID":"n0"}}]`},
		{"beside a person every address is kept", `[{"LINK":{"NAME":"A","USER_ID":5,"LINK":"ftp://x"}},{"LINK":{"USER_ID":5,"LINK":"/x"}},{"LINK":{"USER_ID":5}}]`,
			`[{"LINK":{"NAME":"A","USER_ID":5,"LINK":"ftp://x"}},{"LINK":{"LINK":"/x"}}]`},
		{"escapes are read once", `[{"MESSAGE":"a\\nb\\tc\\\"d\\\\ne"}]`, `[{"MESSAGE":"a\nb\tc\"d\\\\\ne"}]`},
		{"people", `[{"USER":[{"NAME":"A","AVATAR":"/a.png","LINK":"/a"},{"LINK":"/b"},{"NAME":"C","AVATAR":"c.png","LINK":"c"}]}]`,
			`[{"USER":{"NAME":"A","AVATAR":"/a.png","LINK":"/a","AVATAR_TYPE":"USER"}},{"USER":{"NAME":"C","AVATAR_TYPE":"USER"}}]`},
		{"where people lead", `[{"USER":{"NAME":"A","NETWORK_ID":"n","USER_ID":1}},{"USER":{"NAME":"A","USER_ID":1,"CHAT_ID":2}},{"USER":{"NAME":"A","CHAT_ID":2,"BOT_ID":102}},{"USER":{"NAME":"A","BOT_ID":"102","LINK":"/"}},{"USER":{"NAME":"A","CHAT_ID":2,"AVATAR_TYPE":"BOT"}}]`,
			`[{"USER":{"NAME":"A","NETWORK_ID":"n0","AVATAR_TYPE":"USER"}},{"USER":{"NAME":"A","USER_ID":1,"AVATAR_TYPE":"USER"}},{"USER":{"NAME":"A","CHAT_ID":2,"AVATAR_TYPE":"CHAT"}},{"USER":{"NAME":"A","BOT_ID":102,"AVATAR_TYPE":"BOT"}},{"USER":{"NAME":"A","CHAT_ID":2,"AVATAR_TYPE":"BOT"}}]`},
		{"links", `[{"LINK":[{"LINK":"/a","NAME":"A","DESC":"d","PREVIEW":"/p.png","WIDTH":10,"HEIGHT":20},{"LINK":"x","NAME":"B"},{"LINK":"/c","HTML":"<b>","DESC":"d","PREVIEW":"/p"},{"NAME":"D","USER_ID":104},{"LINK":"/e","PREVIEW":"p","WIDTH":1}]}]`,
			`[{"LINK":{"LINK":"/a","NAME":"A","DESC":"d","PREVIEW":"/p.png","WIDTH":10,"HEIGHT":20}},{"LINK":{"LINK":"/c","HTML":"<b>","DESC":"d"}},{"LINK":{"NAME":"D","USER_ID":104}},{"LINK":{"LINK":"/e"}}]`},
		{"rich links", `[{"RICH_LINK":{"LINK":"/a","PREVIEW":"/p","PREVIEW_SIZE":{"WIDTH":9},"EXTRA_IMAGE":"/x"}},{"RICH_LINK":[{"LINK":"/b","EXTRA_IMAGE":"/x"},{"LINK":"/c","HTML":"h","DESC":"d"},{"DESC":"d"}]}]`,
			`[{"RICH_LINK":[{"LINK":"/a","PREVIEW":"/p","PREVIEW_SIZE":{"HEIGHT":0,"WIDTH":9}}]},{"RICH_LINK":[{"LINK":"/b","EXTRA_IMAGE":"/x"}]},{"RICH_LINK":[{"LINK":"/c","HTML":"h","DESC":"d"}]}]`},
		{"lines", `[{"DELIMITER":true},{"DELIMITER":{"SIZE":-1,"COLOR":"#ccc"}},{"DELIMITER":{"SIZE":50,"COLOR":"red"}}]`,
			`[{"DELIMITER":{"SIZE":200}},{"DELIMITER":{"SIZE":200,"COLOR":"#ccc"}},{"DELIMITER":{"SIZE":50}}]`},
		{"grids", `[{"GRID":[{"NAME":"N","VALUE":"a#BR#b","DISPLAY":"COLUMN","WIDTH":5,"HEIGHT":6,"COLOR":"#fff","COLOR_TOKEN":"alert","LINK":"/","USER_ID":1,"CHAT_ID":2},{"DISPLAY":"ROW"},{"DISPLAY":"CARD"},{"VALUE":"v","DISPLAY":"x","LINK":"x"}]}]`,
			`[{"GRID":[{"NAME":"N","VALUE":"a[BR]b","DISPLAY":"ROW","WIDTH":5,"HEIGHT":6,"COLOR":"#fff","COLOR_TOKEN":"alert","LINK":"/","USER_ID":1,"CHAT_ID":2},{"DISPLAY":"LINE","COLOR_TOKEN":"base"},{"VALUE":"v","DISPLAY":"BLOCK","COLOR_TOKEN":"base"}]}]`},
		{"a grid is a list", `[{"GRID":{"NAME":"N"}}]`, ``},
		{"pictures and files stay together", `[{"IMAGE":[{"LINK":"/a","NAME":"n","PREVIEW":"/p","WIDTH":1,"HEIGHT":2},{"LINK":"b"}]},{"FILE":[{"LINK":"/f","NAME":"n","SIZE":3},{"LINK":"/g"}]},{"IMAGE":{"LINK":"/c"}},{"FILE":{"LINK":"x"}}]`,
			`[{"IMAGE":[{"LINK":"/a","NAME":"n","PREVIEW":"/p","WIDTH":1,"HEIGHT":2}]},{"FILE":[{"LINK":"/f","NAME":"n","SIZE":3},{"LINK":"/g"}]},{"IMAGE":[{"LINK":"/c"}]}]`},
	})
}

func TestDescriptionsOfAttachments(t *testing.T) {
	t.Parallel()
	for sent, want := range map[string]string{
		`{"BLOCKS":[{"MESSAGE":"x"}]}`:                                                 "",
		`{"DESCRIPTION":" a\r\nb\u00a0 ","BLOCKS":[{"MESSAGE":"x"}]}`:                  "a b\u00a0",
		`[{"MESSAGE":{"TEXT":"x\ny","AS_DESCRIPTION":"Y"}}]`:                           "x y",
		`{"DESCRIPTION":"d","BLOCKS":[{"MESSAGE":{"TEXT":"x","AS_DESCRIPTION":"N"}}]}`: "d",
	} {
		portal := newTestPortal(t)
		require.Equal(t, "50001", addWith(t, portal, "ATTACH", sent))
		require.Equal(t, want, memberOf(t, lastOf(portal, "chat1001").Attach, "DESCRIPTION"), sent)
	}
}

func TestColorsOfAttachments(t *testing.T) {
	t.Parallel()
	for _, tt := range [][3]string{ // what is sent, colour, token
		{`"COLOR":"#29619b","COLOR_TOKEN":"primary"`, "^#29619b$", "primary"},
		{`"COLOR":"TRANSPARENT","COLOR_TOKEN":"x"`, "^TRANSPARENT$", "base"},
		{`"COLOR":"red"`, "^#[0-9a-f]{6}$", "base"},
		{`"COLOR":"CHAT"`, "^#[0-9a-f]{6}$", "base"},
		{`"ID":5`, "^#[0-9a-f]{6}$", "base"},
	} {
		portal := newTestPortal(t)
		require.Equal(t, "50001", addWith(t, portal, "ATTACH", `{`+tt[0]+`,"DESCRIPTION":"a\nb","BLOCKS":[{"MESSAGE":"x"}]}`))
		got := lastOf(portal, "chat1001").Attach
		require.Regexp(t, tt[1], got.Color)
		require.EqualValues(t, tt[2], got.ColorToken)
		require.Greater(t, got.ID, imbot.ID(5), "an id of the portal's own")
		require.Equal(t, "a b", memberOf(t, got, "DESCRIPTION"))
	}
}
