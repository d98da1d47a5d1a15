package imbot_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/bbcode"
)

// decoding is a scalar as the portal may send it. A nil want means an error.
type decoding[T any] struct {
	name string
	json string
	want *T
}

func testDecoding[T any](t *testing.T, tests []decoding[T]) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got T
			err := json.Unmarshal([]byte(tt.json), &got)
			if tt.want == nil {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, *tt.want, got)
			var inside struct{ V T }
			require.NoError(t, json.Unmarshal([]byte(`{"V":`+tt.json+`}`), &inside))
			require.Equal(t, *tt.want, inside.V)
		})
	}
}

func TestID(t *testing.T) {
	testDecoding(t, []decoding[imbot.ID]{
		{"a number", `39`, ptr(imbot.ID(39))},
		{"a number as text", `"39"`, ptr(imbot.ID(39))},
		{"text with escapes", `"\u0033\u0039"`, ptr(imbot.ID(39))},
		{"the largest number", `9223372036854775807`, ptr(imbot.ID(9223372036854775807))},
		{"zero", `0`, ptr(imbot.ID(0))},
		{"empty text is none", `""`, ptr(imbot.ID(0))},
		{"null is none", `null`, ptr(imbot.ID(0))},
		{"false is none", `false`, ptr(imbot.ID(0))},
		{"a number too large", `9223372036854775808`, nil},
		{"a fraction", `39.5`, nil},
		{"true", `true`, nil},
		{"a word", `"chat5"`, nil},
		{"text with a blank", `"39 "`, nil},
		{"an empty list", `[]`, nil},
		{"an object", `{"ID":39}`, nil},
	})
	sent, err := json.Marshal(imbot.ID(39))
	require.NoError(t, err)
	require.Equal(t, `39`, string(sent))
	require.Equal(t, "39", imbot.ID(39).String())
}

func TestFlag(t *testing.T) {
	testDecoding(t, []decoding[imbot.Flag]{
		{"Y", `"Y"`, ptr(imbot.Yes)},
		{"y", `"y"`, ptr(imbot.Yes)},
		{"true", `true`, ptr(imbot.Yes)},
		{"true as text", `"true"`, ptr(imbot.Yes)},
		{"1", `1`, ptr(imbot.Yes)},
		{"1 as text", `"1"`, ptr(imbot.Yes)},
		{"N", `"N"`, ptr(imbot.No)},
		{"n", `"n"`, ptr(imbot.No)},
		{"false", `false`, ptr(imbot.No)},
		{"false as text", `"false"`, ptr(imbot.No)},
		{"0", `0`, ptr(imbot.No)},
		{"0 as text", `"0"`, ptr(imbot.No)},
		{"empty text", `""`, ptr(imbot.Flag(""))},
		{"null", `null`, ptr(imbot.Flag(""))},
		{"another word is kept", `"auto"`, ptr(imbot.Flag("auto"))},
		{"another number is kept", `2`, ptr(imbot.Flag("2"))},
		{"a list", `[]`, nil},
		{"an object", `{"Y":"N"}`, nil},
	})
	require.True(t, imbot.Yes.Bool())
	require.False(t, imbot.No.Bool())
	require.False(t, imbot.Flag("").Bool())
	require.False(t, imbot.Flag("auto").Bool())
}

func TestOK(t *testing.T) {
	testDecoding(t, []decoding[imbot.OK]{
		{"true", `true`, ptr(imbot.OK{})},
		{"false", `false`, nil},
		{"null", `null`, nil},
		{"true as text", `"true"`, nil},
		{"1", `1`, nil},
		{"an empty object", `{}`, nil},
		{"an empty list", `[]`, nil},
	})
}

func TestDialogID(t *testing.T) {
	testDecoding(t, []decoding[imbot.DialogID]{
		{"a group chat", `"chat5"`, ptr(imbot.DialogID("chat5"))},
		{"a user as text", `"27"`, ptr(imbot.DialogID("27"))},
		{"a user as a number", `27`, ptr(imbot.DialogID("27"))},
		{"null", `null`, ptr(imbot.DialogID(""))},
		{"false", `false`, ptr(imbot.DialogID(""))},
		{"a list", `[]`, nil},
		{"an object", `{}`, nil},
	})
	require.Equal(t, imbot.DialogID("27"), imbot.UserDialog(27))
	require.Equal(t, imbot.DialogID("chat5"), imbot.ChatDialog(5))
}

func TestDialogIDParts(t *testing.T) {
	tests := []struct {
		dialog     imbot.DialogID
		chat, user imbot.ID // zero: it is none
	}{
		{"27", 0, 27},
		{"chat5", 5, 0},
		{imbot.UserDialog(1), 0, 1},
		{imbot.ChatDialog(9223372036854775807), 9223372036854775807, 0},
		{"9223372036854775807", 0, 9223372036854775807},
		{"", 0, 0},
		{"chat", 0, 0},
		{"chat0", 0, 0},
		{"chat-1", 0, 0},
		{"chat+1", 0, 0},
		{"chat05", 0, 0},
		{"chat5 ", 0, 0},
		{"chat 5", 0, 0},
		{"chat5x", 0, 0},
		{"chatchat5", 0, 0},
		{"Chat5", 0, 0},
		{"sg5", 0, 0},
		{"crm5", 0, 0},
		{"0", 0, 0},
		{"027", 0, 0},
		{"-27", 0, 0},
		{"+27", 0, 0},
		{"27abc", 0, 0},
		{"2_7", 0, 0},
		{"27.0", 0, 0},
		{"٢٧", 0, 0},
		{"9223372036854775808", 0, 0},
		{"chat9223372036854775808", 0, 0},
		{"XXXXXXXX-0000-0000-0000-000000000000", 0, 0},
	}
	for _, tt := range tests {
		t.Run(string(tt.dialog), func(t *testing.T) {
			chat, ok := tt.dialog.ChatID()
			require.Equal(t, tt.chat, chat)
			require.Equal(t, tt.chat != 0, ok)
			user, ok := tt.dialog.UserID()
			require.Equal(t, tt.user, user)
			require.Equal(t, tt.user != 0, ok)
		})
	}
}

func TestEntityID(t *testing.T) {
	testDecoding(t, []decoding[imbot.EntityID]{
		{"text", `"DEAL|13"`, ptr(imbot.EntityID("DEAL|13"))},
		{"a number as text", `"013"`, ptr(imbot.EntityID("013"))},
		{"a number", `13`, ptr(imbot.EntityID("13"))},
		{"null", `null`, ptr(imbot.EntityID(""))},
		{"false", `false`, ptr(imbot.EntityID(""))},
		{"a list", `[]`, nil},
		{"an object", `{}`, nil},
	})
}

func TestAppContextAdminOnly(t *testing.T) {
	require.Equal(t, imbot.AppContext("ALL-admin"), imbot.AppContextAll.AdminOnly())
	require.Equal(t, imbot.AppContext("LINES-admin"), imbot.AppContextLines.AdminOnly())
	require.Equal(t, imbot.AppContext("CALL-admin"), imbot.AppContextCall.AdminOnly().AdminOnly(), "twice is once")
	require.Empty(t, imbot.AppContext("").AdminOnly(), "no context stays none")
}

func FuzzID(f *testing.F) {
	for _, seed := range []string{`39`, `"39"`, `""`, `null`, `false`, `true`, `[]`, `{}`, `-1`, `1e3`, `"+5"`, `9223372036854775808`, `"`, ``} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) { testRoundTrip[imbot.ID](t, data) })
}

func FuzzFlag(f *testing.F) {
	for _, seed := range []string{`"Y"`, `"N"`, `true`, `false`, `1`, `0`, `""`, `null`, `"auto"`, `[]`, `{"a":"\xff"}`, `"\xff"`, `2`, `"`, ``} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) { testRoundTrip[imbot.Flag](t, data) })
}

// testRoundTrip: what was read is written, and read back the same.
func testRoundTrip[T comparable](t *testing.T, data []byte) {
	var value, again T
	_ = any(&again).(json.Unmarshaler).UnmarshalJSON(data) // no JSON at all, mostly: it must not panic
	if json.Unmarshal(data, &value) != nil {
		return
	}
	written, err := json.Marshal(value)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(written, &again), "written as %s", written)
	require.Equal(t, value, again, "written as %s", written)
}

func TestIDsGoIntoBBCodeAsTheyAre(t *testing.T) {
	require.Equal(t, "[user=27]Anna[/user]", bbcode.Mention(imbot.ID(27), "Anna"))
	require.Equal(t, "[dialog=chat7 message=9]there[/dialog]", bbcode.DialogMessageLink(imbot.ChatDialog(7), imbot.ID(9), "there"))
}
