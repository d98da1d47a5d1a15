package imbot_test

import (
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
