package messenger_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/stretchr/testify/require"
)

// TestNoSecretLeaves lets bots of a webhook and of an OAuth application use all their
// secrets, and looks for these in everything the page can ask for.
func TestNoSecretLeaves(t *testing.T) {
	t.Parallel()
	w := newTestPage(t)
	begin := w.portal.Changed()
	portal, secrets := w.portal, map[string]string{"client id": clientID, "hash": hash}
	hook := portal.Webhook(clientID)
	secrets["webhook"] = strings.Split(hook.URL, "/")[5]

	box := &formRecorder{}
	portal.Serve("https://app.example.com/events?key=short&client_secret=sec", box)
	const clientSecret = "the-secret-of-the-application"
	secrets["client secret"] = clientSecret
	app := portal.Application("local.app", clientSecret)
	require.NoError(t, app.Install(t.Context(), "https://app.example.com/events?key=short&client_secret=sec"))
	require.NoError(t, portal.Idle(t.Context()))
	refresh := box.last().Get("auth[refresh_token]")
	call := func(address string, form url.Values) string {
		resp, err := portal.HTTPClient().PostForm(address, form)
		require.NoError(t, err)
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return string(body)
	}
	call(portal.AuthServer()+"/oauth/token/", url.Values{
		"grant_type": {"refresh_token"}, "client_id": {"local.app"}, "client_secret": {clientSecret}, "refresh_token": {refresh},
	})
	token, err := portal.OAuth("local.app").Tokens.Token()
	require.NoError(t, err)
	secrets["token"], secrets["refresh token"] = token.AccessToken, token.RefreshToken
	root := portal.Endpoint()
	call(root+"imbot.register", url.Values{
		"auth": {token.AccessToken}, "CODE": {"oauth"}, "EVENT_HANDLER": {"https://app.example.com/events?key=short&client_secret=sec"}, "PROPERTIES[NAME]": {"Oauth"},
	})
	call(root+"imbot.message.add?access_token="+token.AccessToken, url.Values{"DIALOG_ID": {"101"}, "MESSAGE": {"hello"}, "NOTE": {"my token is " + token.AccessToken}})
	call(root+"batch", url.Values{"auth": {token.AccessToken}, "cmd[a]": {"imbot.app.register?auth=" + token.AccessToken + "&HASH=" + hash + "&IFRAME=https%3A%2F%2Fa.example.com%2F%3FHASH%3D" + hash}})
	call(hook.URL+"imbot.bot.list/"+hook.URL, url.Values{"x": {hook.URL}, "CLIENT_ID": {clientID}})
	for _, dialog := range []imbot.DialogID{"103", "104"} {
		_, err := portal.Say(t.Context(), anna, dialog, "hi")
		require.NoError(t, err)
	}
	_, err = portal.Say(t.Context(), anna, "103", "/do it")
	require.NoError(t, err)
	portal.Fail("profile", imbottest.Fault{Status: 500, Body: `<p>` + hook.URL + ` "refresh_token": "` + refresh + `", "hash":"` + hash})
	call(hook.URL+"profile", nil)
	require.NoError(t, portal.Idle(t.Context()))
	require.NoError(t, app.Update(t.Context()))
	require.NoError(t, portal.Idle(t.Context()))
	for name, value := range box.last() {
		if strings.Contains(name, "token") {
			secrets["event "+name] = value[0]
		}
	}
	require.Greater(t, len(secrets), 7)
	secrets["first refresh token"] = refresh

	var out strings.Builder
	for _, user := range []int{1, 101, 102, 103, 104} {
		out.WriteString(w.serve("GET", fmt.Sprintf("api/state?user=%d", user), "").Body.String())
		for _, dialog := range []string{"1", "101", "102", "103", "104"} {
			out.WriteString(w.serve("GET", fmt.Sprintf("api/help?user=%d&dialog=%s", user, dialog), "").Body.String())
		}
	}
	out.WriteString(w.serve("GET", "api/frame?user=101&app=501&dialog=103", "").Body.String())
	out.WriteString(readStream(w, anna, begin))
	n := len(w.get("api/exchanges?limit=500")["exchanges"].([]any))
	require.Greater(t, n, 15)
	masked := 0
	for id := 1; id <= n; id++ {
		text := w.serve("GET", fmt.Sprintf("api/exchange?id=%d", id), "").Body.String()
		masked += strings.Count(text, "***")
		out.WriteString(text)
	}
	require.Greater(t, masked, 30)
	out.WriteString(w.serve("POST", "api/replay", fmt.Sprintf(`{"id":%d}`, n)).Body.String())
	out.WriteString(w.serve("GET", "api/exchanges", "").Body.String())
	for name, secret := range secrets {
		require.NotEmpty(t, secret, name)
		require.False(t, strings.Contains(out.String(), secret), "%s: …%s…", name, around(out.String(), secret))
	}
	require.NotContains(t, out.String(), "client_secret=sec")
	require.Contains(t, out.String(), "my token is ***", "in the log")
}

func around(text, part string) string {
	i := max(0, strings.Index(text, part))
	return text[max(0, i-200):min(len(text), i+len(part)+40)]
}

// formRecorder is a handler that keeps the events it gets.
type formRecorder struct {
	mu  sync.Mutex
	got []url.Values
}

func (f *formRecorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	_, _ = io.WriteString(w, "thanks for "+r.PostForm.Get("auth[access_token]")) // a careless bot repeats a secret
	f.mu.Lock()
	defer f.mu.Unlock()
	f.got = append(f.got, r.PostForm)
}

func (f *formRecorder) last() url.Values {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.got[len(f.got)-1]
}

// readStream returns everything that the stream tells a person after a change.
func readStream(w *testPage, user imbot.ID, after int64) string {
	w.portal.AddUser("The", "End") // everybody sees this change, so the stream gets to it
	last, id := w.portal.Changed(), int64(0)
	s := openStream(w, user, after, "")
	var out strings.Builder
	for {
		block := s.block()
		out.WriteString(block)
		if _, _ = fmt.Sscanf(block, "id: %d", &id); block == "" || id >= last { // later ones can come from bots that still work
			return out.String()
		}
	}
}
