package imbot_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"sync"
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
	t.Parallel()
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
	t.Parallel()
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

func TestAnAuthorizationServerIsTrustedInAnyCase(t *testing.T) {
	t.Parallel()
	c := newCloud()
	app := c.app(imbot.NewMemoryStore())
	app.AuthServers = []string{"OAuth.Bitrix.Info"}
	_, err := imbot.ParseEvent(c.issue("one.bitrix24.com", 1, appID).event("ONAPPINSTALL", "auth[server_endpoint]", "https://oauth.BITRIX.info/rest/"), app.Verifier())
	require.NoError(t, err)
	require.Equal(t, "https://oauth.bitrix.info/rest/", load(t, app.Store).ServerEndpoint)
}

func TestForEventUsesItsOwnTokensWhenNothingIsStored(t *testing.T) {
	t.Parallel()
	c := newCloud()
	app := c.app(imbot.NewMemoryStore())
	limiter := &keys{seen: map[string]int{}}
	app.Options = append(app.Options, imbot.WithLimiter(limiter))
	acting, bot := c.issue("one.bitrix24.com", 5, appID), c.issue("one.bitrix24.com", 39, appID)
	ev, err := imbot.ParseEvent(acting.event("ONIMBOTMESSAGEADD"), imbot.ApplicationToken("s3cr3t-application"))
	require.NoError(t, err)
	client, err := app.ForEvent(t.Context(), ev)
	require.NoError(t, err)
	require.NoError(t, ping(t.Context(), client))

	ev, err = imbot.ParseEvent(acting.event("ONIMBOTMESSAGEADD", "auth[access_token]", "", "data[BOT][39][BOT_ID]", "39",
		"data[BOT][39][AUTH][access_token]", bot.access), imbot.ApplicationToken("s3cr3t-application"))
	require.NoError(t, err)
	client, err = app.ForEvent(t.Context(), ev)
	require.NoError(t, err)
	require.NoError(t, ping(t.Context(), client))
	require.Equal(t, map[string]int{memberOne: 2}, limiter.seen, "all clients of a portal share its pace")
	c.expire()
	require.ErrorIs(t, ping(t.Context(), client), imbot.ErrExpiredToken, "they are not renewed")

	ev, err = imbot.ParseEvent(acting.event("ONIMBOTMESSAGEADD", "auth[access_token]", ""), imbot.ApplicationToken("s3cr3t-application"))
	require.NoError(t, err)
	_, err = app.ForEvent(t.Context(), ev)
	require.ErrorIs(t, err, imbot.ErrNotFound)
}

func TestAnApplicationMayBeKeptByValue(t *testing.T) {
	t.Parallel()
	c := newCloud()
	program := struct{ App imbot.OAuthApp }{App: imbot.OAuthApp{ClientID: appID, ClientSecret: appSecret, Store: c.installed(t, "one.bitrix24.com"),
		Options: []imbot.Option{imbot.WithHTTPClient(&http.Client{Transport: c}), imbot.WithLimiter(nil)}}}
	kept, err := program.App.Client(t.Context(), memberOne) // what nobody keeps is forgotten
	require.NoError(t, err)
	done := make(chan error, 20)
	for range cap(done) {
		go func() {
			client, err := program.App.Client(context.WithoutCancel(t.Context()), memberOne)
			if err == nil {
				err = ping(t.Context(), client)
			}
			done <- err
		}()
	}
	for range cap(done) {
		require.NoError(t, <-done)
	}
	require.Equal(t, 1, program.App.Members(), "all use one state")
	runtime.KeepAlive(kept)
	js, err := json.Marshal(&program)
	require.NoError(t, err)
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "program", &program)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "program", &program)
	list := []imbot.OAuthApp{{ClientSecret: appSecret}}
	require.NotContains(t, fmt.Sprintf("%v %+v %#v %v %+v %#v %s %s", &program, &program, &program, list, list, list, js, log.String()), appSecret)
}

// For the race detector: a program may log its application while events come in.
func TestAnApplicationPrintsWhileItIsUsed(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(*imbot.OAuthApp){
		"its verifier": func(app *imbot.OAuthApp) { app.Verifier() },
		"its page":     func(app *imbot.OAuthApp) { app.InstallPage() },
		"nothing yet":  func(*imbot.OAuthApp) {},
	} {
		t.Run(name, func(t *testing.T) {
			app := newCloud().app(imbot.NewMemoryStore())
			start(app)
			done := make(chan struct{})
			go func() {
				defer close(done)
				_, _ = app.Client(context.WithoutCancel(t.Context()), memberOne)
			}()
			require.NotContains(t, fmt.Sprint(app), appSecret)
			<-done
		})
	}
}

// keys is a limiter that remembers what it is asked for.
type keys struct {
	mu   sync.Mutex
	seen map[string]int
}

func (k *keys) Wait(_ context.Context, portal string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.seen[portal]++
	return nil
}

func TestManyPortalsInOneProcess(t *testing.T) {
	t.Parallel()
	const portals = 1000
	c := newCloud()
	store := imbot.NewMemoryStore()
	limiter := &keys{seen: map[string]int{}}
	app := c.app(store)
	app.Options = []imbot.Option{imbot.WithHTTPClient(&http.Client{Transport: c}), imbot.WithLimiter(limiter)}
	var kept *imbot.Client
	for i := range portals {
		member, host := fmt.Sprintf("member-%d", i), fmt.Sprintf("p%d.bitrix24.com", i)
		c.portal(member, host)
		require.NoError(t, store.Swap(t.Context(), imbot.Grant{}, c.issue(host, 1, appID).grant()))
		client, err := app.Client(t.Context(), member)
		require.NoError(t, err)
		require.NoError(t, ping(t.Context(), client))
		kept = client
	}
	require.Len(t, limiter.seen, portals)
	require.Equal(t, 1, limiter.seen["member-7"], "the limiter knows portals by their member id")

	for range 1000 {
		if app.Members() == 1 {
			break
		}
		runtime.GC()
	}
	require.Equal(t, 1, app.Members(), "what nobody keeps is forgotten")
	c.expire()
	require.NoError(t, ping(t.Context(), kept))
	again, err := app.Client(t.Context(), fmt.Sprintf("member-%d", portals-1))
	require.NoError(t, err)
	require.NoError(t, ping(t.Context(), again))
	require.Equal(t, 1, c.asked(tokenURL), "clients of one portal share their state")
}

func TestACallSurvivesTheGarbageCollectorWhileItRenews(t *testing.T) {
	t.Parallel()
	c := newCloud()
	app := c.app(c.installed(t, "one.bitrix24.com"))
	c.expire()
	c.fail = func(r *http.Request) (*http.Response, error) {
		if r.URL.Path == "/oauth/token/" {
			runtime.GC()
		}
		return nil, nil
	}
	for range 3 {
		client, err := app.Client(t.Context(), memberOne)
		require.NoError(t, err)
		require.NoError(t, ping(t.Context(), client))
		c.expire()
	}
	require.Equal(t, 3, c.asked(tokenURL))
}

func TestOAuthAppRefusesToStartHalf(t *testing.T) {
	t.Parallel()
	store := imbot.NewMemoryStore()
	for name, app := range map[string]*imbot.OAuthApp{
		"no client id":  {ClientSecret: "x", Store: store},
		"no secret":     {ClientID: "x", Store: store},
		"no store":      {ClientID: "x", ClientSecret: "x"},
		"plain http":    {ClientID: "x", ClientSecret: "x", Store: store, AuthServers: []string{"http://oauth.example.com"}},
		"a bad option":  {ClientID: "x", ClientSecret: "x", Store: store, Options: []imbot.Option{imbot.WithLogger(nil)}},
		"no server URL": {ClientID: "x", ClientSecret: "x", Store: store, AuthServers: []string{"https://"}},
	} {
		_, err := app.Client(t.Context(), "m")
		require.ErrorIs(t, err, imbot.ErrInvalid, name)
	}
	app := &imbot.OAuthApp{ClientID: "x", ClientSecret: "s3cr3t", Store: store}
	_, err := app.Client(t.Context(), "m")
	require.ErrorIs(t, err, imbot.ErrNotFound)
	js, err := json.Marshal(app)
	require.NoError(t, err)
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "app", app)
	require.NotContains(t, fmt.Sprintf("%v %+v %#v %s %s", app, app, app, js, log.String()), "s3cr3t")
}
