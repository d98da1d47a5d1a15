package imbottest_test

import (
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

func TestOAuthApplications(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal := imbottest.NewPortal()
		defer portal.Close()
		box := &mailbox{}
		portal.Serve(eventURL, box)
		client, err := imbot.NewClient(portal.OAuth("local.1"), imbot.WithHTTPClient(portal.HTTPClient()))
		require.NoError(t, err)
		bot, err := client.Bot.Register(t.Context(), imbot.BotRegisterRequest{Code: "a", EventHandler: eventURL, Properties: imbot.BotProperties{Name: "A"}})
		require.NoError(t, err)
		stranger, err := imbot.NewClient(portal.OAuth("local.2"), imbot.WithHTTPClient(portal.HTTPClient()))
		require.NoError(t, err)
		require.ErrorIs(t, stranger.Bot.Unregister(t.Context(), imbot.BotUnregisterRequest{BotID: bot}), imbot.ErrAppID)

		require.NoError(t, portal.Open(t.Context(), portal.AddUser("Anna", "I"), bot))
		e := box.take(t, portal)[0]
		require.Equal(t, portal.ApplicationToken("local.1"), e.Get("auth[application_token]"))
		require.NotEqual(t, portal.ApplicationToken("local.1"), portal.ApplicationToken("local.2"))
		require.Equal(t, eventURL, box.urls[0], "no CLIENT_ID behind it")
		require.Equal(t, portal.OAuth("local.1").Endpoint, e.Get("auth[client_endpoint]"))

		token := e.Get("data[BOT][" + bot.String() + "][AUTH][access_token]")
		status, body := postTo(t, portal, portal.OAuth("local.1").Endpoint+"profile", "application/json", `{"auth":"`+token+`"}`)
		require.Contains(t, outcome(t, status, body), `"ID":"`+bot.String()+`"`)
		time.Sleep(time.Hour)
		status, body = postTo(t, portal, portal.OAuth("local.1").Endpoint+"profile", "application/json", `{"auth":"`+token+`"}`)
		require.Equal(t, "401 expired_token", outcome(t, status, body))
		_, err = client.Bot.List(t.Context(), imbot.BotListRequest{})
		require.NoError(t, err, "the source has a new token")
	})
}

func TestAccessTokensLiveAnHour(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal, app, _, install := newInstalled(t)
		client := portal.HTTPClient()
		call := func(root, token string) string {
			return outcomeOf(askServer(t, client, root+"app.info", url.Values{"auth": {token}}))
		}
		rest, auth := install.Get("auth[client_endpoint]"), portal.AuthServer()+"/rest/"
		access, refresh := install.Get("auth[access_token]"), install.Get("auth[refresh_token]")
		both := func(token, want string) {
			t.Helper()
			require.Equal(t, want, call(rest, token))
			require.Equal(t, want, call(auth, token))
		}
		renew := func() {
			t.Helper()
			status, answer := askServer(t, client, portal.AuthServer()+"/oauth/token/", refreshForm(refresh))
			require.Equal(t, "ok", outcomeOf(status, answer))
			access, refresh = answer["access_token"].(string), answer["refresh_token"].(string)
		}
		time.Sleep(time.Hour - time.Second)
		both(access, "ok")
		time.Sleep(time.Second)
		both(access, "401 expired_token")
		both("never", "401 invalid_token")
		both("", "401 NO_AUTH_FOUND")

		renew()
		both(access, "ok")
		app.ExpireTokens()
		both(access, "401 expired_token")
		time.Sleep(179 * 24 * time.Hour)
		_, err := portal.OAuth(clientID).Tokens.Token() // makes the portal delete tokens that are too old
		require.NoError(t, err)
		renew()
		both(access, "ok")
		app.RevokeTokens()
		both(access, "401 invalid_token")
		require.Equal(t, "400 invalid_grant", outcomeOf(askServer(t, client, portal.AuthServer()+"/oauth/token/", refreshForm(refresh))))
	})
}

func TestRefreshTokensLive180Days(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		portal, _, _, install := newInstalled(t)
		time.Sleep(180 * 24 * time.Hour)
		require.Equal(t, "400 invalid_grant", outcomeOf(askServer(t, portal.HTTPClient(), portal.AuthServer()+"/oauth/token/", refreshForm(install.Get("auth[refresh_token]")))))
	})
}
