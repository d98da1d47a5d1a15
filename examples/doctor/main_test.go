package main

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

func TestDemoFindsTheMistakes(t *testing.T) {
	for name, v2 := range map[string]bool{"first generation": false, "second generation": true} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			require.NoError(t, demo(t.Context(), &out, v2))
			before, after, found := strings.Cut(out.String(), "\nAfter:\n")
			require.True(t, found)
			for _, mistake := range []string{"ClientID has only 4 characters", `no bot with the code "support"`, "not https", "only this machine or network has", "does not answer from here"} {
				require.Contains(t, before, mistake)
			}
			require.Equal(t, "Nothing stands in the way of events that can be seen from here.", strings.TrimSpace(after))
		})
	}
}

func TestTheBotOfAnApplication(t *testing.T) {
	const handlerURL = "https://bot.example.com/events"
	portal := imbottest.NewPortal()
	defer portal.Close()
	app := &imbot.OAuthApp{
		ClientID: "local.app", ClientSecret: "a-secret", Store: imbot.NewFileStore(filepath.Join(t.TempDir(), "grants")), AuthServers: []string{portal.AuthServer()},
		Options: []imbot.Option{imbot.WithHTTPClient(portal.HTTPClient())},
	}
	var memberID string
	app.OnInstall = func(_ context.Context, _ *imbot.Client, g imbot.Grant) error { memberID = g.MemberID; return nil }
	logger := slog.New(slog.NewTextHandler(t.Output(), nil)) // is shown when the test fails
	h := &imbot.EventHandler{Verifier: app.Verifier(), Logger: logger}
	portal.Serve(handlerURL, h)
	req := request{code: "support", url: handlerURL}

	var out bytes.Buffer
	require.NoError(t, examineApp(t.Context(), &out, app, "unknown", req))
	require.Contains(t, out.String(), "no grant of this portal")

	require.NoError(t, portal.Application(app.ClientID, app.ClientSecret).Install(t.Context(), handlerURL))
	require.NoError(t, portal.Idle(t.Context()))
	require.NoError(t, h.Shutdown(t.Context()))
	out.Reset()
	require.NoError(t, examineApp(t.Context(), &out, app, memberID, req))
	require.Contains(t, out.String(), `no bot with the code "support"`)
	require.NotContains(t, out.String(), "a-secret")
}

func TestAReportForEverybodyNamesNobody(t *testing.T) {
	portal := imbottest.NewPortal()
	defer portal.Close()
	client, err := imbot.NewClient(portal.Webhook("a-very-secret-client-id"), imbot.WithHTTPClient(portal.HTTPClient()))
	require.NoError(t, err)
	for _, v2 := range []bool{false, true} {
		var out bytes.Buffer
		require.NoError(t, report(t.Context(), &out, client, request{code: "acme-payroll", url: "https://bot.acme.example/secret-path", v2: v2, public: true}))
		text := out.String()
		for _, name := range []string{"acme", "secret", client.Portal(), "payroll", "https:"} {
			require.NotContains(t, text, name)
		}
		require.Contains(t, text, "revision:   REST 36")
		require.Contains(t, text, `There is no bot with the code "…"`)
		require.True(t, strings.HasPrefix(text, "```\n") && strings.HasSuffix(text, "```\n"))
	}
}

func TestWhatMayBeANameStaysInTheProgram(t *testing.T) {
	for text, want := range map[string]string{
		`The bot "Acme \"pay\" roll" is at app.acme.com.`:  `The bot "…" is at ….`,
		`An "open end of acme`:                             `An "…"`,
		"imbot.acme.com and https://acme.ru/, 10.0.0.1:80": "… and …, …",
		"imbot.v2.Bot.get refused (imbot.bot.list).":       "imbot.v2.Bot.get refused (imbot.bot.list).",
		"imbot.v2.acme.com, imbot.register.acme.com":       "…, …",
	} {
		require.Equal(t, want, nameless(text), text)
	}
	for portal, want := range map[string]string{
		"acme.bitrix24.ru":      "cloud, bitrix24.ru",
		"acme.bitrix24.com.br":  "cloud, bitrix24.com.br",
		"b.bitrix24.acme.ru":    "a box",
		"bitrix24.acme.example": "a box",
		"localhost":             "a box",
	} {
		require.Equal(t, want, kind(portal), portal)
	}
}
