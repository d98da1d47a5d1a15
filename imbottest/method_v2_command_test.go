package imbottest_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

// commandsOf lists gamma's commands: name, title and hint of each.
func commandsOf(t *testing.T, portal *imbottest.Portal) (list []string) {
	t.Helper()
	var got struct {
		Commands []struct {
			BotID                  imbot.ID
			Command, Title, Params string
			Hidden, Common         bool
		}
	}
	answer := post(t, portal, "imbot.v2.Command.list", `{`+asGamma+`}`)
	require.NoError(t, json.Unmarshal([]byte(answer), &got), answer)
	for _, c := range got.Commands {
		if c.BotID != 0 {
			list = append(list, fmt.Sprint(c.Command, "|", c.Title, "|", c.Params, "|", c.Hidden, c.Common))
		}
	}
	return list
}

func TestCommandsOfTheSecondGeneration(t *testing.T) {
	t.Parallel()
	register := func(members string) string {
		return `imbot.v2.Command.register {` + asGamma + `,"fields":{` + members + `}}`
	}
	change := func(members string) string {
		return `imbot.v2.Command.update {` + asGamma + `,"commandId":702,"fields":{` + members + `}}`
	}
	for _, tt := range []struct{ says, call, want string }{
		{"one that was registered", register(`"command":"ask","title":{"en":"Ask"},"params":{"en":"what"},"common":true`), "/ask|Ask|what|false true"},
		{"a slash is taken away", register(`"command":"/ask","title":{"en":"Ask"}`), "/ask|Ask||false false"},
		{"a hidden one needs no title", register(`"command":"ask","hidden":"Y"`), "/ask|||true false"},
		{"registered again it stays what it is", register(`"command":"help","title":{"en":"New"},"hidden":true`), "/help|Help|topic|false false"},
		{"another name", change(`"command":"ask"`), "/ask|Help|topic|false false"},
		{"a flag", change(`"hidden":true`), "/help|Help|topic|true false"},
		{"another text", change(`"title":{"en":"New"}`), "/help|New|topic|false false"},
		{"another hint, with the title of its language", change(`"title":{"en":"New"},"params":{"en":"more"}`), "/help|New|more|false false"},
		{"a hint alone is ignored", change(`"params":{"en":"more"}`), "/help|Help|topic|false false"},
		{"null removes a language", change(`"title":{"en":null}`), "/help|||false false"},
		{"another language leaves it", change(`"title":{"de":"Hilfe"}`), "/help|Help|topic|false false"},
	} {
		t.Run(tt.says, func(t *testing.T) {
			portal := newV2Portal(t)
			prepare(t, portal, tt.call)
			list := commandsOf(t, portal)
			require.Equal(t, tt.want, list[len(list)-1])
		})
	}
}

func TestCommandsReachTheirBot(t *testing.T) {
	t.Parallel()
	for says, tt := range map[string]struct {
		act  func(*testing.T, *imbottest.Portal)
		want string
	}{
		"typed": {func(t *testing.T, portal *imbottest.Portal) {
			_, err := portal.Say(t.Context(), anna, crewDialog, "/help me now")
			require.NoError(t, err)
		}, `"command":{"id":702,"command":"/help","params":"me now","context":"textarea"},"message":{"id":50003,`},
		"pressed": {func(t *testing.T, portal *imbottest.Portal) {
			id := sendTo(t, portal, "chat1002", `"message":"choose","keyboard":[{"TEXT":"Help","COMMAND":"help","COMMAND_PARAMS":"a"}]`)
			require.NoError(t, portal.Press(t.Context(), anna, imbottest.Message{ID: id}, "Help"))
		}, `"command":{"id":702,"command":"/help","params":"a","context":"keyboard"},"message":{"id":50003,`},
	} {
		t.Run(says, func(t *testing.T) {
			portal := newV2Portal(t)
			clear(t, portal)
			tt.act(t, portal)
			got := fetch(t, portal, "")
			require.Equal(t, []string{"COMMANDADD"}, got.names(), "and no message")
			require.Contains(t, string(got.Events[0].Data), tt.want)
			require.Contains(t, string(got.Events[0].Data), `"user":{"id":101,`)
		})
	}
}

// TestAnswersToCommandsOfStrangers is about a common command in a chat without its bot.
func TestAnswersToCommandsOfStrangers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal := newV2Portal(t)
		defer portal.Close()
		prepare(t, portal, `imbot.v2.Command.update {`+asGamma+`,"commandId":702,"fields":{"common":true}}`)
		hers := portal.AddChat("Hers", anna)
		m, err := portal.Say(t.Context(), anna, imbot.ChatDialog(hers), "/help")
		require.NoError(t, err)
		answer := func() string {
			return post(t, portal, "imbot.v2.Command.answer", fmt.Sprintf(`{%s,"commandId":702,"messageId":%d,"dialogId":"chat%d","fields":{"message":"here"}}`, asGamma, m.ID, hers))
		}
		require.Equal(t, `{"result":true}`, answer())
		seen := lastOf(portal, imbot.ChatDialog(hers))
		require.Equal(t, "[b]Gamma[/b]\nhere", seen.Text, "its name tells who answers")
		require.True(t, seen.System)
		require.Equal(t, "400 ACCESS_DENIED", post(t, portal, "imbot.v2.Chat.Message.send", fmt.Sprintf(`{%s,"dialogId":"chat%d","fields":{"message":"x"}}`, asGamma, hers)))
		time.Sleep(11 * time.Minute)
		require.Equal(t, "400 COMMAND_ANSWER_FAILED", answer(), "only for a while")
	})
}
