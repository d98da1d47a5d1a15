package imbot_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func TestInstallSamples(t *testing.T) {
	t.Parallel()
	auth := func(member, application string) imbot.EventAuth {
		return imbot.EventAuth{
			Domain: "example.bitrix24.com", MemberID: member, ApplicationToken: application,
			ClientEndpoint: "https://example.bitrix24.com/rest/", ServerEndpoint: "https://oauth.bitrix.info/rest/",
		}
	}
	const member, application = "d00d01f1d00d01f1d00d01f1d00d01f1", "d00d01f3d00d01f3d00d01f3d00d01f3"
	installed := auth(member, application)
	installed.Scope, installed.Status = "imbot", "F"
	installed.AccessToken, installed.RefreshToken = "dummy0001xxxxxxxxxxxxxxxxxxxxxxx", "dummy0002xxxxxxxxxxxxxxxxxxxxxxx"
	updated := auth("d00d01f5d00d01f5d00d01f5d00d01f5", "d00d01f7d00d01f7d00d01f7d00d01f7")
	updated.Scope, updated.Status = "imbot", "F"
	updated.AccessToken, updated.RefreshToken = "dummy0003xxxxxxxxxxxxxxxxxxxxxxx", "dummy0004xxxxxxxxxxxxxxxxxxxxxxx"
	for name, want := range map[string]imbot.Event{
		"doc_onappinstall": &imbot.AppInstallEvent{
			EventMeta: imbot.EventMeta{Name: "ONAPPINSTALL", Time: time.Unix(1696527000, 0), Auth: installed},
			Version:   "1.0.0", Active: imbot.Yes, Installed: imbot.Yes, LanguageID: "de",
		},
		"doc_onappupdate": &imbot.AppUpdateEvent{
			EventMeta: imbot.EventMeta{Name: "ONAPPUPDATE", Time: time.Unix(1696527000, 0), Auth: updated},
			Version:   "2.1.0", PreviousVersion: "2.0.3", LanguageID: "de",
		},
		"doc_onappuninstall": &imbot.AppUninstallEvent{
			EventMeta:  imbot.EventMeta{Name: "ONAPPUNINSTALL", Time: time.Unix(1466439714, 0), Auth: auth(member, application)},
			LanguageID: "de", Clean: imbot.Yes,
		},
	} {
		t.Run(name, func(t *testing.T) {
			for contentType, ending := range map[string]string{formType: ".form", "application/json": ".json"} {
				body, err := os.ReadFile(filepath.Join("testdata", "install", name+ending))
				require.NoError(t, err)
				ev, err := imbot.ParseEvent(eventPost(contentType, string(body)), trustAll{})
				require.NoError(t, err)
				require.True(t, ev.Meta().Auth == want.Meta().Auth, "%s", ending) // require would print masks
				require.Equal(t, want, withoutRaw(ev))
			}
		})
	}
}
