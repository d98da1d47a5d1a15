package imbottest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

func TestFormsAndJSONAreReadAlike(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	status, body := postTo(t, portal, portal.Webhook("").URL+"imbot.chat.add", "application/x-www-form-urlencoded",
		"CLIENT_ID=one&users[0]=101&users[1]=102&TITLE=a+b%26c")
	require.Equal(t, "1002", outcome(t, status, body))
	require.Equal(t, "[103,101,102]", post(t, portal, "imbot.chat.user.list", `{"CLIENT_ID":"one","CHAT_ID":"1002","BOT_ID":"103"}`))
	require.JSONEq(t, `{"users":["101","102"],"TITLE":"a b&c"}`, string(portal.Calls("imbot.chat.add")[1].Params))
}

func TestOtherWaysToSendThings(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	auth := portal.OAuth("local.1")
	token, err := auth.Tokens.Token()
	require.NoError(t, err)
	r, err := http.NewRequest(http.MethodPost, auth.Endpoint+"app.info", strings.NewReader(`{"auth":"wrong"}`))
	require.NoError(t, err)
	token.SetAuthHeader(r)
	r.Header.Set("Content-Type", "application/vnd.api+json; charset=UTF-8")
	resp, err := portal.HTTPClient().Do(r)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		Result struct {
			Code      string `json:"CODE"`
			Installed bool   `json:"INSTALLED"`
		}
	}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&answer))
	require.Equal(t, "local.1", answer.Result.Code, "the header wins over the parameter")
	require.True(t, answer.Result.Installed)

	status, body := postTo(t, portal, portal.Webhook("").URL+"method.get?name=profile", "application/vnd.api+json", `{"NAME":"imbot.nothing"}`)
	require.Equal(t, `{"isAvailable":false,"isExisting":false}`, outcome(t, status, body), "the body wins over the query")
}

func TestSeveralSlashesAreOne(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	auth := portal.OAuth("local.1")
	token, err := auth.Tokens.Token()
	require.NoError(t, err)
	hook, withToken := portal.Webhook("").URL, `{"auth":"`+token.AccessToken+`"}`
	for _, address := range []string{
		hook + "/profile", hook + "//profile//", hook + "profile.json/", strings.Replace(hook, "/1/", "//1//", 1) + "/profile/",
		strings.Replace(hook, "/rest/", "//rest//", 1) + "profile", auth.Endpoint + "/profile", auth.Endpoint + "///profile/",
	} {
		status, body := postTo(t, portal, address, "application/json", withToken)
		require.Equal(t, 200, status, "%s: %s", address, body)
	}
	require.Len(t, portal.Calls("profile"), 7)
	require.NoError(t, portal.Err())
}

func TestPathsOfNoFormAreNoMethod(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	for _, path := range []string{"", "/", "1/profile", "1/x/y/profile", "api/1/x/profile"} {
		r := httptest.NewRequest(http.MethodPost, "https://example.com/rest/"+path, strings.NewReader("{}"))
		w := httptest.NewRecorder()
		portal.ServeHTTP(w, r)
		require.Equal(t, 404, w.Code, path)
		require.JSONEq(t, `{"error":"ERROR_METHOD_NOT_FOUND","error_description":"Method not found!"}`, w.Body.String(), path)
	}
	require.ErrorContains(t, portal.Err(), "is not a path of the REST endpoint")
}

func TestPagesOfAllOriginsMayCall(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	ask := func(method, address string) *http.Response {
		r, err := http.NewRequestWithContext(t.Context(), method, address, http.NoBody)
		require.NoError(t, err)
		r.Header.Set("Origin", "https://page.example.com")
		resp, err := portal.HTTPClient().Transport.RoundTrip(r)
		require.NoError(t, err)
		_ = resp.Body.Close()
		return resp
	}
	hook := portal.Webhook("one").URL
	for _, row := range []struct {
		says, method, address string
		status                int
	}{
		{"an answer", http.MethodGet, hook + "profile", 200},
		{"an error of a method", http.MethodPost, hook + "imbot.chat.add", 403},
		{"an unknown method", http.MethodGet, hook + "no.such", 404},
		{"a wrong webhook", http.MethodGet, portal.Endpoint() + "1/x/scope", 401},
		{"a path that fits no form", http.MethodGet, portal.Endpoint(), 404},
		{"what a browser asks before", http.MethodOptions, hook + "profile", 200},
		{"and asks of any path", http.MethodOptions, portal.Endpoint() + "no.such", 200},
	} {
		resp := ask(row.method, row.address)
		require.Equal(t, row.status, resp.StatusCode, row.says)
		require.Equal(t, "*", resp.Header.Get("Access-Control-Allow-Origin"), row.says)
		require.Equal(t, "origin, content-type, accept", resp.Header.Get("Access-Control-Allow-Headers"), row.says)
		require.Equal(t, "nosniff", resp.Header.Get("X-Content-Type-Options"), row.says)
	}
	require.Len(t, portal.Calls("profile"), 1, "to ask is not to call")

	portal.Fail("profile", imbottest.Fault{Status: 502, Body: "<html>"})
	require.Empty(t, ask(http.MethodGet, hook+"profile").Header.Get("Access-Control-Allow-Origin"), "a proxy sets none of it")
	portal.Mount(http.NotFoundHandler())
	require.Empty(t, ask(http.MethodOptions, strings.TrimSuffix(portal.Endpoint(), "/rest/")+"/page").Header.Get("Access-Control-Allow-Origin"), "nor is it set for what is mounted")
}

func TestBodiesAreBounded(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	big := io.LimitReader(endless{}, 33<<20)
	resp, err := portal.HTTPClient().Post(portal.Webhook("").URL+"profile", "application/json", big)
	require.NoError(t, err)
	_ = resp.Body.Close()
	require.Equal(t, http.StatusRequestEntityTooLarge, resp.StatusCode)
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

func TestMounted(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	server := httptest.NewTLSServer(http.StripPrefix("/portal", portal))
	defer server.Close()
	path := strings.SplitN(portal.Webhook("").URL, "/rest/", 2)[1]
	resp, err := server.Client().Get(server.URL + "/portal/rest/" + path + "profile")
	require.NoError(t, err)
	_ = resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	resp, err = server.Client().Get(server.URL + "/portal/elsewhere")
	require.NoError(t, err)
	_ = resp.Body.Close()
	require.Equal(t, http.StatusNotFound, resp.StatusCode)
	require.ErrorContains(t, portal.Err(), "/elsewhere")
}

func TestMount(t *testing.T) {
	t.Parallel()
	portal := newTestPortal(t)
	mounted := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "mine "+r.URL.Path) })
	ask := func(address string) (int, string) {
		resp, err := portal.HTTPClient().Get(address)
		require.NoError(t, err)
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(body)
	}
	root := strings.TrimSuffix(portal.Endpoint(), "/rest/")
	status, _ := ask(root + "/page")
	require.Equal(t, 404, status)
	require.Error(t, portal.Err())
	portal.Mount(mounted)
	_, body := ask(root + "/page")
	require.Equal(t, "mine /page", body)
	status, body = ask(root + "/rest/profile")
	require.Equal(t, 401, status, body)
	status, _ = ask(portal.AuthServer() + "/page")
	require.Equal(t, 404, status, "the authorization server is another host")
	u, err := url.Parse(portal.Endpoint())
	require.NoError(t, err)
	require.NoError(t, portal.Rename("new.example"))
	resp, err := portal.HTTPClient().Transport.RoundTrip(&http.Request{Method: "GET", URL: &url.URL{Scheme: "https", Host: u.Host, Path: "/page"}})
	require.NoError(t, err)
	require.Equal(t, 302, resp.StatusCode, "the former host still redirects")
}

// FuzzServeHTTP checks that the portal answers whatever is sent, and that what it calls
// JSON is JSON.
func FuzzServeHTTP(f *testing.F) {
	for _, seed := range []struct{ method, body string }{
		{"imbot.register", `{"CLIENT_ID":"one","CODE":[],"PROPERTIES":"x"}`},
		{"imbot.update", `{"CLIENT_ID":"one","BOT_ID":103,"FIELDS":[{"PROPERTIES":[]}]}`},
		{"imbot.chat.add", `{"CLIENT_ID":"one","USERS":{"a":{}}}`},
		{"imbot.chat.user.add", `{"CLIENT_ID":"one","CHAT_ID":1001,"USERS":[[102],"5",5.5]}`},
		{"imbot.dialog.get", `{"DIALOG_ID":"chat1001"}`},
		{"imbot.message.add", `{"CLIENT_ID":"one","DIALOG_ID":"101","MESSAGE":["x"]}`},
		{"imbot.message.add", `{"CLIENT_ID":"one","DIALOG_ID":"101","MESSAGE":"x","ATTACH":[{"GRID":[[]],"USER":104}],"KEYBOARD":{"BUTTONS":{"a":[]}},"MENU":"{}"}`},
		{"imbot.message.update", `{"CLIENT_ID":"one","MESSAGE_ID":50001,"ATTACH":{},"MENU":false}`},
		{"imbot.command.update", `{"CLIENT_ID":"one","COMMAND_ID":701,"FIELDS":[{"LANG":[]}]}`},
		{"imbot.app.register", `{"CLIENT_ID":"one","BOT_ID":103,"CODE":"x","JS_METHOD":"PUT","JS_PARAM":"/aa"}`},
		{"batch", `{"cmd":["imbot.chat.add?CLIENT_ID=one","imbot.message.add?MESSAGE=$result[0][x]","?&="],"halt":[]}`},
	} {
		f.Add(seed.method, seed.body)
	}
	f.Add("methods", "--B\r\nContent-Disposition: form-data; name=\"SCOPE\"\r\n\r\nimbot\r\n--B--\r\n")
	f.Fuzz(func(t *testing.T, method, body string) {
		portal := newTestPortal(t)
		path := strings.SplitN(portal.Webhook("").URL, "/rest/", 2)[1] + url.PathEscape(method)
		for _, contentType := range []string{"application/json", urlencoded, "multipart/form-data; boundary=B"} {
			r := httptest.NewRequest(http.MethodPost, "https://example.com/rest/"+path, strings.NewReader(body))
			r.Header.Set("Content-Type", contentType)
			w := httptest.NewRecorder()
			portal.ServeHTTP(w, r)
			if strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
				require.True(t, json.Valid(w.Body.Bytes()), "%s", w.Body)
			}
		}
		require.NoError(t, portal.Idle(t.Context()))
		_ = portal.Err()
	})
}
