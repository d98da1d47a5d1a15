package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDemoGoesThroughTheLifeOfAnApplication(t *testing.T) {
	for name, v2 := range map[string]bool{"first generation": false, "second generation": true} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			require.NoError(t, demo(t.Context(), &out, v2))
			require.Equal(t, story, out.String())
		})
	}
}

const story = `The administrator installs the application on its page.
  1 bot registered
Anna writes to the bot.
  Reminders: I will remind you.
An hour later all access tokens are too old, and the portal has another name.
  Reminders: Reminder: Buy milk
  1 renewal
The administrator uninstalls the application, while a reminder waits.
  0 reminders wait
`

func TestServeSaysWhichSettingIsMissing(t *testing.T) {
	t.Setenv("BITRIX24_APP_ID", "local.1")
	t.Setenv("BITRIX24_APP_SECRET", "")
	require.ErrorContains(t, serve(t.Context(), &bytes.Buffer{}, false), "BITRIX24_APP_SECRET")
}
