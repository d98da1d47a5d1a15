package imbot_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
)

func TestInstallSamples(t *testing.T) {
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

// Events that are not of bots reach the same handler when somebody binds them.
func TestOtherSamplesAreUnknownButVerified(t *testing.T) {
	for name, token := range map[string]string{
		"doc_event_to_app": "d00d01f3d00d01f3d00d01f3d00d01f3", "doc_event_to_outgoing_webhook": "dummy0011xxxxxxxxxxxxxxxxxxxxxxx",
	} {
		body, err := os.ReadFile(filepath.Join("testdata", "install", name+".form"))
		require.NoError(t, err)
		ev, err := imbot.ParseEvent(eventPost(formType, string(body)), imbot.ApplicationToken(token))
		require.NoError(t, err)
		require.IsType(t, &imbot.UnknownEvent{}, ev)
		require.Equal(t, "ONCRMDEALADD", ev.Meta().Name)
		require.Equal(t, "7405", ev.Meta().Raw.Get("data", "FIELDS", "ID"))
	}
}

func TestNestedParamsAreInRaw(t *testing.T) {
	for _, name := range []string{"ONIMBOTMESSAGEADD", "ONIMBOTMESSAGEUPDATE", "ONIMCOMMANDADD"} {
		body := "event=" + name + "&data[PARAMS][MESSAGE]=outer&data[PARAMS][PARAMS][MESSAGE]=inner&data[PARAMS][PARAMS][IS_EDITED]=Y&data[PARAMS][PARAMS][FILE_ID][0]=5"
		ev, err := imbot.ParseEvent(eventPost(formType, body), trustAll{})
		require.NoError(t, err)
		raw := ev.Meta().Raw
		require.Equal(t, "outer", raw.Get("data", "PARAMS", "MESSAGE"))
		require.Equal(t, "Y", raw.Get("data", "PARAMS", "PARAMS", "IS_EDITED"))
		require.Equal(t, []string{"MESSAGE", "IS_EDITED", "FILE_ID"}, raw.Keys("data", "PARAMS", "PARAMS"))
		switch ev := ev.(type) {
		case *imbot.MessageAddEvent:
			require.Equal(t, "outer", ev.Params.Message)
		case *imbot.MessageUpdateEvent:
			require.Equal(t, "outer", ev.Params.Message)
		case *imbot.CommandAddEvent:
			require.Equal(t, "outer", ev.Params.Message)
		}
	}
}

func TestWhereACommandCameFrom(t *testing.T) {
	for _, context := range []string{"TEXTAREA", "KEYBOARD", "MENU"} {
		for _, body := range []string{
			"event=ONIMCOMMANDADD&data[COMMAND][9][COMMAND]=help&data[COMMAND][9][COMMAND_CONTEXT]=" + context,
			strings.NewReplacer("[", "%5B", "]", "%5D").Replace("event=ONIMCOMMANDADD&data[COMMAND][9][COMMAND]=help&data[COMMAND][9][COMMAND_CONTEXT]=" + context),
			`{"event":"ONIMCOMMANDADD","data":{"COMMAND":{"9":{"COMMAND":"help","COMMAND_CONTEXT":"` + context + `"}}}}`,
		} {
			ev := parseAs[*imbot.CommandAddEvent](t, "", body)
			require.Equal(t, []imbot.EventCommand{{Command: "help", CommandID: 9, CommandContext: context}}, ev.Commands)
		}
	}
}
