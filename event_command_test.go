package imbot_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func TestCommandTyped(t *testing.T) {
	t.Parallel()
	ev := parseAs[*imbot.CommandAddEvent](t, formType, specBodies(t, "ONIMCOMMANDADD")[1])
	require.Len(t, ev.Commands, 1)
	c := ev.Commands[0]
	require.NotEmpty(t, c.Auth.AccessToken)
	c.Auth = imbot.EventAuth{}
	require.Equal(t, imbot.EventCommand{
		EventBot: imbot.EventBot{BotID: 1291, BotCode: "BOT_GM"}, Command: "echo", CommandID: 99, CommandParams: "test", CommandContext: "TEXTAREA", MessageID: 33871,
	}, c)
	require.Equal(t, imbot.ID(1291), ev.Bot().BotID)
	require.True(t, ev.IsGroup())
	require.False(t, ev.IsOpenLine())
	require.Equal(t, imbot.ID(1269), ev.AuthorID())
	require.Equal(t, "Test User", ev.User.Name)
	require.Equal(t, []imbot.ID{1291}, ev.Params.BotInChat)
	require.Equal(t, imbot.Yes, ev.Params.RecentAdd)
	require.Equal(t, imbot.Yes, ev.Params.SkipUserCheck)
	require.Equal(t, imbot.CommandAnswerRequest{BotID: 1291, CommandID: 99, MessageID: 33871, Message: "yes"}, ev.Answer("yes"))
}

func TestCommandOfAButton(t *testing.T) {
	t.Parallel()
	ev := parseAs[*imbot.CommandAddEvent](t, formType, specBodies(t, "ONIMCOMMANDADD")[2])
	require.Equal(t, "KEYBOARD", ev.Commands[0].CommandContext)
	require.Equal(t, imbot.DialogID("chat2725"), ev.Params.DialogID)
	require.Equal(t, imbot.CommandAnswerRequest{BotID: 1291, CommandID: 99, MessageID: 33879, Message: "yes"}, ev.Commands[0].Answer("yes"))
}

func TestCommandsOfTwoBots(t *testing.T) {
	t.Parallel()
	ev := parseAs[*imbot.CommandAddEvent](t, formType, "event=ONIMCOMMANDADD&data[COMMAND][9][BOT_ID]=2&data[COMMAND][9][COMMAND_ID]=9&data[COMMAND][9][MESSAGE_ID]=7"+
		"&data[COMMAND][4][BOT_ID]=1&data[COMMAND][4][MESSAGE_ID]=7&data[PARAMS][CHAT_TYPE]=L")
	require.Equal(t, imbot.CommandAnswerRequest{BotID: 2, CommandID: 9, MessageID: 7, Message: "a"}, ev.Answer("a"))
	require.Equal(t, imbot.CommandAnswerRequest{BotID: 1, CommandID: 4, MessageID: 7, Message: "b"}, ev.Commands[1].Answer("b"))
	require.True(t, ev.IsOpenLine())
}

func TestCommandEventWithoutCommands(t *testing.T) {
	t.Parallel()
	ev := parseAs[*imbot.CommandAddEvent](t, formType, "event=ONIMCOMMANDADD&data[COMMAND]=x")
	require.Empty(t, ev.Commands)
	require.Zero(t, ev.Bot())
	require.Empty(t, ev.Args())
	require.Equal(t, imbot.CommandAnswerRequest{Message: "a"}, ev.Answer("a"))
}

func TestTheParametersOfACommand(t *testing.T) {
	t.Parallel()
	ev := &imbot.CommandAddEvent{Commands: []imbot.EventCommand{{CommandParams: ` large "two words" «и ещё»`}, {CommandParams: "no"}}}
	require.Equal(t, []string{"large", "two words", "и ещё"}, ev.Args())
}

func TestWhereACommandCameFrom(t *testing.T) {
	t.Parallel()
	for _, context := range []string{"TEXTAREA", "KEYBOARD", "MENU"} {
		for _, body := range []string{
			"event=ONIMCOMMANDADD&data[COMMAND][9][COMMAND]=help&data[COMMAND][9][COMMAND_CONTEXT]=" + context,
			strings.NewReplacer("[", "%5B", "]", "%5D").Replace("event=ONIMCOMMANDADD&data[COMMAND][9][COMMAND]=help&data[COMMAND][9][COMMAND_CONTEXT]=" + context),
			`{"event":"ONIMCOMMANDADD","data":{"COMMAND":{"9":{"COMMAND":"help","COMMAND_CONTEXT":"` + context + `"}}}}`,
		} {
			ev := parseAs[*imbot.CommandAddEvent](t, "", body)
			require.Equal(t, []imbot.EventCommand{{Command: "help", CommandID: 9, CommandContext: context}}, ev.Commands)
		}
	}
}
