package imbottest_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

func TestListen(t *testing.T) {
	t.Parallel()
	portal := imbottest.NewPortal()
	defer portal.Close()
	require.ErrorContains(t, portal.Listen("0.0.0.0:0"), "not a loopback address")
	require.ErrorContains(t, portal.Listen(":0"), "not a loopback address")
	require.Error(t, portal.Listen("nonsense"))
	require.NoError(t, portal.Listen("[::1]:0"))
	require.ErrorContains(t, portal.Listen("127.0.0.1:0"), "already")

	portal.Close()
	require.ErrorContains(t, portal.Listen("127.0.0.1:0"), "closed")
	portal.Close() // may be called twice
}

func TestListenTLS(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.NotFoundHandler()) // for its certificate, and a client that trusts it
	defer server.Close()
	portal := imbottest.NewPortal()
	defer portal.Close()
	require.NoError(t, portal.ListenTLS("127.0.0.1:0", &tls.Config{Certificates: server.TLS.Certificates, MinVersion: tls.VersionTLS12}))
	portal.OAuth(clientID)
	query, err := portal.Application(clientID, secret).Authorize(imbottest.Admin, "")
	require.NoError(t, err)
	require.Regexp(t, `^https://127\.0\.0\.1:`, portal.AuthServer())
	_, tokens := askServer(t, server.Client(), portal.AuthServer()+"/oauth/token/", url.Values{
		"grant_type": {"authorization_code"}, "client_id": {clientID}, "client_secret": {secret}, "code": {query.Get("code")},
	})
	require.Equal(t, portal.Endpoint(), tokens["client_endpoint"])
	require.Equal(t, portal.AuthServer()+"/rest/", tokens["server_endpoint"])
	for range 2 {
		require.Regexp(t, `^https://127\.0\.0\.1:`, portal.Endpoint())
		require.Equal(t, "ok", outcomeOf(askServer(t, server.Client(), portal.Webhook("").URL+"profile", nil)))
		require.NoError(t, portal.Rename("127.0.0.1:0"))
	}
	require.NoError(t, portal.Err())
}

func TestRename(t *testing.T) {
	t.Parallel()
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
	require.Equal(t, "ok", outcomeOf(askServer(t, client, "https://new.example/rest/profile", url.Values{"auth": {token}})))
	_, renewed := askServer(t, client, portal.AuthServer()+"/oauth/token/", refreshForm(install.Get("auth[refresh_token]")))
	require.Equal(t, "https://new.example/rest/", renewed["client_endpoint"])
	_, info := askServer(t, client, portal.AuthServer()+"/rest/app.info", url.Values{"auth": {token}})
	require.Equal(t, "new.example", info["result"].(map[string]any)["install"].(map[string]any)["domain"])
	require.NoError(t, app.Update(t.Context()))
	events := box.take(t, portal)
	require.Len(t, events, 1)
	require.Equal(t, "https://new.example/rest/", events[0].Get("auth[client_endpoint]"))
	require.Equal(t, install.Get("auth[member_id]"), events[0].Get("auth[member_id]"))
	require.Equal(t, install.Get("auth[server_endpoint]"), events[0].Get("auth[server_endpoint]"))

	require.NoError(t, portal.Rename(strings.TrimSuffix(strings.TrimPrefix(old, "https://"), "/rest/")), "back again")
	require.Equal(t, "ok", outcomeOf(askServer(t, client, old+"profile", url.Values{"auth": {token}})))
	require.NoError(t, portal.Err())
}

func TestOAuthOverSockets(t *testing.T) {
	t.Parallel()
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
	status, answer := askServer(t, client, portal.AuthServer()+"/oauth/token/", refreshForm(install.Get("auth[refresh_token]")))
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
	require.Equal(t, "ok", outcomeOf(askServer(t, client, location, token)))
	require.NoError(t, portal.Err())
}
