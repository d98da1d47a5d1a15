package imbot_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func TestAttachExamples(t *testing.T) {
	var kinds []struct {
		Key        string
		Documented *bool
		Example    json.RawMessage
	}
	require.NoError(t, json.Unmarshal(rich(t, "attach", "blocks"), &kinds))
	want := map[string]imbot.Block{
		"USER": imbot.BlockUser{Name: "Test User", Avatar: "https://example.com/a.png", Link: "https://example.com/"},
		"LINK": imbot.BlockLink{Name: "Ticket 12345", Desc: "To be done", Link: "https://example.com/t/12345", Preview: "https://example.com/p.png", Width: 1000, Height: 638},
		"RICH_LINK": imbot.BlockUnknown(`{"RICH_LINK":{"LINK":"https://example.com/","NAME":"Example","DESC":"Page description",` +
			`"PREVIEW":"https://example.com/p.png","PREVIEW_SIZE":{"HEIGHT":120,"WIDTH":450}}}`),
		"MESSAGE":   imbot.BlockMessage("Released in [B]im 24.0.0[/B]"),
		"DELIMITER": imbot.BlockDelimiter{Size: 200, Color: "#c6c6c6"},
		"GRID": imbot.BlockGrid{
			{Name: "Project", Value: "BUGS", Display: imbot.GridDisplayLine, Width: 100},
			{Name: "Status", Value: "[B]new[/B]", Display: imbot.GridDisplayRow, ColorToken: imbot.ColorTokenAlert},
		},
		"IMAGE": imbot.BlockImage{{Name: "Picture", Link: "https://example.com/i.jpg", Preview: "https://example.com/p.jpg", Width: 1000, Height: 638}},
		"FILE":  imbot.BlockFile{{Name: "report.pdf", Link: "https://example.com/report.pdf", Size: 1500000}},
	}
	require.Len(t, kinds, len(want))
	for _, kind := range kinds {
		t.Run(kind.Key, func(t *testing.T) {
			a, ok := stable[imbot.Attach](t, []byte(`[`+string(kind.Example)+`]`))
			require.True(t, ok)
			require.Equal(t, []imbot.Block{want[kind.Key]}, a.Blocks)
			data, err := json.Marshal(a)
			require.NoError(t, err)
			require.JSONEq(t, `{"BLOCKS":[`+string(kind.Example)+`]}`, string(data))
		})
	}
	t.Run("the whole", func(t *testing.T) {
		example := rich(t, "attach", "example")
		a, ok := stable[imbot.Attach](t, example)
		require.True(t, ok)
		require.Equal(t, "#29619b", a.Color)
		require.Equal(t, imbot.ColorTokenSecondary, a.ColorToken)
		require.Equal(t, imbot.ID(1), a.ID)
		require.Len(t, a.Blocks, 4)
		data, err := json.Marshal(a)
		require.NoError(t, err)
		require.JSONEq(t, string(example), string(data))
	})
}

func TestAttachWrites(t *testing.T) {
	tests := []struct {
		name string
		a    imbot.Attach
		want string
	}{
		{"nothing is what removes", imbot.Attach{}, `"N"`},
		{"the line without a word has its default", imbot.Attach{Blocks: []imbot.Block{imbot.BlockDelimiter{}}}, `{"BLOCKS":[{"DELIMITER":{"SIZE":200}}]}`},
		{"every field of a person", imbot.Attach{Blocks: []imbot.Block{imbot.BlockUser{Name: "A", AvatarType: imbot.AvatarTypeBot, UserID: 1, ChatID: 2, BotID: 3, NetworkID: "n"}}},
			`{"BLOCKS":[{"USER":{"NAME":"A","AVATAR_TYPE":"BOT","USER_ID":1,"CHAT_ID":2,"BOT_ID":3,"NETWORK_ID":"n"}}]}`},
		{"the other fields of a link", imbot.Attach{Blocks: []imbot.Block{imbot.BlockLink{Name: "A", HTML: "<b>", UserID: 1, ChatID: 2, NetworkID: "n"}}},
			`{"BLOCKS":[{"LINK":{"NAME":"A","HTML":"<b>","USER_ID":1,"CHAT_ID":2,"NETWORK_ID":"n"}}]}`},
		{"the other fields of a grid", imbot.Attach{Blocks: []imbot.Block{imbot.BlockGrid{{Value: "v", Height: 1, Color: "#fff", Link: "/x", UserID: 1, ChatID: 2}}}},
			`{"BLOCKS":[{"GRID":[{"VALUE":"v","HEIGHT":1,"COLOR":"#fff","LINK":"/x","USER_ID":1,"CHAT_ID":2}]}]}`},
		{"backslashes are doubled, what needs none is left", imbot.Attach{Blocks: []imbot.Block{imbot.BlockMessage("C:\\dir \\\" \"q\"\n\t\\\\"), imbot.BlockFile{{Name: `a\xb`, Link: "/x"}}}},
			`{"BLOCKS":[{"MESSAGE":"C:\\\\dir \\\\\" \"q\"\n\t\\\\\\\\"},{"FILE":[{"NAME":"a\\\\xb","LINK":"/x"}]}]}`},
		{"a backslash is kept apart from n and t", imbot.Attach{Blocks: []imbot.Block{imbot.BlockMessage("C:\\new\\temp\\\\n\\Nt \n"), imbot.BlockFile{{Name: `a\tb`, Link: "/x"}}}},
			`{"BLOCKS":[{"MESSAGE":"C:\\\\\u2060new\\\\\u2060temp\\\\\\\\\u2060n\\\\Nt \n"},{"FILE":[{"NAME":"a\\\\\u2060tb","LINK":"/x"}]}]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data, err := json.Marshal(tt.a)
			require.NoError(t, err)
			require.JSONEq(t, tt.want, string(data))
			again, ok := stable[imbot.Attach](t, data)
			require.True(t, ok)
			require.Len(t, again.Blocks, len(tt.a.Blocks))
		})
	}
	for _, bad := range []imbot.Block{&imbot.BlockUser{Name: "A"}, (*imbot.BlockUser)(nil), nil, imbot.BlockUnknown("{")} {
		_, err := json.Marshal(imbot.Attach{Blocks: []imbot.Block{bad}})
		require.Error(t, err)
	}
}

func TestAttachTextsComeBack(t *testing.T) {
	const odd = "C:\\new\\table \\\"x\\\" \\\\server\\ \\\\\\ \n\t\"<>&\u2028"
	a := imbot.Attach{Blocks: []imbot.Block{
		imbot.BlockMessage(odd), imbot.BlockUser{Name: odd}, imbot.BlockLink{Desc: odd}, imbot.BlockGrid{{Name: odd, Value: odd}},
		imbot.BlockImage{{Name: odd}}, imbot.BlockFile{{Name: odd}},
	}}
	data, err := json.Marshal(a)
	require.NoError(t, err)
	var got imbot.Attach
	require.NoError(t, json.Unmarshal(data, &got))
	require.Equal(t, a, got)
}

func TestAttachTextsReadTheSame(t *testing.T) {
	a, ok := stable[imbot.Attach](t, []byte(`{"BLOCKS":[{"MESSAGE":"one\\ntwo \\\"q\\\""}]}`))
	require.True(t, ok)
	data, err := json.Marshal(a)
	require.NoError(t, err)
	require.JSONEq(t, `{"BLOCKS":[{"MESSAGE":"one\ntwo \"q\""}]}`, string(data))
}

func TestAttachReads(t *testing.T) {
	tests := []struct {
		name string
		json string
		want []imbot.Block
	}{
		{"a list of people is as many blocks", `[{"USER":[{"NAME":"A"},{"NAME":"B","USER_ID":"7"}]}]`, []imbot.Block{imbot.BlockUser{Name: "A"}, imbot.BlockUser{Name: "B", UserID: 7}}},
		{"a list of links is as many blocks", `[{"LINK":[{"LINK":"/a"},{"LINK":"/b"}]}]`, []imbot.Block{imbot.BlockLink{Link: "/a"}, imbot.BlockLink{Link: "/b"}}},
		{"one picture without a list", `[{"IMAGE":{"LINK":"/a","WIDTH":"5"}}]`, []imbot.Block{imbot.BlockImage{{Link: "/a", Width: 5}}}},
		{"a line by true", `[{"DELIMITER":true}]`, []imbot.Block{imbot.BlockDelimiter{Size: 200}}},
		{"a line by PHP's empty list", `[{"DELIMITER":[]}]`, []imbot.Block{imbot.BlockDelimiter{Size: 200}}},
		{"a line of no size", `[{"DELIMITER":{"SIZE":-1}}]`, []imbot.Block{imbot.BlockDelimiter{Size: 200}}},
		{"as text", `"{\"BLOCKS\":[{\"MESSAGE\":\"x\"}]}"`, []imbot.Block{imbot.BlockMessage("x")}},
		{"with holes", `{"2":{"MESSAGE":"x"}}`, []imbot.Block{imbot.BlockMessage("x")}},
		{"texts with the escapes of the portal", `[{"MESSAGE":"one\\ntwo \\\"q\\\""},{"GRID":[{"VALUE":"a\\tb \\\\n \\x"}]}]`, []imbot.Block{imbot.BlockMessage("one\ntwo \"q\""), imbot.BlockGrid{{Value: "a\tb \\\n \\x"}}}},
		{"texts that were kept apart", `[{"MESSAGE":"C:\\\\\u2060new \u2060n \\\\\u2060x"}]`, []imbot.Block{imbot.BlockMessage("C:\\new \u2060n \\\u2060x")}},
		{"nothing", `[]`, nil},
		{"no blocks under a colour", `{"BLOCKS":[],"COLOR":"#fff"}`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := stable[imbot.Attach](t, []byte(tt.json))
			require.True(t, ok)
			require.Equal(t, tt.want, got.Blocks)
		})
	}
}

func TestUnknownBlocksSurvive(t *testing.T) {
	tests := []struct{ name, block string }{
		{"a kind of tomorrow", `{"CHART":{"POINTS":[1,2.50,{"x":"a\\nb"}]}}`},
		{"a message in its object form", `{"MESSAGE":{"TEXT":"x","AS_DESCRIPTION":"Y"}}`},
		{"two kinds in one", `{"USER":{"NAME":"A"},"MESSAGE":"x"}`},
		{"a grid that is no list", `{"GRID":{"NAME":"A"}}`},
		{"people that are none", `{"USER":[1]}`},
		{"no people", `{"USER":[]}`},
		{"a line by another word", `{"DELIMITER":"x"}`},
		{"a bare text", `"x"`},
		{"null", `null`},
		{"a person with new members", `{"USER":{"NAME":"A","MOOD":{"x":"a\\nb"},"USER_ID":"many"}}`},
		{"a link with new members", `{"LINK":{"LINK":"/x","MOOD":1}}`},
		{"a grid with new members", `{"GRID":[{"NAME":"A","MOOD":1}]}`},
		{"a picture with new members", `{"IMAGE":[{"LINK":"/x","MOOD":1}]}`},
		{"a file with new members", `{"FILE":[{"LINK":"/x","MOOD":1}]}`},
		{"a line with new members", `{"DELIMITER":{"SIZE":5,"MOOD":1}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, ok := stable[imbot.Attach](t, []byte(`{"BLOCKS":[`+tt.block+`],"DESCRIPTION":"d"}`))
			require.True(t, ok)
			client, sent := mockClient(t, "imbot.message.update", 200, `{"result":true}`)
			require.NoError(t, client.Message.Update(t.Context(), imbot.MessageUpdateRequest{MessageID: 1, Attach: &a}))
			require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","MESSAGE_ID":1,"ATTACH":{"BLOCKS":[`+tt.block+`],"DESCRIPTION":"d"}}`, sent())
		})
	}
}

func TestAttachRefuses(t *testing.T) {
	with := func(a imbot.Attach) attempt {
		return try(imbot.MessageAddRequest{DialogID: "27", Message: "x", Attach: &a})
	}
	block := func(b imbot.Block) attempt { return with(imbot.Attach{Blocks: []imbot.Block{b}}) }
	text := []imbot.Block{imbot.BlockMessage("x")}
	tests := []refusal{
		{"a colour by name", with(imbot.Attach{Blocks: text, Color: "RED"}), "COLOR", imbot.ErrWrongColor},
		{"a colour in small letters", with(imbot.Attach{Blocks: text, Color: "transparent"}), "COLOR", imbot.ErrWrongColor},
		{"an unknown colour token", with(imbot.Attach{Blocks: text, ColorToken: "gold"}), "COLOR_TOKEN", ""},
		{"a person without name", block(imbot.BlockUser{Link: "/x"}), "USER without NAME", imbot.ErrAttach},
		{"a person with a blank name", block(imbot.BlockUser{Name: " \t", UserID: 1}), "USER without NAME", imbot.ErrAttach},
		{"a person with a link to elsewhere", block(imbot.BlockUser{Name: "A", Link: "mailto:a@example.com"}), "USER: LINK", imbot.ErrAttach},
		{"a person with a picture from elsewhere", block(imbot.BlockUser{Name: "A", Avatar: "data:x"}), "USER: AVATAR", imbot.ErrAttach},
		{"a person with an unknown avatar", block(imbot.BlockUser{Name: "A", AvatarType: "CAT"}), "AVATAR_TYPE", ""},
		{"a link without address", block(imbot.BlockLink{Name: "A"}), "LINK without LINK", imbot.ErrAttach},
		{"a link to a person without name", block(imbot.BlockLink{UserID: 1}), "LINK without LINK", imbot.ErrAttach},
		{"a link to a person with a blank name", block(imbot.BlockLink{Name: " ", UserID: 1}), "LINK without LINK", imbot.ErrAttach},
		{"a link to elsewhere", block(imbot.BlockLink{Link: "ftp://x"}), "LINK: LINK", imbot.ErrAttach},
		{"a link with a picture from elsewhere", block(imbot.BlockLink{Link: "/x", Preview: "p.png"}), "LINK: PREVIEW", imbot.ErrAttach},
		{"an empty text", block(imbot.BlockMessage("")), "MESSAGE is empty", imbot.ErrAttach},
		{"a text of blanks", block(imbot.BlockMessage(" \n")), "MESSAGE is empty", imbot.ErrAttach},
		{"a text that is not UTF-8", block(imbot.BlockMessage("\xff")), "UTF-8", ""},
		{"a line with a colour by name", block(imbot.BlockDelimiter{Color: "red"}), "DELIMITER: COLOR", imbot.ErrWrongColor},
		{"a grid without entries", block(imbot.BlockGrid{}), "GRID is empty", imbot.ErrAttach},
		{"a grid entry without name and value", block(imbot.BlockGrid{{Name: "A"}, {Display: imbot.GridDisplayRow}}), "GRID without NAME and VALUE", imbot.ErrAttach},
		{"a grid entry with a blank name", block(imbot.BlockGrid{{Name: " "}}), "GRID without NAME and VALUE", imbot.ErrAttach},
		{"a grid entry with a link to elsewhere", block(imbot.BlockGrid{{Name: "A", Link: "x"}}), "GRID: LINK", imbot.ErrAttach},
		{"a grid entry with a colour by name", block(imbot.BlockGrid{{Name: "A", Color: "red"}}), "GRID: COLOR", imbot.ErrWrongColor},
		{"a grid entry with an unknown colour token", block(imbot.BlockGrid{{Name: "A", ColorToken: "gold"}}), "GRID: COLOR_TOKEN", ""},
		{"a grid entry with an unknown display", block(imbot.BlockGrid{{Name: "A", Display: "PIE"}}), "GRID: DISPLAY", ""},
		{"no pictures", block(imbot.BlockImage(nil)), "IMAGE is empty", imbot.ErrAttach},
		{"a picture without link", block(imbot.BlockImage{{Link: "/x"}, {Preview: "/x"}}), "IMAGE without LINK", imbot.ErrAttach},
		{"a picture from elsewhere", block(imbot.BlockImage{{Link: "x.png"}}), "IMAGE: LINK", imbot.ErrAttach},
		{"a smaller picture from elsewhere", block(imbot.BlockImage{{Link: "/x", Preview: "x.png"}}), "IMAGE: PREVIEW", imbot.ErrAttach},
		{"an address that would break", block(imbot.BlockUser{Name: "A", Link: `https://example.com/a\new`}), "USER: LINK has a backslash", imbot.ErrAttach},
		{"a picture that would break", block(imbot.BlockUser{Name: "A", Avatar: `/a\top`}), "USER: AVATAR has a backslash", imbot.ErrAttach},
		{"a link that would break", block(imbot.BlockLink{Link: `/a\\n`}), "LINK: LINK has a backslash", imbot.ErrAttach},
		{"a link with a picture that would break", block(imbot.BlockLink{Link: `/a`, Preview: `/\n`}), "LINK: PREVIEW has a backslash", imbot.ErrAttach},
		{"a grid with an address that would break", block(imbot.BlockGrid{{Name: "A", Link: `/\n`}}), "GRID: LINK has a backslash", imbot.ErrAttach},
		{"a picture's address that would break", block(imbot.BlockImage{{Link: `/\n`}}), "IMAGE: LINK has a backslash", imbot.ErrAttach},
		{"a file's address that would break", block(imbot.BlockFile{{Link: `/\t`}}), "FILE: LINK has a backslash", imbot.ErrAttach},
		{"a person of another network by a whole word", block(imbot.BlockUser{Name: "A", NetworkID: "network12"}), "USER: NETWORK_ID", imbot.ErrAttach},
		{"a link into another network by a number", block(imbot.BlockLink{Name: "A", NetworkID: "12"}), "LINK: NETWORK_ID", imbot.ErrAttach},
		{"no files", block(imbot.BlockFile{}), "FILE is empty", imbot.ErrAttach},
		{"a file without link", block(imbot.BlockFile{{Name: "A"}}), "FILE without LINK", imbot.ErrAttach},
		{"a file from elsewhere", block(imbot.BlockFile{{Link: "file:///etc/passwd"}}), "FILE: LINK", imbot.ErrAttach},
		{"a block that is no JSON", block(imbot.BlockUnknown("{")), "not JSON", imbot.ErrAttach},
		{"a block by pointer", block(&imbot.BlockUser{Name: "A"}), "by value", imbot.ErrAttach},
		{"a block by nil pointer", block((*imbot.BlockUser)(nil)), "by value", imbot.ErrAttach},
		{"no block at all", block(nil), "by value", imbot.ErrAttach},
	}
	testRefused(t, tests)
}

func TestAttachAccepts(t *testing.T) {
	text := []imbot.Block{imbot.BlockMessage("x")}
	tests := []struct {
		name string
		a    imbot.Attach
	}{
		{"no frame colour", imbot.Attach{Blocks: text, Color: imbot.AttachColorTransparent}},
		{"the chat's colour", imbot.Attach{Blocks: text, Color: imbot.AttachColorChat}},
		{"a predefined colour", imbot.Attach{Blocks: text, Color: imbot.AttachColorProblem}},
		{"a colour of bots", imbot.Attach{Blocks: text, Color: imbot.ColorMint.Hex()}},
		{"a backslash in an address", imbot.Attach{Blocks: []imbot.Block{imbot.BlockFile{{Link: `/a\b`}}}}},
		{"a person of another network", imbot.Attach{Blocks: []imbot.Block{imbot.BlockUser{Name: "0", NetworkID: "n12"}}}},
		{"a blank that only looks like one", imbot.Attach{Blocks: []imbot.Block{imbot.BlockMessage("\u00a0")}}},
		{"a link to a person", imbot.Attach{Blocks: []imbot.Block{imbot.BlockLink{Name: "A", UserID: 1}}}},
		{"an empty entry of a line", imbot.Attach{Blocks: []imbot.Block{imbot.BlockGrid{{Display: imbot.GridDisplayLine}}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client, sent := mockClient(t, "imbot.message.add", 200, `{"result":1}`)
			_, err := client.Message.Add(t.Context(), imbot.MessageAddRequest{DialogID: "27", Message: "x", Attach: &tt.a})
			require.NoError(t, err)
			require.NotEmpty(t, sent())
		})
	}
}

// FuzzAttachText holds that every text of every block arrives as it was written, by
// a model of what the portal replaces; nobody sees what keeps a backslash apart.
func FuzzAttachText(f *testing.F) {
	for _, text := range []string{`C:\new\temp`, `\\n \" \\" \x\`, "\\\n\\\t\\", `\nn\tt\\\n`, "a\u2060n", "", "\x00", "\xff"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) { // refused
			return
		}
		a := imbot.Attach{Blocks: []imbot.Block{
			imbot.BlockMessage(text), imbot.BlockUser{Name: text}, imbot.BlockLink{Name: text, Desc: text, HTML: text},
			imbot.BlockGrid{{Name: text, Value: text}}, imbot.BlockImage{{Name: text}}, imbot.BlockFile{{Name: text}},
		}}
		data, err := json.Marshal(a)
		require.NoError(t, err)
		var wire any
		require.NoError(t, json.Unmarshal(data, &wire))
		for _, sent := range textsOf(wire) {
			for _, pair := range [][2]string{{`\n`, "\n"}, {`\t`, "\t"}, {`\"`, `"`}, {`\\`, `\`}} {
				sent = strings.ReplaceAll(sent, pair[0], pair[1])
			}
			require.Equal(t, strings.ReplaceAll(text, "\u2060", ""), strings.ReplaceAll(sent, "\u2060", ""))
		}
		if strings.Contains(text, "\u2060") {
			return
		}
		var again imbot.Attach
		require.NoError(t, json.Unmarshal(data, &again))
		require.Equal(t, a, again)
	})
}

// textsOf are the texts in a JSON value.
func textsOf(v any) (texts []string) {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		for _, v := range v {
			texts = append(texts, textsOf(v)...)
		}
	case map[string]any:
		for _, v := range v {
			texts = append(texts, textsOf(v)...)
		}
	}
	return texts
}

func FuzzAttach(f *testing.F) {
	f.Add([]byte(rich(f, "attach", "example")))
	f.Add([]byte(`[{"USER":[{"NAME":"a\\\\\\n"}]},{"MESSAGE":"\\\\"},{"DELIMITER":true},{"GRID":[{"VALUE":1,"X":"<"}]},null,{"IMAGE":{}},{"FILE":[{"SIZE":"9"}]}]`))
	f.Add([]byte(`"{\"BLOCKS\":{\"1\":{\"LINK\":{\"LINK\":\"\\/x\"}}},\"COLOR\":\"CHAT\",\"Z\":0}"`))
	f.Add([]byte(`[{"DELIMITER":{"SIZE":""}},{"DELIMITER":{"SIZE":"x"}}]`))
	f.Fuzz(func(t *testing.T, data []byte) { stable[imbot.Attach](t, data) })
}
