package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDemoGoesThroughTheLifeOfAnApplication(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, demo(t.Context(), &out))
	require.Equal(t, `The administrator installs the application on its page.
  1 bot registered
Anna writes to the bot.
  Reminders: I will remind you.
An hour later all access tokens are too old, and the portal has another name.
  Reminders: Reminder: Buy milk
  1 renewal
The administrator uninstalls the application, while a reminder waits.
  0 reminders wait
`, out.String())
}

func TestServeSaysWhichSettingIsMissing(t *testing.T) {
	t.Setenv("BITRIX24_APP_ID", "local.1")
	t.Setenv("BITRIX24_APP_SECRET", "")
	require.ErrorContains(t, serve(t.Context(), &bytes.Buffer{}), "BITRIX24_APP_SECRET")
}
