package imbottest_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

func TestUsers(t *testing.T) {
	portal := newWorld(t)
	post(t, portal, "imbot.register", `{"CLIENT_ID":"one","CODE":"third",`+bindings+`,"PROPERTIES":{"NAME":"Third","COLOR":"LIME","WORK_POSITION":"Helper"}}`)
	post(t, portal, "imbot.unregister", `{"CLIENT_ID":"two","BOT_ID":5}`)
	guest, _, err := portal.AddGuest(t.Context(), "Guest", 4)
	require.Error(t, err, "alpha serves no open lines")
	require.Zero(t, guest)
	users := portal.Users()
	require.Len(t, users, 6)
	require.Equal(t, "Anna Ivanova", users[1].Name())
	require.False(t, users[1].Bot)
	require.NotEmpty(t, users[1].Color.Hex(), "people have a color, too")
	require.True(t, users[4].Bot)
	require.True(t, users[4].Gone)
	require.Equal(t, imbottest.User{ID: 6, FirstName: "Third", Position: "Helper", Color: imbot.ColorLime, Bot: true}, users[5])
	require.Equal(t, "true", post(t, portal, "imbot.update", `{"CLIENT_ID":"one","BOT_ID":6,"FIELDS":{"PROPERTIES":{"COLOR":"RED"}}}`))
	require.Equal(t, imbot.ColorRed, portal.Users()[5].Color)
}

func TestDialogs(t *testing.T) {
	portal := newWorld(t)
	require.Empty(t, portal.Dialogs(boris))
	require.Empty(t, portal.Dialogs(99))
	_, err := portal.Say(t.Context(), anna, "chat1001", "first")
	require.NoError(t, err)
	require.NoError(t, portal.Open(t.Context(), anna, beta))
	require.Equal(t, "true", post(t, portal, "imbot.chat.user.add", `{"CLIENT_ID":"one","CHAT_ID":1001,"USERS":[3],"HIDE_HISTORY":"Y"}`))
	require.Equal(t, "true", post(t, portal, "imbot.chat.setManager", `{"CLIENT_ID":"one","CHAT_ID":1001,"USER_ID":2}`))

	dialogs := portal.Dialogs(anna)
	require.Len(t, dialogs, 2)
	private, group := dialogs[0], dialogs[1]
	require.EqualValues(t, "5", private.ID, "the newest is the first")
	require.Equal(t, "Beta", private.Title)
	require.Equal(t, "private", private.Type)
	require.Nil(t, private.Last)
	require.Equal(t, imbottest.Dialog{
		ID: "chat1001", ChatID: team, Type: "chat", Title: "Team", Color: imbot.ColorMint, Owner: alpha,
		Managers: []imbot.ID{anna}, Members: []imbot.ID{alpha, anna, boris}, Messages: 1, Last: group.Last,
	}, group)
	require.Equal(t, "first", group.Last.Text)

	_, err = portal.Say(t.Context(), anna, "chat1001", "second")
	require.NoError(t, err)
	require.EqualValues(t, "chat1001", portal.Dialogs(anna)[0].ID)
	dialogs = portal.Dialogs(boris)
	require.Len(t, dialogs, 1)
	require.Equal(t, 1, dialogs[0].Messages, "history was hidden")
	require.EqualValues(t, "2", portal.Dialogs(beta)[0].ID, "the other side names it differently")
}

func TestHistory(t *testing.T) {
	portal := newWorld(t)
	for i := range 10 {
		_, err := portal.Say(t.Context(), anna, "chat1001", fmt.Sprint(i))
		require.NoError(t, err)
	}
	require.Equal(t, "true", post(t, portal, "imbot.chat.user.add", `{"CLIENT_ID":"one","CHAT_ID":1001,"USERS":[3],"HIDE_HISTORY":"Y"}`))
	_, err := portal.Say(t.Context(), anna, "chat1001", "last")
	require.NoError(t, err)
	for _, r := range []struct {
		says   string
		user   imbot.ID
		dialog imbot.DialogID
		before imbot.ID
		limit  int
		want   []string
	}{
		{"the newest ones", anna, "chat1001", 0, 3, []string{"8", "9", "last"}},
		{"the ones before", anna, "chat1001", 50009, 3, []string{"5", "6", "7"}},
		{"the beginning", anna, "chat1001", 50003, 5, []string{"0", "1"}},
		{"nothing before the first", anna, "chat1001", 50001, 5, nil},
		{"an id behind the end", anna, "chat1001", 99999, 1, []string{"last"}},
		{"no limit is nothing", anna, "chat1001", 0, 0, nil},
		{"a negative limit is nothing", anna, "chat1001", 0, -1, nil},
		{"what came before somebody is hidden", boris, "chat1001", 0, 50, []string{"last"}},
		{"what came before somebody is hidden from below, too", boris, "chat1001", 50005, 50, nil},
		{"a stranger sees nothing", beta, "chat1001", 0, 50, nil},
		{"no dialog", anna, "chat7", 0, 50, nil},
		{"no dialog name", anna, "x", 0, 50, nil},
	} {
		t.Run(r.says, func(t *testing.T) {
			var texts []string
			for _, m := range portal.History(r.user, r.dialog, r.before, r.limit) {
				texts = append(texts, m.Text)
			}
			require.Equal(t, r.want, texts)
		})
	}
}

func TestCommandsAndApps(t *testing.T) {
	portal := newWorld(t)
	for _, params := range []string{
		`"COMMAND":"all","COMMON":"Y","HIDDEN":"Y","LANG":[{"LANGUAGE_ID":"de","TITLE":"Alle"},{"LANGUAGE_ID":"en","TITLE":"All","PARAMS":"who"}]`,
		`"COMMAND":"fr","LANG":[{"LANGUAGE_ID":"fr","TITLE":"Seulement"}]`,
	} {
		require.NotContains(t, post(t, portal, "imbot.command.register", `{"CLIENT_ID":"one","BOT_ID":4,"EVENT_COMMAND_ADD":"`+eventURL+`",`+params+`}`), " ")
	}
	echo := imbottest.Command{ID: 701, Bot: alpha, Name: "echo", Title: "Echo"}
	all := imbottest.Command{ID: 702, Bot: alpha, Name: "all", Title: "All", Params: "who", Common: true, Hidden: true}
	fr := imbottest.Command{ID: 703, Bot: alpha, Name: "fr", Title: "Seulement"}
	require.Equal(t, []imbottest.Command{echo, all, fr}, portal.Commands(anna, "chat1001"))
	require.Equal(t, []imbottest.Command{echo, all, fr}, portal.Commands(boris, "4"), "the dialog need not exist")
	require.Equal(t, []imbottest.Command{all}, portal.Commands(boris, "5"))
	require.Empty(t, portal.Commands(boris, "chat1001"), "not a member")
	require.Equal(t, "true", post(t, portal, "imbot.command.update", `{"CLIENT_ID":"one","COMMAND_ID":702,"FIELDS":{"HIDDEN":"N","LANG":[{"LANGUAGE_ID":"en","TITLE":"New"}]}}`))
	require.Equal(t, "New", portal.Commands(boris, "5")[0].Title)
	require.False(t, portal.Commands(boris, "5")[0].Hidden)

	for says, r := range map[string]struct {
		lang, title string
		hidden      bool
	}{
		"languages are written as people like":   {`[{"LANGUAGE_ID":"de","TITLE":"Neu"},{"LANGUAGE_ID":"EN","TITLE":"New"}]`, "New", false},
		"an entry without a language is skipped": {`[{"TITLE":"None"},{"LANGUAGE_ID":"de","TITLE":"Neu"}]`, "Neu", false},
		"an entry without a title is skipped":    {`[{"LANGUAGE_ID":"en","PARAMS":"x"},{"LANGUAGE_ID":"de","TITLE":"Neu"}]`, "Neu", false},
		"without a title it is not offered":      {`[{"LANGUAGE_ID":"en"}]`, "", true},
		"an empty title is one":                  {`[{"LANGUAGE_ID":"en","TITLE":""}]`, "", false},
	} {
		require.Equal(t, "true", post(t, portal, "imbot.command.update", `{"CLIENT_ID":"one","COMMAND_ID":702,"FIELDS":{"LANG":`+r.lang+`}}`), says)
		got := portal.Commands(boris, "5")[0]
		require.Equal(t, r.title, got.Title, says)
		require.Equal(t, r.hidden, got.Hidden, says)
	}

	icon := base64.StdEncoding.EncodeToString(smallPNG)
	frame := `"IFRAME":"https://app.example.com/","HASH":"short",`
	for _, params := range []string{
		`"CODE":"user","CONTEXT":"USER","IFRAME_WIDTH":10,"IFRAME_HEIGHT":400,"ICON_FILE":"` + icon + `",` + frame,
		`"CODE":"chat","CONTEXT":"CHAT",` + frame, `"CODE":"bot","CONTEXT":"BOT",` + frame, `"CODE":"lines","CONTEXT":"LINES",` + frame,
		`"CODE":"call","CONTEXT":"CALL",` + frame, `"CODE":"admins","CONTEXT":"ALL-admin",` + frame, `"CODE":"hidden","HIDDEN":"Y",` + frame,
	} {
		require.NotContains(t, post(t, portal, "imbot.app.register", `{"CLIENT_ID":"one","BOT_ID":4,`+params+`"LANG":[{"LANGUAGE_ID":"en","TITLE":"T","DESCRIPTION":"D"}]}`), " ")
	}
	codes := func(user imbot.ID, dialog imbot.DialogID) (codes []string) {
		for _, a := range portal.Apps(user, dialog) {
			codes = append(codes, a.Code)
		}
		return codes
	}
	require.Equal(t, []string{"help", "user", "bot"}, codes(anna, "4"))
	require.Equal(t, []string{"help", "user"}, codes(anna, "5"))
	require.Equal(t, []string{"help", "chat"}, codes(anna, "chat1001"))
	require.Equal(t, []string{"help", "user", "admins"}, codes(imbottest.Admin, "2"))
	require.Equal(t, imbottest.App{ID: 501, Bot: alpha, Code: "help", Title: "Help", JSMethod: "SEND", JSParam: "/help", Width: 320, Height: 250}, portal.Apps(anna, "4")[0])
	require.Equal(t, imbottest.App{ID: 502, Bot: alpha, Code: "user", Title: "T", Description: "D", Frame: true, Width: 250, Height: 400}, portal.Apps(anna, "4")[1])
	require.Equal(t, smallPNG, portal.Icon(502))
	require.Nil(t, portal.Icon(501))
	require.Nil(t, portal.Icon(9))
	require.Equal(t, "true", post(t, portal, "imbot.app.update", `{"CLIENT_ID":"one","APP_ID":502,"FIELDS":{"CONTEXT":"CHAT","IFRAME_WIDTH":500}}`))
	require.Equal(t, []string{"help", "user", "chat"}, codes(anna, "chat1001"))
	require.Equal(t, 500, portal.Apps(anna, "chat1001")[1].Width)
	require.Equal(t, 400, portal.Apps(anna, "chat1001")[1].Height)
}

// smallPNG is the beginning of a picture of 4×2 pixels.
var smallPNG = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x04\x00\x00\x00\x02\x08\x02\x00\x00\x00")

func TestAvatar(t *testing.T) {
	portal := newWorld(t)
	picture := base64.StdEncoding.EncodeToString(smallPNG)
	require.Equal(t, "6", post(t, portal, "imbot.register", `{"CLIENT_ID":"one","CODE":"third",`+bindings+`,"PROPERTIES":{"NAME":"Third","PERSONAL_PHOTO":"`+picture+`"}}`))
	require.Equal(t, smallPNG, portal.Avatar("6"))
	require.Nil(t, portal.Avatar("4"))
	require.Nil(t, portal.Avatar("99"))
	require.Nil(t, portal.Avatar("chat1001"))
	require.Equal(t, "true", post(t, portal, "imbot.chat.updateAvatar", `{"CLIENT_ID":"one","CHAT_ID":1001,"AVATAR":["a.png","`+picture+`"]}`))
	require.Equal(t, smallPNG, portal.Avatar("chat1001"))
	require.Nil(t, portal.Avatar("nothing"))
}

const twins = `{"CLIENT_ID":"one","DIALOG_ID":"chat1001","MESSAGE":"choose",
	"ATTACH":{"COLOR":"#fff","BLOCKS":[{"MESSAGE":"<b>\\n"}]},
	"KEYBOARD":[{"TEXT":"Go","COMMAND":"echo","COMMAND_PARAMS":"1","BLOCK":"Y"},{"TYPE":"NEWLINE"},{"TEXT":"Go","COMMAND":"echo","COMMAND_PARAMS":"2"}],
	"MENU":[{"TEXT":"<Tom> & \"Jerry\"","COMMAND":"echo","COMMAND_PARAMS":"3"}]}`

func TestWire(t *testing.T) {
	portal := newWorld(t)
	require.Equal(t, "50001", post(t, portal, "imbot.message.add", twins))
	m := portal.History(anna, "chat1001", 0, 1)[0]
	attach, keyboard, menu := m.Wire()
	var buttons, items []map[string]any
	require.NoError(t, json.Unmarshal(keyboard, &buttons))
	require.Len(t, buttons, 3, "a row's end is an entry")
	require.Equal(t, map[string]any{"TYPE": "NEWLINE"}, buttons[1])
	require.Equal(t, "2", buttons[2]["COMMAND_PARAMS"])
	require.NoError(t, json.Unmarshal(menu, &items))
	require.Equal(t, `<Tom> & "Jerry"`, items[0]["TEXT"])
	require.Contains(t, string(attach), `"BLOCKS":[{"MESSAGE":"\u003cb\u003e\n"}]`)

	attach, keyboard, menu = imbottest.Message{}.Wire()
	require.Equal(t, "null null null", fmt.Sprintf("%s %s %s", attach, keyboard, menu))
}

func TestPressButton(t *testing.T) {
	portal := newWorld(t)
	require.Equal(t, "50001", post(t, portal, "imbot.message.add", twins))
	m := portal.History(anna, "chat1001", 0, 1)[0]
	_, before, _ := m.Wire()
	for _, n := range []int{-1, 1, 3} {
		require.Error(t, portal.PressButton(t.Context(), anna, m, n))
		require.Error(t, portal.PressItem(t.Context(), anna, m, n))
	}
	require.Error(t, portal.PressButton(t.Context(), boris, m, 0), "not a member")
	require.NoError(t, portal.PressButton(t.Context(), anna, m, 2))
	require.NoError(t, portal.PressButton(t.Context(), anna, m, 0))
	require.NoError(t, portal.PressItem(t.Context(), anna, m, 0))
	require.ErrorContains(t, portal.PressButton(t.Context(), anna, m, 0), "blocked")
	require.NoError(t, portal.Idle(t.Context()))
	var given []string
	for _, x := range portal.Exchanges(0, 3) {
		full, ok := portal.Exchange(x.ID)
		require.True(t, ok)
		var sent struct {
			Data struct{ PARAMS struct{ MESSAGE string } }
		}
		require.NoError(t, json.Unmarshal([]byte(full.Sent), &sent))
		given = append(given, sent.Data.PARAMS.MESSAGE)
	}
	require.ElementsMatch(t, []string{"/echo 3", "/echo 1", "/echo 2"}, given)
	_, after, _ := m.Wire()
	require.Equal(t, string(before), string(after), "what was seen before does not change")
	_, now, _ := portal.History(anna, "chat1001", 0, 1)[0].Wire()
	require.Contains(t, string(now), `"WAIT":"Y"`)
}
