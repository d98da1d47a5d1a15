package main

import (
	"bytes"
	"os"
	"strings"
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

// In which order people in the group chat are answered is a matter of when the bot asks.
func TestNobodyBeginsAnewWhenTheBotIsKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds: the bot polls, is killed and drains in real time")
	}
	var out bytes.Buffer
	require.NoError(t, demo(t.Context(), &out))
	require.ElementsMatch(t, strings.Split(`Anna and the bot, which was killed behind its first answer:
  Anna Ivanova    /order
  Pizza           Which size: small, medium, large?
  Anna Ivanova    medium
  Pizza           And where to?
  Anna Ivanova    Main Street 1
  Pizza           A medium pizza is on its way to Main Street 1.
The group chat, in which it was killed behind its third:
  Boris Petrov    /order
  Anna Ivanova    /order
  Pizza           Which size: small, medium, large?
  Pizza           Which size: small, medium, large?
  Boris Petrov    Pizza, large
  Pizza           And where to?
  Anna Ivanova    Pizza, small
  Boris Petrov    Pizza, Room 7
  Pizza           And where to?
  Pizza           A large pizza is on its way to Room 7.
  Anna Ivanova    /cancel
  Anna Ivanova    Pizza, Room 8
  Pizza           Forgotten.
  Pizza           /order brings you a pizza.
`, "\n"), strings.Split(out.String(), "\n"))
}

func TestServeSaysWhichSettingIsMissing(t *testing.T) {
	t.Setenv("BITRIX24_WEBHOOK_URL", "https://portal.bitrix24.com/rest/1/secret/")
	t.Setenv("BITRIX24_BOT_TOKEN", "")
	require.ErrorContains(t, serve(t.Context(), &bytes.Buffer{}), "BITRIX24_BOT_TOKEN")
}
