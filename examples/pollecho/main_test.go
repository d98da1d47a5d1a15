package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// The demo starts this program once more as its bot; here that is the test's own.
func TestMain(m *testing.M) {
	if os.Getenv("BITRIX24_WEBHOOK_URL") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestNobodyIsLeftWithoutAnAnswerOrGetsTwo(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds: the bot polls, is killed and drains in real time")
	}
	var out bytes.Buffer
	require.NoError(t, demo(t.Context(), &out))
	require.Equal(t, `The bot was killed: 4 events, which it had handled, were still in its queue.
The dialog of Anna Ivanova and the bot
  Anna Ivanova    hello
  Echo            You said: hello
  Anna Ivanova    are you there?
  Echo            You said: are you there?
The group chat
  Boris Petrov    Echo, pizza for three
  Echo            You said: pizza for three
  Clara Weiss     Echo, two with mushrooms
  Anna Ivanova    Echo, at noon
  Echo            You said: two with mushrooms
  Echo            You said: at noon
The dialog of Boris Petrov and the bot
  Boris Petrov    and for me?
  Echo            You said: and for me?
6 messages, and each has one answer.
`, out.String())
}

func TestServeSaysWhichSettingIsMissing(t *testing.T) {
	t.Setenv("BITRIX24_WEBHOOK_URL", "https://portal.bitrix24.com/rest/1/secret/")
	t.Setenv("BITRIX24_BOT_TOKEN", "")
	require.ErrorContains(t, serve(t.Context(), &bytes.Buffer{}), "BITRIX24_BOT_TOKEN")
}
