package imbot_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func TestCommandRegister(t *testing.T) {
	client, sent := mockClient(t, "imbot.command.register", 200, documented(t, "imbot.command.register"))
	id, err := client.Command.Register(t.Context(), imbot.CommandRegisterRequest{
		BotID: 39, Command: "echo", EventCommandAdd: "https://bot.example.com/command", Common: imbot.Yes, Hidden: imbot.No, ExtranetSupport: imbot.No,
		Lang: []imbot.CommandLang{{LanguageID: "en", Title: "Echo", Params: "text"}, {LanguageID: "de", Title: "Echo"}},
	})
	require.NoError(t, err)
	require.Equal(t, imbot.ID(99), id)
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","BOT_ID":39,"COMMAND":"echo","EVENT_COMMAND_ADD":"https://bot.example.com/command","COMMON":"Y","HIDDEN":"N",
		"EXTRANET_SUPPORT":"N","LANG":[{"LANGUAGE_ID":"en","TITLE":"Echo","PARAMS":"text"},{"LANGUAGE_ID":"de","TITLE":"Echo"}]}`, sent())
}

func TestCommandRegisterAgain(t *testing.T) {
	client, _ := mockClient(t, "imbot.command.register", 200, `{"result":"99"}`)
	id, err := client.Command.Register(t.Context(), imbot.CommandRegisterRequest{BotID: 39, Command: "echo"})
	require.NoError(t, err)
	require.Equal(t, imbot.ID(99), id)
}

func TestCommandUpdate(t *testing.T) {
	client, sent := mockClient(t, "imbot.command.update", 200, documented(t, "imbot.command.update"))
	require.NoError(t, client.Command.Update(t.Context(), imbot.CommandUpdateRequest{CommandID: 99, Fields: imbot.CommandUpdateFields{
		Command: "say", EventCommandAdd: "https://bot.example.com/command", Hidden: imbot.No, ExtranetSupport: imbot.Yes,
		Lang: []imbot.CommandLang{{LanguageID: "en", Title: "Echo", Params: "text"}},
	}}))
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","COMMAND_ID":99,"FIELDS":{"COMMAND":"say","EVENT_COMMAND_ADD":"https://bot.example.com/command",
		"HIDDEN":"N","EXTRANET_SUPPORT":"Y","LANG":[{"LANGUAGE_ID":"en","TITLE":"Echo","PARAMS":"text"}]}}`, sent())
}

func TestCommandUnregister(t *testing.T) {
	client, sent := mockClient(t, "imbot.command.unregister", 200, documented(t, "imbot.command.unregister"))
	require.NoError(t, client.Command.Unregister(t.Context(), imbot.CommandUnregisterRequest{CommandID: 99}))
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","COMMAND_ID":99}`, sent())
}

func TestCommandAnswer(t *testing.T) {
	client, sent := mockClient(t, "imbot.command.answer", 200, documented(t, "imbot.command.answer"))
	id, err := client.Command.Answer(t.Context(), imbot.CommandAnswerRequest{
		BotID: 39, CommandID: 99, Command: "echo", MessageID: 33871, Message: "Accepted", System: imbot.Yes, URLPreview: imbot.No,
		Attach:   &imbot.Attach{Blocks: []imbot.Block{imbot.BlockMessage("x")}},
		Keyboard: &imbot.Keyboard{Rows: [][]imbot.Button{{{Text: "Repeat", Action: imbot.ActionCommand{Command: "echo", Params: "repeat"}}}}},
		Menu:     &imbot.Menu{Items: []imbot.MenuItem{{Text: "Repeat", Action: imbot.ActionCommand{Command: "echo"}}}},
	})
	require.NoError(t, err)
	require.Equal(t, imbot.ID(33879), id)
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","BOT_ID":39,"COMMAND_ID":99,"COMMAND":"echo","MESSAGE_ID":33871,"MESSAGE":"Accepted","SYSTEM":"Y","URL_PREVIEW":"N",
		"ATTACH":{"BLOCKS":[{"MESSAGE":"x"}]},"KEYBOARD":{"BUTTONS":[{"TEXT":"Repeat","COMMAND":"echo","COMMAND_PARAMS":"repeat"}]},
		"MENU":{"ITEMS":[{"TEXT":"Repeat","COMMAND":"echo"}]}}`, sent())
}

func TestCommandAnswerTakesTheClientsBot(t *testing.T) {
	client, sent := mockClient(t, "imbot.command.answer", 200, `{"result":"33879"}`)
	id, err := client.WithBot(39).Command.Answer(t.Context(), imbot.CommandAnswerRequest{CommandID: 99, MessageID: 33871, Message: "Accepted"})
	require.NoError(t, err)
	require.Equal(t, imbot.ID(33879), id)
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","BOT_ID":39,"COMMAND_ID":99,"MESSAGE_ID":33871,"MESSAGE":"Accepted"}`, sent())
}

func TestCommandNotAnswered(t *testing.T) {
	client, _ := mockClient(t, "imbot.command.answer", 200, `{"result":true}`)
	id, err := client.Command.Answer(t.Context(), imbot.CommandAnswerRequest{CommandID: 99, MessageID: 33871, Message: "Late"})
	require.ErrorIs(t, err, imbot.ErrNotAnswered)
	require.NotErrorIs(t, err, imbot.ErrOutcomeUnknown)
	require.NotContains(t, err.Error(), "unexpected")
	require.Zero(t, id)
}

func TestCommandAnswerWithOddResults(t *testing.T) {
	for _, body := range []string{`null`, `false`, `0`, `"true"`, `{}`, `[]`} {
		client, _ := mockClient(t, "imbot.command.answer", 200, `{"result":`+body+`}`)
		_, err := client.Command.Answer(t.Context(), imbot.CommandAnswerRequest{CommandID: 99, MessageID: 33871, Message: "x"})
		require.Error(t, err, body)
		require.NotErrorIs(t, err, imbot.ErrNotAnswered, body)
	}
}

func TestCommandErrors(t *testing.T) {
	// menu_ERROR is how the portal spells it in one place.
	client, _ := mockClient(t, "imbot.message.update", 400, `{"error":"menu_ERROR","error_description":"Incorrect menu params"}`)
	err := client.Message.Update(t.Context(), imbot.MessageUpdateRequest{MessageID: 1, Menu: &imbot.Menu{}})
	require.ErrorIs(t, err, imbot.ErrMenu)
}

func TestRefusedCommands(t *testing.T) {
	long := make([]byte, 256)
	for i := range long {
		long[i] = 'a'
	}
	register := func(r imbot.CommandRegisterRequest) attempt { return try(r) }
	update := func(f imbot.CommandUpdateFields) attempt {
		return try(imbot.CommandUpdateRequest{CommandID: 1, Fields: f})
	}
	lang := func(l imbot.CommandLang) []imbot.CommandLang {
		return []imbot.CommandLang{{LanguageID: "en", Title: "Echo"}, l}
	}
	testRefused(t, []refusal{
		{"a name of 256 characters", register(imbot.CommandRegisterRequest{Command: string(long)}), "COMMAND", ""},
		{"a name that is not UTF-8", register(imbot.CommandRegisterRequest{Command: "\xff"}), "COMMAND", ""},
		{"a name with a blank, which would end it", register(imbot.CommandRegisterRequest{Command: "order pizza"}), "blank", imbot.ErrCommand},
		{"a name with a blank of another width", update(imbot.CommandUpdateFields{Command: "order\u00a0pizza"}), "blank", imbot.ErrCommand},
		{"a common flag that is none", register(imbot.CommandRegisterRequest{Common: "maybe"}), "COMMON", ""},
		{"a hidden flag that is none", register(imbot.CommandRegisterRequest{Hidden: "maybe"}), "HIDDEN", ""},
		{"an extranet flag that is none", register(imbot.CommandRegisterRequest{ExtranetSupport: "maybe"}), "EXTRANET_SUPPORT", ""},
		{"a title without language", register(imbot.CommandRegisterRequest{Lang: lang(imbot.CommandLang{Title: "x"})}), "LANGUAGE_ID", imbot.ErrLang},
		{"a language of three letters", register(imbot.CommandRegisterRequest{Lang: lang(imbot.CommandLang{LanguageID: "eng", Title: "x"})}), "LANGUAGE_ID", imbot.ErrLang},
		{"a language without title", register(imbot.CommandRegisterRequest{Lang: lang(imbot.CommandLang{LanguageID: "de"})}), "TITLE", imbot.ErrLang},
		{"a hint that is not UTF-8", register(imbot.CommandRegisterRequest{Lang: lang(imbot.CommandLang{LanguageID: "de", Title: "x", Params: "\xff"})}), "PARAMS", ""},
		{"an update of nothing", update(imbot.CommandUpdateFields{}), "FIELDS", imbot.ErrWrongRequest},
		{"a new name of 256 characters", update(imbot.CommandUpdateFields{Command: string(long)}), "COMMAND", ""},
		{"a new title without language", update(imbot.CommandUpdateFields{Lang: lang(imbot.CommandLang{Title: "x"})}), "LANGUAGE_ID", imbot.ErrLang},
		{"a new flag that is none", update(imbot.CommandUpdateFields{Hidden: "maybe"}), "HIDDEN", ""},
		{"an answer of 20,001 characters", try(imbot.CommandAnswerRequest{Message: string(make([]byte, 20001))}), "20001", ""},
		{"an answer to a name that is not UTF-8", try(imbot.CommandAnswerRequest{Command: "\xff"}), "COMMAND", ""},
		{"an answer with a system flag that is none", try(imbot.CommandAnswerRequest{System: "maybe"}), "SYSTEM", ""},
		{"an answer with a preview flag that is none", try(imbot.CommandAnswerRequest{URLPreview: "maybe"}), "URL_PREVIEW", ""},
		{"an answer with a button without action", try(imbot.CommandAnswerRequest{Keyboard: &imbot.Keyboard{Rows: [][]imbot.Button{{{Text: "A"}}}}}), "action", imbot.ErrKeyboard},
	})
}
