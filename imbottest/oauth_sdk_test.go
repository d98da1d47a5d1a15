package imbottest_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

// The tests of this file let the OAuth application of package imbot run on the portal.

type oauthFixture struct {
	portal   *imbottest.Portal
	app      *imbottest.Application
	mine     *imbot.OAuthApp
	handler  *imbot.EventHandler
	store    imbot.TokenStore
	memberID string
	bot      imbot.ID
	failed   []error
}

// newOAuthFixture makes an application that registers a bot when it is installed. The bot
// repeats what people write.
func newOAuthFixture(t *testing.T, opts ...imbottest.Option) *oauthFixture {
	t.Helper()
	w := &oauthFixture{portal: imbottest.NewPortal(opts...), store: imbot.NewMemoryStore()}
	t.Cleanup(w.portal.Close)
	w.app = w.portal.Application(clientID, secret)
	w.mine = &imbot.OAuthApp{
		ClientID: clientID, ClientSecret: secret, Store: w.store, AuthServers: []string{w.portal.AuthServer()},
		Options: []imbot.Option{imbot.WithHTTPClient(w.portal.HTTPClient()), imbot.WithLimiter(nil)},
		OnInstall: func(ctx context.Context, client *imbot.Client, g imbot.Grant) (err error) {
			w.memberID = g.MemberID
			w.bot, err = client.Bot.Register(ctx, imbot.BotRegisterRequest{Code: "echo", EventHandler: eventURL, Properties: imbot.BotProperties{Name: "Echo"}})
			return err
		},
	}
	w.handler = &imbot.EventHandler{
		Verifier: w.mine.Verifier(),
		Logger:   slog.New(slog.NewTextHandler(t.Output(), nil)), // is shown when the test fails
		OnMessage: func(ctx context.Context, ev *imbot.MessageAddEvent) error {
			client, err := w.mine.ForEvent(ctx, ev)
			if err == nil {
				_, err = client.Message.Add(ctx, ev.Reply(ev.Params.Message))
			}
			return err
		},
		OnError: func(_ context.Context, _ imbot.Event, err error) { w.failed = append(w.failed, err) },
	}
	w.portal.Serve(eventURL, w.handler)
	w.portal.Serve(pageURL, w.mine.InstallPage())
	return w
}

func (w *oauthFixture) waitIdle(t *testing.T) {
	t.Helper()
	require.NoError(t, w.portal.Idle(t.Context()))
	require.NoError(t, w.handler.Idle(t.Context()))
	require.Empty(t, w.failed)
}

func (w *oauthFixture) installed(t *testing.T) *oauthFixture {
	t.Helper()
	require.NoError(t, w.app.Install(t.Context(), eventURL))
	w.waitIdle(t)
	require.NotZero(t, w.bot)
	return w
}

func (w *oauthFixture) repeats(t *testing.T, text string) {
	t.Helper()
	anna := w.portal.AddUser("Anna", "Ivanova")
	require.NoError(t, w.portal.Open(t.Context(), anna, w.bot))
	answer, err := w.portal.Ask(t.Context(), anna, imbot.UserDialog(w.bot), text)
	require.NoError(t, err)
	require.Equal(t, text, answer.Text)
	w.waitIdle(t)
}

func (w *oauthFixture) grant(t *testing.T) imbot.Grant {
	t.Helper()
	g, err := w.store.Load(t.Context(), w.memberID)
	require.NoError(t, err)
	return g
}

func TestAnApplicationLivesOnThePortal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newOAuthFixture(t).installed(t)
		w.repeats(t, "installed")

		time.Sleep(61 * time.Minute)
		w.repeats(t, "renewed")
		require.Len(t, w.portal.Calls("oauth/token"), 1)

		client, err := w.mine.Client(t.Context(), w.memberID)
		require.NoError(t, err)
		w.app.ExpireTokens()
		var wg sync.WaitGroup
		for range 200 {
			wg.Go(func() { _, _ = client.Bot.List(t.Context(), imbot.BotListRequest{}) })
		}
		wg.Wait()
		require.Len(t, w.portal.Calls("oauth/token"), 2, "one renewal for all")

		require.NoError(t, w.portal.Rename("new.example"))
		w.repeats(t, "renamed")
		require.Equal(t, "https://new.example/rest/", w.grant(t).ClientEndpoint)

		require.NoError(t, w.app.Update(t.Context()))
		w.waitIdle(t)
		w.repeats(t, "updated")

		before := w.grant(t)
		require.NoError(t, w.app.Uninstall(t.Context()))
		w.waitIdle(t)
		_, err = w.store.Load(t.Context(), before.MemberID)
		require.ErrorIs(t, err, imbot.ErrNotFound)

		w.installed(t)
		w.repeats(t, "installed again")
		require.NotEqual(t, before.ApplicationToken, w.grant(t).ApplicationToken)
		require.NoError(t, w.portal.Err())
	})
}

func TestAnApplicationIsInstalledByItsPage(t *testing.T) {
	t.Parallel()
	for says, opts := range map[string][]imbottest.Option{
		"with an application token":                               nil,
		"of an older portal, so the first event brings the token": {imbottest.WithOldPages()},
	} {
		t.Run(says, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newOAuthFixture(t, opts...)
				body, err := w.app.OpenPage(t.Context(), imbottest.Admin, pageURL)
				require.NoError(t, err)
				require.Contains(t, body, "installFinish")
				require.Equal(t, opts == nil, w.grant(t).ApplicationToken != "")
				w.repeats(t, "installed")
				require.Equal(t, w.portal.ApplicationToken(clientID), w.grant(t).ApplicationToken)
				installer := w.grant(t)
				anna := w.portal.AddUser("Boris", "Petrov")
				_, err = w.app.OpenPage(t.Context(), anna, pageURL)
				require.NoError(t, err)
				require.True(t, installer == w.grant(t), "the installer's grant stays")
				require.NoError(t, w.portal.Err())
			})
		})
	}
}

func TestACodeIsExchanged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newOAuthFixture(t)
		_ = w.portal.OAuth(clientID) // installs it on the portal without an event
		query, err := w.app.Authorize(imbottest.Admin, "state")
		require.NoError(t, err)
		_, err = w.mine.Exchange(t.Context(), query)
		require.NoError(t, err)
		w.repeats(t, "hi")
		require.NoError(t, w.portal.Err())
	})
}

func TestADeadGrantAsksForAnInstallation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newOAuthFixture(t).installed(t)
		client, err := w.mine.Client(t.Context(), w.memberID)
		require.NoError(t, err)
		w.app.RevokeTokens()
		_, err = client.Bot.List(t.Context(), imbot.BotListRequest{})
		require.ErrorIs(t, err, imbot.ErrReinstall)
		_, err = w.mine.Client(t.Context(), w.memberID)
		require.ErrorIs(t, err, imbot.ErrReinstall)
		time.Sleep(time.Minute) // within one second, the application would take the second ONAPPINSTALL for a duplicate of the first
		w.installed(t)
		w.repeats(t, "well again")
		require.NoError(t, w.portal.Err())
	})
}

func TestOneApplicationOnSeveralPortals(t *testing.T) {
	t.Parallel()
	var portals []*imbottest.Portal
	mine := &imbot.OAuthApp{ClientID: "local.1", ClientSecret: "secret", Store: imbot.NewMemoryStore()}
	installed := map[string]bool{}
	mine.OnInstall = func(ctx context.Context, client *imbot.Client, g imbot.Grant) error {
		installed[g.MemberID] = true
		_, err := imbot.EnsureBot(ctx, client, imbot.BotRegisterRequest{Code: "echo", EventHandler: eventURL, Properties: imbot.BotProperties{Name: "Echo"}})
		return err
	}
	for range 3 {
		portal := imbottest.NewPortal()
		defer portal.Close()
		require.NoError(t, portal.Listen("127.0.0.1:0"))
		mine.AuthServers = append(mine.AuthServers, portal.AuthServer())
		portals = append(portals, portal)
	}
	for _, portal := range portals {
		portal.Serve(pageURL, mine.InstallPage())
		_, err := portal.Application("local.1", "secret").OpenPage(t.Context(), imbottest.Admin, pageURL)
		require.NoError(t, err)
	}
	require.Len(t, installed, 3)
	for member := range installed {
		client, err := mine.Client(t.Context(), member)
		require.NoError(t, err)
		bots, err := client.Bot.List(t.Context(), imbot.BotListRequest{})
		require.NoError(t, err)
		require.Len(t, bots, 1)
	}
	for _, portal := range portals {
		require.Len(t, portal.Calls("imbot.bot.list"), 2, "EnsureBot's and the one here")
		require.NoError(t, portal.Err())
	}
}
