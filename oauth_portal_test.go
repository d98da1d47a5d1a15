package imbot_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
)

const pageURL = "https://bot.example.com/install"

// appOn returns an application for a portal in memory, its two sides and the
// handler that has its events.
func appOn(t *testing.T, opts ...imbottest.Option) (*imbottest.Portal, *imbottest.Application, *imbot.OAuthApp, *imbot.EventHandler) {
	t.Helper()
	portal := imbottest.NewPortal(opts...)
	t.Cleanup(portal.Close)
	app := &imbot.OAuthApp{
		ClientID: appID, ClientSecret: appSecret, Store: imbot.NewMemoryStore(), AuthServers: []string{portal.AuthServer()},
		Options: []imbot.Option{imbot.WithHTTPClient(portal.HTTPClient())},
		OnInstall: func(ctx context.Context, client *imbot.Client, _ imbot.Grant) error {
			_, err := imbot.EnsureBot(ctx, client, supportBot())
			return err
		},
	}
	h := &imbot.EventHandler{
		Verifier: app.Verifier(),
		Logger:   slog.New(slog.DiscardHandler),
		OnMessage: func(ctx context.Context, ev *imbot.MessageAddEvent) error {
			client, err := app.ForEvent(ctx, ev)
			if err != nil {
				return err
			}
			_, err = client.Message.Add(ctx, ev.Reply("You said: "+ev.Params.Message))
			return err
		},
		OnError: func(_ context.Context, ev imbot.Event, err error) { t.Errorf("%s: %v", ev.Meta().Name, err) },
	}
	portal.Serve(handlerURL, h)
	portal.Serve(pageURL, app.InstallPage())
	return portal, portal.Application(appID, appSecret), app, h
}

// settle waits until portal and bot have nothing to do.
func settle(t *testing.T, portal *imbottest.Portal, h *imbot.EventHandler) {
	t.Helper()
	require.NoError(t, portal.Idle(t.Context()))
	require.NoError(t, h.Idle(t.Context()))
}

// talk lets a person talk to the application's bot.
func talk(t *testing.T, portal *imbottest.Portal, client *imbot.Client) {
	t.Helper()
	anna := portal.AddUser("Anna", "Ivanova")
	list := bots(t, client)
	require.Len(t, list, 1)
	answer, err := portal.Ask(t.Context(), anna, imbot.UserDialog(list[0].ID), "hello")
	require.NoError(t, err)
	require.Equal(t, "You said: hello", answer.Plain())
}

// member is the one portal that an application has.
func memberOf(t *testing.T, portal *imbottest.Portal, app *imbot.OAuthApp, install *imbottest.Application) *imbot.Client {
	t.Helper()
	query, err := install.Authorize(imbottest.Admin, "state")
	require.NoError(t, err)
	client, err := app.Client(t.Context(), query.Get("member_id"))
	require.NoError(t, err)
	return client
}

func TestAnApplicationOnAPortal(t *testing.T) {
	for _, row := range []struct {
		name    string
		opts    []imbottest.Option
		install func(t *testing.T, app *imbottest.Application)
	}{
		{"installed by an event", nil, func(t *testing.T, app *imbottest.Application) {
			require.NoError(t, app.Install(t.Context(), handlerURL))
		}},
		{"installed by its page", nil, func(t *testing.T, app *imbottest.Application) {
			_, err := app.OpenPage(t.Context(), imbottest.Admin, pageURL)
			require.NoError(t, err)
		}},
		{"installed by the page of an older portal", []imbottest.Option{imbottest.WithOldPages()}, func(t *testing.T, app *imbottest.Application) {
			_, err := app.OpenPage(t.Context(), imbottest.Admin, pageURL)
			require.NoError(t, err)
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				portal, application, app, h := appOn(t, row.opts...)
				row.install(t, application)
				settle(t, portal, h)
				client := memberOf(t, portal, app, application)
				talk(t, portal, client)
				require.Empty(t, portal.Calls("oauth/token"), "nothing is renewed without need")

				time.Sleep(2 * time.Hour)
				talk(t, portal, client)
				require.Len(t, portal.Calls("oauth/token"), 1)

				require.NoError(t, portal.Rename("renamed.example.com"))
				talk(t, portal, client)

				application.RevokeTokens()
				_, err := client.Bot.List(t.Context(), imbot.BotListRequest{})
				require.ErrorIs(t, err, imbot.ErrReinstall)
				require.NoError(t, application.Install(t.Context(), handlerURL))
				settle(t, portal, h)
				client = memberOf(t, portal, app, application)
				talk(t, portal, client)

				query, err := application.Authorize(imbottest.Admin, "state")
				require.NoError(t, err)
				client, err = app.Exchange(t.Context(), query)
				require.NoError(t, err)
				talk(t, portal, client)

				require.NoError(t, application.Uninstall(t.Context()))
				settle(t, portal, h)
				_, err = app.Client(t.Context(), query.Get("member_id"))
				require.ErrorIs(t, err, imbot.ErrNotFound)
				settle(t, portal, h)
				require.NoError(t, portal.Err())
				require.NoError(t, h.Shutdown(t.Context()))
			})
		})
	}
}

func TestForEventActsForTheBotOfTheEvent(t *testing.T) {
	portal, application, app, h := appOn(t)
	require.NoError(t, application.Install(t.Context(), handlerURL))
	settle(t, portal, h)
	client := memberOf(t, portal, app, application)
	second, err := client.Bot.Register(t.Context(), imbot.BotRegisterRequest{Code: "second", EventHandler: handlerURL, Properties: imbot.BotProperties{Name: "Second"}})
	require.NoError(t, err)
	anna := portal.AddUser("Anna", "Ivanova")
	answer, err := portal.Ask(t.Context(), anna, imbot.UserDialog(second), "hello")
	require.NoError(t, err)
	require.Equal(t, second, answer.AuthorID)

	query, err := application.Authorize(imbottest.Admin, "")
	require.NoError(t, err)
	ev := &imbot.BotDeleteEvent{EventMeta: imbot.EventMeta{Auth: imbot.EventAuth{MemberID: query.Get("member_id")}}, BotID: second}
	client, err = app.ForEvent(t.Context(), ev)
	require.NoError(t, err)
	_, err = client.Message.Add(t.Context(), imbot.MessageAddRequest{DialogID: imbot.UserDialog(anna), Message: "goodbye"})
	require.NoError(t, err)
	messages := portal.Messages(anna, imbot.UserDialog(second))
	require.Equal(t, "goodbye", messages[len(messages)-1].Text)
	require.NoError(t, h.Shutdown(t.Context()))
}

func TestDiagnoseAnInstallationThatIsNotFinished(t *testing.T) {
	portal, application, app, _ := appOn(t)
	const page = "https://bot.example.com/page"
	portal.Serve(page, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		app.InstallPage().ServeHTTP(httptest.NewRecorder(), r) // stores, but the answer that finishes is lost
	}))
	_, err := application.OpenPage(t.Context(), imbottest.Admin, page)
	require.NoError(t, err)
	r, err := imbot.Diagnose(t.Context(), memberOf(t, portal, app, application), imbot.DiagnoseRequest{BotCode: "support"})
	require.NoError(t, err)
	require.Contains(t, r.String(), "not finished")
	_, err = application.OpenPage(t.Context(), imbottest.Admin, pageURL)
	require.NoError(t, err)
	r, err = imbot.Diagnose(t.Context(), memberOf(t, portal, app, application), imbot.DiagnoseRequest{BotCode: "support"})
	require.NoError(t, err)
	require.Empty(t, r.Findings)
}

func TestThePortalsFramesAreVerified(t *testing.T) {
	portal, client := onPortal(t, "a-long-random-client-id")
	bot, err := imbot.EnsureBot(t.Context(), client, supportBot())
	require.NoError(t, err)
	app, err := imbot.EnsureApp(t.Context(), client, imbot.AppRegisterRequest{
		BotID: bot, Code: "frame", IFrame: "https://bot.example.com/frame?x=1", Hash: frameHash, Lang: []imbot.AppLang{{LanguageID: "en", Title: "Frame"}},
	})
	require.NoError(t, err)
	anna := portal.AddUser("Anna", "Ivanova")
	_, err = portal.Say(t.Context(), anna, imbot.UserDialog(bot), "hello")
	require.NoError(t, err)
	address, err := portal.IFrame(anna, app, imbot.UserDialog(bot))
	require.NoError(t, err)
	p, err := imbot.VerifyIFrame(httptest.NewRequest(http.MethodGet, address, nil), frameHash)
	require.NoError(t, err)
	require.Equal(t, anna, p.UserID)
	require.Equal(t, bot, p.BotID)
	require.Equal(t, app, p.AppID)
	require.Equal(t, imbot.UserDialog(bot), p.DialogID)
	u, err := url.Parse(p.Domain)
	require.NoError(t, err)
	require.NotEmpty(t, u.Host)
	_, err = imbot.VerifyIFrame(httptest.NewRequest(http.MethodGet, strings.Replace(address, "USER_ID="+anna.String(), "USER_ID=1", 1), nil), frameHash)
	require.Error(t, err)
}

// In a test no time passes between two installations.
func TestAnInstallationRightBehindAnotherCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		portal, application, app, h := appOn(t)
		require.NoError(t, application.Install(t.Context(), handlerURL))
		settle(t, portal, h)
		application.RevokeTokens()
		client := memberOf(t, portal, app, application)
		_, err := client.Bot.List(t.Context(), imbot.BotListRequest{})
		require.ErrorIs(t, err, imbot.ErrReinstall)
		portal.Fail("ONAPPINSTALL", imbottest.Fault{Duplicate: true})
		require.NoError(t, application.Install(t.Context(), handlerURL))
		settle(t, portal, h)
		require.EqualValues(t, 1, h.Stats().Duplicate, "the copy")
		talk(t, portal, memberOf(t, portal, app, application))
	})
}

// The portal posts an event once, and nobody knows how long it waits.
func TestAnEventCountsWhenThePortalHasHungUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		portal, application, app, h := appOn(t)
		require.NoError(t, application.Install(t.Context(), handlerURL))
		settle(t, portal, h)
		client := memberOf(t, portal, app, application)
		portal.Fail("ONIMBOTMESSAGEADD", imbottest.Fault{Cut: imbottest.AfterRun})
		talk(t, portal, client)
		require.Zero(t, h.Stats().Refused)
	})
}

func TestAStoreThatHangsDoesNotHoldEventsForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := newCloud().app(hangingStore{imbot.NewMemoryStore()})
		h := &imbot.EventHandler{Verifier: app.Verifier(), Logger: slog.New(slog.DiscardHandler)}
		start := time.Now()
		event := formPost(handlerURL, url.Values{"event": {"ONIMBOTDELETE"}, "ts": {"1"}, "auth[member_id]": {memberOne}, "auth[application_token]": {"x"}})
		require.Equal(t, http.StatusServiceUnavailable, post(t, h, event))
		require.Equal(t, 5*time.Second, time.Since(start))
		require.NoError(t, h.Shutdown(t.Context()))
	})
}

func TestABodyThatComesSlowlyLeavesTheStoreItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCloud()
		store := imbot.NewFileStore(t.TempDir())
		require.NoError(t, store.Swap(t.Context(), imbot.Grant{}, load(t, c.installed(t, "one.bitrix24.com"))))
		h, _, _ := eventsOf(c.app(store))
		event := c.issue("one.bitrix24.com", 1, appID).event("ONIMBOTDELETE")
		body, slow := io.Pipe()
		whole := event.Body
		event.Body = body
		go func() {
			time.Sleep(20 * time.Second)
			_, err := io.Copy(slow, whole)
			_ = slow.CloseWithError(err)
		}()
		require.Equal(t, http.StatusOK, post(t, h, event))
		require.NoError(t, h.Shutdown(t.Context()))
	})
}

type hangingStore struct{ imbot.TokenStore }

func (hangingStore) Load(ctx context.Context, _ string) (imbot.Grant, error) {
	<-ctx.Done()
	return imbot.Grant{}, ctx.Err()
}
