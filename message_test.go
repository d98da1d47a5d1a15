package imbot_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func TestMessageAdd(t *testing.T) {
	client, sent := mockClient(t, "imbot.message.add", 200, documented(t, "imbot.message.add"))
	id, err := client.Message.Add(t.Context(), imbot.MessageAddRequest{
		BotID: 39, DialogID: imbot.ChatDialog(2725), Message: "[b]Привет[/b] 😀 & </script>\n", System: imbot.No, URLPreview: imbot.No, SkipConnector: imbot.Yes,
	})
	require.NoError(t, err)
	require.Equal(t, imbot.ID(19880117), id)
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","BOT_ID":39,"DIALOG_ID":"chat2725","MESSAGE":"[b]Привет[/b] 😀 & </script>\n",
		"SYSTEM":"N","URL_PREVIEW":"N","SKIP_CONNECTOR":"Y"}`, sent())
}

func TestMessageAddBetweenTwoUsers(t *testing.T) {
	client, sent := mockClient(t, "imbot.message.add", 200, documented(t, "imbot.message.add"))
	_, err := client.Message.Add(t.Context(), imbot.MessageAddRequest{FromUserID: 1, ToUserID: 2, Message: "Hello"})
	require.NoError(t, err)
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","FROM_USER_ID":1,"TO_USER_ID":2,"MESSAGE":"Hello"}`, sent())
}

func TestMessageAddRich(t *testing.T) {
	client, sent := mockClient(t, "imbot.message.add", 200, documented(t, "imbot.message.add"))
	id, err := client.Message.Add(t.Context(), imbot.MessageAddRequest{
		BotID: 39, DialogID: imbot.ChatDialog(2725), Message: "[b]Hello[/b]", URLPreview: imbot.No,
		Attach: &imbot.Attach{ColorToken: imbot.ColorTokenPrimary, Blocks: []imbot.Block{imbot.BlockMessage("API is available")}},
		Keyboard: &imbot.Keyboard{Rows: [][]imbot.Button{
			{{Text: "Site", Action: imbot.ActionLink("https://example.com")}},
			{{Text: "Echo", Action: imbot.ActionCommand{Command: "echo", Params: "test"}}},
		}},
		Menu: &imbot.Menu{Items: []imbot.MenuItem{{Text: "Help", Action: imbot.ActionSend("/help")}}},
	})
	require.NoError(t, err)
	require.Equal(t, imbot.ID(19880117), id)
	require.JSONEq(t, `{"BOT_ID":39,"CLIENT_ID":"bot-secret-1","DIALOG_ID":"chat2725","MESSAGE":"[b]Hello[/b]","URL_PREVIEW":"N",
		"ATTACH":{"COLOR_TOKEN":"primary","BLOCKS":[{"MESSAGE":"API is available"}]},
		"KEYBOARD":{"BUTTONS":[{"TEXT":"Site","LINK":"https://example.com"},{"TYPE":"NEWLINE"},{"TEXT":"Echo","COMMAND":"echo","COMMAND_PARAMS":"test"}]},
		"MENU":{"ITEMS":[{"TEXT":"Help","ACTION":"SEND","ACTION_VALUE":"/help"}]}}`, sent())
}

func TestMessageUpdate(t *testing.T) {
	client, sent := mockClient(t, "imbot.message.update", 200, documented(t, "imbot.message.update"))
	require.NoError(t, client.Message.Update(t.Context(), imbot.MessageUpdateRequest{
		BotID: 39, MessageID: 19880117, Message: ptr("Changed"), URLPreview: imbot.No, SkipConnector: imbot.Yes,
		Menu: &imbot.Menu{Items: []imbot.MenuItem{{Text: "Site", Action: imbot.ActionLink("/company/")}}},
	}))
	require.JSONEq(t, `{"BOT_ID":39,"CLIENT_ID":"bot-secret-1","MESSAGE_ID":19880117,"MESSAGE":"Changed","URL_PREVIEW":"N","SKIP_CONNECTOR":"Y",
		"MENU":{"ITEMS":[{"TEXT":"Site","LINK":"/company/"}]}}`, sent())
}

func TestMessageUpdateRemoves(t *testing.T) {
	client, sent := mockClient(t, "imbot.message.update", 200, documented(t, "imbot.message.update"))
	require.NoError(t, client.Message.Update(t.Context(), imbot.MessageUpdateRequest{
		MessageID: 19880117, Attach: &imbot.Attach{}, Keyboard: &imbot.Keyboard{}, Menu: &imbot.Menu{},
	}))
	require.JSONEq(t, `{"CLIENT_ID":"bot-secret-1","MESSAGE_ID":19880117,"ATTACH":"N","KEYBOARD":"N","MENU":"N"}`, sent())
}

func TestMessageDelete(t *testing.T) {
	client, sent := mockClient(t, "imbot.message.delete", 200, documented(t, "imbot.message.delete"))
	require.NoError(t, client.Message.Delete(t.Context(), imbot.MessageDeleteRequest{BotID: 39, MessageID: 19880117, Complete: imbot.Yes}))
	require.JSONEq(t, `{"BOT_ID":39,"CLIENT_ID":"bot-secret-1","MESSAGE_ID":19880117,"COMPLETE":"Y"}`, sent())
}

func TestMessageLike(t *testing.T) {
	client, sent := mockClient(t, "imbot.message.like", 200, documented(t, "imbot.message.like"))
	require.NoError(t, client.Message.Like(t.Context(), imbot.MessageLikeRequest{BotID: 39, MessageID: 19880117, Action: imbot.LikePlus}))
	require.JSONEq(t, `{"BOT_ID":39,"CLIENT_ID":"bot-secret-1","MESSAGE_ID":19880117,"ACTION":"plus"}`, sent())
}

func TestMessageUpdateRefuses(t *testing.T) {
	tests := []refusal{
		{"an id alone", try(imbot.MessageUpdateRequest{BotID: 39, MessageID: 1}), "nothing to change", ""},
		{"an empty text, which would delete the message", try(imbot.MessageUpdateRequest{MessageID: 1, Message: ptr("")}), "use Delete", imbot.ErrMessageEmpty},
		{"a blank text", try(imbot.MessageUpdateRequest{MessageID: 1, Message: ptr(" \n"), Keyboard: &imbot.Keyboard{}}), "use Delete", imbot.ErrMessageEmpty},
		{"a text of line breaks", try(imbot.MessageUpdateRequest{MessageID: 1, Message: ptr("[br]"), Keyboard: &imbot.Keyboard{}}), "use Delete", imbot.ErrMessageEmpty},
		{"a text of line breaks in all spellings", try(imbot.MessageUpdateRequest{MessageID: 1, Message: ptr(" [BR]#BR#[br]\r\n")}), "use Delete", imbot.ErrMessageEmpty},
		{"a text of NUL", try(imbot.MessageUpdateRequest{MessageID: 1, Message: ptr("\x00\v\t")}), "use Delete", imbot.ErrMessageEmpty},
		{"URL_PREVIEW without a text", try(imbot.MessageUpdateRequest{MessageID: 1, Keyboard: &imbot.Keyboard{}, URLPreview: imbot.No}), "URL_PREVIEW", ""},
		{"SKIP_CONNECTOR without a text", try(imbot.MessageUpdateRequest{MessageID: 1, SkipConnector: imbot.Yes}), "SKIP_CONNECTOR", ""},
		{"a text of 20,001 characters", try(imbot.MessageUpdateRequest{MessageID: 1, Message: ptr(strings.Repeat("я", 20001))}), "20001 characters", ""},
		{"an attachment with a colour and no blocks", try(imbot.MessageUpdateRequest{MessageID: 1, Attach: &imbot.Attach{Color: "#fff"}}), "no blocks", imbot.ErrAttach},
		{"a flag that is none", try(imbot.MessageUpdateRequest{MessageID: 1, Message: ptr("x"), URLPreview: "maybe"}), "URL_PREVIEW", ""},
		{"a deletion with a flag that is none", try(imbot.MessageDeleteRequest{MessageID: 1, Complete: "maybe"}), "COMPLETE", ""},
		{"a like that the portal would toggle", try(imbot.MessageLikeRequest{MessageID: 1, Action: "love"}), "ACTION", ""},
	}
	testRefused(t, tests)
}

func TestMessageAddRefuses(t *testing.T) {
	add := func(a *imbot.Attach, k *imbot.Keyboard, m *imbot.Menu) attempt {
		return try(imbot.MessageAddRequest{DialogID: "27", Message: "x", Attach: a, Keyboard: k, Menu: m})
	}
	tests := []refusal{
		{"an empty attachment", add(&imbot.Attach{}, nil, nil), "no blocks", imbot.ErrAttach},
		{"an empty keyboard", add(nil, &imbot.Keyboard{}, nil), "no buttons", imbot.ErrKeyboard},
		{"a keyboard of empty rows", add(nil, &imbot.Keyboard{Rows: [][]imbot.Button{{}, {}}}, nil), "no buttons", imbot.ErrKeyboard},
		{"an empty menu", add(nil, nil, &imbot.Menu{}), "no items", imbot.ErrMenu},
		{"an empty keyboard in an answer", try(imbot.CommandAnswerRequest{CommandID: 1, Message: "x", Keyboard: &imbot.Keyboard{}}), "no buttons", imbot.ErrKeyboard},
	}
	testRefused(t, tests)
}

// stable reports what decoding and encoding again does: after the first time,
// nothing.
func stable[T any](t *testing.T, data []byte) (v T, ok bool) {
	t.Helper()
	if json.Unmarshal(data, &v) != nil {
		return v, false
	}
	first, err := json.Marshal(v)
	require.NoError(t, err)
	var again T
	require.NoError(t, json.Unmarshal(first, &again), string(first))
	require.Equal(t, v, again)
	second, err := json.Marshal(again)
	require.NoError(t, err)
	require.Equal(t, string(first), string(second))
	return v, true
}
