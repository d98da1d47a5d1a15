package imbottest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

func TestCommandsOnOffer(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	for _, params := range []string{
		`"COMMAND":"all","COMMON":"Y","HIDDEN":"Y","LANG":[{"LANGUAGE_ID":"de","TITLE":"Alle"},{"LANGUAGE_ID":"en","TITLE":"All","PARAMS":"who"}]`,
		`"COMMAND":"fr","LANG":[{"LANGUAGE_ID":"fr","TITLE":"Seulement"}]`,
	} {
		require.NotContains(t, post(t, portal, "imbot.command.register", `{"CLIENT_ID":"one","BOT_ID":103,"EVENT_COMMAND_ADD":"`+eventURL+`",`+params+`}`), " ")
	}
	echo := imbottest.Command{ID: 701, Bot: alpha, Name: "echo", Title: "Echo"}
	all := imbottest.Command{ID: 702, Bot: alpha, Name: "all", Title: "All", Params: "who", Common: true, Hidden: true}
	fr := imbottest.Command{ID: 703, Bot: alpha, Name: "fr", Title: "Seulement"}
	require.Equal(t, []imbottest.Command{echo, all, fr}, portal.Commands(anna, "chat1001"))
	require.Equal(t, []imbottest.Command{echo, all, fr}, portal.Commands(boris, "103"), "the dialog need not exist")
	require.Equal(t, []imbottest.Command{all}, portal.Commands(boris, "104"))
	require.Empty(t, portal.Commands(boris, "chat1001"), "not a member")
	require.Equal(t, "true", post(t, portal, "imbot.command.update", `{"CLIENT_ID":"one","COMMAND_ID":702,"FIELDS":{"HIDDEN":"N","LANG":[{"LANGUAGE_ID":"en","TITLE":"New"}]}}`))
	require.Equal(t, "New", portal.Commands(boris, "104")[0].Title)
	require.False(t, portal.Commands(boris, "104")[0].Hidden)

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
		got := portal.Commands(boris, "104")[0]
		require.Equal(t, r.title, got.Title, says)
		require.Equal(t, r.hidden, got.Hidden, says)
	}
}

func TestWhichCommandsAreGiven(t *testing.T) {
	t.Parallel()
	many, ten := "", []string{}
	for i := range 12 {
		many += fmt.Sprintf("/c%d %d\n", i, i)
		if i < 10 {
			ten = append(ten, fmt.Sprintf("%d:%d", 710+i-6, i))
		}
	}
	for _, tt := range []struct {
		says, dialog, text string
		event              string
		want               []string // id:params of each command
	}{
		{"a command at the start of a line", "103", "/echo  some text ", "ONIMCOMMANDADD", []string{"701: some text"}},
		{"without parameters", "103", "/echo", "ONIMCOMMANDADD", []string{"701:"}},
		{"on a later line", "103", "please\n/echo x\r\nthanks", "ONIMCOMMANDADD", []string{"701:x"}},
		{"two at once", "103", "/echo x\n/all y", "ONIMCOMMANDADD", []string{"701:x", "702:y"}},
		{"of the same command the last line counts", "103", "/echo x\n/echo y", "ONIMCOMMANDADD", []string{"701:y"}},
		{"ten at most", "103", many, "ONIMCOMMANDADD", ten},
		{"not in the middle of a line", "103", "say /echo x", "ONIMBOTMESSAGEADD", nil},
		{"not a longer name", "103", "/echoes x", "ONIMBOTMESSAGEADD", nil},
		{"the name as it was registered", "103", "/Echo x", "ONIMBOTMESSAGEADD", nil},
		{"in a chat without a mention", "chat1001", "/echo x", "ONIMCOMMANDADD", []string{"701:x"}},
		{"and then no mention counts", "chat1001", "/echo [user=103]Alpha[/user]", "ONIMCOMMANDADD", []string{"701:[user=103]Alpha[/user]"}},
		{"a common command where the bot is no member", "chat1002", "/all x", "ONIMCOMMANDADD", []string{"702:x"}},
		{"another one does nothing there", "chat1002", "/echo x", "", nil},
		{"nor that of another bot here", "103", "/beta x", "ONIMBOTMESSAGEADD", nil},
	} {
		t.Run(tt.says, func(t *testing.T) {
			portal, box := newMailboxPortal(t)
			portal.AddChat("People", anna, boris)
			steps := []string{newCommand("one", 103, "all", `,"COMMON":"Y"`), newCommand("two", 104, "beta", "")}
			for i := range 12 {
				steps = append(steps, newCommand("one", 103, fmt.Sprintf("c%d", i), ""))
			}
			for _, step := range steps {
				method, params, _ := strings.Cut(step, " ")
				require.Regexp(t, "^7", post(t, portal, method, params))
			}
			require.NoError(t, portal.Open(t.Context(), anna, alpha))
			box.take(t, portal)

			_, err := portal.Say(t.Context(), anna, imbot.DialogID(tt.dialog), tt.text)
			require.NoError(t, err)
			events := box.take(t, portal)
			if tt.event == "" {
				require.Empty(t, events)
				return
			}
			require.Len(t, events, 1)
			require.Equal(t, tt.event, events[0].Get("event"))
			var got []string
			for id := 701; id < 720; id++ {
				if key := fmt.Sprintf("data[COMMAND][%d]", id); events[0].Has(key + "[COMMAND]") {
					got = append(got, fmt.Sprintf("%d:%s", id, events[0].Get(key+"[COMMAND_PARAMS]")))
				}
			}
			require.Equal(t, tt.want, got)
		})
	}
}
