package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDemoPrintsTheConversation(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, demo(t.Context(), &out))
	require.Equal(t, `Anna's dialog with the bot
  Anna Ivanova    hello
  Echo            You said: hello
  Anna Ivanova    how are you?
  Echo            You said: how are you?
The chat "Lunch"
  Anna Ivanova    Pizza, Boris?
  Boris Petrov    Echo, two with mushrooms
  Echo            You said: two with mushrooms
`, out.String())
}

func TestServeSaysWhichSettingIsMissing(t *testing.T) {
	t.Setenv("BITRIX24_WEBHOOK_URL", "https://portal.bitrix24.com/rest/1/secret/")
	t.Setenv("BITRIX24_CLIENT_ID", "")
	require.ErrorContains(t, serve(t.Context(), &bytes.Buffer{}), "BITRIX24_CLIENT_ID")
}
