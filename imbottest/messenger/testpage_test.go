package messenger_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/imbot-go/imbot"
	"github.com/imbot-go/imbot/imbottest"
	"github.com/imbot-go/imbot/imbottest/messenger"
	"github.com/stretchr/testify/require"
)

// The ids of the people and of the bot on the portal of testPage.
const (
	anna  = 101
	boris = 102
	echo  = 103
)

const (
	eventURL = "https://bot.example.com/events"
	clientID = "a-long-random-client-id"
	hash     = "a-hash-that-signs-frames"
)

// testPage is the page of a portal, on which there is a bot that repeats what it gets.
type testPage struct {
	t      testing.TB
	portal *imbottest.Portal
	page   http.Handler
	client *imbot.Client
}

func newTestPage(t testing.TB) *testPage {
	t.Helper()
	portal := imbottest.NewPortal()
	t.Cleanup(portal.Close)
	portal.AddUser("Anna", "Ivanova")
	portal.AddUser("Boris", "Petrov")
	hook := portal.Webhook(clientID)
	client, err := imbot.NewClient(hook, imbot.WithHTTPClient(portal.HTTPClient()), imbot.WithLimiter(nil))
	require.NoError(t, err)
	bot := &imbot.EventHandler{
		Verifier: hook.Verifier(),
		Logger:   slog.New(slog.NewTextHandler(t.Output(), nil)), // is shown when the test fails
		OnMessage: func(ctx context.Context, ev *imbot.MessageAddEvent) error {
			_, err := client.Message.Add(ctx, ev.Reply(ev.Params.Message))
			return err
		},
		OnCommand: func(ctx context.Context, ev *imbot.CommandAddEvent) error {
			_, err := client.Command.Answer(ctx, ev.Commands[0].Answer("did "+ev.Commands[0].CommandParams))
			return err
		},
	}
	t.Cleanup(func() { _ = bot.Shutdown(context.Background()) })
	portal.Serve(eventURL, bot)
	w := &testPage{t, portal, messenger.Handler(portal), client}
	w.ok(imbot.Do(t.Context(), client, imbot.BotRegisterRequest{Code: "echo", EventHandler: eventURL, Properties: imbot.BotProperties{Name: "Echo", PersonalPhoto: gif}}))
	w.ok(imbot.Do(t.Context(), client, imbot.CommandRegisterRequest{
		BotID: echo, Command: "do", EventCommandAdd: eventURL, Lang: []imbot.CommandLang{{LanguageID: "en", Title: "Does it", Params: "what"}},
	}))
	w.ok(imbot.Do(t.Context(), client, imbot.AppRegisterRequest{
		BotID: echo, Code: "frame", IFrame: "https://app.example.com/", Hash: hash, Lang: []imbot.AppLang{{LanguageID: "en", Title: "Frame"}},
	}))
	return w
}

// gif is the beginning of a GIF, which is all that is read of it.
var gif = []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00")

func (w *testPage) ok(_ imbot.ID, err error) {
	w.t.Helper()
	require.NoError(w.t, err)
}

// serve makes a request as the script of the page makes it.
func (w *testPage) serve(method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://localhost:8060/"+path, strings.NewReader(body))
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Origin", "http://localhost:8060")
	}
	out := httptest.NewRecorder()
	w.page.ServeHTTP(out, r)
	return out
}

type object = map[string]any

func (w *testPage) get(path string) object {
	w.t.Helper()
	return w.read(w.serve("GET", path, ""))
}

func (w *testPage) post(path, body string) object {
	w.t.Helper()
	return w.read(w.serve("POST", path, body))
}

func (w *testPage) read(out *httptest.ResponseRecorder) object {
	w.t.Helper()
	require.Equal(w.t, 200, out.Code, "%s", out.Body)
	var v object
	require.NoError(w.t, json.Unmarshal(out.Body.Bytes(), &v))
	return v
}

// texts returns the texts of a dialog as a user sees it.
func (w *testPage) texts(user, dialog string) (texts []string) {
	w.t.Helper()
	for _, m := range w.get("api/messages?user=" + user + "&dialog=" + dialog)["messages"].([]any) {
		texts = append(texts, m.(object)["text"].(string))
	}
	return texts
}
