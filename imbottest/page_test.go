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

// postPage is a page that keeps what was posted and answers with a text.
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
			require.Equal(t, "3", call("imbot.register", `,"CODE":"a",`+bindings+`,"PROPERTIES":{"NAME":"A"}`))
			require.NoError(t, portal.Open(t.Context(), anna, 3))
			require.Empty(t, box.take(t, portal), "before the installation is finished there are no events")

			page.answer = "<script>BX24.installFinish()</script>"
			_, err = app.OpenPage(t.Context(), anna, pageURL)
			require.NoError(t, err)
			require.Contains(t, call("profile", ""), `"ID":"2"`, "the tokens are those of who opens the page")
			require.Contains(t, call("app.info", ""), `"INSTALLED":false`, "others finish nothing")
			_, err = app.OpenPage(t.Context(), imbottest.Admin, pageURL)
			require.NoError(t, err)
			require.Contains(t, call("app.info", ""), `"INSTALLED":true`)
			_, err = portal.Say(t.Context(), anna, imbot.UserDialog(3), "hi")
			require.NoError(t, err)
			require.Equal(t, []string{"MESSAGEADD"}, names(box.take(t, portal)))
			require.NoError(t, portal.Err())
		})
	}
}

func TestOpenPageReportsAnError(t *testing.T) {
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

func TestRename(t *testing.T) {
	portal, app, box, install := newInstalled(t)
	client := portal.HTTPClient()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	old, hook := install.Get("auth[client_endpoint]"), portal.Webhook("x").URL
	require.Error(t, portal.Rename("no host/"))
	require.NoError(t, portal.Rename("New.example"))

	for _, address := range []string{old + "profile?auth=1", hook + "profile"} {
		resp, err := client.Get(address)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, 302, resp.StatusCode)
		_, path, _ := strings.Cut(address, "/rest/")
		require.Equal(t, "https://new.example/rest/"+path, resp.Header.Get("Location"))
	}
	token := install.Get("auth[access_token]")
	require.Equal(t, "ok", outcomeOf(ask(t, client, "https://new.example/rest/profile", url.Values{"auth": {token}})))
	_, renewed := ask(t, client, portal.AuthServer()+"/oauth/token/", refreshForm(install.Get("auth[refresh_token]")))
	require.Equal(t, "https://new.example/rest/", renewed["client_endpoint"])
	_, info := ask(t, client, portal.AuthServer()+"/rest/app.info", url.Values{"auth": {token}})
	require.Equal(t, "new.example", info["result"].(map[string]any)["install"].(map[string]any)["domain"])
	require.NoError(t, app.Update(t.Context()))
	events := box.take(t, portal)
	require.Len(t, events, 1)
	require.Equal(t, "https://new.example/rest/", events[0].Get("auth[client_endpoint]"))
	require.Equal(t, install.Get("auth[member_id]"), events[0].Get("auth[member_id]"))
	require.Equal(t, install.Get("auth[server_endpoint]"), events[0].Get("auth[server_endpoint]"))

	require.NoError(t, portal.Rename(strings.TrimSuffix(strings.TrimPrefix(old, "https://"), "/rest/")), "back again")
	require.Equal(t, "ok", outcomeOf(ask(t, client, old+"profile", url.Values{"auth": {token}})))
	require.NoError(t, portal.Err())
}

func TestOAuthOverSockets(t *testing.T) {
	portal := imbottest.NewPortal()
	defer portal.Close()
	require.NoError(t, portal.Listen("127.0.0.1:0"))
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	box := &mailbox{}
	portal.Serve(eventURL, box)
	app := portal.Application(clientID, secret)
	require.NoError(t, app.Install(t.Context(), eventURL))
	install := box.take(t, portal)[0]
	require.Equal(t, portal.AuthServer()+"/rest/", install.Get("auth[server_endpoint]"))
	require.NotEqual(t, install.Get("auth[client_endpoint]"), install.Get("auth[server_endpoint]"))
	status, answer := ask(t, client, portal.AuthServer()+"/oauth/token/", refreshForm(install.Get("auth[refresh_token]")))
	require.Equal(t, "ok", outcomeOf(status, answer))

	token := url.Values{"auth": {answer["access_token"].(string)}}
	require.Error(t, portal.Rename("new.example"), "sockets need an address")
	require.NoError(t, portal.Rename("127.0.0.1:0"))
	resp, err := client.PostForm(install.Get("auth[client_endpoint]")+"profile", token)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, 302, resp.StatusCode)
	location := resp.Header.Get("Location")
	require.Equal(t, portal.OAuth(clientID).Endpoint+"profile", location)
	require.Equal(t, "ok", outcomeOf(ask(t, client, location, token)))
	require.NoError(t, portal.Err())
}
