package imbottest_test

import (
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

func TestErrorsWithoutTexts(t *testing.T) {
	t.Parallel()
	portal := newPortal(t, imbottest.WithoutDescriptions())
	_, body := postTo(t, portal, portal.Webhook("").URL+"imbot.chat.add", "application/json", `{}`)
	require.JSONEq(t, `{"error":"ACCESS_DENIED","error_description":""}`, string(body))
	require.Contains(t, post(t, portal, "batch", `{"cmd":{"a":"imbot.chat.add"}}`), `"result_error":{"a":{"error":"ACCESS_DENIED","error_description":""}}`)
	_, body = postTo(t, portal, portal.Endpoint()+"1/x/profile", "application/json", `{}`)
	require.Contains(t, string(body), "Invalid request credentials", "what is refused before a method keeps its text")

	client, err := imbot.NewClient(portal.Webhook("one"), imbot.WithHTTPClient(portal.HTTPClient()))
	require.NoError(t, err)
	_, err = client.Chat.Add(t.Context(), imbot.ChatAddRequest{BotID: 99, Title: "x"})
	require.ErrorIs(t, err, imbot.ErrBotID)
	require.ErrorContains(t, err, "imbot.chat.add: BOT_ID_ERROR")
	var failed *imbot.Error
	require.ErrorAs(t, err, &failed)
	require.Empty(t, failed.Description)
	err = client.Call(t.Context(), "no.such", nil, nil)
	require.ErrorIs(t, err, imbot.ErrMethodNotFound)
}
