package php

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

func TestTheBotOfAnApplicationAnswers(t *testing.T) {
	portal := imbottest.NewPortal()
	defer portal.Close()
	const eventURL, pageURL = "https://bot.example.com/events", "https://bot.example.com/install"
	page, events := after(&imbot.OAuthApp{
		ClientID: "local.1", ClientSecret: "secret", Store: imbot.NewMemoryStore(),
		AuthServers: []string{portal.AuthServer()},
		Options:     []imbot.Option{imbot.WithHTTPClient(portal.HTTPClient())},
	}, eventURL)
	portal.Serve(pageURL, page)
	portal.Serve(eventURL, events)
	_, err := portal.Application("local.1", "secret").OpenPage(t.Context(), imbottest.Admin, pageURL)
	require.NoError(t, err)
	bot, err := portal.WaitBot(t.Context(), "echo")
	require.NoError(t, err)
	answer, err := portal.Ask(t.Context(), portal.AddUser("Anna", "Ivanova"), imbot.UserDialog(bot), "hello")
	require.NoError(t, err)
	require.Equal(t, "You said: hello", answer.Plain())
	require.NoError(t, events.Shutdown(t.Context()))
	require.NoError(t, portal.Err())
}

func TestThePHPOfThePageIsPHP(t *testing.T) {
	if _, err := exec.LookPath("php"); err != nil {
		t.Skip(err)
	}
	out, err := exec.CommandContext(t.Context(), "php", "-l", "before.php").CombinedOutput()
	require.NoError(t, err, string(out))
}
