package imbottest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

const (
	clientID = "local.1"
	secret   = "a-client-secret"
	pageURL  = "https://bot.example.com/page?tab=1"
)

// newInstalled returns a portal with an installed application, the mailbox behind its
// handler, and ONAPPINSTALL.
func newInstalled(t *testing.T) (*imbottest.Portal, *imbottest.Application, *mailbox, url.Values) {
	t.Helper()
	portal, box := imbottest.NewPortal(), &mailbox{}
	t.Cleanup(portal.Close)
	portal.Serve(eventURL, box)
	app := portal.Application(clientID, secret)
	require.NoError(t, app.Install(t.Context(), eventURL))
	events := box.take(t, portal)
	require.Len(t, events, 1)
	require.Equal(t, "ONAPPINSTALL", events[0].Get("event"))
	return portal, app, box, events[0]
}

// postPage is the page of an application. It keeps what is posted and answers with a text.
type postPage struct {
	answer string
	query  url.Values
	form   url.Values
}

func (p *postPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.query = r.URL.Query()
	_ = r.ParseForm()
	p.form = r.PostForm
	_, _ = io.WriteString(w, p.answer)
}

func TestOpenPage(t *testing.T) {
	t.Parallel()
	for _, old := range []bool{false, true} {
		t.Run(fmt.Sprintf("old pages: %t", old), func(t *testing.T) {
			var opts []imbottest.Option
			if old {
				opts = append(opts, imbottest.WithOldPages())
			}
			portal, page, box := imbottest.NewPortal(opts...), &postPage{answer: "wait"}, &mailbox{}
			defer portal.Close()
			portal.Serve(pageURL, page)
			portal.Serve(eventURL, box)
			app := portal.Application(clientID, secret)
			anna := portal.AddUser("Anna", "Ivanova")
			_, err := app.OpenPage(t.Context(), anna, pageURL)
			require.ErrorContains(t, err, "only Admin")
			require.Nil(t, page.form)

			body, err := app.OpenPage(t.Context(), imbottest.Admin, pageURL)
			require.NoError(t, err)
			require.Equal(t, "wait", body)
			require.Equal(t, "1", page.query.Get("tab"))
			require.Equal(t, "1", page.query.Get("PROTOCOL"))
			require.NotEmpty(t, page.query.Get("APP_SID"))
			want := []string{"AUTH_EXPIRES", "AUTH_ID", "PLACEMENT", "PLACEMENT_OPTIONS", "REFRESH_ID", "member_id", "status"}
			if !old {
				want = append(want, "SERVER_ENDPOINT", "APPLICATION_TOKEN", "APPLICATION_SCOPE")
				require.Equal(t, portal.ApplicationToken(clientID), page.form.Get("APPLICATION_TOKEN"))
				require.Equal(t, portal.AuthServer()+"/rest/", page.form.Get("SERVER_ENDPOINT"))
			}
			var got []string
			for name := range page.form {
				got = append(got, name)
			}
			require.ElementsMatch(t, want, got)

			call := func(method, more string) string {
				status, body := postTo(t, portal, "https://"+page.query.Get("DOMAIN")+"/rest/"+method, "application/json", `{"auth":"`+page.form.Get("AUTH_ID")+`"`+more+`}`)
				return outcome(t, status, body)
			}
			require.Contains(t, call("app.info", ""), `"INSTALLED":false`)
			require.Equal(t, "102", call("imbot.register", `,"CODE":"a",`+bindings+`,"PROPERTIES":{"NAME":"A"}`))
			require.NoError(t, portal.Open(t.Context(), anna, 102))
			require.Empty(t, box.take(t, portal), "before the installation is finished there are no events")

			page.answer = "<script>BX24.installFinish()</script>"
			_, err = app.OpenPage(t.Context(), anna, pageURL)
			require.NoError(t, err)
			require.Contains(t, call("profile", ""), `"ID":"101"`, "the tokens are those of who opens the page")
			require.Contains(t, call("app.info", ""), `"INSTALLED":false`, "others finish nothing")
			_, err = app.OpenPage(t.Context(), imbottest.Admin, pageURL)
			require.NoError(t, err)
			require.Contains(t, call("app.info", ""), `"INSTALLED":true`)
			_, err = portal.Say(t.Context(), anna, imbot.UserDialog(102), "hi")
			require.NoError(t, err)
			require.Equal(t, []string{"MESSAGEADD"}, names(box.take(t, portal)))
			require.NoError(t, portal.Err())
		})
	}
}

func TestOpenPageReportsAnError(t *testing.T) {
	t.Parallel()
	portal := imbottest.NewPortal()
	defer portal.Close()
	app := portal.Application(clientID, secret)
	_, err := app.OpenPage(t.Context(), imbottest.Admin, pageURL)
	require.ErrorContains(t, err, "nothing serves https://bot.example.com/page (")
	portal.Serve(pageURL, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "installFinish", http.StatusForbidden) }))
	body, err := app.OpenPage(t.Context(), imbottest.Admin, pageURL)
	require.ErrorContains(t, err, "answered 403")
	require.Equal(t, "installFinish", strings.TrimSpace(body))
	_, err = app.OpenPage(t.Context(), imbottest.Admin, "no url")
	require.ErrorContains(t, err, "not acceptable")
}

func TestEventsOfAnApplicationLookLikeTheDocumentedOnes(t *testing.T) {
	t.Parallel()
	portal, box := imbottest.NewPortal(), &mailbox{}
	t.Cleanup(portal.Close)
	portal.Serve(eventURL, box)
	app := portal.Application(clientID, secret)
	require.Error(t, app.Update(t.Context()), "it is not installed")
	require.Error(t, app.Uninstall(t.Context()), "it is not installed")
	_, err := app.Authorize(imbottest.Admin, "")
	require.Error(t, err, "it is not installed")
	require.Error(t, app.Install(t.Context(), "ftp://bot.example.com"))
	require.Empty(t, box.take(t, portal))
	for _, step := range []struct {
		sample string
		do     func() error
	}{
		{"onappinstall", func() error { return app.Install(t.Context(), eventURL) }},
		{"onappupdate", func() error { return app.Update(t.Context()) }},
		{"onappuninstall", func() error { return app.Uninstall(t.Context()) }},
	} {
		require.NoError(t, step.do())
		require.Equal(t, fields(t, sample(t, "../testdata/install/doc_"+step.sample+".form")), fields(t, box.last(t, portal)))
	}
	require.NoError(t, portal.Err())
}

func TestUninstall(t *testing.T) {
	t.Parallel()
	portal, app, box, install := newInstalled(t)
	creds := portal.OAuth(clientID)
	client, err := imbot.NewClient(creds, imbot.WithHTTPClient(portal.HTTPClient()))
	require.NoError(t, err)
	bot, err := client.Bot.Register(t.Context(), imbot.BotRegisterRequest{Code: "a", EventHandler: eventURL, Properties: imbot.BotProperties{Name: "A"}})
	require.NoError(t, err)
	require.NoError(t, app.Uninstall(t.Context()))
	events := box.take(t, portal)
	require.ElementsMatch(t, []string{"DELETE", "ONAPPUNINSTALL"}, names(events))
	for _, e := range events {
		require.Equal(t, install.Get("auth[application_token]"), e.Get("auth[application_token]"))
		if e.Get("event") == "ONIMBOTDELETE" {
			require.Equal(t, bot.String(), e.Get("data[BOT_ID]"))
			require.Equal(t, "401 APPLICATION_NOT_FOUND", outcomeOf(askServer(t, portal.HTTPClient(), install.Get("auth[client_endpoint]")+"profile", url.Values{"auth": {e.Get("auth[access_token]")}})))
		}
	}
	require.Equal(t, "401 NOT_INSTALLED", outcomeOf(askServer(t, portal.HTTPClient(), portal.AuthServer()+"/rest/app.info", url.Values{"auth": {install.Get("auth[access_token]")}})))
	require.Equal(t, "401 NOT_INSTALLED", outcomeOf(askServer(t, portal.HTTPClient(), portal.AuthServer()+"/oauth/token/", refreshForm(install.Get("auth[refresh_token]")))))

	require.NoError(t, app.Install(t.Context(), eventURL))
	again := box.take(t, portal)
	require.Len(t, again, 1)
	require.NotEqual(t, install.Get("auth[application_token]"), again[0].Get("auth[application_token]"))
	require.Equal(t, "401 APPLICATION_NOT_FOUND", outcomeOf(askServer(t, portal.HTTPClient(), install.Get("auth[client_endpoint]")+"profile", url.Values{"auth": {install.Get("auth[access_token]")}})),
		"old tokens stay dead")

	client, err = imbot.NewClient(portal.OAuth(clientID), imbot.WithHTTPClient(portal.HTTPClient()))
	require.NoError(t, err)
	bot, err = client.Bot.Register(t.Context(), imbot.BotRegisterRequest{Code: "a", EventHandler: eventURL, Properties: imbot.BotProperties{Name: "A"}})
	require.NoError(t, err, "and there are new ones")
	_, err = portal.Say(t.Context(), imbottest.Admin, imbot.UserDialog(bot), "hi")
	require.NoError(t, err)
	for _, e := range box.take(t, portal) {
		token := e.Get("auth[access_token]")
		require.Equal(t, "ok", outcomeOf(askServer(t, portal.HTTPClient(), install.Get("auth[client_endpoint]")+"profile", url.Values{"auth": {token}})))
		require.NotEqual(t, again[0].Get("auth[access_token]"), token, "events have a pair of their own")
	}
	require.NoError(t, portal.Err())
}
